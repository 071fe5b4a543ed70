use std::panic::catch_unwind;

use outrigger_lab::{Lab, program};

#[test]
fn missing_program_is_named_together_with_what_builds_it() {
    let panic = catch_unwind(|| program("no-such-program")).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("no-such-program is missing: `make "),
        "{text}"
    );
}

#[test]
fn lease_files_of_a_lab_lie_on_a_disk() {
    let lab = Lab::direct();
    let kind = nix::sys::statfs::statfs(lab.dir())
        .unwrap()
        .filesystem_type();
    assert_ne!(kind, nix::sys::statfs::TMPFS_MAGIC);
}

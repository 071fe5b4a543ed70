//! Where things are: our programs, and a directory for each lab.

use std::env;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

/// The path of one of our programs, such as `dhcp-server`: in `OUTRIGGER_BIN_DIR`, or else next to
/// the running test.
///
/// # Panics
///
/// When it has not been built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let folder = env::var_os("OUTRIGGER_BIN_DIR").map_or_else(profile_dir, PathBuf::from);
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is missing: `make lab` builds it; OUTRIGGER_BIN_DIR names another folder to look in",
        path.display()
    );
    path
}

/// A fresh directory on a real disk, so that what is written with `fsync` costs what it costs.
///
/// # Panics
///
/// When the target directory is on a tmpfs.
pub(crate) fn fresh_dir() -> TempDir {
    let parent = profile_dir().join("lab");
    std::fs::create_dir_all(&parent)
        .unwrap_or_else(|error| panic!("cannot make {}: {error}", parent.display()));
    let kind = statfs(&parent).expect("a directory lies on a file system");
    assert!(
        kind.filesystem_type() != TMPFS_MAGIC,
        "{} is on a tmpfs: set CARGO_TARGET_DIR to a directory on a disk",
        parent.display()
    );
    tempfile::Builder::new()
        .prefix("lab-")
        .tempdir_in(&parent)
        .unwrap_or_else(|error| panic!("no directory in {}: {error}", parent.display()))
}

/// `target/debug` or `target/release`; tests themselves run one level below, in `deps`.
fn profile_dir() -> PathBuf {
    let program = env::current_exe().expect("the running program has a path");
    let folder = program.parent().expect("a program lies in a folder");
    match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    }
}

/// Writes a file that the test needs.
///
/// # Panics
///
/// When that fails.
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text)
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

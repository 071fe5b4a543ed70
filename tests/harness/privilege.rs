//! Namespaces without sudo.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd::geteuid;

/// Set in the program that was started again, so that it is not started a third time.
const STARTED_AGAIN: &str = "OUTRIGGER_LAB_IN_USER_NAMESPACE";

/// Makes sure that this process may make network namespaces: without root it is replaced by
/// itself, with the same arguments, as root of a new user namespace.
///
/// The test runner then begins anew, so this has to come first in a test.
///
/// # Panics
///
/// When user namespaces are not allowed here.
pub(crate) fn ensure() {
    if geteuid().is_root() {
        return;
    }
    assert!(
        env::var_os(STARTED_AGAIN).is_none(),
        "still not root inside a user namespace: run the lab as root"
    );
    let program = env::current_exe().expect("the running program has a path");
    let error = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--"])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(STARTED_AGAIN, "1")
        .exec();
    panic!("cannot start unshare (util-linux), which the lab needs when it is not root: {error}");
}

//! The demo succeeds with user_chk, and with it alone.

use std::process::Command;

use outrigger_lab::program;
use outrigger_lab::user_chk::UserChk;

/// Plays the demo with this service: whether it succeeded, its exit code and what it printed.
fn play(service: impl AsRef<std::ffi::OsStr>) -> (Option<i32>, String) {
    let output = Command::new(program("outrigger-demo"))
        .env("OUTRIGGER_USER_CHK", service)
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    (output.status.code(), printed)
}

#[test]
fn demo_plays_both_videos_in_both_families() {
    let (code, printed) = play(UserChk::program());
    assert_eq!(code, Some(0), "{printed}");
    for title in ["Video 1, DHCPv6", "Video 2, DHCPv6", "Both videos, DHCPv4"] {
        assert!(printed.contains(title), "{printed}");
    }
}

#[test]
fn demo_fails_with_a_service_that_always_continues() {
    let (code, printed) = play(program("outrigger-continue-service"));
    assert_eq!(code, Some(1), "{printed}");
    let failure = "must get one of 3000::a to 3000::f and gets 2001:db8:1::a";
    assert!(printed.contains(failure), "{printed}");
}

//! Services of every SDK keep every rule of the protocol.

use std::process::Command;

use outrigger_lab::{Lab, Language, PATIENCE, TestService, program};

/// Rules that `hook-runner check` passes over, since the service does nothing that they are about.
const ABOUT_OTHERS: [&str; 3] = ["commands", "park", "park-context"];

#[track_caller]
fn keeps_every_rule(language: Language) {
    let lab = Lab::direct();
    for family in ["4", "6"] {
        let address = TestService::of(language, lab.server(), &format!("checked{family}.sock"));
        let service = address.start(&[]);
        let mut check = Command::new(program("hook-runner"));
        check.args(["check", &address.endpoint(), "--family", family]);
        check.args(["--drain-pid", &service.pid().to_string()]);
        // Not on the server's host, which has process ids of its own.
        let output = check.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let skipped = text
            .lines()
            .filter_map(|line| line.strip_prefix("skipped "))
            .filter_map(|line| line.split_whitespace().next());
        for rule in skipped {
            assert!(ABOUT_OTHERS.contains(&rule), "{text}");
        }
        assert!(service.wait(PATIENCE).unwrap().success());
    }
}

#[test]
fn a_service_of_the_rust_sdk_keeps_every_rule() {
    keeps_every_rule(Language::Rust);
}

#[test]
fn a_service_of_the_python_sdk_keeps_every_rule() {
    keeps_every_rule(Language::Python);
}

#[test]
fn a_service_of_the_go_sdk_keeps_every_rule() {
    keeps_every_rule(Language::Go);
}

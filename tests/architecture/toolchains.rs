//! The wrappers of the Go toolchain and of the test environment's Python take the right program, or say what to do.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program that answers as a Go toolchain of this version does.
fn fake_go(path: &Path, version: &str) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, format!("#!/bin/sh\necho {version}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Runs a wrapper where `machine` has programs that come first, with `environment` as the test environment.
fn wrapper(name: &str, machine: &Path, environment: &Path) -> io::Result<Output> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    Command::new(root.join("scripts").join(name))
        .args(["env", "GOVERSION"])
        .env("PATH", format!("{}:/usr/bin:/bin", machine.display()))
        .env("OUTRIGGER_TEST_VENV", environment)
        .output()
}

#[test]
fn the_go_of_the_machine_is_taken_where_it_is_new_enough() {
    let folder = tempfile::tempdir().unwrap();
    let (machine, environment) = (folder.path().join("bin"), folder.path().join("venv"));
    fake_go(&environment.join("bin/go"), "go1.26.6").unwrap();
    // (what the machine has, what runs)
    let cases = [
        ("go1.26.0", "go1.26.0"),
        ("go1.100.1", "go1.100.1"),
        ("go1.26", "go1.26"),
        ("go1.25.9", "go1.26.6"),
        ("go1.9", "go1.26.6"),
    ];
    for (has, runs) in cases {
        fake_go(&machine.join("go"), has).unwrap();
        let output = wrapper("go", &machine, &environment).unwrap();
        let version = String::from_utf8_lossy(&output.stdout);
        assert_eq!(version.trim(), runs, "{has}: {output:?}");
    }
}

#[test]
fn without_a_program_the_wrappers_say_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let (machine, environment) = (folder.path().join("bin"), folder.path().join("venv"));
    fake_go(&machine.join("go"), "go1.21.3").unwrap();
    for (name, missing) in [
        ("go", "no Go toolchain of version 1.26"),
        ("python", "bin/python"),
    ] {
        let output = wrapper(name, &machine, &environment).unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{output:?}");
        assert!(
            text.contains(missing) && text.contains("scripts/install-test-needs"),
            "{text}"
        );
    }
}

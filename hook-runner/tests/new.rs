//! `hook-runner new`: the project that it makes builds, passes its test, and is a good service.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNNER: &str = env!("CARGO_BIN_EXE_hook-runner");

/// The folder of all builds: most of what the new project needs is built there already.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

fn cargo(project: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target())
        // As in the workspace, so that its builds fit.
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
        .env("CARGO_PROFILE_TEST_DEBUG", "line-tables-only")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {text}");
}

#[test]
fn a_new_rust_project_passes_its_own_test_and_the_check() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let parent = tempfile::tempdir().unwrap();
    let made = Command::new(RUNNER)
        .args(["new", "rust", "brand-new-hook", "--sdk"])
        .arg(here.join("sdk"))
        .current_dir(parent.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let project = parent.path().join("brand-new-hook");
    // The versions that are here, so that nothing is downloaded.
    fs::copy(here.join("../Cargo.lock"), project.join("Cargo.lock")).unwrap();
    cargo(&project, &["test"]);
    cargo(&project, &["build"]);

    let socket = parent.path().join("s");
    let endpoint = format!("unix:{}", socket.display());
    let mut service = Command::new(target().join("debug/brand-new-hook"))
        .arg(&endpoint)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    while !socket.exists() && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = service.id().to_string();
    let check = Command::new(RUNNER)
        .args(["check", &endpoint, "--drain-pid", &pid])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&check.stdout);
    let passed = check.status.success() && text.contains("26 ok, 0 not, 2 skipped");
    if !passed {
        let _ = service.kill();
    }
    service.wait().unwrap();
    assert!(passed, "{text}");
}

#[test]
fn a_language_without_a_template_is_wrong_usage() {
    let output = Command::new(RUNNER)
        .args(["new", "cobol", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("possible values: rust"), "{text}");
}

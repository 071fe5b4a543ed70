//! `hook-runner new`: the project that it makes for each language builds, passes its test, and is a good service.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNNER: &str = env!("CARGO_BIN_EXE_hook-runner");
const NAME: &str = "brand-new-hook";

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder of all builds: most of what a new project in Rust needs is built there already.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

/// Makes a project that uses the SDK of this repository.
fn new_project(parent: &Path, language: &str, sdk: &str) -> PathBuf {
    let made = Command::new(RUNNER)
        .args(["new", language, NAME, "--sdk"])
        .arg(root().join(sdk))
        .current_dir(parent)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    parent.join(NAME)
}

/// A program that works in the project, with the environment that `make needs` makes.
fn within(project: &Path, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target());
    command
}

/// Runs a step that has to succeed.
fn step(command: &mut Command) {
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&printed);
    assert!(output.status.success(), "{command:?}: {text}");
}

/// Starts the service and has it checked, drain included: every rule that is not skipped holds.
fn passes_the_check(mut service: Command, parent: &Path) {
    let socket = parent.join("s");
    let endpoint = format!("unix:{}", socket.display());
    let mut service = service
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
fn a_new_rust_project_passes_its_own_test_and_the_check() {
    let parent = tempfile::tempdir().unwrap();
    let project = new_project(parent.path(), "rust", "hook-runner/sdk");
    // The versions that are here, so that nothing is downloaded.
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    for arguments in ["test", "build"] {
        let mut cargo = within(&project, env!("CARGO"));
        // As in the workspace, so that its builds fit.
        cargo
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            .env("CARGO_PROFILE_TEST_DEBUG", "line-tables-only");
        step(cargo.args([arguments, "--offline"]));
    }
    let service = Command::new(target().join("debug").join(NAME));
    passes_the_check(service, parent.path());
}

#[test]
fn a_new_python_project_passes_its_own_test_and_the_check() {
    let parent = tempfile::tempdir().unwrap();
    let project = new_project(parent.path(), "python", "hooks/python/sdk");
    let python = || within(&project, root().join("scripts/python"));
    step(python().args(["-m", "pytest", "-q"]));
    step(python().args(["-m", "mypy", "--strict", "."]));
    let settings = root().join("hooks/python/sdk/pyproject.toml");
    for command in [&["check"][..], &["format", "--check"]] {
        let mut ruff = python();
        ruff.args(["-m", "ruff"]).args(command);
        step(ruff.arg("--config").arg(&settings).arg("."));
    }
    let mut service = python();
    service.arg("brand_new_hook.py");
    passes_the_check(service, parent.path());
}

#[test]
fn a_new_go_project_passes_its_own_test_and_the_check() {
    let parent = tempfile::tempdir().unwrap();
    let project = new_project(parent.path(), "go", "hooks/go/sdk");
    for arguments in [
        &["mod", "tidy"][..],
        &["vet", "./..."],
        &["test", "./..."],
        &["build"],
    ] {
        step(within(&project, root().join("scripts/go")).args(arguments));
    }
    passes_the_check(Command::new(project.join(NAME)), parent.path());
}

/// Python's own list of the modules that a service must not be named like.
#[test]
fn a_python_service_hides_no_module_of_the_standard_library() {
    let parent = tempfile::tempdir().unwrap();
    let list = "import keyword, sys; print(*sys.stdlib_module_names, *keyword.kwlist)";
    let output = within(parent.path(), root().join("scripts/python"))
        .args(["-c", list])
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(names.split_whitespace().count() > 200, "{names}");
    // Others are not the name of a service at all.
    let possible = |name: &&str| !name.starts_with('_') && !name.contains(char::is_uppercase);
    for name in names.split_whitespace().filter(possible) {
        refuses(parent.path(), "python", name);
    }
}

#[test]
fn a_go_service_is_not_named_like_a_package_of_the_standard_library() {
    let parent = tempfile::tempdir().unwrap();
    let output = within(parent.path(), root().join("scripts/go"))
        .args(["list", "std"])
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(names.lines().count() > 100, "{names}");
    for name in names.lines().filter(|name| !name.contains('/')) {
        refuses(parent.path(), "go", name);
    }
}

fn refuses(parent: &Path, language: &str, name: &str) {
    let made = Command::new(RUNNER)
        .args(["new", language, name])
        .current_dir(parent)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&made.stderr);
    assert_eq!(made.status.code(), Some(64), "{name}: {text}");
    assert!(text.contains("is taken"), "{name}: {text}");
}

#[test]
fn a_language_without_a_template_is_wrong_usage() {
    let output = Command::new(RUNNER)
        .args(["new", "cobol", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("possible values: go, python, rust"), "{text}");
}

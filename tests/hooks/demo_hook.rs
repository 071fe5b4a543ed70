//! `deploy/demo/run --hook`: what real clients get with one's own hook service.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use outrigger_lab::{PATIENCE, poll, program, python, repository};

/// A service that ends with the test.
struct Service(Child);

impl Service {
    /// Starts it and waits until it listens.
    fn start(mut command: Command, socket: &Path) -> Self {
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let service = Self(child);
        let listens = poll(PATIENCE, || socket.exists().then_some(()));
        listens.expect("the service makes its socket");
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `hook-runner new` makes, with the SDK of this repository.
fn new_project(parent: &Path, language: &str) -> PathBuf {
    let made = Command::new(program("hook-runner"))
        .args(["new", language, "own-hook", "--sdk"])
        .arg(repository().join("hooks").join(language).join("sdk"))
        .current_dir(parent)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    parent.join("own-hook")
}

/// The service of a new project decides for a real client: phones go to subnet 2.
fn decides_for_real_clients(mut service: Command, folder: &Path) {
    let socket = folder.join("s");
    let endpoint = format!("unix:{}", socket.display());
    service.arg(&endpoint);
    let _service = Service::start(service, &socket);
    let (code, printed) = play(&endpoint);
    assert_eq!(code, Some(0), "{printed}");
    let (phone, printer) = printed.split_once("\"printer\"").unwrap();
    assert!(phone.contains("gets 198.51.100."), "{printed}");
    assert!(printer.contains("gets 192.0.2."), "{printed}");
}

#[test]
fn a_new_hook_in_python_decides_for_real_clients() {
    let folder = tempfile::tempdir().unwrap();
    let project = new_project(folder.path(), "python");
    let mut service = Command::new(python());
    service.arg(project.join("own_hook.py"));
    decides_for_real_clients(service, folder.path());
}

#[test]
fn a_new_hook_in_go_decides_for_real_clients() {
    let folder = tempfile::tempdir().unwrap();
    let project = new_project(folder.path(), "go");
    for arguments in [&["mod", "tidy"][..], &["build"]] {
        let output = Command::new(repository().join("scripts/go"))
            .args(arguments)
            .current_dir(&project)
            .env("OUTRIGGER_TEST_VENV", python().ancestors().nth(2).unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    decides_for_real_clients(Command::new(project.join("own-hook")), folder.path());
}

/// The demo with the hook at an endpoint: its exit code and what it printed.
fn play(endpoint: &str) -> (Option<i32>, String) {
    let output = Command::new(program("outrigger-demo"))
        .args(["--hook", endpoint])
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    (output.status.code(), printed)
}

#[test]
fn clients_get_what_the_server_chooses_where_the_hook_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let endpoint = format!("unix:{}", socket.display());
    let registry = folder.path().join("registry.txt");
    std::fs::write(&registry, "").unwrap();
    let mut command = Command::new(program("outrigger-continue-service"));
    command
        .args(["--listen", &endpoint, "--registry"])
        .arg(&registry);
    command
        .arg("--outcome")
        .arg(folder.path().join("outcome.txt"));
    let _service = Service::start(command, &socket);
    let (code, printed) = play(&endpoint);
    assert_eq!(code, Some(0), "{printed}");
    for vendor_class in ["phone-7", "printer"] {
        assert!(
            printed.contains(&format!("asks as \"{vendor_class}\"")),
            "{printed}"
        );
    }
    assert_eq!(printed.matches("gets 192.0.2.").count(), 2, "{printed}");
}

#[test]
fn an_endpoint_without_service_is_wrong_usage() {
    let cases = [
        ("unix:/tmp/outrigger-nobody-listens-here", "start it first"),
        ("unix:/run/outrigger/x", "outside of /run"),
        ("http://127.0.0.1:1", "take unix:/"),
    ];
    for (endpoint, expected) in cases {
        let (code, printed) = play(endpoint);
        assert_eq!(code, Some(64), "{printed}");
        assert!(printed.contains(expected), "{printed}");
    }
}

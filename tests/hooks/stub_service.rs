//! A service made of generated stubs alone, in Python, which answers one `Call` after another.

use std::path::Path;
use std::process::Command;

use outrigger_lab::{Family, Host, Lab, PATIENCE, Process, Server, Subject, Twin, Udhcpc, program};
use outrigger_lab::{python, python_file, repository};
use serde_json::json;

use crate::failure_stage::SILENCE;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
/// What the service gives to guests, and the server to others.
const GUEST: u32 = 600;
const USUAL: u32 = 3600;

/// Makes the stubs of the protocol.
#[track_caller]
fn make_stubs(folder: &Path) {
    let proto = repository().join("proto");
    let hooks = proto.join("outrigger/hooks/v1");
    let files = std::fs::read_dir(&hooks).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    std::fs::create_dir(folder).unwrap();
    let mut command = Command::new(python());
    command.args(["-m", "grpc_tools.protoc"]);
    for (option, path) in [
        ("-I", &proto),
        ("--python_out=", &folder.to_owned()),
        ("--grpc_python_out=", &folder.to_owned()),
    ] {
        command.arg(format!("{option}{}", path.display()));
    }
    let output = command.args(files).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The service, listening.
struct StubService {
    process: Process,
    endpoint: String,
}

impl StubService {
    #[track_caller]
    fn start(host: &Host) -> Self {
        let stubs = host.dir().join("stubs");
        make_stubs(&stubs);
        let socket = host.dir().join("stub.sock");
        let mut command = python_file("tests/stubs/service.py");
        command.env("PYTHONPATH", &stubs).arg(&socket);
        let process = host.start(command);
        process.wait_for_line("listening", PATIENCE);
        Self {
            process,
            endpoint: format!("unix:{}", socket.display()),
        }
    }

    /// Its entry in the configuration: without it no packet is answered.
    fn entry(&self) -> serde_json::Value {
        json!([ {
            "name": "stubs", "endpoints": [self.endpoint], "deadline": 2000, "on-failure": "drop"
        } ])
    }
}

/// Nothing failed, and it ends when it is told to.
#[track_caller]
fn assert_faultless(service: &StubService, server: &Server) {
    assert_eq!(
        server.counters().failed_calls(),
        0,
        "{}",
        server.process.text()
    );
    assert!(service.process.terminate(PATIENCE).success());
}

#[test]
fn a_service_of_stubs_alone_decides_for_each_client() {
    for family in FAMILIES {
        let twin = Twin::new(family);
        let service = StubService::start(twin.lab().server());
        let further = json!({ "hook-budget": 10000, "hook-services": service.entry() });
        let server = Subject::start(twin.lab().server(), &twin.config(further));

        let guest = twin.lease(&mut twin.client(7), PATIENCE).unwrap();
        assert_eq!((guest.valid, guest.marked), (Some(GUEST), true));
        let other = twin.lease(&mut twin.client(8), PATIENCE).unwrap();
        assert_eq!((other.valid, other.marked), (Some(USUAL), false));
        assert_eq!(twin.ask(&mut twin.client(9), SILENCE), None);
        assert_faultless(&service, &server);
    }
}

#[test]
fn a_real_client_gets_what_a_service_of_stubs_alone_decides() {
    let lab = Lab::direct();
    let service = StubService::start(lab.server());
    let config = json!({ "Dhcp4": {
        "interfaces-config": { "interfaces": ["eth0"] },
        "valid-lifetime": USUAL,
        "subnet4": [ {
            "id": 1, "subnet": "192.0.2.0/24",
            "pools": [ { "pool": "192.0.2.100 - 192.0.2.109" } ],
        } ],
        "hook-budget": 10000,
        "hook-services": service.entry(),
    } });
    let server = Subject::start(lab.server(), &config.to_string());
    let guest = Udhcpc::start(lab.client(), Lab::INTERFACE, &["-V", "guest"]);
    assert_eq!(guest.bound().get("lease"), Some("600"));
    guest.release();
    let other = Udhcpc::start(lab.client(), Lab::INTERFACE, &["-V", "host"]);
    assert_eq!(other.bound().get("lease"), Some("3600"));
    assert_faultless(&service, &server);
}

#[test]
fn a_service_of_stubs_alone_keeps_the_rules_that_are_for_it() {
    let lab = Lab::direct();
    let service = StubService::start(lab.server());
    for family in ["4", "6"] {
        let mut check = Command::new(program("hook-runner"));
        check.args(["check", &service.endpoint, "--family", family]);
        let finished = lab.server().run(check);
        assert!(finished.status.success(), "{}", finished.text);
        for rule in [
            "results",
            "changes",
            "context",
            "commands",
            "unknown-fields",
        ] {
            let kept = format!("ok      {rule}");
            assert!(finished.text.contains(&kept), "{rule}: {}", finished.text);
        }
    }
}

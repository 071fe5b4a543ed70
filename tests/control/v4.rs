//! DHCPv4 and what concerns the process.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::signal::Signal;
use outrigger_lab::{Lab, PATIENCE, Server, Subject};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Reply4Seen, UdpLink4};
use serde_json::{Value, json};

use crate::client::ControlSocket;

const CONFIG: &str = r#"{ "Dhcp4": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "valid-lifetime": 1200,
    "subnet4": [ {
        "id": 1, "subnet": "192.0.2.0/24",
        "pools": [ { "pool": "192.0.2.100 - 192.0.2.100" } ]
    } ]
} }"#;

struct Stage {
    lab: Lab,
    control: ControlSocket,
    server: Server,
}

impl Stage {
    fn new() -> Self {
        let lab = Lab::direct();
        let control = ControlSocket::of(lab.server());
        let server = Subject::start(lab.server(), &control.configured(CONFIG));
        Self {
            lab,
            control,
            server,
        }
    }

    fn link(&self) -> UdpLink4 {
        let client = self.lab.client();
        client
            .enter(|| UdpLink4::broadcast(Lab::INTERFACE))
            .unwrap()
    }
}

fn lease(client: &mut Client4, link: &UdpLink4) -> Reply4Seen {
    let offer = link.exchange(&client.discover(), PATIENCE).unwrap();
    let ack = link
        .exchange(&client.request_selecting(&offer), PATIENCE)
        .unwrap();
    assert_eq!(ack.message_type, message::ACK);
    ack
}

fn lease_time(reply: &Reply4Seen) -> Option<u32> {
    const LEASE_TIME: u8 = 51;
    let bytes = reply.option(LEASE_TIME)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

#[test]
fn a_deleted_lease_is_free_for_another_client_and_stays_deleted() {
    let stage = Stage::new();
    let (control, link) = (&stage.control, stage.link());
    let mut holder = Client4::new([0x02, 0, 0, 0, 0, 0x71]);
    let address = lease(&mut holder, &link).yiaddr.to_string();
    let found = control.ask_with("lease4-get", &json!({ "ip-address": address }));
    assert_eq!(found["arguments"]["hw-address"], "02:00:00:00:00:71");
    assert_eq!(control.statistic("subnet[1].total-addresses"), 1);
    assert_eq!(control.statistic("subnet[1].assigned-addresses"), 1);

    let owner = json!({ "identifier-type": "hw-address", "identifier": "02:00:00:00:00:71", "subnet-id": 1 });
    assert_eq!(control.ask_with("lease4-del", &owner)["result"], 0);
    stage.server.process.signal(Signal::SIGKILL);
    assert!(stage.server.process.wait(PATIENCE).is_some());
    let _again = Subject::restart(stage.lab.server(), &stage.server);
    assert_eq!(control.ask_with("lease4-get", &owner)["result"], 3);
    assert_eq!(control.statistic("assigned-addresses"), 0);
    let mut other = Client4::new([0x02, 0, 0, 0, 0, 0x72]);
    assert_eq!(lease(&mut other, &link).yiaddr.to_string(), address);
}

#[test]
fn packets_are_counted_by_type() {
    let stage = Stage::new();
    let control = &stage.control;
    lease(&mut Client4::new([0x02, 0, 0, 0, 0, 0x73]), &stage.link());
    control.wait_for("pkt4-ack-sent", 1);
    for (name, value) in [
        ("pkt4-received", 2),
        ("pkt4-discover-received", 1),
        ("pkt4-request-received", 1),
        ("pkt4-sent", 2),
        ("pkt4-offer-sent", 1),
        ("pkt4-nak-sent", 0),
        ("pkt4-receive-drop", 0),
    ] {
        assert_eq!(control.statistic(name), value, "{name}");
    }
}

#[test]
fn a_configuration_is_taken_from_the_socket_and_the_file_brings_the_old_one_back() {
    let stage = Stage::new();
    let control = &stage.control;
    let mut config = control.ask("config-get")["arguments"].clone();
    let hash = config.as_object_mut().unwrap().remove("hash").unwrap();
    config["Dhcp4"]["valid-lifetime"] = json!(77);
    assert_eq!(control.ask_with("config-test", &config)["result"], 0);
    let set = control.ask_with("config-set", &config);
    assert_eq!(set["result"], 0, "{set}");
    assert_ne!(set["arguments"]["hash"], hash);
    let link = stage.link();
    let mut client = Client4::new([0x02, 0, 0, 0, 0, 0x74]);
    assert_eq!(lease_time(&lease(&mut client, &link)), Some(77));

    let mut wrong = config.clone();
    wrong["Dhcp4"]["subnet4"][0]["pools"] = json!([{ "pool": "198.51.100.1 - 198.51.100.9" }]);
    let refused = control.ask_with("config-set", &wrong);
    assert_eq!(refused["result"], 1);
    let text = refused["text"].as_str().unwrap();
    assert!(text.starts_with("command:1."), "{text}");
    let mut elsewhere = config.clone();
    elsewhere["Dhcp4"]["lease-database"] = json!({ "type": "memfile", "persist": false });
    let refused = control.ask_with("config-set", &elsewhere);
    assert!(refused["text"].as_str().unwrap().contains("lease-database"));
    let kept: Value = control.ask("config-get")["arguments"].clone();
    assert_eq!(kept["Dhcp4"], config["Dhcp4"]);

    assert_eq!(control.ask("config-reload")["result"], 0);
    assert_eq!(control.ask("config-hash-get")["arguments"]["hash"], hash);
    assert_eq!(lease_time(&lease(&mut client, &link)), Some(1200));
    stage.server.rewrite(r#"{ "Dhcp4": { "no-such-key": 1 } }"#);
    let refused = control.ask("config-reload");
    assert!(refused["text"].as_str().unwrap().contains("no-such-key"));
    assert_eq!(control.ask("config-hash-get")["arguments"]["hash"], hash);
}

/// The configuration with a service that is never there.
fn waits_for_a_service(stage: &Stage) -> Value {
    let mut config: Value = serde_json::from_str(&stage.control.configured(CONFIG)).unwrap();
    let endpoint = format!("unix:{}", stage.lab.dir().join("absent.sock").display());
    config["Dhcp4"]["hook-services"] =
        json!([{ "name": "absent", "endpoints": [ endpoint ], "at-start": "wait" }]);
    config
}

#[test]
fn a_configuration_whose_service_is_missing_is_given_up_while_others_ask_on() {
    let stage = Stage::new();
    let control = &stage.control;
    let hash = control.ask("config-hash-get");
    let running = control.ask("config-get")["arguments"]["Dhcp4"].clone();
    let mut config = waits_for_a_service(&stage);
    config["Dhcp4"]["lease-database"] = running["lease-database"].clone();
    std::thread::scope(|scope| {
        let set = scope.spawn(|| control.ask_with("config-set", &config));
        let waiting = stage.server.process.wait_for_line("config-set", PATIENCE);
        assert!(waiting.contains("COMMAND_RECEIVED"), "{waiting}");
        assert_eq!(control.ask("status-get")["result"], 0);
        let set = set.join().unwrap();
        let text = set["text"].as_str().unwrap();
        assert!(text.contains("not ready within 10 s"), "{text}");
    });
    assert_eq!(control.ask("config-hash-get"), hash);
    lease(&mut Client4::new([0x02, 0, 0, 0, 0, 0x76]), &stage.link());
}

#[test]
fn a_reload_that_waits_for_a_service_does_not_keep_the_server_from_stopping() {
    let stage = Stage::new();
    let config = waits_for_a_service(&stage);
    stage.server.rewrite(&config.to_string());
    stage.server.process.signal(Signal::SIGHUP);
    stage
        .server
        .process
        .wait_for_line("CONFIG_RELOAD", PATIENCE);
    assert_eq!(stage.server.stop().code(), Some(0));
}

#[test]
fn a_command_that_waits_for_a_service_does_not_keep_the_server_from_stopping() {
    let stage = Stage::new();
    let mut config = waits_for_a_service(&stage);
    let running = stage.control.ask("config-get")["arguments"]["Dhcp4"].clone();
    config["Dhcp4"]["lease-database"] = running["lease-database"].clone();
    std::thread::scope(|scope| {
        let set = scope.spawn(|| stage.control.ask_with("config-set", &config));
        stage.server.process.wait_for_line("config-set", PATIENCE);
        assert_eq!(stage.server.stop().code(), Some(0));
        let set = set.join().unwrap();
        assert_eq!(
            set,
            json!({ "result": 1, "text": "the server is stopping" })
        );
    });
}

#[test]
fn shutdown_is_answered_and_ends_the_process_with_the_code_asked_for() {
    let stage = Stage::new();
    let answer = stage
        .control
        .ask_with("shutdown", &json!({ "exit-value": 3 }));
    assert_eq!(answer["text"], "Shutting down.");
    let status = stage.server.process.wait(PATIENCE).unwrap();
    assert_eq!(status.code(), Some(3));
    assert!(!stage.control.path().exists());
}

#[test]
fn the_socket_of_a_killed_server_does_not_hinder_the_next_and_that_of_a_living_one_does() {
    let stage = Stage::new();
    stage.server.process.signal(Signal::SIGKILL);
    assert!(stage.server.process.wait(PATIENCE).is_some());
    assert!(stage.control.path().exists());
    let again = Subject::restart(stage.lab.server(), &stage.server);
    assert_eq!(stage.control.ask("version-get")["result"], 0);
    assert_eq!(again.stop().code(), Some(0));

    let _foreign = UnixListener::bind(stage.control.path()).unwrap();
    let refused = Subject::launch(stage.lab.server(), &stage.control.configured(CONFIG));
    refused
        .process
        .wait_for_line("is in use by another process", PATIENCE);
    let status = refused.process.wait(PATIENCE).unwrap();
    assert_eq!(status.code(), Some(74));
    assert!(stage.control.path().exists());
}

#[test]
fn many_clients_are_served_beside_silent_ones_which_are_told_to_go() {
    const COMMAND: &[u8] = b"{ \"command\": ";
    let stage = Stage::new();
    let mut silent: Vec<_> = (0..16)
        .map(|_| UnixStream::connect(stage.control.path()).unwrap())
        .collect();
    silent[0].write_all(COMMAND).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(stage.control.ask("statistic-get-all")["result"], 0);
                }
            });
        }
    });
    let last_words = [
        format!("discarded partial command of {} bytes", COMMAND.len()),
        "Connection over control channel timed out".to_owned(),
    ];
    for (stream, words) in silent.iter_mut().zip(last_words) {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(&words), "{answer}");
    }
    let status = stage.control.ask("status-get");
    assert!(
        status["arguments"]["uptime"].as_u64() >= Some(9),
        "{status}"
    );
}

//! `hook-runner call`: packets from every kind of source, asked of user-chk.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use outrigger_hook_sdk::points::{Command as ControlCommand, Subnet6Select};
use outrigger_hook_sdk::{Call, Callouts, Fixed, HookError, HookPoint, Server, Subscriptions};
use serde_json::{Value, json};
use std::fs;
use std::process::{Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinHandle;
use user_chk::counters::Counters;
use user_chk::outcome::Outcome;
use user_chk::registry::Registry;
use user_chk::service::UserChkService;

const RESTRICTED: [&str; 2] = ["--parameters", r#"{"restricted-subnet-id": 2}"#];
const DUID: &str = "00030001020000000c02";

/// user-chk, with one user of each family, and a folder for packets.
struct Running {
    folder: TempDir,
    serving: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("registry.txt");
        let hw_address = r#"{"type":"HW_ADDR","id":"02:00:00:00:0c:02","bootfile":"/gold"}"#;
        let duid = format!(r#"{{"type":"DUID","id":"{DUID}"}}"#);
        fs::write(&registry, format!("{hw_address}\n{duid}\n")).unwrap();
        let counters = Arc::new(Counters::default());
        let outcome = Outcome::open(&folder.path().join("outcome"), Arc::clone(&counters));
        let registry = Arc::new(Registry::new(registry, Arc::clone(&counters)));
        registry.refresh();
        let service = UserChkService {
            registry,
            outcome: Arc::new(outcome.unwrap()),
            counters,
        };
        let endpoint = format!("unix:{}", folder.path().join("s").display());
        let server = Server::new(service);
        let bound = server.bind(&endpoint.parse().unwrap()).await.unwrap();
        let serving = tokio::spawn(async {
            bound.run(std::future::pending()).await.unwrap();
        });
        Self { folder, serving }
    }

    async fn output(&self, arguments: &[&str]) -> Output {
        let endpoint = format!("unix:{}", self.folder.path().join("s").display());
        Command::new(env!("CARGO_BIN_EXE_hook-runner"))
            .args(["call", &endpoint])
            .args(arguments)
            .env_remove("RUST_LOG")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap()
    }

    /// The reply to a call that succeeds.
    async fn call(&self, arguments: &[&str]) -> Value {
        let output = self.output(&[arguments, &RESTRICTED].concat()).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Exit code and what is said of it.
    async fn fail(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.output(arguments).await;
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A DHCPv4 packet with this last byte of the hardware address.
fn datagram4(op: u8, client: u8, options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![op, 1, 6, 0, 1, 2, 3, client];
    bytes.resize(28, 0);
    bytes.extend([2, 0, 0, 0, 0x0c, client]);
    bytes.resize(236, 0);
    bytes.extend([99, 130, 83, 99]);
    bytes.extend(options);
    bytes.push(255);
    bytes
}

/// A capture of these DHCPv4 packets.
fn capture(datagrams: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4];
    file.extend([0; 8]);
    file.extend([0, 1, 0, 0, 0, 0, 0, 1]);
    for datagram in datagrams {
        let mut frame = vec![2; 12];
        frame.extend([8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0]);
        frame.extend([192, 0, 2, 9, 192, 0, 2, 1]);
        let length = u16::try_from(datagram.len() + 8).unwrap();
        for number in [68, 67, length, 0] {
            frame.extend(u16::to_be_bytes(number));
        }
        frame.extend(datagram);
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        file.extend([[0; 4], [0; 4], length, length].concat());
        file.extend(frame);
    }
    file
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_made_up_client_is_asked_about_on_a_session_and_without() {
    let running = Running::start().await;
    for more in [&[][..], &["--unary"]] {
        let reply = running.call(&[&["subnet4_select"], more].concat()).await;
        let expected = json!({
            "outcome": "result", "next-step": "unchanged", "changes": { "subnet-id": 2 },
        });
        assert_eq!(reply, expected);
    }
    let reply = running.call(&["subnet4_select", "--status", "DROP"]).await;
    assert_eq!(
        reply["changes"],
        Value::Null,
        "user-chk leaves dropped packets alone"
    );
}

#[tokio::test]
async fn a_described_client_is_the_one_that_is_asked_about() {
    let running = Running::start().await;
    let registered = r#"{ "message-type": 3, "hw-address": "02:00:00:00:0c:02" }"#;
    running.write("packet.json", registered);
    let reply = running
        .call(&["pkt4_send", "--packet", "packet.json"])
        .await;
    let expected = json!({
        "file": "/gold",
        "options": [ { "action": "SET", "option": [67], "data": "/gold" } ],
    });
    assert_eq!(reply["changes"]["response"], expected);

    let registered =
        format!(r#"{{ "message-type": 1, "options": [ {{ "code": 1, "hex": "{DUID}" }} ] }}"#);
    running.write("packet.json", registered);
    let select = ["subnet6_select", "--packet", "packet.json"];
    assert_eq!(running.call(&select).await["changes"], Value::Null);
}

#[tokio::test]
async fn hex_digits_are_a_datagram() {
    let running = Running::start().await;
    let registered = digits(&datagram4(1, 2, &[53, 1, 1]));
    let reply = running
        .call(&["subnet4_select", "--hex", &registered])
        .await;
    assert_eq!(reply["changes"], Value::Null);
    let solicit = format!("01 000001 0001 000a {DUID}");
    running.write("solicit.hex", &solicit);
    let reply = running
        .call(&["subnet6_select", "--packet", "solicit.hex"])
        .await;
    assert_eq!(reply["changes"], Value::Null);
    let reply = running.call(&["subnet6_select", "--hex", "01000001"]).await;
    assert_eq!(reply["changes"]["subnet-id"], 2);
    let context = running.call(&["pkt6_receive", "--hex", "01000001"]).await["context"].clone();
    assert!(context.as_str().unwrap().starts_with("0x"), "{context}");
}

#[tokio::test]
async fn a_capture_gives_the_query_and_its_own_answer() {
    let running = Running::start().await;
    let packets = [
        datagram4(1, 1, &[53, 1, 1]),
        datagram4(2, 1, &[53, 1, 2]),
        datagram4(1, 2, &[53, 1, 3]),
        // user-chk leaves a NAK alone, so that an ACK would show.
        datagram4(2, 2, &[53, 1, 6]),
    ];
    running.write("dhcp.pcap", capture(&packets));
    let select = ["subnet4_select", "--packet", "dhcp.pcap"];
    assert_eq!(running.call(&select).await["changes"]["subnet-id"], 2);
    let send = ["pkt4_send", "--packet", "dhcp.pcap", "--number", "2"];
    assert_eq!(running.call(&send).await["changes"], Value::Null);
    let acknowledged = datagram4(2, 2, &[53, 1, 5]);
    running.write("ack.hex", digits(&acknowledged));
    let reply = running
        .call(&[&send[..], &["--response", "ack.hex"]].concat())
        .await;
    assert_eq!(reply["changes"]["response"]["file"], "/gold");

    let third = ["subnet4_select", "--packet", "dhcp.pcap", "--number", "3"];
    let (code, text) = running.fail(&third).await;
    assert_eq!(code, 64);
    assert!(
        text.contains("it has 2 packets of clients; number 3 was asked for"),
        "{text}"
    );
}

#[tokio::test]
async fn a_failure_is_an_exit_code_of_its_own() {
    let running = Running::start().await;
    // user-chk has no callout there.
    let arguments = [&["lease4_select"], &RESTRICTED[..]].concat();
    for more in [&[][..], &["--unary"]] {
        let (code, text) = running.fail(&[&arguments[..], more].concat()).await;
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("\"outcome\": \"failure\""), "{text}");
        assert!(
            text.contains("does not subscribe to lease4_select"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_asked_says_why() {
    let running = Running::start().await;
    running.write("odd.hex", "012");
    running.write("new.pcap", [0x0a, 0x0d, 0x0d, 0x0a]);
    running.write("wrong.json", "{ \"message\": 1 }");
    let cases: [(&[&str], i32, &str); 7] = [
        (
            &["subnet4_select"],
            78,
            "it refuses: parameters: restricted-subnet-id is missing",
        ),
        (&["subnet5_select"], 64, "there is no hook point"),
        (&["subnet4_select", "--packet", "none"], 64, "No such file"),
        (
            &["subnet4_select", "--packet", "odd.hex"],
            64,
            "odd number of digits",
        ),
        (&["subnet4_select", "--packet", "new.pcap"], 64, "editcap"),
        (
            &["subnet4_select", "--packet", "wrong.json"],
            64,
            "unknown field `message`",
        ),
        (
            &["subnet4_select", "--hex", "0101"],
            64,
            "no DHCPv4 packet: 2 bytes",
        ),
    ];
    for (arguments, expected, part) in cases {
        let (code, text) = running.fail(arguments).await;
        assert_eq!(code, expected, "{text}");
        assert!(text.contains(part), "{text}");
    }
    fs::remove_file(running.folder.path().join("s")).unwrap();
    let (code, text) = running.fail(&["subnet4_select"]).await;
    assert_eq!(code, 74, "{text}");
    assert!(text.contains("nobody answers there"), "{text}");
}

/// Holds packets, and answers one command.
struct Slow;

impl Callouts for Slow {
    async fn subnet6_select(&self, call: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
        call.park()?;
        tokio::task::yield_now().await;
        call.select_no_subnet();
        Ok(())
    }

    async fn command(&self, call: &mut Call<'_, ControlCommand>) -> Result<(), HookError> {
        let arguments = call.command()?.arguments;
        call.answer_command(&json!({ "result": 3, "arguments": arguments }))
    }
}

#[tokio::test]
async fn held_packets_and_commands_are_called_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix:{}", folder.path().join("s").display());
    let subscriptions = Subscriptions::new().point(HookPoint::Subnet6Select, &[], &["subnet"]);
    let service = Fixed::new("slow", "1", Slow, subscriptions).commands(["probe"]);
    let bound = Server::new(service)
        .bind(&endpoint.parse().unwrap())
        .await
        .unwrap();
    let serving = tokio::spawn(bound.run(std::future::pending()));
    let running = Running {
        folder,
        serving: tokio::spawn(async move { serving.await.unwrap().unwrap() }),
    };
    let reply = running.call(&["subnet6_select"]).await;
    assert_eq!(reply["changes"], json!({ "subnet-id": 0 }));
    let (code, text) = running.fail(&["subnet6_select", "--unary"]).await;
    assert_eq!(code, 1);
    assert!(text.contains("only a call of a session can park"), "{text}");

    let command = r#"{"command":"probe","arguments":{"a":1}}"#;
    let reply = running.call(&["$command", "--command", command]).await;
    let answer = reply["changes"]["command-response"].as_str().unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer, json!({ "result": 3, "arguments": { "a": 1 } }));
    let (code, text) = running.fail(&["$command"]).await;
    assert_eq!(code, 1);
    assert!(text.contains("does not offer the command"), "{text}");
}

//! Leases and the process: in order, twice at a time, and on a full disk.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use outrigger_lab::{Family, Host, Launch, PATIENCE, Subject, Twin, poll};
use serde_json::json;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
/// How long a server must keep silent to be called silent.
const SILENCE: Duration = Duration::from_secs(1);

#[test]
fn leases_are_there_again_after_the_server_was_stopped_and_started() {
    for family in FAMILIES {
        let twin = Twin::new(family);
        let host = twin.lab().server();
        let server = Subject::start(host, &twin.config(json!({})));
        let leases = [1, 2, 3].map(|n| twin.lease(&mut twin.client(n), PATIENCE).unwrap());
        assert_eq!(server.counters().leases(), 3);
        assert_eq!(server.stop().code(), Some(0));

        let server = Subject::restart(host, &server);
        assert_eq!(server.counters().leases(), 3);
        let other = twin.lease(&mut twin.client(4), PATIENCE).unwrap();
        assert!(!leases.contains(&other), "{other:?} of {leases:?}");
        let again = [1, 2, 3].map(|n| twin.lease(&mut twin.client(n), PATIENCE).unwrap());
        assert_eq!(again, leases);
    }
}

#[test]
fn a_second_server_on_the_same_leases_is_refused() {
    for family in FAMILIES {
        let twin = Twin::new(family);
        let host = twin.lab().server();
        let server = Subject::start(host, &twin.config(json!({})));
        let second = Launch::new("dhcp-server").run(host, &server.config);
        assert_eq!(second.status.code(), Some(74), "{}", second.text);
        assert!(second.text.contains(".csv.journal"), "{}", second.text);
        assert!(
            second.text.contains("in use by another process"),
            "{}",
            second.text
        );
        assert!(twin.lease(&mut twin.client(1), PATIENCE).is_some());
    }
}

#[test]
fn a_full_disk_stops_leases_and_nothing_else_until_there_is_space() {
    for family in FAMILIES {
        let twin = Twin::new(family);
        let host = twin.lab().server();
        let small = twin.lab().dir().join("small");
        std::fs::create_dir(&small).unwrap();
        run(
            host,
            "mount",
            &["-t", "tmpfs", "-o", "size=1m", "tmpfs"],
            &small,
        );
        let database = json!({ "type": "memfile", "name": small.join("leases.csv") });
        let config = twin.config(json!({ "lease-database": database }));
        let server = Subject::start(host, &config);
        let before = twin.lease(&mut twin.client(1), PATIENCE).unwrap();

        let filler = small.join("filler");
        let mut fill = Command::new("dd");
        fill.arg("if=/dev/zero")
            .arg(format!("of={}", filler.display()));
        let filled = host.run(fill);
        assert!(filled.text.contains("No space left"), "{}", filled.text);
        // The last page of the journal may have room for a few more.
        let silent = poll(PATIENCE, || {
            let next = (10..250).find(|n| twin.lease(&mut twin.client(*n), SILENCE).is_none());
            next.map(drop)
        });
        assert!(silent.is_some(), "the disk is full, and leases are granted");
        assert!(twin.ask_for_no_lease(&mut twin.client(251), PATIENCE));
        assert!(server.process.is_running());

        run(host, "rm", &[], &filler);
        let resumed = poll(PATIENCE, || twin.lease(&mut twin.client(252), SILENCE));
        assert!(resumed.is_some(), "{}", server.process.text());
        assert_eq!(twin.lease(&mut twin.client(1), PATIENCE), Some(before));
    }
}

/// Runs a program of the system on a path.
#[track_caller]
fn run(host: &Host, program: &str, arguments: &[&str], path: &Path) {
    let mut command = Command::new(program);
    command.args(arguments).arg(path);
    let finished = host.run(command);
    assert!(finished.status.success(), "{program}: {}", finished.text);
}

//! SIGHUP under load: nothing is lost, whatever the new configuration is worth.

use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use outrigger_lab::{Family, LoadReport, PATIENCE, Server, Subject, TestService, Twin};
use serde_json::json;

use crate::failure_stage::{LOAD_CLIENTS, alone, config, start_load};

/// Seconds that leases are valid, and in the other configuration.
const USUAL: u32 = 3600;
const LONGER: u32 = 7200;
/// Reloads while one load lasts.
const RELOADS: usize = 4;

/// A server with a service without which no packet is answered.
fn stage(family: Family) -> (Twin, TestService, String) {
    let twin = Twin::new(family);
    let address = TestService::new(twin.lab().server(), "test-service.sock");
    let further = json!({ "on-failure": "drop", "deadline": 3000 });
    let text = config(&twin, &address, further);
    (twin, address, text)
}

/// The same configuration with longer leases.
fn longer(text: &str) -> String {
    let other = text.replace(
        &format!("\"valid-lifetime\":{USUAL}"),
        &format!("\"valid-lifetime\":{LONGER}"),
    );
    assert_ne!(other, text);
    other
}

#[track_caller]
fn assert_nothing_lost(load: &LoadReport, server: &Server) {
    let lost = ["lost", "retransmits", "naks", "server_errors"].map(|name| load.count(name));
    assert_eq!(lost, [0; 4], "{} {:?}", load.text(), server.counters());
}

/// Has the server read its configuration again, and waits until it says this.
#[track_caller]
fn reload(server: &Server, outcome: &str) {
    let before = server.process.count_lines(outcome);
    server.process.signal(Signal::SIGHUP);
    server
        .process
        .wait_for_nth_line(outcome, before + 1, PATIENCE);
}

#[track_caller]
fn reloads_lose_nothing(family: Family) {
    let _alone = alone();
    let (twin, address, text) = stage(family);
    let service = address.start(&[]);
    let server = Subject::start(twin.lab().server(), &text);
    assert_nothing_lost(&start_load(&twin, 0).finish(), &server);
    let first = twin.lease(&mut twin.client(1), PATIENCE).unwrap();
    assert_eq!(first.valid, Some(USUAL));

    let loading = start_load(&twin, LOAD_CLIENTS);
    for round in 0..RELOADS {
        let text = if round % 2 == 0 {
            longer(&text)
        } else {
            text.clone()
        };
        sleep(Duration::from_millis(150));
        server.rewrite(&text);
        reload(&server, "CONFIG_RELOADED");
    }
    assert_nothing_lost(&loading.finish(), &server);

    server.rewrite(&longer(&text));
    reload(&server, "CONFIG_RELOADED");
    let second = twin.lease(&mut twin.client(2), PATIENCE).unwrap();
    assert_eq!(second.valid, Some(LONGER));
    assert!(second.marked);
    let log = service.text();
    let revisions: Vec<&str> = log
        .lines()
        .filter_map(|line| line.strip_prefix("LOADED revision="))
        .collect();
    assert_ne!(revisions.first(), revisions.last());
    assert_eq!(server.counters().failed_calls(), 0);
}

#[test]
fn reloads_under_load_lose_no_dhcpv4_packet_and_count_at_once() {
    reloads_lose_nothing(Family::V4);
}

#[test]
fn reloads_under_load_lose_no_dhcpv6_packet_and_count_at_once() {
    reloads_lose_nothing(Family::V6);
}

#[track_caller]
fn broken_configuration_changes_nothing(family: Family) {
    let _alone = alone();
    let (twin, address, text) = stage(family);
    let _service = address.start(&[]);
    let server = Subject::start(twin.lab().server(), &text);
    let loading = start_load(&twin, 0);
    sleep(Duration::from_millis(300));

    let outside = longer(&text)
        .replace("198.51.245.0", "203.0.113.9")
        .replace("2001:db8:2::1:7530", "2001:db8:3::1");
    server.rewrite(&outside);
    reload(&server, "CONFIG_REFUSED");
    let position = format!("{}:1.", server.config.display());
    assert!(
        server.process.count_lines(&position) > 0,
        "{}",
        server.process.text()
    );

    std::fs::write(&server.config, "{ \"Dhcp").unwrap();
    reload(&server, "CONFIG_REFUSED");
    std::fs::remove_file(&server.config).unwrap();
    reload(&server, "CONFIG_REFUSED");

    assert_nothing_lost(&loading.finish(), &server);
    let answer = twin.lease(&mut twin.client(1), PATIENCE).unwrap();
    assert_eq!(answer.valid, Some(USUAL));
    assert!(answer.marked);
}

#[test]
fn a_broken_configuration_leaves_the_old_dhcpv4_one_at_work_and_says_where_it_is_broken() {
    broken_configuration_changes_nothing(Family::V4);
}

#[test]
fn a_broken_configuration_leaves_the_old_dhcpv6_one_at_work_and_says_where_it_is_broken() {
    broken_configuration_changes_nothing(Family::V6);
}

//! More new clients than can be served do not keep known clients from their leases.

use std::thread::sleep;
use std::time::Duration;

use outrigger_lab::{Family, LoadReport, Subject, Twin};
use serde_json::json;

use crate::failure_stage::alone;

/// New clients per second: far more than are served.
const FLOOD: &str = "20000";
/// Clients that hold a lease and renew it.
const KNOWN: &str = "200";

fn renewals(twin: &Twin) -> LoadReport {
    twin.load(true)
        .with("--clients", KNOWN)
        .with("--in-flight", "8")
        .with("--seconds", "2")
        .with("--retransmit-ms", "250")
        .with("--tries", "12")
        .run()
}

#[track_caller]
fn renewals_go_on(family: Family) {
    let _alone = alone();
    let twin = Twin::new(family);
    let server = Subject::start(twin.lab().server(), &twin.config(json!({})));
    let control = renewals(&twin);
    let flood = twin
        .second_load()
        .with("--first-client", "100000")
        .with("--clients", "1000000")
        .with("--rate", FLOOD)
        .with("--in-flight", "65536")
        .with("--tries", "1")
        .with("--seconds", "4")
        .also("--keep-going")
        .start();
    sleep(Duration::from_millis(500));
    let flooded = renewals(&twin);
    let flood = flood.finish();
    assert!(flood.count("lost") > 0, "no overload: {}", flood.text());

    let lost = ["lost", "naks", "server_errors"].map(|name| flooded.count(name));
    assert_eq!(lost, [0; 3], "{}", flooded.text());
    let (served, usual) = (flooded.count("completed"), control.count("completed"));
    assert!(
        served * 10 >= usual,
        "{served} renewals, {usual} without the flood"
    );
    assert!(server.process.is_running());
}

#[test]
fn renewals_go_on_under_a_flood_of_discovers() {
    renewals_go_on(Family::V4);
}

#[test]
fn renewals_go_on_under_a_flood_of_solicits() {
    renewals_go_on(Family::V6);
}

//! Services that are restarted one after the other, as in a deployment, cost no call.

use std::thread::sleep;
use std::time::Duration;

use outrigger_lab::{Family, Language, PATIENCE, Subject, TestService, Twin};
use serde_json::json;

use crate::failure_stage::{LOAD_CLIENTS, alone, config, in_every_language};

/// Restarts while the load lasts.
const RESTARTS: usize = 4;
/// How long the load goes on. A restart takes as long as the service's language needs to start.
const LOAD_SECONDS: &str = "6";
const READY: &str = "hook service is ready";

/// Without an answer of a service no packet is answered, so each call counts.
#[track_caller]
fn restarts_in_turn_cost_no_call(language: Language, family: Family) {
    let _alone = alone();
    let twin = Twin::new(family);
    let host = twin.lab().server();
    let addresses = ["one.sock", "two.sock"].map(|name| TestService::of(language, host, name));
    let mut services = addresses.each_ref().map(|address| address.start(&[]));
    let further = json!({
        "endpoints": addresses.each_ref().map(TestService::endpoint),
        "on-failure": "drop",
        "deadline": 3000,
    });
    let server = Subject::start(host, &config(&twin, &addresses[0], further));
    // Each shard, and the task that looks after expired leases, has a session with both.
    let sessions = std::thread::available_parallelism().unwrap().get() + 1;
    let mut ready = 2 * sessions;
    server.process.wait_for_nth_line(READY, ready, PATIENCE);

    let loading = twin
        .load(false)
        .with("--clients", LOAD_CLIENTS.to_string())
        .with("--in-flight", "8")
        .with("--seconds", LOAD_SECONDS)
        .start();
    for restart in 0..RESTARTS {
        let one = restart % services.len();
        sleep(Duration::from_millis(200));
        assert!(services[one].terminate(PATIENCE).success());
        services[one] = addresses[one].start(&[]);
        ready += sessions;
        server.process.wait_for_nth_line(READY, ready, PATIENCE);
    }
    let load = loading.finish();
    let lost = ["lost", "retransmits", "naks", "server_errors"].map(|name| load.count(name));
    let counters = server.counters();
    assert_eq!(lost, [0; 4], "{} {counters:?}", load.text());
    assert_eq!(counters.failed_calls(), 0, "{counters:?}");
    assert!(load.count("completed") > 0, "{}", load.text());
}

in_every_language! {
    services_restarted_in_turn_cost_no_call => restarts_in_turn_cost_no_call;
}

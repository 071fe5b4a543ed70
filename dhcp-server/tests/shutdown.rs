//! The end of the server, and of leases without a packet.

use crate::common::{Page4, Page6, RELAY4, SERVER4, Whole, at4};
use outrigger_server::instance::{Snapshot, keep_up};
use outrigger_server::telemetry::DiscardReason;
use outrigger_server::upkeep::{self, Pass};
use outrigger_store::LeaseState;
use outrigger_testkit::{Client4, Client6, Ia};
use outrigger_wire::V4;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::LocalSet;

const NET: &str = r#""valid-lifetime": 100, "subnet4": [ { "id": 1, "subnet": "192.0.0.0/16", "interface": "eth0",
    "pools": [ { "pool": "192.0.8.0/21" } ] } ]"#;

fn client(number: u16) -> Client4 {
    let [high, low] = number.to_be_bytes();
    Client4::new([2, 0, 0, 0, high, low])
}

#[test]
fn stop_answers_what_has_arrived() {
    let server = Whole::<V4>::start(NET, ());
    for number in 0..500 {
        server.inject(&client(number).discover(), at4(SERVER4, RELAY4, 68));
    }
    let (answers, discards) = server.stop(Duration::from_secs(10));
    assert_eq!(discards, []);
    assert_eq!(answers.len(), 500);
}

#[test]
fn packet_for_which_there_is_no_time_is_counted() {
    let server = Whole::<V4>::start(NET, ());
    for number in 0..500 {
        server.inject(&client(number).discover(), at4(SERVER4, RELAY4, 68));
    }
    let (answers, discards) = server.stop(Duration::ZERO);
    let stopped: u64 = discards.iter().map(|(_, count)| count).sum();
    let mut reasons = discards.iter().map(|(reason, _)| *reason);
    assert!(
        reasons.all(|reason| reason == DiscardReason::Stopping),
        "{discards:?}"
    );
    assert_eq!(answers.len() as u64 + stopped, 500);
}

/// A page with `count` leases that have ended, and these members of `expired-leases-processing`.
fn expired(count: u16, processing: &str) -> Page4 {
    let page = Page4::new(&format!(
        r#"{NET}, "expired-leases-processing": {{ {processing} }}"#
    ));
    for number in 0..count {
        page.lease_to(&mut client(number));
    }
    page.advance(101);
    page
}

#[test]
fn pass_takes_no_more_leases_than_it_may() {
    let page = expired(10, r#""max-reclaim-leases": 4, "hold-reclaimed-time": 0"#);
    let passes: Vec<_> = (0..4).map(|_| page.reclaim()).collect();
    let pass = |reclaimed, incomplete| Pass {
        reclaimed,
        kept: 0,
        incomplete,
    };
    assert_eq!(
        passes,
        [pass(4, true), pass(4, true), pass(2, false), pass(0, false)]
    );
    assert_eq!(page.leases(), 0);
}

#[test]
fn pass_without_a_limit_takes_all_and_leaves_what_runs() {
    let page = expired(
        10,
        r#""max-reclaim-leases": 0, "max-reclaim-time": 0, "hold-reclaimed-time": 0"#,
    );
    let running = page.lease_to(&mut client(77)).yiaddr;
    assert_eq!(page.reclaim().reclaimed, 10);
    assert_eq!((page.leases(), page.lease(running).is_some()), (1, true));
}

#[test]
fn reclaimed_lease_is_kept_for_its_client_and_flushed_after_the_hold_time() {
    let page = expired(3, r#""hold-reclaimed-time": 50"#);
    assert_eq!(page.reclaim().reclaimed, 3);
    assert_eq!(page.leases(), 3);
    let address = page.lease_to(&mut client(1)).yiaddr;
    assert_eq!(
        page.lease(address).unwrap().state,
        LeaseState::Default,
        "its own again"
    );
    let flush = |now: u64| upkeep::flush(&page.cfg, &page.common.alloc, now).unwrap();
    assert_eq!(flush(page.common.clock.now()), 0);
    page.advance(60);
    assert_eq!(flush(page.common.clock.now()), 2);
    assert_eq!(page.leases(), 1);
}

#[test]
fn prefixes_are_reclaimed_as_addresses_are() {
    let page = Page6::new(
        r#""valid-lifetime": 100, "preferred-lifetime": 50, "expired-leases-processing": { "hold-reclaimed-time": 0 },
           "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "pools": [ { "pool": "2001:db8:1::7/128" } ],
               "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 64, "delegated-len": 64 } ] } ]"#,
    );
    let mut client = Client6::new(
        Client6::duid_ll([2, 0, 0, 0, 0, 1]),
        vec![Ia::na(1), Ia::pd(1)],
    );
    page.lease_to(&mut client);
    assert_eq!(page.reclaim().reclaimed, 0);
    page.advance(101);
    assert_eq!(page.reclaim().reclaimed, 2);
    assert_eq!(page.leases(), 0);
}

/// The timers are the machine's, so this one waits for a second.
#[test]
fn timers_reclaim_and_flush_and_a_new_configuration_sets_them_anew() {
    let slow = r#""reclaim-timer-wait-time": 3600, "flush-reclaimed-timer-wait-time": 3600"#;
    let mut page = expired(5, slow);
    let snapshot = |page: &Page4| {
        Arc::new(Snapshot {
            cfg: Arc::clone(&page.cfg),
            hooks: crate::common::hooks(&page.cfg).shard(page.runtime.handle()),
        })
    };
    let (current, snapshots) = watch::channel(snapshot(&page));
    page.reload(&format!(
        r#"{NET}, "expired-leases-processing": {{ "reclaim-timer-wait-time": 1, "hold-reclaimed-time": 0,
           "flush-reclaimed-timer-wait-time": 1 }}"#
    ));
    current.send_replace(snapshot(&page));
    let local = LocalSet::new();
    local.spawn_local(keep_up(Arc::clone(&page.common), snapshots));
    let all_gone = async {
        while page.leases() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = async { tokio::time::timeout(Duration::from_secs(20), all_gone).await };
    page.runtime
        .block_on(local.run_until(in_time))
        .expect("the timer fires");
}

//! In the steady state a packet costs no allocation: neither on the thread that serves it nor on the one that keeps the
//! journal, nor on any other of this process.

#![expect(clippy::unwrap_used, reason = "these are tests, their helpers too")]

#[expect(
    dead_code,
    unused_imports,
    reason = "the other test program uses the rest"
)]
mod common;

use common::{Page, Page4, Page6, RELAY4};
use outrigger_server::served::Served;
use outrigger_store::{OsFiles, Store, StoreOptions};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Client6, Ia, Relay4, Relay6};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, Link};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CLIENTS: u8 = 50;

/// Rounds that are counted: a thousand packets.
const ROUNDS: usize = 20;

/// Seconds, and rounds, after which offers end as fast as they are made.
const OFFERS_WARM: usize = 150;

/// Rounds after which what only grows has its size.
const LEASES_WARM: usize = 10;

const NET4: &str = r#"
    "valid-lifetime": 100000, "option-data": [ { "name": "routers", "data": "192.0.2.1" },
        { "name": "domain-name-servers", "data": "192.0.2.53, 192.0.2.54" } ],
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.100-192.0.2.199" } ] } ]"#;

const NET6: &str = r#"
    "valid-lifetime": 100000, "preferred-lifetime": 50000,
    "option-data": [ { "name": "dns-servers", "data": "2001:db8::53" } ],
    "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::/120" } ],
                   "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 52, "delegated-len": 60 } ] } ]"#;

fn journal<F: Served>() -> (TempDir, Store<F>) {
    let directory = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
    let (store, _) =
        Store::open(directory.path(), StoreOptions::default(), Arc::new(OsFiles)).unwrap();
    (directory, store)
}

fn client4(number: u8) -> Client4 {
    let mut client = Client4::new([2, 0, 0, 0, 0, number]);
    client.client_id = Some(vec![1, 2, 0, 0, 0, 0, number]);
    client.relay = Some(Relay4 {
        giaddr: RELAY4,
        relay_info: vec![(1, b"port-7".to_vec())],
    });
    client
}

fn client6(number: u8) -> Client6 {
    let duid = Client6::duid_ll([2, 0, 0, 0, 0, number]);
    let mut client = Client6::new(duid, vec![Ia::na(1), Ia::pd(1)]);
    let relay = Relay6::new("2001:db8:1::1".parse().unwrap(), "fe80::7".parse().unwrap());
    client.relays = vec![relay];
    client
}

/// Allocations of the whole process while each of `packets` is served [`ROUNDS`] times, after `warm` rounds.
fn allocations<F: Served>(page: &Page<F>, link: &Link, packets: &[Vec<u8>], warm: usize) -> usize {
    let round = || async {
        for packet in packets {
            let datagram = Datagram {
                bytes: Buffer::copy_of(packet),
                link: link.clone(),
            };
            let served = F::serve(&page.page, &page.cfg, &page.hooks, datagram).await;
            assert!(matches!(served, Ok(Some(_))), "{served:?}");
        }
        page.advance(1);
    };
    page.runtime.block_on(async {
        for _ in 0..warm {
            round().await;
        }
        let region = Region::new(ALLOCATOR);
        for _ in 0..ROUNDS {
            round().await;
        }
        let change = region.change();
        change.allocations + change.reallocations
    })
}

/// One test, because it counts what every thread of the process does.
#[test]
fn relayed_discovers_and_renewals_of_known_clients_allocate_nothing() {
    let region = Region::new(ALLOCATOR);
    std::thread::spawn(|| vec![0_u8; 100].len()).join().unwrap();
    assert!(
        region.change().bytes_allocated >= 100,
        "every thread is counted"
    );

    let link4 = common::at4(common::SERVER4, RELAY4, 67);
    let (_directory, store) = journal();
    let page = Page4::with(NET4, store);
    let discovers: Vec<_> = (0..CLIENTS).map(|n| client4(n).discover()).collect();
    assert_eq!(
        allocations(&page, &link4, &discovers, OFFERS_WARM),
        0,
        "DISCOVER of a new client"
    );

    let renewals: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut client = client4(number);
            let ack = page.lease_to(&mut client);
            assert_eq!(ack.message_type, message::ACK);
            client.request_renewing(ack.yiaddr)
        })
        .collect();
    assert_eq!(
        allocations(&page, &link4, &renewals, LEASES_WARM),
        0,
        "REQUEST in RENEWING"
    );
    assert_eq!(
        allocations(&page, &link4, &discovers, LEASES_WARM),
        0,
        "DISCOVER of a known client"
    );

    let link6 = common::at6("2001:db8::1", "2001:db8:1::1");
    let (_directory, store) = journal();
    let page = Page6::with(NET6, store);
    let solicits: Vec<_> = (0..CLIENTS).map(|n| client6(n).solicit()).collect();
    assert_eq!(
        allocations(&page, &link6, &solicits, OFFERS_WARM),
        0,
        "SOLICIT of a new client"
    );
    let renewals: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut client = client6(number);
            let reply = page.lease_to(&mut client);
            client.renew(&reply)
        })
        .collect();
    assert_eq!(
        allocations(&page, &link6, &renewals, LEASES_WARM),
        0,
        "RENEW of an address and a prefix"
    );
}

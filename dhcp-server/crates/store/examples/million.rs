//! Figures for a million leases: memory, index, journal, recovery. Run it in release mode; give a directory on the
//! disk to measure, and another count if wanted:
//! `cargo run --release -p outrigger-store --example million -- DIRECTORY [COUNT]`

use outrigger_store::battery::Sample;
use outrigger_store::{Change, Lease, Leases, OsFiles, Store, StoreOptions};
use outrigger_wire::family::{LeaseOwner, Owner4};
use outrigger_wire::{ClientId, HwAddress, V4, V6};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// A lease as most are: a client identifier made of the hardware address, a host name, no user context.
fn lease(n: u32) -> Lease<V4> {
    let [a, b, c, d] = n.to_be_bytes();
    let owner = Owner4 {
        hw_address: HwAddress::new(1, &[2, 0, a, b, c, d]).expect("6 bytes"),
        client_id: ClientId::new(&[1, 2, 0, a, b, c, d]),
    };
    Lease {
        resource: (0x0a00_0000 + n).into(),
        owner,
        user_context: "".into(),
        valid_lifetime: 3600,
        ..V4::lease(0)
    }
}

/// Numbers below `count` in an order that no cache likes.
fn scattered(count: u32) -> impl Iterator<Item = u32> {
    let count = u64::from(count);
    (0..count).map(move |n| u32::try_from(n * 7_368_787 % count).expect("below count"))
}

fn measure(what: &str, count: u32, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let elapsed = start.elapsed();
    println!(
        "{what:42} {:8.0} ns each, {:6.2} s",
        elapsed.as_secs_f64() * 1e9 / f64::from(count),
        elapsed.as_secs_f64()
    );
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    pages
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok())
        .map_or(0, |pages| pages * 4096)
}

fn index(count: u32) {
    let before = resident();
    let mut leases = Leases::<V4>::default();
    measure("insert", count, || {
        scattered(count).for_each(|n| drop(leases.put(lease(n))))
    });
    println!(
        "{:42} {:8} bytes each",
        "memory",
        (resident() - before) / u64::from(count)
    );
    let mut found = 0;
    measure("look up by address", count, || {
        found += scattered(count)
            .filter(|n| leases.get(&(0x0a00_0000 + n).into()).is_some())
            .count();
    });
    measure("look up by client identifier", count, || {
        found += scattered(count)
            .filter(|n| leases.by_owner(&lease(*n).owner.keys()[0]).next().is_some())
            .count();
    });
    assert_eq!(found, 2 * count as usize);
    let renewed = lease(1);
    measure("renew", count, || {
        for (n, now) in scattered(count).zip(2000..) {
            leases.assign(&Lease {
                resource: (0x0a00_0000 + n).into(),
                cltt: now,
                owner: lease(n).owner,
                ..renewed.clone()
            });
        }
    });
    measure("take 10000 expired", 10_000, || {
        assert_eq!(leases.expired(u64::MAX - 1, 10_000).count(), 10_000)
    });
}

fn open(directory: &Path) -> Store<V4> {
    let (store, report) = Store::open(directory, StoreOptions::default(), Arc::new(OsFiles))
        .expect("the directory is usable");
    println!("  {report:?}");
    store
}

fn journal(directory: &Path, count: u32) {
    let store = open(directory);
    measure("append and wait for all", count, || {
        for n in scattered(count) {
            while store.lock().apply(&[Change::Put(lease(n))]).is_err() {
                std::thread::yield_now();
            }
        }
        let last = store.lock().apply(&[]).expect("the journal works");
        store.wait(last).expect("the journal works");
    });
    drop(store);
    let mut store = None;
    measure("recover from the journal", count, || {
        store = Some(open(directory))
    });
    let store = store.expect("just opened");
    measure("take a snapshot", count, || {
        store.snapshot().expect("there is space")
    });
    drop(store);
    measure("recover from the snapshot", count, || drop(open(directory)));
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), count) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return eprintln!("usage: million DIRECTORY [COUNT]");
    };
    let count = count
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_000_000);
    println!(
        "size of a lease: v4 {}, v6 {} bytes",
        size_of::<Lease<V4>>(),
        size_of::<Lease<V6>>()
    );
    index(count);
    journal(&directory.join("million-leases"), count);
}

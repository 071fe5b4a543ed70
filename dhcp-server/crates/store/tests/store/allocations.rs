//! What a running server does over and over allocates nothing.

use crate::common::{Forgetful, directory, open_in, options};
use allocation_counter::{measure, opt_out};
use outrigger_store::battery::Sample;
use outrigger_store::{Change, Lease, Leases, StoreOptions};
use outrigger_wire::{V4, V6};
use std::pin::pin;
use std::task::{Context, Waker};

fn renewals_in_the_index<F: Sample>() -> u64 {
    let mut leases = Leases::<F>::default();
    for n in 0..3000 {
        leases.put(F::lease(n));
    }
    let renewed: Vec<Lease<F>> = (0..3000_u64)
        .map(|n| Lease {
            cltt: 5000 + n * 37 % 900,
            ..F::lease(u32::try_from(n).unwrap())
        })
        .collect();
    let assigned = measure(|| renewed.iter().for_each(|lease| leases.assign(lease)));
    let put = measure(|| {
        renewed
            .into_iter()
            .for_each(|lease| drop(leases.put(lease)))
    });
    assigned.count_total + put.count_total
}

#[test]
fn extending_a_lease_allocates_nothing() {
    assert_eq!(renewals_in_the_index::<V4>(), 0);
    assert_eq!(renewals_in_the_index::<V6>(), 0);
}

#[test]
fn asking_for_expired_leases_allocates_nothing_when_there_are_none() {
    let mut leases = Leases::<V4>::default();
    for n in 0..100 {
        leases.put(V4::lease(n));
    }
    assert_eq!(
        measure(|| assert_eq!(leases.expired(1, 10).count(), 0)).count_total,
        0
    );
}

#[test]
fn renewing_on_a_disk_allocates_nothing_for_the_packet() {
    let directory = directory();
    let (store, _) = open_in::<V4>(directory.path()).unwrap();
    let changes: Vec<[Change<V4>; 1]> = (0..50).map(|n| [Change::Put(V4::lease(n))]).collect();
    let renew = || {
        for change in &changes {
            let ticket = store.lock().apply(change).unwrap();
            let _on_its_way =
                pin!(store.durable(ticket)).poll(&mut Context::from_waker(Waker::noop()));
        }
        store.wait(store.lock().apply(&[]).unwrap()).unwrap();
    };
    // Buffers grow to what a batch takes; a batch may take everything.
    (0..20).for_each(|_| renew());
    let counts: Vec<u64> = (0..10).map(|_| measure(renew).count_total).collect();
    assert!(counts.contains(&0), "{counts:?}");
}

/// Batches are exactly what the test says, so that every buffer has its final size after the first rounds.
#[test]
fn many_waiting_tasks_allocate_nothing_in_the_long_run() {
    const TASKS: usize = 64;
    let disk = Forgetful::new();
    let (store, _) = disk
        .open_with::<V4>(StoreOptions {
            segment_bytes: u64::MAX,
            ..options()
        })
        .unwrap();
    let changes: Vec<[Change<V4>; 1]> = (0..TASKS)
        .map(|n| [Change::Put(V4::lease(u32::try_from(n).unwrap()))])
        .collect();
    let round = || {
        opt_out(|| disk.files.hold_syncs());
        let first = store.lock().apply(&changes[0]).unwrap();
        opt_out(|| disk.files.wait_for_held_sync());
        let mut waiting = [const { None }; TASKS];
        for (place, change) in waiting.iter_mut().zip(&changes) {
            let ticket = store.lock().apply(change).unwrap();
            // The box is the task's, not the store's.
            opt_out(|| *place = Some(Box::pin(store.durable(ticket))));
            let task = place.as_mut().unwrap();
            assert!(
                task.as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
        }
        opt_out(|| disk.files.release_syncs());
        store.wait(first).unwrap();
        let last = store.lock().apply(&[]).unwrap();
        store.wait(last).unwrap();
    };
    (0..4).for_each(|_| round());
    assert_eq!(measure(round).count_total, 0);
}

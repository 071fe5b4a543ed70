//! Full and failing disks, slow ones, and the end of a store.

use crate::common::{Forgetful, apply, block_on, directory, open_in, options, put};
use outrigger_store::battery::{Sample, contents};
use outrigger_store::testing::Survivors;
use outrigger_store::{Change, Store, StoreError, StoreOptions, Ticket};
use outrigger_wire::V4;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn append(store: &Store<V4>, n: u32) -> Result<Ticket, StoreError> {
    store.lock().apply(&[put(n, 7)])
}

fn quick() -> StoreOptions {
    StoreOptions {
        space_retry: Duration::from_millis(1),
        ..options()
    }
}

/// Whether a future is ready at once.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn a_change_is_not_durable_before_its_sync_finished() {
    let disk = Forgetful::new();
    let (store, _) = disk.open::<V4>().unwrap();
    disk.files.hold_syncs();
    let ticket = append(&store, 1).unwrap();
    disk.files.wait_for_held_sync();
    assert!(poll_once(store.durable(ticket)).is_none());
    assert!(
        store.lock().get(&V4::lease(1).resource).is_some(),
        "the index does not wait"
    );
    disk.files.release_syncs();
    assert!(block_on(store.durable(ticket)).is_ok());
    assert!(poll_once(store.durable(ticket)).is_some());
}

#[test]
fn a_failed_sync_ends_acknowledging_for_good() {
    let disk = Forgetful::new();
    let (store, _) = disk.open::<V4>().unwrap();
    let kept = append(&store, 1).unwrap();
    store.wait(kept).unwrap();
    assert!(poll_once(store.failure()).is_none());
    disk.files.fail_next_sync();
    let lost = append(&store, 2).unwrap();
    assert!(matches!(
        block_on(store.durable(lost)),
        Err(StoreError::Failed { .. })
    ));
    let failure = block_on(store.failure()).to_string();
    assert!(
        failure.contains("flush") && failure.contains(disk.leases.to_str().unwrap()),
        "{failure}"
    );
    assert!(
        matches!(append(&store, 3), Err(StoreError::Failed { .. })),
        "although the next sync would succeed"
    );
    assert!(store.lock().get(&V4::lease(3).resource).is_none());
    assert!(store.wait(kept).is_ok(), "what was durable stays so");
    assert!(matches!(store.snapshot(), Err(StoreError::Failed { .. })));
    assert!(matches!(store.shutdown(), Err(StoreError::Failed { .. })));
    disk.files.crash(Survivors::Nothing).unwrap();
    drop(store);
    let (store, _) = disk.open::<V4>().unwrap();
    assert!(contents(&store).into_keys().eq([V4::lease(1).resource]));
}

#[test]
fn a_task_that_waits_for_the_failure_is_woken() {
    let disk = Forgetful::new();
    let (store, _) = disk.open::<V4>().unwrap();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| block_on(store.failure()));
        disk.files.fail_next_sync();
        let ticket = append(&store, 1).unwrap();
        assert!(store.wait(ticket).is_err());
        assert!(matches!(watcher.join().unwrap(), StoreError::Failed { .. }));
    });
}

#[test]
fn a_full_disk_stops_acknowledging_until_there_is_space() {
    for space in [0, 1, 25, 60] {
        let disk = Forgetful::new();
        let (store, _) = disk.open_with::<V4>(quick()).unwrap();
        apply(&store, &[put(1, 7)]);
        disk.files.set_space(Some(space));
        let ticket = append(&store, 2).unwrap();
        assert!(matches!(
            store.wait(ticket),
            Err(StoreError::NoSpace { .. })
        ));
        let refused = append(&store, 3).unwrap_err();
        assert!(refused.to_string().contains("free space"), "{refused}");
        assert!(poll_once(store.failure()).is_none(), "the process lives");
        assert!(
            store
                .status()
                .is_some_and(|status| !status.acknowledges && status.waiting_changes == 1)
        );
        disk.files.set_space(None);
        let ticket = loop {
            match append(&store, 4) {
                Ok(ticket) => break ticket,
                Err(error) => assert!(matches!(error, StoreError::NoSpace { .. }), "{error}"),
            }
        };
        store.wait(ticket).unwrap();
        let wanted = contents(&store);
        disk.files.crash(Survivors::Nothing).unwrap();
        drop(store);
        let (store, report) = disk.open::<V4>().unwrap();
        assert_eq!(
            (contents(&store), report.truncated),
            (wanted, None),
            "{space} bytes of space"
        );
        assert!(store.lock().len() == 3);
    }
}

#[test]
fn a_disk_that_is_full_when_a_segment_begins_is_tried_again() {
    let disk = Forgetful::new();
    let (store, _) = disk
        .open_with::<V4>(StoreOptions {
            segment_bytes: 1,
            ..quick()
        })
        .unwrap();
    for n in 0..20 {
        disk.files.set_space(Some(10));
        let ticket = append(&store, n).unwrap();
        assert!(matches!(
            store.wait(ticket),
            Err(StoreError::NoSpace { .. })
        ));
        disk.files.set_space(None);
        while append(&store, n).is_err() {}
        apply(&store, &[]);
    }
    disk.files.crash(Survivors::Nothing).unwrap();
    drop(store);
    assert_eq!(disk.open::<V4>().unwrap().1.leases, 20);
}

#[test]
fn a_segment_grows_on_while_no_other_can_be_opened() {
    for first in 0..3 {
        let disk = Forgetful::new();
        let (store, _) = disk
            .open_with::<V4>(StoreOptions {
                segment_bytes: 300,
                ..quick()
            })
            .unwrap();
        let mut add = (0..).map(|n| apply(&store, &[put(n, 7)]));
        add.nth(first);
        disk.files.fail_next_create();
        add.nth(4 + first);
        if first == 2 {
            store.snapshot().unwrap();
        }
        let wanted = contents(&store);
        disk.files.crash(Survivors::Some(1)).unwrap();
        drop(store);
        assert_eq!(contents(&disk.open::<V4>().unwrap().0), wanted);
    }
}

#[test]
fn a_store_stops_on_a_full_disk_and_says_so() {
    let disk = Forgetful::new();
    let (store, _) = disk.open_with::<V4>(quick()).unwrap();
    disk.files.set_space(Some(5));
    let ticket = append(&store, 1).unwrap();
    assert!(store.wait(ticket).is_err());
    assert!(matches!(store.shutdown(), Err(StoreError::NoSpace { .. })));
    assert!(append(&store, 2).is_err());
    drop(store);
    let report = disk.open::<V4>().unwrap().1;
    assert_eq!(
        (report.leases, report.truncated),
        (0, None),
        "no torn record is left behind"
    );
}

#[test]
fn a_snapshot_that_finds_the_disk_full_changes_nothing() {
    let disk = Forgetful::new();
    let (store, _) = disk.open_with::<V4>(quick()).unwrap();
    apply(&store, &[put(1, 7), put(2, 7)]);
    disk.files.set_space(Some(60));
    assert!(matches!(store.snapshot(), Err(StoreError::NoSpace { .. })));
    disk.files.set_space(None);
    assert!(!std::fs::read_dir(&disk.leases).unwrap().any(|entry| {
        entry
            .unwrap()
            .file_name()
            .to_str()
            .unwrap()
            .starts_with("snapshot")
    }));
    apply(&store, &[put(3, 7)]);
    store.snapshot().unwrap();
}

#[test]
fn changes_are_refused_while_too_much_waits() {
    let disk = Forgetful::new();
    let (store, _) = disk
        .open_with::<V4>(StoreOptions {
            max_waiting: 4000,
            ..options()
        })
        .unwrap();
    disk.files.hold_syncs();
    assert!(!store.is_congested());
    let refused = (0..).find_map(|n| append(&store, n).err().map(|error| (n, error)));
    let (count, error) = refused.unwrap();
    assert!(
        matches!(error, StoreError::Full { waiting } if (4000..4200).contains(&waiting)),
        "{error}"
    );
    assert!(store.is_congested());
    assert_eq!(
        store.lock().len(),
        count as usize,
        "a refused change is not in the index"
    );
    disk.files.release_syncs();
    apply(&store, &[]);
    assert!(!store.is_congested() && append(&store, count).is_ok());
}

#[test]
fn a_thousand_changes_that_wait_for_one_sync_share_the_next() {
    let disk = Forgetful::new();
    let (store, _) = disk.open_with::<V4>(StoreOptions::default()).unwrap();
    disk.files.hold_syncs();
    let first = append(&store, 0).unwrap();
    disk.files.wait_for_held_sync();
    let before = disk.files.syncs();
    let tickets: Vec<Ticket> = (1..=1000).map(|n| append(&store, n).unwrap()).collect();
    disk.files.release_syncs();
    for ticket in tickets.into_iter().chain([first]) {
        block_on(store.durable(ticket)).unwrap();
    }
    assert_eq!(disk.files.syncs() - before, 2);
    let status = store.status().unwrap();
    assert!(status.acknowledges && status.waiting_changes == 0 && status.waiting_bytes == 0);
}

#[test]
fn waiting_may_be_given_up_and_taken_up_again() {
    let disk = Forgetful::new();
    let (store, _) = disk.open::<V4>().unwrap();
    disk.files.hold_syncs();
    let tickets: Vec<Ticket> = (0..50).map(|n| append(&store, n).unwrap()).collect();
    for ticket in &tickets {
        assert!(poll_once(store.durable(*ticket)).is_none());
    }
    disk.files.release_syncs();
    assert!(
        tickets
            .into_iter()
            .all(|ticket| block_on(store.durable(ticket)).is_ok())
    );
}

#[test]
fn a_change_set_too_large_for_a_record_is_refused() {
    let directory = directory();
    let (store, _) = open_in::<V4>(directory.path()).unwrap();
    let mut lease = V4::lease(1);
    lease.user_context = "x".repeat(2 << 20).into();
    assert!(matches!(
        store.lock().apply(&[Change::Put(lease)]),
        Err(StoreError::TooLarge { .. })
    ));
    apply(&store, &[put(2, 7)]);
    drop(store);
    assert_eq!(open_in::<V4>(directory.path()).unwrap().1.leases, 1);
}

#[test]
fn shutdown_keeps_what_nobody_waited_for() {
    let disk = Forgetful::new();
    let (store, _) = disk.open::<V4>().unwrap();
    for n in 0..100 {
        let _nobody_waits = append(&store, n).unwrap();
    }
    store.shutdown().unwrap();
    store.shutdown().unwrap();
    assert!(matches!(append(&store, 100), Err(StoreError::Stopped)));
    disk.files.crash(Survivors::Nothing).unwrap();
    drop(store);
    assert_eq!(disk.open::<V4>().unwrap().1.leases, 100);
}

#[test]
fn many_segments_are_compacted_in_the_background() {
    let disk = Forgetful::new();
    let options = StoreOptions {
        segment_bytes: 500,
        max_segments: 3,
        ..StoreOptions::default()
    };
    let (store, _) = disk.open_with::<V4>(options).unwrap();
    let segments = || {
        let names = std::fs::read_dir(&disk.leases)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_str().unwrap().starts_with("journal"))
            .count()
    };
    let most = (0..2000).map(|n| {
        apply(&store, &[put(n % 10, u64::from(n))]);
        segments()
    });
    assert!(most.max().unwrap() < 100, "older segments go");
    store.shutdown().unwrap();
    disk.files.crash(Survivors::Nothing).unwrap();
    drop(store);
    let report = disk.open::<V4>().unwrap().1;
    assert!(report.leases == 10 && report.snapshot.is_some());
}

#[test]
fn a_working_directory_with_foreign_files_is_not_emptied() {
    let directory = directory();
    let working = directory.path().join("leases");
    std::fs::create_dir(&working).unwrap();
    std::fs::write(working.join("precious"), b"x").unwrap();
    let durable = directory.path().join("durable");
    assert!(outrigger_store::testing::ForgetfulFiles::new(&working, &durable).is_err());
    assert!(working.join("precious").exists());
}

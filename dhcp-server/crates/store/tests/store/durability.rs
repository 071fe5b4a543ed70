//! No acknowledged change is lost, none is half applied, whenever the power goes.

use crate::common::{Forgetful, History, apply, put};
use outrigger_store::battery::{Sample, contents};
use outrigger_store::testing::Survivors;
use outrigger_store::{Change, Store, StoreOptions};
use outrigger_wire::{V4, V6};
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Clone)]
enum Step {
    /// One change set: by lease number, granted then or removed.
    Change(Vec<(u32, Option<u64>)>),
    Acknowledge,
    HoldSyncs,
    Snapshot,
    Crash(Option<u64>),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop::collection::vec((0_u32..12, prop::option::weighted(0.8, 1_u64..1000)), 1..4);
    prop_oneof![
        12 => change.prop_map(Step::Change),
        3 => Just(Step::Acknowledge),
        2 => Just(Step::HoldSyncs),
        1 => Just(Step::Snapshot),
        2 => prop::option::weighted(0.7, any::<u64>()).prop_map(Step::Crash),
        1 => Just(Step::Reopen),
    ]
}

/// A store on a disk that forgets, and what ought to be in it.
struct World<F: Sample> {
    disk: Forgetful,
    store: Option<Store<F>>,
    history: History<F>,
    held: bool,
    /// Something was appended since syncs are held.
    pending: bool,
}

impl<F: Sample> World<F> {
    fn new() -> Self {
        let disk = Forgetful::new();
        let store = Some(disk.open().unwrap().0);
        Self {
            disk,
            store,
            history: History::new(),
            held: false,
            pending: false,
        }
    }

    fn store(&self) -> &Store<F> {
        self.store.as_ref().unwrap()
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Change(changes) => self.change(&changes),
            Step::Acknowledge if !self.held => self.acknowledge(),
            Step::HoldSyncs => {
                self.disk.files.hold_syncs();
                self.held = true;
            }
            Step::Snapshot if !self.held => {
                self.store().snapshot().unwrap();
                self.history.acknowledge();
            }
            Step::Crash(seed) => {
                return self.crash(seed.map_or(Survivors::Nothing, Survivors::Some));
            }
            Step::Reopen if !self.held => {
                self.acknowledge();
                return self.reopen();
            }
            Step::Acknowledge | Step::Snapshot | Step::Reopen => {}
        }
        Ok(())
    }

    fn change(&mut self, changes: &[(u32, Option<u64>)]) {
        let changes: Vec<Change<F>> = changes
            .iter()
            .map(|(n, cltt)| {
                cltt.map_or(Change::Remove(F::lease(*n).resource), |cltt| put(*n, cltt))
            })
            .collect();
        let _later = self.store().lock().apply(&changes).unwrap();
        self.history.apply(&changes);
        self.pending = self.held;
    }

    fn acknowledge(&mut self) {
        apply(self.store(), &[]);
        self.history.acknowledge();
        self.pending = false;
    }

    fn crash(&mut self, survivors: Survivors) -> Result<(), String> {
        if self.held && self.pending {
            self.disk.files.wait_for_held_sync();
        }
        self.disk.files.crash(survivors).unwrap();
        self.held = false;
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), String> {
        self.store = None;
        self.pending = false;
        let (store, _) = self.disk.open().map_err(|error| error.to_string())?;
        self.history.check(&store)?;
        // What was recovered is on stable storage, acknowledged or not.
        self.store = Some(store);
        Ok(())
    }
}

fn survives<F: Sample>(steps: Vec<Step>) -> Result<(), String> {
    let mut world = World::<F>::new();
    steps.into_iter().try_for_each(|step| world.take(step))?;
    world.crash(Survivors::Nothing)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_changes_survive_crashes(steps in prop::collection::vec(step(), 1..60)) {
        prop_assert_eq!(survives::<V4>(steps.clone()), Ok(()));
        prop_assert_eq!(survives::<V6>(steps), Ok(()));
    }
}

#[test]
fn the_check_notices_a_disk_that_ignores_syncs() {
    let mut world = World::<V4>::new();
    world.disk.files.ignore_syncs();
    world.change(&[(1, Some(7))]);
    world.acknowledge();
    let outcome = world.crash(Survivors::Nothing);
    assert!(outcome.is_err_and(|problem| problem.contains("lost")));
}

/// Forty acknowledged changes over several segments, with two snapshots in between. Ends early when the power goes.
fn work<F: Sample>(store: &Store<F>, history: &mut History<F>) {
    for n in 0..40_u32 {
        let changes = [
            put(n % 7, u64::from(n)),
            Change::Remove(F::lease(n % 5 + 2).resource),
        ];
        let Ok(ticket) = store.lock().apply(&changes) else {
            return;
        };
        history.apply(&changes);
        if store.wait(ticket).is_err() {
            return;
        }
        history.acknowledge();
        if n % 15 == 14 && store.snapshot().is_err() {
            return;
        }
    }
}

#[test]
fn the_power_may_go_before_any_operation() {
    let disk = Forgetful::new();
    let (store, _) = disk.open::<V4>().unwrap();
    let before = disk.files.operations();
    work(&store, &mut History::new());
    let operations = disk.files.operations() - before;
    assert!(operations > 100);
    for operation in 0..operations {
        for survivors in [Survivors::Nothing, Survivors::Some(operation)] {
            let mut world = World::<V4>::new();
            world.disk.files.power_goes_after(operation);
            work(world.store.as_ref().unwrap(), &mut world.history);
            assert_eq!(
                world.crash(survivors),
                Ok(()),
                "operation {operation}, {survivors:?}"
            );
        }
    }
}

#[test]
fn the_power_may_go_again_during_recovery() {
    for operation in 0..12 {
        for seed in 0..8 {
            let mut world = World::<V4>::new();
            world.disk.files.power_goes_after(60 + seed * 5);
            work(world.store.as_ref().unwrap(), &mut world.history);
            world.disk.files.crash(Survivors::Some(seed)).unwrap();
            world.store = None;
            world.disk.files.power_goes_after(operation);
            drop(world.disk.open::<V4>());
            assert_eq!(
                world.crash(Survivors::Some(seed + 100)),
                Ok(()),
                "operation {operation}, seed {seed}"
            );
        }
    }
}

const CLIENTS: u32 = 3000;

/// The client that moves to another address as number `n`.
fn mover(n: u32) -> u32 {
    n * 7 % CLIENTS
}

/// Moves clients one after the other until all have moved or the power is gone; how many moves were acknowledged.
fn move_clients(store: &Store<V4>) -> u32 {
    let mut acknowledged = 0;
    for n in 0..CLIENTS {
        let changes = [
            Change::Remove(V4::lease(mover(n)).resource),
            put(CLIENTS + mover(n), u64::from(n)),
        ];
        let Ok(ticket) = store.lock().apply(&changes) else {
            break;
        };
        if n % 16 == 0 {
            if store.wait(ticket).is_err() {
                break;
            }
            acknowledged = n + 1;
        }
    }
    acknowledged
}

#[test]
fn snapshots_taken_while_leases_change_hold_no_half_of_a_change_set() {
    let options = StoreOptions {
        segment_bytes: 20_000,
        max_segments: 2,
        ..StoreOptions::default()
    };
    let all: Vec<Change<V4>> = (0..CLIENTS).map(|n| put(n, 1)).collect();
    let mut snapshots = 0;
    for operations in [20, 60, 100, 150, 200, 300, 400, 10_000] {
        let disk = Forgetful::new();
        let (store, _) = disk.open_with::<V4>(options.clone()).unwrap();
        apply(&store, &all);
        disk.files.power_goes_after(operations);
        let moving = AtomicBool::new(true);
        let acknowledged = std::thread::scope(|scope| {
            scope.spawn(|| {
                let snapshots = std::iter::from_fn(|| store.snapshot().ok());
                snapshots
                    .take_while(|()| moving.load(Ordering::Relaxed))
                    .count()
            });
            let acknowledged = move_clients(&store);
            moving.store(false, Ordering::Relaxed);
            acknowledged
        });
        disk.files.crash(Survivors::Some(operations)).unwrap();
        drop(store);
        let (store, report) = disk.open_with::<V4>(options.clone()).unwrap();
        snapshots += u32::from(report.snapshot.is_some());
        let leases = contents(&store);
        let moved = (0..CLIENTS)
            .take_while(|n| leases.contains_key(&V4::lease(CLIENTS + mover(*n)).resource))
            .count();
        assert!(moved >= acknowledged as usize, "{moved} of {acknowledged}");
        assert_eq!(leases.len(), CLIENTS as usize);
        let stayed = (moved..CLIENTS as usize)
            .all(|n| leases.contains_key(&V4::lease(mover(u32::try_from(n).unwrap())).resource));
        assert!(stayed, "half of a move");
    }
    assert!(snapshots > 0);
}

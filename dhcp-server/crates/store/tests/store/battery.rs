//! Every kind of store passes the battery.

use outrigger_store::battery::{self, Sample};
use outrigger_store::{OsFiles, Store, StoreOptions};
use outrigger_wire::{V4, V6};
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn open<F: Sample>(directory: &Path) -> Store<F> {
    let options = StoreOptions {
        segment_bytes: 200,
        ..StoreOptions::default()
    };
    Store::open(directory, options, Arc::new(OsFiles))
        .unwrap()
        .0
}

fn run_on_disk<F: Sample>(again: impl Fn(Store<F>, &Path) -> Store<F>) {
    let directory = RefCell::new(None::<TempDir>);
    battery::run(
        || {
            let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            open(directory.borrow_mut().insert(fresh).path())
        },
        |store| again(store, directory.borrow().as_ref().unwrap().path()),
    );
}

#[test]
fn a_store_in_memory_passes() {
    battery::run(Store::<V4>::in_memory, |store| store);
    battery::run(Store::<V6>::in_memory, |store| store);
}

#[test]
fn a_journal_passes() {
    run_on_disk::<V4>(|store, _| store);
    run_on_disk::<V6>(|store, _| store);
}

#[test]
fn a_journal_that_is_opened_again_passes() {
    fn reopen<F: Sample>(store: Store<F>, directory: &Path) -> Store<F> {
        drop(store);
        open(directory)
    }
    run_on_disk::<V4>(reopen);
    run_on_disk::<V6>(reopen);
}

#[test]
fn a_snapshot_that_is_opened_again_passes() {
    fn compact<F: Sample>(store: Store<F>, directory: &Path) -> Store<F> {
        store.snapshot().unwrap();
        drop(store);
        open(directory)
    }
    run_on_disk::<V4>(compact);
    run_on_disk::<V6>(compact);
}

//! From damaged files back to leases, or to a refusal that says what to do.

use crate::common::{apply, directory, open_in, put};
use outrigger_store::battery::{Sample, contents};
use outrigger_store::{Change, Lease, Recovery, Store, StoreError};
use outrigger_wire::{V4, V6};
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

type Contents = BTreeMap<Ipv4Addr, Lease<V4>>;

const HEADER: usize = 24;

/// Journal files of a directory, oldest first.
fn segments(directory: &Path) -> Vec<PathBuf> {
    files(directory, "journal-")
}

fn files(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let named = entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with(prefix));
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Fills a store with `count` change sets of two changes; says where in its only segment each ended, and with what.
fn fill(directory: &Path, count: u32) -> Vec<(usize, Contents)> {
    let (store, _) = open_in::<V4>(directory).unwrap();
    let segment = segments(directory).pop().unwrap();
    let mut ends = vec![(HEADER, Contents::new())];
    for n in 0..count {
        apply(
            &store,
            &[put(n, 7), Change::Remove(V4::lease(n / 2).resource)],
        );
        ends.push((fs::read(&segment).unwrap().len(), contents(&store)));
    }
    ends
}

fn reopen(directory: &Path) -> (Contents, Recovery) {
    let (store, report) = open_in::<V4>(directory).unwrap();
    (contents(&store), report)
}

#[test]
fn a_journal_cut_at_any_byte_yields_every_whole_change_set() {
    let directory = directory();
    let ends = fill(directory.path(), 6);
    let segment = segments(directory.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    for len in 0..=whole.len() {
        fs::write(&segment, &whole[..len]).unwrap();
        let (found, report) = reopen(directory.path());
        let (end, wanted) = ends
            .iter()
            .rev()
            .find(|(end, _)| *end <= len)
            .unwrap_or(&ends[0]);
        assert_eq!(found, *wanted, "cut to {len} bytes");
        let torn = report.truncated.map_or(0, |truncated| truncated.bytes);
        assert_eq!(torn, len.saturating_sub(*end) as u64, "cut to {len} bytes");
        assert_eq!(fs::read(&segment).unwrap(), whole[..*end]);
    }
}

#[test]
fn a_store_goes_on_behind_a_cut() {
    let directory = directory();
    let ends = fill(directory.path(), 4);
    let segment = segments(directory.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    for len in 0..=whole.len() {
        fs::write(&segment, &whole[..len]).unwrap();
        let (store, _) = open_in::<V4>(directory.path()).unwrap();
        apply(&store, &[put(40, 9)]);
        let wanted = contents(&store);
        drop(store);
        assert_eq!(reopen(directory.path()).0, wanted, "cut to {len} bytes");
        assert!(ends.len() == 5 && wanted.contains_key(&V4::lease(40).resource));
    }
}

#[test]
fn a_flipped_bit_never_yields_other_leases() {
    let directory = directory();
    let ends = fill(directory.path(), 5);
    let segment = segments(directory.path()).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let last_record = ends[ends.len() - 2].0;
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&segment, &damaged).unwrap();
        match open_in::<V4>(directory.path()) {
            // A record that was acknowledged before a later one was made is never cut off.
            Err(StoreError::Corrupt { file, .. }) => {
                assert!(file == segment && at < last_record, "byte {at}");
                assert_eq!(
                    fs::read(&segment).unwrap(),
                    damaged,
                    "a refusal changes nothing"
                );
            }
            Ok((store, report)) => {
                assert!(at >= last_record && report.truncated.is_some(), "byte {at}");
                assert_eq!(contents(&store), ends[ends.len() - 2].1);
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
}

#[test]
fn zeros_behind_the_journal_are_a_torn_tail() {
    let directory = directory();
    let ends = fill(directory.path(), 3);
    let segment = segments(directory.path()).pop().unwrap();
    let mut longer = fs::read(&segment).unwrap();
    longer.extend_from_slice(&[0; 4096]);
    fs::write(&segment, longer).unwrap();
    let (found, report) = reopen(directory.path());
    assert_eq!(found, ends[3].1);
    assert_eq!(
        report.truncated.map(|truncated| truncated.bytes),
        Some(4096)
    );
}

/// A store of several segments, closed.
fn several_segments(directory: &Path) -> Vec<PathBuf> {
    let (store, _) = open_in::<V4>(directory).unwrap();
    for n in 0..60 {
        apply(&store, &[put(n, 7)]);
    }
    drop(store);
    let segments = segments(directory);
    assert!(segments.len() > 3);
    segments
}

#[test]
fn the_last_of_several_segments_cut_at_any_byte_costs_nothing_before_it() {
    let directory = directory();
    let last = several_segments(directory.path()).pop().unwrap();
    let whole = fs::read(&last).unwrap();
    let mut found = Vec::new();
    for len in 0..=whole.len() {
        fs::write(&last, &whole[..len]).unwrap();
        found.push(reopen(directory.path()).1.leases);
    }
    assert!(
        found.is_sorted() && found[0] > 40 && found[0] < 60,
        "{found:?}"
    );
    assert_eq!(found[whole.len()], 60);
}

#[test]
fn damage_before_the_last_segment_is_refused_with_place_and_advice() {
    let directory = directory();
    let segments = several_segments(directory.path());
    let whole = fs::read(&segments[1]).unwrap();
    for at in [
        0,
        9,
        12,
        20,
        HEADER,
        HEADER + 3,
        HEADER + 8,
        HEADER + 30,
        whole.len() - 1,
    ] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(&segments[1], &damaged).unwrap();
        let error = open_in::<V4>(directory.path()).unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt { file, .. } if *file == segments[1]),
            "byte {at}: {error}"
        );
        let text = error.to_string();
        assert!(
            text.contains(segments[1].to_str().unwrap()) && text.contains("restore"),
            "{text}"
        );
    }
    fs::write(&segments[1], &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(
        open_in::<V4>(directory.path()),
        Err(StoreError::Corrupt { .. })
    ));
    fs::write(&segments[1], &whole).unwrap();
    assert_eq!(reopen(directory.path()).0.len(), 60);
}

#[test]
fn a_missing_segment_is_refused() {
    let directory = directory();
    let segments = several_segments(directory.path());
    for missing in &segments[..segments.len() - 1] {
        let content = fs::read(missing).unwrap();
        fs::remove_file(missing).unwrap();
        let error = open_in::<V4>(directory.path()).unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        fs::write(missing, content).unwrap();
    }
}

#[test]
fn a_snapshot_without_its_journal_is_refused() {
    let directory = directory();
    several_segments(directory.path());
    let (store, _) = open_in::<V4>(directory.path()).unwrap();
    store.snapshot().unwrap();
    drop(store);
    let segments = segments(directory.path());
    assert_eq!(segments.len(), 1);
    fs::remove_file(&segments[0]).unwrap();
    assert!(matches!(
        open_in::<V4>(directory.path()),
        Err(StoreError::Missing { .. })
    ));
}

#[test]
fn a_damaged_snapshot_is_refused_wherever_the_damage_is() {
    let directory = directory();
    let (store, _) = open_in::<V4>(directory.path()).unwrap();
    apply(&store, &[put(1, 7), put(2, 8)]);
    store.snapshot().unwrap();
    drop(store);
    let snapshot = files(directory.path(), "snapshot-").pop().unwrap();
    let whole = fs::read(&snapshot).unwrap();
    for at in 0..whole.len() {
        for damaged in [whole[..at].to_vec(), flipped(&whole, at)] {
            fs::write(&snapshot, damaged).unwrap();
            let outcome = open_in::<V4>(directory.path());
            assert!(
                matches!(outcome, Err(StoreError::Corrupt { ref file, .. }) if *file == snapshot),
                "byte {at}"
            );
        }
    }
    fs::write(&snapshot, [whole.as_slice(), b"x"].concat()).unwrap();
    assert!(matches!(
        open_in::<V4>(directory.path()),
        Err(StoreError::Corrupt { .. })
    ));
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

#[test]
fn what_a_dying_process_left_of_a_compaction_is_cleared_away() {
    let directory = directory();
    let old = several_segments(directory.path()).remove(0);
    let content = fs::read(&old).unwrap();
    let (store, _) = open_in::<V4>(directory.path()).unwrap();
    store.snapshot().unwrap();
    let wanted = contents(&store);
    drop(store);
    let temporary = directory.path().join("snapshot-00000000000000000099.tmp");
    fs::write(&old, content).unwrap();
    fs::write(&temporary, b"half").unwrap();
    assert_eq!(reopen(directory.path()).0, wanted);
    assert!(!old.exists() && !temporary.exists());
}

#[test]
fn leases_of_the_other_family_are_refused() {
    let directory = directory();
    fill(directory.path(), 2);
    let error = open_in::<V6>(directory.path()).unwrap_err();
    assert!(error.to_string().contains("other protocol"), "{error}");
}

#[test]
fn a_second_store_on_one_directory_is_locked_out() {
    let directory = directory();
    let (store, _) = open_in::<V4>(directory.path()).unwrap();
    let error = open_in::<V4>(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    apply(&store, &[put(1, 7)]);
    drop(store);
    assert_eq!(reopen(directory.path()).0.len(), 1);
}

#[test]
fn only_the_owner_may_read_the_leases() {
    let directory = directory();
    let leases = directory.path().join("state").join("leases");
    let (store, _) = open_in::<V4>(&leases).unwrap();
    store.snapshot().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&leases), 0o700);
    for entry in fs::read_dir(&leases).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = directory();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = open_in::<V4>(&file.join("leases")).unwrap_err();
    assert!(error.to_string().contains("file/leases"), "{error}");
}

#[test]
fn a_store_opened_many_times_changes_nothing() {
    let directory = directory();
    let wanted = fill(directory.path(), 5).pop().unwrap().1;
    for _ in 0..3 {
        let (found, report) = reopen(directory.path());
        assert_eq!((found, report.truncated), (wanted.clone(), None));
    }
    let store: (Store<V4>, Recovery) = open_in(directory.path()).unwrap();
    assert_eq!(store.1.replayed, 5);
}

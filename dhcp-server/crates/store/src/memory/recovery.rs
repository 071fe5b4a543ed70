//! From the files of a lease directory back to the leases.
//!
//! The newest snapshot, then the segments behind it. A process that died can leave only this behind: a torn tail of
//! the last segment, segments without a whole header, temporary files, and what a snapshot replaced.
//! Anything else is damage: recovery refuses, names it, and leaves every file as it was.

use crate::files::FileLayer;
use crate::memory::record::{self, read_record, replay, was_durable};
use crate::memory::segment::{self, Kind, Segment, read_all};
use crate::memory::snapshot::read_snapshot;
use crate::stored::StoredFamily;
use crate::{Leases, StoreError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What opening a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Leases there are, in whatever state.
    pub leases: usize,
    /// Record up to which a snapshot served.
    pub snapshot: Option<u64>,
    /// Change sets replayed from the journal.
    pub replayed: u64,
    /// What was cut off the end of the journal: it was on its way to the disk when the process or the machine died,
    /// and nobody was told of it.
    pub truncated: Option<Truncated>,
}

/// A torn tail that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncated {
    /// The file.
    pub file: PathBuf,
    /// Where it ends now.
    pub offset: u64,
    /// How many bytes went.
    pub bytes: u64,
    /// What was wrong with them.
    pub problem: &'static str,
}

/// A recovered store, ready to go on.
#[derive(Debug)]
pub(crate) struct Recovered<F: StoredFamily> {
    pub(crate) leases: Leases<F>,
    pub(crate) next_lsn: u64,
    pub(crate) segment: Segment,
    /// First records of the segments on disk, oldest first.
    pub(crate) segments: Vec<u64>,
    pub(crate) report: Recovery,
}

/// Reads the directory; changes it only after everything was understood.
pub(crate) fn recover<F: StoredFamily>(
    directory: &Path,
    files: &dyn FileLayer,
) -> Result<Recovered<F>, StoreError> {
    let listing = Listing::read(directory, files)?;
    let mut replayer = Replayer::<F>::start(directory, files, &listing)?;
    let mut tail = None;
    for (index, first) in listing.segments.iter().enumerate() {
        tail = Some(replayer.segment(*first, index + 1 == listing.segments.len())?);
    }
    replayer.check_end(listing.unborn)?;
    for path in &listing.superfluous {
        files
            .remove(path)
            .map_err(StoreError::unusable("remove", path))?;
    }
    let next_lsn = replayer.next_lsn;
    let mut segments = listing.segments;
    let segment = match tail {
        Some((path, end)) => Segment::resume(files, path, end)?,
        None => {
            segments.push(next_lsn);
            Segment::create::<F>(files, directory, next_lsn)?
        }
    };
    files
        .sync_dir(directory)
        .map_err(StoreError::failed("flush", directory))?;
    let report = Recovery {
        leases: replayer.leases.len(),
        ..replayer.report
    };
    Ok(Recovered {
        leases: replayer.leases,
        next_lsn,
        segment,
        segments,
        report,
    })
}

/// The files that count, and those that do not any more.
#[derive(Debug)]
struct Listing {
    snapshot: Option<u64>,
    segments: Vec<u64>,
    /// The last segment that never got its header: all records before it were durable.
    unborn: Option<u64>,
    superfluous: Vec<PathBuf>,
}

impl Listing {
    fn read(directory: &Path, files: &dyn FileLayer) -> Result<Self, StoreError> {
        let (mut snapshots, mut segments, mut superfluous) = (Vec::new(), Vec::new(), Vec::new());
        for name in files
            .list(directory)
            .map_err(StoreError::unusable("list", directory))?
        {
            match Kind::of(&name) {
                Some((Kind::Snapshot, cut)) => snapshots.push(cut),
                Some((Kind::Segment, first)) => segments.push(first),
                None if name.ends_with(".tmp") => superfluous.push(directory.join(name)),
                None => {}
            }
        }
        snapshots.sort_unstable();
        segments.sort_unstable();
        let snapshot = snapshots.pop();
        superfluous.extend(
            snapshots
                .into_iter()
                .map(|cut| Kind::Snapshot.path(directory, cut)),
        );
        let mut listing = Self {
            snapshot,
            segments: Vec::new(),
            unborn: None,
            superfluous,
        };
        for first in segments {
            let path = Kind::Segment.path(directory, first);
            if has_header(files, &path)? {
                listing.segments.push(first);
            } else {
                listing.unborn = Some(first);
                listing.superfluous.push(path);
            }
        }
        listing.drop_replaced(directory);
        Ok(listing)
    }

    /// A segment that ends at or before the cut is not needed; its end is where the next one begins.
    fn drop_replaced(&mut self, directory: &Path) {
        let cut = self.snapshot.unwrap_or(0);
        let replaced = self
            .segments
            .iter()
            .skip(1)
            .take_while(|next| **next <= cut + 1)
            .count();
        let replaced = self
            .segments
            .drain(..replaced)
            .map(|first| Kind::Segment.path(directory, first));
        self.superfluous.extend(replaced);
    }
}

struct Replayer<'a, F: StoredFamily> {
    directory: &'a Path,
    files: &'a dyn FileLayer,
    leases: Leases<F>,
    /// Records up to here are in the snapshot.
    cut: u64,
    /// The journal must reach up to here.
    end: u64,
    next_lsn: u64,
    report: Recovery,
}

impl<'a, F: StoredFamily> Replayer<'a, F> {
    fn start(
        directory: &'a Path,
        files: &'a dyn FileLayer,
        listing: &Listing,
    ) -> Result<Self, StoreError> {
        let mut leases = Leases::default();
        let end = match listing.snapshot {
            Some(cut) => read_snapshot(files, directory, cut, &mut leases)?,
            None => 0,
        };
        let cut = listing.snapshot.unwrap_or(0);
        let next_lsn = listing.segments.first().copied().unwrap_or(cut + 1);
        let report = Recovery {
            snapshot: listing.snapshot,
            ..Recovery::default()
        };
        let replayer = Self {
            directory,
            files,
            leases,
            cut,
            end,
            next_lsn,
            report,
        };
        if next_lsn > cut + 1 {
            return Err(replayer.missing(cut + 1, next_lsn - 1));
        }
        if listing.segments.is_empty() && listing.snapshot.is_some() {
            return Err(replayer.missing(cut + 1, end.max(cut + 1)));
        }
        Ok(replayer)
    }

    /// Replays the segment that begins with record `first`.
    fn segment(&mut self, first: u64, is_last: bool) -> Result<(PathBuf, u64), StoreError> {
        if first > self.next_lsn {
            return Err(self.missing(self.next_lsn, first - 1));
        }
        let path = Kind::Segment.path(self.directory, first);
        let bytes = read_all(self.files, &path)?;
        Kind::Segment
            .check::<F>(&bytes, first)
            .map_err(|problem| StoreError::corrupt(&path, 0, problem))?;
        let mut at = segment::HEADER;
        while at < bytes.len() {
            match self.record(&bytes[at..]) {
                Ok(len) => at += len,
                Err(Bad::NotUnderstood(problem)) => {
                    return Err(StoreError::corrupt(&path, at, problem));
                }
                Err(Bad::Torn(problem)) if !is_last || was_durable(self.next_lsn, &bytes[at..]) => {
                    return Err(StoreError::corrupt(&path, at, problem));
                }
                Err(Bad::Torn(problem)) => {
                    let (offset, cut) = (at as u64, (bytes.len() - at) as u64);
                    self.report.truncated = Some(Truncated {
                        file: path.clone(),
                        offset,
                        bytes: cut,
                        problem,
                    });
                    break;
                }
            }
        }
        Ok((path, at as u64))
    }

    /// Replays the record at the start of `bytes` and returns its length.
    fn record(&mut self, bytes: &[u8]) -> Result<usize, Bad> {
        let record = read_record(bytes).map_err(Bad::Torn)?;
        if record.lsn != self.next_lsn {
            return Err(Bad::Torn("the record has the number of another one"));
        }
        if record.lsn > self.cut {
            replay(record.changes, &mut self.leases).map_err(Bad::NotUnderstood)?;
            self.report.replayed += 1;
        }
        self.next_lsn += 1;
        Ok(record::HEADER + record.changes.len())
    }

    /// A snapshot shows records up to its end; without them it may show half of a change set.
    fn check_end(&self, unborn: Option<u64>) -> Result<(), StoreError> {
        let end = self
            .end
            .max(self.cut)
            .max(unborn.map_or(0, |first| first - 1));
        if self.next_lsn <= end {
            Err(self.missing(self.next_lsn, end))
        } else {
            Ok(())
        }
    }

    fn missing(&self, from: u64, to: u64) -> StoreError {
        StoreError::Missing {
            directory: self.directory.to_owned(),
            from,
            to,
        }
    }
}

enum Bad {
    /// Not what a writer left, or not all of it.
    Torn(&'static str),
    /// Whole, but it says nothing known.
    NotUnderstood(&'static str),
}

/// A segment gets its header before its first record; one without, wherever it stands, never had any.
fn has_header(files: &dyn FileLayer, path: &Path) -> Result<bool, StoreError> {
    let mut header = Vec::new();
    let file = files
        .read(path)
        .map_err(StoreError::unusable("read", path))?;
    let read = file.take(segment::HEADER as u64).read_to_end(&mut header);
    read.map_err(StoreError::unusable("read", path))?;
    let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    if header.len() < segment::HEADER {
        return Ok(false);
    }
    // A file system may note the length before the content.
    Ok(!is_blank(&header) || !is_blank(&read_all(files, path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::battery::Sample;
    use crate::memory::snapshot::SnapshotWriter;
    use crate::{Change, OsFiles, Store, StoreOptions};
    use outrigger_wire::V4;
    use std::sync::Arc;

    fn open(directory: &Path) -> Result<Store<V4>, StoreError> {
        Store::open(directory, StoreOptions::default(), Arc::new(OsFiles)).map(|(store, _)| store)
    }

    #[test]
    fn a_snapshot_that_may_hold_half_of_a_change_set_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        for n in 1..=7 {
            let _kept_by_shutdown = store.lock().apply(&[Change::Put(V4::lease(n))]).unwrap();
        }
        drop(store);
        for (cut, end, missing) in [(5, 7, None), (6, 9, Some((8, 9)))] {
            let snapshot = SnapshotWriter::create::<V4>(&OsFiles, directory.path(), cut).unwrap();
            snapshot.finish(&OsFiles, end).unwrap();
            let found = match open(directory.path()) {
                Ok(_) => None,
                Err(StoreError::Missing { from, to, .. }) => Some((from, to)),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, missing);
        }
    }
}

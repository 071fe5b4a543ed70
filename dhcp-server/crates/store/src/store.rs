//! The leases of one family and what keeps them.

use crate::files::FileLayer;
use crate::memory::journal::{Journal, Limits, Shared, StoreStatus, Ticket};
use crate::memory::record::Change;
use crate::memory::recovery::{Recovered, Recovery, recover};
use crate::memory::segment::Kind;
use crate::memory::snapshot::SnapshotWriter;
use crate::memory::writer::Writer;
use crate::stored::StoredFamily;
use crate::{Leases, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::marker::PhantomData;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Places of the index copied under one hold of its lock.
const SNAPSHOT_STEP: u32 = 1024;

/// Sizes of a store; the defaults are right for a server.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// A segment of the journal is followed by another one once it has this many bytes.
    pub segment_bytes: u64,
    /// With more segments than this a snapshot takes their place.
    pub max_segments: usize,
    /// Bytes that may wait for the disk before changes are refused.
    pub max_waiting: usize,
    /// Pause before a full disk is tried again.
    pub space_retry: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_segments: 4,
            max_waiting: 8 << 20,
            space_retry: Duration::from_millis(250),
        }
    }
}

/// The leases of one family and what keeps them.
///
/// Changes go through [`Store::lock`], answers wait for [`Store::durable`].
#[derive(Debug)]
pub struct Store<F: StoredFamily> {
    inner: Arc<Inner<F>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Inner<F: StoredFamily> {
    leases: Mutex<Leases<F>>,
    kept: Option<Kept<F>>,
}

/// What a store on a disk has besides the leases.
#[derive(Debug)]
struct Kept<F: StoredFamily> {
    journal: Journal<F>,
    shared: Arc<Shared>,
    files: Arc<dyn FileLayer>,
    directory: PathBuf,
    /// One snapshot at a time.
    snapshot: Mutex<()>,
    /// Locked against other processes as long as it is open.
    _lock: File,
}

impl<F: StoredFamily> Store<F> {
    /// Opens the store in `directory`, makes one where there is none, and starts its threads.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Unusable`], [`StoreError::Corrupt`], [`StoreError::Missing`],
    /// [`StoreError::NoSpace`], [`StoreError::Failed`]: the server is not to start.
    pub fn open(
        directory: &Path,
        options: StoreOptions,
        files: Arc<dyn FileLayer>,
    ) -> Result<(Self, Recovery), StoreError> {
        files
            .create_dir(directory)
            .map_err(StoreError::unusable("create", directory))?;
        let lock = lock_directory(directory)?;
        let Recovered {
            leases,
            next_lsn,
            segment,
            segments,
            report,
        } = recover(directory, &*files)?;
        let limits = Limits {
            max_waiting: options.max_waiting,
            max_segments: options.max_segments,
        };
        let directory = directory.to_owned();
        let shared = Arc::new(Shared::new(directory.clone(), next_lsn, segments, limits));
        let writer = Writer::<F> {
            shared: Arc::clone(&shared),
            files: Arc::clone(&files),
            directory: directory.clone(),
            segment,
            segment_bytes: options.segment_bytes,
            space_retry: options.space_retry,
            next_lsn,
            family: PhantomData,
        };
        let journal = Journal::new(Arc::clone(&shared));
        let kept = Kept {
            journal,
            shared,
            files,
            directory,
            snapshot: Mutex::new(()),
            _lock: lock,
        };
        let store = Self::new(leases, Some(kept));
        let inner = Arc::clone(&store.inner);
        store.spawn("lease-journal", move || writer.run())?;
        store.spawn("lease-snapshot", move || inner.compact())?;
        Ok((store, report))
    }

    /// A store without a disk: every change is as durable as it gets at once (Kea's `"persist": false`).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(Leases::default(), None)
    }

    /// The leases, for a moment: never across an await.
    pub fn lock(&self) -> StoreGuard<'_, F> {
        StoreGuard {
            leases: self.inner.leases(),
            journal: self.inner.kept.as_ref().map(|kept| &kept.journal),
        }
    }

    /// Returns once the change of a ticket is on stable storage: it may be acknowledged then.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`], [`StoreError::Failed`], [`StoreError::Stopped`]: it must not be acknowledged. After
    /// `NoSpace` it may still become durable later.
    ///
    /// # Cancel safety
    /// Dropping the future forgets the waiting, not the change.
    pub async fn durable(&self, ticket: Ticket) -> Result<(), StoreError> {
        match &self.inner.kept {
            Some(kept) => ticket.durable(&kept.journal).await,
            None => Ok(()),
        }
    }

    /// As [`Self::durable`], for a thread of its own.
    ///
    /// # Errors
    /// As there.
    pub fn wait(&self, ticket: Ticket) -> Result<(), StoreError> {
        match &self.inner.kept {
            Some(kept) => kept.journal.wait(ticket),
            None => Ok(()),
        }
    }

    /// Resolves when the journal has failed for good: the process is to end with status 74.
    ///
    /// # Cancel safety
    /// May be dropped and asked for again at any time.
    pub async fn failure(&self) -> StoreError {
        match &self.inner.kept {
            Some(kept) => kept.journal.failure().await,
            None => std::future::pending().await,
        }
    }

    /// Whether so much waits for the disk that load is to be shed, renewals last.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.inner
            .kept
            .as_ref()
            .is_some_and(|kept| kept.journal.is_congested())
    }

    /// How the store does; `None` for one without a disk.
    #[must_use]
    pub fn status(&self) -> Option<StoreStatus> {
        self.inner.kept.as_ref().map(|kept| kept.journal.status())
    }

    /// Writes every lease into a snapshot and removes what it replaces. Blocks on the disk; the leases are locked
    /// for moments only. Happens by itself when there are many segments.
    ///
    /// # Errors
    /// The store goes on as before; only [`StoreError::Failed`] says that it does not.
    pub fn snapshot(&self) -> Result<(), StoreError> {
        self.inner.snapshot()
    }

    /// Brings everything appended to the disk, then ends both threads. Changes are refused from here on.
    ///
    /// # Errors
    /// What kept the journal from finishing.
    pub fn shutdown(&self) -> Result<(), StoreError> {
        let Some(kept) = &self.inner.kept else {
            return Ok(());
        };
        kept.shared.stop();
        for thread in
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner))
        {
            // A panic there is told by how the journal ended.
            let _ = thread.join();
        }
        match kept.shared.ended() {
            Ok(()) | Err(StoreError::Stopped) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn new(leases: Leases<F>, kept: Option<Kept<F>>) -> Self {
        let inner = Inner {
            leases: Mutex::new(leases),
            kept,
        };
        Self {
            inner: Arc::new(inner),
            threads: Mutex::default(),
        }
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(StoreError::unusable("start a thread for", Path::new(name)))?;
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thread);
        Ok(())
    }
}

impl<F: StoredFamily> Drop for Store<F> {
    fn drop(&mut self) {
        if let Err(error) = self.shutdown() {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the lease journal did not finish"
            );
        }
    }
}

impl<F: StoredFamily> Inner<F> {
    /// No method of the index panics halfway, so one that a panicking caller held is whole.
    fn leases(&self) -> MutexGuard<'_, Leases<F>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes snapshots when they are due until the journal ends.
    fn compact(&self) {
        let Some(kept) = &self.kept else { return };
        while kept.shared.wait_for_compaction() {
            if let Err(error) = self.snapshot() {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "older journal segments stay"
                );
            }
        }
    }

    fn snapshot(&self) -> Result<(), StoreError> {
        let Some(kept) = &self.kept else {
            return Ok(());
        };
        let _one = kept.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = self.last(kept).lsn();
        let writer = SnapshotWriter::create::<F>(&*kept.files, &kept.directory, cut)?;
        let temporary = writer.temporary();
        if let Err(error) = self.write_snapshot(kept, writer) {
            // The next recovery removes it, should it stay.
            let _ = kept.files.remove(&temporary);
            return Err(error);
        }
        kept.remove_before(cut)
    }

    fn write_snapshot(&self, kept: &Kept<F>, mut writer: SnapshotWriter) -> Result<(), StoreError> {
        let mut from = Some(0);
        while let Some(start) = from {
            from = self
                .leases()
                .visit(start, SNAPSHOT_STEP, |lease| writer.add(lease));
            writer.flush()?;
        }
        let end = self.last(kept);
        kept.journal.wait(end)?;
        writer.finish(&*kept.files, end.lsn())
    }

    /// The last record whose changes are in the index.
    fn last(&self, kept: &Kept<F>) -> Ticket {
        let _unchanging = self.leases();
        kept.journal.last()
    }
}

impl<F: StoredFamily> Kept<F> {
    /// Removes segments and snapshots that the snapshot of `cut` replaces.
    fn remove_before(&self, cut: u64) -> Result<(), StoreError> {
        while let Some(first) = self.shared.take_segment_before(cut) {
            self.remove(&Kind::Segment.path(&self.directory, first))?;
        }
        for name in self
            .files
            .list(&self.directory)
            .map_err(StoreError::unusable("list", &self.directory))?
        {
            if Kind::of(&name).is_some_and(|(kind, lsn)| kind == Kind::Snapshot && lsn < cut) {
                self.remove(&self.directory.join(name))?;
            }
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), StoreError> {
        self.files
            .remove(path)
            .map_err(StoreError::unusable("remove", path))
    }
}

/// The leases, locked.
#[derive(Debug)]
#[must_use]
pub struct StoreGuard<'a, F: StoredFamily> {
    leases: MutexGuard<'a, Leases<F>>,
    journal: Option<&'a Journal<F>>,
}

impl<F: StoredFamily> StoreGuard<'_, F> {
    /// Applies a change set to the leases and appends it to the journal, both or neither.
    ///
    /// # Errors
    /// As [`Journal::append`]; the leases are unchanged then.
    pub fn apply(&mut self, changes: &[Change<F>]) -> Result<Ticket, StoreError> {
        let ticket = match self.journal {
            Some(journal) => journal.append(changes)?,
            None => Ticket::DURABLE,
        };
        for change in changes {
            match change {
                Change::Put(lease) => self.leases.assign(lease),
                Change::Remove(resource) => {
                    self.leases.remove(resource);
                }
            }
        }
        Ok(ticket)
    }
}

impl<F: StoredFamily> Deref for StoreGuard<'_, F> {
    type Target = Leases<F>;

    fn deref(&self) -> &Leases<F> {
        &self.leases
    }
}

/// The lock is gone with the process, however that ends.
fn lock_directory(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("lock");
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(StoreError::unusable("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            directory: directory.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::unusable("lock", &path)(error)),
    }
}

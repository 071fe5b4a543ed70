//! What the tests of stores share.

use outrigger_store::battery::{Sample, contents};
use outrigger_store::testing::ForgetfulFiles;
use outrigger_store::{Change, Lease, OsFiles, Recovery, Store, StoreError, StoreOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tempfile::TempDir;

/// A directory on a real disk.
pub(crate) fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Small segments, and snapshots only when the test takes them.
pub(crate) fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes: 1500,
        max_segments: usize::MAX,
        ..StoreOptions::default()
    }
}

pub(crate) fn open_in<F: Sample>(directory: &Path) -> Result<(Store<F>, Recovery), StoreError> {
    Store::open(directory, options(), Arc::new(OsFiles))
}

/// A store on a disk that forgets.
pub(crate) struct Forgetful {
    pub(crate) files: ForgetfulFiles,
    pub(crate) leases: PathBuf,
    _directory: TempDir,
}

impl Forgetful {
    pub(crate) fn new() -> Self {
        let directory = directory();
        let leases = directory.path().join("leases");
        let files = ForgetfulFiles::new(&leases, &directory.path().join("durable")).unwrap();
        Self {
            files,
            leases,
            _directory: directory,
        }
    }

    pub(crate) fn open<F: Sample>(&self) -> Result<(Store<F>, Recovery), StoreError> {
        self.open_with(options())
    }

    pub(crate) fn open_with<F: Sample>(
        &self,
        options: StoreOptions,
    ) -> Result<(Store<F>, Recovery), StoreError> {
        Store::open(&self.leases, options, self.files.layer())
    }
}

pub(crate) fn put<F: Sample>(n: u32, cltt: u64) -> Change<F> {
    Change::Put(Lease {
        cltt,
        ..F::lease(n)
    })
}

pub(crate) fn apply<F: Sample>(store: &Store<F>, changes: &[Change<F>]) {
    let ticket = store.lock().apply(changes).unwrap();
    store.wait(ticket).unwrap();
}

/// What leases ought to be there, after each change set.
pub(crate) struct History<F: Sample> {
    states: Vec<BTreeMap<F::Resource, Lease<F>>>,
    durable: usize,
}

impl<F: Sample> History<F> {
    pub(crate) fn new() -> Self {
        Self {
            states: vec![BTreeMap::new()],
            durable: 0,
        }
    }

    /// Notes an appended change set.
    pub(crate) fn apply(&mut self, changes: &[Change<F>]) {
        let mut state = self.states.last().unwrap().clone();
        for change in changes {
            match change {
                Change::Put(lease) => state.insert(lease.resource, lease.clone()),
                Change::Remove(resource) => state.remove(resource),
            };
        }
        self.states.push(state);
    }

    /// Notes that everything appended so far was acknowledged.
    pub(crate) fn acknowledge(&mut self) {
        self.durable = self.states.len() - 1;
    }

    /// Whether nothing acknowledged is lost and nothing half applied; goes on from what was found.
    pub(crate) fn check(&mut self, store: &Store<F>) -> Result<(), String> {
        let found = contents(store);
        let Some(kept) = self.states.iter().rposition(|state| *state == found) else {
            return Err("the leases are none that ever were".to_owned());
        };
        if kept < self.durable {
            return Err(format!(
                "acknowledged changes {kept}..{} are lost",
                self.durable
            ));
        }
        self.states = vec![found];
        self.durable = 0;
        Ok(())
    }
}

/// Runs a future on this thread, as a runtime would.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

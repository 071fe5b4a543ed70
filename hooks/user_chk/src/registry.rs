//! Who is registered: the last good version of the registry file.
//!
//! The file has Kea's form, one JSON object of strings per line; blank lines and comments are allowed. A file with any
//! bad line is refused as a whole: after the start the last good version stays in force and an alarm is logged, at the
//! start the service is not ready until the file is repaired.

mod line;
pub(crate) mod source;
mod users;
pub(crate) mod watch;

pub use line::{LineError, parse};
pub use source::{Source, SourceError};
pub use users::{DEFAULT_USER, Duplicate, Problem, Problems, Users, read, read_lines};
pub use watch::{Watch, WatchSettings};

use crate::counters::Counters;
use arc_swap::ArcSwapOption;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch as readiness;

/// Largest registry file. A million users have about 100 MB.
const MAX_FILE: u64 = 1024 * 1024 * 1024;

/// One good version of the registry. Never changes.
#[derive(Debug)]
pub struct Version {
    /// Counts from 1, for logs.
    pub number: u64,
    /// Who is registered in it.
    pub users: Users,
}

/// The registry: one file, and the last good version of it.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    current: ArcSwapOption<Version>,
    last_try: Mutex<Option<Try>>,
    ready: readiness::Sender<bool>,
    counters: Arc<Counters>,
}

/// What a refresh found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Try {
    fingerprint: Fingerprint,
    saw: Saw,
    problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Saw {
    /// Length and hash.
    Content(usize, u64),
    Nothing(io::ErrorKind),
}

/// What a refresh did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The file is what it was at the last try.
    Unchanged,
    /// A new version is in force.
    Loaded,
    /// The file is bad or missing; what was in force stays.
    Refused,
}

impl Registry {
    /// A registry that has not read its file yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, counters: Arc<Counters>) -> Self {
        Self {
            path: path.into(),
            current: ArcSwapOption::empty(),
            last_try: Mutex::new(None),
            ready: readiness::Sender::new(false),
            counters,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version in force; `None` until the first good one. Lookups in it never wait.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Version>> {
        self.current.load_full()
    }

    /// What was wrong at the last refresh, naming the file.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let last = self.last_try.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().and_then(|last| last.problem.clone())
    }

    /// Whether there is a version in force.
    #[must_use]
    pub fn readiness(&self) -> readiness::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Whether the file is another than at the last refresh, as far as that can be seen without reading it.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let last = self.last_try.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref().map(|last| &last.fingerprint);
        last != Some(&Fingerprint::of(&self.path))
    }

    /// Reads the file again. A change is logged once, good or bad.
    pub fn refresh(&self) -> Refresh {
        let mut last = self.last_try.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = Fingerprint::of(&self.path);
        let content = read_file(&self.path);
        let saw = match &content {
            Ok(content) => Saw::Content(content.len(), hash(content)),
            Err(error) => Saw::Nothing(error.kind()),
        };
        if let Some(last) = last.as_mut().filter(|last| last.saw == saw) {
            last.fingerprint = fingerprint;
            return Refresh::Unchanged;
        }
        let users = match content {
            Ok(content) => read(&content).map_err(|problems| problems.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let problem = match users {
            Ok(users) => {
                self.put_in_force(users);
                None
            }
            Err(reason) => Some(self.raise_alarm(&reason)),
        };
        let refresh = match problem {
            None => Refresh::Loaded,
            Some(_) => Refresh::Refused,
        };
        *last = Some(Try {
            fingerprint,
            saw,
            problem,
        });
        refresh
    }

    fn put_in_force(&self, users: Users) {
        let number = self.current().map_or(0, |version| version.number) + 1;
        let reloads = Counters::count(&self.counters.reloads);
        tracing::info!(
            registry = %self.path.display(), version = number, users = users.len(), reloads,
            refused = Counters::value(&self.counters.refused_reloads),
            "registry loaded"
        );
        self.current
            .store(Some(Arc::new(Version { number, users })));
        self.ready.send_replace(true);
    }

    fn raise_alarm(&self, reason: &str) -> String {
        let refused = Counters::count(&self.counters.refused_reloads);
        let problem = format!("registry {}: {reason}", self.path.display());
        match self.current() {
            Some(version) => tracing::error!(
                alarm = "registry",
                refused,
                in_force = version.number,
                users = version.users.len(),
                "{problem}; the last good version stays in force"
            ),
            None => tracing::error!(
                alarm = "registry",
                refused,
                "{problem}; the service is not ready until this is repaired"
            ),
        }
        problem
    }
}

/// What of a file changes when it does: device, inode, size, and both times in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(Option<[i128; 7]>);

impl Fingerprint {
    pub(crate) fn of(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        Self(metadata.map(|file| {
            [
                file.dev().into(),
                file.ino().into(),
                file.size().into(),
                file.mtime().into(),
                file.mtime_nsec().into(),
                file.ctime().into(),
                file.ctime_nsec().into(),
            ]
        }))
    }
}

/// The whole file. Anything but an ordinary file would block or never end.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "is not an ordinary file",
        ));
    }
    if metadata.len() > MAX_FILE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("has {} bytes; {MAX_FILE} are possible", metadata.len()),
        ));
    }
    std::fs::read(path)
}

fn hash(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    hasher.finish()
}

#[cfg(test)]
mod tests;

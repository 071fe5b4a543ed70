//! What can go wrong with stored leases.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Failures of a lease store, one per thing that can be done about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory; starting a second one would give addresses twice.
    #[error(
        "lease directory {} is in use by another process: stop it, or configure another directory",
        directory.display()
    )]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory cannot be read or prepared.
    #[error("cannot {operation} {}: check that the directory exists, its owner and the disk", path.display())]
    Unusable {
        /// What was tried, as in "cannot …".
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// A file holds something else than what was written; starting would forget or repeat leases.
    #[error(
        "{} is damaged at byte {offset}: {problem}; restore the lease directory from a backup, or move the \
         whole directory away to start without leases; nothing was changed",
        file.display()
    )]
    Corrupt {
        /// The damaged file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        problem: &'static str,
    },
    /// Files are missing; starting would forget leases.
    #[error(
        "lease records {from} to {to} are missing from {}: restore the lease directory from a backup, or move \
         the whole directory away to start without leases; nothing was changed",
        directory.display()
    )]
    Missing {
        /// The directory.
        directory: PathBuf,
        /// First missing record.
        from: u64,
        /// Last missing record.
        to: u64,
    },
    /// More is waiting for the disk than may wait: shed load, the same call may succeed a moment later.
    #[error("the lease journal is behind: {waiting} bytes wait for the disk")]
    Full {
        /// Bytes that wait.
        waiting: usize,
    },
    /// The disk is full: nothing can be acknowledged until there is space; it is tried again by itself.
    #[error("no space left for the lease journal in {}: free space on that disk", directory.display())]
    NoSpace {
        /// The directory.
        directory: PathBuf,
    },
    /// One change set is larger than a record may be; the same call never succeeds.
    #[error(
        "a change of leases takes {size} bytes, at most {limit} are allowed: shorten the user context"
    )]
    TooLarge {
        /// Its size.
        size: usize,
        /// The largest allowed.
        limit: usize,
    },
    /// A write or a flush failed: what the system holds of the journal cannot be trusted any more. The process is
    /// to end; a new one recovers what is on the disk.
    #[error("cannot {operation} {}: the disk may have lost what was written; check it, then start again", path.display())]
    Failed {
        /// What was tried, as in "cannot …".
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The store was shut down.
    #[error("the lease store is shut down")]
    Stopped,
}

impl StoreError {
    pub(crate) fn unusable(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unusable {
            operation,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Failed {
            operation,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn corrupt(file: &Path, offset: usize, problem: &'static str) -> Self {
        Self::Corrupt {
            file: file.to_owned(),
            offset: offset as u64,
            problem,
        }
    }
}

/// Whether an error says that the disk, or our share of it, is full.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

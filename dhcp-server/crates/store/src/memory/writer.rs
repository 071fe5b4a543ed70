//! The one thread that writes the journal.

use crate::StoreError;
use crate::files::FileLayer;
use crate::memory::journal::Shared;
use crate::memory::segment::Segment;
use crate::stored::StoredFamily;
use std::io;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// The one thread that writes the journal.
#[derive(Debug)]
pub(crate) struct Writer<F> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) files: Arc<dyn FileLayer>,
    pub(crate) directory: PathBuf,
    pub(crate) segment: Segment,
    /// A segment is followed by another once it has this many bytes.
    pub(crate) segment_bytes: u64,
    /// Pause before a full disk is tried again.
    pub(crate) space_retry: Duration,
    /// First record of the next batch.
    pub(crate) next_lsn: u64,
    pub(crate) family: PhantomData<F>,
}

impl<F: StoredFamily> Writer<F> {
    /// Brings batches to the disk until the journal is stopped or fails.
    pub(crate) fn run(mut self) {
        let _last_word = LastWord(Arc::clone(&self.shared));
        let (mut batch, mut woken) = (Vec::new(), Vec::new());
        while let Some(last) = self.shared.next_batch(&mut batch) {
            if let Err(error) = self.keep(&batch, &mut woken) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the lease journal ends"
                );
                return self.shared.end(error);
            }
            self.next_lsn = last + 1;
            self.shared.settle(last, &mut woken);
        }
        self.shared.end(StoreError::Stopped);
    }

    /// Returns when the batch is on stable storage. Only a write that found the disk full is tried again, from the
    /// last good byte; after a failed flush nothing is known any more.
    fn keep(&mut self, batch: &[u8], woken: &mut Vec<Waker>) -> Result<(), StoreError> {
        loop {
            match self.write(batch) {
                Ok(()) => return self.segment.sync(),
                Err(error @ StoreError::NoSpace { .. }) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "nothing is acknowledged"
                    );
                    if !self.shared.pause_for_space(self.space_retry, woken) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&mut self, batch: &[u8]) -> Result<(), StoreError> {
        if self.segment.len() >= self.segment_bytes {
            self.rotate()?;
        }
        self.segment.write(batch)
    }

    fn rotate(&mut self) -> Result<(), StoreError> {
        match Segment::create::<F>(&*self.files, &self.directory, self.next_lsn) {
            Ok(segment) => {
                self.segment = segment;
                self.shared.add_segment(self.next_lsn);
                Ok(())
            }
            // No file was made, for instance for lack of file descriptors: the old one still does.
            Err(error @ StoreError::Unusable { .. }) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the journal segment grows on"
                );
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Ends the journal should the thread panic, so that nobody waits forever.
struct LastWord(Arc<Shared>);

impl Drop for LastWord {
    fn drop(&mut self) {
        self.0.end(StoreError::Failed {
            operation: "go on writing",
            path: PathBuf::from("the lease journal"),
            source: Arc::new(io::Error::other("its thread panicked")),
        });
    }
}

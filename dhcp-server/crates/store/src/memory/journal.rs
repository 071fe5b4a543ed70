//! The local journal: changes are appended in memory, one thread brings them to the disk together.
//!
//! ```text
//!  append ─► fill buffer ══swap══► batch ─► write ─► fdatasync ─► durable LSN ─► wake
//!            (many callers)        (one writer thread, no timer)
//! ```
//!
//! While one `fdatasync` runs the next batch fills: the slower the disk, the larger the batches.

use crate::StoreError;
use crate::memory::record::{Change, write_record};
use crate::memory::waiters::{PlaceId, Waiters};
use crate::stored::StoredFamily;
use std::future::Future;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Proof that a change set was appended; it may be acknowledged once the ticket is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a change may be acknowledged only after its ticket is durable"]
pub struct Ticket {
    lsn: u64,
}

impl Ticket {
    /// Of a change that needs no disk.
    pub(crate) const DURABLE: Self = Self { lsn: 0 };

    /// Resolves once the change is on stable storage.
    pub fn durable<F: StoredFamily>(self, journal: &Journal<F>) -> Durable<'_> {
        Durable {
            shared: &journal.shared,
            lsn: self.lsn,
            place: None,
        }
    }
}

/// Where changes are appended. Order of appending is order of replay.
#[derive(Debug)]
pub struct Journal<F: StoredFamily> {
    shared: Arc<Shared>,
    family: PhantomData<F>,
}

impl<F: StoredFamily> Journal<F> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            family: PhantomData,
        }
    }

    /// Appends a change set: after a crash all of it is there or nothing. Never blocks on the disk. An empty set
    /// yields the ticket of the record before it.
    ///
    /// The caller holds whatever lock makes the order of its changes.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::NoSpace`], [`StoreError::TooLarge`]: nothing was appended;
    /// [`StoreError::Failed`], [`StoreError::Stopped`]: nothing ever will be.
    pub fn append(&self, changes: &[Change<F>]) -> Result<Ticket, StoreError> {
        let mut state = self.shared.state();
        state.refusal(&self.shared)?;
        if changes.is_empty() {
            return Ok(Ticket {
                lsn: state.next_lsn - 1,
            });
        }
        let waiting = state.fill.len() + state.in_flight;
        if waiting >= self.shared.max_waiting {
            return Err(StoreError::Full { waiting });
        }
        let lsn = state.next_lsn;
        let durable = self.shared.durable.load(Ordering::Relaxed);
        write_record(lsn, durable, changes, &mut state.fill)?;
        state.next_lsn += 1;
        if std::mem::take(&mut state.writer_sleeps) {
            self.shared.work.notify_one();
        }
        Ok(Ticket { lsn })
    }

    /// Whether half of what may wait for the disk does: time to prefer renewals.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        let state = self.shared.state();
        state.fill.len() + state.in_flight > self.shared.max_waiting / 2
    }

    /// How the journal does.
    pub(crate) fn status(&self) -> StoreStatus {
        let state = self.shared.state();
        StoreStatus {
            waiting_bytes: state.fill.len() + state.in_flight,
            waiting_changes: state.next_lsn - 1 - self.shared.durable.load(Ordering::Relaxed),
            segments: state.segments.len(),
            acknowledges: matches!(state.phase, Phase::Running),
        }
    }

    /// The ticket of the last record appended.
    pub(crate) fn last(&self) -> Ticket {
        Ticket {
            lsn: self.shared.state().next_lsn - 1,
        }
    }

    /// Blocks until the change is on stable storage.
    pub(crate) fn wait(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut state = self.shared.state();
        loop {
            if let Some(outcome) = state.outcome(&self.shared, ticket.lsn) {
                return outcome;
            }
            state = self
                .shared
                .settled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Resolves when the journal has failed for good.
    pub(crate) fn failure(&self) -> Failure<'_> {
        Failure {
            shared: &self.shared,
            place: None,
        }
    }
}

/// How a store does, for metrics and alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreStatus {
    /// Bytes that wait for the disk.
    pub waiting_bytes: usize,
    /// Change sets that are not on stable storage yet.
    pub waiting_changes: u64,
    /// Segments of the journal.
    pub segments: usize,
    /// `false` while the disk is full and after the journal has failed or stopped: an alarm.
    pub acknowledges: bool,
}

impl Ticket {
    pub(crate) fn lsn(self) -> u64 {
        self.lsn
    }
}

/// What callers, the writer thread and the compaction share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Last record on stable storage.
    durable: AtomicU64,
    /// For the writer: there is something to write, or to stop.
    work: Condvar,
    /// For whoever blocks: the writer got on, or ended.
    settled: Condvar,
    /// For the compaction: there is something to compact, or to stop.
    compaction: Condvar,
    directory: PathBuf,
    max_waiting: usize,
    max_segments: usize,
}

#[derive(Debug)]
struct State {
    fill: Vec<u8>,
    /// Bytes of the batch on its way to the disk.
    in_flight: usize,
    next_lsn: u64,
    phase: Phase,
    stopping: bool,
    writer_sleeps: bool,
    waiters: Waiters,
    /// First records of the segments on disk, oldest first.
    segments: Vec<u64>,
    compaction_due: bool,
}

#[derive(Debug)]
enum Phase {
    Running,
    NoSpace,
    Ended(StoreError),
}

impl State {
    /// Whether nothing can be appended, and why.
    fn refusal(&self, shared: &Shared) -> Result<(), StoreError> {
        match &self.phase {
            Phase::Running if self.stopping => Err(StoreError::Stopped),
            Phase::Running => Ok(()),
            Phase::NoSpace => Err(StoreError::NoSpace {
                directory: shared.directory.clone(),
            }),
            Phase::Ended(error) => Err(error.clone()),
        }
    }

    /// How it stands with a record; `None` while it is on its way.
    fn outcome(&self, shared: &Shared, lsn: u64) -> Option<Result<(), StoreError>> {
        if lsn <= shared.durable.load(Ordering::Acquire) {
            return Some(Ok(()));
        }
        match &self.phase {
            Phase::Running => None,
            Phase::NoSpace => Some(Err(StoreError::NoSpace {
                directory: shared.directory.clone(),
            })),
            Phase::Ended(error) => Some(Err(error.clone())),
        }
    }
}

/// Limits of a journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_waiting: usize,
    pub(crate) max_segments: usize,
}

impl Shared {
    pub(crate) fn new(
        directory: PathBuf,
        next_lsn: u64,
        segments: Vec<u64>,
        limits: Limits,
    ) -> Self {
        let state = State {
            fill: Vec::new(),
            in_flight: 0,
            next_lsn,
            phase: Phase::Running,
            stopping: false,
            writer_sleeps: false,
            waiters: Waiters::default(),
            compaction_due: segments.len() > limits.max_segments,
            segments,
        };
        Self {
            state: Mutex::new(state),
            durable: AtomicU64::new(next_lsn - 1),
            work: Condvar::new(),
            settled: Condvar::new(),
            compaction: Condvar::new(),
            directory,
            max_waiting: limits.max_waiting,
            max_segments: limits.max_segments,
        }
    }

    /// Swaps the filled buffer for the empty `batch` and returns its last record; waits while there is none.
    /// `None` when the journal is to stop and nothing is left.
    pub(crate) fn next_batch(&self, batch: &mut Vec<u8>) -> Option<u64> {
        batch.clear();
        let mut state = self.state();
        while state.fill.is_empty() {
            if state.stopping {
                return None;
            }
            state.writer_sleeps = true;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.writer_sleeps = false;
        std::mem::swap(&mut state.fill, batch);
        state.in_flight = batch.len();
        Some(state.next_lsn - 1)
    }

    /// Publishes that everything up to `lsn` is on stable storage.
    pub(crate) fn settle(&self, lsn: u64, woken: &mut Vec<Waker>) {
        let mut state = self.state();
        self.durable.store(lsn, Ordering::Release);
        state.in_flight = 0;
        state.phase = Phase::Running;
        state.waiters.take_ready(lsn, woken);
        drop(state);
        self.wake(woken);
    }

    /// Ends acknowledging for lack of space, waits for `pause`, and says whether to try again.
    pub(crate) fn pause_for_space(&self, pause: Duration, woken: &mut Vec<Waker>) -> bool {
        let mut state = self.state();
        if state.stopping {
            return false;
        }
        if matches!(state.phase, Phase::Running) {
            state.phase = Phase::NoSpace;
            // Whoever waits for the failure stays: this is none.
            state.waiters.take_ready(u64::MAX - 1, woken);
            drop(state);
            self.wake(woken);
            state = self.state();
        }
        let stop = |state: &mut State| !state.stopping;
        drop(
            self.work
                .wait_timeout_while(state, pause, stop)
                .unwrap_or_else(PoisonError::into_inner),
        );
        true
    }

    /// Ends the journal: every ticket that is not durable gets `error`.
    pub(crate) fn end(&self, error: StoreError) {
        let mut woken = Vec::new();
        let mut state = self.state();
        if matches!(state.phase, Phase::Ended(_)) {
            return;
        }
        state.phase = Phase::Ended(error);
        state.waiters.take_ready(u64::MAX, &mut woken);
        drop(state);
        self.compaction.notify_all();
        self.wake(&mut woken);
    }

    /// Asks writer and compaction to finish what they do and end.
    pub(crate) fn stop(&self) {
        self.state().stopping = true;
        self.work.notify_all();
        self.compaction.notify_all();
    }

    /// How the journal ended; [`StoreError::Stopped`] where it was asked to. `Ok` while it runs.
    pub(crate) fn ended(&self) -> Result<(), StoreError> {
        match &self.state().phase {
            Phase::Running | Phase::NoSpace => Ok(()),
            Phase::Ended(error) => Err(error.clone()),
        }
    }

    /// Notes a new segment; too many of them are to be compacted.
    pub(crate) fn add_segment(&self, first: u64) {
        let mut state = self.state();
        state.segments.push(first);
        if state.segments.len() > self.max_segments {
            state.compaction_due = true;
            self.compaction.notify_all();
        }
    }

    /// Takes the oldest segment off the list if it holds nothing behind record `lsn`.
    pub(crate) fn take_segment_before(&self, lsn: u64) -> Option<u64> {
        let mut state = self.state();
        let next = *state.segments.get(1)?;
        (next <= lsn + 1).then(|| state.segments.remove(0))
    }

    /// Waits until there is something to compact; `false` when the journal ends.
    pub(crate) fn wait_for_compaction(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.stopping || matches!(state.phase, Phase::Ended(_)) {
                return false;
            }
            if std::mem::take(&mut state.compaction_due) {
                return true;
            }
            state = self
                .compaction
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wake(&self, woken: &mut Vec<Waker>) {
        self.settled.notify_all();
        woken.drain(..).for_each(Waker::wake);
    }

    /// Nothing under this lock panics halfway, so a poisoned one is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves once a change is on stable storage, or cannot be acknowledged any more. See [`Ticket::durable`].
///
/// # Cancel safety
/// Dropping it forgets the waiting, not the change. Waiting again is fine. Allocates nothing in the long run and
/// needs no particular runtime.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Durable<'a> {
    shared: &'a Shared,
    lsn: u64,
    place: Option<PlaceId>,
}

impl Future for Durable<'_> {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.lsn <= self.shared.durable.load(Ordering::Acquire) {
            return Poll::Ready(Ok(()));
        }
        let shared = self.shared;
        let mut state = shared.state();
        match state.outcome(shared, self.lsn) {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                self.place = Some(
                    state
                        .waiters
                        .register(self.place, self.lsn, context.waker()),
                );
                Poll::Pending
            }
        }
    }
}

impl Drop for Durable<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.shared.state().waiters.release(place);
        }
    }
}

/// Resolves when the journal has failed for good; see [`Journal::failure`].
#[derive(Debug)]
pub(crate) struct Failure<'a> {
    shared: &'a Shared,
    place: Option<PlaceId>,
}

impl Future for Failure<'_> {
    type Output = StoreError;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<StoreError> {
        let mut state = self.shared.state();
        match &state.phase {
            Phase::Ended(error @ StoreError::Failed { .. }) => Poll::Ready(error.clone()),
            Phase::Running | Phase::NoSpace | Phase::Ended(_) => {
                self.place = Some(
                    state
                        .waiters
                        .register(self.place, u64::MAX, context.waker()),
                );
                Poll::Pending
            }
        }
    }
}

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.shared.state().waiters.release(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_goes_only_when_all_of_it_is_in_the_snapshot() {
        let limits = Limits {
            max_waiting: 1,
            max_segments: 9,
        };
        let shared = Shared::new(PathBuf::from("leases"), 25, vec![1, 10, 20], limits);
        assert_eq!(shared.take_segment_before(8), None);
        assert_eq!(shared.take_segment_before(9), Some(1));
        assert_eq!(shared.take_segment_before(18), None);
        assert_eq!(shared.take_segment_before(99), Some(10));
        assert_eq!(shared.take_segment_before(99), None);
    }
}

//! What is counted of each service.

use crate::policy::Cause;
use outrigger_proto::{HookPoint, NextStep, OnFailure};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is counted of one service, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCounters {
    /// Name of the service.
    pub service: String,
    /// Calls that came to a result, by its next step; steps that never came are left out.
    pub results: Vec<(NextStep, u64)>,
    /// Calls that came to none.
    pub failures: Vec<FailureCount>,
    /// Replies that came after the call was given up. They are ignored.
    pub late_replies: u64,
    /// Replies to calls that were never made.
    pub unknown_replies: u64,
    /// Results with a warning.
    pub warnings: u64,
    /// Results whose next step the hook point does not have, counted as CONTINUE.
    pub unsupported_steps: u64,
    /// Sessions that the service welcomed.
    pub sessions_opened: u64,
    /// Messages with calls that were sent on sessions.
    pub batches: u64,
}

/// Failed calls of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureCount {
    /// Where.
    pub point: HookPoint,
    /// Why.
    pub cause: Cause,
    /// What the policy did.
    pub action: OnFailure,
    /// How many.
    pub count: u64,
}

impl ServiceCounters {
    /// Failed calls of one cause, at all hook points.
    #[must_use]
    pub fn failed(&self, cause: Cause) -> u64 {
        let same = self
            .failures
            .iter()
            .filter(|failure| failure.cause == cause);
        same.map(|failure| failure.count).sum()
    }

    /// Results with one next step.
    #[must_use]
    pub fn resulted(&self, step: NextStep) -> u64 {
        let same = self.results.iter().filter(|(counted, _)| *counted == step);
        same.map(|(_, count)| count).sum()
    }
}

const STEPS: [NextStep; 4] = [
    NextStep::Continue,
    NextStep::Skip,
    NextStep::Drop,
    NextStep::Park,
];
const ACTIONS: [OnFailure; 2] = [OnFailure::Continue, OnFailure::Drop];

/// The live counters of one service, shared by the shards.
#[derive(Debug)]
pub(crate) struct Counters {
    results: [AtomicU64; STEPS.len()],
    /// By hook point, cause and action.
    failures: Box<[[[AtomicU64; ACTIONS.len()]; Cause::ALL.len()]]>,
    pub(crate) late_replies: AtomicU64,
    pub(crate) unknown_replies: AtomicU64,
    pub(crate) warnings: AtomicU64,
    pub(crate) unsupported_steps: AtomicU64,
    pub(crate) sessions_opened: AtomicU64,
    pub(crate) batches: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            results: Default::default(),
            failures: (0..HookPoint::COUNT).map(|_| Default::default()).collect(),
            late_replies: AtomicU64::default(),
            unknown_replies: AtomicU64::default(),
            warnings: AtomicU64::default(),
            unsupported_steps: AtomicU64::default(),
            sessions_opened: AtomicU64::default(),
            batches: AtomicU64::default(),
        }
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Counters {
    pub(crate) fn result(&self, step: NextStep) {
        count(&self.results[step as usize]);
    }

    pub(crate) fn failure(&self, point: HookPoint, cause: Cause, action: OnFailure) {
        count(&self.failures[usize::from(point.number())][cause as usize][action as usize]);
    }

    pub(crate) fn snapshot(&self, service: &str) -> ServiceCounters {
        let results = STEPS.into_iter().zip(&self.results);
        ServiceCounters {
            service: service.to_owned(),
            results: results
                .map(|(step, counter)| (step, counter.load(Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            failures: self.failures(),
            late_replies: self.late_replies.load(Relaxed),
            unknown_replies: self.unknown_replies.load(Relaxed),
            warnings: self.warnings.load(Relaxed),
            unsupported_steps: self.unsupported_steps.load(Relaxed),
            sessions_opened: self.sessions_opened.load(Relaxed),
            batches: self.batches.load(Relaxed),
        }
    }

    fn failures(&self) -> Vec<FailureCount> {
        let mut failures = Vec::new();
        for point in HookPoint::ALL.iter().copied() {
            for cause in Cause::ALL {
                for action in ACTIONS {
                    let counters = &self.failures[usize::from(point.number())];
                    let count = counters[cause as usize][action as usize].load(Relaxed);
                    if count > 0 {
                        failures.push(FailureCount {
                            point,
                            cause,
                            action,
                            count,
                        });
                    }
                }
            }
        }
        failures
    }
}

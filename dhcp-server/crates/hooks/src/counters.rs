//! What is counted of each service.

use crate::policy::Cause;
use outrigger_proto::convert::covers;
use outrigger_proto::{HookPoint, NextStep, OnFailure};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// What is counted of one service, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCounters {
    /// Name of the service.
    pub service: String,
    /// Calls that came to a result; a call that was parked came to two.
    pub results: Vec<ResultCount>,
    /// Calls that came to none.
    pub failures: Vec<FailureCount>,
    /// Changes that were refused, which made the call fail.
    pub refused_changes: Vec<RefusedCount>,
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

/// Results of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultCount {
    /// Where.
    pub point: HookPoint,
    /// With which next step.
    pub step: NextStep,
    /// How many; never 0.
    pub count: u64,
}

/// Refused changes of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedCount {
    /// Where.
    pub point: HookPoint,
    /// What was to be changed, as in the table of hook points: "response.options". "other" for what no hook point can
    /// change.
    pub path: &'static str,
    /// How many; never 0.
    pub count: u64,
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

    /// Results with one next step, at all hook points.
    #[must_use]
    pub fn resulted(&self, step: NextStep) -> u64 {
        let same = self.results.iter().filter(|result| result.step == step);
        same.map(|result| result.count).sum()
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
    /// By hook point and next step.
    results: Box<[[AtomicU64; STEPS.len()]]>,
    /// By hook point and row of the table.
    refused: Mutex<BTreeMap<(HookPoint, &'static str), u64>>,
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
            results: (0..HookPoint::COUNT).map(|_| Default::default()).collect(),
            refused: Mutex::default(),
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
    pub(crate) fn result(&self, point: HookPoint, step: NextStep) {
        count(&self.results[usize::from(point.number())][step as usize]);
    }

    /// A change of `path` was refused.
    pub(crate) fn refused(&self, point: HookPoint, path: &str) {
        let row = (point, table_row(path));
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry(row).or_default() += 1;
    }

    pub(crate) fn failure(&self, point: HookPoint, cause: Cause, action: OnFailure) {
        count(&self.failures[usize::from(point.number())][cause as usize][action as usize]);
    }

    pub(crate) fn snapshot(&self, service: &str) -> ServiceCounters {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = refused.iter();
        ServiceCounters {
            service: service.to_owned(),
            results: self.results(),
            failures: self.failures(),
            refused_changes: refused
                .map(|((point, path), count)| RefusedCount {
                    point: *point,
                    path,
                    count: *count,
                })
                .collect(),
            late_replies: self.late_replies.load(Relaxed),
            unknown_replies: self.unknown_replies.load(Relaxed),
            warnings: self.warnings.load(Relaxed),
            unsupported_steps: self.unsupported_steps.load(Relaxed),
            sessions_opened: self.sessions_opened.load(Relaxed),
            batches: self.batches.load(Relaxed),
        }
    }

    fn results(&self) -> Vec<ResultCount> {
        let mut results = Vec::new();
        for point in HookPoint::ALL.iter().copied() {
            let counters = &self.results[usize::from(point.number())];
            for step in STEPS {
                let count = counters[step as usize].load(Relaxed);
                if count > 0 {
                    results.push(ResultCount { point, step, count });
                }
            }
        }
        results
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

/// The row of the table of hook points that has `path`: one of few, however a service makes up paths.
fn table_row(path: &str) -> &'static str {
    let mut rows = HookPoint::ALL
        .iter()
        .flat_map(|point| point.spec().changes.iter().copied());
    rows.find(|row| covers(row, path)).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_paths_are_counted_by_the_row_of_the_table() {
        let counters = Counters::default();
        for path in [
            "response.options.6",
            "response.options.67",
            "pony",
            "lease.address",
        ] {
            counters.refused(HookPoint::Pkt4Send, path);
        }
        let counted: Vec<_> = counters
            .snapshot("s")
            .refused_changes
            .iter()
            .map(|refused| (refused.point, refused.path, refused.count))
            .collect();
        let at = HookPoint::Pkt4Send;
        assert_eq!(
            counted,
            [
                (at, "lease.address", 1),
                (at, "other", 1),
                (at, "response.options", 2)
            ]
        );
    }
}

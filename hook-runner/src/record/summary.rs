//! What is said at the end of a recording.

use crate::recording::point_name;
use outrigger_proto::HookPoint;
use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    Result,
    Failure,
    /// A final reply follows, and counts beside it.
    Parked,
    Unanswered,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    calls: u64,
    results: u64,
    failures: u64,
    parked: u64,
    unanswered: u64,
}

/// Counts per hook point, and of what is missing.
#[derive(Debug, Default)]
pub(super) struct Summary {
    points: BTreeMap<i32, Counts>,
    calls: u64,
    pub(super) bytes: u64,
    /// Messages that the disk was too slow for.
    pub(super) lost: u64,
    /// Messages that cannot be recorded.
    pub(super) unreadable: u64,
    /// Why the file ends early.
    pub(super) failed: Option<io::Error>,
}

impl Summary {
    pub(super) fn count(&mut self, point: i32, kind: Kind) {
        // What has no name is counted together: numbers may be made up.
        let point = HookPoint::try_from(point).map_or(0, |_| point);
        let counts = self.points.entry(point).or_default();
        match kind {
            Kind::Call => {
                self.calls += 1;
                counts.calls += 1;
            }
            Kind::Result => counts.results += 1,
            Kind::Failure => counts.failures += 1,
            Kind::Parked => counts.parked += 1,
            Kind::Unanswered => counts.unanswered += 1,
        }
    }

    /// Recorded so far.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<22} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "hook point", "calls", "results", "failures", "parked", "no reply"
        )?;
        for (point, counts) in &self.points {
            writeln!(
                f,
                "{:<22} {:>9} {:>9} {:>9} {:>9} {:>9}",
                point_name(*point),
                counts.calls,
                counts.results,
                counts.failures,
                counts.parked,
                counts.unanswered
            )?;
        }
        write!(f, "{} calls, {} bytes", self.calls, self.bytes)?;
        if self.lost > 0 {
            write!(
                f,
                "; {} messages are not in the file: the disk was too slow",
                self.lost
            )?;
        }
        if self.unreadable > 0 {
            write!(
                f,
                "; {} messages are not in the file: they are compressed, too long or no messages",
                self.unreadable
            )?;
        }
        if let Some(error) = &self.failed {
            write!(f, "; the file ends early: {error}")?;
        }
        Ok(())
    }
}

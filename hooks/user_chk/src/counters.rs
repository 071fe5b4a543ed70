//! What the service counts.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, shown in logs.
#[derive(Debug, Default)]
pub struct Counters {
    /// Packets of registered clients.
    pub registered: AtomicU64,
    /// Packets of other clients.
    pub unregistered: AtomicU64,
    /// Packets without a usable identifier, which are among those of other clients.
    pub without_identifier: AtomicU64,
    /// Contexts that came back changed or broken, and were decided anew.
    pub bad_contexts: AtomicU64,
    /// Responses with an option changed.
    pub overrides: AtomicU64,
    /// Outcome records written.
    pub records: AtomicU64,
    /// Outcome records lost because they came faster than they could be written, or could not be written.
    pub lost_records: AtomicU64,
    /// Versions of the registry that came into force.
    pub reloads: AtomicU64,
    /// Changes of the registry that were refused.
    pub refused_reloads: AtomicU64,
}

impl Counters {
    /// One more; the new value.
    pub fn count(counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// As it stands.
    pub fn value(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// `registered=3 unregistered=1 …`
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            ("registered", &self.registered),
            ("unregistered", &self.unregistered),
            ("without_identifier", &self.without_identifier),
            ("bad_contexts", &self.bad_contexts),
            ("overrides", &self.overrides),
            ("records", &self.records),
            ("lost_records", &self.lost_records),
            ("reloads", &self.reloads),
            ("refused_reloads", &self.refused_reloads),
        ];
        for (index, (name, counter)) in all.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{name}={}", Self::value(counter))?;
        }
        Ok(())
    }
}

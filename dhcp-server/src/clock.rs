//! Time of day, which tests can move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Time of day. Clones share one clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Seconds that the clock is ahead of the machine's.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        machine.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}

//! An endpoint that answers nothing is left alone for a while.

use std::time::Duration;
use tokio::time::Instant;

/// Deadlines in a row after which an endpoint is ejected.
const THRESHOLD: u32 = 5;
/// First ejection; each further one doubles.
const SHORTEST: Duration = Duration::from_millis(500);
/// Longest ejection.
const LONGEST: Duration = Duration::from_secs(8);

/// Counts deadlines in a row of one endpoint and ejects it.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: State,
    ejection: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calls go through; so many missed their deadline since the last answer.
    Closed { missed: u32 },
    /// No call until then.
    Open { until: Instant },
    /// One call is under way and decides.
    Probing,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            state: State::Closed { missed: 0 },
            ejection: SHORTEST,
        }
    }
}

impl Breaker {
    /// Whether a call may be made now. Open → Probing when the ejection is over.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { until } if now >= until => {
                self.state = State::Probing;
                true
            }
            State::Open { .. } | State::Probing => false,
        }
    }

    /// A call was answered, however. Any → Closed.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// A call missed its deadline. Closed → Closed or Open, Probing → Open for twice as long. Calls that were under
    /// way when the endpoint was ejected change nothing.
    pub(crate) fn missed(&mut self, now: Instant) {
        match self.state {
            State::Closed { missed } if missed + 1 < THRESHOLD => {
                self.state = State::Closed { missed: missed + 1 };
            }
            State::Closed { .. } => self.open(now),
            State::Probing => {
                self.ejection = LONGEST.min(self.ejection * 2);
                self.open(now);
            }
            State::Open { .. } => {}
        }
    }

    /// The call under way ended without telling anything. Probing → Open, but the next call may probe.
    pub(crate) fn abandoned(&mut self, now: Instant) {
        if self.state == State::Probing {
            self.state = State::Open { until: now };
        }
    }

    fn open(&mut self, now: Instant) {
        self.state = State::Open {
            until: now + self.ejection,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ejected(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..THRESHOLD {
            assert!(breaker.admit(now));
            breaker.missed(now);
        }
        breaker
    }

    #[test]
    fn five_deadlines_in_a_row_eject_and_one_answer_between_does_not() {
        let now = Instant::now();
        assert!(!ejected(now).admit(now));
        let mut breaker = Breaker::default();
        for _ in 0..THRESHOLD - 1 {
            breaker.missed(now);
        }
        breaker.answered();
        breaker.missed(now);
        assert!(breaker.admit(now));
    }

    #[test]
    fn after_the_ejection_one_call_probes() {
        let now = Instant::now();
        let mut breaker = ejected(now);
        let later = now + SHORTEST;
        assert!(breaker.admit(later));
        assert!(!breaker.admit(later), "only one");
        breaker.answered();
        assert!(breaker.admit(later) && breaker.admit(later));
    }

    #[test]
    fn ejections_grow_to_a_bound_and_an_answer_resets_them() {
        let mut now = Instant::now();
        let mut breaker = ejected(now);
        for expected in [1000, 2000, 4000, 8000, 8000].map(Duration::from_millis) {
            now += breaker.ejection;
            assert!(breaker.admit(now));
            breaker.missed(now);
            assert!(!breaker.admit(now + expected - Duration::from_millis(1)));
            assert_eq!(breaker.ejection, expected);
        }
        breaker.answered();
        assert_eq!(breaker.ejection, SHORTEST);
    }

    #[test]
    fn a_probe_that_is_cancelled_lets_the_next_call_probe() {
        let now = Instant::now();
        let mut breaker = ejected(now);
        assert!(breaker.admit(now + SHORTEST));
        breaker.abandoned(now + SHORTEST);
        assert!(breaker.admit(now + SHORTEST));
    }
}

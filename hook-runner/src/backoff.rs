//! How long to wait before a service is started again.

use crate::config::Restart;
use std::time::Duration;

/// Delays that double up to a limit, each shortened by chance so that services that ended together do not start
/// together.
#[derive(Debug)]
pub(crate) struct Backoff {
    restart: Restart,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(restart: Restart) -> Self {
        Self {
            restart,
            next: restart.initial_delay,
        }
    }

    /// The delay before the next start of a service that ran for `ran`: between half of what is due and all of it.
    pub(crate) fn delay(&mut self, ran: Duration) -> Duration {
        self.delay_with(ran, rand::random())
    }

    /// `chance` is from 0 to 1.
    fn delay_with(&mut self, ran: Duration, chance: f64) -> Duration {
        if ran >= self.restart.stable {
            self.next = self.restart.initial_delay;
        }
        let due = self.next;
        self.next = due.saturating_mul(2).min(self.restart.max_delay);
        due.mul_f64(0.5 + chance / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn backoff() -> Backoff {
        Backoff::new(Restart {
            initial_delay: MS(100),
            max_delay: MS(500),
            stable: MS(10_000),
        })
    }

    #[test]
    fn delays_double_up_to_the_limit() {
        let mut backoff = backoff();
        let delays: Vec<_> = (0..5).map(|_| backoff.delay_with(MS(1), 1.0)).collect();
        assert_eq!(delays, [100, 200, 400, 500, 500].map(MS));
    }

    #[test]
    fn chance_shortens_a_delay_by_half_at_most() {
        assert_eq!(backoff().delay_with(MS(1), 0.0), MS(50));
        for _ in 0..100 {
            let delay = backoff().delay(MS(1));
            assert!((MS(50)..=MS(100)).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn a_service_that_ran_well_starts_from_the_beginning() {
        let mut backoff = backoff();
        for _ in 0..5 {
            backoff.delay_with(MS(9_999), 1.0);
        }
        assert_eq!(backoff.delay_with(MS(10_000), 1.0), MS(100));
        assert_eq!(backoff.delay_with(MS(1), 1.0), MS(200));
    }
}

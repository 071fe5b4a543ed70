//! How long a lease is, and when to renew it. Pure arithmetic in seconds.

use outrigger_config::model::{Timers, Triplet};
use outrigger_store::Lease;
use outrigger_wire::Family;

/// A lease that never ends.
pub const INFINITE: u32 = u32::MAX;

/// The valid lifetime for a client that wishes `wish` (`None` or 0: no wish).
#[must_use]
pub fn valid(timers: &Timers, wish: Option<u32>) -> u32 {
    timers.valid_lifetime.clamp(wish)
}

/// The preferred lifetime, never longer than the valid one (RFC 9915 §21.6).
#[must_use]
pub fn preferred(preferred: Triplet, wish: Option<u32>, valid: u32) -> u32 {
    preferred.clamp(wish).min(valid)
}

/// What is left of a lease's valid and preferred lifetime at `now`.
#[must_use]
pub fn left<F: Family>(lease: &Lease<F>, now: u64) -> (u32, u32) {
    let passed = u32::try_from(now.saturating_sub(lease.cltt)).unwrap_or(u32::MAX);
    let rest = |lifetime: u32| match lifetime {
        INFINITE => INFINITE,
        lifetime => lifetime.saturating_sub(passed),
    };
    (rest(lease.valid_lifetime), rest(lease.preferred_lifetime))
}

/// T1 and T2 of a DHCPv4 reply; `None` is not sent. As in Kea: configured or calculated, T2 below the lifetime, T1 below
/// T2 (or below the lifetime where there is no T2).
#[must_use]
pub fn tee_times4(timers: &Timers, lifetime: u32) -> (Option<u32>, Option<u32>) {
    if lifetime == INFINITE {
        return (None, None);
    }
    let calculated = |percent: f64| {
        timers
            .calculate_tee_times
            .then(|| fraction(lifetime, percent))
    };
    let t2 = timers
        .rebind_timer
        .or_else(|| calculated(timers.t2_percent))
        .filter(|t2| *t2 < lifetime);
    let t1 = timers.renew_timer.or_else(|| calculated(timers.t1_percent));
    (t1.filter(|t1| *t1 < t2.unwrap_or(lifetime)), t2)
}

/// T1 and T2 of an IA; 0 leaves the choice to the client (RFC 9915 §21.4). As in Kea: configured, else a part of the
/// preferred lifetime, else 0; T1 is 0 unless it is below T2.
#[must_use]
pub fn tee_times6(timers: &Timers, preferred: u32) -> (u32, u32) {
    let part = |configured: Option<u32>, percent: f64| match configured {
        Some(seconds) => seconds,
        None if !timers.calculate_tee_times => 0,
        None if preferred == INFINITE => INFINITE,
        None => fraction(preferred, percent),
    };
    let t2 = part(timers.rebind_timer, timers.t2_percent);
    let t1 = part(timers.renew_timer, timers.t1_percent);
    let ordered =
        t1 < t2 || (t1 == INFINITE && t2 == INFINITE) || (t2 == 0 && timers.rebind_timer.is_none());
    (if ordered { t1 } else { 0 }, t2)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction below one of a u32 is a u32; float-to-int casts saturate"
)]
fn fraction(seconds: u32, percent: f64) -> u32 {
    (f64::from(seconds) * percent) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMERS: Timers = Timers {
        valid_lifetime: Triplet {
            min: 100,
            default: 400,
            max: 1000,
        },
        renew_timer: None,
        rebind_timer: None,
        calculate_tee_times: true,
        t1_percent: 0.5,
        t2_percent: 0.8,
    };

    #[test]
    fn a_wish_is_kept_within_the_bounds() {
        for (wish, expected) in [
            (None, 400),
            (Some(0), 400),
            (Some(1), 100),
            (Some(500), 500),
            (Some(INFINITE), 1000),
        ] {
            assert_eq!(valid(&TIMERS, wish), expected, "{wish:?}");
        }
        assert_eq!(
            preferred(
                Triplet {
                    min: 300,
                    default: 300,
                    max: 300
                },
                None,
                200
            ),
            200
        );
    }

    #[test]
    fn tee_times_of_dhcp4_are_sent_only_in_order() {
        assert_eq!(tee_times4(&TIMERS, 400), (Some(200), Some(320)));
        let fixed = Timers {
            renew_timer: Some(300),
            rebind_timer: Some(200),
            ..TIMERS
        };
        assert_eq!(tee_times4(&fixed, 400), (None, Some(200)));
        let late = Timers {
            renew_timer: Some(100),
            rebind_timer: Some(500),
            ..TIMERS
        };
        assert_eq!(tee_times4(&late, 400), (Some(100), None));
        assert_eq!(
            tee_times4(
                &Timers {
                    calculate_tee_times: false,
                    ..TIMERS
                },
                400
            ),
            (None, None)
        );
        assert_eq!(tee_times4(&TIMERS, INFINITE), (None, None));
    }

    #[test]
    fn tee_times_of_dhcp6_follow_the_preferred_lifetime() {
        assert_eq!(tee_times6(&TIMERS, 300), (150, 240));
        let fixed = Timers {
            renew_timer: Some(100),
            rebind_timer: Some(200),
            ..TIMERS
        };
        assert_eq!(tee_times6(&fixed, 300), (100, 200));
        let wrong = Timers {
            renew_timer: Some(300),
            rebind_timer: Some(200),
            ..TIMERS
        };
        assert_eq!(tee_times6(&wrong, 300), (0, 200));
        assert_eq!(tee_times6(&TIMERS, INFINITE), (INFINITE, INFINITE));
        assert_eq!(
            tee_times6(
                &Timers {
                    calculate_tee_times: false,
                    ..TIMERS
                },
                300
            ),
            (0, 0)
        );
    }
}

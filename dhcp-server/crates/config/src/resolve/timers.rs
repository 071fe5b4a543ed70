//! Lifetimes, T1 and T2 in force at one place.

use super::Chain;
use crate::dialect::Dialect;
use crate::model::{Timers, Triplet};
use crate::problems::Problems;

/// Kea's, seconds.
const VALID_LIFETIME: u32 = 7200;

pub(super) fn resolve<F: Dialect>(chain: &Chain<'_, F>, problems: &Problems) -> Timers {
    let renew = chain.find(|scope| scope.renew_timer.as_ref());
    let rebind = chain.find(|scope| scope.rebind_timer.as_ref());
    if let (Some(t1), Some(t2)) = (renew, rebind)
        && t1.value > t2.value
    {
        let text = format!(
            "renew-timer {} is greater than rebind-timer {}: it is not sent",
            t1.value, t2.value
        );
        problems.warning(&t1.position, text);
    }
    let calculate = chain.find(|scope| scope.calculate_tee_times.as_ref().map(|flag| flag.value));
    let calculate = calculate.unwrap_or(F::TEES.calculate);
    let t1 = chain.find(|scope| scope.t1_percent.as_ref());
    let t2 = chain.find(|scope| scope.t2_percent.as_ref());
    let t1_percent = t1.map_or(F::TEES.t1_percent, |percent| percent.value);
    let t2_percent = t2.map_or(F::TEES.t2_percent, |percent| percent.value);
    if let (true, true, Some(written)) = (calculate, t1_percent >= t2_percent, t1.or(t2)) {
        let text = format!("t1-percent {t1_percent} is not less than t2-percent {t2_percent}");
        problems.error(&written.position, text);
    }
    let valid = chain.find(|scope| scope.valid_lifetime.as_ref().map(|lifetime| lifetime.value));
    Timers {
        valid_lifetime: valid.unwrap_or(Triplet {
            min: VALID_LIFETIME,
            default: VALID_LIFETIME,
            max: VALID_LIFETIME,
        }),
        renew_timer: renew.map(|timer| timer.value),
        rebind_timer: rebind.map(|timer| timer.value),
        calculate_tee_times: calculate,
        t1_percent,
        t2_percent,
    }
}

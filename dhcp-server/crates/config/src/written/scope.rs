//! What global scope, shared networks and subnets have in common.

use super::ddns::{self, WrittenDdns};
use super::option::{self, WrittenOption};
use super::{Object, Spanned};
use crate::dialect::Dialect;
use crate::model::Triplet;

/// Where a keyword stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Global,
    Network,
    Subnet,
}

/// Parameters that the next lower level inherits.
#[derive(Debug)]
pub(crate) struct WrittenScope<F: Dialect> {
    pub(crate) valid_lifetime: Option<Spanned<Triplet>>,
    pub(crate) renew_timer: Option<Spanned<u32>>,
    pub(crate) rebind_timer: Option<Spanned<u32>>,
    pub(crate) calculate_tee_times: Option<Spanned<bool>>,
    pub(crate) t1_percent: Option<Spanned<f64>>,
    pub(crate) t2_percent: Option<Spanned<f64>>,
    pub(crate) reservations_in_subnet: Option<bool>,
    pub(crate) reservations_global: Option<bool>,
    pub(crate) reservations_out_of_pool: Option<bool>,
    pub(crate) ddns: WrittenDdns,
    pub(crate) options: Vec<WrittenOption>,
    pub(crate) own: F::Scope,
}

pub(crate) fn read<F: Dialect>(object: &Object<'_>, level: Level) -> WrittenScope<F> {
    let flag = |key| object.bool(key).map(|flag| flag.value);
    let mut scope = WrittenScope {
        valid_lifetime: triplet(
            object,
            ["min-valid-lifetime", "valid-lifetime", "max-valid-lifetime"],
        ),
        renew_timer: object.u32("renew-timer"),
        rebind_timer: object.u32("rebind-timer"),
        calculate_tee_times: object.bool("calculate-tee-times"),
        t1_percent: fraction(object, "t1-percent"),
        t2_percent: fraction(object, "t2-percent"),
        reservations_in_subnet: flag("reservations-in-subnet"),
        reservations_global: flag("reservations-global"),
        reservations_out_of_pool: flag("reservations-out-of-pool"),
        ddns: ddns::read(object),
        options: option::read_list::<F>(object),
        own: F::read_scope(object, level),
    };
    reservation_mode(object, &mut scope);
    scope
}

/// Kea until 2.4: one word for what are three flags now.
fn reservation_mode<F: Dialect>(object: &Object<'_>, scope: &mut WrittenScope<F>) {
    let modes = [
        ("all", (true, false, false)),
        ("out-of-pool", (true, false, true)),
        ("global", (false, true, false)),
        ("disabled", (false, false, false)),
        ("off", (false, false, false)),
    ];
    let Some(mode) = object.choice("reservation-mode", &modes) else {
        return;
    };
    if scope.reservations_in_subnet.is_some()
        || scope.reservations_global.is_some()
        || scope.reservations_out_of_pool.is_some()
    {
        let text = "reservation-mode and the flags reservations-in-subnet, -global, -out-of-pool say the same: \
                    write only the flags";
        object.problems.error(&mode.position, text);
        return;
    }
    let (in_subnet, global, out_of_pool) = mode.value;
    scope.reservations_in_subnet = Some(in_subnet);
    scope.reservations_global = Some(global);
    scope.reservations_out_of_pool = Some(out_of_pool);
    let text = format!(
        "reservation-mode is deprecated: write reservations-in-subnet {in_subnet}, reservations-global {global}, \
         reservations-out-of-pool {out_of_pool}"
    );
    object.problems.warning(&mode.position, text);
}

/// A lifetime with its bounds; `keys` are those of minimum, default and maximum. The position is that of the default,
/// else of the bound that stands for it.
pub(crate) fn triplet(object: &Object<'_>, keys: [&'static str; 3]) -> Option<Spanned<Triplet>> {
    let [min, default, max] = keys.map(|key| object.u32(key));
    let middle = match (&min, &default, &max) {
        (_, Some(default), _) => default,
        (Some(only), None, None) | (None, None, Some(only)) => only,
        (None, None, None) => return None,
        (Some(min), None, Some(_)) => {
            let [min_key, key, max_key] = keys;
            let text = format!("{min_key} and {max_key} need {key} beside them");
            object.problems.error(&min.position, text);
            return None;
        }
    };
    let triplet = Triplet {
        min: min.as_ref().map_or(middle.value, |min| min.value),
        default: middle.value,
        max: max.as_ref().map_or(middle.value, |max| max.value),
    };
    if triplet.min > triplet.default || triplet.default > triplet.max {
        let (low, high) = (triplet.min, triplet.max);
        let text = format!(
            "{} {} is not between its bounds {low} and {high}",
            keys[1], triplet.default
        );
        object.problems.error(&middle.position, text);
        return None;
    }
    Some(Spanned {
        value: triplet,
        position: middle.position.clone(),
    })
}

fn fraction(object: &Object<'_>, key: &'static str) -> Option<Spanned<f64>> {
    let fraction = object.float(key)?;
    if fraction.value > 0.0 && fraction.value < 1.0 {
        return Some(fraction);
    }
    let text = format!(
        "{key} must be greater than 0.0 and less than 1.0, not {}",
        fraction.value
    );
    object.problems.error(&fraction.position, text);
    None
}

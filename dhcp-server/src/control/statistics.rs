//! Statistics under Kea's names, and some of our own.

mod hooks;
#[cfg(test)]
mod page;

pub(super) use hooks::hook_service;

use super::Control;
use super::answer::Answer;
use super::family::{Commanded, KindNames, unknown_received};
use super::request::Request;
use crate::telemetry::{DiscardReason, Discards};
use outrigger_config::model::Server;
use outrigger_store::{Lease, LeaseState};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Name to the newest sample alone: value, and when it was taken. DHCPv6 pools have more addresses than 64 bits count.
pub(super) type Statistics = BTreeMap<String, [(u128, String); 1]>;

/// Every statistic with its value.
pub(super) type Values = BTreeMap<String, u128>;

/// Under which of Kea's causes a packet without an answer counts; `None`: Kea does not count it as dropped.
fn cause(reason: DiscardReason) -> Option<&'static str> {
    match reason {
        DiscardReason::Overload | DiscardReason::TooOld | DiscardReason::ParkingFull => {
            Some("queue-full")
        }
        DiscardReason::Oversized | DiscardReason::Malformed => Some("parse-failed"),
        DiscardReason::NotForUs => Some("not-for-us"),
        DiscardReason::RfcViolation => Some("rfc-violation"),
        DiscardReason::Duplicate | DiscardReason::Replaced => Some("duplicate"),
        DiscardReason::DropClass | DiscardReason::RejectClass => Some("admin-filtered"),
        DiscardReason::ServiceDisabled | DiscardReason::Stopping => Some("service-disabled"),
        DiscardReason::HookFailure
        | DiscardReason::NoSubnet
        | DiscardReason::UnknownLease
        | DiscardReason::Unregistrable
        | DiscardReason::NoneLeft
        | DiscardReason::AddressInUse
        | DiscardReason::LostEveryRace
        | DiscardReason::StoreBusy
        | DiscardReason::NotDurable
        | DiscardReason::ReplyTooLong
        | DiscardReason::Defect => Some("processing-failed"),
        DiscardReason::HookDecision | DiscardReason::NotSent => None,
    }
}

const CAUSES: [&str; 8] = [
    "admin-filtered",
    "duplicate",
    "not-for-us",
    "parse-failed",
    "processing-failed",
    "queue-full",
    "rfc-violation",
    "service-disabled",
];

pub(super) fn get_all<F: Commanded>(
    control: &Control<F>,
    _: &Request<'_>,
) -> Result<Answer, String> {
    Ok(Answer::statistics(control.samples(control.values())))
}

pub(super) fn get<F: Commanded>(
    control: &Control<F>,
    request: &Request<'_>,
) -> Result<Answer, String> {
    let arguments = request.arguments()?;
    let name = arguments.required_text("name")?;
    let mut values = control.values();
    values.retain(|known, _| known == name);
    Ok(Answer::statistics(control.samples(values)))
}

impl<F: Commanded> Control<F> {
    fn values(&self) -> Values {
        let (cfg, services) = {
            let current = self.current.borrow();
            (Arc::clone(&current.cfg), Arc::clone(&current.hooks))
        };
        let mut values = Values::new();
        packets::<F>(&self.discards, &mut values);
        let places = {
            let leases = self.common.alloc.store().lock();
            leases.iter().filter_map(Place::of).collect::<Vec<_>>()
        };
        leases(&cfg, &places, &mut values);
        self.services.count(&services, &mut values);
        for state in self.services.states(&services) {
            hooks::hook_state(&state, &mut values);
        }
        let unseen = self.unseen.load(Ordering::Relaxed);
        values.insert("outrigger.commands-not-shown".to_owned(), unseen.into());
        values
    }

    fn samples(&self, values: Values) -> Statistics {
        let taken = timestamp(self.common.clock.now());
        values
            .into_iter()
            .map(|(name, value)| (name, [(value, taken.clone())]))
            .collect()
    }
}

fn packets<F: Commanded>(discards: &Discards, values: &mut Values) {
    let (pkt, traffic) = (F::PKT, &discards.traffic);
    let mut set = |name: String, value: u64| values.insert(name, value.into());
    set(format!("{pkt}-received"), traffic.received_total());
    for (name, number) in F::RECEIVED {
        set(
            format!("{pkt}-{name}-received"),
            traffic.received_of(*number),
        );
    }
    set(
        format!("{pkt}-unknown-received"),
        unknown_received::<F>(traffic),
    );
    let unsent = discards.of(DiscardReason::NotSent);
    set(
        format!("{pkt}-sent"),
        traffic.sent_total().saturating_sub(unsent),
    );
    for (name, number) in F::SENT {
        set(format!("{pkt}-{name}-sent"), traffic.sent_of(*number));
    }
    let dropped = |wanted: &dyn Fn(&str) -> bool| {
        let reasons = DiscardReason::ALL.iter().copied();
        let counted = reasons.filter(|reason| cause(*reason).is_some_and(wanted));
        counted.map(|reason| discards.of(reason)).sum()
    };
    set(format!("{pkt}-receive-drop"), dropped(&|_| true));
    for name in CAUSES {
        set(format!("{pkt}-{name}"), dropped(&|cause| cause == name));
    }
    for reason in DiscardReason::ALL {
        set(
            format!("outrigger.discard[{}]", reason.name()),
            discards.of(*reason),
        );
    }
}

/// Where a lease counts.
struct Place<F: Commanded> {
    subnet_id: u32,
    pool_id: u32,
    kind: F::Kind,
    state: LeaseState,
}

impl<F: Commanded> Place<F> {
    /// What nobody holds any more counts nowhere.
    fn of(lease: &Lease<F>) -> Option<Self> {
        match lease.state {
            LeaseState::Default | LeaseState::Declined | LeaseState::Registered => Some(Self {
                subnet_id: lease.subnet_id,
                pool_id: lease.pool_id,
                kind: F::kind_of(&lease.resource),
                state: lease.state,
            }),
            LeaseState::ExpiredReclaimed | LeaseState::Released => None,
        }
    }
}

/// What is counted of one subnet or pool, for one kind of leases.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    total: u128,
    assigned: u128,
    declined: u128,
    registered: u128,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.total = self.total.saturating_add(other.total);
        self.assigned += other.assigned;
        self.declined += other.declined;
        self.registered += other.registered;
    }

    fn write(self, prefix: &str, names: &KindNames, values: &mut Values) {
        values.insert(format!("{prefix}{}", names.total), self.total);
        self.write_leases(prefix, names, values);
    }

    fn write_leases(self, prefix: &str, names: &KindNames, values: &mut Values) {
        values.insert(format!("{prefix}{}", names.assigned), self.assigned);
        if let Some(declined) = names.declined {
            values.insert(format!("{prefix}{declined}"), self.declined);
        }
    }

    /// Kea: of subnets and of the whole server; a registered address is of no pool.
    fn write_registered(self, prefix: &str, names: &KindNames, values: &mut Values) {
        if let Some(registered) = names.registered {
            values.insert(format!("{prefix}{registered}"), self.registered);
        }
    }
}

/// Per pool, per subnet, and for the whole server. Leases outside of the configured subnets do not count; those outside of
/// the pools count for their subnet.
fn leases<F: Commanded>(cfg: &Server<F>, places: &[Place<F>], values: &mut Values) {
    let mut held: HashMap<(u32, F::Kind), HashMap<u32, Count>> = HashMap::new();
    for place in places {
        let of_subnet = held.entry((place.subnet_id, place.kind)).or_default();
        // Kea: what is declined is assigned as well, what is registered is not.
        let registered = place.state == LeaseState::Registered;
        of_subnet.entry(place.pool_id).or_default().add(Count {
            total: 0,
            assigned: (!registered).into(),
            declined: (place.state == LeaseState::Declined).into(),
            registered: registered.into(),
        });
    }
    for (kind, names) in F::kinds() {
        let mut everywhere = Count::default();
        for subnet in &cfg.subnets {
            let id = subnet.id.0;
            let held = held.remove(&(id, *kind)).unwrap_or_default();
            let mut of_subnet = Count::default();
            let mut pools: BTreeMap<u32, Count> = BTreeMap::new();
            for pool in &subnet.pools {
                if F::kind_of_pool(pool) == *kind {
                    let total = F::range(pool).last_index().saturating_add(1);
                    pools.entry(pool.id).or_default().add(Count {
                        total,
                        ..Count::default()
                    });
                }
            }
            for (pool_id, count) in held {
                of_subnet.add(count);
                if let Some(pool) = pools.get_mut(&pool_id) {
                    pool.add(count);
                }
            }
            for (pool_id, count) in pools {
                of_subnet.total = of_subnet.total.saturating_add(count.total);
                count.write(
                    &format!("subnet[{id}].{}[{pool_id}].", names.pool),
                    names,
                    values,
                );
            }
            let prefix = format!("subnet[{id}].");
            of_subnet.write(&prefix, names, values);
            of_subnet.write_registered(&prefix, names, values);
            everywhere.add(of_subnet);
        }
        everywhere.write_leases("", names, values);
        everywhere.write_registered("", names, values);
    }
}

/// `YYYY-MM-DD HH:MM:SS.ffffff` of seconds since 1970-01-01 UTC, in UTC.
fn timestamp(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March end with the leap day; an era is 400 of them.
    let since_march = days + 719_468;
    let (era, day) = (since_march / 146_097, since_march % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.000000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_config::model::Config;
    use outrigger_wire::family::Resource6;

    #[test]
    fn time_of_a_sample_is_written_as_date_and_time_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00.000000"),
            (951_782_399, "2000-02-28 23:59:59.000000"),
            (951_782_400, "2000-02-29 00:00:00.000000"),
            (1_735_689_599, "2024-12-31 23:59:59.000000"),
            (4_107_542_400, "2100-03-01 00:00:00.000000"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }

    #[test]
    fn every_cause_is_one_of_keas_and_none_is_left_out() {
        let mut seen: Vec<_> = DiscardReason::ALL
            .iter()
            .filter_map(|reason| cause(*reason))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, CAUSES);
    }

    #[test]
    fn pools_beyond_64_bits_are_counted_and_printed_as_numbers() {
        let loaded = outrigger_config::load_text(
            "test",
            r#"{ "Dhcp6": { "subnet6": [ { "id": 7, "subnet": "2001:db8::/32",
                "pools": [ { "pool": "2001:db8::/33" }, { "pool": "2001:db8:8000::/64", "pool-id": 3 } ],
                "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 40, "delegated-len": 56 } ] } ] } }"#,
        );
        let Some(Config::V6(cfg)) = loaded.config else {
            panic!("{:?}", loaded.diagnostics);
        };
        let kind = <outrigger_wire::V6 as outrigger_alloc::Ranged>::kind_of(&Resource6::Address(
            "2001:db8::1".parse().unwrap(),
        ));
        let place = |pool_id, state| Place {
            subnet_id: 7,
            pool_id,
            kind,
            state,
        };
        let mut values = Values::new();
        let places = [
            place(0, LeaseState::Default),
            place(3, LeaseState::Declined),
            place(9, LeaseState::Default),
            place(0, LeaseState::Registered),
        ];
        leases(&cfg, &places, &mut values);
        let total = (1_u128 << 95) + (1 << 64);
        for (name, value) in [
            ("subnet[7].total-nas", total),
            ("subnet[7].assigned-nas", 3),
            ("subnet[7].declined-addresses", 1),
            ("subnet[7].registered-nas", 1),
            ("registered-nas", 1),
            ("subnet[7].pool[0].total-nas", 1 << 95),
            ("subnet[7].pool[0].assigned-nas", 1),
            ("subnet[7].pool[3].declined-addresses", 1),
            ("subnet[7].total-pds", 65_536),
            ("subnet[7].pd-pool[0].assigned-pds", 0),
            ("assigned-nas", 3),
        ] {
            assert_eq!(values.get(name), Some(&value), "{name}");
        }
        let printed = serde_json::to_string(&values).unwrap();
        assert!(printed.contains(&format!("\"subnet[7].total-nas\":{total}")));
    }
}

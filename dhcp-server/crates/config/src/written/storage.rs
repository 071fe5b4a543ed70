//! `lease-database` and `expired-leases-processing`.

use super::Object;
use crate::dialect::Dialect;
use crate::model::{ExpiredLeases, LeaseDatabase};
use crate::source::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Kea's, as packages build it.
const DATA_DIRECTORY: &str = "/var/lib/kea";

pub(crate) fn read_expired_leases(object: &Object<'_>) -> ExpiredLeases {
    let defaults = ExpiredLeases {
        reclaim_timer_wait_time: Duration::from_secs(10),
        hold_reclaimed_time: Duration::from_secs(3600),
        flush_reclaimed_timer_wait_time: Duration::from_secs(25),
        max_reclaim_leases: 100,
        max_reclaim_time: Duration::from_millis(250),
        unwarned_reclaim_cycles: 5,
    };
    let Some(map) = object.object("expired-leases-processing") else {
        return defaults;
    };
    let number = |key, default| map.u32(key).map_or(default, |number| number.value);
    let seconds = |key, default| {
        map.u32(key)
            .map_or(default, |number| Duration::from_secs(number.value.into()))
    };
    let expired = ExpiredLeases {
        reclaim_timer_wait_time: seconds(
            "reclaim-timer-wait-time",
            defaults.reclaim_timer_wait_time,
        ),
        hold_reclaimed_time: seconds("hold-reclaimed-time", defaults.hold_reclaimed_time),
        flush_reclaimed_timer_wait_time: seconds(
            "flush-reclaimed-timer-wait-time",
            defaults.flush_reclaimed_timer_wait_time,
        ),
        max_reclaim_leases: number("max-reclaim-leases", defaults.max_reclaim_leases),
        max_reclaim_time: map
            .u32("max-reclaim-time")
            .map_or(defaults.max_reclaim_time, |time| {
                Duration::from_millis(time.value.into())
            }),
        unwarned_reclaim_cycles: number(
            "unwarned-reclaim-cycles",
            defaults.unwarned_reclaim_cycles,
        ),
    };
    map.finish();
    expired
}

/// Kea takes a missing `lease-database` for a memfile with defaults.
pub(crate) fn read_lease_database<F: Dialect>(object: &Object<'_>) -> LeaseDatabase {
    let directory = object.text("data-directory");
    let directory = directory.map_or(DATA_DIRECTORY, |directory| directory.value);
    let mut database = LeaseDatabase {
        persist: true,
        lease_file: PathBuf::from(directory).join(F::LEASE_FILE),
    };
    let Some(map) = object.object("lease-database") else {
        return database;
    };
    let known = [
        ("memfile", true),
        ("mysql", false),
        ("postgresql", false),
        ("cql", false),
    ];
    let kind = map.require("type", map.choice("type", &known));
    if let Some(kind) = kind.filter(|kind| !kind.value) {
        let text = "this type of lease database is not built yet: only memfile is";
        map.problems.error(&kind.position, text);
        map.accept_everything();
        return database;
    }
    database.persist = map.bool("persist").is_none_or(|persist| persist.value);
    if let Some(name) = map.text("name").filter(|name| !name.value.is_empty()) {
        database.lease_file = PathBuf::from(name.value);
    }
    // The journal is compacted when it has grown, not by the clock; a corrupt record is a fault, never skipped.
    for key in ["lfc-interval", "max-row-errors"] {
        map.u32(key);
    }
    warn_of_sql_members(&map);
    map.finish();
    database
}

/// Members that mean something to SQL databases only. Kea accepts them for a memfile too.
fn warn_of_sql_members(map: &Object<'_>) {
    const SQL: &[&str] = &[
        "user",
        "password",
        "password-file",
        "host",
        "port",
        "connect-timeout",
        "read-timeout",
        "write-timeout",
        "tcp-user-timeout",
        "max-reconnect-tries",
        "reconnect-wait-time",
        "on-fail",
        "retry-on-startup",
        "readonly",
        "trust-anchor",
        "cert-file",
        "key-file",
        "cipher-list",
        "ssl-mode",
    ];
    for key in SQL {
        let Some(member) = map.member(key) else {
            continue;
        };
        if let Value::List(_) | Value::Map(_) | Value::Null | Value::Float(_) = member.node.value {
            let kind = member.node.value.kind();
            map.problems
                .error(&member.node.position, format!("{key} cannot be {kind}"));
        } else {
            map.problems.warning(
                &member.position,
                format!("{key} has no effect for a lease database of type memfile"),
            );
        }
    }
}

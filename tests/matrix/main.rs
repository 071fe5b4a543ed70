//! Every hook point and everything that a callout may do there, seen from outside: what the client receives, what the lease
//! store holds, what is counted.
//!
//! What is expected is written by hand in `expected4.json` and `expected6.json`, from Kea's behaviour and our decisions
//! (docs/adr), never from the server's own table. The same cells are played against Kea as installed, where it has the hook
//! point; `kea` in a row says where it differs and why.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod behaviour;
mod clients;
mod config;
mod control;
mod kea;
mod marks;
mod run;
mod script;
mod service;
mod stage;
mod table;
mod v4;
mod v6;

use outrigger_lab::Family;
use outrigger_proto::{self as proto, HookPoint};

use crate::stage::Subject;
use crate::table::Expectations;

fn expected(family: Family) -> Vec<Expectations> {
    match family {
        Family::V4 => table::read("expected4.json", include_str!("expected4.json")),
        Family::V6 => table::read("expected6.json", include_str!("expected6.json")),
    }
}

#[track_caller]
fn plays_as_expected(subject: Subject, family: Family) {
    let mut table = expected(family);
    // For work on a few of them: names, with commas between.
    if let Ok(only) = std::env::var("OUTRIGGER_MATRIX_ONLY") {
        table.retain(|point| only.split(',').any(|name| name == point.point));
    }
    let wrong = run::family(subject, family, &table);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_tables_name_every_hook_point_and_nothing_else() {
    for (family, of) in [
        (Family::V4, proto::Family::V4),
        (Family::V6, proto::Family::V6),
    ] {
        let tables = expected(family);
        let mut named: Vec<_> = tables.iter().map(|table| table.point.clone()).collect();
        let points = HookPoint::ALL.iter().filter(|point| point.is_of(of));
        let mut all: Vec<_> = points.map(|point| point.name().to_owned()).collect();
        named.sort();
        named.dedup();
        all.sort();
        assert_eq!(named, all, "{family:?}");
        let whole = |point: &String| tables.iter().any(|table| table.title == *point);
        assert!(all.iter().all(whole), "{family:?}: only special tables");
    }
}

#[test]
fn every_dhcpv4_hook_point_does_what_is_expected_of_each_behaviour() {
    plays_as_expected(Subject::Outrigger, Family::V4);
}

#[test]
fn every_dhcpv6_hook_point_does_what_is_expected_of_each_behaviour() {
    plays_as_expected(Subject::Outrigger, Family::V6);
}

#[test]
fn kea_differs_in_dhcpv4_only_where_the_table_says_so() {
    plays_as_expected(Subject::Kea, Family::V4);
}

#[test]
fn kea_differs_in_dhcpv6_only_where_the_table_says_so() {
    plays_as_expected(Subject::Kea, Family::V6);
}

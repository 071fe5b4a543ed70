//! The tool against servers that make errors on purpose: each is found, and only that one.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod fake;

use std::collections::HashSet;
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use fake::{FakeServer, Mischief, v4, v6};
use serde_json::Value;

/// Both families under their scenario names, with the prefix that is expected.
const FAMILIES: [(&str, &str, &str); 2] = [
    ("dora", "127.0.0.1:0", "10.9.0.0/16"),
    ("sarr", "[::1]:0", "2001:db8::/32"),
];

fn start(scenario: &str, mischief: Mischief) -> FakeServer {
    if matches!(scenario, "dora" | "renew") {
        FakeServer::start("127.0.0.1:0", move |query| v4::answer(query, mischief))
    } else {
        FakeServer::start("[::1]:0", move |query| v6::answer(query, mischief))
    }
}

fn load(scenario: &str, mischief: Mischief, more: &[&str]) -> (Output, Value) {
    start(scenario, mischief).load(scenario, more)
}

/// The server errors that were found.
fn kinds(report: &Value) -> Vec<String> {
    let kinds = report["server_errors_by_kind"].as_object().unwrap();
    kinds
        .iter()
        .filter(|(_, count)| **count != 0)
        .map(|(kind, _)| kind.clone())
        .collect()
}

#[test]
fn each_error_of_a_server_is_found_and_is_the_only_one() {
    for (mischief, kind) in [
        (Mischief::SameAddress, "duplicate_address"),
        (Mischief::OtherAddress, "other_address"),
        (Mischief::OtherServer, "other_server"),
        (Mischief::OutsidePrefix, "outside_prefix"),
        (Mischief::NoRelayEcho, "relay_echo"),
        (Mischief::NoServerId, "missing_server_id"),
        (Mischief::OtherClient, "wrong_client"),
        (Mischief::GrantsAtOnce, "wrong_type"),
        (Mischief::WrongXid, "wrong_xid"),
        (Mischief::Cut, "malformed"),
    ] {
        for (scenario, _, prefix) in FAMILIES {
            let (output, report) = load(
                scenario,
                mischief,
                &["--exchanges", "4", "--expect-prefix", prefix],
            );
            assert_eq!(
                kinds(&report),
                [kind],
                "{scenario} {mischief:?}: {report:#}"
            );
            assert_eq!(output.status.code(), Some(1), "{scenario} {mischief:?}");
        }
    }
}

#[test]
fn a_correct_server_is_found_correct() {
    for (scenario, _, prefix) in FAMILIES {
        let (output, report) = load(
            scenario,
            Mischief::None,
            &["--exchanges", "40", "--expect-prefix", prefix],
        );
        assert_eq!(output.status.code(), Some(0), "{report:#}");
        assert_eq!(
            (&report["completed"], &report["lost"]),
            (&40.into(), &0.into()),
            "{report:#}"
        );
        assert!(report["latency_us"]["exchange"]["p99.9"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn answers_that_come_twice_are_late_and_no_error() {
    for (scenario, ..) in FAMILIES {
        let (output, report) = load(scenario, Mischief::AnswersTwice, &["--exchanges", "40"]);
        assert_eq!(output.status.code(), Some(0), "{report:#}");
        assert_eq!(report["completed"], 40);
        assert!(report["late"].as_u64().unwrap() >= 40, "{report:#}");
    }
}

#[test]
fn refusals_are_counted_and_nothing_is_completed() {
    for (scenario, ..) in FAMILIES {
        let (output, report) = load(scenario, Mischief::Refuses, &["--exchanges", "6"]);
        assert_eq!(
            (&report["naks"], &report["completed"]),
            (&6.into(), &0.into()),
            "{report:#}"
        );
        assert_eq!(output.status.code(), Some(3));
    }
}

#[test]
fn renewals_keep_the_addresses_that_were_acquired_first() {
    for scenario in ["renew", "renew6"] {
        let (output, report) = load(scenario, Mischief::None, &["--exchanges", "12"]);
        assert_eq!(output.status.code(), Some(0), "{report:#}");
        assert_eq!(
            (&report["acquired"], &report["completed"]),
            (&4.into(), &12.into())
        );
        assert_eq!(report["latency_us"]["second_half"], Value::Null);
    }
}

#[test]
fn a_silent_server_ends_the_run_unless_told_to_keep_going() {
    for (scenario, ..) in FAMILIES {
        let (output, report) = load(scenario, Mischief::Silent, &["--seconds", "30"]);
        assert_eq!(report["ended"], "server-silent", "{report:#}");
        assert_eq!(output.status.code(), Some(3));
        let (_, report) = load(
            scenario,
            Mischief::Silent,
            &["--seconds", "1", "--keep-going"],
        );
        assert_eq!(report["ended"], "seconds", "{report:#}");
        assert!(report["lost"].as_u64().unwrap() >= 8, "{report:#}");
    }
}

#[test]
fn a_server_that_was_away_costs_what_was_under_way_and_nothing_else() {
    for (scenario, address, prefix) in FAMILIES {
        let heard = AtomicU32::new(0);
        let server = FakeServer::start(address, move |query| {
            let mischief = match heard.fetch_add(1, Ordering::Relaxed) {
                100..150 => Mischief::Silent,
                _ => Mischief::None,
            };
            if scenario == "dora" {
                v4::answer(query, mischief)
            } else {
                v6::answer(query, mischief)
            }
        });
        let more = [
            "--exchanges",
            "100",
            "--keep-going",
            "--expect-prefix",
            prefix,
        ];
        let (output, report) = server.load(scenario, &more);
        let lost = report["lost"].as_u64().unwrap();
        assert!((4..=25).contains(&lost), "{report:#}");
        assert_eq!(
            report["completed"].as_u64().unwrap() + lost,
            100,
            "{report:#}"
        );
        assert_eq!(output.status.code(), Some(0), "{report:#}");
    }
}

#[test]
fn a_port_where_nobody_listens_is_a_silent_server() {
    for (scenario, address, _) in FAMILIES {
        let mut server = FakeServer::start(address, |_| Vec::new());
        server.stop();
        let (output, report) = server.load(scenario, &["--exchanges", "8"]);
        assert_eq!(report["ended"], "server-silent", "{report:#}");
        assert_eq!(output.status.code(), Some(3));
    }
}

#[test]
fn a_server_that_only_offers_costs_one_lost_exchange_per_client_and_round() {
    for (scenario, ..) in FAMILIES {
        let (_, report) = load(scenario, Mischief::SilentToRequests, &["--exchanges", "8"]);
        assert_eq!(
            (&report["lost"], &report["retransmits"]),
            (&8.into(), &8.into()),
            "{report:#}"
        );
    }
}

#[test]
fn an_open_loop_starts_at_its_rate() {
    let (_, report) = load("dora", Mischief::None, &["--seconds", "1", "--rate", "200"]);
    let turns = report["started"].as_u64().unwrap() + report["not_started"].as_u64().unwrap();
    assert!((150..=210).contains(&turns), "{report:#}");
}

#[test]
fn acknowledged_leases_are_written_and_bind_a_later_run() {
    let folder = tempfile::tempdir().unwrap();
    let leases = folder.path().join("leases");
    let path = leases.to_str().unwrap();
    for (scenario, again, prefix) in [
        ("dora", "renew", "10.9.0."),
        ("sarr", "renew6", "2001:db8::"),
    ] {
        load(
            scenario,
            Mischief::None,
            &["--exchanges", "4", "--leases-out", path],
        );
        let text = std::fs::read_to_string(&leases).unwrap();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        assert_eq!(
            lines
                .iter()
                .map(|line| line[0])
                .collect::<HashSet<_>>()
                .len(),
            4,
            "{text}"
        );
        assert!(
            lines.iter().all(|line| line[1].starts_with(prefix)),
            "{text}"
        );

        // The clients of the first run renew without acquiring anything again.
        let (_, report) = load(
            again,
            Mischief::None,
            &["--exchanges", "4", "--leases-in", path],
        );
        assert_eq!(
            (
                &report["acquired"],
                &report["completed"],
                &report["server_errors"]
            ),
            (&4.into(), &4.into(), &0.into())
        );

        // Another client is given an address of the first run.
        let more = [
            "--exchanges",
            "4",
            "--leases-in",
            path,
            "--first-client",
            "256",
        ];
        let (output, report) = load(scenario, Mischief::None, &more);
        assert_eq!(kinds(&report), ["duplicate_address"], "{report:#}");
        assert_eq!(output.status.code(), Some(1));
        std::fs::remove_file(&leases).unwrap();
    }
}

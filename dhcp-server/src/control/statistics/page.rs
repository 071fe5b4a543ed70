//! The page of statistics: every name that can appear, and what it means.

use super::super::tests::{Fixture, fixture4, fixture6};
use super::*;
use outrigger_hooks::{
    Cause, FailureCount, RefusedCount, ResultCount, ServiceCounters, ServiceState,
};
use outrigger_proto::{HookPoint, NextStep, OnFailure};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "\
# Statistics

Made from the table in `dhcp-server/src/control/statistics/page.rs`; `UPDATE=1 cargo test -p outrigger-server --lib` writes it anew.

`statistic-get-all` answers all of them, each with its newest value alone. Names without `outrigger.` are Kea's, with Kea's meaning; `N` is 4 or 6.
Numbers count from the start of the server, over reloads of the configuration, but for those that say *now*.

| Name | |
|---|---|
";

/// Words in capitals stand for what a name is made with.
const ROWS: &[(&str, &str)] = &[
    ("pktN-received", "Packets that came."),
    (
        "pktN-TYPE-received",
        "Those of one message type: `discover`, `solicit`, …; `unknown` for what is none.",
    ),
    ("pktN-sent", "Answers that were sent."),
    (
        "pktN-TYPE-sent",
        "Those of one message type: `offer`, `reply`, …",
    ),
    (
        "pktN-receive-drop",
        "Packets without an answer, of all causes below. What hook services decide is not among them.",
    ),
    (
        "pktN-admin-filtered",
        "Packets of the class DROP, and others that the configuration keeps out.",
    ),
    (
        "pktN-duplicate",
        "Packets of a client that was being served already.",
    ),
    ("pktN-not-for-us", "Packets for another server."),
    ("pktN-parse-failed", "Packets that cannot be read."),
    (
        "pktN-processing-failed",
        "Packets that could not be served: no subnet, no lease left, a lease store that takes no change, a failed hook call whose policy is to drop.",
    ),
    (
        "pktN-queue-full",
        "Packets shed because too many waited, or were held at a hook point (`parked-packet-limit`).",
    ),
    (
        "pktN-rfc-violation",
        "Packets that the standard tells to ignore.",
    ),
    (
        "pktN-service-disabled",
        "Packets that came while a hook service had disabled the service, or that a server which stops left behind.",
    ),
    ("assigned-addresses", "IPv4 leases now, declined ones too."),
    (
        "assigned-nas",
        "IPv6 address leases now, declined ones too.",
    ),
    ("assigned-pds", "Prefix leases now."),
    ("declined-addresses", "Declined addresses now."),
    (
        "registered-nas",
        "Addresses now that clients made and registered (RFC 9686).",
    ),
    ("subnet[ID].NAME", "The same of one subnet."),
    (
        "subnet[ID].total-NAME",
        "Addresses or prefixes of its pools.",
    ),
    (
        "subnet[ID].pool[POOL].NAME",
        "The same of its address pools with one `pool-id`.",
    ),
    (
        "subnet[ID].pd-pool[POOL].NAME",
        "The same of its prefix pools with one `pool-id`.",
    ),
    (
        "outrigger.discard[REASON]",
        "Packets without an answer, by the one reason of each; see below.",
    ),
    (
        "outrigger.commands-not-shown",
        "Commands that no service saw at `command_processed`, because too many commands waited for services.",
    ),
    (
        "outrigger.hook-service[NAME].enabled",
        "1 now; 0 where `hook-service-disable` took it out of the path.",
    ),
    (
        "outrigger.hook-service[NAME].ready",
        "1 now where each shard reaches it, else 0.",
    ),
    (
        "outrigger.hook-service[NAME].sessions",
        "Connections now that can be called, of all shards.",
    ),
    (
        "outrigger.hook-service[NAME].sessions-opened",
        "Sessions that it welcomed.",
    ),
    (
        "outrigger.hook-service[NAME].batches",
        "Messages with calls that were sent to it.",
    ),
    (
        "outrigger.hook-service[NAME].result[POINT][STEP]",
        "Results by hook point and next step. A call that was parked has two: `PARK`, and its final one.",
    ),
    (
        "outrigger.hook-service[NAME].failures",
        "Calls without a valid result.",
    ),
    (
        "outrigger.hook-service[NAME].failure[POINT][CAUSE][ACTION]",
        "The same by hook point, cause, and what the policy did: `continue` or `drop`.",
    ),
    (
        "outrigger.hook-service[NAME].refused-changes",
        "Changes that it may not make, or that are impossible. Each made a call fail.",
    ),
    (
        "outrigger.hook-service[NAME].refused-change[POINT][PATH]",
        "The same by hook point and row of the table of hook points.",
    ),
    (
        "outrigger.hook-service[NAME].parked",
        "Packets that it holds now.",
    ),
    (
        "outrigger.hook-service[NAME].parked-total",
        "Packets that it held.",
    ),
    (
        "outrigger.hook-service[NAME].late-replies",
        "Replies that came when nobody waited any more.",
    ),
    (
        "outrigger.hook-service[NAME].unknown-replies",
        "Replies to calls that were never made.",
    ),
    (
        "outrigger.hook-service[NAME].unsupported-steps",
        "Next steps that the hook point does not have; they count as CONTINUE.",
    ),
    (
        "outrigger.hook-service[NAME].warnings",
        "Results with a warning.",
    ),
];

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (name, about) in ROWS {
        writeln!(page, "| `{name}` | {about} |").unwrap();
    }
    page.push_str(
        "\n## Reasons of packets without an answer\n\n| REASON | Counts as | |\n|---|---|---|\n",
    );
    for reason in DiscardReason::ALL {
        let counts_as = cause(*reason).map_or_else(String::new, |cause| format!("`pktN-{cause}`"));
        let meaning = reason.meaning().trim();
        writeln!(page, "| `{}` | {counts_as} | {meaning} |", reason.name()).unwrap();
    }
    page
}

#[test]
fn the_page_of_statistics_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/statistics.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(committed, page(), "UPDATE=1 writes it anew");
}

/// Something of everything that is counted of services.
fn counters() -> ServiceCounters {
    let point = HookPoint::Leases4Committed;
    let result = |step, count| ResultCount { point, step, count };
    let failure = |action, count| FailureCount {
        point,
        cause: Cause::Deadline,
        action,
        count,
    };
    ServiceCounters {
        service: "user-chk".to_owned(),
        results: vec![result(NextStep::Continue, 5), result(NextStep::Park, 2)],
        failures: vec![failure(OnFailure::Continue, 2), failure(OnFailure::Drop, 1)],
        refused_changes: vec![RefusedCount {
            point,
            path: "response.options",
            count: 3,
        }],
        late_replies: 4,
        unknown_replies: 6,
        warnings: 7,
        unsupported_steps: 8,
        sessions_opened: 1,
        batches: 9,
    }
}

fn state() -> ServiceState {
    ServiceState {
        name: "user-chk".to_owned(),
        endpoints: Vec::new(),
        enabled: false,
        ready: true,
        why: None,
        connections: 3,
        parked: 2,
    }
}

#[test]
fn what_services_counted_adds_up_under_their_names() {
    let mut values = Values::new();
    hook_service(&counters(), &mut values);
    hook_service(&counters(), &mut values);
    hooks::hook_state(&state(), &mut values);
    for (name, value) in [
        ("result[leases4_committed][CONTINUE]", 10),
        ("result[leases4_committed][PARK]", 4),
        ("failures", 6),
        ("failure[leases4_committed][deadline][continue]", 4),
        ("failure[leases4_committed][deadline][drop]", 2),
        ("refused-changes", 6),
        ("refused-change[leases4_committed][response.options]", 6),
        ("parked-total", 4),
        ("parked", 2),
        ("enabled", 0),
        ("ready", 1),
        ("sessions", 3),
        ("sessions-opened", 2),
        ("late-replies", 8),
        ("unknown-replies", 12),
        ("warnings", 14),
        ("unsupported-steps", 16),
        ("batches", 18),
    ] {
        let name = format!("outrigger.hook-service[user-chk].{name}");
        assert_eq!(values.get(&name), Some(&value), "{name}: {values:?}");
    }
}

#[tokio::test]
async fn every_statistic_is_on_the_page_and_every_row_of_it_appears() {
    fn rows_of<F: Commanded>(server: &Fixture<F>) -> BTreeSet<String> {
        let values = server.control.values();
        values.keys().map(|name| row::<F>(name)).collect()
    }
    let mut seen = rows_of(&fixture4());
    seen.extend(rows_of(&fixture6()));
    let mut values = Values::new();
    hook_service(&counters(), &mut values);
    hooks::hook_state(&state(), &mut values);
    seen.extend(values.keys().map(|name| row::<outrigger_wire::V4>(name)));
    let rows: BTreeSet<String> = ROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(seen, rows);
}

/// The row of the page that a name belongs to.
fn row<F: Commanded>(name: &str) -> String {
    let leases = |rest: &str| {
        let total = rest.starts_with("total-");
        if total { "total-NAME" } else { "NAME" }
    };
    if let Some(rest) = name.strip_prefix(&format!("{}-", F::PKT)) {
        let mut types = F::RECEIVED.iter().chain(F::SENT).map(|(name, _)| *name);
        let word = rest
            .split_once("-received")
            .or_else(|| rest.split_once("-sent"));
        return match word {
            Some((word, "")) if word == "unknown" || types.any(|known| known == word) => {
                format!("pktN-TYPE{}", &rest[word.len()..])
            }
            _ => format!("pktN-{rest}"),
        };
    }
    if let Some((of_subnet, rest)) = name.split_once("].") {
        let pool = rest.split_once("].").map(|(pool, _)| pool);
        match (of_subnet.split_once('['), pool) {
            (Some(("subnet", _)), None) => return format!("subnet[ID].{}", leases(rest)),
            (Some(("subnet", _)), Some(pool)) => {
                let kind = pool.split('[').next().unwrap();
                return format!("subnet[ID].{kind}[POOL].NAME");
            }
            _ => {}
        }
        for (word, places) in [
            ("result", "result[POINT][STEP]"),
            ("failure", "failure[POINT][CAUSE][ACTION]"),
            ("refused-change", "refused-change[POINT][PATH]"),
        ] {
            if rest.starts_with(&format!("{word}[")) {
                return format!("outrigger.hook-service[NAME].{places}");
            }
        }
        return format!("outrigger.hook-service[NAME].{rest}");
    }
    if name.starts_with("outrigger.discard[") {
        return "outrigger.discard[REASON]".to_owned();
    }
    name.to_owned()
}

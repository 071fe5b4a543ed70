//! What both families' clients have in common.

use serde_json::Value;

use crate::config::VALID;
use crate::control::Statistics;
use crate::marks::{NAME, OTHER_SUBNET};

/// One client after the other, and what is seen of them.
pub(crate) trait Clients {
    /// Goes on with another client, which the server has never heard of.
    fn next(&mut self, number: u16);

    /// What the client does before callouts behave as they are told. Returns how often it was answered.
    fn prepare(&mut self, scenario: &str) -> i128;

    /// What it does then, and what it is answered; none where the scenario is not the client's. `expected` tells how long
    /// to wait.
    fn act(&mut self, scenario: &str, expected: &str) -> Option<String>;

    /// Whether a lease is that of the reserved address.
    fn is_reserved(&self, lease: &Value) -> bool;

    /// What is counted: in the table, and Kea's name of it, with or without the subnet before it.
    fn counters(&self) -> &'static [(&'static str, &'static str)];
}

/// Seconds as the table has them: a lease that was granted some seconds ago has less than all of its time.
pub(crate) fn lifetime(seconds: u32) -> String {
    if (VALID - 60..VALID).contains(&seconds) {
        return "left".to_owned();
    }
    seconds.to_string()
}

/// The store as the table has it. `since` is when the leases were made.
pub(crate) fn store(clients: &dyn Clients, leases: &[Value], since: Option<u64>) -> String {
    let mut shown: Vec<_> = leases
        .iter()
        .map(|lease| show(clients, lease, since))
        .collect();
    shown.sort();
    match shown.as_slice() {
        [] => "-".to_owned(),
        some => some.join(", "),
    }
}

fn show(clients: &dyn Clients, lease: &Value, since: Option<u64>) -> String {
    let state = match lease["state"].as_u64() {
        Some(0) => "",
        Some(1) => "declined",
        Some(2) => "reclaimed",
        Some(3) => "released",
        Some(4) => "registered ",
        _ => "unknown",
    };
    let mut text = state.to_owned();
    if matches!(state, "" | "registered ") {
        text += &lease["valid-lft"].to_string();
    }
    let extended = since.is_some_and(|since| lease["cltt"].as_u64() > Some(since));
    let again = state.is_empty() && extended;
    for (holds, word) in [
        (lease["subnet-id"] == OTHER_SUBNET, " elsewhere"),
        (clients.is_reserved(lease), " reserved"),
        (
            lease["hostname"]
                .as_str()
                .is_some_and(|name| name.starts_with(NAME)),
            " named",
        ),
        (again, " again"),
    ] {
        if holds {
            text += word;
        }
    }
    text
}

/// When the leases were made.
pub(crate) fn made(leases: &[Value]) -> Option<u64> {
    leases
        .iter()
        .filter_map(|lease| lease["cltt"].as_u64())
        .max()
}

/// What was counted meanwhile, under the table's names: Kea's statistics, and our own.
pub(crate) fn counted(
    clients: &dyn Clients,
    before: &Statistics,
    after: &Statistics,
) -> (String, String) {
    let change = |name: &str| {
        let of = |all: &Statistics| all.get(name).copied().unwrap_or_default();
        of(after) - of(before)
    };
    let sum = |wanted: &dyn Fn(&str) -> bool| -> i128 {
        after
            .keys()
            .filter(|name| wanted(name))
            .map(|name| change(name))
            .sum()
    };
    let mut counted = Vec::new();
    for (word, name) in clients.counters() {
        let number = if name.starts_with("pkt") {
            change(name)
        } else {
            sum(&|known| is_of_subnet(known, name))
        };
        add(&mut counted, word, number);
    }
    let mut hooks = Vec::new();
    for name in after.keys() {
        let reason = name
            .strip_prefix("outrigger.discard[")
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(reason) = reason {
            add(&mut hooks, reason, change(name));
        }
    }
    for word in ["failures", "warnings", "unsupported-steps"] {
        let of_service = |known: &str| {
            known.starts_with("outrigger.hook-service[") && known.ends_with(&format!("].{word}"))
        };
        add(&mut hooks, word, sum(&of_service));
    }
    (joined(&counted), joined(&hooks))
}

/// `subnet[2].assigned-nas`, but not that of a pool.
fn is_of_subnet(known: &str, name: &str) -> bool {
    let rest = known
        .strip_prefix("subnet[")
        .and_then(|rest| rest.split_once("]."));
    rest.is_some_and(|(_, of_subnet)| of_subnet == name)
}

fn add(to: &mut Vec<String>, word: &str, number: i128) {
    if number != 0 {
        to.push(format!("{word} {number}"));
    }
}

fn joined(texts: &[String]) -> String {
    match texts {
        [] => "-".to_owned(),
        some => some.join(", "),
    }
}

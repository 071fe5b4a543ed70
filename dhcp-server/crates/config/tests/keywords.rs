//! Every keyword of Kea's current versions is known in every scope that may have it.

use outrigger_config::diagnostic::{Diagnostic, Severity};
use outrigger_config::load_text;

fn problems(text: &str) -> Vec<Diagnostic> {
    load_text("keywords", text).diagnostics
}

/// What is not built is refused by that name; nothing else in these files is wrong.
fn check(text: &str) {
    let problems = problems(text);
    assert!(!problems.is_empty());
    for problem in problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
    {
        assert!(problem.text.contains("not built yet"), "{problem}");
    }
}

#[test]
fn every_keyword_of_dhcpv4_is_known() {
    check(include_str!("keywords/dhcp4.json"));
}

#[test]
fn every_keyword_of_dhcpv6_is_known() {
    check(include_str!("keywords/dhcp6.json"));
}

#[test]
fn what_has_no_effect_is_said_once_per_place() {
    let problems = problems(include_str!("keywords/dhcp6.json"));
    let about = |key: &str| {
        problems
            .iter()
            .filter(|problem| problem.text.starts_with(key))
            .count()
    };
    assert_eq!(about("cache-threshold "), 3);
    assert_eq!(about("server-tag "), 1);
    assert_eq!(about("ddns-replace-client-name "), 0);
}

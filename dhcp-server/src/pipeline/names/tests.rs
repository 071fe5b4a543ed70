//! What both families do alike.

use super::*;
use outrigger_config::model::{ConflictResolutionMode, HostnameCharSet};

/// Kea's defaults, with a suffix.
pub(super) fn parameters() -> DdnsParameters {
    DdnsParameters {
        send_updates: true,
        override_no_update: false,
        override_client_update: false,
        replace_client_name: ReplaceClientName::Never,
        generated_prefix: "myhost".into(),
        qualifying_suffix: "example.org".into(),
        hostname_char_set: HostnameCharSet::new("[^A-Za-z0-9.-]").ok(),
        hostname_char_replacement: "".into(),
        update_on_renew: false,
        conflict_resolution_mode: ConflictResolutionMode::CheckWithDhcid,
        ttl: None,
        ttl_percent: None,
        ttl_min: None,
        ttl_max: None,
    }
}

/// How a row of a table differs from [`parameters`].
pub(super) type Change = fn(&mut DdnsParameters);

pub(super) fn changed(change: Change) -> DdnsParameters {
    let mut parameters = parameters();
    change(&mut parameters);
    parameters
}

pub(super) fn replace(mode: ReplaceClientName) -> DdnsParameters {
    DdnsParameters {
        replace_client_name: mode,
        ..parameters()
    }
}

#[test]
fn a_suffix_is_appended_once() {
    let table = [
        ("pc", "example.org", "pc.example.org"),
        ("pc.", "example.org.", "pc.example.org"),
        ("pc", "", "pc"),
        ("pc", ".", "pc"),
        ("pc.example.org", "example.org", "pc.example.org"),
        ("pc.example.org.", "example.org", "pc.example.org"),
        ("pc.example.org", "example.org.", "pc.example.org"),
        (
            "pc.myexample.org",
            "example.org",
            "pc.myexample.org.example.org",
        ),
        ("example.org", "example.org", "example.org"),
        ("org", "example.org", "org.example.org"),
    ];
    for (name, suffix, expected) in table {
        assert_eq!(qualified(name, suffix, false), expected);
        assert_eq!(qualified(name, suffix, true), format!("{expected}."));
    }
}

#[test]
fn names_are_made_from_addresses() {
    let table = [
        ("192.0.2.1", "myhost-192-0-2-1.example.org"),
        ("2001:db8::1", "myhost-2001-db8--1.example.org"),
        ("2001:db8::", "myhost-2001-db8--0.example.org"),
        ("::1", "myhost---1.example.org"),
    ];
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), false);
    for (address, expected) in table {
        let address = address.parse().unwrap();
        assert_eq!(generated_name(rules, address, false), expected);
        assert_eq!(generated_name(rules, address, true), format!("{expected}."));
    }
    let own = changed(|p| {
        p.generated_prefix = "DSL.pool".into();
        p.qualifying_suffix = "".into();
    });
    let rules = Rules::new(Some(&own), false);
    let address = "192.0.2.1".parse().unwrap();
    assert_eq!(generated_name(rules, address, false), "dsl.pool-192-0-2-1");
}

const FQDN: NameReply = NameReply::Fqdn {
    client_s: true,
    ascii: false,
};

fn decision(hostname: &str, reply: NameReply) -> NameDecision {
    NameDecision {
        hostname: match hostname {
            "" => Hostname::None,
            name => Hostname::Known(name.to_owned()),
        },
        fwd: true,
        rev: true,
        reply,
    }
}

#[test]
fn a_made_name_is_filled_in_once() {
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), true);
    let address = "192.0.2.7".parse().unwrap();
    let mut made = decision("", FQDN);
    made.hostname = Hostname::Generate;
    made.settle(address, rules);
    assert_eq!(made.hostname.as_str(), "myhost-192-0-2-7.example.org.");
    made.settle("192.0.2.8".parse().unwrap(), rules);
    assert_eq!(made.hostname.as_str(), "myhost-192-0-2-7.example.org.");
    let mut made = NameDecision {
        hostname: Hostname::Generate,
        ..decision("", NameReply::HostName)
    };
    made.settle(address, rules);
    assert_eq!(made.hostname.as_str(), "myhost-192-0-2-7.example.org");

    let bad = changed(|p| p.qualifying_suffix = "a..b".into());
    let mut made = NameDecision {
        hostname: Hostname::Generate,
        ..decision("", FQDN)
    };
    made.settle(address, Rules::new(Some(&bad), true));
    assert_eq!(made, NameDecision::default());
}

#[test]
fn a_callout_changes_name_and_directions() {
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), true);
    let name = |hostname| NameUpdate {
        hostname: Some(hostname),
        ..NameUpdate::default()
    };
    let directions = |fwd, rev| NameUpdate {
        hostname: None,
        fwd: Some(fwd),
        rev: Some(rev),
    };
    let apply = |reply, update| {
        let mut decision = decision("pc.example.org.", reply);
        let changed = decision.apply_hook(update, rules);
        changed.map(|changed| (changed, decision))
    };
    let expected = |hostname: &str, fwd, rev, reply| NameDecision {
        fwd,
        rev,
        ..decision(hostname, reply)
    };

    let same = expected("pc.example.org.", true, true, FQDN);
    for update in [
        NameUpdate::default(),
        name("pc.example.org."),
        directions(true, true),
    ] {
        assert_eq!(apply(FQDN, update), Ok((false, same.clone())));
    }
    for (update, wanted) in [
        (
            name("New.Example.Org"),
            expected("new.example.org", true, true, FQDN),
        ),
        (
            directions(false, true),
            expected("pc.example.org.", false, true, FQDN),
        ),
        (
            directions(true, false),
            expected("pc.example.org.", true, false, FQDN),
        ),
        (
            directions(false, false),
            expected("pc.example.org.", false, false, FQDN),
        ),
    ] {
        assert_eq!(apply(FQDN, update), Ok((true, wanted)));
    }
    for (reply, wanted) in [
        (FQDN, Hostname::Generate),
        (NameReply::HostName, Hostname::Generate),
        (NameReply::None, Hostname::None),
    ] {
        assert_eq!(apply(reply, name("")).unwrap().1.hostname, wanted);
    }
}

#[test]
fn a_callout_cannot_switch_updates_on_where_none_are_sent() {
    let none_sent = changed(|p| p.send_updates = false);
    let parameters = parameters();
    let both_on = NameUpdate {
        fwd: Some(true),
        rev: Some(true),
        ..NameUpdate::default()
    };
    for (rules, on) in [
        (Rules::new(Some(&parameters), true), true),
        (Rules::new(Some(&parameters), false), false),
        (Rules::new(Some(&none_sent), true), false),
        (Rules::default(), false),
    ] {
        let mut off = NameDecision {
            fwd: false,
            rev: false,
            ..decision("pc.", FQDN)
        };
        assert_eq!(off.apply_hook(both_on, rules), Ok(on));
        assert_eq!((off.fwd, off.rev), (on, on));
    }
}

#[test]
fn a_name_of_a_callout_that_is_none_changes_nothing() {
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), true);
    let long = "a".repeat(64);
    for (hostname, error) in [
        ("a..b", NameError::Empty),
        (".", NameError::Empty),
        (long.as_str(), NameError::Label),
        ("a\nb", NameError::Text),
        ("a\\", NameError::Escape),
    ] {
        let mut decision = decision("pc.example.org.", FQDN);
        let before = decision.clone();
        let update = NameUpdate {
            hostname: Some(hostname),
            fwd: Some(false),
            rev: Some(false),
        };
        assert_eq!(decision.apply_hook(update, rules), Err(error));
        assert_eq!(decision, before);
    }
}

use super::*;
use crate::pipeline::names::tests::{Change, changed, parameters, replace};
use crate::pipeline::names::{NameUpdate, Rules};
use outrigger_config::load_text;
use outrigger_config::model::{Config, HostnameCharSet, ReplaceClientName};
use outrigger_wire::v4::{Header4, MessageType};
use proptest::prelude::*;
use std::sync::Arc;

fn query(options: &[(u16, &[u8])]) -> Packet4 {
    let mut packet = Packet4 {
        header: Header4::default(),
        options: Options::new(),
        message_type: Some(MessageType::Discover),
    };
    for (code, payload) in options {
        packet.options.push(*code, payload);
    }
    packet
}

/// Hostname, directions, and the options of the reply once a name that is made has its address.
fn shown(
    mut decision: NameDecision,
    rules: Rules<'_>,
) -> (String, bool, bool, Vec<(u16, Vec<u8>)>) {
    decision.settle(Ipv4Addr::new(192, 0, 2, 1).into(), rules);
    let mut options = Options::new();
    name_options(&decision, &mut options);
    let options = options
        .iter()
        .map(|(code, payload)| (code, payload.to_vec()));
    let hostname = decision.hostname.as_str().to_owned();
    (hostname, decision.fwd, decision.rev, options.collect())
}

const S: u8 = 1;
const O: u8 = 2;
const E: u8 = 4;
const N: u8 = 8;

/// A name as option 81 carries it behind its flags.
fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    DomainName::from_text(name.as_bytes())
        .unwrap()
        .write_with_root(&mut bytes);
    bytes
}

#[test]
fn flags_of_the_reply_follow_those_of_the_client_and_the_parameters() {
    let plain: Change = |_| {};
    let none: Change = |p| p.send_updates = false;
    let no_update: Change = |p| p.override_no_update = true;
    let client_update: Change = |p| p.override_client_update = true;
    let both: Change = |p| {
        p.override_no_update = true;
        p.override_client_update = true;
    };
    // The client's flags, parameters, whether updates are enabled; the reply's flags, forward, reverse.
    let table = [
        (0, plain, true, 0, false, true),
        (0, no_update, true, 0, false, true),
        (0, client_update, true, S | O, true, true),
        (0, both, true, S | O, true, true),
        (0, none, true, N, false, false),
        (0, both, false, N, false, false),
        (S, plain, true, S, true, true),
        (S, both, true, S, true, true),
        (S, none, true, N | O, false, false),
        (S, plain, false, N | O, false, false),
        (N, plain, true, N, false, false),
        (N, client_update, true, N, false, false),
        (N, no_update, true, S | O, true, true),
        (N, none, true, N, false, false),
        (N, both, false, N, false, false),
        // Flag O and the reserved ones are the server's to set.
        (S | O | 0xf0, plain, true, S, true, true),
    ];
    for (sent, change, enabled, replied, fwd, rev) in table {
        for e in [0, E] {
            let parameters = changed(change);
            let rules = Rules::new(Some(&parameters), enabled);
            let name = if e == 0 {
                b"pc.example.com.".to_vec()
            } else {
                wire("pc.example.com.")
            };
            let payload = [&[sent | e, 7, 8][..], &name].concat();
            let decision = decide(&query(&[(81, &payload)]), None, rules);
            let reply = [&[replied | e, 255, 255][..], &name].concat();
            let expected = ("pc.example.com.".to_owned(), fwd, rev, vec![(81, reply)]);
            assert_eq!(shown(decision, rules), expected, "{sent} {enabled}");
        }
    }
}

#[test]
fn names_in_option_81() {
    use ReplaceClientName::{Always, Never, WhenNotPresent, WhenPresent};
    const MADE: &str = "myhost-192-0-2-1.example.org.";
    // The name as bytes, the reserved one, the mode; what the client is called.
    let table: [(&[u8], Option<&str>, ReplaceClientName, &str); 19] = [
        (b"\x02PC\0", None, Never, "pc."),
        (b"\x02PC", None, Never, "pc.example.org."),
        (b"\x02pc\x03lab", None, Never, "pc.lab.example.org."),
        (b"\x02pc\x07example\x03org", None, Never, "pc.example.org."),
        (b"\x08my_phone\0", None, Never, "myphone."),
        (b"\x03a.b\0", None, Never, "a.b."),
        (b"\x02pc\0", None, WhenNotPresent, "pc."),
        (b"\x02pc\0", None, WhenPresent, MADE),
        (b"\x02pc\0", None, Always, MADE),
        (b"", None, Never, MADE),
        (b"\0", None, Never, MADE),
        (b"", None, WhenPresent, MADE),
        (
            b"\x02pc\0",
            Some("Reserved"),
            Never,
            "reserved.example.org.",
        ),
        (b"\x02pc\0", Some("r.example.org"), Always, "r.example.org."),
        (b"", Some("r"), Never, "r.example.org."),
        (b"\x02pc\0", Some(""), Never, "pc."),
        // Nothing is left of a label: no name at all.
        (b"\x02pc\x01_\0", None, Never, ""),
        (b"\x01_", None, Never, ""),
        (b"\x02pc\0", Some("a..b"), Never, ""),
    ];
    for (name, reserved, mode, expected) in table {
        let parameters = replace(mode);
        let rules = Rules::new(Some(&parameters), true);
        let payload = [&[S | E, 0, 0][..], name].concat();
        let decision = decide(&query(&[(81, &payload), (12, b"other")]), reserved, rules);
        let reply = if expected.is_empty() {
            assert_eq!(decision, NameDecision::default());
            vec![]
        } else {
            vec![(81, [&[S | E, 255, 255][..], &wire(expected)].concat())]
        };
        let on = !expected.is_empty();
        let expected = (expected.to_owned(), on, on, reply);
        assert_eq!(shown(decision, rules), expected, "{name:?} {mode:?}");
    }
}

#[test]
fn an_option_81_that_cannot_be_read_is_none() {
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), true);
    let long = [&[0, 0, 0][..], &b"abc.".repeat(64)].concat();
    let table: [&[u8]; 9] = [
        b"",
        &[S, 0],
        &[S | N | E, 0, 0, 0],
        &[S | E, 0, 0, 5, b'a'],
        &[S | E, 0, 0, 1, b'a', 0xc0, 3],
        &[S | E, 0, 0, 0x41, b'a'],
        &[S | E, 0, 0, 0, 1, b'a'],
        b"\x01\0\0a..b",
        &long,
    ];
    for payload in table {
        let both = query(&[(81, payload), (12, b"pc")]);
        let (hostname, .., options) = shown(decide(&both, None, rules), rules);
        assert_eq!(hostname, "pc.example.org", "{payload:?}");
        assert_eq!(options, [(12, b"pc.example.org".to_vec())]);
        let alone = query(&[(81, payload)]);
        assert_eq!(decide(&alone, None, rules), NameDecision::default());
    }
}

/// What the client sent, the name reserved for it, the mode; what it is called.
type Row<'r> = (
    Option<&'r [u8]>,
    Option<&'r str>,
    ReplaceClientName,
    &'r str,
);

#[test]
fn names_in_option_12() {
    use ReplaceClientName::{Always, Never, WhenNotPresent, WhenPresent};
    const MADE: &str = "myhost-192-0-2-1.example.org";
    let long = "a".repeat(64);
    let table: [Row<'_>; 26] = [
        (Some(b"PC"), None, Never, "pc.example.org"),
        (Some(b"pc."), None, Never, "pc.example.org"),
        (Some(b"pc.lab"), None, Never, "pc.lab"),
        (Some(b"pc.lab."), None, Never, "pc.lab."),
        (Some(b" pc\0\0"), None, Never, "pc.example.org"),
        (Some(b"Bob's phone"), None, Never, "bobsphone.example.org"),
        (Some(b"caf\xc3\xa9"), None, Never, "caf.example.org"),
        (Some(b"\xff\xfe"), None, Never, ""),
        (Some(b"_"), None, Never, ""),
        (Some(b"a._"), None, Never, ""),
        (Some(b"_.a"), None, Never, ""),
        (Some(b""), None, Always, ""),
        (Some(b"\0"), None, Always, ""),
        (Some(b"a..b"), None, Always, ""),
        (Some(long.as_bytes()), None, Never, ""),
        (Some(b"."), None, Never, MADE),
        (Some(b"pc"), None, Always, MADE),
        (Some(b"pc"), None, WhenPresent, MADE),
        (Some(b"pc"), None, WhenNotPresent, "pc.example.org"),
        (None, None, Never, ""),
        (None, None, WhenPresent, ""),
        (None, None, WhenNotPresent, MADE),
        (None, None, Always, MADE),
        (None, Some("Reserved"), Never, "reserved.example.org"),
        (Some(b"pc"), Some("r.lab."), Always, "r.lab.example.org"),
        (Some(b"pc"), Some(""), Never, "pc.example.org"),
    ];
    for (sent, reserved, mode, expected) in table {
        let parameters = replace(mode);
        for enabled in [true, false] {
            let rules = Rules::new(Some(&parameters), enabled);
            let options: Vec<_> = sent.into_iter().map(|sent| (12, sent)).collect();
            let decision = decide(&query(&options), reserved, rules);
            let (reply, on) = match expected {
                "" => (vec![], false),
                name => (vec![(12, name.as_bytes().to_vec())], enabled),
            };
            let expected = (expected.to_owned(), on, on, reply);
            assert_eq!(shown(decision, rules), expected, "{sent:?} {mode:?}");
        }
    }
}

#[test]
fn without_a_character_set_names_stay_as_they_are_if_they_are_text() {
    let unscrubbed = changed(|p| p.hostname_char_set = None);
    let rules = Rules::new(Some(&unscrubbed), true);
    let host_name = |sent: &[u8]| {
        let decision = decide(&query(&[(12, sent)]), None, rules);
        decision.hostname.as_str().to_owned()
    };
    assert_eq!(host_name(b"Bob's phone"), "bob's phone.example.org");
    assert_eq!(host_name("café".as_bytes()), "café.example.org");
    assert_eq!(host_name(b"a\x1b[2J"), "");
    assert_eq!(host_name(b"\xff"), "");
    let payload = b"\x05\0\0\x04a b.\0";
    let decision = decide(&query(&[(81, payload)]), None, rules);
    let (hostname, .., options) = shown(decision, rules);
    assert_eq!(hostname, "a\\032b\\..");
    assert_eq!(options, [(81, b"\x05\xff\xff\x04a b.\0".to_vec())]);
    let partial = decide(&query(&[(81, b"\x05\0\0\x02a.")]), None, rules);
    assert_eq!(partial.hostname.as_str(), "a\\..example.org.");
}

#[test]
fn what_is_replaced_may_become_dots() {
    let dotted = changed(|p| {
        p.hostname_char_set = HostnameCharSet::new("_").ok();
        p.hostname_char_replacement = ".".into();
    });
    let rules = Rules::new(Some(&dotted), true);
    let decision = decide(&query(&[(81, b"\x05\0\0\x03a_b\0")]), None, rules);
    assert_eq!(decision.hostname.as_str(), "a.b.");
}

#[test]
fn flags_follow_the_directions_that_a_callout_leaves() {
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), true);
    for (fwd, rev, flags) in [
        (true, true, S),
        (true, false, S),
        (false, true, O),
        (false, false, N | O),
    ] {
        let mut decision = decide(&query(&[(81, b"\x05\0\0\x02pc\0")]), None, rules);
        let update = NameUpdate {
            hostname: Some("new.example.com"),
            fwd: Some(fwd),
            rev: Some(rev),
        };
        decision.apply_hook(update, rules).unwrap();
        let mut options = Options::new();
        // What a callout put there itself gives way.
        options.push(81, b"old");
        name_options(&decision, &mut options);
        let expected = [&[flags | E, 255, 255][..], &wire("new.example.com")].concat();
        assert_eq!(options.get(81), Some(&expected[..]));
        assert_eq!(options.len(), 1);
    }
}

#[test]
fn a_name_that_is_not_made_yet_is_left_out() {
    let parameters = replace(ReplaceClientName::Always);
    let rules = Rules::new(Some(&parameters), true);
    let mut options = Options::new();
    name_options(&decide(&query(&[(12, b"pc")]), None, rules), &mut options);
    assert!(options.is_empty());
    name_options(
        &decide(&query(&[(81, b"\x05\0\0\x02pc\0")]), None, rules),
        &mut options,
    );
    assert_eq!(options.get(81), Some(&[S | E, 255, 255][..]));
}

#[test]
fn another_subnet_or_a_pool_with_parameters_decides_anew() {
    let text = r#"{ "Dhcp4": {
        "dhcp-ddns": { "enable-updates": true },
        "subnet4": [
            { "id": 1, "subnet": "192.0.2.0/24", "ddns-generated-prefix": "one", "pools": [
                { "pool": "192.0.2.10 - 192.0.2.19" },
                { "pool": "192.0.2.20 - 192.0.2.29", "ddns-generated-prefix": "pool" } ] },
            { "id": 2, "subnet": "198.51.100.0/24", "ddns-generated-prefix": "two" } ] } }"#;
    let Some(Config::V4(cfg)) = load_text("test", text).config else {
        panic!("the configuration is wrong")
    };
    let cfg = Arc::clone(&cfg);
    let named = |name: &str| Some(name.to_owned());
    let prefix = |selected, subnet, address: [u8; 4]| {
        let rules = rules_after(&cfg, selected, subnet, address.into())?;
        assert!(rules.sends_updates());
        Some(rules.shown()?.generated_prefix)
    };
    assert_eq!(prefix(Some(0), 0, [192, 0, 2, 10]), None);
    assert_eq!(prefix(Some(0), 0, [192, 0, 2, 20]), named("pool"));
    assert_eq!(prefix(Some(0), 0, [192, 0, 2, 200]), None);
    assert_eq!(prefix(Some(0), 1, [198, 51, 100, 1]), named("two"));
    assert_eq!(prefix(Some(1), 0, [192, 0, 2, 10]), named("one"));
    assert_eq!(prefix(Some(0), 9, [192, 0, 2, 10]), None);
    let of = |subnet| Some(Rules::of(&cfg, subnet).shown()?.generated_prefix);
    assert_eq!((of(Some(0)), of(None)), (named("one"), None));
}

proptest! {
    #[test]
    fn no_name_of_a_client_is_a_surprise(
        fqdn in prop::option::of(prop::collection::vec(any::<u8>(), 0..300)),
        host_name in prop::option::of(prop::collection::vec(any::<u8>(), 0..300)),
        scrubs in any::<bool>(),
        mode in prop::sample::select(vec![ReplaceClientName::Never, ReplaceClientName::WhenNotPresent]),
    ) {
        let mut parameters = replace(mode);
        if !scrubs {
            parameters.hostname_char_set = None;
        }
        let rules = Rules::new(Some(&parameters), true);
        let fqdn = fqdn.iter().map(|payload| (81, &payload[..]));
        let host_name = host_name.iter().map(|payload| (12, &payload[..]));
        let packet = query(&fqdn.chain(host_name).collect::<Vec<_>>());
        let (hostname, _, _, options) = shown(decide(&packet, None, rules), rules);
        prop_assert_eq!(hostname.is_empty(), options.is_empty());
        prop_assert!(!hostname.chars().any(char::is_control));
        prop_assert_eq!(&hostname.to_ascii_lowercase(), &hostname);
        // Heard again, the client's name stays what it is.
        for (code, payload) in &options {
            let again = decide(&query(&[(*code, payload)]), None, rules);
            if hostname.ends_with('.') {
                prop_assert_eq!(again.hostname.as_str(), &hostname);
            }
        }
    }
}

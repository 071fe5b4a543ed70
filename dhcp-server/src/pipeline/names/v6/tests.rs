use super::*;
use crate::pipeline::names::tests::{Change, changed, parameters, replace};
use crate::pipeline::names::{Hostname, NameUpdate, Rules};
use outrigger_config::load_text;
use outrigger_config::model::{Config, ReplaceClientName};
use outrigger_wire::v6::MessageType;
use proptest::prelude::*;

fn query(fqdn: Option<&[u8]>) -> Packet6 {
    let mut packet = Packet6 {
        relays: Default::default(),
        message_type: MessageType::Request,
        xid: [1, 2, 3],
        options: Options::new(),
    };
    if let Some(payload) = fqdn {
        packet.options.push(code::CLIENT_FQDN, payload);
    }
    packet
}

/// Hostname, directions, and option 39 of the reply once a name that is made has its address.
fn shown(mut decision: NameDecision, rules: Rules<'_>) -> (String, bool, bool, Option<Vec<u8>>) {
    decision.settle("2001:db8::1".parse().unwrap(), rules);
    let mut options = Options::new();
    name_options(&decision, &mut options);
    let reply = options.get(code::CLIENT_FQDN).map(<[u8]>::to_vec);
    let hostname = decision.hostname.as_str().to_owned();
    (hostname, decision.fwd, decision.rev, reply)
}

const S: u8 = 1;
const O: u8 = 2;
const N: u8 = 4;

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
        (S | O | 0xf8, plain, true, S, true, true),
    ];
    for (sent, change, enabled, replied, fwd, rev) in table {
        let parameters = changed(change);
        let rules = Rules::new(Some(&parameters), enabled);
        let name = wire("pc.example.com.");
        let payload = [&[sent][..], &name].concat();
        let decision = decide(&query(Some(&payload)), None, rules);
        let reply = [&[replied][..], &name].concat();
        let expected = ("pc.example.com.".to_owned(), fwd, rev, Some(reply));
        assert_eq!(shown(decision, rules), expected, "{sent} {enabled}");
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
fn names_in_option_39() {
    use ReplaceClientName::{Always, Never, WhenNotPresent, WhenPresent};
    const MADE: &str = "myhost-2001-db8--1.example.org.";
    let table: [Row<'_>; 24] = [
        (Some(b"\x02PC\0"), None, Never, "pc."),
        (Some(b"\x02PC"), None, Never, "pc.example.org."),
        (Some(b"\x02pc\x03lab"), None, Never, "pc.lab.example.org."),
        (
            Some(b"\x02pc\x07example\x03org"),
            None,
            Never,
            "pc.example.org.",
        ),
        (Some(b"\x08my_phone\0"), None, Never, "myphone."),
        (Some(b"\x03a.b\0"), None, Never, "a.b."),
        (Some(b"\x02pc\0"), None, WhenNotPresent, "pc."),
        (Some(b"\x02pc\0"), None, WhenPresent, MADE),
        (Some(b"\x02pc\0"), None, Always, MADE),
        (Some(b""), None, Never, MADE),
        (Some(b"\0"), None, Never, MADE),
        (Some(b""), None, WhenPresent, MADE),
        (
            Some(b"\x02pc\0"),
            Some("Reserved"),
            Never,
            "reserved.example.org.",
        ),
        (
            Some(b"\x02pc\0"),
            Some("r.example.org"),
            Always,
            "r.example.org.",
        ),
        (Some(b""), Some("r"), Never, "r.example.org."),
        (Some(b"\x02pc\0"), Some(""), Never, "pc."),
        (Some(b"\x02pc\x01_\0"), None, Never, ""),
        (Some(b"\x01_"), None, Never, ""),
        (Some(b"\x02pc\0"), Some("a..b"), Never, ""),
        (None, None, Never, ""),
        (None, None, WhenPresent, ""),
        (None, None, WhenNotPresent, MADE),
        (None, None, Always, MADE),
        // Without an FQDN option a reserved name is not heard, unless the server supplies one.
        (None, Some("r"), Never, ""),
    ];
    for (name, reserved, mode, expected) in table {
        let parameters = replace(mode);
        let rules = Rules::new(Some(&parameters), true);
        let payload = name.map(|name| [&[S][..], name].concat());
        let decision = decide(&query(payload.as_deref()), reserved, rules);
        let on = !expected.is_empty();
        if !on {
            assert_eq!(decision, NameDecision::default());
        }
        let reply = on.then(|| [&[S][..], &wire(expected)].concat());
        let expected = (expected.to_owned(), on, on, reply);
        assert_eq!(shown(decision, rules), expected, "{name:?} {mode:?}");
    }
}

#[test]
fn a_supplied_name_may_be_the_reserved_one_and_hears_that_nothing_is_updated() {
    let always = replace(ReplaceClientName::Always);
    let rules = Rules::new(Some(&always), false);
    let decision = decide(&query(None), Some("r"), rules);
    let reply = [&[N | O][..], &wire("r.example.org")].concat();
    let expected = ("r.example.org.".to_owned(), false, false, Some(reply));
    assert_eq!(shown(decision, rules), expected);
}

#[test]
fn without_a_subnet_the_name_goes_back_and_nothing_is_updated() {
    let rules = Rules::default();
    let decision = decide(&query(Some(b"\x01\x02p_")), None, rules);
    let reply = [&[N | O][..], b"\x02p_\0"].concat();
    let expected = ("p_.".to_owned(), false, false, Some(reply));
    assert_eq!(shown(decision, rules), expected);
}

#[test]
fn an_option_39_that_cannot_be_read_is_none() {
    let long = [&[0][..], &b"\x03abc".repeat(64)].concat();
    let table: [&[u8]; 7] = [
        b"",
        &[S | N, 0],
        &[S, 5, b'a'],
        &[S, 1, b'a', 0xc0, 1],
        &[S, 0x41, b'a'],
        &[S, 0, 1, b'a'],
        &long,
    ];
    let parameters = parameters();
    let rules = Rules::new(Some(&parameters), true);
    let always = replace(ReplaceClientName::Always);
    for payload in table {
        let packet = query(Some(payload));
        assert_eq!(decide(&packet, Some("r"), rules), NameDecision::default());
        let supplied = decide(&packet, None, Rules::new(Some(&always), true));
        assert_eq!(supplied.hostname, Hostname::Generate, "{payload:?}");
    }
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
        let mut decision = decide(&query(Some(b"\x01\x02pc\0")), None, rules);
        let update = NameUpdate {
            hostname: Some("new.example.com"),
            fwd: Some(fwd),
            rev: Some(rev),
        };
        decision.apply_hook(update, rules).unwrap();
        let mut options = Options::new();
        // What a callout put there itself gives way.
        options.push(39, b"old");
        name_options(&decision, &mut options);
        let expected = [&[flags][..], &wire("new.example.com")].concat();
        assert_eq!(options.get(39), Some(&expected[..]));
        assert_eq!(options.len(), 1);
    }
}

#[test]
fn a_name_that_is_not_made_yet_is_left_out() {
    let parameters = replace(ReplaceClientName::Always);
    let rules = Rules::new(Some(&parameters), true);
    let mut options = Options::new();
    name_options(&decide(&query(None), None, rules), &mut options);
    assert_eq!(options.get(39), Some(&[S][..]));
}

#[test]
fn another_subnet_or_a_pool_with_parameters_decides_anew() {
    let text = r#"{ "Dhcp6": {
        "dhcp-ddns": { "enable-updates": true },
        "subnet6": [
            { "id": 1, "subnet": "2001:db8:1::/64", "ddns-generated-prefix": "one",
              "pd-pools": [ { "prefix": "2001:db8:1::", "prefix-len": 80, "delegated-len": 96,
                              "ddns-generated-prefix": "prefixes" } ],
              "pools": [
                { "pool": "2001:db8:1::10 - 2001:db8:1::1f" },
                { "pool": "2001:db8:1::20 - 2001:db8:1::2f", "ddns-generated-prefix": "pool" } ] },
            { "id": 2, "subnet": "2001:db8:2::/64", "ddns-generated-prefix": "two" } ] } }"#;
    let Some(Config::V6(cfg)) = load_text("test", text).config else {
        panic!("the configuration is wrong")
    };
    let named = |name: &str| Some(name.to_owned());
    let prefix = |selected, subnet, address: &str| {
        let rules = rules_after(&cfg, selected, subnet, address.parse().unwrap())?;
        assert!(rules.sends_updates());
        Some(rules.shown()?.generated_prefix)
    };
    assert_eq!(prefix(Some(0), 0, "2001:db8:1::10"), None);
    assert_eq!(prefix(Some(0), 0, "2001:db8:1::20"), named("pool"));
    assert_eq!(prefix(Some(0), 0, "2001:db8:1::"), None);
    assert_eq!(prefix(Some(0), 1, "2001:db8:2::1"), named("two"));
    assert_eq!(prefix(Some(1), 0, "2001:db8:1::10"), named("one"));
    assert_eq!(prefix(Some(0), 9, "2001:db8:1::10"), None);
    let of = |subnet| Some(Rules::of(&cfg, subnet).shown()?.generated_prefix);
    assert_eq!((of(Some(0)), of(None)), (named("one"), None));
}

proptest! {
    #[test]
    fn no_name_of_a_client_is_a_surprise(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        scrubs in any::<bool>(),
    ) {
        let mut parameters = parameters();
        if !scrubs {
            parameters.hostname_char_set = None;
        }
        let rules = Rules::new(Some(&parameters), true);
        let (hostname, _, _, reply) = shown(decide(&query(Some(&payload)), None, rules), rules);
        prop_assert_eq!(hostname.is_empty(), reply.is_none());
        prop_assert!(hostname.bytes().all(|byte| byte.is_ascii_graphic()));
        if let Some(reply) = reply {
            let again = decide(&query(Some(&reply)), None, rules);
            prop_assert_eq!(again.hostname.as_str(), &hostname);
        }
    }
}

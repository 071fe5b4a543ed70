//! DHCPv6 packets.

use super::{Answer, Outcome, Silence, mutations};
use crate::common::{Page6, Whole, at6};
use outrigger_server::telemetry::DiscardReason::{self, Malformed, NotForUs, RfcViolation};
use outrigger_testkit::client6::message::{
    ADVERTISE, CONFIRM, DECLINE, INFORMATION_REQUEST, REBIND, RELAY_FORW, RELAY_REPL, RELEASE,
    RENEW, REPLY, REQUEST, SOLICIT,
};
use outrigger_testkit::{Client6, Ia, Relay6, Reply6Seen};
use outrigger_wire::V6;

const NET: &str = r#""subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
    "relay": { "ip-addresses": [ "2001:db8:9::1" ] }, "pools": [ { "pool": "2001:db8:1::/112" } ] } ]"#;

struct Case(String, Vec<u8>, Outcome);

fn case(name: &str, bytes: Vec<u8>, expected: Outcome) -> Case {
    Case(name.to_owned(), bytes, expected)
}

fn option(code: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    [&code.to_be_bytes()[..], &len.to_be_bytes(), payload].concat()
}

fn message(message_type: u8, options: &[Vec<u8>]) -> Vec<u8> {
    [&[message_type, 1, 2, 3][..], &options.concat()].concat()
}

fn client_id() -> Vec<u8> {
    option(1, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1])
}

fn our_id() -> Vec<u8> {
    option(2, Page6::duid().bytes())
}

fn foreign_id() -> Vec<u8> {
    option(2, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 0xee])
}

fn ia_na(inside: &[u8]) -> Vec<u8> {
    option(
        3,
        &[&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], inside].concat(),
    )
}

fn ia_address() -> Vec<u8> {
    let mut payload = vec![0; 24];
    payload[..6].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 1]);
    option(5, &payload)
}

fn relay(inside: &[Vec<u8>]) -> Vec<u8> {
    [&[RELAY_FORW, 0][..], &[0; 32], &inside.concat()].concat()
}

fn framing() -> Vec<Case> {
    let mut cases = vec![
        case("nothing", vec![], Silence(Malformed)),
        case("a type alone", vec![SOLICIT], Silence(Malformed)),
        case(
            "option without length",
            [message(SOLICIT, &[client_id()]), vec![0, 8]].concat(),
            Silence(Malformed),
        ),
        case(
            "option past the end",
            message(SOLICIT, &[client_id(), vec![0, 8, 0, 9, 1]]),
            Silence(Malformed),
        ),
        case("relay without a message", relay(&[]), Silence(Malformed)),
        case(
            "relay with an empty message",
            relay(&[option(9, &[])]),
            Silence(Malformed),
        ),
        case(
            "relay cut in its addresses",
            relay(&[])[..20].to_vec(),
            Silence(Malformed),
        ),
    ];
    let inside = option(9, &message(SOLICIT, &[client_id()]));
    cases.push(case(
        "relay with two messages",
        relay(&[inside.clone(), inside]),
        Silence(Malformed),
    ));
    let reply = relay(&[option(9, &message(REPLY, &[client_id()]))]);
    cases.push(case("relayed reply", reply, Silence(Malformed)));
    for message_type in [ADVERTISE, REPLY, 10, RELAY_REPL, 0, 200, 255] {
        let bytes = message(message_type, &[client_id()]);
        cases.push(Case(
            format!("type {message_type}"),
            bytes,
            Silence(Malformed),
        ));
    }
    for (depth, expected) in [
        (32, Answer(ADVERTISE)),
        (33, Silence(Malformed)),
        (60, Silence(Malformed)),
    ] {
        let solicit = message(SOLICIT, &[client_id(), ia_na(&[])]);
        let bytes = (0..depth).fold(solicit, |inner, _| relay(&[option(9, &inner)]));
        cases.push(Case(format!("{depth} relays"), bytes, expected));
    }
    cases
}

/// RFC 9915 §16: which identifiers each message must and must not have.
fn identifiers() -> Vec<Case> {
    let both = || vec![client_id(), our_id()];
    let mut cases = Vec::new();
    for message_type in [REQUEST, RENEW, RELEASE, DECLINE] {
        let ia = || ia_na(&ia_address());
        for (what, options, expected) in [
            (
                "without client",
                vec![our_id(), ia()],
                Silence(RfcViolation),
            ),
            (
                "without server",
                vec![client_id(), ia()],
                Silence(RfcViolation),
            ),
            (
                "to another",
                vec![client_id(), foreign_id(), ia()],
                Silence(NotForUs),
            ),
            (
                "to two",
                vec![client_id(), our_id(), our_id(), ia()],
                Silence(RfcViolation),
            ),
            ("in order", [both(), vec![ia()]].concat(), Answer(REPLY)),
        ] {
            cases.push(Case(
                format!("{message_type} {what}"),
                message(message_type, &options),
                expected,
            ));
        }
    }
    for (message_type, answer) in [(SOLICIT, ADVERTISE), (REBIND, REPLY), (CONFIRM, REPLY)] {
        let ia = || ia_na(&ia_address());
        for (what, options, expected) in [
            ("without client", vec![ia()], Silence(RfcViolation)),
            (
                "with server",
                [both(), vec![ia()]].concat(),
                Silence(RfcViolation),
            ),
            (
                "with another server",
                vec![client_id(), foreign_id(), ia()],
                Silence(NotForUs),
            ),
            (
                "of two clients",
                vec![client_id(), client_id(), ia()],
                Silence(RfcViolation),
            ),
            ("in order", vec![client_id(), ia()], Answer(answer)),
        ] {
            cases.push(Case(
                format!("{message_type} {what}"),
                message(message_type, &options),
                expected,
            ));
        }
    }
    for len in [0, 2, 131] {
        let bytes = message(SOLICIT, &[option(1, &vec![7; len])]);
        cases.push(Case(
            format!("DUID of {len} bytes"),
            bytes,
            Silence(RfcViolation),
        ));
    }
    cases
}

fn contents() -> Vec<Case> {
    let inform = |options: &[Vec<u8>]| message(INFORMATION_REQUEST, options);
    vec![
        case("nameless INFORMATION-REQUEST", inform(&[]), Answer(REPLY)),
        case(
            "INFORMATION-REQUEST to us",
            inform(&[client_id(), our_id()]),
            Answer(REPLY),
        ),
        case(
            "INFORMATION-REQUEST to another",
            inform(&[foreign_id()]),
            Silence(NotForUs),
        ),
        case(
            "INFORMATION-REQUEST with an IA",
            inform(&[client_id(), ia_na(&[])]),
            Silence(RfcViolation),
        ),
        case(
            "CONFIRM of nothing",
            message(CONFIRM, &[client_id(), ia_na(&[])]),
            Silence(RfcViolation),
        ),
        case(
            "IA of 11 bytes",
            message(SOLICIT, &[client_id(), option(3, &[0; 11])]),
            Silence(RfcViolation),
        ),
        case(
            "IA with a broken option",
            message(SOLICIT, &[client_id(), ia_na(&[0, 5, 0, 99])]),
            Silence(RfcViolation),
        ),
        case(
            "odd option request",
            message(SOLICIT, &[client_id(), option(6, &[0, 23, 0])]),
            Answer(ADVERTISE),
        ),
        case(
            "SOLICIT of nothing",
            message(SOLICIT, &[client_id()]),
            Answer(ADVERTISE),
        ),
        case(
            "same IA twice",
            message(SOLICIT, &[client_id(), ia_na(&[]), ia_na(&[])]),
            Answer(ADVERTISE),
        ),
        case("LEASEQUERY", message(14, &[client_id()]), Silence(NotForUs)),
        case(
            "DHCPV4-QUERY",
            message(20, &[client_id()]),
            Silence(NotForUs),
        ),
    ]
}

/// The message type of an answer, under its relay layers.
fn message_type(answer: &[u8]) -> u8 {
    const LAYER: usize = 34 + 4;
    match answer {
        // Our relays have no options, so the message follows the header of option 9.
        [RELAY_REPL, ..] => message_type(&answer[LAYER..]),
        [message_type, ..] => *message_type,
        [] => panic!("an empty answer"),
    }
}

#[test]
fn each_malformed_packet_has_its_outcome() {
    let server = Whole::<V6>::start(NET, Page6::duid());
    let link = at6("ff02::1:2", "fe80::7");
    for Case(name, bytes, expected) in [framing(), identifiers(), contents()].into_iter().flatten()
    {
        let seen = super::outcome(&server, &bytes, &link, message_type);
        assert_eq!(seen, expected, "{name}: {bytes:02x?}");
    }
}

#[test]
fn clients_own_unicast_is_not_served() {
    let server = Whole::<V6>::start(NET, Page6::duid());
    let link = at6("2001:db8:1::1", "fe80::7");
    let solicit = message(SOLICIT, &[client_id(), ia_na(&[])]);
    assert_eq!(
        super::outcome(&server, &solicit, &link, message_type),
        Silence(RfcViolation)
    );
}

fn client() -> Client6 {
    Client6::new(Client6::duid_ll([2, 0, 0, 0, 0, 1]), vec![Ia::na(1)])
}

#[test]
fn packet_cut_at_any_byte_is_served_only_where_all_its_options_are_whole() {
    let server = Whole::<V6>::start(NET, Page6::duid());
    let packet = client().solicit();
    let mut ends = Vec::new();
    let mut at = 4;
    while at < packet.len() {
        at += 4 + usize::from(u16::from_be_bytes([packet[at + 2], packet[at + 3]]));
        ends.push(at);
    }
    let link = at6("ff02::1:2", "fe80::7");
    for len in 0..=packet.len() {
        let expected = match len {
            4 => Silence(RfcViolation),
            _ if ends.contains(&len) => Answer(ADVERTISE),
            _ => Silence(Malformed),
        };
        let seen = super::outcome(&server, &packet[..len], &link, message_type);
        assert_eq!(seen, expected, "cut at {len}");
    }
    let mut relayed = client();
    relayed.relays = vec![Relay6::new(
        "2001:db8:9::1".parse().unwrap(),
        "fe80::7".parse().unwrap(),
    )];
    let packet = relayed.solicit();
    for len in 0..packet.len() {
        let seen = super::outcome(&server, &packet[..len], &link, message_type);
        assert_eq!(seen, Silence(Malformed), "relayed, cut at {len}");
    }
}

#[test]
fn packet_with_any_byte_changed_has_one_outcome_and_finds_no_defect() {
    let server = Whole::<V6>::start(NET, Page6::duid());
    let link = at6("ff02::1:2", "fe80::7");
    let mut relayed = client();
    relayed.relays = vec![Relay6::new(
        "2001:db8:9::1".parse().unwrap(),
        "fe80::7".parse().unwrap(),
    )];
    let any_answer = |answer: &[u8]| Reply6Seen::parse(answer).unwrap().message_type;
    for packet in [client().solicit(), relayed.solicit()] {
        for (at, bytes) in mutations(&packet) {
            let seen = super::outcome(&server, &bytes, &link, any_answer);
            assert_ne!(seen, Silence(DiscardReason::Defect), "byte {at}");
        }
    }
}

//! DHCPv4 packets.

use super::{Answer, Outcome, Silence, mutations};
use crate::common::{RELAY4, SERVER4, Whole, at4};
use outrigger_server::telemetry::DiscardReason::{Malformed, NotForUs, RfcViolation};
use outrigger_testkit::client4::message::{ACK, OFFER};
use outrigger_testkit::{Client4, Relay4};
use outrigger_wire::{Link, V4};

const NET: &str = r#""subnet4": [ { "id": 1, "subnet": "192.0.2.0/24",
    "pools": [ { "pool": "192.0.2.100-192.0.2.199" } ] } ]"#;

const OPTIONS_AT: usize = 240;

/// A relayed message with these options and nothing behind them.
fn message(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; OPTIONS_AT];
    bytes[..4].copy_from_slice(&[1, 1, 6, 1]);
    bytes[24..28].copy_from_slice(&RELAY4.octets());
    bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
    bytes.extend(options);
    bytes
}

fn with(at: usize, field: &[u8], options: &[u8]) -> Vec<u8> {
    let mut bytes = message(options);
    bytes[at..at + field.len()].copy_from_slice(field);
    bytes
}

const DISCOVER: [u8; 4] = [53, 1, 1, 255];

struct Case(&'static str, Vec<u8>, Outcome);

fn headers() -> Vec<Case> {
    vec![
        Case("nothing", vec![], Silence(Malformed)),
        Case("one byte", vec![1], Silence(Malformed)),
        Case(
            "header without cookie",
            message(&[])[..236].to_vec(),
            Silence(Malformed),
        ),
        Case(
            "another cookie",
            with(239, &[98], &DISCOVER),
            Silence(Malformed),
        ),
        Case(
            "a server's message",
            with(0, &[2], &DISCOVER),
            Silence(Malformed),
        ),
        Case("hlen 17", with(2, &[17], &DISCOVER), Silence(Malformed)),
        Case("hlen 255", with(2, &[255], &DISCOVER), Silence(Malformed)),
        Case(
            "no name at all",
            with(2, &[0], &DISCOVER),
            Silence(RfcViolation),
        ),
        Case(
            "a client identifier alone",
            with(2, &[0], &[53, 1, 1, 61, 2, 1, 7, 255]),
            Answer(OFFER),
        ),
        Case("255 hops", with(3, &[255], &DISCOVER), Answer(OFFER)),
    ]
}

fn message_types() -> Vec<Case> {
    let mut cases = vec![
        Case("BOOTP", message(&[255]), Silence(NotForUs)),
        Case(
            "empty message type",
            message(&[53, 0, 255]),
            Silence(Malformed),
        ),
        Case(
            "long message type",
            message(&[53, 2, 1, 1, 255]),
            Silence(Malformed),
        ),
        Case(
            "message type twice",
            message(&[53, 1, 1, 53, 1, 1, 255]),
            Silence(Malformed),
        ),
    ];
    for value in [0, 19, 255] {
        cases.push(Case(
            "unassigned type",
            message(&[53, 1, value, 255]),
            Silence(Malformed),
        ));
    }
    // OFFER, ACK, NAK, FORCERENEW, leasequery and its answers.
    for value in [2, 5, 6, 9, 10, 11, 12, 13] {
        cases.push(Case(
            "not for servers",
            message(&[53, 1, value, 255]),
            Silence(NotForUs),
        ));
    }
    cases
}

fn required_fields() -> Vec<Case> {
    vec![
        Case(
            "RELEASE of nothing",
            message(&[53, 1, 7, 255]),
            Silence(RfcViolation),
        ),
        Case(
            "DECLINE of nothing",
            message(&[53, 1, 4, 255]),
            Silence(RfcViolation),
        ),
        Case(
            "relayed INFORM without ciaddr",
            message(&[53, 1, 8, 255]),
            Answer(ACK),
        ),
        Case(
            "REQUEST to another server",
            message(&[53, 1, 3, 54, 4, 192, 0, 2, 77, 50, 4, 192, 0, 2, 100, 255]),
            Silence(NotForUs),
        ),
        Case(
            "RELEASE to another server",
            with(
                12,
                &[192, 0, 2, 100],
                &[53, 1, 7, 54, 4, 192, 0, 2, 77, 255],
            ),
            Silence(NotForUs),
        ),
    ]
}

fn options() -> Vec<Case> {
    let long_message = [
        &[53, 1, 1][..],
        &[43, 255],
        &[0; 255],
        &[43, 255],
        &[0; 255],
        &[255],
    ]
    .concat();
    let mut file = with(108, &[53, 1, 1, 255], &[52, 1, 1, 255]);
    file[44] = 53;
    vec![
        Case("no end mark", message(&[53, 1, 1]), Answer(OFFER)),
        Case(
            "option without length",
            message(&[53, 1, 1, 12]),
            Silence(Malformed),
        ),
        Case(
            "option past the end",
            message(&[53, 1, 1, 12, 9, 1]),
            Silence(Malformed),
        ),
        Case(
            "nonsense behind the end mark",
            message(&[53, 1, 1, 255, 12, 200]),
            Answer(OFFER),
        ),
        Case("option in two parts", message(&long_message), Answer(OFFER)),
        Case("message type in file", file, Answer(OFFER)),
        Case(
            "overload of a field with a broken option",
            with(44, &[12, 99], &[53, 1, 1, 52, 1, 2, 255]),
            Silence(Malformed),
        ),
        Case(
            "overload 4",
            message(&[53, 1, 1, 52, 1, 4, 255]),
            Answer(OFFER),
        ),
        Case(
            "overload of two bytes",
            message(&[53, 1, 1, 52, 2, 1, 1, 255]),
            Answer(OFFER),
        ),
    ]
}

/// Options whose value is not what their code says: they are as good as absent.
fn values() -> Vec<Case> {
    vec![
        Case(
            "client identifier of one byte",
            message(&[53, 1, 1, 61, 1, 7, 255]),
            Answer(OFFER),
        ),
        Case(
            "requested address twice",
            message(&[53, 1, 1, 50, 4, 192, 0, 2, 100, 50, 4, 192, 0, 2, 101, 255]),
            Answer(OFFER),
        ),
        Case(
            "server identifier of three bytes",
            message(&[53, 1, 1, 54, 3, 1, 2, 3, 255]),
            Answer(OFFER),
        ),
        Case(
            "maximum size of one byte",
            message(&[53, 1, 1, 57, 1, 9, 255]),
            Answer(OFFER),
        ),
        Case(
            "maximum size of zero",
            message(&[53, 1, 1, 57, 2, 0, 0, 255]),
            Answer(OFFER),
        ),
        Case(
            "broken relay information",
            message(&[53, 1, 1, 82, 3, 1, 200, 7, 255]),
            Answer(OFFER),
        ),
        Case(
            "broken vendor options",
            message(&[53, 1, 1, 125, 6, 0, 0, 17, 139, 99, 1, 255]),
            Answer(OFFER),
        ),
    ]
}

/// The message type of an answer, which is its first option.
fn message_type(answer: &[u8]) -> u8 {
    assert_eq!(answer[OPTIONS_AT..OPTIONS_AT + 2], [53, 1]);
    answer[OPTIONS_AT + 2]
}

fn server() -> (Whole<V4>, Link) {
    (Whole::start(NET, ()), at4(SERVER4, RELAY4, 67))
}

#[test]
fn each_malformed_packet_has_its_outcome() {
    let (server, link) = server();
    let cases = [
        headers(),
        message_types(),
        required_fields(),
        options(),
        values(),
    ];
    for Case(name, bytes, expected) in cases.into_iter().flatten() {
        let seen = super::outcome(&server, &bytes, &link, message_type);
        assert_eq!(seen, expected, "{name}: {bytes:02x?}");
    }
}

#[test]
fn direct_inform_without_an_address_is_no_message_of_the_standard() {
    let (server, _) = server();
    let mut bytes = message(&[53, 1, 8, 255]);
    bytes[24..28].fill(0);
    let link = at4(SERVER4, RELAY4, 68);
    assert_eq!(
        super::outcome(&server, &bytes, &link, message_type),
        Silence(RfcViolation)
    );
}

fn discover() -> Vec<u8> {
    let mut client = Client4::new([2, 0, 0, 0, 0, 1]);
    client.client_id = Some(vec![1, 2, 3]);
    client.relay = Some(Relay4 {
        giaddr: RELAY4,
        relay_info: vec![(1, b"port-7".to_vec())],
    });
    client.discover()
}

#[test]
fn packet_cut_at_any_byte_is_served_only_where_all_its_options_are_whole() {
    let (server, link) = server();
    let packet = discover();
    // Where an option ends; from the first End on the rest is padding.
    let mut ends = vec![];
    let mut at = OPTIONS_AT;
    while packet[at] != 255 {
        at += 2 + usize::from(packet[at + 1]);
        ends.push(at);
    }
    ends.extend(at + 1..=packet.len());
    for len in 0..=packet.len() {
        let expected = match len {
            OPTIONS_AT => Silence(NotForUs),
            _ if ends.contains(&len) => Answer(OFFER),
            _ => Silence(Malformed),
        };
        let seen = super::outcome(&server, &packet[..len], &link, message_type);
        assert_eq!(seen, expected, "cut at {len}");
    }
}

#[test]
fn packet_with_any_byte_changed_has_one_outcome_and_finds_no_defect() {
    let (server, link) = server();
    for (at, bytes) in mutations(&discover()) {
        let seen = super::outcome(&server, &bytes, &link, message_type);
        assert_ne!(
            seen,
            Silence(outrigger_server::telemetry::DiscardReason::Defect),
            "byte {at}"
        );
    }
}

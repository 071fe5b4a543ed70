//! Hostile DHCPv6 datagrams and what each of them becomes.

use outrigger_wire::buffer::Buffer;
use outrigger_wire::v6::{BadOption, MAX_RELAYS, Malformed6, MessageType, Packet6, decode};

/// Code and length of each option.
type Lens = &'static [(u16, usize)];

fn option(code: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("an option of at most 65535 bytes");
    [&code.to_be_bytes()[..], &len.to_be_bytes(), payload].concat()
}

fn message(msg_type: u8, options: &[Vec<u8>]) -> Vec<u8> {
    [&[msg_type, 1, 2, 3][..], &options.concat()].concat()
}

fn relay(hop_count: u8, options: &[Vec<u8>]) -> Vec<u8> {
    let mut layer = vec![12, hop_count];
    layer.extend_from_slice(&[
        0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, hop_count,
    ]);
    layer.extend_from_slice(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, hop_count]);
    layer.extend_from_slice(&options.concat());
    layer
}

fn relayed(levels: usize, inner: Vec<u8>) -> Vec<u8> {
    (0..levels).fold(inner, |inner, level| {
        let hop_count = u8::try_from(level % 256).expect("below 256");
        relay(hop_count, &[option(18, &[hop_count]), option(9, &inner)])
    })
}

fn ia_addr() -> Vec<u8> {
    option(
        5,
        &[
            &[0x20; 16][..],
            &[0, 0, 0, 1, 0, 0, 0, 2],
            &option(13, &[0, 0]),
        ]
        .concat(),
    )
}

fn ia_prefix(len: u8) -> Vec<u8> {
    option(
        26,
        &[&[0, 0, 0, 1, 0, 0, 0, 2, len][..], &[0x20; 16]].concat(),
    )
}

fn ia(code: u16, inside: &[Vec<u8>]) -> Vec<u8> {
    option(code, &[&[0; 12][..], &inside.concat()].concat())
}

fn rich_message() -> Vec<u8> {
    message(
        1,
        &[
            option(1, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]),
            option(6, &[0, 23, 0, 24]),
            option(8, &[0, 0]),
            ia(3, &[ia_addr(), ia_addr()]),
            ia(25, &[ia_prefix(56)]),
            option(14, &[]),
            option(17, &[&[0, 0, 0x11, 0x8b][..], &option(33, &[1])].concat()),
        ],
    )
}

fn decoded(bytes: &[u8]) -> Result<Packet6, Malformed6> {
    decode(Buffer::copy_of(bytes))
}

fn are_refused(cases: Vec<(&str, Vec<u8>, Malformed6)>) {
    for (name, bytes, expected) in cases {
        assert_eq!(decoded(&bytes), Err(expected), "{name}");
        assert!(!expected.to_string().is_empty());
    }
}

fn short(len: usize, msg_type: u8) -> Malformed6 {
    Malformed6::TooShort { len, msg_type }
}

fn truncated(offset: usize) -> Malformed6 {
    Malformed6::TruncatedOption { offset }
}

#[test]
fn a_malformed_message_is_refused_with_its_reason() {
    let cut = message(1, &[option(14, &[]), vec![0, 1, 0, 5, 1, 2, 3, 4]]);
    are_refused(vec![
        ("empty", vec![], short(0, 0)),
        ("a type and no more", vec![1], short(1, 1)),
        ("half a transaction id", vec![3, 1, 2], short(3, 3)),
        (
            "an option without length",
            message(1, &[vec![0, 8]]),
            truncated(4),
        ),
        (
            "a rest of one byte",
            message(1, &[option(14, &[]), vec![0]]),
            truncated(8),
        ),
        ("a payload cut off", cut, truncated(8)),
        (
            "a length of 65535",
            message(1, &[vec![0, 1, 255, 255, 7]]),
            truncated(4),
        ),
        (
            "type 255, relayed",
            relayed(2, message(255, &[])),
            Malformed6::UnknownType(255),
        ),
    ]);
}

#[test]
fn a_malformed_relay_layer_is_refused_with_its_reason() {
    let missing = Malformed6::MissingRelayMessage { layer: 0 };
    let duplicate = |layer| Malformed6::DuplicateRelayMessage { layer };
    let inner = option(9, &message(1, &[]));
    let two = [inner.clone(), option(18, b""), inner.clone()];
    let escaping = option(9, &message(1, &[vec![0, 1, 0, 9, 1]]));
    are_refused(vec![
        (
            "a header cut off",
            relay(0, &[])[..33].to_vec(),
            short(33, 12),
        ),
        ("a type and no more", vec![12], short(1, 12)),
        ("nothing in it", relay(0, &[]), missing),
        ("options only", relay(0, &[option(18, b"e")]), missing),
        ("two messages", relay(0, &two), duplicate(0)),
        (
            "two messages further in",
            relayed(1, relay(0, &two)),
            duplicate(1),
        ),
        ("an empty message", relay(0, &[option(9, &[])]), short(0, 0)),
        (
            "an empty message and more",
            relay(0, &[option(9, &[]), option(3072, &[0; 40])]),
            short(0, 0),
        ),
        (
            "a short message",
            relay(0, &[option(9, &[1, 2])]),
            short(2, 1),
        ),
        (
            "a relay inside cut off",
            relay(0, &[option(9, &[12; 20])]),
            short(20, 12),
        ),
        (
            "an option cut off",
            relay(0, &[inner, vec![0, 18, 0, 9, 1]]),
            truncated(34 + 8),
        ),
        (
            "an option that leaves its message",
            relay(0, &[escaping, option(18, &[0; 20])]),
            truncated(42),
        ),
        (
            "33 relays",
            relayed(33, message(1, &[])),
            Malformed6::TooManyRelays,
        ),
        (
            "1500 relays",
            relayed(1_500, message(1, &[])),
            Malformed6::TooManyRelays,
        ),
    ]);
}

#[test]
fn only_messages_for_servers_pass() {
    for msg_type in 0..=255 {
        let expected = match msg_type {
            1 | 3..=6 | 8 | 9 | 11 | 14 | 18 | 20 | 36 => Ok(()),
            12 => Err(Malformed6::TooShort { len: 4, msg_type }),
            2 | 7 | 10 | 13 | 15..=17 | 19 | 21..=35 | 37 => {
                Err(Malformed6::NotForServers(msg_type))
            }
            _ => Err(Malformed6::UnknownType(msg_type)),
        };
        assert_eq!(
            decoded(&message(msg_type, &[])).map(|_| ()),
            expected,
            "{msg_type}"
        );
    }
}

#[test]
fn relays_are_peeled_down_to_the_limit() {
    for levels in [0, 1, 2, 8, MAX_RELAYS] {
        let packet = decoded(&relayed(levels, rich_message())).expect("well-formed");
        assert_eq!(packet.relays.len(), levels);
        assert_eq!(
            (packet.message_type, packet.options.len()),
            (MessageType::Solicit, 7)
        );
        for (index, hop) in packet.relays.iter().enumerate() {
            // The outermost, index 0, was put on last.
            let hop_count = u8::try_from(levels - 1 - index).expect("at most 32");
            assert_eq!((hop.msg_type, hop.hop_count), (12, hop_count));
            assert_eq!(
                (hop.options.len(), hop.interface_id()),
                (1, Some(&[hop_count][..]))
            );
            assert_eq!(hop.link_address.octets()[15], hop_count);
            assert_eq!(hop.peer_address.octets()[..2], [0xfe, 0x80]);
        }
    }
}

#[test]
fn nesting_as_deep_as_a_datagram_allows_costs_no_stack() {
    let deep = (0..1_700).fold(message(1, &[]), |inner, _| relay(0, &[option(9, &inner)]));
    assert!(deep.len() > 64_000);
    let refused = std::thread::Builder::new()
        .stack_size(64 * 1024)
        .spawn(move || decoded(&deep))
        .expect("a thread")
        .join()
        .expect("no overflow");
    assert_eq!(refused, Err(Malformed6::TooManyRelays));
}

#[test]
fn what_is_odd_but_well_formed_is_accepted() {
    let big = option(99, &vec![7; 65_531]);
    let cases: Vec<(&str, Vec<u8>, Lens)> = vec![
        ("no option", message(11, &[]), &[]),
        (
            "an option of code 0",
            message(1, &[option(0, &[1])]),
            &[(0, 1)],
        ),
        (
            "code 65535, empty",
            message(1, &[option(65_535, &[])]),
            &[(65_535, 0)],
        ),
        (
            "the same code again",
            message(1, &[option(1, &[1]), option(1, &[2, 3])]),
            &[(1, 1), (1, 2)],
        ),
        ("nearly 64 KiB in one", message(1, &[big]), &[(99, 65_531)]),
        (
            "a relay message that is no relay's",
            message(1, &[option(9, &[12; 50])]),
            &[(9, 50)],
        ),
    ];
    for (name, bytes, expected) in cases {
        let packet = decoded(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: Vec<_> = packet
            .options
            .iter()
            .map(|(code, payload)| (code, payload.len()))
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_malformed_ia_invalidates_itself_and_no_other() {
    let good = ia(3, &[ia_addr()]);
    let bad = |code| Some(BadOption { code });
    let cases: Vec<(&str, Vec<u8>, Option<BadOption>)> = vec![
        ("IA_NA of 11 bytes", option(3, &[0; 11]), bad(3)),
        ("IA_PD of 0 bytes", option(25, &[]), bad(25)),
        ("IA_NA with a rest", ia(3, &[vec![0, 5, 0]]), bad(3)),
        (
            "IA_NA whose address is cut off",
            ia(3, &[vec![0, 5, 0, 24, 1]]),
            bad(3),
        ),
        ("address of 23 bytes", ia(3, &[option(5, &[0; 23])]), bad(5)),
        ("address with a rest", ia(3, &[option(5, &[0; 27])]), bad(5)),
        (
            "address whose option runs on",
            ia(3, &[option(5, &[&[0; 24][..], &[0, 13, 0, 9]].concat())]),
            bad(5),
        ),
        (
            "prefix of 24 bytes",
            ia(25, &[option(26, &[0; 24])]),
            bad(26),
        ),
        (
            "prefix length 129",
            ia(25, &[ia_prefix(56), ia_prefix(129)]),
            bad(26),
        ),
        ("prefix length 128", ia(25, &[ia_prefix(128)]), None),
        ("prefix length 0", ia(25, &[ia_prefix(0)]), None),
        ("an IA in an IA", ia(3, &[ia(3, &[option(5, &[])])]), None),
        ("an address in an IA_PD", ia(25, &[option(5, &[])]), None),
        ("a prefix in an IA_NA", ia(3, &[option(26, &[])]), None),
    ];
    for (name, tested, expected) in cases {
        let packet =
            decoded(&message(1, &[good.clone(), tested, good.clone()])).expect("well-formed");
        let [first, middle, last] = packet.ias().collect::<Vec<_>>()[..] else {
            panic!("{name}: three IAs")
        };
        assert_eq!(middle.err(), expected, "{name}");
        for ia in [first, last] {
            assert_eq!(ia.map(|ia| ia.addresses().count()), Ok(1), "{name}");
        }
    }
}

#[test]
fn ias_nested_without_end_cost_no_stack() {
    let deep = (0..4_000).fold(Vec::new(), |inner, _| ia(3, &[inner]));
    let packet = decoded(&message(1, &[deep])).expect("well-formed");
    let ia = packet.ias().next().expect("one IA").expect("well-formed");
    assert_eq!(
        (
            packet.ias().count(),
            ia.addresses().count(),
            ia.prefixes().count()
        ),
        (1, 0, 0)
    );
}

#[test]
fn a_message_cut_anywhere_is_decoded_or_refused_and_never_misread() {
    for (whole, relays) in [(rich_message(), 0), (relayed(2, rich_message()), 2)] {
        let all = decoded(&whole).expect("well-formed");
        for len in 0..whole.len() {
            match decoded(&whole[..len]) {
                Ok(packet) => {
                    assert_eq!(relays, 0, "an outer length no longer fits");
                    assert!(
                        packet
                            .options
                            .iter()
                            .eq(all.options.iter().take(packet.options.len()))
                    );
                }
                Err(Malformed6::TooShort { len: said, .. }) => assert!(said <= len),
                Err(Malformed6::TruncatedOption { offset }) => assert!(offset < len),
                Err(Malformed6::MissingRelayMessage { layer }) => assert_eq!(layer, 0),
                Err(other) => panic!("cut at {len}: {other}"),
            }
        }
    }
}

#[test]
fn a_message_with_any_byte_changed_never_panics() {
    let whole = relayed(2, rich_message());
    let mut accepted = 0;
    for at in 0..whole.len() {
        for value in [0, 1, 3, 9, 12, 25, 127, 128, 255] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            if let Ok(packet) = decoded(&bytes) {
                accepted += 1;
                let inside: usize = packet
                    .ias()
                    .flatten()
                    .map(|ia| ia.addresses().count() + ia.prefixes().count())
                    .sum();
                assert!(inside <= 8);
                assert!(format!("{packet:?}").contains("options"));
            }
        }
    }
    assert!(accepted > whole.len());
}

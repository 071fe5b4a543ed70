//! Hostile DHCPv4 datagrams and what each of them becomes.

use outrigger_wire::buffer::Buffer;
use outrigger_wire::v4::{Malformed4, MessageType, Packet4, decode};

type Contents = Vec<(u16, Vec<u8>)>;

const OPTIONS_AT: usize = 240;

fn header() -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[..4].copy_from_slice(&[1, 1, 6, 0]);
    bytes[4..8].copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]);
    bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    bytes.extend_from_slice(&[99, 130, 83, 99]);
    bytes
}

fn with_options(options: &[u8]) -> Vec<u8> {
    let mut bytes = header();
    bytes.extend_from_slice(options);
    bytes
}

/// A packet with options in all three areas, at `file` and `sname` as given.
fn overloaded(overload: u8, file: &[u8], sname: &[u8]) -> Vec<u8> {
    let mut bytes = with_options(&[53, 1, 1, 52, 1, overload, 12, 1, b'm', 255]);
    bytes[108..108 + file.len()].copy_from_slice(file);
    bytes[44..44 + sname.len()].copy_from_slice(sname);
    bytes
}

fn rich() -> Vec<u8> {
    let mut bytes = with_options(&[
        53, 1, 3, 61, 7, 1, 2, 0, 0, 0, 0, 1, 50, 4, 192, 0, 2, 9, 0, 0,
    ]);
    bytes.extend_from_slice(&[
        55, 5, 1, 3, 6, 15, 119, 57, 2, 5, 220, 52, 1, 3, 12, 2, b'h', b'1',
    ]);
    bytes.extend_from_slice(&[
        82, 10, 1, 3, b'e', b't', b'h', 2, 3, 9, 8, 7, 43, 3, 1, 1, 7, 43, 2, 2, 0, 80, 0, 255,
    ]);
    bytes[108..118].copy_from_slice(&[43, 1, 5, 66, 4, b't', b'f', b't', b'p', 255]);
    bytes[44..50].copy_from_slice(&[67, 3, b'b', b'i', b'n', 255]);
    bytes
}

fn decoded(bytes: &[u8]) -> Result<Packet4, Malformed4> {
    decode(Buffer::copy_of(bytes))
}

fn contents(packet: &Packet4) -> Contents {
    packet
        .options
        .iter()
        .map(|(code, payload)| (code, payload.to_vec()))
        .collect()
}

fn changed(at: usize, value: u8) -> Vec<u8> {
    let mut bytes = rich();
    bytes[at] = value;
    bytes
}

fn are_refused(cases: Vec<(&str, Vec<u8>, Malformed4)>) {
    for (name, bytes, expected) in cases {
        assert_eq!(decoded(&bytes), Err(expected), "{name}");
        assert!(!expected.to_string().is_empty());
    }
}

fn truncated(code: u8, offset: usize) -> Malformed4 {
    Malformed4::TruncatedOption { code, offset }
}

#[test]
fn fixed_fields_that_are_no_request_are_refused_with_the_reason() {
    are_refused(vec![
        ("empty", vec![], Malformed4::TooShort { len: 0 }),
        ("one byte", vec![1], Malformed4::TooShort { len: 1 }),
        (
            "no cookie",
            header()[..236].to_vec(),
            Malformed4::TooShort { len: 236 },
        ),
        (
            "half a cookie",
            header()[..239].to_vec(),
            Malformed4::TooShort { len: 239 },
        ),
        ("another cookie", changed(239, 98), Malformed4::BadCookie),
        (
            "a vendor field of zeros",
            [&header()[..236], &[0; 64][..]].concat(),
            Malformed4::BadCookie,
        ),
        ("a reply", changed(0, 2), Malformed4::NotARequest { op: 2 }),
        ("op 0", changed(0, 0), Malformed4::NotARequest { op: 0 }),
        (
            "hlen 17",
            changed(2, 17),
            Malformed4::HardwareAddressTooLong { hlen: 17 },
        ),
        (
            "hlen 255",
            changed(2, 255),
            Malformed4::HardwareAddressTooLong { hlen: 255 },
        ),
    ]);
}

/// Where Kea is lenient about a last option that runs past the end, this decoder is not: the packet is discarded.
#[test]
fn an_option_that_runs_past_its_field_is_refused() {
    let file_end = |end: &[u8]| [&[0; 128][end.len()..], end].concat();
    are_refused(vec![
        (
            "a code and no more",
            with_options(&[53, 1, 1, 12]),
            truncated(12, OPTIONS_AT + 3),
        ),
        (
            "a length and no payload",
            with_options(&[12, 1]),
            truncated(12, OPTIONS_AT),
        ),
        (
            "a length of 255",
            with_options(&[53, 1, 1, 61, 255, 1]),
            truncated(61, OPTIONS_AT + 3),
        ),
        (
            "one byte short",
            with_options(&[50, 4, 1, 2, 3]),
            truncated(50, OPTIONS_AT),
        ),
        (
            "an end mark in a payload cut off",
            with_options(&[12, 9, 255]),
            truncated(12, OPTIONS_AT),
        ),
        (
            "file cut off",
            overloaded(1, &file_end(&[66, 1]), &[]),
            truncated(66, 234),
        ),
        (
            "file ends in a code",
            overloaded(1, &file_end(&[66]), &[]),
            truncated(66, 235),
        ),
        (
            "sname runs into file",
            overloaded(2, &[], &[67, 63]),
            truncated(67, 44),
        ),
        (
            "file runs into the cookie",
            overloaded(3, &[66, 127], &[]),
            truncated(66, 108),
        ),
    ]);
}

#[test]
fn a_message_type_that_is_none_is_refused() {
    let length = |len| Malformed4::BadMessageTypeLength { len };
    let value = |value| Malformed4::BadMessageType { value };
    are_refused(vec![
        ("type of no bytes", with_options(&[53, 0, 255]), length(0)),
        ("type of two bytes", with_options(&[53, 2, 1, 1]), length(2)),
        (
            "type twice",
            with_options(&[53, 1, 1, 12, 0, 53, 1, 1]),
            length(2),
        ),
        ("type 0", with_options(&[53, 1, 0]), value(0)),
        ("type 19", with_options(&[53, 1, 19]), value(19)),
        ("type 255", with_options(&[53, 1, 255]), value(255)),
    ]);
}

#[test]
fn what_is_odd_but_well_formed_is_accepted() {
    let long = [&[43, 255][..], &[7; 255], &[43, 1, 8], &[255]].concat();
    let cases: Vec<(&str, Vec<u8>, Contents)> = vec![
        ("no option at all", header(), vec![]),
        (
            "no end mark",
            with_options(&[12, 1, b'a']),
            vec![(12, vec![b'a'])],
        ),
        (
            "pads before, between and behind",
            with_options(&[0, 0, 12, 1, b'a', 0, 80, 0, 0]),
            vec![(12, vec![b'a']), (80, vec![])],
        ),
        (
            "nonsense behind the end",
            with_options(&[80, 0, 255, 12, 200]),
            vec![(80, vec![])],
        ),
        (
            "pieces side by side",
            with_options(&long),
            vec![(43, [&[7; 255][..], &[8]].concat())],
        ),
        (
            "pieces apart",
            with_options(&[12, 1, b'a', 50, 1, 9, 12, 1, b'b', 12, 0]),
            vec![(12, vec![b'a', b'b']), (50, vec![9])],
        ),
        (
            "overload of two bytes",
            with_options(&[52, 2, 1, 1]),
            vec![(52, vec![1, 1])],
        ),
        ("overload 0", with_options(&[52, 1, 0]), vec![(52, vec![0])]),
        ("overload 4", with_options(&[52, 1, 4]), vec![(52, vec![4])]),
        (
            "overload in pieces",
            with_options(&[52, 1, 1, 52, 1, 2]),
            vec![(52, vec![1, 2])],
        ),
    ];
    for (name, bytes, expected) in cases {
        let packet = decoded(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(contents(&packet), expected, "{name}");
        assert_eq!(packet.message_type, None, "{name}");
    }
}

#[test]
fn options_of_the_overloaded_fields_come_after_the_others_file_first() {
    let file = [66, 1, b'f', 12, 1, b'n', 255, 99];
    let sname = [67, 1, b's'];
    let main = vec![(53, vec![1]), (52, vec![0]), (12, b"m".to_vec())];
    let from_file = vec![(66, b"f".to_vec())];
    let from_sname = vec![(67, b"s".to_vec())];
    let cases: [(u8, &str, Vec<Contents>); 4] = [
        (1, "mn", vec![main.clone(), from_file.clone()]),
        (2, "m", vec![main.clone(), from_sname.clone()]),
        (3, "mn", vec![main.clone(), from_file, from_sname]),
        (4, "m", vec![main]),
    ];
    for (overload, host_name, expected) in cases {
        let packet = decoded(&overloaded(overload, &file, &sname)).expect("well-formed");
        let mut expected = expected.concat();
        expected[1].1 = vec![overload];
        expected[2].1 = host_name.into();
        assert_eq!(contents(&packet), expected, "overload {overload}");
        assert_eq!(packet.header.file == [0; 128], overload & 1 != 0);
        assert_eq!(packet.header.sname == [0; 64], overload & 2 != 0);
        assert_eq!(packet.message_type, Some(MessageType::Discover));
    }
}

#[test]
fn an_overload_option_in_an_overloaded_field_has_no_say() {
    let packet =
        decoded(&overloaded(1, &[52, 1, 3, 52, 1, 1], &[67, 63])).expect("sname is not read");
    assert_eq!(packet.options.get(52), Some(&[1, 3, 1][..]));
    assert_eq!(packet.header.sname[..2], [67, 63]);
}

#[test]
fn the_pieces_of_an_overload_option_count_together() {
    for (pieces, expected) in [
        (&[52, 0, 52, 1, 1][..], Some(&b"f"[..])),
        (&[52, 1, 1, 52, 1, 2], None),
    ] {
        let mut bytes = with_options(pieces);
        bytes[108..112].copy_from_slice(&[66, 1, b'f', 255]);
        let packet = decoded(&bytes).expect("well-formed");
        assert_eq!(packet.options.get(66), expected, "{pieces:?}");
        assert_eq!(
            packet.header.file == [0; 128],
            expected.is_some(),
            "{pieces:?}"
        );
    }
}

#[test]
fn thousands_of_interleaved_pieces_make_one_option_each() {
    let pieces = [12, 1, b'a', 13, 1, b'b', 14, 0, 15, 0].repeat(6_000);
    let packet = decoded(&with_options(&pieces)).expect("well-formed");
    let lens: Vec<_> = packet
        .options
        .iter()
        .map(|(code, payload)| (code, payload.len()))
        .collect();
    assert_eq!(lens, [(12, 6_000), (13, 6_000), (14, 0), (15, 0)]);
}

#[test]
fn all_message_types_of_the_registry_are_known() {
    for value in 1..=18 {
        let packet = decoded(&with_options(&[53, 1, value])).expect("well-formed");
        assert_eq!(packet.message_type.map(u8::from), Some(value));
    }
}

#[test]
fn a_packet_cut_anywhere_is_decoded_or_refused_and_never_misread() {
    let whole = rich();
    let all = contents(&decoded(&whole).expect("well-formed"));
    assert_eq!(all.len(), 12);
    for len in 0..whole.len() {
        match decoded(&whole[..len]) {
            Ok(packet) => {
                assert!(len >= OPTIONS_AT);
                for (code, payload) in contents(&packet) {
                    let complete = all
                        .iter()
                        .find(|(known, _)| *known == code)
                        .map(|(_, value)| value);
                    // Option 43 comes in pieces, of which some may be cut off.
                    assert!(
                        complete == Some(&payload) || code == 43,
                        "cut at {len}: option {code}"
                    );
                }
            }
            Err(Malformed4::TooShort { len: said }) => assert!(len < OPTIONS_AT && said == len),
            Err(Malformed4::TruncatedOption { offset, .. }) => {
                assert!((OPTIONS_AT..len).contains(&offset))
            }
            Err(other) => panic!("cut at {len}: {other}"),
        }
    }
}

#[test]
fn a_packet_with_any_byte_changed_never_panics() {
    let whole = rich();
    let mut accepted = 0;
    for at in 0..whole.len() {
        for value in [0, 1, 52, 53, 82, 127, 128, 254, 255] {
            if let Ok(packet) = decoded(&changed(at, value)) {
                accepted += 1;
                assert!(packet.hw_address().bytes().len() <= 16);
                assert!(format!("{packet:?}").contains("options"));
            }
        }
    }
    assert!(accepted > whole.len());
}

use super::*;
use crate::options::defs::{Definition, OptionType};
use crate::options::spaces::{Definitions, Universe};
use proptest::prelude::*;

fn standard(universe: Universe, name: &str) -> &'static Definition {
    let space = universe.top_space();
    Definitions::standard(universe)
        .by_name(space, name)
        .unwrap()
}

fn bytes(universe: Universe, name: &str, data: &str) -> Vec<u8> {
    encode(universe, standard(universe, name), data)
        .unwrap()
        .payload
}

fn error(universe: Universe, name: &str, data: &str) -> String {
    encode(universe, standard(universe, name), data)
        .unwrap_err()
        .to_string()
}

fn of_type(kind: OptionType, array: bool) -> Definition {
    Definition {
        kind,
        array,
        record: Vec::new(),
        ..standard(Universe::V4, "boot-size").clone()
    }
}

#[test]
fn each_type_has_its_wire_form() {
    let cases: &[(OptionType, bool, &str, &[u8])] = &[
        (OptionType::Empty, false, "", &[]),
        (OptionType::Binary, false, "0A0b", &[10, 11]),
        (OptionType::Binary, false, "abc", &[0x0a, 0xbc]),
        (OptionType::Boolean, false, "TRUE", &[1]),
        (OptionType::Boolean, true, "1, 0, false", &[1, 0, 0]),
        (OptionType::Int8, false, "-1", &[0xff]),
        (OptionType::Int16, false, "-2", &[0xff, 0xfe]),
        (OptionType::Int32, false, "-3", &[0xff, 0xff, 0xff, 0xfd]),
        (OptionType::Uint8, false, "ff", &[255]),
        (OptionType::Uint8, false, "10", &[10]),
        (OptionType::Uint16, false, "0x10", &[0, 16]),
        (OptionType::Uint32, false, "4491", &[0, 0, 0x11, 0x8b]),
        (OptionType::Ipv4Address, true, "", &[]),
        (
            OptionType::Ipv4Address,
            true,
            " 192.0.2.1 ,192.0.2.2",
            &[192, 0, 2, 1, 192, 0, 2, 2],
        ),
        (
            OptionType::Ipv6Prefix,
            false,
            "2001:db8:ffff::/36",
            &[36, 0x20, 1, 0x0d, 0xb8, 0xf0],
        ),
        (OptionType::Ipv6Prefix, false, "::/0", &[0]),
        (OptionType::Psid, false, "3/4", &[4, 0x30, 0]),
        (OptionType::Psid, false, "0/0", &[0, 0, 0]),
        (OptionType::Psid, false, "65535/16", &[16, 255, 255]),
        (OptionType::String, false, "a\\, b", b"a, b"),
        (OptionType::Tuple, true, "ab, c", &[2, b'a', b'b', 1, b'c']),
        (
            OptionType::Fqdn,
            true,
            "a.bc, d.",
            &[1, b'a', 2, b'b', b'c', 0, 1, b'd', 0],
        ),
        (OptionType::Fqdn, false, ".", &[0]),
    ];
    for (kind, array, data, expected) in cases {
        let encoded = encode(Universe::V4, &of_type(*kind, *array), data).unwrap();
        assert_eq!(encoded.payload, *expected, "{kind} {data}");
        assert_eq!(encoded.fields_ignored, 0);
    }
}

#[test]
fn a_tuple_has_a_longer_length_in_dhcpv6_and_in_option_143() {
    assert_eq!(
        bytes(Universe::V6, "bootfile-param", "ab"),
        [0, 2, b'a', b'b']
    );
    assert_eq!(
        bytes(Universe::V4, "v4-sztp-redirect", "ab"),
        [0, 2, b'a', b'b']
    );
}

#[test]
fn a_record_is_its_fields_one_behind_the_other() {
    assert_eq!(bytes(Universe::V4, "uuid-guid", "0, 0102"), [0, 1, 2]);
    assert_eq!(
        bytes(
            Universe::V4,
            "slp-directory-agent",
            "true, 192.0.2.1, 192.0.2.2"
        ),
        [1, 192, 0, 2, 1, 192, 0, 2, 2]
    );
}

#[test]
fn fields_behind_the_last_one_are_counted_and_not_sent() {
    let encoded = encode(Universe::V4, standard(Universe::V4, "domain-name"), "a,b,c").unwrap();
    assert_eq!(
        encoded,
        Encoded {
            payload: b"a".to_vec(),
            fields_ignored: 2
        }
    );
    let encoded = encode(
        Universe::V4,
        standard(Universe::V4, "client-ndi"),
        "1,2,3,4",
    )
    .unwrap();
    assert_eq!(
        encoded,
        Encoded {
            payload: vec![1, 2, 3],
            fields_ignored: 1
        }
    );
}

#[test]
fn an_error_names_the_field() {
    let cases = [
        (
            "routers",
            "192.0.2.1, x",
            "field 2 (ipv4-address): \"x\" is not an IPv4 address",
        ),
        (
            "default-ip-ttl",
            "256",
            "field 1 (uint8): 256 is not between 0 and 255",
        ),
        (
            "default-ip-ttl",
            "+1",
            "field 1 (uint8): \"+1\" is not an integer",
        ),
        (
            "ip-forwarding",
            "yes",
            "field 1 (boolean): \"yes\" is not true, false, 1 or 0",
        ),
        ("uuid-guid", "0", "1 of 2 fields given"),
        ("domain-name", "", "no data given"),
        ("rapid-commit", "1", "this option takes no data"),
        (
            "user-class",
            "xyz",
            "field 1 (binary): \"xyz\" is not hexadecimal",
        ),
        (
            "vivco-suboptions",
            "4491, 0501",
            "field 2 (binary): not a sequence of chunks, each behind its own length",
        ),
    ];
    for (name, data, expected) in cases {
        assert_eq!(error(Universe::V4, name, data), expected);
    }
    let label = "a".repeat(64);
    assert!(error(Universe::V6, "aftr-name", &label).contains("1 to 63 bytes per label"));
    assert!(error(Universe::V6, "aftr-name", "a..b").contains("is not a domain name"));
    assert!(error(Universe::V6, "pd-exclude", "2001:db8::/129").contains("is not an IPv6 prefix"));
    assert!(error(Universe::V4, "v4-portparams", "4, 16/4").contains("is not a port set"));
}

#[test]
fn raw_bytes_are_written_in_four_ways() {
    for text in ["0A0B", "0x0a0b", "a:b", "0a:0B", "0a 0b", "a0b"] {
        assert_eq!(bytes_from_text(text).unwrap(), [10, 11], "{text}");
    }
    assert_eq!(bytes_from_text("'0A'").unwrap(), b"0A");
    for text in ["0a-0b", "xyz", "a::b", "123:4", "0a  0b", "'a", "0xg"] {
        assert!(bytes_from_text(text).is_err(), "{text}");
    }
}

#[test]
fn classless_static_routes_have_the_form_of_rfc_3442() {
    assert_eq!(
        bytes(
            Universe::V4,
            "classless-static-route",
            "0.0.0.0/0 - 192.0.2.1, 10.229.0.128/25 - 10.229.0.1"
        ),
        [0, 192, 0, 2, 1, 25, 10, 229, 0, 128, 10, 229, 0, 1]
    );
    assert!(
        error(Universe::V4, "classless-static-route", "10.0.0.0/8")
            .starts_with("field 1 (internal)")
    );
}

#[test]
fn encrypted_resolvers_have_the_form_of_rfc_9463() {
    let data = "2, r.example., 192.0.2.5 192.0.2.6, port=8530 alpn=dot\\,h2 dohpath=/q";
    let instance = [
        &[0, 2, 11, 1, b'r', 7][..],
        b"example\0",
        &[8, 192, 0, 2, 5, 192, 0, 2, 6],
        &[0, 1, 0, 7, 3, b'd', b'o', b't', 2, b'h', b'2'],
        &[0, 3, 0, 2, 0x21, 0x52],
        &[0, 7, 0, 2, b'/', b'q'],
    ]
    .concat();
    let mut expected = u16::try_from(instance.len())
        .unwrap()
        .to_be_bytes()
        .to_vec();
    expected.extend(&instance);
    assert_eq!(bytes(Universe::V4, "v4-dnr", data), expected);
    assert_eq!(
        bytes(Universe::V6, "v6-dnr", "1, r."),
        [0, 1, 0, 3, 1, b'r', 0]
    );
    assert!(error(Universe::V6, "v6-dnr", "1, r., 192.0.2.1").contains("not an IPv6 address"));
    assert!(
        error(Universe::V6, "v6-dnr", "1, r., ::1, ipv6hint=::1")
            .contains("not a service parameter")
    );
}

#[test]
fn bytes_are_shown_as_they_would_be_written() {
    let cases = [
        ("routers", "192.0.2.1, 192.0.2.2"),
        ("client-ndi", "1, 2, 3"),
        ("domain-search", "a.example., b.example."),
        ("v4-portparams", "4, 3/4"),
        ("time-offset", "-3600"),
        ("ip-forwarding", "true"),
    ];
    for (name, text) in cases {
        let payload = bytes(Universe::V4, name, text);
        assert_eq!(
            to_text(Universe::V4, Some(standard(Universe::V4, name)), &payload),
            text
        );
    }
    let show =
        |name, payload: &[u8]| to_text(Universe::V4, Some(standard(Universe::V4, name)), payload);
    assert_eq!(show("domain-name", b"a\nb"), "\"a\\nb\"");
    assert_eq!(show("routers", &[1, 2, 3]), "010203");
    assert_eq!(to_text(Universe::V4, None, &[1, 255]), "01ff");
}

#[test]
fn raw_bytes_must_have_room_for_the_fields() {
    assert!(fits(standard(Universe::V4, "routers"), &[0; 8]));
    assert!(!fits(standard(Universe::V4, "routers"), &[0; 7]));
    assert!(!fits(standard(Universe::V4, "interface-mtu"), &[0]));
    assert!(!fits(standard(Universe::V4, "client-ndi"), &[0; 2]));
    assert!(fits(standard(Universe::V4, "domain-name"), &[]));
}

proptest! {
    #[test]
    fn no_text_makes_the_encoder_panic(data in "[ -~\\\\,]{0,40}", pick in any::<prop::sample::Index>()) {
        for universe in [Universe::V4, Universe::V6] {
            let mut all: Vec<_> = Definitions::standard(universe).in_space(universe.top_space()).collect();
            all.sort_by_key(|definition| definition.code);
            let definition = pick.get(&all);
            if let Ok(encoded) = encode(universe, definition, &data) {
                let text = to_text(universe, Some(definition), &encoded.payload);
                prop_assert!(!text.contains(char::is_control));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_printer_panic(payload in prop::collection::vec(any::<u8>(), 0..60)) {
        for universe in [Universe::V4, Universe::V6] {
            for definition in Definitions::standard(universe).in_space(universe.top_space()) {
                let text = to_text(universe, Some(definition), &payload);
                prop_assert!(!text.contains(char::is_control));
                let _ = fits(definition, &payload);
            }
        }
    }

    #[test]
    fn what_is_shown_of_numbers_encodes_to_the_same_bytes(payload in prop::collection::vec(any::<u8>(), 3..=3)) {
        let definition = standard(Universe::V4, "client-ndi");
        let text = to_text(Universe::V4, Some(definition), &payload);
        prop_assert_eq!(encode(Universe::V4, definition, &text).unwrap().payload, payload);
    }
}

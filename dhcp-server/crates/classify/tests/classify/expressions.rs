//! What expressions say about packets of both families.

use super::common::{Asked, query4, query6, written};
use outrigger_classify::{AnyPacket, BoolExpression, EvalError, StringExpression};
use outrigger_wire::options::spaces::{Definitions, Universe};
use outrigger_wire::options::tlv::TlvKind;
use outrigger_wire::v4::Packet4;
use outrigger_wire::v6::Packet6;

fn discover() -> Asked<Packet4> {
    let relay_info = written(
        TlvKind::V4,
        &[(1, b"port 7"), (2, &[0xca, 0xfe]), (6, b"subscriber\0")],
    );
    let vendor = written(TlvKind::V4, &[(1, &[1]), (2, b"two")]);
    let vendors = written(TlvKind::Enterprise4, &[(4491, &vendor), (9, &vendor)]);
    let class = written(
        TlvKind::Enterprise4,
        &[(4491, b"\x03abc\x02de"), (9, b"\x01z")],
    );
    let mut query = query4(&[
        (12, b"Host-A"),
        (43, &[0, 6, 2, 1, 2, 255]),
        (60, b"PXEClient:Arch:00007\0"),
        (61, &[1, 0, 0x11, 0x22, 0xaa, 0xbb, 0xcc]),
        (77, b"iPXE"),
        (80, b""),
        (93, &[0, 7]),
        (82, &relay_info),
        (124, &class),
        (125, &vendors),
        (224, b"a,,b;c"),
    ]);
    query.classes.join("A".into());
    query
}

fn solicit() -> Asked<Packet6> {
    let address = [&[0x20; 16][..], &[0; 8], &[0, 13, 0, 2, 0, 1]].concat();
    let ia = [
        &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &written(TlvKind::V6, &[(5, &address)]),
    ]
    .concat();
    let vendor = [
        &[0, 0, 0x11, 0x8b][..],
        &written(TlvKind::V6, &[(2, b"device"), (36, &[1, 2])]),
    ]
    .concat();
    let other = [&[0, 0, 0, 9][..], &written(TlvKind::V6, &[(1, b"x")])].concat();
    let class = [&[0, 0, 0x11, 0x8b, 0, 3][..], b"abc", &[0, 2], b"de"].concat();
    // RFC 7598: a rule whose prefix of 40 bits takes 5 bytes, then its port parameters.
    let ports = written(TlvKind::V6, &[(93, &[6, 8, 0x12, 0])]);
    let rule = [
        &[0, 8, 24, 192, 0, 2, 0, 40, 0x20, 1, 0x0d, 0xb8, 0][..],
        &ports,
    ]
    .concat();
    let softwire = written(TlvKind::V6, &[(89, &rule)]);
    let mut query = query6(
        &[
            (1, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]),
            (3, &ia),
            (15, &[0, 4, b'i', b'P', b'X', b'E']),
            (16, &class),
            (17, &vendor),
            (17, &other),
            (41, b"zone\0\0"),
            (41, b"second"),
            (94, &softwire),
        ],
        &[&[(18, b"outer")], &[(18, b"inner"), (37, &[0, 0, 0, 1, 7])]],
    );
    query.classes.join("A".into());
    query
}

fn check<P>(
    query: &Asked<P>,
    universe: Universe,
    conditions: &[(&str, bool)],
    strings: &[(&str, &[u8])],
) where
    for<'a> &'a P: Into<AnyPacket<'a>>,
{
    let definitions = Definitions::standard(universe);
    for (text, expected) in conditions {
        let parsed = BoolExpression::parse(text, definitions)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(parsed.is_true(&query.subject()), Ok(*expected), "{text}");
    }
    for (text, expected) in strings {
        let parsed = StringExpression::parse(text, definitions)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let value = parsed.evaluate(&query.subject()).unwrap();
        assert_eq!(
            &*value,
            *expected,
            "{text}: {}",
            String::from_utf8_lossy(&value)
        );
    }
}

/// Of any packet of either family.
const CONDITIONS: &[(&str, bool)] = &[
    ("member('A')", true),
    ("member('B')", false),
    ("member('ALL')", true),
    ("not member('B')", true),
    ("not not member('B')", false),
    ("member('A') and not member('B')", true),
    ("member('A') or member('B') and member('B')", true),
    ("(member('A') or member('B')) and member('B')", false),
    ("member('A') sor member('A') and member('B')", true),
    ("member('A') sand member('A') or member('B')", true),
    // Loosest first: sor, or, sand, and.
    ("member('A') or member('A') sand member('B')", true),
    ("member('B') sand member('A') and member('A')", false),
    ("not member('B') and member('B')", false),
    ("not (member('B') and member('B'))", true),
    ("'a' + 'b' == 'ab'", true),
    ("('a' + 'b') == ('ab')", true),
    ("('a' == 'b') or ('b' == 'b')", true),
    ("not 'a' == 'b'", true),
    ("'a' == 'A'", false),
    ("0x61 == 'a'", true),
    ("0X6162 == 'ab'", true),
    ("0xa == 0x0a", true),
    ("1 == 0x00000001", true),
    ("4294967295 == 0xffffffff", true),
    ("10.0.0.1 == 0x0a000001", true),
    ("2001:db8::1 == 0x20010db8000000000000000000000001", true),
    ("::ffff:1.2.3.4 == 0x00000000000000000000ffff01020304", true),
    ("abc::1 == 0x0abc0000000000000000000000000001", true),
    ("'' == ''", true),
    ("pkt.iface == 'eth0'", true),
    ("match('eth[0-9]', pkt.iface)", true),
    ("match('eth', pkt.iface)", false),
    ("match('a|eth0', pkt.iface)", true),
    ("match('^eth0$', pkt.iface)", true),
    ("match('.*\\d', pkt.iface)", true),
    // An error behind the deciding operand is not met, but for the strict forms.
    ("member('A') or addrtotext('x') == ''", true),
    ("member('B') and addrtotext('x') == ''", false),
    ("\tmember( 'A' )\n", true),
];

const STRINGS: &[(&str, &[u8])] = &[
    ("'a' + 'b' + 'c'", b"abc"),
    ("concat('a', 'b')", b"ab"),
    ("substring('abcdef', 0, 2)", b"ab"),
    ("substring('abcdef', 2, all)", b"cdef"),
    ("substring('abcdef', 2, 99)", b"cdef"),
    ("substring('abcdef', -2, 1)", b"e"),
    ("substring('abcdef', -6, all)", b"abcdef"),
    ("substring('abcdef', -7, all)", b""),
    ("substring('abcdef', 6, all)", b""),
    ("substring('abcdef', 3, -2)", b"bc"),
    ("substring('abcdef', 3, -9)", b"abc"),
    ("substring('abcdef', -1, -3)", b"cde"),
    ("substring('abcdef', 0, 0)", b""),
    ("substring('', 0, all)", b""),
    ("substring('ab' + 'cd', 1, 2)", b"bc"),
    ("split('a.b..c', '.', 1)", b"a"),
    ("split('a.b..c', '.', 3)", b""),
    ("split('a.b..c', '.', 4)", b"c"),
    ("split('a.b..c', '.', 5)", b""),
    ("split('a.b', '.', 0)", b""),
    ("split('a.b', '.', -1)", b""),
    ("split('a.b-c', '-.', 2)", b"b"),
    ("split('a.b', '', 7)", b"a.b"),
    ("split('', '.', 1)", b""),
    ("split('a' + '.b', '.', 2)", b"b"),
    ("ifelse(member('A'), 'yes', 'no')", b"yes"),
    ("ifelse(member('B'), addrtotext('x'), 'no')", b"no"),
    ("sifelse(member('B'), 'yes', 'no')", b"no"),
    ("hexstring(0x0a0bff, ':')", b"0a:0b:ff"),
    ("hexstring(0x0a0b, '')", b"0a0b"),
    ("hexstring('', ':')", b""),
    ("lcase('LoWer-1')", b"lower-1"),
    ("ucase('uPPer-1')", b"UPPER-1"),
    ("addrtotext(10.0.0.1)", b"10.0.0.1"),
    ("addrtotext(2001:db8::1)", b"2001:db8::1"),
    ("addrtotext('')", b""),
    ("int8totext(0xff)", b"-1"),
    ("int16totext(0x7fff)", b"32767"),
    ("int32totext(0x80000000)", b"-2147483648"),
    ("uint8totext(0xff)", b"255"),
    ("uint16totext(0xffff)", b"65535"),
    ("uint32totext(0xffffffff)", b"4294967295"),
    ("uint32totext(7)", b"7"),
    ("uint8totext('')", b""),
];

#[test]
fn every_construct_of_both_families() {
    check(&discover(), Universe::V4, CONDITIONS, STRINGS);
    check(&solicit(), Universe::V6, CONDITIONS, STRINGS);
}

#[test]
fn what_only_dhcpv4_has() {
    let conditions: &[(&str, bool)] = &[
        ("substring(option[60].hex,0,9) == 'PXEClient'", true),
        ("option[60].hex == 'PXEClient:Arch:00007'", true),
        (
            "option[vendor-class-identifier].text == 'PXEClient:Arch:00007'",
            true,
        ),
        ("option[host-name].text == 'Host-A'", true),
        ("option[93].hex == 0x0007", true),
        ("option[93].hex == 7", false),
        ("option[77].hex == 'iPXE'", true),
        ("option[80].exists", true),
        ("option[81].exists", false),
        ("option[81].hex == ''", true),
        ("substring(pkt4.mac,0,3) == 0x001122", true),
        ("option[82].option[2].hex == 0xcafe", true),
        ("option[82].option[3].exists", false),
        ("option[60].option[1].exists", false),
        ("option[60].option[1].option[2].hex == ''", true),
        ("option[43].option[6].hex == 0x0102", true),
        ("option[43].option[0].exists", false),
        ("option[125].option[2].hex == 'two'", true),
        ("relay4[1].hex == 'port 7'", true),
        ("relay4[1].exists", true),
        ("relay4[9].exists", false),
        ("relay4[6].text == 'subscriber'", true),
        ("relay4[1].option[1].exists", false),
        ("pkt4.giaddr == 10.0.0.1", true),
        ("pkt4.ciaddr == 192.0.2.9", true),
        ("pkt4.yiaddr == 0.0.0.0", true),
        ("pkt4.siaddr == 192.0.2.1", true),
        ("pkt4.hlen == 6", true),
        ("pkt4.htype == 1", true),
        ("pkt4.msgtype == 1", true),
        ("pkt4.transid == 0xdeadbeef", true),
        ("pkt.src == 10.0.0.1", true),
        ("pkt.dst == 255.255.255.255", true),
        ("vendor[4491].exists", true),
        ("vendor[9].exists", false),
        ("vendor[*].exists", true),
        ("vendor[0].option[2].exists", true),
        ("vendor[4491].option[2].hex == 'two'", true),
        ("vendor[4491].option[3].exists", false),
        ("vendor[9].option[2].exists", false),
        ("vendor.enterprise == 4491", true),
        ("vendor-class[4491].exists", true),
        ("vendor-class[9].exists", false),
        ("vendor-class.enterprise == 4491", true),
        ("vendor-class[4491].data == 'abc'", true),
        ("vendor-class[*].data[1] == 'de'", true),
        ("vendor-class[*].data[2] == ''", true),
        ("split(option[224].hex, ',;', 3) == 'b'", true),
    ];
    let strings: &[(&str, &[u8])] = &[
        ("hexstring(pkt4.mac, ':')", b"00:11:22:aa:bb:cc"),
        ("addrtotext(pkt4.giaddr)", b"10.0.0.1"),
        ("uint16totext(option[93].hex)", b"7"),
        ("uint32totext(pkt4.msgtype)", b"1"),
    ];
    check(&discover(), Universe::V4, conditions, strings);
}

#[test]
fn what_only_dhcpv6_has() {
    let conditions: &[(&str, bool)] = &[
        ("substring(option[1].hex,0,2) == 0x0003", true),
        ("option[clientid].exists", true),
        ("option[user-class].hex == 0x0004 + 'iPXE'", true),
        ("option[41].text == 'zone'", true),
        ("option[new-posix-timezone].hex == 'zone'", true),
        ("option[3].option[5].exists", true),
        ("option[3].option[5].option[13].hex == 0x0001", true),
        ("option[3].option[26].exists", false),
        ("option[1].option[1].exists", false),
        ("option[17].option[2].hex == 'device'", true),
        ("option[94].option[89].option[93].hex == 0x06081200", true),
        ("option[94].option[90].option[93].exists", false),
        ("relay6[0].option[18].hex == 'outer'", true),
        ("relay6[1].option[18].hex == 'inner'", true),
        ("relay6[-1].option[18].hex == 'inner'", true),
        ("relay6[-2].option[18].hex == 'outer'", true),
        ("relay6[2].option[18].exists", false),
        ("relay6[-3].option[18].exists", false),
        ("relay6[-32].option[18].hex == ''", true),
        ("relay6[-1].option[37].exists", true),
        ("relay6[0].option[37].exists", false),
        ("relay6[-1].linkaddr == 2001:db8::1", true),
        ("relay6[0].linkaddr == 2001:db8::2", true),
        ("relay6[0].peeraddr == fe80::2", true),
        ("relay6[5].peeraddr == ''", true),
        ("pkt6.msgtype == 1", true),
        ("pkt6.transid == 0x000a0b0c", true),
        ("pkt.src == fe80::5", true),
        ("pkt.dst == ff02::1:2", true),
        ("vendor[4491].option[2].hex == 'device'", true),
        ("vendor[4491].option[2].text == 'device'", true),
        ("vendor[9].option[1].exists", false),
        ("vendor[*].exists", true),
        ("vendor.enterprise == 4491", true),
        ("vendor-class[4491].data[0] == 'abc'", true),
        ("vendor-class[4491].data[1] == 'de'", true),
        ("vendor-class[9].data == ''", true),
        ("vendor-class.enterprise == 0x0000118b", true),
    ];
    let strings: &[(&str, &[u8])] = &[
        ("addrtotext(relay6[-1].peeraddr)", b"fe80::1"),
        (
            "hexstring(substring(option[1].hex, 4, all), ':')",
            b"02:00:00:00:00:01",
        ),
    ];
    check(&solicit(), Universe::V6, conditions, strings);
}

#[test]
fn what_a_packet_lacks_is_empty() {
    let (v4, v6) = (query4(&[]), query6(&[], &[]));
    let nothing: &[(&str, &[u8])] = &[
        ("vendor.enterprise", b""),
        ("vendor-class.enterprise", b""),
        ("vendor-class[*].data", b""),
        ("vendor[*].option[1].hex", b""),
        ("option[17].hex", b""),
    ];
    check(&v4, Universe::V4, &[("vendor[*].exists", false)], nothing);
    check(&v6, Universe::V6, &[("vendor[*].exists", false)], nothing);
}

#[test]
fn length_is_counted_as_it_would_be_written() {
    let long = [7; 250];
    let strings: &[(&str, &[u8])] = &[("uint32totext(pkt.len)", b"743")];
    check(
        &query4(&[(224, &long), (224, &long)]),
        Universe::V4,
        &[],
        strings,
    );
    let strings: &[(&str, &[u8])] = &[("uint32totext(pkt.len)", b"57")];
    check(
        &query6(&[(1, &[1, 2, 3])], &[&[(18, b"abcd")]]),
        Universe::V6,
        &[],
        strings,
    );
}

#[test]
fn strict_forms_meet_every_error() {
    let query = discover();
    let length = EvalError::Length {
        function: "addrtotext",
        len: 1,
    };
    for text in [
        "addrtotext('x') == ''",
        "member('A') sor addrtotext('x') == ''",
        "member('B') sand addrtotext('x') == ''",
        "sifelse(member('A'), 'a', addrtotext('x')) == 'a'",
        "addrtotext('x') == '' or member('A')",
        // The strict forms are the looser ones.
        "member('A') or member('B') sor addrtotext('x') == ''",
        "member('B') and member('A') sand addrtotext('x') == ''",
    ] {
        let parsed = BoolExpression::parse(text, Definitions::standard(Universe::V4)).unwrap();
        assert_eq!(parsed.is_true(&query.subject()), Err(length), "{text}");
    }
    let parsed =
        StringExpression::parse("uint16totext(0x01)", Definitions::standard(Universe::V6)).unwrap();
    assert_eq!(
        parsed.evaluate(&query.subject()).unwrap_err().to_string(),
        "uint16totext was given 1 bytes"
    );
}

#[test]
fn strings_do_not_grow_without_bound() {
    let text = format!(
        "{}pkt.iface{}",
        "hexstring(".repeat(20),
        ", '----')".repeat(20)
    );
    let parsed = StringExpression::parse(&text, Definitions::standard(Universe::V4)).unwrap();
    let query = discover();
    assert_eq!(
        parsed.evaluate(&query.subject()).unwrap_err(),
        EvalError::TooLong
    );
}

#[test]
fn a_list_of_addresses_may_be_long() {
    let rows: Vec<_> = (0..4000)
        .map(|n| format!("pkt4.mac == 0x0011220{n:05x}"))
        .collect();
    let text = rows.join(" or ");
    let parsed = BoolExpression::parse(&text, Definitions::standard(Universe::V4)).unwrap();
    assert_eq!(parsed.is_true(&discover().subject()), Ok(false));
}

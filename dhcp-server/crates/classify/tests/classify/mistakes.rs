//! What is wrong with an expression is said, with its place.

use outrigger_classify::{BoolExpression, StringExpression};
use outrigger_wire::options::spaces::{Definitions, Universe};
use proptest::prelude::*;

const CASES: &[(Universe, &str, usize, &str)] = &[
    (
        Universe::V4,
        "",
        0,
        "a condition or a string must stand here, not the end",
    ),
    (
        Universe::V4,
        "'a' == 'b' == 'c'",
        11,
        "comparisons do not follow each other",
    ),
    (
        Universe::V4,
        "option[60].hex",
        0,
        "this is a string where a condition must stand: compare it, or ask for .exists",
    ),
    (
        Universe::V4,
        "option[60].hex and member('a')",
        0,
        "\"and\" stands between conditions: this is a string",
    ),
    (
        Universe::V4,
        "not 'a'",
        4,
        "\"not\" stands between conditions: this is a string",
    ),
    (
        Universe::V4,
        "member('a') == 'a'",
        0,
        "\"==\" compares strings: this is a condition",
    ),
    (
        Universe::V4,
        "'a' + member('a') == 'a'",
        6,
        "\"+\" joins strings: this is a condition",
    ),
    (Universe::V4, "known", 0, "write member('KNOWN')"),
    (Universe::V4, "not unknown", 4, "write member('UNKNOWN')"),
    (
        Universe::V4,
        "member('a') member('b')",
        12,
        "an operator or the end must stand here, not member",
    ),
    (
        Universe::V4,
        "member(a)",
        7,
        "the name of a class in single quotes must stand here, not a",
    ),
    (
        Universe::V4,
        "member('a'",
        10,
        "\")\" must stand here, not the end",
    ),
    (
        Universe::V4,
        "option[256].exists",
        7,
        "an option code or name is between 0 and 255, not 256",
    ),
    (
        Universe::V6,
        "option[65536].exists",
        7,
        "an option code or name is between 0 and 65535, not 65536",
    ),
    (
        Universe::V4,
        "option[no-such].exists",
        7,
        "option no-such of space dhcp4 is not defined",
    ),
    (
        Universe::V4,
        "option[60].length",
        11,
        "one of option, exists, hex, text must stand here, not length",
    ),
    (
        Universe::V4,
        "option[61].text == 'a'",
        11,
        "option 61 is not defined as a string: its .text would be a description of it; write .hex",
    ),
    (
        Universe::V4,
        "relay6[0].option[18].exists",
        0,
        "relay6 exists only in DHCPv6",
    ),
    (
        Universe::V4,
        "pkt6.msgtype == 1",
        0,
        "pkt6 exists only in DHCPv6",
    ),
    (
        Universe::V6,
        "relay4[1].exists",
        0,
        "relay4 exists only in DHCPv4",
    ),
    (
        Universe::V6,
        "pkt4.msgtype == 1",
        0,
        "pkt4 exists only in DHCPv4",
    ),
    (
        Universe::V6,
        "relay6[32].option[18].exists",
        7,
        "a relay is between -32 and 31, not 32",
    ),
    (
        Universe::V6,
        "relay6[0].hex == ''",
        10,
        "one of option, peeraddr, linkaddr must stand here, not hex",
    ),
    (
        Universe::V6,
        "pkt6.mac == 1",
        5,
        "one of msgtype, transid must stand here, not mac",
    ),
    (
        Universe::V4,
        "pkt4.giaddr == 10.0.0",
        15,
        "10.0.0 is not an address",
    ),
    (
        Universe::V4,
        "pkt4.mac == 00:11:22:33:44:55",
        12,
        "00:11:22:33:44:55 is not an address",
    ),
    (
        Universe::V4,
        "pkt4.htype == -1",
        14,
        "-1 does not fit: a number as a string has 32 bits",
    ),
    (
        Universe::V4,
        "pkt4.htype == 4294967296",
        14,
        "4294967296 does not fit: a number as a string has 32 bits",
    ),
    (
        Universe::V4,
        "1 == 99999999999999999999",
        5,
        "99999999999999999999 is too large",
    ),
    (
        Universe::V4,
        "'a' == 0x",
        7,
        "no hexadecimal digit behind 0x",
    ),
    (
        Universe::V4,
        "'a' == 'b",
        7,
        "a string without a quote at its end",
    ),
    (
        Universe::V4,
        "'a' = 'b'",
        4,
        "\"=\" has no meaning in an expression",
    ),
    (
        Universe::V4,
        "AND",
        0,
        "AND is neither a function nor a part of a packet",
    ),
    (
        Universe::V4,
        "substring('a', 'b', 1) == ''",
        15,
        "the position must stand here, not 'b'",
    ),
    (
        Universe::V4,
        "substring('a', 1, some) == ''",
        18,
        "a length, or all, must stand here, not some",
    ),
    (
        Universe::V4,
        "match('a)|(b', 'a')",
        6,
        "'a)|(b' is no regular expression: unopened group",
    ),
    (
        Universe::V4,
        "match('(?=a)', 'a')",
        6,
        "'(?=a)' is no regular expression: look-around, including look-ahead and look-behind, is not supported",
    ),
    (
        Universe::V4,
        "vendor[4294967296].exists",
        7,
        "an enterprise number is between 0 and 4294967295, not 4294967296",
    ),
    (
        Universe::V4,
        "vendor[1].data == ''",
        10,
        "option must stand here, not data",
    ),
    (
        Universe::V4,
        "vendor-class[1].option[2].exists",
        16,
        "data must stand here, not option",
    ),
    (
        Universe::V4,
        "'é' == é",
        8,
        "\"é\" has no meaning in an expression",
    ),
];

#[test]
fn every_mistake_is_explained_where_it_is() {
    for (universe, text, offset, expected) in CASES {
        let error = BoolExpression::parse(text, Definitions::standard(*universe))
            .err()
            .unwrap_or_else(|| panic!("{text} is no mistake"));
        assert_eq!(
            (error.offset, error.text.as_str()),
            (*offset, *expected),
            "{text}"
        );
    }
}

#[test]
fn a_condition_is_no_string() {
    let error = StringExpression::parse("member('a')", Definitions::standard(Universe::V4))
        .err()
        .map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("this is a condition where a string must stand (at byte 0)")
    );
}

#[test]
fn length_and_depth_are_bounded() {
    let definitions = Definitions::standard(Universe::V4);
    let nested = |n: usize| format!("{}'a' == 'a'{}", "(".repeat(n), ")".repeat(n));
    assert!(BoolExpression::parse(&nested(60), definitions).is_ok());
    let error = BoolExpression::parse(&nested(100_000), definitions)
        .err()
        .map(|error| error.text);
    assert_eq!(
        error.as_deref(),
        Some("the expression is nested deeper than 64")
    );
    let long = format!("'{}' == ''", "a".repeat(300_000));
    let error = BoolExpression::parse(&long, definitions)
        .err()
        .map(|error| error.text);
    assert_eq!(
        error.as_deref(),
        Some("the expression is longer than 262144 bytes")
    );
    let nots = format!("{} member('a')", "not ".repeat(50_000));
    assert!(BoolExpression::parse(&nots, definitions).is_ok());
}

/// Pieces of which expressions are made, and a few that none should have.
const PIECES: &[&str] = &[
    "option[",
    "60",
    "]",
    ".hex",
    ".text",
    ".exists",
    ".option[",
    "relay4[",
    "relay6[",
    "-1",
    ".peeraddr",
    "pkt4.mac",
    "pkt6.transid",
    "pkt.len",
    "vendor[",
    "*",
    "vendor-class[",
    ".data",
    "vendor.enterprise",
    "substring(",
    "split(",
    "concat(",
    "ifelse(",
    "sifelse(",
    "hexstring(",
    "lcase(",
    "addrtotext(",
    "int8totext(",
    "match('a*',",
    "member('ALL')",
    "(",
    ")",
    ",",
    "all",
    " and ",
    " or ",
    " sand ",
    " sor ",
    "not ",
    " == ",
    " + ",
    "'a'",
    "''",
    "0x0a",
    "0x",
    "::1",
    "10.0.0.1",
    "1.",
    "clientid",
    "host-name",
    "é",
    "'",
    "\n",
    "4294967296",
    "-",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        parse_all(&text)?;
    }

    #[test]
    fn no_order_of_pieces_makes_the_parser_panic(picks in prop::collection::vec(0..PIECES.len(), 0..24)) {
        let text: String = picks.into_iter().map(|pick| PIECES[pick]).collect();
        parse_all(&text)?;
    }
}

fn parse_all(text: &str) -> Result<(), TestCaseError> {
    for universe in [Universe::V4, Universe::V6] {
        let definitions = Definitions::standard(universe);
        let errors = [
            BoolExpression::parse(text, definitions).err(),
            StringExpression::parse(text, definitions).err(),
        ];
        for error in errors.into_iter().flatten() {
            prop_assert!(
                text.is_char_boundary(error.offset),
                "{} in {text:?}",
                error.offset
            );
            prop_assert!(!error.text.is_empty());
        }
    }
    Ok(())
}

//! No packet makes an evaluation panic; usual ones make it allocate nothing.

use super::common::{Asked, query4, query6};
use outrigger_classify::{AnyPacket, BoolExpression, StringExpression};
use outrigger_wire::options::spaces::{Definitions, Universe};
use proptest::prelude::*;

const BOTH: &[&str] = &[
    "vendor[*].option[1].hex",
    "vendor-class[*].data[3]",
    "vendor.enterprise + vendor-class.enterprise",
    "option[3].option[5].option[13].hex",
    "option[17].option[1].hex",
    "option[94].option[89].option[93].hex",
    "addrtotext(option[3].hex)",
    "int16totext(option[17].hex)",
    "hexstring(option[16].hex, ':')",
    "split(option[17].hex, option[16].hex, 2)",
    "substring(option[17].hex, -3, -2)",
    "ifelse(match('[a-f]*', option[17].hex), lcase(option[17].hex), pkt.len)",
];
const ONLY4: &[&str] = &[
    "option[43].option[1].hex",
    "option[82].option[1].hex",
    "option[125].option[1].hex",
    "option[122].option[3].hex",
    "relay4[1].hex + option[60].text",
];
const ONLY6: &[&str] = &[
    "relay6[-1].option[18].hex",
    "relay6[3].peeraddr",
    "option[4].option[5].hex",
];

fn check<P>(query: &Asked<P>, universe: Universe, own: &[&str]) -> Result<(), TestCaseError>
where
    for<'a> &'a P: Into<AnyPacket<'a>>,
{
    for text in BOTH.iter().chain(own) {
        let parsed = StringExpression::parse(text, Definitions::standard(universe))
            .map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        if let Ok(value) = parsed.evaluate(&query.subject()) {
            prop_assert!(value.len() <= 65_535);
        }
    }
    Ok(())
}

fn options() -> impl Strategy<Value = Vec<(u32, Vec<u8>)>> {
    let code = prop::sample::select(vec![3_u32, 4, 16, 17, 18, 43, 60, 82, 94, 122, 124, 125]);
    let byte = prop_oneof![0..8_u8, any::<u8>()];
    prop::collection::vec((code, prop::collection::vec(byte, 0..60)), 0..10)
}

fn borrowed(options: &[(u32, Vec<u8>)]) -> Vec<(u32, &[u8])> {
    options
        .iter()
        .map(|(code, payload)| (*code, payload.as_slice()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_dhcpv4_packet_makes_an_evaluation_panic(options in options()) {
        check(&query4(&borrowed(&options)), Universe::V4, ONLY4)?;
    }

    #[test]
    fn no_dhcpv6_packet_makes_an_evaluation_panic(options in options(), relay in options()) {
        let query = query6(&borrowed(&options), &[&borrowed(&relay)]);
        check(&query, Universe::V6, ONLY6)?;
    }
}

#[test]
fn usual_tests_allocate_nothing() {
    let tests = [
        "substring(option[60].hex,0,9) == 'PXEClient' and option[93].hex == 0x0007",
        "substring(pkt4.mac,0,3) == 0x001122 or relay4[1].hex == 'port 7'",
        "pkt4.giaddr == 10.0.0.1 and pkt.iface == 'eth0' and not member('a')",
        "addrtotext(pkt4.giaddr) + '/' + uint8totext(0x18) == '10.0.0.1/24'",
    ];
    let query = query4(&[(60, b"PXEClient:Arch:00007"), (93, &[0, 7])]);
    for text in tests {
        let parsed = BoolExpression::parse(text, Definitions::standard(Universe::V4)).unwrap();
        let mut holds = Ok(false);
        let counted = allocation_counter::measure(|| holds = parsed.is_true(&query.subject()));
        assert_eq!((holds, counted.count_total), (Ok(true), 0), "{text}");
    }
}

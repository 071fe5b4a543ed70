//! Configured options as bytes: every standard option once, then what one scope makes of sub-options.
//!
//! The tables in `tests/options` hold code, name, configured text and the bytes in hex.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or found fails the test"
)]

use outrigger_config::model::{Config, ConfiguredOption, OptionSet};
use outrigger_config::{Loaded, load_text};
use outrigger_wire::options::codec::bytes_from_hex;
use serde_json::json;

fn shown(loaded: &Loaded) -> String {
    let lines: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Loads one member of `Dhcp4` or `Dhcp6` and hands out the global options with what was said about them.
fn global_options(family: &str, body: &serde_json::Value) -> (OptionSet, String) {
    let loaded = load_text("test", &json!({ family: body }).to_string());
    let said = shown(&loaded);
    match loaded.config {
        Some(Config::V4(server)) => (server.options.clone(), said),
        Some(Config::V6(server)) => (server.options.clone(), said),
        None => panic!("{said}"),
    }
}

fn payloads(set: &OptionSet) -> Vec<(u16, &[u8])> {
    set.options
        .iter()
        .map(|option| (option.code, &*option.payload))
        .collect()
}

fn check_table(family: &str, table: &str) -> usize {
    let rows: Vec<Vec<_>> = table
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let by_name = rows
        .iter()
        .map(|row| json!({ "name": row[1], "data": row[2] }));
    let by_name: Vec<_> = by_name.collect();
    let (set, said) = global_options(family, &json!({ "option-data": by_name }));
    assert_eq!(said, "");
    let by_code = rows.iter().map(|row| {
        let code: u16 = row[0].parse().unwrap();
        json!({ "code": code, "csv-format": false, "data": row[3] })
    });
    let (raw, _) = global_options(
        family,
        &json!({ "option-data": by_code.collect::<Vec<_>>() }),
    );
    for (row, (option, raw)) in rows.iter().zip(set.options.iter().zip(&raw.options)) {
        assert_eq!(option.code.to_string(), row[0]);
        assert_eq!(
            *option.payload,
            *bytes_from_hex(row[3]).unwrap(),
            "{}: {}",
            row[1],
            row[2]
        );
        assert_eq!(option, raw);
    }
    assert_eq!(set.options.len(), rows.len());
    rows.len()
}

#[test]
fn every_dhcpv4_option_has_its_bytes() {
    assert!(check_table("Dhcp4", include_str!("options/dhcp4.tsv")) >= 100);
}

#[test]
fn every_dhcpv6_option_has_its_bytes() {
    assert!(check_table("Dhcp6", include_str!("options/dhcp6.tsv")) >= 70);
}

#[test]
fn sub_options_stand_inside_the_option_that_carries_them() {
    let body = json!({
        "option-def": [
            { "name": "server", "code": 2, "space": "vendor-encapsulated-options-space", "type": "ipv4-address" },
            { "name": "boxed", "code": 224, "type": "uint8", "encapsulate": "box" },
            { "name": "inner", "code": 9, "space": "box", "type": "empty", "encapsulate": "inner-box" },
            { "name": "deep", "code": 1, "space": "inner-box", "type": "string" },
        ],
        "option-data": [
            { "space": "vendor-encapsulated-options-space", "name": "server", "data": "192.0.2.1" },
            { "space": "vendor-encapsulated-options-space", "code": 1, "csv-format": false, "data": "ff" },
            { "space": "vendor-encapsulated-options-space", "code": 7, "csv-format": false, "data": "00", "never-send": true },
            { "name": "vendor-encapsulated-options", "always-send": true },
            { "name": "boxed", "data": "5" },
            { "space": "box", "name": "inner" },
            { "space": "inner-box", "name": "deep", "data": "x" },
        ]
    });
    let (set, said) = global_options("Dhcp4", &body);
    assert_eq!(said, "");
    assert_eq!(
        payloads(&set),
        [
            (43, &[1, 1, 255, 2, 4, 192, 0, 2, 1][..]),
            (224, &[5, 9, 3, 1, 1, b'x'][..])
        ]
    );
    assert!(set.get(43).unwrap().always_send);
}

#[test]
fn softwire_containers_nest_with_dhcpv6_headers() {
    let body = json!({ "option-data": [
        { "name": "s46-cont-mape" },
        { "space": "s46-cont-mape-options", "name": "s46-rule", "data": "1, 0, 24, 192.0.2.0, 2001:db8:1::/48" },
        { "space": "s46-rule-options", "name": "s46-portparams", "data": "4, 3/4" },
        { "space": "s46-cont-mape-options", "name": "s46-br", "data": "2001:db8::1" },
    ] });
    let (set, said) = global_options("Dhcp6", &body);
    assert_eq!(said, "");
    let portparams = [0, 93, 0, 4, 4, 4, 0x30, 0];
    let rule = [
        &[1, 0, 24, 192, 0, 2, 0, 48, 0x20, 1, 0x0d, 0xb8, 0, 1][..],
        &portparams,
    ]
    .concat();
    let mut expected = vec![0, 89, 0, u8::try_from(rule.len()).unwrap()];
    expected.extend(rule);
    expected.extend([
        0, 90, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    assert_eq!(payloads(&set), [(94, &expected[..])]);
}

#[test]
fn options_of_vendors_stay_apart() {
    let body = json!({ "option-data": [
        { "name": "vivso-suboptions", "data": "4491" },
        { "space": "vendor-4491", "name": "tftp-servers", "data": "192.0.2.1", "always-send": true },
        { "space": "vendor-9", "code": 3, "csv-format": false, "data": "'x'" },
        { "space": "vendor-4491", "code": 1, "csv-format": false, "data": "02" },
    ] });
    let (set, said) = global_options("Dhcp4", &body);
    assert_eq!(said, "");
    assert_eq!(payloads(&set), [(125, &[0, 0, 0x11, 0x8b][..])]);
    let vendor: Vec<_> = set
        .vendor
        .iter()
        .map(|sub| {
            (
                sub.enterprise,
                sub.option.code,
                &*sub.option.payload,
                sub.option.always_send,
            )
        })
        .collect();
    let expected: [(u32, u16, &[u8], bool); 3] = [
        (9, 3, b"x", false),
        (4491, 1, &[2], false),
        (4491, 2, &[192, 0, 2, 1], true),
    ];
    assert_eq!(vendor, expected);
}

#[test]
fn a_users_definition_of_a_newer_option_takes_its_place() {
    let body = json!({
        "option-def": [ { "name": "rfc3442-routes", "code": 121, "type": "uint8", "array": true } ],
        "option-data": [ { "name": "rfc3442-routes", "data": "0,192,0,2,1" } ]
    });
    let (set, said) = global_options("Dhcp4", &body);
    assert_eq!(
        (said.as_str(), payloads(&set)),
        ("", vec![(121, &[0, 192, 0, 2, 1][..])])
    );
}

#[test]
fn codes_that_older_versions_do_not_define_may_be_raw_bytes() {
    let body = json!({ "option-data": [
        { "code": 121, "data": "00c0000201" },
        { "code": 150, "data": "192.0.2.7" },
        { "name": "v4-captive-portal", "data": "http://portal.example/" },
    ] });
    let (set, _) = global_options("Dhcp4", &body);
    let expected = ConfiguredOption {
        code: 121,
        payload: [0, 192, 0, 2, 1].into(),
        always_send: false,
        never_send: false,
    };
    assert_eq!(set.get(121), Some(&expected));
    assert_eq!(*set.get(150).unwrap().payload, [192, 0, 2, 7]);
    assert_eq!(set.get(151), None);
}

#[test]
fn an_undefined_code_is_raw_in_a_subnet_without_saying_so() {
    let body = json!({ "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "option-data": [ { "code": 230, "data": "0a0b" } ] } ] });
    let loaded = load_text("test", &json!({ "Dhcp4": body }).to_string());
    let Some(Config::V4(server)) = &loaded.config else {
        panic!("{}", shown(&loaded))
    };
    assert_eq!(payloads(&server.subnets[0].options), [(230, &[10, 11][..])]);
}

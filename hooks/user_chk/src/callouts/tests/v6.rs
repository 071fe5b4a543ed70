use super::*;
use outrigger_hook_sdk::testing::{Trial, packet6};
use outrigger_wire::options::Options;
use outrigger_wire::options::edit::{Edit, Level, edit_path};
use outrigger_wire::v6::{IaKind, IaWriter, Status, push_ia};
use outrigger_wire::{Iaid, Prefix6};
use std::net::Ipv6Addr;

/// Client C of the acceptance scenarios.
const KNOWN: [u8; 14] = [
    0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, 1,
];
const UNKNOWN: [u8; 14] = [
    0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, 2,
];
const REGISTRY: &str = r#"{"type":"DUID","id":"00:01:00:01:1e:f0:12:34:08:00:27:aa:bb:01","bootfile":"/tmp/v6bootfile"}
"#;

const SOLICIT: u8 = 1;
const RENEW: u8 = 5;
const REPLY: u8 = 7;
const INFORMATION_REQUEST: u8 = 11;

fn query(duid: &[u8]) -> v1::Packet6 {
    packet6(SOLICIT, &[(1, duid)])
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn ia_na(fill: impl FnOnce(&mut IaWriter<'_>)) -> Vec<u8> {
    ia(IaKind::Na, fill)
}

fn ia(kind: IaKind, fill: impl FnOnce(&mut IaWriter<'_>)) -> Vec<u8> {
    let mut options = Options::new();
    push_ia(&mut options, kind, Iaid(1), (100, 200), fill);
    options.get(kind.code()).unwrap().to_vec()
}

/// Option 17 of enterprise 4491 with the configured boot file.
fn configured() -> Vec<u8> {
    let text = b"/tmp/bootfile-from-config";
    let mut payload = vec![
        0,
        0,
        0x11,
        0x8b,
        0,
        0x21,
        0,
        u8::try_from(text.len()).unwrap(),
    ];
    payload.extend_from_slice(text);
    payload
}

fn granting(text: &str) -> Vec<u8> {
    ia_na(|ia| {
        ia.address(address(text), 300, 400);
    })
}

/// A reply with an address and the configured boot file.
fn reply() -> v1::Packet6 {
    packet6(
        REPLY,
        &[(3, &granting("2001:db8:1::a")), (17, &configured())],
    )
}

async fn receive(hook: &UserChk, query: v1::Packet6) -> bytes::Bytes {
    let trial = Trial::<Pkt6Receive>::new(v1::Query6Arguments { query: Some(query) });
    let result = trial.run(hook).await.unwrap();
    assert_eq!(result.changes, None);
    result.context.expect("a verdict")
}

fn select(query: v1::Packet6, subnet_id: u32) -> Trial<Subnet6Select> {
    Trial::new(v1::Subnet6SelectArguments {
        query: Some(query),
        subnet_id,
        subnet_ids: Vec::new(),
    })
}

fn send(query: v1::Packet6, response: v1::Packet6) -> Trial<Pkt6Send> {
    Trial::new(v1::Response6Arguments {
        query: Some(query),
        response: Some(response),
        subnet_id: 1,
    })
}

async fn selected(hook: &UserChk, trial: &Trial<Subnet6Select>) -> Option<u32> {
    let result = trial.run(hook).await.unwrap();
    result.changes.and_then(|changes| changes.subnet_id)
}

async fn edits(hook: &UserChk, trial: &Trial<Pkt6Send>) -> Vec<v1::OptionEdit> {
    let result = trial.run(hook).await.unwrap();
    let changes = result.changes.unwrap_or_default();
    changes.response6.unwrap_or_default().options
}

/// Option 17 of the reply on the wire, after the server made the edits.
fn on_the_wire(edits: &[v1::OptionEdit]) -> Vec<u8> {
    let mut payload = configured();
    for edit in edits {
        assert_eq!(edit.path[0], 17);
        let level = Level::of_vendor6(u16::try_from(edit.path[1]).unwrap());
        let mut changed = Vec::new();
        edit_path(&payload, &[level], Edit::Set(&edit.data), &mut changed).unwrap();
        payload = changed;
    }
    let mut wire = vec![0, 17];
    wire.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
    wire.extend(payload);
    wire
}

#[tokio::test]
async fn a_registered_client_keeps_its_subnet_and_others_are_restricted() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    for (who, before, after) in [
        (KNOWN, 1, None),
        (KNOWN, 0, None),
        (UNKNOWN, 1, Some(RESTRICTED)),
        (UNKNOWN, 0, Some(RESTRICTED)),
        (UNKNOWN, RESTRICTED, None),
    ] {
        let context = receive(&hook, query(&who)).await;
        let trial = select(query(&who), before).context(context);
        assert_eq!(selected(&hook, &trial).await, after, "{who:?} in {before}");
    }
}

#[tokio::test]
async fn a_hardware_address_with_the_bytes_of_a_duid_registers_nobody() {
    let lines = r#"{"type":"HW_ADDR","id":"000100011ef0123408002 7aabb01"}"#;
    let Fixture { hook, .. } = Fixture::new(lines);
    let trial = select(query(&KNOWN), 1);
    assert_eq!(selected(&hook, &trial).await, Some(RESTRICTED));
}

#[tokio::test]
async fn a_client_without_usable_identifier_is_restricted_and_not_recorded() {
    let fixture = Fixture::new(REGISTRY);
    let hook = &fixture.hook;
    let none = packet6(SOLICIT, &[]);
    for anonymous in [none, query(&[0, 1]), query(&[7; 131])] {
        let context = receive(hook, anonymous.clone()).await;
        let trial = select(anonymous.clone(), 1).context(context.clone());
        assert_eq!(selected(hook, &trial).await, Some(RESTRICTED));
        let trial = send(anonymous, reply()).context(context);
        assert_eq!(edits(hook, &trial).await, []);
    }
    assert_eq!(fixture.records(), "");
}

#[tokio::test]
async fn a_settled_packet_is_left_alone() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    for status in [NextStep::Skip, NextStep::Drop] {
        let arguments = v1::Query6Arguments {
            query: Some(query(&UNKNOWN)),
        };
        let received = Trial::<Pkt6Receive>::new(arguments).status(status);
        assert_eq!(received.run(&hook).await, Ok(v1::CalloutResult::default()));
        let trial = select(query(&UNKNOWN), 1).status(status);
        assert_eq!(selected(&hook, &trial).await, None, "{status}");
    }
}

#[tokio::test]
async fn without_context_the_client_is_looked_up_again() {
    let fixture = Fixture::new(REGISTRY);
    let hook = &fixture.hook;
    assert_eq!(selected(hook, &select(query(&KNOWN), 1)).await, None);
    let trial = select(query(&UNKNOWN), 1);
    assert_eq!(selected(hook, &trial).await, Some(RESTRICTED));
    let trial = send(query(&KNOWN), reply());
    assert_eq!(
        edits(hook, &trial).await,
        [set(&[17, 33], "/tmp/v6bootfile")]
    );
    assert!(fixture.records().ends_with("registered=yes\n\n"));
}

#[tokio::test]
async fn a_context_of_somebody_else_does_not_open_the_gate() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let stolen = receive(&hook, query(&KNOWN)).await;
    let trial = select(query(&UNKNOWN), 1).context(stolen);
    assert_eq!(selected(&hook, &trial).await, Some(RESTRICTED));
    assert_eq!(Counters::value(&hook.counters.bad_contexts), 1);
}

#[tokio::test]
async fn the_boot_file_is_on_the_wire_as_specified() {
    let hex = |text: &str| -> Vec<u8> {
        let words = text.split_whitespace();
        words
            .map(|word| u8::from_str_radix(word, 16).unwrap())
            .collect()
    };
    for (bootfile, header) in [
        ("/tmp/v6bootfile", "00 11 00 17 00 00 11 8b 00 21 00 0f"),
        ("/tmp/v6bootfile-2", "00 11 00 19 00 00 11 8b 00 21 00 11"),
        (
            "/tmp/bootfile-from-mysql",
            "00 11 00 20 00 00 11 8b 00 21 00 18",
        ),
    ] {
        let lines = REGISTRY.replace("/tmp/v6bootfile", bootfile);
        let Fixture { hook, .. } = Fixture::new(&lines);
        let edits = edits(&hook, &send(query(&KNOWN), reply())).await;
        let expected = [hex(header), bootfile.as_bytes().to_vec()].concat();
        assert_eq!(on_the_wire(&edits), expected, "{bootfile}");
    }
    let Fixture { hook, .. } = Fixture::new("");
    let edits = edits(&hook, &send(query(&KNOWN), reply())).await;
    let expected = [
        hex("00 11 00 21 00 00 11 8b 00 21 00 19"),
        b"/tmp/bootfile-from-config".to_vec(),
    ]
    .concat();
    assert_eq!(on_the_wire(&edits), expected);
}

#[tokio::test]
async fn tftp_servers_are_binary_addresses() {
    let lines = r#"{"type":"DUID","id":"00000000","tftp_server":"2001:db8::1,2001:db8::2"}"#;
    let Fixture { hook, .. } = Fixture::new(lines);
    let octets = [
        address("2001:db8::1").octets(),
        address("2001:db8::2").octets(),
    ]
    .concat();
    let edits = edits(&hook, &send(query(&UNKNOWN), reply())).await;
    assert_eq!(edits, [set(&[17, 32], octets)]);
}

#[tokio::test]
async fn five_clients_in_a_row_get_their_own_or_the_configured_values() {
    let lines = r#"{"type":"DUID","id":"00000000","bootfile":"/default","tftp_server":"::1"}
{"type":"DUID","id":"000003000100000001"}
{"type":"DUID","id":"000003000100000002","bootfile":"/own"}
{"type":"DUID","id":"000003000100000003","tftp_server":"::3"}
{"type":"DUID","id":"000003000100000004","bootfile":"/both","tftp_server":"::4"}"#;
    let Fixture { hook, .. } = Fixture::new(lines);
    let tftp = |text: &str| set(&[17, 32], address(text).octets().to_vec());
    let boot = |text: &'static str| set(&[17, 33], text);
    for (last, expected) in [
        (0, vec![boot("/default"), tftp("::1")]),
        (1, vec![]),
        (2, vec![boot("/own")]),
        (3, vec![tftp("::3")]),
        (4, vec![boot("/both"), tftp("::4")]),
    ] {
        let who = query(&[0, 0, 3, 0, 1, 0, 0, 0, last]);
        let context = receive(&hook, who.clone()).await;
        let trial = send(who, reply()).context(context);
        assert_eq!(edits(&hook, &trial).await, expected, "client {last}");
    }
}

#[tokio::test]
async fn the_enterprise_of_option_17_does_not_matter() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let other = packet6(
        REPLY,
        &[(3, &granting("2001:db8:1::a")), (17, &[0, 0, 0, 9])],
    );
    let edits = edits(&hook, &send(query(&KNOWN), other)).await;
    assert_eq!(edits, [set(&[17, 33], "/tmp/v6bootfile")]);
}

#[tokio::test]
async fn without_option_17_nothing_is_overridden_and_the_record_is_written() {
    let fixture = Fixture::new(REGISTRY);
    let bare = packet6(REPLY, &[(3, &granting("2001:db8:1::a"))]);
    let result = send(query(&KNOWN), bare).run(&fixture.hook).await;
    assert_eq!(result, Ok(v1::CalloutResult::default()));
    assert_eq!(fixture.records().matches("addr=2001:db8:1::a\n").count(), 1);
}

#[tokio::test]
async fn a_malformed_option_17_is_left_alone_with_a_warning() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    for malformed in [&[0, 0, 0x11][..], &[0, 0, 0x11, 0x8b, 0, 33, 0, 200, 1]] {
        let response = packet6(REPLY, &[(3, &granting("2001:db8:1::a")), (17, malformed)]);
        let result = send(query(&KNOWN), response).run(&hook).await.unwrap();
        assert_eq!(result.changes, None);
        assert!(result.warning.contains("malformed"), "{}", result.warning);
    }
}

#[tokio::test]
async fn the_first_ia_na_is_recorded_else_the_first_ia_pd() {
    let fixture = Fixture::new(REGISTRY);
    let prefix = Prefix6::new(address("2001:db8:8::"), 56).unwrap();
    let pd = ia(IaKind::Pd, |ia| {
        ia.prefix(prefix, 300, 400);
    });
    let (na, other_na) = (granting("3000::a"), granting("3000::b"));
    for options in [
        &[(25, &pd[..]), (3, &na), (3, &other_na)][..],
        &[(4, &[0; 4]), (25, &pd)],
    ] {
        let trial = send(query(&KNOWN), packet6(REPLY, options));
        edits(&fixture.hook, &trial).await;
    }
    let records = fixture.records();
    let granted: Vec<_> = records.lines().filter(|l| l.starts_with("addr=")).collect();
    assert_eq!(granted, ["addr=3000::a", "addr=2001:db8:8::/56"]);
}

#[tokio::test]
async fn a_response_that_grants_nothing_is_neither_recorded_nor_changed() {
    let fixture = Fixture::new(REGISTRY);
    let no_addresses = ia_na(|ia| {
        ia.status(Status::NoAddrsAvail, "none left");
    });
    let address_and_failure = ia_na(|ia| {
        ia.address(address("2001:db8:1::a"), 300, 400);
        ia.status(Status::UnspecFail, "");
    });
    let retired = ia_na(|ia| {
        ia.address(address("2001:db8:1::a"), 0, 0);
    });
    let empty = ia_na(|_| {});
    let broken = vec![0, 0, 0, 1];
    for payload in [no_addresses, address_and_failure, retired, empty, broken] {
        let response = packet6(REPLY, &[(3, &payload), (17, &configured())]);
        let result = send(query(&KNOWN), response).run(&fixture.hook).await;
        assert_eq!(result, Ok(v1::CalloutResult::default()), "{payload:?}");
    }
    let confirm = send(query(&KNOWN), packet6(REPLY, &[(17, &configured())]));
    assert_eq!(edits(&fixture.hook, &confirm).await, [], "no IA");
    assert_eq!(fixture.records(), "");
}

#[tokio::test]
async fn an_ia_with_status_success_counts() {
    let fixture = Fixture::new(REGISTRY);
    let payload = ia_na(|ia| {
        ia.status(Status::Success, "");
        ia.address(address("2001:db8:1::a"), 300, 400);
    });
    let trial = send(query(&KNOWN), packet6(REPLY, &[(3, &payload)]));
    edits(&fixture.hook, &trial).await;
    assert!(fixture.records().contains("addr=2001:db8:1::a\n"));
}

#[tokio::test]
async fn a_renew_that_moves_a_client_is_recorded_with_the_new_address() {
    let fixture = Fixture::new(REGISTRY);
    let payload = ia_na(|ia| {
        ia.address(address("3000::a"), 0, 0);
        ia.address(address("2001:db8:1::a"), 300, 400);
    });
    let renew = packet6(RENEW, &[(1, &KNOWN)]);
    let trial = send(renew, packet6(REPLY, &[(3, &payload)]));
    edits(&fixture.hook, &trial).await;
    let records = fixture.records();
    assert!(records.contains("addr=2001:db8:1::a\n"), "{records}");
    assert!(!records.contains("3000::"), "{records}");
}

#[tokio::test]
async fn the_reply_to_an_information_request_is_changed_and_not_recorded() {
    let fixture = Fixture::new(REGISTRY);
    let request = packet6(INFORMATION_REQUEST, &[(1, &KNOWN)]);
    let trial = send(request, packet6(REPLY, &[(17, &configured())]));
    let edits = edits(&fixture.hook, &trial).await;
    assert_eq!(edits, [set(&[17, 33], "/tmp/v6bootfile")]);
    assert_eq!(fixture.records(), "");
}

#[tokio::test]
async fn a_dropped_response_is_left_alone_and_a_packed_one_is_only_recorded() {
    let fixture = Fixture::new(REGISTRY);
    let dropped = send(query(&KNOWN), reply()).status(NextStep::Drop);
    let packed = send(query(&KNOWN), reply()).status(NextStep::Skip);
    for trial in [dropped, packed] {
        let result = trial.run(&fixture.hook).await;
        assert_eq!(result, Ok(v1::CalloutResult::default()));
    }
    assert_eq!(fixture.records().matches("registered=yes").count(), 1);
}

#[tokio::test]
async fn the_default_user_is_looked_up_when_the_response_is_sent() {
    let fixture = Fixture::new("");
    let context = receive(&fixture.hook, query(&UNKNOWN)).await;
    fixture.rewrite_registry(r#"{"type":"DUID","id":"00000000","bootfile":"/late"}"#);
    let trial = send(query(&UNKNOWN), reply()).context(context);
    assert_eq!(
        edits(&fixture.hook, &trial).await,
        [set(&[17, 33], "/late")]
    );
}

#[tokio::test]
async fn a_default_user_of_the_other_family_changes_nothing() {
    let lines = r#"{"type":"HW_ADDR","id":"00000000","bootfile":"/v4"}"#;
    let Fixture { hook, .. } = Fixture::new(lines);
    assert_eq!(edits(&hook, &send(query(&UNKNOWN), reply())).await, []);
}

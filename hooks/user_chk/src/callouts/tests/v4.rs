use super::*;
use outrigger_hook_sdk::testing::{Trial, packet4};

const KNOWN: [u8; 6] = [0x52, 0x54, 0, 0x0a, 0x0b, 1];
const UNKNOWN: [u8; 6] = [0x52, 0x54, 0, 0x0a, 0x0b, 2];
const REGISTRY: &str = r#"{"type":"HW_ADDR","id":"52:54:00:0a:0b:01","bootfile":"/known","tftp_server":"tftp.example.net"}
{"type":"HW_ADDR","id":"00000000","bootfile":"/default"}
"#;

const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const ACK: u8 = 5;

fn query(hw_address: [u8; 6]) -> v1::Packet4 {
    packet4(DISCOVER, hw_address, &[])
}

fn no_hw_address() -> v1::Packet4 {
    v1::Packet4 {
        hw_address: None,
        ..query(UNKNOWN)
    }
}

fn response(message_type: u8) -> v1::Packet4 {
    v1::Packet4 {
        yiaddr: vec![192, 0, 2, 10].into(),
        ..packet4(message_type, UNKNOWN, &[])
    }
}

async fn receive(hook: &UserChk, query: v1::Packet4) -> bytes::Bytes {
    let trial = Trial::<Pkt4Receive>::new(v1::Query4Arguments { query: Some(query) });
    let result = trial.run(hook).await.unwrap();
    assert_eq!(result.changes, None);
    result.context.expect("a verdict")
}

fn select(query: v1::Packet4, subnet_id: u32) -> Trial<Subnet4Select> {
    Trial::new(v1::Subnet4SelectArguments {
        query: Some(query),
        subnet_id,
        subnet_ids: Vec::new(),
    })
}

fn send(query: v1::Packet4, response: v1::Packet4) -> Trial<Pkt4Send> {
    Trial::new(v1::Response4Arguments {
        query: Some(query),
        response: Some(response),
        subnet_id: 1,
    })
}

async fn selected(hook: &UserChk, trial: &Trial<Subnet4Select>) -> Option<u32> {
    let result = trial.run(hook).await.unwrap();
    result.changes.and_then(|changes| changes.subnet_id)
}

async fn sent(hook: &UserChk, trial: &Trial<Pkt4Send>) -> v1::Packet4Changes {
    let result = trial.run(hook).await.unwrap();
    let changes = result.changes.unwrap_or_default();
    changes.response4.unwrap_or_default()
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
        let context = receive(&hook, query(who)).await;
        let trial = select(query(who), before).context(context);
        assert_eq!(selected(&hook, &trial).await, after, "{who:?} in {before}");
    }
}

#[tokio::test]
async fn the_hardware_type_does_not_matter() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let mut token_ring = query(KNOWN);
    token_ring.hw_address.as_mut().unwrap().htype = 6;
    assert_eq!(selected(&hook, &select(token_ring, 1)).await, None);
}

#[tokio::test]
async fn the_client_identifier_does_not_matter() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let impostor = packet4(
        DISCOVER,
        UNKNOWN,
        &[(61, &[1, 0x52, 0x54, 0, 0x0a, 0x0b, 1])],
    );
    assert_eq!(
        selected(&hook, &select(impostor, 1)).await,
        Some(RESTRICTED)
    );
}

#[tokio::test]
async fn a_client_without_hardware_address_is_restricted_and_not_recorded() {
    let fixture = Fixture::new(REGISTRY);
    let hook = &fixture.hook;
    let context = receive(hook, no_hw_address()).await;
    let trial = select(no_hw_address(), 1).context(context.clone());
    assert_eq!(selected(hook, &trial).await, Some(RESTRICTED));
    let trial = send(no_hw_address(), response(OFFER)).context(context);
    assert_eq!(sent(hook, &trial).await.options, [set(&[67], "/default")]);
    assert_eq!(Counters::value(&hook.counters.without_identifier), 1);
    assert_eq!(fixture.records(), "");
}

#[tokio::test]
async fn a_settled_packet_is_left_alone() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    for status in [NextStep::Skip, NextStep::Drop] {
        let arguments = v1::Query4Arguments {
            query: Some(query(UNKNOWN)),
        };
        let received = Trial::<Pkt4Receive>::new(arguments).status(status);
        assert_eq!(received.run(&hook).await, Ok(v1::CalloutResult::default()));
        let trial = select(query(UNKNOWN), 1).status(status);
        assert_eq!(selected(&hook, &trial).await, None, "{status}");
    }
}

#[tokio::test]
async fn without_context_the_client_is_looked_up_again() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    assert_eq!(selected(&hook, &select(query(KNOWN), 1)).await, None);
    let trial = select(query(UNKNOWN), 1);
    assert_eq!(selected(&hook, &trial).await, Some(RESTRICTED));
    assert_eq!(Counters::value(&hook.counters.bad_contexts), 0);
}

#[tokio::test]
async fn a_context_of_somebody_else_does_not_open_the_gate() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let stolen = receive(&hook, query(KNOWN)).await;
    for context in [stolen, vec![0xff; 40].into(), b"registered"[..].into()] {
        let trial = select(query(UNKNOWN), 1).context(context);
        assert_eq!(selected(&hook, &trial).await, Some(RESTRICTED));
    }
    assert_eq!(Counters::value(&hook.counters.bad_contexts), 3);
}

#[tokio::test]
async fn a_reload_in_between_does_not_change_the_verdict() {
    let fixture = Fixture::new(REGISTRY);
    let hook = &fixture.hook;
    let context = receive(hook, query(KNOWN)).await;
    fixture.rewrite_registry("");
    let trial = select(query(KNOWN), 1).context(context.clone());
    assert_eq!(selected(hook, &trial).await, None);
    let trial = send(query(KNOWN), response(ACK)).context(context);
    assert_eq!(sent(hook, &trial).await.file.unwrap(), "/known");
}

#[tokio::test]
async fn an_empty_registry_restricts_everybody() {
    let Fixture { hook, .. } = Fixture::new("");
    assert_eq!(
        selected(&hook, &select(query(KNOWN), 1)).await,
        Some(RESTRICTED)
    );
}

#[tokio::test]
async fn a_corrupt_or_removed_registry_changes_no_decision() {
    let fixture = Fixture::new(REGISTRY);
    let hook = &fixture.hook;
    let corrupt = || fixture.rewrite_registry(r#"{"type":"HW_ADDR","id":"52"#);
    let removed = || {
        std::fs::remove_file(&fixture.registry_path).unwrap();
        hook.registry.refresh();
    };
    for break_it in [&corrupt as &dyn Fn(), &removed] {
        break_it();
        let context = receive(hook, query(KNOWN)).await;
        let trial = select(query(KNOWN), 1).context(context);
        assert_eq!(selected(hook, &trial).await, None);
        let trial = select(query(UNKNOWN), 1);
        assert_eq!(selected(hook, &trial).await, Some(RESTRICTED));
    }
    assert_eq!(Counters::value(&hook.counters.refused_reloads), 2);
}

#[tokio::test]
async fn a_registered_client_gets_its_boot_file_and_tftp_server() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let context = receive(&hook, query(KNOWN)).await;
    let trial = send(query(KNOWN), response(ACK)).context(context);
    let changes = sent(&hook, &trial).await;
    assert_eq!(
        changes,
        v1::Packet4Changes {
            options: vec![set(&[67], "/known"), set(&[66], "tftp.example.net")],
            file: Some("/known".into()),
            ..Default::default()
        },
        "sname and siaddr stay"
    );
}

#[tokio::test]
async fn the_default_user_is_for_clients_that_are_not_registered_only() {
    let lines = r#"{"type":"HW_ADDR","id":"52:54:00:0a:0b:01"}
{"type":"HW_ADDR","id":"00000000","bootfile":"/default","tftp_server":"192.0.2.1"}
{"type":"DUID","id":"00000000","bootfile":"/default6"}"#;
    let Fixture { hook, .. } = Fixture::new(lines);
    let changes = sent(&hook, &send(query(KNOWN), response(ACK))).await;
    assert_eq!(changes, v1::Packet4Changes::default());
    let changes = sent(&hook, &send(query(UNKNOWN), response(ACK))).await;
    assert_eq!(
        changes.options,
        [set(&[67], "/default"), set(&[66], "192.0.2.1")]
    );
    let Fixture { hook, .. } = Fixture::new("");
    let changes = sent(&hook, &send(query(UNKNOWN), response(ACK))).await;
    assert_eq!(
        changes,
        v1::Packet4Changes::default(),
        "no default user, no change"
    );
}

#[tokio::test]
async fn a_client_whose_address_is_that_of_the_default_user_is_registered() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let mut zero = query(KNOWN);
    zero.hw_address.as_mut().unwrap().address = vec![0; 4].into();
    assert_eq!(selected(&hook, &select(zero, 1)).await, None);
}

#[tokio::test]
async fn a_boot_file_that_is_too_long_for_the_header_is_in_its_option_only() {
    for (length, fits) in [(128, true), (129, false), (300, false)] {
        let bootfile = "b".repeat(length);
        let line = format!(
            r#"{{"type":"HW_ADDR","id":"52:54:00:0a:0b:01","bootfile":"{bootfile}","tftp_server":"t"}}"#
        );
        let Fixture { hook, .. } = Fixture::new(&line);
        let result = send(query(KNOWN), response(ACK)).run(&hook).await.unwrap();
        let changes = result.changes.unwrap().response4.unwrap();
        assert_eq!(changes.options, [set(&[67], bootfile), set(&[66], "t")]);
        assert_eq!(changes.file.is_some(), fits, "{length} bytes");
        assert_eq!(result.warning.is_empty(), fits, "{}", result.warning);
    }
}

#[tokio::test]
async fn responses_are_recorded_by_type() {
    let fixture = Fixture::new(REGISTRY);
    let mut inform_ack = response(ACK);
    inform_ack.yiaddr = bytes::Bytes::new();
    for (who, answer) in [
        (UNKNOWN, response(OFFER)),
        (KNOWN, response(ACK)),
        (KNOWN, inform_ack),
    ] {
        let context = receive(&fixture.hook, query(who)).await;
        let trial = send(query(who), answer).context(context);
        sent(&fixture.hook, &trial).await;
    }
    let expected = "\
id_type=HW_ADDR
client=hwtype=1 52:54:00:0a:0b:02
addr=192.0.2.10
registered=no

id_type=HW_ADDR
client=hwtype=1 52:54:00:0a:0b:01
addr=192.0.2.10
registered=yes

id_type=HW_ADDR
client=hwtype=1 52:54:00:0a:0b:01
addr=0.0.0.0
registered=yes

";
    assert_eq!(fixture.records(), expected);
}

#[tokio::test]
async fn a_nak_and_a_dropped_response_are_neither_recorded_nor_changed() {
    let fixture = Fixture::new(REGISTRY);
    let nak = send(query(KNOWN), response(6));
    let dropped = send(query(KNOWN), response(ACK)).status(NextStep::Drop);
    for trial in [nak, dropped] {
        assert_eq!(
            sent(&fixture.hook, &trial).await,
            v1::Packet4Changes::default()
        );
    }
    assert_eq!(fixture.records(), "");
}

#[tokio::test]
async fn a_response_that_is_packed_already_is_recorded_and_not_changed() {
    let fixture = Fixture::new(REGISTRY);
    let trial = send(query(KNOWN), response(ACK)).status(NextStep::Skip);
    let result = trial.run(&fixture.hook).await;
    assert_eq!(result, Ok(v1::CalloutResult::default()), "and it is sent");
    assert!(fixture.records().ends_with("registered=yes\n\n"));
}

#[tokio::test]
async fn a_job_that_is_switched_off_is_not_done() {
    let mut fixture = Fixture::new(REGISTRY);
    fixture.hook.settings = Settings {
        restricted_subnet_id: None,
        option_overrides: false,
        outcome_records: false,
    };
    assert_eq!(
        selected(&fixture.hook, &select(query(UNKNOWN), 1)).await,
        None
    );
    let changes = sent(&fixture.hook, &send(query(KNOWN), response(ACK))).await;
    assert_eq!(changes, v1::Packet4Changes::default());
    assert_eq!(fixture.records(), "");
}

#[tokio::test]
async fn malformed_arguments_are_errors() {
    let Fixture { hook, .. } = Fixture::new(REGISTRY);
    let mut bad = response(ACK);
    bad.yiaddr = vec![1, 2, 3].into();
    let error = send(query(KNOWN), bad).run(&hook).await.unwrap_err();
    assert_eq!(error, "yiaddr has not 4 bytes");
    let trial = Trial::<Pkt4Send>::new(v1::Response4Arguments::default());
    assert!(
        trial
            .run(&hook)
            .await
            .unwrap_err()
            .contains("without a response")
    );
    let trial = Trial::<Subnet4Select>::new(v1::Subnet4SelectArguments::default());
    assert!(
        trial
            .run(&hook)
            .await
            .unwrap_err()
            .contains("without a query")
    );
}

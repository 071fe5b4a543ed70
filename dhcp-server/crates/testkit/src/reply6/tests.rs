use proptest::prelude::*;

use super::samples::{ADDRESS, PREFIX, message, option, reply};
use super::*;
use crate::client6::{Client6, Ia, Relay6};

#[test]
fn every_ia_of_a_reply_is_seen() {
    let seen = Reply6Seen::parse(&reply()).unwrap();
    assert_eq!((seen.message_type, seen.xid), (7, 0x00AB_CDEF));
    assert_eq!(seen.server_id(), Some(&b"serv"[..]));
    let address = AddressSeen {
        address: ADDRESS,
        preferred: 100,
        valid: 200,
        status: None,
    };
    assert_eq!(seen.addresses().collect::<Vec<_>>(), [&address]);
    let ia = seen.ia(IaKind::Pd, 2).unwrap();
    assert_eq!((ia.t1, ia.t2), (50, 80));
    assert_eq!((ia.prefixes[0].prefix, ia.prefixes[0].length), (PREFIX, 56));
    let status = seen.ia(IaKind::Na, 3).unwrap().status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "none left"));
}

fn in_relay_reply(relay: &Relay6, hop_count: u8, inner: &[u8]) -> Vec<u8> {
    let mut bytes = vec![13, hop_count];
    bytes.extend(relay.link_address.octets());
    bytes.extend(relay.peer_address.octets());
    if let Some(id) = &relay.interface_id {
        bytes.extend(option(18, &[id]));
    }
    bytes.extend(option(9, &[inner]));
    bytes
}

#[test]
fn relay_layers_are_peeled_and_compared_with_what_was_sent() {
    let mut client = Client6::new(vec![0, 3, 0, 1, 2, 0, 0, 0, 0, 7], vec![Ia::na(1)]);
    let near = Relay6 {
        interface_id: Some(b"p1".to_vec()),
        ..Relay6::new("2001:db8::1".parse().unwrap(), "fe80::7".parse().unwrap())
    };
    let far = Relay6::new(Ipv6Addr::UNSPECIFIED, "2001:db8::1".parse().unwrap());
    client.relays = vec![near.clone(), far.clone()];
    let request = client.solicit();
    let mut answer = reply();
    answer[1..4].copy_from_slice(&client.xid().to_be_bytes()[1..]);

    let good = in_relay_reply(&far, 1, &in_relay_reply(&near, 0, &answer));
    let seen = Reply6Seen::parse(&good).unwrap();
    assert_eq!(transaction_id(&good), transaction_id(&request));
    assert_eq!(seen.check_answers(&request), Ok(()));
    assert_eq!(seen.relays[0].link_address, near.link_address);

    let without_id = Relay6 {
        interface_id: None,
        ..near
    };
    let bad = in_relay_reply(&far, 1, &in_relay_reply(&without_id, 0, &answer));
    let refused = Reply6Seen::parse(&bad).unwrap().check_answers(&request);
    assert!(matches!(
        refused,
        Err(ReplyError::NotEchoed {
            part: "interface identifier",
            ..
        })
    ));
    let refused = Reply6Seen::parse(&answer).unwrap().check_answers(&request);
    assert!(matches!(
        refused,
        Err(ReplyError::NotEchoed {
            part: "relay layers",
            ..
        })
    ));
}

#[test]
fn each_flaw_is_named() {
    let server = option(2, &[b"serv"]);
    let with = |options: Vec<u8>| message(7, &[server.clone(), options]);
    let timers = [0; 8];
    let ia_na = |inner: &[u8]| option(3, &[&[0; 4], &timers, inner]);
    let ia_pd = |inner: &[u8]| option(25, &[&[0; 4], &timers, inner]);
    let address = option(5, &[&ADDRESS.octets(), &[0, 0, 0, 9, 0, 0, 0, 8]]);
    let prefix = option(26, &[&[0; 8], &[16], &PREFIX.octets()]);
    let cases = [
        (vec![], "message type: 1 bytes wanted at offset 0, 0 left"),
        (message(1, &[]), "message type: 1 is not an answer"),
        (message(7, &[]), "server identifier: missing"),
        (with(server.clone()), "server identifier: appears twice"),
        (
            with(vec![0, 1, 0, 9, 9]),
            "option data: 9 bytes wanted at offset 12, 1 left",
        ),
        (
            with(option(3, &[&[0; 11]])),
            "T2: 4 bytes wanted at offset 8, 3 left",
        ),
        (
            with(option(3, &[&[0; 7], &[9, 0, 0, 0, 1]])),
            "T1: greater than T2",
        ),
        (
            with(ia_na(&address)),
            "preferred lifetime: 9 is greater than the valid one, 8",
        ),
        (with(ia_na(&prefix)), "IA: a lease of the other kind"),
        (
            with(ia_pd(&prefix)),
            "prefix: 2001:db8:ff::/16 has bits beyond its length",
        ),
        (vec![13; 34], "relay message: missing"),
    ];
    for (bytes, flaw) in cases {
        assert_eq!(Reply6Seen::parse(&bytes).unwrap_err().to_string(), flaw);
    }
}

#[test]
fn endless_nesting_of_relay_replies_is_refused() {
    let relay = Relay6::new(Ipv6Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
    let nested = (0..40).fold(reply(), |inner, _| in_relay_reply(&relay, 0, &inner));
    assert_eq!(
        Reply6Seen::parse(&nested).unwrap_err().to_string(),
        "relay layers: more than the hop limit"
    );
}

proptest! {
    #[test]
    fn no_cut_or_change_of_an_answer_panics(
        cut in 0usize..200, at in 0usize..200, value: u8, relayed: bool,
    ) {
        let relay = Relay6::new(ADDRESS, ADDRESS);
        let mut bytes = if relayed { in_relay_reply(&relay, 0, &reply()) } else { reply() };
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        bytes.truncate(cut);
        if let Ok(seen) = Reply6Seen::parse(&bytes) {
            prop_assert!(seen.server_id().is_some());
        }
    }
}

//! Each field that a reply may change, and what stays whatever a reply says.

use super::super::v4::{Ddns4Update, Host4Identifier};
use super::super::v6::{Addr6Register, Lease6Renew};
use super::super::{FlexIdentifier, Names};
use super::*;
use outrigger_config::model::HostIdentifierType;

fn of_query4(query4: v1::Packet4Changes) -> v1::Changes {
    v1::Changes {
        query4: Some(query4),
        ..Default::default()
    }
}

fn of_query6(query6: v1::Packet6Changes) -> v1::Changes {
    v1::Changes {
        query6: Some(query6),
        ..Default::default()
    }
}

/// The path and the reason of a refused change.
fn refused(applied: Result<(), Refused>) -> String {
    applied.unwrap_err().to_string()
}

#[test]
fn type_hops_hardware_address_and_additional_classes_of_a_dhcpv4_query_change() {
    let mut query = query4();
    let receive = |query: &mut Query4, changes| Pkt4Receive { query }.apply(of_query4(changes));
    let changes = v1::Packet4Changes {
        message_type: Some(8),
        hops: Some(3),
        hw_address: Some(v1::HwAddress {
            htype: 6,
            address: Bytes::from_static(&[9; 8]),
        }),
        add_additional_classes: vec!["late".to_owned()],
        ..Default::default()
    };
    receive(&mut query, changes).unwrap();
    assert_eq!(query.packet.message_type, Some(Type4::Inform));
    assert_eq!(query.packet.options.get(53), Some(&[8][..]));
    assert_eq!(query.packet.header.hops, 3);
    assert_eq!(
        query.packet.hw_address(),
        HwAddress::new(6, &[9; 8]).unwrap()
    );
    assert_eq!(
        query.additional_classes.joined().collect::<Vec<_>>(),
        ["late"]
    );
    assert!(!query.classes.contains("late"));

    let kind = |number| v1::Packet4Changes {
        message_type: Some(number),
        ..Default::default()
    };
    assert_eq!(
        refused(receive(&mut query, kind(5))),
        "query.header: a query is never of message type 5"
    );
    let long = v1::Packet4Changes {
        hw_address: Some(v1::HwAddress {
            htype: 1,
            address: vec![1; 17].into(),
        }),
        ..Default::default()
    };
    assert_eq!(
        refused(receive(&mut query, long)),
        "query.hw-address: a hardware address has at most 16 bytes"
    );
}

#[test]
fn an_option_that_is_there_once_does_not_come_twice() {
    let add = |code| v1::OptionEdit {
        action: v1::option_edit::Action::Add.into(),
        ..sets(code, b"x").remove(0)
    };
    let (mut four, mut six) = (query4(), query6());
    let four = Pkt4Receive { query: &mut four }.apply(of_query4(v1::Packet4Changes {
        options: vec![add(61), add(61)],
        ..Default::default()
    }));
    assert_eq!(
        refused(four),
        "query.options.61: a packet has this option once"
    );
    let six = Pkt6Receive { query: &mut six }.apply(of_query6(v1::Packet6Changes {
        options: vec![add(1)],
        ..Default::default()
    }));
    assert_eq!(
        refused(six),
        "query.options.1: a packet has this option once"
    );
}

fn relay_sets(relay: u32, code: u32) -> v1::Packet6Changes {
    v1::Packet6Changes {
        relay_options: vec![v1::RelayOptionEdit {
            relay,
            edit: Some(sets(code, b"new").remove(0)),
        }],
        ..Default::default()
    }
}

#[test]
fn what_relays_sent_and_get_is_edited_by_layer() {
    let mut query = query6();
    let receive = |query: &mut Query6, changes| Pkt6Receive { query }.apply(of_query6(changes));
    receive(&mut query, relay_sets(0, 18)).unwrap();
    assert_eq!(query.packet.relays[0].options.get(18), Some(&b"new"[..]));
    assert_eq!(
        refused(receive(&mut query, relay_sets(1, 18))),
        "query.relays: there is no relay 1: there are 1"
    );
    assert_eq!(
        refused(receive(&mut query, relay_sets(0, 9))),
        "query.relays: the relayed message is no option to edit"
    );
    let mut response = Reply6::to(&query.packet, Type6::Reply);
    let mut callout = Leases6Committed {
        query: &mut query,
        response: Some(&mut response),
        leases: &[],
        deleted: &[],
        link: &mut no_link(),
    };
    let Point::Leases6Committed(shown) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    assert_eq!(shown.response.unwrap().relays[0].message_type, 13);
    let changes = v1::Changes {
        response6: Some(relay_sets(0, 79)),
        ..Default::default()
    };
    callout.apply(changes).unwrap();
    assert_eq!(response.relays[0].options.get(79), Some(&b"new"[..]));
}

fn datagram(bytes: &[u8]) -> Datagram {
    Datagram {
        bytes: Buffer::copy_of(bytes),
        link: link(),
    }
}

/// What becomes of a datagram that a service parsed.
fn parse4(bytes: &[u8], parsed: v1::Packet4) -> Result<Packet4, String> {
    let mut packet = None;
    let mut callout = Buffer4Receive {
        datagram: &mut datagram(bytes),
        classes: &mut Classes::default(),
        additional_classes: &mut Classes::default(),
        parsed: &mut packet,
    };
    let changes = of_query4(v1::Packet4Changes {
        parsed: Some(parsed),
        ..Default::default()
    });
    callout.apply(changes).map_err(|refused| refused.why)?;
    Ok(packet.unwrap())
}

#[test]
fn a_dhcpv4_packet_that_a_service_parsed_keeps_transaction_and_relay() {
    let mut bytes = vec![0; 240];
    bytes[4..8].copy_from_slice(&[0, 0, 0, 9]);
    bytes[24..28].copy_from_slice(&[192, 0, 2, 1]);
    let parsed = v1::Packet4 {
        message_type: 1,
        hw_address: Some(v1::HwAddress {
            htype: 1,
            address: Bytes::from_static(&[7; 6]),
        }),
        options: vec![v1::Option {
            code: 12,
            data: Bytes::from_static(b"host"),
        }],
        ..Default::default()
    };
    let packet = parse4(&bytes, parsed.clone()).unwrap();
    assert_eq!(packet.message_type, Some(Type4::Discover));
    assert_eq!(
        (packet.header.xid, packet.header.giaddr.octets()),
        (9, [192, 0, 2, 1])
    );
    assert_eq!(packet.options.get(12), Some(&b"host"[..]));
    assert_eq!(packet.options.get(53), Some(&[1][..]));
    let with = |change: fn(&mut v1::Packet4)| {
        let mut parsed = parsed.clone();
        change(&mut parsed);
        parse4(&bytes, parsed).map(drop)
    };
    type Case = (fn(&mut v1::Packet4), &'static str);
    let cases: [Case; 6] = [
        (
            |packet| packet.transaction_id = 8,
            "the transaction id stays",
        ),
        (
            |packet| packet.giaddr = Bytes::from_static(&[192, 0, 2, 2]),
            "the relay address stays",
        ),
        (
            |packet| packet.message_type = 19,
            "the message type is not assigned",
        ),
        (|packet| packet.hops = 256, "hops has 8 bits"),
        (
            |packet| packet.options.push(packet.options[0].clone()),
            "an option stands there twice: its parts are to be joined",
        ),
        (
            |packet| packet.options[0].code = 255,
            "the code of an option is between 1 and 254",
        ),
    ];
    for (change, why) in cases {
        assert_eq!(with(change), Err(why.to_owned()));
    }
}

#[test]
fn a_dhcpv6_packet_that_a_service_parsed_keeps_transaction_and_relays() {
    let mut bytes = Vec::new();
    let mut reply = Reply6::to(&query6().packet, Type6::Reply);
    reply.options = options(&[(1, b"duid")]);
    reply.encode(&mut bytes).unwrap();
    let parse = |relays: Vec<v1::Relay6>, transaction_id| {
        let mut packet = None;
        let mut callout = Buffer6Receive {
            datagram: &mut datagram(&bytes),
            classes: &mut Classes::default(),
            additional_classes: &mut Classes::default(),
            parsed: &mut packet,
        };
        let parsed = v1::Packet6 {
            message_type: 1,
            transaction_id,
            relays,
            ..Default::default()
        };
        let changes = of_query6(v1::Packet6Changes {
            parsed: Some(parsed),
            ..Default::default()
        });
        callout.apply(changes).map_err(|refused| refused.why)?;
        Ok(packet.unwrap())
    };
    let packet: Result<Packet6, String> = parse(vec![v1::Relay6::default()], 0);
    let packet = packet.unwrap();
    assert_eq!(
        (packet.message_type, packet.xid),
        (Type6::Solicit, [1, 2, 3])
    );
    let own = query6().packet.relays.remove(0);
    assert_eq!(packet.relays[0].link_address, own.link_address);
    assert_eq!(packet.relays[0].peer_address, own.peer_address);
    let told = |relays, transaction_id| parse(relays, transaction_id).unwrap_err();
    assert_eq!(told(Vec::new(), 0), "the number of relays stays");
    assert_eq!(
        told(vec![v1::Relay6::default()], 0x01_02_04),
        "the transaction id stays"
    );
    let other = v1::Relay6 {
        peer_address: vec![1; 16].into(),
        ..Default::default()
    };
    assert_eq!(told(vec![other], 0), "the addresses of relays stay");
}

#[test]
fn an_identifier_comes_with_its_type() {
    let (mut query, mut identifier) = (query4(), FlexIdentifier::default());
    let mut callout = Host4Identifier {
        query: &mut query,
        identifier: &mut identifier,
    };
    let Point::Host4Identifier(shown) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    assert_eq!(shown.identifier_type(), v1::IdentifierType::FlexId);
    let mut says = |kind: Option<i32>, bytes: &[u8]| {
        callout.apply(v1::Changes {
            host_identifier: Some(Bytes::copy_from_slice(bytes)),
            host_identifier_type: kind,
            ..Default::default()
        })
    };
    says(Some(v1::IdentifierType::CircuitId.into()), b"e1").unwrap();
    for (kind, len) in [(Some(0), 1), (Some(77), 1), (None, 256)] {
        assert_eq!(says(kind, &vec![1; len]).unwrap_err().path, "identifier");
    }
    let expected = FlexIdentifier {
        kind: HostIdentifierType::CircuitId,
        bytes: b"e1".to_vec(),
    };
    assert_eq!(identifier, expected);
}

#[test]
fn names_directions_and_the_draft_of_a_reply_change_together() {
    let mut query = query4();
    let mut response = Reply4::to(&query.packet, Type4::Ack);
    let mut names = Names {
        hostname: "h".to_owned(),
        fwd_update: true,
        rev_update: true,
    };
    let mut callout = Ddns4Update {
        query: &mut query,
        response: &mut response,
        subnet_id: Some(1),
        names: &mut names,
        parameters: None,
    };
    let changes = |options| v1::Changes {
        names: Some(v1::NameChanges {
            hostname: Some("other.example".to_owned()),
            rev_update: Some(false),
            ..Default::default()
        }),
        response4: Some(v1::Packet4Changes {
            options,
            ..Default::default()
        }),
        ..Default::default()
    };
    assert!(callout.apply(changes(sets(43, b"x"))).is_ok());
    assert_eq!(
        (names.hostname.as_str(), names.fwd_update, names.rev_update),
        ("other.example", true, false)
    );
    assert_eq!(response.options.get(43), Some(&b"x"[..]));
}

#[test]
fn options_for_the_ia_of_a_reply_are_collected_but_not_those_of_the_server() {
    let (mut query, mut lease) = (query6(), lease6(Resource6::Address(Ipv6Addr::LOCALHOST)));
    let mut ia_options = Options::new();
    let mut renew = |edits| {
        let mut callout = Lease6Renew {
            query: &mut query,
            lease: &mut lease,
            ia_options: &mut ia_options,
        };
        callout.apply(v1::Changes {
            ia_options: edits,
            ..Default::default()
        })
    };
    renew(sets(17, b"vend")).unwrap();
    for code in [5, 13, 26] {
        assert_eq!(renew(sets(code, b"x")).unwrap_err().path, "ia.options");
    }
    assert_eq!(ia_options.get(17), Some(&b"vend"[..]));
    assert_eq!(ia_options.len(), 1);
}

#[test]
fn a_registration_is_changed_as_a_whole_or_not_at_all() {
    let address: Ipv6Addr = "2001:db8::5".parse().unwrap();
    let register = |hostname: &str, valid, preferred| {
        let mut query = query6();
        let mut response = Reply6::to(&query.packet, Type6::Reply);
        let mut lease = lease6(Resource6::Address(address));
        let mut callout = Addr6Register {
            query: &mut query,
            response: &mut response,
            link: &mut no_link(),
            address,
            old_lease: None,
            new_lease: &mut lease,
        };
        let Point::Addr6Register(shown) = point(&callout.encode(&Reads::default())) else {
            panic!("another hook point");
        };
        assert_eq!(
            (&shown.address[..], shown.old_lease),
            (&address.octets()[..], None)
        );
        let applied = callout.apply(v1::Changes {
            lease: Some(v1::LeaseChanges {
                hostname: Some(hostname.to_owned()),
                valid_lifetime: Some(valid),
                preferred_lifetime: Some(preferred),
                ..Default::default()
            }),
            response6: Some(v1::Packet6Changes {
                options: sets(17, b"vend"),
                ..Default::default()
            }),
            ..Default::default()
        });
        let changed = response.options.contains(17);
        (
            applied.is_ok(),
            lease.hostname.to_string(),
            lease.valid_lifetime,
            changed,
        )
    };
    assert_eq!(register("n", 30, 20), (true, "n".to_owned(), 30, true));
    assert_eq!(register("n", 20, 30), (false, "h".to_owned(), 100, false));
}

#[test]
fn packed_bytes_keep_the_transaction_and_the_way_is_applied_to_what_is_sent() {
    let mut bytes = vec![0; 240];
    bytes[7] = 9;
    let mut outgoing = Outgoing {
        bytes: Buffer::copy_of(&bytes),
        link: link(),
        to_hardware: Some(HwAddress::EMPTY),
    };
    let mut link = no_link();
    let mut callout = Buffer4Send {
        outgoing: &mut outgoing,
        link: &mut link,
    };
    let changes = |wire: &[u8]| v1::Changes {
        response4: Some(v1::Packet4Changes {
            wire: Some(Bytes::copy_from_slice(wire)),
            link: Some(v1::LinkChanges {
                remote_address: Some(Bytes::from_static(&[192, 0, 2, 77])),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut other = bytes.clone();
    other[7] = 8;
    assert_eq!(
        refused(callout.apply(changes(&other))),
        "response.wire: the transaction id stays"
    );
    bytes[200] = 1;
    callout.apply(changes(&bytes)).unwrap();
    assert_eq!(outgoing.bytes.as_slice(), bytes);
    assert_eq!(outgoing.link.remote.ip(), Ipv4Addr::new(192, 0, 2, 77));
    assert!(outgoing.to_hardware.is_none() && !link.is_empty());
}

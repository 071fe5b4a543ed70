use super::*;
use crate::buffer::Buffer;
use crate::ids::{Iaid, Prefix6};
use crate::options::{TooLong, What, nested6};

fn addr(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

fn query(options: &[(u16, &[u8])]) -> Packet6 {
    let mut packet = Packet6 {
        relays: SmallVec::new(),
        message_type: MessageType::Solicit,
        xid: [1, 2, 3],
        options: Options::new(),
    };
    for (code, payload) in options {
        packet.options.push(*code, payload);
    }
    packet
}

fn hop(link: &str, options: &[(u16, &[u8])]) -> RelayHop {
    let options = query(options).options;
    RelayHop {
        msg_type: 12,
        hop_count: 0,
        link_address: addr(link),
        peer_address: addr("fe80::1"),
        options,
    }
}

#[test]
fn typed_views_read_well_formed_options() {
    let packet = query(&[
        (1, &[0, 3, 0, 1, 2]),
        (2, &[9, 9]),
        (6, &[0, 23, 0, 24]),
        (8, &[1, 0]),
        (14, &[]),
    ]);
    assert_eq!(packet.client_id(), Duid::new(&[0, 3, 0, 1, 2]));
    assert_eq!(packet.server_id(), Some(&[9, 9][..]));
    assert_eq!(packet.oro().collect::<Vec<_>>(), [23, 24]);
    assert_eq!(packet.elapsed_time(), Some(256));
    assert!(packet.rapid_commit());
}

#[test]
fn an_option_of_wrong_length_invalidates_only_itself() {
    let packet = query(&[(1, &[0, 3]), (6, &[0, 23, 0]), (8, &[1]), (14, &[0])]);
    assert_eq!(packet.client_id(), None);
    assert_eq!(packet.oro().count(), 0);
    assert_eq!(packet.elapsed_time(), None);
    assert!(!packet.rapid_commit());
    assert_eq!(
        query(&[(1, &[0; 130])])
            .client_id()
            .map(|duid| duid.bytes().len()),
        Some(130)
    );
    assert_eq!(query(&[(1, &[0; 131])]).client_id(), None);
}

#[test]
fn ias_are_read_in_packet_order_and_temporary_ones_left_out() {
    let mut packet = query(&[]);
    let prefix = Prefix6::new(addr("2001:db8:1::"), 48).unwrap();
    push_ia(&mut packet.options, IaKind::Pd, Iaid(7), (1, 2), |ia| {
        ia.prefix(prefix, 3, 4).option(99, &[1]);
    });
    packet.options.push(code::IA_TA, &[0; 4]);
    push_ia(&mut packet.options, IaKind::Na, Iaid(8), (5, 6), |ia| {
        ia.address(addr("2001:db8::1"), 7, 8)
            .address(addr("2001:db8::2"), 9, 10);
    });
    let ias: Vec<Ia<'_>> = packet.ias().map(|ia| ia.expect("well-formed")).collect();
    let [pd, na] = ias[..] else {
        panic!("two IAs, not {}", ias.len())
    };
    assert_eq!(
        (pd.kind, pd.iaid, pd.t1, pd.t2),
        (IaKind::Pd, Iaid(7), 1, 2)
    );
    assert_eq!(
        pd.prefixes()
            .map(|p| (p.prefix, p.preferred, p.valid))
            .collect::<Vec<_>>(),
        [(prefix, 3, 4)]
    );
    assert_eq!(
        (pd.addresses().count(), nested6(pd.options()).count()),
        (0, 2)
    );
    assert_eq!(
        (na.kind, na.iaid, na.t1, na.t2),
        (IaKind::Na, Iaid(8), 5, 6)
    );
    let addresses: Vec<_> = na
        .addresses()
        .map(|a| (a.addr, a.preferred, a.valid))
        .collect();
    assert_eq!(
        addresses,
        [(addr("2001:db8::1"), 7, 8), (addr("2001:db8::2"), 9, 10)]
    );
    assert_eq!(na.prefixes().count(), 0);
}

#[test]
fn a_prefix_loses_its_host_bits() {
    let mut payload = vec![0; 12];
    payload.extend_from_slice(&[0, 26, 0, 25, 0, 0, 0, 1, 0, 0, 0, 2, 33]);
    payload.extend_from_slice(&addr("2001:db8:ffff:ffff::1").octets());
    let ia = Ia::parse(IaKind::Pd, &payload).expect("well-formed");
    let prefixes: Vec<_> = ia.prefixes().map(|p| p.prefix.to_string()).collect();
    assert_eq!(prefixes, ["2001:db8:8000::/33"]);
}

#[test]
fn a_reply_goes_back_through_the_relays_it_came_by() {
    let mut asked = query(&[]);
    asked.relays.push(hop(
        "2001:db8::1",
        &[(18, b"eth0"), (37, b"remote"), (135, &[2, 3])],
    ));
    asked.relays.push(hop("::", &[(79, &[0])]));
    asked.relays[1].hop_count = 1;
    let reply = Reply6::to(&asked, MessageType::Advertise);
    assert_eq!(reply.xid, [1, 2, 3]);
    assert_eq!(
        reply.relays[0].options,
        query(&[(18, b"eth0"), (135, &[2, 3])]).options
    );
    assert!(reply.relays[1].options.is_empty());
    let mut out = vec![0xee];
    reply.encode(&mut out).expect("it fits");
    let mut expected = vec![0xee, 13, 0];
    expected.extend_from_slice(&addr("2001:db8::1").octets());
    expected.extend_from_slice(&addr("fe80::1").octets());
    expected.extend_from_slice(&[
        0, 18, 0, 4, b'e', b't', b'h', b'0', 0, 135, 0, 2, 2, 3, 0, 9, 0, 42, 13, 1,
    ]);
    expected.extend_from_slice(&[0; 16]);
    expected.extend_from_slice(&addr("fe80::1").octets());
    expected.extend_from_slice(&[0, 9, 0, 4, 2, 1, 2, 3]);
    assert_eq!(out, expected);
}

#[test]
fn what_relays_say_is_asked_from_the_client_outward() {
    let mut packet = query(&[]);
    assert_eq!(
        (
            packet.is_relayed(),
            packet.link_address(),
            packet.interface_id()
        ),
        (false, None, None)
    );
    packet
        .relays
        .push(hop("2001:db8:1::1", &[(18, b"outer"), (37, b"r")]));
    packet.relays.push(hop("2001:db8:2::1", &[(18, b"inner")]));
    packet.relays.push(hop("fe80::9", &[]));
    packet.relays.push(hop("::", &[]));
    assert!(packet.is_relayed());
    assert_eq!(packet.interface_id(), Some(&b"inner"[..]));
    assert_eq!(packet.relay_option(37), Some(&b"r"[..]));
    assert_eq!(packet.link_address(), Some(addr("2001:db8:2::1")));
    assert_eq!(packet.relays[0].interface_id(), Some(&b"outer"[..]));
}

#[test]
fn an_ia_of_a_reply_has_the_bytes_of_the_rfc() {
    let mut options = Options::new();
    push_ia(&mut options, IaKind::Na, Iaid(1), (2, 3), |ia| {
        ia.address_with(addr("::5"), 6, 7, |inside| {
            inside.status(Status::Success, "");
        });
        ia.status(Status::NoAddrsAvail, "no");
    });
    push_ia(&mut options, IaKind::Pd, Iaid(1), (2, 3), |ia| {
        ia.prefix_with(Prefix6::new(addr("8000::"), 1).unwrap(), 6, 7, |inside| {
            inside.option(99, &[]);
        });
    });
    push_status(&mut options, Status::NoBinding, "x");
    let na = [
        &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 5, 0, 30][..],
        &addr("::5").octets(),
        &[
            0, 0, 0, 6, 0, 0, 0, 7, 0, 13, 0, 2, 0, 0, 0, 13, 0, 4, 0, 2, b'n', b'o',
        ],
    ];
    let pd = [
        &[
            0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 26, 0, 29, 0, 0, 0, 6, 0, 0, 0, 7, 1,
        ][..],
        &addr("8000::").octets(),
        &[0, 99, 0, 0],
    ];
    assert_eq!(options.get(3), Some(&na.concat()[..]));
    assert_eq!(options.get(25), Some(&pd.concat()[..]));
    assert_eq!(options.get(13), Some(&[0, 3, b'x'][..]));
}

#[test]
fn what_does_not_fit_its_length_is_an_error_and_nothing_is_appended() {
    let big = vec![0; 65_536];
    let too_long = |code, len| TooLong {
        what: What::Option(code),
        len,
        limit: 65_535,
    };
    let mut long_inside = Reply6::to(&query(&[]), MessageType::Reply);
    push_ia(
        &mut long_inside.options,
        IaKind::Na,
        Iaid(1),
        (0, 0),
        |ia| {
            ia.option(99, &big);
        },
    );
    let mut long_packet = Reply6::to(&query(&[]), MessageType::Reply);
    long_packet.options.push(99, &big[..65_520]);
    let mut relayed = query(&[]);
    relayed.relays.push(hop("::", &[]));
    let mut long_relayed = Reply6::to(&relayed, MessageType::Reply);
    long_relayed.options.push(99, &big[..65_530]);
    let cases = [
        (long_inside, too_long(3, 65_552)),
        (
            long_packet,
            TooLong {
                what: What::Packet,
                len: 65_528,
                limit: 65_527,
            },
        ),
        (long_relayed, too_long(9, 65_538)),
    ];
    for (reply, expected) in cases {
        let mut out = vec![1];
        assert_eq!(reply.encode(&mut out), Err(expected));
        assert_eq!(out, [1]);
    }
}

#[test]
fn a_registration_reaches_the_server_as_a_type_of_its_own() {
    let packet = decode(Buffer::copy_of(&[36, 1, 2, 3])).expect("a message for servers");
    assert_eq!(packet.message_type, ADDR_REG_INFORM);
    assert_eq!(u8::from(ADDR_REG_REPLY), 37);
}

#[test]
fn a_registration_names_one_address_outside_of_ias() {
    let mut registered = addr("2001:db8::9").octets().to_vec();
    registered.extend([0, 0, 0, 1, 0, 0, 0, 2]);
    let read = |options: &[(u16, &[u8])]| {
        let packet = query(options);
        let registered = packet.registered_address();
        registered.map(|own| (own.addr, own.preferred, own.valid))
    };
    assert_eq!(read(&[(5, &registered)]), Some((addr("2001:db8::9"), 1, 2)));
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[(5, &registered[..23])]), None);
    assert_eq!(read(&[(5, &registered), (5, &registered)]), None);
    let in_ia = [&[0; 12][..], &[0, 5, 0, 24], &registered].concat();
    assert_eq!(read(&[(3, &in_ia)]), None);
}

#[test]
fn the_innermost_relay_says_where_the_message_came_from() {
    let from = IpAddr::from(addr("2001:db8::2"));
    let mut packet = query(&[]);
    assert_eq!(packet.source(from), from);
    let mut outer = hop("::", &[]);
    outer.peer_address = addr("fe80::2");
    packet.relays.extend([outer, hop("::", &[])]);
    assert_eq!(packet.source(from), IpAddr::from(addr("fe80::1")));
}

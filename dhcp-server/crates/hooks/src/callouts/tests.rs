use super::v4::{
    Buffer4Receive, Buffer4Send, Lease4Expire, Lease4Offer, Lease4Renew, Leases4Committed,
    Pkt4Receive, Pkt4Send, Subnet4Select,
};
use super::v6::{
    Buffer6Receive, Lease6Rebind, Lease6Select, Leases6Committed, Pkt6Receive, Pkt6Send,
    Subnet6Select,
};
use super::*;
use crate::callout::Callout;
use crate::reads::Reads;
use outrigger_proto::HookPoint;
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::{Owner4, Owner6, Resource6};
use outrigger_wire::options::Options;
use outrigger_wire::v4::{Header4, MessageType as Type4, Packet4, Reply4};
use outrigger_wire::v6::{MessageType as Type6, Packet6, RelayHop, Reply6};
use outrigger_wire::{
    Classes, ClientId, Datagram, Duid, Family, HwAddress, Iaid, Link, Outgoing, Prefix6, Query,
    Query4, Query6, V4, V6,
};
use smallvec::smallvec;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

mod fields;
mod random;

fn link() -> Link {
    Link {
        interface: "eth0".into(),
        interface_index: 2,
        local: "192.0.2.1:67".parse().unwrap(),
        remote: "[fe80::1]:546".parse().unwrap(),
    }
}

fn no_link() -> LinkOverride {
    LinkOverride::new(&Arc::default(), false)
}

fn options(list: &[(u16, &[u8])]) -> Options {
    let mut options = Options::new();
    for (code, payload) in list {
        options.push(*code, payload);
    }
    options
}

fn query4() -> Query4 {
    let mut sname = [0; 64];
    sname[..3].copy_from_slice(b"srv");
    let header = Header4 {
        xid: 9,
        flags: 0x8000,
        ciaddr: "192.0.2.5".parse().unwrap(),
        chaddr: [7; 16],
        sname,
        ..Header4::default()
    };
    Query {
        packet: Packet4 {
            header,
            options: options(&[(53, &[3]), (12, b"host"), (55, &[1])]),
            message_type: Some(Type4::Request),
        },
        link: link(),
        classes: Classes::default(),
        additional_classes: Classes::default(),
    }
}

fn query6() -> Query6 {
    let hop = RelayHop {
        msg_type: 12,
        hop_count: 1,
        link_address: "2001:db8::1".parse().unwrap(),
        peer_address: "fe80::2".parse().unwrap(),
        options: options(&[(18, b"port")]),
    };
    Query {
        packet: Packet6 {
            relays: smallvec![hop],
            message_type: Type6::Solicit,
            xid: [1, 2, 3],
            options: options(&[(1, b"duid"), (6, &[0, 23])]),
        },
        link: link(),
        classes: Classes::default(),
        additional_classes: Classes::default(),
    }
}

fn lease<F: Family>(resource: F::Resource, owner: F::Owner) -> Lease<F> {
    Lease {
        resource,
        owner,
        subnet_id: 4,
        pool_id: 5,
        state: LeaseState::Default,
        cltt: 6,
        valid_lifetime: 100,
        preferred_lifetime: 50,
        hostname: "h".into(),
        fqdn_fwd: true,
        fqdn_rev: false,
        hw_address: HwAddress::EMPTY,
        user_context: "{}".into(),
    }
}

fn lease4() -> Lease<V4> {
    let owner = Owner4 {
        hw_address: HwAddress::new(1, &[7; 6]).unwrap(),
        client_id: ClientId::new(&[1, 7]),
    };
    lease("192.0.2.10".parse().unwrap(), owner)
}

fn lease6(resource: Resource6) -> Lease<V6> {
    let owner = Owner6 {
        duid: Duid::new(b"duid").unwrap(),
        iaid: Iaid(8),
    };
    lease(resource, owner)
}

fn prefix(text: &str, len: u8) -> Prefix6 {
    let addr = text.parse().unwrap();
    Prefix6 { addr, len }
}

fn point(arguments: &Bytes) -> Point {
    let arguments = v1::Arguments::decode(arguments.clone()).unwrap();
    arguments.point.unwrap()
}

fn reads(paths: &[&str]) -> Reads {
    Reads::new(
        &paths
            .iter()
            .map(|path| (*path).to_owned())
            .collect::<Vec<_>>(),
    )
}

fn codes(options: &[v1::Option]) -> Vec<u32> {
    options.iter().map(|option| option.code).collect()
}

fn sets(code: u32, data: &'static [u8]) -> Vec<v1::OptionEdit> {
    vec![v1::OptionEdit {
        path: vec![code],
        data: Bytes::from_static(data),
        ..Default::default()
    }]
}

#[test]
fn every_hook_point_has_a_callout_of_its_number() {
    fn number<C: Callout>() -> HookPoint {
        C::POINT
    }
    let with_callout = [
        number::<Buffer4Receive<'_>>(),
        number::<Pkt4Receive<'_>>(),
        number::<Subnet4Select<'_>>(),
        number::<v4::Host4Identifier<'_>>(),
        number::<v4::Ddns4Update<'_>>(),
        number::<v4::Lease4Select<'_>>(),
        number::<Lease4Renew<'_>>(),
        number::<v4::Lease4Release<'_>>(),
        number::<v4::Lease4Decline<'_>>(),
        number::<Lease4Offer<'_>>(),
        number::<v4::Lease4ServerDecline<'_>>(),
        number::<Leases4Committed<'_>>(),
        number::<Pkt4Send<'_>>(),
        number::<Buffer4Send<'_>>(),
        number::<Lease4Expire<'_>>(),
        number::<v4::Lease4Recover<'_>>(),
        number::<server::Dhcp4SrvConfigured<'_>>(),
        number::<server::Cb4Updated<'_>>(),
        number::<Buffer6Receive<'_>>(),
        number::<Pkt6Receive<'_>>(),
        number::<Subnet6Select<'_>>(),
        number::<v6::Host6Identifier<'_>>(),
        number::<v6::Ddns6Update<'_>>(),
        number::<Lease6Select<'_>>(),
        number::<v6::Lease6Renew<'_>>(),
        number::<Lease6Rebind<'_>>(),
        number::<v6::Lease6Release<'_>>(),
        number::<v6::Lease6Decline<'_>>(),
        number::<v6::Addr6Register<'_>>(),
        number::<Leases6Committed<'_>>(),
        number::<Pkt6Send<'_>>(),
        number::<v6::Buffer6Send<'_>>(),
        number::<v6::Lease6Expire<'_>>(),
        number::<v6::Lease6Recover<'_>>(),
        number::<server::Dhcp6SrvConfigured<'_>>(),
        number::<server::Cb6Updated<'_>>(),
        number::<server::CommandProcessed<'_>>(),
        number::<server::Command<'_>>(),
    ];
    assert_eq!(with_callout.as_slice(), HookPoint::ALL);
}

#[test]
fn a_dhcpv4_query_is_sent_with_its_header_and_the_options_asked_for() {
    let mut query = query4();
    let callout = Pkt4Receive { query: &mut query };
    let Point::Pkt4Receive(all) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    let packet = all.query.unwrap();
    assert_eq!(
        (packet.message_type, packet.op, packet.flags),
        (3, 1, 0x8000)
    );
    assert_eq!(
        (&packet.ciaddr[..], &packet.yiaddr[..]),
        (&[192, 0, 2, 5][..], &[][..])
    );
    assert_eq!(packet.hw_address.unwrap().address, [7; 6][..]);
    assert_eq!(
        (&packet.sname[..], &packet.file[..]),
        (&b"srv"[..], &b""[..])
    );
    assert_eq!(codes(&packet.options), [53, 12, 55]);
    assert_eq!(packet.link.unwrap().remote_address.len(), 16);
    assert_eq!(packet.classes, ["ALL"]);

    let Point::Pkt4Receive(some) = point(&callout.encode(&reads(&["query.options.12"]))) else {
        panic!("another hook point");
    };
    let packet = some.query.unwrap();
    assert_eq!(codes(&packet.options), [12]);
    assert_eq!(packet.transaction_id, 9, "the header always");
    assert!(packet.link.is_none() && packet.classes.is_empty());
}

#[test]
fn a_dhcpv6_query_is_sent_with_its_relays() {
    let mut query = query6();
    let callout = Pkt6Receive { query: &mut query };
    let Point::Pkt6Receive(all) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    let packet = all.query.unwrap();
    assert_eq!(
        (packet.message_type, packet.transaction_id),
        (1, 0x01_02_03)
    );
    assert_eq!(codes(&packet.options), [1, 6]);
    assert_eq!(
        (packet.relays[0].hop_count, codes(&packet.relays[0].options)),
        (1, vec![18])
    );
    assert_eq!(callout.label(), "duid=[64:75:69:64], tid=0x10203");
}

#[test]
fn what_was_not_asked_for_is_not_sent() {
    let (mut query, mut id) = (query4(), Some(2));
    let callout = Subnet4Select {
        query: &mut query,
        subnet_id: &mut id,
        subnet_ids: &[1, 2],
    };
    let Point::Subnet4Select(all) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    assert_eq!((all.subnet_id, all.subnet_ids), (2, vec![1, 2]));
    let Point::Subnet4Select(some) = point(&callout.encode(&reads(&["subnet"]))) else {
        panic!("another hook point");
    };
    assert_eq!((some.subnet_id, some.subnet_ids), (2, vec![]));

    let mut lease = lease4();
    let expire = Lease4Expire {
        lease: &mut lease,
        remove_lease: true,
    };
    let Point::Lease4Expire(some) = point(&expire.encode(&reads(&["lease"]))) else {
        panic!("another hook point");
    };
    assert!(!some.remove_lease);
    let sent = some.lease.unwrap();
    assert_eq!(
        (sent.subnet_id, sent.pool_id, sent.valid_lifetime),
        (4, 5, 100)
    );
    assert_eq!(
        (&sent.address[..], &sent.client_id[..]),
        (&[192, 0, 2, 10][..], &[1, 7][..])
    );
    assert_eq!(sent.preferred_lifetime, 0, "DHCPv4 has none");
}

#[test]
fn a_subnet_is_chosen_by_a_known_id_or_taken_away() {
    let choose = |wanted| {
        let (mut query, mut id) = (query6(), Some(1));
        let changes = v1::Changes {
            subnet_id: wanted,
            query6: Some(v1::Packet6Changes {
                add_classes: vec!["gold".to_owned()],
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut callout = Subnet6Select {
            query: &mut query,
            subnet_id: &mut id,
            subnet_ids: &[1, 2],
        };
        let applied = callout
            .apply(changes)
            .map_err(|refused| refused.to_string());
        (applied, id, query.classes.contains("gold"))
    };
    assert_eq!(choose(None), (Ok(()), Some(1), true));
    assert_eq!(choose(Some(2)), (Ok(()), Some(2), true));
    assert_eq!(choose(Some(0)), (Ok(()), None, true));
    assert_eq!(
        choose(Some(3)),
        (
            Err("subnet: there is no subnet 3".to_owned()),
            Some(1),
            false
        )
    );
}

#[test]
fn the_header_and_the_options_of_a_query_change_but_not_its_type() {
    let mut query = query4();
    let mut receive = |options| {
        let changes = v1::Packet4Changes {
            options,
            siaddr: Some(Bytes::from_static(&[192, 0, 2, 3])),
            ciaddr: Some(Bytes::new()),
            file: Some(Bytes::from_static(b"boot")),
            add_classes: vec!["gold".to_owned()],
            ..Default::default()
        };
        let mut callout = Pkt4Receive { query: &mut query };
        callout.apply(v1::Changes {
            query4: Some(changes),
            ..Default::default()
        })
    };
    let refused = receive(sets(53, &[7])).unwrap_err();
    assert_eq!(refused.path, "query.options.53");
    receive(sets(12, b"other")).unwrap();
    let header = &query.packet.header;
    assert_eq!(header.siaddr.octets(), [192, 0, 2, 3]);
    assert!(header.ciaddr.is_unspecified());
    assert_eq!(&header.file[..5], b"boot\0");
    assert_eq!(query.packet.options.get(12), Some(&b"other"[..]));
    assert!(query.classes.contains("gold"));
}

#[test]
fn datagrams_are_replaced_whole_within_bounds() {
    let receive = |wire: Vec<u8>| {
        let mut datagram = Datagram {
            bytes: Buffer::copy_of(b"old"),
            link: link(),
        };
        let mut classes = Classes::default();
        let mut callout = Buffer4Receive {
            datagram: &mut datagram,
            classes: &mut classes,
            additional_classes: &mut Classes::default(),
            parsed: &mut None,
        };
        let applied = callout.apply(v1::Changes {
            query4: Some(v1::Packet4Changes {
                wire: Some(wire.into()),
                add_classes: vec!["gold".to_owned()],
                ..Default::default()
            }),
            ..Default::default()
        });
        (
            applied.is_ok(),
            datagram.bytes.to_vec(),
            classes.contains("gold"),
        )
    };
    assert_eq!(receive(b"new".to_vec()), (true, b"new".to_vec(), true));
    assert_eq!(receive(Vec::new()), (false, b"old".to_vec(), false));
    assert_eq!(
        receive(vec![0; Buffer::CAPACITY + 1]),
        (false, b"old".to_vec(), false)
    );
}

#[test]
fn replies_change_and_can_be_packed_by_a_service() {
    let mut query = query6();
    let mut response = Reply6::to(&query.packet, Type6::Advertise);
    let mut bytes = Vec::new();
    response.encode(&mut bytes).unwrap();
    let bytes = Bytes::from(bytes);
    let mut packed = None;
    let mut callout = Pkt6Send {
        query: &mut query,
        response: &mut response,
        subnet_id: Some(1),
        packed: &mut packed,
        link: &mut no_link(),
    };
    let Point::Pkt6Send(arguments) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    assert_eq!(
        (
            arguments.subnet_id,
            arguments.response.unwrap().message_type
        ),
        (1, 2)
    );
    let change = |wire| v1::Changes {
        response6: Some(v1::Packet6Changes {
            options: sets(59, b"http://boot"),
            wire,
            ..Default::default()
        }),
        ..Default::default()
    };
    callout.apply(change(Some(bytes.clone()))).unwrap();
    callout.apply(change(None)).unwrap();
    assert_eq!(packed.as_deref().map(Vec::as_slice), Some(&bytes[..]));
    assert_eq!(response.options.get(59), Some(&b"http://boot"[..]));
}

#[test]
fn a_change_of_a_reply_that_is_not_there_is_refused() {
    let mut query = query4();
    let mut callout = Leases4Committed {
        query: &mut query,
        response: None,
        leases: &[lease4()],
        deleted: &[],
        link: &mut no_link(),
    };
    let Point::Leases4Committed(arguments) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    assert_eq!((arguments.leases.len(), arguments.response), (1, None));
    let refused = callout.apply(v1::Changes {
        response4: Some(v1::Packet4Changes::default()),
        ..Default::default()
    });
    assert_eq!(refused.unwrap_err().path, "response");
}

#[test]
fn an_offer_is_said_to_be_in_use() {
    let mut query = query4();
    let mut response = Reply4::to(&query.packet, Type4::Offer);
    let old = lease4();
    let mut callout = Lease4Offer {
        query: &mut query,
        response: &mut response,
        lease: None,
        offer_lifetime: 30,
        old_lease: Some(&old),
        host: None,
        host_subnet_id: 0,
        link: &mut no_link(),
        address_in_use: &mut false,
    };
    let Point::Lease4Offer(arguments) = point(&callout.encode(&Reads::default())) else {
        panic!("another hook point");
    };
    assert_eq!((arguments.leases.len(), arguments.offer_lifetime), (0, 30));
    assert!(arguments.old_lease.is_some());
    callout
        .apply(v1::Changes {
            offer_address_in_use: Some(true),
            ..Default::default()
        })
        .unwrap();
    assert!(*callout.address_in_use);
}

#[test]
fn lifetimes_stay_consistent() {
    let rebind = |valid, preferred| {
        let (mut query, mut lease) = (query6(), lease6(Resource6::Address(Ipv6Addr::LOCALHOST)));
        let mut callout = Lease6Rebind {
            query: &mut query,
            lease: &mut lease,
            ia_options: &mut Options::new(),
        };
        let applied = callout.apply(v1::Changes {
            lease: Some(v1::LeaseChanges {
                valid_lifetime: valid,
                preferred_lifetime: preferred,
                ..Default::default()
            }),
            ..Default::default()
        });
        (
            applied.is_ok(),
            lease.valid_lifetime,
            lease.preferred_lifetime,
        )
    };
    assert_eq!(rebind(Some(10), None), (true, 10, 10), "preferred follows");
    assert_eq!(rebind(None, Some(100)), (true, 100, 100));
    assert_eq!(rebind(None, Some(101)), (false, 100, 50));

    let (mut query, mut lease) = (query4(), lease4());
    let mut callout = Lease4Renew {
        query: &mut query,
        subnet_id: 4,
        lease: &mut lease,
    };
    let refused = callout.apply(v1::Changes {
        lease: Some(v1::LeaseChanges {
            preferred_lifetime: Some(1),
            ..Default::default()
        }),
        ..Default::default()
    });
    assert_eq!(refused.unwrap_err().path, "lease.lifetimes");
}

#[test]
fn a_prefix_is_replaced_by_one_of_its_length() {
    let before = Resource6::Prefix(prefix("2001:db8:1::", 48));
    let select = |address: &str| {
        let address: Ipv6Addr = address.parse().unwrap();
        let (mut query, mut lease, mut asked) = (query6(), lease6(before), Vec::new());
        let mut claim = |resource| {
            asked.push(resource);
            Ok(())
        };
        let mut callout = Lease6Select {
            query: &mut query,
            subnet_id: 4,
            fake_allocation: true,
            lease: &mut lease,
            claim: &mut claim,
        };
        let applied = callout.apply(v1::Changes {
            lease: Some(v1::LeaseChanges {
                address: Some(Bytes::copy_from_slice(&address.octets())),
                ..Default::default()
            }),
            ..Default::default()
        });
        (applied.is_ok(), lease.resource, asked)
    };
    let other = Resource6::Prefix(prefix("2001:db8:2::", 48));
    assert_eq!(select("2001:db8:2::"), (true, other, vec![other]));
    assert_eq!(
        select("2001:db8:1::"),
        (true, before, vec![]),
        "its own needs no claim"
    );
    assert_eq!(select("2001:db8:2::1"), (false, before, vec![]));
}

#[test]
fn an_unparsed_datagram_is_sent_as_bytes_with_its_link_whatever_was_asked_for() {
    let mut outgoing = Outgoing {
        bytes: Buffer::copy_of(&[2, 1, 6, 0, 0, 0, 0, 9]),
        link: link(),
        to_hardware: None,
    };
    let callout = Buffer4Send {
        outgoing: &mut outgoing,
        link: &mut no_link(),
    };
    assert_eq!(callout.label(), "tid=0x00000009");
    let Point::Buffer4Send(arguments) = point(&callout.encode(&reads(&["response.link"]))) else {
        panic!("another hook point");
    };
    let response = arguments.response.unwrap();
    assert_eq!(
        (response.wire.len(), response.link.unwrap().local_port),
        (8, 67)
    );
    assert!(arguments.query.is_none());
}

#[test]
fn labels_of_anything_never_panic() {
    for len in 0..16 {
        let bytes = vec![1; len];
        assert!(!packet4::label_of_bytes(&bytes).is_empty());
        assert!(!packet6::label_of_bytes(&bytes).is_empty());
    }
}

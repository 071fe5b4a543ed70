//! dhcproto as a second opinion on well-formed packets.
//!
//! Kept to what it reads faithfully: every code once, options that parse, no zero-length options, no overload, at most
//! 16 bytes of hardware address; no relay around a DHCPv6 message.

use dhcproto::{Decodable, Encodable, v4 as other4, v6 as other6};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::TlvKind;
use outrigger_wire::v4::{self, Header4, Reply4};
use outrigger_wire::v6;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Address, preferred and valid lifetime.
type Address = (Ipv6Addr, u32, u32);

fn header4() -> impl Strategy<Value = Header4> {
    let addresses = any::<[u32; 4]>();
    let rest = (
        0..=16_u8,
        any::<u8>(),
        any::<u32>(),
        any::<u16>(),
        any::<bool>(),
        any::<[u8; 16]>(),
    );
    (addresses, rest).prop_map(
        |([ciaddr, yiaddr, siaddr, giaddr], (hlen, hops, xid, secs, broadcast, chaddr))| Header4 {
            hlen,
            hops,
            xid,
            secs,
            flags: if broadcast { v4::FLAG_BROADCAST } else { 0 },
            ciaddr: ciaddr.into(),
            yiaddr: yiaddr.into(),
            siaddr: siaddr.into(),
            giaddr: giaddr.into(),
            chaddr,
            ..Header4::default()
        },
    )
}

/// Values that dhcproto accepts for their codes, by code.
fn options4() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let fixed = |len: usize| vec(any::<u8>(), len);
    let opaque = || vec(any::<u8>(), 1..600);
    let addresses = (1..20_usize).prop_flat_map(|count| vec(any::<u8>(), count * 4));
    (
        option::of((1..=18_u8).prop_map(|value| vec![value])),
        option::of(fixed(4)),
        option::of(fixed(4)),
        option::of(fixed(2)),
        option::of(addresses),
        option::of("[a-z]{1,200}"),
        option::of(opaque()),
        option::of(opaque()),
        btree_map(224..=254_u16, opaque(), 0..4),
    )
        .prop_map(
            |(kind, requested, lease, size, routers, host, class, id, private)| {
                let typed = [
                    (53, kind),
                    (50, requested),
                    (51, lease),
                    (57, size),
                    (3, routers),
                    (60, class),
                    (61, id),
                ];
                let mut options: Vec<_> = typed
                    .into_iter()
                    .filter_map(|(code, value)| Some((code, value?)))
                    .collect();
                options.extend(host.map(|host| (12, host.into_bytes())));
                options.extend(private);
                options
            },
        )
}

fn encoded4(header: &Header4, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut reply = Reply4 {
        header: header.clone(),
        options: outrigger_wire::options::Options::new(),
    };
    for (code, payload) in options {
        reply.options.push(*code, payload);
    }
    let mut out = Vec::new();
    reply.encode(&mut out, 65_507).expect("it fits");
    out
}

/// Options of the other decoder as bytes: one entry per code, pieces of long options joined.
fn options_of_other4(message: &other4::Message) -> Vec<(u16, Vec<u8>)> {
    let mut all = Vec::new();
    for (code, option) in message.opts().iter() {
        let pieces = option.to_vec().expect("it was decoded");
        let mut payload = Vec::new();
        let mut rest = &pieces[..];
        while let [_, len, after @ ..] = rest {
            let (piece, after) = after.split_at(usize::from(*len));
            payload.extend_from_slice(piece);
            rest = after;
        }
        all.push((u16::from(u8::from(*code)), payload));
    }
    all.sort();
    all
}

fn options6() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let ia = (
        any::<[u8; 12]>(),
        vec((any::<[u8; 16]>(), any::<[u8; 8]>()), 0..4),
    )
        .prop_map(|(fixed, addresses)| {
            let mut payload = fixed.to_vec();
            for (address, lifetimes) in addresses {
                TlvKind::V6
                    .write(&mut payload, 5, &[&address[..], &lifetimes].concat())
                    .expect("24 bytes");
            }
            payload
        });
    let oro = vec(any::<[u8; 2]>(), 1..20).prop_map(|codes| codes.concat());
    (
        option::of(vec(any::<u8>(), 3..130)),
        option::of(vec(any::<u8>(), 3..130)),
        option::of(ia),
        option::of(oro),
        option::of(vec(any::<u8>(), 2)),
        option::of(Just(Vec::new())),
        btree_map(1_000..65_000_u16, vec(any::<u8>(), 0..700), 0..4),
    )
        .prop_map(|(client, server, ia, oro, elapsed, rapid, private)| {
            let typed = [
                (1, client),
                (2, server),
                (3, ia),
                (6, oro),
                (8, elapsed),
                (14, rapid),
            ];
            let mut options: Vec<_> = typed
                .into_iter()
                .filter_map(|(code, value)| Some((code, value?)))
                .collect();
            options.extend(private);
            options
        })
}

proptest! {
    #[test]
    fn both_decoders_read_the_same_v4_packet(header in header4(), options in options4()) {
        let datagram = encoded4(&header, &options);
        let ours = v4::decode(Buffer::copy_of(&datagram)).expect("well-formed");
        let theirs = other4::Message::from_bytes(&datagram).expect("well-formed");
        prop_assert_eq!(&ours.header, &header);
        prop_assert_eq!((theirs.xid(), theirs.secs(), theirs.hops()), (header.xid, header.secs, header.hops));
        prop_assert_eq!(theirs.flags().broadcast(), ours.broadcast());
        let addresses: [Ipv4Addr; 4] = [theirs.ciaddr(), theirs.yiaddr(), theirs.siaddr(), theirs.giaddr()];
        prop_assert_eq!(addresses, [header.ciaddr, header.yiaddr, header.siaddr, header.giaddr]);
        let hw_address = ours.hw_address();
        prop_assert_eq!(theirs.chaddr(), hw_address.bytes());
        prop_assert_eq!(theirs.opts().msg_type(), ours.message_type);
        let mut found: Vec<_> = ours.options.iter().map(|(code, payload)| (code, payload.to_vec())).collect();
        found.sort();
        prop_assert_eq!(options_of_other4(&theirs), found);
    }

    #[test]
    fn our_decoder_reads_what_the_other_encodes_in_v4(header in header4(), options in options4()) {
        let theirs = other4::Message::from_bytes(&encoded4(&header, &options)).expect("well-formed");
        let ours = v4::decode(Buffer::copy_of(&theirs.to_vec().expect("it was decoded")));
        let mut found: Vec<_> =
            ours.expect("well-formed").options.iter().map(|(code, payload)| (code, payload.to_vec())).collect();
        found.sort();
        prop_assert_eq!(options_of_other4(&theirs), found);
    }

    #[test]
    fn both_decoders_read_the_same_v6_message(xid: [u8; 3], mut options in options6()) {
        let mut datagram = vec![1];
        datagram.extend_from_slice(&xid);
        for (code, payload) in &options {
            TlvKind::V6.write(&mut datagram, u32::from(*code), payload).expect("short payloads");
        }
        let ours = v6::decode(Buffer::copy_of(&datagram)).expect("well-formed");
        let theirs = other6::Message::from_bytes(&datagram).expect("well-formed");
        prop_assert_eq!((theirs.msg_type(), theirs.xid()), (ours.message_type, ours.xid));
        let mut found: Vec<_> = ours.options.iter().map(|(code, payload)| (code, payload.to_vec())).collect();
        prop_assert_eq!(&found, &options);
        // The other sorts by code.
        options.sort();
        found.sort();
        let mut again = Vec::new();
        for (code, payload) in &found {
            TlvKind::V6.write(&mut again, u32::from(*code), payload).expect("short payloads");
        }
        prop_assert_eq!(theirs.opts().to_vec().expect("it was decoded"), again);
    }

    #[test]
    fn both_decoders_read_the_same_addresses_in_an_ia(xid: [u8; 3], options in options6()) {
        let mut datagram = vec![3];
        datagram.extend_from_slice(&xid);
        for (code, payload) in &options {
            TlvKind::V6.write(&mut datagram, u32::from(*code), payload).expect("short payloads");
        }
        let ours = v6::decode(Buffer::copy_of(&datagram)).expect("well-formed");
        let theirs = other6::Message::from_bytes(&datagram).expect("well-formed");
        let mut read_by_us: Vec<(u32, Vec<Address>)> = Vec::new();
        for ia in ours.ias() {
            let ia = ia.expect("well-formed");
            let mut addresses: Vec<_> = ia.addresses().map(|a| (a.addr, a.preferred, a.valid)).collect();
            addresses.sort();
            read_by_us.push((ia.iaid.0, addresses));
        }
        let mut read_by_them = Vec::new();
        if let Some(other6::DhcpOption::IANA(ia)) = theirs.opts().get(other6::OptionCode::IANA) {
            let mut addresses = Vec::new();
            for option in ia.opts.iter() {
                if let other6::DhcpOption::IAAddr(inside) = option {
                    addresses.push((inside.addr, inside.preferred_life, inside.valid_life));
                }
            }
            addresses.sort();
            read_by_them.push((ia.id, addresses));
        }
        prop_assert_eq!(read_by_us, read_by_them);
    }
}

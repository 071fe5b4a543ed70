//! What holds for every input.

use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::{
    Edit, Level, Options, TlvKind, edit_nested, edit_path, nested4, nested4_with_end, nested6,
    vendor4,
};
use outrigger_wire::v4::{self, Header4, Reply4};
use outrigger_wire::v6::{self, MessageType, Packet6, RelayReply, Reply6};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

/// Bytes that often form records: small codes, small lengths.
fn nearly_records(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(
        prop_oneof![6 => 0..8_u8, 2 => Just(255_u8), 2 => any::<u8>()],
        0..max,
    )
}

/// Datagrams that get past the checks of the fixed fields.
fn nearly_packet4() -> impl Strategy<Value = Vec<u8>> {
    (
        vec(nearly_records(60), 3),
        0..18_u8,
        prop_oneof![Just(52_u8), any::<u8>()],
        0..5_u8,
        nearly_records(400),
    )
        .prop_map(|(areas, hlen, first, overload, options)| {
            let mut datagram = vec![0; 236];
            datagram[0] = 1;
            datagram[2] = hlen;
            datagram[44..44 + areas[0].len()].copy_from_slice(&areas[0]);
            datagram[108..108 + areas[1].len()].copy_from_slice(&areas[1]);
            datagram[176..176 + areas[2].len()].copy_from_slice(&areas[2]);
            datagram.extend_from_slice(&[99, 130, 83, 99, first, 1, overload]);
            datagram.extend_from_slice(&options);
            datagram
        })
}

fn options(
    codes: impl Strategy<Value = u16>,
    max_len: usize,
) -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    vec((codes, bytes(max_len)), 0..20)
}

fn list(of: &[(u16, Vec<u8>)]) -> Options {
    let mut options = Options::new();
    for (code, payload) in of {
        options.push(*code, payload);
    }
    options
}

fn message6() -> impl Strategy<Value = Vec<u8>> {
    let codes = prop_oneof![Just(3), Just(25), Just(5), 0..40_u16, any::<u16>()];
    let layer = (
        any::<[u8; 33]>(),
        options(
            codes
                .clone()
                .prop_filter("no relay message", |code| *code != 9),
            20,
        ),
    );
    (any::<[u8; 3]>(), options(codes, 60), vec(layer, 0..5)).prop_map(|(xid, options, layers)| {
        let mut message = vec![1];
        message.extend_from_slice(&xid);
        message.extend_from_slice(&records6(&options));
        layers.iter().fold(message, |inner, (header, options)| {
            let mut layer = vec![12];
            layer.extend_from_slice(header);
            layer.extend_from_slice(&records6(options));
            layer.extend_from_slice(&records6(&[(9, inner)]));
            layer
        })
    })
}

fn records6(options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (code, payload) in options {
        TlvKind::V6
            .write(&mut out, u32::from(*code), payload)
            .expect("short payloads");
    }
    out
}

/// The packet as an answer, with every option of every layer.
fn echo(packet: &Packet6) -> Reply6 {
    let mut reply = Reply6::to(packet, MessageType::Reply);
    reply.options = packet.options.clone();
    reply.relays = packet
        .relays
        .iter()
        .map(|hop| RelayReply {
            options: hop.options.clone(),
            ..RelayReply::to(hop)
        })
        .collect();
    reply
}

/// Makes of an encoded reply the request that it would be, layer by layer.
fn as_request(mut reply: Vec<u8>, options_of_layers: &[usize]) -> Vec<u8> {
    let mut at = 0;
    for options in options_of_layers {
        reply[at] = 12;
        at += 34 + options + 4;
    }
    reply[at] = 1;
    reply
}

fn look_at_everything4(packet: &v4::Packet4) -> usize {
    let shown = format!(
        "{packet:?} {} {:?} {:?}",
        packet.hw_address(),
        packet.client_id(),
        packet.requested_address()
    );
    let relayed = packet.relay_info().map_or(0, |info| nested4(info).count());
    let vendors = packet
        .options
        .get(125)
        .map_or(0, |payload| vendor4(payload).count());
    shown.len()
        + relayed
        + vendors
        + packet
            .options
            .get(43)
            .map_or(0, |payload| nested4_with_end(payload).count())
}

fn look_at_everything6(packet: &Packet6) -> usize {
    let inside = |ia: v6::Ia<'_>| {
        ia.addresses().count() + ia.prefixes().count() + nested6(ia.options()).count()
    };
    let shown = format!(
        "{packet:?} {:?} {:?}",
        packet.client_id(),
        packet.link_address()
    );
    shown.len() + packet.oro().count() + packet.ias().flatten().map(inside).sum::<usize>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_decoder_panic(datagram in bytes(700)) {
        let as_4 = v4::decode(Buffer::copy_of(&datagram));
        prop_assert!(as_4.is_err() || datagram.len() >= 240);
        if let Ok(packet) = v6::decode(Buffer::copy_of(&datagram)) {
            prop_assert!(look_at_everything6(&packet) > 0);
        }
    }

    #[test]
    fn options_of_a_decoded_v4_packet_are_pieces_of_the_datagram(datagram in nearly_packet4()) {
        if let Ok(packet) = v4::decode(Buffer::copy_of(&datagram)) {
            prop_assert!(look_at_everything4(&packet) > 0);
            let total: usize = packet.options.iter().map(|(_, payload)| payload.len() + 2).sum();
            prop_assert!(total <= datagram.len() - 44);
            let codes: BTreeSet<u16> = packet.options.iter().map(|(code, _)| code).collect();
            prop_assert_eq!(codes.len(), packet.options.len());
            prop_assert!(codes.iter().all(|code| packet.options.contains(*code) && (1..255).contains(code)));
        }
    }

    #[test]
    fn options_of_a_decoded_v6_message_fill_it_exactly(options in nearly_records(300)) {
        let datagram = [&[1, 9, 9, 9][..], &options].concat();
        if let Ok(packet) = v6::decode(Buffer::copy_of(&datagram)) {
            prop_assert!(look_at_everything6(&packet) > 0);
            let total: usize = packet.options.iter().map(|(_, payload)| payload.len() + 4).sum();
            prop_assert_eq!(total, options.len());
        }
    }

    #[test]
    fn a_v4_reply_reads_back_as_it_was_built(
        options in options((1..=254_u16).prop_filter("52 and 53 mean something", |code| ![52, 53, 82].contains(code)), 600),
        info in bytes(300),
        xid: u32,
    ) {
        let mut reply = Reply4 { header: Header4 { xid, ..Header4::default() }, options: Options::new() };
        for (code, payload) in &options {
            reply.options.set(*code, payload);
        }
        reply.options.push(82, &info);
        let mut out = Vec::new();
        let encoded = reply.encode(&mut out, 65_507).expect("it fits");
        prop_assert!(encoded.dropped.is_empty());
        prop_assert_eq!(v4::decode(Buffer::copy_of(&out)).map(|packet| (packet.header, packet.options)), Ok((reply.header, reply.options)));
    }

    #[test]
    fn a_v4_reply_never_exceeds_its_limit(
        options in options(1..=254_u16, 300),
        max_size in 240..2_000_usize,
    ) {
        let reply = Reply4 { header: Header4::default(), options: list(&options) };
        let mut out = Vec::new();
        match reply.encode(&mut out, max_size) {
            Ok(encoded) => {
                prop_assert!(out.len() <= max_size);
                let kept = [1, 51, 53, 54, 58, 59, 61, 82];
                prop_assert!(encoded.dropped.iter().all(|code| !kept.contains(code)));
            }
            Err(_) => prop_assert!(out.is_empty()),
        }
    }

    #[test]
    fn a_v6_message_that_is_echoed_has_the_same_bytes(message in message6()) {
        let packet = v6::decode(Buffer::copy_of(&message)).expect("well-formed");
        let mut out = Vec::new();
        echo(&packet).encode(&mut out).expect("it fits");
        let layers: Vec<usize> = packet
            .relays
            .iter()
            .map(|hop| hop.options.iter().map(|(_, payload)| payload.len() + 4).sum())
            .collect();
        prop_assert_eq!(as_request(out, &layers), message);
    }

    #[test]
    fn an_edit_keeps_every_other_record(
        records in options(1..8_u16, 12),
        code in 1..8_u16,
        payload in bytes(12),
    ) {
        for kind in [TlvKind::V4, TlvKind::V4WithEnd, TlvKind::V6, TlvKind::Enterprise4] {
            let mut container = Vec::new();
            for (code, payload) in &records {
                kind.write(&mut container, u32::from(*code), payload).expect("short payloads");
            }
            for edit in [Edit::Set(&payload), Edit::Add(&payload), Edit::Remove] {
                let mut expected = list(&records);
                let changes = match edit {
                    Edit::Set(payload) => { expected.set(code, payload); true }
                    Edit::Add(payload) => { expected.push(code, payload); true }
                    Edit::Remove => expected.remove(code),
                };
                let mut out = Vec::new();
                prop_assert_eq!(edit_nested(kind, &container, u32::from(code), edit, &mut out), Ok(changes));
                let mut whole = Vec::new();
                for (code, payload) in expected.iter() {
                    kind.write(&mut whole, u32::from(code), payload).expect("short payloads");
                }
                prop_assert_eq!(out, whole);
            }
        }
    }

    #[test]
    fn no_container_makes_an_edit_panic(
        container in nearly_records(80),
        path in vec((0..30_usize, 0..4_u8, 0..8_u32), 0..4),
        payload in bytes(300),
    ) {
        let kinds = [TlvKind::V4, TlvKind::V4WithEnd, TlvKind::V6, TlvKind::Enterprise4];
        let path: Vec<Level> =
            path.into_iter().map(|(skip, kind, code)| Level { skip: skip / 8, kind: kinds[usize::from(kind)], code }).collect();
        for edit in [Edit::Set(&payload), Edit::Add(&payload), Edit::Remove] {
            let mut out = Vec::new();
            match edit_path(&container, &path, edit, &mut out) {
                Ok(found) => prop_assert!(found || edit == Edit::Remove && out == container),
                Err(_) => prop_assert!(out.is_empty()),
            }
        }
    }
}

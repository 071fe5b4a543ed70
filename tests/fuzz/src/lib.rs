//! What must hold for every input of a fuzz target. Each function is one target; each panics where its oracle fails.
//!
//! The same functions run over the committed corpus in `tests/corpus.rs`, without a fuzzer.

use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::{
    Edit, Level, TlvKind, edit_path, nested4, nested4_with_end, nested6, vendor4,
    vendor4_sub_option, vendor6_sub_option,
};
use outrigger_wire::v4::{self, Packet4, Reply4};
use outrigger_wire::v6::{self, MessageType, Packet6, RelayReply, Reply6};
use outrigger_wire::{relay4, v4::code as code4, v6::code as code6};
use std::hint::black_box;

/// A datagram for a DHCPv4 server: codes once, nothing longer than the datagram, and what was read can be written and
/// read again.
pub fn decode4(datagram: &[u8]) {
    let Ok(packet) = v4::decode(Buffer::copy_of(datagram)) else {
        return;
    };
    let payloads: usize = packet
        .options
        .iter()
        .map(|(_, payload)| payload.len())
        .sum();
    assert!(
        payloads <= datagram.len(),
        "payloads are pieces of the datagram"
    );
    for (code, _) in packet.options.iter() {
        assert_eq!(
            packet.options.get_all(code).count(),
            1,
            "pieces of one code are joined"
        );
    }
    view4(&packet);
    let mut written = Vec::new();
    let reply = Reply4 {
        header: packet.header.clone(),
        options: packet.options.clone(),
    };
    let encoded = reply.encode(&mut written, usize::MAX).expect("no limit");
    assert!(encoded.dropped.is_empty());
    let again = v4::decode(Buffer::copy_of(&written)).expect("our own packets are well-formed");
    assert_eq!(again.header, packet.header);
    assert_eq!(again.message_type, packet.message_type);
    assert_eq!(sorted(&again), sorted(&packet));
}

/// Option 82 is written last, so order is compared apart.
fn sorted(packet: &Packet4) -> Vec<(u16, &[u8])> {
    let mut options: Vec<_> = packet.options.iter().collect();
    options.sort_unstable();
    options
}

fn view4(packet: &Packet4) {
    black_box(format!("{packet:?}"));
    black_box((
        packet.hw_address(),
        packet.client_id(),
        packet.requested_address(),
        packet.server_id(),
    ));
    black_box((
        packet.lease_time(),
        packet.max_message_size(),
        packet.parameter_request_list(),
    ));
    if let Some(info) = packet.relay_info() {
        black_box((
            relay4::circuit_id(info),
            relay4::link_selection(info),
            relay4::relay_id(info),
        ));
        black_box(nested4(info).count());
    }
    if let Some(payload) = packet.options.get(code4::VENDOR_ENCAPSULATED) {
        black_box(nested4_with_end(payload).count());
    }
    if let Some(payload) = packet.options.get(code4::VIVSO) {
        black_box((
            vendor4(payload).count(),
            vendor4_sub_option(payload, 4491, 1),
        ));
    }
}

/// A datagram for a DHCPv6 server: relay layers within the limit, and what was read can be written, layer by layer, and
/// read again.
pub fn decode6(datagram: &[u8]) {
    let Ok(packet) = v6::decode(Buffer::copy_of(datagram)) else {
        return;
    };
    assert!(packet.relays.len() <= v6::MAX_RELAYS);
    view6(&packet);
    let mut echo = Reply6::to(&packet, MessageType::Reply);
    echo.options = packet.options.clone();
    for (layer, hop) in echo.relays.iter_mut().zip(&packet.relays) {
        *layer = RelayReply {
            options: hop.options.clone(),
            ..RelayReply::to(hop)
        };
    }
    let mut written = Vec::new();
    echo.encode(&mut written).expect("it came in one datagram");
    assert_eq!(written.len(), datagram.len());
    let mut at = 0;
    for hop in &packet.relays {
        written[at] = u8::from(MessageType::RelayForw);
        at += 34
            + hop
                .options
                .iter()
                .map(|(_, payload)| payload.len() + 4)
                .sum::<usize>()
            + 4;
    }
    written[at] = u8::from(packet.message_type);
    assert_eq!(v6::decode(Buffer::copy_of(&written)), Ok(packet));
}

fn view6(packet: &Packet6) {
    black_box(format!("{packet:?}"));
    black_box((
        packet.client_id(),
        packet.server_id(),
        packet.rapid_commit(),
        packet.elapsed_time(),
    ));
    black_box((
        packet.oro().count(),
        packet.interface_id(),
        packet.link_address(),
    ));
    for ia in packet.ias().flatten() {
        for address in ia.addresses() {
            assert!(nested6(address.options).all(|option| option.is_ok()));
        }
        for prefix in ia.prefixes() {
            assert!(
                prefix.prefix.len <= 128 && nested6(prefix.options).all(|option| option.is_ok())
            );
        }
    }
    for payload in packet.options.get_all(code6::VENDOR_OPTS) {
        black_box(vendor6_sub_option(payload, 4491, 33));
    }
}

/// An edit of a container: `kind | edit | depth | code | length | payload | container`. An edit that fails changes
/// nothing; after one that succeeds the records are well-formed, and those with the code are as the edit says.
pub fn edit_nested(input: &[u8]) {
    let [kind, edit, depth, code, len, rest @ ..] = input else {
        return;
    };
    let (payload, container) = rest.split_at(usize::from(*len).min(rest.len()));
    let kind = [
        TlvKind::V4,
        TlvKind::V4WithEnd,
        TlvKind::V6,
        TlvKind::Enterprise4,
    ][usize::from(kind % 4)];
    let edit = [Edit::Set(payload), Edit::Add(payload), Edit::Remove][usize::from(edit % 3)];
    let code = u32::from(*code);
    let path = vec![Level::of(kind, code); usize::from(depth % 4)];
    let mut out = Vec::new();
    let Ok(found) = edit_path(container, &path, edit, &mut out) else {
        assert!(out.is_empty());
        return;
    };
    assert!(found || out == container);
    if path.len() == 1 {
        let before = instances(kind, container, code);
        let after = instances(kind, &out, code);
        match edit {
            Edit::Set(payload) => assert_eq!(after, [payload]),
            Edit::Add(payload) => assert_eq!(after, [before, vec![payload]].concat()),
            Edit::Remove => assert!(after.is_empty()),
        }
    }
}

/// Payloads of the records `code`.
fn instances(kind: TlvKind, container: &[u8], code: u32) -> Vec<&[u8]> {
    let all: Vec<(u32, &[u8])> = match kind {
        TlvKind::V4 => nested4(container)
            .map(|record| widen(record.expect("well-formed")))
            .collect(),
        TlvKind::V4WithEnd => nested4_with_end(container)
            .map(|record| widen(record.expect("well-formed")))
            .collect(),
        TlvKind::V6 => nested6(container)
            .map(|record| widen(record.expect("well-formed")))
            .collect(),
        TlvKind::Enterprise4 => vendor4(container)
            .map(|record| record.expect("well-formed"))
            .collect(),
    };
    all.into_iter()
        .filter(|(found, _)| *found == code)
        .map(|(_, payload)| payload)
        .collect()
}

fn widen((code, payload): (u16, &[u8])) -> (u32, &[u8]) {
    (u32::from(code), payload)
}

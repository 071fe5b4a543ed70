//! DHCPv4 packets as a service sees them.

use super::common::{classes, link, options};
use super::payloads::Payloads;
use crate::reads::PacketReads;
use outrigger_proto::v1;
use outrigger_wire::v4::{Header4, Reply4};
use outrigger_wire::{Datagram, Link, Outgoing, Query4};

/// Client and transaction, as in log lines.
pub(crate) fn label(query: &Query4) -> String {
    let packet = &query.packet;
    let hw_address = packet.header.hw_address();
    let xid = packet.header.xid;
    match packet.client_id() {
        Some(id) => format!("[{hw_address}], cid=[{id}], tid={xid:#010x}"),
        None => format!("[{hw_address}], tid={xid:#010x}"),
    }
}

/// As far as an unparsed packet tells.
pub(crate) fn label_of_bytes(bytes: &[u8]) -> String {
    match bytes.get(4..8).and_then(<[u8]>::first_chunk) {
        Some(xid) => format!("tid={:#010x}", u32::from_be_bytes(*xid)),
        None => format!("{} bytes", bytes.len()),
    }
}

pub(crate) fn query(query: &Query4, reads: &PacketReads) -> v1::Packet4 {
    let mut payloads = Payloads::new();
    v1::Packet4 {
        message_type: query
            .packet
            .message_type
            .map_or(0, |kind| u8::from(kind).into()),
        classes: classes(&query.classes, reads),
        link: reads.link.then(|| link(&query.link, &mut payloads)),
        options: options(&query.packet.options, &reads.options, &mut payloads),
        ..header(&query.packet.header, &mut payloads)
    }
}

pub(crate) fn response(reply: &Reply4, reads: &PacketReads) -> v1::Packet4 {
    let mut payloads = Payloads::new();
    v1::Packet4 {
        message_type: reply.message_type().map_or(0, |kind| u8::from(kind).into()),
        options: options(&reply.options, &reads.options, &mut payloads),
        ..header(&reply.header, &mut payloads)
    }
}

pub(crate) fn datagram(datagram: &Datagram) -> v1::Packet4 {
    unparsed(&datagram.bytes, &datagram.link)
}

pub(crate) fn outgoing(outgoing: &Outgoing) -> v1::Packet4 {
    unparsed(&outgoing.bytes, &outgoing.link)
}

fn unparsed(bytes: &[u8], of: &Link) -> v1::Packet4 {
    let mut payloads = Payloads::new();
    v1::Packet4 {
        link: Some(link(of, &mut payloads)),
        wire: payloads.copy(bytes),
        ..Default::default()
    }
}

fn header(header: &Header4, payloads: &mut Payloads) -> v1::Packet4 {
    let hw_address = header.hw_address();
    v1::Packet4 {
        op: header.op.into(),
        hops: header.hops.into(),
        transaction_id: header.xid,
        secs: header.secs.into(),
        flags: header.flags.into(),
        ciaddr: payloads.ipv4(header.ciaddr),
        yiaddr: payloads.ipv4(header.yiaddr),
        siaddr: payloads.ipv4(header.siaddr),
        giaddr: payloads.ipv4(header.giaddr),
        hw_address: Some(v1::HwAddress {
            htype: hw_address.htype().into(),
            address: payloads.copy(hw_address.bytes()),
        }),
        sname: payloads.copy(without_trailing_zeros(&header.sname)),
        file: payloads.copy(without_trailing_zeros(&header.file)),
        ..Default::default()
    }
}

fn without_trailing_zeros(field: &[u8]) -> &[u8] {
    let len = field
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    &field[..len]
}

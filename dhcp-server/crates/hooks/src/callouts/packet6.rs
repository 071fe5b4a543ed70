//! DHCPv6 packets as a service sees them.

use super::common::{classes, link, options};
use super::payloads::Payloads;
use crate::reads::{OptionReads, PacketReads};
use outrigger_proto::v1;
use outrigger_wire::v6::{RelayHop, RelayReply, Reply6};
use outrigger_wire::{Datagram, Link, Outgoing, Query6};

/// `msg-type` of a Relay-reply.
const RELAY_REPL: u32 = 13;

/// Client and transaction, as in log lines.
pub(crate) fn label(query: &Query6) -> String {
    let xid = transaction_id(query.packet.xid);
    match query.packet.client_id() {
        Some(duid) => format!("duid=[{duid}], tid={xid:#x}"),
        None => format!("duid=[no info], tid={xid:#x}"),
    }
}

/// As far as an unparsed packet tells: a relay's datagram tells nothing.
pub(crate) fn label_of_bytes(bytes: &[u8]) -> String {
    match bytes {
        [1..=11, a, b, c, ..] => format!("tid={:#x}", transaction_id([*a, *b, *c])),
        _ => format!("{} bytes", bytes.len()),
    }
}

pub(crate) fn query(query: &Query6, reads: &PacketReads) -> v1::Packet6 {
    let mut payloads = Payloads::new();
    let relays = query.packet.relays.iter().filter(|_| reads.relays);
    v1::Packet6 {
        message_type: u8::from(query.packet.message_type).into(),
        transaction_id: transaction_id(query.packet.xid),
        relays: relays.map(|hop| relay(hop, &mut payloads)).collect(),
        options: options(&query.packet.options, &reads.options, &mut payloads),
        classes: classes(&query.classes, reads),
        link: reads.link.then(|| link(&query.link, &mut payloads)),
        ..Default::default()
    }
}

pub(crate) fn response(reply: &Reply6, reads: &PacketReads) -> v1::Packet6 {
    let mut payloads = Payloads::new();
    let relays = reply.relays.iter().filter(|_| reads.relays);
    v1::Packet6 {
        message_type: u8::from(reply.message_type).into(),
        transaction_id: transaction_id(reply.xid),
        relays: relays.map(|hop| relay_back(hop, &mut payloads)).collect(),
        options: options(&reply.options, &reads.options, &mut payloads),
        ..Default::default()
    }
}

pub(crate) fn datagram(datagram: &Datagram) -> v1::Packet6 {
    unparsed(&datagram.bytes, &datagram.link)
}

pub(crate) fn outgoing(outgoing: &Outgoing) -> v1::Packet6 {
    unparsed(&outgoing.bytes, &outgoing.link)
}

fn unparsed(bytes: &[u8], of: &Link) -> v1::Packet6 {
    let mut payloads = Payloads::new();
    v1::Packet6 {
        link: Some(link(of, &mut payloads)),
        wire: payloads.copy(bytes),
        ..Default::default()
    }
}

fn relay(hop: &RelayHop, payloads: &mut Payloads) -> v1::Relay6 {
    v1::Relay6 {
        message_type: hop.msg_type.into(),
        hop_count: hop.hop_count.into(),
        link_address: payloads.copy(&hop.link_address.octets()),
        peer_address: payloads.copy(&hop.peer_address.octets()),
        options: options(&hop.options, &OptionReads::All, payloads),
    }
}

fn relay_back(hop: &RelayReply, payloads: &mut Payloads) -> v1::Relay6 {
    v1::Relay6 {
        message_type: RELAY_REPL,
        hop_count: hop.hop_count.into(),
        link_address: payloads.copy(&hop.link_address.octets()),
        peer_address: payloads.copy(&hop.peer_address.octets()),
        options: options(&hop.options, &OptionReads::All, payloads),
    }
}

fn transaction_id(xid: [u8; 3]) -> u32 {
    let [a, b, c] = xid;
    u32::from_be_bytes([0, a, b, c])
}

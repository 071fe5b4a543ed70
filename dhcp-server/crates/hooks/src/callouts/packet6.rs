//! DHCPv6 packets: as a service sees them, and with its changes applied.

use super::common::{classes, join, link, options};
use super::edit::edited6;
use super::payloads::Payloads;
use crate::callout::Refused;
use crate::reads::PacketReads;
use outrigger_proto::v1;
use outrigger_wire::options::Options;
use outrigger_wire::v6::{RelayHop, Reply6};
use outrigger_wire::{Classes, Datagram, Link, Outgoing, Query6};

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
    v1::Packet6 {
        message_type: u8::from(reply.message_type).into(),
        transaction_id: transaction_id(reply.xid),
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
        options: options(&hop.options, &crate::reads::OptionReads::All, payloads),
    }
}

fn transaction_id(xid: [u8; 3]) -> u32 {
    let [a, b, c] = xid;
    u32::from_be_bytes([0, a, b, c])
}

/// The options of a packet whose name in paths is `packet`, with their changes; `None` where there are none.
pub(crate) fn prepare(
    packet: &str,
    options: &Options,
    changes: &v1::Packet6Changes,
) -> Result<Option<Options>, Refused> {
    if changes.options.is_empty() {
        return Ok(None);
    }
    edited6(packet, options, &changes.options).map(Some)
}

/// For a query that only joins classes, at most.
pub(crate) fn join_classes(own: &mut Classes, changes: Option<&v1::Packet6Changes>) {
    if let Some(changes) = changes {
        join(own, &changes.add_classes);
    }
}

/// Changes the options of a reply.
pub(crate) fn change_response(
    reply: &mut Reply6,
    changes: Option<&v1::Packet6Changes>,
) -> Result<(), Refused> {
    if let Some(changes) = changes
        && let Some(changed) = prepare("response", &reply.options, changes)?
    {
        reply.options = changed;
    }
    Ok(())
}

//! DHCPv4 packets: as a service sees them, and with its changes applied.

use super::common::{classes, join, link, options};
use super::edit::edited4;
use super::payloads::Payloads;
use crate::callout::Refused;
use crate::reads::PacketReads;
use outrigger_proto::convert::ipv4;
use outrigger_proto::v1;
use outrigger_wire::options::Options;
use outrigger_wire::v4::{Header4, Reply4, code};
use outrigger_wire::{Classes, Datagram, Link, Outgoing, Query4};

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

/// What becomes of a packet, not applied yet. What is `None` stays.
pub(crate) struct Prepared {
    header: Option<Header4>,
    options: Option<Options>,
}

impl Prepared {
    /// Nothing can fail any more.
    pub(crate) fn apply(self, header: &mut Header4, options: &mut Options) {
        if let Some(changed) = self.header {
            *header = changed;
        }
        if let Some(changed) = self.options {
            *options = changed;
        }
    }
}

/// Works out changes of a packet whose name in paths is `packet`.
pub(crate) fn prepare(
    packet: &str,
    header: &Header4,
    options: &Options,
    changes: &v1::Packet4Changes,
) -> Result<Prepared, Refused> {
    let options = if changes.options.is_empty() {
        None
    } else {
        Some(edited4(packet, options, &changes.options)?)
    };
    Ok(Prepared {
        header: changed_header(header, changes)?,
        options,
    })
}

fn changed_header(
    header: &Header4,
    changes: &v1::Packet4Changes,
) -> Result<Option<Header4>, Refused> {
    let mut changed = header.clone();
    let sixteen_bits = |field: &str, value: u32| {
        u16::try_from(value).map_err(|_| Refused::new(field, "the field has 16 bits"))
    };
    if let Some(secs) = changes.secs {
        changed.secs = sixteen_bits("secs", secs)?;
    }
    if let Some(flags) = changes.flags {
        changed.flags = sixteen_bits("flags", flags)?;
    }
    if let Some(ciaddr) = &changes.ciaddr {
        changed.ciaddr = ipv4("ciaddr", ciaddr)?;
    }
    if let Some(yiaddr) = &changes.yiaddr {
        changed.yiaddr = ipv4("yiaddr", yiaddr)?;
    }
    if let Some(siaddr) = &changes.siaddr {
        changed.siaddr = ipv4("siaddr", siaddr)?;
    }
    if let Some(sname) = &changes.sname {
        changed.sname = padded("sname", sname)?;
    }
    if let Some(file) = &changes.file {
        changed.file = padded("file", file)?;
    }
    Ok((changed != *header).then_some(changed))
}

fn padded<const N: usize>(field: &str, bytes: &[u8]) -> Result<[u8; N], Refused> {
    let mut padded = [0; N];
    let room = padded.get_mut(..bytes.len());
    room.ok_or_else(|| Refused::new(field, "longer than the field"))?
        .copy_from_slice(bytes);
    Ok(padded)
}

/// The options of a query whose type other stages know already.
pub(crate) fn prepare_query(
    query: &Query4,
    changes: &v1::Packet4Changes,
) -> Result<Prepared, Refused> {
    let message_type = u32::from(code::MESSAGE_TYPE);
    let edits = &changes.options;
    if edits
        .iter()
        .any(|edit| edit.path.first() == Some(&message_type))
    {
        return Err(Refused::new(
            "query.options.53",
            "the message type of a query stays",
        ));
    }
    prepare(
        "query",
        &query.packet.header,
        &query.packet.options,
        changes,
    )
}

/// Applies what was worked out, and lets the packet join classes.
pub(crate) fn change_query(query: &mut Query4, prepared: Prepared, changes: &v1::Packet4Changes) {
    prepared.apply(&mut query.packet.header, &mut query.packet.options);
    join(&mut query.classes, &changes.add_classes);
}

/// For a query that only joins classes, at most.
pub(crate) fn join_classes(classes: &mut Classes, changes: Option<&v1::Packet4Changes>) {
    if let Some(changes) = changes {
        join(classes, &changes.add_classes);
    }
}

/// Applies what is changed of a reply.
pub(crate) fn change_response(reply: &mut Reply4, prepared: Option<Prepared>) {
    if let Some(prepared) = prepared {
        prepared.apply(&mut reply.header, &mut reply.options);
    }
}

/// Works out what is changed of a reply.
pub(crate) fn prepare_response(
    reply: &Reply4,
    changes: Option<&v1::Packet4Changes>,
) -> Result<Option<Prepared>, Refused> {
    changes
        .map(|changes| prepare("response", &reply.header, &reply.options, changes))
        .transpose()
}

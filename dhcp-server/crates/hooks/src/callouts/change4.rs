//! Changes of DHCPv4 packets: worked out as a whole, then applied.

use super::common;
use super::edit::edited4;
use crate::callout::Refused;
use outrigger_proto::convert::ipv4;
use outrigger_proto::v1;
use outrigger_wire::Query4;
use outrigger_wire::options::Options;
use outrigger_wire::v4::{Header4, MAX_HLEN, MessageType, Reply4, code};

/// Messages that a client may be made to have sent: those that a server answers.
const OF_CLIENTS: [MessageType; 5] = [
    MessageType::Discover,
    MessageType::Request,
    MessageType::Decline,
    MessageType::Release,
    MessageType::Inform,
];
/// Messages that a server sends as an answer.
const OF_SERVERS: [MessageType; 3] = [MessageType::Offer, MessageType::Ack, MessageType::Nak];

/// Options that clients expect once; a second instance would be joined to the first (RFC 3396) and mean something else.
const ONCE: [u16; 10] = [
    code::SUBNET_MASK,
    code::REQUESTED_ADDRESS,
    code::LEASE_TIME,
    code::MESSAGE_TYPE,
    code::SERVER_ID,
    code::MAX_MESSAGE_SIZE,
    code::RENEWAL_TIME,
    code::REBINDING_TIME,
    code::CLIENT_ID,
    code::RELAY_INFO,
];

/// What becomes of a packet, not applied yet. What is `None` stays.
pub(crate) struct Prepared {
    header: Option<Header4>,
    options: Option<Options>,
    message_type: Option<MessageType>,
}

impl Prepared {
    /// Nothing can fail any more.
    fn apply(self, header: &mut Header4, options: &mut Options) {
        if let Some(changed) = self.header {
            *header = changed;
        }
        if let Some(changed) = self.options {
            *options = changed;
        }
        if let Some(kind) = self.message_type {
            options.set(code::MESSAGE_TYPE, &[kind.into()]);
        }
    }
}

/// Works out what is changed of a query.
pub(crate) fn prepare_query(
    query: &Query4,
    changes: &v1::Packet4Changes,
) -> Result<Prepared, Refused> {
    if edits_message_type(changes) {
        return Err(Refused::new(
            "query.options.53",
            "the message type of a query is changed as message_type",
        ));
    }
    let packet = &query.packet;
    prepare(
        "query",
        (&packet.header, &packet.options),
        changes,
        &OF_CLIENTS,
    )
}

/// Applies what was worked out, and lets the packet join classes.
pub(crate) fn change_query(query: &mut Query4, prepared: Prepared, changes: &v1::Packet4Changes) {
    query.packet.message_type = prepared.message_type.or(query.packet.message_type);
    prepared.apply(&mut query.packet.header, &mut query.packet.options);
    join(query, Some(changes));
}

/// For a query that only joins classes, at most.
pub(crate) fn join(query: &mut Query4, changes: Option<&v1::Packet4Changes>) {
    if let Some(changes) = changes {
        common::join(&mut query.classes, &changes.add_classes);
        common::join(
            &mut query.additional_classes,
            &changes.add_additional_classes,
        );
    }
}

/// Works out what is changed of a reply.
pub(crate) fn prepare_response(
    reply: &Reply4,
    changes: Option<&v1::Packet4Changes>,
) -> Result<Option<Prepared>, Refused> {
    let Some(changes) = changes else {
        return Ok(None);
    };
    if changes.message_type.is_some() && edits_message_type(changes) {
        return Err(Refused::new(
            "response.options.53",
            "the message type is changed twice",
        ));
    }
    prepare(
        "response",
        (&reply.header, &reply.options),
        changes,
        &OF_SERVERS,
    )
    .map(Some)
}

/// Applies what is changed of a reply.
pub(crate) fn change_response(reply: &mut Reply4, prepared: Option<Prepared>) {
    if let Some(prepared) = prepared {
        prepared.apply(&mut reply.header, &mut reply.options);
    }
}

fn edits_message_type(changes: &v1::Packet4Changes) -> bool {
    let message_type = u32::from(code::MESSAGE_TYPE);
    let mut edits = changes.options.iter();
    edits.any(|edit| edit.path.first() == Some(&message_type))
}

/// Works out changes of a packet whose name in paths is `packet` and whose type may become one of `types`.
fn prepare(
    packet: &str,
    (header, options): (&Header4, &Options),
    changes: &v1::Packet4Changes,
    types: &[MessageType],
) -> Result<Prepared, Refused> {
    let message_type = changes
        .message_type
        .map(|number| message_type(packet, number, types))
        .transpose()?;
    let changed = if changes.options.is_empty() {
        None
    } else {
        let edited = edited4(packet, options, &changes.options)?;
        common::refuse_second(packet, options, &edited, &ONCE)?;
        Some(edited)
    };
    Ok(Prepared {
        header: changed_header(packet, header, changes)?,
        options: changed,
        message_type,
    })
}

fn message_type(packet: &str, number: u32, types: &[MessageType]) -> Result<MessageType, Refused> {
    let known = types
        .iter()
        .find(|kind| u32::from(u8::from(**kind)) == number);
    known.copied().ok_or_else(|| {
        Refused::new(
            format!("{packet}.header"),
            format!("a {packet} is never of message type {number}"),
        )
    })
}

fn changed_header(
    packet: &str,
    header: &Header4,
    changes: &v1::Packet4Changes,
) -> Result<Option<Header4>, Refused> {
    let refused = |what: &str| Refused::new(format!("{packet}.header"), what);
    let mut changed = header.clone();
    if let Some(hops) = changes.hops {
        changed.hops = u8::try_from(hops).map_err(|_| refused("hops has 8 bits"))?;
    }
    if let Some(secs) = changes.secs {
        changed.secs = u16::try_from(secs).map_err(|_| refused("secs has 16 bits"))?;
    }
    if let Some(flags) = changes.flags {
        changed.flags = u16::try_from(flags).map_err(|_| refused("flags has 16 bits"))?;
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
        changed.sname = padded(sname).ok_or_else(|| refused("sname has 64 bytes"))?;
    }
    if let Some(file) = &changes.file {
        changed.file = padded(file).ok_or_else(|| refused("file has 128 bytes"))?;
    }
    if let Some(address) = &changes.hw_address {
        let changed_address = set_hw_address(&mut changed, address);
        changed_address.map_err(|why| Refused::new(format!("{packet}.hw-address"), why))?;
    }
    Ok((changed != *header).then_some(changed))
}

/// Hardware type, length and address, as far as a DHCPv4 header has room for them.
pub(crate) fn set_hw_address(
    header: &mut Header4,
    address: &v1::HwAddress,
) -> Result<(), &'static str> {
    let htype = u8::try_from(address.htype).map_err(|_| "the hardware type has 8 bits")?;
    let hlen = u8::try_from(address.address.len())
        .ok()
        .filter(|hlen| *hlen <= MAX_HLEN)
        .ok_or("a hardware address has at most 16 bytes")?;
    let chaddr: [u8; 16] =
        padded(&address.address).ok_or("a hardware address has at most 16 bytes")?;
    header.htype = htype;
    header.hlen = hlen;
    header.chaddr = chaddr;
    Ok(())
}

/// A field of `N` bytes, filled up with zeros; `None` where it is too short.
pub(crate) fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut padded = [0; N];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(padded)
}

//! Which packets are served at all.

use crate::telemetry::{Discard, DiscardReason};
use crate::turns::{Turn, TurnKeys, TurnKind, TurnRequest, Turns};
use outrigger_config::model::{Server, Subnet};
use outrigger_wire::v4::{self, MessageType, Packet4, code};
use outrigger_wire::{Classes, Datagram, Query4, V4, relay4};
use std::net::Ipv4Addr;

const NOT_FOR_US: Discard = Discard::because(DiscardReason::NotForUs);
const RFC_VIOLATION: Discard = Discard::because(DiscardReason::RfcViolation);

/// Parses the datagram.
pub(super) fn decode(datagram: Datagram, classes: Classes) -> Result<Query4, Discard> {
    let packet =
        v4::decode(datagram.bytes).map_err(|_| Discard::because(DiscardReason::Malformed))?;
    Ok(Query4 {
        packet,
        link: datagram.link,
        classes,
        additional_classes: Classes::default(),
    })
}

/// The message is one that servers answer, and where it names a server it names this one.
pub(super) fn addressed_to_us(
    cfg: &Server<V4>,
    query: &Query4,
    own: Ipv4Addr,
) -> Result<(), Discard> {
    let packet = &query.packet;
    match packet.message_type {
        Some(
            MessageType::Discover
            | MessageType::Request
            | MessageType::Decline
            | MessageType::Release
            | MessageType::Inform,
        ) => {}
        _ => return Err(NOT_FOR_US),
    }
    match packet.server_id() {
        Some(id) if !cfg.own.ignore_server_id && !is_ours(cfg, query, own, id) => Err(NOT_FOR_US),
        _ => Ok(()),
    }
}

/// This server's address on the link, one that is configured as option 54, or the one a relay puts in its place
/// (RFC 5107).
fn is_ours(cfg: &Server<V4>, query: &Query4, own: Ipv4Addr, id: Ipv4Addr) -> bool {
    let configured = |options: &outrigger_config::model::OptionSet| {
        options
            .get(code::SERVER_ID)
            .is_some_and(|option| *option.payload == id.octets())
    };
    let overridden = query
        .packet
        .relay_info()
        .and_then(relay4::server_id_override);
    own == id
        || overridden == Some(id)
        || configured(&cfg.options)
        || cfg
            .subnets
            .iter()
            .any(|subnet: &Subnet<V4>| configured(&subnet.options))
        || cfg
            .shared_networks
            .iter()
            .any(|network| configured(&network.options))
}

/// The fields that RFC 2131 §4.3 and table 5 want for each message.
pub(super) fn well_formed(packet: &Packet4) -> Result<(), Discard> {
    let header = &packet.header;
    let named = packet.client_id().is_some() || !packet.hw_address().is_empty();
    let requested = packet.requested_address();
    let right = match packet.message_type {
        Some(MessageType::Release) => !header.ciaddr.is_unspecified(),
        Some(MessageType::Decline) => requested.is_some(),
        // A direct INFORM has an address; a relayed one may leave ciaddr empty.
        Some(MessageType::Inform) => !header.ciaddr.is_unspecified() || packet.is_relayed(),
        _ => true,
    };
    if named && right {
        Ok(())
    } else {
        Err(RFC_VIOLATION)
    }
}

/// The class DROP, which a hook or a test may have added.
pub(super) fn not_in_drop_class(query: &Query4) -> Result<(), Discard> {
    if query.classes.contains("DROP") {
        Err(Discard::because(DiscardReason::DropClass))
    } else {
        Ok(())
    }
}

/// Waits until no other packet of the client is being served. One turn covers both of the client's names.
pub(super) async fn turn<'t>(turns: &'t Turns, packet: &Packet4) -> Result<Turn<'t>, Discard> {
    let hw_address = packet.hw_address();
    let keys = match packet.client_id() {
        // Clients without hardware address would all have the same one.
        Some(client_id) if hw_address.is_empty() => TurnKeys::from(turns.key(client_id)),
        Some(client_id) => TurnKeys::from([turns.key(hw_address), turns.key(client_id)]),
        None => TurnKeys::from(turns.key(hw_address)),
    };
    let request = TurnRequest {
        xid: packet.header.xid,
        message_type: packet.message_type.map_or(0, u8::from),
        kind: match packet.message_type {
            Some(MessageType::Discover) => TurnKind::Opening,
            Some(MessageType::Release | MessageType::Decline) => TurnKind::Ending,
            _ => TurnKind::Other,
        },
    };
    Ok(turns.wait_for(keys, request).await?)
}

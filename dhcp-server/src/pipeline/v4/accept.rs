//! Which packets are served at all.

use crate::telemetry::{Discard, DiscardReason};
use crate::turns::{Turn, TurnKeys, TurnKind, TurnRequest, Turns};
use outrigger_config::model::{Server, Subnet};
use outrigger_hooks::Step;
use outrigger_wire::v4::{self, MessageType, Packet4, code};
use outrigger_wire::{Classes, Datagram, Link, Query4, V4, relay4};
use std::net::{IpAddr, Ipv4Addr};

const NOT_FOR_US: Discard = Discard::because(DiscardReason::NotForUs);
const RFC_VIOLATION: Discard = Discard::because(DiscardReason::RfcViolation);

/// A datagram, and what callouts say of the packet that it will be.
#[derive(Debug)]
pub(super) struct Received4 {
    pub(super) datagram: Datagram,
    pub(super) classes: Classes,
    pub(super) additional_classes: Classes,
    /// What a callout parsed in the server's place.
    pub(super) parsed: Option<Packet4>,
}

impl From<Datagram> for Received4 {
    fn from(datagram: Datagram) -> Self {
        Self {
            datagram,
            classes: Classes::default(),
            additional_classes: Classes::default(),
            parsed: None,
        }
    }
}

impl Received4 {
    /// Parses the datagram, unless a callout did.
    pub(super) fn decode(self, step: Step) -> Result<Query4, Discard> {
        let packet = match step {
            Step::Run => v4::decode(self.datagram.bytes)
                .map_err(|_| Discard::because(DiscardReason::Malformed))?,
            // Kea: what has no message type is no DHCP message.
            Step::Skip => self.parsed.ok_or(RFC_VIOLATION)?,
        };
        Ok(Query4 {
            packet,
            link: self.datagram.link,
            classes: self.classes,
            additional_classes: self.additional_classes,
        })
    }
}

/// This server's address on the link: the one that the packet was sent to, else its interface's first.
pub(super) fn own_address(addresses: &[(u32, Ipv4Addr)], link: &Link) -> Ipv4Addr {
    match link.local.ip() {
        IpAddr::V4(addr)
            if !addr.is_broadcast() && !addr.is_multicast() && !addr.is_unspecified() =>
        {
            addr
        }
        _ => {
            let mut known = addresses.iter();
            let own = known.find(|(index, _)| *index == link.interface_index);
            own.map_or(Ipv4Addr::UNSPECIFIED, |(_, addr)| *addr)
        }
    }
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
        || cfg
            .classes
            .joined(&query.classes)
            .any(|class| configured(&class.content.options))
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

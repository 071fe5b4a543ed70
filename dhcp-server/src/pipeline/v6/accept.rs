//! Which packets are served at all.

use super::register;
use crate::telemetry::{Discard, DiscardReason};
use crate::turns::{Turn, TurnKind, TurnRequest, Turns};
use outrigger_config::model::Server;
use outrigger_hooks::Step;
use outrigger_wire::v6::{self, ADDR_REG_INFORM, MessageType, Packet6, code};
use outrigger_wire::{Classes, Datagram, Duid, Query6, V6};

const NOT_FOR_US: Discard = Discard::because(DiscardReason::NotForUs);
const RFC_VIOLATION: Discard = Discard::because(DiscardReason::RfcViolation);

/// A datagram, and what callouts say of the packet that it will be.
#[derive(Debug)]
pub(super) struct Received6 {
    pub(super) datagram: Datagram,
    pub(super) classes: Classes,
    pub(super) additional_classes: Classes,
    /// What a callout parsed in the server's place.
    pub(super) parsed: Option<Packet6>,
}

impl From<Datagram> for Received6 {
    fn from(datagram: Datagram) -> Self {
        Self {
            datagram,
            classes: Classes::default(),
            additional_classes: Classes::default(),
            parsed: None,
        }
    }
}

impl Received6 {
    /// Parses the datagram, unless a callout did.
    pub(super) fn decode(self, step: Step) -> Result<Query6, Discard> {
        let packet = match step {
            Step::Run => v6::decode(self.datagram.bytes)
                .map_err(|_| Discard::because(DiscardReason::Malformed))?,
            // Kea: what has no message type is no DHCP message.
            Step::Skip => self.parsed.ok_or(RFC_VIOLATION)?,
        };
        Ok(Query6 {
            packet,
            link: self.datagram.link,
            classes: self.classes,
            additional_classes: self.additional_classes,
        })
    }
}

/// A message that names a server names this one, and a client's own message came by multicast (RFC 9915 §16, §18.4).
pub(super) fn addressed_to_us(server_id: &Duid, query: &Query6) -> Result<(), Discard> {
    if query
        .packet
        .server_id()
        .is_some_and(|id| id != server_id.bytes())
    {
        return Err(NOT_FOR_US);
    }
    let unicast = !query.link.local.ip().is_multicast();
    if unicast && !query.packet.is_relayed() {
        return Err(RFC_VIOLATION);
    }
    Ok(())
}

/// Client and server identifier are there, or not there, as each message type wants (RFC 9915 §16, RFC 9686 §4.2.1).
pub(super) fn well_formed(cfg: &Server<V6>, query: &Query6) -> Result<(), Discard> {
    let packet = &query.packet;
    let ids = packet.options.get_all(code::CLIENT_ID).count();
    let client = ids == 1 && packet.client_id().is_some();
    let server = packet.options.get_all(code::SERVER_ID).count();
    let right = match packet.message_type {
        MessageType::Solicit | MessageType::Rebind => client && server == 0,
        MessageType::Confirm => client && server == 0 && has_address(packet),
        MessageType::Request | MessageType::Renew | MessageType::Release | MessageType::Decline => {
            client && server == 1
        }
        // RFC 9915 §16.12: a server identifier is allowed (it was compared), an IA is not.
        MessageType::InformationRequest => (ids == 0 || client) && packet.ias().next().is_none(),
        ADDR_REG_INFORM if cfg.own.allow_address_registration => {
            client && server == 0 && register::is_well_formed(query)
        }
        _ => return Err(NOT_FOR_US),
    };
    let readable = packet.ias().all(|ia| ia.is_ok());
    if right && readable {
        Ok(())
    } else {
        Err(RFC_VIOLATION)
    }
}

/// RFC 9915 §18.3.3: a Confirm without any address is discarded.
fn has_address(packet: &Packet6) -> bool {
    packet
        .ias()
        .flatten()
        .any(|ia| ia.addresses().next().is_some())
}

/// Waits until no other packet of the client is being served; `None` for a client without a name.
pub(super) async fn turn<'t>(
    turns: &'t Turns,
    packet: &Packet6,
) -> Result<Option<Turn<'t>>, Discard> {
    let Some(duid) = packet.client_id() else {
        return Ok(None);
    };
    let [a, b, c] = packet.xid;
    let request = TurnRequest {
        xid: u32::from_be_bytes([0, a, b, c]),
        message_type: u8::from(packet.message_type),
        kind: match packet.message_type {
            MessageType::Solicit => TurnKind::Opening,
            MessageType::Release | MessageType::Decline => TurnKind::Ending,
            _ => TurnKind::Other,
        },
    };
    Ok(Some(turns.wait_for(turns.key(duid), request).await?))
}

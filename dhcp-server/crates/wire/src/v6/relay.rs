//! What relays put around a client's message (RFC 9915 §9).

use super::code;
use crate::options::Options;
use std::net::Ipv6Addr;

/// `msg-type` of a Relay-forward.
pub(super) const RELAY_FORW: u8 = 12;
/// `msg-type` of a Relay-reply.
pub(super) const RELAY_REPL: u8 = 13;
/// Bytes before the options of a relay message: type, hop count, two addresses.
pub(super) const RELAY_HEADER_LEN: usize = 34;

/// One relay that a message came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayHop {
    /// 12, Relay-forward.
    pub msg_type: u8,
    /// Relays between this one and the client, as this one counts.
    pub hop_count: u8,
    /// Address on the client's link; `::` where the relay knows the link by interface-id, or not at all.
    pub link_address: Ipv6Addr,
    /// Who sent to this relay: the client, or the next relay.
    pub peer_address: Ipv6Addr,
    /// What the relay added, without the relayed message (option 9).
    pub options: Options,
}

impl RelayHop {
    /// Option 18.
    #[must_use]
    pub fn interface_id(&self) -> Option<&[u8]> {
        self.options.get(code::INTERFACE_ID)
    }
}

/// One layer of the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayReply {
    /// As in the Relay-forward.
    pub hop_count: u8,
    /// As in the Relay-forward.
    pub link_address: Ipv6Addr,
    /// As in the Relay-forward: where the relay sends the contents.
    pub peer_address: Ipv6Addr,
    /// What the relay gets, without the relayed message (option 9), which is written last.
    pub options: Options,
}

impl RelayReply {
    /// The layer that answers `hop`: its fields, and the options that a server must echo (interface-id by RFC 9915
    /// §19.3, relay port by RFC 8357 §5.2).
    #[must_use]
    pub fn to(hop: &RelayHop) -> Self {
        let mut options = Options::new();
        for echoed in [code::INTERFACE_ID, code::RELAY_PORT] {
            if let Some(payload) = hop.options.get(echoed) {
                options.push(echoed, payload);
            }
        }
        Self {
            hop_count: hop.hop_count,
            link_address: hop.link_address,
            peer_address: hop.peer_address,
            options,
        }
    }
}

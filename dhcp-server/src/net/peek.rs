//! Whose packet a datagram is, and how urgent: a look at raw bytes before anything is parsed.
//!
//! Nothing is trusted and nothing refused here. What cannot be read belongs to its sender's address and is least
//! urgent; parsing will say what is wrong with it.

use ahash::RandomState;
use outrigger_wire::Datagram;
use std::net::SocketAddr;

/// Which packets are shed first when there are too many: the earlier variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// DISCOVER, SOLICIT and what is no client message: nothing is lost but a start.
    Opening,
    /// Everything that continues or ends an exchange or a lease.
    Continuing,
}

/// What can be told from the raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Keyed hash of the client's identity: equal for all packets of a client that present the same identity.
    pub client: u64,
    /// How urgent it is.
    pub urgency: Urgency,
}

/// Looks at datagrams with a secret key of its own, so that clients cannot choose their shard.
#[derive(Debug, Clone)]
pub struct Peek {
    key: RandomState,
}

impl Peek {
    /// With a random key.
    #[must_use]
    pub fn new() -> Self {
        Self {
            key: RandomState::new(),
        }
    }

    /// Never fails and never reads outside the datagram.
    #[must_use]
    pub fn at(&self, datagram: &Datagram) -> Glance {
        let bytes = datagram.bytes.as_slice();
        let (client, urgency) = match datagram.link.remote {
            SocketAddr::V4(_) => (client4(bytes), urgency4(bytes)),
            SocketAddr::V6(_) => {
                let message = innermost(bytes, RELAY_FORW).unwrap_or_default();
                (client6(message), urgency6(message))
            }
        };
        let client = match client {
            Some(identity) => self.key.hash_one(identity),
            None => self.key.hash_one(datagram.link.remote),
        };
        Glance { client, urgency }
    }
}

impl Default for Peek {
    fn default() -> Self {
        Self::new()
    }
}

/// Length of DHCPv4's fixed header and the magic cookie.
const HEADER4: usize = 240;

/// Hardware type and address, as they stand in the header.
fn client4(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let htype = *bytes.get(1)?;
    let hlen = usize::from(*bytes.get(2)?);
    let chaddr = bytes.get(28..44)?.get(..hlen)?;
    (hlen > 0).then_some((htype, chaddr))
}

fn urgency4(bytes: &[u8]) -> Urgency {
    const REQUEST: u8 = 3;
    const DECLINE: u8 = 4;
    const RELEASE: u8 = 7;
    const INFORM: u8 = 8;
    match message_type4(bytes) {
        Some(REQUEST | DECLINE | RELEASE | INFORM) => Urgency::Continuing,
        _ => Urgency::Opening,
    }
}

fn message_type4(bytes: &[u8]) -> Option<u8> {
    const PAD: u8 = 0;
    const END: u8 = 255;
    const MESSAGE_TYPE: u8 = 53;
    let mut rest = bytes.get(HEADER4..)?;
    loop {
        match *rest {
            [] | [END, ..] => return None,
            [PAD, ref after @ ..] => rest = after,
            [MESSAGE_TYPE, len, kind, ..] if len > 0 => return Some(kind),
            [_, len, ref after @ ..] => rest = after.get(usize::from(len)..)?,
            [_] => return None,
        }
    }
}

/// RFC 9915 §7.6, HOP_COUNT_LIMIT, with room for relays that do not keep it.
const RELAYS: usize = 32;

const RELAY_FORW: u8 = 12;
const RELAY_REPL: u8 = 13;

/// Message type of a packet or of an answer, inside its relay layers; `None` where it cannot be read. `peer` says
/// the family.
pub(crate) fn message_type(bytes: &[u8], peer: &SocketAddr) -> Option<u8> {
    match peer {
        SocketAddr::V4(_) => message_type4(bytes),
        SocketAddr::V6(_) => {
            let layer = *bytes.first()?;
            let layers = matches!(layer, RELAY_FORW | RELAY_REPL);
            let message = if layers {
                innermost(bytes, layer)?
            } else {
                bytes
            };
            message.first().copied()
        }
    }
}

/// The client's message, relay layers of this type taken off.
fn innermost(bytes: &[u8], layer: u8) -> Option<&[u8]> {
    const RELAY_HEADER: usize = 34;
    const RELAY_MESSAGE: u16 = 9;
    let mut message = bytes;
    for _ in 0..=RELAYS {
        if message.first() != Some(&layer) {
            return Some(message);
        }
        message = option6(message.get(RELAY_HEADER..)?, RELAY_MESSAGE)?;
    }
    None
}

/// The DUID, in the shape of [`client4`].
fn client6(message: &[u8]) -> Option<(u8, &[u8])> {
    const CLIENT_ID: u16 = 1;
    const MESSAGE_HEADER: usize = 4;
    option6(message.get(MESSAGE_HEADER..)?, CLIENT_ID).map(|duid| (0, duid))
}

fn urgency6(message: &[u8]) -> Urgency {
    const REQUEST: u8 = 3;
    const REBIND: u8 = 6;
    const RELEASE: u8 = 8;
    const DECLINE: u8 = 9;
    const INFORMATION_REQUEST: u8 = 11;
    const ADDR_REG_INFORM: u8 = 36;
    match message.first().copied() {
        // CONFIRM and RENEW stand between.
        Some(REQUEST..=REBIND | RELEASE | DECLINE | INFORMATION_REQUEST | ADDR_REG_INFORM) => {
            Urgency::Continuing
        }
        _ => Urgency::Opening,
    }
}

/// Value of the first option `wanted`; `None` where it is missing or cut off.
fn option6(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    while let [c1, c2, l1, l2, after @ ..] = rest {
        let (value, next) = after.split_at_checked(usize::from(u16::from_be_bytes([*l1, *l2])))?;
        if u16::from_be_bytes([*c1, *c2]) == wanted {
            return Some(value);
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests;

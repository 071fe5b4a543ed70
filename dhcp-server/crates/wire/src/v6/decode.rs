//! From a datagram to a [`Packet6`], checking everything that later stages rely on.

use super::relay::{RELAY_FORW, RELAY_HEADER_LEN, RelayHop};
use super::{ADDR_REG_INFORM, MessageType, Packet6, code};
use crate::buffer::Buffer;
use crate::options::{Malformed, Options, TlvKind, nested6};
use smallvec::SmallVec;
use std::net::Ipv6Addr;
use std::ops::Range;
use thiserror::Error;

/// Relay layers accepted around a message: RFC 3315's HOP_COUNT_LIMIT, the largest any relay may let through. RFC 8415
/// and RFC 9915 §7.6 lowered it to 8 for relays; a server has no reason to refuse what older ones forward.
pub const MAX_RELAYS: usize = 32;

/// Bytes before the options of a client's message: type and transaction id.
const MESSAGE_HEADER_LEN: usize = 4;

/// Why a datagram is no DHCPv6 message for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Malformed6 {
    /// Too few bytes for the fixed fields of a message or a relay layer.
    #[error("{len} bytes are too few for the fixed fields of a message of type {msg_type}")]
    TooShort {
        /// Bytes there are.
        len: usize,
        /// The type; 0 where there is not even that.
        msg_type: u8,
    },
    /// A message that servers send, or that travels between servers.
    #[error("a message of type {0} is not for servers")]
    NotForServers(u8),
    /// No message that can come to a server by UDP has this type.
    #[error("message type {0} is not known")]
    UnknownType(u8),
    /// The options do not fill their message exactly: one runs past its end, or a rest is too short for one.
    #[error("the option at byte {offset} runs past the end of its message")]
    TruncatedOption {
        /// Where it starts in the datagram.
        offset: usize,
    },
    /// A relay layer without the message it relays (option 9).
    #[error("relay layer {layer} carries no message")]
    MissingRelayMessage {
        /// Counted from the server, 0 first.
        layer: usize,
    },
    /// A relay layer with more than one relayed message.
    #[error("relay layer {layer} carries more than one message")]
    DuplicateRelayMessage {
        /// Counted from the server, 0 first.
        layer: usize,
    },
    /// More than [`MAX_RELAYS`] relay layers.
    #[error("more than 32 relay layers")]
    TooManyRelays,
}

/// Checks a datagram and indexes its options, relay by relay and in a loop: no depth of nesting costs stack. The
/// client's message keeps the buffer; what relays added is copied.
///
/// # Errors
///
/// See [`Malformed6`]; every error is the sender's fault.
pub fn decode(datagram: Buffer) -> Result<Packet6, Malformed6> {
    let mut relays = SmallVec::new();
    let mut message = 0..datagram.len();
    while datagram.get(message.start) == Some(&RELAY_FORW) && !message.is_empty() {
        if relays.len() == MAX_RELAYS {
            return Err(Malformed6::TooManyRelays);
        }
        let (hop, inside) = decode_relay(&datagram, message, relays.len())?;
        relays.push(hop);
        message = inside;
    }
    decode_message(datagram, message, relays)
}

/// One relay layer and where the message inside lies.
fn decode_relay(
    datagram: &[u8],
    layer: Range<usize>,
    depth: usize,
) -> Result<(RelayHop, Range<usize>), Malformed6> {
    let bytes = datagram.get(layer.clone()).unwrap_or_default();
    let [msg_type, hop_count, addresses @ ..] =
        bytes
            .first_chunk::<RELAY_HEADER_LEN>()
            .ok_or(Malformed6::TooShort {
                len: bytes.len(),
                msg_type: RELAY_FORW,
            })?;
    let (link, peer) = addresses.split_at(16);
    let mut options = Options::new();
    let mut inside = None;
    let mut at = layer.start + RELAY_HEADER_LEN;
    for record in nested6(&bytes[RELAY_HEADER_LEN..]) {
        let (code, payload) =
            record.map_err(|bad| truncated(layer.start + RELAY_HEADER_LEN, bad))?;
        at += TlvKind::V6.header_len();
        if code != code::RELAY_MSG {
            options.push(code, payload);
        } else if inside.replace(at..at + payload.len()).is_some() {
            return Err(Malformed6::DuplicateRelayMessage { layer: depth });
        }
        at += payload.len();
    }
    let hop = RelayHop {
        msg_type: *msg_type,
        hop_count: *hop_count,
        link_address: address(link),
        peer_address: address(peer),
        options,
    };
    Ok((
        hop,
        inside.ok_or(Malformed6::MissingRelayMessage { layer: depth })?,
    ))
}

fn decode_message(
    datagram: Buffer,
    message: Range<usize>,
    relays: SmallVec<[RelayHop; 2]>,
) -> Result<Packet6, Malformed6> {
    let bytes = datagram.get(message.clone()).unwrap_or_default();
    let msg_type = bytes.first().copied().unwrap_or(0);
    if !bytes.is_empty() {
        check_type(msg_type)?;
    }
    let [_, xid @ ..] = *bytes
        .first_chunk::<MESSAGE_HEADER_LEN>()
        .ok_or(Malformed6::TooShort {
            len: bytes.len(),
            msg_type,
        })?;
    let mut options = Options::over(datagram);
    let mut at = message.start + MESSAGE_HEADER_LEN;
    while at < message.end {
        let rest = &options.data()[at..message.end];
        let (code, len) = TlvKind::V6
            .read_header(rest)
            .ok_or(Malformed6::TruncatedOption { offset: at })?;
        let code = u16::try_from(code).expect("a DHCPv6 code has two bytes");
        at += TlvKind::V6.header_len();
        options.push_range(code, at, len);
        at += len;
    }
    Ok(Packet6 {
        relays,
        message_type: MessageType::from(msg_type),
        xid,
        options,
    })
}

/// Which messages may come to a server by UDP: those of clients (RFC 9915 §7.3), of requestors of leases (RFC 5007), of
/// relays that want a Reconfigure (RFC 6977), DHCPv4 inside DHCPv6 (RFC 7341) and registrations (RFC 9686). Whether the
/// server has an answer is not decided here.
fn check_type(msg_type: u8) -> Result<(), Malformed6> {
    use MessageType as M;
    match M::from(msg_type) {
        M::Solicit | M::Request | M::Confirm | M::Renew | M::Rebind | M::Release | M::Decline => {
            Ok(())
        }
        M::InformationRequest | M::LeaseQuery | M::ReconfigureRequest | M::DHCPv4Query => Ok(()),
        ADDR_REG_INFORM => Ok(()),
        M::Advertise
        | M::Reply
        | M::Reconfigure
        | M::RelayForw
        | M::RelayRepl
        | M::LeaseQueryReply => Err(Malformed6::NotForServers(msg_type)),
        // 22 to 35 are leasequery and failover over TCP (RFC 7653, RFC 8156); 37 answers a registration.
        M::LeaseQueryDone
        | M::LeaseQueryData
        | M::ReconfigureReply
        | M::DHCPv4Response
        | M::Unknown(22..=35 | 37) => Err(Malformed6::NotForServers(msg_type)),
        M::Unknown(_) => Err(Malformed6::UnknownType(msg_type)),
    }
}

fn truncated(container_at: usize, bad: Malformed) -> Malformed6 {
    Malformed6::TruncatedOption {
        offset: container_at + bad.offset,
    }
}

fn address(bytes: &[u8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(bytes);
    Ipv6Addr::from(octets)
}

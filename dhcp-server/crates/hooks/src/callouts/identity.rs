//! What of a packet no service may change, as far as the bytes of a datagram tell it.

use crate::callout::Refused;
use outrigger_wire::options::nested6;
use outrigger_wire::v4::Reply4;
use outrigger_wire::v6::{MAX_RELAYS, Packet6, Reply6, code};
use smallvec::SmallVec;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `msg-type` of Relay-forward and Relay-reply.
const RELAY_TYPES: [u8; 2] = [12, 13];
/// Bytes before the options of a relay layer: type, hop count, link and peer address.
const RELAY_HEADER_LEN: usize = 34;

/// Of a DHCPv4 packet; `None` where the datagram is too short to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity4 {
    pub(crate) xid: Option<u32>,
    pub(crate) giaddr: Option<Ipv4Addr>,
}

impl Identity4 {
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let field = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
        Self {
            xid: field(4).map(u32::from_be_bytes),
            giaddr: field(24).map(Ipv4Addr::from),
        }
    }

    pub(crate) fn of_reply(reply: &Reply4) -> Self {
        Self {
            xid: Some(reply.header.xid),
            giaddr: Some(reply.header.giaddr),
        }
    }

    /// Whether what this packet tells is the same in `bytes`, which are to replace it. `path` is theirs.
    pub(crate) fn keep(&self, path: &str, bytes: &[u8]) -> Result<(), Refused> {
        let other = Self::of_bytes(bytes);
        if self.xid.is_some() && self.xid != other.xid {
            return Err(Refused::new(path, "the transaction id stays"));
        }
        if self.giaddr.is_some() && self.giaddr != other.giaddr {
            return Err(Refused::new(path, "the relay address stays"));
        }
        Ok(())
    }
}

/// One relay layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayIdentity {
    pub(crate) link_address: Ipv6Addr,
    pub(crate) peer_address: Ipv6Addr,
}

/// Of a DHCPv6 packet: as many relay layers as can be read, the one nearest the server first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity6 {
    pub(crate) relays: SmallVec<[RelayIdentity; 2]>,
    /// `None` where the relay layers do not lead to a message: then there may be more of them too.
    pub(crate) xid: Option<[u8; 3]>,
}

impl Identity6 {
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let mut identity = Self {
            relays: SmallVec::new(),
            xid: None,
        };
        let mut message = bytes;
        while message
            .first()
            .is_some_and(|kind| RELAY_TYPES.contains(kind))
        {
            let Some((header, options)) = message.split_first_chunk::<RELAY_HEADER_LEN>() else {
                return identity;
            };
            if identity.relays.len() == MAX_RELAYS {
                return identity;
            }
            identity.relays.push(RelayIdentity {
                link_address: address(header, 2),
                peer_address: address(header, 18),
            });
            let mut records = nested6(options).map_while(Result::ok);
            match records.find(|(found, _)| *found == code::RELAY_MSG) {
                Some((_, inside)) => message = inside,
                None => return identity,
            }
        }
        identity.xid = match message {
            [_, a, b, c, ..] => Some([*a, *b, *c]),
            _ => None,
        };
        identity
    }

    pub(crate) fn of_query(packet: &Packet6) -> Self {
        let relays = packet.relays.iter().map(|hop| RelayIdentity {
            link_address: hop.link_address,
            peer_address: hop.peer_address,
        });
        Self {
            relays: relays.collect(),
            xid: Some(packet.xid),
        }
    }

    pub(crate) fn of_reply(reply: &Reply6) -> Self {
        let relays = reply.relays.iter().map(|hop| RelayIdentity {
            link_address: hop.link_address,
            peer_address: hop.peer_address,
        });
        Self {
            relays: relays.collect(),
            xid: Some(reply.xid),
        }
    }

    /// Whether what this packet tells is the same in `bytes`, which are to replace it. `path` is theirs.
    pub(crate) fn keep(&self, path: &str, bytes: &[u8]) -> Result<(), Refused> {
        self.keep_as(path, &Self::of_bytes(bytes))
    }

    pub(crate) fn keep_as(&self, path: &str, other: &Self) -> Result<(), Refused> {
        if other.relays.len() < self.relays.len()
            || (self.xid.is_some() && other.relays.len() != self.relays.len())
        {
            return Err(Refused::new(path, "the number of relays stays"));
        }
        if !other.relays.starts_with(&self.relays) {
            return Err(Refused::new(path, "the addresses of relays stay"));
        }
        if self.xid.is_some() && self.xid != other.xid {
            return Err(Refused::new(path, "the transaction id stays"));
        }
        Ok(())
    }
}

fn address(header: &[u8; RELAY_HEADER_LEN], at: usize) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&header[at..at + 16]);
    Ipv6Addr::from(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relay layer around `inside`.
    fn relayed(link: u8, peer: u8, inside: &[u8]) -> Vec<u8> {
        let mut bytes = vec![12, 0];
        bytes.extend_from_slice(&Ipv6Addr::from_bits(link.into()).octets());
        bytes.extend_from_slice(&Ipv6Addr::from_bits(peer.into()).octets());
        bytes.extend_from_slice(&[0, 9]);
        bytes.extend_from_slice(&u16::try_from(inside.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(inside);
        bytes
    }

    #[test]
    fn a_dhcpv4_datagram_keeps_what_it_is_long_enough_to_tell() {
        let mut old = vec![0; 240];
        old[4..8].copy_from_slice(&[1, 2, 3, 4]);
        old[24..28].copy_from_slice(&[192, 0, 2, 1]);
        let mut other_id = old.clone();
        other_id[7] = 5;
        let mut other_relay = old.clone();
        other_relay[24] = 198;
        let told = |old: &[u8], new: &[u8]| {
            let kept = Identity4::of_bytes(old).keep("query.wire", new);
            kept.map_err(|refused| refused.why)
        };
        assert_eq!(told(&old, &old), Ok(()));
        assert_eq!(
            told(&old, &other_id),
            Err("the transaction id stays".to_owned())
        );
        assert_eq!(
            told(&old, &other_relay),
            Err("the relay address stays".to_owned())
        );
        assert_eq!(told(&old[..24], &other_relay), Ok(()));
        assert_eq!(told(&old[..7], &other_id), Ok(()));
        assert!(told(&old, &old[..20]).is_err(), "the new one must tell it");
    }

    #[test]
    fn a_dhcpv6_datagram_keeps_transaction_and_relays() {
        let message = [1, 7, 8, 9, 0, 1];
        let old = relayed(1, 2, &relayed(3, 4, &message));
        let told = |old: &[u8], new: &[u8]| {
            let kept = Identity6::of_bytes(old).keep("query.wire", new);
            kept.map_err(|refused| refused.why)
        };
        assert_eq!(
            told(&old, &relayed(1, 2, &relayed(3, 4, &[3, 7, 8, 9]))),
            Ok(())
        );
        let cases = [
            (
                relayed(1, 2, &relayed(3, 4, &[1, 7, 8, 8])),
                "the transaction id stays",
            ),
            (
                relayed(1, 2, &relayed(3, 5, &message)),
                "the addresses of relays stay",
            ),
            (relayed(1, 2, &message), "the number of relays stays"),
            (
                relayed(1, 2, &relayed(3, 4, &old)),
                "the number of relays stays",
            ),
            (
                relayed(1, 2, &relayed(3, 4, &[])),
                "the transaction id stays",
            ),
        ];
        for (new, why) in cases {
            assert_eq!(told(&old, &new), Err(why.to_owned()));
        }
        assert_eq!(
            told(&old[..40], &old),
            Ok(()),
            "one layer can be read, and nothing more"
        );
        assert_eq!(told(&old[..20], &message), Ok(()));
        assert_eq!(told(&[], &message), Ok(()));
    }

    #[test]
    fn endless_relay_layers_end() {
        let mut bytes = vec![1, 0, 0, 0];
        for _ in 0..200 {
            bytes = relayed(1, 2, &bytes);
        }
        let identity = Identity6::of_bytes(&bytes);
        assert_eq!((identity.relays.len(), identity.xid), (MAX_RELAYS, None));
    }
}

//! Answers to DHCPv6 clients.

use super::relay::{RELAY_REPL, RelayReply};
use super::{MessageType, Packet6, code};
use crate::options::tlv::set_length;
use crate::options::{Options, TlvKind, TooLong, What};
use smallvec::SmallVec;

/// Bytes of UDP payload that an IPv6 packet without jumbo option holds.
const MAX_LEN: usize = 65_527;

/// An answer being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply6 {
    /// Advertise, Reply, or what answers the query's type.
    pub message_type: MessageType,
    /// Transaction id of the query.
    pub xid: [u8; 3],
    /// The layers of the way back, the relay nearest the server first.
    pub relays: SmallVec<[RelayReply; 2]>,
    /// Options of the message to the client, in the order they are sent.
    pub options: Options,
}

impl Reply6 {
    /// The beginning of an answer: transaction id and relay layers of the query, no option yet.
    #[must_use]
    pub fn to(query: &Packet6, message_type: MessageType) -> Self {
        let relays = query.relays.iter().map(RelayReply::to).collect();
        Self {
            message_type,
            xid: query.xid,
            relays,
            options: Options::new(),
        }
    }

    /// Appends the packet: each relay layer with its options and then, as option 9, the next; innermost the message.
    ///
    /// # Errors
    ///
    /// Where an option or the packet is too long; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let start = out.len();
        let written = self.write(out).and_then(|()| match out.len() - start {
            len @ ..=MAX_LEN => Ok(len),
            len => Err(TooLong {
                what: What::Packet,
                len,
                limit: MAX_LEN,
            }),
        });
        if written.is_err() {
            out.truncate(start);
        }
        written.map(|_| ())
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let mut lengths_at: SmallVec<[usize; 8]> = SmallVec::new();
        for relay in &self.relays {
            out.extend_from_slice(&[RELAY_REPL, relay.hop_count]);
            out.extend_from_slice(&relay.link_address.octets());
            out.extend_from_slice(&relay.peer_address.octets());
            write_options(&relay.options, out)?;
            out.extend_from_slice(&code::RELAY_MSG.to_be_bytes());
            lengths_at.push(out.len());
            out.extend_from_slice(&[0, 0]);
        }
        out.push(u8::from(self.message_type));
        out.extend_from_slice(&self.xid);
        write_options(&self.options, out)?;
        for at in lengths_at {
            if !set_length(out, at) {
                let len = out.len() - at - 2;
                return Err(TooLong {
                    what: What::Option(u32::from(code::RELAY_MSG)),
                    len,
                    limit: 65_535,
                });
            }
        }
        Ok(())
    }
}

fn write_options(options: &Options, out: &mut Vec<u8>) -> Result<(), TooLong> {
    options
        .iter()
        .try_for_each(|(code, payload)| TlvKind::V6.write(out, u32::from(code), payload))
}

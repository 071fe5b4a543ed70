//! DHCPv6 packets (RFC 9915 §8, §9).

mod decode;
mod ia;
mod relay;
mod reply;

pub use decode::{MAX_RELAYS, Malformed6, decode};
pub use dhcproto::v6::{MessageType, Status};
pub use ia::{BadOption, Ia, IaAddr, IaKind, IaPrefix, IaWriter, push_ia, push_status};
pub use relay::{RelayHop, RelayReply};
pub use reply::Reply6;

use crate::ids::Duid;
use crate::options::Options;
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv6Addr};

/// Address registration (RFC 9686), a type that our vocabulary has no name for.
pub const ADDR_REG_INFORM: MessageType = MessageType::Unknown(36);
/// Answer to [`ADDR_REG_INFORM`].
pub const ADDR_REG_REPLY: MessageType = MessageType::Unknown(37);

/// Option codes that this crate or the packet stages look at (RFC 9915 unless said otherwise).
pub mod code {
    /// Client identifier.
    pub const CLIENT_ID: u16 = 1;
    /// Server identifier.
    pub const SERVER_ID: u16 = 2;
    /// Identity association for addresses.
    pub const IA_NA: u16 = 3;
    /// Identity association for temporary addresses (RFC 8415; gone in RFC 9915).
    pub const IA_TA: u16 = 4;
    /// Address in an IA.
    pub const IA_ADDR: u16 = 5;
    /// Option request.
    pub const ORO: u16 = 6;
    /// Preference.
    pub const PREFERENCE: u16 = 7;
    /// Elapsed time.
    pub const ELAPSED_TIME: u16 = 8;
    /// Relay message.
    pub const RELAY_MSG: u16 = 9;
    /// Server unicast (RFC 8415).
    pub const UNICAST: u16 = 12;
    /// Status code.
    pub const STATUS_CODE: u16 = 13;
    /// Rapid commit.
    pub const RAPID_COMMIT: u16 = 14;
    /// User class.
    pub const USER_CLASS: u16 = 15;
    /// Vendor class.
    pub const VENDOR_CLASS: u16 = 16;
    /// Vendor-specific information.
    pub const VENDOR_OPTS: u16 = 17;
    /// Interface identifier.
    pub const INTERFACE_ID: u16 = 18;
    /// Reconfigure accept.
    pub const RECONF_ACCEPT: u16 = 20;
    /// Identity association for prefixes.
    pub const IA_PD: u16 = 25;
    /// Prefix in an IA_PD.
    pub const IA_PREFIX: u16 = 26;
    /// Information refresh time.
    pub const INFORMATION_REFRESH_TIME: u16 = 32;
    /// Remote identifier (RFC 4649).
    pub const REMOTE_ID: u16 = 37;
    /// Subscriber identifier (RFC 4580).
    pub const SUBSCRIBER_ID: u16 = 38;
    /// Client FQDN (RFC 4704).
    pub const CLIENT_FQDN: u16 = 39;
    /// Echo request (RFC 4994).
    pub const ERO: u16 = 43;
    /// Options a relay offers for the client (RFC 6422).
    pub const RSOO: u16 = 66;
    /// Link-layer address of the client (RFC 6939).
    pub const CLIENT_LINKLAYER_ADDR: u16 = 79;
    /// UDP port of the relay (RFC 8357).
    pub const RELAY_PORT: u16 = 135;
    /// Clients may register addresses here (RFC 9686).
    pub const ADDR_REG_ENABLE: u16 = 148;
}

/// A message from a client, with the relays it came through. Typed views give `None` where the option is absent or its
/// length is wrong: a bad option invalidates itself only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet6 {
    /// From the relay nearest the server (index 0) to the one nearest the client (last). At most [`MAX_RELAYS`].
    pub relays: SmallVec<[RelayHop; 2]>,
    /// What the client sent.
    pub message_type: MessageType,
    /// Transaction id.
    pub xid: [u8; 3],
    /// Options of the client's message, in its order; codes may repeat.
    pub options: Options,
}

impl Packet6 {
    /// Option 1.
    #[must_use]
    pub fn client_id(&self) -> Option<Duid> {
        Duid::new(self.options.get(code::CLIENT_ID)?)
    }

    /// Option 2: DUID of the server the client means.
    #[must_use]
    pub fn server_id(&self) -> Option<&[u8]> {
        self.options.get(code::SERVER_ID)
    }

    /// Option 6: codes the client asks for, in its order; nothing where the option is absent or of odd length.
    pub fn oro(&self) -> impl Iterator<Item = u16> {
        let (codes, rest) = self
            .options
            .get(code::ORO)
            .unwrap_or_default()
            .as_chunks::<2>();
        let codes = if rest.is_empty() { codes } else { &[] };
        codes.iter().map(|code| u16::from_be_bytes(*code))
    }

    /// Option 14.
    #[must_use]
    pub fn rapid_commit(&self) -> bool {
        self.options
            .get(code::RAPID_COMMIT)
            .is_some_and(<[u8]>::is_empty)
    }

    /// Option 8, in hundredths of a second.
    #[must_use]
    pub fn elapsed_time(&self) -> Option<u16> {
        Some(u16::from_be_bytes(
            self.options.get(code::ELAPSED_TIME)?.try_into().ok()?,
        ))
    }

    /// IA_NA and IA_PD options in packet order. IA_TA is left out (RFC 9915 has no temporary addresses).
    pub fn ias(&self) -> impl Iterator<Item = Result<Ia<'_>, BadOption>> {
        self.options
            .iter()
            .filter_map(|(code, payload)| Some(Ia::parse(IaKind::of(code)?, payload)))
    }

    /// The address that an ADDR-REG-INFORM registers: its only option 5 outside of IAs. `None` where there is none, more
    /// than one, or one that is malformed.
    #[must_use]
    pub fn registered_address(&self) -> Option<IaAddr<'_>> {
        let mut all = self.options.get_all(code::IA_ADDR);
        let only = all.next()?;
        IaAddr::parse(only).filter(|_| all.next().is_none())
    }

    /// Where the client's message came from, whose datagram came from `remote`: the relay nearest the client tells it.
    #[must_use]
    pub fn source(&self, remote: IpAddr) -> IpAddr {
        self.relays
            .last()
            .map_or(remote, |hop| hop.peer_address.into())
    }

    /// Whether it came through a relay.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        !self.relays.is_empty()
    }

    /// Option 18 of the relay nearest the client that sent one.
    #[must_use]
    pub fn interface_id(&self) -> Option<&[u8]> {
        self.relay_option(code::INTERFACE_ID)
    }

    /// An option that a relay added: of the relay nearest the client that sent one.
    #[must_use]
    pub fn relay_option(&self, code: u16) -> Option<&[u8]> {
        self.relays
            .iter()
            .rev()
            .find_map(|hop| hop.options.get(code))
    }

    /// The link the client is on: from the client outward, the first link-address that is neither `::` nor link-local.
    #[must_use]
    pub fn link_address(&self) -> Option<Ipv6Addr> {
        let says_a_link = |addr: &Ipv6Addr| !addr.is_unspecified() && !addr.is_unicast_link_local();
        self.relays
            .iter()
            .rev()
            .map(|hop| hop.link_address)
            .find(says_a_link)
    }
}

#[cfg(test)]
mod tests;

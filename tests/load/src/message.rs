//! What the engine says and hears, whichever the family.

use std::net::IpAddr;

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// DISCOVER or SOLICIT.
    Find,
    /// REQUEST of what was offered.
    Take,
    /// REQUEST with ciaddr, or RENEW; REBIND when the server is not known.
    Renew,
}

/// One message to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) ask: Ask,
    pub(crate) xid: u32,
    /// The client's number; every identifier of the client follows from it.
    pub(crate) client: u32,
    /// What was offered or is held; absent in [`Ask::Find`].
    pub(crate) address: Option<IpAddr>,
    /// Who offered or granted; absent in [`Ask::Find`], and for leases of an earlier run.
    pub(crate) server_id: Option<&'a [u8]>,
}

/// The kinds of answers that the scenarios know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// OFFER or ADVERTISE.
    Offer,
    /// ACK or REPLY.
    Ack,
    /// DHCPv4 NAK: answers a REQUEST only.
    Nak,
    /// A DHCPv6 answer with a status other than Success.
    Refused,
    /// Any other message type.
    Other(u8),
}

/// One answer as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) kind: Kind,
    pub(crate) xid: u32,
    /// Whom it is for; absent when no client of this tool has that identifier.
    pub(crate) client: Option<u32>,
    pub(crate) address: Option<IpAddr>,
    /// Seconds the lease is valid.
    pub(crate) valid: Option<u32>,
    pub(crate) server_id: Option<&'a [u8]>,
    /// Whether what the relay agent had added came back unchanged.
    pub(crate) relay_echoed: bool,
}

/// Why an answer cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Writes and reads the packets of one family.
pub(crate) trait Packets {
    /// The bits that a transaction identifier has.
    const XID_MASK: u32;

    /// Whether the second half of an exchange has its own transaction identifier.
    /// RFC 2131 §4.4.1: the REQUEST repeats that of the OFFER. RFC 8415 §16.1: every message its own.
    const XID_PER_HALF: bool;

    /// Replaces the content of `packet` by the message, ready to be sent.
    fn write(&self, message: &Outgoing<'_>, packet: &mut Vec<u8>);

    /// Reads an answer.
    fn read<'a>(&self, packet: &'a [u8]) -> Result<Reply<'a>, Malformed>;

    /// The client's identifier in lease files: hardware address or DUID.
    fn client_name(&self, client: u32) -> String;

    /// The client that [`Packets::client_name`] calls so.
    fn client_by_name(&self, name: &str) -> Option<u32>;
}

/// The first octets of every client's hardware address: locally administered, unicast.
const HW_PREFIX: [u8; 2] = [0x02, 0x4c];

/// The client's hardware address: `02:4c` and its number.
pub(crate) fn hw_address(client: u32) -> [u8; 6] {
    let [a, b, c, d] = client.to_be_bytes();
    [HW_PREFIX[0], HW_PREFIX[1], a, b, c, d]
}

/// The client with this hardware address.
pub(crate) fn client_of(hw_address: &[u8]) -> Option<u32> {
    let number = hw_address.strip_prefix(&HW_PREFIX)?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

/// Octets as `02:4c:…`, the form of lease files.
pub(crate) fn colon_hex(octets: &[u8]) -> String {
    let hex: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    hex.join(":")
}

/// The octets that [`colon_hex`] wrote.
pub(crate) fn from_colon_hex(text: &str) -> Option<Vec<u8>> {
    text.split(':')
        .map(|octet| u8::from_str_radix(octet, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_leads_back_to_its_client() {
        for client in [0, 1, 0xffff_ffff] {
            assert_eq!(client_of(&hw_address(client)), Some(client));
            let text = colon_hex(&hw_address(client));
            assert_eq!(from_colon_hex(&text).unwrap(), hw_address(client));
        }
        assert_eq!(client_of(&[2, 0x4c, 0, 0, 1]), None);
        assert_eq!(client_of(&[0, 0, 0, 0, 0, 1]), None);
    }
}

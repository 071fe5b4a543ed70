//! DHCPv6 messages in one Relay-forward layer (RFC 8415 §9, §19), written and read by hand.

use std::net::{IpAddr, Ipv6Addr};

use crate::message::{
    Ask, Kind, Malformed, Outgoing, Packets, Reply, client_of, colon_hex, from_colon_hex,
    hw_address,
};

const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;
/// Message type, hop count, link-address, peer-address.
const RELAY_HEADER: usize = 34;

const OPTION_CLIENT_ID: u16 = 1;
const OPTION_SERVER_ID: u16 = 2;
const OPTION_IA_NA: u16 = 3;
const OPTION_IA_ADDRESS: u16 = 5;
const OPTION_REQUEST: u16 = 6;
const OPTION_ELAPSED_TIME: u16 = 8;
const OPTION_RELAY_MESSAGE: u16 = 9;
const OPTION_STATUS_CODE: u16 = 13;
const OPTION_INTERFACE_ID: u16 = 18;
const OPTION_DNS_SERVERS: u16 = 23;

const IAID: [u8; 4] = [0, 0, 0, 1];
/// DUID-LL over Ethernet (RFC 8415 §11.4); the hardware address follows.
const DUID_PREFIX: [u8; 4] = [0, 3, 0, 1];

/// DHCPv6 as a relay agent forwards it from the link with this address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packets6 {
    link: Ipv6Addr,
}

impl Packets6 {
    /// A relay agent that serves the link `link`.
    pub(crate) fn new(link: Ipv6Addr) -> Self {
        Self { link }
    }

    /// The part of the relay header that a server copies back (RFC 8415 §19.3).
    fn relay_header(&self, client: u32) -> [u8; RELAY_HEADER - 1] {
        let mut header = [0; RELAY_HEADER - 1];
        header[1..17].copy_from_slice(&self.link.octets());
        header[17..].copy_from_slice(&peer(client).octets());
        header
    }
}

impl Packets for Packets6 {
    const XID_MASK: u32 = 0x00ff_ffff;
    const XID_PER_HALF: bool = true;

    fn write(&self, message: &Outgoing<'_>, packet: &mut Vec<u8>) {
        packet.clear();
        packet.push(RELAY_FORWARD);
        packet.extend_from_slice(&self.relay_header(message.client));
        push(packet, OPTION_INTERFACE_ID, &message.client.to_be_bytes());
        let relayed_at = begin(packet, OPTION_RELAY_MESSAGE);

        let message_type = match message.ask {
            Ask::Find => 1,
            Ask::Take => 3,
            // RFC 8415 §18.2.5: a client that knows no server sends REBIND, with no server identifier.
            Ask::Renew if message.server_id.is_none() => 6,
            Ask::Renew => 5,
        };
        let [_, a, b, c] = message.xid.to_be_bytes();
        packet.extend_from_slice(&[message_type, a, b, c]);
        push(packet, OPTION_CLIENT_ID, &duid(message.client));
        if let Some(server_id) = message.server_id {
            push(packet, OPTION_SERVER_ID, server_id);
        }
        let ia_at = begin(packet, OPTION_IA_NA);
        packet.extend_from_slice(&IAID);
        packet.extend_from_slice(&[0; 8]); // T1, T2: no wish
        if let Some(IpAddr::V6(address)) = message.address {
            let address_at = begin(packet, OPTION_IA_ADDRESS);
            packet.extend_from_slice(&address.octets());
            packet.extend_from_slice(&[0; 8]); // lifetimes: no wish
            end(packet, address_at);
        }
        end(packet, ia_at);
        push(packet, OPTION_ELAPSED_TIME, &[0, 0]);
        push(packet, OPTION_REQUEST, &OPTION_DNS_SERVERS.to_be_bytes());
        end(packet, relayed_at);
    }

    fn read<'a>(&self, packet: &'a [u8]) -> Result<Reply<'a>, Malformed> {
        let (header, options) = packet
            .split_at_checked(RELAY_HEADER)
            .ok_or(Malformed("shorter than a relay header"))?;
        if header[0] != RELAY_REPLY {
            return Err(Malformed("not a Relay-reply"));
        }
        let mut relayed = None;
        let mut interface_id = None;
        for option in OptionIter(options) {
            match option? {
                (OPTION_RELAY_MESSAGE, value) => relayed = Some(value),
                (OPTION_INTERFACE_ID, value) => interface_id = Some(value),
                _ => {}
            }
        }
        let relayed = relayed.ok_or(Malformed("a Relay-reply without a message"))?;
        let mut reply = read_relayed(relayed)?;
        reply.relay_echoed = reply.client.is_some_and(|client| {
            header[1..] == self.relay_header(client)
                && interface_id == Some(&client.to_be_bytes()[..])
        });
        Ok(reply)
    }

    fn client_name(&self, client: u32) -> String {
        colon_hex(&duid(client))
    }

    fn client_by_name(&self, name: &str) -> Option<u32> {
        client_of(from_colon_hex(name)?.strip_prefix(&DUID_PREFIX)?)
    }
}

/// Reads the server's message inside the relay layer; what the relay layer says is not yet known.
fn read_relayed(message: &[u8]) -> Result<Reply<'_>, Malformed> {
    let (header, options) = message
        .split_at_checked(4)
        .ok_or(Malformed("shorter than a DHCPv6 header"))?;
    let mut reply = Reply {
        kind: match header[0] {
            2 => Kind::Offer,
            7 => Kind::Ack,
            other => Kind::Other(other),
        },
        xid: u32::from_be_bytes([0, header[1], header[2], header[3]]),
        client: None,
        address: None,
        valid: None,
        server_id: None,
        relay_echoed: false,
    };
    for option in OptionIter(options) {
        match option? {
            (OPTION_CLIENT_ID, value) => {
                reply.client = value.strip_prefix(&DUID_PREFIX).and_then(client_of)
            }
            (OPTION_SERVER_ID, []) => return Err(Malformed("an empty server identifier")),
            (OPTION_SERVER_ID, value) => reply.server_id = Some(value),
            (OPTION_STATUS_CODE, value) => read_status(value, &mut reply)?,
            (OPTION_IA_NA, value) => read_ia(value, &mut reply)?,
            _ => {}
        }
    }
    Ok(reply)
}

fn read_ia(value: &[u8], reply: &mut Reply<'_>) -> Result<(), Malformed> {
    let (fixed, options) = value
        .split_at_checked(12)
        .ok_or(Malformed("a short IA_NA"))?;
    if fixed[..4] != IAID {
        return Err(Malformed("an IAID that nobody sent"));
    }
    for option in OptionIter(options) {
        match option? {
            (OPTION_IA_ADDRESS, value) => {
                let fixed = value.get(..24).ok_or(Malformed("a short IA Address"))?;
                let valid = u32::from_be_bytes([fixed[20], fixed[21], fixed[22], fixed[23]]);
                // RFC 8415 §18.2.10.1: lifetime zero takes an address away; it grants nothing.
                if valid > 0 && reply.address.is_none() {
                    let octets: [u8; 16] = fixed[..16].try_into().expect("sixteen octets");
                    reply.address = Some(IpAddr::V6(octets.into()));
                    reply.valid = Some(valid);
                }
            }
            (OPTION_STATUS_CODE, value) => read_status(value, reply)?,
            _ => {}
        }
    }
    Ok(())
}

fn read_status(value: &[u8], reply: &mut Reply<'_>) -> Result<(), Malformed> {
    let [high, low, ..] = value else {
        return Err(Malformed("a short status code"));
    };
    if (*high, *low) != (0, 0) {
        reply.kind = Kind::Refused;
    }
    Ok(())
}

/// Options one after the other; ends after the first that is cut short.
struct OptionIter<'a>(&'a [u8]);

impl<'a> Iterator for OptionIter<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let [a, b, c, d, tail @ ..] = rest else {
            return Some(Err(Malformed("a cut option header")));
        };
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let Some((value, tail)) = tail.split_at_checked(length) else {
            return Some(Err(Malformed("an option reaches past the end")));
        };
        self.0 = tail;
        Some(Ok((u16::from_be_bytes([*a, *b]), value)))
    }
}

fn duid(client: u32) -> [u8; 10] {
    let mut duid = [0; 10];
    duid[..4].copy_from_slice(&DUID_PREFIX);
    duid[4..].copy_from_slice(&hw_address(client));
    duid
}

/// The client's link-local address, from its hardware address (RFC 4291, appendix A).
fn peer(client: u32) -> Ipv6Addr {
    let [a, b, c, d, e, f] = hw_address(client);
    Ipv6Addr::from([
        0xfe,
        0x80,
        0,
        0,
        0,
        0,
        0,
        0,
        a ^ 2,
        b,
        c,
        0xff,
        0xfe,
        d,
        e,
        f,
    ])
}

fn push(packet: &mut Vec<u8>, code: u16, value: &[u8]) {
    let at = begin(packet, code);
    packet.extend_from_slice(value);
    end(packet, at);
}

/// Opens an option; [`end`] writes its length.
fn begin(packet: &mut Vec<u8>, code: u16) -> usize {
    packet.extend_from_slice(&code.to_be_bytes());
    packet.extend_from_slice(&[0; 2]);
    packet.len()
}

fn end(packet: &mut [u8], at: usize) {
    let length = u16::try_from(packet.len() - at).expect("our own options are short");
    packet[at - 2..at].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    /// Where the relayed message begins: relay header, interface-id, header of option 9.
    const RELAYED_AT: usize = RELAY_HEADER + 8 + 4;

    /// A request for `2001:db8::50`, turned into an answer: lifetimes set, types changed.
    fn answered(message_type: u8) -> Vec<u8> {
        let mut packet = Vec::new();
        let address: IpAddr = "2001:db8::50".parse().unwrap();
        let message = Outgoing {
            ask: Ask::Take,
            xid: 0x0002_0304,
            client: 7,
            address: Some(address),
            server_id: Some(&[0, 3, 0, 1, 9]),
        };
        Packets6::new(LINK).write(&message, &mut packet);
        packet[0] = RELAY_REPLY;
        packet[RELAYED_AT] = message_type;
        let IpAddr::V6(address) = address else {
            unreachable!()
        };
        let at = packet
            .windows(16)
            .rposition(|w| w == address.octets())
            .unwrap();
        packet[at + 16..at + 24].copy_from_slice(&[0, 0, 0, 100, 0, 0, 0, 200]);
        packet
    }

    #[test]
    fn an_answer_made_from_the_request_passes_every_check() {
        let packet = answered(7);
        let reply = Packets6::new(LINK).read(&packet).unwrap();
        assert_eq!(
            (reply.kind, reply.xid, reply.client),
            (Kind::Ack, 0x0002_0304, Some(7))
        );
        assert_eq!(
            (reply.address, reply.valid),
            (Some("2001:db8::50".parse().unwrap()), Some(200))
        );
        assert_eq!(reply.server_id, Some(&[0, 3, 0, 1, 9][..]));
        assert!(reply.relay_echoed);
    }

    #[test]
    fn a_changed_relay_layer_is_not_an_echo() {
        for at in [1, 2, 20, RELAY_HEADER + 7] {
            let mut packet = answered(7);
            packet[at] ^= 1;
            assert!(
                !Packets6::new(LINK).read(&packet).unwrap().relay_echoed,
                "octet {at}"
            );
        }
    }

    #[test]
    fn a_cut_at_any_octet_is_refused_without_a_panic() {
        let packet = answered(2);
        for length in 0..packet.len() {
            assert!(
                Packets6::new(LINK).read(&packet[..length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn a_status_other_than_success_is_a_refusal() {
        let mut packet = answered(7);
        push(&mut packet, OPTION_STATUS_CODE, &[0, 2]);
        let grown = u16::try_from(packet.len() - RELAYED_AT).unwrap();
        packet[RELAYED_AT - 2..RELAYED_AT].copy_from_slice(&grown.to_be_bytes());
        assert_eq!(
            Packets6::new(LINK).read(&packet).unwrap().kind,
            Kind::Refused
        );
    }
}

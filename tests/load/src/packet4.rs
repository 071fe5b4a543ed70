//! DHCPv4 messages through a relay agent (RFC 2131, RFC 3046), written and read by hand.

use std::net::{IpAddr, Ipv4Addr};

use crate::message::{
    Ask, Kind, Malformed, Outgoing, Packets, Reply, client_of, colon_hex, from_colon_hex,
    hw_address,
};

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const OPTIONS_AT: usize = 240;
/// RFC 1542 §2.1: some relay agents drop a BOOTP message shorter than this.
const MIN_LENGTH: usize = 300;

const OPTION_PAD: u8 = 0;
const OPTION_REQUESTED_ADDRESS: u8 = 50;
const OPTION_LEASE_TIME: u8 = 51;
const OPTION_MESSAGE_TYPE: u8 = 53;
const OPTION_SERVER_ID: u8 = 54;
const OPTION_PARAMETER_LIST: u8 = 55;
const OPTION_CLIENT_ID: u8 = 61;
const OPTION_RELAY_INFO: u8 = 82;
const OPTION_END: u8 = 255;

/// Subnet mask, router, DNS servers, domain name, lease time: what most clients ask for.
const PARAMETERS: [u8; 5] = [1, 3, 6, 15, 51];

/// DHCPv4 as a relay agent with this `giaddr` forwards it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packets4 {
    giaddr: Ipv4Addr,
}

impl Packets4 {
    /// A relay agent that listens on `giaddr`.
    pub(crate) fn new(giaddr: Ipv4Addr) -> Self {
        Self { giaddr }
    }
}

impl Packets for Packets4 {
    const XID_MASK: u32 = u32::MAX;
    const XID_PER_HALF: bool = false;

    fn write(&self, message: &Outgoing<'_>, packet: &mut Vec<u8>) {
        let hw = hw_address(message.client);
        packet.clear();
        packet.extend_from_slice(&[1, 1, 6, 1]); // BOOTREQUEST, Ethernet, six octets, one hop
        packet.extend_from_slice(&message.xid.to_be_bytes());
        packet.extend_from_slice(&[0; 4]); // secs, flags
        let ciaddr = match (message.ask, message.address) {
            (Ask::Renew, Some(IpAddr::V4(address))) => address,
            (Ask::Find | Ask::Take | Ask::Renew, _) => Ipv4Addr::UNSPECIFIED,
        };
        packet.extend_from_slice(&ciaddr.octets());
        packet.extend_from_slice(&[0; 8]); // yiaddr, siaddr
        packet.extend_from_slice(&self.giaddr.octets());
        packet.extend_from_slice(&hw);
        packet.resize(OPTIONS_AT - COOKIE.len(), 0);
        packet.extend_from_slice(&COOKIE);

        let message_type = if message.ask == Ask::Find { 1 } else { 3 };
        push(packet, OPTION_MESSAGE_TYPE, &[message_type]);
        push(packet, OPTION_CLIENT_ID, &client_id(message.client));
        // RFC 2131 §4.3.2: a renewing client sends neither the requested address nor the server.
        if message.ask == Ask::Take {
            if let Some(IpAddr::V4(address)) = message.address {
                push(packet, OPTION_REQUESTED_ADDRESS, &address.octets());
            }
            if let Some(server_id) = message.server_id {
                push(packet, OPTION_SERVER_ID, server_id);
            }
        }
        push(packet, OPTION_PARAMETER_LIST, &PARAMETERS);
        push(packet, OPTION_RELAY_INFO, &relay_info(message.client));
        packet.push(OPTION_END);
        if packet.len() < MIN_LENGTH {
            packet.resize(MIN_LENGTH, OPTION_PAD);
        }
    }

    fn read<'a>(&self, packet: &'a [u8]) -> Result<Reply<'a>, Malformed> {
        let header = packet
            .get(..OPTIONS_AT)
            .ok_or(Malformed("shorter than a DHCP header"))?;
        if header[0] != 2 {
            return Err(Malformed("not a BOOTREPLY"));
        }
        if header[236..240] != COOKIE {
            return Err(Malformed("no magic cookie"));
        }
        if array4(&header[24..28]) != self.giaddr.octets() {
            return Err(Malformed("giaddr is not ours"));
        }
        let options = Options4::read(&packet[OPTIONS_AT..])?;
        let client = (header[2] == 6)
            .then(|| client_of(&header[28..34]))
            .flatten();
        let yiaddr = Ipv4Addr::from(array4(&header[16..20]));
        Ok(Reply {
            kind: match options.message_type {
                2 => Kind::Offer,
                5 => Kind::Ack,
                6 => Kind::Nak,
                other => Kind::Other(other),
            },
            xid: u32::from_be_bytes(array4(&header[4..8])),
            client: client.filter(|client| options.names(*client)),
            address: (!yiaddr.is_unspecified()).then_some(IpAddr::V4(yiaddr)),
            valid: options.lease_time,
            server_id: options.server_id,
            relay_echoed: client
                .is_some_and(|client| options.relay_info == Some(&relay_info(client)[..])),
        })
    }

    fn client_name(&self, client: u32) -> String {
        colon_hex(&hw_address(client))
    }

    fn client_by_name(&self, name: &str) -> Option<u32> {
        client_of(&from_colon_hex(name)?)
    }
}

/// The options of an answer that are checked.
struct Options4<'a> {
    message_type: u8,
    lease_time: Option<u32>,
    server_id: Option<&'a [u8]>,
    client_id: Option<&'a [u8]>,
    relay_info: Option<&'a [u8]>,
}

impl<'a> Options4<'a> {
    fn read(mut rest: &'a [u8]) -> Result<Self, Malformed> {
        let mut options = Self {
            message_type: 0,
            lease_time: None,
            server_id: None,
            client_id: None,
            relay_info: None,
        };
        loop {
            let (code, tail) = rest.split_first().ok_or(Malformed("no END option"))?;
            if *code == OPTION_END {
                break;
            }
            if *code == OPTION_PAD {
                rest = tail;
                continue;
            }
            let (length, tail) = tail
                .split_first()
                .ok_or(Malformed("an option without a length"))?;
            let (value, tail) = tail
                .split_at_checked(usize::from(*length))
                .ok_or(Malformed("an option reaches past the end"))?;
            options.take(*code, value)?;
            rest = tail;
        }
        if options.message_type == 0 {
            return Err(Malformed("no message type"));
        }
        Ok(options)
    }

    fn take(&mut self, code: u8, value: &'a [u8]) -> Result<(), Malformed> {
        match code {
            OPTION_MESSAGE_TYPE => {
                let [message_type] = value else {
                    return Err(Malformed("message type of a wrong length"));
                };
                self.message_type = *message_type;
            }
            OPTION_LEASE_TIME => {
                let seconds = value
                    .try_into()
                    .map_err(|_| Malformed("lease time of a wrong length"))?;
                self.lease_time = Some(u32::from_be_bytes(seconds));
            }
            OPTION_SERVER_ID if value.len() != 4 => {
                return Err(Malformed("server identifier of a wrong length"));
            }
            OPTION_SERVER_ID => self.server_id = Some(value),
            OPTION_CLIENT_ID => self.client_id = Some(value),
            OPTION_RELAY_INFO => self.relay_info = Some(value),
            _ => {}
        }
        Ok(())
    }

    /// RFC 6842 §3: a client identifier in an answer is the client's own. Older servers send none.
    fn names(&self, client: u32) -> bool {
        self.client_id.is_none_or(|id| id == client_id(client))
    }
}

/// Hardware type and address, the client identifier of most clients (RFC 2132 §9.14).
fn client_id(client: u32) -> [u8; 7] {
    let [a, b, c, d, e, f] = hw_address(client);
    [1, a, b, c, d, e, f]
}

/// `circuit-id` (the client's number) and `remote-id` (its hardware address): different for every client.
fn relay_info(client: u32) -> [u8; 14] {
    let [a, b, c, d, e, f] = hw_address(client);
    [1, 4, c, d, e, f, 2, 6, a, b, c, d, e, f]
}

fn push(packet: &mut Vec<u8>, code: u8, value: &[u8]) {
    let length = u8::try_from(value.len()).expect("our own options are short");
    packet.extend_from_slice(&[code, length]);
    packet.extend_from_slice(value);
}

fn array4(octets: &[u8]) -> [u8; 4] {
    octets.try_into().expect("the range has four octets")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIADDR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    fn written(ask: Ask) -> Vec<u8> {
        let mut packet = Vec::new();
        let message = Outgoing {
            ask,
            xid: 0x0102_0304,
            client: 7,
            address: Some("192.0.2.50".parse().unwrap()),
            server_id: Some(&[192, 0, 2, 2]),
        };
        Packets4::new(GIADDR).write(&message, &mut packet);
        packet
    }

    /// The request, turned into an answer as a server would: the options that are checked stay.
    fn answered(mut packet: Vec<u8>, message_type: u8) -> Vec<u8> {
        packet[0] = 2;
        packet[16..20].copy_from_slice(&[192, 0, 2, 50]);
        packet[242] = message_type;
        packet
    }

    #[test]
    fn an_answer_made_from_the_request_passes_every_check() {
        let packet = answered(written(Ask::Take), 5);
        let reply = Packets4::new(GIADDR).read(&packet).unwrap();
        assert_eq!(
            (reply.kind, reply.xid, reply.client),
            (Kind::Ack, 0x0102_0304, Some(7))
        );
        assert_eq!(reply.server_id, Some(&[192, 0, 2, 2][..]));
        assert!(reply.relay_echoed);
    }

    #[test]
    fn a_renewal_carries_ciaddr_and_neither_requested_address_nor_server() {
        let packet = written(Ask::Renew);
        assert_eq!(packet[12..16], [192, 0, 2, 50]);
        assert!(
            !packet[OPTIONS_AT..]
                .windows(2)
                .any(|w| w == [OPTION_REQUESTED_ADDRESS, 4])
        );
        let packet = answered(packet, 5);
        assert_eq!(Packets4::new(GIADDR).read(&packet).unwrap().server_id, None);
    }

    #[test]
    fn a_cut_at_any_octet_is_refused_without_a_panic() {
        let packet = answered(written(Ask::Take), 5);
        let end = packet
            .iter()
            .rposition(|octet| *octet == OPTION_END)
            .unwrap();
        for length in 0..=end {
            assert!(
                Packets4::new(GIADDR).read(&packet[..length]).is_err(),
                "{length}"
            );
        }
    }

    #[test]
    fn another_clients_relay_information_is_not_an_echo() {
        let mut packet = answered(written(Ask::Take), 5);
        let at = packet
            .windows(2)
            .rposition(|w| w == [OPTION_RELAY_INFO, 14])
            .unwrap();
        packet[at + 7] ^= 1;
        assert!(!Packets4::new(GIADDR).read(&packet).unwrap().relay_echoed);
    }
}

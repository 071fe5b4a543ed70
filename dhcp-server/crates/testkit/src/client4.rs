//! A DHCPv4 client (RFC 2131), with an optional relay in front of it (RFC 3046).

use std::net::Ipv4Addr;

use crate::reply4::Reply4Seen;

/// DHCP message types (option 53).
pub mod message {
    /// The client looks for servers.
    pub const DISCOVER: u8 = 1;
    /// The server offers an address.
    pub const OFFER: u8 = 2;
    /// The client asks for an offered or a known address.
    pub const REQUEST: u8 = 3;
    /// The client found the address in use.
    pub const DECLINE: u8 = 4;
    /// The server grants the lease.
    pub const ACK: u8 = 5;
    /// The server refuses the address.
    pub const NAK: u8 = 6;
    /// The client gives the address back.
    pub const RELEASE: u8 = 7;
    /// The client has an address and wants options.
    pub const INFORM: u8 = 8;
}

/// Options that the client itself writes.
mod code {
    pub(super) const REQUESTED_ADDRESS: u8 = 50;
    pub(super) const MESSAGE_TYPE: u8 = 53;
    pub(super) const SERVER_ID: u8 = 54;
    pub(super) const PARAMETER_REQUEST_LIST: u8 = 55;
    pub(super) const CLIENT_ID: u8 = 61;
    pub(super) const RELAY_INFO: u8 = 82;
    pub(super) const END: u8 = 255;
}

/// Length that BOOTP relays and servers may insist on (RFC 951 §3).
const BOOTP_LENGTH: usize = 300;
/// The magic cookie (RFC 2131 §3).
pub(crate) const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// A relay agent between client and server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay4 {
    /// The relay's address on the client's link.
    pub giaddr: Ipv4Addr,
    /// Sub-options of option 82, in order; none means no option 82.
    pub relay_info: Vec<(u8, Vec<u8>)>,
}

/// A DHCPv4 client. It builds messages; it owns no socket and no timer.
#[derive(Clone, Debug)]
pub struct Client4 {
    /// Ethernet address (`chaddr`).
    pub hw_address: [u8; 6],
    /// Option 61, whole, with its type byte.
    pub client_id: Option<Vec<u8>>,
    /// Options added to every message, in order. Starts with a parameter request list (55), which
    /// is left out where RFC 2131 table 5 forbids it: in DHCPDECLINE and DHCPRELEASE.
    pub options: Vec<(u8, Vec<u8>)>,
    /// Sets the broadcast flag (RFC 2131 §4.1) in messages sent before the client has an address.
    pub broadcast: bool,
    /// Seconds since the client began, as servers see it.
    pub secs: u16,
    /// Makes every message look as if this relay had forwarded it.
    pub relay: Option<Relay4>,
    xid: u32,
}

impl Client4 {
    /// A client without client identifier that asks for the usual parameters.
    #[must_use]
    pub fn new(hw_address: [u8; 6]) -> Self {
        let [_, _, a, b, c, d] = hw_address;
        Self {
            hw_address,
            client_id: None,
            options: vec![(
                code::PARAMETER_REQUEST_LIST,
                vec![1, 3, 6, 12, 15, 51, 54, 58, 59],
            )],
            broadcast: false,
            secs: 0,
            relay: None,
            // Clients with neighbouring addresses get distant transactions.
            xid: u32::from_be_bytes([a, b, c, d]).wrapping_mul(0x9E37_79B9),
        }
    }

    /// Transaction id of the last message that began a transaction.
    #[must_use]
    pub fn xid(&self) -> u32 {
        self.xid
    }

    /// DHCPDISCOVER.
    pub fn discover(&mut self) -> Vec<u8> {
        self.begin();
        self.message(message::DISCOVER, Ipv4Addr::UNSPECIFIED, None, None)
    }

    /// DHCPREQUEST in SELECTING, in the offer's transaction (RFC 2131 §4.3.2, table 5).
    pub fn request_selecting(&mut self, offer: &Reply4Seen) -> Vec<u8> {
        self.xid = offer.xid;
        self.message(
            message::REQUEST,
            Ipv4Addr::UNSPECIFIED,
            Some(offer.yiaddr),
            offer.server_id(),
        )
    }

    /// DHCPREQUEST in INIT-REBOOT: the address is asked for, no server named.
    pub fn request_init_reboot(&mut self, address: Ipv4Addr) -> Vec<u8> {
        self.begin();
        self.message(message::REQUEST, Ipv4Addr::UNSPECIFIED, Some(address), None)
    }

    /// DHCPREQUEST in RENEWING, to be sent to the server that granted the lease.
    pub fn request_renewing(&mut self, ciaddr: Ipv4Addr) -> Vec<u8> {
        self.begin();
        self.message(message::REQUEST, ciaddr, None, None)
    }

    /// DHCPREQUEST in REBINDING: as in RENEWING, but to be broadcast to all servers.
    pub fn request_rebinding(&mut self, ciaddr: Ipv4Addr) -> Vec<u8> {
        self.request_renewing(ciaddr)
    }

    /// DHCPRELEASE of the acknowledged lease. No answer follows.
    pub fn release(&mut self, lease: &Reply4Seen) -> Vec<u8> {
        self.begin();
        self.message(message::RELEASE, lease.yiaddr, None, lease.server_id())
    }

    /// DHCPDECLINE of the acknowledged lease. No answer follows.
    pub fn decline(&mut self, lease: &Reply4Seen) -> Vec<u8> {
        self.begin();
        self.message(
            message::DECLINE,
            Ipv4Addr::UNSPECIFIED,
            Some(lease.yiaddr),
            lease.server_id(),
        )
    }

    /// DHCPINFORM from an address that the client has by other means.
    pub fn inform(&mut self, ciaddr: Ipv4Addr) -> Vec<u8> {
        self.begin();
        self.message(message::INFORM, ciaddr, None, None)
    }

    fn begin(&mut self) {
        self.xid = self.xid.wrapping_add(1);
    }

    fn message(
        &self,
        message_type: u8,
        ciaddr: Ipv4Addr,
        requested: Option<Ipv4Addr>,
        server_id: Option<Ipv4Addr>,
    ) -> Vec<u8> {
        let mut bytes = self.header(ciaddr);
        put_option(&mut bytes, code::MESSAGE_TYPE, &[message_type]);
        if let Some(client_id) = &self.client_id {
            put_option(&mut bytes, code::CLIENT_ID, client_id);
        }
        if let Some(address) = requested {
            put_option(&mut bytes, code::REQUESTED_ADDRESS, &address.octets());
        }
        if let Some(address) = server_id {
            put_option(&mut bytes, code::SERVER_ID, &address.octets());
        }
        let requests_nothing = matches!(message_type, message::DECLINE | message::RELEASE);
        for (code, data) in &self.options {
            if *code == code::PARAMETER_REQUEST_LIST && requests_nothing {
                continue;
            }
            put_option(&mut bytes, *code, data);
        }
        if let Some(relay) = &self.relay {
            relay.put_relay_info(&mut bytes);
        }
        bytes.push(code::END);
        bytes.resize(bytes.len().max(BOOTP_LENGTH), 0);
        bytes
    }

    /// The fixed part of the message and the cookie (RFC 2131 §2).
    fn header(&self, ciaddr: Ipv4Addr) -> Vec<u8> {
        let hops = u8::from(self.relay.is_some());
        let flags: u16 = if self.broadcast && ciaddr.is_unspecified() {
            0x8000
        } else {
            0
        };
        let giaddr = self
            .relay
            .as_ref()
            .map_or(Ipv4Addr::UNSPECIFIED, |relay| relay.giaddr);

        let mut bytes = vec![1, 1, 6, hops];
        bytes.extend(self.xid.to_be_bytes());
        bytes.extend(self.secs.to_be_bytes());
        bytes.extend(flags.to_be_bytes());
        bytes.extend(ciaddr.octets());
        bytes.extend([0; 8]); // yiaddr, siaddr
        bytes.extend(giaddr.octets());
        bytes.extend(self.hw_address);
        bytes.extend([0; 10 + 64 + 128]); // the rest of chaddr, sname, file
        bytes.extend(COOKIE);
        bytes
    }
}

impl Relay4 {
    /// RFC 3046 §2.1: option 82 is the last one before End.
    fn put_relay_info(&self, bytes: &mut Vec<u8>) {
        if self.relay_info.is_empty() {
            return;
        }
        let mut sub_options = Vec::new();
        for (code, data) in &self.relay_info {
            put_option(&mut sub_options, *code, data);
        }
        put_option(bytes, code::RELAY_INFO, &sub_options);
    }
}

/// Appends an option; what exceeds 255 bytes continues in further options (RFC 3396 §5).
fn put_option(bytes: &mut Vec<u8>, code: u8, data: &[u8]) {
    if data.is_empty() {
        bytes.extend([code, 0]);
    }
    for part in data.chunks(255) {
        bytes.push(code);
        bytes.push(u8::try_from(part.len()).expect("a chunk holds at most 255 bytes"));
        bytes.extend(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

    fn client() -> Client4 {
        let mut client = Client4::new(MAC);
        client.options.clear();
        client
    }

    fn options_of(message: &[u8]) -> &[u8] {
        let end = message.iter().rposition(|byte| *byte == 255).unwrap();
        &message[240..end]
    }

    fn lease() -> Reply4Seen {
        Reply4Seen::parse(&crate::reply4::samples::ack()).unwrap()
    }

    #[test]
    fn discover_is_a_bootp_request_of_at_least_300_bytes() {
        let mut client = client();
        client.broadcast = true;
        let message = client.discover();
        assert_eq!(message.len(), 300);
        assert_eq!(message[..4], [1, 1, 6, 0]);
        assert_eq!(message[4..8], client.xid().to_be_bytes());
        assert_eq!(message[10..12], [0x80, 0]);
        assert_eq!(message[28..34], MAC);
        assert_eq!(message[236..240], COOKIE);
        assert_eq!(options_of(&message), [53, 1, 1]);
    }

    #[test]
    fn each_request_carries_what_table_5_of_rfc_2131_allows() {
        let lease = lease();
        let address = lease.yiaddr.octets();
        let with_address = [&[50, 4][..], &address].concat();
        let with_server = [&[54, 4][..], &lease.server_id().unwrap().octets()].concat();
        let request = vec![53, 1, 3];
        let mut client = client();
        let cases = [
            (
                client.request_selecting(&lease),
                [0; 4],
                [&request[..], &with_address, &with_server].concat(),
            ),
            (
                client.request_init_reboot(lease.yiaddr),
                [0; 4],
                [&request[..], &with_address].concat(),
            ),
            (
                client.request_renewing(lease.yiaddr),
                address,
                request.clone(),
            ),
            (client.request_rebinding(lease.yiaddr), address, request),
            (
                client.release(&lease),
                address,
                [&[53, 1, 7][..], &with_server].concat(),
            ),
            (
                client.decline(&lease),
                [0; 4],
                [&[53, 1, 4][..], &with_address, &with_server].concat(),
            ),
            (client.inform(lease.yiaddr), address, vec![53, 1, 8]),
        ];
        for (message, ciaddr, options) in cases {
            assert_eq!(message[12..16], ciaddr);
            assert_eq!(options_of(&message), options);
        }
    }

    #[test]
    fn parameters_are_requested_in_all_messages_but_decline_and_release() {
        let mut client = Client4::new(MAC);
        client.options = vec![(55, vec![1]), (60, vec![9])];
        let lease = lease();
        let list = [55, 1, 1];
        let requests = |message: Vec<u8>| {
            let options = options_of(&message);
            assert!(options.ends_with(&[60, 1, 9]));
            options.windows(3).any(|part| part == list)
        };
        assert!(requests(client.discover()));
        assert!(requests(client.request_renewing(lease.yiaddr)));
        assert!(requests(client.inform(lease.yiaddr)));
        assert!(!requests(client.decline(&lease)));
        assert!(!requests(client.release(&lease)));
    }

    #[test]
    fn selecting_stays_in_the_transaction_of_the_offer_and_renewing_begins_one() {
        let mut client = client();
        let lease = lease();
        let message = client.request_selecting(&lease);
        assert_eq!(message[4..8], lease.xid.to_be_bytes());
        let message = client.request_renewing(lease.yiaddr);
        assert_ne!(message[4..8], lease.xid.to_be_bytes());
    }

    #[test]
    fn relayed_message_names_giaddr_and_ends_with_relay_information() {
        let mut client = client();
        client.client_id = Some(vec![1, 9]);
        client.relay = Some(Relay4 {
            giaddr: Ipv4Addr::new(10, 0, 0, 1),
            relay_info: vec![(1, b"port7".to_vec()), (2, vec![5])],
        });
        let message = client.discover();
        assert_eq!(message[3], 1);
        assert_eq!(message[24..28], [10, 0, 0, 1]);
        let expected = b"\x35\x01\x01\x3d\x02\x01\x09\x52\x0a\x01\x05port7\x02\x01\x05";
        assert_eq!(options_of(&message), expected);
    }

    #[test]
    fn long_option_continues_in_a_second_one() {
        let mut client = client();
        client.options = vec![(43, vec![7; 300])];
        let message = client.discover();
        let options = options_of(&message);
        assert_eq!(options[3..5], [43, 255]);
        assert_eq!(options[260..262], [43, 45]);
        assert_eq!(options.len(), 3 + 2 + 255 + 2 + 45);
    }
}

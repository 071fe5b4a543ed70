//! A DHCPv6 client (RFC 8415), with optional relays in front of it.

use std::net::Ipv6Addr;

use crate::reply6::{IaSeen, Reply6Seen};

/// DHCPv6 message types.
pub mod message {
    /// The client looks for servers.
    pub const SOLICIT: u8 = 1;
    /// The server offers.
    pub const ADVERTISE: u8 = 2;
    /// The client asks for what was advertised.
    pub const REQUEST: u8 = 3;
    /// The client asks whether its addresses fit the link.
    pub const CONFIRM: u8 = 4;
    /// The client extends its leases at their server.
    pub const RENEW: u8 = 5;
    /// The client extends its leases at any server.
    pub const REBIND: u8 = 6;
    /// The server answers.
    pub const REPLY: u8 = 7;
    /// The client gives leases back.
    pub const RELEASE: u8 = 8;
    /// The client found addresses in use.
    pub const DECLINE: u8 = 9;
    /// The client wants options only.
    pub const INFORMATION_REQUEST: u8 = 11;
    /// The client made an address itself (RFC 9686).
    pub const ADDR_REG_INFORM: u8 = 36;
    /// The server answers a registration.
    pub const ADDR_REG_REPLY: u8 = 37;
    /// A relay passes a message on to the server.
    pub const RELAY_FORW: u8 = 12;
    /// The server's answer to a relay.
    pub const RELAY_REPL: u8 = 13;
}

/// Options that clients and relays of the kit write and read themselves.
pub(crate) mod code {
    pub(crate) const CLIENT_ID: u16 = 1;
    pub(crate) const SERVER_ID: u16 = 2;
    pub(crate) const IA_NA: u16 = 3;
    pub(crate) const IA_ADDRESS: u16 = 5;
    pub(crate) const ORO: u16 = 6;
    pub(crate) const ELAPSED_TIME: u16 = 8;
    pub(crate) const RELAY_MESSAGE: u16 = 9;
    pub(crate) const STATUS_CODE: u16 = 13;
    pub(crate) const RAPID_COMMIT: u16 = 14;
    pub(crate) const INTERFACE_ID: u16 = 18;
    pub(crate) const IA_PD: u16 = 25;
    pub(crate) const IA_PREFIX: u16 = 26;
}

/// What an identity association holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IaKind {
    /// Addresses (IA_NA).
    Na,
    /// Delegated prefixes (IA_PD).
    Pd,
}

/// What a client would like to get in an IA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint6 {
    /// An address, for IA_NA.
    Address(Ipv6Addr),
    /// A prefix and its length, for IA_PD; `::` asks for the length only.
    Prefix(Ipv6Addr, u8),
}

/// An identity association of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ia {
    /// Addresses or prefixes.
    pub kind: IaKind,
    /// Its identifier, unique among the client's of this kind.
    pub iaid: u32,
    /// Sent with Solicit and with Requests made without an Advertise.
    pub hints: Vec<Hint6>,
}

impl Ia {
    /// An IA_NA without hints.
    #[must_use]
    pub fn na(iaid: u32) -> Self {
        Self {
            kind: IaKind::Na,
            iaid,
            hints: Vec::new(),
        }
    }

    /// An IA_PD without hints.
    #[must_use]
    pub fn pd(iaid: u32) -> Self {
        Self {
            kind: IaKind::Pd,
            iaid,
            hints: Vec::new(),
        }
    }
}

/// A relay agent between client and server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay6 {
    /// Address on the client's link; `::` where another relay names it.
    pub link_address: Ipv6Addr,
    /// From where the relay got the message.
    pub peer_address: Ipv6Addr,
    /// Option 18, which the server has to echo.
    pub interface_id: Option<Vec<u8>>,
    /// Further options of the relay, in order.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Relay6 {
    /// A relay with these addresses and no options.
    #[must_use]
    pub fn new(link_address: Ipv6Addr, peer_address: Ipv6Addr) -> Self {
        Self {
            link_address,
            peer_address,
            interface_id: None,
            options: Vec::new(),
        }
    }
}

/// A DHCPv6 client. It builds messages; it owns no socket and no timer.
#[derive(Clone, Debug)]
pub struct Client6 {
    /// The client's DUID, whole.
    pub duid: Vec<u8>,
    /// What the client wants leased.
    pub ias: Vec<Ia>,
    /// Option request option; empty means none is sent. Confirm, Release and Decline never have
    /// one (RFC 8415 §21.7, appendix B), nor has ADDR-REG-INFORM.
    pub requested: Vec<u16>,
    /// Options added to every message, in order.
    pub options: Vec<(u16, Vec<u8>)>,
    /// Adds Rapid Commit to Solicit.
    pub rapid_commit: bool,
    /// Elapsed time in hundredths of a second.
    pub elapsed: u16,
    /// Makes every message look as if these relays had forwarded it; the first is nearest to the
    /// client.
    pub relays: Vec<Relay6>,
    xid: u32,
}

/// Leases that a message names: for each IA its identity and options.
type NamedLeases = Vec<(IaKind, u32, Vec<u8>)>;

impl Client6 {
    /// A client that wants these IAs.
    #[must_use]
    pub fn new(duid: Vec<u8>, ias: Vec<Ia>) -> Self {
        // Clients with neighbouring identifiers get distant transactions (FNV-1a).
        let xid = duid.iter().fold(0x811C_9DC5_u32, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        Self {
            duid,
            ias,
            requested: vec![23, 24],
            options: Vec::new(),
            rapid_commit: false,
            elapsed: 0,
            relays: Vec::new(),
            xid: xid & 0xFF_FFFF,
        }
    }

    /// A DUID-LL for an Ethernet address (RFC 8415 §11.4).
    #[must_use]
    pub fn duid_ll(hw_address: [u8; 6]) -> Vec<u8> {
        let mut duid = vec![0, 3, 0, 1];
        duid.extend(hw_address);
        duid
    }

    /// Transaction id of the last message.
    #[must_use]
    pub fn xid(&self) -> u32 {
        self.xid
    }

    /// Solicit, with the hints.
    pub fn solicit(&mut self) -> Vec<u8> {
        let ias = self.hinted();
        self.message(message::SOLICIT, None, &ias, self.rapid_commit)
    }

    /// Request of what the server advertised.
    pub fn request(&mut self, advertise: &Reply6Seen) -> Vec<u8> {
        let ias = self.offered(advertise);
        self.message(message::REQUEST, advertise.server_id(), &ias, false)
    }

    /// Renew of the leases in a reply, at their server.
    pub fn renew(&mut self, reply: &Reply6Seen) -> Vec<u8> {
        let ias = self.leased(reply);
        self.message(message::RENEW, reply.server_id(), &ias, false)
    }

    /// Rebind of the leases in a reply, at any server.
    pub fn rebind(&mut self, reply: &Reply6Seen) -> Vec<u8> {
        let ias = self.leased(reply);
        self.message(message::REBIND, None, &ias, false)
    }

    /// Release of the leases in a reply.
    pub fn release(&mut self, reply: &Reply6Seen) -> Vec<u8> {
        let ias = leases_in(reply);
        self.message(message::RELEASE, reply.server_id(), &ias, false)
    }

    /// Decline of the addresses in a reply. Prefixes cannot be declined (RFC 8415 §18.2.8).
    pub fn decline(&mut self, reply: &Reply6Seen) -> Vec<u8> {
        let ias = only_addresses(leases_in(reply));
        self.message(message::DECLINE, reply.server_id(), &ias, false)
    }

    /// Confirm of the addresses in a reply, at any server. Prefixes cannot be confirmed.
    pub fn confirm(&mut self, reply: &Reply6Seen) -> Vec<u8> {
        let ias = only_addresses(leases_in(reply));
        self.message(message::CONFIRM, None, &ias, false)
    }

    /// Information-request, without IAs.
    pub fn information_request(&mut self) -> Vec<u8> {
        self.message(message::INFORMATION_REQUEST, None, &Vec::new(), false)
    }

    /// Registration of an address that the client made itself, with its preferred and valid lifetime (RFC 9686). It goes
    /// out from that address.
    pub fn register(&mut self, address: Ipv6Addr, (preferred, valid): (u32, u32)) -> Vec<u8> {
        let mut data = address.octets().to_vec();
        data.extend(preferred.to_be_bytes());
        data.extend(valid.to_be_bytes());
        self.options.insert(0, (code::IA_ADDRESS, data));
        let message = self.message(message::ADDR_REG_INFORM, None, &Vec::new(), false);
        self.options.remove(0);
        message
    }

    fn hinted(&self) -> NamedLeases {
        self.ias
            .iter()
            .map(|ia| {
                let mut options = Vec::new();
                for hint in &ia.hints {
                    put_hint(&mut options, *hint);
                }
                (ia.kind, ia.iaid, options)
            })
            .collect()
    }

    /// The client's IAs, each with what the Advertise offers for it.
    fn offered(&self, advertise: &Reply6Seen) -> NamedLeases {
        let mut ias = self.hinted();
        for (kind, iaid, options) in &mut ias {
            if let Some(seen) = advertise.ia(*kind, *iaid) {
                *options = leases_of(seen);
            }
        }
        ias
    }

    /// The client's IAs, each with what the Reply leased; one without leases is sent empty.
    fn leased(&self, reply: &Reply6Seen) -> NamedLeases {
        let leases = |ia: &Ia| reply.ia(ia.kind, ia.iaid).map(leases_of);
        self.ias
            .iter()
            .map(|ia| (ia.kind, ia.iaid, leases(ia).unwrap_or_default()))
            .collect()
    }

    fn message(
        &mut self,
        message_type: u8,
        server_id: Option<&[u8]>,
        ias: &NamedLeases,
        rapid_commit: bool,
    ) -> Vec<u8> {
        self.xid = (self.xid + 1) & 0xFF_FFFF;
        let [_, xid @ ..] = self.xid.to_be_bytes();
        let mut bytes = vec![message_type];
        bytes.extend(xid);
        put_option(&mut bytes, code::CLIENT_ID, &self.duid);
        if let Some(server_id) = server_id {
            put_option(&mut bytes, code::SERVER_ID, server_id);
        }
        if rapid_commit {
            put_option(&mut bytes, code::RAPID_COMMIT, &[]);
        }
        put_option(&mut bytes, code::ELAPSED_TIME, &self.elapsed.to_be_bytes());
        let requests_nothing = matches!(
            message_type,
            message::CONFIRM | message::RELEASE | message::DECLINE | message::ADDR_REG_INFORM
        );
        if !self.requested.is_empty() && !requests_nothing {
            let codes: Vec<u8> = self
                .requested
                .iter()
                .flat_map(|code| code.to_be_bytes())
                .collect();
            put_option(&mut bytes, code::ORO, &codes);
        }
        for (kind, iaid, options) in ias {
            put_ia(&mut bytes, *kind, *iaid, options);
        }
        for (code, data) in &self.options {
            put_option(&mut bytes, *code, data);
        }
        self.relayed(bytes)
    }

    /// Wraps a message in one Relay-forward per relay (RFC 8415 §19.1).
    fn relayed(&self, message: Vec<u8>) -> Vec<u8> {
        let hop_counts = 0..=u8::MAX;
        self.relays
            .iter()
            .zip(hop_counts)
            .fold(message, |inner, (relay, hop_count)| {
                let mut bytes = vec![message::RELAY_FORW, hop_count];
                bytes.extend(relay.link_address.octets());
                bytes.extend(relay.peer_address.octets());
                if let Some(interface_id) = &relay.interface_id {
                    put_option(&mut bytes, code::INTERFACE_ID, interface_id);
                }
                for (code, data) in &relay.options {
                    put_option(&mut bytes, *code, data);
                }
                put_option(&mut bytes, code::RELAY_MESSAGE, &inner);
                bytes
            })
    }
}

fn leases_in(reply: &Reply6Seen) -> NamedLeases {
    reply
        .ias()
        .iter()
        .map(|ia| (ia.kind, ia.iaid, leases_of(ia)))
        .collect()
}

fn only_addresses(ias: NamedLeases) -> NamedLeases {
    ias.into_iter()
        .filter(|(kind, _, _)| *kind == IaKind::Na)
        .collect()
}

/// The IA's leases as options. RFC 8415 §21.6 and §21.22: a client sends lifetimes of zero.
/// RFC 8415 §18.2.10.1: it forgets what the server withdrew by a valid lifetime of zero.
fn leases_of(ia: &IaSeen) -> Vec<u8> {
    let mut options = Vec::new();
    for lease in ia.addresses.iter().filter(|lease| lease.valid > 0) {
        put_hint(&mut options, Hint6::Address(lease.address));
    }
    for lease in ia.prefixes.iter().filter(|lease| lease.valid > 0) {
        put_hint(&mut options, Hint6::Prefix(lease.prefix, lease.length));
    }
    options
}

fn put_hint(bytes: &mut Vec<u8>, hint: Hint6) {
    let mut data = Vec::new();
    match hint {
        Hint6::Address(address) => {
            data.extend(address.octets());
            data.extend([0; 8]);
            put_option(bytes, code::IA_ADDRESS, &data);
        }
        Hint6::Prefix(prefix, length) => {
            data.extend([0; 8]);
            data.push(length);
            data.extend(prefix.octets());
            put_option(bytes, code::IA_PREFIX, &data);
        }
    }
}

fn put_ia(bytes: &mut Vec<u8>, kind: IaKind, iaid: u32, options: &[u8]) {
    let code = match kind {
        IaKind::Na => code::IA_NA,
        IaKind::Pd => code::IA_PD,
    };
    let mut data = iaid.to_be_bytes().to_vec();
    data.extend([0; 8]); // T1, T2: no preference
    data.extend(options);
    put_option(bytes, code, &data);
}

/// Appends an option.
///
/// # Panics
///
/// When the data does not fit the 16-bit length: a test asked for what cannot be sent.
fn put_option(bytes: &mut Vec<u8>, code: u16, data: &[u8]) {
    let length = u16::try_from(data.len()).expect("a DHCPv6 option holds at most 65535 bytes");
    bytes.extend(code.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply6::samples;

    fn client() -> Client6 {
        let mut client = Client6::new(vec![0, 3, 0, 1, 2, 0, 0, 0, 0, 7], vec![Ia::na(1)]);
        client.requested.clear();
        client
    }

    fn after_client_id(message: &[u8]) -> &[u8] {
        &message[4 + 4 + 10..]
    }

    #[test]
    fn solicit_has_client_id_rapid_commit_elapsed_time_oro_and_ia_with_hint() {
        let mut client = client();
        client.rapid_commit = true;
        client.requested = vec![23];
        client.ias[0].hints = vec![Hint6::Address("2001:db8::9".parse().unwrap())];
        client.options = vec![(17, vec![0, 0, 17, 139])];
        let message = client.solicit();
        assert_eq!(message[0], message::SOLICIT);
        assert_eq!(message[1..4], client.xid().to_be_bytes()[1..]);
        assert_eq!(message[4..8], [0, 1, 0, 10]);
        let expected = [
            &[0, 14, 0, 0][..],
            &[0, 8, 0, 2, 0, 0],
            &[0, 6, 0, 2, 0, 23],
            &[0, 3, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[
                0, 5, 0, 24, 0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
            ],
            &[0; 8],
            &[0, 17, 0, 4, 0, 0, 17, 139],
        ]
        .concat();
        assert_eq!(after_client_id(&message), expected);
    }

    #[test]
    fn each_message_names_server_and_leases_as_rfc_8415_wants() {
        let reply = Reply6Seen::parse(&samples::reply()).unwrap();
        let mut client = client();
        client.ias.push(Ia::pd(2));
        let has = |message: &[u8], option: &[u8]| {
            message.windows(option.len()).any(|part| part == option)
        };
        let server = [&[0, 2, 0, 4][..], b"serv"].concat();
        let address = [&[0, 5, 0, 24][..], &samples::ADDRESS.octets(), &[0; 8]].concat();
        let prefix = [
            &[0, 26, 0, 25][..],
            &[0; 8],
            &[56],
            &samples::PREFIX.octets(),
        ]
        .concat();
        let cases = [
            (client.request(&reply), message::REQUEST, true, true),
            (client.renew(&reply), message::RENEW, true, true),
            (client.rebind(&reply), message::REBIND, false, true),
            (client.release(&reply), message::RELEASE, true, true),
            (client.decline(&reply), message::DECLINE, true, false),
            (client.confirm(&reply), message::CONFIRM, false, false),
        ];
        for (message, message_type, to_server, with_prefix) in cases {
            assert_eq!(message[0], message_type);
            assert_eq!(has(&message, &server), to_server, "{message_type}");
            assert!(has(&message, &address), "{message_type}");
            assert_eq!(has(&message, &prefix), with_prefix, "{message_type}");
        }
        let message = client.information_request();
        assert_eq!(after_client_id(&message), [0, 8, 0, 2, 0, 0]);
    }

    #[test]
    fn registration_has_the_address_and_its_lifetimes_and_no_option_request() {
        let mut client = client();
        client.requested = vec![23];
        client.options = vec![(39, vec![0])];
        let message = client.register("2001:db8::9".parse().unwrap(), (1, 2));
        assert_eq!(message[0], message::ADDR_REG_INFORM);
        let expected = [
            &[0, 8, 0, 2, 0, 0][..],
            &[0, 5, 0, 24, 0x20, 1, 0xD, 0xB8],
            &[0; 11],
            &[9, 0, 0, 0, 1, 0, 0, 0, 2],
            &[0, 39, 0, 1, 0],
        ]
        .concat();
        assert_eq!(after_client_id(&message), expected);
        assert_eq!(client.options.len(), 1);
    }

    #[test]
    fn withdrawn_leases_are_forgotten() {
        let mut bytes = samples::reply();
        let at = bytes
            .windows(16)
            .position(|part| part == samples::ADDRESS.octets());
        let lifetimes = at.unwrap() + 16;
        bytes[lifetimes..lifetimes + 8].fill(0);
        let mut client = client();
        client.ias.push(Ia::pd(2));
        let renew = client.renew(&Reply6Seen::parse(&bytes).unwrap());
        let names = |address: Ipv6Addr| renew.windows(16).any(|part| part == address.octets());
        assert!(!names(samples::ADDRESS));
        assert!(names(samples::PREFIX));
    }

    #[test]
    fn options_are_requested_in_all_messages_but_confirm_release_and_decline() {
        let reply = Reply6Seen::parse(&samples::reply()).unwrap();
        let mut client = client();
        client.requested = vec![23];
        let requests = |message: Vec<u8>| {
            let list = [0, 6, 0, 2, 0, 23];
            message.windows(list.len()).any(|part| part == list)
        };
        assert!(requests(client.solicit()));
        assert!(requests(client.request(&reply)));
        assert!(requests(client.renew(&reply)));
        assert!(requests(client.rebind(&reply)));
        assert!(requests(client.information_request()));
        assert!(!requests(client.confirm(&reply)));
        assert!(!requests(client.release(&reply)));
        assert!(!requests(client.decline(&reply)));
    }

    #[test]
    fn relays_wrap_the_message_from_the_client_outwards() {
        let mut client = client();
        let direct = client.clone().solicit();
        let near = Relay6 {
            interface_id: Some(b"p1".to_vec()),
            ..Relay6::new("2001:db8::1".parse().unwrap(), "fe80::7".parse().unwrap())
        };
        let far = Relay6::new(Ipv6Addr::UNSPECIFIED, "2001:db8::1".parse().unwrap());
        client.relays = vec![near, far];
        let message = client.solicit();
        let inner = 34 + 4;
        assert_eq!(message[..2], [12, 1]);
        assert_eq!(message[34..36], [0, 9]);
        assert_eq!(message[inner..inner + 2], [12, 0]);
        assert_eq!(message[inner + 34..inner + 40], [0, 18, 0, 2, b'p', b'1']);
        assert_eq!(message[inner + 40 + 4..], direct);
    }
}

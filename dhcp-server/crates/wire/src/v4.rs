//! DHCPv4 packets (RFC 2131 §2).

mod decode;
mod reply;

pub use decode::{Malformed4, decode};
pub use dhcproto::v4::MessageType;
pub use reply::{Encoded, Reply4};

use crate::ids::{ClientId, HwAddress};
use crate::options::{Options, TooLong, What};
use std::net::Ipv4Addr;

/// Option codes that this crate or the packet stages look at (RFC 2132 unless said otherwise).
pub mod code {
    /// Filler without a length.
    pub const PAD: u16 = 0;
    /// Subnet mask.
    pub const SUBNET_MASK: u16 = 1;
    /// Routers.
    pub const ROUTERS: u16 = 3;
    /// Name servers for the domain name system.
    pub const DOMAIN_NAME_SERVERS: u16 = 6;
    /// Host name.
    pub const HOST_NAME: u16 = 12;
    /// Domain name.
    pub const DOMAIN_NAME: u16 = 15;
    /// Broadcast address.
    pub const BROADCAST_ADDRESS: u16 = 28;
    /// Vendor-specific information.
    pub const VENDOR_ENCAPSULATED: u16 = 43;
    /// Requested IP address.
    pub const REQUESTED_ADDRESS: u16 = 50;
    /// IP address lease time.
    pub const LEASE_TIME: u16 = 51;
    /// Option overload.
    pub const OVERLOAD: u16 = 52;
    /// DHCP message type.
    pub const MESSAGE_TYPE: u16 = 53;
    /// Server identifier.
    pub const SERVER_ID: u16 = 54;
    /// Parameter request list.
    pub const PARAMETER_REQUEST_LIST: u16 = 55;
    /// Error message.
    pub const MESSAGE: u16 = 56;
    /// Maximum DHCP message size.
    pub const MAX_MESSAGE_SIZE: u16 = 57;
    /// Renewal time (T1).
    pub const RENEWAL_TIME: u16 = 58;
    /// Rebinding time (T2).
    pub const REBINDING_TIME: u16 = 59;
    /// Vendor class identifier.
    pub const VENDOR_CLASS: u16 = 60;
    /// Client identifier.
    pub const CLIENT_ID: u16 = 61;
    /// User class (RFC 3004).
    pub const USER_CLASS: u16 = 77;
    /// Rapid commit (RFC 4039).
    pub const RAPID_COMMIT: u16 = 80;
    /// Client FQDN (RFC 4702).
    pub const CLIENT_FQDN: u16 = 81;
    /// Relay agent information (RFC 3046).
    pub const RELAY_INFO: u16 = 82;
    /// IPv6-only preferred (RFC 8925).
    pub const V6_ONLY_PREFERRED: u16 = 108;
    /// Subnet selection (RFC 3011).
    pub const SUBNET_SELECTION: u16 = 118;
    /// Classless static routes (RFC 3442).
    pub const CLASSLESS_ROUTES: u16 = 121;
    /// Vendor-identifying vendor class (RFC 3925).
    pub const VIVCO: u16 = 124;
    /// Vendor-identifying vendor-specific information (RFC 3925).
    pub const VIVSO: u16 = 125;
    /// End of the options.
    pub const END: u16 = 255;
}

/// `op` of what clients send.
pub const BOOT_REQUEST: u8 = 1;
/// `op` of what servers send.
pub const BOOT_REPLY: u8 = 2;
/// The client cannot receive unicast before it is configured (RFC 2131 §4.1).
pub const FLAG_BROADCAST: u16 = 0x8000;
/// First bytes of the options field (RFC 2131 §3).
pub(crate) const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Bytes before the cookie.
pub(crate) const HEADER_LEN: usize = 236;
/// Longest hardware address that `chaddr` holds.
pub const MAX_HLEN: u8 = 16;

/// The fixed fields (RFC 2131 figure 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header4 {
    /// [`BOOT_REQUEST`] or [`BOOT_REPLY`].
    pub op: u8,
    /// Hardware type by IANA's ARP registry.
    pub htype: u8,
    /// Bytes of `chaddr` that count; at most [`MAX_HLEN`] in a decoded packet.
    pub hlen: u8,
    /// Relays passed.
    pub hops: u8,
    /// Transaction id.
    pub xid: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// [`FLAG_BROADCAST`]; the other bits must be zero.
    pub flags: u16,
    /// Address that the client has and answers ARP for.
    pub ciaddr: Ipv4Addr,
    /// Address given to the client.
    pub yiaddr: Ipv4Addr,
    /// Server to boot from next.
    pub siaddr: Ipv4Addr,
    /// Relay through which the client is reached; also says which network it is on.
    pub giaddr: Ipv4Addr,
    /// Hardware address, `hlen` bytes of it.
    pub chaddr: [u8; 16],
    /// Server host name, ended by a zero byte; all zero in a decoded packet whose options overload the field.
    pub sname: [u8; 64],
    /// Boot file name, ended by a zero byte; all zero in a decoded packet whose options overload the field.
    pub file: [u8; 128],
}

impl Default for Header4 {
    fn default() -> Self {
        Self {
            op: BOOT_REQUEST,
            htype: 1,
            hlen: 6,
            hops: 0,
            xid: 0,
            secs: 0,
            flags: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            chaddr: [0; 16],
            sname: [0; 64],
            file: [0; 128],
        }
    }
}

impl Header4 {
    /// `htype` and the first `hlen` bytes of `chaddr`.
    #[must_use]
    pub fn hw_address(&self) -> HwAddress {
        let bytes = self
            .chaddr
            .get(..usize::from(self.hlen))
            .unwrap_or_default();
        HwAddress::new(u16::from(self.htype), bytes).unwrap_or_default()
    }

    /// `sname` up to its zero byte.
    #[must_use]
    pub fn server_name(&self) -> &[u8] {
        text(&self.sname)
    }

    /// `file` up to its zero byte.
    #[must_use]
    pub fn boot_file(&self) -> &[u8] {
        text(&self.file)
    }

    /// Fills `sname` with a text and zeros.
    ///
    /// # Errors
    ///
    /// Where the text is longer than 63 bytes; the field is then unchanged.
    pub fn set_server_name(&mut self, name: &[u8]) -> Result<(), TooLong> {
        set_text(&mut self.sname, name, "sname")
    }

    /// Fills `file` with a text and zeros.
    ///
    /// # Errors
    ///
    /// Where the text is longer than 127 bytes; the field is then unchanged.
    pub fn set_boot_file(&mut self, name: &[u8]) -> Result<(), TooLong> {
        set_text(&mut self.file, name, "file")
    }
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn set_text(field: &mut [u8], text: &[u8], name: &'static str) -> Result<(), TooLong> {
    // RFC 2131 figure 1: a zero byte ends the text.
    if text.len() >= field.len() {
        return Err(TooLong {
            what: What::Field(name),
            len: text.len() + 1,
            limit: field.len(),
        });
    }
    let (start, rest) = field.split_at_mut(text.len());
    start.copy_from_slice(text);
    rest.fill(0);
    Ok(())
}

/// A packet from a client or relay. Typed views give `None` where the option is absent or its length is wrong: a bad
/// option invalidates itself only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet4 {
    /// The fixed fields.
    pub header: Header4,
    /// Each code once (RFC 3396 joins repeated ones), in the order of first appearance: options field, then `file`,
    /// then `sname`.
    pub options: Options,
    /// Option 53; `None` for BOOTP.
    pub message_type: Option<MessageType>,
}

impl Packet4 {
    /// Hardware address of the client; empty where `hlen` is 0.
    #[must_use]
    pub fn hw_address(&self) -> HwAddress {
        self.header.hw_address()
    }

    /// Option 61.
    #[must_use]
    pub fn client_id(&self) -> Option<ClientId> {
        ClientId::new(self.options.get(code::CLIENT_ID)?)
    }

    /// Option 50.
    #[must_use]
    pub fn requested_address(&self) -> Option<Ipv4Addr> {
        self.option_addr(code::REQUESTED_ADDRESS)
    }

    /// Option 54: the server the client means.
    #[must_use]
    pub fn server_id(&self) -> Option<Ipv4Addr> {
        self.option_addr(code::SERVER_ID)
    }

    /// Option 51, in seconds: the lease time the client asks for.
    #[must_use]
    pub fn lease_time(&self) -> Option<u32> {
        self.option_u32(code::LEASE_TIME)
    }

    /// Option 57, in bytes of an IP datagram: IP and UDP header count (RFC 2132 §9.10; values under 576 are not legal,
    /// but returned).
    #[must_use]
    pub fn max_message_size(&self) -> Option<u16> {
        self.option_u16(code::MAX_MESSAGE_SIZE)
    }

    /// Option 55: codes the client asks for, in its order of preference; empty where it asks for none.
    #[must_use]
    pub fn parameter_request_list(&self) -> &[u8] {
        self.options
            .get(code::PARAMETER_REQUEST_LIST)
            .unwrap_or_default()
    }

    /// Option 82, to be read with [`crate::relay4`].
    #[must_use]
    pub fn relay_info(&self) -> Option<&[u8]> {
        self.options.get(code::RELAY_INFO)
    }

    /// Option 118 (RFC 3011).
    #[must_use]
    pub fn subnet_selection(&self) -> Option<Ipv4Addr> {
        self.option_addr(code::SUBNET_SELECTION)
    }

    /// Option 60.
    #[must_use]
    pub fn vendor_class(&self) -> Option<&[u8]> {
        self.options.get(code::VENDOR_CLASS)
    }

    /// Option 80 (RFC 4039).
    #[must_use]
    pub fn rapid_commit(&self) -> bool {
        self.options
            .get(code::RAPID_COMMIT)
            .is_some_and(<[u8]>::is_empty)
    }

    /// Whether a relay forwarded it.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        !self.header.giaddr.is_unspecified()
    }

    /// Whether the client wants the answer as a broadcast.
    #[must_use]
    pub fn broadcast(&self) -> bool {
        self.header.flags & FLAG_BROADCAST != 0
    }

    /// An option of exactly one byte.
    #[must_use]
    pub fn option_u8(&self, code: u16) -> Option<u8> {
        self.option_array(code).map(|[byte]: [u8; 1]| byte)
    }

    /// An option of exactly two bytes.
    #[must_use]
    pub fn option_u16(&self, code: u16) -> Option<u16> {
        self.option_array(code).map(u16::from_be_bytes)
    }

    /// An option of exactly four bytes.
    #[must_use]
    pub fn option_u32(&self, code: u16) -> Option<u32> {
        self.option_array(code).map(u32::from_be_bytes)
    }

    /// An option that is exactly one address.
    #[must_use]
    pub fn option_addr(&self, code: u16) -> Option<Ipv4Addr> {
        self.option_array::<4>(code).map(Ipv4Addr::from)
    }

    fn option_array<const N: usize>(&self, code: u16) -> Option<[u8; N]> {
        self.options.get(code)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests;

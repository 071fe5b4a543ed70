//! Identifiers of clients, checked where they enter.

use smallvec::SmallVec;
use std::fmt;
use std::net::Ipv6Addr;

/// Writes bytes as lower-case hex pairs joined by `:`.
///
/// # Errors
///
/// Those of the formatter.
pub fn fmt_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            f.write_str(":")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

/// A hardware address with its type: at most 20 bytes (16 on a DHCPv4 wire), possibly none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HwAddress {
    htype: u16,
    len: u8,
    bytes: [u8; Self::MAX],
}

impl HwAddress {
    /// Longest address, in bytes.
    pub const MAX: usize = 20;
    /// No address at all.
    pub const EMPTY: Self = Self {
        htype: 0,
        len: 0,
        bytes: [0; Self::MAX],
    };

    /// `None` where `bytes` is longer than [`Self::MAX`].
    #[must_use]
    pub fn new(htype: u16, bytes: &[u8]) -> Option<Self> {
        let mut address = Self {
            htype,
            len: u8::try_from(bytes.len()).ok()?,
            bytes: [0; Self::MAX],
        };
        address.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(address)
    }

    /// Hardware type by IANA's ARP registry: 1 is Ethernet.
    #[must_use]
    pub fn htype(&self) -> u16 {
        self.htype
    }

    /// The address itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether the client sent no hardware address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for HwAddress {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// `hwtype=1 52:54:00:0a:0b:01`
impl fmt::Display for HwAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hwtype={} ", self.htype)?;
        fmt_hex(self.bytes(), f)
    }
}

impl fmt::Debug for HwAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $min:literal ..= $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmallVec<[u8; 22]>);

        impl $name {
            /// Shortest legal length, in bytes.
            pub const MIN: usize = $min;
            /// Longest legal length, in bytes.
            pub const MAX: usize = $max;

            /// `None` where the length is out of range.
            #[must_use]
            pub fn new(bytes: &[u8]) -> Option<Self> {
                ($min..=$max).contains(&bytes.len()).then(|| Self(SmallVec::from_slice(bytes)))
            }

            /// The identifier's bytes, without option code or length.
            #[must_use]
            pub fn bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_hex(&self.0, f)
            }
        }
    };
}

byte_id! {
    /// DHCPv4 client identifier, option 61 (RFC 2132 §9.14: at least 2 bytes; one length byte: at most 255).
    ClientId, 2..=255
}
byte_id! {
    /// DHCP unique identifier (RFC 9915 §11.1: at most 130 bytes; Kea's minimum of 3: a type and something).
    Duid, 3..=130
}

/// Identity association identifier: chosen by the client, unique among its IAs of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iaid(pub u32);

/// An IPv6 prefix. The bits behind `len` are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix6 {
    /// First address.
    pub addr: Ipv6Addr,
    /// 0 to 128.
    pub len: u8,
}

impl Prefix6 {
    /// The prefix of `len` bits that `addr` lies in; `None` where `len` is over 128.
    #[must_use]
    pub fn new(addr: Ipv6Addr, len: u8) -> Option<Self> {
        let host_bits = 128_u32.checked_sub(u32::from(len))?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self {
            addr: Ipv6Addr::from_bits(addr.to_bits() & mask),
            len,
        })
    }
}

impl fmt::Display for Prefix6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

impl fmt::Debug for Prefix6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

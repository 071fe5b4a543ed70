//! Whom a packet is from.

use crate::identifier::IdentifierType;
use outrigger_hook_sdk::v1;
use outrigger_wire::v6::code;
use outrigger_wire::{Duid, HwAddress};
use std::fmt;

/// A client with an identifier that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// By its hardware address.
    V4(HwAddress),
    /// By its DUID.
    V6(Duid),
}

impl Client {
    /// The client of a DHCPv4 query; `None` where it sent no hardware address, or one that is none.
    #[must_use]
    pub fn of4(query: &v1::Packet4) -> Option<Self> {
        let sent = query.hw_address.as_ref()?;
        let htype = u16::try_from(sent.htype).ok()?;
        let address = HwAddress::new(htype, &sent.address)?;
        (!address.is_empty()).then_some(Self::V4(address))
    }

    /// The client of a DHCPv6 query; `None` without option 1, or with one that is no DUID.
    #[must_use]
    pub fn of6(query: &v1::Packet6) -> Option<Self> {
        let client_id = u32::from(code::CLIENT_ID);
        let option = query
            .options
            .iter()
            .find(|option| option.code == client_id)?;
        Duid::new(&option.data).map(Self::V6)
    }

    /// What identifies it.
    #[must_use]
    pub fn kind(&self) -> IdentifierType {
        match self {
            Self::V4(_) => IdentifierType::HwAddr,
            Self::V6(_) => IdentifierType::Duid,
        }
    }

    /// The bytes to look up.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(address) => address.bytes(),
            Self::V6(duid) => duid.bytes(),
        }
    }
}

/// As in the outcome file: `hwtype=1 52:54:00:0a:0b:01`, or the colon-separated DUID.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(duid) => duid.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_hook_sdk::testing::{packet4, packet6};

    #[test]
    fn a_dhcpv4_client_is_its_hardware_address() {
        let mut query = packet4(1, [2, 0, 0, 0, 0, 1], &[]);
        let client = Client::of4(&query).unwrap();
        assert_eq!(client.bytes(), [2, 0, 0, 0, 0, 1]);
        assert_eq!(client.to_string(), "hwtype=1 02:00:00:00:00:01");
        for (htype, length) in [(1, 0), (1, 21), (70_000, 6)] {
            query.hw_address = Some(v1::HwAddress {
                htype,
                address: vec![1; length].into(),
            });
            assert_eq!(Client::of4(&query), None, "type {htype}, {length} bytes");
        }
        query.hw_address = None;
        assert_eq!(Client::of4(&query), None);
    }

    #[test]
    fn a_dhcpv6_client_is_its_duid() {
        let query = packet6(1, &[(8, &[0, 0]), (1, &[0, 3, 0, 1, 0xab])]);
        let client = Client::of6(&query).unwrap();
        assert_eq!(client.to_string(), "00:03:00:01:ab");
        assert_eq!(Client::of6(&packet6(1, &[])), None);
        assert_eq!(Client::of6(&packet6(1, &[(1, &[0, 3])])), None);
        assert_eq!(Client::of6(&packet6(1, &[(1, &[0; 131])])), None);
    }
}

//! What a user's properties change in a response.

use crate::identifier::IdentifierType;
use crate::user::{BOOTFILE, Properties, TFTP_SERVER};
use bytes::Bytes;
use std::net::Ipv6Addr;

/// A property cannot be what its option needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverridesError {
    /// DHCPv6 sub-option 32 is a list of addresses. Kea writes the text there, which no client can read.
    #[error(
        "{TFTP_SERVER} has \"{0}\"; DHCPv6 clients need IPv6 addresses, with commas between them"
    )]
    NotAnAddress(String),
}

/// The properties of one user that change a response; empty ones change nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Boot file name.
    pub bootfile: String,
    /// TFTP server: a name or address in DHCPv4, addresses in DHCPv6.
    pub tftp_server: String,
}

impl Overrides {
    /// Those of a user.
    #[must_use]
    pub fn of(properties: &Properties) -> Self {
        Self {
            bootfile: properties.get(BOOTFILE).to_owned(),
            tftp_server: properties.get(TFTP_SERVER).to_owned(),
        }
    }

    /// The TFTP servers as sub-option 32 has them: 16 bytes each.
    ///
    /// # Errors
    /// There is a name among them.
    pub fn tftp_addresses(&self) -> Result<Bytes, OverridesError> {
        let mut octets = Vec::new();
        for address in addresses(&self.tftp_server) {
            octets.extend_from_slice(&address?.octets());
        }
        Ok(octets.into())
    }
}

fn addresses(text: &str) -> impl Iterator<Item = Result<Ipv6Addr, OverridesError>> {
    let written = text.split(',').map(str::trim);
    written.filter(|word| !word.is_empty()).map(|word| {
        word.parse()
            .map_err(|_| OverridesError::NotAnAddress(word.to_owned()))
    })
}

/// Whether every property of a user can be written into a response of the user's family.
///
/// # Errors
/// One cannot.
pub(crate) fn check(kind: IdentifierType, properties: &Properties) -> Result<(), OverridesError> {
    if kind == IdentifierType::Duid {
        addresses(properties.get(TFTP_SERVER)).try_for_each(|address| address.map(drop))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tftp(text: &str) -> Properties {
        let mut properties = Properties::default();
        properties.set(TFTP_SERVER, text).unwrap();
        properties
    }

    #[test]
    fn a_dhcpv6_tftp_server_is_a_list_of_addresses() {
        let overrides = Overrides::of(&tftp("2001:db8::1, 2001:db8::2"));
        let octets = overrides.tftp_addresses().unwrap();
        assert_eq!(octets.len(), 32);
        assert_eq!(octets[..4], [0x20, 0x01, 0x0d, 0xb8]);
        assert_eq!((octets[15], octets[31]), (1, 2));
        assert!(Overrides::default().tftp_addresses().unwrap().is_empty());
    }

    #[test]
    fn a_name_is_refused_for_dhcpv6_and_fine_for_dhcpv4() {
        let name = tftp("tftp.example.net");
        let error = check(IdentifierType::Duid, &name).unwrap_err().to_string();
        assert!(
            error.contains("tftp_server has \"tftp.example.net\""),
            "{error}"
        );
        assert_eq!(check(IdentifierType::HwAddr, &name), Ok(()));
        assert!(check(IdentifierType::Duid, &tftp("192.0.2.1")).is_err());
    }
}

//! An address range in CIDR form, as `--expect-prefix` takes it.

use std::net::IpAddr;
use std::str::FromStr;

/// `ADDRESS/LENGTH`; host bits may be set, they are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    bits: u128,
    mask: u128,
    is_v4: bool,
}

impl Prefix {
    /// Whether the address lies in this range; an address of the other family never does.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.is_v4 && left_aligned(address) & self.mask == self.bits
    }

    /// Whether the range is of IPv4.
    pub(crate) fn is_v4(&self) -> bool {
        self.is_v4
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not ADDRESS/LENGTH");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let length: u32 = length.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        if length > width {
            return Err(format!("{text:?}: the length is at most {width}"));
        }
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        Ok(Self {
            bits: left_aligned(address) & mask,
            mask,
            is_v4: address.is_ipv4(),
        })
    }
}

fn left_aligned(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_contains_its_own_addresses_and_no_others() {
        for (prefix, address, inside) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7/32", "192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "192.0.2.1", false),
            ("2001:db8::/64", "2001:db8::ffff", true),
            ("2001:db8::/64", "2001:db8:0:1::", false),
        ] {
            let prefix: Prefix = prefix.parse().unwrap();
            assert_eq!(
                prefix.contains(address.parse().unwrap()),
                inside,
                "{prefix:?} {address}"
            );
        }
    }

    #[test]
    fn a_malformed_prefix_is_refused_with_its_text() {
        for text in ["192.0.2.0", "192.0.2.0/33", "::/129", "x/8", "192.0.2.0/-1"] {
            let error = text.parse::<Prefix>().unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}

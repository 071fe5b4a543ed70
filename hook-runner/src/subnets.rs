//! The subnets that a service is told of, as they are written on the command line.

use outrigger_proto::v1;
use std::str::FromStr;

/// `ID=PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subnet {
    id: u32,
    prefix: String,
}

impl FromStr for Subnet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not ID=PREFIX, such as 1=192.0.2.0/24");
        let (id, prefix) = text.split_once('=').ok_or_else(wrong)?;
        let (address, length) = prefix.split_once('/').ok_or_else(wrong)?;
        let longest = match address.parse().map_err(|_| wrong())? {
            std::net::IpAddr::V4(_) => 32,
            std::net::IpAddr::V6(_) => 128,
        };
        let id = id.parse().ok().filter(|id| *id > 0).ok_or_else(wrong)?;
        match length.parse::<u8>() {
            Ok(length) if length <= longest => Ok(Self {
                id,
                prefix: prefix.to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

/// In ascending id, as the protocol wants them; 1 and 2 where none are given.
pub(crate) fn subnets(given: &[Subnet], family: v1::Family) -> Vec<v1::Subnet> {
    let defaults = match family {
        v1::Family::Dhcp6 => ["2001:db8:1::/64", "2001:db8:2::/64"],
        v1::Family::Dhcp4 | v1::Family::Unspecified => ["192.0.2.0/24", "198.51.100.0/24"],
    };
    let defaults = (1..).zip(defaults).map(|(id, prefix)| Subnet {
        id,
        prefix: prefix.to_owned(),
    });
    let mut subnets = match given {
        [] => defaults.collect(),
        given => given.to_vec(),
    };
    subnets.sort_by_key(|subnet| subnet.id);
    let told = subnets.into_iter().map(|Subnet { id, prefix }| v1::Subnet {
        id,
        prefix,
        ..Default::default()
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_told_in_ascending_id() {
        let given: Vec<Subnet> = ["7=2001:db8::/32", "2=192.0.2.0/24"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        let told = subnets(&given, v1::Family::Dhcp4);
        assert_eq!(told.iter().map(|s| s.id).collect::<Vec<_>>(), [2, 7]);
        assert_eq!(subnets(&[], v1::Family::Dhcp6)[1].prefix, "2001:db8:2::/64");
    }

    #[test]
    fn what_is_no_subnet_says_what_to_write() {
        for text in [
            "1",
            "1=192.0.2.0",
            "0=192.0.2.0/24",
            "1=192.0.2.0/33",
            "x=::/0",
        ] {
            let error = text.parse::<Subnet>().unwrap_err();
            assert!(error.contains("ID=PREFIX"), "{text}: {error}");
        }
    }
}

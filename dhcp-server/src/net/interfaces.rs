//! The network interfaces of this host, as the kernel lists them.

use super::NetError;
use nix::ifaddrs::InterfaceAddress;
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::LinkAddr;
use outrigger_wire::HwAddress;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// A network interface as it was when listed.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Its name.
    pub name: Arc<str>,
    /// Its index, never zero.
    pub index: u32,
    /// Its addresses in the kernel's order, tentative ones too.
    pub addresses: Vec<IpAddr>,
    /// Its hardware address; empty where it has none.
    pub hw_address: HwAddress,
    /// Administratively up.
    pub up: bool,
    /// The loopback interface.
    pub loopback: bool,
    /// For packet sockets; `None` where the kernel gave none.
    pub(super) link: Option<LinkAddr>,
}

impl Interface {
    /// Its IPv4 addresses; the first is the primary one.
    pub fn ipv4(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.addresses.iter().filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }

    /// Its IPv6 addresses.
    pub fn ipv6(&self) -> impl Iterator<Item = Ipv6Addr> {
        self.addresses.iter().filter_map(|address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(*address),
        })
    }

    /// Whether it speaks Ethernet, so that frames can be built for it.
    #[must_use]
    pub fn is_ethernet(&self) -> bool {
        self.hw_address.htype() == ETHERNET
    }
}

/// IANA's ARP hardware type of Ethernet.
pub(super) const ETHERNET: u16 = 1;

/// All interfaces of the calling thread's network namespace, in the kernel's order.
///
/// # Errors
///
/// [`NetError::List`] where the kernel refuses the list.
pub fn list() -> Result<Vec<Interface>, NetError> {
    let entries = nix::ifaddrs::getifaddrs().map_err(|errno| NetError::List {
        source: errno.into(),
    })?;
    let mut interfaces: Vec<Interface> = Vec::new();
    for entry in entries {
        let name = without_label(&entry.interface_name);
        let at = interfaces.iter().position(|known| *known.name == *name);
        let interface = match at {
            Some(at) => &mut interfaces[at],
            None => match named(name, entry.flags) {
                Ok(interface) => {
                    interfaces.push(interface);
                    interfaces.last_mut().expect("just pushed")
                }
                // It went away between the two calls.
                Err(_) => continue,
            },
        };
        add_address(interface, &entry);
    }
    Ok(interfaces)
}

/// The kernel names an address by its label, such as `eth0:1`, where it has one.
fn without_label(name: &str) -> &str {
    name.split_once(':').map_or(name, |(name, _label)| name)
}

fn named(name: &str, flags: InterfaceFlags) -> io::Result<Interface> {
    Ok(Interface {
        name: name.into(),
        index: if_nametoindex(name)?,
        addresses: Vec::new(),
        hw_address: HwAddress::EMPTY,
        up: flags.contains(InterfaceFlags::IFF_UP),
        loopback: flags.contains(InterfaceFlags::IFF_LOOPBACK),
        link: None,
    })
}

fn add_address(interface: &mut Interface, entry: &InterfaceAddress) {
    let Some(address) = &entry.address else {
        return;
    };
    if let Some(v4) = address.as_sockaddr_in() {
        interface.addresses.push(IpAddr::V4(v4.ip()));
    } else if let Some(v6) = address.as_sockaddr_in6() {
        interface.addresses.push(IpAddr::V6(v6.ip()));
    } else if let Some(link) = address.as_link_addr() {
        interface.link = Some(*link);
        // Longer addresses (Infiniband: 20 bytes) do not fit what the kernel's list carries.
        let known = link.addr().filter(|bytes| bytes.len() == link.halen());
        if let Some(bytes) = known {
            interface.hw_address = HwAddress::new(link.hatype(), &bytes).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_listed_once_with_its_address() {
        let listed = list().unwrap();
        let loopback: Vec<&Interface> = listed
            .iter()
            .filter(|interface| interface.loopback)
            .collect();
        assert_eq!(loopback.len(), 1);
        assert_eq!(&*loopback[0].name, "lo");
        assert!(loopback[0].up && loopback[0].index > 0 && !loopback[0].is_ethernet());
        assert!(
            loopback[0]
                .ipv4()
                .any(|address| address == Ipv4Addr::LOCALHOST)
        );
    }
}

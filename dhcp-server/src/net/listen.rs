//! From `interfaces-config` to open sockets.

use super::raw4::RawSocket;
use super::socket::UdpSocket;
use super::{Interface, NetError, interfaces, udp4, udp6};
use outrigger_config::model::{InterfaceSpec, Interfaces};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// DHCPv4's server port (RFC 2131 §4.1).
pub const SERVER_PORT4: u16 = 67;
/// DHCPv6's server port (RFC 9915 §7.2).
pub const SERVER_PORT6: u16 = 547;

/// Pause between two looks at addresses that are still tentative.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Open sockets and the interfaces behind them.
#[derive(Debug, Default)]
pub struct Sockets {
    /// To receive from and send through.
    pub udp: Vec<Arc<UdpSocket>>,
    /// To send frames to DHCPv4 clients that have no address; at most one per interface.
    pub raw: Vec<Arc<RawSocket>>,
    /// Interfaces that are listened on.
    pub interfaces: Vec<Interface>,
    /// Configured interfaces that cannot be used now; each was logged.
    pub unusable: Vec<Unusable>,
}

/// A configured interface that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its name.
    pub interface: Arc<str>,
    /// What it lacks.
    pub why: &'static str,
}

impl Sockets {
    /// Those of both, for one process that serves both families.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.udp.extend(other.udp);
        self.raw.extend(other.raw);
        self.interfaces.extend(other.interfaces);
        self.unusable.extend(other.unusable);
        self
    }
}

/// Opens the DHCPv4 sockets.
///
/// Without the right to open packet sockets a warning is logged once, and clients without an address are answered by
/// broadcast.
///
/// # Errors
///
/// An unknown interface or address, or a socket call that failed.
pub fn open4(config: &Interfaces, port: u16) -> Result<Sockets, NetError> {
    let listed = interfaces::list()?;
    let selection = select(config, &listed, usable4)?;
    let mut sockets = Sockets::default();
    for chosen in selection.chosen {
        open_interface4(&chosen, config.raw_sockets, port, &mut sockets)?;
        sockets.interfaces.push(chosen.interface);
    }
    if config.raw_sockets {
        open_raw(&mut sockets)?;
    }
    sockets.unusable = logged(selection.unusable);
    Ok(sockets)
}

fn open_interface4(
    chosen: &Chosen,
    raw: bool,
    port: u16,
    sockets: &mut Sockets,
) -> Result<(), NetError> {
    let interface = &chosen.interface;
    if raw || chosen.any {
        let mut socket = udp4::open(interface, port)?;
        if !chosen.any {
            socket.serve_only(chosen.addresses.clone());
        }
        sockets.udp.push(Arc::new(socket));
        return Ok(());
    }
    // Kea: with dhcp-socket-type udp each configured address gets a socket of its own, which hears no broadcast.
    for address in &chosen.addresses {
        if let IpAddr::V4(address) = address {
            sockets
                .udp
                .push(Arc::new(udp4::open_unicast(interface, *address, port)?));
        }
    }
    Ok(())
}

fn open_raw(sockets: &mut Sockets) -> Result<(), NetError> {
    for interface in sockets
        .interfaces
        .iter()
        .filter(|interface| interface.is_ethernet())
    {
        match RawSocket::open(interface) {
            Ok(socket) => sockets.raw.push(Arc::new(socket)),
            Err(NetError::Socket { source, .. })
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                tracing::warn!(
                    "no packet sockets without CAP_NET_RAW: clients without an address are answered by broadcast"
                );
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Opens the DHCPv6 sockets. Link-local addresses may be missing or tentative shortly after an interface came up: they
/// are waited for, at most for `patience`; this blocks the thread.
///
/// # Errors
///
/// An unknown interface or address, or a socket call that failed.
pub fn open6(config: &Interfaces, port: u16, patience: Duration) -> Result<Sockets, NetError> {
    let selection = select_settled(config, patience)?;
    let mut sockets = Sockets::default();
    for chosen in selection.chosen {
        sockets
            .udp
            .push(Arc::new(udp6::open(&chosen.interface, port)?));
        for address in &chosen.addresses {
            if let IpAddr::V6(address) = address {
                sockets.udp.push(Arc::new(udp6::open_unicast(
                    &chosen.interface,
                    *address,
                    port,
                )?));
            }
        }
        sockets.interfaces.push(chosen.interface);
    }
    sockets.unusable = logged(selection.unusable);
    Ok(sockets)
}

fn select_settled(config: &Interfaces, patience: Duration) -> Result<Selection, NetError> {
    let until = Instant::now() + patience;
    loop {
        let listed = interfaces::list()?;
        let unsettled = unsettled_addresses();
        let selection = select(config, &listed, |interface| usable6(interface, &unsettled))?;
        if !selection.waits || Instant::now() >= until {
            return Ok(selection);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn logged(unusable: Vec<Unusable>) -> Vec<Unusable> {
    for Unusable { interface, why } in &unusable {
        tracing::warn!(%interface, "not listening on {interface}: it {why}");
    }
    unusable
}

/// What the configuration comes to on this host.
#[derive(Debug, Default)]
struct Selection {
    chosen: Vec<Chosen>,
    unusable: Vec<Unusable>,
    /// Something unusable may become usable in a moment.
    waits: bool,
}

#[derive(Debug)]
struct Chosen {
    interface: Interface,
    /// Named without an address, or by `"*"`.
    any: bool,
    /// Named behind a slash.
    addresses: Vec<IpAddr>,
}

/// Whether a family can be served on an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usable {
    Yes,
    /// Not now, but its addresses are on the way.
    Soon(&'static str),
    No(&'static str),
}

fn select(
    config: &Interfaces,
    listed: &[Interface],
    usable: impl Fn(&Interface) -> Usable,
) -> Result<Selection, NetError> {
    let mut selection = Selection::default();
    for spec in &config.interfaces {
        match spec {
            InterfaceSpec::All => {
                for interface in listed
                    .iter()
                    .filter(|interface| interface.up && !interface.loopback)
                {
                    match usable(interface) {
                        Usable::Yes => selection.choose(interface, None),
                        Usable::Soon(why) => selection.refuse(interface, why, true),
                        Usable::No(_) => {}
                    }
                }
            }
            InterfaceSpec::Named { name, address } => {
                let interface = find(listed, name, *address)?;
                match usable(interface) {
                    _ if !interface.up => selection.refuse(interface, "is down", false),
                    Usable::Yes => selection.choose(interface, *address),
                    Usable::Soon(why) | Usable::No(why) => selection.refuse(interface, why, true),
                }
            }
        }
    }
    Ok(selection)
}

impl Selection {
    fn choose(&mut self, interface: &Interface, address: Option<IpAddr>) {
        let at = self
            .chosen
            .iter()
            .position(|chosen| chosen.interface.index == interface.index);
        let at = at.unwrap_or_else(|| {
            self.chosen.push(Chosen {
                interface: interface.clone(),
                any: false,
                addresses: Vec::new(),
            });
            self.chosen.len() - 1
        });
        let chosen = &mut self.chosen[at];
        match address {
            None => chosen.any = true,
            Some(address) if chosen.addresses.contains(&address) => {}
            Some(address) => chosen.addresses.push(address),
        }
    }

    fn refuse(&mut self, interface: &Interface, why: &'static str, waits: bool) {
        let unusable = Unusable {
            interface: interface.name.clone(),
            why,
        };
        self.waits |= waits;
        if !self.unusable.contains(&unusable) {
            self.unusable.push(unusable);
        }
    }
}

fn find<'a>(
    listed: &'a [Interface],
    name: &str,
    address: Option<IpAddr>,
) -> Result<&'a Interface, NetError> {
    let Some(interface) = listed.iter().find(|interface| *interface.name == *name) else {
        let known: Vec<&str> = listed.iter().map(|interface| &*interface.name).collect();
        return Err(NetError::UnknownInterface {
            name: name.to_owned(),
            known: known.join(", "),
        });
    };
    match address {
        Some(address) if !interface.addresses.contains(&address) => {
            let known: Vec<String> = interface
                .addresses
                .iter()
                .map(ToString::to_string)
                .collect();
            Err(NetError::UnknownAddress {
                address,
                name: name.to_owned(),
                known: known.join(", "),
            })
        }
        _ => Ok(interface),
    }
}

fn usable4(interface: &Interface) -> Usable {
    match interface.ipv4().next() {
        Some(_) => Usable::Yes,
        None => Usable::No("has no IPv4 address"),
    }
}

/// RFC 9915 §7.1: clients and servers on a link talk by link-local addresses.
fn usable6(interface: &Interface, unsettled: &[(u32, Ipv6Addr)]) -> Usable {
    let links = || {
        interface
            .ipv6()
            .filter(|address| address.is_unicast_link_local() || address.is_loopback())
    };
    if links().any(|address| !unsettled.contains(&(interface.index, address))) {
        Usable::Yes
    } else if links().next().is_some() {
        Usable::Soon("has only a tentative link-local address")
    } else {
        Usable::No("has no link-local address")
    }
}

/// Addresses whose duplicate address detection runs or failed, by interface index.
fn unsettled_addresses() -> Vec<(u32, Ipv6Addr)> {
    // The calling thread's namespace; absent where the kernel has no IPv6.
    let table = std::fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap_or_default();
    table.lines().filter_map(unsettled).collect()
}

/// One line: `address index prefix-length scope flags name`, all numbers in hexadecimal.
fn unsettled(line: &str) -> Option<(u32, Ipv6Addr)> {
    const DAD_FAILED: u32 = 0x08;
    const TENTATIVE: u32 = 0x40;
    let mut words = line.split_ascii_whitespace();
    let address = u128::from_str_radix(words.next()?, 16).ok()?;
    let index = u32::from_str_radix(words.next()?, 16).ok()?;
    let flags = u32::from_str_radix(words.nth(2)?, 16).ok()?;
    (flags & (DAD_FAILED | TENTATIVE) != 0).then(|| (index, Ipv6Addr::from_bits(address)))
}

#[cfg(test)]
mod tests;

//! DHCPv6 sockets.

use super::error::failed;
use super::socket::UdpSocket;
use super::{Interface, NetError};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::Domain;
use std::net::{Ipv6Addr, SocketAddr};

/// RFC 9915 §7.1: All_DHCP_Relay_Agents_and_Servers.
pub const ALL_RELAY_AGENTS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// A socket that receives multicasts and unicasts arriving on `interface`.
///
/// # Errors
///
/// [`NetError::Socket`] with the call that failed.
pub fn open(interface: &Interface, port: u16) -> Result<UdpSocket, NetError> {
    let mut socket = prepare(interface)?;
    socket.bind_device()?;
    socket.bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port))?;
    let joined = socket
        .socket()
        .join_multicast_v6(&ALL_RELAY_AGENTS_AND_SERVERS, interface.index);
    joined.map_err(failed("join ff02::1:2", socket.interface()))?;
    Ok(socket)
}

/// A socket for unicasts to `address`, whichever way they come; their link names `interface` all
/// the same.
///
/// # Errors
///
/// [`NetError::Socket`] with the call that failed.
pub fn open_unicast(
    interface: &Interface,
    address: Ipv6Addr,
    port: u16,
) -> Result<UdpSocket, NetError> {
    let mut socket = prepare(interface)?;
    socket.bind(SocketAddr::new(address.into(), port))?;
    Ok(socket)
}

fn prepare(interface: &Interface) -> Result<UdpSocket, NetError> {
    let socket = UdpSocket::new(interface, Domain::IPV6)?;
    let name = socket.interface();
    // A dual-stack socket would also get the DHCPv4 broadcasts of the same port.
    socket
        .socket()
        .set_only_v6(true)
        .map_err(failed("exclude IPv4", name))?;
    setsockopt(socket.socket(), sockopt::Ipv6RecvPacketInfo, &true)
        .map_err(failed("ask for destination addresses", name))?;
    Ok(socket)
}

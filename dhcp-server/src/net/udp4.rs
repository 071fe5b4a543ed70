//! DHCPv4 sockets.

use super::error::failed;
use super::socket::UdpSocket;
use super::{Interface, NetError};
use nix::sys::socket::{setsockopt, sockopt};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
use socket2::Domain;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A socket that receives broadcasts and unicasts arriving on `interface`.
///
/// # Errors
///
/// [`NetError::Socket`] with the call that failed.
pub fn open(interface: &Interface, port: u16) -> Result<UdpSocket, NetError> {
    let mut socket = prepare(interface)?;
    socket.bind_device()?;
    socket.bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))?;
    Ok(socket)
}

/// A socket for relayed packets and renewals to `address` only, whichever way they come; their link names `interface` all
/// the same.
///
/// # Errors
///
/// [`NetError::Socket`] with the call that failed.
pub fn open_unicast(
    interface: &Interface,
    address: Ipv4Addr,
    port: u16,
) -> Result<UdpSocket, NetError> {
    let mut socket = prepare(interface)?;
    socket.bind(SocketAddr::new(address.into(), port))?;
    socket.serve_only(vec![IpAddr::V4(address)]);
    Ok(socket)
}

fn prepare(interface: &Interface) -> Result<UdpSocket, NetError> {
    let socket = UdpSocket::new(interface, Domain::IPV4)?;
    let name = socket.interface();
    socket
        .socket()
        .set_broadcast(true)
        .map_err(failed("allow broadcasts", name))?;
    setsockopt(socket.socket(), sockopt::Ipv4PacketInfo, &true)
        .map_err(failed("ask for destination addresses", name))?;
    // A client that gets a first address cannot take part in path MTU discovery, and some relays drop the ICMP.
    set_ip_mtu_discover(socket.socket(), Ipv4PathMtuDiscovery::DONT)
        .map_err(failed("allow fragments", name))?;
    Ok(socket)
}

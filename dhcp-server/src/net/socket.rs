//! A UDP socket of one interface, with what its datagrams have in common.

use super::error::failed;
use super::{Interface, NetError};
use nix::sys::socket::{setsockopt, sockopt};
use outrigger_wire::Link;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;

/// Kernel buffer asked for in each direction, in bytes: about 10,000 small datagrams, where the usual default holds 256.
const KERNEL_BUFFER: usize = 8 << 20;

/// A bound, non-blocking UDP socket.
#[derive(Debug)]
pub struct UdpSocket {
    socket: Socket,
    interface: Arc<str>,
    interface_index: u32,
    bound: Option<IpAddr>,
    port: u16,
    ipv4: bool,
    served: Option<Vec<IpAddr>>,
}

impl UdpSocket {
    /// A socket with what both families need; not bound yet.
    pub(super) fn new(interface: &Interface, domain: Domain) -> Result<Self, NetError> {
        let name = &*interface.name;
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))
            .map_err(failed("open a UDP socket", name))?;
        // A restarted server, or one per interface, binds the same port again.
        socket
            .set_reuse_address(true)
            .map_err(failed("reuse the port", name))?;
        enlarge_buffers(&socket);
        Ok(Self {
            socket,
            interface: interface.name.clone(),
            interface_index: interface.index,
            bound: None,
            port: 0,
            ipv4: domain == Domain::IPV4,
            served: None,
        })
    }

    /// Restricts it to datagrams that arrive on its interface, broadcasts and multicasts among them.
    pub(super) fn bind_device(&self) -> Result<(), NetError> {
        let device = Some(self.interface.as_bytes());
        self.socket
            .bind_device(device)
            .map_err(failed("bind to the device", &self.interface))
    }

    pub(super) fn bind(&mut self, address: SocketAddr) -> Result<(), NetError> {
        let bound = self.socket.bind(&SockAddr::from(address));
        bound.map_err(failed("bind the DHCP server port", &self.interface))?;
        let local = self
            .socket
            .local_addr()
            .ok()
            .and_then(|local| local.as_socket());
        self.bound = Some(address.ip()).filter(|bound| !bound.is_unspecified());
        self.port = local.map_or_else(|| address.port(), |local| local.port());
        Ok(())
    }

    /// Unicast datagrams are accepted to these addresses only.
    pub(super) fn serve_only(&mut self, addresses: Vec<IpAddr>) {
        self.served = Some(addresses);
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn interface(&self) -> &str {
        &self.interface
    }

    /// Index of the interface.
    #[must_use]
    pub fn interface_index(&self) -> u32 {
        self.interface_index
    }

    /// The port it is bound to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// DHCPv4, not DHCPv6.
    #[must_use]
    pub fn is_ipv4(&self) -> bool {
        self.ipv4
    }

    /// The one address it is bound to.
    pub(super) fn bound(&self) -> Option<IpAddr> {
        self.bound
    }

    /// Whether a datagram to `destination` is for this server.
    pub(super) fn serves(&self, destination: IpAddr) -> bool {
        let Some(served) = &self.served else {
            return true;
        };
        is_group(destination) || served.contains(&destination)
    }

    /// The link of a datagram that came from `remote` to `destination`.
    pub(super) fn link(&self, destination: IpAddr, remote: SocketAddr) -> Link {
        Link {
            interface: self.interface.clone(),
            interface_index: self.interface_index,
            local: SocketAddr::new(destination, self.port),
            remote,
        }
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// An address that several hosts listen to.
pub(super) fn is_group(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(address) if address.is_broadcast())
}

/// Best effort: without `CAP_NET_ADMIN` the kernel grants no more than `net.core.rmem_max` and `wmem_max`.
fn enlarge_buffers(socket: &Socket) {
    if setsockopt(socket, sockopt::RcvBufForce, &KERNEL_BUFFER).is_err() {
        let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    }
    if setsockopt(socket, sockopt::SndBufForce, &KERNEL_BUFFER).is_err() {
        let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    }
}

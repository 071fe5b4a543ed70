//! Many datagrams per system call.
//!
//! Everything the kernel fills in is allocated once. A datagram is received into a fixed space and copied into a
//! pooled [`Buffer`]: cheaper than clearing 4 KiB for each, and a truncated one never becomes a packet.

use super::socket::UdpSocket;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, SockaddrIn6,
    SockaddrLike, recvmmsg, sendmmsg,
};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, Outgoing};
use std::array;
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

/// Datagrams per system call.
pub const BATCH: usize = 64;

/// What came out of one receive call.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Messages taken from the kernel, useful or not; fewer than [`BATCH`] means that the socket is empty now.
    pub taken: usize,
    /// Longer than [`Buffer::CAPACITY`]: dropped.
    pub truncated: u64,
    /// Came without the address they were sent to: dropped.
    pub unaddressed: u64,
}

/// Receives batches from sockets of either family.
#[derive(Debug)]
pub struct Receiver {
    v4: Headers<SockaddrIn>,
    v6: Headers<SockaddrIn6>,
    space: Space,
}

/// Where the kernel writes payloads.
type Space = Box<[[u8; Buffer::CAPACITY]; BATCH]>;

impl Receiver {
    /// Allocates about 270 KiB, once.
    #[must_use]
    pub fn new() -> Self {
        let space = vec![[0; Buffer::CAPACITY]; BATCH].into_boxed_slice();
        let space = space.try_into().expect("as long as a batch");
        Self {
            v4: Headers::new(),
            v6: Headers::new(),
            space,
        }
    }

    /// Takes up to [`BATCH`] datagrams that wait in `socket` and hands each to `each`.
    ///
    /// # Errors
    ///
    /// `EAGAIN` where none waits; else what the kernel said.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        each: impl FnMut(Datagram),
    ) -> Result<Received, Errno> {
        if socket.is_ipv4() {
            receive(socket, &mut self.v4, &mut self.space, each)
        } else {
            receive(socket, &mut self.v6, &mut self.space, each)
        }
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

fn receive<A: Address>(
    socket: &UdpSocket,
    headers: &mut Headers<A>,
    space: &mut Space,
    mut each: impl FnMut(Datagram),
) -> Result<Received, Errno> {
    let mut received = Received::default();
    let mut slices = space.each_mut().map(|payload| [IoSliceMut::new(payload)]);
    let messages = recvmmsg(
        socket.as_raw_fd(),
        &mut headers.0,
        slices.iter_mut(),
        MsgFlags::MSG_DONTWAIT,
        None,
    )?;
    for message in messages {
        received.taken += 1;
        if message.flags.contains(MsgFlags::MSG_TRUNC) {
            received.truncated += 1;
            continue;
        }
        let (Some(destination), Some(remote)) =
            (destination(&message), message.address.map(A::to_std))
        else {
            received.unaddressed += 1;
            continue;
        };
        if socket.serves(destination) {
            let bytes = Buffer::copy_of(message.iovs().next().unwrap_or_default());
            each(Datagram {
                bytes,
                link: socket.link(destination, remote),
            });
        }
    }
    if received.unaddressed > 0 {
        // The kernel shortens a header's control space to what it used; a header left without any stays so.
        *headers = Headers::new();
    }
    Ok(received)
}

fn destination<A: Address>(message: &RecvMsg<'_, '_, A>) -> Option<IpAddr> {
    message
        .cmsgs()
        .ok()?
        .find_map(|control| A::destination(&control))
}

/// Sends batches through sockets of either family.
#[derive(Debug)]
pub struct Sender {
    v4: Headers<SockaddrIn>,
    v6: Headers<SockaddrIn6>,
}

impl Sender {
    /// Allocates what the kernel reads, once.
    #[must_use]
    pub fn new() -> Self {
        Self {
            v4: Headers::new(),
            v6: Headers::new(),
        }
    }

    /// Sends `outgoing` from the address `source`, or one that the kernel chooses where it is unspecified. Calls
    /// `failed` for each datagram that was not taken.
    pub fn send(
        &mut self,
        socket: &UdpSocket,
        source: IpAddr,
        outgoing: &[Outgoing],
        mut failed: impl FnMut(&Outgoing, Errno),
    ) {
        for batch in outgoing.chunks(BATCH) {
            if socket.is_ipv4() {
                send(socket, source, &mut self.v4, batch, &mut failed);
            } else {
                send(socket, source, &mut self.v6, batch, &mut failed);
            }
        }
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

fn send<A: Address>(
    socket: &UdpSocket,
    source: IpAddr,
    headers: &mut Headers<A>,
    batch: &[Outgoing],
    failed: &mut impl FnMut(&Outgoing, Errno),
) {
    let info = A::packet_info(source);
    let control = [A::source(&info)];
    let slices: [_; BATCH] =
        array::from_fn(|i| [IoSlice::new(batch.get(i).map_or(&[], |one| &one.bytes))]);
    let remotes: [_; BATCH] =
        array::from_fn(|i| batch.get(i).and_then(|one| A::from_std(one.link.remote)));
    let mut from = 0;
    while from < batch.len() {
        let (slices, remotes) = (&slices[from..batch.len()], &remotes[from..batch.len()]);
        let sent = if remotes[0].is_none() {
            Err(Errno::EAFNOSUPPORT)
        } else {
            sendmmsg(
                socket.as_raw_fd(),
                &mut headers.0,
                slices,
                remotes,
                control,
                MsgFlags::MSG_DONTWAIT,
            )
            .map(Iterator::count)
        };
        // The kernel stops at the first datagram it does not take, and says why only where that is the first of all.
        from += sent.unwrap_or_else(|errno| {
            failed(&batch[from], errno);
            1
        });
    }
}

/// What the kernel reads and writes for a batch.
#[derive(Debug)]
struct Headers<A>(MultiHeaders<A>);

impl<A: Address> Headers<A> {
    fn new() -> Self {
        Self(MultiHeaders::preallocate(BATCH, Some(A::control_space())))
    }
}

/// What differs between the families for batches.
trait Address: SockaddrLike + Copy {
    type PacketInfo;

    fn control_space() -> Vec<u8>;
    fn to_std(self) -> SocketAddr;
    fn from_std(address: SocketAddr) -> Option<Self>;
    fn destination(control: &ControlMessageOwned) -> Option<IpAddr>;
    /// Nothing but the source: the socket is bound to its interface, or the route decides.
    fn packet_info(source: IpAddr) -> Self::PacketInfo;
    fn source(info: &Self::PacketInfo) -> ControlMessage<'_>;
}

impl Address for SockaddrIn {
    type PacketInfo = in_pktinfo;

    fn control_space() -> Vec<u8> {
        nix::cmsg_space!(in_pktinfo)
    }

    fn to_std(self) -> SocketAddr {
        SocketAddr::V4(self.into())
    }

    fn from_std(address: SocketAddr) -> Option<Self> {
        match address {
            SocketAddr::V4(address) => Some(address.into()),
            SocketAddr::V6(_) => None,
        }
    }

    fn destination(control: &ControlMessageOwned) -> Option<IpAddr> {
        let ControlMessageOwned::Ipv4PacketInfo(info) = control else {
            return None;
        };
        let sent_to = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
        // For a broadcast to a subnet the kernel names the address to answer from instead. It means the same as a
        // limited broadcast, and taken for an address of ours it would fail as a source.
        let unicast = info.ipi_spec_dst.s_addr == info.ipi_addr.s_addr;
        Some(
            if unicast || sent_to.is_multicast() {
                sent_to
            } else {
                Ipv4Addr::BROADCAST
            }
            .into(),
        )
    }

    fn packet_info(source: IpAddr) -> in_pktinfo {
        let source = match source {
            IpAddr::V4(source) => source,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: in_addr {
                s_addr: u32::from_ne_bytes(source.octets()),
            },
            ipi_addr: in_addr { s_addr: 0 },
        }
    }

    fn source(info: &in_pktinfo) -> ControlMessage<'_> {
        ControlMessage::Ipv4PacketInfo(info)
    }
}

impl Address for SockaddrIn6 {
    type PacketInfo = in6_pktinfo;

    fn control_space() -> Vec<u8> {
        nix::cmsg_space!(in6_pktinfo)
    }

    fn to_std(self) -> SocketAddr {
        SocketAddr::V6(self.into())
    }

    fn from_std(address: SocketAddr) -> Option<Self> {
        match address {
            SocketAddr::V4(_) => None,
            SocketAddr::V6(address) => Some(address.into()),
        }
    }

    fn destination(control: &ControlMessageOwned) -> Option<IpAddr> {
        let ControlMessageOwned::Ipv6PacketInfo(info) = control else {
            return None;
        };
        Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into())
    }

    fn packet_info(source: IpAddr) -> in6_pktinfo {
        let source = match source {
            IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
            IpAddr::V6(source) => source,
        };
        in6_pktinfo {
            ipi6_addr: in6_addr {
                s6_addr: source.octets(),
            },
            ipi6_ifindex: 0,
        }
    }

    fn source(info: &in6_pktinfo) -> ControlMessage<'_> {
        ControlMessage::Ipv6PacketInfo(info)
    }
}

#[cfg(test)]
mod tests;

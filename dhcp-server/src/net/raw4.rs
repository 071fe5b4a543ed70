//! Frames to DHCPv4 clients that have no address yet and cannot answer ARP.
//!
//! The sockets only transmit. Frames pass the host's packet filter by: its output rules do not see them.

use super::batch::BATCH;
use super::error::failed;
use super::{Interface, NetError};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockType, bind, sendmmsg, socket,
};
use outrigger_wire::Outgoing;
use std::array;
use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

/// Bytes in front of the payload: Ethernet 14, IPv4 20, UDP 8.
pub const HEADER: usize = 42;

const ETHERTYPE_IPV4: u16 = 0x0800;
const PROTOCOL_UDP: u8 = 17;
const TIME_TO_LIVE: u8 = 64;

/// A packet socket that transmits on one Ethernet interface and receives nothing.
#[derive(Debug)]
pub struct RawSocket {
    fd: OwnedFd,
    interface_index: u32,
    hardware: [u8; 6],
    address: Ipv4Addr,
}

impl RawSocket {
    /// Opens one on an Ethernet interface.
    ///
    /// # Errors
    ///
    /// Needs `CAP_NET_RAW`; the error then holds `PermissionDenied`.
    pub fn open(interface: &Interface) -> Result<Self, NetError> {
        let name = &*interface.name;
        let no_address = || failed("find the hardware address", name)(Errno::EADDRNOTAVAIL);
        let link = interface.link.ok_or_else(no_address)?;
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // Protocol zero, here and in `link`: nothing is received, not even for a moment.
        let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None)
            .map_err(failed("open a packet socket", name))?;
        bind(fd.as_raw_fd(), &link).map_err(failed("bind the packet socket", name))?;
        Ok(Self {
            fd,
            interface_index: interface.index,
            hardware: link.addr().ok_or_else(no_address)?,
            address: interface.ipv4().next().unwrap_or(Ipv4Addr::UNSPECIFIED),
        })
    }

    /// Index of its interface.
    #[must_use]
    pub fn interface_index(&self) -> u32 {
        self.interface_index
    }

    fn header(&self, outgoing: &Outgoing) -> Option<[u8; HEADER]> {
        let destination = ethernet_destination(outgoing)?;
        let (SocketAddr::V4(local), SocketAddr::V4(remote)) =
            (outgoing.link.local, outgoing.link.remote)
        else {
            return None;
        };
        let usable = !local.ip().is_unspecified()
            && !local.ip().is_broadcast()
            && !local.ip().is_multicast();
        let from = if usable {
            local
        } else {
            SocketAddrV4::new(self.address, local.port())
        };
        header([destination, self.hardware], from, remote, &outgoing.bytes)
    }
}

/// Where a frame for `outgoing` would go; `None` where the client's hardware address is not an Ethernet one.
pub(super) fn ethernet_destination(outgoing: &Outgoing) -> Option<[u8; 6]> {
    let address = outgoing.to_hardware?;
    let bytes = address.bytes().try_into().ok()?;
    (address.htype() == super::interfaces::ETHERNET).then_some(bytes)
}

/// Sends batches of frames.
#[derive(Debug)]
pub struct RawSender(MultiHeaders<LinkAddr>);

impl RawSender {
    /// Allocates what the kernel reads, once.
    #[must_use]
    pub fn new() -> Self {
        Self(MultiHeaders::preallocate(BATCH, None))
    }

    /// Sends each of `outgoing` as a frame to its hardware address. Calls `failed` for each that was not taken.
    pub fn send(
        &mut self,
        socket: &RawSocket,
        outgoing: &[Outgoing],
        mut failed: impl FnMut(&Outgoing, Errno),
    ) {
        for batch in outgoing.chunks(BATCH) {
            self.send_batch(socket, batch, &mut failed);
        }
    }

    fn send_batch(
        &mut self,
        socket: &RawSocket,
        batch: &[Outgoing],
        failed: &mut impl FnMut(&Outgoing, Errno),
    ) {
        let headers: [_; BATCH] =
            array::from_fn(|i| batch.get(i).and_then(|one| socket.header(one)));
        let slices: [_; BATCH] = array::from_fn(|i| {
            let header = headers[i].as_ref().map_or(&[][..], |header| header);
            [
                IoSlice::new(header),
                IoSlice::new(batch.get(i).map_or(&[], |one| &one.bytes)),
            ]
        });
        // The socket is bound: every frame leaves on its interface.
        let nowhere = [None; BATCH];
        let mut from = 0;
        while from < batch.len() {
            let sent = if headers[from].is_none() {
                Err(Errno::EMSGSIZE)
            } else {
                let run = headers[from..batch.len()]
                    .iter()
                    .take_while(|header| header.is_some())
                    .count();
                let (slices, nowhere) = (&slices[from..from + run], &nowhere[..run]);
                sendmmsg(
                    socket.fd.as_raw_fd(),
                    &mut self.0,
                    slices,
                    nowhere,
                    [],
                    MsgFlags::MSG_DONTWAIT,
                )
                .map(Iterator::count)
            };
            from += sent.unwrap_or_else(|errno| {
                failed(&batch[from], errno);
                1
            });
        }
    }
}

impl Default for RawSender {
    fn default() -> Self {
        Self::new()
    }
}

/// The three headers of a UDP datagram in an Ethernet frame between `hardware` destination and source; `None` where
/// the payload is too long for one IPv4 packet.
///
/// ```text
/// 0 Ethernet: destination 6 | source 6 | type 2
/// 14 IPv4: 0x45 | tos | length 2 | id 2 | fragment 2 | ttl | protocol | checksum 2 | source 4 | destination 4
/// 34 UDP: source 2 | destination 2 | length 2 | checksum 2
/// ```
#[must_use]
pub fn header(
    hardware: [[u8; 6]; 2],
    from: SocketAddrV4,
    to: SocketAddrV4,
    payload: &[u8],
) -> Option<[u8; HEADER]> {
    let udp_length = u16::try_from(payload.len()).ok()?.checked_add(8)?;
    let ip_length = udp_length.checked_add(20)?;
    let mut bytes = [0; HEADER];
    bytes[..12].copy_from_slice(hardware.as_flattened());
    bytes[12..14].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
    bytes[14] = 0x45;
    bytes[16..18].copy_from_slice(&ip_length.to_be_bytes());
    bytes[22] = TIME_TO_LIVE;
    bytes[23] = PROTOCOL_UDP;
    bytes[26..30].copy_from_slice(&from.ip().octets());
    bytes[30..34].copy_from_slice(&to.ip().octets());
    let ip_checksum = !folded(sum(&bytes[14..34]));
    bytes[24..26].copy_from_slice(&ip_checksum.to_be_bytes());
    bytes[34..36].copy_from_slice(&from.port().to_be_bytes());
    bytes[36..38].copy_from_slice(&to.port().to_be_bytes());
    bytes[38..40].copy_from_slice(&udp_length.to_be_bytes());
    // The pseudo header: both addresses, the protocol and the UDP length.
    let pseudo = sum(&bytes[26..34]) + u32::from(PROTOCOL_UDP) + u32::from(udp_length);
    // RFC 768: a computed zero is sent as all ones; zero would say that there is no checksum.
    let udp_checksum = match !folded(pseudo + sum(&bytes[34..42]) + sum(payload)) {
        0 => 0xffff,
        checksum => checksum,
    };
    bytes[40..42].copy_from_slice(&udp_checksum.to_be_bytes());
    Some(bytes)
}

/// Sum of big-endian 16-bit words, an odd last byte padded with zero. At most 65,535 bytes: it cannot overflow.
fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks_exact(2);
    let last = words
        .remainder()
        .first()
        .map_or(0, |byte| u32::from(*byte) << 8);
    words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum::<u32>()
        + last
}

/// RFC 1071: end-around carry.
fn folded(sum: u32) -> u16 {
    let once = (sum >> 16) + (sum & 0xffff);
    let twice = (once >> 16) + (once & 0xffff);
    u16::try_from(twice).expect("two folds of 32 bits leave 16")
}

#[cfg(test)]
mod tests;

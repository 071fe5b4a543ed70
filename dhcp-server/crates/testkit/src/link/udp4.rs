//! DHCPv4 over a real interface.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{LinkAddr, MsgFlags, bind, recvfrom, send};
use socket2::{Domain, Protocol, Socket, Type};

use super::frame::Frame;
use super::{LinkError, failed, is_pause, wait_for};
use crate::cursor::ReplyError;
use crate::reply4::Reply4Seen;

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const ETHERTYPE_IPV4: u16 = 0x0800;
const LONGEST_FRAME: usize = 65_536;

/// A DHCPv4 client's or relay's way to the server.
#[derive(Debug)]
pub struct UdpLink4 {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Whole frames on an interface: the client need not own any address.
    Frames(Socket),
    /// Datagrams between two addresses.
    Datagrams {
        socket: UdpSocket,
        server: SocketAddrV4,
    },
}

/// An answer and how it was addressed.
#[derive(Clone, Debug)]
pub struct Delivered4 {
    /// The answer.
    pub reply: Reply4Seen,
    /// Where it came from.
    pub from: SocketAddrV4,
    /// Its Ethernet and IP destination; none for datagrams.
    pub to: Option<([u8; 6], Ipv4Addr)>,
}

impl UdpLink4 {
    /// A client on this interface of the current network namespace. It sends from 0.0.0.0:68 to
    /// 255.255.255.255:67 under the client's own hardware address, and sees every answer on the
    /// link, broadcast or unicast to an address that nobody owns yet.
    ///
    /// # Errors
    ///
    /// When the interface does not exist or the thread may not open packet sockets.
    pub fn broadcast(interface: &str) -> Result<Self, LinkError> {
        let address = link_address(interface)?;
        let protocol = Protocol::from(i32::from(ETHERTYPE_IPV4.to_be()));
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))
            .map_err(failed("open a packet socket"))?;
        bind(socket.as_raw_fd(), &address)
            .map_err(io::Error::from)
            .map_err(failed("bind the packet socket to the interface"))?;
        let way = Way::Frames(socket);
        Ok(Self { way })
    }

    /// A client that owns this address and renews by unicast.
    ///
    /// # Errors
    ///
    /// When the address is not one of the current network namespace, or its port 68 is taken.
    pub fn unicast(client: Ipv4Addr, server: Ipv4Addr) -> Result<Self, LinkError> {
        Self::datagrams(SocketAddrV4::new(client, CLIENT_PORT), server)
    }

    /// A relay at this address of its own; the server answers to it.
    ///
    /// # Errors
    ///
    /// When the address is not one of the current network namespace, or its port 67 is taken.
    pub fn relay(giaddr: Ipv4Addr, server: Ipv4Addr) -> Result<Self, LinkError> {
        Self::datagrams(SocketAddrV4::new(giaddr, SERVER_PORT), server)
    }

    fn datagrams(local: SocketAddrV4, server: Ipv4Addr) -> Result<Self, LinkError> {
        let socket =
            UdpSocket::bind(local).map_err(failed("bind the client's or relay's address"))?;
        let server = SocketAddrV4::new(server, SERVER_PORT);
        let way = Way::Datagrams { socket, server };
        Ok(Self { way })
    }

    /// Sends a message and waits for nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be sent.
    pub fn send(&self, message: &[u8]) -> Result<(), LinkError> {
        match &self.way {
            Way::Frames(socket) => send_broadcast(socket, message),
            Way::Datagrams { socket, server } => socket
                .send_to(message, server)
                .map(drop)
                .map_err(failed("send a datagram to the server")),
        }
    }

    /// Sends a message and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`LinkError::Silence`] when none came in time, [`LinkError::Flaw`] when it is not as the
    /// standard wants it or belongs to another client.
    pub fn exchange(&self, message: &[u8], wait: Duration) -> Result<Reply4Seen, LinkError> {
        self.deliver(message, wait).map(|answer| answer.reply)
    }

    /// As [`UdpLink4::exchange`], and tells how the answer was addressed.
    ///
    /// # Errors
    ///
    /// As [`UdpLink4::exchange`].
    pub fn deliver(&self, message: &[u8], wait: Duration) -> Result<Delivered4, LinkError> {
        self.send(message)?;
        let xid = transaction_id(message);
        let mut buffer = vec![0; LONGEST_FRAME];
        wait_for(xid, wait, |left| match &self.way {
            Way::Frames(socket) => {
                let Some(bytes) = receive_frame(socket, &mut buffer, left)? else {
                    return Ok(None);
                };
                answer_in_frame(bytes, message)
            }
            Way::Datagrams { socket, .. } => {
                let Some((bytes, from)) = receive_datagram(socket, &mut buffer, left)? else {
                    return Ok(None);
                };
                answer_in(bytes, message, from, None)
            }
        })
    }
}

/// The interface's index and hardware address, as a socket address without a protocol: binding to
/// it keeps the protocol that the socket was opened with (packet(7)).
fn link_address(interface: &str) -> Result<LinkAddr, LinkError> {
    getifaddrs()
        .map_err(io::Error::from)
        .map_err(failed("list the interfaces"))?
        .filter(|found| found.interface_name == interface)
        .find_map(|found| found.address?.as_link_addr().copied())
        .ok_or_else(|| LinkError::NoInterface {
            name: interface.to_owned(),
        })
}

fn send_broadcast(socket: &Socket, message: &[u8]) -> Result<(), LinkError> {
    let frame = Frame {
        to_hw: [0xFF; 6],
        from_hw: hw_address(message),
        from: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
        to: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
        payload: message,
    };
    send(socket.as_raw_fd(), &frame.to_bytes(), MsgFlags::empty())
        .map(drop)
        .map_err(io::Error::from)
        .map_err(failed("send a frame on the interface"))
}

fn receive_frame<'a>(
    socket: &Socket,
    buffer: &'a mut [u8],
    left: Duration,
) -> Result<Option<&'a [u8]>, LinkError> {
    socket
        .set_read_timeout(Some(left))
        .map_err(failed("bound the wait for a frame"))?;
    match recvfrom::<LinkAddr>(socket.as_raw_fd(), buffer).map_err(io::Error::from) {
        Ok((length, _)) => Ok(buffer.get(..length)),
        Err(error) if is_pause(&error) => Ok(None),
        Err(error) => Err(failed("receive a frame")(error)),
    }
}

fn receive_datagram<'a>(
    socket: &UdpSocket,
    buffer: &'a mut [u8],
    left: Duration,
) -> Result<Option<(&'a [u8], SocketAddrV4)>, LinkError> {
    socket
        .set_read_timeout(Some(left))
        .map_err(failed("bound the wait for a datagram"))?;
    match socket.recv_from(buffer) {
        Ok((length, SocketAddr::V4(from))) => Ok(buffer.get(..length).map(|bytes| (bytes, from))),
        Ok((_, SocketAddr::V6(_))) => Ok(None),
        Err(error) if is_pause(&error) => Ok(None),
        Err(error) => Err(failed("receive a datagram")(error)),
    }
}

/// Looks for the answer in a frame; all that is not UDP to a DHCP client is passed over.
fn answer_in_frame(bytes: &[u8], message: &[u8]) -> Result<Option<Delivered4>, LinkError> {
    let frame = match Frame::parse(bytes) {
        Ok(Some(frame)) if frame.to.port() == CLIENT_PORT => frame,
        Ok(_) => return Ok(None),
        Err(flaw) => return Err(flawed(flaw, bytes)),
    };
    let to = Some((frame.to_hw, *frame.to.ip()));
    answer_in(frame.payload, message, frame.from, to)
}

fn answer_in(
    bytes: &[u8],
    message: &[u8],
    from: SocketAddrV4,
    to: Option<([u8; 6], Ipv4Addr)>,
) -> Result<Option<Delivered4>, LinkError> {
    let is_reply = bytes.first() == Some(&2);
    if !is_reply || transaction_id(bytes) != transaction_id(message) {
        return Ok(None);
    }
    let reply = Reply4Seen::parse(bytes).map_err(|flaw| flawed(flaw, bytes))?;
    reply
        .check_answers(message)
        .map_err(|flaw| flawed(flaw, bytes))?;
    Ok(Some(Delivered4 { reply, from, to }))
}

fn flawed(flaw: ReplyError, bytes: &[u8]) -> LinkError {
    LinkError::Flaw {
        flaw,
        bytes: bytes.to_vec(),
    }
}

fn transaction_id(message: &[u8]) -> u32 {
    u32::from_be_bytes(field(message, 4))
}

fn hw_address(message: &[u8]) -> [u8; 6] {
    field(message, 28)
}

/// A fixed field of a message; zeros when the message is too short to have it.
fn field<const N: usize>(message: &[u8], at: usize) -> [u8; N] {
    message
        .get(at..)
        .and_then(|rest| rest.first_chunk().copied())
        .unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client4::Client4;
    use crate::reply4::samples::ack;

    const HERE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 67);

    fn request() -> Vec<u8> {
        let lease = Reply4Seen::parse(&ack()).unwrap();
        Client4::new(lease.hw_address).request_selecting(&lease)
    }

    #[test]
    fn answer_of_another_transaction_is_passed_over_and_a_flawed_one_is_an_error() {
        let mut other = ack();
        other[4] ^= 1;
        assert!(answer_in(&other, &request(), HERE, None).unwrap().is_none());
        let mut flawed = ack();
        flawed.truncate(250);
        let error = answer_in(&flawed, &request(), HERE, None).unwrap_err();
        assert!(matches!(error, LinkError::Flaw { .. }), "{error}");
        let seen = answer_in(&ack(), &request(), HERE, None).unwrap();
        assert_eq!(seen.unwrap().from, HERE);
    }

    #[test]
    fn missing_interface_is_named() {
        let error = UdpLink4::broadcast("no-such-link").unwrap_err().to_string();
        assert!(error.contains("no-such-link"), "{error}");
    }

    #[test]
    fn silence_is_reported_after_the_bounded_wait() {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(server) = peer.local_addr().unwrap() else {
            unreachable!("the peer is bound to an IPv4 address");
        };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let link = UdpLink4 {
            way: Way::Datagrams { socket, server },
        };
        let error = link.exchange(&request(), Duration::from_millis(20));
        assert!(error.unwrap_err().is_silence());
    }
}

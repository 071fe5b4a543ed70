//! DHCPv6 over a real interface.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{LinkError, failed, is_pause, wait_for};
use crate::reply6::{Reply6Seen, transaction_id};

const CLIENT_PORT: u16 = 546;
const SERVER_PORT: u16 = 547;
/// RFC 8415 §7.1: `All_DHCP_Relay_Agents_and_Servers`.
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const LONGEST_MESSAGE: usize = 65_536;

/// A DHCPv6 client's or relay's way to the server.
#[derive(Debug)]
pub struct UdpLink6 {
    socket: UdpSocket,
    server: SocketAddrV6,
}

impl UdpLink6 {
    /// A client on this interface of the current network namespace, port 546, that sends to all
    /// servers on the link.
    ///
    /// # Errors
    ///
    /// When the interface does not exist or its port 546 is taken.
    pub fn multicast(interface: &str) -> Result<Self, LinkError> {
        let scope = if_nametoindex(interface).map_err(|_| LinkError::NoInterface {
            name: interface.to_owned(),
        })?;
        let local = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, CLIENT_PORT, 0, 0);
        let socket = bound(local, Some(interface))?;
        socket
            .set_multicast_if_v6(scope)
            .map_err(failed("choose the interface for multicast"))?;
        Ok(Self {
            socket: socket.into(),
            server: SocketAddrV6::new(ALL_SERVERS, SERVER_PORT, 0, scope),
        })
    }

    /// A client that owns this address and sends to the server by unicast (RFC 8415 §21.12).
    ///
    /// # Errors
    ///
    /// When the address is not one of the current network namespace, or its port 546 is taken.
    pub fn unicast(client: Ipv6Addr, server: Ipv6Addr) -> Result<Self, LinkError> {
        Self::between(SocketAddrV6::new(client, CLIENT_PORT, 0, 0), server)
    }

    /// A relay at this address of its own, port 547; the server answers to it.
    ///
    /// # Errors
    ///
    /// When the address is not one of the current network namespace, or its port 547 is taken.
    pub fn relay(relay: Ipv6Addr, server: Ipv6Addr) -> Result<Self, LinkError> {
        Self::between(SocketAddrV6::new(relay, SERVER_PORT, 0, 0), server)
    }

    fn between(local: SocketAddrV6, server: Ipv6Addr) -> Result<Self, LinkError> {
        Ok(Self {
            socket: bound(local, None)?.into(),
            server: SocketAddrV6::new(server, SERVER_PORT, 0, 0),
        })
    }

    /// Sends a message and waits for nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be sent.
    pub fn send(&self, message: &[u8]) -> Result<(), LinkError> {
        self.socket
            .send_to(message, self.server)
            .map(drop)
            .map_err(failed("send a datagram to the server"))
    }

    /// Sends a message and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`LinkError::Silence`] when none came in time, [`LinkError::Flaw`] when it is not as the
    /// standard wants it, or belongs to another client or relay.
    pub fn exchange(&self, message: &[u8], wait: Duration) -> Result<Reply6Seen, LinkError> {
        self.send(message)?;
        let xid = transaction_id(message);
        let mut buffer = vec![0; LONGEST_MESSAGE];
        wait_for(xid.unwrap_or_default(), wait, |left| {
            let Some(bytes) = self.receive(&mut buffer, left)? else {
                return Ok(None);
            };
            if transaction_id(bytes) != xid {
                return Ok(None);
            }
            answer_in(bytes, message).map(Some)
        })
    }

    fn receive<'a>(
        &self,
        buffer: &'a mut [u8],
        left: Duration,
    ) -> Result<Option<&'a [u8]>, LinkError> {
        self.socket
            .set_read_timeout(Some(left))
            .map_err(failed("bound the wait for a datagram"))?;
        match self.socket.recv_from(buffer) {
            Ok((length, SocketAddr::V6(from))) if from.port() == SERVER_PORT => {
                Ok(buffer.get(..length))
            }
            Ok(_) => Ok(None),
            Err(error) if is_pause(&error) => Ok(None),
            Err(error) => Err(failed("receive a datagram")(error)),
        }
    }
}

fn bound(local: SocketAddrV6, interface: Option<&str>) -> Result<Socket, LinkError> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))
        .map_err(failed("open a UDP socket"))?;
    socket
        .set_only_v6(true)
        .map_err(failed("keep IPv4 out of the socket"))?;
    socket
        .bind_device(interface.map(str::as_bytes))
        .map_err(failed("bind the socket to the interface"))?;
    socket
        .bind(&SockAddr::from(local))
        .map_err(failed("bind the client's or relay's address"))?;
    Ok(socket)
}

fn answer_in(bytes: &[u8], message: &[u8]) -> Result<Reply6Seen, LinkError> {
    let reply = Reply6Seen::parse(bytes).and_then(|reply| {
        reply.check_answers(message)?;
        Ok(reply)
    });
    reply.map_err(|flaw| LinkError::Flaw {
        flaw,
        bytes: bytes.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client6::{Client6, Ia};
    use crate::reply6::samples;

    #[test]
    fn answer_to_another_client_is_a_flaw() {
        let mut answer = samples::reply();
        let mut client = Client6::new(vec![0, 3, 0, 1, 2, 0, 0, 0, 0, 7], vec![Ia::na(1)]);
        let request = client.solicit();
        answer[1..4].copy_from_slice(&client.xid().to_be_bytes()[1..]);
        let seen = answer_in(&answer, &request).unwrap();
        assert_eq!(seen.xid, client.xid());
        answer[4 + 4 + 9] ^= 1;
        let error = answer_in(&answer, &request).unwrap_err();
        assert!(matches!(error, LinkError::Flaw { .. }), "{error}");
    }

    #[test]
    fn missing_interface_is_named() {
        let error = UdpLink6::multicast("no-such-link").unwrap_err().to_string();
        assert!(error.contains("no-such-link"), "{error}");
    }

    #[test]
    fn silence_is_reported_after_the_bounded_wait() {
        let peer = UdpSocket::bind("[::1]:0").unwrap();
        let SocketAddr::V6(server) = peer.local_addr().unwrap() else {
            unreachable!("the peer is bound to an IPv6 address");
        };
        let socket = UdpSocket::bind("[::1]:0").unwrap();
        let link = UdpLink6 { socket, server };
        let message = Client6::new(vec![1], Vec::new()).solicit();
        let error = link.exchange(&message, Duration::from_millis(20));
        assert!(error.unwrap_err().is_silence());
    }
}

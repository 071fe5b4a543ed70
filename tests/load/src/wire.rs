//! One UDP socket, used in batches.

use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use anyhow::Context;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};

/// Datagrams per system call.
const BATCH: usize = 64;
/// No DHCP answer through our relay layer comes near this.
const MAX_DATAGRAM: usize = 4096;
/// Asked of the kernel for each direction; it may grant less.
const SOCKET_BUFFER: usize = 4 << 20;

/// Opens the relay agent's socket. It is not connected: a dead server's ICMP errors are no errors here.
pub(crate) fn open(from: IpAddr, port: u16) -> anyhow::Result<Socket> {
    let address = SocketAddr::new(from, port);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into()).with_context(|| {
        format!("cannot bind {address} (is it on this machine, and may we use the port?)")
    })?;
    Ok(socket)
}

/// Datagrams that wait for one `sendmmsg`.
pub(crate) struct Outbox {
    packets: Vec<Vec<u8>>,
    waiting: usize,
    to: SockaddrStorage,
    headers: MultiHeaders<SockaddrStorage>,
    /// Datagrams that the kernel refused; they count as lost on the way.
    pub(crate) refused: u64,
}

impl Outbox {
    /// Everything goes to `server`.
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self {
            packets: vec![Vec::new(); BATCH],
            waiting: 0,
            to: server.into(),
            headers: MultiHeaders::preallocate(BATCH, None),
            refused: 0,
        }
    }

    /// Adds what `write` puts into the buffer; sends first when the batch is full.
    pub(crate) fn push(&mut self, socket: &Socket, write: impl FnOnce(&mut Vec<u8>)) {
        if self.waiting == BATCH {
            self.flush(socket);
        }
        write(&mut self.packets[self.waiting]);
        self.waiting += 1;
    }

    /// Sends everything that waits. A refused datagram is dropped: its exchange retransmits.
    pub(crate) fn flush(&mut self, socket: &Socket) {
        let mut sent = 0;
        while sent < self.waiting {
            let slices: Vec<[IoSlice<'_>; 1]> = self.packets[sent..self.waiting]
                .iter()
                .map(|packet| [IoSlice::new(packet)])
                .collect();
            let addresses = [Some(self.to); BATCH];
            let result = sendmmsg(
                socket.as_raw_fd(),
                &mut self.headers,
                &slices,
                &addresses[..slices.len()],
                [],
                MsgFlags::empty(),
            );
            match result.map(Iterator::count) {
                Ok(count) => sent += count.max(1),
                Err(Errno::EINTR) => {}
                Err(_) => {
                    self.refused += 1;
                    sent += 1;
                }
            }
        }
        self.waiting = 0;
    }
}

/// Room for the datagrams of one `recvmmsg`.
pub(crate) struct Inbox {
    packets: Vec<Vec<u8>>,
    lengths: Vec<usize>,
    headers: MultiHeaders<()>,
}

impl Inbox {
    /// Nothing received yet.
    pub(crate) fn new() -> Self {
        Self {
            packets: vec![vec![0; MAX_DATAGRAM]; BATCH],
            lengths: Vec::with_capacity(BATCH),
            headers: MultiHeaders::preallocate(BATCH, None),
        }
    }

    /// Replaces the content by what arrives within `patience`; empty when nothing does.
    pub(crate) fn receive(&mut self, socket: &Socket, patience: Duration) -> anyhow::Result<()> {
        self.lengths.clear();
        self.take_arrived(socket)?;
        if self.lengths.is_empty() && !patience.is_zero() && wait(socket, patience)? {
            self.take_arrived(socket)?;
        }
        Ok(())
    }

    /// The datagrams, in order of arrival.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        self.lengths
            .iter()
            .zip(&self.packets)
            .map(|(length, packet)| &packet[..*length])
    }

    fn take_arrived(&mut self, socket: &Socket) -> anyhow::Result<()> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = self
            .packets
            .iter_mut()
            .map(|packet| [IoSliceMut::new(packet)])
            .collect();
        match recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            &mut slices,
            MsgFlags::MSG_DONTWAIT,
            None,
        ) {
            Ok(received) => self.lengths.extend(received.map(|message| message.bytes)),
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => {}
            Err(error) => return Err(error).context("cannot receive"),
        }
        Ok(())
    }
}

/// Waits until something can be read; false when the time is over first.
fn wait(socket: &Socket, patience: Duration) -> anyhow::Result<bool> {
    let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    match ppoll(&mut ready, Some(TimeSpec::from_duration(patience)), None) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error).context("cannot wait for the socket"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_batch_arrives_complete_and_in_order() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let receiver = open(loopback, 0).unwrap();
        let to = receiver.local_addr().unwrap().as_socket().unwrap();
        let sender = open(loopback, 0).unwrap();
        let mut outbox = Outbox::new(to);
        for number in 0..150_u8 {
            outbox.push(&sender, |packet| {
                packet.clear();
                packet.extend_from_slice(&vec![number; usize::from(number)]);
            });
        }
        outbox.flush(&sender);

        let mut inbox = Inbox::new();
        let mut arrived = Vec::new();
        loop {
            inbox
                .receive(&receiver, Duration::from_millis(200))
                .unwrap();
            let before = arrived.len();
            arrived.extend(inbox.datagrams().map(<[u8]>::to_vec));
            if arrived.len() == before {
                break;
            }
        }
        let expected: Vec<Vec<u8>> = (0..150_u8)
            .map(|number| vec![number; usize::from(number)])
            .collect();
        assert_eq!(arrived, expected);
        assert_eq!(outbox.refused, 0);
    }
}

//! Gathers the answers of one turn and sends them in batches.

use super::batch::Sender;
use super::listen::Sockets;
use super::raw4::{RawSender, RawSocket, ethernet_destination};
use super::socket::{UdpSocket, is_group};
use nix::errno::Errno;
use outrigger_wire::Outgoing;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where answers go whose interface has no socket: for a server that is driven inside one process.
pub type Tap = Arc<dyn Fn(Outgoing) + Send + Sync>;

/// Least time between two log lines about failed sends.
const LOG_PAUSE: Duration = Duration::from_secs(10);
/// Lanes kept before unused ones are dropped: sources are the server's own addresses, so there are few.
const LANES: usize = 64;

/// Sends what a shard answers.
pub(crate) struct Transmitter {
    udp: Vec<Arc<UdpSocket>>,
    raw: Vec<Arc<RawSocket>>,
    tap: Option<Tap>,
    lanes: Vec<Lane>,
    frames: Vec<Frames>,
    sender: Sender,
    raw_sender: RawSender,
    failures: Failures,
}

/// Datagrams that can leave with one system call.
struct Lane {
    socket: Arc<UdpSocket>,
    source: IpAddr,
    queue: Vec<Outgoing>,
}

/// Frames that can leave with one system call.
struct Frames {
    socket: Arc<RawSocket>,
    queue: Vec<Outgoing>,
}

impl Transmitter {
    pub(crate) fn new(sockets: &Sockets, tap: Option<Tap>) -> Self {
        Self {
            udp: sockets.udp.clone(),
            raw: sockets.raw.clone(),
            tap,
            lanes: Vec::new(),
            frames: Vec::new(),
            sender: Sender::new(),
            raw_sender: RawSender::new(),
            failures: Failures::default(),
        }
    }

    /// Queues an answer for the next [`Self::flush`].
    pub(crate) fn push(&mut self, mut outgoing: Outgoing) {
        let Some(socket) = self.socket_for(&outgoing) else {
            match &self.tap {
                Some(tap) => tap(outgoing),
                None => self.failures.add(&outgoing, Errno::ENODEV),
            }
            return;
        };
        if outgoing.to_hardware.is_some() {
            if let Some(queue) = self.frames_for(&outgoing) {
                queue.push(outgoing);
                return;
            }
            // RFC 2131 §4.1: where the client cannot be reached by unicast the answer may be broadcast.
            outgoing.link.remote.set_ip(Ipv4Addr::BROADCAST.into());
        }
        let source = source_of(&outgoing);
        self.lane(socket, source).push(outgoing);
    }

    /// Sends everything queued; yields how many answers could not be sent since the last call.
    pub(crate) fn flush(&mut self) -> u64 {
        let failures = &mut self.failures;
        for Lane {
            socket,
            source,
            queue,
        } in &mut self.lanes
        {
            self.sender.send(socket, *source, queue, |outgoing, errno| {
                failures.add(outgoing, errno)
            });
            queue.clear();
        }
        for Frames { socket, queue } in &mut self.frames {
            self.raw_sender.send(socket, queue, |outgoing, errno| {
                failures.add(outgoing, errno)
            });
            queue.clear();
        }
        std::mem::take(&mut failures.unreported)
    }

    /// The socket bound to the answer's source, else the one of its interface.
    fn socket_for(&self, outgoing: &Outgoing) -> Option<usize> {
        let link = &outgoing.link;
        let of_interface = |socket: &Arc<UdpSocket>| {
            socket.interface_index() == link.interface_index
                && socket.is_ipv4() == link.remote.is_ipv4()
        };
        let position = |wanted: Option<IpAddr>| {
            self.udp
                .iter()
                .position(|socket| of_interface(socket) && socket.bound() == wanted)
        };
        position(Some(link.local.ip()))
            .or_else(|| position(None))
            .or_else(|| self.udp.iter().position(of_interface))
    }

    fn frames_for(&mut self, outgoing: &Outgoing) -> Option<&mut Vec<Outgoing>> {
        ethernet_destination(outgoing)?;
        let index = outgoing.link.interface_index;
        let known = self
            .frames
            .iter()
            .position(|frames| frames.socket.interface_index() == index);
        let at = match known {
            Some(at) => at,
            None => {
                let socket = self
                    .raw
                    .iter()
                    .find(|socket| socket.interface_index() == index)?
                    .clone();
                self.frames.push(Frames {
                    socket,
                    queue: Vec::new(),
                });
                self.frames.len() - 1
            }
        };
        Some(&mut self.frames[at].queue)
    }

    fn lane(&mut self, socket: usize, source: IpAddr) -> &mut Vec<Outgoing> {
        let socket = &self.udp[socket];
        let known = self
            .lanes
            .iter()
            .position(|lane| lane.source == source && Arc::ptr_eq(&lane.socket, socket));
        let at = known.unwrap_or_else(|| {
            if self.lanes.len() >= LANES {
                self.lanes.retain(|lane| !lane.queue.is_empty());
            }
            self.lanes.push(Lane {
                socket: socket.clone(),
                source,
                queue: Vec::new(),
            });
            self.lanes.len() - 1
        });
        &mut self.lanes[at].queue
    }
}

/// The answer's own source; unspecified, and so the kernel's choice, where that is no address of one host.
fn source_of(outgoing: &Outgoing) -> IpAddr {
    let source = outgoing.link.local.ip();
    match outgoing.link.remote {
        SocketAddr::V4(_) if !source.is_ipv4() || is_group(source) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) if !source.is_ipv6() || is_group(source) => Ipv6Addr::UNSPECIFIED.into(),
        SocketAddr::V4(_) | SocketAddr::V6(_) => source,
    }
}

/// Counts answers that could not be sent, and logs some of them.
#[derive(Default)]
struct Failures {
    unreported: u64,
    unlogged: u64,
    logged_at: Option<Instant>,
}

impl Failures {
    fn add(&mut self, outgoing: &Outgoing, errno: Errno) {
        self.unreported += 1;
        self.unlogged += 1;
        if self.logged_at.is_some_and(|at| at.elapsed() < LOG_PAUSE) {
            return;
        }
        let (interface, remote) = (&outgoing.link.interface, outgoing.link.remote);
        let count = std::mem::take(&mut self.unlogged);
        tracing::warn!(%interface, %remote, count, "cannot send to {remote} on {interface}: {}", errno.desc());
        self.logged_at = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests;

//! The receive stage of one shard: from its sockets to the shards of the clients.

use super::ingress::Arrival;
use super::mailbox::Mailbox;
use crate::net::batch::{BATCH, Receiver};
use crate::net::peek::Peek;
use crate::net::socket::UdpSocket;
use nix::errno::Errno;
use outrigger_wire::Datagram;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Hands each packet to the shard of its client.
#[derive(Debug)]
pub(super) struct Dispatch {
    peek: Peek,
    mailboxes: Arc<[Arc<Mailbox>]>,
    /// Per shard, what it gets when the batch is through.
    staged: Vec<Vec<Arrival>>,
}

impl Dispatch {
    pub(super) fn new(peek: Peek, mailboxes: Arc<[Arc<Mailbox>]>) -> Self {
        let staged = mailboxes.iter().map(|_| Vec::new()).collect();
        Self {
            peek,
            mailboxes,
            staged,
        }
    }

    pub(super) fn stage(&mut self, datagram: Datagram, at: Instant) {
        let glance = self.peek.at(&datagram);
        let shard = shard_of(glance.client, self.mailboxes.len());
        self.staged[shard].push(Arrival {
            datagram,
            urgency: glance.urgency,
            at,
        });
    }

    pub(super) fn deliver(&mut self) {
        for (mailbox, staged) in self.mailboxes.iter().zip(&mut self.staged) {
            if !staged.is_empty() {
                mailbox.deliver(staged);
            }
        }
    }
}

/// By the upper bits of the hash, spread evenly over any number of shards.
fn shard_of(client: u64, shards: usize) -> usize {
    let product = u128::from(client) * shards as u128;
    usize::try_from(product >> 64).expect("less than the number of shards")
}

/// Sockets that this shard receives from.
#[derive(Debug)]
pub(super) struct Intake {
    sockets: Vec<AsyncFd<Arc<UdpSocket>>>,
    receiver: Receiver,
    dispatch: Dispatch,
}

/// What one look at all sockets came to.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Some socket may hold more.
    pub(super) more: bool,
    /// Longer than any DHCP message: dropped.
    pub(super) truncated: u64,
    /// Without the address they were sent to: dropped.
    pub(super) unaddressed: u64,
}

/// Registers a socket with the runtime that the caller is inside of: for reading only, because each datagram that has
/// been sent would wake the shard otherwise.
#[allow(
    deprecated,
    reason = "the replacement is unsafe to call; what it demands holds, an Arc keeps its one descriptor open"
)]
pub(super) fn watch(socket: Arc<UdpSocket>) -> io::Result<AsyncFd<Arc<UdpSocket>>> {
    AsyncFd::with_interest(socket, Interest::READABLE)
}

impl Intake {
    pub(super) fn new(sockets: Vec<AsyncFd<Arc<UdpSocket>>>, dispatch: Dispatch) -> Self {
        Self {
            sockets,
            receiver: Receiver::new(),
            dispatch,
        }
    }

    /// Takes one batch from each socket that has something, and asks to be woken for the others.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, now: Instant) -> Taken {
        let mut taken = Taken::default();
        for socket in &self.sockets {
            let Poll::Ready(Ok(mut ready)) = socket.poll_read_ready(context) else {
                continue;
            };
            let dispatch = &mut self.dispatch;
            let received = self
                .receiver
                .receive(socket.get_ref(), |datagram| dispatch.stage(datagram, now));
            let drained = match received {
                Ok(received) => {
                    taken.truncated += received.truncated;
                    taken.unaddressed += received.unaddressed;
                    received.taken < BATCH
                }
                Err(errno) => errno == Errno::EAGAIN,
            };
            // Errors of a socket, such as an interface that went down, are told once and then cleared by the kernel.
            if drained {
                ready.clear_ready();
                taken.more |= socket.poll_read_ready(context).is_ready();
            } else {
                taken.more = true;
            }
        }
        self.dispatch.deliver();
        taken
    }

    /// Receives nothing any more.
    pub(super) fn close(&mut self) {
        self.sockets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_gets_its_share_of_the_hashes() {
        for shards in 1..=5 {
            let mut share = vec![0_u32; shards];
            for hash in (0..1000).map(|i| u64::MAX / 1000 * i) {
                share[shard_of(hash, shards)] += 1;
            }
            let even = 1000 / u32::try_from(shards).unwrap();
            assert!(
                share.iter().all(|share| share.abs_diff(even) <= 1),
                "{share:?}"
            );
            assert_eq!(shard_of(u64::MAX, shards), shards - 1);
        }
    }
}

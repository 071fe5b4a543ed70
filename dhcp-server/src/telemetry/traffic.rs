//! Packets that came and went, by the number of their message type.

use crate::net::peek;
use outrigger_wire::{Datagram, Outgoing};
use std::sync::atomic::{AtomicU64, Ordering};

/// One counter for each number that a message type may have. 0 is for what has none.
type ByType = [AtomicU64; 256];

/// Packets of one family that came and went.
#[derive(Debug)]
pub struct Traffic {
    received: ByType,
    /// Shed before anybody looked at their type.
    unread: AtomicU64,
    sent: ByType,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            received: std::array::from_fn(|_| AtomicU64::new(0)),
            unread: AtomicU64::new(0),
            sent: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Traffic {
    /// Counts a packet that begins to be served.
    pub fn received(&self, datagram: &Datagram) {
        count(&self.received, &datagram.bytes, &datagram.link);
    }

    /// Counts packets that were shed without being looked at.
    pub fn shed_unread(&self, packets: u64) {
        self.unread.fetch_add(packets, Ordering::Relaxed);
    }

    /// Counts an answer.
    pub fn sent(&self, outgoing: &Outgoing) {
        count(&self.sent, &outgoing.bytes, &outgoing.link);
    }

    /// Packets of this type that were received.
    #[must_use]
    pub fn received_of(&self, message_type: u8) -> u64 {
        of(&self.received, message_type)
    }

    /// All packets that were received, those that were shed too.
    #[must_use]
    pub fn received_total(&self) -> u64 {
        total(&self.received) + self.unread.load(Ordering::Relaxed)
    }

    /// Answers of this type.
    #[must_use]
    pub fn sent_of(&self, message_type: u8) -> u64 {
        of(&self.sent, message_type)
    }

    /// All answers, those that the system did not take too.
    #[must_use]
    pub fn sent_total(&self) -> u64 {
        total(&self.sent)
    }
}

fn count(counters: &ByType, bytes: &[u8], link: &outrigger_wire::Link) {
    let message_type = peek::message_type(bytes, &link.remote).unwrap_or(0);
    counters[usize::from(message_type)].fetch_add(1, Ordering::Relaxed);
}

fn of(counters: &ByType, message_type: u8) -> u64 {
    counters[usize::from(message_type)].load(Ordering::Relaxed)
}

fn total(counters: &ByType) -> u64 {
    counters
        .iter()
        .map(|counter| counter.load(Ordering::Relaxed))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_wire::Link;
    use outrigger_wire::buffer::Buffer;
    use std::net::SocketAddr;

    fn datagram(bytes: &[u8], remote: SocketAddr) -> Datagram {
        let link = Link {
            interface: "lo".into(),
            interface_index: 1,
            local: remote,
            remote,
        };
        Datagram {
            bytes: Buffer::copy_of(bytes),
            link,
        }
    }

    #[test]
    fn packets_are_counted_by_the_type_of_the_innermost_message() {
        let traffic = Traffic::default();
        let (v4, v6) = (
            ([127, 0, 0, 1], 67).into(),
            ([0, 0, 0, 0, 0, 0, 0, 1], 547).into(),
        );
        let mut discover = vec![0; 240];
        discover.extend([53, 1, 1, 255]);
        traffic.received(&datagram(&discover, v4));
        traffic.received(&datagram(&discover[..240], v4));
        let solicit = [1, 0, 0, 9];
        traffic.received(&datagram(&solicit, v6));
        for relay in [12, 13] {
            let mut relayed = vec![relay; 34];
            relayed.extend([0, 9, 0, 4]);
            relayed.extend(solicit);
            traffic.received(&datagram(&relayed, v6));
        }
        traffic.received(&datagram(&[12, 0], v6));
        traffic.shed_unread(2);
        assert_eq!(traffic.received_of(1), 4);
        assert_eq!(traffic.received_of(0), 2);
        assert_eq!(traffic.received_total(), 8);
        assert_eq!(traffic.sent_total(), 0);
    }
}

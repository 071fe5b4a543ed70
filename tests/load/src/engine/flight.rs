//! Exchanges that are under way, and when each is due to be sent again.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::message::Ask;

/// One exchange under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) client: u32,
    pub(crate) ask: Ask,
    pub(crate) xid: u32,
    /// When the exchange was to start: with a rate, its place in the schedule, so that a server that
    /// holds us up is charged for it.
    pub(crate) began: Instant,
    /// When the present message was sent first.
    pub(crate) asked: Instant,
    pub(crate) tries: u8,
    /// What was offered, or what is renewed.
    pub(crate) address: Option<IpAddr>,
    /// Who offered or granted it, a number of [`super::servers::Servers`].
    pub(crate) server: Option<u8>,
    /// Tells this message from earlier ones of the same slot.
    stamp: u64,
}

/// Place of an exchange in [`Flights`].
pub(crate) type Slot = u32;

/// All exchanges under way.
pub(crate) struct Flights {
    slots: Vec<Option<Flight>>,
    free: Vec<Slot>,
    /// In order of time, because every message waits equally long.
    due: VecDeque<(Instant, Slot, u64)>,
    retransmit: Duration,
    last_stamp: u64,
}

impl Flights {
    /// Room for `limit` exchanges whose messages wait `retransmit` for an answer.
    pub(crate) fn new(limit: u32, retransmit: Duration) -> Self {
        Self {
            slots: vec![None; limit as usize],
            free: (0..limit).rev().collect(),
            due: VecDeque::new(),
            retransmit,
            last_stamp: 0,
        }
    }

    /// Whether another exchange may start.
    pub(crate) fn has_room(&self) -> bool {
        !self.free.is_empty()
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Starts an exchange; there must be room.
    pub(crate) fn start(&mut self, client: u32, ask: Ask, xid: u32, began: Instant) -> Slot {
        let slot = self.free.pop().expect("the engine asked for room first");
        self.slots[slot as usize] = Some(Flight {
            client,
            ask,
            xid,
            began,
            asked: began,
            tries: 0,
            address: None,
            server: None,
            stamp: 0,
        });
        slot
    }

    /// The exchange in this slot.
    pub(crate) fn get(&self, slot: Slot) -> &Flight {
        self.slots[slot as usize]
            .as_ref()
            .expect("a client's slot is taken")
    }

    /// The exchange in this slot, to change it.
    pub(crate) fn get_mut(&mut self, slot: Slot) -> &mut Flight {
        self.slots[slot as usize]
            .as_mut()
            .expect("a client's slot is taken")
    }

    /// Ends the exchange.
    pub(crate) fn end(&mut self, slot: Slot) -> Flight {
        let flight = self.slots[slot as usize]
            .take()
            .expect("a client's slot is taken");
        self.free.push(slot);
        flight
    }

    /// Whether any exchange has this transaction identifier.
    pub(crate) fn any_with(&self, xid: u32) -> bool {
        self.slots.iter().flatten().any(|flight| flight.xid == xid)
    }

    /// The message of this slot leaves now: counts the try and starts its wait.
    pub(crate) fn sent(&mut self, slot: Slot, now: Instant) {
        self.last_stamp += 1;
        let stamp = self.last_stamp;
        let flight = self.get_mut(slot);
        if flight.tries == 0 {
            flight.asked = now;
        }
        flight.tries = flight.tries.saturating_add(1);
        flight.stamp = stamp;
        self.due.push_back((now + self.retransmit, slot, stamp));
    }

    /// An exchange whose message was not answered in time; each call yields another one.
    pub(crate) fn overdue(&mut self, now: Instant) -> Option<Slot> {
        self.forget_answered();
        let (at, slot, _) = *self.due.front()?;
        if at > now {
            return None;
        }
        self.due.pop_front();
        Some(slot)
    }

    /// When the next message becomes overdue.
    pub(crate) fn next_due(&mut self) -> Option<Instant> {
        self.forget_answered();
        self.due.front().map(|(at, ..)| *at)
    }

    /// Drops entries at the front whose message was answered or replaced.
    fn forget_answered(&mut self) {
        while let Some((_, slot, stamp)) = self.due.front() {
            let waits = self.slots[*slot as usize].is_some_and(|flight| flight.stamp == *stamp);
            if waits {
                break;
            }
            self.due.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unanswered_messages_become_overdue_in_order_of_sending() {
        let wait = Duration::from_millis(100);
        let start = Instant::now();
        let mut flights = Flights::new(3, wait);
        let slots: Vec<Slot> = (0..3)
            .map(|client| flights.start(client, Ask::Find, client, start))
            .collect();
        assert!(!flights.has_room());
        for slot in &slots {
            flights.sent(*slot, start);
        }
        flights.end(slots[0]);
        flights.sent(slots[1], start + wait / 2);
        assert_eq!(flights.next_due(), Some(start + wait));
        assert_eq!(flights.overdue(start + wait), Some(slots[2]));
        assert_eq!(flights.overdue(start + wait), None);
        assert_eq!(flights.overdue(start + wait * 2), Some(slots[1]));
        assert_eq!((flights.count(), flights.get(slots[1]).tries), (2, 2));
    }
}

//! The packets in flight of one shard, each a future in a place that is used again.
//!
//! A packet is polled where it will stay. One that is finished by its first poll has cost no task, no allocation and no
//! wake-up.

use super::mailbox::Mailbox;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tokio::task::coop::{Unconstrained, unconstrained};

/// Slots of futures `F`.
pub(crate) struct Slots<F> {
    slots: Vec<Slot<F>>,
    free: Vec<u32>,
    limit: usize,
    mailbox: Arc<Mailbox>,
}

struct Slot<F> {
    /// Without tokio's budget, which would be spent by the first packets of a turn: the turn itself is bounded.
    packet: Pin<Box<Option<Unconstrained<F>>>>,
    wake: Arc<SlotWaker>,
    waker: Waker,
}

/// How a packet stands after it was polled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Polled<T> {
    /// It waits, and will be named ready by the mailbox.
    Waits,
    /// It ended.
    Ended(T),
    /// It panicked, and is gone.
    Panicked,
}

impl<F: Future> Slots<F> {
    /// At most `limit` packets, whose wake-ups go to `mailbox`.
    pub(crate) fn new(limit: usize, mailbox: Arc<Mailbox>) -> Self {
        let limit = limit.min(u32::MAX as usize);
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            limit,
            mailbox,
        }
    }

    /// Packets in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Packets that can be started now.
    pub(crate) fn room(&self) -> usize {
        self.limit - self.in_flight()
    }

    /// Starts a packet and polls it once. There must be [`Self::room`].
    pub(crate) fn start(&mut self, packet: impl FnOnce() -> F) -> Polled<F::Output> {
        let index = self.free.pop().unwrap_or_else(|| self.grow());
        let slot = &mut self.slots[index as usize];
        let placed = catch_unwind(AssertUnwindSafe(|| {
            slot.packet.set(Some(unconstrained(packet())))
        }));
        if placed.is_err() {
            self.free.push(index);
            return Polled::Panicked;
        }
        self.poll(index)
    }

    /// Polls a packet that was named ready; `None` where that one has ended meanwhile.
    pub(crate) fn resume(&mut self, index: u32) -> Option<Polled<F::Output>> {
        let slot = self.slots.get(index as usize)?;
        // Before the poll, so that a wake-up during it counts.
        slot.wake.named.store(false, Ordering::Release);
        slot.packet.is_some().then(|| self.poll(index))
    }

    /// Drops all packets; yields how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        let in_flight = self.in_flight();
        for index in 0..self.slots.len() {
            if self.slots[index].packet.is_some() {
                let index = u32::try_from(index).expect("limited to 32 bits");
                self.vacate(index);
            }
        }
        in_flight
    }

    fn poll(&mut self, index: u32) -> Polled<F::Output> {
        let slot = &mut self.slots[index as usize];
        let mut context = Context::from_waker(&slot.waker);
        let packet = slot
            .packet
            .as_mut()
            .as_pin_mut()
            .expect("callers have filled it");
        let polled = match catch_unwind(AssertUnwindSafe(|| packet.poll(&mut context))) {
            Ok(Poll::Pending) => return Polled::Waits,
            Ok(Poll::Ready(output)) => Polled::Ended(output),
            Err(_panic) => Polled::Panicked,
        };
        self.vacate(index);
        polled
    }

    fn vacate(&mut self, index: u32) {
        let packet = &mut self.slots[index as usize].packet;
        // What a packet drops at its end may panic too; the place is empty all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| packet.set(None)));
        self.free.push(index);
    }

    fn grow(&mut self) -> u32 {
        let index = u32::try_from(self.slots.len()).expect("limited to 32 bits");
        let wake = Arc::new(SlotWaker {
            mailbox: self.mailbox.clone(),
            index,
            named: AtomicBool::new(false),
        });
        let waker = Waker::from(wake.clone());
        self.slots.push(Slot {
            packet: Box::pin(None),
            wake,
            waker,
        });
        index
    }
}

/// Names its slot ready. It outlives packets: a late wake-up of an earlier one polls the present one once too often.
struct SlotWaker {
    mailbox: Arc<Mailbox>,
    index: u32,
    /// Named already, and not polled since.
    named: AtomicBool,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.named.swap(true, Ordering::AcqRel) {
            self.mailbox.wake_slot(self.index);
        }
    }
}

#[cfg(test)]
mod tests;

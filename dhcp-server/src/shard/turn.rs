//! The loop of one shard.

use super::intake::Intake;
use super::mailbox::{Inbox, Mailbox};
use super::slots::{Polled, Slots};
use super::{Service, ShedReason};
use crate::net::Transmitter;
use crate::net::batch::BATCH;
use outrigger_wire::{Datagram, Outgoing};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::task::coop::unconstrained;
use tokio::time::Sleep;

/// Everything one shard owns. `F` is the packet, `M` makes one of a datagram.
pub(super) struct Shard<S, F, M> {
    service: Rc<S>,
    packet: M,
    slots: Slots<F>,
    mailbox: Arc<Mailbox>,
    inbox: Inbox,
    intake: Intake,
    transmitter: Transmitter,
    /// Runs once the shard was told to stop.
    grace: Option<Pin<Box<Sleep>>>,
}

impl<S, F, M> Shard<S, F, M>
where
    S: Service,
    F: Future<Output = Result<Option<Outgoing>, S::Discard>>,
    M: Fn(Datagram) -> F,
{
    pub(super) fn new(
        service: Rc<S>,
        packet: M,
        slots: Slots<F>,
        (mailbox, intake): (Arc<Mailbox>, Intake),
        transmitter: Transmitter,
    ) -> Self {
        let inbox = Inbox::default();
        Self {
            service,
            packet,
            slots,
            mailbox,
            inbox,
            intake,
            transmitter,
            grace: None,
        }
    }

    /// Until the shard is told to stop and its packets have ended.
    pub(super) async fn run(mut self) {
        unconstrained(poll_fn(|context| self.turn(context))).await;
    }

    fn turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let more = self.receive(context, now);
        let room = self.slots.room().min(BATCH);
        self.mailbox.take(&mut self.inbox, room, now);
        self.shed(ShedReason::Overload, self.inbox.dropped.overload);
        self.shed(ShedReason::Stale, self.inbox.dropped.stale);

        let mut inbox = std::mem::take(&mut self.inbox);
        for index in inbox.ready.drain(..) {
            if let Some(polled) = self.slots.resume(index) {
                self.settle(polled);
            }
        }
        for datagram in inbox.datagrams.drain(..) {
            let polled = self.slots.start(|| (self.packet)(datagram));
            self.settle(polled);
        }
        self.inbox = inbox;
        let unsent = self.transmitter.flush();
        self.shed(ShedReason::Unsent, unsent);

        if let Some(deadline) = self.inbox.stop
            && self.stopped(deadline, context)
        {
            return Poll::Ready(());
        }
        let has_room = self.slots.room() > 0;
        if more
            || !self
                .mailbox
                .sleep(context.waker(), has_room, self.grace.is_some())
        {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn receive(&mut self, context: &mut Context<'_>, now: Instant) -> bool {
        let taken = self.intake.poll(context, now);
        self.shed(ShedReason::Truncated, taken.truncated);
        self.shed(ShedReason::Unaddressed, taken.unaddressed);
        taken.more
    }

    fn settle(&mut self, polled: Polled<F::Output>) {
        match polled {
            Polled::Waits | Polled::Ended(Ok(None)) => {}
            Polled::Ended(Ok(Some(outgoing))) => self.transmitter.push(outgoing),
            Polled::Ended(Err(discard)) => self.service.discarded(discard),
            Polled::Panicked => self.shed(ShedReason::Panicked, 1),
        }
    }

    /// Whether all packets have ended, or had to.
    fn stopped(&mut self, deadline: Instant, context: &mut Context<'_>) -> bool {
        let grace = self.grace.get_or_insert_with(|| {
            self.intake.close();
            Box::pin(tokio::time::sleep_until(deadline.into()))
        });
        let out_of_time = grace.as_mut().poll(context).is_ready();
        if out_of_time {
            let waiting = self.mailbox.clear() + self.slots.clear();
            self.shed(ShedReason::Stopped, waiting as u64);
        }
        out_of_time || (self.slots.in_flight() == 0 && self.mailbox.is_empty())
    }

    fn shed(&self, reason: ShedReason, count: u64) {
        if count > 0 {
            self.service.shed(reason, count);
        }
    }
}

#[cfg(test)]
mod tests;

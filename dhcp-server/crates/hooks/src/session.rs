//! One session: calls that wait to be written, calls that wait for their reply.
//!
//! A call has a slot until its [`Ticket`] is dropped, whether it was answered or not; a reply only fills the slot. The
//! id holds the slot's index and its generation, so that a reply to a call that was given up meets nobody. A call that may
//! be parked takes a second, final reply after PARK; no call takes more.

use crate::counters::{Counters, count};
use crate::messages::{CallBatch, CalloutRequest, Message, ServerMessage};
use crate::policy::Cause;
use bytes::Bytes;
use outrigger_proto::{HookPoint, NextStep, v1};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;
use tokio_stream::Stream;
use v1::callout_reply::Outcome;

/// Calls in one message.
const MAX_BATCH: usize = 64;
/// Replies that a service may send beyond the two that a call can have at most.
const SURPLUS: u64 = 1024;
/// Bytes of arguments and contexts in one message, unless a single call has more.
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// A call to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) point: HookPoint,
    pub(crate) deadline: Instant,
    pub(crate) label: Arc<str>,
    pub(crate) status: NextStep,
    pub(crate) context: Bytes,
    pub(crate) revision: u64,
    pub(crate) arguments: Bytes,
    /// Time for a final reply after PARK; zero where the packet cannot be held.
    pub(crate) park: Duration,
}

impl Call {
    /// As it is sent now: the budget is what is left of it.
    pub(crate) fn request(self, id: u64, now: Instant) -> CalloutRequest {
        let left = self.deadline.saturating_duration_since(now).as_micros();
        CalloutRequest {
            id,
            hook_point: i32::from(self.point.number()),
            budget_us: u32::try_from(left).unwrap_or(u32::MAX),
            packet_label: self.label.as_ref().to_owned(),
            trace_parent: String::new(),
            status: self.status as i32,
            context: self.context,
            configuration_revision: self.revision,
            arguments: self.arguments,
            park_budget_us: u32::try_from(self.park.as_micros()).unwrap_or(u32::MAX),
        }
    }

    fn size(&self) -> usize {
        self.arguments.len() + self.context.len() + self.label.len()
    }
}

/// The calls of one stream.
#[derive(Debug)]
pub(crate) struct Session {
    inner: Mutex<Inner>,
    /// Calls that may be open.
    limit: usize,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    hello: Option<v1::Hello>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Calls that were answered with PARK: they are no work for the service's limit.
    parked: usize,
    queue: VecDeque<(u64, Call)>,
    /// Calls that were queued so far.
    asked: u64,
    /// Replies that came so far, and messages without any.
    heard: u64,
    /// Replies that came, whoever they were for.
    answered: u64,
    /// The writer, when there was nothing to write.
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// No new calls; Bye follows what is queued.
    Ending,
    /// Bye was sent.
    Ended,
    /// The stream is gone.
    Lost,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    stage: Stage,
    may_park: bool,
    /// The first reply, until it is taken.
    reply: Option<v1::CalloutReply>,
    /// The one after PARK, until it is taken.
    last: Option<Box<v1::CalloutReply>>,
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    /// Answered with PARK: one more reply is due.
    Parked,
    /// Nothing more is expected; `true`: it was parked.
    Answered(bool),
}

impl Waiting {
    fn new(may_park: bool) -> Self {
        Self {
            stage: Stage::Asked,
            may_park,
            reply: None,
            last: None,
            waker: None,
        }
    }

    /// Keeps a reply; `false` where none is expected any more.
    fn put(&mut self, reply: v1::CalloutReply) -> bool {
        match self.stage {
            Stage::Asked if self.may_park && is_park(&reply) => self.stage = Stage::Parked,
            Stage::Asked => self.stage = Stage::Answered(false),
            Stage::Parked => {
                self.stage = Stage::Answered(true);
                self.last = Some(Box::new(reply));
                return true;
            }
            Stage::Answered(_) => return false,
        }
        self.reply = Some(reply);
        true
    }

    fn take(&mut self) -> Option<v1::CalloutReply> {
        let last = |waiting: &mut Self| waiting.last.take().map(|last| *last);
        self.reply.take().or_else(|| last(self))
    }

    fn was_parked(&self) -> bool {
        matches!(self.stage, Stage::Parked | Stage::Answered(true))
    }
}

fn is_park(reply: &v1::CalloutReply) -> bool {
    match &reply.outcome {
        Some(Outcome::Result(result)) => result.next_step == Some(NextStep::Park as i32),
        Some(Outcome::Failure(_)) | None => false,
    }
}

impl Inner {
    fn slot(&mut self, id: u64) -> Option<&mut Waiting> {
        let (index, generation) = split(id);
        let slot = self.slots.get_mut(index)?;
        slot.waiting
            .as_mut()
            .filter(|_| slot.generation == generation)
    }

    fn open_slot(&mut self, may_park: bool) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("a session has far fewer slots than 2^32")
        });
        let slot = &mut self.slots[index as usize];
        slot.waiting = Some(Waiting::new(may_park));
        u64::from(slot.generation) << 32 | u64::from(index)
    }

    fn open_calls(&self) -> usize {
        self.slots.len() - self.free.len() - self.parked
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

fn split(id: u64) -> (usize, u32) {
    let index = u32::try_from(id & u64::from(u32::MAX)).expect("32 bits");
    let generation = u32::try_from(id >> 32).expect("32 bits");
    (index as usize, generation)
}

impl Session {
    pub(crate) fn new(hello: v1::Hello, limit: usize, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                phase: Phase::Open,
                hello: Some(hello),
                slots: Vec::new(),
                free: Vec::new(),
                parked: 0,
                queue: VecDeque::new(),
                asked: 0,
                heard: 0,
                answered: 0,
                writer: None,
            }),
            limit,
            counters,
        })
    }

    /// Queues a call.
    pub(crate) fn submit(self: &Arc<Self>, call: Call) -> Result<Ticket, Cause> {
        let mut inner = self.lock();
        match inner.phase {
            Phase::Open => {}
            Phase::Ending | Phase::Ended => return Err(Cause::Unavailable),
            Phase::Lost => return Err(Cause::SessionLost),
        }
        if inner.open_calls() >= self.limit {
            return Err(Cause::Shed);
        }
        if inner.queue.len() >= self.limit {
            // Calls given up while the service took nothing: they leave before anything grows.
            let mut queue = std::mem::take(&mut inner.queue);
            queue.retain(|(id, _)| inner.slot(*id).is_some());
            inner.queue = queue;
        }
        inner.asked += 1;
        let id = inner.open_slot(!call.park.is_zero());
        inner.queue.push_back((id, call));
        inner.wake_writer();
        Ok(Ticket {
            session: Arc::clone(self),
            id,
        })
    }

    /// Whether the service may say one thing more: a reply, or a message without any. One that talks without being asked
    /// would take the shard's time for ever.
    pub(crate) fn may_speak(&self) -> bool {
        let mut inner = self.lock();
        inner.heard += 1;
        inner.heard <= SURPLUS.saturating_add(inner.asked.saturating_mul(2))
    }

    /// Hands a reply to whoever waits for it.
    pub(crate) fn deliver(&self, reply: v1::CalloutReply) {
        let (index, generation) = split(reply.id);
        let mut inner = self.lock();
        inner.answered += 1;
        if let Some(waiting) = inner.slot(reply.id) {
            if !waiting.put(reply) {
                count(&self.counters.late_replies);
                return;
            }
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
            if waiting.stage == Stage::Parked {
                inner.parked += 1;
            }
            return;
        }
        let known = inner
            .slots
            .get(index)
            .is_some_and(|slot| generation <= slot.generation);
        count(if known {
            &self.counters.late_replies
        } else {
            &self.counters.unknown_replies
        });
    }

    /// No new calls from now on; Bye follows the last queued one.
    pub(crate) fn end(&self) {
        let mut inner = self.lock();
        if inner.phase == Phase::Open {
            inner.phase = Phase::Ending;
            inner.wake_writer();
        }
    }

    /// The stream is gone: who still waits is told so.
    pub(crate) fn lose(&self) {
        let mut inner = self.lock();
        inner.phase = Phase::Lost;
        inner.queue.clear();
        inner.wake_writer();
        for waiting in inner
            .slots
            .iter_mut()
            .filter_map(|slot| slot.waiting.as_mut())
        {
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn batch(&self, inner: &mut Inner) -> Option<CallBatch> {
        let now = Instant::now();
        let mut calls = Vec::with_capacity(inner.queue.len().min(MAX_BATCH));
        let mut bytes = 0_usize;
        while let Some((id, call)) = inner.queue.front() {
            bytes += call.size();
            if calls.len() == MAX_BATCH || (!calls.is_empty() && bytes > MAX_BATCH_BYTES) {
                break;
            }
            let (id, deadline) = (*id, call.deadline);
            let (_, call) = inner.queue.pop_front()?;
            // Given up or too late: nobody would wait for the reply.
            if inner.slot(id).is_some() && deadline > now {
                calls.push(call.request(id, now));
            }
        }
        let answered = Some(inner.answered);
        (!calls.is_empty()).then_some(CallBatch { calls, answered })
    }

    #[cfg(test)]
    fn queued(&self) -> usize {
        self.lock().queue.len()
    }
}

/// What the server writes on a session: Hello, then everything that waits whenever the transport can take more, then
/// Bye.
#[derive(Debug)]
pub(crate) struct Outgoing(pub(crate) Arc<Session>);

impl Stream for Outgoing {
    type Item = ServerMessage;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ServerMessage>> {
        let mut inner = self.0.lock();
        if let Some(hello) = inner.hello.take() {
            return Poll::Ready(Some(Message::Hello(hello).into()));
        }
        if let Some(batch) = self.0.batch(&mut inner) {
            count(&self.0.counters.batches);
            return Poll::Ready(Some(Message::Calls(batch).into()));
        }
        match inner.phase {
            Phase::Ending => {
                inner.phase = Phase::Ended;
                Poll::Ready(Some(Message::Bye(v1::Bye {}).into()))
            }
            Phase::Ended | Phase::Lost => Poll::Ready(None),
            Phase::Open => {
                inner.writer = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A call that waits for its reply, and after PARK for the final one: it is a future of each. Dropping it gives the call
/// up.
#[derive(Debug)]
pub(crate) struct Ticket {
    session: Arc<Session>,
    id: u64,
}

impl Future for Ticket {
    type Output = Result<v1::CalloutReply, Cause>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.session.lock();
        let lost = inner.phase == Phase::Lost;
        let Some(waiting) = inner.slot(self.id) else {
            return Poll::Ready(Err(Cause::SessionLost));
        };
        match waiting.take() {
            Some(reply) => Poll::Ready(Ok(reply)),
            None if lost => Poll::Ready(Err(Cause::SessionLost)),
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.session.lock();
        let (index, _) = split(self.id);
        let Some(slot) = inner.slots.get_mut(index) else {
            return;
        };
        let was_parked = slot.waiting.take().is_some_and(|call| call.was_parked());
        slot.generation = slot.generation.wrapping_add(1);
        if was_parked {
            inner.parked -= 1;
        }
        inner
            .free
            .push(u32::try_from(index).expect("an index of 32 bits"));
    }
}

#[cfg(test)]
mod tests;

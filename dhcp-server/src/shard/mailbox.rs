//! What other threads leave for a shard: datagrams, and which of its packets may go on.

use super::ingress::{Arrival, Dropped, Ingress};
use outrigger_wire::Datagram;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// A shard's mailbox. Locked for moments only, and once per batch where that can be helped.
#[derive(Debug)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ingress: Ingress,
    ready: Vec<u32>,
    stop: Option<Instant>,
    /// Present while the shard sleeps: a shard that is awake looks here by itself before it sleeps again.
    sleeper: Option<Waker>,
}

/// What a shard takes out for one turn. The lists are used again.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Slots to poll again.
    pub(crate) ready: Vec<u32>,
    /// Packets to start with, the most urgent first.
    pub(crate) datagrams: Vec<Datagram>,
    /// Packets that were dropped since the last turn.
    pub(crate) dropped: Dropped,
    /// Set once the shard was told to stop: when its packets must have ended.
    pub(crate) stop: Option<Instant>,
}

impl Mailbox {
    pub(crate) fn new(ingress: Ingress) -> Self {
        let state = State {
            ingress,
            ready: Vec::new(),
            stop: None,
            sleeper: None,
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Hands over packets; `arrivals` is empty afterwards.
    pub(crate) fn deliver(&self, arrivals: &mut Vec<Arrival>) {
        self.change(|state| {
            for arrival in arrivals.drain(..) {
                state.ingress.push(arrival);
            }
        });
    }

    /// The packet in slot `index` may go on.
    pub(crate) fn wake_slot(&self, index: u32) {
        self.change(|state| state.ready.push(index));
    }

    /// Tells the shard to stop, with its packets ended by `deadline`. The first such call counts.
    pub(crate) fn stop(&self, deadline: Instant) {
        self.change(|state| {
            state.stop.get_or_insert(deadline);
        });
    }

    /// Fills `inbox` for a turn at `now` that can start `room` packets.
    pub(crate) fn take(&self, inbox: &mut Inbox, room: usize, now: Instant) {
        let mut state = self.lock();
        std::mem::swap(&mut state.ready, &mut inbox.ready);
        while inbox.datagrams.len() < room
            && let Some(datagram) = state.ingress.pop(now)
        {
            inbox.datagrams.push(datagram);
        }
        inbox.dropped = state.ingress.take_dropped();
        inbox.stop = state.stop;
    }

    /// Asks to be woken by the next change. False where there is something to do already; nothing is asked then.
    pub(crate) fn sleep(&self, waker: &Waker, has_room: bool, stopping: bool) -> bool {
        let mut state = self.lock();
        let waiting = !state.ready.is_empty() || (has_room && state.ingress.len() > 0);
        if waiting || state.stop.is_some() != stopping {
            return false;
        }
        state.sleeper = Some(waker.clone());
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.ready.is_empty() && state.ingress.len() == 0
    }

    /// Drops the packets that wait; yields how many.
    pub(crate) fn clear(&self) -> usize {
        self.lock().ingress.clear()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let sleeper = state.sleeper.take();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

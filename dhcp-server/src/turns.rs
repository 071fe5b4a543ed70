//! One packet per client at a time.
//!
//! A client is known by up to two keys (DHCPv4: client identifier and hardware address), and a packet's turn covers
//! all of its keys at once. While one packet has the turn one more may wait; a newer one takes the place of the one
//! that waits, so a client never has more than two packets here. Turns of different clients never wait for each other,
//! on whichever thread they are.
//!
//! Keys are keyed 64-bit hashes. Should two clients ever share one, they take turns with each other; nothing else
//! follows, because nothing but turns is decided here.

use ahash::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Separately locked parts of the table.
const STRIPES: u64 = 64;

/// One identity of a client, as [`Turns::key`] makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnKey(u64);

/// One or two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnKeys {
    first: TurnKey,
    /// Greater than the first.
    second: Option<TurnKey>,
}

impl From<TurnKey> for TurnKeys {
    fn from(first: TurnKey) -> Self {
        Self {
            first,
            second: None,
        }
    }
}

impl From<[TurnKey; 2]> for TurnKeys {
    fn from([a, b]: [TurnKey; 2]) -> Self {
        let (first, second) = (a.min(b), a.max(b));
        Self {
            first,
            second: Some(second).filter(|second| *second != first),
        }
    }
}

impl TurnKeys {
    fn iter(self) -> impl Iterator<Item = TurnKey> {
        [Some(self.first), self.second].into_iter().flatten()
    }
}

/// What may take the place of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnKind {
    /// DISCOVER or SOLICIT: never takes the place of a waiting [`Self::Ending`].
    Opening,
    /// RELEASE or DECLINE: says what the server cannot learn otherwise.
    Ending,
    /// Any other message.
    Other,
}

/// A packet that asks for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnRequest {
    /// Transaction id.
    pub xid: u32,
    /// Message type; together with the transaction id it tells a retransmission.
    pub message_type: u8,
    /// What it may replace.
    pub kind: TurnKind,
}

impl TurnRequest {
    fn repeats(self, other: Self) -> bool {
        self.xid == other.xid && self.message_type == other.message_type
    }
}

/// Why a packet gets no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// The same message, sent again, is being answered right now.
    #[error("a retransmission of the packet that is being answered")]
    Duplicate,
    /// It waited, and the client has sent another packet since.
    #[error("replaced by a newer packet of the client")]
    Replaced,
    /// A RELEASE or DECLINE waits, whose place it may not take.
    #[error("a release or decline of the client waits already")]
    Outranked,
}

/// Who has the turn, for every client. Shared by all shards.
#[derive(Debug)]
pub struct Turns {
    hash: RandomState,
    stripes: Box<[Mutex<Stripe>]>,
}

/// Keys in use. A key is here while a packet has it or waits for it.
type Stripe = HashMap<TurnKey, Seats, RandomState>;

#[derive(Debug, Default)]
struct Seats {
    running: Option<TurnRequest>,
    waiting: Option<Arc<Waiter>>,
}

/// A packet that waits. At most one waits for a key, and it waits for all of its keys together.
#[derive(Debug)]
struct Waiter {
    keys: TurnKeys,
    request: TurnRequest,
    state: Mutex<Waiting>,
}

/// Changed only with the stripes of the waiter's keys locked, but for the waker.
#[derive(Debug)]
enum Waiting {
    Still(Option<Waker>),
    Granted,
    Replaced,
}

impl Turns {
    /// Nobody has a turn.
    #[must_use]
    pub fn new() -> Self {
        let hash = RandomState::new();
        let stripe = |_| Mutex::new(Stripe::with_hasher(hash.clone()));
        let stripes = (0..STRIPES).map(stripe).collect();
        Self { hash, stripes }
    }

    /// The key of an identity. Identities of different sorts must differ as values too.
    #[must_use]
    pub fn key(&self, identity: impl Hash) -> TurnKey {
        TurnKey(self.hash.hash_one(identity))
    }

    /// Waits for the turn of the client behind `keys`.
    ///
    /// # Errors
    ///
    /// Tells at once that the packet gets no turn, or while it waits that it has been replaced.
    ///
    /// # Cancel safety
    ///
    /// When dropped the packet waits no more, and a turn it was just given passes on.
    pub async fn wait_for(
        &self,
        keys: impl Into<TurnKeys>,
        request: TurnRequest,
    ) -> Result<Turn<'_>, TurnError> {
        match self.enter(keys.into(), request)? {
            Entered::Granted(turn) => Ok(turn),
            Entered::Waits(wait) => wait.await,
        }
    }

    fn enter(&self, keys: TurnKeys, request: TurnRequest) -> Result<Entered<'_>, TurnError> {
        let mut replaced = [None, None];
        let mut locked = self.lock(keys);
        locked.check(keys, request)?;
        for (key, replaced) in keys.iter().zip(&mut replaced) {
            *replaced = locked.replace(key);
        }
        let entered = if locked.all_free(keys) {
            locked.seat(keys, request);
            Entered::Granted(Turn { turns: self, keys })
        } else {
            let waiter = Arc::new(Waiter {
                keys,
                request,
                state: Mutex::new(Waiting::Still(None)),
            });
            for key in keys.iter() {
                locked.seats(key).waiting = Some(waiter.clone());
            }
            Entered::Waits(Wait {
                turns: self,
                waiter,
                over: false,
            })
        };
        locked.unlock_and_wake();
        for waiter in replaced.iter().flatten() {
            self.forget(waiter);
        }
        Ok(entered)
    }

    /// Ends a turn and gives those who wait for its keys theirs.
    fn leave(&self, keys: TurnKeys) {
        let mut heirs = [None, None];
        let mut locked = self.lock(keys);
        for (key, heir) in keys.iter().zip(&mut heirs) {
            let seats = locked.seats(key);
            seats.running = None;
            *heir = seats.waiting.clone();
            locked.tidy(key);
        }
        locked.unlock_and_wake();
        for heir in heirs.iter().flatten() {
            self.grant(heir);
        }
    }

    /// Gives a waiter its turn if all of its keys are free now.
    fn grant(&self, waiter: &Waiter) {
        let mut locked = self.lock(waiter.keys);
        if waiter.waits() && locked.all_free(waiter.keys) {
            for key in waiter.keys.iter() {
                locked.seats(key).waiting = None;
            }
            locked.seat(waiter.keys, waiter.request);
            locked.end_wait(waiter, Waiting::Granted);
        }
        locked.unlock_and_wake();
    }

    /// Removes a waiter from those keys where no other has taken its place.
    fn forget(&self, waiter: &Arc<Waiter>) {
        let mut locked = self.lock(waiter.keys);
        locked.remove(waiter);
        locked.unlock_and_wake();
    }

    fn lock(&self, keys: TurnKeys) -> Locked<'_> {
        let first = stripe_of(keys.first);
        let second = keys.second.map(stripe_of).filter(|second| *second != first);
        // In ascending order, so that no two threads wait for each other.
        let low = second.map_or(first, |second| first.min(second));
        let high = second.map(|second| first.max(second));
        let low_stripe = lock(&self.stripes[low]);
        let high_stripe = high.map(|high| lock(&self.stripes[high]));
        Locked {
            low,
            low_stripe,
            high_stripe,
            wakers: [None, None],
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}

fn stripe_of(key: TurnKey) -> usize {
    usize::try_from(key.0 % STRIPES).expect("few stripes")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stripes of one packet's keys, locked.
struct Locked<'a> {
    low: usize,
    low_stripe: MutexGuard<'a, Stripe>,
    high_stripe: Option<MutexGuard<'a, Stripe>>,
    /// Of waiters whose state was changed: woken after unlocking.
    wakers: [Option<Waker>; 2],
}

impl Locked<'_> {
    fn stripe(&mut self, key: TurnKey) -> &mut Stripe {
        match &mut self.high_stripe {
            Some(high) if stripe_of(key) != self.low => high,
            _ => &mut self.low_stripe,
        }
    }

    /// Who has and who wants the key. The caller leaves one of them there, or calls [`Self::tidy`].
    fn seats(&mut self, key: TurnKey) -> &mut Seats {
        self.stripe(key).entry(key).or_default()
    }

    fn tidy(&mut self, key: TurnKey) {
        if let Entry::Occupied(entry) = self.stripe(key).entry(key)
            && entry.get().running.is_none()
            && entry.get().waiting.is_none()
        {
            entry.remove();
        }
    }

    fn check(&mut self, keys: TurnKeys, request: TurnRequest) -> Result<(), TurnError> {
        for key in keys.iter() {
            let Some(seats) = self.stripe(key).get(&key) else {
                continue;
            };
            if seats
                .running
                .is_some_and(|running| running.repeats(request))
            {
                return Err(TurnError::Duplicate);
            }
            let outranks =
                |waiter: &Arc<Waiter>| waiter.request.kind == TurnKind::Ending && waiter.waits();
            if request.kind == TurnKind::Opening && seats.waiting.as_ref().is_some_and(outranks) {
                return Err(TurnError::Outranked);
            }
        }
        Ok(())
    }

    fn all_free(&mut self, keys: TurnKeys) -> bool {
        keys.iter().all(|key| {
            self.stripe(key)
                .get(&key)
                .is_none_or(|seats| seats.running.is_none())
        })
    }

    fn seat(&mut self, keys: TurnKeys, request: TurnRequest) {
        for key in keys.iter() {
            self.seats(key).running = Some(request);
        }
    }

    /// Ends the wait of whoever waits for `key`.
    fn replace(&mut self, key: TurnKey) -> Option<Arc<Waiter>> {
        let waiter = self.seats(key).waiting.take()?;
        self.end_wait(&waiter, Waiting::Replaced);
        Some(waiter)
    }

    fn end_wait(&mut self, waiter: &Waiter, end: Waiting) {
        let mut state = lock(&waiter.state);
        if let Waiting::Still(waker) = &mut *state {
            let waker = waker.take();
            *state = end;
            let free = self.wakers.iter_mut().find(|place| place.is_none());
            *free.expect("one waiter per key") = waker;
        }
    }

    /// Takes a waiter out of those of its keys where it still is the one that waits.
    fn remove(&mut self, waiter: &Arc<Waiter>) {
        for key in waiter.keys.iter() {
            let Some(seats) = self.stripe(key).get_mut(&key) else {
                continue;
            };
            if seats
                .waiting
                .as_ref()
                .is_some_and(|waiting| Arc::ptr_eq(waiting, waiter))
            {
                seats.waiting = None;
                self.tidy(key);
            }
        }
    }

    fn unlock_and_wake(self) {
        let Self {
            low_stripe,
            high_stripe,
            wakers,
            ..
        } = self;
        drop((low_stripe, high_stripe));
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Waiter {
    fn waits(&self) -> bool {
        matches!(*lock(&self.state), Waiting::Still(_))
    }
}

enum Entered<'a> {
    Granted(Turn<'a>),
    Waits(Wait<'a>),
}

/// The client's turn, until dropped.
#[derive(Debug)]
#[must_use = "the turn ends when this is dropped"]
pub struct Turn<'a> {
    turns: &'a Turns,
    keys: TurnKeys,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.leave(self.keys);
    }
}

/// A packet that waits for its turn.
struct Wait<'a> {
    turns: &'a Turns,
    waiter: Arc<Waiter>,
    /// The end of the wait was told.
    over: bool,
}

impl<'a> Future for Wait<'a> {
    type Output = Result<Turn<'a>, TurnError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let granted = match &mut *lock(&self.waiter.state) {
            Waiting::Still(waker) => {
                waker
                    .get_or_insert_with(|| context.waker().clone())
                    .clone_from(context.waker());
                return Poll::Pending;
            }
            Waiting::Granted => true,
            Waiting::Replaced => false,
        };
        self.over = true;
        let turn = || Turn {
            turns: self.turns,
            keys: self.waiter.keys,
        };
        Poll::Ready(if granted {
            Ok(turn())
        } else {
            Err(TurnError::Replaced)
        })
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut locked = self.turns.lock(self.waiter.keys);
        locked.remove(&self.waiter);
        // Whoever ended a turn a moment ago may be about to grant it.
        let granted = matches!(*lock(&self.waiter.state), Waiting::Granted);
        locked.end_wait(&self.waiter, Waiting::Replaced);
        drop(locked);
        if granted {
            self.turns.leave(self.waiter.keys);
        }
    }
}

#[cfg(test)]
mod tests;

//! What a session has to tell its server: collected by callouts, taken by the transport.

use crate::reply::Reply;
use crate::rpc::{ReplyBatch, ServiceMessage, Told};
use crate::run::parked;
use bytes::Bytes;
use outrigger_proto::v1;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_stream::Stream;

/// Replies of one message at most. tonic packs several messages into one write, so a small cap costs nothing, and the
/// first replies are on their way sooner.
const BATCH: usize = 256;

/// Packets that one session holds at most: as many as it has open calls by default.
const HELD: usize = 4096;

/// Bytes of one message at most, a single larger reply excepted.
const BATCH_BYTES: usize = 256 * 1024;

/// Replies that wait for the transport. Everything that finished while the previous write was in flight goes into the
/// next one.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    taken: Notify,
}

#[derive(Debug, Default)]
struct State {
    welcomed: bool,
    drain: Drain,
    replies: Vec<Reply>,
    /// Calls that got their PARK reply and not yet their final one, and until when the server waits for that.
    parked: HashMap<u64, Instant>,
    end: Option<Result<(), tonic::Status>>,
    transport: Option<Waker>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Drain {
    #[default]
    NotAsked,
    Asked,
    Told,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code of a hook runs under the lock, so a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = self.state();
            change(&mut state);
            state.transport.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Final replies.
    pub(crate) fn push(&self, replies: impl IntoIterator<Item = Reply>) {
        self.change(|state| {
            for reply in replies {
                state.parked.remove(&reply.id);
                state.replies.push(reply);
            }
        });
    }

    /// The first of two replies. Asking again changes nothing.
    /// `false`: too many are held.
    pub(crate) fn park(&self, id: u64, until: Instant) -> bool {
        let mut is_held = true;
        self.change(|state| {
            if state.parked.contains_key(&id) {
                return;
            }
            is_held = state.parked.len() < HELD;
            if is_held {
                state.parked.insert(id, until);
                state.replies.push(Reply::result(id, &parked()));
            }
        });
        is_held
    }

    /// Calls that wait with their PARK reply sent.
    pub(crate) fn held(&self) -> usize {
        self.state().parked.len()
    }

    /// Where the call waits with its PARK reply sent: until when. Then its own deadline no longer counts.
    pub(crate) fn parked_until(&self, id: u64) -> Option<Instant> {
        self.state().parked.get(&id).copied()
    }

    /// Asks the server for no further calls. Once.
    pub(crate) fn drain(&self) {
        self.change(|state| {
            if state.drain == Drain::NotAsked {
                state.drain = Drain::Asked;
            }
        });
    }

    /// Ends the session when everything before is sent.
    pub(crate) fn end(&self, end: Result<(), tonic::Status>) {
        self.change(|state| {
            state.end.get_or_insert(end);
        });
    }

    /// Replies that the transport did not take yet.
    pub(crate) fn waiting(&self) -> usize {
        self.state().replies.len()
    }

    /// Resolves when the transport has taken a batch since the last call.
    pub(crate) async fn taken(&self) {
        self.taken.notified().await;
    }
}

impl State {
    fn next(&mut self) -> Option<Option<Result<ServiceMessage, tonic::Status>>> {
        let body = if !self.welcomed {
            self.welcomed = true;
            Told::Welcome(v1::Welcome {})
        } else if self.drain == Drain::Asked {
            self.drain = Drain::Told;
            Told::Drain(v1::Drain {})
        } else if !self.replies.is_empty() {
            Told::Replies(ReplyBatch {
                replies: self.take_batch(),
            })
        } else {
            return match self.end.take()? {
                Ok(()) => {
                    self.end = Some(Ok(()));
                    Some(None)
                }
                Err(status) => {
                    self.end = Some(Ok(()));
                    Some(Some(Err(status)))
                }
            };
        };
        Some(Some(Ok(ServiceMessage {
            message: Some(body),
        })))
    }

    fn take_batch(&mut self) -> Vec<Bytes> {
        let mut bytes = 0;
        let fitting = self
            .replies
            .iter()
            .take(BATCH)
            .take_while(|reply| {
                bytes += reply.encoded.len();
                bytes <= BATCH_BYTES
            })
            .count()
            .max(1);
        let taken = self.replies.drain(..fitting);
        taken.map(|reply| reply.encoded).collect()
    }
}

/// The messages of one session, as the transport takes them. When it is dropped, the session's calls are cancelled.
#[derive(Debug)]
pub(crate) struct Outgoing {
    outbox: Arc<Outbox>,
    session: AbortHandle,
}

impl Outgoing {
    pub(crate) fn new(outbox: Arc<Outbox>, session: AbortHandle) -> Self {
        Self { outbox, session }
    }
}

impl Stream for Outgoing {
    type Item = Result<ServiceMessage, tonic::Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.outbox.state();
        let Some(next) = state.next() else {
            state.transport = Some(cx.waker().clone());
            return Poll::Pending;
        };
        drop(state);
        self.outbox.taken.notify_one();
        Poll::Ready(next)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.session.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    fn reply(id: u64, bytes: usize) -> Reply {
        let result = v1::CalloutResult {
            context: Some(vec![0; bytes].into()),
            ..Default::default()
        };
        Reply::result(id, &result)
    }

    fn next(outbox: &Outbox) -> Option<Told> {
        outbox.state().next()??.ok()?.message
    }

    fn id(reply: &Bytes) -> u64 {
        v1::CalloutReply::decode(reply.clone()).unwrap().id
    }

    fn next_ids(outbox: &Outbox) -> Vec<u64> {
        match next(outbox) {
            Some(Told::Replies(batch)) => batch.replies.iter().map(id).collect(),
            other => panic!("not a batch: {other:?}"),
        }
    }

    #[test]
    fn welcome_is_first_and_drain_overtakes_replies() {
        let outbox = Outbox::default();
        outbox.push([reply(1, 0)]);
        outbox.drain();
        outbox.drain();
        assert!(matches!(next(&outbox), Some(Told::Welcome(_))));
        assert!(matches!(next(&outbox), Some(Told::Drain(_))));
        assert_eq!(next_ids(&outbox), [1]);
        assert!(outbox.state().next().is_none(), "drain is told once");
    }

    #[test]
    fn a_batch_is_bounded_by_count_and_by_bytes() {
        let outbox = Outbox::default();
        next(&outbox);
        outbox.push((0..300).map(|id| reply(id, 0)));
        assert_eq!(next_ids(&outbox).len(), BATCH);
        assert_eq!(next_ids(&outbox).len(), 44);
        outbox.push((0..100).map(|id| reply(id, 10_000)));
        let batch = next_ids(&outbox).len();
        assert_eq!(batch, BATCH_BYTES / 10_030);
        assert_eq!(outbox.waiting(), 100 - batch);
    }

    #[test]
    fn the_packets_that_are_held_are_bounded() {
        let outbox = Outbox::default();
        let now = Instant::now();
        for id in 0..4096 {
            assert!(outbox.park(id, now));
        }
        assert!(outbox.park(7, now), "it is held already");
        assert!(!outbox.park(4096, now));
        outbox.push([reply(7, 0)]);
        assert_eq!(outbox.held(), HELD - 1);
        assert!(outbox.park(4096, now));
    }

    #[test]
    fn a_large_reply_goes_alone() {
        let outbox = Outbox::default();
        next(&outbox);
        outbox.push([reply(1, BATCH_BYTES + 1), reply(2, 0)]);
        assert_eq!(next_ids(&outbox), [1]);
        assert_eq!(next_ids(&outbox), [2]);
    }

    #[test]
    fn replies_are_sent_before_the_end() {
        let outbox = Outbox::default();
        next(&outbox);
        outbox.push([reply(1, 0)]);
        outbox.end(Err(tonic::Status::invalid_argument("twice")));
        assert_eq!(next_ids(&outbox), [1]);
        assert!(matches!(outbox.state().next(), Some(Some(Err(_)))));
        assert!(matches!(outbox.state().next(), Some(None)));
    }
}

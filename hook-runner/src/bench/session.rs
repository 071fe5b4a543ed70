//! Calls on a session, batched as a server does it: whatever waits when the transport can take more goes together.

use super::PATIENCE;
use super::loops::{Calls, Tally, failure};
use crate::peer::{Peer, PeerError, Raw, path};
use crate::raw::{Batch, ServerMessage};
use bytes::Bytes;
use outrigger_proto::v1;
use prost::Message as _;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::time::{Instant, timeout};
use tokio_stream::Stream;
use tonic::{Request, Streaming};
use v1::server_message::Message as ToService;
use v1::service_message::Message as FromService;

/// Calls in one message, and their bytes unless a single one has more: as the server's.
const MAX_BATCH: usize = 64;
const MAX_BATCH_BYTES: usize = 256 * 1024;

/// Keeps `in_flight` calls open until `end`, then waits for the last replies.
pub(super) async fn play(
    peer: &Peer,
    hello: ToService,
    calls: &Calls,
    in_flight: u32,
    end: Instant,
) -> Result<Tally, PeerError> {
    let queue = Arc::new(Queue::new(hello));
    let mut session = Session {
        calls,
        queue: Arc::clone(&queue),
        asked: Vec::new(),
        tally: Tally::new(),
    };
    let mut incoming = open(peer, queue).await?;
    session.begin(in_flight);
    let mut open = in_flight;
    while open > 0 {
        for reply in next(&mut incoming, calls).await? {
            open -= session.take(&reply, end);
        }
        session.queue.wake();
    }
    session.queue.change(|queue| queue.is_over = true);
    // Only so that the service sees an end and no break; what it says then is not asked for.
    let _ = timeout(PATIENCE, incoming.message()).await;
    Ok(session.tally)
}

async fn open(peer: &Peer, queue: Arc<Queue>) -> Result<Streaming<v1::ServiceMessage>, PeerError> {
    let opening = async {
        let mut grpc = peer.grpc().await?;
        let outgoing = Request::new(Outgoing(queue));
        grpc.streaming(outgoing, path("Session"), Raw(PhantomData))
            .await
    };
    let opened = timeout(PATIENCE, opening).await;
    let opened = opened.map_err(|_| PeerError::Silent {
        what: "Session",
        limit: PATIENCE,
    })?;
    let opened = opened.map_err(|status| PeerError::status("Session", status));
    Ok(opened?.into_inner())
}

/// The replies of the next message that has some.
async fn next(
    incoming: &mut Streaming<v1::ServiceMessage>,
    calls: &Calls,
) -> Result<Vec<v1::CalloutReply>, PeerError> {
    // Long enough for late replies to be counted as such.
    let limit = calls.deadline + PATIENCE;
    loop {
        let message = timeout(limit, incoming.message()).await;
        let message = message.map_err(|_| PeerError::Silent {
            what: "a call",
            limit,
        })?;
        match message.map_err(|status| PeerError::status("the session", status))? {
            None => return Err(PeerError::Closed),
            Some(v1::ServiceMessage {
                message: Some(FromService::Replies(batch)),
            }) => return Ok(batch.replies),
            Some(_) => {}
        }
    }
}

struct Session<'a> {
    calls: &'a Calls,
    queue: Arc<Queue>,
    /// When the open call of each slot was asked, and its turn in that slot.
    asked: Vec<Option<(Instant, u32)>>,
    tally: Tally,
}

impl Session<'_> {
    fn begin(&mut self, in_flight: u32) {
        for slot in 0..in_flight {
            self.asked.push(None);
            self.ask(slot, 0);
        }
        self.queue.wake();
    }

    fn ask(&mut self, slot: u32, turn: u32) {
        // As the server's: an id is never used again.
        let id = u64::from(turn) << 32 | u64::from(slot);
        self.asked[slot as usize] = Some((Instant::now(), turn));
        let call = self.calls.encoded(id);
        self.queue.state().calls.push_back(call.into());
    }

    /// 1 where the call of this reply was the last of its slot, otherwise 0.
    fn take(&mut self, reply: &v1::CalloutReply, end: Instant) -> u32 {
        let slot = u32::try_from(reply.id & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        let open = self.asked.get_mut(slot as usize);
        let open =
            open.and_then(|open| open.take_if(|(_, turn)| u64::from(*turn) == reply.id >> 32));
        let Some((asked, turn)) = open else {
            self.tally.unexpected += 1;
            return 0;
        };
        self.tally
            .answer(asked.elapsed(), self.calls.deadline, failure(reply));
        if Instant::now() >= end {
            return 1;
        }
        self.ask(slot, turn.wrapping_add(1));
        0
    }
}

/// What waits to be written.
#[derive(Debug)]
struct Queue(Mutex<Waiting>);

#[derive(Debug)]
struct Waiting {
    hello: Option<ToService>,
    calls: VecDeque<Bytes>,
    /// Bye follows the last call, then the end.
    is_over: bool,
    bye_sent: bool,
    writer: Option<Waker>,
}

impl Queue {
    fn new(hello: ToService) -> Self {
        Self(Mutex::new(Waiting {
            hello: Some(hello),
            calls: VecDeque::new(),
            is_over: false,
            bye_sent: false,
            writer: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.state());
        self.wake();
    }

    fn wake(&self) {
        let writer = self.state().writer.take();
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

impl Waiting {
    fn batch(&mut self) -> Option<Vec<u8>> {
        let mut bytes = 0;
        let fitting = self.calls.iter().take(MAX_BATCH).take_while(|call| {
            bytes += call.len();
            bytes <= MAX_BATCH_BYTES
        });
        let fitting = fitting.count().max(1).min(self.calls.len());
        let messages: Vec<Bytes> = self.calls.drain(..fitting).collect();
        (!messages.is_empty()).then(|| {
            let message = ServerMessage {
                calls: Some(Batch { messages }),
                ..Default::default()
            };
            message.encode_to_vec()
        })
    }
}

#[derive(Debug)]
struct Outgoing(Arc<Queue>);

impl Stream for Outgoing {
    type Item = Vec<u8>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut state = self.0.state();
        let message = |message| {
            let message = v1::ServerMessage {
                message: Some(message),
            };
            Poll::Ready(Some(message.encode_to_vec()))
        };
        if let Some(hello) = state.hello.take() {
            return message(hello);
        }
        if let Some(batch) = state.batch() {
            return Poll::Ready(Some(batch));
        }
        if state.bye_sent {
            return Poll::Ready(None);
        }
        if state.is_over {
            state.bye_sent = true;
            return message(ToService::Bye(v1::Bye {}));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(state: &mut Waiting) -> Vec<usize> {
        let message = ServerMessage::decode(state.batch().unwrap().as_slice()).unwrap();
        let messages = message.calls.unwrap().messages;
        messages.iter().map(Bytes::len).collect()
    }

    #[test]
    fn a_batch_is_bounded_as_the_servers() {
        let queue = Queue::new(ToService::Bye(v1::Bye {}));
        let mut state = queue.state();
        assert!(state.batch().is_none());
        state.calls.extend(vec![Bytes::from_static(b"call"); 100]);
        assert_eq!(batch(&mut state), [4; MAX_BATCH]);
        assert_eq!(batch(&mut state), [4; 36]);
        let big = Bytes::from(vec![0; MAX_BATCH_BYTES + 1]);
        state
            .calls
            .extend([big.clone(), Bytes::from_static(b"call")]);
        assert_eq!(batch(&mut state), [big.len()]);
        assert_eq!(batch(&mut state), [4]);
    }
}

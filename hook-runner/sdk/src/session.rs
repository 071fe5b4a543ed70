//! One session: calls in, replies out.
//!
//! One task reads. It polls each callout in place first, because most are ready at once; only one that has to wait
//! becomes a task of its own. Whatever finished while the transport wrote goes out with its next write.

use crate::Callouts;
use crate::loads::{Key, Loads};
use crate::outbox::{Outbox, Outgoing};
use crate::reply::Reply;
use crate::rpc::{Said, ServerMessage};
use crate::run::{Failure, Offer, Surroundings};
use bytes::Bytes;
use outrigger_proto::v1;
use prost::Message as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

/// Replies wait at most this long for the rest of their batch of calls.
const FLUSH_AFTER: Duration = Duration::from_micros(500);

/// What a session needs of the service around it.
#[derive(Debug)]
pub(crate) struct Shared<C> {
    pub(crate) loads: Loads<Offer<C>>,
    pub(crate) max_in_flight: usize,
    pub(crate) draining: CancellationToken,
}

/// Starts reading `incoming`; what is returned are the messages to send.
///
/// `guard` is dropped when the session is over.
pub(crate) fn open<C: Callouts>(
    shared: Arc<Shared<C>>,
    incoming: Streaming<ServerMessage>,
    guard: impl Send + 'static,
) -> Outgoing {
    let outbox = Arc::new(Outbox::default());
    let session = Session {
        outbox: Arc::clone(&outbox),
        shared,
        hello: v1::Hello::default(),
        offer: None,
        waiting: JoinSet::new(),
    };
    let task = tokio::spawn(async move {
        let _guard = guard;
        session.serve(incoming).await;
    });
    Outgoing::new(outbox, task.abort_handle())
}

struct Session<C> {
    outbox: Arc<Outbox>,
    shared: Arc<Shared<C>>,
    hello: v1::Hello,
    /// Those of the latest call's configuration.
    offer: Option<(u64, Arc<Offer<C>>)>,
    /// Calls that were not ready at their first poll.
    waiting: JoinSet<()>,
}

type CallFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

impl<C: Callouts> Session<C> {
    async fn serve(mut self, incoming: Streaming<ServerMessage>) {
        let end = self.read(incoming).await;
        while self.waiting.join_next().await.is_some() {}
        let server = &self.hello.instance_id;
        match &end {
            Ok(()) => tracing::info!(%server, "session is over"),
            Err(status) => tracing::warn!(%server, %status, "session is broken off"),
        }
        self.outbox.end(end);
    }

    async fn read(&mut self, mut incoming: Streaming<ServerMessage>) -> Result<(), Status> {
        let draining = self.shared.draining.clone();
        let mut drained = false;
        loop {
            let message = tokio::select! {
                biased;
                () = draining.cancelled(), if !drained => {
                    drained = true;
                    self.outbox.drain();
                    continue;
                }
                message = incoming.message() => message?,
            };
            let Some(message) = message else {
                return Ok(());
            };
            match message.message {
                Some(Said::Hello(hello)) => self.greet(hello)?,
                Some(Said::Calls(_)) if self.offer.is_none() => {
                    return Err(Status::invalid_argument("a session starts with Hello"));
                }
                Some(Said::Calls(batch)) => self.call(batch.calls).await?,
                Some(Said::Bye(_)) => return Ok(()),
                // A kind of message that is younger than this SDK.
                None => {}
            }
        }
    }

    fn greet(&mut self, hello: v1::Hello) -> Result<(), Status> {
        if self.offer.is_some() {
            return Err(Status::invalid_argument("a session has one Hello"));
        }
        self.hello = hello;
        let revision = self.hello.configuration_revision;
        self.offer_of(revision).map_err(Failure::into_status)?;
        let Self { hello, .. } = self;
        tracing::info!(server = %hello.instance_id, service = %hello.service_name, revision, "session is open");
        Ok(())
    }

    /// The callouts of a configuration of this session's server.
    fn offer_of(&mut self, revision: u64) -> Result<Arc<Offer<C>>, Failure> {
        if let Some((known, offer)) = &self.offer
            && *known == revision
        {
            return Ok(Arc::clone(offer));
        }
        let key = Key {
            instance_id: self.hello.instance_id.clone(),
            service_name: self.hello.service_name.clone(),
            revision,
        };
        let offer = self.shared.loads.find(&key);
        let offer = offer.ok_or(Failure::NotLoaded(revision))?;
        self.offer = Some((revision, Arc::clone(&offer)));
        Ok(offer)
    }

    async fn call(&mut self, calls: Vec<Bytes>) -> Result<(), Status> {
        let received = Instant::now();
        let mut flushed = received;
        let mut replies = Vec::with_capacity(calls.len());
        for encoded in calls {
            let request = match v1::CalloutRequest::decode(encoded) {
                Ok(request) => request,
                Err(error) => {
                    self.outbox.push(replies);
                    return Err(Status::internal(format!("a call does not decode: {error}")));
                }
            };
            replies.extend(self.start(request, received, replies.len()));
            let now = Instant::now();
            if now - flushed > FLUSH_AFTER {
                flushed = now;
                self.outbox.push(replies.drain(..));
                tokio::task::yield_now().await;
            }
        }
        self.outbox.push(replies);
        self.make_room().await;
        Ok(())
    }

    /// Polls the call once: its reply, or nothing where it goes on by itself.
    fn start(
        &mut self,
        request: v1::CalloutRequest,
        received: Instant,
        finished: usize,
    ) -> Option<Reply> {
        let (id, budget_us) = (request.id, request.budget_us);
        let park_budget_us = request.park_budget_us;
        if self.open_calls() + finished >= self.shared.max_in_flight {
            return Some(Reply::failure(
                id,
                Failure::Overloaded(self.shared.max_in_flight),
            ));
        }
        let offer = match self.offer_of(request.configuration_revision) {
            Ok(offer) => offer,
            Err(failure) => return Some(Reply::failure(id, failure)),
        };
        let outbox = Arc::clone(&self.outbox);
        let surroundings = Surroundings::new(&request, received, Some(outbox));
        if surroundings.is_expired() {
            return Some(Reply::failure(id, Failure::Expired(budget_us)));
        }
        let deadline = surroundings.call_deadline;
        let mut future: CallFuture = Box::pin(async move {
            match offer.run(&request, &surroundings).await {
                Ok(result) => Reply::result(request.id, &result),
                Err(failure) => Reply::failure(request.id, failure),
            }
        });
        // The task polls again at once, so no wake-up is lost to this waker.
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(reply) = future.as_mut().poll(&mut context) {
            return Some(reply);
        }
        let outbox = Arc::clone(&self.outbox);
        self.waiting.spawn(async move {
            let reply = match by_deadline(future, deadline, &outbox, id).await {
                Ok(reply) => reply,
                Err(Late::First) => Reply::failure(id, Failure::Expired(budget_us)),
                Err(Late::Final) => Reply::failure(id, Failure::HeldTooLong(park_budget_us)),
            };
            outbox.push([reply]);
        });
        None
    }

    /// Calls that the server has no reply to yet. One whose packet is held has its first.
    fn open_calls(&mut self) -> usize {
        while self.waiting.try_join_next().is_some() {}
        let waiting = self.waiting.len().saturating_sub(self.outbox.held());
        waiting + self.outbox.waiting()
    }

    /// Waits until there are fewer open calls than may be: the server's next messages wait in its own queue.
    async fn make_room(&mut self) {
        while self.open_calls() >= self.shared.max_in_flight {
            tokio::select! {
                Some(_) = self.waiting.join_next() => {}
                () = self.outbox.taken() => {}
            }
        }
    }
}

/// Which reply did not come in time.
enum Late {
    First,
    /// The one after PARK.
    Final,
}

/// The reply of a call, where it comes in time: before `deadline`, or once the call is parked, before the packet is given
/// up.
async fn by_deadline(
    mut future: CallFuture,
    deadline: Option<Instant>,
    outbox: &Outbox,
    id: u64,
) -> Result<Reply, Late> {
    let Some(deadline) = deadline else {
        return Ok(future.await);
    };
    tokio::select! {
        biased;
        reply = &mut future => return Ok(reply),
        () = sleep_until(deadline) => {}
    }
    match outbox.parked_until(id) {
        Some(until) => timeout_at(until, future).await.map_err(|_| Late::Final),
        None => Err(Late::First),
    }
}

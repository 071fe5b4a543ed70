//! The way from one shard to one endpoint of a service.

use crate::breaker::Breaker;
use crate::policy::{Cause, Failure};
use crate::session::{Call, Session, Ticket};
use crate::unary::Unary;
use outrigger_proto::v1;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// What carries calls to a connected endpoint.
#[derive(Clone)]
pub(crate) enum Carrier {
    Session(Arc<Session>),
    Unary(Unary),
}

impl Carrier {
    /// Makes the call. The caller minds the deadline. On a session a final reply may follow: there is a ticket for it.
    pub(crate) async fn call(
        &self,
        call: Call,
    ) -> Result<(v1::CalloutReply, Option<Ticket>), Failure> {
        match self {
            Self::Session(session) => {
                let mut ticket = session.submit(call)?;
                let reply = (&mut ticket).await?;
                Ok((reply, Some(ticket)))
            }
            Self::Unary(unary) => Ok((Box::pin(unary.call(call)).await?, None)),
        }
    }
}

/// One endpoint as one shard sees it.
#[derive(Default)]
pub(crate) struct Link {
    carrier: Mutex<Option<Carrier>>,
    breaker: Mutex<Breaker>,
}

impl Link {
    /// The endpoint accepted `Load`: calls may go there.
    pub(crate) fn up(&self, carrier: Carrier) {
        *lock(&self.breaker) = Breaker::default();
        *lock(&self.carrier) = Some(carrier);
    }

    /// No new calls.
    pub(crate) fn down(&self) {
        *lock(&self.carrier) = None;
    }

    fn admit(self: &Arc<Self>, now: Instant) -> Option<Permit> {
        let carrier = lock(&self.carrier).clone()?;
        lock(&self.breaker).admit(now).then(|| Permit {
            link: Arc::clone(self),
            carrier,
            settled: false,
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The endpoints of one service as one shard sees them.
#[derive(Default)]
pub(crate) struct Links {
    links: Vec<Arc<Link>>,
    next: AtomicUsize,
}

impl Links {
    pub(crate) fn new(endpoints: usize) -> Self {
        Self {
            links: (0..endpoints).map(|_| Arc::default()).collect(),
            next: AtomicUsize::new(0),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.links.iter()
    }

    /// The next endpoint that is connected and answers.
    pub(crate) fn pick(&self) -> Result<Permit, Cause> {
        let now = Instant::now();
        let start = self.next.fetch_add(1, Relaxed) % self.links.len().max(1);
        let (before, from) = self.links.split_at(start);
        let mut in_turn = from.iter().chain(before);
        in_turn
            .find_map(|link| link.admit(now))
            .ok_or(Cause::Unavailable)
    }
}

/// The right to make one call.
pub(crate) struct Permit {
    link: Arc<Link>,
    pub(crate) carrier: Carrier,
    settled: bool,
}

impl Permit {
    /// The endpoint answered.
    pub(crate) fn answered(mut self) {
        self.settled = true;
        lock(&self.link.breaker).answered();
    }

    /// It did not, in the time configured.
    pub(crate) fn missed(mut self) {
        self.settled = true;
        lock(&self.link.breaker).missed(Instant::now());
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled {
            lock(&self.link.breaker).abandoned(Instant::now());
        }
    }
}

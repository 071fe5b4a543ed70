//! Packets that are held until a service has replied a second time.

use crate::policy::{Cause, Failure};
use crate::routes::Target;
use crate::service::Service;
use crate::session::Ticket;
use outrigger_proto::{HookPoint, v1};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How many packets are held at each hook point, by all shards. Kea: packets whose callouts run count as well.
#[derive(Debug)]
pub(crate) struct Lots {
    limit: usize,
    /// By number of the hook point.
    taken: [AtomicUsize; HookPoint::COUNT],
}

impl Lots {
    /// 0 is no limit.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit: match usize::try_from(limit) {
                Ok(0) | Err(_) => usize::MAX,
                Ok(limit) => limit,
            },
            taken: [const { AtomicUsize::new(0) }; HookPoint::COUNT],
        }
    }

    /// A place for one packet at `point`, until what is returned is dropped.
    pub(crate) fn enter(&self, point: HookPoint) -> Option<Place<'_>> {
        let taken = &self.taken[usize::from(point.number())];
        if taken.fetch_add(1, Relaxed) >= self.limit {
            taken.fetch_sub(1, Relaxed);
            return None;
        }
        Some(Place(taken))
    }
}

/// One packet at one hook point.
#[derive(Debug)]
pub(crate) struct Place<'l>(&'l AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// A call that was answered with PARK. Dropping it gives the call up: its final reply comes too late then.
pub(crate) struct Held<'r> {
    pub(crate) target: &'r Target,
    service: &'r Service,
    ticket: Ticket,
    too_late: Pin<Box<Sleep>>,
    done: bool,
}

impl<'r> Held<'r> {
    /// The final reply has `time` from now on.
    pub(crate) fn new(
        target: &'r Target,
        service: &'r Service,
        ticket: Ticket,
        time: Duration,
    ) -> Self {
        service.parked.fetch_add(1, Relaxed);
        Self {
            target,
            service,
            ticket,
            too_late: Box::pin(sleep(time)),
            done: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<v1::CalloutReply, Failure>> {
        if let Poll::Ready(reply) = Pin::new(&mut self.ticket).poll(cx) {
            return Poll::Ready(reply.map_err(Failure::from));
        }
        let too_late = self.too_late.as_mut().poll(cx);
        too_late.map(|()| Err(Cause::ParkDeadline.into()))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.service.parked.fetch_sub(1, Relaxed);
    }
}

/// The next final reply of those that are still waited for, and whose it is; `None` when there are none left.
pub(crate) async fn next_final(
    held: &mut [Held<'_>],
) -> Option<(usize, Result<v1::CalloutReply, Failure>)> {
    poll_fn(|cx| {
        let mut waiting = held.iter_mut().enumerate().filter(|(_, held)| !held.done);
        let mut none_left = true;
        let ready = waiting.find_map(|(index, held)| {
            none_left = false;
            match held.poll(cx) {
                Poll::Ready(reply) => {
                    held.done = true;
                    Some((index, reply))
                }
                Poll::Pending => None,
            }
        });
        match ready {
            Some(reply) => Poll::Ready(Some(reply)),
            None if none_left => Poll::Ready(None),
            None => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_takes_as_many_as_it_has_places_and_each_hook_point_has_its_own() {
        let lots = Lots::new(2);
        let first = lots.enter(HookPoint::Subnet4Select);
        let second = lots.enter(HookPoint::Subnet4Select);
        assert!(first.is_some() && second.is_some());
        assert!(lots.enter(HookPoint::Subnet4Select).is_none());
        assert!(lots.enter(HookPoint::Lease4Offer).is_some());
        drop(first);
        assert!(lots.enter(HookPoint::Subnet4Select).is_some());
    }

    #[test]
    fn no_limit_is_none() {
        let lots = Lots::new(0);
        let places: Vec<_> = (0..10_000)
            .map(|_| lots.enter(HookPoint::Lease4Offer))
            .collect();
        assert!(places.iter().all(Option::is_some));
    }
}

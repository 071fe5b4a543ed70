//! What has arrived for a shard and waits to be served.

use crate::net::peek::Urgency;
use outrigger_wire::Datagram;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A datagram that waits.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) datagram: Datagram,
    pub(crate) urgency: Urgency,
    pub(crate) at: Instant,
}

/// Packets dropped here, not reported yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Pushed out, or never let in, because the queue was full.
    pub(crate) overload: u64,
    /// Waited too long: the client has sent again.
    pub(crate) stale: u64,
}

/// Two queues under one bound; the urgent one is served first, the other shed first.
#[derive(Debug)]
pub(crate) struct Ingress {
    continuing: VecDeque<Arrival>,
    opening: VecDeque<Arrival>,
    limit: usize,
    max_age: Duration,
    dropped: Dropped,
}

impl Ingress {
    pub(crate) fn new(limit: usize, max_age: Duration) -> Self {
        Self {
            continuing: VecDeque::new(),
            opening: VecDeque::new(),
            limit,
            max_age,
            dropped: Dropped::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.continuing.len() + self.opening.len()
    }

    /// Takes a packet in; where there is no room the oldest of the least urgent goes, which may be this one.
    pub(crate) fn push(&mut self, arrival: Arrival) {
        if self.len() >= self.limit {
            self.dropped.overload += 1;
            let pushed_out = match arrival.urgency {
                Urgency::Opening => self.opening.pop_front(),
                Urgency::Continuing => self
                    .opening
                    .pop_front()
                    .or_else(|| self.continuing.pop_front()),
            };
            if pushed_out.is_none() {
                return;
            }
        }
        match arrival.urgency {
            Urgency::Opening => self.opening.push_back(arrival),
            Urgency::Continuing => self.continuing.push_back(arrival),
        }
    }

    /// The next packet that is still worth an answer at `now`.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Datagram> {
        loop {
            let arrival = self
                .continuing
                .pop_front()
                .or_else(|| self.opening.pop_front())?;
            if now.saturating_duration_since(arrival.at) <= self.max_age {
                return Some(arrival.datagram);
            }
            self.dropped.stale += 1;
        }
    }

    /// Packets dropped since the last call.
    pub(crate) fn take_dropped(&mut self) -> Dropped {
        std::mem::take(&mut self.dropped)
    }

    /// Drops everything that waits; yields how many.
    pub(crate) fn clear(&mut self) -> usize {
        let waiting = self.len();
        self.continuing.clear();
        self.opening.clear();
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_wire::buffer::Buffer;
    use proptest::prelude::*;

    const MAX_AGE: Duration = Duration::from_secs(10);

    fn arrival(urgency: Urgency, id: u8, at: Instant) -> Arrival {
        let address = ([127, 0, 0, 1], 67).into();
        let link = outrigger_wire::Link {
            interface: "lo".into(),
            interface_index: 1,
            local: address,
            remote: address,
        };
        Arrival {
            datagram: Datagram {
                bytes: Buffer::copy_of(&[id]),
                link,
            },
            urgency,
            at,
        }
    }

    fn ids(ingress: &mut Ingress, now: Instant) -> Vec<u8> {
        std::iter::from_fn(|| ingress.pop(now))
            .map(|datagram| datagram.bytes[0])
            .collect()
    }

    #[test]
    fn requests_come_before_discovers_and_each_in_order_of_arrival() {
        let now = Instant::now();
        let mut ingress = Ingress::new(10, MAX_AGE);
        for (id, urgency) in [
            Urgency::Opening,
            Urgency::Continuing,
            Urgency::Opening,
            Urgency::Continuing,
        ]
        .iter()
        .enumerate()
        {
            ingress.push(arrival(*urgency, u8::try_from(id).unwrap(), now));
        }
        assert_eq!(ids(&mut ingress, now), [1, 3, 0, 2]);
        assert_eq!(ingress.take_dropped(), Dropped::default());
    }

    #[test]
    fn full_queue_sheds_the_oldest_discover_first_and_a_new_discover_before_any_request() {
        let now = Instant::now();
        let mut ingress = Ingress::new(2, MAX_AGE);
        ingress.push(arrival(Urgency::Opening, 0, now));
        ingress.push(arrival(Urgency::Opening, 1, now));
        ingress.push(arrival(Urgency::Opening, 2, now));
        ingress.push(arrival(Urgency::Continuing, 3, now));
        ingress.push(arrival(Urgency::Continuing, 4, now));
        ingress.push(arrival(Urgency::Opening, 5, now));
        ingress.push(arrival(Urgency::Continuing, 6, now));
        assert_eq!(ids(&mut ingress, now), [4, 6]);
        assert_eq!(
            ingress.take_dropped(),
            Dropped {
                overload: 5,
                stale: 0
            }
        );
    }

    #[test]
    fn packets_that_waited_longer_than_allowed_are_dropped_when_their_turn_comes() {
        let then = Instant::now();
        let mut ingress = Ingress::new(10, MAX_AGE);
        ingress.push(arrival(Urgency::Continuing, 0, then));
        ingress.push(arrival(
            Urgency::Continuing,
            1,
            then + Duration::from_secs(1),
        ));
        assert_eq!(
            ids(&mut ingress, then + MAX_AGE + Duration::from_secs(1)),
            [1]
        );
        assert_eq!(
            ingress.take_dropped(),
            Dropped {
                overload: 0,
                stale: 1
            }
        );
    }

    proptest! {
        #[test]
        fn every_packet_is_served_or_counted_and_the_bound_holds(
            limit in 0_usize..8,
            steps in prop::collection::vec((any::<bool>(), any::<bool>()), 0..60),
        ) {
            let now = Instant::now();
            let mut ingress = Ingress::new(limit, MAX_AGE);
            let (mut pushed, mut served) = (0, 0);
            for (push, urgent) in steps {
                if push {
                    let urgency = if urgent { Urgency::Continuing } else { Urgency::Opening };
                    ingress.push(arrival(urgency, 0, now));
                    pushed += 1;
                } else {
                    served += u64::from(ingress.pop(now).is_some());
                }
                prop_assert!(ingress.len() <= limit);
            }
            let waiting = u64::try_from(ingress.clear()).unwrap();
            prop_assert_eq!(pushed, served + waiting + ingress.take_dropped().overload);
        }
    }
}

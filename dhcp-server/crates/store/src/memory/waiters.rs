//! Tasks that wait for records to become durable.

use std::task::Waker;

/// Places for wakers, kept and used again so that waiting allocates nothing in the long run.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    places: Vec<Place>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Place {
    lsn: u64,
    waker: Option<Waker>,
}

/// A place that belongs to one future until it gives it back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceId(usize);

impl Waiters {
    /// Notes whom to wake once `lsn` is durable, in the place the future has or in a new one.
    pub(crate) fn register(&mut self, id: Option<PlaceId>, lsn: u64, waker: &Waker) -> PlaceId {
        let index = id
            .map(|id| id.0)
            .or_else(|| self.free.pop())
            .unwrap_or_else(|| {
                self.places.push(Place { lsn, waker: None });
                // Giving back never allocates.
                self.free.reserve(self.places.len());
                self.places.len() - 1
            });
        let place = &mut self.places[index];
        place.lsn = lsn;
        match &mut place.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        PlaceId(index)
    }

    /// Gives the place back.
    pub(crate) fn release(&mut self, id: PlaceId) {
        self.places[id.0].waker = None;
        self.free.push(id.0);
    }

    /// Moves the wakers of everything up to `durable` to `woken`. Their futures keep their places.
    pub(crate) fn take_ready(&mut self, durable: u64, woken: &mut Vec<Waker>) {
        let ready = self.places.iter_mut().filter(|place| place.lsn <= durable);
        woken.extend(ready.filter_map(|place| place.waker.take()));
    }
}

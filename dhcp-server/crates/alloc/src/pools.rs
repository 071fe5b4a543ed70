//! Which resources of the pools may be free, and which are held for a packet or an offer.
//!
//! A bit of a pool's bitmap is a hint: the lease index and the holds decide. So overlapping pools, a reload and
//! leases outside every pool cost a look at the index, never a double lease.

use crate::allocator::contains;
use crate::bitmap::Bitmap;
use crate::range::{Range, Ranged};
use ahash::RandomState;
use outrigger_config::model::{Pool, Server};
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::Family;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Pools up to this many resources have a bitmap (8 MiB); larger ones are never dense and are probed.
const LARGEST_BITMAP: u128 = 1 << 26;

/// Offers that are remembered; the oldest make room.
const MAX_OFFERS: usize = 1 << 16;

/// Why a resource is not to be given to anybody else for the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// A packet is being served with it.
    Claimed,
    /// It was offered to the owner with this hash.
    Offered { owner: u64, until: u64 },
}

#[derive(Debug)]
pub(crate) struct Pools<F: Ranged> {
    /// Ascending by range.
    spaces: Vec<Space<F>>,
    holds: Holds<F::Resource>,
    /// In the order they were made; entries whose hold is gone or renewed are passed over.
    offers: Offers<F>,
    offered_to: HashMap<u64, F::Resource, RandomState>,
}

/// What is held, and why.
type Holds<R> = HashMap<R, Hold, RandomState>;

/// When they end, and of what. An entry whose hold says otherwise is of the past.
type Offers<F> = VecDeque<(u64, <F as Family>::Resource)>;

#[derive(Debug)]
struct Space<F: Ranged> {
    range: Range,
    /// Largest `last` of this and all earlier spaces of the same unit length.
    reach: u128,
    free: Free,
    /// Those of its resources, in the order they were made.
    offers: Offers<F>,
}

#[derive(Debug)]
enum Free {
    Dense { bits: Bitmap, cursor: u64 },
    Sparse,
}

impl<F: Ranged> Pools<F> {
    pub(crate) fn new() -> Self {
        Self {
            spaces: Vec::new(),
            holds: HashMap::default(),
            offers: VecDeque::new(),
            offered_to: HashMap::default(),
        }
    }

    /// Takes the pools of a new configuration; holds stay.
    pub(crate) fn rebuild<'a>(
        &mut self,
        cfg: &Server<F>,
        leases: impl Iterator<Item = &'a Lease<F>>,
    ) {
        let mut ranges: Vec<Range> = cfg
            .subnets
            .iter()
            .flat_map(|subnet| &subnet.pools)
            .map(F::range)
            .collect();
        ranges.sort_unstable();
        ranges.dedup();
        let mut reach: Option<(u8, u128)> = None;
        self.spaces = ranges
            .into_iter()
            .map(|range| {
                let behind = match reach {
                    Some((unit_len, last)) if unit_len == range.unit_len => last.max(range.last),
                    _ => range.last,
                };
                reach = Some((range.unit_len, behind));
                Space {
                    range,
                    reach: behind,
                    free: Free::new(&range),
                    offers: VecDeque::new(),
                }
            })
            .collect();
        for lease in leases {
            if is_in_use(lease) {
                self.mark(&lease.resource, false);
            }
        }
        let held: Vec<F::Resource> = self.holds.keys().copied().collect();
        for resource in held {
            self.mark(&resource, false);
        }
        for (until, resource) in self.offers.clone() {
            self.remember(until, resource);
        }
    }

    /// Sets the hint for a resource in every pool that has it.
    pub(crate) fn mark(&mut self, resource: &F::Resource, free: bool) {
        visit(&mut self.spaces, resource, |space, index| {
            if let Free::Dense { bits, .. } = &mut space.free {
                let index = u64::try_from(index).expect("a dense pool is small");
                if free {
                    bits.insert(index)
                } else {
                    bits.remove(index)
                }
            }
        });
    }

    /// Adds an offer to every pool that has the resource.
    fn remember(&mut self, until: u64, resource: F::Resource) {
        let holds = &self.holds;
        visit(&mut self.spaces, &resource, |space, _| {
            let is_past = |(until, resource): &mut (u64, F::Resource)| {
                offered_to(holds, resource, *until).is_none()
            };
            while space.offers.pop_front_if(is_past).is_some() {}
            if space.offers.len() >= MAX_OFFERS {
                space.offers.pop_front();
            }
            space.offers.push_back((until, resource));
        });
    }

    fn space_of(&self, pool: &Pool<F>) -> Option<usize> {
        let range = F::range(pool);
        self.spaces
            .binary_search_by(|space| space.range.cmp(&range))
            .ok()
    }

    /// The first resource of `pool` that `usable` accepts, looking at those that may be free, from where the last
    /// search ended. `seed` spreads clients over a pool without a bitmap: one that is too large, or that a packet under way
    /// has from the last configuration. `taken` bounds that search: more resources than that cannot be in use.
    pub(crate) fn find(
        &mut self,
        pool: &Pool<F>,
        seed: u64,
        taken: usize,
        mut usable: impl FnMut(&F::Resource, Option<Hold>) -> bool,
    ) -> Option<F::Resource> {
        let range = F::range(pool);
        let holds = &self.holds;
        let try_at = |index: u128| {
            let resource = F::at(pool, range.number_at(index));
            usable(&resource, holds.get(&resource).copied()).then_some(resource)
        };
        let place = self.space_of(pool);
        match place.map(|at| &mut self.spaces[at].free) {
            Some(Free::Dense { bits, cursor }) => next_free(bits, cursor, try_at),
            Some(Free::Sparse) | None => {
                let start =
                    u128::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                let size = range.last_index().saturating_add(1);
                let last = u128::try_from(taken).unwrap_or(u128::MAX).min(size - 1);
                (0..=last)
                    .map(|step| (start % size).wrapping_add(step) % size)
                    .find_map(try_at)
            }
        }
    }

    pub(crate) fn hold(&self, resource: &F::Resource) -> Option<Hold> {
        self.holds.get(resource).copied()
    }

    /// How many holds there are.
    pub(crate) fn holds(&self) -> usize {
        self.holds.len()
    }

    pub(crate) fn claim(&mut self, resource: F::Resource) {
        if let Some(Hold::Offered { owner, .. }) = self.holds.insert(resource, Hold::Claimed) {
            self.offered_to.remove(&owner);
        }
        self.mark(&resource, false);
    }

    /// Ends a claim; `free` says whether the resource has no lease.
    pub(crate) fn release(&mut self, resource: &F::Resource, free: bool) {
        if self.holds.get(resource) == Some(&Hold::Claimed) {
            self.holds.remove(resource);
            self.mark(resource, free);
        }
    }

    /// Turns a claim into an offer.
    pub(crate) fn offer(&mut self, resource: F::Resource, owner: u64, until: u64) {
        if self.offers.len() >= MAX_OFFERS {
            self.forget_oldest_offer();
        }
        if let Some(earlier) = self.offered_to.insert(owner, resource)
            && earlier != resource
            && matches!(self.holds.get(&earlier), Some(Hold::Offered { owner: to, .. }) if *to == owner)
        {
            self.holds.remove(&earlier);
            self.mark(&earlier, true);
        }
        self.holds.insert(resource, Hold::Offered { owner, until });
        self.offers.push_back((until, resource));
        self.remember(until, resource);
    }

    /// What was offered to this owner and not taken back.
    pub(crate) fn offered_to(&self, owner: u64) -> Option<F::Resource> {
        self.offered_to.get(&owner).copied()
    }

    /// Ends the offers that ran out. A resource with a lease by now is found taken at the next look.
    pub(crate) fn forget_offers_until(&mut self, now: u64) {
        while let Some((until, resource)) = self.offers.pop_front_if(|(until, _)| *until <= now) {
            self.forget_offer(until, resource);
        }
    }

    /// Ends the oldest offer. Its resource is free again.
    fn forget_oldest_offer(&mut self) {
        while let Some((until, resource)) = self.offers.pop_front() {
            if self.forget_offer(until, resource) {
                return;
            }
        }
    }

    /// Ends the oldest offer of a resource of `pool` that `wanted` accepts. Its resource is free again.
    pub(crate) fn take_back_offer(
        &mut self,
        pool: &Pool<F>,
        wanted: impl Fn(&F::Resource) -> bool,
    ) -> Option<F::Resource> {
        let Some(at) = self.space_of(pool) else {
            let (until, resource) = *self.offers.iter().find(|(until, resource)| {
                contains(pool, resource)
                    && offered_to(&self.holds, resource, *until).is_some()
                    && wanted(resource)
            })?;
            return self.forget_offer(until, resource).then_some(resource);
        };
        let mut place = 0;
        while let Some((until, resource)) = self.spaces[at].offers.get(place).copied() {
            let stands = offered_to(&self.holds, &resource, until).is_some();
            if stands && !wanted(&resource) {
                place += 1;
                continue;
            }
            self.spaces[at].offers.remove(place);
            if stands && self.forget_offer(until, resource) {
                return Some(resource);
            }
        }
        None
    }

    fn forget_offer(&mut self, until: u64, resource: F::Resource) -> bool {
        let Some(owner) = offered_to(&self.holds, &resource, until) else {
            return false;
        };
        self.offered_to.remove(&owner);
        self.holds.remove(&resource);
        self.mark(&resource, true);
        true
    }
}

/// Tries the members from the cursor on, then those before it; the cursor goes behind the one that is found.
fn next_free<R>(
    bits: &Bitmap,
    cursor: &mut u64,
    mut try_at: impl FnMut(u128) -> Option<R>,
) -> Option<R> {
    let mut from = *cursor;
    let mut wrapped = false;
    loop {
        match bits.next(from) {
            Some(index) if wrapped && index >= *cursor => return None,
            Some(index) => {
                if let Some(found) = try_at(u128::from(index)) {
                    *cursor = index + 1;
                    return Some(found);
                }
                from = index + 1;
            }
            None if wrapped => return None,
            None => {
                wrapped = true;
                from = 0;
            }
        }
    }
}

/// Calls `with` with every space that has the resource, and which one of the space it is.
fn visit<F: Ranged>(
    spaces: &mut [Space<F>],
    resource: &F::Resource,
    mut with: impl FnMut(&mut Space<F>, u128),
) {
    let (unit_len, number) = (F::unit_len(resource), F::number(resource));
    let behind =
        spaces.partition_point(|s| (s.range.unit_len, s.range.first) <= (unit_len, number));
    for space in spaces[..behind].iter_mut().rev() {
        if space.range.unit_len != unit_len || space.reach < number {
            return;
        }
        if let Some(index) = space.range.index_of(number) {
            with(space, index);
        }
    }
}

/// To whom the resource is offered until then; `None` where that offer is of the past.
fn offered_to<R: Eq + Hash>(holds: &Holds<R>, resource: &R, until: u64) -> Option<u64> {
    match holds.get(resource) {
        Some(Hold::Offered { owner, until: held }) if *held == until => Some(*owner),
        _ => None,
    }
}

impl Free {
    fn new(range: &Range) -> Self {
        if range.last_index() < LARGEST_BITMAP {
            let size = u64::try_from(range.last_index()).unwrap_or(0) + 1;
            Self::Dense {
                bits: Bitmap::full(size),
                cursor: 0,
            }
        } else {
            Self::Sparse
        }
    }
}

/// Whether nobody else may have the lease's resource, whatever the time: not reclaimed and not given back.
pub(crate) fn is_in_use<F: Ranged>(lease: &Lease<F>) -> bool {
    match lease.state {
        LeaseState::Default | LeaseState::Declined | LeaseState::Registered => true,
        LeaseState::ExpiredReclaimed | LeaseState::Released => false,
    }
}

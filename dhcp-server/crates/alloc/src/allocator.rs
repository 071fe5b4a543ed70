//! Finding a lease for a client.

use crate::plan::{Claim, Origin, Plan};
use crate::pools::{Hold, Pools, is_in_use};
use crate::range::Ranged;
use ahash::RandomState;
use outrigger_config::model::{Pool, Server, Subnet};
use outrigger_store::{Lease, LeaseState, Store, StoreGuard};
use outrigger_wire::family::LeaseOwner;
use outrigger_wire::{Classes, Family, HwAddress};
use smallvec::SmallVec;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gives out the leases of one family. Shared by all shards.
///
/// One lock over the lease index and one over the pools, always taken in this order and only for moments: a plan and a
/// commit are each some hundred nanoseconds under them.
#[derive(Debug)]
pub struct Allocator<F: Ranged> {
    store: Arc<Store<F>>,
    pools: Mutex<Pools<F>>,
    seed: RandomState,
}

/// One name of a lease holder.
pub(crate) type Key<F> = <<F as Family>::Owner as LeaseOwner>::Key;

/// What a client is to get.
pub struct Wish<'a, F: Ranged> {
    /// Configuration that the packet is served with.
    pub cfg: &'a Server<F>,
    /// Subnets the lease may come from, best first, as indexes into `cfg.subnets`.
    pub subnets: &'a [usize],
    /// An address or a prefix.
    pub kind: F::Kind,
    /// Who asks.
    pub owner: &'a F::Owner,
    /// Names to find leases of the client by, best first.
    pub keys: &'a [Key<F>],
    /// Whether a lease found by such a name is this client's.
    pub is_mine: &'a dyn Fn(&F::Owner) -> bool,
    /// What is reserved for this client.
    pub reserved: &'a [F::Resource],
    /// What the client asks for.
    pub hint: Option<F::Resource>,
    /// Classes of the client, which pools and subnets may ask for.
    pub classes: &'a Classes,
    /// Nothing but the hint will do (DHCPv4 REQUEST).
    pub only_hint: bool,
    /// Candidates that were shown to a hook point and skipped.
    pub skipped: &'a [F::Resource],
    /// Seconds since 1970-01-01 UTC.
    pub now: u64,
}

impl<F: Ranged> Wish<'_, F> {
    /// Every subnet, also those whose guard does not admit the client.
    fn all_subnets(&self) -> impl Iterator<Item = (usize, &Subnet<F>)> {
        self.subnets
            .iter()
            .filter_map(|index| Some((*index, self.cfg.subnets.get(*index)?)))
    }

    /// The subnets that the client may use. Whoever selected the first one has asked its guard, or a hook point chose it.
    fn subnets(&self) -> impl Iterator<Item = (usize, &Subnet<F>)> {
        self.all_subnets()
            .filter(|(index, subnet)| self.is_open(*index, subnet))
    }

    fn is_open(&self, index: usize, subnet: &Subnet<F>) -> bool {
        self.subnets.first() == Some(&index) || self.cfg.admits(subnet, self.classes)
    }

    /// Every pool, also those whose guard does not admit the client.
    fn all_pools(&self) -> impl Iterator<Item = (usize, &Subnet<F>, &Pool<F>)> {
        self.all_subnets().flat_map(move |(index, subnet)| {
            let pools = subnet
                .pools
                .iter()
                .filter(move |pool| F::kind_of_pool(pool) == self.kind);
            pools.map(move |pool| (index, subnet, pool))
        })
    }

    /// The pools that the client may use.
    fn pools(&self) -> impl Iterator<Item = (usize, &Subnet<F>, &Pool<F>)> {
        self.all_pools().filter(|(index, subnet, pool)| {
            pool.guard.admits(self.classes) && self.is_open(*index, subnet)
        })
    }

    /// Subnet and pool that `resource` belongs to: the pool it lies in, or just the subnet that reserves it for this
    /// client.
    fn home(&self, resource: &F::Resource) -> Option<(usize, u32)> {
        let has_it = |(_, _, pool): &(usize, &Subnet<F>, &Pool<F>)| contains(pool, resource);
        let place = |(subnet, _, pool): (usize, &Subnet<F>, &Pool<F>)| (subnet, pool.id);
        let by_pool = self.pools().find(has_it).map(place);
        by_pool.or_else(|| {
            // Kea: what is reserved for a client is the client's, whomever its pool is for.
            self.reserved.contains(resource).then_some(())?;
            let guarded = self.all_pools().find(has_it).map(place);
            guarded.or_else(|| self.subnets().next().map(|(subnet, _)| (subnet, 0)))
        })
    }

    /// The subnet of a resource outside the pools that the client has all the same: a hook gave it. In a pool that the
    /// client may not use any more it does not keep it.
    fn home_of_granted(&self, resource: &F::Resource) -> Option<(usize, u32)> {
        if self
            .all_pools()
            .any(|(_, _, pool)| contains(pool, resource))
        {
            return None;
        }
        let inside = |(_, subnet): &(usize, &Subnet<F>)| F::is_inside(&subnet.prefix, resource);
        self.subnets().find(inside).map(|(subnet, _)| (subnet, 0))
    }

    /// Whether somebody else has a reservation for `resource`.
    fn is_reserved_for_another(&self, subnet: usize, resource: &F::Resource) -> bool {
        !self.reserved.contains(resource)
            && self.cfg.subnets.get(subnet).is_some_and(|subnet| {
                subnet.reservations_in_subnet
                    && !subnet.reservations_out_of_pool
                    && subnet.reservations.by_resource(resource).is_some()
                    || subnet.reservations_global
                        && self.cfg.reservations.by_resource(resource).is_some()
            })
    }
}

/// Whether the holder got it from us: an address that it declined or made itself (RFC 9686) it did not.
fn is_leased<F: Ranged>(lease: &Lease<F>) -> bool {
    match lease.state {
        LeaseState::Default | LeaseState::ExpiredReclaimed | LeaseState::Released => true,
        LeaseState::Declined | LeaseState::Registered => false,
    }
}

/// Whether `resource` is one of the pool's.
pub(crate) fn contains<F: Ranged>(pool: &Pool<F>, resource: &F::Resource) -> bool {
    let range = F::range(pool);
    range.unit_len == F::unit_len(resource) && range.index_of(F::number(resource)).is_some()
}

impl<F: Ranged> Allocator<F> {
    /// Leases come from the store and go there; pools are those of `cfg`.
    #[must_use]
    pub fn new(store: Arc<Store<F>>, cfg: &Server<F>) -> Arc<Self> {
        let allocator = Self {
            store,
            pools: Mutex::new(Pools::new()),
            seed: RandomState::new(),
        };
        allocator.reload(cfg);
        Arc::new(allocator)
    }

    /// Takes the pools of a new configuration. Plans made before stay good.
    pub fn reload(&self, cfg: &Server<F>) {
        let leases = self.store.lock();
        self.pools().rebuild(cfg, leases.iter());
    }

    /// The leases.
    #[must_use]
    pub fn store(&self) -> &Arc<Store<F>> {
        &self.store
    }

    pub(crate) fn pools(&self) -> MutexGuard<'_, Pools<F>> {
        // A panic while it was held was caught at the packet; the hints it left are only hints.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of a client and what kind of lease it asks for: an IA_NA and an IA_PD may share an IAID.
    pub(crate) fn owner_hash(&self, owner: &F::Owner, kind: F::Kind) -> u64 {
        self.seed.hash_one((owner, kind))
    }

    /// The leases of a client that nobody took back yet and that `wanted` picks, whatever their subnet.
    pub fn leases_of(
        &self,
        keys: &[Key<F>],
        wanted: &dyn Fn(&Lease<F>) -> bool,
    ) -> SmallVec<[Lease<F>; 1]> {
        let leases = self.store.lock();
        let mut found: SmallVec<[Lease<F>; 1]> = SmallVec::new();
        for lease in keys.iter().flat_map(|key| leases.by_owner(key)) {
            let known = found.iter().any(|known| known.resource == lease.resource);
            if lease.state == LeaseState::Default && !known && wanted(lease) {
                found.push(lease.clone());
            }
        }
        found
    }

    /// A candidate for the client, claimed for this packet; `None` where nothing is left.
    ///
    /// In this order (RFC 2131 §4.3.1): what is reserved for the client, the lease it has, the one it had, what was offered
    /// to it, what it asks for, any free resource, one that was only offered to somebody, one whose lease has expired.
    #[must_use]
    pub fn plan(self: &Arc<Self>, wish: &Wish<'_, F>) -> Option<Plan<F>> {
        let leases = self.store.lock();
        let mut pools = self.pools();
        pools.forget_offers_until(wish.now);
        let search = Search {
            wish,
            leases: &leases,
            owner_hash: self.owner_hash(wish.owner, wish.kind),
        };
        let (resource, previous) = search.run(&mut pools)?;
        let origin = match &previous {
            None => Origin::Free,
            Some(lease) if !is_in_use(lease) => Origin::Free,
            Some(lease) if lease.is_expired(wish.now) => Origin::Expired,
            Some(_) => Origin::Held,
        };
        let (subnet, pool_id) = wish
            .home(&resource)
            .or_else(|| wish.home_of_granted(&resource))?;
        let subnet_id = wish.cfg.subnets.get(subnet)?.id.0;
        pools.claim(resource);
        let kept = previous
            .as_ref()
            .filter(|lease| (wish.is_mine)(&lease.owner));
        let lease = Lease {
            resource,
            owner: wish.owner.clone(),
            subnet_id,
            pool_id,
            state: LeaseState::Default,
            cltt: wish.now,
            valid_lifetime: 0,
            preferred_lifetime: 0,
            hostname: kept.map_or_else(Box::default, |lease| lease.hostname.clone()),
            fqdn_fwd: kept.is_some_and(|lease| lease.fqdn_fwd),
            fqdn_rev: kept.is_some_and(|lease| lease.fqdn_rev),
            hw_address: HwAddress::EMPTY,
            user_context: kept.map_or_else(Box::default, |lease| lease.user_context.clone()),
        };
        let claim = Claim::new(Arc::clone(self), resource, subnet, previous, origin);
        Some(Plan { lease, claim })
    }
}

/// One run through the candidates, under the locks.
struct Search<'a, F: Ranged> {
    wish: &'a Wish<'a, F>,
    leases: &'a StoreGuard<'a, F>,
    owner_hash: u64,
}

type Found<F> = (<F as Family>::Resource, Option<Lease<F>>);

impl<F: Ranged> Search<'_, F> {
    fn run(&self, pools: &mut Pools<F>) -> Option<Found<F>> {
        if let Some(found) = self
            .wish
            .reserved
            .iter()
            .find_map(|resource| self.take(pools, *resource))
        {
            return Some(found).filter(|(resource, _)| self.is_asked_for(resource));
        }
        self.own(pools)
            .or_else(|| self.take(pools, pools.offered_to(self.owner_hash)?))
            .filter(|(resource, _)| self.is_asked_for(resource))
            .or_else(|| self.take(pools, self.wish.hint?))
            .or_else(|| self.any(pools))
    }

    fn is_asked_for(&self, resource: &F::Resource) -> bool {
        !self.wish.only_hint || self.wish.hint.as_ref() == Some(resource)
    }

    /// The lease that the client has, else the one that it had.
    fn own(&self, pools: &Pools<F>) -> Option<Found<F>> {
        let wish = self.wish;
        let mine = || {
            wish.keys
                .iter()
                .flat_map(|key| self.leases.by_owner(key))
                .filter(|lease| {
                    F::kind_of(&lease.resource) == wish.kind
                        && is_leased(lease)
                        && (wish.is_mine)(&lease.owner)
                })
        };
        let usable = |lease: &&Lease<F>| self.usable(pools, &lease.resource).is_some();
        mine()
            .filter(|lease| is_in_use(lease))
            .find(usable)
            .or_else(|| mine().filter(|lease| !is_in_use(lease)).find(usable))
            .map(|lease| (lease.resource, Some(lease.clone())))
    }

    /// `resource`, where this client may have it.
    fn take(&self, pools: &Pools<F>, resource: F::Resource) -> Option<Found<F>> {
        (F::kind_of(&resource) == self.wish.kind).then_some(())?;
        self.usable(pools, &resource)?;
        Some((resource, self.leases.get(&resource).cloned()))
    }

    /// Whether this client may have `resource`: its place is right, and it is free, its own or expired.
    fn usable(&self, pools: &Pools<F>, resource: &F::Resource) -> Option<()> {
        let (subnet, _) = self.home(pools, resource)?;
        let refused = self.wish.skipped.contains(resource)
            || self.wish.is_reserved_for_another(subnet, resource);
        (!refused
            && self.is_unheld(resource, pools.hold(resource))
            && self.is_unleased(resource, true))
        .then_some(())
    }

    /// A hook may have given the client something outside the pools: then it keeps it.
    fn home(&self, pools: &Pools<F>, resource: &F::Resource) -> Option<(usize, u32)> {
        self.wish.home(resource).or_else(|| {
            let leased = self.leases.get(resource).is_some_and(|lease| {
                lease.state == LeaseState::Default && (self.wish.is_mine)(&lease.owner)
            });
            let offered = pools.offered_to(self.owner_hash) == Some(*resource);
            (leased || offered)
                .then(|| self.wish.home_of_granted(resource))
                .flatten()
        })
    }

    /// What is reserved for this client was offered to another only under an earlier configuration.
    fn is_unheld(&self, resource: &F::Resource, hold: Option<Hold>) -> bool {
        match hold {
            None => true,
            Some(Hold::Claimed) => false,
            Some(Hold::Offered { owner, .. }) => {
                owner == self.owner_hash || self.wish.reserved.contains(resource)
            }
        }
    }

    fn is_unleased(&self, resource: &F::Resource, expired_too: bool) -> bool {
        self.leases.get(resource).is_none_or(|lease| {
            let mine = is_leased(lease) && (self.wish.is_mine)(&lease.owner);
            mine || !is_in_use(lease) || expired_too && lease.is_expired(self.wish.now)
        })
    }

    /// Any resource of any pool.
    fn any(&self, pools: &mut Pools<F>) -> Option<Found<F>> {
        if self.wish.only_hint {
            return None;
        }
        self.free(pools)
            .or_else(|| self.offered_to_another(pools))
            .or_else(|| self.expired(pools))
    }

    fn free(&self, pools: &mut Pools<F>) -> Option<Found<F>> {
        let taken = self.leases.len() + pools.holds() + self.wish.skipped.len();
        let global = self.wish.cfg.reservations.iter().count();
        self.wish.pools().find_map(|(index, subnet, pool)| {
            let taken = taken + global + subnet.reservations.iter().count();
            let found = pools.find(pool, self.owner_hash, taken, |resource, hold| {
                !self.wish.skipped.contains(resource)
                    && self.is_unheld(resource, hold)
                    && self.is_unleased(resource, false)
                    && !self.wish.is_reserved_for_another(index, resource)
            })?;
            Some((found, self.leases.get(&found).cloned()))
        })
    }

    /// Nothing else is free: an offer that nobody took up yet goes to this client, the oldest of a pool first.
    fn offered_to_another(&self, pools: &mut Pools<F>) -> Option<Found<F>> {
        self.wish.pools().find_map(|(index, _, pool)| {
            let found = pools.take_back_offer(pool, |resource| {
                !self.wish.skipped.contains(resource)
                    && self.is_unleased(resource, true)
                    && !self.wish.is_reserved_for_another(index, resource)
            })?;
            Some((found, self.leases.get(&found).cloned()))
        })
    }

    /// The lease that expired first and was not reclaimed yet.
    fn expired(&self, pools: &Pools<F>) -> Option<Found<F>> {
        self.leases
            .expired(self.wish.now, usize::MAX)
            .find_map(|resource| self.take(pools, resource))
    }
}

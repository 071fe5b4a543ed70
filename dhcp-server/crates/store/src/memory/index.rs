//! Every lease, by resource, by holder and by time.

use crate::memory::expiry::ExpiryQueue;
use crate::memory::owners::{Hashed, NAMES, Owners};
use crate::memory::slab::Slab;
use crate::{Lease, LeaseState, StoredFamily};
use ahash::RandomState;
use hashbrown::HashTable;
use outrigger_wire::family::LeaseOwner;
use std::hash::Hash;

type OwnerKey<F> = <<F as outrigger_wire::Family>::Owner as LeaseOwner>::Key;

/// Every lease, by resource, by holder and by time.
///
/// One lease per resource. No lock and no clock inside. Hashes are keyed, since clients choose what is hashed.
/// Extending a lease allocates nothing.
#[derive(Debug)]
pub struct Leases<F: StoredFamily> {
    slab: Slab<Lease<F>>,
    by_resource: HashTable<Hashed>,
    by_owner: Owners,
    /// What ends and wants reclamation then.
    running: ExpiryQueue,
    /// What was reclaimed, by the end of its lease.
    reclaimed: ExpiryQueue,
    hasher: RandomState,
}

impl<F: StoredFamily> Default for Leases<F> {
    fn default() -> Self {
        Self {
            slab: Slab::default(),
            by_resource: HashTable::new(),
            by_owner: Owners::default(),
            running: ExpiryQueue::default(),
            reclaimed: ExpiryQueue::default(),
            hasher: RandomState::new(),
        }
    }
}

impl<F: StoredFamily> Leases<F> {
    /// The lease of `resource`, in whatever state.
    #[must_use]
    pub fn get(&self, resource: &F::Resource) -> Option<&Lease<F>> {
        self.slab.get(self.slot_of(resource)?)
    }

    /// Leases of every subnet whose holder bears this name, latest taken first.
    ///
    /// A client can have any number of leases under one hardware address: take what is needed, do not collect.
    pub fn by_owner(&self, key: &OwnerKey<F>) -> impl Iterator<Item = &Lease<F>> {
        let named = |slot| {
            self.slab
                .get(slot)
                .is_some_and(|lease: &Lease<F>| F::is_named(&lease.owner, key))
        };
        self.by_owner
            .find(self.hash(key), named)
            .filter_map(|slot| self.slab.get(slot))
    }

    /// Inserts a lease or replaces the one of the same resource, which it returns.
    pub fn put(&mut self, lease: Lease<F>) -> Option<Lease<F>> {
        let Some(slot) = self.slot_of(&lease.resource) else {
            self.insert(lease);
            return None;
        };
        let current = self.slab.get_mut(slot)?;
        let old = std::mem::replace(current, lease);
        self.reindex(slot, &old);
        Some(old)
    }

    /// As [`Self::put`], from a reference: allocates only for what differs from the lease that was there.
    pub fn assign(&mut self, lease: &Lease<F>) {
        let known = self.slot_of(&lease.resource);
        match known.and_then(|slot| self.slab.get_mut(slot).map(|current| (slot, current))) {
            Some((slot, current)) if current.owner == lease.owner => {
                extend(current, lease);
                self.schedule(slot);
            }
            _ => {
                self.put(lease.clone());
            }
        }
    }

    /// Forgets the lease of `resource`.
    pub fn remove(&mut self, resource: &F::Resource) -> Option<Lease<F>> {
        let hash = self.hash(resource);
        let slab = &self.slab;
        let same = |entry: &Hashed| {
            entry.hash == hash
                && slab
                    .get(entry.number)
                    .is_some_and(|l| l.resource == *resource)
        };
        let entry = self
            .by_resource
            .find_entry(Hashed::spread(hash), same)
            .ok()?;
        let slot = entry.remove().0.number;
        self.running.remove(slot);
        self.reclaimed.remove(slot);
        let lease = self.slab.remove(slot)?;
        self.unlink_owner(slot, &lease.owner);
        Some(lease)
    }

    /// Leases that have ended at `now` and were not reclaimed yet, whatever else their state; earliest end first.
    pub fn expired(&self, now: u64, limit: usize) -> impl Iterator<Item = F::Resource> {
        self.running
            .due(now)
            .take(limit)
            .filter_map(|slot| self.slab.get(slot))
            .map(|lease| lease.resource)
    }

    /// Leases that are only remembered for their client and have ended at or before `cutoff`: reclaimed ones,
    /// earliest end first, then released ones that nobody reclaimed.
    pub fn reclaimed_before(&self, cutoff: u64, limit: usize) -> impl Iterator<Item = F::Resource> {
        let released = self
            .running
            .due(cutoff)
            .filter_map(|slot| self.slab.get(slot));
        let released = released.filter(|lease| lease.state == LeaseState::Released);
        let reclaimed = self
            .reclaimed
            .due(cutoff)
            .filter_map(|slot| self.slab.get(slot));
        reclaimed
            .chain(released)
            .take(limit)
            .map(|lease| lease.resource)
    }

    /// Every lease, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Lease<F>> {
        self.slab.iter()
    }

    /// How many leases there are, in whatever state.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there is no lease at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows up to `count` places from `from` on, and says where to go on; `None` at the end.
    ///
    /// A lease keeps its place until it is removed, so a walk in steps misses nothing that was there all along.
    pub fn visit(&self, from: u32, count: u32, mut see: impl FnMut(&Lease<F>)) -> Option<u32> {
        let end = from.saturating_add(count);
        (from..end.min(self.slab.end()))
            .filter_map(|slot| self.slab.get(slot))
            .for_each(&mut see);
        (end < self.slab.end()).then_some(end)
    }

    fn slot_of(&self, resource: &F::Resource) -> Option<u32> {
        let hash = self.hash(resource);
        let same = |entry: &Hashed| {
            entry.hash == hash
                && self
                    .slab
                    .get(entry.number)
                    .is_some_and(|l| l.resource == *resource)
        };
        self.by_resource
            .find(Hashed::spread(hash), same)
            .map(|entry| entry.number)
    }

    /// Adds a lease whose resource is not known.
    fn insert(&mut self, lease: Lease<F>) {
        let hash = self.hash(&lease.resource);
        let owner = lease.owner.clone();
        let slot = self.slab.insert(lease);
        self.by_resource.insert_unique(
            Hashed::spread(hash),
            Hashed { hash, number: slot },
            Hashed::spread_again,
        );
        self.link_owner(slot, &owner);
        self.schedule(slot);
    }

    /// Brings the indexes up to date after the lease in `slot` replaced `old`.
    fn reindex(&mut self, slot: u32, old: &Lease<F>) {
        let Some(new) = self.slab.get(slot) else {
            return;
        };
        if new.owner != old.owner {
            let owner = new.owner.clone();
            self.unlink_owner(slot, &old.owner);
            self.link_owner(slot, &owner);
        }
        self.schedule(slot);
    }

    fn schedule(&mut self, slot: u32) {
        let Some(lease) = self.slab.get(slot) else {
            return;
        };
        let (queue, other) = match lease.state {
            LeaseState::ExpiredReclaimed => (&mut self.reclaimed, &mut self.running),
            LeaseState::Default
            | LeaseState::Declined
            | LeaseState::Released
            | LeaseState::Registered => (&mut self.running, &mut self.reclaimed),
        };
        other.remove(slot);
        match lease.expires_at() {
            u64::MAX => queue.remove(slot),
            time => queue.set(slot, time),
        }
    }

    fn link_owner(&mut self, slot: u32, owner: &F::Owner) {
        for (key, name) in owner.keys().iter().zip(0..NAMES) {
            let (hash, slab) = (self.hash(key), &self.slab);
            let same = |other| {
                slab.get(other)
                    .is_some_and(|lease| F::is_named(&lease.owner, key))
            };
            self.by_owner.link(slot, name, hash, same);
        }
    }

    fn unlink_owner(&mut self, slot: u32, owner: &F::Owner) {
        for (key, name) in owner.keys().iter().zip(0..NAMES) {
            let hash = self.hash(key);
            self.by_owner.unlink(slot, name, hash);
        }
    }

    /// The upper half: what the hasher mixed best.
    fn hash(&self, value: &impl Hash) -> u32 {
        (self.hasher.hash_one(value) >> 32) as u32
    }
}

/// Copies `lease` over a lease of the same resource and holder, keeping what is allocated and equal.
fn extend<F: StoredFamily>(current: &mut Lease<F>, lease: &Lease<F>) {
    let Lease {
        resource: _,
        owner: _,
        subnet_id,
        pool_id,
        state,
        cltt,
        valid_lifetime,
        preferred_lifetime,
        hostname,
        fqdn_fwd,
        fqdn_rev,
        hw_address,
        user_context,
    } = lease;
    current.subnet_id = *subnet_id;
    current.pool_id = *pool_id;
    current.state = *state;
    current.cltt = *cltt;
    current.valid_lifetime = *valid_lifetime;
    current.preferred_lifetime = *preferred_lifetime;
    current.fqdn_fwd = *fqdn_fwd;
    current.fqdn_rev = *fqdn_rev;
    current.hw_address = *hw_address;
    if current.hostname != *hostname {
        current.hostname.clone_from(hostname);
    }
    if current.user_context != *user_context {
        current.user_context.clone_from(user_context);
    }
}

#[cfg(test)]
mod tests;

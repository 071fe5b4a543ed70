//! A candidate that is claimed for one packet.

use crate::allocator::Allocator;
use crate::pools::is_in_use;
use crate::range::Ranged;
use outrigger_config::model::Server;
use outrigger_store::{Lease, LeaseState};
use std::sync::Arc;

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has a lease of it: it is new for the client.
    Free,
    /// The client has a lease of it that runs.
    Held,
    /// There is a lease of it, the client's or another's, that has expired and was not reclaimed.
    Expired,
}

/// A candidate that is claimed for one packet.
#[derive(Debug)]
pub struct Plan<F: Ranged> {
    /// The lease as it is to be written; the page fills in lifetimes and names, hook points may change it.
    pub lease: Lease<F>,
    /// What keeps the resource for this packet.
    pub claim: Claim<F>,
}

/// Keeps a resource for one packet. Dropped, it frees it.
#[derive(Debug)]
pub struct Claim<F: Ranged> {
    resource: F::Resource,
    /// Index of its subnet in the configuration of the packet.
    subnet: usize,
    /// What the store has of the resource.
    previous: Option<Lease<F>>,
    origin: Origin,
    allocator: Arc<Allocator<F>>,
}

impl<F: Ranged> Plan<F> {
    /// Keeps the resource for the client until `until` (seconds since 1970-01-01 UTC), in memory only, and gives back the
    /// lease as it would be written.
    #[must_use]
    pub fn offer(self, until: u64) -> Lease<F> {
        let Self { lease, claim } = self;
        let owner = claim
            .allocator
            .owner_hash(&lease.owner, F::kind_of(&lease.resource));
        if claim.origin != Origin::Held {
            claim.allocator.pools().offer(claim.resource, owner, until);
        }
        lease
    }
}

impl<F: Ranged> Claim<F> {
    pub(crate) fn new(
        allocator: Arc<Allocator<F>>,
        resource: F::Resource,
        subnet: usize,
        previous: Option<Lease<F>>,
        origin: Origin,
    ) -> Self {
        Self {
            resource,
            subnet,
            previous,
            origin,
            allocator,
        }
    }

    /// Where the candidate comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Index of its subnet in the configuration of the packet.
    #[must_use]
    pub fn subnet(&self) -> usize {
        self.subnet
    }

    /// What the store has of the resource: the client's own lease, an expired one, or one that was reclaimed.
    #[must_use]
    pub fn previous(&self) -> Option<&Lease<F>> {
        self.previous.as_ref()
    }

    /// Claims another resource instead, which a hook asks for `owner`. It may lie outside the pools.
    ///
    /// # Errors
    /// It is in use, held for another packet, or reserved for somebody: the text says which. Nothing is changed.
    pub fn move_to(
        &mut self,
        cfg: &Server<F>,
        resource: F::Resource,
        owner: &F::Owner,
        now: u64,
    ) -> Result<(), &'static str> {
        if resource == self.resource {
            return Ok(());
        }
        if F::kind_of(&resource) != F::kind_of(&self.resource) {
            return Err("an address does not become a prefix, nor a prefix an address");
        }
        let leases = self.allocator.store().lock();
        let mut pools = self.allocator.pools();
        let previous = leases.get(&resource);
        let mine = previous
            .is_some_and(|lease| lease.owner == *owner && lease.state == LeaseState::Default);
        let in_use = previous.is_some_and(|lease| is_in_use(lease) && !lease.is_expired(now));
        if in_use && !mine {
            return Err("it is in use or was declined");
        }
        if pools.hold(&resource).is_some() {
            return Err("it is being given to another client");
        }
        let in_subnet = cfg
            .subnets
            .get(self.subnet)
            .is_some_and(|s| s.reservations.by_resource(&resource).is_some());
        if in_subnet || cfg.reservations.by_resource(&resource).is_some() {
            return Err("it is reserved");
        }
        pools.release(
            &self.resource,
            leases
                .get(&self.resource)
                .is_none_or(|lease| !is_in_use(lease)),
        );
        pools.claim(resource);
        self.origin = match previous {
            Some(_) if in_use => Origin::Held,
            Some(lease) if is_in_use(lease) => Origin::Expired,
            _ => Origin::Free,
        };
        self.previous = previous.cloned();
        self.resource = resource;
        Ok(())
    }
}

impl<F: Ranged> Drop for Claim<F> {
    fn drop(&mut self) {
        let leases = self.allocator.store().lock();
        let in_use = leases.get(&self.resource).is_some_and(is_in_use);
        self.allocator.pools().release(&self.resource, !in_use);
    }
}

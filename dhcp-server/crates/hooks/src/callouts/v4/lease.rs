//! Leases: chosen, extended, given back, expired.

use crate::callout::{Callout, Effect, Refused};
use crate::callouts::{change4, encoded, if_read, lease, packet4};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_store::Lease;
use outrigger_wire::{Query4, V4};
use std::net::Ipv4Addr;

/// An address that the client does not hold yet is about to be offered or leased. SKIP: this one is given up.
pub struct Lease4Select<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// Subnet of the address.
    pub subnet_id: u32,
    /// The lease is only offered, nothing is written.
    pub fake_allocation: bool,
    /// Seconds; more than 0: an offer is written with this lifetime.
    pub offer_lifetime: u32,
    /// The plan; a callout may choose another address.
    pub lease: &'a mut Lease<V4>,
    /// Whether the packet may have this address instead, and claims it. Asked last: nothing can fail after it.
    pub claim: &'a mut dyn FnMut(Ipv4Addr) -> Result<(), &'static str>,
}

impl Callout for Lease4Select<'_> {
    const POINT: HookPoint = HookPoint::Lease4Select;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease4Select(v1::Lease4SelectArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            subnet_id: if_read(reads.subnet, self.subnet_id),
            fake_allocation: reads.fake_allocation && self.fake_allocation,
            offer_lifetime: if_read(reads.offer_lifetime, self.offer_lifetime),
            lease: reads.lease.then(|| lease::lease4(self.lease)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wanted) = &changes.lease {
            let mut changed = lease::changed4(self.lease, wanted)?;
            if let Some(address) = lease::chosen4(self.lease, wanted)? {
                (self.claim)(address)
                    .map_err(|why| Refused::new("lease.address", format!("{address} {why}")))?;
                changed.resource = address;
            }
            *self.lease = changed;
        }
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// The client gets a lease that it already holds. SKIP: the lease is not extended.
pub struct Lease4Renew<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// Subnet of the lease.
    pub subnet_id: u32,
    /// As it will be.
    pub lease: &'a mut Lease<V4>,
}

impl Callout for Lease4Renew<'_> {
    const POINT: HookPoint = HookPoint::Lease4Renew;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = lease_arguments(self.query, self.subnet_id, self.lease, reads);
        encoded(Point::Lease4Renew(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wanted) = &changes.lease {
            *self.lease = lease::changed4(self.lease, wanted)?;
        }
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// The client gives back a lease that it holds. SKIP, as DROP: the lease stays.
pub struct Lease4Release<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// Subnet of the lease.
    pub subnet_id: u32,
    /// As it is.
    pub lease: &'a Lease<V4>,
}

impl Callout for Lease4Release<'_> {
    const POINT: HookPoint = HookPoint::Lease4Release;
    const DROP: Effect = Effect::Skip;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = lease_arguments(self.query, self.subnet_id, self.lease, reads);
        encoded(Point::Lease4Release(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// The client found its address in use by somebody else. SKIP, as DROP: the lease stays as it is.
pub struct Lease4Decline<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// Subnet of the lease.
    pub subnet_id: u32,
    /// As it is: it still names the client.
    pub lease: &'a Lease<V4>,
}

impl Callout for Lease4Decline<'_> {
    const POINT: HookPoint = HookPoint::Lease4Decline;
    const DROP: Effect = Effect::Skip;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = lease_arguments(self.query, self.subnet_id, self.lease, reads);
        encoded(Point::Lease4Decline(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// A held offer turned out to be in use; its address is declined.
pub struct Lease4ServerDecline<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// Declined; it names no client any more.
    pub lease: &'a Lease<V4>,
}

impl Callout for Lease4ServerDecline<'_> {
    const POINT: HookPoint = HookPoint::Lease4ServerDecline;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = lease_arguments(self.query, self.lease.subnet_id, self.lease, reads);
        encoded(Point::Lease4ServerDecline(arguments))
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        // The table lists no change here, so there is none to apply.
        Ok(())
    }
}

fn lease_arguments(
    query: &Query4,
    subnet_id: u32,
    lease: &Lease<V4>,
    reads: &Reads,
) -> v1::Lease4Arguments {
    v1::Lease4Arguments {
        query: Some(packet4::query(query, &reads.query)),
        subnet_id: if_read(reads.subnet, subnet_id),
        lease: reads.lease.then(|| lease::lease4(lease)),
    }
}

/// A lease has expired. SKIP: it is not reclaimed now.
pub struct Lease4Expire<'a> {
    /// The expired lease.
    pub lease: &'a mut Lease<V4>,
    /// It is to be removed, not kept as reclaimed.
    pub remove_lease: bool,
}

impl Callout for Lease4Expire<'_> {
    const POINT: HookPoint = HookPoint::Lease4Expire;

    fn label(&self) -> String {
        self.lease.resource.to_string()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease4Expire(v1::ExpiredLeaseArguments {
            lease: reads.lease.then(|| lease::lease4(self.lease)),
            remove_lease: reads.remove_lease && self.remove_lease,
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wanted) = &changes.lease {
            *self.lease = lease::changed4(self.lease, wanted)?;
        }
        Ok(())
    }
}

/// An expired lease was declined: its address comes back into use. SKIP: it stays declined.
pub struct Lease4Recover<'a> {
    /// The declined lease.
    pub lease: &'a Lease<V4>,
}

impl Callout for Lease4Recover<'_> {
    const POINT: HookPoint = HookPoint::Lease4Recover;

    fn label(&self) -> String {
        self.lease.resource.to_string()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease4Recover(v1::ExpiredLeaseArguments {
            lease: reads.lease.then(|| lease::lease4(self.lease)),
            remove_lease: false,
        }))
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        // The table lists no change here, so there is none to apply.
        Ok(())
    }
}

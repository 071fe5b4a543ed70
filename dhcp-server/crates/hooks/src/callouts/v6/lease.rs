//! Leases: chosen, extended, given back, expired.

use crate::callout::{Callout, Effect, Refused};
use crate::callouts::{change6, encoded, if_read, lease, packet6};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_store::Lease;
use outrigger_wire::family::Resource6;
use outrigger_wire::options::Options;
use outrigger_wire::{Query6, V6};

/// An address or prefix that the client does not hold yet is about to be advertised or leased. SKIP: this one is given
/// up.
pub struct Lease6Select<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// Subnet of the address or prefix.
    pub subnet_id: u32,
    /// The lease is only advertised, nothing is written.
    pub fake_allocation: bool,
    /// The plan; a callout may choose another address or prefix of the same length.
    pub lease: &'a mut Lease<V6>,
    /// Whether the packet may have this one instead, and claims it. Asked last: nothing can fail after it.
    pub claim: &'a mut dyn FnMut(Resource6) -> Result<(), &'static str>,
}

impl Callout for Lease6Select<'_> {
    const POINT: HookPoint = HookPoint::Lease6Select;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Select(v1::Lease6SelectArguments {
            query: Some(packet6::query(self.query, &reads.query)),
            subnet_id: if_read(reads.subnet, self.subnet_id),
            fake_allocation: reads.fake_allocation && self.fake_allocation,
            lease: reads.lease.then(|| lease::lease6(self.lease)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wanted) = &changes.lease {
            let mut changed = lease::changed6(self.lease, wanted)?;
            if let Some(resource) = lease::chosen6(self.lease, wanted)? {
                (self.claim)(resource)
                    .map_err(|why| Refused::new("lease.address", format!("{resource} {why}")))?;
                changed.resource = resource;
            }
            *self.lease = changed;
        }
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

/// A RENEW extends a lease. SKIP: the lease is not extended.
pub struct Lease6Renew<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// As it will be.
    pub lease: &'a mut Lease<V6>,
    /// For the IA of the reply, beside what the server writes into it.
    pub ia_options: &'a mut Options,
}

impl Callout for Lease6Renew<'_> {
    const POINT: HookPoint = HookPoint::Lease6Renew;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Renew(lease_arguments(
            self.query, self.lease, reads,
        )))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        extend(self.query, self.lease, self.ia_options, &changes)
    }
}

/// A REBIND extends a lease. SKIP: the lease is not extended.
pub struct Lease6Rebind<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// As it will be.
    pub lease: &'a mut Lease<V6>,
    /// For the IA of the reply, beside what the server writes into it.
    pub ia_options: &'a mut Options,
}

impl Callout for Lease6Rebind<'_> {
    const POINT: HookPoint = HookPoint::Lease6Rebind;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Rebind(lease_arguments(
            self.query, self.lease, reads,
        )))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        extend(self.query, self.lease, self.ia_options, &changes)
    }
}

/// The client gives back a lease that it holds. SKIP, as DROP: the lease stays, the client is told UnspecFail.
pub struct Lease6Release<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// As it is.
    pub lease: &'a Lease<V6>,
}

impl Callout for Lease6Release<'_> {
    const POINT: HookPoint = HookPoint::Lease6Release;
    const DROP: Effect = Effect::Skip;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Release(lease_arguments(
            self.query, self.lease, reads,
        )))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

/// The client found its address in use by somebody else. SKIP: the lease stays as it is. DROP: no reply.
pub struct Lease6Decline<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// As it is: it still names the client.
    pub lease: &'a Lease<V6>,
}

impl Callout for Lease6Decline<'_> {
    const POINT: HookPoint = HookPoint::Lease6Decline;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Decline(lease_arguments(
            self.query, self.lease, reads,
        )))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

fn lease_arguments(query: &Query6, lease: &Lease<V6>, reads: &Reads) -> v1::Lease6Arguments {
    v1::Lease6Arguments {
        query: Some(packet6::query(query, &reads.query)),
        lease: reads.lease.then(|| lease::lease6(lease)),
    }
}

fn extend(
    query: &mut Query6,
    lease: &mut Lease<V6>,
    ia_options: &mut Options,
    changes: &v1::Changes,
) -> Result<(), Refused> {
    let options = change6::ia_options(ia_options, &changes.ia_options)?;
    if let Some(wanted) = &changes.lease {
        *lease = lease::changed6(lease, wanted)?;
    }
    if let Some(options) = options {
        *ia_options = options;
    }
    change6::join(query, changes.query6.as_ref());
    Ok(())
}

/// A lease has expired. SKIP: it is not reclaimed now.
pub struct Lease6Expire<'a> {
    /// The expired lease.
    pub lease: &'a mut Lease<V6>,
    /// It is to be removed, not kept as reclaimed.
    pub remove_lease: bool,
}

impl Callout for Lease6Expire<'_> {
    const POINT: HookPoint = HookPoint::Lease6Expire;

    fn label(&self) -> String {
        self.lease.resource.to_string()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Expire(v1::ExpiredLeaseArguments {
            lease: reads.lease.then(|| lease::lease6(self.lease)),
            remove_lease: reads.remove_lease && self.remove_lease,
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wanted) = &changes.lease {
            *self.lease = lease::changed6(self.lease, wanted)?;
        }
        Ok(())
    }
}

/// An expired lease was declined: its address comes back into use. SKIP: it stays declined.
pub struct Lease6Recover<'a> {
    /// The declined lease.
    pub lease: &'a Lease<V6>,
}

impl Callout for Lease6Recover<'_> {
    const POINT: HookPoint = HookPoint::Lease6Recover;

    fn label(&self) -> String {
        self.lease.resource.to_string()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Lease6Recover(v1::ExpiredLeaseArguments {
            lease: reads.lease.then(|| lease::lease6(self.lease)),
            remove_lease: false,
        }))
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        // The table lists no change here, so there is none to apply.
        Ok(())
    }
}

//! The hook points of DHCPv6, in the order a packet meets them.

use super::{encoded, lease, packet6};
use crate::callout::{Callout, Effect, Refused};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_store::Lease;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::family::Resource6;
use outrigger_wire::v6::Reply6;
use outrigger_wire::{Classes, Datagram, Outgoing, Query6, V6};

/// A datagram has arrived and is not parsed yet, relay layers neither.
pub struct Buffer6Receive<'a> {
    /// As it came; a callout may replace its bytes.
    pub datagram: &'a mut Datagram,
    /// Of the packet that it will be.
    pub classes: &'a mut Classes,
}

impl Callout for Buffer6Receive<'_> {
    const POINT: HookPoint = HookPoint::Buffer6Receive;

    fn label(&self) -> String {
        packet6::label_of_bytes(&self.datagram.bytes)
    }

    fn encode(&self, _reads: &Reads) -> Bytes {
        encoded(Point::Buffer6Receive(v1::Query6Arguments {
            query: Some(packet6::datagram(self.datagram)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let changes = changes.query6.unwrap_or_default();
        if let Some(wire) = &changes.wire {
            self.datagram.bytes = super::datagram_bytes("query.wire", wire)?;
        }
        packet6::join_classes(self.classes, Some(&changes));
        Ok(())
    }
}

/// The packet is parsed and addressed to this server. SKIP drops it, as DROP does.
pub struct Pkt6Receive<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
}

impl Callout for Pkt6Receive<'_> {
    const POINT: HookPoint = HookPoint::Pkt6Receive;
    const SKIP: Effect = Effect::Abandon;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Pkt6Receive(v1::Query6Arguments {
            query: Some(packet6::query(self.query, &reads.query)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let changes = changes.query6.unwrap_or_default();
        if let Some(changed) = packet6::prepare("query", &self.query.packet.options, &changes)? {
            self.query.packet.options = changed;
        }
        packet6::join_classes(&mut self.query.classes, Some(&changes));
        Ok(())
    }
}

/// The server has selected a subnet, or none. SKIP: the client has none, whatever `subnet_id` says.
pub struct Subnet6Select<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// What the server selected.
    pub subnet_id: &'a mut Option<u32>,
    /// Every subnet of the configuration, in ascending id.
    pub subnet_ids: &'a [u32],
}

impl Callout for Subnet6Select<'_> {
    const POINT: HookPoint = HookPoint::Subnet6Select;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Subnet6Select(v1::Subnet6SelectArguments {
            query: Some(packet6::query(self.query, &reads.query)),
            subnet_id: super::if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
            subnet_ids: super::if_read(reads.subnets, self.subnet_ids.to_vec()),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(id) = changes.subnet_id {
            *self.subnet_id = super::known_subnet(id, self.subnet_ids)?;
        }
        packet6::join_classes(&mut self.query.classes, changes.query6.as_ref());
        Ok(())
    }
}

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
            subnet_id: super::if_read(reads.subnet, self.subnet_id),
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
        packet6::join_classes(&mut self.query.classes, changes.query6.as_ref());
        Ok(())
    }
}

/// A RENEW extends a lease. SKIP: the lease is not extended.
pub struct Lease6Renew<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// As it will be.
    pub lease: &'a mut Lease<V6>,
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
        extend(self.query, self.lease, &changes)
    }
}

/// A REBIND extends a lease. SKIP: the lease is not extended.
pub struct Lease6Rebind<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// As it will be.
    pub lease: &'a mut Lease<V6>,
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
        extend(self.query, self.lease, &changes)
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
        packet6::join_classes(&mut self.query.classes, changes.query6.as_ref());
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
        packet6::join_classes(&mut self.query.classes, changes.query6.as_ref());
        Ok(())
    }
}

fn lease_arguments(query: &Query6, lease: &Lease<V6>, reads: &Reads) -> v1::Lease6Arguments {
    v1::Lease6Arguments {
        query: Some(packet6::query(query, &reads.query)),
        lease: reads.lease.then(|| lease::lease6(lease)),
    }
}

fn extend(query: &mut Query6, lease: &mut Lease<V6>, changes: &v1::Changes) -> Result<(), Refused> {
    if let Some(wanted) = &changes.lease {
        *lease = lease::changed6(lease, wanted)?;
    }
    packet6::join_classes(&mut query.classes, changes.query6.as_ref());
    Ok(())
}

/// The database is changed and the reply is complete.
pub struct Leases6Committed<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// The REPLY.
    pub response: Option<&'a mut Reply6>,
    /// Leases written.
    pub leases: &'a [Lease<V6>],
    /// Leases ended.
    pub deleted: &'a [Lease<V6>],
}

impl Callout for Leases6Committed<'_> {
    const POINT: HookPoint = HookPoint::Leases6Committed;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let all = |wanted: bool, leases: &[Lease<V6>]| {
            let leases = leases.iter().filter(|_| wanted);
            leases.map(lease::lease6).collect()
        };
        let response = self.response.as_deref();
        encoded(Point::Leases6Committed(v1::Leases6CommittedArguments {
            query: Some(packet6::query(self.query, &reads.query)),
            response: response.map(|response| packet6::response(response, &reads.response)),
            leases: all(reads.leases, self.leases),
            deleted_leases: all(reads.deleted_leases, self.deleted),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        match (self.response.as_deref_mut(), &changes.response6) {
            (Some(response), wanted) => packet6::change_response(response, wanted.as_ref())?,
            (None, Some(_)) => return Err(Refused::new("response", "there is no reply to change")),
            (None, None) => {}
        }
        packet6::join_classes(&mut self.query.classes, changes.query6.as_ref());
        Ok(())
    }
}

/// A reply is complete and not packed yet. SKIP: it is not packed, `packed` is sent.
pub struct Pkt6Send<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// The reply.
    pub response: &'a mut Reply6,
    /// The client's subnet.
    pub subnet_id: Option<u32>,
    /// What to send after SKIP; stays `None` where the service gave no bytes.
    pub packed: &'a mut Option<Buffer>,
}

impl Callout for Pkt6Send<'_> {
    const POINT: HookPoint = HookPoint::Pkt6Send;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Pkt6Send(v1::Response6Arguments {
            query: Some(packet6::query(self.query, &reads.query)),
            response: Some(packet6::response(self.response, &reads.response)),
            subnet_id: super::if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let changes = changes.response6.unwrap_or_default();
        let packed = changes.wire.as_ref();
        let packed = packed
            .map(|wire| super::datagram_bytes("response.wire", wire))
            .transpose()?;
        packet6::change_response(self.response, Some(&changes))?;
        if packed.is_some() {
            *self.packed = packed;
        }
        Ok(())
    }
}

/// A reply is packed, relay layers around it. SKIP, as DROP: it is not sent.
pub struct Buffer6Send<'a> {
    /// What will be sent.
    pub outgoing: &'a mut Outgoing,
}

impl Callout for Buffer6Send<'_> {
    const POINT: HookPoint = HookPoint::Buffer6Send;
    const SKIP: Effect = Effect::Abandon;

    fn label(&self) -> String {
        packet6::label_of_bytes(&self.outgoing.bytes)
    }

    fn encode(&self, _reads: &Reads) -> Bytes {
        encoded(Point::Buffer6Send(v1::Response6Arguments {
            query: None,
            response: Some(packet6::outgoing(self.outgoing)),
            subnet_id: 0,
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wire) = changes.response6.and_then(|response| response.wire) {
            self.outgoing.bytes = super::datagram_bytes("response.wire", &wire)?;
        }
        Ok(())
    }
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

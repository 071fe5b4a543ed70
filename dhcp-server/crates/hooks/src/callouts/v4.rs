//! The hook points of DHCPv4, in the order a packet meets them.

use super::{encoded, lease, packet4};
use crate::callout::{Callout, Effect, Refused};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_store::Lease;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::v4::Reply4;
use outrigger_wire::{Classes, Datagram, Outgoing, Query4, V4};
use std::net::Ipv4Addr;

/// A datagram has arrived and is not parsed yet.
pub struct Buffer4Receive<'a> {
    /// As it came; a callout may replace its bytes.
    pub datagram: &'a mut Datagram,
    /// Of the packet that it will be.
    pub classes: &'a mut Classes,
}

impl Callout for Buffer4Receive<'_> {
    const POINT: HookPoint = HookPoint::Buffer4Receive;

    fn label(&self) -> String {
        packet4::label_of_bytes(&self.datagram.bytes)
    }

    fn encode(&self, _reads: &Reads) -> Bytes {
        encoded(Point::Buffer4Receive(v1::Query4Arguments {
            query: Some(packet4::datagram(self.datagram)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let changes = changes.query4.unwrap_or_default();
        if let Some(wire) = &changes.wire {
            self.datagram.bytes = super::datagram_bytes("query.wire", wire)?;
        }
        packet4::join_classes(self.classes, Some(&changes));
        Ok(())
    }
}

/// The packet is parsed and addressed to this server. SKIP drops it, as DROP does.
pub struct Pkt4Receive<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
}

impl Callout for Pkt4Receive<'_> {
    const POINT: HookPoint = HookPoint::Pkt4Receive;
    const SKIP: Effect = Effect::Abandon;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Pkt4Receive(v1::Query4Arguments {
            query: Some(packet4::query(self.query, &reads.query)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let changes = changes.query4.unwrap_or_default();
        let prepared = packet4::prepare_query(self.query, &changes)?;
        packet4::change_query(self.query, prepared, &changes);
        Ok(())
    }
}

/// The server has selected a subnet, or none. SKIP: the client has none, whatever `subnet_id` says.
pub struct Subnet4Select<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// What the server selected.
    pub subnet_id: &'a mut Option<u32>,
    /// Every subnet of the configuration, in ascending id.
    pub subnet_ids: &'a [u32],
}

impl Callout for Subnet4Select<'_> {
    const POINT: HookPoint = HookPoint::Subnet4Select;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Subnet4Select(v1::Subnet4SelectArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            subnet_id: super::if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
            subnet_ids: super::if_read(reads.subnets, self.subnet_ids.to_vec()),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(id) = changes.subnet_id {
            *self.subnet_id = super::known_subnet(id, self.subnet_ids)?;
        }
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
        Ok(())
    }
}

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
            subnet_id: super::if_read(reads.subnet, self.subnet_id),
            fake_allocation: reads.fake_allocation && self.fake_allocation,
            offer_lifetime: super::if_read(reads.offer_lifetime, self.offer_lifetime),
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
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
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
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
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
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
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
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
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
        subnet_id: super::if_read(reads.subnet, subnet_id),
        lease: reads.lease.then(|| lease::lease4(lease)),
    }
}

/// An OFFER is complete.
pub struct Lease4Offer<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// The OFFER.
    pub response: &'a mut Reply4,
    /// What is offered; none where the address was reused from cache.
    pub lease: Option<&'a Lease<V4>>,
    /// Seconds; more than 0: the offer is written.
    pub offer_lifetime: u32,
    /// The client's previous lease.
    pub old_lease: Option<&'a Lease<V4>>,
}

impl Callout for Lease4Offer<'_> {
    const POINT: HookPoint = HookPoint::Lease4Offer;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let leases = self.lease.filter(|_| reads.leases);
        let old_lease = self.old_lease.filter(|_| reads.old_lease);
        encoded(Point::Lease4Offer(v1::Lease4OfferArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            response: Some(packet4::response(self.response, &reads.response)),
            leases: leases.map(lease::lease4).into_iter().collect(),
            offer_lifetime: super::if_read(reads.offer_lifetime, self.offer_lifetime),
            old_lease: old_lease.map(lease::lease4),
            host: None,
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if changes.offer_address_in_use.is_some() {
            return Err(Refused::new(
                "offer-address-in-use",
                "only a final reply after PARK may say so",
            ));
        }
        let prepared = packet4::prepare_response(self.response, changes.response4.as_ref())?;
        packet4::change_response(self.response, prepared);
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
        Ok(())
    }
}

/// The database is changed and the reply, if there is one, is complete.
pub struct Leases4Committed<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// ACK or NAK; none for RELEASE and DECLINE.
    pub response: Option<&'a mut Reply4>,
    /// Leases written.
    pub leases: &'a [Lease<V4>],
    /// Leases ended.
    pub deleted: &'a [Lease<V4>],
}

impl Callout for Leases4Committed<'_> {
    const POINT: HookPoint = HookPoint::Leases4Committed;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let all = |wanted: bool, leases: &[Lease<V4>]| {
            let leases = leases.iter().filter(|_| wanted);
            leases.map(lease::lease4).collect()
        };
        let response = self.response.as_deref();
        encoded(Point::Leases4Committed(v1::Leases4CommittedArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            response: response.map(|response| packet4::response(response, &reads.response)),
            leases: all(reads.leases, self.leases),
            deleted_leases: all(reads.deleted_leases, self.deleted),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        match (self.response.as_deref_mut(), &changes.response4) {
            (Some(response), wanted) => {
                let prepared = packet4::prepare_response(response, wanted.as_ref())?;
                packet4::change_response(response, prepared);
            }
            (None, Some(_)) => return Err(Refused::new("response", "there is no reply to change")),
            (None, None) => {}
        }
        packet4::join_classes(&mut self.query.classes, changes.query4.as_ref());
        Ok(())
    }
}

/// A reply is complete and not packed yet. SKIP: it is not packed, `packed` is sent.
pub struct Pkt4Send<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// The reply.
    pub response: &'a mut Reply4,
    /// The client's subnet.
    pub subnet_id: Option<u32>,
    /// What to send after SKIP; stays `None` where the service gave no bytes.
    pub packed: &'a mut Option<Buffer>,
}

impl Callout for Pkt4Send<'_> {
    const POINT: HookPoint = HookPoint::Pkt4Send;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        encoded(Point::Pkt4Send(v1::Response4Arguments {
            query: Some(packet4::query(self.query, &reads.query)),
            response: Some(packet4::response(self.response, &reads.response)),
            subnet_id: super::if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let changes = changes.response4.unwrap_or_default();
        let packed = changes.wire.as_ref();
        let packed = packed
            .map(|wire| super::datagram_bytes("response.wire", wire))
            .transpose()?;
        let prepared = packet4::prepare_response(self.response, Some(&changes))?;
        packet4::change_response(self.response, prepared);
        if packed.is_some() {
            *self.packed = packed;
        }
        Ok(())
    }
}

/// A reply is packed. SKIP, as DROP: it is not sent.
pub struct Buffer4Send<'a> {
    /// What will be sent.
    pub outgoing: &'a mut Outgoing,
}

impl Callout for Buffer4Send<'_> {
    const POINT: HookPoint = HookPoint::Buffer4Send;
    const SKIP: Effect = Effect::Abandon;

    fn label(&self) -> String {
        packet4::label_of_bytes(&self.outgoing.bytes)
    }

    fn encode(&self, _reads: &Reads) -> Bytes {
        encoded(Point::Buffer4Send(v1::Response4Arguments {
            query: None,
            response: Some(packet4::outgoing(self.outgoing)),
            subnet_id: 0,
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(wire) = changes.response4.and_then(|response| response.wire) {
            self.outgoing.bytes = super::datagram_bytes("response.wire", &wire)?;
        }
        Ok(())
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

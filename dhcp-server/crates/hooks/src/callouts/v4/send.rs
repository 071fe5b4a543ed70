//! Replies: complete, packed, about to be sent.

use crate::callout::{Callout, Effect, Refused};
use crate::callouts::link::LinkOverride;
use crate::callouts::{change4, datagram_bytes, encoded, host, identity, if_read, lease, packet4};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_config::model::Host;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{Family, HookPoint, v1};
use outrigger_store::Lease;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::v4::Reply4;
use outrigger_wire::{Outgoing, Query4, V4};

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
    /// What is reserved for the client.
    pub host: Option<&'a Host<V4>>,
    /// Subnet of the reservation; 0 where it is global.
    pub host_subnet_id: u32,
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
    /// Set by a final reply after PARK: somebody uses the address already.
    pub address_in_use: &'a mut bool,
}

impl Callout for Lease4Offer<'_> {
    const POINT: HookPoint = HookPoint::Lease4Offer;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let leases = self.lease.filter(|_| reads.leases);
        let old_lease = self.old_lease.filter(|_| reads.old_lease);
        let host = self.host.filter(|_| reads.host);
        encoded(Point::Lease4Offer(v1::Lease4OfferArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            response: Some(packet4::response(self.response, &reads.response)),
            leases: leases.map(lease::lease4).into_iter().collect(),
            offer_lifetime: if_read(reads.offer_lifetime, self.offer_lifetime),
            old_lease: old_lease.map(lease::lease4),
            host: host.map(|host| host::host(host, self.host_subnet_id)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let wanted = changes.response4.as_ref();
        let prepared = change4::prepare_response(self.response, wanted)?;
        let link = changed_link(self.link, wanted)?;
        change4::change_response(self.response, prepared);
        if let Some(link) = link {
            *self.link = link;
        }
        if let Some(in_use) = changes.offer_address_in_use {
            *self.address_in_use = in_use;
        }
        change4::join(self.query, changes.query4.as_ref());
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
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
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
        match (self.response.as_deref_mut(), changes.response4.as_ref()) {
            (Some(response), wanted) => {
                let prepared = change4::prepare_response(response, wanted)?;
                if let Some(link) = changed_link(self.link, wanted)? {
                    *self.link = link;
                }
                change4::change_response(response, prepared);
            }
            (None, Some(_)) => return Err(Refused::new("response", "there is no reply to change")),
            (None, None) => {}
        }
        change4::join(self.query, changes.query4.as_ref());
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
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
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
            subnet_id: if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let wanted = changes.response4.as_ref();
        let packed = wanted.and_then(|wanted| wanted.wire.as_ref());
        let packed = packed.map(|wire| {
            identity::Identity4::of_reply(self.response).keep("response.wire", wire)?;
            datagram_bytes("response.wire", wire)
        });
        let packed = packed.transpose()?;
        let prepared = change4::prepare_response(self.response, wanted)?;
        if let Some(link) = changed_link(self.link, wanted)? {
            *self.link = link;
        }
        change4::change_response(self.response, prepared);
        if packed.is_some() {
            *self.packed = packed;
        }
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// A reply is packed. SKIP, as DROP: it is not sent.
pub struct Buffer4Send<'a> {
    /// What will be sent; what services want of its way is applied to it.
    pub outgoing: &'a mut Outgoing,
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
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
        let Some(wanted) = &changes.response4 else {
            return Ok(());
        };
        let own = &self.outgoing.bytes;
        let bytes = wanted.wire.as_ref().map(|wire| {
            identity::Identity4::of_bytes(own).keep("response.wire", wire)?;
            datagram_bytes("response.wire", wire)
        });
        let bytes = bytes.transpose()?;
        if let Some(link) = changed_link(self.link, Some(wanted))? {
            link.apply_to_outgoing(self.outgoing);
            *self.link = link;
        }
        if let Some(bytes) = bytes {
            self.outgoing.bytes = bytes;
        }
        Ok(())
    }
}

fn changed_link(
    link: &LinkOverride,
    wanted: Option<&v1::Packet4Changes>,
) -> Result<Option<LinkOverride>, Refused> {
    link.changed(Family::V4, wanted.and_then(|wanted| wanted.link.as_ref()))
}

//! Replies: complete, packed, about to be sent; and the address that a client registers.

use crate::callout::{Callout, Effect, Refused};
use crate::callouts::link::LinkOverride;
use crate::callouts::{change6, datagram_bytes, encoded, identity, if_read, lease, packet6};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{Family, HookPoint, v1};
use outrigger_store::Lease;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::v6::Reply6;
use outrigger_wire::{Outgoing, Query6, V6};
use std::net::Ipv6Addr;

/// A client registers an address that it made itself (RFC 9686). SKIP: nothing is registered. DROP: no reply either.
pub struct Addr6Register<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// The ADDR-REG-REPLY.
    pub response: &'a mut Reply6,
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
    /// The address.
    pub address: Ipv6Addr,
    /// The registration that there was before.
    pub old_lease: Option<&'a Lease<V6>>,
    /// As it is about to be written.
    pub new_lease: &'a mut Lease<V6>,
}

impl Callout for Addr6Register<'_> {
    const POINT: HookPoint = HookPoint::Addr6Register;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let address = Bytes::copy_from_slice(&self.address.octets());
        let old_lease = self.old_lease.filter(|_| reads.old_lease);
        encoded(Point::Addr6Register(v1::Addr6RegisterArguments {
            query: Some(packet6::query(self.query, &reads.query)),
            response: Some(packet6::response(self.response, &reads.response)),
            address: if_read(reads.address, address),
            old_lease: old_lease.map(lease::lease6),
            new_lease: reads.new_lease.then(|| lease::lease6(self.new_lease)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let wanted = changes.response6.as_ref();
        let lease = changes.lease.as_ref();
        let lease = lease.map(|wanted| lease::changed6(self.new_lease, wanted));
        let lease = lease.transpose()?;
        let prepared = change6::prepare_response(self.response, wanted)?;
        if let Some(link) = changed_link(self.link, wanted)? {
            *self.link = link;
        }
        if let Some(lease) = lease {
            *self.new_lease = lease;
        }
        change6::change_response(self.response, prepared);
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
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
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
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
        match (self.response.as_deref_mut(), changes.response6.as_ref()) {
            (Some(response), wanted) => {
                let prepared = change6::prepare_response(response, wanted)?;
                if let Some(link) = changed_link(self.link, wanted)? {
                    *self.link = link;
                }
                change6::change_response(response, prepared);
            }
            (None, Some(_)) => return Err(Refused::new("response", "there is no reply to change")),
            (None, None) => {}
        }
        change6::join(self.query, changes.query6.as_ref());
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
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
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
            subnet_id: if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let wanted = changes.response6.as_ref();
        let packed = wanted.and_then(|wanted| wanted.wire.as_ref());
        let packed = packed.map(|wire| {
            identity::Identity6::of_reply(self.response).keep("response.wire", wire)?;
            datagram_bytes("response.wire", wire)
        });
        let packed = packed.transpose()?;
        let prepared = change6::prepare_response(self.response, wanted)?;
        if let Some(link) = changed_link(self.link, wanted)? {
            *self.link = link;
        }
        change6::change_response(self.response, prepared);
        if packed.is_some() {
            *self.packed = packed;
        }
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

/// A reply is packed, relay layers around it. SKIP, as DROP: it is not sent.
pub struct Buffer6Send<'a> {
    /// What will be sent; what services want of its way is applied to it.
    pub outgoing: &'a mut Outgoing,
    /// Where services want the reply to go instead.
    pub link: &'a mut LinkOverride,
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
        let Some(wanted) = &changes.response6 else {
            return Ok(());
        };
        let own = &self.outgoing.bytes;
        let bytes = wanted.wire.as_ref().map(|wire| {
            identity::Identity6::of_bytes(own).keep("response.wire", wire)?;
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
    wanted: Option<&v1::Packet6Changes>,
) -> Result<Option<LinkOverride>, Refused> {
    link.changed(Family::V6, wanted.and_then(|wanted| wanted.link.as_ref()))
}

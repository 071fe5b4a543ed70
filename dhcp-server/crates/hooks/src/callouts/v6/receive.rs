//! Queries: received, parsed, located, named.

use crate::callout::{Callout, Effect, Refused};
use crate::callouts::{
    FlexIdentifier, Names, change6, common::join, datagram_bytes, encoded, host, identity, if_read,
    known_subnet, packet6, parsed6,
};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_wire::v6::{Packet6, Reply6};
use outrigger_wire::{Classes, Datagram, Query6};

/// A datagram has arrived and is not parsed yet, relay layers neither.
pub struct Buffer6Receive<'a> {
    /// As it came; a callout may replace its bytes.
    pub datagram: &'a mut Datagram,
    /// Of the packet that it will be.
    pub classes: &'a mut Classes,
    /// The same, to be evaluated once the lease is known.
    pub additional_classes: &'a mut Classes,
    /// After SKIP: the packet, which a service parsed; stays `None` where no service did.
    pub parsed: &'a mut Option<Packet6>,
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
        let own = &self.datagram.bytes;
        let wire = changes.wire.as_ref().map(|wire| {
            identity::Identity6::of_bytes(own).keep("query.wire", wire)?;
            datagram_bytes("query.wire", wire)
        });
        let wire = wire.transpose()?;
        let parsed = changes.parsed.as_ref();
        let parsed = parsed.map(|parsed| parsed6::packet(parsed, own));
        if let Some(parsed) = parsed.transpose()? {
            *self.parsed = Some(parsed);
        }
        if let Some(bytes) = wire {
            self.datagram.bytes = bytes;
        }
        join(self.classes, &changes.add_classes);
        join(self.additional_classes, &changes.add_additional_classes);
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
        let prepared = change6::prepare_query(self.query, &changes)?;
        change6::change_query(self.query, prepared, &changes);
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
            subnet_id: if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
            subnet_ids: if_read(reads.subnets, self.subnet_ids.to_vec()),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(id) = changes.subnet_id {
            *self.subnet_id = known_subnet(id, self.subnet_ids)?;
        }
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

/// Identifiers for host reservations are collected, and `flex-id` is among those to look up. SKIP, as DROP and PARK: the
/// identifier is not used.
pub struct Host6Identifier<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// What a service makes of the packet.
    pub identifier: &'a mut FlexIdentifier,
}

impl Callout for Host6Identifier<'_> {
    const POINT: HookPoint = HookPoint::Host6Identifier;
    const DROP: Effect = Effect::Skip;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let kind = host::identifier_type(self.identifier.kind);
        encoded(Point::Host6Identifier(v1::Host6IdentifierArguments {
            query: Some(packet6::query(self.query, &reads.query)),
            identifier_type: if_read(reads.identifier_type, kind.into()),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        *self.identifier = self.identifier.changed(&changes)?;
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

/// The client's name and the directions of DNS updates are decided, before a lease is.
pub struct Ddns6Update<'a> {
    /// The client's packet.
    pub query: &'a mut Query6,
    /// What there is of the reply so far.
    pub response: &'a mut Reply6,
    /// The client's subnet.
    pub subnet_id: Option<u32>,
    /// As decided so far.
    pub names: &'a mut Names,
    /// How names are decided for the client's subnet and pool; `None`: not at all.
    pub parameters: Option<&'a v1::DdnsParameters>,
}

impl Callout for Ddns6Update<'_> {
    const POINT: HookPoint = HookPoint::Ddns6Update;

    fn label(&self) -> String {
        packet6::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let parameters = self.parameters.filter(|_| reads.ddns_parameters);
        encoded(Point::Ddns6Update(v1::Ddns6UpdateArguments {
            query: Some(packet6::query(self.query, &reads.query)),
            response: Some(packet6::response(self.response, &reads.response)),
            subnet_id: if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
            hostname: if_read(reads.names, self.names.hostname.clone()),
            fwd_update: reads.names && self.names.fwd_update,
            rev_update: reads.names && self.names.rev_update,
            ddns_parameters: parameters.cloned(),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let wanted = changes.response6.as_ref();
        let prepared = change6::prepare_response(self.response, wanted)?;
        change6::change_response(self.response, prepared);
        self.names.change(changes.names);
        change6::join(self.query, changes.query6.as_ref());
        Ok(())
    }
}

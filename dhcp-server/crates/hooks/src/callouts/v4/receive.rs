//! Queries: received, parsed, located, named.

use crate::callout::{Callout, Effect, Refused};
use crate::callouts::{
    FlexIdentifier, Names, change4, common::join, datagram_bytes, encoded, host, identity, if_read,
    known_subnet, packet4, parsed4,
};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_wire::v4::{Packet4, Reply4};
use outrigger_wire::{Classes, Datagram, Query4};

/// A datagram has arrived and is not parsed yet.
pub struct Buffer4Receive<'a> {
    /// As it came; a callout may replace its bytes.
    pub datagram: &'a mut Datagram,
    /// Of the packet that it will be.
    pub classes: &'a mut Classes,
    /// The same, to be evaluated once the lease is known.
    pub additional_classes: &'a mut Classes,
    /// After SKIP: the packet, which a service parsed; stays `None` where no service did.
    pub parsed: &'a mut Option<Packet4>,
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
        let own = &self.datagram.bytes;
        let wire = changes.wire.as_ref().map(|wire| {
            identity::Identity4::of_bytes(own).keep("query.wire", wire)?;
            datagram_bytes("query.wire", wire)
        });
        let wire = wire.transpose()?;
        let parsed = changes.parsed.as_ref();
        let parsed = parsed.map(|parsed| parsed4::packet(parsed, own));
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
        let prepared = change4::prepare_query(self.query, &changes)?;
        change4::change_query(self.query, prepared, &changes);
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
            subnet_id: if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
            subnet_ids: if_read(reads.subnets, self.subnet_ids.to_vec()),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(id) = changes.subnet_id {
            *self.subnet_id = known_subnet(id, self.subnet_ids)?;
        }
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// Identifiers for host reservations are collected, and `flex-id` is among those to look up. SKIP, as DROP and PARK: the
/// identifier is not used.
pub struct Host4Identifier<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// What a service makes of the packet.
    pub identifier: &'a mut FlexIdentifier,
}

impl Callout for Host4Identifier<'_> {
    const POINT: HookPoint = HookPoint::Host4Identifier;
    const DROP: Effect = Effect::Skip;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let kind = host::identifier_type(self.identifier.kind);
        encoded(Point::Host4Identifier(v1::Host4IdentifierArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            identifier_type: if_read(reads.identifier_type, kind.into()),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        *self.identifier = self.identifier.changed(&changes)?;
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

/// The client's name and the directions of DNS updates are decided, before a lease is.
pub struct Ddns4Update<'a> {
    /// The client's packet.
    pub query: &'a mut Query4,
    /// What there is of the reply so far.
    pub response: &'a mut Reply4,
    /// The client's subnet.
    pub subnet_id: Option<u32>,
    /// As decided so far.
    pub names: &'a mut Names,
    /// How names are decided for the client's subnet and pool; `None`: not at all.
    pub parameters: Option<&'a v1::DdnsParameters>,
}

impl Callout for Ddns4Update<'_> {
    const POINT: HookPoint = HookPoint::Ddns4Update;

    fn label(&self) -> String {
        packet4::label(self.query)
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let parameters = self.parameters.filter(|_| reads.ddns_parameters);
        encoded(Point::Ddns4Update(v1::Ddns4UpdateArguments {
            query: Some(packet4::query(self.query, &reads.query)),
            response: Some(packet4::response(self.response, &reads.response)),
            subnet_id: if_read(reads.subnet, self.subnet_id.unwrap_or(0)),
            hostname: if_read(reads.names, self.names.hostname.clone()),
            fwd_update: reads.names && self.names.fwd_update,
            rev_update: reads.names && self.names.rev_update,
            ddns_parameters: parameters.cloned(),
        }))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        let wanted = changes.response4.as_ref();
        let prepared = change4::prepare_response(self.response, wanted)?;
        change4::change_response(self.response, prepared);
        self.names.change(changes.names);
        change4::join(self.query, changes.query4.as_ref());
        Ok(())
    }
}

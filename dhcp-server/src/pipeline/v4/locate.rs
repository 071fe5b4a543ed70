//! Where a client is, and what is reserved for it.

use crate::pipeline::{index_of, reserved_in};
use outrigger_alloc::Ranged;
use outrigger_config::model::{Host, HostIdentifierType, Server, Subnet};
use outrigger_hooks::callouts::FlexIdentifier;
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::{LeaseOwner, Owner4, OwnerKey4};
use outrigger_wire::v4::MessageType;
use outrigger_wire::{Query4, V4, relay4};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr};

/// A query whose place is known.
#[derive(Debug)]
pub(super) struct Located4<'c> {
    pub(super) cfg: &'c Server<V4>,
    pub(super) query: Query4,
    pub(super) owner: Owner4,
    /// Index into the configuration's subnets.
    pub(super) subnet: Option<usize>,
    /// What callouts identify the client by, at the place of `flex-id`.
    pub(super) identifier: FlexIdentifier,
    /// Callouts were asked for it.
    identified: bool,
    pub(super) host: Option<&'c Host<V4>>,
    /// Subnet of the reservation, 0 where it is global.
    pub(super) host_subnet_id: u32,
    /// This server's address on the link.
    pub(super) own: Ipv4Addr,
    /// Whether callouts have a say in the client's name.
    pub(super) has_name_callouts: bool,
}

impl<'c> Located4<'c> {
    /// A query of whose place nothing is known yet.
    pub(super) fn new(cfg: &'c Server<V4>, query: Query4, own: Ipv4Addr) -> Self {
        let owner = Owner4 {
            hw_address: query.packet.hw_address(),
            client_id: query.packet.client_id(),
        };
        Self {
            cfg,
            query,
            owner,
            subnet: None,
            identifier: FlexIdentifier::default(),
            identified: false,
            host: None,
            host_subnet_id: 0,
            own,
            has_name_callouts: false,
        }
    }

    pub(super) fn message_type(&self) -> Option<MessageType> {
        self.query.packet.message_type
    }

    pub(super) fn is_discover(&self) -> bool {
        self.message_type() == Some(MessageType::Discover)
    }

    pub(super) fn subnet(&self) -> Option<&'c Subnet<V4>> {
        self.cfg.subnets.get(self.subnet?)
    }

    pub(super) fn subnet_id(&self) -> Option<u32> {
        self.subnet().map(|subnet| subnet.id.0)
    }

    /// Whether reservations of the client's subnet, or global ones, count there.
    pub(super) fn uses_reservations(&self) -> bool {
        self.subnet()
            .is_some_and(|subnet| subnet.reservations_in_subnet || subnet.reservations_global)
    }

    /// Whether a flexible identifier is looked up and is to be asked for now, for the first time.
    pub(super) fn begin_identifier(&mut self) -> bool {
        let known = &self.cfg.host_reservation_identifiers;
        let first = !self.identified && known.contains(&HostIdentifierType::FlexId);
        self.identified |= first;
        first
    }

    /// Forgets what was found before a subnet was known: it is to be looked up anew.
    pub(super) fn forget_reservation(&mut self) {
        self.identifier = FlexIdentifier::default();
        self.identified = false;
        self.host = None;
    }

    /// Takes the subnet that a hook point left.
    pub(super) fn select(&mut self, id: Option<u32>) {
        self.subnet = id.and_then(|id| index_of(self.cfg, id));
    }

    fn matches_client_id(&self) -> bool {
        self.subnet()
            .is_none_or(|subnet| subnet.own.match_client_id)
    }

    /// Names to find the client's leases by, best first.
    pub(super) fn keys(&self) -> SmallVec<[OwnerKey4; 2]> {
        let mut keys = self.owner.keys();
        if !self.matches_client_id() && !self.owner.hw_address.is_empty() {
            keys.retain(|key| matches!(key, OwnerKey4::HwAddress(_)));
        }
        keys
    }

    /// Whether the lease is the client's and was not given back, declined or reclaimed.
    pub(super) fn is_own(&self, lease: &Lease<V4>) -> bool {
        lease.state == LeaseState::Default && self.is_mine(&lease.owner)
    }

    /// Kea: client identifiers decide where both have one, hardware addresses else.
    pub(super) fn is_mine(&self, other: &Owner4) -> bool {
        match (&self.owner.client_id, &other.client_id) {
            (Some(mine), Some(theirs)) if self.matches_client_id() => mine == theirs,
            _ => !self.owner.hw_address.is_empty() && self.owner.hw_address == other.hw_address,
        }
    }
}

/// Whether `subnet4_select` is called for the message and reservations are looked up.
pub(super) fn is_selecting(located: &Located4<'_>) -> bool {
    wants_lease(located) || located.message_type() == Some(MessageType::Inform)
}

/// Whether the client wants a lease: DISCOVER and REQUEST.
pub(super) fn wants_lease(located: &Located4<'_>) -> bool {
    let message_type = located.message_type();
    matches!(
        message_type,
        Some(MessageType::Discover | MessageType::Request)
    )
}

/// Selects the subnet, in Kea's order: what a relay or the client names (RFC 3527, RFC 3011), then the relay's address,
/// then the client's, then the interface. Of those that admit the client the lowest id wins.
pub(super) fn subnet(located: &mut Located4<'_>) {
    let Located4 {
        cfg, query, own, ..
    } = located;
    let packet = &query.packet;
    let link_selection = packet.relay_info().and_then(relay4::link_selection);
    let named = link_selection
        .filter(|_| !cfg.own.ignore_rai_link_selection)
        .or_else(|| packet.subnet_selection());
    let giaddr = packet.header.giaddr;
    located.subnet = if let Some(named) = named {
        by_prefix(cfg, query, named)
    } else if packet.is_relayed() {
        find(cfg, query, |subnet| {
            subnet.relay_addresses.contains(&giaddr)
        })
        .or_else(|| by_prefix(cfg, query, giaddr))
    } else {
        directly_connected(cfg, query, *own)
    };
}

fn directly_connected(cfg: &Server<V4>, query: &Query4, own: Ipv4Addr) -> Option<usize> {
    let ciaddr = query.packet.header.ciaddr;
    let unicast = |ip: IpAddr| match ip {
        IpAddr::V4(addr) if !addr.is_unspecified() && !addr.is_broadcast() => Some(addr),
        _ => None,
    };
    let source = unicast(query.link.remote.ip());
    if let Some(found) = source
        .filter(|_| !ciaddr.is_unspecified())
        .and_then(|_| by_prefix(cfg, query, ciaddr))
    {
        return Some(found);
    }
    if let Some(found) = source.and_then(|source| by_prefix(cfg, query, source)) {
        return Some(found);
    }
    find(cfg, query, |subnet| {
        subnet.interface.as_deref() == Some(&*query.link.interface)
    })
    .or_else(|| by_prefix(cfg, query, own))
}

fn find(cfg: &Server<V4>, query: &Query4, is_it: impl Fn(&Subnet<V4>) -> bool) -> Option<usize> {
    let mut subnets = cfg.subnets.iter();
    subnets.position(|subnet| is_it(subnet) && cfg.admits(subnet, &query.classes))
}

fn by_prefix(cfg: &Server<V4>, query: &Query4, addr: Ipv4Addr) -> Option<usize> {
    find(cfg, query, |subnet| V4::is_inside(&subnet.prefix, &addr))
}

/// Looks up what is reserved for the client globally, before a subnet is known. Whether there is anything: where not, it may
/// still be known in its subnet.
pub(super) fn global_reservation(located: &mut Located4<'_>) -> bool {
    let cfg = located.cfg;
    located.host = reserved_in(cfg, &cfg.reservations, |kind| identifier(located, kind));
    located.host.is_some()
}

/// Looks up what is reserved for the client in its subnet, else globally, as the subnet says. Whether classes are to know:
/// where there is nothing they keep to what was found globally before.
pub(super) fn reservation(located: &mut Located4<'_>) -> bool {
    let (cfg, early) = (located.cfg, located.host.take());
    if let Some(subnet) = located.subnet() {
        let found = |table| reserved_in(cfg, table, |kind| identifier(located, kind));
        let own = Some(&subnet.reservations).filter(|_| subnet.reservations_in_subnet);
        let own = own.and_then(found);
        let global = Some(&cfg.reservations).filter(|_| subnet.reservations_global);
        located.host = own.or_else(|| global.and_then(found));
        located.host_subnet_id = own.map_or(0, |_| subnet.id.0);
    }
    located.host.is_some() || early.is_none()
}

/// The identifier of this kind, as a reservation has it: what callouts made takes the place of `flex-id`.
fn identifier<'l>(
    located: &'l Located4<'_>,
    kind: HostIdentifierType,
) -> Option<(HostIdentifierType, &'l [u8])> {
    let client_id = || {
        let client_id = located.owner.client_id.as_ref();
        client_id.map(outrigger_wire::ClientId::bytes)
    };
    let bytes = match kind {
        HostIdentifierType::HwAddress => {
            Some(located.owner.hw_address.bytes()).filter(|bytes| !bytes.is_empty())
        }
        HostIdentifierType::ClientId => client_id(),
        // RFC 4361: type 255, IAID, DUID.
        HostIdentifierType::Duid => client_id()
            .and_then(|bytes| bytes.strip_prefix(&[255]))
            .and_then(|bytes| bytes.get(4..)),
        HostIdentifierType::CircuitId => located
            .query
            .packet
            .relay_info()
            .and_then(relay4::circuit_id),
        HostIdentifierType::FlexId => {
            let flex = &located.identifier;
            return Some((flex.kind, &*flex.bytes)).filter(|(_, bytes)| !bytes.is_empty());
        }
    };
    Some((kind, bytes?))
}

//! Where a client is, and what is reserved for it.

use crate::pipeline::{index_of, reserved_host};
use outrigger_alloc::Ranged;
use outrigger_config::model::{Host, HostIdentifierType, Server, Subnet};
use outrigger_wire::family::{LeaseOwner, Owner4, OwnerKey4};
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
    pub(super) host: Option<&'c Host<V4>>,
    /// This server's address on the link.
    pub(super) own: Ipv4Addr,
}

impl<'c> Located4<'c> {
    pub(super) fn subnet(&self) -> Option<&'c Subnet<V4>> {
        self.cfg.subnets.get(self.subnet?)
    }

    pub(super) fn subnet_id(&self) -> Option<u32> {
        self.subnet().map(|subnet| subnet.id.0)
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

    /// Kea: client identifiers decide where both have one, hardware addresses else.
    pub(super) fn is_mine(&self, other: &Owner4) -> bool {
        match (&self.owner.client_id, &other.client_id) {
            (Some(mine), Some(theirs)) if self.matches_client_id() => mine == theirs,
            _ => !self.owner.hw_address.is_empty() && self.owner.hw_address == other.hw_address,
        }
    }
}

/// Selects the subnet, in Kea's order: what a relay or the client names (RFC 3527, RFC 3011), then the relay's address,
/// then the client's, then the interface. The lowest id wins.
pub(super) fn subnet(cfg: &Server<V4>, query: Query4, own: Ipv4Addr) -> Located4<'_> {
    let packet = &query.packet;
    let link_selection = packet.relay_info().and_then(relay4::link_selection);
    let named = link_selection
        .filter(|_| !cfg.own.ignore_rai_link_selection)
        .or_else(|| packet.subnet_selection());
    let giaddr = packet.header.giaddr;
    let found = if let Some(named) = named {
        by_prefix(cfg, named)
    } else if packet.is_relayed() {
        find(cfg, |subnet| subnet.relay_addresses.contains(&giaddr))
            .or_else(|| by_prefix(cfg, giaddr))
    } else {
        directly_connected(cfg, &query, own)
    };
    let owner = Owner4 {
        hw_address: packet.hw_address(),
        client_id: packet.client_id(),
    };
    Located4 {
        cfg,
        query,
        owner,
        subnet: found,
        host: None,
        own,
    }
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
        .and_then(|_| by_prefix(cfg, ciaddr))
    {
        return Some(found);
    }
    if let Some(found) = source.and_then(|source| by_prefix(cfg, source)) {
        return Some(found);
    }
    find(cfg, |subnet| {
        subnet.interface.as_deref() == Some(&*query.link.interface)
    })
    .or_else(|| by_prefix(cfg, own))
}

fn find(cfg: &Server<V4>, is_it: impl Fn(&Subnet<V4>) -> bool) -> Option<usize> {
    cfg.subnets.iter().position(is_it)
}

fn by_prefix(cfg: &Server<V4>, addr: Ipv4Addr) -> Option<usize> {
    find(cfg, |subnet| V4::is_inside(&subnet.prefix, &addr))
}

/// Looks up what is reserved for the client.
pub(super) fn reservation(located: &mut Located4<'_>) {
    if let Some(subnet) = located.subnet() {
        located.host = reserved_host(located.cfg, subnet, |kind| identifier(located, kind));
    }
}

fn identifier<'l>(located: &'l Located4<'_>, kind: HostIdentifierType) -> Option<&'l [u8]> {
    let client_id = || {
        located
            .owner
            .client_id
            .as_ref()
            .map(outrigger_wire::ClientId::bytes)
    };
    match kind {
        HostIdentifierType::HwAddress => {
            Some(located.owner.hw_address.bytes()).filter(|bytes| !bytes.is_empty())
        }
        HostIdentifierType::ClientId => client_id(),
        // RFC 4361: type 255, IAID, DUID.
        HostIdentifierType::Duid => client_id()?.strip_prefix(&[255])?.get(4..),
        HostIdentifierType::CircuitId => located
            .query
            .packet
            .relay_info()
            .and_then(relay4::circuit_id),
        // Computed by a callout.
        HostIdentifierType::FlexId => None,
    }
}

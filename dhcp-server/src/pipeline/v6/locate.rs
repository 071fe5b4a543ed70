//! Where a client is, and what is reserved for it.

use crate::pipeline::{index_of, reserved_host};
use outrigger_alloc::Ranged;
use outrigger_config::model::{Host, HostIdentifierType, Server, Subnet};
use outrigger_wire::family::Resource6;
use outrigger_wire::{Duid, Query6, V6};
use std::net::{IpAddr, Ipv6Addr};

/// A query whose place is known.
#[derive(Debug)]
pub(super) struct Located6<'c> {
    pub(super) cfg: &'c Server<V6>,
    pub(super) query: Query6,
    /// Empty only for an INFORMATION-REQUEST without client identifier.
    pub(super) duid: Option<Duid>,
    /// Index into the configuration's subnets.
    pub(super) subnet: Option<usize>,
    pub(super) host: Option<&'c Host<V6>>,
}

impl<'c> Located6<'c> {
    pub(super) fn subnet(&self) -> Option<&'c Subnet<V6>> {
        self.cfg.subnets.get(self.subnet?)
    }

    pub(super) fn subnet_id(&self) -> Option<u32> {
        self.subnet().map(|subnet| subnet.id.0)
    }

    /// Takes the subnet that a hook point left.
    pub(super) fn select(&mut self, id: Option<u32>) {
        self.subnet = id.and_then(|id| index_of(self.cfg, id));
    }
}

/// Selects the subnet. Directly connected: by the interface's name, then by the source address. Relayed: by interface-id,
/// then by the address of the relay, then by the link address. The lowest id wins.
pub(super) fn subnet(cfg: &Server<V6>, query: Query6) -> Located6<'_> {
    let packet = &query.packet;
    let link_address = packet.link_address();
    let found = if let Some(interface_id) = packet.interface_id() {
        find(cfg, |subnet| {
            !subnet.own.interface_id.is_empty() && *subnet.own.interface_id == *interface_id
        })
        .or_else(|| by_link(cfg, link_address?))
    } else if packet.is_relayed() && link_address.is_some() {
        by_link(cfg, link_address.unwrap_or(Ipv6Addr::UNSPECIFIED))
    } else {
        find(cfg, |subnet| {
            subnet.interface.as_deref() == Some(&*query.link.interface)
        })
        .or_else(|| by_source(cfg, query.link.remote.ip()))
    };
    let duid = packet.client_id();
    Located6 {
        cfg,
        query,
        duid,
        subnet: found,
        host: None,
    }
}

fn find(cfg: &Server<V6>, is_it: impl Fn(&Subnet<V6>) -> bool) -> Option<usize> {
    cfg.subnets.iter().position(is_it)
}

fn by_link(cfg: &Server<V6>, link: Ipv6Addr) -> Option<usize> {
    find(cfg, |subnet| subnet.relay_addresses.contains(&link)).or_else(|| {
        find(cfg, |subnet| {
            subnet.relay_addresses.is_empty()
                && V6::is_inside(&subnet.prefix, &Resource6::Address(link))
        })
    })
}

fn by_source(cfg: &Server<V6>, source: IpAddr) -> Option<usize> {
    let IpAddr::V6(source) = source else {
        return None;
    };
    find(cfg, |subnet| {
        V6::is_inside(&subnet.prefix, &Resource6::Address(source))
    })
}

/// Looks up what is reserved for the client.
pub(super) fn reservation(located: &mut Located6<'_>) {
    if let Some(subnet) = located.subnet() {
        located.host = reserved_host(located.cfg, subnet, |kind| identifier(located, kind));
    }
}

fn identifier<'l>(located: &'l Located6<'_>, kind: HostIdentifierType) -> Option<&'l [u8]> {
    match kind {
        HostIdentifierType::Duid => located.duid.as_ref().map(Duid::bytes),
        HostIdentifierType::HwAddress => link_layer_address(located),
        // Computed by a callout, or of DHCPv4.
        HostIdentifierType::FlexId
        | HostIdentifierType::CircuitId
        | HostIdentifierType::ClientId => None,
    }
}

/// The client's link-layer address: what its relay says (RFC 6939), else what a DUID-LLT or DUID-LL has in it.
fn link_layer_address<'l>(located: &'l Located6<'_>) -> Option<&'l [u8]> {
    const CLIENT_LINKLAYER_ADDR: u16 = outrigger_wire::v6::code::CLIENT_LINKLAYER_ADDR;
    if let Some(address) = located.query.packet.relay_option(CLIENT_LINKLAYER_ADDR) {
        return address.get(2..);
    }
    match located.duid.as_ref()?.bytes() {
        [0, 1, _, _, _, _, _, _, address @ ..] | [0, 3, _, _, address @ ..] => Some(address),
        _ => None,
    }
}

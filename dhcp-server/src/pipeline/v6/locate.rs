//! Where a client is, and what is reserved for it.

use super::classify;
use crate::pipeline::{index_of, reserved_in};
use outrigger_alloc::Ranged;
use outrigger_config::model::{Host, HostIdentifierType, Server, Subnet};
use outrigger_hooks::callouts::FlexIdentifier;
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
    /// What `host6_identifier` made of the query.
    pub(super) identifier: FlexIdentifier,
    /// It was asked for.
    identified: bool,
    /// Somebody listens at `ddns6_update`.
    pub(super) has_name_callouts: bool,
}

impl<'c> Located6<'c> {
    /// Nothing is known yet.
    pub(super) fn new(cfg: &'c Server<V6>, query: Query6) -> Self {
        let duid = query.packet.client_id();
        Self {
            cfg,
            query,
            duid,
            subnet: None,
            host: None,
            identifier: FlexIdentifier::default(),
            identified: false,
            has_name_callouts: false,
        }
    }

    pub(super) fn subnet(&self) -> Option<&'c Subnet<V6>> {
        self.cfg.subnets.get(self.subnet?)
    }

    pub(super) fn subnet_id(&self) -> Option<u32> {
        self.subnet().map(|subnet| subnet.id.0)
    }

    /// Whether reservations may exist for the client where it is.
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
}

/// Selects the subnet. Directly connected: by the interface's name, then by the source address. Relayed: by interface-id,
/// then by the address of the relay, then by the link address. The lowest id wins, of those whose guards admit the client.
pub(super) fn subnet(located: &mut Located6<'_>) {
    let packet = &located.query.packet;
    let link_address = packet.link_address();
    located.subnet = if let Some(interface_id) = packet.interface_id() {
        find(located, |subnet| {
            !subnet.own.interface_id.is_empty() && *subnet.own.interface_id == *interface_id
        })
        .or_else(|| by_link(located, link_address?))
    } else if packet.is_relayed() && link_address.is_some() {
        by_link(located, link_address.unwrap_or(Ipv6Addr::UNSPECIFIED))
    } else {
        let link = &located.query.link;
        find(located, |subnet| {
            subnet.interface.as_deref() == Some(&*link.interface)
        })
        .or_else(|| by_source(located, link.remote.ip()))
    };
}

fn find(located: &Located6<'_>, is_it: impl Fn(&Subnet<V6>) -> bool) -> Option<usize> {
    let (cfg, classes) = (located.cfg, &located.query.classes);
    cfg.subnets
        .iter()
        .position(|subnet| is_it(subnet) && cfg.admits(subnet, classes))
}

fn by_link(located: &Located6<'_>, link: Ipv6Addr) -> Option<usize> {
    find(located, |subnet| subnet.relay_addresses.contains(&link)).or_else(|| {
        find(located, |subnet| {
            subnet.relay_addresses.is_empty()
                && V6::is_inside(&subnet.prefix, &Resource6::Address(link))
        })
    })
}

fn by_source(located: &Located6<'_>, source: IpAddr) -> Option<usize> {
    let IpAddr::V6(source) = source else {
        return None;
    };
    find(located, |subnet| {
        V6::is_inside(&subnet.prefix, &Resource6::Address(source))
    })
}

/// Looks up the client among the global reservations, before a subnet is known. Only its classes count so early.
pub(super) fn global_reservation(located: &mut Located6<'_>) {
    let cfg = located.cfg;
    located.host = reserved_in(cfg, &cfg.reservations, |kind| identifier(located, kind));
    if located.host.is_some() {
        classify::by_reservation(cfg, &mut located.query, located.host);
    }
}

/// Looks up what is reserved for the client, and joins the classes that come of it. What came of the early lookup stays
/// where nothing else is found.
pub(super) fn reservation(located: &mut Located6<'_>) {
    let (cfg, early) = (located.cfg, located.host.take());
    if let Some(subnet) = located.subnet() {
        let found = |table| reserved_in(cfg, table, |kind| identifier(located, kind));
        let own = Some(&subnet.reservations).filter(|_| subnet.reservations_in_subnet);
        let global = Some(&cfg.reservations).filter(|_| subnet.reservations_global);
        located.host = own.and_then(found).or_else(|| global.and_then(found));
    }
    if located.host.is_some() || early.is_none() {
        classify::by_reservation(cfg, &mut located.query, located.host);
    }
}

/// What the client is looked up by at the place of `kind`; a flexible identifier may count as another one.
fn identifier<'l>(
    located: &'l Located6<'_>,
    kind: HostIdentifierType,
) -> Option<(HostIdentifierType, &'l [u8])> {
    let bytes = match kind {
        HostIdentifierType::Duid => located.duid.as_ref().map(Duid::bytes),
        HostIdentifierType::HwAddress => link_layer_address(located),
        HostIdentifierType::FlexId => {
            let FlexIdentifier { kind, bytes } = &located.identifier;
            return (!bytes.is_empty()).then_some((*kind, bytes));
        }
        // Of DHCPv4.
        HostIdentifierType::CircuitId | HostIdentifierType::ClientId => None,
    };
    bytes.map(|bytes| (kind, bytes))
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

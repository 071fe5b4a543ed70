//! Addresses that clients made themselves (RFC 9686).

use super::locate::Located6;
use crate::pipeline::subnets_of;
use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::{Allocator, Ranged};
use outrigger_config::model::Subnet;
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::{Owner6, Resource6};
use outrigger_wire::v6::code;
use outrigger_wire::{HwAddress, Iaid, Query6, V6};
use std::net::Ipv6Addr;

const UNREGISTRABLE: Discard = Discard::because(DiscardReason::Unregistrable);

/// A registration that is checked and not written yet.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) address: Ipv6Addr,
    /// What the store has of the address: an earlier registration, whoever's, or a lease that nobody holds any more.
    pub(super) previous: Option<Lease<V6>>,
    pub(super) lease: Lease<V6>,
}

/// The registration that there was before.
pub(super) fn earlier(previous: Option<&Lease<V6>>) -> Option<&Lease<V6>> {
    previous.filter(|lease| lease.state == LeaseState::Registered)
}

/// RFC 9686 §4.2.1: what makes a message one to discard, beside the identifiers: no address, an address that is not the one
/// it was sent from, and an option request. Lifetimes must be possible ones.
pub(super) fn is_well_formed(query: &Query6) -> bool {
    let packet = &query.packet;
    let own = packet.registered_address().is_some_and(|registered| {
        packet.source(query.link.remote.ip()) == registered.addr
            && registered.valid > 0
            && registered.preferred <= registered.valid
    });
    own && !packet.options.contains(code::ORO)
}

/// Checks that the address may be registered: it lies on the client's link, and nobody else has it as a lease or reserved.
/// An earlier registration is replaced, also another client's.
pub(super) fn plan(
    alloc: &Allocator<V6>,
    located: &Located6<'_>,
    now: u64,
) -> Result<Registration, Discard> {
    let packet = &located.query.packet;
    let (Some(duid), Some(registered)) = (&located.duid, packet.registered_address()) else {
        return Err(Discard::because(DiscardReason::RfcViolation));
    };
    if located.subnet.is_none() {
        return Err(Discard::because(DiscardReason::NoSubnet));
    }
    let resource = Resource6::Address(registered.addr);
    let subnet = subnet_with(located, &resource).ok_or(UNREGISTRABLE)?;
    let previous = alloc.store().lock().get(&resource).cloned();
    // An expired lease too, until it is reclaimed.
    let held = previous.as_ref().is_some_and(|lease| match lease.state {
        LeaseState::Default | LeaseState::Declined => true,
        LeaseState::ExpiredReclaimed | LeaseState::Released | LeaseState::Registered => false,
    });
    if held || is_reserved_for_another(located, subnet, &resource) {
        return Err(UNREGISTRABLE);
    }
    let lease = Lease {
        resource,
        owner: Owner6 {
            duid: duid.clone(),
            // Kea: registrations belong to no IA.
            iaid: Iaid(0),
        },
        subnet_id: subnet.id.0,
        pool_id: 0,
        state: LeaseState::Registered,
        cltt: now,
        valid_lifetime: registered.valid,
        preferred_lifetime: registered.preferred,
        hostname: Box::default(),
        fqdn_fwd: false,
        fqdn_rev: false,
        hw_address: HwAddress::EMPTY,
        user_context: Box::default(),
    };
    if let Some(old) = earlier(previous.as_ref()).filter(|old| old.owner.duid != *duid) {
        // RFC 9686 §4.2.1: log it, and let the new one stand.
        tracing::info!(address = %registered.addr, from = %old.owner.duid, to = %duid, "DHCP6_ADDR_REG_CLIENT_CHANGE");
    }
    Ok(Registration {
        address: registered.addr,
        previous,
        lease,
    })
}

/// The subnet of the client's link that has the address.
fn subnet_with<'c>(located: &Located6<'c>, resource: &Resource6) -> Option<&'c Subnet<V6>> {
    subnets_of(located.cfg, located.subnet)
        .into_iter()
        .filter_map(|index| located.cfg.subnets.get(index))
        .find(|subnet| V6::is_inside(&subnet.prefix, resource))
}

fn is_reserved_for_another(
    located: &Located6<'_>,
    subnet: &Subnet<V6>,
    resource: &Resource6,
) -> bool {
    let in_subnet = subnet
        .reservations_in_subnet
        .then_some(&subnet.reservations);
    let global = subnet
        .reservations_global
        .then_some(&located.cfg.reservations);
    let mut tables = in_subnet.into_iter().chain(global);
    tables.any(|table| {
        table.by_resource(resource).is_some_and(|host| {
            let own = located.host.is_some_and(|own| std::ptr::eq(own, host));
            !own
        })
    })
}

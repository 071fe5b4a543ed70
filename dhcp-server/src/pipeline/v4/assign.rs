//! Which lease the client gets: everything of it that no callout sees.

use super::decide::{Draft4, Reply, meant_address};
use super::locate::Located4;
use super::terms::{Granted4, Terms4};
use crate::pipeline::{OFFER_HOLD, index_of, subnets_of};
use outrigger_alloc::{Allocator, Claim, Origin, Plan, Ranged, Wish, lifetime};
use outrigger_config::model::Server;
use outrigger_store::Lease;
use outrigger_wire::V4;
use outrigger_wire::family::Owner4;
use outrigger_wire::v4::MessageType;
use smallvec::SmallVec;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The leases that the client has, on whatever link.
pub(super) fn known(alloc: &Allocator<V4>, located: &Located4<'_>) -> SmallVec<[Lease<V4>; 1]> {
    let is_mine = |lease: &Lease<V4>| located.is_mine(&lease.owner);
    alloc.leases_of(&located.keys(), &is_mine)
}

/// A candidate, claimed for this packet.
pub(super) fn plan(
    alloc: &Arc<Allocator<V4>>,
    located: &Located4<'_>,
    skipped: &[Ipv4Addr],
    now: u64,
) -> Option<Plan<V4>> {
    let hint = meant_address(&located.query.packet);
    alloc.plan(&Wish {
        cfg: located.cfg,
        subnets: &subnets_of(located.cfg, located.subnet),
        kind: (),
        owner: &located.owner,
        keys: &located.keys(),
        is_mine: &|owner| located.is_mine(owner),
        reserved: located.host.map_or(&[], |host| &host.resources),
        hint,
        classes: &located.query.classes,
        only_hint: hint.is_some() && located.message_type() == Some(MessageType::Request),
        skipped,
        now,
    })
}

/// Claims the address that a callout chooses instead of the planned one. It may lie outside the pools.
pub(super) fn chooser<'a>(
    claim: &'a mut Claim<V4>,
    cfg: &'a Server<V4>,
    owner: &'a Owner4,
    now: u64,
) -> impl FnMut(Ipv4Addr) -> Result<(), &'static str> + 'a {
    move |address| match cfg.subnets.get(claim.subnet()) {
        Some(subnet) if V4::is_inside(&subnet.prefix, &address) => {
            claim.move_to(cfg, address, owner, now)
        }
        _ => Err("it lies outside the subnet"),
    }
}

/// The client is offered the planned lease. It is written where offers have a lifetime, kept in memory else.
pub(super) fn offer(mut plan: Plan<V4>, terms: Terms4, now: u64) -> Draft4<'static> {
    let mut draft = Draft4::only(Reply::Offer);
    let subnet = plan.claim.subnet();
    draft.outcome.old = plan.claim.previous().cloned();
    draft.outcome.offer_lifetime = terms.offer_lifetime;
    let lease = if terms.offer_lifetime > 0 {
        // Kea: nothing is told to the DNS before the client has taken the offer up.
        (plan.lease.fqdn_fwd, plan.lease.fqdn_rev) = (false, false);
        let lease = plan.lease.clone();
        draft.changes.grant(plan);
        lease
    } else {
        plan.offer(now + OFFER_HOLD)
    };
    draft.outcome.granted = Some(terms.granted(lease, subnet));
    draft
}

/// The client gets the planned lease; any other that it has on this link ends.
pub(super) fn grant(
    alloc: &Allocator<V4>,
    located: &Located4<'_>,
    plan: Plan<V4>,
    terms: Terms4,
) -> Draft4<'static> {
    let mut draft = Draft4::only(Reply::Ack);
    let granted = plan.lease.resource;
    if plan.claim.origin() != Origin::Held {
        let reachable = subnets_of(located.cfg, located.subnet);
        let on_link =
            |id: u32| index_of(located.cfg, id).is_some_and(|index| reachable.contains(&index));
        let others = |lease: &Lease<V4>| {
            lease.resource != granted && on_link(lease.subnet_id) && located.is_mine(&lease.owner)
        };
        for old in alloc.leases_of(&located.keys(), &others) {
            draft.changes.remove(&old);
            draft.outcome.deleted.push(old);
        }
    }
    draft.outcome.leases.push(plan.lease.clone());
    draft.outcome.granted = Some(terms.granted(plan.lease.clone(), plan.claim.subnet()));
    draft.changes.grant(plan);
    draft
}

/// A callout forbids to extend the lease: the client is told what is left of it.
pub(super) fn keep(plan: &Plan<V4>, discover: bool, now: u64) -> Draft4<'static> {
    let mut draft = Draft4::only(if discover { Reply::Offer } else { Reply::Ack });
    if let Some(old) = plan.claim.previous() {
        draft.outcome.old = Some(old.clone());
        draft.outcome.leases.push(old.clone());
        draft.outcome.granted = Some(Granted4 {
            lease: old.clone(),
            subnet: plan.claim.subnet(),
            valid_lifetime: lifetime::left(old, now).0,
        });
    }
    draft
}

/// The lease of an address that the client gives back or declines, if it is the client's and runs.
pub(super) fn own_lease(
    alloc: &Allocator<V4>,
    located: &Located4<'_>,
    address: Ipv4Addr,
) -> Option<Lease<V4>> {
    let leases = alloc.store().lock();
    let lease = leases.get(&address)?;
    located.is_own(lease).then(|| lease.clone())
}

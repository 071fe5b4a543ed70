//! What each IA of a message gets.

use super::locate::Located6;
use super::names::{Names6, Place6};
use super::register::Registration;
use crate::pipeline::classes;
use crate::pipeline::{OFFER_HOLD, index_of, subnets_of};
use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::{Allocator, ChangeSet, Claim, Kind6, Plan, Ranged, Wish, lifetime};
use outrigger_config::model::{Pool, Pool6, Server, Subnet, Timers};
use outrigger_store::{Lease, LeaseState, Ticket};
use outrigger_wire::family::{LeaseOwner, Owner6, Resource6};
use outrigger_wire::options::Options;
use outrigger_wire::v6::{Ia, IaKind, MessageType, Status};
use outrigger_wire::{Duid, Iaid, Prefix6, V6};
use smallvec::SmallVec;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// An IA of the query.
#[derive(Debug, Clone)]
pub(super) struct IaRequest {
    pub(super) kind: IaKind,
    pub(super) owner: Owner6,
    /// What the client names in it, with the preferred and valid lifetimes it wishes.
    pub(super) named: SmallVec<[(Resource6, u32, u32); 1]>,
}

impl IaRequest {
    fn new(duid: &Duid, ia: &Ia<'_>) -> Self {
        let addresses = ia
            .addresses()
            .map(|a| (Resource6::Address(a.addr), a.preferred, a.valid));
        let prefixes = ia
            .prefixes()
            .map(|p| (Resource6::Prefix(p.prefix), p.preferred, p.valid));
        Self {
            kind: ia.kind,
            owner: Owner6 {
                duid: duid.clone(),
                iaid: ia.iaid,
            },
            named: addresses.chain(prefixes).collect(),
        }
    }

    pub(super) fn lease_kind(&self) -> Kind6 {
        match self.kind {
            IaKind::Na => Kind6::Address,
            IaKind::Pd => Kind6::Prefix,
        }
    }

    /// The first resource that the client names, unless it names none (`::`).
    pub(super) fn hint(&self) -> Option<Resource6> {
        let (resource, ..) = self.named.first()?;
        (!resource.addr().is_unspecified()).then_some(*resource)
    }
}

/// The IAs of a message in its order.
pub(super) fn requested(located: &Located6<'_>) -> SmallVec<[IaRequest; 2]> {
    let Some(duid) = &located.duid else {
        return SmallVec::new();
    };
    located
        .query
        .packet
        .ias()
        .flatten()
        .map(|ia| IaRequest::new(duid, &ia))
        .collect()
}

/// What an IA of the reply says.
#[derive(Debug)]
pub(super) struct IaOutcome {
    pub(super) kind: IaKind,
    pub(super) iaid: Iaid,
    /// The lease that the client gets, with the subnet whose timers apply.
    pub(super) granted: Option<(Lease<V6>, usize)>,
    /// What the client must stop to use.
    pub(super) retired: SmallVec<[Resource6; 1]>,
    pub(super) status: Option<(Status, &'static str)>,
    /// What callouts put into it; none for most.
    pub(super) options: Option<Box<Options>>,
}

impl IaOutcome {
    pub(super) fn of(ia: &IaRequest) -> Self {
        let kind = ia.kind;
        Self {
            kind,
            iaid: ia.owner.iaid,
            granted: None,
            retired: SmallVec::new(),
            status: None,
            options: None,
        }
    }

    /// With this status and no lease.
    pub(super) fn refused(ia: &IaRequest, status: (Status, &'static str)) -> Self {
        Self {
            status: Some(status),
            ..Self::of(ia)
        }
    }
}

/// A located query with everything decided and written.
#[derive(Debug)]
pub(super) struct Decided6<'c> {
    pub(super) located: Located6<'c>,
    pub(super) outcome: Outcome6,
}

/// What is decided for a message.
#[derive(Debug, Default)]
pub(super) struct Outcome6 {
    pub(super) ias: SmallVec<[IaOutcome; 2]>,
    /// Status of the whole message.
    pub(super) status: Option<(Status, &'static str)>,
    /// What the client is called.
    pub(super) names: Names6,
    /// Leases for `leases6_committed`; an address and a prefix for most clients.
    pub(super) leases: SmallVec<[Lease<V6>; 2]>,
    /// Deleted leases for `leases6_committed`.
    pub(super) deleted: SmallVec<[Lease<V6>; 1]>,
    /// ADDR-REG-INFORM: what is written once the reply is complete.
    pub(super) registration: Option<Box<Registration>>,
    /// Durable when everything above is on stable storage.
    pub(super) ticket: Option<Ticket>,
}

impl Outcome6 {
    /// Where the client is now: Kea: the shared network's subnet that gave the first lease goes before the selected one.
    pub(super) fn subnet<'c>(&self, located: &Located6<'c>) -> Option<&'c Subnet<V6>> {
        let mut granted = self.ias.iter().filter_map(|ia| ia.granted.as_ref());
        match granted.next() {
            Some((_, index)) => located.cfg.subnets.get(*index),
            None => located.subnet(),
        }
    }

    /// The first address that the client gets or registers, and the index of its subnet.
    pub(super) fn first_address(&self, cfg: &Server<V6>) -> Option<(Ipv6Addr, usize)> {
        if let Some(registration) = &self.registration {
            let subnet = index_of(cfg, registration.lease.subnet_id)?;
            return Some((registration.address, subnet));
        }
        let mut granted = self.ias.iter().filter_map(|ia| ia.granted.as_ref());
        granted.find_map(|(lease, subnet)| match lease.resource {
            Resource6::Address(address) => Some((address, *subnet)),
            Resource6::Prefix(_) => None,
        })
    }
}

/// Changes that are decided and not written yet.
#[derive(Debug, Default)]
pub(super) struct Draft6 {
    pub(super) outcome: Outcome6,
    pub(super) changes: ChangeSet<V6>,
    /// A callout wants no reply; what was decided before is written all the same.
    pub(super) dropped: Option<Discard>,
}

impl Draft6 {
    pub(super) fn named(names: Names6) -> Self {
        let mut draft = Self::default();
        draft.outcome.names = names;
        draft
    }

    /// Adds the planned lease, which is advertised and kept for the client for a while.
    pub(super) fn offer(&mut self, mut outcome: IaOutcome, plan: Plan<V6>, now: u64) {
        let subnet = plan.claim.subnet();
        outcome.granted = Some((plan.offer(now + OFFER_HOLD), subnet));
        self.outcome.ias.push(outcome);
    }

    /// Adds the planned lease. `others`, which the client holds in the IA too, end.
    pub(super) fn grant(
        &mut self,
        (ia, mut outcome): (&IaRequest, IaOutcome),
        purpose: Purpose,
        plan: Plan<V6>,
        others: SmallVec<[Lease<V6>; 1]>,
    ) {
        let granted = plan.lease.resource;
        for old in others {
            self.changes.remove(&old);
            self.outcome.deleted.push(old);
        }
        if purpose == Purpose::Extend {
            let named = ia.named.iter().map(|(resource, ..)| *resource);
            outcome.retired = named.filter(|resource| *resource != granted).collect();
        }
        self.outcome.leases.push(plan.lease.clone());
        outcome.granted = Some((plan.lease.clone(), plan.claim.subnet()));
        self.changes.grant(plan);
        self.outcome.ias.push(outcome);
    }

    /// A callout forbids to extend the lease: the client is told what is left of it.
    pub(super) fn keep_as_it_is(&mut self, mut outcome: IaOutcome, plan: &Plan<V6>, now: u64) {
        if let Some(old) = plan.claim.previous() {
            self.outcome.leases.push(old.clone());
            let (valid_lifetime, preferred_lifetime) = lifetime::left(old, now);
            let told = Lease {
                valid_lifetime,
                preferred_lifetime,
                ..old.clone()
            };
            outcome.granted = Some((told, plan.claim.subnet()));
        }
        self.outcome.ias.push(outcome);
    }

    /// The client is called something else where its lease is.
    pub(super) fn rename(&mut self, names: Names6) {
        let same = names.decision == self.outcome.names.decision;
        self.outcome.names = names;
        if !same {
            self.name_leases(|_| true);
        }
    }

    /// The name may be one that is made from the address. A lease that a callout has named keeps that name.
    pub(super) fn settle_name(&mut self, address: Ipv6Addr, place: Place6<'_>) {
        if self.outcome.names.settle(address, place) {
            self.name_leases(|lease| lease.hostname.is_empty());
        }
        if let Some(registration) = &mut self.outcome.registration {
            self.outcome.names.name_lease(&mut registration.lease);
        }
    }

    /// Writes the name into the leases that will be written, and into what is reported of them.
    fn name_leases(&mut self, which: impl Fn(&Lease<V6>) -> bool) {
        let outcome = &mut self.outcome;
        for written in self.changes.written_mut().filter(|lease| which(lease)) {
            outcome.names.name_lease(written);
            let mut reported = outcome.leases.iter_mut();
            if let Some(lease) = reported.find(|lease| lease.resource == written.resource) {
                outcome.names.name_lease(lease);
            }
        }
    }
}

/// A candidate for the IA.
pub(super) fn plan(
    alloc: &Arc<Allocator<V6>>,
    located: &Located6<'_>,
    ia: &IaRequest,
    skipped: &[Resource6],
    now: u64,
) -> Option<Plan<V6>> {
    if classes::is_rejected(&located.query.classes) {
        return None;
    }
    alloc.plan(&Wish {
        cfg: located.cfg,
        subnets: &subnets_of(located.cfg, located.subnet),
        kind: ia.lease_kind(),
        owner: &ia.owner,
        keys: &ia.owner.keys(),
        is_mine: &|owner| *owner == ia.owner,
        reserved: &reserved(located, ia),
        hint: ia.hint(),
        classes: &located.query.classes,
        only_hint: false,
        skipped,
        now,
    })
}

/// Lets a callout of `lease6_select` choose another address or prefix inside the subnet; it may lie outside of the pools.
pub(super) fn chooser<'a>(
    claim: &'a mut Claim<V6>,
    cfg: &'a Server<V6>,
    owner: &'a Owner6,
    now: u64,
) -> impl FnMut(Resource6) -> Result<(), &'static str> + 'a {
    let subnet = cfg.subnets.get(claim.subnet());
    move |resource| {
        if !subnet.is_some_and(|subnet| V6::is_inside(&subnet.prefix, &resource)) {
            return Err("it lies outside the subnet");
        }
        claim.move_to(cfg, resource, owner, now)
    }
}

/// What else the client holds in the IA that gets `granted`.
pub(super) fn others(
    alloc: &Allocator<V6>,
    ia: &IaRequest,
    granted: Resource6,
) -> SmallVec<[Lease<V6>; 1]> {
    let is_other = |lease: &Lease<V6>| {
        lease.owner == ia.owner
            && lease.resource != granted
            && V6::kind_of(&lease.resource) == ia.lease_kind()
    };
    alloc.leases_of(&ia.owner.keys(), &is_other)
}

/// The pool that the resource is from.
pub(super) fn pool_of<'c>(subnet: &'c Subnet<V6>, resource: &Resource6) -> Option<&'c Pool<V6>> {
    let addr = resource.addr();
    subnet.pools.iter().find(|pool| {
        V6::kind_of_pool(pool) == V6::kind_of(resource) && pool.first <= addr && addr <= pool.last
    })
}

/// What a message asks of its IAs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// SOLICIT without Rapid Commit: nothing is written.
    Advertise,
    /// SOLICIT with Rapid Commit, REQUEST.
    Grant,
    /// RENEW, REBIND.
    Extend,
}

/// What the message wants, as the selected subnet allows.
pub(super) fn purpose(located: &Located6<'_>) -> Purpose {
    let packet = &located.query.packet;
    match packet.message_type {
        MessageType::Solicit if !is_rapid(located) => Purpose::Advertise,
        MessageType::Renew | MessageType::Rebind => Purpose::Extend,
        _ => Purpose::Grant,
    }
}

/// Whether a SOLICIT is answered with a REPLY.
pub(super) fn is_rapid(located: &Located6<'_>) -> bool {
    let packet = &located.query.packet;
    let allowed = located
        .subnet()
        .is_some_and(|subnet| subnet.own.rapid_commit);
    packet.message_type == MessageType::Solicit && packet.rapid_commit() && allowed
}

/// Status of an IA for which nothing is left (RFC 9915 §18.3).
pub(super) fn none_left(ia: &IaRequest, purpose: Purpose) -> (Status, &'static str) {
    match (purpose, ia.kind) {
        (Purpose::Extend, _) => (Status::NoBinding, "this server knows no lease for this IA"),
        (_, IaKind::Na) => (Status::NoAddrsAvail, "no address is available"),
        (_, IaKind::Pd) => (Status::NoPrefixAvail, "no prefix is available"),
    }
}

/// Kea: whoever rebinds a prefix where this server has no subnet is another server's client.
pub(super) fn for_this_server(located: &Located6<'_>, ia: &IaRequest) -> Result<(), Discard> {
    let rebind = located.query.packet.message_type == MessageType::Rebind;
    if rebind && ia.kind == IaKind::Pd && located.subnet.is_none() {
        return Err(Discard::because(DiscardReason::NoSubnet));
    }
    Ok(())
}

/// Fills in how long the planned lease is.
pub(super) fn set_lifetimes(plan: &mut Plan<V6>, ia: &IaRequest, located: &Located6<'_>) {
    let Some(subnet) = located.cfg.subnets.get(plan.claim.subnet()) else {
        return;
    };
    let resource = plan.lease.resource;
    let wish = ia
        .named
        .iter()
        .find(|(named, ..)| *named == resource || named.addr().is_unspecified());
    let (preferred, valid) = wish.map_or((None, None), |(_, preferred, valid)| {
        (Some(*preferred), Some(*valid))
    });
    // Kea: the first class that sets it goes before the subnet.
    let (cfg, classes) = (located.cfg, &located.query.classes);
    let valid_lifetime = classes::first(cfg, classes, |class| class.valid_lifetime);
    let preferred_lifetime = classes::first(cfg, classes, |class| class.own.preferred_lifetime);
    let timers = Timers {
        valid_lifetime: valid_lifetime.unwrap_or(subnet.timers.valid_lifetime),
        ..subnet.timers
    };
    plan.lease.valid_lifetime = lifetime::valid(&timers, valid);
    plan.lease.preferred_lifetime = lifetime::preferred(
        preferred_lifetime.unwrap_or(subnet.own.preferred_lifetime),
        preferred,
        plan.lease.valid_lifetime,
    );
}

/// Resources that are reserved for the client, of the IA's kind.
pub(super) fn reserved(located: &Located6<'_>, ia: &IaRequest) -> SmallVec<[Resource6; 1]> {
    let of_kind = |resource: &&Resource6| match (resource, ia.kind) {
        (Resource6::Address(_), IaKind::Na) | (Resource6::Prefix(_), IaKind::Pd) => true,
        (Resource6::Address(_), IaKind::Pd) | (Resource6::Prefix(_), IaKind::Na) => false,
    };
    located
        .host
        .iter()
        .flat_map(|host| &host.resources)
        .filter(of_kind)
        .copied()
        .collect()
}

/// The lease of one resource that the client gives back or declines, if it is the client's and runs.
pub(super) fn own_lease(lease: Option<&Lease<V6>>, owner: &Owner6) -> Option<Lease<V6>> {
    lease
        .filter(|lease| lease.owner == *owner && lease.state == LeaseState::Default)
        .cloned()
}

/// RFC 9915 §18.3.3: whether every address of a CONFIRM is right for the client's link.
pub(super) fn is_on_link(located: &Located6<'_>) -> bool {
    let subnets = subnets_of(located.cfg, located.subnet);
    let on_link = |addr| {
        let mut prefixes = subnets
            .iter()
            .filter_map(|index| located.cfg.subnets.get(*index));
        prefixes.any(|subnet| V6::is_inside(&subnet.prefix, &Resource6::Address(addr)))
    };
    located
        .query
        .packet
        .ias()
        .flatten()
        .all(|ia| ia.addresses().all(|address| on_link(address.addr)))
}

/// The part of a delegated prefix that the client must not use itself (RFC 6603), as option 67 has it.
pub(super) fn excluded_prefix(
    subnet: &Subnet<V6>,
    delegated: Prefix6,
) -> Option<SmallVec<[u8; 17]>> {
    let excluded = subnet.pools.iter().find_map(|pool| match pool.own {
        Pool6::Prefixes {
            delegated_len,
            excluded: Some(excluded),
        } if delegated_len == delegated.len => {
            (pool.first <= delegated.addr && delegated.addr <= pool.last).then_some(excluded)
        }
        Pool6::Prefixes { .. } | Pool6::Addresses => None,
    })?;
    // Prefix length, then the bits behind the delegated prefix, left aligned.
    let bits = excluded.len.checked_sub(delegated.len)?;
    let subnet_id = u128::from(excluded.addr) << delegated.len.min(127);
    let mut payload: SmallVec<[u8; 17]> = SmallVec::from_slice(&[excluded.len]);
    payload.extend(
        subnet_id
            .to_be_bytes()
            .into_iter()
            .take(usize::from(bits.div_ceil(8))),
    );
    Some(payload)
}

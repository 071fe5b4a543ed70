//! What the client gets.

use super::locate::Located4;
use crate::pipeline::{seconds, subnets_of};
use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::{ChangeSet, Origin, Plan, Ranged, lifetime};
use outrigger_store::{Lease, LeaseState, Ticket};
use outrigger_wire::V4;
use outrigger_wire::v4::{MessageType, Packet4, code};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr};

/// What a REQUEST is about (RFC 2131 §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestState {
    /// It takes up this server's offer.
    Selecting,
    /// It wants to know whether its old address is right.
    InitReboot,
    /// It extends its lease, by unicast.
    Renewing,
    /// It extends its lease, by broadcast.
    Rebinding,
    /// It names no address at all. Kea: served like SELECTING.
    Nameless,
}

impl RequestState {
    pub(super) fn of(located: &Located4<'_>) -> Self {
        let packet = &located.query.packet;
        let broadcast = match located.query.link.local.ip() {
            IpAddr::V4(addr) => addr.is_broadcast(),
            IpAddr::V6(_) => false,
        };
        match (
            packet.server_id(),
            packet.requested_address(),
            packet.header.ciaddr,
        ) {
            (Some(_), Some(_), _) => Self::Selecting,
            (None, Some(_), Ipv4Addr::UNSPECIFIED) => Self::InitReboot,
            (_, None, Ipv4Addr::UNSPECIFIED) => Self::Nameless,
            (..) if broadcast => Self::Rebinding,
            (..) => Self::Renewing,
        }
    }
}

/// The address that the client means.
pub(super) fn meant_address(packet: &Packet4) -> Option<Ipv4Addr> {
    let ciaddr = packet.header.ciaddr;
    packet
        .requested_address()
        .or(Some(ciaddr))
        .filter(|addr| !addr.is_unspecified())
}

/// What is decided for a message.
#[derive(Debug, Default)]
pub(super) struct Outcome4 {
    pub(super) reply: Reply,
    /// What is offered or granted.
    pub(super) granted: Option<Granted4>,
    /// Seconds that the written lease of an OFFER runs; 0: nothing is written.
    pub(super) offer_lifetime: u32,
    /// The lease that the client had of this address, for `lease4_offer`.
    pub(super) old: Option<Lease<V4>>,
    /// Leases for `leases4_committed`.
    pub(super) leases: SmallVec<[Lease<V4>; 1]>,
    /// Deleted leases for `leases4_committed`.
    pub(super) deleted: SmallVec<[Lease<V4>; 1]>,
    /// Durable when everything above is on stable storage.
    pub(super) ticket: Option<Ticket>,
}

/// What is offered or granted.
#[derive(Debug)]
pub(super) struct Granted4 {
    /// As it is written, or would be.
    pub(super) lease: Lease<V4>,
    /// Index of its subnet.
    pub(super) subnet: usize,
    /// Seconds that the client is told.
    pub(super) valid_lifetime: u32,
}

/// How long a planned lease is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms4 {
    /// Seconds that the client is told, unless a callout says otherwise.
    valid_lifetime: u32,
    /// Seconds that the lease of an offer is written with; 0: nothing is written.
    pub(super) offer_lifetime: u32,
}

impl Terms4 {
    /// The planned lease with what the client is told of it: of an offer that is written the lifetime that it will
    /// have, unless a callout chose another.
    pub(super) fn granted(self, lease: Lease<V4>, subnet: usize) -> Granted4 {
        let is_offer = self.offer_lifetime > 0 && lease.valid_lifetime == self.offer_lifetime;
        let valid_lifetime = if is_offer {
            self.valid_lifetime
        } else {
            lease.valid_lifetime
        };
        Granted4 {
            lease,
            subnet,
            valid_lifetime,
        }
    }
}

/// Which answer the client gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reply {
    /// To a DISCOVER.
    Offer,
    /// To a REQUEST or INFORM.
    Ack,
    /// To a REQUEST.
    Nak,
    /// RELEASE and DECLINE are not answered.
    #[default]
    None,
}

/// Changes that are decided and not written yet.
#[derive(Debug, Default)]
pub(super) struct Draft4 {
    pub(super) outcome: Outcome4,
    pub(super) changes: ChangeSet<V4>,
}

impl Draft4 {
    /// Nothing is changed, and the client hears `reply`.
    pub(super) fn only(reply: Reply) -> Self {
        Self {
            outcome: Outcome4 {
                reply,
                ..Outcome4::default()
            },
            ..Self::default()
        }
    }
}

/// What a REQUEST gets for which there is no subnet.
pub(super) fn without_subnet(located: &Located4<'_>) -> Result<Draft4, Discard> {
    const NO_SUBNET: Discard = Discard::because(DiscardReason::NoSubnet);
    let discover = located.query.packet.message_type == Some(MessageType::Discover);
    match RequestState::of(located) {
        _ if discover => Err(NO_SUBNET),
        RequestState::Rebinding => Err(NO_SUBNET),
        RequestState::InitReboot if !located.cfg.own.authoritative => Err(NO_SUBNET),
        _ => Ok(Draft4::only(Reply::Nak)),
    }
}

/// What an INIT-REBOOT gets before any lease is looked for (RFC 2131 §4.3.2): silence for a client that this server does
/// not know, NAK for a wrong address. `None`: go on.
pub(super) fn init_reboot(
    located: &Located4<'_>,
    known: impl Fn() -> SmallVec<[Lease<V4>; 1]>,
) -> Option<Result<Draft4, Discard>> {
    if RequestState::of(located) != RequestState::InitReboot {
        return None;
    }
    let known = known();
    let authoritative = located
        .subnet()
        .is_some_and(|subnet| subnet.own.authoritative);
    let meant = meant_address(&located.query.packet);
    let right = known
        .iter()
        .any(|lease| Some(lease.resource) == meant && is_in_reach(located, lease.resource));
    match (known.is_empty(), right) {
        (_, true) => None,
        (true, false) if !authoritative => Some(Err(Discard::because(DiscardReason::UnknownLease))),
        _ => Some(Ok(Draft4::only(Reply::Nak))),
    }
}

/// Whether the address belongs to a subnet that the client may use.
fn is_in_reach(located: &Located4<'_>, addr: Ipv4Addr) -> bool {
    let subnets = subnets_of(located.cfg, located.subnet);
    subnets.iter().any(|index| {
        located
            .cfg
            .subnets
            .get(*index)
            .is_some_and(|s| V4::is_inside(&s.prefix, &addr))
    })
}

/// What a REQUEST gets whose address cannot be had: NAK. Kea: silence where the client is unknown and the address is none
/// of this server's, because both may be another server's.
pub(super) fn refused(located: &Located4<'_>, is_known: bool) -> Result<Draft4, Discard> {
    let authoritative = located
        .subnet()
        .is_some_and(|subnet| subnet.own.authoritative);
    let ours = || meant_address(&located.query.packet).is_none_or(|addr| is_ours(located, addr));
    if is_known || authoritative || ours() {
        Ok(Draft4::only(Reply::Nak))
    } else {
        Err(Discard::because(DiscardReason::UnknownLease))
    }
}

/// Whether the address is in a pool, or reserved for somebody.
fn is_ours(located: &Located4<'_>, addr: Ipv4Addr) -> bool {
    let cfg = located.cfg;
    let mut subnets = cfg.subnets.iter();
    subnets.any(|subnet| {
        let mut pools = subnet.pools.iter();
        pools.any(|pool| pool.first <= addr && addr <= pool.last)
            || subnet.reservations.by_resource(&addr).is_some()
    }) || cfg.reservations.by_resource(&addr).is_some()
}

/// Fills in how long the planned lease is, and the reserved name.
pub(super) fn set_lifetime(plan: &mut Plan<V4>, located: &Located4<'_>, now: u64) -> Terms4 {
    if let Some(hostname) = located.host.and_then(|host| host.hostname.as_deref()) {
        plan.lease.hostname = hostname.to_ascii_lowercase().into_boxed_str();
    }
    let packet = &located.query.packet;
    let subnet = located.cfg.subnets.get(plan.claim.subnet());
    let valid_lifetime = subnet.map_or(0, |subnet| {
        lifetime::valid(&subnet.timers, packet.option_u32(code::LEASE_TIME))
    });
    plan.lease.valid_lifetime = valid_lifetime;
    let mut offer_lifetime = match (packet.message_type, subnet) {
        (Some(MessageType::Discover), Some(subnet)) => seconds(subnet.own.offer_lifetime),
        _ => 0,
    };
    // Nothing is to be written where the client's lease runs longer than that anyway: an offer never shortens it.
    let held = plan
        .claim
        .previous()
        .filter(|_| plan.claim.origin() == Origin::Held);
    if held.is_some_and(|lease| lifetime::left(lease, now).0 >= offer_lifetime) {
        offer_lifetime = 0;
    }
    if offer_lifetime > 0 {
        plan.lease.valid_lifetime = offer_lifetime;
    }
    Terms4 {
        valid_lifetime,
        offer_lifetime,
    }
}

/// Addresses that are reserved for the client.
pub(super) fn reserved<'c>(located: &Located4<'c>) -> &'c [Ipv4Addr] {
    located.host.map_or(&[], |host| &host.resources)
}

/// The lease of an address that the client gives back or declines, if it is the client's and runs.
pub(super) fn own_lease(lease: Option<&Lease<V4>>, located: &Located4<'_>) -> Option<Lease<V4>> {
    lease
        .filter(|lease| lease.state == LeaseState::Default && located.is_mine(&lease.owner))
        .cloned()
}

//! What the client gets.

use super::locate::Located4;
use super::names::Names4;
use super::terms::Granted4;
use crate::pipeline::classes;
use crate::pipeline::subnets_of;
use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::{ChangeSet, Ranged};
use outrigger_store::{Lease, Ticket};
use outrigger_wire::V4;
use outrigger_wire::v4::Packet4;
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
pub(super) struct Outcome4<'c> {
    pub(super) reply: Reply,
    /// What is offered or granted.
    pub(super) granted: Option<Granted4>,
    /// Seconds that the written lease of an OFFER runs; 0: nothing is written.
    pub(super) offer_lifetime: u32,
    /// What there was of the offered address, for `lease4_offer`.
    pub(super) old: Option<Lease<V4>>,
    /// Leases for `leases4_committed`.
    pub(super) leases: SmallVec<[Lease<V4>; 1]>,
    /// Deleted leases for `leases4_committed`.
    pub(super) deleted: SmallVec<[Lease<V4>; 1]>,
    /// What the client is called.
    pub(super) names: Names4<'c>,
    /// Durable when everything above is on stable storage.
    pub(super) ticket: Option<Ticket>,
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
pub(super) struct Draft4<'c> {
    pub(super) outcome: Outcome4<'c>,
    /// What the client is called, where the lease makes that another name than was decided before it was found.
    pub(super) names: Option<Names4<'c>>,
    pub(super) changes: ChangeSet<V4>,
}

impl Draft4<'_> {
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

/// What is decided for a DISCOVER or REQUEST without looking for a lease; `None`: go on. `known` are the leases that the
/// client has.
pub(super) fn without_lease<'c>(
    located: &Located4<'c>,
    known: impl Fn() -> SmallVec<[Lease<V4>; 1]>,
) -> Option<Result<Draft4<'c>, Discard>> {
    if classes::is_rejected(&located.query.classes) {
        return Some(if located.is_discover() {
            Err(Discard::because(DiscardReason::RejectClass))
        } else {
            Ok(Draft4::only(Reply::Nak))
        });
    }
    if located.subnet.is_none() {
        return Some(without_subnet(located));
    }
    if located.is_discover() {
        return None;
    }
    init_reboot(located, known)
}

/// What a DISCOVER or REQUEST gets for which there is no subnet.
fn without_subnet<'c>(located: &Located4<'c>) -> Result<Draft4<'c>, Discard> {
    const NO_SUBNET: Discard = Discard::because(DiscardReason::NoSubnet);
    match RequestState::of(located) {
        _ if located.is_discover() => Err(NO_SUBNET),
        RequestState::Rebinding => Err(NO_SUBNET),
        RequestState::InitReboot if !located.cfg.own.authoritative => Err(NO_SUBNET),
        _ => Ok(Draft4::only(Reply::Nak)),
    }
}

/// What an INIT-REBOOT gets before any lease is looked for (RFC 2131 §4.3.2): silence for a client that this server does
/// not know, NAK for a wrong address. `None`: go on.
fn init_reboot<'c>(
    located: &Located4<'c>,
    known: impl Fn() -> SmallVec<[Lease<V4>; 1]>,
) -> Option<Result<Draft4<'c>, Discard>> {
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
pub(super) fn refused<'c>(located: &Located4<'c>, is_known: bool) -> Result<Draft4<'c>, Discard> {
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

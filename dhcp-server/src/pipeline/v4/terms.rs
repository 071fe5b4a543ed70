//! How long a planned lease is.

use super::locate::Located4;
use crate::pipeline::classes;
use crate::pipeline::seconds;
use outrigger_alloc::{Origin, Plan, lifetime};
use outrigger_config::model::{Pool, Server};
use outrigger_store::Lease;
use outrigger_wire::V4;
use outrigger_wire::v4::code;

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

impl Granted4 {
    /// The pool that the address lies in; `None` where it is reserved or chosen outside of them.
    pub(super) fn pool<'c>(&self, cfg: &'c Server<V4>) -> Option<&'c Pool<V4>> {
        let address = self.lease.resource;
        let mut pools = cfg.subnets.get(self.subnet)?.pools.iter();
        pools.find(|pool| pool.first <= address && address <= pool.last)
    }
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
    /// Sets them in the plan. Kea: of class and subnet the class decides.
    pub(super) fn set(plan: &mut Plan<V4>, located: &Located4<'_>, now: u64) -> Self {
        let (cfg, query) = (located.cfg, &located.query);
        let subnet = cfg.subnets.get(plan.claim.subnet());
        let valid_lifetime = subnet.map_or(0, |subnet| {
            let triplet = classes::first(cfg, &query.classes, |class| class.valid_lifetime);
            let triplet = triplet.unwrap_or(subnet.timers.valid_lifetime);
            triplet.clamp(query.packet.option_u32(code::LEASE_TIME))
        });
        let offer_lifetime = match subnet {
            Some(subnet) if located.is_discover() => {
                let of_class =
                    classes::first(cfg, &query.classes, |class| class.own.offer_lifetime);
                seconds(of_class.unwrap_or(subnet.own.offer_lifetime))
            }
            _ => 0,
        };
        // Nothing is to be written where the client's lease runs longer than that anyway: an offer never shortens it.
        let held = plan
            .claim
            .previous()
            .filter(|_| plan.claim.origin() == Origin::Held);
        let runs = held.is_some_and(|lease| lifetime::left(lease, now).0 >= offer_lifetime);
        let terms = Self {
            valid_lifetime,
            offer_lifetime: if runs { 0 } else { offer_lifetime },
        };
        plan.lease.valid_lifetime = match terms.offer_lifetime {
            0 => valid_lifetime,
            offer_lifetime => offer_lifetime,
        };
        terms
    }

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

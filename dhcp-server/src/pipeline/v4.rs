//! The life of a DHCPv4 packet (RFC 2131), with its hook points, in Kea's order.

mod accept;
mod answer;
mod decide;
mod locate;

use super::{MAX_PLANS, OFFER_HOLD, index_of, keeps_released, run_or_discard, subnets_of, won};
use crate::clock::Clock;
use crate::telemetry::{Discard, DiscardReason};
use crate::turns::Turns;
use decide::{Draft4, Granted4, Outcome4, Reply, Terms4};
use locate::Located4;
use outrigger_alloc::{Allocator, Origin, Plan, Ranged, Wish, lifetime};
use outrigger_config::model::Server;
use outrigger_hooks::callouts::LinkOverride;
use outrigger_hooks::callouts::v4::{
    Buffer4Receive, Buffer4Send, Lease4Decline, Lease4Expire, Lease4Offer, Lease4Recover,
    Lease4Release, Lease4Renew, Lease4Select, Leases4Committed, Pkt4Receive, Pkt4Send,
    Subnet4Select,
};
use outrigger_hooks::{PacketHooks, ShardHooks, Step};
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::v4::MessageType;
use outrigger_wire::{Classes, Datagram, Link, Outgoing, V4};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// One shard's DHCPv4 server.
#[derive(Debug)]
pub struct Server4 {
    /// Which leases there are and which one a client gets; one for all shards.
    pub alloc: Arc<Allocator<V4>>,
    /// One packet per client at a time; one for all shards.
    pub turns: Arc<Turns>,
    /// Time of day.
    pub clock: Clock,
    /// First IPv4 address of each interface, by the interface's index.
    pub addresses: Arc<[(u32, Ipv4Addr)]>,
    /// 67 and 68 but in tests.
    pub ports: Ports,
}

/// UDP ports of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Where servers and relays listen.
    pub server: u16,
    /// Where clients listen.
    pub client: u16,
}

impl Server4 {
    /// Turns a received datagram into the datagram to send; `None` where the message wants no reply. `Err` is silence, with
    /// its reason.
    ///
    /// # Errors
    /// The packet gets no answer.
    ///
    /// # Cancel safety
    /// Dropped before its end, nothing is answered; what was committed stays.
    pub async fn serve(
        &self,
        cfg: &Server<V4>,
        hooks: &ShardHooks,
        mut datagram: Datagram,
    ) -> Result<Option<Outgoing>, Discard> {
        let mut hooks = hooks.for_packet();
        let (mut classes, mut additional_classes) = (Classes::default(), Classes::default());
        let mut parsed = None;

        // Understand
        hooks
            .call(Buffer4Receive {
                datagram: &mut datagram,
                classes: &mut classes,
                additional_classes: &mut additional_classes,
                parsed: &mut parsed,
            })
            .await?;
        let mut query = accept::decode(datagram, classes)?;
        query.additional_classes = additional_classes;
        let own = self.own_address(&query.link);
        accept::addressed_to_us(cfg, &query, own)?;
        run_or_discard(hooks.call(Pkt4Receive { query: &mut query }).await?)?;
        accept::not_in_drop_class(&query)?;

        // Locate
        let _turn = accept::turn(&self.turns, &query.packet).await?;
        accept::well_formed(&query.packet)?;
        let mut located = locate::subnet(cfg, query, own);
        if selects_subnet(&located) {
            self.select_subnet(&mut hooks, &mut located).await?;
        }
        locate::reservation(&mut located);

        // Decide
        let outcome = self.decide(&mut hooks, &mut located).await?;
        if let Some(ticket) = outcome.ticket {
            self.alloc.store().durable(ticket).await?;
        }

        // Answer
        let mut answer = answer::build(located, outcome);
        let (query, outcome) = (&mut answer.query, &answer.outcome);
        let mut link = LinkOverride::new(&Arc::default(), query.packet.is_relayed());
        match (query.packet.message_type, &mut answer.response) {
            (Some(MessageType::Discover), Some(response)) => {
                let lease = outcome.granted.as_ref().map(|granted| &granted.lease);
                let (offer_lifetime, old_lease) = (outcome.offer_lifetime, outcome.old.as_ref());
                hooks
                    .call(Lease4Offer {
                        query,
                        response,
                        lease,
                        offer_lifetime,
                        old_lease,
                        host: None,
                        host_subnet_id: 0,
                        link: &mut link,
                        address_in_use: &mut false,
                    })
                    .await?;
            }
            (Some(MessageType::Inform), _) => {}
            (_, response) => {
                let (leases, deleted) = (&outcome.leases, &outcome.deleted);
                hooks
                    .call(Leases4Committed {
                        query,
                        response: response.as_mut(),
                        leases,
                        deleted,
                        link: &mut link,
                    })
                    .await?;
            }
        }
        let mut pack = Step::Run;
        if let Some(response) = &mut answer.response {
            let (subnet_id, packed) = (answer.subnet_id, &mut answer.packed);
            pack = hooks
                .call(Pkt4Send {
                    query,
                    response,
                    subnet_id,
                    packed,
                    link: &mut link,
                })
                .await?;
        }
        let Some(mut outgoing) = answer.encode(pack, self.ports)? else {
            return Ok(None);
        };
        link.apply_to_outgoing(&mut outgoing);
        run_or_discard(
            hooks
                .call(Buffer4Send {
                    outgoing: &mut outgoing,
                    link: &mut link,
                })
                .await?,
        )?;
        Ok(Some(outgoing))
    }

    /// This server's address on the link: the one that the packet was sent to, else its interface's first.
    fn own_address(&self, link: &Link) -> Ipv4Addr {
        match link.local.ip() {
            IpAddr::V4(addr)
                if !addr.is_broadcast() && !addr.is_multicast() && !addr.is_unspecified() =>
            {
                addr
            }
            _ => {
                let mut known = self.addresses.iter();
                let own = known.find(|(index, _)| *index == link.interface_index);
                own.map_or(Ipv4Addr::UNSPECIFIED, |(_, addr)| *addr)
            }
        }
    }

    async fn select_subnet(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<(), Discard> {
        let mut subnet_id = located.subnet_id();
        let subnet_ids = &located.cfg.subnet_ids;
        let query = &mut located.query;
        let step = hooks
            .call(Subnet4Select {
                query,
                subnet_id: &mut subnet_id,
                subnet_ids,
            })
            .await?;
        located.select(match step {
            Step::Run => subnet_id,
            Step::Skip => None,
        });
        Ok(())
    }

    /// Decides, then writes; decides again when another packet was faster.
    async fn decide(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<Outcome4, Discard> {
        for _ in 0..MAX_PLANS {
            let draft = match located.query.packet.message_type {
                Some(MessageType::Discover | MessageType::Request) => {
                    self.assign(hooks, located).await?
                }
                Some(MessageType::Release) => self.release(hooks, located).await?,
                Some(MessageType::Decline) => self.decline(hooks, located).await?,
                // INFORM changes nothing.
                _ => Draft4::only(Reply::Ack),
            };
            if let Some(ticket) = won(self.alloc.commit(draft.changes))? {
                return Ok(Outcome4 {
                    ticket,
                    ..draft.outcome
                });
            }
        }
        Err(Discard::because(DiscardReason::LostEveryRace))
    }

    /// DISCOVER, REQUEST: plans a lease and shows it, until a callout lets one pass.
    async fn assign(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<Draft4, Discard> {
        let discover = located.query.packet.message_type == Some(MessageType::Discover);
        if located.subnet.is_none() {
            return decide::without_subnet(located);
        }
        if !discover && let Some(decided) = decide::init_reboot(located, || self.known(located)) {
            return decided;
        }
        let mut skipped: SmallVec<[Ipv4Addr; 4]> = SmallVec::new();
        for _ in 0..MAX_PLANS {
            let Some(mut plan) = self.plan(located, &skipped) else {
                break;
            };
            let terms = decide::set_lifetime(&mut plan, located, self.clock.now());
            // Kea: what is only offered is not taken over yet.
            if !discover || terms.offer_lifetime > 0 {
                self.take_over(hooks, &plan).await?;
            }
            match self.show(hooks, located, &mut plan, terms).await? {
                Step::Run if discover => return Ok(self.offer(plan, terms)),
                Step::Run => return Ok(self.grant(located, plan, terms)),
                Step::Skip if plan.claim.origin() == Origin::Held => {
                    return Ok(keep_as_it_is(plan, discover, self.clock.now()));
                }
                Step::Skip => skipped.push(plan.lease.resource),
            }
        }
        if discover {
            Err(Discard::because(DiscardReason::NoneLeft))
        } else {
            decide::refused(located, !self.known(located).is_empty())
        }
    }

    /// The leases that the client has, on whatever link.
    fn known(&self, located: &Located4<'_>) -> SmallVec<[Lease<V4>; 1]> {
        let is_mine = |lease: &Lease<V4>| located.is_mine(&lease.owner);
        self.alloc.leases_of(&located.keys(), &is_mine)
    }

    fn plan(&self, located: &Located4<'_>, skipped: &[Ipv4Addr]) -> Option<Plan<V4>> {
        let hint = decide::meant_address(&located.query.packet);
        self.alloc.plan(&Wish {
            cfg: located.cfg,
            subnets: &subnets_of(located.cfg, located.subnet),
            kind: (),
            owner: &located.owner,
            keys: &located.keys(),
            is_mine: &|owner| located.is_mine(owner),
            reserved: decide::reserved(located),
            hint,
            classes: &located.query.classes,
            only_hint: hint.is_some()
                && located.query.packet.message_type == Some(MessageType::Request),
            skipped,
            now: self.clock.now(),
        })
    }

    /// The candidate is an expired lease: its end is reported first.
    async fn take_over(&self, hooks: &mut PacketHooks<'_>, plan: &Plan<V4>) -> Result<(), Discard> {
        let expired = plan
            .claim
            .previous()
            .filter(|_| plan.claim.origin() == Origin::Expired)
            .cloned();
        if let Some(mut lease) = expired {
            let step = hooks
                .call(Lease4Expire {
                    lease: &mut lease,
                    remove_lease: false,
                })
                .await?;
            if step == Step::Run && lease.state == LeaseState::Declined {
                hooks.call(Lease4Recover { lease: &lease }).await?;
            }
        }
        Ok(())
    }

    /// Shows the planned lease to the hook point of its kind.
    async fn show(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
        plan: &mut Plan<V4>,
        terms: Terms4,
    ) -> Result<Step, Discard> {
        let (cfg, now) = (located.cfg, self.clock.now());
        let Plan { lease, claim } = plan;
        // An expired lease too: nobody else has had it since.
        let own = decide::own_lease(claim.previous(), located).is_some();
        let (query, owner) = (&mut located.query, &located.owner);
        let (subnet_id, offer_lifetime) = (lease.subnet_id, terms.offer_lifetime);
        let step = match own {
            // Kea: also for a DISCOVER of a client that has a lease.
            true => {
                hooks
                    .call(Lease4Renew {
                        query,
                        subnet_id,
                        lease,
                    })
                    .await?
            }
            false => {
                let discover = query.packet.message_type == Some(MessageType::Discover);
                let fake_allocation = discover && offer_lifetime == 0;
                let subnet = cfg.subnets.get(claim.subnet());
                let claim = &mut |resource: Ipv4Addr| {
                    match subnet {
                        Some(subnet) if V4::is_inside(&subnet.prefix, &resource) => {}
                        _ => return Err("it lies outside the subnet"),
                    }
                    claim.move_to(cfg, resource, owner, now)
                };
                hooks
                    .call(Lease4Select {
                        query,
                        subnet_id,
                        fake_allocation,
                        offer_lifetime,
                        lease,
                        claim,
                    })
                    .await?
            }
        };
        Ok(step)
    }

    /// The client is offered the planned lease. It is written where offers have a lifetime, kept in memory else.
    fn offer(&self, mut plan: Plan<V4>, terms: Terms4) -> Draft4 {
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
            plan.offer(self.clock.now() + OFFER_HOLD)
        };
        draft.outcome.granted = Some(terms.granted(lease, subnet));
        draft
    }

    /// The client gets the planned lease; any other that it has on this link ends.
    fn grant(&self, located: &Located4<'_>, plan: Plan<V4>, terms: Terms4) -> Draft4 {
        let mut draft = Draft4::only(Reply::Ack);
        let granted = plan.lease.resource;
        if plan.claim.origin() != Origin::Held {
            let reachable = subnets_of(located.cfg, located.subnet);
            let on_link =
                |id: u32| index_of(located.cfg, id).is_some_and(|index| reachable.contains(&index));
            let others = |lease: &Lease<V4>| {
                lease.resource != granted
                    && on_link(lease.subnet_id)
                    && located.is_mine(&lease.owner)
            };
            for old in self.alloc.leases_of(&located.keys(), &others) {
                draft.changes.remove(&old);
                draft.outcome.deleted.push(old);
            }
        }
        draft.outcome.leases.push(plan.lease.clone());
        draft.outcome.granted = Some(terms.granted(plan.lease.clone(), plan.claim.subnet()));
        draft.changes.grant(plan);
        draft
    }

    /// RELEASE: the lease of ciaddr, where it is the client's.
    async fn release(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<Draft4, Discard> {
        let mut draft = Draft4::only(Reply::None);
        let ciaddr = located.query.packet.header.ciaddr;
        let lease = decide::own_lease(self.alloc.store().lock().get(&ciaddr), located);
        if let Some(mut lease) = lease {
            let (query, subnet_id) = (&mut located.query, lease.subnet_id);
            if hooks
                .call(Lease4Release {
                    query,
                    subnet_id,
                    lease: &mut lease,
                })
                .await?
                == Step::Run
            {
                draft.changes.release(&lease, keeps_released(located.cfg));
                draft.outcome.deleted.push(lease);
            }
        }
        Ok(draft)
    }

    /// DECLINE: the address of option 50, where the lease is the client's, goes out of use for a while.
    async fn decline(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<Draft4, Discard> {
        let mut draft = Draft4::only(Reply::None);
        let requested = located
            .query
            .packet
            .requested_address()
            .unwrap_or(Ipv4Addr::UNSPECIFIED);
        let lease = decide::own_lease(self.alloc.store().lock().get(&requested), located);
        if let Some(mut lease) = lease {
            let (query, subnet_id) = (&mut located.query, lease.subnet_id);
            if hooks
                .call(Lease4Decline {
                    query,
                    subnet_id,
                    lease: &mut lease,
                })
                .await?
                == Step::Run
            {
                tracing::warn!(address = %lease.resource, client = %lease.owner, "DHCP4_DECLINE_LEASE");
                let probation = super::seconds(located.cfg.decline_probation_period);
                let declined = draft.changes.decline(&lease, probation, self.clock.now());
                draft.outcome.leases.push(declined);
            }
        }
        Ok(draft)
    }
}

/// A callout forbids to extend the lease: the client is told what is left of it.
fn keep_as_it_is(plan: Plan<V4>, discover: bool, now: u64) -> Draft4 {
    let mut draft = Draft4::only(if discover { Reply::Offer } else { Reply::Ack });
    if let Some(old) = plan.claim.previous() {
        draft.outcome.leases.push(old.clone());
        draft.outcome.granted = Some(Granted4 {
            lease: old.clone(),
            subnet: plan.claim.subnet(),
            valid_lifetime: lifetime::left(old, now).0,
        });
    }
    draft
}

/// Messages at which `subnet4_select` fires.
fn selects_subnet(located: &Located4<'_>) -> bool {
    matches!(
        located.query.packet.message_type,
        Some(MessageType::Discover | MessageType::Request | MessageType::Inform)
    )
}

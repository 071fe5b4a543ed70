//! The life of a DHCPv6 packet (RFC 9915), with its hook points, in Kea's order.

mod accept;
mod answer;
mod decide;
mod locate;
mod register;

use super::{MAX_PLANS, OFFER_HOLD, keeps_released, run_or_discard, subnets_of, won};
use crate::clock::Clock;
use crate::telemetry::{Discard, DiscardReason};
use crate::turns::Turns;
use answer::Answer6;
use decide::{Decided6, Draft6, IaOutcome, IaRequest, Outcome6, Purpose};
use locate::Located6;
use outrigger_alloc::{Allocator, ChangeSet, Origin, Plan, Ranged, Wish, lifetime};
use outrigger_config::model::Server;
use outrigger_hooks::callouts::LinkOverride;
use outrigger_hooks::callouts::v6::{
    Buffer6Receive, Buffer6Send, Lease6Decline, Lease6Expire, Lease6Rebind, Lease6Recover,
    Lease6Release, Lease6Renew, Lease6Select, Leases6Committed, Pkt6Receive, Pkt6Send,
    Subnet6Select,
};
use outrigger_hooks::{PacketHooks, ShardHooks, Step};
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::{LeaseOwner, Owner6, Resource6};
use outrigger_wire::options::Options;
use outrigger_wire::v6::{ADDR_REG_INFORM, MessageType, Status};
use outrigger_wire::{Classes, Datagram, Duid, Outgoing, V6};
use smallvec::SmallVec;
use std::sync::Arc;

const LOST: Discard = Discard::because(DiscardReason::LostEveryRace);

/// One shard's DHCPv6 server.
#[derive(Debug)]
pub struct Server6 {
    /// Which leases there are and which one a client gets; one for all shards.
    pub alloc: Arc<Allocator<V6>>,
    /// One packet per client at a time; one for all shards.
    pub turns: Arc<Turns>,
    /// This server's DUID.
    pub server_id: Duid,
    /// Time of day.
    pub clock: Clock,
    /// Where clients listen; 546 but in tests.
    pub client_port: u16,
}

impl Server6 {
    /// Turns a received datagram into the datagram to send. `Err` is silence, with its reason.
    ///
    /// # Errors
    /// The packet gets no answer.
    ///
    /// # Cancel safety
    /// Dropped before its end, nothing is answered; what was committed stays.
    pub async fn serve(
        &self,
        cfg: &Server<V6>,
        hooks: &ShardHooks,
        mut datagram: Datagram,
    ) -> Result<Outgoing, Discard> {
        let mut hooks = hooks.for_packet();
        let (mut classes, mut additional_classes) = (Classes::default(), Classes::default());
        let mut parsed = None;

        // Understand
        hooks
            .call(Buffer6Receive {
                datagram: &mut datagram,
                classes: &mut classes,
                additional_classes: &mut additional_classes,
                parsed: &mut parsed,
            })
            .await?;
        let mut query = accept::decode(datagram, classes)?;
        query.additional_classes = additional_classes;
        accept::addressed_to_us(&self.server_id, &query)?;
        run_or_discard(hooks.call(Pkt6Receive { query: &mut query }).await?)?;
        accept::well_formed(cfg, &query)?;
        accept::not_in_drop_class(&query)?;

        // Locate
        let _turn = accept::turn(&self.turns, &query.packet).await?;
        let mut located = locate::subnet(cfg, query);
        self.select_subnet(&mut hooks, &mut located).await?;
        locate::reservation(&mut located);

        // Decide
        let outcome = self.decide(&mut hooks, &mut located).await?;

        // Answer
        let mut answer = answer::build(&self.server_id, Decided6 { located, outcome });
        self.register(&mut answer)?;
        if let Some(ticket) = answer.outcome.ticket {
            self.alloc.store().durable(ticket).await?;
        }
        let mut link = LinkOverride::new(&Arc::default(), answer.query.packet.is_relayed());
        if is_committing(&answer) {
            let (leases, deleted) = (&answer.outcome.leases, &answer.outcome.deleted);
            let (query, response) = (&mut answer.query, Some(&mut answer.response));
            hooks
                .call(Leases6Committed {
                    query,
                    response,
                    leases,
                    deleted,
                    link: &mut link,
                })
                .await?;
        }
        let (query, response) = (&mut answer.query, &mut answer.response);
        let (subnet_id, packed) = (answer.subnet_id, &mut answer.packed);
        let pack = hooks
            .call(Pkt6Send {
                query,
                response,
                subnet_id,
                packed,
                link: &mut link,
            })
            .await?;
        let (mut outgoing, _query) = answer.encode(pack, self.client_port)?;
        link.apply_to_outgoing(&mut outgoing);
        run_or_discard(
            hooks
                .call(Buffer6Send {
                    outgoing: &mut outgoing,
                    link: &mut link,
                })
                .await?,
        )?;
        Ok(outgoing)
    }

    async fn select_subnet(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
    ) -> Result<(), Discard> {
        let mut subnet_id = located.subnet_id();
        let subnet_ids = &located.cfg.subnet_ids;
        let query = &mut located.query;
        let step = hooks
            .call(Subnet6Select {
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

    /// Decides for every IA, then writes everything in one step; decides again when another packet was faster.
    async fn decide(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
    ) -> Result<Outcome6, Discard> {
        if located.query.packet.message_type == ADDR_REG_INFORM {
            return register::plan(&self.alloc, located, self.clock.now());
        }
        for _ in 0..MAX_PLANS {
            let mut draft = Draft6::default();
            for ia in decide::requested(located) {
                match located.query.packet.message_type {
                    MessageType::Solicit
                    | MessageType::Request
                    | MessageType::Renew
                    | MessageType::Rebind => {
                        self.assign(hooks, located, &ia, &mut draft).await?;
                    }
                    MessageType::Release => self.release(hooks, located, &ia, &mut draft).await?,
                    MessageType::Decline => self.decline(hooks, located, &ia, &mut draft).await?,
                    // CONFIRM and INFORMATION-REQUEST change nothing, ADDR-REG-INFORM was decided above.
                    _ => {}
                }
            }
            if let Some(ticket) = won(self.alloc.commit(draft.changes))? {
                draft.outcome.ticket = ticket;
                return Ok(draft.outcome);
            }
        }
        Err(LOST)
    }

    /// SOLICIT, REQUEST, RENEW, REBIND: plans a lease for the IA and shows it, until a callout lets one pass.
    async fn assign(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        ia: &IaRequest,
        draft: &mut Draft6,
    ) -> Result<(), Discard> {
        decide::for_this_server(located, ia)?;
        let purpose = decide::purpose(located);
        let mut skipped: SmallVec<[Resource6; 2]> = SmallVec::new();
        for _ in 0..MAX_PLANS {
            let Some(mut plan) = self.plan(located, ia, &skipped) else {
                break;
            };
            decide::set_lifetimes(&mut plan, ia, located);
            self.take_over(hooks, &mut plan).await?;
            match self.show(hooks, located, &ia.owner, &mut plan).await? {
                Step::Run => {
                    self.grant(ia, purpose, plan, draft);
                    return Ok(());
                }
                Step::Skip if plan.claim.origin() == Origin::Held => {
                    keep_as_it_is(ia, &plan, self.clock.now(), draft);
                    return Ok(());
                }
                Step::Skip => skipped.push(plan.lease.resource),
            }
        }
        draft
            .outcome
            .ias
            .push(IaOutcome::refused(ia, decide::none_left(ia, purpose)));
        Ok(())
    }

    fn plan(
        &self,
        located: &Located6<'_>,
        ia: &IaRequest,
        skipped: &[Resource6],
    ) -> Option<Plan<V6>> {
        self.alloc.plan(&Wish {
            cfg: located.cfg,
            subnets: &subnets_of(located.cfg, located.subnet),
            kind: ia.lease_kind(),
            owner: &ia.owner,
            keys: &ia.owner.keys(),
            is_mine: &|owner| *owner == ia.owner,
            reserved: &decide::reserved(located, ia),
            hint: ia.hint(),
            classes: &located.query.classes,
            only_hint: false,
            skipped,
            now: self.clock.now(),
        })
    }

    /// The candidate is an expired lease: its end is reported first.
    async fn take_over(
        &self,
        hooks: &mut PacketHooks<'_>,
        plan: &mut Plan<V6>,
    ) -> Result<(), Discard> {
        let expired = plan
            .claim
            .previous()
            .filter(|_| plan.claim.origin() == Origin::Expired)
            .cloned();
        if let Some(mut lease) = expired {
            let step = hooks
                .call(Lease6Expire {
                    lease: &mut lease,
                    remove_lease: false,
                })
                .await?;
            if step == Step::Run && lease.state == LeaseState::Declined {
                hooks.call(Lease6Recover { lease: &lease }).await?;
            }
        }
        Ok(())
    }

    /// Shows the planned lease to the hook point of its kind.
    async fn show(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        owner: &Owner6,
        plan: &mut Plan<V6>,
    ) -> Result<Step, Discard> {
        let (cfg, now) = (located.cfg, self.clock.now());
        let fake_allocation = decide::purpose(located) == Purpose::Advertise;
        let Plan { lease, claim } = plan;
        let query = &mut located.query;
        // An expired lease too: nobody else has had it since.
        let own = decide::own_lease(claim.previous(), owner).is_some();
        let step = match query.packet.message_type {
            MessageType::Renew if own => {
                let ia_options = &mut Options::new();
                hooks
                    .call(Lease6Renew {
                        query,
                        lease,
                        ia_options,
                    })
                    .await?
            }
            MessageType::Rebind if own => {
                let ia_options = &mut Options::new();
                hooks
                    .call(Lease6Rebind {
                        query,
                        lease,
                        ia_options,
                    })
                    .await?
            }
            // Kea: a repeated SOLICIT or REQUEST gets its lease again without a hook point.
            _ if claim.origin() == Origin::Held => Step::Run,
            _ => {
                let subnet = cfg.subnets.get(claim.subnet());
                let subnet_id = lease.subnet_id;
                let claim = &mut |resource: Resource6| {
                    match subnet {
                        Some(subnet) if V6::is_inside(&subnet.prefix, &resource) => {}
                        _ => return Err("it lies outside the subnet"),
                    }
                    claim.move_to(cfg, resource, owner, now)
                };
                hooks
                    .call(Lease6Select {
                        query,
                        subnet_id,
                        fake_allocation,
                        lease,
                        claim,
                    })
                    .await?
            }
        };
        Ok(step)
    }

    /// Adds the planned lease to the draft. What else the client holds or names in the IA ends.
    fn grant(&self, ia: &IaRequest, purpose: Purpose, plan: Plan<V6>, draft: &mut Draft6) {
        let mut outcome = IaOutcome::of(ia);
        let subnet = plan.claim.subnet();
        if purpose == Purpose::Advertise {
            let lease = plan.offer(self.clock.now() + OFFER_HOLD);
            outcome.granted = Some((lease, subnet));
            draft.outcome.ias.push(outcome);
            return;
        }
        let granted = plan.lease.resource;
        let others = |lease: &Lease<V6>| {
            lease.owner == ia.owner
                && lease.resource != granted
                && same_kind(lease.resource, granted)
        };
        for old in self.alloc.leases_of(&ia.owner.keys(), &others) {
            draft.changes.remove(&old);
            draft.outcome.deleted.push(old);
        }
        if purpose == Purpose::Extend {
            let named = ia.named.iter().map(|(resource, ..)| *resource);
            outcome.retired = named.filter(|resource| *resource != granted).collect();
        }
        draft.outcome.leases.push(plan.lease.clone());
        outcome.granted = Some((plan.lease.clone(), subnet));
        draft.changes.grant(plan);
        draft.outcome.ias.push(outcome);
    }

    /// RELEASE: every lease of the IA that is the client's.
    async fn release(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        ia: &IaRequest,
        draft: &mut Draft6,
    ) -> Result<(), Discard> {
        let mut status = (Status::NoBinding, "this server knows no such lease");
        for (resource, ..) in &ia.named {
            let lease = decide::own_lease(self.alloc.store().lock().get(resource), &ia.owner);
            let Some(mut lease) = lease else { continue };
            match hooks
                .call(Lease6Release {
                    query: &mut located.query,
                    lease: &mut lease,
                })
                .await?
            {
                Step::Run => {
                    draft.changes.release(&lease, keeps_released(located.cfg));
                    draft.outcome.deleted.push(lease);
                    status = (Status::Success, "released");
                }
                Step::Skip => status = (Status::UnspecFail, "the lease was not released"),
            }
        }
        draft.outcome.status = Some(match (status.0, draft.outcome.status) {
            (Status::UnspecFail, _) => status,
            (_, Some(earlier)) => earlier,
            (_, None) => (Status::Success, ""),
        });
        draft.outcome.ias.push(IaOutcome::refused(ia, status));
        Ok(())
    }

    /// DECLINE: every address of the IA that is the client's goes out of use for a while.
    async fn decline(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        ia: &IaRequest,
        draft: &mut Draft6,
    ) -> Result<(), Discard> {
        let probation = super::seconds(located.cfg.decline_probation_period);
        let mut outcome =
            IaOutcome::refused(ia, (Status::NoBinding, "this server knows no such lease"));
        for (resource, ..) in &ia.named {
            let lease = decide::own_lease(self.alloc.store().lock().get(resource), &ia.owner);
            let Some(mut lease) = lease else { continue };
            match hooks
                .call(Lease6Decline {
                    query: &mut located.query,
                    lease: &mut lease,
                })
                .await?
            {
                Step::Run => {
                    tracing::warn!(address = %lease.resource, client = %lease.owner, "DHCP6_DECLINE_LEASE");
                    let declined = draft.changes.decline(&lease, probation, self.clock.now());
                    draft.outcome.leases.push(declined);
                    outcome.status = Some((Status::Success, "declined"));
                }
                Step::Skip => {
                    draft.outcome.leases.push(lease);
                    outcome.status = None;
                }
            }
        }
        draft.outcome.status = Some((Status::Success, ""));
        draft.outcome.ias.push(outcome);
        Ok(())
    }

    /// ADDR-REG-INFORM: the reply is complete, now the registration is written.
    fn register(&self, answer: &mut Answer6) -> Result<(), Discard> {
        let Some(registration) = answer.outcome.registration.take() else {
            return Ok(());
        };
        let mut changes = ChangeSet::default();
        changes.write(registration.previous.as_ref(), registration.lease.clone());
        let ticket = won(self.alloc.commit(changes))?;
        answer.outcome.ticket = ticket.ok_or(LOST)?;
        answer.outcome.leases.push(registration.lease);
        Ok(())
    }
}

/// A callout forbids to extend the lease: the client is told what is left of it.
fn keep_as_it_is(ia: &IaRequest, plan: &Plan<V6>, now: u64, draft: &mut Draft6) {
    let mut outcome = IaOutcome::of(ia);
    if let Some(old) = plan.claim.previous() {
        draft.outcome.leases.push(old.clone());
        let (valid_lifetime, preferred_lifetime) = lifetime::left(old, now);
        let told = Lease {
            valid_lifetime,
            preferred_lifetime,
            ..old.clone()
        };
        outcome.granted = Some((told, plan.claim.subnet()));
    }
    draft.outcome.ias.push(outcome);
}

fn same_kind(a: Resource6, b: Resource6) -> bool {
    matches!(
        (a, b),
        (Resource6::Address(_), Resource6::Address(_))
            | (Resource6::Prefix(_), Resource6::Prefix(_))
    )
}

/// Whether the message is one whose outcome `leases6_committed` reports.
fn is_committing(answer: &Answer6) -> bool {
    match answer.query.packet.message_type {
        MessageType::Solicit => answer.response.message_type == MessageType::Reply,
        MessageType::Request
        | MessageType::Renew
        | MessageType::Rebind
        | MessageType::Release
        | MessageType::Decline
        | ADDR_REG_INFORM => true,
        _ => false,
    }
}

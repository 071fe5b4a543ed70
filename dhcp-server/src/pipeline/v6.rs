//! The life of a DHCPv6 packet (RFC 9915), with its hook points, in Kea's order.

mod accept;
mod answer;
mod classify;
mod decide;
mod locate;
mod names;
mod register;

use super::{MAX_PLANS, classes, keeps_released, run_or_discard, seconds, won};
use crate::clock::Clock;
use crate::telemetry::{Discard, DiscardReason};
use crate::turns::{Turn, Turns};
use accept::Received6;
use answer::Answer6;
use decide::{Decided6, Draft6, IaOutcome, IaRequest, Outcome6, Purpose};
use locate::Located6;
use names::{Names6, Place6};
use outrigger_alloc::{Allocator, ChangeSet, Origin, Plan};
use outrigger_config::model::Server;
use outrigger_hooks::callouts::v6::{
    Addr6Register, Buffer6Receive, Buffer6Send, Ddns6Update, Host6Identifier, Lease6Decline,
    Lease6Expire, Lease6Rebind, Lease6Recover, Lease6Release, Lease6Renew, Lease6Select,
    Leases6Committed, Pkt6Receive, Pkt6Send, Subnet6Select,
};
use outrigger_hooks::{DropReason, PacketHooks, ShardHooks, Step};
use outrigger_proto::HookPoint;
use outrigger_store::LeaseState;
use outrigger_wire::family::Resource6;
use outrigger_wire::options::Options;
use outrigger_wire::v6::{ADDR_REG_INFORM, MessageType, Reply6, Status};
use outrigger_wire::{Datagram, Duid, Outgoing, V6};
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
    /// Name and index of each interface that replies may be sent on.
    pub interfaces: Arc<[(Box<str>, u32)]>,
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
        datagram: Datagram,
    ) -> Result<Outgoing, Discard> {
        let shard = hooks;
        let mut hooks = shard.for_packet();

        // Understand
        let mut received = Received6::from(datagram);
        let callout = Buffer6Receive {
            datagram: &mut received.datagram,
            classes: &mut received.classes,
            additional_classes: &mut received.additional_classes,
            parsed: &mut received.parsed,
        };
        let parse = hooks.call(callout).await?;
        let mut query = received.decode(parse)?;
        accept::addressed_to_us(&self.server_id, &query)?;
        classify::by_tests(cfg, &mut query);
        run_or_discard(hooks.call(Pkt6Receive { query: &mut query }).await?)?;
        accept::well_formed(cfg, &query)?;
        classes::not_in_drop_class(&query.classes)?;

        // Locate
        let mut turn = accept::turn(&self.turns, &query.packet).await?;
        let mut located = Located6::new(cfg, query);
        located.has_name_callouts = shard.is_called(HookPoint::Ddns6Update);
        if cfg.early_global_reservations_lookup {
            self.identify(&mut hooks, &mut located).await?;
            locate::global_reservation(&mut located);
            classes::not_in_drop_class(&located.query.classes)?;
        }
        locate::subnet(&mut located);
        self.select_subnet(&mut hooks, &mut located, &mut turn)
            .await?;
        if located.uses_reservations() {
            self.identify(&mut hooks, &mut located).await?;
        }
        locate::reservation(&mut located);
        classes::not_in_drop_class(&located.query.classes)?;

        // Decide
        let place = Place6::selected(&located);
        let names = self.name(&mut hooks, &mut located, place, None).await?;
        let outcome = self.decide(&mut hooks, &mut located, names).await?;
        classify::by_lease(&mut located, &outcome);

        // Answer
        let decided = Decided6 { located, outcome };
        let mut answer = answer::build(&self.server_id, &self.interfaces, decided);
        self.register(&mut hooks, &mut answer).await?;
        if let Some(ticket) = answer.outcome.ticket {
            self.alloc.store().durable(ticket).await?;
        }
        if answer.is_committing() {
            let callout = Leases6Committed {
                query: &mut answer.query,
                response: Some(&mut answer.response),
                leases: &answer.outcome.leases,
                deleted: &answer.outcome.deleted,
                link: &mut answer.link,
            };
            hooks.call_or_park(callout, || turn = None).await?;
        }
        let callout = Pkt6Send {
            query: &mut answer.query,
            response: &mut answer.response,
            subnet_id: answer.subnet_id,
            packed: &mut answer.packed,
            link: &mut answer.link,
        };
        let pack = hooks.call(callout).await?;
        let (mut outgoing, mut link) = answer.encode(pack, self.client_port)?;
        drop(turn);
        let callout = Buffer6Send {
            outgoing: &mut outgoing,
            link: &mut link,
        };
        run_or_discard(hooks.call(callout).await?)?;
        Ok(outgoing)
    }

    /// Asks for a flexible identifier, where one is looked up and was not asked for yet.
    async fn identify(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
    ) -> Result<(), Discard> {
        if !located.begin_identifier() {
            return Ok(());
        }
        let (query, identifier) = (&mut located.query, &mut located.identifier);
        if hooks.call(Host6Identifier { query, identifier }).await? == Step::Skip {
            located.identifier.bytes.clear();
        }
        Ok(())
    }

    /// Shows the selected subnet. While a callout holds the packet its client's turn is free: it is waited for again.
    async fn select_subnet<'t>(
        &'t self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        turn: &mut Option<Turn<'t>>,
    ) -> Result<(), Discard> {
        let mut subnet_id = located.subnet_id();
        let mut held = false;
        let callout = Subnet6Select {
            query: &mut located.query,
            subnet_id: &mut subnet_id,
            subnet_ids: &located.cfg.subnet_ids,
        };
        let let_go = || {
            held = true;
            *turn = None;
        };
        let step = hooks.call_or_park(callout, let_go).await?;
        if held {
            *turn = accept::turn(&self.turns, &located.query.packet).await?;
            // Kea: what was looked up before is lost.
            located.forget_reservation();
        }
        located.select(match step {
            Step::Run => subnet_id,
            Step::Skip => None,
        });
        Ok(())
    }

    /// Decides what the client is called, and shows it where it is called something. `earlier` is what an earlier showing
    /// has made of the reply.
    async fn name(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        place: Place6<'_>,
        earlier: Option<Box<Reply6>>,
    ) -> Result<Names6, Discard> {
        let mut names = Names6::decided(located, place);
        if !located.has_name_callouts || !names.is_told() {
            return Ok(names);
        }
        let mut response = earlier.unwrap_or_else(|| Box::new(answer::begin(located)));
        names.tell(&mut response);
        let (mut shown, parameters) = (names.shown(), place.parameters());
        let callout = Ddns6Update {
            query: &mut located.query,
            response: &mut response,
            subnet_id: place.subnet_id(located.cfg),
            names: &mut shown,
            parameters: parameters.as_ref(),
        };
        hooks.call(callout).await?;
        names.change(&shown, response, place);
        Ok(names)
    }

    /// Decides for every IA, then writes everything in one step; decides again when another packet was faster.
    async fn decide(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        names: Names6,
    ) -> Result<Outcome6, Discard> {
        for _ in 0..MAX_PLANS {
            let mut draft = Draft6::named(names.clone());
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
                    // CONFIRM and INFORMATION-REQUEST change nothing.
                    _ => {}
                }
                if draft.dropped.is_some() {
                    break;
                }
            }
            if located.query.packet.message_type == ADDR_REG_INFORM {
                let registration = register::plan(&self.alloc, located, self.clock.now())?;
                draft.outcome.registration = Some(Box::new(registration));
            }
            self.name_again(hooks, located, &mut draft).await?;
            if let Some(ticket) = won(self.alloc.commit(draft.changes))? {
                draft.outcome.ticket = ticket;
                return match draft.dropped {
                    None => Ok(draft.outcome),
                    Some(dropped) => Err(dropped),
                };
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
            let now = self.clock.now();
            let wish = decide::plan(&self.alloc, located, ia, &skipped, now);
            let Some(mut plan) = wish else { break };
            decide::set_lifetimes(&mut plan, ia, located);
            draft.outcome.names.name_lease(&mut plan.lease);
            // Kea: what is only advertised is not taken over yet.
            if purpose != Purpose::Advertise {
                self.take_over(hooks, &plan).await?;
            }
            let mut outcome = IaOutcome::of(ia);
            let shown = self.show(hooks, located, (ia, &mut outcome), &mut plan);
            match shown.await? {
                Step::Run if purpose == Purpose::Advertise => {
                    draft.offer(outcome, plan, now);
                    return Ok(());
                }
                Step::Run => {
                    let others = decide::others(&self.alloc, ia, plan.lease.resource);
                    draft.grant((ia, outcome), purpose, plan, others);
                    return Ok(());
                }
                Step::Skip if plan.claim.origin() == Origin::Held => {
                    draft.keep_as_it_is(outcome, &plan, now);
                    return Ok(());
                }
                Step::Skip => skipped.push(plan.lease.resource),
            }
        }
        let status = decide::none_left(ia, purpose);
        draft.outcome.ias.push(IaOutcome::refused(ia, status));
        Ok(())
    }

    /// The candidate is an expired lease: its end is reported first.
    async fn take_over(&self, hooks: &mut PacketHooks<'_>, plan: &Plan<V6>) -> Result<(), Discard> {
        let expired = plan.claim.previous();
        let expired = expired.filter(|_| plan.claim.origin() == Origin::Expired);
        let Some(mut lease) = expired.cloned() else {
            return Ok(());
        };
        let callout = Lease6Expire {
            lease: &mut lease,
            remove_lease: false,
        };
        let step = hooks.call(callout).await?;
        if step == Step::Run && lease.state == LeaseState::Declined {
            // Kea: with nothing of what services keep for the packet.
            hooks.apart().call(Lease6Recover { lease: &lease }).await?;
        }
        Ok(())
    }

    /// Shows the planned lease to the hook point of its kind.
    async fn show(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        ia: (&IaRequest, &mut IaOutcome),
        plan: &mut Plan<V6>,
    ) -> Result<Step, Discard> {
        let cfg = located.cfg;
        let fake_allocation = decide::purpose(located) == Purpose::Advertise;
        let (ia, outcome) = ia;
        let Plan { lease, claim } = plan;
        let query = &mut located.query;
        // An expired lease too: nobody else has had it since.
        let own = decide::own_lease(claim.previous(), &ia.owner).is_some();
        let mut ia_options = None;
        let step = match query.packet.message_type {
            MessageType::Renew if own => {
                let callout = Lease6Renew {
                    query,
                    lease,
                    ia_options: ia_options.insert(Options::new()),
                };
                hooks.call(callout).await?
            }
            MessageType::Rebind if own => {
                let callout = Lease6Rebind {
                    query,
                    lease,
                    ia_options: ia_options.insert(Options::new()),
                };
                hooks.call(callout).await?
            }
            // Kea: a repeated SOLICIT or REQUEST gets its lease again without a hook point.
            _ if claim.origin() == Origin::Held => Step::Run,
            _ => {
                let callout = Lease6Select {
                    query,
                    subnet_id: lease.subnet_id,
                    fake_allocation,
                    lease,
                    claim: &mut decide::chooser(claim, cfg, &ia.owner, self.clock.now()),
                };
                hooks.call(callout).await?
            }
        };
        outcome.options = ia_options
            .filter(|options| !options.is_empty())
            .map(Box::new);
        Ok(step)
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
            let Some(lease) = lease else { continue };
            let callout = Lease6Release {
                query: &mut located.query,
                lease: &lease,
            };
            match hooks.call(callout).await? {
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
        let probation = seconds(located.cfg.decline_probation_period);
        let now = self.clock.now();
        let mut outcome =
            IaOutcome::refused(ia, (Status::NoBinding, "this server knows no such lease"));
        for (resource, ..) in &ia.named {
            let lease = decide::own_lease(self.alloc.store().lock().get(resource), &ia.owner);
            // Kea: what has expired cannot be declined.
            let Some(lease) = lease.filter(|lease| !lease.is_expired(now)) else {
                continue;
            };
            let callout = Lease6Decline {
                query: &mut located.query,
                lease: &lease,
            };
            match hooks.call(callout).await {
                Ok(Step::Run) => {
                    tracing::warn!(address = %lease.resource, client = %lease.owner, "DHCP6_DECLINE_LEASE");
                    let declined = draft.changes.decline(&lease, probation, now);
                    draft.outcome.leases.push(declined);
                    outcome.status = Some((Status::Success, "declined"));
                }
                Ok(Step::Skip) => {
                    draft.outcome.leases.push(lease);
                    outcome.status = None;
                }
                // Kea: no reply, but addresses that were declined before stay declined.
                Err(drop) if matches!(drop.reason, DropReason::Decision { .. }) => {
                    draft.dropped = Some(drop.into());
                    return Ok(());
                }
                Err(drop) => return Err(drop.into()),
            }
        }
        draft.outcome.status = Some((Status::Success, ""));
        draft.outcome.ias.push(outcome);
        Ok(())
    }

    /// The name may depend on the lease: it is made from the address, or the lease's subnet or pool names clients its own
    /// way.
    async fn name_again(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located6<'_>,
        draft: &mut Draft6,
    ) -> Result<(), Discard> {
        let Some((address, subnet)) = draft.outcome.first_address(located.cfg) else {
            return Ok(());
        };
        let other = Place6::after(located, subnet, address);
        if let Some(place) = other {
            let earlier = draft.outcome.names.response.take();
            let names = self.name(hooks, located, place, earlier).await?;
            draft.rename(names);
        }
        let place = other.unwrap_or_else(|| Place6::selected(located));
        draft.settle_name(address, place);
        Ok(())
    }

    /// ADDR-REG-INFORM: the reply is complete, now the registration is shown and written.
    async fn register(
        &self,
        hooks: &mut PacketHooks<'_>,
        answer: &mut Answer6,
    ) -> Result<(), Discard> {
        let Some(mut registration) = answer.outcome.registration.take() else {
            return Ok(());
        };
        let previous = registration.previous.as_ref();
        let callout = Addr6Register {
            query: &mut answer.query,
            response: &mut answer.response,
            link: &mut answer.link,
            address: registration.address,
            old_lease: register::earlier(previous),
            new_lease: &mut registration.lease,
        };
        if hooks.call(callout).await? == Step::Run {
            let mut changes = ChangeSet::default();
            changes.write(previous, registration.lease.clone());
            answer.outcome.ticket = won(self.alloc.commit(changes))?.ok_or(LOST)?;
            answer.outcome.leases.push(registration.lease);
        }
        Ok(())
    }
}

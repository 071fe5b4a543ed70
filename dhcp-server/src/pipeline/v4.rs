//! The life of a DHCPv4 packet (RFC 2131), with its hook points, in Kea's order.

mod accept;
mod answer;
mod assign;
mod classify;
mod decide;
mod locate;
mod names;
mod terms;

use super::names::Rules;
use super::{MAX_PLANS, classes, keeps_released, run_or_discard, won};
use crate::clock::Clock;
use crate::telemetry::{Discard, DiscardReason};
use crate::turns::{Turn, Turns};
use accept::Received4;
use answer::Answer4;
use decide::{Draft4, Outcome4, Reply};
use locate::Located4;
use names::Names4;
use outrigger_alloc::{Allocator, ChangeSet, Origin, Plan};
use outrigger_config::model::Server;
use outrigger_hooks::callouts::v4::{
    Buffer4Receive, Buffer4Send, Ddns4Update, Host4Identifier, Lease4Decline, Lease4Expire,
    Lease4Offer, Lease4Recover, Lease4Release, Lease4Renew, Lease4Select, Lease4ServerDecline,
    Leases4Committed, Pkt4Receive, Pkt4Send, Subnet4Select,
};
use outrigger_hooks::{PacketHooks, ShardHooks, Step};
use outrigger_proto::HookPoint;
use outrigger_store::LeaseState;
use outrigger_wire::v4::{MessageType, Reply4};
use outrigger_wire::{Datagram, Outgoing, V4};
use smallvec::SmallVec;
use std::net::Ipv4Addr;
use std::sync::Arc;
use terms::Terms4;

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
    /// Name and index of each interface that replies may leave on.
    pub interfaces: Arc<[(Box<str>, u32)]>,
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
        datagram: Datagram,
    ) -> Result<Option<Outgoing>, Discard> {
        let shard = hooks;
        let mut hooks = shard.for_packet();

        // Understand
        let mut received = Received4::from(datagram);
        let parse = hooks
            .call(Buffer4Receive {
                datagram: &mut received.datagram,
                classes: &mut received.classes,
                additional_classes: &mut received.additional_classes,
                parsed: &mut received.parsed,
            })
            .await?;
        let mut query = received.decode(parse)?;
        classify::by_tests(cfg, &mut query);
        let own = accept::own_address(&self.addresses, &query.link);
        accept::addressed_to_us(cfg, &query, own)?;
        run_or_discard(hooks.call(Pkt4Receive { query: &mut query }).await?)?;
        classes::not_in_drop_class(&query.classes)?;

        // Locate
        let mut turn = Some(accept::turn(&self.turns, &query.packet).await?);
        let mut located = Located4::new(cfg, query, own);
        located.has_name_callouts = shard.is_called(HookPoint::Ddns4Update);
        if cfg.early_global_reservations_lookup {
            self.identify(&mut hooks, &mut located).await?;
            if locate::global_reservation(&mut located) {
                classify::by_reservation(&mut located);
            }
            classes::not_in_drop_class(&located.query.classes)?;
        }
        accept::well_formed(&located.query.packet)?;
        locate::subnet(&mut located);
        if locate::is_selecting(&located) {
            self.select_subnet(&mut hooks, &mut located, &mut turn)
                .await?;
            if located.uses_reservations() {
                self.identify(&mut hooks, &mut located).await?;
            }
            if locate::reservation(&mut located) {
                classify::by_reservation(&mut located);
            }
            classes::not_in_drop_class(&located.query.classes)?;
        }

        // Decide
        let outcome = self.decide(&mut hooks, &mut located).await?;
        if let Some(ticket) = outcome.ticket {
            self.alloc.store().durable(ticket).await?;
        }

        // Answer
        let mut answer = answer::build(located, outcome, &self.interfaces);
        self.tell(&mut hooks, &mut answer, &mut turn).await?;
        let mut pack = Step::Run;
        if let Some(response) = &mut answer.response {
            pack = hooks
                .call(Pkt4Send {
                    query: &mut answer.query,
                    response,
                    subnet_id: answer.subnet_id,
                    packed: &mut answer.packed,
                    link: &mut answer.link,
                })
                .await?;
        }
        let Some((mut outgoing, mut link)) = answer.encode(pack, self.ports)? else {
            return Ok(None);
        };
        drop(turn);
        let callout = Buffer4Send {
            outgoing: &mut outgoing,
            link: &mut link,
        };
        run_or_discard(hooks.call(callout).await?)?;
        Ok(Some(outgoing))
    }

    /// Asks for a flexible identifier, where one is looked up and was not asked for yet.
    async fn identify(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<(), Discard> {
        if !located.begin_identifier() {
            return Ok(());
        }
        let (query, identifier) = (&mut located.query, &mut located.identifier);
        if hooks.call(Host4Identifier { query, identifier }).await? == Step::Skip {
            located.identifier.bytes.clear();
        }
        Ok(())
    }

    /// Shows the selected subnet. While a callout holds the packet its client's turn is free: it is waited for again.
    async fn select_subnet<'t>(
        &'t self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
        turn: &mut Option<Turn<'t>>,
    ) -> Result<(), Discard> {
        let mut subnet_id = located.subnet_id();
        let callout = Subnet4Select {
            query: &mut located.query,
            subnet_id: &mut subnet_id,
            subnet_ids: &located.cfg.subnet_ids,
        };
        let step = hooks.call_or_park(callout, || *turn = None).await?;
        if turn.is_none() {
            *turn = Some(accept::turn(&self.turns, &located.query.packet).await?);
            // Kea: what was looked up before is lost.
            located.forget_reservation();
        }
        located.select(match step {
            Step::Run => subnet_id,
            Step::Skip => None,
        });
        Ok(())
    }

    /// Decides, then writes; decides again when another packet was faster.
    async fn decide<'c>(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'c>,
    ) -> Result<Outcome4<'c>, Discard> {
        let mut names = Names4::default();
        let wants_lease = locate::wants_lease(located);
        if wants_lease {
            let known = || assign::known(&self.alloc, located);
            if let Some(decided) = decide::without_lease(located, known) {
                return decided.map(|draft| draft.outcome);
            }
            let rules = Rules::of(located.cfg, located.subnet);
            let subnet_id = located.subnet_id();
            names = self.name(hooks, located, rules, subnet_id, None).await?;
        }
        for _ in 0..MAX_PLANS {
            let mut draft = match located.message_type() {
                _ if wants_lease => self.assign(hooks, located, &names).await?,
                Some(MessageType::Release) => self.release(hooks, located).await?,
                Some(MessageType::Decline) => self.decline(hooks, located).await?,
                // INFORM changes nothing.
                _ => Draft4::only(Reply::Ack),
            };
            if let Some(ticket) = won(self.alloc.commit(draft.changes))? {
                draft.outcome.names = draft.names.unwrap_or(names);
                draft.outcome.ticket = ticket;
                return Ok(draft.outcome);
            }
        }
        Err(Discard::because(DiscardReason::LostEveryRace))
    }

    /// What the client is called, and in which directions the DNS is updated for it. Callouts see it with `draft`, or a new
    /// one, which nobody makes for nobody.
    async fn name<'c>(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'c>,
        rules: Rules<'c>,
        subnet_id: Option<u32>,
        draft: Option<Reply4>,
    ) -> Result<Names4<'c>, Discard> {
        let mut names = Names4::decided(located, rules);
        if located.has_name_callouts {
            let mut response = names.draft(located, draft);
            let (mut shown, parameters) = (names.shown(), names.parameters());
            hooks
                .call(Ddns4Update {
                    query: &mut located.query,
                    response: &mut response,
                    subnet_id,
                    names: &mut shown,
                    parameters: parameters.as_ref(),
                })
                .await?;
            names.change(&shown, response);
        }
        Ok(names)
    }

    /// DISCOVER, REQUEST: plans a lease and shows it, until a callout lets one pass.
    async fn assign<'c>(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'c>,
        names: &Names4<'c>,
    ) -> Result<Draft4<'c>, Discard> {
        let discover = located.is_discover();
        let mut skipped: SmallVec<[Ipv4Addr; 4]> = SmallVec::new();
        for _ in 0..MAX_PLANS {
            let now = self.clock.now();
            let Some(mut plan) = assign::plan(&self.alloc, located, &skipped, now) else {
                break;
            };
            let terms = Terms4::set(&mut plan, located, now);
            names.put_into(&mut plan);
            // Kea: what is only offered is not taken over yet.
            if !discover || terms.offer_lifetime > 0 {
                self.take_over(hooks, &plan).await?;
            }
            let step = self.show(hooks, located, &mut plan, terms).await?;
            if step == Step::Skip && plan.claim.origin() != Origin::Held {
                skipped.push(plan.lease.resource);
                continue;
            }
            let renamed = self.rename(hooks, located, &mut plan, names).await?;
            let draft = match step {
                Step::Skip => assign::keep(&plan, discover, now),
                Step::Run if discover => assign::offer(plan, terms, now),
                Step::Run => assign::grant(&self.alloc, located, plan, terms),
            };
            return Ok(Draft4 {
                names: renamed,
                ..draft
            });
        }
        if discover {
            Err(Discard::because(DiscardReason::NoneLeft))
        } else {
            let is_known = !assign::known(&self.alloc, located).is_empty();
            decide::refused(located, is_known)
        }
    }

    /// The candidate is an expired lease: its end is reported first.
    async fn take_over(&self, hooks: &mut PacketHooks<'_>, plan: &Plan<V4>) -> Result<(), Discard> {
        let expired = plan
            .claim
            .previous()
            .filter(|_| plan.claim.origin() == Origin::Expired)
            .cloned();
        if let Some(mut lease) = expired {
            let callout = Lease4Expire {
                lease: &mut lease,
                remove_lease: false,
            };
            let step = hooks.call(callout).await?;
            if step == Step::Run && lease.state == LeaseState::Declined {
                // Kea: with nothing of what services keep for the packet.
                hooks.apart().call(Lease4Recover { lease: &lease }).await?;
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
        let (cfg, discover) = (located.cfg, located.is_discover());
        // An expired lease too: nobody else has had it since.
        let previous = plan.claim.previous();
        let own = previous.is_some_and(|lease| located.is_own(lease));
        let Plan { lease, claim } = plan;
        let (query, owner) = (&mut located.query, &located.owner);
        let (subnet_id, offer_lifetime) = (lease.subnet_id, terms.offer_lifetime);
        // Kea: also for a DISCOVER of a client that has a lease.
        let step = if own {
            let callout = Lease4Renew {
                query,
                subnet_id,
                lease,
            };
            hooks.call(callout).await?
        } else {
            let callout = Lease4Select {
                query,
                subnet_id,
                fake_allocation: discover && offer_lifetime == 0,
                offer_lifetime,
                lease,
                claim: &mut assign::chooser(claim, cfg, owner, self.clock.now()),
            };
            hooks.call(callout).await?
        };
        Ok(step)
    }

    /// What the client is called with this lease, where that is not what was decided before. Kea: callouts are asked again
    /// where the lease is in another subnet, or in a pool that names clients in its own way.
    async fn rename<'c>(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'c>,
        plan: &mut Plan<V4>,
        names: &Names4<'c>,
    ) -> Result<Option<Names4<'c>>, Discard> {
        let mut renamed = None;
        if let Some(rules) = Names4::rules_after(located, plan) {
            let (subnet_id, draft) = (Some(plan.lease.subnet_id), names.draft.clone());
            let again = self.name(hooks, located, rules, subnet_id, draft).await?;
            again.put_into(plan);
            renamed = Some(again);
        }
        let settled = renamed.as_ref().unwrap_or(names).settled(plan);
        Ok(settled.or(renamed))
    }

    /// RELEASE: the lease of ciaddr, where it is the client's.
    async fn release(
        &self,
        hooks: &mut PacketHooks<'_>,
        located: &mut Located4<'_>,
    ) -> Result<Draft4<'static>, Discard> {
        let mut draft = Draft4::only(Reply::None);
        let ciaddr = located.query.packet.header.ciaddr;
        if let Some(lease) = assign::own_lease(&self.alloc, located, ciaddr) {
            let callout = Lease4Release {
                query: &mut located.query,
                subnet_id: lease.subnet_id,
                lease: &lease,
            };
            if hooks.call(callout).await? == Step::Run {
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
    ) -> Result<Draft4<'static>, Discard> {
        let mut draft = Draft4::only(Reply::None);
        let requested = located.query.packet.requested_address();
        let requested = requested.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let lease = assign::own_lease(&self.alloc, located, requested);
        // Kea: what has expired cannot be declined.
        let lease = lease.filter(|lease| !lease.is_expired(self.clock.now()));
        if let Some(lease) = lease {
            let callout = Lease4Decline {
                query: &mut located.query,
                subnet_id: lease.subnet_id,
                lease: &lease,
            };
            if hooks.call(callout).await? == Step::Run {
                tracing::warn!(address = %lease.resource, client = %lease.owner, "DHCP4_DECLINE_LEASE");
                let probation = super::seconds(located.cfg.decline_probation_period);
                let declined = draft.changes.decline(&lease, probation, self.clock.now());
                draft.outcome.leases.push(declined);
            }
        }
        Ok(draft)
    }

    /// Tells callouts of the complete reply, or of what is committed without one.
    async fn tell<'t>(
        &'t self,
        hooks: &mut PacketHooks<'_>,
        answer: &mut Answer4<'_>,
        turn: &mut Option<Turn<'t>>,
    ) -> Result<(), Discard> {
        let (query, outcome) = (&mut answer.query, &answer.outcome);
        match (query.packet.message_type, &mut answer.response) {
            (Some(MessageType::Discover), Some(response)) => {
                let mut address_in_use = false;
                let callout = Lease4Offer {
                    query,
                    response,
                    lease: outcome.granted.as_ref().map(|granted| &granted.lease),
                    offer_lifetime: outcome.offer_lifetime,
                    old_lease: outcome.old.as_ref(),
                    host: answer.host,
                    host_subnet_id: answer.host_subnet_id,
                    link: &mut answer.link,
                    address_in_use: &mut address_in_use,
                };
                hooks.call_or_park(callout, || *turn = None).await?;
                if address_in_use {
                    self.server_decline(hooks, answer).await?;
                }
            }
            (Some(MessageType::Inform), _) => {}
            (_, response) => {
                let callout = Leases4Committed {
                    query,
                    response: response.as_mut(),
                    leases: &outcome.leases,
                    deleted: &outcome.deleted,
                    link: &mut answer.link,
                };
                hooks.call_or_park(callout, || *turn = None).await?;
            }
        }
        Ok(())
    }

    /// A callout found the offered address in use while the offer was held: the address goes out of use for a while,
    /// unless it is somebody's by now, and the client gets no offer.
    async fn server_decline(
        &self,
        hooks: &mut PacketHooks<'_>,
        answer: &mut Answer4<'_>,
    ) -> Result<(), Discard> {
        let mut changes = ChangeSet::default();
        if let Some(lease) = answer.decline(&mut changes, self.clock.now())
            && let Some(ticket) = won(self.alloc.commit(changes))?
        {
            tracing::warn!(address = %lease.resource, client = %lease.owner, "DHCP4_SERVER_INITIATED_DECLINE");
            if let Some(ticket) = ticket {
                self.alloc.store().durable(ticket).await?;
            }
            let (query, lease) = (&mut answer.query, &lease);
            hooks.call(Lease4ServerDecline { query, lease }).await?;
        }
        Err(Discard::because(DiscardReason::AddressInUse))
    }
}

//! The callouts of one packet.

use crate::callout::{Callout, DropReason, Effect, HookDrop, Step};
use crate::callouts::server::Command;
use crate::counters::count;
use crate::hooks::ShardHooks;
use crate::link::Permit;
use crate::parking::{Held, next_final};
use crate::policy::{Cause, Failure};
use crate::reads::Reads;
use crate::reply::{self, Checked, Context, Round};
use crate::routes::Target;
use crate::service::Service;
use crate::session::{Call, Ticket};
use bytes::Bytes;
use outrigger_proto::{HookPoint, MAX_MESSAGE, NextStep, OnFailure, v1};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use v1::callout_reply::Outcome;

/// What a message needs beside arguments, context and label, generously.
const ENVELOPE: usize = 1024;

/// Time for all callouts of one event in the server's life, or of one command.
const LIFECYCLE_BUDGET: Duration = Duration::from_secs(10);
/// Time for one of them, unless the configuration names the hook point with a deadline of its own.
const LIFECYCLE_CALL: Duration = Duration::from_secs(5);

/// The callouts of one packet, of one reclamation pass, or of one event in the server's life: what is left of its time,
/// and what each service keeps with it.
pub struct PacketHooks<'a> {
    shard: &'a ShardHooks,
    deadline: Instant,
    /// Time for one call where the configuration does not name the hook point; `None`: as configured for the service.
    call_time: Option<Duration>,
    /// By index of the service.
    contexts: SmallVec<[(usize, Bytes); 2]>,
}

/// What the services before said at this hook point.
struct Chain<'r> {
    status: NextStep,
    /// Who said so.
    decided_by: usize,
    label: Arc<str>,
    /// Whether PARK holds the packet.
    may_park: bool,
    /// Calls answered with PARK, in configured order.
    held: Vec<Held<'r>>,
}

impl<'a> PacketHooks<'a> {
    pub(crate) fn new(shard: &'a ShardHooks, budget: Duration) -> Self {
        Self {
            shard,
            deadline: Instant::now() + budget,
            call_time: None,
            contexts: SmallVec::new(),
        }
    }

    pub(crate) fn lifecycle(shard: &'a ShardHooks) -> Self {
        Self {
            call_time: Some(LIFECYCLE_CALL),
            ..Self::new(shard, LIFECYCLE_BUDGET)
        }
    }

    /// For the next lease of a reclamation pass: the time of a packet begins anew, and what services keep stays.
    pub fn next_lease(&mut self) {
        self.deadline = Instant::now() + self.shard.hooks.budget();
    }

    /// For something beside the packet, in the packet's time: with nothing of what services keep for it.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            deadline: self.deadline,
            ..Self::new(self.shard, Duration::ZERO)
        }
    }

    /// Runs the callouts of `C::POINT` in configured order. Each sees the next step and the changes of those before it;
    /// all are called whatever the others said, and the last next step counts. A failed call counts as no call (what
    /// others said stands), or drops the packet at once, as its policy says. Costs one branch where nobody is called.
    ///
    /// # Errors
    /// The packet gets no answer, because a service or the policy for its failure says so.
    ///
    /// # Cancel safety
    /// Calls under way are given up and hold nothing; changes applied so far stay.
    pub async fn call<C: Callout>(&mut self, callout: C) -> Result<Step, HookDrop> {
        if !self.shard.is_called(C::POINT) {
            return Ok(Step::Run);
        }
        let routes = self.shard.hooks.routes();
        // On the heap, so that the packet's own future stays small.
        Box::pin(self.call_services(callout, routes.at(C::POINT))).await
    }

    /// As [`Self::call`], where a service may hold the packet. PARK as the last next step holds it until every service
    /// that said so has sent a final reply, or has not in its time: then its policy applies. Final replies are applied in
    /// configured order and the last next step among them counts, but DROP at once. `while_parked` runs once, when the
    /// packet begins to be held; the packet's time stands still from then on.
    ///
    /// # Errors
    /// As [`Self::call`]; and as many packets as may be held at this hook point are there already.
    ///
    /// # Cancel safety
    /// As [`Self::call`]; final replies come too late then.
    pub async fn call_or_park<C: Callout>(
        &mut self,
        callout: C,
        while_parked: impl FnOnce(),
    ) -> Result<Step, HookDrop> {
        if !self.shard.is_called(C::POINT) {
            return Ok(Step::Run);
        }
        let Some(_place) = self.shard.hooks.lots().enter(C::POINT) else {
            return Err(HookDrop {
                point: C::POINT,
                reason: DropReason::ParkingFull,
            });
        };
        let routes = self.shard.hooks.routes();
        Box::pin(self.call_and_hold(callout, routes.at(C::POINT), while_parked)).await
    }

    /// Runs a control command with the services that offer it, in configured order; each sees the answer of those before
    /// it and may replace it. `None` where no service offers it. `command` is the complete command, JSON. The answer is
    /// JSON too: that of the last service that gave one, or an error of ours where none did.
    ///
    /// # Cancel safety
    /// As [`Self::call`].
    pub async fn command(&mut self, name: &str, command: &str) -> Option<String> {
        let routes = self.shard.hooks.routes();
        let targets = routes.of_command(name)?;
        let mut response = String::new();
        let callout = Command {
            name,
            command,
            response: &mut response,
        };
        if let Err(refused) = Box::pin(self.call_services(callout, targets)).await {
            tracing::debug!(name, %refused, "command of hook services");
        }
        if response.is_empty() {
            let text = format!("no hook service answered the command {name}");
            response = serde_json::json!({"result": 1, "text": text}).to_string();
        }
        Some(response)
    }

    async fn call_services<C: Callout>(
        &mut self,
        mut callout: C,
        targets: &[Target],
    ) -> Result<Step, HookDrop> {
        let chain = self.run_chain(&mut callout, targets, false).await?;
        self.conclude::<C>(&chain)
    }

    async fn call_and_hold<C: Callout>(
        &mut self,
        mut callout: C,
        targets: &[Target],
        while_parked: impl FnOnce(),
    ) -> Result<Step, HookDrop> {
        let mut chain = self
            .run_chain(&mut callout, targets, C::POINT.can_park())
            .await?;
        // Kea: a later service that says something else ends the parking of all.
        if chain.status == NextStep::Park && !chain.held.is_empty() {
            while_parked();
            let began = Instant::now();
            let finished = self.hold(&mut callout, &mut chain).await;
            self.deadline += began.elapsed();
            finished?;
        }
        self.conclude::<C>(&chain)
    }

    /// Calls each service in turn.
    async fn run_chain<'r, C: Callout>(
        &mut self,
        callout: &mut C,
        targets: &'r [Target],
        may_park: bool,
    ) -> Result<Chain<'r>, HookDrop>
    where
        'a: 'r,
    {
        let mut chain = Chain {
            status: NextStep::Continue,
            decided_by: 0,
            label: callout.label().into(),
            may_park,
            held: Vec::new(),
        };
        let mut encoded: Option<(&Reads, Bytes)> = None;
        for target in targets {
            let applied = match self.admit(target) {
                Err(failure) => Err(failure),
                Ok((reads, permit)) => {
                    let arguments = match &encoded {
                        Some((same, bytes)) if *same == reads => bytes.clone(),
                        _ => encoded.insert((reads, callout.encode(reads))).1.clone(),
                    };
                    let asked = self.ask(C::POINT, target, permit, &chain, arguments).await;
                    asked.and_then(|(checked, ticket)| {
                        Ok((apply(callout, checked, &mut encoded)?, ticket))
                    })
                }
            };
            match applied {
                Ok((checked, ticket)) => {
                    if let (Some(NextStep::Park), true, Some(ticket)) =
                        (checked.next, may_park, ticket)
                    {
                        let service = self.service(target);
                        let time = service.settings.park_deadline;
                        chain.held.push(Held::new(target, service, ticket, time));
                    }
                    self.take(C::POINT, target, checked, &mut chain);
                }
                Err(failure) => self.fail(C::POINT, target, &failure)?,
            }
        }
        Ok(chain)
    }

    /// Waits for the final replies of all that hold the packet, and applies them in configured order.
    async fn hold<C: Callout>(
        &mut self,
        callout: &mut C,
        chain: &mut Chain<'_>,
    ) -> Result<(), HookDrop> {
        let mut held = std::mem::take(&mut chain.held);
        let mut replies: Vec<Option<Checked>> = held.iter().map(|_| None).collect();
        chain.status = NextStep::Continue;
        while let Some((index, reply)) = next_final(&mut held).await {
            let target = held[index].target;
            let checked = reply.and_then(|reply| self.check(C::POINT, target, Round::Final, reply));
            match checked {
                Ok(checked) if checked.next == Some(NextStep::Drop) => {
                    self.take(C::POINT, target, checked, chain);
                    return Ok(());
                }
                Ok(checked) => replies[index] = Some(checked),
                Err(failure) => self.fail(C::POINT, target, &failure)?,
            }
        }
        for (held, checked) in held.iter().zip(replies) {
            let Some(checked) = checked else { continue };
            match apply(callout, checked, &mut None) {
                Ok(checked) => self.take(C::POINT, held.target, checked, chain),
                Err(failure) => self.fail(C::POINT, held.target, &failure)?,
            }
        }
        Ok(())
    }

    /// What the service wants to read, and the right to call it now.
    fn admit<'r>(&self, target: &'r Target) -> Result<(&'r Reads, Permit), Failure> {
        let (reads, _) = target.subscription()?;
        Ok((reads, self.shard.links[target.service].pick()?))
    }

    /// One call, up to a reply that is valid and changes only what it may.
    async fn ask(
        &self,
        point: HookPoint,
        target: &Target,
        permit: Permit,
        chain: &Chain<'_>,
        arguments: Bytes,
    ) -> Result<(Checked, Option<Ticket>), Failure> {
        let context = self.context(target.service);
        if arguments.len() + context.len() + chain.label.len() > MAX_MESSAGE - ENVELOPE {
            return Err(Cause::Oversize.into());
        }
        let now = Instant::now();
        if now >= self.deadline {
            return Err(Cause::BudgetExhausted.into());
        }
        let call = Call {
            point,
            deadline: (now + self.call_time(target)).min(self.deadline),
            label: Arc::clone(&chain.label),
            status: chain.status,
            context,
            revision: self.shard.hooks.revision(),
            arguments,
            park: if chain.may_park {
                self.service(target).settings.park_deadline
            } else {
                Duration::ZERO
            },
        };
        let (reply, ticket) = self.send(target, permit, call, now).await?;
        let round = match ticket {
            Some(_) => Round::First,
            None => Round::Only,
        };
        Ok((self.check(point, target, round, reply)?, ticket))
    }

    fn check(
        &self,
        point: HookPoint,
        target: &Target,
        round: Round,
        reply: v1::CalloutReply,
    ) -> Result<Checked, Failure> {
        let (_, writes) = target.subscription()?;
        let of = Context {
            family: self.shard.hooks.family(),
            point,
            settings: &self.service(target).settings,
            writes,
            round,
        };
        reply::check(of, result(reply)?)
    }

    /// Waits for the reply, and tells the breaker how that went.
    async fn send(
        &self,
        target: &Target,
        permit: Permit,
        call: Call,
        now: Instant,
    ) -> Result<(v1::CalloutReply, Option<Ticket>), Failure> {
        let deadline = call.deadline;
        let reply = match timeout_at(deadline, permit.carrier.call(call)).await {
            Ok(reply) => reply,
            Err(_) => Err(Cause::Deadline.into()),
        };
        match &reply {
            Err(failure) if failure.cause == Cause::Deadline => {
                // A call that had less than half of the usual time tells nothing of the service.
                let usual = self.call_time(target).min(self.shard.hooks.budget());
                if deadline.duration_since(now) >= usual / 2 {
                    permit.missed();
                }
                if deadline == self.deadline {
                    return Err(Cause::BudgetExhausted.into());
                }
            }
            Err(failure) if failure.cause == Cause::Shed => drop(permit),
            Ok(_) | Err(_) => permit.answered(),
        }
        reply
    }

    fn take(&mut self, point: HookPoint, target: &Target, checked: Checked, chain: &mut Chain<'_>) {
        let service = self.service(target);
        let counters = &service.counters;
        let next = checked.next.unwrap_or(NextStep::Continue);
        counters.result(point, next);
        let parks = next == NextStep::Park && point.can_park();
        if point.effective(next) != next || (parks && !chain.may_park) {
            count(&counters.unsupported_steps);
        }
        if !checked.warning.is_empty() {
            service.warned(point, &chain.label, &checked.warning);
        }
        if let Some(next) = checked.next {
            chain.status = next;
            chain.decided_by = target.service;
        }
        if let Some(context) = checked.context {
            self.keep(target.service, context);
        }
    }

    fn fail(&self, point: HookPoint, target: &Target, failure: &Failure) -> Result<(), HookDrop> {
        let service = self.service(target);
        service.failed(point, failure, target.on_failure);
        match target.on_failure {
            OnFailure::Continue => Ok(()),
            OnFailure::Drop => Err(HookDrop {
                point,
                reason: DropReason::Failure {
                    service: Arc::clone(&service.name),
                    cause: failure.cause,
                },
            }),
        }
    }

    fn conclude<C: Callout>(&self, chain: &Chain<'_>) -> Result<Step, HookDrop> {
        let effect = match C::POINT.effective(chain.status) {
            NextStep::Continue => return Ok(Step::Run),
            NextStep::Park if C::POINT.can_park() => return Ok(Step::Run),
            // Kea: an identifier does not count unless the callout says CONTINUE.
            NextStep::Park => Effect::Skip,
            NextStep::Skip => C::SKIP,
            NextStep::Drop => C::DROP,
        };
        match effect {
            Effect::Skip => Ok(Step::Skip),
            Effect::Abandon => Err(HookDrop {
                point: C::POINT,
                reason: DropReason::Decision {
                    service: Arc::clone(&self.shard.hooks.services()[chain.decided_by].name),
                },
            }),
        }
    }

    fn call_time(&self, target: &Target) -> Duration {
        let usual = self.call_time.unwrap_or(target.deadline);
        target.own_deadline.unwrap_or(usual)
    }

    fn service(&self, target: &Target) -> &'a Service {
        &self.shard.hooks.services()[target.service]
    }

    fn context(&self, service: usize) -> Bytes {
        let mut contexts = self.contexts.iter();
        contexts
            .find(|(owner, _)| *owner == service)
            .map(|(_, context)| context.clone())
            .unwrap_or_default()
    }

    fn keep(&mut self, service: usize, context: Bytes) {
        match self
            .contexts
            .iter_mut()
            .find(|(owner, _)| *owner == service)
        {
            Some((_, kept)) => *kept = context,
            None => self.contexts.push((service, context)),
        }
    }
}

/// Applies what a reply changes; then the next service needs other arguments.
fn apply<C: Callout>(
    callout: &mut C,
    mut checked: Checked,
    encoded: &mut Option<(&Reads, Bytes)>,
) -> Result<Checked, Failure> {
    if let Some(changes) = checked.changes.take() {
        callout
            .apply(changes)
            .map_err(|refused| Failure::refused(refused.path, &refused.why))?;
        *encoded = None;
    }
    Ok(checked)
}

fn result(reply: v1::CalloutReply) -> Result<v1::CalloutResult, Failure> {
    match reply.outcome {
        Some(Outcome::Result(result)) => Ok(result),
        Some(Outcome::Failure(failure)) => Err(Failure::new(
            Cause::ServiceError,
            format!("{} (code {})", failure.text, failure.code),
        )),
        None => Err(Failure::new(
            Cause::MalformedReply,
            "neither a result nor a failure",
        )),
    }
}

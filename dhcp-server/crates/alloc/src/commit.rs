//! Making what was decided for a packet true, all of it or nothing.

use crate::allocator::Allocator;
use crate::plan::{Claim, Plan};
use crate::pools::is_in_use;
use crate::range::Ranged;
use outrigger_store::{Change, Lease, LeaseState, StoreError, Ticket};
use outrigger_wire::HwAddress;
use outrigger_wire::family::LeaseOwner;
use smallvec::SmallVec;

/// Why nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody changed a lease since it was looked at: plan again.
    #[error("a lease was changed since it was looked at")]
    Lost,
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one packet changes. Committed in one step; dropped, it never was.
#[derive(Debug)]
pub struct ChangeSet<F: Ranged> {
    steps: SmallVec<[Step<F>; 2]>,
    /// Keep the resources until the leases are written.
    claims: SmallVec<[Claim<F>; 2]>,
}

#[derive(Debug)]
struct Step<F: Ranged> {
    resource: F::Resource,
    expected: Option<Lease<F>>,
    new: Option<Lease<F>>,
}

impl<F: Ranged> Default for ChangeSet<F> {
    fn default() -> Self {
        Self {
            steps: SmallVec::new(),
            claims: SmallVec::new(),
        }
    }
}

impl<F: Ranged> ChangeSet<F> {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Writes the planned lease.
    pub fn grant(&mut self, plan: Plan<F>) {
        let Plan { lease, claim } = plan;
        let expected = claim.previous().cloned();
        self.steps.push(Step {
            resource: lease.resource,
            expected,
            new: Some(lease),
        });
        self.claims.push(claim);
    }

    /// The leases that are to be written: their names may change until then.
    pub fn written_mut(&mut self) -> impl Iterator<Item = &mut Lease<F>> {
        self.steps.iter_mut().filter_map(|step| step.new.as_mut())
    }

    /// Removes a lease.
    pub fn remove(&mut self, lease: &Lease<F>) {
        self.steps.push(Step {
            resource: lease.resource,
            expected: Some(lease.clone()),
            new: None,
        });
    }

    /// Writes `new` in the place of `old`, which is a lease of the same resource.
    pub fn replace(&mut self, old: &Lease<F>, new: Lease<F>) {
        self.write(Some(old), new);
    }

    /// Writes `new` in the place of `old`, or where there is no lease of the resource yet.
    pub fn write(&mut self, old: Option<&Lease<F>>, new: Lease<F>) {
        self.steps.push(Step {
            resource: new.resource,
            expected: old.cloned(),
            new: Some(new),
        });
    }

    /// The client gives its lease back. With `affinity` it is remembered for the client until it is flushed.
    pub fn release(&mut self, lease: &Lease<F>, affinity: bool) {
        if !affinity {
            return self.remove(lease);
        }
        let released = Lease {
            state: LeaseState::Released,
            valid_lifetime: 0,
            preferred_lifetime: 0,
            ..lease.clone()
        };
        self.replace(lease, released);
    }

    /// Keeps the resource out of use for `probation` seconds from `now`, with nothing of the client; returns the lease as it
    /// will be.
    pub fn decline(&mut self, lease: &Lease<F>, probation: u32, now: u64) -> Lease<F> {
        self.decline_offered(Some(lease), lease, probation, now)
    }

    /// As [`Self::decline`], of a lease that was only offered: `old` is what is written of its resource.
    pub fn decline_offered(
        &mut self,
        old: Option<&Lease<F>>,
        offered: &Lease<F>,
        probation: u32,
        now: u64,
    ) -> Lease<F> {
        let declined = Lease {
            owner: F::Owner::nobody(),
            hw_address: HwAddress::EMPTY,
            state: LeaseState::Declined,
            cltt: now,
            valid_lifetime: probation,
            preferred_lifetime: 0,
            hostname: Box::default(),
            fqdn_fwd: false,
            fqdn_rev: false,
            user_context: Box::default(),
            ..offered.clone()
        };
        self.write(old, declined.clone());
        declined
    }
}

impl<F: Ranged> Allocator<F> {
    /// Writes everything in the set in one step. It holds when the ticket is durable; `None` where the set is empty.
    ///
    /// # Errors
    /// [`CommitError::Lost`] where a lease is not what it was when the set was made; nothing is written then.
    pub fn commit(&self, set: ChangeSet<F>) -> Result<Option<Ticket>, CommitError> {
        let ChangeSet { steps, claims } = set;
        if steps.is_empty() {
            return Ok(None);
        }
        let mut leases = self.store().lock();
        if steps
            .iter()
            .any(|step| leases.get(&step.resource) != step.expected.as_ref())
        {
            drop(leases);
            return Err(CommitError::Lost);
        }
        let in_use = |step: &Step<F>| step.new.as_ref().is_some_and(is_in_use);
        let marks: SmallVec<[(F::Resource, bool); 4]> = steps
            .iter()
            .map(|step| (step.resource, in_use(step)))
            .collect();
        let changes: SmallVec<[Change<F>; 2]> = steps
            .into_iter()
            .map(|step| step.new.map_or(Change::Remove(step.resource), Change::Put))
            .collect();
        let ticket = leases.apply(&changes)?;
        let mut pools = self.pools();
        for (resource, in_use) in marks {
            let free = !in_use && pools.hold(&resource).is_none();
            pools.mark(&resource, free);
        }
        drop(pools);
        drop(leases);
        drop(claims);
        Ok(Some(ticket))
    }
}

//! Leases that end without a packet: reclamation of expired ones, removal of those that were kept for their clients.

use crate::telemetry::{Discard, DiscardReason};
use outrigger_alloc::{Allocator, ChangeSet, CommitError, Ranged};
use outrigger_config::model::{ExpiredLeases, Server};
use outrigger_hooks::callouts::{v4, v6};
use outrigger_hooks::{HookDrop, PacketHooks, ShardHooks, Step};
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::{V4, V6};
use std::time::{Duration, Instant};

/// The hook points of expiry, which each family has under its own names.
pub trait ExpiryHooks: Ranged {
    /// `leaseN_expire`.
    fn expire(
        hooks: &mut PacketHooks<'_>,
        lease: &mut Lease<Self>,
        remove_lease: bool,
    ) -> impl Future<Output = Result<Step, HookDrop>>;

    /// `leaseN_recover`.
    fn recover(
        hooks: &mut PacketHooks<'_>,
        lease: &Lease<Self>,
    ) -> impl Future<Output = Result<Step, HookDrop>>;
}

impl ExpiryHooks for V4 {
    async fn expire(
        hooks: &mut PacketHooks<'_>,
        lease: &mut Lease<Self>,
        remove_lease: bool,
    ) -> Result<Step, HookDrop> {
        hooks
            .call(v4::Lease4Expire {
                lease,
                remove_lease,
            })
            .await
    }

    async fn recover(hooks: &mut PacketHooks<'_>, lease: &Lease<Self>) -> Result<Step, HookDrop> {
        hooks.call(v4::Lease4Recover { lease }).await
    }
}

impl ExpiryHooks for V6 {
    async fn expire(
        hooks: &mut PacketHooks<'_>,
        lease: &mut Lease<Self>,
        remove_lease: bool,
    ) -> Result<Step, HookDrop> {
        hooks
            .call(v6::Lease6Expire {
                lease,
                remove_lease,
            })
            .await
    }

    async fn recover(hooks: &mut PacketHooks<'_>, lease: &Lease<Self>) -> Result<Step, HookDrop> {
        hooks.call(v6::Lease6Recover { lease }).await
    }
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Leases that were reclaimed.
    pub reclaimed: usize,
    /// Leases that a callout kept; they are presented again.
    pub kept: usize,
    /// Whether leases were left for the next pass, because of a limit.
    pub incomplete: bool,
}

/// Reclaims leases that have expired at `now`, the oldest first, within the limits of the configuration.
///
/// # Errors
/// The store takes no change.
pub async fn reclaim<F: ExpiryHooks>(
    cfg: &Server<F>,
    alloc: &Allocator<F>,
    hooks: &ShardHooks,
    now: u64,
) -> Result<Pass, Discard> {
    let limits = &cfg.expired_leases;
    let most = match limits.max_reclaim_leases {
        0 => usize::MAX,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let expired: Vec<Lease<F>> = {
        let leases = alloc.store().lock();
        leases
            .expired(now, most)
            .filter_map(|resource| leases.get(&resource).cloned())
            .collect()
    };
    let started = Instant::now();
    let mut pass = Pass {
        incomplete: expired.len() == most,
        ..Pass::default()
    };
    // Kea: what services keep lasts over the whole pass.
    let mut of_pass = hooks.for_packet();
    for lease in expired {
        // At least one, however short the time.
        let late =
            !limits.max_reclaim_time.is_zero() && started.elapsed() > limits.max_reclaim_time;
        if late && pass.reclaimed + pass.kept > 0 {
            pass.incomplete = true;
            break;
        }
        of_pass.next_lease();
        match end_of(limits, hooks, &mut of_pass, &lease).await {
            None => pass.kept += 1,
            Some(end) => {
                let mut changes = ChangeSet::default();
                match end {
                    End::Remove => changes.remove(&lease),
                    End::Keep(reclaimed) => changes.replace(&lease, reclaimed),
                }
                match alloc.commit(changes) {
                    Ok(_) => pass.reclaimed += 1,
                    // A packet has renewed or taken it meanwhile.
                    Err(CommitError::Lost) => {}
                    Err(CommitError::Store(_)) => {
                        return Err(Discard::because(DiscardReason::StoreBusy));
                    }
                }
            }
        }
    }
    Ok(pass)
}

enum End<F: Ranged> {
    Remove,
    Keep(Lease<F>),
}

/// Asks the hook points what becomes of an expired lease; `None`: not now.
async fn end_of<F: ExpiryHooks>(
    limits: &ExpiredLeases,
    hooks: &ShardHooks,
    of_pass: &mut PacketHooks<'_>,
    old: &Lease<F>,
) -> Option<End<F>> {
    // Kea: nobody comes back for a registration.
    let remove = limits.hold_reclaimed_time.is_zero() || old.state == LeaseState::Registered;
    let mut lease = old.clone();
    // A failed call never keeps a lease alive: the policy here can only be to go on.
    let step = F::expire(of_pass, &mut lease, remove)
        .await
        .unwrap_or(Step::Run);
    if step == Step::Skip {
        return None;
    }
    if old.state == LeaseState::Declined {
        // Kea: with nothing of what services keep for the pass.
        let recovered = F::recover(&mut hooks.for_packet(), &lease).await;
        let recovered = recovered.unwrap_or(Step::Run);
        return (recovered == Step::Run).then_some(End::Remove);
    }
    if remove {
        return Some(End::Remove);
    }
    Some(End::Keep(Lease {
        state: LeaseState::ExpiredReclaimed,
        ..lease
    }))
}

/// Removes leases that were reclaimed or released longer than `hold-reclaimed-time` before `now`. Returns how many.
///
/// # Errors
/// The store takes no change.
pub fn flush<F: Ranged>(cfg: &Server<F>, alloc: &Allocator<F>, now: u64) -> Result<usize, Discard> {
    const STEP: usize = 1000;
    let cutoff = now.saturating_sub(cfg.expired_leases.hold_reclaimed_time.as_secs());
    let old: Vec<Lease<F>> = {
        let leases = alloc.store().lock();
        leases
            .reclaimed_before(cutoff, STEP)
            .filter_map(|resource| leases.get(&resource).cloned())
            .collect()
    };
    let mut flushed = 0;
    for lease in old {
        let mut changes = ChangeSet::default();
        changes.remove(&lease);
        match alloc.commit(changes) {
            Ok(_) => flushed += 1,
            Err(CommitError::Lost) => {}
            Err(CommitError::Store(_)) => return Err(Discard::because(DiscardReason::StoreBusy)),
        }
    }
    Ok(flushed)
}

/// When a timer of this period fires next; a period of zero never does.
pub async fn tick(period: Duration) {
    if period.is_zero() {
        std::future::pending().await
    } else {
        tokio::time::sleep(period).await;
    }
}

//! The life of a packet: one page per family, [`v4`] and [`v6`]; their stages lie in the folders of the same names.

mod classes;
pub mod names;
pub mod options;
pub mod v4;
pub mod v6;

use crate::telemetry::{Discard, DiscardReason};
use crate::turns::TurnError;
use outrigger_alloc::CommitError;
use outrigger_config::model::{
    Host, HostIdentifierType, HostTable, OptionSet, Server, Settings, Subnet,
};
use outrigger_hooks::{DropReason, HookDrop, Step};
use outrigger_store::StoreError;
use smallvec::SmallVec;

/// How often a packet plans anew after it lost a race or a hook point skipped a candidate.
const MAX_PLANS: usize = 64;

/// Seconds that an offer is kept for its client: several retransmissions of a REQUEST.
const OFFER_HOLD: u64 = 60;

impl From<HookDrop> for Discard {
    fn from(drop: HookDrop) -> Self {
        Self::because(match drop.reason {
            DropReason::Decision { .. } => DiscardReason::HookDecision,
            DropReason::Failure { .. } => DiscardReason::HookFailure,
            DropReason::ParkingFull => DiscardReason::ParkingFull,
        })
    }
}

impl From<StoreError> for Discard {
    fn from(error: StoreError) -> Self {
        Self::because(match error {
            StoreError::Full { .. } | StoreError::NoSpace { .. } => DiscardReason::StoreBusy,
            StoreError::Locked { .. }
            | StoreError::Unusable { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Missing { .. }
            | StoreError::TooLarge { .. }
            | StoreError::Failed { .. }
            | StoreError::Stopped => DiscardReason::NotDurable,
        })
    }
}

impl From<TurnError> for Discard {
    fn from(error: TurnError) -> Self {
        Self::because(match error {
            TurnError::Duplicate => DiscardReason::Duplicate,
            TurnError::Replaced | TurnError::Outranked => DiscardReason::Replaced,
        })
    }
}

/// SKIP where it means that the packet is not served further.
fn run_or_discard(step: Step) -> Result<(), Discard> {
    match step {
        Step::Run => Ok(()),
        Step::Skip => Err(Discard::because(DiscardReason::HookDecision)),
    }
}

/// A commit that lost a race is no failure: `None` asks to plan again.
fn won<T>(committed: Result<T, CommitError>) -> Result<Option<T>, Discard> {
    match committed {
        Ok(done) => Ok(Some(done)),
        Err(CommitError::Lost) => Ok(None),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// The subnets that a client whose subnet is `selected` may get a lease from: that one first, then the others of its
/// shared network.
fn subnets_of<F: Settings>(cfg: &Server<F>, selected: Option<usize>) -> SmallVec<[usize; 4]> {
    let Some(selected) = selected else {
        return SmallVec::new();
    };
    let network = cfg
        .subnets
        .get(selected)
        .and_then(|subnet| cfg.shared_networks.get(subnet.shared_network?));
    let others = network
        .into_iter()
        .flat_map(|network| network.subnets.iter().copied());
    std::iter::once(selected)
        .chain(others.filter(|index| *index != selected))
        .collect()
}

/// Index of the subnet with this id. Subnets are in ascending id.
fn index_of<F: Settings>(cfg: &Server<F>, id: u32) -> Option<usize> {
    cfg.subnets
        .binary_search_by(|subnet| subnet.id.0.cmp(&id))
        .ok()
}

/// Seconds of the configuration's duration; what does not fit is for ever.
fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Option scopes of a subnet: its own, then its shared network's. The caller puts host and pool before them and the
/// global scope behind.
fn subnet_scopes<'c, F: Settings>(
    cfg: &'c Server<F>,
    subnet: &'c Subnet<F>,
) -> impl Iterator<Item = &'c OptionSet> {
    let network = subnet
        .shared_network
        .and_then(|index| cfg.shared_networks.get(index));
    std::iter::once(&subnet.options).chain(network.map(|network| &network.options))
}

/// Kea's lease affinity: a released lease is kept for its client where reclaimed ones are.
fn keeps_released<F: Settings>(cfg: &Server<F>) -> bool {
    let times = &cfg.expired_leases;
    !times.hold_reclaimed_time.is_zero() && !times.flush_reclaimed_timer_wait_time.is_zero()
}

/// What a table has reserved for a client: for the first of its identifiers that is found. `identifier` gives one of a
/// kind, as the table knows it.
fn reserved_in<'t, 'i, F: Settings>(
    cfg: &Server<F>,
    table: &'t HostTable<F>,
    identifier: impl Fn(HostIdentifierType) -> Option<(HostIdentifierType, &'i [u8])>,
) -> Option<&'t Host<F>> {
    if table.is_empty() {
        return None;
    }
    let mut kinds = cfg.host_reservation_identifiers.iter();
    kinds.find_map(|kind| {
        let (kind, bytes) = identifier(*kind)?;
        table.by_identifier(kind, bytes)
    })
}

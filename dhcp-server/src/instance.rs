//! One family's running server: shards that serve packets with the current snapshot, and the upkeep of leases.

use crate::api::NetworkState;
use crate::net::Sockets;
use crate::served::{Common, Served};
use crate::shard::{self, Service, ShardHandles, ShedReason};
use crate::telemetry::{Discard, DiscardReason, Discards};
use crate::upkeep;
use outrigger_config::model::Server;
use outrigger_hooks::{Hooks, ShardHooks};
use outrigger_wire::{Datagram, Outgoing};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// What a packet is served with from beginning to end.
pub struct Snapshot<F: Served> {
    /// The configuration.
    pub cfg: Arc<Server<F>>,
    /// Its services, as this shard is connected to them.
    pub hooks: ShardHooks,
}

/// The current snapshot of one shard; none until the shard is connected.
type Current<F> = watch::Sender<Option<Arc<Snapshot<F>>>>;

/// The shards of one family.
pub struct Instance<F: Served> {
    common: Arc<Common<F>>,
    handles: ShardHandles,
    seats: Vec<Seat<F>>,
}

struct Seat<F: Served> {
    runtime: Handle,
    current: Current<F>,
}

impl<F: Served> Instance<F> {
    /// Starts the shards as `options` say. They hold their packets until they get a snapshot by [`Self::serve_with`].
    ///
    /// # Errors
    /// The system gives no more threads or descriptors.
    pub fn start(
        common: Arc<Common<F>>,
        sockets: Sockets,
        options: &shard::Options,
        discards: Arc<Discards>,
    ) -> io::Result<Self> {
        let interfaces = sockets.interfaces.clone();
        let (seated, seats) = mpsc::channel();
        let shared = Arc::clone(&common);
        let service = move |index: usize| {
            let (current, snapshots) = watch::channel(None);
            let seat = Seat {
                runtime: Handle::current(),
                current,
            };
            // The receiver is gone only where starting failed; then this shard is stopped too.
            let _ = seated.send((index, seat));
            ShardService {
                page: F::page(&shared, &interfaces),
                snapshots,
                network: Arc::clone(&shared.network),
                discards: Arc::clone(&discards),
            }
        };
        let handles = shard::spawn(options, sockets, service)?;
        let mut seats: Vec<(usize, Seat<F>)> = seats.iter().take(options.shards.get()).collect();
        seats.sort_by_key(|(index, _)| *index);
        Ok(Self {
            common,
            handles,
            seats: seats.into_iter().map(|(_, seat)| seat).collect(),
        })
    }

    /// Connects every shard to the services and waits until they may be called; then as [`Self::take`].
    ///
    /// # Errors
    /// A service that the server must not start without is not there.
    pub async fn serve_with(
        &self,
        cfg: &Arc<Server<F>>,
        hooks: &Arc<Hooks>,
    ) -> Result<(), outrigger_hooks::StartFailure> {
        let shards = self.connect(hooks);
        hooks.ready().await?;
        self.take(cfg, shards);
        Ok(())
    }

    /// Begins to connect every shard to the services, in the order of the shards. Nothing is served with them yet.
    #[must_use]
    pub fn connect(&self, hooks: &Arc<Hooks>) -> Vec<ShardHooks> {
        let seats = self.seats.iter();
        seats.map(|seat| hooks.shard(&seat.runtime)).collect()
    }

    /// Serves all new packets with this configuration and these connections of [`Self::connect`]. Packets under way end with
    /// the one they began with.
    pub fn take(&self, cfg: &Arc<Server<F>>, shards: Vec<ShardHooks>) {
        self.common.alloc.reload(cfg);
        for (seat, hooks) in self.seats.iter().zip(shards) {
            seat.current.send_replace(Some(Arc::new(Snapshot {
                cfg: Arc::clone(cfg),
                hooks,
            })));
        }
    }

    /// The shards, to stop or to wait for.
    #[must_use]
    pub fn handles(&self) -> &ShardHandles {
        &self.handles
    }

    /// Gives the shards away.
    #[must_use]
    pub fn into_handles(self) -> ShardHandles {
        self.handles
    }
}

/// What one shard does with a packet.
struct ShardService<F: Served> {
    page: F::Page,
    snapshots: watch::Receiver<Option<Arc<Snapshot<F>>>>,
    network: Arc<NetworkState>,
    discards: Arc<Discards>,
}

impl<F: Served> ShardService<F> {
    async fn snapshot(&self) -> Result<Arc<Snapshot<F>>, Discard> {
        const STOPPING: Discard = Discard::because(DiscardReason::Stopping);
        if let Some(snapshot) = self.snapshots.borrow().as_ref() {
            return Ok(Arc::clone(snapshot));
        }
        let mut snapshots = self.snapshots.clone();
        let current = snapshots
            .wait_for(Option::is_some)
            .await
            .map_err(|_| STOPPING)?;
        current.clone().ok_or(STOPPING)
    }
}

impl<F: Served> Service for ShardService<F> {
    type Discard = Discard;

    async fn serve(self: Rc<Self>, datagram: Datagram) -> Result<Option<Outgoing>, Discard> {
        let traffic = &self.discards.traffic;
        traffic.received(&datagram);
        if !self.network.is_enabled() {
            return Err(Discard::because(DiscardReason::ServiceDisabled));
        }
        let snapshot = self.snapshot().await?;
        let served = F::serve(&self.page, &snapshot.cfg, &snapshot.hooks, datagram).await;
        if let Ok(Some(outgoing)) = &served {
            traffic.sent(outgoing);
        }
        served
    }

    fn discarded(&self, discard: Discard) {
        tracing::debug!(
            family = F::NAME,
            reason = discard.reason.name(),
            "PACKET_DISCARDED"
        );
        self.discards.count(discard);
    }

    fn shed(&self, reason: ShedReason, count: u64) {
        match reason {
            ShedReason::Overload
            | ShedReason::Stale
            | ShedReason::Truncated
            | ShedReason::Unaddressed => self.discards.traffic.shed_unread(count),
            ShedReason::Panicked | ShedReason::Stopped | ShedReason::Unsent => {}
        }
        self.discards
            .count_many(Discard::because(shed(reason)), count);
    }
}

fn shed(reason: ShedReason) -> DiscardReason {
    match reason {
        ShedReason::Overload => DiscardReason::Overload,
        ShedReason::Panicked => DiscardReason::Defect,
        ShedReason::Stale => DiscardReason::TooOld,
        ShedReason::Stopped => DiscardReason::Stopping,
        ShedReason::Truncated => DiscardReason::Oversized,
        ShedReason::Unaddressed => DiscardReason::NotForUs,
        ShedReason::Unsent => DiscardReason::NotSent,
    }
}

/// Reclaims and flushes leases as the configuration says, for ever. `current` is what holds now, with hooks connected on
/// this runtime.
pub async fn keep_up<F: Served>(
    common: Arc<Common<F>>,
    mut current: watch::Receiver<Arc<Snapshot<F>>>,
) {
    let mut incomplete = 0;
    loop {
        let snapshot = Arc::clone(&current.borrow_and_update());
        let times = &snapshot.cfg.expired_leases;
        let reclaim_timer = upkeep::tick(times.reclaim_timer_wait_time);
        let flush_timer = upkeep::tick(times.flush_reclaimed_timer_wait_time);
        tokio::pin!(reclaim_timer, flush_timer);
        loop {
            tokio::select! {
                () = &mut reclaim_timer => {
                    // Kea: a server that does not serve leaves its leases alone.
                    if common.network.is_enabled() {
                        let now = common.clock.now();
                        let pass = upkeep::reclaim(&snapshot.cfg, &common.alloc, &snapshot.hooks, now).await;
                        incomplete = report(pass, incomplete, times.unwarned_reclaim_cycles);
                    }
                    reclaim_timer.set(upkeep::tick(times.reclaim_timer_wait_time));
                }
                () = &mut flush_timer => {
                    if let Err(discard) = upkeep::flush(&snapshot.cfg, &common.alloc, common.clock.now()) {
                        tracing::warn!(reason = discard.reason.name(), "LEASES_FLUSH_FAILED");
                    }
                    flush_timer.set(upkeep::tick(times.flush_reclaimed_timer_wait_time));
                }
                changed = current.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
            }
        }
    }
}

/// Logs a pass that failed, or too many in a row that did not finish. Returns how many in a row did not.
fn report(pass: Result<upkeep::Pass, Discard>, incomplete: u32, unwarned: u32) -> u32 {
    match pass {
        Ok(pass) if pass.incomplete => {
            if unwarned > 0 && incomplete + 1 >= unwarned {
                tracing::warn!(
                    "LEASES_RECLAIM_BEHIND: {} passes in a row left expired leases; raise max-reclaim-leases or \
                     max-reclaim-time, or lower reclaim-timer-wait-time",
                    incomplete + 1
                );
                return 0;
            }
            incomplete + 1
        }
        Ok(_) => 0,
        Err(discard) => {
            tracing::warn!(reason = discard.reason.name(), "LEASES_RECLAIM_FAILED");
            incomplete
        }
    }
}

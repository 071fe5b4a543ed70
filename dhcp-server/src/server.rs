//! Builds every part of one family's server from its configuration; starts and stops them in order.

mod error;
mod leases;
mod life;

pub use error::{Chain, StartError};
pub use leases::{import_leases, journal_directory, state_directory};
pub use life::LifeHooks;

use crate::api::Api;
use crate::clock::Clock;
use crate::control::{
    Change, Commanded, Control, ControlError, Current, Done, Order, Sockets, read,
};
use crate::instance::{Instance, Snapshot, keep_up};
use crate::pipeline::v4::Ports;
use crate::served::{Common, Served};
use crate::shard::{self, ShardPanicked};
use crate::telemetry::{Discards, services};
use crate::turns::Turns;
use leases::open_store;
use life::{Announcer, Event, configured};
use outrigger_alloc::Allocator;
use outrigger_config::model::{AtStart, HookService, LeaseDatabase, Server};
use outrigger_hooks::{HookLimits, Hooks, ServerInfo, StartFailure};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long packets in flight may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long a command waits for the hook services of a new configuration.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the command line says beside the configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-p`: instead of 67 or 547.
    pub server_port: Option<u16>,
    /// `-P`: instead of 68 or 546.
    pub client_port: Option<u16>,
    /// Start although Kea's lease file holds leases that the journal does not know.
    pub ignore_kea_leases: bool,
    /// The packet threads. Not said by the command line.
    pub shards: shard::Options,
}

/// One family's server: everything that lives as long as the process, and what the current configuration made.
pub struct FamilyServer<F: LifeHooks> {
    common: Arc<Common<F>>,
    discards: Arc<Discards>,
    info: ServerInfo,
    database: LeaseDatabase,
    cfg: Arc<Server<F>>,
    hooks: Arc<Hooks>,
    shards: shard::Options,
    instance: Instance<F>,
    upkeep: (watch::Sender<Arc<Snapshot<F>>>, JoinHandle<()>),
    commands: Commands<F>,
    announcer: Announcer<F>,
    api: Api<F>,
}

/// The control channel of a server.
struct Commands<F: Served> {
    control: Rc<Control<F>>,
    current: watch::Sender<Current<F>>,
    sockets: Sockets,
}

impl<F: LifeHooks> FamilyServer<F> {
    /// Opens the leases, waits for hook services, opens the sockets, serves. Runs inside a local task set. What commands ask
    /// of the whole process goes to `orders`.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(
        cfg: Arc<Server<F>>,
        options: &Options,
        clock: Clock,
        orders: mpsc::Sender<Order>,
    ) -> Result<Self, StartError> {
        let store = Arc::new(open_store::<F>(&cfg.lease_database, options)?);
        let identity = F::identify(&cfg, state_directory(&cfg.lease_database), &clock)?;
        let ports = Ports {
            server: options.server_port.unwrap_or(F::PORTS.server),
            client: options.client_port.unwrap_or(F::PORTS.client),
        };
        let alloc = Allocator::new(store, &cfg);
        let common = Arc::new(Common {
            alloc,
            turns: Arc::new(Turns::new()),
            clock,
            network: Arc::default(),
            ports,
            identity,
        });
        let info = server_info();
        let mut api = Api::new(Arc::clone(&common), &cfg, orders.clone());
        // Before the services: they may use it as soon as they are told of it.
        let (changing, server_apis) = api.let_in(&cfg)?;
        let hooks = start_hooks(&cfg, &info.granting(server_apis), &[]);
        // The services are asked before a client can be: nothing is received while one has to be waited for.
        let snapshot = connected(&cfg, &hooks);
        hooks.ready().await?;
        configured(&snapshot).await?;
        let sockets = F::open(&cfg.interfaces, ports)?;
        let discards = Arc::new(Discards::default());
        let instance = Instance::start(
            Arc::clone(&common),
            sockets,
            &options.shards,
            Arc::clone(&discards),
        )
        .map_err(StartError::Threads)?;
        instance.serve_with(&cfg, &hooks).await?;
        let current = Current {
            cfg: Arc::clone(&cfg),
            hooks: Arc::clone(&hooks),
            snapshot: Arc::clone(&snapshot),
            since: Instant::now(),
        };
        let discards_too = Arc::clone(&discards);
        let commands = Commands::open(Arc::clone(&common), discards_too, current, orders)?;
        let announcer = Announcer::start();
        // Kea: the first configuration is a command as well.
        announcer.tell(&snapshot, Event::configured(&cfg));
        let (current, snapshots) = watch::channel(snapshot);
        let upkeep = tokio::task::spawn_local(keep_up(Arc::clone(&common), snapshots));
        let database = cfg.lease_database.clone();
        drop(changing);
        tracing::info!(
            subnets = cfg.subnets.len(),
            leases = common.alloc.store().lock().len(),
            services = cfg.hook_services.len(),
            "{}",
            F::STARTED
        );
        Ok(Self {
            common,
            discards,
            info,
            database,
            cfg,
            hooks,
            shards: options.shards.clone(),
            instance,
            upkeep: (current, upkeep),
            commands,
            announcer,
            api,
        })
    }

    /// Takes the configuration in `change` and tells the services what has changed. Packets under way end with the old one;
    /// where it fails the old one stays.
    ///
    /// # Errors
    /// See [`StartError`].
    ///
    /// # Cancel safety
    /// Dropped, the old one stays.
    pub async fn change(&mut self, change: Change) -> Result<Done, StartError> {
        if change
            .based_on
            .is_some_and(|revision| revision != self.cfg.revision)
        {
            return Err(StartError::Outdated);
        }
        let (config, warnings) = read(&change.document).map_err(StartError::Wrong)?;
        let cfg = F::of(&config).ok_or(StartError::OtherFamily)?;
        self.reload(cfg, Some(PATIENCE)).await?;
        let (revision, time) = (self.cfg.revision, self.common.clock.now());
        let mut entries = change.entries;
        for entry in &mut entries {
            entry.configuration_revision = revision;
            entry.time = time;
        }
        if !entries.is_empty() {
            self.tell(Event::Updated(entries));
        }
        Ok(Done { revision, warnings })
    }

    /// Takes a new configuration. Packets under way end with the old one; where it fails the old one stays. `patience` is
    /// for how long it waits until the hook services are ready.
    ///
    /// # Errors
    /// See [`StartError`].
    ///
    /// # Cancel safety
    /// Dropped, the old one stays.
    pub async fn reload(
        &mut self,
        cfg: Arc<Server<F>>,
        patience: Option<Duration>,
    ) -> Result<(), StartError> {
        if cfg.lease_database != self.database {
            return Err(StartError::OtherDatabase);
        }
        let disabled = self.commands.control.services.disabled();
        let (changing, server_apis) = self.api.let_in(&cfg)?;
        let hooks = start_hooks(&cfg, &self.info.granting(server_apis), &disabled);
        self.commands.control.services.starting(&hooks);
        let snapshot = connected(&cfg, &hooks);
        let same_sockets = cfg.interfaces == self.cfg.interfaces;
        let shards = same_sockets.then(|| self.instance.connect(&hooks));
        within(patience, hooks.ready()).await?;
        let Commands {
            control, sockets, ..
        } = &self.commands;
        let control_sockets = sockets.open_further(&cfg.control_sockets, control)?;
        configured(&snapshot).await?;
        match shards {
            Some(shards) => self.instance.take(&cfg, shards),
            None => self.listen_elsewhere(&cfg, &hooks, patience).await?,
        }
        self.upkeep.0.send_replace(Arc::clone(&snapshot));
        self.commands
            .sockets
            .become_all(&cfg.control_sockets, control_sockets);
        self.commands.control.services.agree(&hooks);
        self.commands.current.send_replace(Current {
            cfg: Arc::clone(&cfg),
            hooks: Arc::clone(&hooks),
            snapshot,
            since: Instant::now(),
        });
        self.api.take(&cfg);
        drop(changing);
        let old = std::mem::replace(&mut self.hooks, hooks);
        self.cfg = cfg;
        self.retire(old);
        tracing::info!(
            family = F::NAME,
            revision = self.cfg.revision,
            "CONFIG_RELOADED"
        );
        Ok(())
    }

    /// Lets packets under way end with the hooks they began with.
    fn retire(&self, old: Arc<Hooks>) {
        let control = Rc::clone(&self.commands.control);
        control.services.retire(&old);
        tokio::task::spawn_local(async move {
            old.retire(GRACE).await;
            control.services.ended(&old);
        });
    }

    /// Tells the services of the current configuration, soon.
    fn tell(&self, event: Event) {
        let snapshot = Arc::clone(&self.commands.current.borrow().snapshot);
        self.announcer.tell(&snapshot, event);
    }

    /// Shows the services a `config-reload` that came by a signal.
    pub fn reloaded(&self, outcome: Result<(), &str>) {
        let outcome = outcome.map(|()| "Configuration successful.");
        self.tell(Event::command("config-reload", outcome));
    }

    /// New sockets need new shards. The old ones serve what has arrived, and stop only when the new ones serve: for a
    /// moment a broadcast may be answered by both, with the same lease.
    async fn listen_elsewhere(
        &mut self,
        cfg: &Arc<Server<F>>,
        hooks: &Arc<Hooks>,
        patience: Option<Duration>,
    ) -> Result<(), StartError> {
        let sockets = F::open(&cfg.interfaces, self.common.ports)?;
        let fresh = Instance::start(
            Arc::clone(&self.common),
            sockets,
            &self.shards,
            Arc::clone(&self.discards),
        )
        .map_err(StartError::Threads)?;
        if let Err(failure) = within(patience, fresh.serve_with(cfg, hooks)).await {
            fresh.handles().stop(Duration::ZERO);
            return Err(failure);
        }
        let old = std::mem::replace(&mut self.instance, fresh).into_handles();
        old.stop(GRACE);
        tokio::task::spawn_local(async move { old.ended().await });
        Ok(())
    }

    /// The packet threads of now.
    #[must_use]
    pub fn instance(&self) -> &Instance<F> {
        &self.instance
    }

    /// Counters of packets.
    #[must_use]
    pub fn discards(&self) -> &Discards {
        &self.discards
    }

    /// Ends when a part that must not end has ended; says which exit code is right.
    pub async fn failed(&self) -> u8 {
        let store = self.common.alloc.store();
        tokio::select! {
            error = store.failure() => {
                tracing::error!("LEASE_JOURNAL_FAILED: {}", Chain(&error));
                74
            }
            () = self.instance.handles().ended() => {
                tracing::error!("SHARD_ENDED: a packet thread has ended by itself");
                70
            }
        }
    }

    /// Serves what has arrived, lets the services finish, flushes the leases. `by_signal`: services have not yet been shown
    /// a `shutdown`.
    ///
    /// # Errors
    /// A shard had panicked, or the last leases could not be flushed: the exit code says which.
    pub async fn stop(self, by_signal: bool) -> Result<(), u8> {
        if by_signal {
            self.tell(Event::command("shutdown", Ok("Shutting down.")));
        }
        let Self {
            common,
            discards,
            hooks,
            instance,
            upkeep: (_, upkeep),
            announcer,
            api,
            ..
        } = self;
        let handles = instance.into_handles();
        handles.stop(GRACE);
        let joined = tokio::task::spawn_blocking(move || handles.join());
        let (joined, ()) = tokio::join!(joined, announcer.end(GRACE));
        upkeep.abort();
        hooks.drain(GRACE).await;
        drop(api);
        write_counters(&common, &discards, &hooks);
        if let Err(error) = common.alloc.store().shutdown() {
            tracing::error!("LEASE_JOURNAL_FAILED: {}", Chain(&error));
            return Err(74);
        }
        match joined {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ShardPanicked { shard })) => {
                tracing::error!(shard, "SHARD_PANICKED");
                Err(70)
            }
            Err(_) => Err(70),
        }
    }

    /// Writes every counter to the log.
    pub fn log_counters(&self) {
        write_counters(&self.common, &self.discards, &self.hooks);
    }
}

fn write_counters<F: Served>(common: &Common<F>, discards: &Discards, hooks: &Hooks) {
    for (reason, packets) in discards.iter() {
        tracing::info!(
            family = F::NAME,
            reason = reason.name(),
            packets,
            "COUNTER_DISCARDS"
        );
    }
    for service in hooks.counters() {
        services::log(F::NAME, &service);
    }
    let leases = common.alloc.store().lock().len();
    tracing::info!(family = F::NAME, leases, "COUNTER_LEASES");
}

impl<F: Commanded> Commands<F> {
    fn open(
        common: Arc<Common<F>>,
        discards: Arc<Discards>,
        current: Current<F>,
        orders: mpsc::Sender<Order>,
    ) -> Result<Self, ControlError> {
        let cfg = Arc::clone(&current.cfg);
        let (current, now) = watch::channel(current);
        let control = Rc::new(Control::new(common, discards, now, orders));
        let sockets = Sockets::default().open_further(&cfg.control_sockets, &control)?;
        Ok(Self {
            control,
            current,
            sockets,
        })
    }
}

/// Waits for hook services no longer than `patience`.
async fn within(
    patience: Option<Duration>,
    ready: impl Future<Output = Result<(), StartFailure>>,
) -> Result<(), StartError> {
    let Some(patience) = patience else {
        return Ok(ready.await?);
    };
    match timeout(patience, ready).await {
        Ok(ready) => Ok(ready?),
        Err(_) => Err(StartError::NotReady {
            seconds: patience.as_secs(),
        }),
    }
}

/// Services of the configuration. Nobody is connected yet.
fn start_hooks<F: Served>(cfg: &Server<F>, info: &ServerInfo, disabled: &[String]) -> Arc<Hooks> {
    Hooks::start(
        F::FAMILY,
        &cfg.hook_services,
        hook_limits(cfg),
        info.with(cfg),
        disabled,
    )
}

/// The configuration with its services connected on this runtime: for upkeep, commands, and events of the server's life.
fn connected<F: Served>(cfg: &Arc<Server<F>>, hooks: &Arc<Hooks>) -> Arc<Snapshot<F>> {
    Arc::new(Snapshot {
        cfg: Arc::clone(cfg),
        hooks: hooks.shard(&Handle::current()),
    })
}

fn hook_limits<F: Served>(cfg: &Server<F>) -> HookLimits {
    HookLimits {
        budget: cfg.hook_budget,
        parked_packets: cfg.parked_packet_limit,
    }
}

fn server_info() -> ServerInfo {
    use std::hash::{BuildHasher, RandomState};
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    ServerInfo {
        name: name.unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instance_id: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
        revision: 0,
        subnets: Vec::new(),
        server_apis: BTreeMap::new(),
    }
}

/// Reaches every hook service of a configuration once, and asks them whether it may be used, for `-T`.
///
/// # Errors
/// A service is not reached, or refuses.
pub async fn reach_services<F: LifeHooks>(cfg: &Arc<Server<F>>) -> Result<(), StartError> {
    let services: Vec<HookService> = cfg
        .hook_services
        .iter()
        .cloned()
        .map(|service| HookService {
            at_start: AtStart::Refuse,
            ..service
        })
        .collect();
    let hooks = Hooks::start(
        F::FAMILY,
        &services,
        hook_limits(cfg),
        server_info().with(cfg),
        &[],
    );
    let snapshot = connected(cfg, &hooks);
    hooks.ready().await?;
    let asked = configured(&snapshot).await;
    hooks.drain(GRACE).await;
    asked
}

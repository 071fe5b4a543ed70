//! Builds every part of one family's server from its configuration; starts and stops them in order.

use crate::clock::Clock;
use crate::control::{Commanded, Control, ControlError, Current, Order, Sockets};
use crate::identity::IdentityError;
use crate::instance::{Instance, Snapshot, keep_up};
use crate::net::NetError;
use crate::pipeline::v4::Ports;
use crate::served::{Common, Served};
use crate::shard::{self, ShardPanicked};
use crate::telemetry::Discards;
use crate::turns::Turns;
use outrigger_alloc::Allocator;
use outrigger_config::model::{AtStart, HookService, LeaseDatabase, Server};
use outrigger_hooks::{Hooks, ServerInfo, ServiceCounters, StartFailure};
use outrigger_store::memfile::{self, ImportError};
use outrigger_store::{Change, FileLayer, OsFiles, Store, StoreError, StoreOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long packets in flight may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// What the command line says beside the configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `-p`: instead of 67 or 547.
    pub server_port: Option<u16>,
    /// `-P`: instead of 68 or 546.
    pub client_port: Option<u16>,
    /// Start although Kea's lease file holds leases that the journal does not know.
    pub ignore_kea_leases: bool,
}

/// Why a server does not start or does not take a configuration.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Kea's leases were not taken over.
    #[error(
        "{} holds {leases} leases of Kea and there is no journal yet: import them with --import-leases, or start with \
         --ignore-kea-leases if none of these addresses is in use any more",
        file.display()
    )]
    ForeignLeases {
        /// Kea's lease file.
        file: PathBuf,
        /// How many leases are in it.
        leases: usize,
    },
    /// Kea's lease file cannot be read, or the journal's directory not be made.
    #[error("cannot read or write the leases in {}", file.display())]
    LeaseFile {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The leases cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server has no name.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A hook service refuses or is missing.
    #[error(transparent)]
    Hooks(#[from] StartFailure),
    /// A socket cannot be opened.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A control socket cannot be opened.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// No more threads or descriptors.
    #[error("cannot start the packet threads")]
    Threads(#[source] io::Error),
    /// The files on the command line now hold another family.
    #[error("a configuration of a family that this process does not serve: restart it")]
    OtherFamily,
    /// Kea's leases cannot be taken over.
    #[error("cannot import leases")]
    Import(#[source] ImportError),
    /// The journal has leases already.
    #[error("{} exists already: leases are imported into a new journal only", .0.display())]
    JournalExists(PathBuf),
    /// A change that needs a new process.
    #[error("lease-database cannot change while the server runs: restart it")]
    OtherDatabase,
}

impl StartError {
    /// As in sysexits.h: 74 input/output, 78 configuration.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ForeignLeases { .. }
            | Self::Hooks(_)
            | Self::OtherDatabase
            | Self::OtherFamily
            | Self::Import(_)
            | Self::JournalExists(_) => 78,
            Self::Net(error) if error.is_configuration() => 78,
            Self::Store(_)
            | Self::Control(_)
            | Self::Identity(_)
            | Self::LeaseFile { .. }
            | Self::Net(_)
            | Self::Threads(_) => 74,
        }
    }
}

/// One family's server: everything that lives as long as the process, and what the current configuration made.
pub struct FamilyServer<F: Served> {
    common: Arc<Common<F>>,
    discards: Arc<Discards>,
    info: ServerInfo,
    database: LeaseDatabase,
    cfg: Arc<Server<F>>,
    hooks: Arc<Hooks>,
    instance: Instance<F>,
    upkeep: (watch::Sender<Arc<Snapshot<F>>>, JoinHandle<()>),
    commands: Commands<F>,
}

/// The control channel of a server.
struct Commands<F: Served> {
    control: Rc<Control<F>>,
    current: watch::Sender<Current<F>>,
    sockets: Sockets,
}

impl<F: Commanded> FamilyServer<F> {
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
            ports,
            identity,
        });
        let info = server_info();
        let hooks = start_hooks(&cfg, &info);
        // The services are asked before a client can be: nothing is received while one has to be waited for.
        let upkeep_hooks = hooks.shard(&Handle::current());
        hooks.ready().await?;
        let sockets = F::open(&cfg.interfaces, ports)?;
        let discards = Arc::new(Discards::default());
        let instance = Instance::start(
            Arc::clone(&common),
            sockets,
            &shard::Options::default(),
            Arc::clone(&discards),
        )
        .map_err(StartError::Threads)?;
        instance.serve_with(&cfg, &hooks).await?;
        let snapshot = Arc::new(Snapshot {
            cfg: Arc::clone(&cfg),
            hooks: upkeep_hooks,
        });
        let discards_too = Arc::clone(&discards);
        let commands = Commands::open(Arc::clone(&common), discards_too, (&cfg, &hooks), orders)?;
        let (current, snapshots) = watch::channel(snapshot);
        let upkeep = tokio::task::spawn_local(keep_up(Arc::clone(&common), snapshots));
        let database = cfg.lease_database.clone();
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
            instance,
            upkeep: (current, upkeep),
            commands,
        })
    }

    /// Takes a new configuration. Packets under way end with the old one; where it fails the old one stays.
    ///
    /// # Errors
    /// See [`StartError`].
    ///
    /// # Cancel safety
    /// Dropped, the old one stays.
    pub async fn reload(&mut self, cfg: Arc<Server<F>>) -> Result<(), StartError> {
        if cfg.lease_database != self.database {
            return Err(StartError::OtherDatabase);
        }
        let hooks = start_hooks(&cfg, &self.info);
        let upkeep_hooks = hooks.shard(&Handle::current());
        hooks.ready().await?;
        let Commands {
            control, sockets, ..
        } = &self.commands;
        let control_sockets = sockets.open_further(&cfg.control_sockets, control)?;
        if cfg.interfaces == self.cfg.interfaces {
            self.instance.serve_with(&cfg, &hooks).await?;
        } else {
            self.listen_elsewhere(&cfg, &hooks).await?;
        }
        self.upkeep.0.send_replace(Arc::new(Snapshot {
            cfg: Arc::clone(&cfg),
            hooks: upkeep_hooks,
        }));
        self.commands
            .sockets
            .become_all(&cfg.control_sockets, control_sockets);
        self.commands.current.send_replace(Current {
            cfg: Arc::clone(&cfg),
            hooks: Arc::clone(&hooks),
            since: Instant::now(),
        });
        let old = std::mem::replace(&mut self.hooks, hooks);
        self.cfg = cfg;
        tokio::task::spawn_local(async move { old.retire(GRACE).await });
        tracing::info!(
            family = F::NAME,
            revision = self.cfg.revision,
            "CONFIG_RELOADED"
        );
        Ok(())
    }

    /// New sockets need new shards. The old ones serve what has arrived, and stop only when the new ones serve: for a
    /// moment a broadcast may be answered by both, with the same lease.
    async fn listen_elsewhere(
        &mut self,
        cfg: &Arc<Server<F>>,
        hooks: &Arc<Hooks>,
    ) -> Result<(), StartError> {
        let sockets = F::open(&cfg.interfaces, self.common.ports)?;
        let fresh = Instance::start(
            Arc::clone(&self.common),
            sockets,
            &shard::Options::default(),
            Arc::clone(&self.discards),
        )
        .map_err(StartError::Threads)?;
        if let Err(failure) = fresh.serve_with(cfg, hooks).await {
            fresh.handles().stop(Duration::ZERO);
            return Err(failure.into());
        }
        let old = std::mem::replace(&mut self.instance, fresh).into_handles();
        old.stop(GRACE);
        tokio::task::spawn_local(async move { old.ended().await });
        Ok(())
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

    /// Serves what has arrived, lets the services finish, flushes the leases.
    ///
    /// # Errors
    /// A shard had panicked, or the last leases could not be flushed: the exit code says which.
    pub async fn stop(self) -> Result<(), u8> {
        let handles = self.instance.into_handles();
        handles.stop(GRACE);
        let joined = tokio::task::spawn_blocking(move || handles.join()).await;
        self.upkeep.1.abort();
        self.hooks.drain(GRACE).await;
        if let Err(error) = self.common.alloc.store().shutdown() {
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
        for (reason, packets) in self.discards.iter() {
            tracing::info!(
                family = F::NAME,
                reason = reason.name(),
                packets,
                "COUNTER_DISCARDS"
            );
        }
        for service in self.hooks.counters() {
            log_service(F::NAME, &service);
        }
        let leases = self.common.alloc.store().lock().len();
        tracing::info!(family = F::NAME, leases, "COUNTER_LEASES");
    }
}

impl<F: Commanded> Commands<F> {
    fn open(
        common: Arc<Common<F>>,
        discards: Arc<Discards>,
        (cfg, hooks): (&Arc<Server<F>>, &Arc<Hooks>),
        orders: mpsc::Sender<Order>,
    ) -> Result<Self, ControlError> {
        let started = Instant::now();
        let (current, now) = watch::channel(Current {
            cfg: Arc::clone(cfg),
            hooks: Arc::clone(hooks),
            since: started,
        });
        let control = Rc::new(Control {
            common,
            discards,
            current: now,
            orders,
            started,
        });
        let sockets = Sockets::default().open_further(&cfg.control_sockets, &control)?;
        Ok(Self {
            control,
            current,
            sockets,
        })
    }
}

fn log_service(family: &str, service: &ServiceCounters) {
    tracing::info!(
        family,
        service = %service.service,
        results = ?service.results,
        warnings = service.warnings,
        late_replies = service.late_replies,
        unknown_replies = service.unknown_replies,
        unsupported_steps = service.unsupported_steps,
        sessions = service.sessions_opened,
        batches = service.batches,
        "COUNTER_HOOK_SERVICE"
    );
    for failure in &service.failures {
        tracing::info!(
            family,
            service = %service.service,
            hook_point = %failure.point,
            cause = %failure.cause,
            action = ?failure.action,
            calls = failure.count,
            "COUNTER_HOOK_FAILURES"
        );
    }
}

/// Services of the configuration. Nobody is connected yet.
fn start_hooks<F: Served>(cfg: &Server<F>, info: &ServerInfo) -> Arc<Hooks> {
    Hooks::start(
        F::FAMILY,
        &cfg.hook_services,
        cfg.hook_budget,
        info.with(cfg),
    )
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
    }
}

/// The directory of the journal: Kea's lease file with `.journal` appended.
#[must_use]
pub fn journal_directory(database: &LeaseDatabase) -> PathBuf {
    with_suffix(&database.lease_file, ".journal")
}

/// The directory that keeps what belongs to the leases.
#[must_use]
pub fn state_directory(database: &LeaseDatabase) -> &Path {
    match database.lease_file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn open_store<F: Served>(
    database: &LeaseDatabase,
    options: &Options,
) -> Result<Store<F>, StartError> {
    if !database.persist {
        tracing::warn!(
            "LEASES_NOT_KEPT: persist is false, so leases are lost when this process ends"
        );
        return Ok(Store::in_memory());
    }
    let directory = journal_directory(database);
    if !options.ignore_kea_leases && !directory.exists() {
        refuse_foreign_leases(&database.lease_file)?;
    }
    let (store, recovery) =
        Store::open(&directory, StoreOptions::default(), file_layer(&directory)?)?;
    tracing::info!(directory = %directory.display(), ?recovery, "LEASES_RECOVERED");
    Ok(store)
}

/// Leases that are written with one flush when a lease file is imported.
const IMPORT_BATCH: usize = 1000;

/// Takes the leases of Kea's lease file into a new journal; returns how many.
///
/// # Errors
/// There is a journal already, the file does not read, or the journal cannot be written.
pub fn import_leases<F: Served>(database: &LeaseDatabase) -> Result<usize, StartError> {
    let directory = journal_directory(database);
    if directory.exists() {
        return Err(StartError::JournalExists(directory));
    }
    let leases = memfile::import::<F>(&database.lease_file).map_err(StartError::Import)?;
    let count = leases.len();
    let changes: Vec<_> = leases.into_iter().map(Change::Put).collect();
    // Under another name until it is whole: half a journal would pass for all of the leases.
    let partial = with_suffix(&directory, ".importing");
    let failed = |source| StartError::LeaseFile {
        file: partial.clone(),
        source,
    };
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(failed)?;
    }
    let (store, _) = Store::<F>::open(&partial, StoreOptions::default(), file_layer(&partial)?)?;
    for batch in changes.chunks(IMPORT_BATCH) {
        let ticket = store.lock().apply(batch)?;
        store.wait(ticket)?;
    }
    store.shutdown()?;
    drop(store);
    std::fs::rename(&partial, &directory).map_err(failed)?;
    let parent = std::fs::File::open(state_directory(database)).map_err(failed)?;
    parent.sync_all().map_err(failed)?;
    Ok(count)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Reaches every hook service of a configuration once, for `-T`.
///
/// # Errors
/// A service is not reached, or refuses.
pub async fn reach_services<F: Served>(cfg: &Server<F>) -> Result<(), StartError> {
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
        cfg.hook_budget,
        server_info().with(cfg),
    );
    let _connected = hooks.shard(&Handle::current());
    hooks.ready().await?;
    hooks.drain(GRACE).await;
    Ok(())
}

/// Never hand out addresses that are in use: a Kea lease file with leases has to be imported first.
fn refuse_foreign_leases(file: &Path) -> Result<(), StartError> {
    let counted = memfile::kea_lease_file_has_leases(file);
    match counted.map_err(|source| StartError::LeaseFile {
        file: file.to_owned(),
        source,
    })? {
        Some(leases) if leases > 0 => Err(StartError::ForeignLeases {
            file: file.to_owned(),
            leases,
        }),
        _ => Ok(()),
    }
}

#[cfg(not(feature = "forgetful"))]
fn file_layer(_: &Path) -> Result<Arc<dyn FileLayer>, StartError> {
    Ok(Arc::new(OsFiles))
}

/// For crash tests: what was never flushed is not in the image that a restart begins with.
#[cfg(feature = "forgetful")]
fn file_layer(directory: &Path) -> Result<Arc<dyn FileLayer>, StartError> {
    match outrigger_store::testing::ForgetfulFiles::from_env(directory) {
        Some(files) => {
            let files = files.map_err(|source| StartError::LeaseFile {
                file: directory.to_owned(),
                source,
            })?;
            Ok(files.layer())
        }
        None => Ok(Arc::new(OsFiles)),
    }
}

/// An error with its causes on one line.
pub struct Chain<'e>(pub &'e dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

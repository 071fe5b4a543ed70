//! All hook services of a server, and what each shard has of them.

use crate::connection::Connection;
use crate::counters::ServiceCounters;
use crate::dispatch::PacketHooks;
use crate::link::Links;
use crate::parking::Lots;
use crate::routes::Routes;
use crate::service::Service;
use arc_swap::ArcSwap;
use outrigger_config::model::{AtStart, HookService, Server, Settings};
use outrigger_proto::{Family, HookPoint, PROTOCOL_VERSION, v1};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Time that a service has which must accept `Load` before the server starts.
const REFUSE_AFTER: Duration = Duration::from_secs(5);
/// How often a server says what it waits for.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What hook services are told of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerInfo {
    /// Host name of the machine.
    pub name: String,
    /// "0.1.0"
    pub version: String,
    /// Differs for each start.
    pub instance_id: String,
    /// Of the configuration.
    pub revision: u64,
    /// In ascending id.
    pub subnets: Vec<v1::Subnet>,
    /// Where each service reaches the server's own API, by the service's name; one that is not here is granted nothing.
    pub server_apis: BTreeMap<String, v1::ServerApi>,
}

/// Bounds of what hook services may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookLimits {
    /// Time that all callouts of one packet may take together, without the time it is held.
    pub budget: Duration,
    /// Packets that may be held at one hook point, those whose callouts run counted too; 0 is no limit.
    pub parked_packets: u32,
}

/// How one hook service is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    /// Its name.
    pub name: String,
    /// Where it listens, in configured order.
    pub endpoints: Vec<String>,
    /// Whether it is called; else it is as if it were not configured.
    pub enabled: bool,
    /// Whether each shard has an endpoint to call.
    pub ready: bool,
    /// The last problem of one that is not ready; `None` where there was no answer yet.
    pub why: Option<String>,
    /// Connections that can be called, of all shards.
    pub connections: usize,
    /// Packets that it holds.
    pub parked: usize,
}

/// There is no hook service of this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no hook service \"{0}\"")]
pub struct UnknownService(pub String);

impl ServerInfo {
    /// The same server with the revision and the subnets of a configuration.
    #[must_use]
    pub fn with<F: Settings>(&self, cfg: &Server<F>) -> Self {
        let network = |index: Option<usize>| cfg.shared_networks.get(index?);
        let subnets = cfg.subnets.iter().map(|subnet| v1::Subnet {
            id: subnet.id.0,
            prefix: subnet.prefix.to_string(),
            shared_network: network(subnet.shared_network)
                .map_or_else(String::new, |network| network.name.to_string()),
            user_context: match &subnet.user_context {
                context if context.is_null() => String::new(),
                context => context.to_string(),
            },
            interface: subnet.interface.as_deref().unwrap_or_default().to_owned(),
        });
        Self {
            revision: cfg.revision,
            subnets: subnets.collect(),
            ..self.clone()
        }
    }
}

impl ServerInfo {
    /// The same server, which these services reach in this way.
    #[must_use]
    pub fn granting(&self, server_apis: BTreeMap<String, v1::ServerApi>) -> Self {
        Self {
            server_apis,
            ..self.clone()
        }
    }
}

/// Everything one server knows of its hook services, shared by the shards. A new configuration is a new value; packets
/// under way keep the old one.
pub struct Hooks {
    family: Family,
    limits: HookLimits,
    server: ServerInfo,
    services: Vec<Service>,
    /// Whether anybody is to be called, by number of the hook point: the one branch of those where nobody is.
    called: [AtomicBool; HookPoint::COUNT],
    routes: ArcSwap<Routes>,
    lots: Lots,
    /// One route table is built at a time.
    building: Mutex<()>,
    /// A service became ready, or failed again.
    changed: watch::Sender<()>,
    /// Connections of all shards.
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

/// A service that the server must not start without.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("hook service {service} is not ready: {why}")]
pub struct StartFailure {
    /// Its name.
    pub service: String,
    /// What it said, or why it was not reached.
    pub why: String,
}

impl Hooks {
    /// The services of a configuration. Nobody is connected yet: that is done by each shard.
    ///
    /// Those named in `disabled` are out of the path: connected, but as if they were not configured, until
    /// [`Self::set_enabled`] takes them in.
    #[must_use]
    pub fn start(
        family: Family,
        services: &[HookService],
        limits: HookLimits,
        server: ServerInfo,
        disabled: &[String],
    ) -> Arc<Self> {
        let services = services.iter().map(|settings| {
            let enabled = !disabled.contains(&settings.name);
            Service::new(settings, enabled)
        });
        let services: Vec<_> = services.collect();
        let hooks = Self {
            family,
            limits,
            server,
            routes: ArcSwap::from_pointee(Routes::new(family, &services)),
            services,
            lots: Lots::new(limits.parked_packets),
            called: [const { AtomicBool::new(false) }; HookPoint::COUNT],
            building: Mutex::new(()),
            changed: watch::Sender::new(()),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        hooks.build_routes();
        Arc::new(hooks)
    }

    /// The hooks of one more shard, which connects to every endpoint on `runtime`: the runtime that serves the shard's
    /// packets, so that no shard waits for another. Its connections end when it is dropped.
    #[must_use]
    pub fn shard(self: &Arc<Self>, runtime: &Handle) -> ShardHooks {
        let stop = self.stop.child_token();
        let mut links = Vec::with_capacity(self.services.len());
        for (index, service) in self.services.iter().enumerate() {
            let endpoints = &service.settings.endpoints;
            let service_links = Links::new(endpoints.len());
            let shard = service.add_shard();
            for (endpoint, link) in endpoints.iter().zip(service_links.iter()) {
                let connection = Connection {
                    hooks: Arc::clone(self),
                    service: index,
                    endpoint: endpoint.clone(),
                    link: Arc::clone(link),
                    shard,
                    stop: stop.clone(),
                };
                let abort = self.abort.clone();
                let task = async move {
                    abort.run_until_cancelled(connection.run()).await;
                };
                self.tasks.spawn_on(task, runtime);
            }
            links.push(service_links);
        }
        ShardHooks {
            hooks: Arc::clone(self),
            links,
            stop,
        }
    }

    /// Waits until the server may serve packets: at once, or when each service whose `at-start` is `wait` or `refuse`
    /// has accepted `Load` on every shard made so far. Says every few seconds what it waits for.
    ///
    /// # Errors
    /// A service with `at-start` `refuse` refused, or was not reached within 5 s.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn ready(&self) -> Result<(), StartFailure> {
        let mut changes = self.changed.subscribe();
        let patience = Instant::now() + REFUSE_AFTER;
        let mut report = interval_at(Instant::now() + REPORT_EVERY, REPORT_EVERY);
        loop {
            let missing = self.missing(Instant::now() >= patience)?;
            if missing.is_empty() {
                return Ok(());
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep_until(patience), if Instant::now() < patience => {}
                _ = report.tick() => for service in missing {
                    tracing::warn!(service = service.service, why = service.why, "waiting for a hook service");
                }
            }
        }
    }

    /// Those that the server waits for; an error for one that it must not start without.
    fn missing(&self, out_of_patience: bool) -> Result<Vec<StartFailure>, StartFailure> {
        let mut missing = Vec::new();
        for service in self.services.iter().filter(|service| service.is_enabled()) {
            let Err(problem) = service.readiness() else {
                continue;
            };
            let refused = matches!(problem, Some(crate::service::Problem::Refused(_)));
            let failure = StartFailure {
                service: service.name.to_string(),
                why: problem
                    .map_or_else(|| "no answer yet".to_owned(), |problem| problem.to_string()),
            };
            match service.settings.at_start {
                AtStart::Serve => {}
                AtStart::Refuse if refused || out_of_patience => return Err(failure),
                AtStart::Wait | AtStart::Refuse => missing.push(failure),
            }
        }
        Ok(missing)
    }

    /// For hooks that new ones have replaced. Each shard's sessions end with the last packet that uses them, when its
    /// [`ShardHooks`] are dropped: a packet under way still makes all of its calls. What is left after `grace` is drained.
    ///
    /// # Cancel safety
    /// As [`Self::drain`].
    pub async fn retire(&self, grace: Duration) {
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            self.drain(grace).await;
        }
    }

    /// Ends every session: no new calls, Bye, and open calls have until `grace` has passed.
    ///
    /// # Cancel safety
    /// Sessions end all the same, each within 10 s.
    pub async fn drain(&self, grace: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }

    /// What was counted so far, in configured order.
    #[must_use]
    pub fn counters(&self) -> Vec<ServiceCounters> {
        let services = self.services.iter();
        services
            .map(|service| service.counters.snapshot(&service.name))
            .collect()
    }

    /// Takes the service of this name, or all of them, into the path of packets or out of it; at once for new calls. How
    /// many of them were not so before.
    ///
    /// # Errors
    /// There is no service of this name.
    pub fn set_enabled(
        &self,
        service: Option<&str>,
        enabled: bool,
    ) -> Result<usize, UnknownService> {
        let is_meant = |known: &&Service| service.is_none_or(|name| name == &*known.name);
        let meant = self.services.iter().filter(is_meant);
        if let (Some(name), 0) = (service, meant.clone().count()) {
            return Err(UnknownService(name.to_owned()));
        }
        let changed = meant.filter(|known| known.set_enabled(enabled)).count();
        self.build_routes();
        self.tell_change();
        Ok(changed)
    }

    /// How every service is, in configured order.
    #[must_use]
    pub fn states(&self) -> Vec<ServiceState> {
        self.services.iter().map(Service::describe).collect()
    }

    pub(crate) fn services(&self) -> &[Service] {
        &self.services
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    pub(crate) fn budget(&self) -> Duration {
        self.limits.budget
    }

    pub(crate) fn lots(&self) -> &Lots {
        &self.lots
    }

    pub(crate) fn revision(&self) -> u64 {
        self.server.revision
    }

    pub(crate) fn routes(&self) -> Arc<Routes> {
        self.routes.load_full()
    }

    /// Takes what a service said in its accepted `Load`.
    pub(crate) fn loaded(&self, service: usize, loaded: &v1::Loaded) {
        if self.services[service].loaded(self.family, loaded) {
            self.build_routes();
        }
    }

    fn build_routes(&self) {
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let routes = Routes::new(self.family, &self.services);
        let called = HookPoint::ALL
            .iter()
            .map(|point| (point, !routes.at(*point).is_empty()));
        let called: Vec<_> = called.collect();
        self.routes.store(Arc::new(routes));
        for (point, anybody) in called {
            self.called[usize::from(point.number())].store(anybody, Relaxed);
        }
    }

    pub(crate) fn tell_change(&self) {
        self.changed.send_replace(());
    }

    pub(crate) fn hello(&self, service: usize) -> v1::Hello {
        v1::Hello {
            instance_id: self.server.instance_id.clone(),
            configuration_revision: self.server.revision,
            service_name: self.services[service].name.to_string(),
        }
    }

    pub(crate) fn load_request(&self, service: usize) -> v1::LoadRequest {
        let family = match self.family {
            Family::V4 => v1::Family::Dhcp4,
            Family::V6 => v1::Family::Dhcp6,
        };
        let settings = &self.services[service].settings;
        v1::LoadRequest {
            protocol_versions: vec![PROTOCOL_VERSION],
            server: Some(v1::ServerIdentity {
                name: self.server.name.clone(),
                family: family.into(),
                version: self.server.version.clone(),
                instance_id: self.server.instance_id.clone(),
            }),
            configuration_revision: self.server.revision,
            service_name: settings.name.clone(),
            parameters: settings.parameters.to_string(),
            subnets: self.server.subnets.clone(),
            server_api: self.server.server_apis.get(&settings.name).cloned(),
        }
    }
}

/// The hook services as one shard reaches them: with connections of its own.
pub struct ShardHooks {
    pub(crate) hooks: Arc<Hooks>,
    /// By service.
    pub(crate) links: Vec<Links>,
    stop: CancellationToken,
}

impl ShardHooks {
    /// The callouts of one packet, or of one reclamation pass. Their time starts to run.
    #[must_use]
    pub fn for_packet(&self) -> PacketHooks<'_> {
        PacketHooks::new(self, self.hooks.limits.budget)
    }

    /// The callouts of one event in the server's life, or of one control command: no packet waits for them. They have 10 s
    /// together, and 5 s for each call unless the configuration says otherwise for its hook point.
    #[must_use]
    pub fn for_lifecycle(&self) -> PacketHooks<'_> {
        PacketHooks::lifecycle(self)
    }

    /// Control commands that services offer, ascending, each once.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        let routes = self.hooks.routes();
        routes.commands().map(str::to_owned).collect()
    }

    /// Whether anybody is called at `point`.
    #[must_use]
    pub fn is_called(&self, point: HookPoint) -> bool {
        self.hooks.called[usize::from(point.number())].load(Relaxed)
    }
}

impl Drop for ShardHooks {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

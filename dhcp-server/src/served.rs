//! What building and running a server needs to know of a family.

use crate::api::NetworkState;
use crate::clock::Clock;
use crate::identity::{IdentityError, server_duid};
use crate::net::{self, NetError, Sockets};
use crate::pipeline::v4::{Ports, Server4};
use crate::pipeline::v6::Server6;
use crate::telemetry::Discard;
use crate::turns::Turns;
use crate::upkeep::ExpiryHooks;
use outrigger_alloc::Allocator;
use outrigger_config::model::{Config, Interfaces, Server};
use outrigger_hooks::ShardHooks;
use outrigger_proto::Family;
use outrigger_store::memfile::KeaLeaseFile;
use outrigger_wire::{Datagram, Duid, Outgoing, V4, V6};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for link-local addresses that are not usable yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is shared by all shards of a server.
#[derive(Debug)]
pub struct Common<F: Served> {
    /// Which leases there are.
    pub alloc: Arc<Allocator<F>>,
    /// One packet per client at a time.
    pub turns: Arc<Turns>,
    /// Time of day.
    pub clock: Clock,
    /// Whether packets are served.
    pub network: Arc<NetworkState>,
    /// UDP ports.
    pub ports: Ports,
    /// What identifies the server.
    pub identity: F::Identity,
}

/// What building and running a server needs to know of a family.
pub trait Served: ExpiryHooks + KeaLeaseFile {
    /// What identifies the server beside its addresses.
    type Identity: Clone + std::fmt::Debug + Send + Sync + 'static;
    /// The family's page.
    type Page: 'static;
    /// In the protocol of hooks.
    const FAMILY: Family;
    /// UDP ports of the protocol.
    const PORTS: Ports;
    /// Message id of the log line that says the server is ready.
    const STARTED: &'static str;

    /// The configuration, where it is of this family.
    fn of(config: &Config) -> Option<Arc<Server<Self>>>;

    /// Opens the sockets.
    ///
    /// # Errors
    /// An unknown interface, or what the system refuses.
    fn open(interfaces: &Interfaces, ports: Ports) -> Result<Sockets, NetError>;

    /// Finds or makes what identifies the server. `directory` is where leases are kept.
    ///
    /// # Errors
    /// See [`IdentityError`].
    fn identify(
        cfg: &Server<Self>,
        directory: &Path,
        clock: &Clock,
    ) -> Result<Self::Identity, IdentityError>;

    /// The page of one shard.
    fn page(common: &Common<Self>, sockets: &[net::Interface]) -> Self::Page;

    /// Serves one packet: see the page. `None`: it is served and wants no reply.
    fn serve(
        page: &Self::Page,
        cfg: &Server<Self>,
        hooks: &ShardHooks,
        datagram: Datagram,
    ) -> impl Future<Output = Result<Option<Outgoing>, Discard>>;
}

impl Served for V4 {
    type Identity = ();
    type Page = Server4;
    const FAMILY: Family = Family::V4;
    const PORTS: Ports = Ports {
        server: 67,
        client: 68,
    };
    const STARTED: &'static str = "DHCP4_STARTED";

    fn of(config: &Config) -> Option<Arc<Server<Self>>> {
        match config {
            Config::V4(cfg) => Some(Arc::clone(cfg)),
            Config::V6(_) => None,
        }
    }

    fn open(interfaces: &Interfaces, ports: Ports) -> Result<Sockets, NetError> {
        net::open4(interfaces, ports.server)
    }

    fn identify(_: &Server<Self>, _: &Path, _: &Clock) -> Result<(), IdentityError> {
        Ok(())
    }

    fn page(common: &Common<Self>, interfaces: &[net::Interface]) -> Server4 {
        let first_address =
            |interface: &net::Interface| Some((interface.index, interface.ipv4().next()?));
        Server4 {
            alloc: Arc::clone(&common.alloc),
            turns: Arc::clone(&common.turns),
            clock: common.clock.clone(),
            addresses: interfaces.iter().filter_map(first_address).collect(),
            interfaces: interfaces
                .iter()
                .map(|interface| (interface.name.as_ref().into(), interface.index))
                .collect(),
            ports: common.ports,
        }
    }

    async fn serve(
        page: &Server4,
        cfg: &Server<Self>,
        hooks: &ShardHooks,
        datagram: Datagram,
    ) -> Result<Option<Outgoing>, Discard> {
        page.serve(cfg, hooks, datagram).await
    }
}

impl Served for V6 {
    type Identity = Duid;
    type Page = Server6;
    const FAMILY: Family = Family::V6;
    const PORTS: Ports = Ports {
        server: 547,
        client: 546,
    };
    const STARTED: &'static str = "DHCP6_STARTED";

    fn of(config: &Config) -> Option<Arc<Server<Self>>> {
        match config {
            Config::V6(cfg) => Some(Arc::clone(cfg)),
            Config::V4(_) => None,
        }
    }

    fn open(interfaces: &Interfaces, ports: Ports) -> Result<Sockets, NetError> {
        net::open6(interfaces, ports.server, PATIENCE)
    }

    fn identify(
        cfg: &Server<Self>,
        directory: &Path,
        clock: &Clock,
    ) -> Result<Duid, IdentityError> {
        let hardware = net::interfaces::list().ok().and_then(|interfaces| {
            let with_address = interfaces
                .into_iter()
                .find(|i| !i.loopback && !i.hw_address.is_empty())?;
            Some((
                with_address.hw_address.htype(),
                with_address.hw_address.bytes().to_vec(),
            ))
        });
        server_duid(cfg.own.server_id.as_ref(), directory, hardware, clock)
    }

    fn page(common: &Common<Self>, interfaces: &[net::Interface]) -> Server6 {
        let names = interfaces
            .iter()
            .map(|interface| ((*interface.name).into(), interface.index));
        Server6 {
            alloc: Arc::clone(&common.alloc),
            turns: Arc::clone(&common.turns),
            server_id: common.identity.clone(),
            clock: common.clock.clone(),
            client_port: common.ports.client,
            interfaces: names.collect(),
        }
    }

    async fn serve(
        page: &Server6,
        cfg: &Server<Self>,
        hooks: &ShardHooks,
        datagram: Datagram,
    ) -> Result<Option<Outgoing>, Discard> {
        page.serve(cfg, hooks, datagram).await.map(Some)
    }
}

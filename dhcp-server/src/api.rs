//! The server's own API for its hook services, `outrigger.server.v1`: leases, reservations, counters, the
//! configuration, and whether the server serves.
//!
//! ```text
//! service ─► unix socket ─► one thread of its own ─► access: token, grant, bounds
//!                                 │
//!    leases ── lease index, for moments ── journal     hosts ── an Order to the main loop
//! ```
//!
//! A call from inside a callout never waits for the packet that waits for the callout:
//!
//! - Calls run on a thread of their own, so no shard has to be free for one of them to go on.
//! - They take the lock of the lease index, and under it that of the pools, as every packet does: in this order, for
//!   moments, never across an await. A packet holds neither while it waits for a callout.
//! - They take no client's turn and wait for none. What a call changes in a lease that a packet has planned with makes
//!   that packet's commit fail, and it plans anew: both changes compare with what they looked at.
//! - They wait for two things: the flush of a lease, which needs the journal's thread alone, and the main loop, for a
//!   new configuration. The main loop waits for no packet: those under way keep the configuration that they began
//!   with. It waits for services: for `Load` and `dhcpN_srv_configured`. Meanwhile changes are refused at once, so
//!   none of these waits for itself. And calls do not queue for each other: a second change is refused too.
//!
//! Read [`Api`] first.

mod access;
mod configuration;
mod counters;
mod endpoint;
mod family;
mod hosts;
mod leases;
mod network_state;
mod service_state;
mod statistics;

pub use endpoint::ApiError;
pub use family::{ApiFamily, Wanted};
pub use network_state::{Disabled, NetworkState};

use crate::control::Order;
use crate::served::Common;
use access::Access;
use counters::Counters;
use endpoint::Endpoint;
use outrigger_config::model::Server;
use outrigger_proto::v1;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, mpsc, watch};

/// Largest page of any list.
const MAX_PAGE: usize = 1000;

/// The API of one family's server. Its socket is opened when a service is first granted something. Dropped, it is
/// closed, and calls under way end with it.
pub struct Api<F: ApiFamily> {
    shared: Arc<Shared<F>>,
    current: watch::Sender<Arc<Server<F>>>,
    endpoint: Option<Endpoint>,
}

/// What calls work on.
struct Shared<F: ApiFamily> {
    common: Arc<Common<F>>,
    /// The configuration that holds now.
    cfg: watch::Receiver<Arc<Server<F>>>,
    orders: mpsc::Sender<Order>,
    access: Access,
    counters: Counters,
    /// A configuration is being taken: the main loop waits for services, which must not wait for it.
    changing: AtomicBool,
    /// Held by the one call that changes the configuration.
    one_change: Mutex<()>,
    /// Makes versions of leases from what is in them.
    seed: RandomState,
    /// In cursors: what they point to is not the same in another start.
    instance: u64,
}

/// A configuration is being taken. Dropped, the grants are those of the configuration that holds then.
pub struct Changing<F: ApiFamily>(Arc<Shared<F>>);

impl<F: ApiFamily> Drop for Changing<F> {
    fn drop(&mut self) {
        let cfg = Arc::clone(&self.0.cfg.borrow());
        let shared = &self.0;
        shared.access.settle(&cfg.hook_services);
        shared.counters.keep(&cfg.hook_services);
        shared.common.network.keep(&cfg.hook_services);
        shared.changing.store(false, Ordering::Release);
    }
}

impl<F: ApiFamily> Api<F> {
    /// For a server that starts with `cfg`. Whoever obeys `orders` must not wait for a packet.
    #[must_use]
    pub fn new(common: Arc<Common<F>>, cfg: &Arc<Server<F>>, orders: mpsc::Sender<Order>) -> Self {
        let (current, now) = watch::channel(Arc::clone(cfg));
        let seed = RandomState::new();
        let shared = Shared {
            common,
            cfg: now,
            orders,
            access: Access::default(),
            counters: Counters::default(),
            changing: AtomicBool::new(false),
            one_change: Mutex::new(()),
            instance: seed.hash_one("instance"),
            seed,
        };
        Self {
            shared: Arc::new(shared),
            current,
            endpoint: None,
        }
    }

    /// Lets the services of a configuration in that is about to be taken, beside those of the one that holds, until the
    /// returned value is dropped. Also returned: what each of them is to be told, by its name.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn let_in(
        &mut self,
        cfg: &Server<F>,
    ) -> Result<(Changing<F>, BTreeMap<String, v1::ServerApi>), ApiError> {
        let mut granted = cfg
            .hook_services
            .iter()
            .filter(|s| !s.server_api.is_empty());
        if self.endpoint.is_none() && granted.clone().next().is_some() {
            self.endpoint = Some(Endpoint::open(socket_path(cfg), &self.shared)?);
        }
        self.shared.changing.store(true, Ordering::Release);
        let changing = Changing(Arc::clone(&self.shared));
        let mut apis = BTreeMap::new();
        if let Some(endpoint) = &self.endpoint {
            for service in granted.by_ref() {
                let api = v1::ServerApi {
                    endpoint: format!("unix:{}", endpoint.path().display()),
                    token: self.shared.access.let_in(service),
                    grants: service
                        .server_api
                        .iter()
                        .map(|grant| grant.name().to_owned())
                        .collect(),
                };
                apis.insert(service.name.clone(), api);
            }
        }
        Ok((changing, apis))
    }

    /// This configuration holds from now on.
    pub fn take(&self, cfg: &Arc<Server<F>>) {
        // First, so that a stream which hears of the configuration knows whether it goes on.
        self.shared.access.settle(&cfg.hook_services);
        self.current.send_replace(Arc::clone(cfg));
    }
}

impl<F: ApiFamily> Shared<F> {
    fn cfg(&self) -> Arc<Server<F>> {
        Arc::clone(&self.cfg.borrow())
    }
}

/// Beside the first control socket, with `.api` appended; without one beside the leases.
fn socket_path<F: ApiFamily>(cfg: &Server<F>) -> PathBuf {
    let path = match cfg.control_sockets.first() {
        Some(control) => {
            let mut path = control.clone().into_os_string();
            path.push(".api");
            PathBuf::from(path)
        }
        None => {
            let directory = crate::server::state_directory(&cfg.lease_database);
            directory.join(format!("{}-api.sock", F::NAME))
        }
    };
    // Services run in directories of their own. Where the system does not know ours the path stays as it is.
    std::path::absolute(&path).unwrap_or(path)
}

/// The page size that a request means.
fn page_size(asked: u32) -> usize {
    match usize::try_from(asked) {
        Ok(size) if (1..=MAX_PAGE).contains(&size) => size,
        Ok(_) | Err(_) => MAX_PAGE,
    }
}

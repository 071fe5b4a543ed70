//! Kea's control channel: commands in JSON over unix sockets.
//!
//! ```text
//! socket ─► request ─► commands: the table ─► config, lease, process, statistics ─► answer ─► socket closed
//!                                                  │
//!                                                  └ what changes the server as a whole: an Order to the main loop
//! ```
//!
//! Commands read what the shards share; none of them waits for a packet and no packet waits for one of them, but for
//! the moments that the lease index is locked. Some wait for hook services, each on its own. Read [`commands`] first.

mod answer;
pub mod commands;
mod config;
mod family;
mod hooks;
mod lease;
mod process;
mod request;
mod services;
mod socket;
mod statistics;

pub use answer::Answer;
pub use config::{check, read};
pub use family::Commanded;
pub use services::Services;
pub use socket::{ControlError, Sockets};
pub(crate) use socket::{SocketFile, bind};

use crate::instance::Snapshot;
use crate::served::{Common, Served};
use crate::telemetry::Discards;
use outrigger_config::model::Server;
use outrigger_hooks::Hooks;
use outrigger_proto::{Family, v1};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot, watch};

/// Orders that may wait for the main loop.
pub const MAX_ORDERS: usize = 16;

/// Commands of one family that may wait at a time, for a hook service or for the main loop. There are more connections
/// than that, so that a service which does not answer leaves some to the other commands.
const MAX_WAITING: usize = 16;

/// What commands of one family work on.
pub struct Control<F: Served> {
    /// What the shards share.
    pub common: Arc<Common<F>>,
    /// Counters of packets.
    pub discards: Arc<Discards>,
    /// The configuration that holds now.
    pub current: watch::Receiver<Current<F>>,
    /// To whoever owns the servers of this process.
    pub orders: mpsc::Sender<Order>,
    /// What of hook services outlives a configuration.
    pub services: Services,
    /// When the server started.
    started: Instant,
    waiting: Semaphore,
    /// Answers that services did not see because too many commands waited for them.
    unseen: AtomicU64,
}

/// The configuration that holds now.
pub struct Current<F: Served> {
    /// The configuration.
    pub cfg: Arc<Server<F>>,
    /// Its hook services.
    pub hooks: Arc<Hooks>,
    /// Both, with the services connected on the runtime of the commands.
    pub snapshot: Arc<Snapshot<F>>,
    /// Since when.
    pub since: Instant,
}

/// What a command asks of the process as a whole.
#[derive(Debug)]
pub enum Wish {
    /// Take another configuration.
    Change(Change),
    /// Read the files of the command line again and take what is in them.
    Reload,
    /// Stop in order and exit with this code.
    Stop(u8),
}

/// A configuration that is to replace the running one of its family.
#[derive(Debug)]
pub struct Change {
    /// Whose.
    pub family: Family,
    /// The whole document with its top-level key. Positions in problems are positions in it.
    pub document: String,
    /// What the services are told by `cbN_updated`, in this order; time and revision are filled in when it is done.
    pub entries: Vec<v1::AuditEntry>,
    /// Revision of the configuration that it was made from: only that one is replaced. `None`: whichever holds.
    pub based_on: Option<u64>,
}

/// What came of an order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Done {
    /// Of the configuration that holds now; 0 where more than one was read again.
    pub revision: u64,
    /// Warnings about it, each on a line of its own; may be empty.
    pub warnings: String,
}

/// A wish, and where to say what came of it: the text is for the one who asked.
#[derive(Debug)]
pub struct Order {
    /// What to do.
    pub wish: Wish,
    /// Told when it is done.
    pub done: oneshot::Sender<Result<Done, String>>,
}

impl<F: Served> Control<F> {
    /// The commands of a server that starts now.
    pub fn new(
        common: Arc<Common<F>>,
        discards: Arc<Discards>,
        current: watch::Receiver<Current<F>>,
        orders: mpsc::Sender<Order>,
    ) -> Self {
        Self {
            common,
            discards,
            current,
            orders,
            services: Services::default(),
            started: Instant::now(),
            waiting: Semaphore::new(MAX_WAITING),
            unseen: AtomicU64::new(0),
        }
    }

    /// Replaces the running configuration by `document` and tells the services of `entries`.
    ///
    /// # Errors
    /// The text says why the old one stays.
    ///
    /// # Cancel safety
    /// Dropped, it is still done.
    pub async fn change(
        &self,
        document: String,
        entries: Vec<v1::AuditEntry>,
    ) -> Result<Done, String> {
        let change = Change {
            family: F::FAMILY,
            document,
            entries,
            based_on: None,
        };
        self.order(Wish::Change(change)).await
    }

    /// Gives an order and waits for what comes of it.
    ///
    /// # Errors
    /// The text says why it was not done.
    async fn order(&self, wish: Wish) -> Result<Done, String> {
        const STOPPING: &str = "the server is stopping";
        let _waits = self.wait()?;
        let (done, outcome) = oneshot::channel();
        let order = Order { wish, done };
        self.orders.send(order).await.map_err(|_| STOPPING)?;
        outcome.await.map_err(|_| STOPPING)?
    }

    /// The right to wait for somebody else.
    ///
    /// # Errors
    /// Too many do already.
    fn wait(&self) -> Result<SemaphorePermit<'_>, String> {
        let busy = |_| format!("{MAX_WAITING} commands wait for hook services already, try later");
        self.waiting.try_acquire().map_err(busy)
    }

    fn snapshot(&self) -> Arc<Snapshot<F>> {
        Arc::clone(&self.current.borrow().snapshot)
    }

    fn cfg(&self) -> Arc<Server<F>> {
        Arc::clone(&self.current.borrow().cfg)
    }
}

#[cfg(test)]
mod tests;

//! Kea's control channel: commands in JSON over unix sockets.
//!
//! ```text
//! socket ─► request ─► commands: the table ─► config, lease, process, statistics ─► answer ─► socket closed
//!                                                  │
//!                                                  └ what changes the server as a whole: an Order to the main loop
//! ```
//!
//! Commands read what the shards share; none of them waits for a packet and no packet waits for one of them, but for
//! the moments that the lease index is locked. Read [`commands`] first.

mod answer;
pub mod commands;
mod config;
mod family;
mod lease;
mod process;
mod request;
mod socket;
mod statistics;

pub use answer::Answer;
pub use config::check;
pub use family::Commanded;
pub use socket::{ControlError, Sockets};

use crate::served::{Common, Served};
use crate::telemetry::Discards;
use outrigger_config::model::{Config, Server};
use outrigger_hooks::Hooks;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// Orders that may wait for the main loop.
pub const MAX_ORDERS: usize = 16;

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
    /// When the server started.
    pub started: Instant,
}

/// The configuration that holds now.
pub struct Current<F: Served> {
    /// The configuration.
    pub cfg: Arc<Server<F>>,
    /// Its hook services.
    pub hooks: Arc<Hooks>,
    /// Since when.
    pub since: Instant,
}

/// What a command asks of the process as a whole.
#[derive(Debug)]
pub enum Wish {
    /// Take this configuration.
    Configure(Config),
    /// Read the files of the command line again and take what is in them.
    Reload,
    /// Stop in order and exit with this code.
    Stop(u8),
}

/// A wish, and where to say what came of it: the text is for the one who asked.
#[derive(Debug)]
pub struct Order {
    /// What to do.
    pub wish: Wish,
    /// Told when it is done.
    pub done: oneshot::Sender<Result<(), String>>,
}

impl<F: Served> Control<F> {
    /// Gives an order and waits for what comes of it.
    ///
    /// # Errors
    /// The text says why it was not done.
    async fn order(&self, wish: Wish) -> Result<(), String> {
        const STOPPING: &str = "the server is stopping";
        let (done, outcome) = oneshot::channel();
        let order = Order { wish, done };
        self.orders.send(order).await.map_err(|_| STOPPING)?;
        outcome.await.map_err(|_| STOPPING)?
    }

    fn cfg(&self) -> Arc<Server<F>> {
        Arc::clone(&self.current.borrow().cfg)
    }
}

#[cfg(test)]
mod tests;

//! Links to a server: sockets in the network namespace of the calling thread.
//!
//! Each link sends a message and waits, with a bound, for the answer with its transaction id.
//! Whatever else arrives is ignored.

mod frame;
mod lossy;
mod udp4;
mod udp6;

use std::io;
use std::time::{Duration, Instant};

pub use lossy::LossyPath;
pub use udp4::{Delivered4, UdpLink4};
pub use udp6::UdpLink6;

use crate::cursor::ReplyError;

/// Why no answer came out of a link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The server did not answer in time. Tests of silence expect this one.
    #[error("no answer to transaction {xid:#x} within {waited:?}")]
    Silence {
        /// The transaction that was waited for.
        xid: u32,
        /// How long.
        waited: Duration,
    },
    /// An answer came and has a flaw.
    #[error("the answer has a flaw: {flaw}; bytes {bytes:02x?}")]
    Flaw {
        /// What is wrong with it.
        #[source]
        flaw: ReplyError,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// The interface does not exist in this network namespace.
    #[error("no Ethernet interface {name} in this network namespace")]
    NoInterface {
        /// Its name.
        name: String,
    },
    /// A socket call failed.
    #[error("cannot {action}")]
    Socket {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl LinkError {
    /// Whether this is the silence that some tests expect.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Silence { .. })
    }
}

fn failed(action: &'static str) -> impl FnOnce(io::Error) -> LinkError {
    move |source| LinkError::Socket { action, source }
}

/// Whether a receive call ended because its time was up or a signal came.
fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// Asks `receive` for messages until one is accepted or the time is up. `receive` gets how long it
/// may block, never zero.
fn wait_for<T>(
    xid: u32,
    wait: Duration,
    mut receive: impl FnMut(Duration) -> Result<Option<T>, LinkError>,
) -> Result<T, LinkError> {
    let until = Instant::now() + wait;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(LinkError::Silence { xid, waited: wait });
        }
        if let Some(answer) = receive(left)? {
            return Ok(answer);
        }
    }
}

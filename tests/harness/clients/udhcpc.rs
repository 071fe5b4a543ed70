//! udhcpc, of busybox.

use std::process::{Command, ExitStatus};

use nix::sys::signal::Signal;

use super::events::{Event, Events};
use crate::PATIENCE;
use crate::host::Host;
use crate::process::Process;

/// Configures the interface as busybox tells the script to.
const SCRIPT: &str = r#"
case "$1" in
    deconfig) ip -4 addr flush dev "$interface" ;;
    bound|renew) ip addr replace "$ip/$mask" dev "$interface" ;;
esac"#;

/// A running udhcpc. Values in its events: `ip`, `mask`, `router`, `dns`, `domain`, `lease`,
/// `serverid`.
#[derive(Debug)]
pub struct Udhcpc {
    process: Process,
    events: Events,
}

impl Udhcpc {
    /// Starts it on an interface. It ends by itself when it gets no lease. `arguments` are added
    /// to the command line.
    #[must_use]
    #[track_caller]
    pub fn start(host: &Host, interface: &str, arguments: &[&str]) -> Self {
        let events = Events::new(host.dir(), "udhcpc", SCRIPT);
        let mut command = Command::new("udhcpc");
        command
            .args(["-f", "-n", "-t", "10", "-T", "1", "-i", interface, "-s"])
            .arg(events.script())
            .args(arguments);
        let process = host.start(command);
        Self { process, events }
    }

    /// What the script was told.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Waits for the lease.
    #[track_caller]
    pub fn bound(&self) -> Event {
        self.wait(0, "bound")
    }

    /// Renews the lease and waits for the answer.
    #[track_caller]
    pub fn renew(&self) -> Event {
        let before = self.events.all().len();
        self.process.signal(Signal::SIGUSR1);
        self.wait(before, "renew")
    }

    /// Releases the lease, waits until it is done, and ends the client.
    ///
    /// # Panics
    ///
    /// When it does not do so in time.
    #[track_caller]
    pub fn release(&self) -> ExitStatus {
        let before = self.events.all().len();
        self.process.signal(Signal::SIGUSR2);
        self.wait(before, "deconfig");
        self.process.terminate(PATIENCE)
    }

    #[track_caller]
    fn wait(&self, skip: usize, reason: &str) -> Event {
        self.events
            .wait(skip, PATIENCE, |event| event.reason() == reason)
            .unwrap_or_else(|| {
                panic!(
                    "udhcpc: no {reason} within {PATIENCE:?}, only {:?}",
                    self.events.reasons()
                )
            })
    }
}

//! The load generator, and what it reports.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::host::Host;
use crate::place;
use crate::process::Process;

/// The longest that a usual run may take on a slow and busy machine.
const LONGEST: Duration = Duration::from_secs(120);

/// A run of `outrigger-load` that has not begun.
#[derive(Debug)]
pub struct Load {
    host: Host,
    command: Command,
    json: PathBuf,
}

/// A run under way; dropping it kills it.
#[derive(Debug)]
pub struct Loading {
    process: Process,
    json: PathBuf,
}

/// What a run found out.
#[derive(Debug)]
pub struct LoadReport {
    json: Value,
    text: String,
}

impl Load {
    /// Plays `scenario` on this host against `server`, as a relay agent with the address `from`.
    ///
    /// # Panics
    ///
    /// When the program is missing.
    #[must_use]
    pub fn new(host: &Host, scenario: &str, server: IpAddr, from: IpAddr) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let json = host.dir().join(format!("load-{number}.json"));
        let mut command = Command::new(place::program("outrigger-load"));
        command
            .arg(scenario)
            .args(["--server", &server.to_string()])
            .args(["--from", &from.to_string()])
            .arg("--json")
            .arg(&json);
        Self {
            host: host.clone(),
            command,
            json,
        }
    }

    /// Adds an option with its value, such as `--clients` and `1000`.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.arg(option).arg(value);
        self
    }

    /// Adds an option without value, such as `--keep-going`.
    #[must_use]
    pub fn also(mut self, option: &str) -> Self {
        self.command.arg(option);
        self
    }

    /// Begins.
    #[must_use]
    pub fn start(self) -> Loading {
        Loading {
            process: self.host.start(self.command),
            json: self.json,
        }
    }

    /// Begins, and waits for the end.
    ///
    /// # Panics
    ///
    /// As [`Loading::finish`].
    #[track_caller]
    pub fn run(self) -> LoadReport {
        self.start().finish()
    }
}

impl Loading {
    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// When it does not end, or ends without a report.
    #[track_caller]
    pub fn finish(self) -> LoadReport {
        self.finish_within(LONGEST)
    }

    /// As [`Loading::finish`], for a run that was asked to take long.
    ///
    /// # Panics
    ///
    /// As [`Loading::finish`].
    #[track_caller]
    pub fn finish_within(self, patience: Duration) -> LoadReport {
        let ended = self.process.wait(patience);
        let text = self.process.text();
        assert!(ended.is_some(), "the load did not end: {text}");
        let json = std::fs::read_to_string(&self.json)
            .unwrap_or_else(|error| panic!("the load wrote no report: {error}: {text}"));
        let json = serde_json::from_str(&json).expect("the report is JSON");
        LoadReport { json, text }
    }
}

impl LoadReport {
    /// A count of the report: `completed`, `lost`, `retransmits`, `naks`, `server_errors` and so on.
    ///
    /// # Panics
    ///
    /// When there is no such count.
    #[must_use]
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        self.json[name]
            .as_u64()
            .unwrap_or_else(|| panic!("the report has no count {name}: {}", self.json))
    }

    /// How often the server made this error, such as `duplicate_address`.
    ///
    /// # Panics
    ///
    /// When no error has this name.
    #[must_use]
    #[track_caller]
    pub fn errors(&self, kind: &str) -> u64 {
        self.json["server_errors_by_kind"][kind]
            .as_u64()
            .unwrap_or_else(|| panic!("no error is called {kind}: {}", self.json))
    }

    /// The whole report, for people.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

//! The server under test: ours, or Kea for comparison.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::host::Host;
use crate::process::Process;
use crate::{PATIENCE, place};

/// Which program is tested; `OUTRIGGER_LAB_SUBJECT=kea` chooses Kea.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Our `dhcp-server`.
    Outrigger,
    /// `kea-dhcp4` and `kea-dhcp6`, as installed.
    Kea,
}

/// The family of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Top-level key `Dhcp4`.
    V4,
    /// Top-level key `Dhcp6`.
    V6,
}

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Its configuration file, which a test may rewrite before it sends SIGHUP.
    pub config: PathBuf,
    /// Its family.
    pub family: Family,
}

impl Subject {
    /// What the environment asks for.
    ///
    /// # Panics
    ///
    /// When it asks for something else than `kea` or `outrigger`.
    #[must_use]
    pub fn from_env() -> Self {
        match env::var("OUTRIGGER_LAB_SUBJECT").as_deref() {
            Err(_) | Ok("" | "outrigger") => Self::Outrigger,
            Ok("kea") => Self::Kea,
            Ok(other) => panic!("OUTRIGGER_LAB_SUBJECT={other}: only outrigger and kea are known"),
        }
    }

    /// Starts the server with this configuration (strict JSON) in a host and waits until it is
    /// ready to receive. Where the configuration does not say where leases, and the server's DUID,
    /// are kept, that is the lab's directory.
    ///
    /// # Panics
    ///
    /// When the configuration is not JSON, or the server does not start.
    #[track_caller]
    pub fn start(host: &Host, config: &str) -> Server {
        Self::from_env().start_in(host, config)
    }

    /// As [`Subject::start`], without waiting: for a server that is not meant to become ready.
    ///
    /// # Panics
    ///
    /// When the configuration is not JSON.
    #[track_caller]
    pub fn launch(host: &Host, config: &str) -> Server {
        let subject = Self::from_env();
        let (family, config) = subject.write_config(host, config);
        subject.launch_in(host, &config, family)
    }

    /// Starts the server again with a configuration file that it was started with before.
    ///
    /// # Panics
    ///
    /// When the server does not start.
    #[track_caller]
    pub fn restart(host: &Host, stopped: &Server) -> Server {
        Self::from_env().restart_in(host, &stopped.config, stopped.family)
    }

    #[track_caller]
    fn start_in(self, host: &Host, config: &str) -> Server {
        let (family, config) = self.write_config(host, config);
        self.restart_in(host, &config, family)
    }

    #[track_caller]
    pub(crate) fn write_config(self, host: &Host, config: &str) -> (Family, PathBuf) {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let (family, text) = self.complete(config, host.dir());
        let config = host.dir().join(format!("server-{number}.json"));
        place::write(&config, &text);
        (family, config)
    }

    #[track_caller]
    fn restart_in(self, host: &Host, config: &Path, family: Family) -> Server {
        let server = self.launch_in(host, config, family);
        server.process.wait_for_line(family.started(), PATIENCE);
        server
    }

    #[track_caller]
    fn launch_in(self, host: &Host, config: &Path, family: Family) -> Server {
        let mut command = match (self, family) {
            (Self::Outrigger, _) => Command::new(place::program("dhcp-server")),
            (Self::Kea, Family::V4) => Command::new("kea-dhcp4"),
            (Self::Kea, Family::V6) => Command::new("kea-dhcp6"),
        };
        command
            .arg("-c")
            .arg(config)
            .env("KEA_PIDFILE_DIR", host.dir())
            .env("KEA_LOCKFILE_DIR", "none");
        Server {
            process: host.start(command),
            config: config.to_owned(),
            family,
        }
    }

    /// Adds to a configuration what keeps a lab apart from the machine.
    #[track_caller]
    fn complete(self, config: &str, dir: &Path) -> (Family, String) {
        let mut tree: Value = serde_json::from_str(config)
            .unwrap_or_else(|error| panic!("the configuration is not JSON: {error}\n{config}"));
        let (family, key) = if tree.get("Dhcp4").is_some() {
            (Family::V4, "Dhcp4")
        } else {
            (Family::V6, "Dhcp6")
        };
        let server = tree
            .get_mut(key)
            .and_then(Value::as_object_mut)
            .unwrap_or_else(|| panic!("the configuration has neither Dhcp4 nor Dhcp6: {config}"));
        let leases = json!({
            "type": "memfile",
            "persist": true,
            "name": dir.join(format!("leases-{key}.csv")),
        });
        server.entry("lease-database").or_insert(leases);
        if family == Family::V6 {
            server.entry("data-directory").or_insert(json!(dir));
        }
        if self == Self::Kea {
            let logger = json!([{
                "name": "*",
                "severity": "INFO",
                "output_options": [{ "output": "stdout" }],
            }]);
            server.entry("loggers").or_insert(logger);
        }
        (family, tree.to_string())
    }
}

impl Family {
    /// The digit in names such as `subnet4`.
    #[must_use]
    pub fn digit(self) -> char {
        match self {
            Self::V4 => '4',
            Self::V6 => '6',
        }
    }

    /// The family's name of a hook point: `subnet_select` is `subnet4_select`.
    ///
    /// # Panics
    ///
    /// When the name has no underscore.
    #[must_use]
    #[track_caller]
    pub fn hook_point(self, name: &str) -> String {
        let (before, after) = name.split_once('_').expect("such as subnet_select");
        let before = before.trim_end_matches(['4', '6']);
        format!("{before}{}_{after}", self.digit())
    }

    /// What a server logs when it is ready to receive.
    pub(crate) fn started(self) -> &'static str {
        match self {
            Self::V4 => "DHCP4_STARTED",
            Self::V6 => "DHCP6_STARTED",
        }
    }
}

impl Server {
    /// Replaces the configuration file, completed as at the start. The server reads it when it is
    /// asked to.
    ///
    /// # Panics
    ///
    /// When the configuration is not JSON or of another family.
    #[track_caller]
    pub fn rewrite(&self, config: &str) {
        let dir = self.config.parent().expect("the file lies in a directory");
        let (family, text) = Subject::from_env().complete(config, dir);
        assert_eq!(family, self.family, "a server keeps its family");
        place::write(&self.config, &text);
    }

    /// Asks the server to stop and waits.
    ///
    /// # Panics
    ///
    /// When it does not stop in time.
    #[track_caller]
    pub fn stop(&self) -> ExitStatus {
        self.process.terminate(PATIENCE)
    }
}

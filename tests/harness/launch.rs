//! Our server, started otherwise than usual.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::host::{Finished, Host};
use crate::subject::{Family, Server, Subject};
use crate::{PATIENCE, place};

/// Which build of our server is started, with what environment and further arguments.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    environment: Vec<(String, OsString)>,
    arguments: Vec<String>,
}

impl Launch {
    /// One of our programs: `dhcp-server`, or a build of it for tests.
    ///
    /// # Panics
    ///
    /// When it has not been built.
    #[must_use]
    pub fn new(program: &str) -> Self {
        Self {
            program: place::program(program),
            environment: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().to_owned();
        self.environment.push((name.to_owned(), value));
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts it with this configuration and waits until it is ready, as [`Subject::start`].
    ///
    /// # Panics
    ///
    /// When the configuration is not JSON, or the server does not start.
    #[track_caller]
    pub fn start(&self, host: &Host, config: &str) -> Server {
        let (family, config) = Subject::Outrigger.write_config(host, config);
        self.start_with(host, &config, family)
    }

    /// Starts it with the configuration file of another server, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[track_caller]
    pub fn restart(&self, host: &Host, stopped: &Server) -> Server {
        self.start_with(host, &stopped.config, stopped.family)
    }

    /// Runs it with a configuration file to its end: a server that is not to start, or a mode that
    /// serves nobody.
    ///
    /// # Panics
    ///
    /// When it does not end.
    #[track_caller]
    pub fn run(&self, host: &Host, config: &Path) -> Finished {
        host.run(self.command(config))
    }

    #[track_caller]
    fn start_with(&self, host: &Host, config: &Path, family: Family) -> Server {
        let process = host.start(self.command(config));
        process.wait_for_line(family.started(), PATIENCE);
        Server {
            process,
            config: config.to_owned(),
            family,
        }
    }

    fn command(&self, config: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("-c")
            .arg(config)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

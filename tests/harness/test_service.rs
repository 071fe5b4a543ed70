//! The hook service that does wrong what it is told to (`tests/service`).

use std::path::PathBuf;

use crate::host::Host;
use crate::process::Process;
use crate::{Language, PATIENCE};

/// How the service is started.
#[derive(Clone, Debug)]
pub struct TestService {
    host: Host,
    socket: PathBuf,
    language: Language,
}

impl TestService {
    /// The one in Rust, on this host, at a socket of that name in the lab's directory.
    #[must_use]
    pub fn new(host: &Host, name: &str) -> Self {
        Self::of(Language::Rust, host, name)
    }

    /// As [`TestService::new`], in this language. Those in other languages than Rust know fewer faults that need a
    /// service to break the protocol, and more of those that the language has.
    #[must_use]
    pub fn of(language: Language, host: &Host, name: &str) -> Self {
        Self {
            host: host.clone(),
            socket: host.dir().join(name),
            language,
        }
    }

    /// The endpoint, as configurations have it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// Starts it with these arguments (its `--help` tells them) and waits until it listens. The socket
    /// that an earlier one left behind is removed.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> Process {
        let _ = std::fs::remove_file(&self.socket);
        let mut command = self.language.test_service();
        command.args(["--listen", &self.endpoint()]).args(arguments);
        let process = self.host.start(command);
        process.wait_for_line("listening", PATIENCE);
        process
    }
}

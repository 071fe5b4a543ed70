//! One process of a service.

use crate::config::Service;
use crate::output::Output;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Runs its arguments as a process that the kernel kills when the runner dies (util-linux). A program of its own is
/// used because doing the same between fork and exec needs unsafe code.
const SETPRIV: &str = "setpriv";
const SETPRIV_ARGUMENTS: [&str; 3] = ["--pdeathsig", "KILL", "--"];

/// Whether processes can be tied to the runner's life.
pub(crate) async fn can_tie() -> bool {
    let mut trial = Command::new(SETPRIV);
    trial.args(SETPRIV_ARGUMENTS).arg("true");
    trial.stdin(Stdio::null()).stdout(Stdio::null());
    let status = trial.stderr(Stdio::null()).status().await;
    status.is_ok_and(|status| status.success())
}

/// A started process, leader of its own process group. Its group is killed on drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
}

impl Process {
    /// Starts the service's command; what it writes goes to `output`.
    pub(crate) fn start(service: &Service, tie: bool, output: &Output) -> io::Result<Self> {
        let mut command = command(service, tie);
        let mut child = command
            .envs(&service.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Signals of a terminal reach the runner only, which drains.
            .process_group(0)
            .spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.ok_or_else(|| io::Error::other("it ended before it had an id"))?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(output.clone().forward(service.name.clone(), stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(output.clone().forward(service.name.clone(), stderr));
        }
        Ok(Self {
            child,
            group: Pid::from_raw(id),
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Pid {
        self.group
    }

    /// Waits until it ends by itself.
    ///
    /// # Cancel safety
    /// Nothing is lost; the wait can be repeated.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// SIGTERM, and SIGKILL when it has not ended in time. Whether it ended in time.
    pub(crate) async fn drain(mut self, limit: std::time::Duration) -> bool {
        self.signal(Signal::SIGTERM);
        let in_time = timeout(limit, self.child.wait()).await.is_ok();
        if !in_time {
            self.kill().await;
        }
        in_time
    }

    /// SIGKILL, to the processes that it started too.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        if let Err(error) = self.child.wait().await {
            tracing::error!(process = %self.group, %error, "cannot wait for a killed process");
        }
    }

    fn signal(&self, signal: Signal) {
        match killpg(self.group, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => tracing::error!(process = %self.group, %signal, %error, "cannot signal"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it left behind would keep its endpoint from the next start.
        self.signal(Signal::SIGKILL);
    }
}

fn command(service: &Service, tie: bool) -> Command {
    let mut words = service.command.iter();
    let program = words.next().map(String::as_str).unwrap_or_default();
    let mut command = if tie {
        let mut command = Command::new(SETPRIV);
        command.args(SETPRIV_ARGUMENTS).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(words);
    if let Some(directory) = &service.working_directory {
        command.current_dir(directory);
    }
    command
}

/// Why `program` cannot be started, where that can be told beforehand: setpriv's own message would only be seen in the
/// service's output.
pub(crate) fn missing(service: &Service) -> Option<String> {
    let program = service.command.first()?;
    if !program.contains('/') {
        return None;
    }
    let directory = service.working_directory.as_deref();
    let path = directory.unwrap_or_else(|| Path::new("")).join(program);
    let error = std::fs::metadata(&path).err()?;
    Some(format!("{}: {error}", path.display()))
}

//! All services of a host: start, reload, stop.

use crate::config::{Config, Service};
use crate::output::Output;
use crate::process::can_tie;
use crate::supervise::{Surroundings, supervise};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs what `config` says until SIGTERM or SIGINT; SIGHUP reads the file again.
pub(crate) async fn run(path: &Path, config: Config) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut reload = signal(SignalKind::hangup())?;
    let tie = can_tie().await;
    if !tie {
        tracing::warn!(
            "setpriv of util-linux is not there: services will outlive the runner if it is killed"
        );
    }
    let (output, writing) = Output::start();
    let mut runner = Runner {
        surroundings: Surroundings { output, tie },
        running: BTreeMap::new(),
        tracker: TaskTracker::new(),
    };
    runner.apply(config);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = reload.recv() => runner.reload(path),
        }
    }
    tracing::info!(services = runner.running.len(), "draining");
    runner.stop().await;
    // The last lines of the services; a grandchild may hold the pipe open.
    let _ = tokio::time::timeout(std::time::Duration::from_millis(500), writing).await;
    tracing::info!("stopped");
    Ok(())
}

struct Runner {
    surroundings: Surroundings,
    running: BTreeMap<String, Running>,
    tracker: TaskTracker,
}

struct Running {
    service: Service,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Runner {
    fn reload(&mut self, path: &Path) {
        match Config::read(path) {
            Ok(config) => {
                tracing::info!(file = %path.display(), "read again");
                self.apply(config);
            }
            Err(error) => tracing::error!("{error}; everything goes on as before"),
        }
    }

    /// Stops what is gone or different, starts what is new or different, leaves alone what is equal.
    fn apply(&mut self, config: Config) {
        let mut before = std::mem::take(&mut self.running);
        for service in config.services {
            let name = service.name.clone();
            let running = match before.remove(&name) {
                Some(running) if running.service == service => running,
                previous => self.start(service, previous),
            };
            self.running.insert(name, running);
        }
        for (name, running) in before {
            tracing::info!(service = %name, "is no longer wanted");
            running.stop.cancel();
        }
    }

    /// Starts a service, after its previous version has ended.
    fn start(&self, service: Service, previous: Option<Running>) -> Running {
        let stop = CancellationToken::new();
        let supervision = supervise(service.clone(), self.surroundings.clone(), stop.clone());
        let task = self.tracker.spawn(async move {
            if let Some(previous) = previous {
                tracing::info!(service = %previous.service.name, "changed");
                previous.stop.cancel();
                // A panic there was reported; the new version is started all the same.
                let _ = previous.task.await;
            }
            supervision.await;
        });
        Running {
            service,
            stop,
            task,
        }
    }

    async fn stop(self) {
        for running in self.running.values() {
            running.stop.cancel();
        }
        self.tracker.close();
        self.tracker.wait().await;
    }
}

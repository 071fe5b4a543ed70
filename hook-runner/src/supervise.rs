//! Keeps one service running.

use crate::backoff::Backoff;
use crate::config::Service;
use crate::health;
use crate::output::Output;
use crate::process::{Process, missing};
use std::process::ExitStatus;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// What supervisors share.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) output: Output,
    /// Whether processes are tied to the runner's life.
    pub(crate) tie: bool,
}

/// How a process ended.
enum End {
    /// As it was asked to.
    Drained,
    Exited(std::io::Result<ExitStatus>),
    Hung,
}

/// Runs the service until `stop`, and starts it again whenever it ends.
pub(crate) async fn supervise(
    service: Service,
    surroundings: Surroundings,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(service.restart);
    while !stop.is_cancelled() {
        let started = Instant::now();
        if run_once(&service, &surroundings, &stop).await {
            return;
        }
        let delay = backoff.delay(started.elapsed());
        tracing::info!(service = %service.name, ?delay, "starts again");
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(delay) => {}
        }
    }
}

/// Whether the service ended because it was asked to.
async fn run_once(
    service: &Service,
    surroundings: &Surroundings,
    stop: &CancellationToken,
) -> bool {
    let name = &service.name;
    if let Some(reason) = missing(service) {
        tracing::error!(service = %name, "cannot start: {reason}");
        return false;
    }
    let mut process = match Process::start(service, surroundings.tie, &surroundings.output) {
        Ok(process) => process,
        Err(error) => {
            tracing::error!(service = %name, "cannot start {}: {error}", service.command[0]);
            return false;
        }
    };
    tracing::info!(service = %name, process = %process.id(), "started");
    let end = tokio::select! {
        biased;
        () = stop.cancelled() => End::Drained,
        status = process.ended() => End::Exited(status),
        () = health::until_hung(name, &service.endpoint, &service.health) => End::Hung,
    };
    match end {
        End::Drained => {
            if process.drain(service.drain).await {
                tracing::info!(service = %name, "drained");
            } else {
                tracing::warn!(service = %name, limit = ?service.drain, "did not drain in time and was killed");
            }
            return true;
        }
        End::Exited(Ok(status)) => tracing::warn!(service = %name, "ended: {status}"),
        End::Exited(Err(error)) => tracing::error!(service = %name, %error, "is lost"),
        End::Hung => {
            let checks = service.health.failures;
            tracing::error!(service = %name, checks, "does not answer health checks and is killed");
            process.kill().await;
        }
    }
    false
}

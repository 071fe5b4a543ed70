//! Asks a service whether it lives (`grpc.health.v1`).

use crate::config;
use outrigger_hook_sdk::Endpoint;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// What a service says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Serving,
    /// It lives, and waits for something or drains.
    NotServing,
}

/// Asks again and again; returns when the service does not answer any more.
pub(crate) async fn until_hung(name: &str, endpoint: &Endpoint, settings: &config::Health) {
    let started = Instant::now();
    let mut last = None;
    let mut failures = 0;
    while failures < settings.failures {
        sleep(settings.interval).await;
        let answer = timeout(settings.timeout, ask(endpoint)).await;
        match answer.ok().flatten() {
            Some(answer) => {
                failures = 0;
                if last != Some(answer) {
                    report(name, answer);
                }
                last = Some(answer);
            }
            // A service that does not listen yet is not a hung one.
            None if last.is_none() && started.elapsed() < settings.start => {}
            None => failures += 1,
        }
    }
}

fn report(name: &str, answer: Answer) {
    match answer {
        Answer::Serving => tracing::info!(service = %name, "ready"),
        Answer::NotServing => {
            tracing::warn!(
                service = name,
                "not ready: it answers NOT_SERVING; its log says why"
            );
        }
    }
}

/// `None` where there is no answer. Each question has its own connection: a service may answer an old connection and
/// take no new one.
async fn ask(endpoint: &Endpoint) -> Option<Answer> {
    let channel = endpoint.connect().await.ok()?;
    let mut client = HealthClient::new(channel);
    match client.check(HealthCheckRequest::default()).await {
        Ok(reply) if reply.get_ref().status() == ServingStatus::Serving => Some(Answer::Serving),
        Ok(_) => Some(Answer::NotServing),
        // It has no health checks, but it answers.
        Err(status) if status.code() == Code::Unimplemented => Some(Answer::Serving),
        Err(_) => None,
    }
}

//! Rules of Load, health checks and reflection.

use super::subject::{Outcome, Subject, Verdict, failed};
use crate::peer::{Peer, PeerError, REVISION};
use outrigger_proto::{HookPoint, PROTOCOL_VERSION, convert, v1};
use std::collections::BTreeSet;
use tokio::time::timeout;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use v1::load_reply::Result as LoadResult;

/// No server will speak it for a while.
const FAR_VERSION: u32 = 4_000_000_000;
/// Full name of the protocol's service.
const SERVICE: &str = "outrigger.hooks.v1.Callouts";

pub(super) async fn loaded_form(subject: &Subject) -> Outcome {
    let loaded = &subject.loaded;
    if loaded.protocol_version != PROTOCOL_VERSION {
        return failed(format!(
            "it chose version {} of the protocol; {PROTOCOL_VERSION} was offered",
            loaded.protocol_version
        ));
    }
    if loaded.name.trim().is_empty() || loaded.version.trim().is_empty() {
        return failed(format!(
            "its name is \"{}\" and its version \"{}\"",
            loaded.name, loaded.version
        ));
    }
    Ok(String::new())
}

pub(super) async fn versions(subject: &Subject) -> Outcome {
    let peer = subject.connect().await?;
    let mut request = subject.identity.load_request(REVISION);
    request.protocol_versions = vec![FAR_VERSION];
    match peer.load_result(&request).await? {
        LoadResult::Refusal(refusal) if refusal.text.trim().is_empty() => {
            return failed("it refuses an unknown version without a text");
        }
        LoadResult::Refusal(_) => {}
        LoadResult::Loaded(loaded) => {
            return failed(format!(
                "offered version {FAR_VERSION} only, it loads with {}",
                loaded.protocol_version
            ));
        }
    }
    request.protocol_versions = vec![FAR_VERSION, PROTOCOL_VERSION];
    match peer.load_result(&request).await? {
        LoadResult::Loaded(loaded) if loaded.protocol_version == PROTOCOL_VERSION => {
            Ok(String::new())
        }
        LoadResult::Loaded(loaded) => failed(format!(
            "offered {FAR_VERSION} and {PROTOCOL_VERSION}, it chose {}",
            loaded.protocol_version
        )),
        LoadResult::Refusal(refusal) => failed(format!(
            "offered {FAR_VERSION} and {PROTOCOL_VERSION}, it refuses: {}",
            refusal.text
        )),
    }
}

pub(super) async fn parameters(subject: &Subject) -> Outcome {
    let peer = subject.connect().await?;
    for parameters in ["[", "{\"no-such-parameter\": {\"a\": [1]}}"] {
        let mut request = subject.identity.load_request(REVISION + 100);
        request.parameters = parameters.to_owned();
        match peer.load_result(&request).await {
            Ok(LoadResult::Refusal(refusal)) if refusal.text.trim().is_empty() => {
                return failed(format!("it refuses {parameters} without a text"));
            }
            Ok(_) => {}
            Err(error) => return failed(format!("with the parameters {parameters}, {error}")),
        }
    }
    Ok(String::new())
}

pub(super) async fn subscriptions(subject: &Subject) -> Outcome {
    let mut seen = BTreeSet::new();
    for subscription in &subject.loaded.subscriptions {
        let Ok(point) = HookPoint::try_from(subscription.hook_point) else {
            return failed(format!(
                "there is no hook point {}",
                subscription.hook_point
            ));
        };
        if !seen.insert(point) {
            return failed(format!("it subscribes to {point} twice"));
        }
        let spec = point.spec();
        for (paths, rows, verb) in [
            (&subscription.reads, spec.reads, "read"),
            (&subscription.writes, spec.changes, "change"),
        ] {
            let unknown = |path: &&String| {
                !rows
                    .iter()
                    .any(|row| convert::covers(row, path) || convert::covers(path, row))
            };
            if let Some(path) = paths.iter().find(unknown) {
                return failed(format!(
                    "it wants to {verb} \"{path}\" at {point}; possible are: {}",
                    rows.join(", ")
                ));
            }
        }
    }
    Ok(String::new())
}

pub(super) async fn reload(subject: &Subject) -> Outcome {
    let mut line = subject.line().await?;
    let point = subject.any_point();
    let before = line.ask(subject.call(1, point)).await?;
    let second = subject.connect().await?;
    let loaded = second
        .load(&subject.identity.load_request(REVISION + 1))
        .await
        .map_err(|error| Verdict::Failed(format!("Load of a second configuration: {error}")))?;
    if loaded.subscriptions != subject.loaded.subscriptions {
        return failed("the same parameters lead to other subscriptions the second time");
    }
    for revision in [REVISION + 1, REVISION] {
        let call = v1::CalloutRequest {
            configuration_revision: revision,
            ..subject.call(1 + revision, point)
        };
        let after = line.ask(call).await?;
        if after != before {
            return failed(format!(
                "a call of configuration {revision} is answered with {}; before the second Load it was {}",
                after.show(),
                before.show()
            ));
        }
    }
    Ok(String::new())
}

pub(super) async fn health(subject: &Subject) -> Outcome {
    let peer = subject.connect().await?;
    for service in ["", SERVICE] {
        match serving(subject, &peer, service).await? {
            ServingStatus::Serving => {}
            other => {
                return failed(format!(
                    "the health of \"{service}\" is {}",
                    other.as_str_name()
                ));
            }
        }
    }
    Ok(String::new())
}

/// What grpc.health.v1 says.
pub(super) async fn serving(
    subject: &Subject,
    peer: &Peer,
    service: &str,
) -> Result<ServingStatus, PeerError> {
    let mut client = HealthClient::new(peer.channel());
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    match timeout(subject.patience, client.check(request)).await {
        Ok(Ok(reply)) => Ok(reply.get_ref().status()),
        Ok(Err(status)) => Err(PeerError::status("grpc.health.v1.Health/Check", status)),
        Err(_) => Err(PeerError::Silent {
            what: "grpc.health.v1.Health/Check",
            limit: subject.patience,
        }),
    }
}

/// Version 1, or the one before it that older stacks have.
pub(super) async fn reflection(subject: &Subject) -> Outcome {
    let peer = subject.connect().await?;
    let listed = timeout(subject.patience, async {
        match services_v1(&peer).await {
            Err(status) if status.code() == Code::Unimplemented => services_v1alpha(&peer).await,
            services => services,
        }
    });
    let services = match listed.await {
        Ok(Ok(services)) => services,
        Ok(Err(status)) => return Err(PeerError::status("server reflection", status).into()),
        Err(_) => return failed("server reflection is not answered"),
    };
    if services.iter().any(|name| name == SERVICE) {
        return Ok(String::new());
    }
    failed(format!(
        "it lists {} and not {SERVICE}",
        services.join(", ")
    ))
}

macro_rules! list_services {
    ($name:ident $version:ident) => {
        async fn $name(peer: &Peer) -> Result<Vec<String>, tonic::Status> {
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = tonic_reflection::pb::$version::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(peer.channel());
            let requests = tokio_stream::once(request);
            let mut replies = client.server_reflection_info(requests).await?.into_inner();
            let reply = replies.next().await.transpose()?;
            match reply.and_then(|reply| reply.message_response) {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    Ok(list.service.into_iter().map(|entry| entry.name).collect())
                }
                _ => Err(tonic::Status::unknown("no list of services")),
            }
        }
    };
}

list_services!(services_v1 v1);
list_services!(services_v1alpha v1alpha);

//! Load, single calls, health, reflection and the drain.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod support;

use outrigger_hook_sdk::v1::{self, load_reply, server_message, service_message};
use outrigger_hook_sdk::{Endpoint, HookPoint};
use support::{Running, Session, call, context, load_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

async fn load(service: &Running, request: v1::LoadRequest) -> load_reply::Result {
    let reply = service.client().await.load(request).await.unwrap();
    reply.into_inner().result.expect("a result")
}

async fn refusal(service: &Running, request: v1::LoadRequest) -> String {
    match load(service, request).await {
        load_reply::Result::Refusal(refusal) => refusal.text,
        load_reply::Result::Loaded(loaded) => panic!("not refused: {loaded:?}"),
    }
}

async fn health(service: &Running, name: &str) -> ServingStatus {
    let mut client = HealthClient::new(service.endpoint.connect().await.unwrap());
    let request = HealthCheckRequest {
        service: name.to_owned(),
    };
    client.check(request).await.unwrap().into_inner().status()
}

async fn wait_for_health(service: &Running, expected: ServingStatus) {
    let reached = async {
        while health(service, "").await != expected {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), reached)
        .await
        .expect("health changes in time");
}

#[tokio::test]
async fn load_says_who_the_service_is_and_what_it_wants() {
    let service = Running::start().await;
    let load_reply::Result::Loaded(loaded) = load(&service, load_request(1, "hello")).await else {
        panic!("refused");
    };
    assert_eq!(
        (loaded.name.as_str(), loaded.version.as_str()),
        ("scripted", "1.2.3")
    );
    assert_eq!(loaded.protocol_version, 1);
    assert!(loaded.sessions);
    assert_eq!(loaded.max_in_flight, 4096);
    let points: Vec<_> = loaded.subscriptions.iter().map(|s| s.hook_point).collect();
    let numbers = [HookPoint::Pkt4Receive, HookPoint::Subnet4Select].map(|p| i32::from(p.number()));
    assert_eq!(points, numbers);
    assert_eq!(loaded.subscriptions[1].writes, ["subnet"]);
}

#[tokio::test]
async fn a_refusal_says_why() {
    let service = Running::start().await;
    let text = refusal(&service, load_request(1, "no")).await;
    assert_eq!(text, "these parameters are wrong");
    let text = refusal(&service, load_request(1, "panic")).await;
    assert_eq!(text, "loading panicked: as the parameters said");
    let mut future = load_request(1, "hello");
    future.protocol_versions = vec![9, 8];
    let text = refusal(&service, future).await;
    assert!(text.contains("speaks version 1"), "{text}");
    let mut anonymous = load_request(1, "hello");
    anonymous.server = None;
    let text = refusal(&service, anonymous).await;
    assert!(text.contains("does not say who it is"), "{text}");
}

#[tokio::test]
async fn a_single_call_is_answered_by_the_same_callout() {
    let service = Running::start().await;
    let mut client = service.client().await;
    client.load(load_request(1, "hello")).await.unwrap();
    let reply = client.call(call(5, "x")).await.unwrap().into_inner();
    assert_eq!(reply.id, 5);
    assert_eq!(context(&reply), "hello x");
}

#[tokio::test]
async fn a_failed_single_call_is_a_status() {
    let service = Running::start().await;
    let mut client = service.client().await;
    let status = client.call(call(1, "x")).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "not loaded yet");
    client.load(load_request(1, "hello")).await.unwrap();

    let mut late = call(3, "sleep 60000");
    late.budget_us = 5_000;
    let mut unknown = call(4, "x");
    unknown.hook_point = -1;
    for (request, code, part) in [
        (call(1, "panic"), Code::Internal, "as the packet said"),
        (call(2, "fail 1"), Code::Unknown, "as the packet said"),
        (late, Code::DeadlineExceeded, "budget of 5000"),
        (unknown, Code::InvalidArgument, "no hook point -1"),
    ] {
        let status = client.call(request).await.unwrap_err();
        assert_eq!(status.code(), code);
        assert!(status.message().contains(part), "{status}");
    }
}

#[tokio::test]
async fn health_follows_readiness() {
    let service = Running::start().await;
    wait_for_health(&service, ServingStatus::Serving).await;
    assert_eq!(
        health(&service, "outrigger.hooks.v1.Callouts").await,
        ServingStatus::Serving
    );
    service.readiness.send(false).unwrap();
    wait_for_health(&service, ServingStatus::NotServing).await;
    service.readiness.send(true).unwrap();
    wait_for_health(&service, ServingStatus::Serving).await;
}

#[tokio::test]
async fn reflection_lists_the_protocol() {
    let service = Running::start().await;
    let mut client = ServerReflectionClient::new(service.endpoint.connect().await.unwrap());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let replies = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap();
    let reply = replies.into_inner().message().await.unwrap();
    let text = format!("{reply:?}");
    assert!(text.contains("outrigger.hooks.v1.Callouts"), "{text}");
    assert!(text.contains("grpc.health.v1.Health"), "{text}");
}

#[tokio::test]
async fn a_drain_answers_open_calls_and_removes_the_socket() {
    let mut service = Running::start().await;
    let mut session = service.session().await;
    session.calls(vec![call(1, "sleep 100")]).await;
    session.calls(vec![call(2, "x")]).await;
    assert_eq!(session.replies(1).await[0].id, 2, "both calls arrived");
    service.ask_to_stop();
    let drain = session.next().await;
    assert!(
        matches!(drain, service_message::Message::Drain(_)),
        "{drain:?}"
    );
    wait_for_health(&service, ServingStatus::NotServing).await;
    let mut client = service.client().await;
    let status = client.load(load_request(2, "hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);

    session.calls(vec![call(3, "x")]).await;
    let mut ids: Vec<_> = session.replies(2).await.iter().map(|r| r.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 3], "a call that crossed the drain is answered too");
    session.send(server_message::Message::Bye(v1::Bye {})).await;
    assert!(session.message().await.unwrap().is_none());
    drop((session, client));
    service.stopped().await;
    let Endpoint::Unix(path) = &service.endpoint else {
        panic!("a unix socket");
    };
    assert!(!path.exists());
}

#[tokio::test]
async fn a_server_that_ignores_the_drain_is_cut_off_after_the_grace_period() {
    let grace = std::time::Duration::from_millis(50);
    let mut service = Running::start_with(|server| server.grace(grace)).await;
    let mut session = service.session().await;
    session
        .calls(vec![call(1, "sleep 60000"), call(2, "x")])
        .await;
    session.replies(1).await;
    service.ask_to_stop();
    service.stopped().await;
}

#[tokio::test]
async fn garbage_on_the_socket_disturbs_nobody() {
    let service = Running::start().await;
    let mut bystander = service.session().await;
    let Endpoint::Unix(path) = &service.endpoint else {
        panic!("a unix socket");
    };
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 10_000],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrubbish",
    ] {
        let mut stream = tokio::net::UnixStream::connect(path).await.unwrap();
        // The service may close the connection before it took everything.
        let _ = stream.write_all(garbage).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    }
    assert_eq!(context(&bystander.ask(call(1, "x")).await), "hello x");
}

#[tokio::test]
async fn tcp_works_like_a_unix_socket() {
    let endpoint = "http://127.0.0.1:0".parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let service = Running::start_at(endpoint, folder, |server| server).await;
    assert_ne!(service.endpoint.to_string(), "http://127.0.0.1:0");
    let mut client = service.client().await;
    client.load(load_request(1, "hello")).await.unwrap();
    let mut session = Session::open(&mut client).await;
    session.hello(1).await;
    assert_eq!(context(&session.ask(call(1, "x")).await), "hello x");
}

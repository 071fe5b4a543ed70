//! The program itself: arguments, readiness, a whole exchange over its socket, and the end.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use bytes::Bytes;
use outrigger_hook_sdk::points::{Pkt6Receive, Pkt6Send, Point, Subnet6Select};
use outrigger_hook_sdk::testing::packet6;
use outrigger_hook_sdk::v1::callouts_client::CalloutsClient;
use outrigger_hook_sdk::{Endpoint, v1};
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use v1::load_reply::Result as Answer;

const PATIENCE: Duration = Duration::from_secs(20);
const DUID: [u8; 14] = [
    0, 1, 0, 1, 0x1e, 0xf0, 0x12, 0x34, 8, 0, 0x27, 0xaa, 0xbb, 1,
];
const LINE: &str =
    r#"{"type":"DUID","id":"000100011ef01234080027aabb01","bootfile":"/tmp/v6bootfile"}"#;

fn user_chk(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_user-chk"));
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String) {
    let Output { status, stderr, .. } = user_chk(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

/// A running program in a folder of its own.
struct Running {
    child: Child,
    endpoint: Endpoint,
    registry: PathBuf,
    outcome: PathBuf,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start(registry: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        if let Some(content) = registry {
            fs::write(at("registry.txt"), content).unwrap();
        }
        let endpoint = format!("unix:{}", at("hook.sock").display());
        let child = user_chk(&["--listen", &endpoint])
            .arg("--registry")
            .arg(at("registry.txt"))
            .arg("--outcome")
            .arg(at("outcome.txt"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            endpoint: endpoint.parse().unwrap(),
            registry: at("registry.txt"),
            outcome: at("outcome.txt"),
            _folder: folder,
        }
    }

    async fn client(&self) -> CalloutsClient<Channel> {
        let connected = async {
            loop {
                match self.endpoint.connect().await {
                    Ok(channel) => return CalloutsClient::new(channel),
                    Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        timeout(PATIENCE, connected).await.expect("it listens")
    }

    async fn health(&self) -> ServingStatus {
        let mut client = HealthClient::new(self.endpoint.connect().await.unwrap());
        let reply = client.check(HealthCheckRequest::default()).await.unwrap();
        reply.into_inner().status()
    }

    /// SIGTERM; exit code and log.
    fn stop(mut self) -> (i32, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        let status = self.child.wait().unwrap();
        (status.code().unwrap(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn load_request(parameters: &str) -> v1::LoadRequest {
    let subnet = |id, prefix: &str| v1::Subnet {
        id,
        prefix: prefix.to_owned(),
        ..Default::default()
    };
    v1::LoadRequest {
        protocol_versions: vec![1],
        server: Some(v1::ServerIdentity {
            family: v1::Family::Dhcp6.into(),
            instance_id: "instance".to_owned(),
            ..Default::default()
        }),
        configuration_revision: 1,
        service_name: "user-chk".to_owned(),
        parameters: parameters.to_owned(),
        subnets: vec![subnet(1, "2001:db8:1::/64"), subnet(2, "3000::/64")],
        server_api: None,
    }
}

async fn load(client: &mut CalloutsClient<Channel>, parameters: &str) -> Answer {
    let reply = client.load(load_request(parameters)).await.unwrap();
    reply.into_inner().result.unwrap()
}

async fn refusal(client: &mut CalloutsClient<Channel>, parameters: &str) -> String {
    match load(client, parameters).await {
        Answer::Refusal(refusal) => refusal.text,
        Answer::Loaded(loaded) => panic!("not refused: {loaded:?}"),
    }
}

const RESTRICTED: &str = r#"{"restricted-subnet-id": 2}"#;

async fn call<P: Point>(
    client: &mut CalloutsClient<Channel>,
    context: Bytes,
    arguments: P::Arguments,
) -> v1::CalloutResult {
    let request = v1::CalloutRequest {
        id: 1,
        hook_point: P::HOOK_POINT.number().into(),
        configuration_revision: 1,
        context,
        arguments: Some(P::wrap(arguments)),
        ..Default::default()
    };
    match client.call(request).await.unwrap().into_inner().outcome {
        Some(v1::callout_reply::Outcome::Result(result)) => result,
        other => panic!("not a result: {other:?}"),
    }
}

/// The three hook points of one SOLICIT: the subnet that was chosen, the options that were changed.
async fn exchange(client: &mut CalloutsClient<Channel>) -> (Option<u32>, usize) {
    let query = packet6(1, &[(1, &DUID)]);
    let received = v1::Query6Arguments {
        query: Some(query.clone()),
    };
    let result = call::<Pkt6Receive>(client, Bytes::new(), received).await;
    let context = result.context.expect("a verdict");
    let located = v1::Subnet6SelectArguments {
        query: Some(query.clone()),
        subnet_id: 1,
        subnet_ids: Vec::new(),
    };
    let result = call::<Subnet6Select>(client, context.clone(), located).await;
    let subnet = result.changes.and_then(|changes| changes.subnet_id);
    let mut ia = vec![0; 12];
    ia.extend_from_slice(&[0, 5, 0, 24, 0x30, 0]);
    ia.extend_from_slice(&[0; 13]);
    ia.extend_from_slice(&[0x0a, 0, 0, 0, 60, 0, 0, 0, 60]);
    let sent = v1::Response6Arguments {
        query: Some(query),
        response: Some(packet6(2, &[(3, &ia), (17, &[0, 0, 0x11, 0x8b])])),
        subnet_id: 1,
    };
    let result = call::<Pkt6Send>(client, context, sent).await;
    let changes = result.changes.and_then(|changes| changes.response6);
    (subnet, changes.map_or(0, |changes| changes.options.len()))
}

#[tokio::test]
async fn a_client_is_served_by_registration_and_recorded() {
    let running = Running::start(Some(""));
    let mut client = running.client().await;
    let Answer::Loaded(loaded) = load(&mut client, RESTRICTED).await else {
        panic!("refused");
    };
    assert_eq!(loaded.name, "user-chk");
    let points: Vec<_> = loaded.subscriptions.iter().map(|s| s.hook_point).collect();
    assert_eq!(points, [34, 35, 45], "those of DHCPv6 only");
    assert_eq!(exchange(&mut client).await, (Some(2), 0));

    fs::write(&running.registry, LINE).unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        exchange(&mut client).await,
        (None, 1),
        "a second later, without a restart"
    );

    fs::write(&running.registry, &LINE[..30]).unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        exchange(&mut client).await,
        (None, 1),
        "the last good version"
    );

    drop(client);
    let outcome = running.outcome.clone();
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("outcome.txt");
    fs::hard_link(&outcome, &kept).unwrap_or_else(|_| fs::copy(&outcome, &kept).map(drop).unwrap());
    let (code, log) = running.stop();
    assert_eq!(code, 0, "{log}");
    let records = fs::read_to_string(&kept).unwrap();
    let registered: Vec<_> = records
        .lines()
        .filter(|l| l.starts_with("registered"))
        .collect();
    assert_eq!(
        registered,
        ["registered=no", "registered=yes", "registered=yes"]
    );
    assert_eq!(records.matches("addr=3000::a\n").count(), 3, "{records}");
    assert!(
        log.contains("registry.txt: line 1: is not a JSON object"),
        "{log}"
    );
    assert!(log.contains("records=3"), "{log}");
}

#[tokio::test]
async fn without_a_registry_it_listens_and_is_not_ready() {
    let running = Running::start(None);
    let mut client = running.client().await;
    let text = refusal(&mut client, RESTRICTED).await;
    assert!(text.contains("registry.txt: No such file"), "{text}");
    assert_eq!(running.health().await, ServingStatus::NotServing);
    fs::write(&running.registry, "nonsense").unwrap();
    sleep(Duration::from_secs(1)).await;
    let text = refusal(&mut client, RESTRICTED).await;
    assert!(
        text.contains("registry.txt: line 1: is not a JSON object"),
        "{text}"
    );
    fs::write(&running.registry, LINE).unwrap();
    sleep(Duration::from_secs(1)).await;
    let answer = load(&mut client, RESTRICTED).await;
    assert!(matches!(answer, Answer::Loaded(_)), "{answer:?}");
    assert_eq!(running.health().await, ServingStatus::Serving);
}

#[tokio::test]
async fn parameters_that_cannot_work_are_refused_with_the_reason() {
    let running = Running::start(Some(LINE));
    let mut client = running.client().await;
    for (parameters, part) in [
        ("{}", "restricted-subnet-id is missing"),
        (r#"{"restricted-subnet-id": 3}"#, "there is no subnet 3"),
        (r#"{"restricted": 2}"#, "unknown field"),
    ] {
        let text = refusal(&mut client, parameters).await;
        assert!(text.contains(part), "{text}");
    }
    let mut request = load_request(RESTRICTED);
    request.server.as_mut().unwrap().family = v1::Family::Unspecified.into();
    let reply = client.load(request).await.unwrap().into_inner();
    assert!(format!("{reply:?}").contains("neither DHCPv4 nor DHCPv6"));
}

#[test]
fn an_outcome_file_that_cannot_be_opened_ends_it_with_74() {
    let arguments = [
        "--listen",
        "unix:/nowhere/hook.sock",
        "--registry",
        "/nowhere/r",
        "--outcome",
    ];
    let (code, log) = run(&[&arguments[..], &["/nowhere/outcome.txt"]].concat());
    assert_eq!(code, 74, "{log}");
    assert!(
        log.contains("outcome file /nowhere/outcome.txt: No such file"),
        "{log}"
    );
}

#[test]
fn an_endpoint_that_cannot_be_listened_on_ends_it_with_74() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = folder.path().join("outcome.txt");
    let outcome = outcome.to_str().unwrap();
    let (code, log) = run(&[
        "--listen",
        "unix:/nowhere/hook.sock",
        "--registry",
        "/nowhere/r",
        "--outcome",
        outcome,
    ]);
    assert_eq!(code, 74, "{log}");
    assert!(
        log.contains("cannot listen on unix:/nowhere/hook.sock: No such file"),
        "{log}"
    );
}

#[test]
fn wrong_usage_ends_it_with_64_and_says_what_to_write() {
    for (listen, registry, part) in [
        (
            "/run/hook.sock",
            "r",
            "write unix:/path or http://host:port",
        ),
        (
            "unix:/run/h",
            "mysql://localhost/kea",
            "\"mysql:\" are not supported yet",
        ),
    ] {
        let (code, text) = run(&["--listen", listen, "--registry", registry, "--outcome", "o"]);
        assert_eq!(code, 64, "{text}");
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(run(&["--listen", "unix:/run/h"]).0, 64);
    assert_eq!(run(&["--version"]).0, 0);
}

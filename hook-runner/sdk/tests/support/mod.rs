//! A hook that does what its packets say, and a small client of the protocol.
#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test binary uses its own part, and a failed step is a failed test"
)]

use bytes::Bytes;
use outrigger_hook_sdk::points::{Command, Pkt4Receive, Point, Subnet4Select};
use outrigger_hook_sdk::v1::callouts_client::CalloutsClient;
use outrigger_hook_sdk::v1::{server_message, service_message};
use outrigger_hook_sdk::{
    Call, Callouts, Endpoint, HookError, HookPoint, Loaded, Refusal, ServeError, Server, Service,
    Subscriptions, v1,
};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Obeys the packet label.
#[derive(Debug)]
pub struct Scripted {
    pub greeting: String,
    pub cancelled: Arc<AtomicUsize>,
}

struct CountsDrop(Arc<AtomicUsize>);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Callouts for Scripted {
    async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        call.query()?;
        match call.packet_label().split_once(' ') {
            None if call.packet_label() == "panic" => panic!("as the packet said"),
            Some(("sleep", ms)) => {
                let guard = CountsDrop(Arc::clone(&self.cancelled));
                tokio::time::sleep(Duration::from_millis(ms.parse()?)).await;
                std::mem::forget(guard);
            }
            Some(("panic", "later")) => {
                tokio::task::yield_now().await;
                panic!("later, as the packet said");
            }
            Some(("fail", code)) => {
                return Err(HookError::new("as the packet said").with_code(code.parse()?));
            }
            Some(("context", length)) => call.set_context(vec![7; length.parse()?]),
            _ => call.set_context(format!("{} {}", self.greeting, call.packet_label())),
        }
        Ok(())
    }

    async fn subnet4_select(&self, call: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
        call.park()?;
        if let Some(("hold", ms)) = call.packet_label().split_once(' ') {
            tokio::time::sleep(Duration::from_millis(ms.parse()?)).await;
        }
        call.select_subnet(7);
        Ok(())
    }

    async fn command(&self, call: &mut Call<'_, Command>) -> Result<(), HookError> {
        let name = call.command()?.name;
        call.answer_command(&json!({ "result": 0, "text": format!("{} {name}", self.greeting) }))
    }
}

/// Greets with the parameters it was loaded with; refuses "no".
#[derive(Debug)]
pub struct ScriptedService {
    pub cancelled: Arc<AtomicUsize>,
    pub readiness: watch::Receiver<bool>,
}

impl Service for ScriptedService {
    type Callouts = Scripted;

    fn name(&self) -> &str {
        "scripted"
    }

    fn version(&self) -> &str {
        "1.2.3"
    }

    async fn load(&self, request: &v1::LoadRequest) -> Result<Loaded<Scripted>, Refusal> {
        match request.parameters.as_str() {
            "no" => return Err(Refusal::new("these parameters are wrong")),
            "panic" => panic!("as the parameters said"),
            _ => {}
        }
        let subscriptions = Subscriptions::new()
            .point(HookPoint::Pkt4Receive, &["query"], &[])
            .point(HookPoint::Subnet4Select, &["query"], &["subnet"]);
        let callouts = Scripted {
            greeting: request.parameters.clone(),
            cancelled: Arc::clone(&self.cancelled),
        };
        Ok(Loaded::new(callouts, subscriptions).commands(["greet"]))
    }

    fn readiness(&self) -> watch::Receiver<bool> {
        self.readiness.clone()
    }
}

/// The scripted service, running.
pub struct Running {
    pub endpoint: Endpoint,
    pub cancelled: Arc<AtomicUsize>,
    pub readiness: watch::Sender<bool>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Result<(), ServeError>>>,
    _folder: TempDir,
}

impl Running {
    pub async fn start() -> Self {
        Self::start_with(|server| server).await
    }

    pub async fn start_with(
        settings: impl FnOnce(Server<ScriptedService>) -> Server<ScriptedService>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook.sock");
        Self::start_at(Endpoint::Unix(path), folder, settings).await
    }

    pub async fn start_at(
        endpoint: Endpoint,
        folder: TempDir,
        settings: impl FnOnce(Server<ScriptedService>) -> Server<ScriptedService>,
    ) -> Self {
        let cancelled = Arc::new(AtomicUsize::new(0));
        let (readiness, watched) = watch::channel(true);
        let service = ScriptedService {
            cancelled: Arc::clone(&cancelled),
            readiness: watched,
        };
        let bound = settings(Server::new(service))
            .bind(&endpoint)
            .await
            .unwrap();
        let endpoint = bound.endpoint().clone();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(bound.run(async {
            let _ = stopped.await;
        }));
        Self {
            endpoint,
            cancelled,
            readiness,
            stop: Some(stop),
            served: Some(served),
            _folder: folder,
        }
    }

    pub async fn client(&self) -> CalloutsClient<Channel> {
        CalloutsClient::new(self.endpoint.connect().await.unwrap())
    }

    /// A session after Load and Hello.
    pub async fn session(&self) -> Session {
        let mut client = self.client().await;
        client.load(load_request(1, "hello")).await.unwrap();
        let mut session = Session::open(&mut client).await;
        session.hello(1).await;
        session
    }

    pub fn ask_to_stop(&mut self) {
        self.stop.take().expect("once").send(()).unwrap();
    }

    pub async fn stopped(&mut self) {
        let served = self.served.take().expect("once");
        let ended = tokio::time::timeout(PATIENCE, served).await;
        ended.expect("it stops in time").unwrap().unwrap();
    }
}

pub fn load_request(revision: u64, parameters: &str) -> v1::LoadRequest {
    v1::LoadRequest {
        protocol_versions: vec![1],
        server: Some(v1::ServerIdentity {
            name: "test".to_owned(),
            family: v1::Family::Dhcp4.into(),
            version: "0".to_owned(),
            instance_id: "instance".to_owned(),
        }),
        configuration_revision: revision,
        service_name: "scripted".to_owned(),
        parameters: parameters.to_owned(),
        subnets: Vec::new(),
        server_api: None,
    }
}

/// A call of `pkt4_receive` with this label.
pub fn call(id: u64, label: &str) -> v1::CalloutRequest {
    let arguments = v1::Query4Arguments {
        query: Some(outrigger_hook_sdk::testing::packet4(1, [2; 6], &[])),
    };
    v1::CalloutRequest {
        id,
        hook_point: v1::HookPoint::Pkt4Receive.into(),
        packet_label: label.to_owned(),
        configuration_revision: 1,
        arguments: Some(Pkt4Receive::wrap(arguments)),
        ..Default::default()
    }
}

/// A call of `subnet4_select`, which parks: for at most 5 s.
pub fn parking_call(id: u64, label: &str) -> v1::CalloutRequest {
    let arguments = v1::Subnet4SelectArguments {
        query: Some(outrigger_hook_sdk::testing::packet4(1, [2; 6], &[])),
        ..Default::default()
    };
    v1::CalloutRequest {
        hook_point: v1::HookPoint::Subnet4Select.into(),
        budget_us: 10_000,
        park_budget_us: 5_000_000,
        arguments: Some(Subnet4Select::wrap(arguments)),
        ..call(id, label)
    }
}

/// A call for this control command.
pub fn command_call(id: u64, command: &str) -> v1::CalloutRequest {
    let arguments = v1::CommandArguments {
        command: command.to_owned(),
        response: String::new(),
    };
    v1::CalloutRequest {
        hook_point: v1::HookPoint::Command.into(),
        arguments: Some(Command::wrap(arguments)),
        ..call(id, "command")
    }
}

pub struct Session {
    outgoing: mpsc::Sender<v1::ServerMessage>,
    incoming: Streaming<v1::ServiceMessage>,
}

impl Session {
    /// Opens it and sends nothing.
    pub async fn open(client: &mut CalloutsClient<Channel>) -> Self {
        let (outgoing, messages) = mpsc::channel(64);
        let opening = client.session(ReceiverStream::new(messages));
        let response = tokio::time::timeout(PATIENCE, opening).await;
        let incoming = response
            .expect("headers come at once")
            .unwrap()
            .into_inner();
        Self { outgoing, incoming }
    }

    pub async fn send(&self, message: server_message::Message) {
        let message = v1::ServerMessage {
            message: Some(message),
        };
        self.outgoing.send(message).await.unwrap();
    }

    pub async fn hello(&mut self, revision: u64) {
        self.send(server_message::Message::Hello(v1::Hello {
            instance_id: "instance".to_owned(),
            configuration_revision: revision,
            service_name: "scripted".to_owned(),
        }))
        .await;
        let welcome = self.next().await;
        assert!(matches!(welcome, service_message::Message::Welcome(_)));
    }

    pub async fn calls(&self, calls: Vec<v1::CalloutRequest>) {
        self.send(server_message::Message::Calls(v1::CallBatch {
            calls,
            answered: None,
        }))
        .await;
    }

    pub async fn message(&mut self) -> Result<Option<v1::ServiceMessage>, Status> {
        let message = tokio::time::timeout(PATIENCE, self.incoming.message()).await;
        message.expect("a message comes in time")
    }

    pub async fn next(&mut self) -> service_message::Message {
        let message = self.message().await.unwrap().expect("not the end");
        message.message.expect("a known kind")
    }

    pub async fn batch(&mut self) -> Vec<v1::CalloutReply> {
        match self.next().await {
            service_message::Message::Replies(batch) => batch.replies,
            other => panic!("not replies: {other:?}"),
        }
    }

    pub async fn replies(&mut self, count: usize) -> Vec<v1::CalloutReply> {
        let mut replies = Vec::new();
        while replies.len() < count {
            replies.extend(self.batch().await);
        }
        replies
    }

    /// Sends one call and takes one reply.
    pub async fn ask(&mut self, call: v1::CalloutRequest) -> v1::CalloutReply {
        self.calls(vec![call]).await;
        self.replies(1).await.remove(0)
    }
}

pub fn context(reply: &v1::CalloutReply) -> Bytes {
    result(reply).context.clone().expect("a context")
}

pub fn result(reply: &v1::CalloutReply) -> &v1::CalloutResult {
    match reply.outcome.as_ref() {
        Some(v1::callout_reply::Outcome::Result(result)) => result,
        other => panic!("not a result: {other:?}"),
    }
}

pub fn failure(reply: &v1::CalloutReply) -> &v1::CalloutFailure {
    match reply.outcome.as_ref() {
        Some(v1::callout_reply::Outcome::Failure(failure)) => failure,
        other => panic!("not a failure: {other:?}"),
    }
}

//! Hook services in configured order, each on a thread of its own, that do what the test says.

use outrigger_proto::{HookPoint, NextStep, v1};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};
use v1::callout_reply::Outcome;
use v1::callouts_server::{Callouts, CalloutsServer};
use v1::load_reply::Result as LoadResult;
use v1::server_message::Message as Received;
use v1::service_message::Message as Sent;

/// Names of services, in configured order.
pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];

/// One thing that a service does after a call; it does them one after the other.
#[derive(Clone)]
pub(crate) enum Act {
    Reply(Box<Outcome>),
    /// A reply with another id than the call's.
    ReplyTo(u64, Box<Outcome>),
    Wait(Duration),
    WaitUntil(Arc<Notify>),
    Drain,
    /// Ends the session; nothing follows.
    End,
}

impl Act {
    pub(crate) fn reply(outcome: Outcome) -> Self {
        Self::Reply(Box::new(outcome))
    }
}

/// What a service does with a call.
pub(crate) type Callout = dyn Fn(&v1::CalloutRequest) -> Vec<Act> + Send + Sync;

/// How one service behaves.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) loaded: v1::Loaded,
    pub(crate) callout: Arc<Callout>,
}

impl Script {
    /// Wants everything of these hook points, and may change all that they let change.
    pub(crate) fn new(
        points: &[HookPoint],
        callout: impl Fn(&v1::CalloutRequest) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let subscriptions = points.iter().map(|point| v1::Subscription {
            hook_point: point.number().into(),
            reads: Vec::new(),
            writes: point
                .spec()
                .changes
                .iter()
                .map(|&path| path.to_owned())
                .collect(),
        });
        let loaded = v1::Loaded {
            protocol_version: 1,
            name: "scripted".to_owned(),
            version: "1".to_owned(),
            subscriptions: subscriptions.collect(),
            sessions: true,
            ..Default::default()
        };
        let callout = Arc::new(callout);
        Self { loaded, callout }
    }
}

/// A result with this next step and these changes.
pub(crate) fn result(next: NextStep, changes: Option<v1::Changes>) -> Outcome {
    Outcome::Result(v1::CalloutResult {
        next_step: i32::from(v1::NextStep::from(next)).into(),
        changes,
        ..Default::default()
    })
}

/// Only a next step.
pub(crate) fn says(next: NextStep) -> Vec<Act> {
    vec![Act::reply(result(next, None))]
}

/// CONTINUE with these changes.
pub(crate) fn changes(changes: v1::Changes) -> Vec<Act> {
    vec![Act::reply(result(NextStep::Continue, Some(changes)))]
}

/// The hook point of a call.
pub(crate) fn point_of(call: &v1::CalloutRequest) -> HookPoint {
    let mut all = HookPoint::ALL.iter();
    let called = all.find(|point| i32::from(point.number()) == call.hook_point);
    *called.expect("the server calls hook points that exist")
}

/// The services of one configuration.
pub(crate) struct Services {
    directory: TempDir,
    running: Vec<Option<Running>>,
}

struct Running {
    calls: Arc<Mutex<Vec<v1::CalloutRequest>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Services {
    /// Starts them; where there is no script nobody listens.
    pub(crate) fn start(scripts: Vec<Option<Script>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let started = scripts.into_iter().zip(NAMES).map(|(script, name)| {
            script.map(|script| Running::start(directory.path().join(name), script))
        });
        let running = started.collect();
        Self { directory, running }
    }

    /// All of them there.
    pub(crate) fn all(scripts: Vec<Script>) -> Self {
        Self::start(scripts.into_iter().map(Some).collect())
    }

    /// The members of a configuration that name the services, each with the `further` ones of its entry. A call has all
    /// the time that a test has.
    pub(crate) fn members(&self, budget: u32, further: &[Value]) -> String {
        let entries = NAMES.iter().zip(&self.running).enumerate();
        let entries = entries.map(|(index, (name, _))| {
            let path = self.directory.path().join(name);
            let mut entry = json!({
                "name": name,
                "deadline": 10_000,
                "endpoints": [format!("unix:{}", path.display())],
            });
            let members = further.get(index).and_then(Value::as_object);
            for (member, value) in members.into_iter().flatten() {
                entry[member] = value.clone();
            }
            entry
        });
        let entries: Vec<Value> = entries.collect();
        format!(
            r#""hook-budget": {budget}, "hook-services": {}"#,
            Value::from(entries)
        )
    }

    /// What the service was called with so far.
    pub(crate) fn calls(&self, index: usize) -> Vec<v1::CalloutRequest> {
        let running = self.running[index].as_ref();
        running.map_or_else(Vec::new, |running| running.calls.lock().unwrap().clone())
    }

    /// Its calls at one hook point.
    pub(crate) fn calls_at(&self, index: usize, point: HookPoint) -> Vec<v1::CalloutRequest> {
        let mut calls = self.calls(index);
        calls.retain(|call| point_of(call) == point);
        calls
    }

    /// As a crash would.
    pub(crate) fn kill(&mut self, index: usize) {
        self.running[index] = None;
    }
}

impl Running {
    fn start(path: PathBuf, script: Script) -> Self {
        let calls = Arc::default();
        let scripted = Scripted {
            script,
            calls: Arc::clone(&calls),
        };
        let (stop, stopped) = oneshot::channel();
        let (listening, is_listening) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            // What was spawned dies with the runtime, as with a process.
            runtime.block_on(serve(&path, scripted, listening, stopped));
        });
        is_listening.recv().unwrap();
        Self {
            calls,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    path: &Path,
    scripted: Scripted,
    listening: std::sync::mpsc::Sender<()>,
    stopped: oneshot::Receiver<()>,
) {
    let listener = UnixListener::bind(path).unwrap();
    listening.send(()).unwrap();
    let serving = tonic::transport::Server::builder()
        .add_service(CalloutsServer::new(scripted))
        .serve_with_incoming(UnixListenerStream::new(listener));
    tokio::select! {
        served = serving => served.unwrap(),
        _ = stopped => {}
    }
}

struct Scripted {
    script: Script,
    calls: Arc<Mutex<Vec<v1::CalloutRequest>>>,
}

type Replies = mpsc::UnboundedSender<Result<v1::ServiceMessage, Status>>;

#[tonic::async_trait]
impl Callouts for Scripted {
    async fn load(&self, _: Request<v1::LoadRequest>) -> Result<Response<v1::LoadReply>, Status> {
        let loaded = self.script.loaded.clone();
        Ok(Response::new(v1::LoadReply {
            result: Some(LoadResult::Loaded(loaded)),
        }))
    }

    type SessionStream = UnboundedReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (replies, sent) = mpsc::unbounded_channel();
        let callout = Arc::clone(&self.script.callout);
        let calls = Arc::clone(&self.calls);
        tokio::spawn(converse(request.into_inner(), callout, calls, replies));
        Ok(Response::new(UnboundedReceiverStream::new(sent)))
    }

    async fn call(
        &self,
        _: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        Err(Status::unimplemented("it offers sessions"))
    }
}

async fn converse(
    mut received: Streaming<v1::ServerMessage>,
    callout: Arc<Callout>,
    calls: Arc<Mutex<Vec<v1::CalloutRequest>>>,
    replies: Replies,
) {
    while let Ok(Some(message)) = received.message().await {
        match message.message {
            Some(Received::Hello(_)) => send(&replies, Sent::Welcome(v1::Welcome {})),
            Some(Received::Calls(batch)) => {
                for call in batch.calls {
                    let (id, acts) = (call.id, callout(&call));
                    calls.lock().unwrap().push(call);
                    tokio::spawn(act(id, acts, replies.clone()));
                }
            }
            Some(Received::Bye(_)) | None => {}
        }
    }
}

async fn act(id: u64, acts: Vec<Act>, replies: Replies) {
    for act in acts {
        match act {
            Act::Reply(outcome) => reply(&replies, id, *outcome),
            Act::ReplyTo(other, outcome) => reply(&replies, other, *outcome),
            Act::Wait(pause) => tokio::time::sleep(pause).await,
            Act::Drain => send(&replies, Sent::Drain(v1::Drain {})),
            Act::WaitUntil(told) => told.notified().await,
            Act::End => {
                let _ = replies.send(Err(Status::internal("the session ends here")));
                return;
            }
        }
    }
}

fn reply(replies: &Replies, id: u64, outcome: Outcome) {
    let reply = v1::CalloutReply {
        id,
        outcome: Some(outcome),
    };
    let replied = v1::ReplyBatch {
        replies: vec![reply],
    };
    send(replies, Sent::Replies(replied));
}

fn send(replies: &Replies, message: Sent) {
    let _ = replies.send(Ok(v1::ServiceMessage {
        message: Some(message),
    }));
}

//! A hook service for tests: on a thread and runtime of its own, so that it can be killed or stopped like a process.

use outrigger_proto::{HookPoint, v1};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};
use v1::callout_reply::Outcome;
use v1::callouts_server::{Callouts, CalloutsServer};
use v1::load_reply::Result as LoadResult;
use v1::server_message::Message as Received;
use v1::service_message::Message as Sent;

/// What a service does with a call.
pub(crate) enum Answer {
    Now(Outcome),
    After(Duration, Outcome),
    Never,
    /// All of them, one behind the other.
    Each(Vec<Outcome>),
    /// The first; when told so, the second.
    Then(Outcome, Arc<Notify>, Box<Outcome>),
    /// The first; when told so, the session ends.
    ThenEnd(Outcome, Arc<Notify>),
    EndSession,
    /// Drain, and the answer after it.
    Drain(Outcome),
    /// On `Call`.
    Status(Status),
}

/// CONTINUE without changes.
pub(crate) fn goes_on() -> Answer {
    result(v1::CalloutResult::default())
}

pub(crate) fn result(result: v1::CalloutResult) -> Answer {
    Answer::Now(Outcome::Result(result))
}

/// What the service saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) loads: Vec<v1::LoadRequest>,
    pub(crate) hellos: Vec<v1::Hello>,
    pub(crate) calls: Vec<v1::CalloutRequest>,
    pub(crate) batches: usize,
    pub(crate) unary: usize,
    pub(crate) byes: usize,
}

type Load = dyn Fn(usize) -> LoadResult + Send + Sync;
type Callout = dyn Fn(&v1::CalloutRequest) -> Answer + Send + Sync;

/// How a service behaves.
#[derive(Clone)]
pub(crate) struct Script {
    /// The answer to the nth `Load`, from 0.
    pub(crate) load: Arc<Load>,
    pub(crate) callout: Arc<Callout>,
}

impl Script {
    /// Accepts `Load`, wants `points` with everything they have, and answers with `callout`.
    pub(crate) fn new(
        points: &[HookPoint],
        callout: impl Fn(&v1::CalloutRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let loaded = loaded(points);
        Self {
            load: Arc::new(move |_| LoadResult::Loaded(loaded.clone())),
            callout: Arc::new(callout),
        }
    }

    pub(crate) fn with_loaded(
        mut self,
        change: impl Fn(&mut v1::Loaded) + Send + Sync + 'static,
    ) -> Self {
        let load = Arc::clone(&self.load);
        self.load = Arc::new(move |n| {
            let mut result = load(n);
            if let LoadResult::Loaded(loaded) = &mut result {
                change(loaded);
            }
            result
        });
        self
    }
}

pub(crate) fn loaded(points: &[HookPoint]) -> v1::Loaded {
    let subscriptions = points.iter().map(|point| v1::Subscription {
        hook_point: point.number().into(),
        reads: Vec::new(),
        writes: point
            .spec()
            .changes
            .iter()
            .map(|path| (*path).to_owned())
            .collect(),
    });
    v1::Loaded {
        protocol_version: 1,
        name: "scripted".to_owned(),
        version: "1".to_owned(),
        subscriptions: subscriptions.collect(),
        sessions: true,
        ..Default::default()
    }
}

enum Command {
    /// Says so, then takes no turn until the other end is dropped.
    Freeze(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>),
    Kill,
}

pub(crate) struct Service {
    pub(crate) seen: Arc<Mutex<Seen>>,
    commands: mpsc::UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    pub(crate) fn start(path: &Path, script: Script) -> Self {
        let seen = Arc::default();
        let (commands, received) = mpsc::unbounded_channel();
        let (listening, is_listening) = std::sync::mpsc::channel();
        let server = Scripted {
            script,
            seen: Arc::clone(&seen),
        };
        let path: PathBuf = path.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let _ = std::fs::remove_file(&path);
                let listener = UnixListener::bind(&path).unwrap();
                listening.send(()).unwrap();
                let serving = tonic::transport::Server::builder()
                    .add_service(CalloutsServer::new(server))
                    .serve_with_incoming(UnixListenerStream::new(listener));
                tokio::select! {
                    served = serving => served.unwrap(),
                    () = obey(received) => {}
                }
            });
            // What was spawned dies with the runtime, as with a process.
        });
        is_listening.recv().unwrap();
        Self {
            seen,
            commands,
            thread: Some(thread),
        }
    }

    /// Stops its only thread, like SIGSTOP, until what is returned is dropped.
    pub(crate) fn freeze(&self) -> std::sync::mpsc::Sender<()> {
        let (thaw, frozen) = std::sync::mpsc::channel();
        let (stops, stopped) = std::sync::mpsc::channel();
        let _ = self.commands.send(Command::Freeze(stops, frozen));
        stopped.recv().unwrap();
        thaw
    }

    pub(crate) fn calls(&self) -> Vec<v1::CalloutRequest> {
        self.seen.lock().unwrap().calls.clone()
    }
}

/// Kills it.
impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Kill);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn obey(mut commands: mpsc::UnboundedReceiver<Command>) {
    while let Some(command) = commands.recv().await {
        match command {
            Command::Freeze(stops, frozen) => {
                stops.send(()).unwrap();
                let _ = frozen.recv();
            }
            Command::Kill => return,
        }
    }
}

struct Scripted {
    script: Script,
    seen: Arc<Mutex<Seen>>,
}

type Replies = mpsc::UnboundedSender<Result<v1::ServiceMessage, Status>>;

#[tonic::async_trait]
impl Callouts for Scripted {
    async fn load(
        &self,
        request: Request<v1::LoadRequest>,
    ) -> Result<Response<v1::LoadReply>, Status> {
        let n = {
            let mut seen = self.seen.lock().unwrap();
            seen.loads.push(request.into_inner());
            seen.loads.len() - 1
        };
        Ok(Response::new(v1::LoadReply {
            result: Some((self.script.load)(n)),
        }))
    }

    type SessionStream = UnboundedReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (replies, sent) = mpsc::unbounded_channel();
        let (script, seen) = (self.script.clone(), Arc::clone(&self.seen));
        tokio::spawn(converse(request.into_inner(), script, seen, replies));
        Ok(Response::new(UnboundedReceiverStream::new(sent)))
    }

    async fn call(
        &self,
        request: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        let call = request.into_inner();
        let id = call.id;
        let answer = (self.script.callout)(&call);
        {
            let mut seen = self.seen.lock().unwrap();
            seen.unary += 1;
            seen.calls.push(call);
        }
        let outcome = match answer {
            Answer::Now(outcome) | Answer::Drain(outcome) => outcome,
            Answer::After(pause, outcome) => {
                tokio::time::sleep(pause).await;
                outcome
            }
            Answer::Each(mut outcomes) => outcomes.remove(0),
            Answer::Then(outcome, ..) | Answer::ThenEnd(outcome, _) => outcome,
            Answer::Never | Answer::EndSession => std::future::pending().await,
            Answer::Status(status) => return Err(status),
        };
        Ok(Response::new(v1::CalloutReply {
            id,
            outcome: Some(outcome),
        }))
    }
}

async fn converse(
    mut received: Streaming<v1::ServerMessage>,
    script: Script,
    seen: Arc<Mutex<Seen>>,
    replies: Replies,
) {
    while let Ok(Some(message)) = received.message().await {
        match message.message {
            Some(Received::Hello(hello)) => {
                seen.lock().unwrap().hellos.push(hello);
                send(&replies, Sent::Welcome(v1::Welcome {}));
            }
            Some(Received::Calls(batch)) => {
                seen.lock().unwrap().batches += 1;
                for call in batch.calls {
                    let answer = (script.callout)(&call);
                    let id = call.id;
                    seen.lock().unwrap().calls.push(call);
                    if !answer_call(id, answer, &replies) {
                        return;
                    }
                }
            }
            Some(Received::Bye(_)) => seen.lock().unwrap().byes += 1,
            None => {}
        }
    }
}

/// Whether the session goes on.
fn answer_call(id: u64, answer: Answer, replies: &Replies) -> bool {
    match answer {
        Answer::Now(outcome) => reply(replies, id, outcome),
        Answer::After(pause, outcome) => {
            let replies = replies.clone();
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                reply(&replies, id, outcome);
            });
        }
        Answer::Never => {}
        Answer::Each(outcomes) => {
            for outcome in outcomes {
                reply(replies, id, outcome);
            }
        }
        Answer::Then(first, told, last) => {
            reply(replies, id, first);
            let replies = replies.clone();
            tokio::spawn(async move {
                told.notified().await;
                reply(&replies, id, *last);
            });
        }
        Answer::ThenEnd(first, told) => {
            reply(replies, id, first);
            let replies = replies.clone();
            tokio::spawn(async move {
                told.notified().await;
                let _ = replies.send(Err(Status::internal("the session ends here")));
            });
        }
        Answer::EndSession => {
            let _ = replies.send(Err(Status::internal("the session ends here")));
            return false;
        }
        Answer::Drain(outcome) => {
            send(replies, Sent::Drain(v1::Drain {}));
            reply(replies, id, outcome);
        }
        Answer::Status(_) => panic!("a status answers Call only"),
    }
    true
}

fn reply(replies: &Replies, id: u64, outcome: Outcome) {
    let reply = v1::CalloutReply {
        id,
        outcome: Some(outcome),
    };
    let batch = v1::ReplyBatch {
        replies: vec![reply],
    };
    send(replies, Sent::Replies(batch));
}

fn send(replies: &Replies, message: Sent) {
    let _ = replies.send(Ok(v1::ServiceMessage {
        message: Some(message),
    }));
}

//! A hook service on a thread of its own, that answers as the test says.

use outrigger_proto::{HookPoint, NextStep, v1};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};
use v1::arguments::Point;
use v1::callout_reply::Outcome;
use v1::callouts_server::{Callouts, CalloutsServer};
use v1::load_reply::Result as LoadResult;
use v1::server_message::Message as Received;
use v1::service_message::Message as Sent;

/// The name under which configurations name the service.
const NAME: &str = "scripted";

type Callout = dyn Fn(&Point) -> v1::CalloutResult + Send + Sync;
type Replies = mpsc::UnboundedSender<Result<v1::ServiceMessage, Status>>;

/// What the test and the service's thread share.
struct Shared {
    points: Vec<HookPoint>,
    commands: Vec<String>,
    /// Hook points whose calls get no answer.
    hushed: Mutex<Vec<HookPoint>>,
    callout: Box<Callout>,
    calls: Mutex<Vec<(HookPoint, Point)>>,
    /// Calls that PARK answered and that have no final reply yet.
    parked: Mutex<VecDeque<(u64, Replies)>>,
    /// Something above has changed.
    changed: Notify,
}

/// A hook service that wants everything of some hook points.
pub(crate) struct Service {
    shared: Arc<Shared>,
    directory: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// CONTINUE without changes.
pub(crate) fn goes_on() -> v1::CalloutResult {
    v1::CalloutResult::default()
}

/// This next step without changes.
pub(crate) fn says(step: NextStep) -> v1::CalloutResult {
    v1::CalloutResult {
        next_step: Some(v1::NextStep::from(step).into()),
        ..Default::default()
    }
}

/// CONTINUE with these changes.
pub(crate) fn changes(changes: v1::Changes) -> v1::CalloutResult {
    v1::CalloutResult {
        changes: Some(changes),
        ..Default::default()
    }
}

impl Service {
    /// Listens, and answers each call of one of `points` with what `callout` makes of its arguments.
    pub(crate) fn start(
        points: &[HookPoint],
        callout: impl Fn(&Point) -> v1::CalloutResult + Send + Sync + 'static,
    ) -> Self {
        Self::offering(&[], points, callout)
    }

    /// As [`Self::start`], and answers these control commands too.
    pub(crate) fn offering(
        commands: &[&str],
        points: &[HookPoint],
        callout: impl Fn(&Point) -> v1::CalloutResult + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            points: points.to_vec(),
            commands: commands.iter().map(|name| (*name).to_owned()).collect(),
            hushed: Mutex::default(),
            callout: Box::new(callout),
            calls: Mutex::default(),
            parked: Mutex::default(),
            changed: Notify::new(),
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let (stop, stopped) = oneshot::channel();
        let (listening, is_listening) = std::sync::mpsc::channel();
        let server = Scripted(Arc::clone(&shared));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = UnixListener::bind(&path).unwrap();
                listening.send(()).unwrap();
                let serving = tonic::transport::Server::builder()
                    .add_service(CalloutsServer::new(server))
                    .serve_with_incoming(UnixListenerStream::new(listener));
                tokio::select! {
                    served = serving => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        is_listening.recv().unwrap();
        Self {
            shared,
            directory,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The member of a configuration that names the service. A call has all the time that a test has.
    pub(crate) fn member(&self) -> String {
        let path = self.directory.path().join("socket");
        format!(
            r#""hook-budget": 20000, "hook-services": [ {{ "name": "{NAME}", "deadline": 10000,
                "endpoints": [ "unix:{}" ] }} ]"#,
            path.display()
        )
    }

    /// Hook points in the order they were called.
    pub(crate) fn order(&self) -> Vec<HookPoint> {
        let calls = self.shared.calls.lock().unwrap();
        calls.iter().map(|(point, _)| *point).collect()
    }

    /// The arguments of each call of a hook point so far.
    pub(crate) fn calls(&self, wanted: HookPoint) -> Vec<Point> {
        let calls = self.shared.calls.lock().unwrap();
        let of_point = calls.iter().filter(|(point, _)| *point == wanted);
        of_point.map(|(_, arguments)| arguments.clone()).collect()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&self) {
        self.shared.calls.lock().unwrap().clear();
    }

    /// From now on calls of this hook point get no answer.
    pub(crate) fn hush(&self, point: HookPoint) {
        self.shared.hushed.lock().unwrap().push(point);
    }

    /// Takes [`Self::hush`] back.
    pub(crate) fn answer_again(&self, point: HookPoint) {
        let mut hushed = self.shared.hushed.lock().unwrap();
        hushed.retain(|other| *other != point);
    }

    /// Waits until `calls` calls are parked.
    pub(crate) async fn parked(&self, calls: usize) {
        self.until(|shared| shared.parked.lock().unwrap().len() >= calls)
            .await;
    }

    /// Waits until the hook point was called so often.
    pub(crate) async fn called(&self, wanted: HookPoint, times: usize) {
        self.until(|shared| {
            let calls = shared.calls.lock().unwrap();
            calls.iter().filter(|(point, _)| *point == wanted).count() >= times
        })
        .await;
    }

    async fn until(&self, holds: impl Fn(&Shared) -> bool) {
        let waits = async {
            while !holds(&self.shared) {
                self.shared.changed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waits)
            .await
            .expect("the service is called");
    }

    /// The final reply to the call that has been parked for longest.
    pub(crate) fn resume(&self, result: v1::CalloutResult) {
        let parked = self.shared.parked.lock().unwrap().pop_front();
        let (id, replies) = parked.expect("a parked call");
        reply(&replies, id, result);
    }

    /// The final reply to the call that was parked last.
    pub(crate) fn resume_last(&self, result: v1::CalloutResult) {
        let parked = self.shared.parked.lock().unwrap().pop_back();
        let (id, replies) = parked.expect("a parked call");
        reply(&replies, id, result);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Scripted(Arc<Shared>);

#[tonic::async_trait]
impl Callouts for Scripted {
    async fn load(&self, _: Request<v1::LoadRequest>) -> Result<Response<v1::LoadReply>, Status> {
        let subscriptions = self.0.points.iter().map(|point| v1::Subscription {
            hook_point: point.number().into(),
            reads: Vec::new(),
            writes: point
                .spec()
                .changes
                .iter()
                .map(|path| (*path).to_owned())
                .collect(),
        });
        let loaded = v1::Loaded {
            protocol_version: 1,
            name: NAME.to_owned(),
            version: "1".to_owned(),
            subscriptions: subscriptions.collect(),
            commands: self.0.commands.clone(),
            sessions: true,
            ..Default::default()
        };
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
        tokio::spawn(converse(request.into_inner(), Arc::clone(&self.0), replies));
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
    shared: Arc<Shared>,
    replies: Replies,
) {
    while let Ok(Some(message)) = received.message().await {
        match message.message {
            Some(Received::Hello(_)) => send(&replies, Sent::Welcome(v1::Welcome {})),
            Some(Received::Calls(batch)) => {
                for call in batch.calls {
                    answer(&shared, call, &replies);
                }
            }
            Some(_) | None => {}
        }
    }
}

fn answer(shared: &Shared, call: v1::CalloutRequest, replies: &Replies) {
    let number = u8::try_from(call.hook_point).unwrap();
    let point = HookPoint::ALL
        .iter()
        .find(|point| point.number() == number)
        .unwrap();
    let arguments = call.arguments.unwrap().point.unwrap();
    let result = (shared.callout)(&arguments);
    // Before anybody can know of the call and take that back.
    let is_hushed = shared.hushed.lock().unwrap().contains(point);
    shared.calls.lock().unwrap().push((*point, arguments));
    shared.changed.notify_one();
    if is_hushed {
        return;
    }
    let parks = result.next_step == Some(v1::NextStep::from(NextStep::Park).into());
    reply(replies, call.id, result);
    // The final reply comes after this one.
    if parks {
        let parked = (call.id, replies.clone());
        shared.parked.lock().unwrap().push_back(parked);
        shared.changed.notify_one();
    }
}

fn reply(replies: &Replies, id: u64, result: v1::CalloutResult) {
    let reply = v1::CalloutReply {
        id,
        outcome: Some(Outcome::Result(result)),
    };
    let replied = Sent::Replies(v1::ReplyBatch {
        replies: vec![reply],
    });
    send(replies, replied);
}

fn send(replies: &Replies, message: Sent) {
    let _ = replies.send(Ok(v1::ServiceMessage {
        message: Some(message),
    }));
}

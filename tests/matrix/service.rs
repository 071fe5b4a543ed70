//! A hook service that subscribes to every hook point of the server's family and behaves at one of them as it is told.
//!
//! It speaks the protocol itself: the SDK does not let a callout answer what makes no sense at its hook point.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use outrigger_proto::v1::callout_reply::Outcome;
use outrigger_proto::v1::callouts_server::{Callouts, CalloutsServer};
use outrigger_proto::v1::server_message::Message as FromServer;
use outrigger_proto::v1::service_message::Message as FromService;
use outrigger_proto::{Family, HookPoint, NextStep, PROTOCOL_VERSION, convert, v1};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::behaviour::Behaviour;
use crate::marks;
use crate::script::Script;

/// The service as the server's configuration names it, where its policy is to go on.
pub(crate) const OPEN: &str = "open";
/// The same service a second time, where its policy is to drop.
pub(crate) const CLOSED: &str = "closed";
/// A control command that the service offers.
pub(crate) const COMMAND: &str = "matrix-probe";

/// Replies that wait to be written.
const QUEUE: usize = 64;

type Messages = mpsc::Sender<Result<v1::ServiceMessage, Status>>;

/// The running service.
#[derive(Clone, Default)]
pub(crate) struct Service {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    point: String,
    behaviour: Option<Behaviour>,
    calls: BTreeMap<String, usize>,
    parkings: usize,
    parked: Vec<(Messages, v1::CalloutReply)>,
}

impl Service {
    /// Listens at this socket until the test program ends.
    ///
    /// # Panics
    ///
    /// When it cannot listen there.
    pub(crate) fn start(socket: &Path) -> Self {
        let service = Self::default();
        let rpc = CalloutsServer::new(service.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime needs nothing that a test lacks");
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(socket)
                .unwrap_or_else(|error| panic!("cannot listen on {}: {error}", socket.display()))
        };
        thread::spawn(move || {
            let served = runtime.block_on(
                Server::builder()
                    .add_service(rpc)
                    .serve_with_incoming(UnixListenerStream::new(listener)),
            );
            served.expect("a local socket is served until the program ends");
        });
        service
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is answered at once to a call that came for the service of this name.
    fn answer(
        &self,
        name: &str,
        call: &v1::CalloutRequest,
        out: &Messages,
    ) -> Option<v1::CalloutReply> {
        let point = convert::hook_point(call.hook_point).expect("the server knows its hook points");
        let mut state = self.state();
        let behaviour = state.behaviour_at(point, name == CLOSED);
        let point = point.name();
        let step = |next, behaviour| result(call, next, marks::of(point, behaviour, call));
        let reply = match behaviour {
            Behaviour::None => Some(plain(point, call)),
            Behaviour::Continue => Some(step(NextStep::Continue, behaviour)),
            Behaviour::Skip => Some(step(NextStep::Skip, behaviour)),
            Behaviour::SkipEmpty => Some(result(call, NextStep::Skip, None)),
            Behaviour::Drop => Some(step(NextStep::Drop, behaviour)),
            Behaviour::Warning => {
                let mut reply = step(NextStep::Continue, behaviour);
                if let Some(Outcome::Result(result)) = &mut reply.outcome {
                    result.warning = "as the test says".to_owned();
                }
                Some(reply)
            }
            Behaviour::Failure | Behaviour::FailureDrop => Some(failure(call)),
            Behaviour::Deadline | Behaviour::DeadlineDrop => None,
            Behaviour::ParkForever | Behaviour::ParkForeverDrop => {
                state.parkings += 1;
                Some(result(call, NextStep::Park, None))
            }
            Behaviour::Park | Behaviour::ParkSkip | Behaviour::ParkDrop | Behaviour::ParkInUse => {
                let end = match behaviour {
                    Behaviour::ParkSkip => NextStep::Skip,
                    Behaviour::ParkDrop => NextStep::Drop,
                    _ => NextStep::Continue,
                };
                if can_park(point) {
                    state.parkings += 1;
                    state.parked.push((out.clone(), step(end, behaviour)));
                    Some(result(call, NextStep::Park, None))
                } else {
                    // No second reply follows where PARK is CONTINUE.
                    Some(step(NextStep::Park, behaviour))
                }
            }
        };
        if behaviour != Behaviour::None {
            *state.calls.entry(point.to_owned()).or_default() += 1;
        }
        reply
    }
}

impl State {
    fn behaviour_at(&self, point: HookPoint, closed: bool) -> Behaviour {
        // An offer turns out to be in use so that what follows it is reached.
        if self.point == "lease4_server_decline" && point == HookPoint::Lease4Offer && !closed {
            return Behaviour::ParkInUse;
        }
        self.behaviour
            .filter(|behaviour| self.point == point.name() && behaviour.drops() == closed)
            .unwrap_or(Behaviour::None)
    }
}

/// Hook points where the specification lets a packet be held.
pub(crate) fn can_park(point: &str) -> bool {
    matches!(
        point,
        "subnet4_select"
            | "lease4_offer"
            | "leases4_committed"
            | "subnet6_select"
            | "leases6_committed"
    )
}

impl Script for Service {
    fn play(&self, point: &str, behaviour: Behaviour) {
        let mut state = self.state();
        *state = State {
            point: point.to_owned(),
            behaviour: Some(behaviour),
            ..State::default()
        };
    }

    fn rest(&self) {
        *self.state() = State::default();
    }

    fn calls(&self, point: &str) -> usize {
        self.state().calls.get(point).copied().unwrap_or_default()
    }

    fn parked(&self) -> usize {
        self.state().parkings
    }

    fn finish(&self) {
        let parked = std::mem::take(&mut self.state().parked);
        for (out, reply) in parked {
            // The server may have given the call up and closed the session.
            let _ = out.blocking_send(Ok(batch(vec![reply])));
        }
    }
}

fn reply(call: &v1::CalloutRequest, outcome: Outcome) -> v1::CalloutReply {
    v1::CalloutReply {
        id: call.id,
        outcome: Some(outcome),
    }
}

fn result(
    call: &v1::CalloutRequest,
    next: NextStep,
    changes: Option<v1::Changes>,
) -> v1::CalloutReply {
    let result = v1::CalloutResult {
        next_step: Some(v1::NextStep::from(next).into()),
        changes,
        ..v1::CalloutResult::default()
    };
    reply(call, Outcome::Result(result))
}

fn failure(call: &v1::CalloutRequest) -> v1::CalloutReply {
    let failure = v1::CalloutFailure {
        code: 1,
        text: "as the test says".to_owned(),
    };
    reply(call, Outcome::Failure(failure))
}

/// Without a mark; what the service before decided stays.
fn plain(point: &str, call: &v1::CalloutRequest) -> v1::CalloutReply {
    let status = NextStep::try_from(call.status).expect("the server knows its next steps");
    result(call, status, marks::plain(point, call))
}

fn message(message: FromService) -> v1::ServiceMessage {
    v1::ServiceMessage {
        message: Some(message),
    }
}

fn batch(replies: Vec<v1::CalloutReply>) -> v1::ServiceMessage {
    message(FromService::Replies(v1::ReplyBatch { replies }))
}

#[tonic::async_trait]
impl Callouts for Service {
    type SessionStream = ReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn load(
        &self,
        request: Request<v1::LoadRequest>,
    ) -> Result<Response<v1::LoadReply>, Status> {
        let server = request.into_inner().server.unwrap_or_default();
        let family = match server.family() {
            v1::Family::Dhcp6 => Family::V6,
            _ => Family::V4,
        };
        let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        let points = HookPoint::ALL.iter().filter(|point| point.is_of(family));
        let subscriptions = points.map(|point| v1::Subscription {
            hook_point: point.number().into(),
            reads: Vec::new(),
            writes: owned(point.spec().changes),
        });
        let loaded = v1::Loaded {
            protocol_version: PROTOCOL_VERSION,
            name: "matrix".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            subscriptions: subscriptions.collect(),
            sessions: true,
            commands: vec![COMMAND.to_owned()],
            ..v1::Loaded::default()
        };
        Ok(Response::new(v1::LoadReply {
            result: Some(v1::load_reply::Result::Loaded(loaded)),
        }))
    }

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let mut incoming = request.into_inner();
        let (out, messages) = mpsc::channel(QUEUE);
        let service = self.clone();
        tokio::spawn(async move {
            let mut name = String::new();
            while let Ok(Some(from_server)) = incoming.message().await {
                let answer = match from_server.message {
                    Some(FromServer::Hello(hello)) => {
                        name = hello.service_name;
                        message(FromService::Welcome(v1::Welcome {}))
                    }
                    Some(FromServer::Calls(calls)) => {
                        let calls = calls.calls.iter();
                        batch(
                            calls
                                .filter_map(|call| service.answer(&name, call, &out))
                                .collect(),
                        )
                    }
                    Some(FromServer::Bye(_)) => break,
                    None => continue,
                };
                if out.send(Ok(answer)).await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }

    async fn call(
        &self,
        _: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        Err(Status::unimplemented("there are sessions"))
    }
}

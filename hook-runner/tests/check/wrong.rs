//! A service by hand that keeps the rules, but for one fault.

use bytes::Bytes;
use outrigger_proto::v1;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};
use v1::callout_reply::Outcome;
use v1::callouts_server::{Callouts, CalloutsServer};
use v1::load_reply::Result as LoadResult;
use v1::server_message::Message as Received;
use v1::service_message::Message as Sent;

/// What is wrong with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// No fault: sessions are an offer.
    NoSessions,
    NoLoad,
    NoName,
    AnyVersion,
    ParameterStatus,
    UnknownPath,
    OneConfiguration,
    NotServing,
    NoReflection,
    LateHeaders,
    NoWelcome,
    Twice,
    Forgets,
    MixesSessions,
    OtherUnary,
    NoOutcome,
    Undeclared,
    BigContext,
    SmallPackets,
    NoPatience,
    KnownPointsOnly,
    MakesArgumentsUp,
    KnownMessagesOnly,
    StaysAfterBye,
    GarbageEndsAll,
    OneServerOnly,
    Deaf,
    SilentFailure,
    MalformedEdit,
    NoAnswer,
    AnswerWithoutResult,
    AnyCommand,
    CommandName,
    NeverUnparks,
    UnparksTwice,
    UnparksLate,
    ParksTwice,
    ParksUnasked,
    ParksOverCall,
    UndeclaredAfterPark,
    BigParkedContext,
}

/// The control command that is offered.
const COMMAND: &str = "probe";

/// Longer than the check has patience.
const TOO_LATE: Duration = Duration::from_millis(1700);

/// A batch this large is the one of the rule on ids.
const MANY: usize = 32;

type Replies = UnboundedSender<Result<v1::ServiceMessage, Status>>;

#[derive(Clone)]
struct Wrong {
    fault: Fault,
    /// Those that are open, the latest last.
    sessions: Arc<Mutex<Vec<Replies>>>,
    /// Counts what ended every session.
    disaster: watch::Sender<u32>,
    dead: Arc<AtomicBool>,
}

/// Until it is aborted.
pub(crate) async fn serve(fault: Fault, socket: PathBuf) {
    let wrong = Wrong {
        fault,
        sessions: Arc::default(),
        disaster: watch::channel(0).0,
        dead: Arc::default(),
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let status = match fault {
        Fault::NotServing => tonic_health::ServingStatus::NotServing,
        _ => tonic_health::ServingStatus::Serving,
    };
    for name in ["", "outrigger.hooks.v1.Callouts"] {
        reporter.set_service_status(name, status).await;
    }
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(v1::DESCRIPTORS)
        .build_v1alpha()
        .unwrap();
    let reflection = (fault != Fault::NoReflection).then_some(reflection);
    let listener = UnixListener::bind(socket).unwrap();
    tonic::transport::Server::builder()
        .add_service(CalloutsServer::new(wrong))
        .add_service(health)
        .add_optional_service(reflection)
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await
        .unwrap();
}

fn loaded(fault: Fault) -> v1::Loaded {
    let subscription = |point: v1::HookPoint, reads: &str, writes: &str| v1::Subscription {
        hook_point: point.into(),
        reads: vec![reads.to_owned()],
        writes: vec![writes.to_owned()],
    };
    let reads = match fault {
        Fault::UnknownPath => "querry",
        _ => "query",
    };
    v1::Loaded {
        protocol_version: 1,
        name: match fault {
            Fault::NoName => String::new(),
            _ => "wrong".to_owned(),
        },
        version: "1".to_owned(),
        subscriptions: vec![
            subscription(v1::HookPoint::Pkt4Receive, reads, "query.classes"),
            subscription(v1::HookPoint::Subnet4Select, "query", "subnet"),
        ],
        sessions: fault != Fault::NoSessions,
        commands: match fault {
            Fault::CommandName => vec![COMMAND.to_owned(), "Probe_2".to_owned()],
            _ => vec![COMMAND.to_owned()],
        },
        ..Default::default()
    }
}

fn failure(text: &str) -> Option<Outcome> {
    Some(Outcome::Failure(v1::CalloutFailure {
        code: 0,
        text: text.to_owned(),
    }))
}

impl Wrong {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// What becomes of a call; a status ends its session.
    fn outcome(&self, call: &v1::CalloutRequest) -> Result<Option<Outcome>, Status> {
        let Ok(point @ 1..) = v1::HookPoint::try_from(call.hook_point).map(|point| point as i32)
        else {
            return match self.is(Fault::KnownPointsOnly) {
                true => Err(Status::invalid_argument("no such hook point")),
                false => Ok(failure("no such hook point")),
            };
        };
        if self.is(Fault::NoPatience) && call.budget_us < 1000 {
            return Err(Status::deadline_exceeded("too late"));
        }
        if self.is(Fault::OneConfiguration) && call.configuration_revision > 1 {
            return Ok(failure("configuration 1 only"));
        }
        let arguments = call.arguments.as_ref();
        let options = match arguments.and_then(|arguments| arguments.point.as_ref()) {
            Some(v1::arguments::Point::Pkt4Receive(arguments)) if point == 2 => {
                let query = arguments.query.as_ref();
                query.map_or(0, |query| query.options.len())
            }
            Some(v1::arguments::Point::Subnet4Select(_)) if point == 3 => 0,
            Some(v1::arguments::Point::Command(arguments)) if point == 65 => {
                return Ok(self.command(&arguments.command));
            }
            _ if self.is(Fault::MakesArgumentsUp) => 0,
            _ => return Ok(failure("not the arguments of this hook point")),
        };
        if self.is(Fault::SmallPackets) && options > 50 {
            return Err(Status::resource_exhausted("too many options"));
        }
        if self.is(Fault::NoOutcome) && point == 3 {
            return Ok(None);
        }
        if self.is(Fault::SilentFailure) && point == 3 {
            return Ok(failure(""));
        }
        Ok(Some(Outcome::Result(self.result())))
    }

    fn command(&self, command: &str) -> Option<Outcome> {
        let known = command.contains("\"probe\"") || self.is(Fault::AnyCommand);
        if !known {
            return failure("no such command");
        }
        let response = match self.fault {
            Fault::NoAnswer => None,
            Fault::AnswerWithoutResult => Some("{}".to_owned()),
            _ => Some(r#"{"result":0}"#.to_owned()),
        };
        let changes = v1::Changes {
            command_response: response,
            ..Default::default()
        };
        Some(Outcome::Result(v1::CalloutResult {
            changes: Some(changes),
            ..Default::default()
        }))
    }

    /// What comes after PARK; nothing where the packet is not held.
    fn finals(&self, call: &v1::CalloutRequest) -> Vec<v1::CalloutReply> {
        let asked = call.park_budget_us > 0 || self.is(Fault::ParksUnasked);
        if call.hook_point() != v1::HookPoint::Subnet4Select || !asked {
            return Vec::new();
        }
        let mut changes = v1::Changes::default();
        if self.is(Fault::UndeclaredAfterPark) {
            changes.query4.get_or_insert_default().secs = Some(1);
        }
        let length = match self.fault {
            Fault::BigParkedContext => 4097,
            _ => 4096,
        };
        let result = v1::CalloutResult {
            context: Some(Bytes::from(vec![1; length])),
            changes: Some(changes),
            ..Default::default()
        };
        let last = v1::CalloutReply {
            id: call.id,
            outcome: Some(Outcome::Result(result)),
        };
        match self.fault {
            Fault::NeverUnparks => vec![parked(call)],
            Fault::UnparksTwice => vec![parked(call), last.clone(), last],
            Fault::ParksTwice => vec![parked(call), parked(call), last],
            _ => vec![parked(call), last],
        }
    }

    fn result(&self) -> v1::CalloutResult {
        let length = match self.fault {
            Fault::BigContext => 4097,
            _ => 4096,
        };
        let mut changes = v1::Changes::default();
        if self.is(Fault::Undeclared) {
            changes.query4.get_or_insert_default().secs = Some(1);
        }
        if self.is(Fault::MalformedEdit) {
            let edit = v1::OptionEdit::default();
            changes.query4.get_or_insert_default().options.push(edit);
        }
        v1::CalloutResult {
            context: Some(Bytes::from(vec![1; length])),
            changes: Some(changes),
            warning: "a warning is no failure".to_owned(),
            ..Default::default()
        }
    }

    async fn converse(self, mut received: Streaming<v1::ServerMessage>, replies: Replies) {
        let mut disaster = self.disaster.subscribe();
        let ended = tokio::select! {
            ended = self.read(&mut received, &replies) => ended,
            _ = disaster.changed() => Err(Status::internal("somebody sent garbage")),
        };
        let mut sessions = self.sessions.lock().unwrap();
        sessions.retain(|session| !session.same_channel(&replies));
        drop(sessions);
        if let Err(status) = ended {
            if self.is(Fault::GarbageEndsAll) && status.message().contains("decode") {
                self.disaster.send_modify(|count| *count += 1);
            }
            let _ = replies.send(Err(status));
        }
    }

    async fn read(
        &self,
        received: &mut Streaming<v1::ServerMessage>,
        replies: &Replies,
    ) -> Result<(), Status> {
        while let Some(message) = received.message().await? {
            match message.message {
                Some(Received::Hello(_)) if self.is(Fault::NoWelcome) => {}
                Some(Received::Hello(_)) => send(replies, Sent::Welcome(v1::Welcome {})),
                Some(Received::Calls(batch)) => self.answer(batch.calls, replies).await?,
                Some(Received::Bye(_)) if self.is(Fault::StaysAfterBye) => {
                    std::future::pending().await
                }
                Some(Received::Bye(_)) => return Ok(()),
                None if self.is(Fault::KnownMessagesOnly) => {
                    return Err(Status::invalid_argument("what is this?"));
                }
                None => {}
            }
        }
        Ok(())
    }

    async fn answer(
        &self,
        calls: Vec<v1::CalloutRequest>,
        replies: &Replies,
    ) -> Result<(), Status> {
        let many = calls.len() >= MANY;
        if many && self.is(Fault::OneServerOnly) {
            tokio::select! {
                () = replies.closed() => self.dead.store(true, Ordering::SeqCst),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        let mut batch = Vec::new();
        for call in &calls {
            let mut held = self.finals(call);
            if !held.is_empty() && call.arguments.is_some() {
                let delay = match self.fault {
                    Fault::UnparksLate => TOO_LATE,
                    _ => Duration::ZERO,
                };
                let last = held.split_off(1);
                batch.append(&mut held);
                tokio::spawn(later(delay, last, replies.clone()));
                continue;
            }
            let outcome = self.outcome(call)?;
            let reply = v1::CalloutReply {
                id: call.id,
                outcome,
            };
            batch.push(reply);
        }
        // In any order.
        batch.reverse();
        if many && self.is(Fault::Twice) {
            batch.push(batch[0].clone());
        }
        if many && self.is(Fault::Forgets) {
            batch.pop();
        }
        let latest = self.sessions.lock().unwrap().last().cloned();
        let target = match self.fault {
            Fault::MixesSessions => latest.as_ref().unwrap_or(replies),
            _ => replies,
        };
        send(target, Sent::Replies(v1::ReplyBatch { replies: batch }));
        Ok(())
    }

    fn refuse_when_dead(&self) -> Result<(), Status> {
        match self.dead.load(Ordering::SeqCst) {
            true => Err(Status::unavailable("my server is gone")),
            false => Ok(()),
        }
    }
}

fn parked(call: &v1::CalloutRequest) -> v1::CalloutReply {
    v1::CalloutReply {
        id: call.id,
        outcome: Some(Outcome::Result(v1::CalloutResult {
            next_step: Some(v1::NextStep::Park.into()),
            ..Default::default()
        })),
    }
}

/// PARK is on its way already: what is sent later comes later.
async fn later(delay: Duration, last: Vec<v1::CalloutReply>, replies: Replies) {
    tokio::time::sleep(delay).await;
    send(&replies, Sent::Replies(v1::ReplyBatch { replies: last }));
}

fn send(replies: &Replies, message: Sent) {
    let _ = replies.send(Ok(v1::ServiceMessage {
        message: Some(message),
    }));
}

#[tonic::async_trait]
impl Callouts for Wrong {
    async fn load(
        &self,
        request: Request<v1::LoadRequest>,
    ) -> Result<Response<v1::LoadReply>, Status> {
        self.refuse_when_dead()?;
        let request = request.into_inner();
        if self.is(Fault::NoLoad)
            || self.is(Fault::ParameterStatus) && !request.parameters.is_empty()
        {
            return Err(Status::internal("not this way"));
        }
        let known = request.protocol_versions.contains(&1) || self.is(Fault::AnyVersion);
        let result = match known {
            true => LoadResult::Loaded(loaded(self.fault)),
            false => LoadResult::Refusal(v1::Refusal {
                text: "only version 1".to_owned(),
            }),
        };
        Ok(Response::new(v1::LoadReply {
            result: Some(result),
        }))
    }

    type SessionStream = UnboundedReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        self.refuse_when_dead()?;
        let mut received = request.into_inner();
        let (replies, sent) = unbounded_channel();
        if self.is(Fault::LateHeaders) {
            received.message().await?;
            send(&replies, Sent::Welcome(v1::Welcome {}));
        }
        self.sessions.lock().unwrap().push(replies.clone());
        tokio::spawn(self.clone().converse(received, replies));
        Ok(Response::new(UnboundedReceiverStream::new(sent)))
    }

    async fn call(
        &self,
        request: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        let call = request.into_inner();
        let outcome = match self.fault {
            Fault::OtherUnary => Some(Outcome::Result(v1::CalloutResult::default())),
            Fault::ParksOverCall if call.hook_point == 3 => parked(&call).outcome,
            _ => self.outcome(&call)?,
        };
        Ok(Response::new(v1::CalloutReply {
            id: call.id,
            outcome,
        }))
    }
}

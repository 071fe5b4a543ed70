//! Plays a recording against another version of the service and shows what it answers otherwise.

mod compare;
mod lane;
mod packets;
mod report;
mod steps;

use crate::peer::PeerError;
use crate::raw;
use crate::recording::{ReadError, Reader};
use bytes::Bytes;
use lane::{AskError, Lane, Played, Server};
use outrigger_hook_sdk::Endpoint;
use outrigger_proto::{HookPoint, v1};
use packets::{Link, Packets, Seen};
use report::{Report, Verdict};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use steps::{Call, Load, Step, Steps};
use tokio::task::JoinSet;
use tokio::time::Instant;
use v1::load_reply::Result as LoadResult;

/// A recording may say that a call had any time; here it has this much at most, or what the command line says.
const MAX_BUDGET_US: u32 = 600_000_000;

/// A service that says at the last moment that its time is over is still heard.
const MARGIN: Duration = Duration::from_millis(500);

/// What is to be played, and against what.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A file of `record`.
    file: PathBuf,
    /// The service: unix:/path or http://host:port. It is really called: one that writes records writes them.
    endpoint: Endpoint,
    /// Calls that are open at a time. With 1 they come in the order of the recording.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Hook points to compare; without it all. Calls at others are played as well, because contexts come from them.
    #[arg(long, value_name = "NAME")]
    point: Vec<HookPoint>,
    /// "parameters" in place of the recorded ones.
    #[arg(long, value_name = "JSON")]
    parameters: Option<String>,
    /// Compares contexts too.
    #[arg(long)]
    context: bool,
    /// Time that a call has at least; the recorded time counts where it is longer.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    deadline_ms: u32,
    /// Differences that are shown for each hook point.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: u64,
    /// Shows every difference.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// One JSON object in a line for each difference, and one with "summary" at the end.
    #[arg(long)]
    json: bool,
}

/// Why a recording is not played to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error("{file}: {source}")]
    NoFile { file: String, source: io::Error },
    #[error("{file}: {source}")]
    Recording { file: String, source: ReadError },
    #[error("the recording has no parameters; --parameters gives some")]
    Redacted,
    #[error("{endpoint}: {source}")]
    Peer {
        endpoint: Endpoint,
        source: PeerError,
    },
    #[error("the report cannot be written: {0}")]
    Output(io::Error),
    #[error("a call panicked: {0}")]
    Panic(tokio::task::JoinError),
}

/// Plays all; `true` when nothing is different.
///
/// # Errors
/// The recording is damaged, or the service not there.
pub(crate) async fn run(arguments: Arguments, out: &mut impl Write) -> Result<bool, ReplayError> {
    let file = arguments.file.display().to_string();
    let opened = File::open(&arguments.file);
    let opened = opened.map_err(|source| ReplayError::NoFile {
        file: file.clone(),
        source,
    })?;
    let damaged = |source| ReplayError::Recording {
        file: file.clone(),
        source,
    };
    let reader = Reader::open(BufReader::new(opened)).map_err(damaged)?;
    let mut steps = Steps::new(reader);
    let limit = match arguments.all {
        true => u64::MAX,
        false => arguments.limit,
    };
    let json = arguments.json;
    let mut player = Player::new(arguments, Report::new(out, json, limit));
    let played = loop {
        match steps.next() {
            Ok(Some(step)) => {
                if let Err(error) = player.play(step).await {
                    break Err(error);
                }
            }
            Ok(None) => break Ok(()),
            Err(source) => break Err(damaged(source)),
        }
    };
    // What is known is said, also where the replay ends early.
    let finished = player.finish(steps.lost(), steps.is_cut()).await;
    played.and(finished)
}

/// A call that was played.
#[derive(Debug)]
struct Finished {
    lane: Lane,
    call: Box<Call>,
    answer: Result<steps::Answer, AskError>,
    took: Duration,
}

struct Player<W> {
    arguments: Arguments,
    /// Its own name for each start of a recorded server, so that a running server's Load is left alone.
    instance: u64,
    report: Report<W>,
    /// Servers of the recording.
    recorded: Vec<Server>,
    /// As they are played, each with the number of its server; the index is that of the recording.
    loads: Vec<(usize, Arc<v1::LoadRequest>)>,
    /// Loads whose answers were compared.
    compared: HashSet<usize>,
    packets: Packets,
    free: Vec<Lane>,
    running: JoinSet<Finished>,
    next_id: u64,
}

impl<W: Write> Player<W> {
    fn new(arguments: Arguments, report: Report<W>) -> Self {
        let patience = Duration::from_millis(arguments.deadline_ms.into());
        let lane = || Lane::new(arguments.endpoint.clone(), patience);
        Self {
            free: (0..arguments.concurrency).map(|_| lane()).collect(),
            instance: rand::random(),
            report,
            recorded: Vec::new(),
            loads: Vec::new(),
            compared: HashSet::new(),
            packets: Packets::default(),
            running: JoinSet::new(),
            next_id: 1,
            arguments,
        }
    }

    async fn play(&mut self, step: Step) -> Result<(), ReplayError> {
        while self.free.is_empty() {
            self.one_finished().await?;
        }
        let lane = self.free.pop().expect("one is free, by the loop before");
        match step {
            Step::Load(load) => self.load(lane, *load).await,
            Step::Call(call) => {
                self.call(lane, call);
                Ok(())
            }
        }
    }

    async fn load(&mut self, mut lane: Lane, load: Load) -> Result<(), ReplayError> {
        let mut request = load.request;
        let server = Server::of(&request);
        let known = self.recorded.iter().position(|known| *known == server);
        let number = known.unwrap_or(self.recorded.len());
        if known.is_none() {
            self.recorded.push(server);
        }
        if let Some(parameters) = &self.arguments.parameters {
            request.parameters.clone_from(parameters);
        } else if load.parameters_redacted {
            return Err(ReplayError::Redacted);
        }
        request.server_api = None;
        let identity = request.server.get_or_insert_default();
        identity.instance_id = format!("hook-runner-replay-{:016x}-{number}", self.instance);
        let request = Arc::new(request);
        if load.index == self.loads.len() {
            self.loads.push((number, Arc::clone(&request)));
        }
        // A service that refused then was not ready, and was asked again.
        let was_loaded =
            |reply: &&v1::LoadReply| matches!(reply.result, Some(LoadResult::Loaded(_)));
        let then = load.reply.as_ref().filter(was_loaded);
        let Some(then) = then.filter(|_| self.compared.insert(load.index)) else {
            self.free.push(lane);
            return Ok(());
        };
        let now = lane.load(load.index, &request).await;
        self.free.push(lane);
        let now = now.map_err(|source| self.unreachable(source))?;
        let found = compare::loads(then, &now);
        if !found.is_empty() {
            let written = self.report.load(load.line, &found);
            written.map_err(ReplayError::Output)?;
        }
        match now.result {
            Some(LoadResult::Refusal(refusal)) => {
                Err(self.unreachable(PeerError::Refused(refusal.text)))
            }
            Some(LoadResult::Loaded(_)) | None => Ok(()),
        }
    }

    /// Starts a call on `lane`.
    fn call(&mut self, mut lane: Lane, call: Box<Call>) {
        let (server, load) = self.loads[call.load].clone();
        let given = call.head.context.clone();
        let left = call.answer.as_ref().and_then(steps::Answer::context);
        let link = self.packets.link(&Seen {
            server,
            label: &call.head.packet_label,
            hook_point: call.head.hook_point,
            at_us: call.at_us,
            answered_us: call.at_us.saturating_add(call.took_us),
            context: &given,
            context_after: left.unwrap_or(&given),
        });
        let id = self.next_id;
        self.next_id += 1;
        let least_us = self.arguments.deadline_ms.saturating_mul(1000);
        self.running.spawn(async move {
            let Link { before, after } = link;
            let context = match before {
                Some(before) => before.await.unwrap_or(given),
                None => given,
            };
            let played = played(&call, id, least_us, context.clone());
            let began = Instant::now();
            let answer = lane.ask(played, &load).await;
            let took = began.elapsed();
            if let Some(after) = after {
                let left = answer.as_ref().ok().and_then(steps::Answer::context);
                // Nobody waits for it at the end of a packet.
                let _ = after.send(left.cloned().unwrap_or(context));
            }
            Finished {
                lane,
                call,
                answer,
                took,
            }
        });
    }

    /// Waits for a call and takes note of it.
    async fn one_finished(&mut self) -> Result<(), ReplayError> {
        let Some(finished) = self.running.join_next().await else {
            return Ok(());
        };
        let Finished {
            lane,
            call,
            answer,
            took,
        } = finished.map_err(ReplayError::Panic)?;
        self.free.push(lane);
        let is_wanted = |point: &HookPoint| i32::from(point.number()) == call.head.hook_point;
        let points = &self.arguments.point;
        if !points.is_empty() && !points.iter().any(is_wanted) {
            return match answer {
                Err(AskError::Unreachable(source)) => Err(self.unreachable(source)),
                Ok(_) | Err(AskError::Failed(_)) => Ok(()),
            };
        }
        let (now, verdict) = match (&call.answer, answer) {
            (_, Err(AskError::Unreachable(source))) => return Err(self.unreachable(source)),
            (None, answer) => (answer.ok(), Verdict::NotCompared),
            (Some(_), Err(AskError::Failed(error))) => (None, Verdict::Failed(error)),
            (Some(then), Ok(now)) => {
                let found = compare::answers(then, &now, self.arguments.context);
                match found.is_empty() {
                    true => (Some(now), Verdict::Same),
                    false => (Some(now), Verdict::Different(found)),
                }
            }
        };
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let written = self.report.call(&call, now.as_ref(), took_us, &verdict);
        written.map_err(ReplayError::Output)
    }

    /// Waits for the last calls and says what was found; whether all is the same.
    async fn finish(mut self, lost: u64, is_cut: bool) -> Result<bool, ReplayError> {
        while !self.running.is_empty() {
            self.one_finished().await?;
        }
        let written = self.report.end(lost, is_cut);
        written.map_err(ReplayError::Output)?;
        Ok(self.report.is_same())
    }

    fn unreachable(&self, source: PeerError) -> ReplayError {
        ReplayError::Peer {
            endpoint: self.arguments.endpoint.clone(),
            source,
        }
    }
}

/// The recorded call with what belongs to this replay.
fn played(call: &Call, id: u64, least_us: u32, context: Bytes) -> Played {
    let at_least = |recorded: u32| recorded.clamp(least_us, MAX_BUDGET_US.max(least_us));
    let budget_us = at_least(call.head.budget_us);
    let park_budget_us = at_least(call.head.park_budget_us);
    let overrides = raw::CallOverrides {
        id: Some(id),
        budget_us: Some(budget_us),
        context: Some(context),
        // 0: PARK has no effect there.
        park_budget_us: (call.head.park_budget_us > 0).then_some(park_budget_us),
    };
    Played {
        id,
        load: call.load,
        message: overrides.applied(&call.message),
        limit: Duration::from_micros(budget_us.into()) + MARGIN,
        park_limit: Duration::from_micros(park_budget_us.into()) + MARGIN,
    }
}

//! What a service can do, and what its calls cost: calls in a closed loop, on a session and one by one in turn.

mod cpu;
mod loops;
mod report;
mod session;
mod unary;

use crate::call::packet::{PacketError, Sources};
use crate::material::Material;
use crate::peer::{Identity, Peer, PeerError, REVISION};
use crate::subnets::{Subnet, subnets};
use cpu::ServiceProcess;
use loops::{Calls, Tally};
use outrigger_hook_sdk::Endpoint;
use outrigger_proto::{Family, HookPoint, v1};
use report::{Report, Run, Subject};
use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// Calls before the first round, so that no round pays for what a service does only once.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long the service may take for anything but a call.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most calls in flight.
const MOST: i64 = 4096;

/// What is to be measured, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the service listens: unix:/path or http://host:port.
    endpoint: Endpoint,
    /// DHCP family of the server that the service is to believe in.
    #[arg(long, value_parser = ["4", "6"], default_value = "4")]
    family: String,
    /// Calls in flight at a time, one measurement for each.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,16,64,256", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    in_flight: Vec<u32>,
    /// How long one measurement takes.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    seconds: Duration,
    /// How often each measurement is taken; between two of a kind come all the others.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Which hook point is called. Without it the first one with packets that the service subscribes to.
    #[arg(long, value_name = "HOOK_POINT")]
    hook_point: Option<HookPoint>,
    /// The client's packet: a capture (pcap), a JSON description or hex digits. Without it a made-up REQUEST.
    #[arg(long, value_name = "FILE")]
    packet: Option<PathBuf>,
    /// The server's packet, in the same forms. Without it the capture's own answer, or a made-up one.
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,
    /// Process of the service, for its CPU time with that of its children. Without it the one behind the unix socket.
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(2..))]
    pid: Option<i32>,
    /// On a session, one by one, or both in turn.
    #[arg(long, value_enum, default_value_t = Shapes::Both)]
    shape: Shapes,
    /// "parameters" as in the server's configuration.
    #[arg(long, value_name = "JSON", default_value = "")]
    parameters: String,
    /// Subnets of the server: ID=PREFIX, separated by commas. Without it there are 1 and 2.
    #[arg(long, value_name = "SUBNETS", value_delimiter = ',')]
    subnets: Vec<Subnet>,
    /// Time that each call has; a later reply counts as late.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    deadline_ms: u64,
    /// Every measurement as JSON, in the order in which they were taken.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|s| (0.01..=3600.0).contains(s));
    let wrong = || format!("\"{text}\" is not a number of seconds from 0.01 to 3600");
    seconds.map(Duration::from_secs_f64).ok_or_else(wrong)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shapes {
    Session,
    Unary,
    Both,
}

/// How calls travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Session,
    Unary,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Unary => "unary",
        }
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(transparent)]
    Packet(#[from] PacketError),
    #[error("{0}")]
    Usage(String),
    #[error("{endpoint}: {source}")]
    Peer {
        endpoint: Endpoint,
        source: PeerError,
    },
    #[error("the service's process: {0}")]
    Process(io::Error),
    #[error("the output: {0}")]
    Output(io::Error),
}

/// Measures and prints; whether every call had a result in time.
///
/// # Errors
/// The packets cannot be read, the service is not there, refuses, goes away or does not answer, or has no session where
/// only that was asked for.
pub(crate) async fn run(arguments: Arguments, out: &mut impl Write) -> Result<bool, BenchError> {
    let family = match arguments.family.as_str() {
        "6" => Family::V6,
        _ => Family::V4,
    };
    let identity = identity(&arguments, family);
    let deadline = Duration::from_millis(arguments.deadline_ms);
    let of_peer = |source| BenchError::Peer {
        endpoint: arguments.endpoint.clone(),
        source,
    };
    let process = ServiceProcess::find(&arguments.endpoint, arguments.pid).await;
    let process = process.map_err(BenchError::Process)?;
    let peer = Peer::connect(&arguments.endpoint, PATIENCE).await;
    let peer = peer.map_err(of_peer)?;
    let loaded = peer.load(&identity.load_request(REVISION)).await;
    let loaded = loaded.map_err(of_peer)?;
    let point = point(&arguments, &loaded, family)?;
    let shapes = shapes(arguments.shape, loaded.sessions)?;
    let material = material(&arguments, &identity, family)?;
    let calls = Calls::new(&material, point, deadline);
    let bench = Bench {
        peer,
        hello: identity.hello(REVISION),
        calls,
        process,
        arguments: &arguments,
    };
    let runs = bench.run(&shapes).await.map_err(of_peer)?;
    let report = Report {
        subject: Subject {
            loaded,
            point,
            arguments_bytes: bench.calls.arguments_bytes(),
            pid: bench.process.as_ref().map(ServiceProcess::pid),
            seconds: arguments.seconds.as_secs_f64(),
            rounds: arguments.rounds,
        },
        runs,
    };
    let written = match arguments.json {
        true => writeln!(out, "{:#}", report.json()),
        false => report.print(out),
    };
    written.map_err(BenchError::Output)?;
    Ok(report.runs.iter().all(|run| run.tally.is_clean()))
}

fn identity(arguments: &Arguments, family: Family) -> Identity {
    let family = match family {
        Family::V4 => v1::Family::Dhcp4,
        Family::V6 => v1::Family::Dhcp6,
    };
    Identity {
        family,
        instance_id: format!("hook-runner-{:016x}", rand::random::<u64>()),
        parameters: arguments.parameters.clone(),
        subnets: subnets(&arguments.subnets, family),
    }
}

fn material(
    arguments: &Arguments,
    identity: &Identity,
    family: Family,
) -> Result<Material, BenchError> {
    let mut material = Material::sample(&identity.subnets);
    let packets = Sources {
        packet: arguments.packet.as_deref(),
        hex: None,
        response: arguments.response.as_deref(),
        number: 1,
    };
    packets.read(family, &mut material)?;
    Ok(material)
}

/// The hook point that is called.
fn point(
    arguments: &Arguments,
    loaded: &v1::Loaded,
    family: Family,
) -> Result<HookPoint, BenchError> {
    if let Some(point) = arguments.hook_point {
        return match point.spec().family {
            None => Ok(point),
            Some(theirs) if theirs == family => Ok(point),
            Some(_) => Err(BenchError::Usage(format!(
                "{point} is not of DHCPv{}: write --family otherwise",
                arguments.family
            ))),
        };
    }
    let wanted = |point: &&HookPoint| {
        let number = i32::from(point.number());
        let mut subscriptions = loaded.subscriptions.iter();
        point.spec().family == Some(family) && subscriptions.any(|own| own.hook_point == number)
    };
    let found = HookPoint::ALL.iter().find(wanted);
    found.copied().ok_or_else(|| {
        BenchError::Usage(format!(
            "{} subscribes to no hook point of DHCPv{}: write --family or --hook-point",
            loaded.name, arguments.family
        ))
    })
}

fn shapes(asked: Shapes, sessions: bool) -> Result<Vec<Shape>, BenchError> {
    match (asked, sessions) {
        (Shapes::Session, false) => Err(BenchError::Usage(
            "the service has no sessions: write --shape unary".to_owned(),
        )),
        (Shapes::Session, true) => Ok(vec![Shape::Session]),
        (Shapes::Unary, _) | (Shapes::Both, false) => Ok(vec![Shape::Unary]),
        (Shapes::Both, true) => Ok(vec![Shape::Session, Shape::Unary]),
    }
}

/// Everything that a measurement needs.
struct Bench<'a> {
    peer: Peer,
    hello: v1::server_message::Message,
    calls: Calls,
    process: Option<ServiceProcess>,
    arguments: &'a Arguments,
}

impl Bench<'_> {
    async fn run(&self, shapes: &[Shape]) -> Result<Vec<Run>, PeerError> {
        let most = self.arguments.in_flight.iter().copied().max().unwrap_or(1);
        for shape in shapes {
            self.play(*shape, most, WARM_UP.min(self.arguments.seconds))
                .await?;
        }
        let mut runs = Vec::new();
        for round in 1..=self.arguments.rounds {
            for in_flight in &self.arguments.in_flight {
                let mut order = shapes.to_vec();
                if round % 2 == 0 {
                    // None of them always has the machine that the other left.
                    order.reverse();
                }
                for shape in order {
                    runs.push(self.measure(round, shape, *in_flight).await?);
                }
            }
        }
        Ok(runs)
    }

    async fn measure(&self, round: u32, shape: Shape, in_flight: u32) -> Result<Run, PeerError> {
        let service = self.process.as_ref().and_then(ServiceProcess::cpu);
        let own = cpu::of_this_thread();
        let start = Instant::now();
        let tally = self.play(shape, in_flight, self.arguments.seconds).await?;
        let took = start.elapsed();
        let own = cpu::of_this_thread().saturating_sub(own);
        let after = self.process.as_ref().and_then(ServiceProcess::cpu);
        let service = service.zip(after).map(|(b, a)| a.saturating_sub(b));
        Ok(Run {
            round,
            shape,
            in_flight,
            took,
            tally,
            caller_cpu: own,
            service_cpu: service,
        })
    }

    async fn play(
        &self,
        shape: Shape,
        in_flight: u32,
        seconds: Duration,
    ) -> Result<Tally, PeerError> {
        let end = Instant::now() + seconds;
        match shape {
            Shape::Session => {
                session::play(&self.peer, self.hello.clone(), &self.calls, in_flight, end).await
            }
            Shape::Unary => unary::play(&self.peer, &self.calls, in_flight, end).await,
        }
    }
}

//! Starts, watches, restarts and drains the hook services of one host; checks, calls and measures any service.

mod backoff;
mod bench;
mod call;
mod check;
mod config;
mod health;
mod material;
mod new;
mod output;
mod peer;
mod process;
mod raw;
mod record;
mod recording;
mod replay;
mod runner;
mod show;
mod subnets;
mod supervise;

use bench::BenchError;
use call::CallError;
use clap::{Parser, Subcommand};
use config::Config;
use new::NewError;
use peer::PeerError;
use record::RecordError;
use recording::ReadError;
use replay::ReplayError;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Exit codes of sysexits.h.
const USAGE: u8 = 64;
const DAMAGED: u8 = 65;
const UNAVAILABLE: u8 = 69;
const INTERNAL: u8 = 70;
const IO: u8 = 74;
const CONFIG: u8 = 78;

/// Works with the hook services of one host.
#[derive(Debug, Parser)]
#[command(version, name = "hook-runner")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the services of a file until SIGTERM; SIGHUP reads the file again.
    Run {
        /// JSON with "services"; each has name, command and endpoint, and may have environment, working-directory,
        /// restart, health and drain-seconds.
        file: PathBuf,
    },
    /// Tries whether a service keeps the rules of the hook protocol. Its callouts are called, with made-up packets.
    Check(check::Arguments),
    /// Calls one hook point of a service and prints the reply as JSON.
    Call(call::Arguments),
    /// Measures calls per second, latency and CPU time of a service, on a session against one by one. Its callouts are
    /// called, as often as they can be.
    Bench(bench::Arguments),
    /// Makes a project for a new hook service, with a test.
    New(new::Arguments),
    /// Stands between a server and a service and records their calls, until SIGINT or SIGTERM. The file holds personal
    /// data: client identifiers, addresses, names.
    Record(record::Arguments),
    /// Plays a recording against another version of the service and shows what it answers otherwise.
    Replay(replay::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to be done when the terminal is gone.
            let _ = error.print();
            return match error.use_stderr() {
                true => ExitCode::from(USAGE),
                false => ExitCode::SUCCESS,
            };
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match arguments.command {
        Command::Run { file } => run(&file),
        Command::Check(arguments) => check(arguments),
        Command::Call(arguments) => call(arguments),
        Command::Bench(arguments) => bench(arguments),
        Command::New(arguments) => new(&arguments),
        Command::Record(arguments) => record(arguments),
        Command::Replay(arguments) => replay(arguments),
    }
}

/// Runs `future` on this thread.
fn block_on<T>(future: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(future)
}

fn check(arguments: check::Arguments) -> ExitCode {
    match block_on(check::run(arguments, &mut std::io::stdout())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(INTERNAL)
        }
    }
}

fn call(arguments: call::Arguments) -> ExitCode {
    match block_on(async { Ok(call::run(arguments).await) }) {
        Ok(Ok(reply)) => {
            match (
                writeln!(std::io::stdout(), "{:#}", reply.json),
                reply.is_result,
            ) {
                (Err(_), _) => ExitCode::from(IO),
                (Ok(()), true) => ExitCode::SUCCESS,
                (Ok(()), false) => ExitCode::FAILURE,
            }
        }
        Ok(Err(error)) => {
            tracing::error!("{error}");
            ExitCode::from(match error {
                CallError::Packet(_) => USAGE,
                CallError::Peer {
                    source: PeerError::Refused(_),
                    ..
                } => CONFIG,
                CallError::Peer { .. } => IO,
            })
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(INTERNAL)
        }
    }
}

fn bench(arguments: bench::Arguments) -> ExitCode {
    let measuring = async { Ok(bench::run(arguments, &mut std::io::stdout()).await) };
    match block_on(measuring) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            tracing::error!("{error}");
            ExitCode::from(match error {
                BenchError::Packet(_) | BenchError::Usage(_) => USAGE,
                BenchError::Peer {
                    source: PeerError::Refused(_),
                    ..
                } => CONFIG,
                BenchError::Peer { .. } => UNAVAILABLE,
                BenchError::Process(_) | BenchError::Output(_) => IO,
            })
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(INTERNAL)
        }
    }
}

fn record(arguments: record::Arguments) -> ExitCode {
    match block_on(async { Ok(record::run(arguments).await) }) {
        Ok(Ok(recorded)) => match (
            writeln!(std::io::stdout(), "{}", recorded.text),
            recorded.is_whole,
        ) {
            (Ok(()), true) => ExitCode::SUCCESS,
            (Err(_), _) | (_, false) => ExitCode::from(IO),
        },
        Ok(Err(error)) => {
            tracing::error!("{error}");
            ExitCode::from(match error {
                RecordError::Usage(_) => USAGE,
                RecordError::Io { .. } => IO,
            })
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(INTERNAL)
        }
    }
}

fn replay(arguments: replay::Arguments) -> ExitCode {
    let replaying = async { Ok(replay::run(arguments, &mut std::io::stdout()).await) };
    match block_on(replaying) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(error)) => {
            tracing::error!("{error}");
            ExitCode::from(match error {
                ReplayError::NoFile { .. } | ReplayError::Redacted => USAGE,
                ReplayError::Recording {
                    source: ReadError::Io(_),
                    ..
                }
                | ReplayError::Output(_) => IO,
                ReplayError::Recording { .. } => DAMAGED,
                ReplayError::Peer {
                    source: PeerError::Refused(_),
                    ..
                } => CONFIG,
                ReplayError::Peer { .. } => UNAVAILABLE,
                ReplayError::Panic(_) => INTERNAL,
            })
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(INTERNAL)
        }
    }
}

fn new(arguments: &new::Arguments) -> ExitCode {
    match new::run(arguments, Path::new("")) {
        Ok(folder) => {
            tracing::info!(
                "{} is ready; its README.md says how to go on",
                folder.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(match error {
                NewError::Write { .. } => IO,
                NewError::Name(_)
                | NewError::Taken(_)
                | NewError::NoSdk(_)
                | NewError::Exists(_) => USAGE,
            })
        }
    }
}

fn run(file: &Path) -> ExitCode {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(CONFIG);
        }
    };
    // One thread, and it is the main one: the kernel ties a service to the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime.and_then(|runtime| runtime.block_on(runner::run(file, config)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(INTERNAL)
        }
    }
}

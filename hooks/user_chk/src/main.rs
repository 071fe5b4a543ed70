//! The user_chk hook service.

use clap::Parser;
use outrigger_hook_sdk::{Endpoint, ServeError, Server, shutdown_signal};
use std::error::Error;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;
use user_chk::counters::Counters;
use user_chk::outcome::Outcome;
use user_chk::registry::{Registry, Source, Watch, WatchSettings};
use user_chk::service::UserChkService;

/// Exit codes of sysexits.h.
const USAGE: u8 = 64;
const IO: u8 = 74;

/// Decides the subnet and the boot file of DHCP clients by registration.
///
/// What belongs to a site comes from the DHCP server's configuration, as "parameters" of the hook service:
/// restricted-subnet-id (required), subnet-selection, option-overrides, outcome-records.
#[derive(Debug, Parser)]
#[command(version, name = "user-chk")]
struct Arguments {
    /// Where to listen: unix:/path or http://host:port.
    #[arg(long, value_name = "ENDPOINT")]
    listen: Endpoint,
    /// Who is registered: file:PATH or just the path of a file in Kea's form. It is read again when it changes.
    #[arg(long, value_name = "SOURCE")]
    registry: Source,
    /// File to record granted addresses in; it is made where it is missing.
    #[arg(long, value_name = "FILE")]
    outcome: PathBuf,
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
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", chain(error.as_ref()));
            ExitCode::from(IO)
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let counters = Arc::new(Counters::default());
    let outcome = Outcome::open(&arguments.outcome, Arc::clone(&counters)).map_err(|error| {
        let path = arguments.outcome.display();
        std::io::Error::new(error.kind(), format!("outcome file {path}: {error}"))
    })?;
    let Source::File(path) = arguments.registry;
    let registry = Arc::new(Registry::new(path, Arc::clone(&counters)));
    registry.refresh();
    let watch = Watch::start(Arc::clone(&registry), WatchSettings::default())?;
    let service = UserChkService {
        registry,
        outcome: Arc::new(outcome),
        counters: Arc::clone(&counters),
    };
    // One thread: a callout is shorter than the way to another core.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(service, &arguments.listen))?;
    drop(runtime);
    drop(watch);
    tracing::info!(%counters, "stopped");
    Ok(())
}

async fn serve(service: UserChkService, endpoint: &Endpoint) -> Result<(), ServeError> {
    let bound = Server::new(service).bind(endpoint).await?;
    let shutdown = shutdown_signal().map_err(|source| ServeError::Listen {
        endpoint: endpoint.to_string(),
        source,
    })?;
    bound.run(shutdown).await
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

//! A hook service that does wrong what it is told to, for tests of what the server makes of it.
//!
//! It subscribes to the reception of a packet, the selection of its subnet and the sending of the
//! answer, and marks every answer with an option. What it does, it says on standard error.

mod faults;
mod noise;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use outrigger_hook_sdk::{Endpoint, HookPoint, serve, shutdown_signal};
use tokio::net::UnixListener;

use crate::faults::{Fault, FaultyService, Mistake};

#[derive(Debug, Parser)]
#[command(name = "outrigger-test-service")]
struct Arguments {
    /// The unix socket to listen on.
    #[arg(long, value_name = "unix:PATH", value_parser = socket)]
    listen: PathBuf,
    /// What it does wrong.
    #[arg(long, value_enum, default_value_t = Fault::None)]
    fault: Fault,
    /// At this hook point only.
    #[arg(long, value_name = "HOOK_POINT")]
    at: Option<HookPoint>,
    /// For packets only whose label contains this, such as a hardware address.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// On SIGUSR1 and from then on, answer every connection with bytes that mean nothing.
    #[arg(long)]
    noisy: bool,
}

fn socket(endpoint: &str) -> Result<PathBuf, String> {
    let path = endpoint.strip_prefix("unix:");
    path.map(PathBuf::from)
        .ok_or_else(|| "it is to be unix:PATH".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outrigger-test-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let service = FaultyService::new(Mistake {
        fault: arguments.fault,
        at: arguments.at,
        only: arguments.only,
    });
    let shutdown = shutdown_signal()?;
    if !arguments.noisy {
        let endpoint: Endpoint = format!("unix:{}", arguments.listen.display()).parse()?;
        serve(&endpoint, service, shutdown).await?;
        return Ok(());
    }
    let inner = arguments.listen.with_extension("inner");
    let endpoint: Endpoint = format!("unix:{}", inner.display()).parse()?;
    let outer = UnixListener::bind(&arguments.listen)?;
    tokio::select! {
        served = serve(&endpoint, service, shutdown) => served?,
        relayed = noise::relay(outer, inner) => relayed?,
    }
    Ok(())
}

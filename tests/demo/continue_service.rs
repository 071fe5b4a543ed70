//! A service that stands where user-chk does and leaves every decision to the server: the demo has
//! to fail with it.
//!
//! It starts as user-chk does: it makes the outcome file and is not ready without a registry.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use outrigger_hook_sdk::points::{Pkt4Receive, Pkt4Send, Subnet4Select};
use outrigger_hook_sdk::points::{Pkt6Receive, Pkt6Send, Subnet6Select};
use outrigger_hook_sdk::{
    Call, Callouts, Endpoint, HookError, HookPoint, Loaded, Refusal, Service, Subscriptions, serve,
    shutdown_signal, v1,
};

/// The arguments of user-chk.
#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    listen: Endpoint,
    #[arg(long)]
    registry: PathBuf,
    #[arg(long)]
    outcome: PathBuf,
}

struct ContinueService {
    registry: PathBuf,
}

impl Service for ContinueService {
    type Callouts = Continue;

    fn name(&self) -> &str {
        "continue-service"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    async fn load(&self, request: &v1::LoadRequest) -> Result<Loaded<Continue>, Refusal> {
        if let Err(error) = std::fs::metadata(&self.registry) {
            let registry = self.registry.display();
            return Err(Refusal::new(format!("registry {registry}: {error}")));
        }
        let points = match request.server.as_ref().map(v1::ServerIdentity::family) {
            Some(v1::Family::Dhcp4) => [
                HookPoint::Pkt4Receive,
                HookPoint::Subnet4Select,
                HookPoint::Pkt4Send,
            ],
            _ => [
                HookPoint::Pkt6Receive,
                HookPoint::Subnet6Select,
                HookPoint::Pkt6Send,
            ],
        };
        let subscriptions = points.into_iter().fold(Subscriptions::new(), |all, point| {
            all.point(point, &[], &[])
        });
        Ok(Loaded::new(Continue, subscriptions))
    }
}

/// Its answers change nothing.
struct Continue;

impl Callouts for Continue {
    async fn pkt4_receive(&self, _: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        Ok(())
    }

    async fn subnet4_select(&self, _: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
        Ok(())
    }

    async fn pkt4_send(&self, _: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
        Ok(())
    }

    async fn pkt6_receive(&self, _: &mut Call<'_, Pkt6Receive>) -> Result<(), HookError> {
        Ok(())
    }

    async fn subnet6_select(&self, _: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
        Ok(())
    }

    async fn pkt6_send(&self, _: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
        Ok(())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::File::create(&arguments.outcome)?;
    let service = ContinueService {
        registry: arguments.registry,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        serve(&arguments.listen, service, shutdown_signal()?).await?;
        Ok(())
    })
}

//! A hook service that wants nothing: `idle ENDPOINT`. It says its process id, answers health checks and drains.

use outrigger_hook_sdk::{Callouts, Endpoint, Fixed, Subscriptions, serve, shutdown_signal};
use std::error::Error;

struct Idle;

impl Callouts for Idle {}

fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).ok_or("write: idle ENDPOINT")?;
    let endpoint: Endpoint = endpoint.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    println!("process {}", std::process::id());
    runtime.block_on(async {
        let service = Fixed::new("idle", "1.0.0", Idle, Subscriptions::new());
        serve(&endpoint, service, shutdown_signal()?).await?;
        println!("bye");
        Ok(())
    })
}

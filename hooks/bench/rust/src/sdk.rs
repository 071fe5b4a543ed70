//! Boot files for clients that name their vendor class, on the SDK: `bench-rust-sdk ENDPOINT`.

use outrigger_hook_sdk::points::{Pkt4Send, Pkt6Send};
use outrigger_hook_sdk::{Call, Callouts, Fixed, HookError, HookPoint, Subscriptions};
use outrigger_hook_sdk::{serve, shutdown_signal, v1};
use std::error::Error;

const URL: &str = "http://boot.example.org/image";

struct BootFiles;

fn has(options: &[v1::Option], code: u32) -> bool {
    options.iter().any(|option| option.code == code)
}

impl Callouts for BootFiles {
    async fn pkt4_send(&self, call: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
        if has(&call.query()?.options, 60) {
            call.response_options().set([67], URL);
        }
        Ok(())
    }

    async fn pkt6_send(&self, call: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
        if has(&call.query()?.options, 16) {
            call.response_options().set([59], URL);
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args()
        .nth(1)
        .ok_or("write: bench-rust-sdk ENDPOINT")?;
    let subscriptions = Subscriptions::new()
        .point(
            HookPoint::Pkt4Send,
            &["query.options.60"],
            &["response.options"],
        )
        .point(
            HookPoint::Pkt6Send,
            &["query.options.16"],
            &["response.options"],
        );
    let service = Fixed::new("bench-rust-sdk", "1.0.0", BootFiles, subscriptions);
    serve(&endpoint.parse()?, service, shutdown_signal()?).await?;
    Ok(())
}

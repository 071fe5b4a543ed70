//! Plays the two demonstrations of user_chk with real packets: server, hook service and clients in
//! private network namespaces.
//!
//! Every step prints what the client did, what the service decided (as its outcome file says) and
//! what the client got. The program succeeds only if all of it was as it has to be. It plays
//! another service where `OUTRIGGER_USER_CHK` names its program, which has to take the arguments of
//! `user-chk`.
//!
//! With `--hook ENDPOINT` it plays no demonstration: real clients ask a server that has the hook service there.

mod expect;
mod hook;
mod stage;
mod v4;
mod v6;

use std::io::{Write, stdout};
use std::panic;
use std::process::ExitCode;

use clap::Parser;

/// Plays the demonstrations of user_chk, or tries a hook service with real clients.
#[derive(Parser)]
struct Arguments {
    /// Try the hook service that listens here: unix:/path/of/socket.
    #[arg(long, value_name = "ENDPOINT")]
    hook: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |failure| {
        // The reader may have gone, which may even be the failure.
        let _ = writeln!(stdout(), "\n  FAILED");
        told(failure);
    }));
    if let Some(endpoint) = arguments.hook {
        return match panic::catch_unwind(|| hook::play(&endpoint)) {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(wrong)) => {
                eprintln!("{wrong}");
                ExitCode::from(64)
            }
            Err(_) => ExitCode::FAILURE,
        };
    }
    let played = panic::catch_unwind(|| {
        v6::play();
        v4::play();
    });
    if played.is_err() {
        return ExitCode::FAILURE;
    }
    println!("\nAll of it was as it has to be.");
    ExitCode::SUCCESS
}

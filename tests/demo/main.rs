//! Plays the two demonstrations of user_chk with real packets: server, hook service and clients in
//! private network namespaces.
//!
//! Every step prints what the client did, what the service decided (as its outcome file says) and
//! what the client got. The program succeeds only if all of it was as it has to be. It plays
//! another service where `OUTRIGGER_USER_CHK` names its program, which has to take the arguments of
//! `user-chk`.

mod expect;
mod stage;
mod v4;
mod v6;

use std::io::{Write, stdout};
use std::panic;
use std::process::ExitCode;

fn main() -> ExitCode {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |failure| {
        // The reader may have gone, which may even be the failure.
        let _ = writeln!(stdout(), "\n  FAILED");
        told(failure);
    }));
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

//! Waiting until a server has nothing more to do.

use crate::common::Whole;
use outrigger_server::served::Served;
use outrigger_wire::Outgoing;
use std::time::{Duration, Instant};

/// Long for any machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many packets got no answer so far.
pub(super) fn discarded<F: Served>(server: &Whole<F>) -> u64 {
    server.discards.iter().map(|(_, count)| count).sum()
}

/// The answers that come until, with `answered` of earlier, `wanted` packets have come to an end, and then until none
/// comes for `pause`.
pub(super) fn answers<F: Served>(
    server: &Whole<F>,
    answered: u64,
    wanted: u64,
    pause: Duration,
) -> Vec<Outgoing> {
    let deadline = Instant::now() + PATIENCE;
    let mut answers: Vec<Outgoing> = Vec::new();
    while answered + (answers.len() as u64) + discarded(server) < wanted {
        assert!(Instant::now() < deadline, "packets have vanished");
        answers.extend(server.answers.recv_timeout(Duration::from_millis(1)));
    }
    while let Ok(answer) = server.answers.recv_timeout(pause) {
        answers.push(answer);
    }
    answers
}

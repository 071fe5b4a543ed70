//! Packets that no client should send: each has one outcome, and that is counted once.

use crate::common::Whole;
use outrigger_server::served::Served;
use outrigger_server::telemetry::DiscardReason;
use outrigger_wire::Link;

mod v4;
mod v6;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// An answer of this message type.
    Answer(u8),
    /// Silence, for this reason.
    Silence(DiscardReason),
}

use Outcome::{Answer, Silence};

/// Sends a packet through the whole server; `message_type` reads an answer's.
fn outcome<F: Served>(
    server: &Whole<F>,
    bytes: &[u8],
    link: &Link,
    message_type: impl Fn(&[u8]) -> u8,
) -> Outcome {
    let before: Vec<u64> = counts(server);
    let answers = server.exchange([(bytes.to_vec(), link.clone())]);
    let after = counts(server);
    let counted: Vec<_> = DiscardReason::ALL
        .iter()
        .zip(
            after
                .iter()
                .zip(before)
                .map(|(after, before)| after - before),
        )
        .filter(|(_, count)| *count > 0)
        .collect();
    match (&answers[..], &counted[..]) {
        ([answer], []) => Answer(message_type(&answer.bytes)),
        ([], [(reason, 1)]) => Silence(**reason),
        _ => panic!("{} answers and {counted:?}", answers.len()),
    }
}

fn counts<F: Served>(server: &Whole<F>) -> Vec<u64> {
    let all = DiscardReason::ALL.iter();
    all.map(|reason| server.discards.of(*reason)).collect()
}

/// The packet with each of its bytes changed in several ways.
fn mutations(packet: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..packet.len()).flat_map(move |at| {
        [packet[at] ^ 0x80, 0xff, 0].map(|value| {
            let mut bytes = packet.to_vec();
            bytes[at] = value;
            (at, bytes)
        })
    })
}

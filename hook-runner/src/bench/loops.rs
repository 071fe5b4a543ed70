//! What both shapes of a closed loop share: the calls, and what became of them.

use crate::material::Material;
use crate::peer::REVISION;
use bytes::{BufMut, Bytes};
use hdrhistogram::Histogram;
use outrigger_proto::{HookPoint, v1};
use prost::Message as _;
use std::time::Duration;
use v1::callout_reply::Outcome;

/// Latencies above an hour are one.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Of all calls, encoded but for the id.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    rest: Bytes,
    arguments_bytes: usize,
    /// Time that each call has.
    pub(super) deadline: Duration,
}

impl Calls {
    pub(super) fn new(material: &Material, point: HookPoint, deadline: Duration) -> Self {
        let arguments = material.arguments(point);
        let arguments_bytes = arguments.encoded_len();
        let request = v1::CalloutRequest {
            hook_point: i32::from(point.number()),
            budget_us: u32::try_from(deadline.as_micros()).unwrap_or(u32::MAX),
            packet_label: "hook-runner bench".to_owned(),
            status: v1::NextStep::Continue.into(),
            configuration_revision: REVISION,
            arguments: Some(arguments),
            ..Default::default()
        };
        Self {
            rest: request.encode_to_vec().into(),
            arguments_bytes,
            deadline,
        }
    }

    /// How much the arguments of one call take on the wire.
    pub(super) fn arguments_bytes(&self) -> usize {
        self.arguments_bytes
    }

    /// The encoded call. Fields may come in any order, so the rest follows the id as it is.
    pub(super) fn encoded(&self, id: u64) -> Vec<u8> {
        let with_id = v1::CalloutRequest {
            id,
            ..Default::default()
        };
        let mut bytes = Vec::with_capacity(with_id.encoded_len() + self.rest.len());
        with_id.encode_raw(&mut bytes);
        bytes.put_slice(&self.rest);
        bytes
    }
}

/// What became of the calls of one measurement.
#[derive(Debug)]
pub(super) struct Tally {
    /// Calls with an answer of the service, whatever it said.
    pub(super) answered: u64,
    /// Those with a failure.
    pub(super) failures: u64,
    /// Those after the deadline.
    pub(super) late: u64,
    /// Replies to no open call.
    pub(super) unexpected: u64,
    /// The first failure's text.
    pub(super) example: Option<String>,
    latencies: Histogram<u64>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let latencies = Histogram::new_with_bounds(1, LONGEST_NS, 3);
        Self {
            answered: 0,
            failures: 0,
            late: 0,
            unexpected: 0,
            example: None,
            latencies: latencies.expect("three significant digits are possible"),
        }
    }

    /// One call that was answered after `latency`.
    pub(super) fn answer(
        &mut self,
        latency: Duration,
        deadline: Duration,
        failure: Option<String>,
    ) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(nanoseconds);
        self.answered += 1;
        self.late += u64::from(latency > deadline);
        if let Some(text) = failure {
            self.failures += 1;
            self.example.get_or_insert(text);
        }
    }

    /// Latency in µs that so many of 100 calls do not exceed.
    pub(super) fn percentile_us(&self, percent: f64) -> f64 {
        Duration::from_nanos(self.latencies.value_at_quantile(percent / 100.0)).as_secs_f64() * 1e6
    }

    /// Every call had a result, in time.
    pub(super) fn is_clean(&self) -> bool {
        self.failures + self.late + self.unexpected == 0 && self.answered > 0
    }
}

/// Why the reply is no result.
pub(super) fn failure(reply: &v1::CalloutReply) -> Option<String> {
    match &reply.outcome {
        Some(Outcome::Result(_)) => None,
        Some(Outcome::Failure(failure)) => Some(failure.text.clone()),
        None => Some("a reply with neither result nor failure".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_as_it_was_meant() {
        let material = Material::sample(&[]);
        let calls = Calls::new(&material, HookPoint::Pkt6Send, Duration::from_secs(1));
        let read = v1::CalloutRequest::decode(calls.encoded(u64::MAX).as_slice()).unwrap();
        assert_eq!(read.id, u64::MAX);
        assert_eq!(read.budget_us, 1_000_000);
        let arguments = read.arguments.unwrap();
        assert_eq!(arguments, material.arguments(HookPoint::Pkt6Send));
        assert_eq!(arguments.encoded_len(), calls.arguments_bytes());
    }

    #[test]
    fn late_and_failed_calls_are_not_clean() {
        let deadline = Duration::from_millis(10);
        let mut tally = Tally::new();
        assert!(!tally.is_clean(), "nothing was measured");
        tally.answer(deadline, deadline, None);
        assert!(tally.is_clean());
        tally.answer(deadline * 2, deadline, Some("no".to_owned()));
        assert_eq!((tally.answered, tally.late, tally.failures), (2, 1, 1));
        assert_eq!(tally.example.as_deref(), Some("no"));
        assert!(!tally.is_clean());
        assert!((9_990.0..10_010.0).contains(&tally.percentile_us(50.0)));
    }
}

//! What is counted, and how it is told.

use std::fmt::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::faults::{Fault, Faults};
use crate::options::Scenario;

/// Longer times are counted as this long.
const LONGEST: Duration = Duration::from_secs(3600);

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// `--exchanges` were started.
    Exchanges,
    /// `--seconds` were over.
    Seconds,
    /// The server answered nobody for a whole round of retransmissions.
    ServerSilent,
    /// Every client was refused what it held.
    NoClientLeft,
}

impl Ended {
    fn name(self) -> &'static str {
        match self {
            Self::Exchanges => "exchanges",
            Self::Seconds => "seconds",
            Self::ServerSilent => "server-silent",
            Self::NoClientLeft => "no-client-left",
        }
    }
}

/// Counts and times of a run.
pub(crate) struct Tally {
    pub(crate) started: u64,
    /// Turns of an open loop that found no client or no room.
    pub(crate) not_started: u64,
    pub(crate) lost: u64,
    pub(crate) retransmits: u64,
    /// Refusals: NAK, or a DHCPv6 status.
    pub(crate) naks: u64,
    /// Answers to what is no longer asked; no error of the server.
    pub(crate) late: u64,
    pub(crate) send_errors: u64,
    /// Clients with a lease before the measured renewals.
    pub(crate) acquired: Option<u64>,
    completed: u64,
    begin: Instant,
    last_completed: Instant,
    exchange: Histogram<u64>,
    first: Histogram<u64>,
    second: Histogram<u64>,
}

impl Tally {
    /// Nothing has happened yet.
    pub(crate) fn new(begin: Instant) -> Self {
        let empty = || {
            Histogram::new_with_bounds(1, nanoseconds(LONGEST), 3)
                .expect("the bounds and precision are valid")
        };
        Self {
            started: 0,
            not_started: 0,
            lost: 0,
            retransmits: 0,
            naks: 0,
            late: 0,
            send_errors: 0,
            acquired: None,
            completed: 0,
            begin,
            last_completed: begin,
            exchange: empty(),
            first: empty(),
            second: empty(),
        }
    }

    /// How many turns of an open loop are past.
    pub(crate) fn scheduled(&self) -> u64 {
        self.started + self.not_started
    }

    /// The first of two halves was answered.
    pub(crate) fn first_half(&mut self, took: Duration) {
        self.first.saturating_record(nanoseconds(took));
    }

    /// An exchange is complete; a renewal has one half only.
    pub(crate) fn completed(
        &mut self,
        now: Instant,
        two_halves: bool,
        half: Duration,
        whole: Duration,
    ) {
        self.completed += 1;
        self.last_completed = now;
        let histogram = if two_halves {
            &mut self.second
        } else {
            &mut self.first
        };
        histogram.saturating_record(nanoseconds(half));
        self.exchange.saturating_record(nanoseconds(whole));
    }

    fn seconds(&self) -> f64 {
        self.last_completed
            .saturating_duration_since(self.begin)
            .as_secs_f64()
    }

    fn per_second(&self) -> f64 {
        if self.completed == 0 {
            0.0
        } else {
            count(self.completed) / self.seconds().max(1e-9)
        }
    }
}

/// Everything a run found out.
pub(crate) struct Report {
    pub(crate) scenario: Scenario,
    pub(crate) ended: Ended,
    pub(crate) tally: Tally,
    pub(crate) faults: Faults,
}

impl Report {
    /// For machines: `--json`. Times are in microseconds.
    pub(crate) fn json(&self) -> Value {
        let tally = &self.tally;
        let faults: serde_json::Map<String, Value> = Fault::ALL
            .iter()
            .map(|fault| (fault.name().to_owned(), self.faults.count(*fault).into()))
            .collect();
        json!({
            "scenario": self.scenario.name(),
            "ended": self.ended.name(),
            "started": tally.started,
            "completed": tally.completed,
            "not_started": tally.not_started,
            "lost": tally.lost,
            "retransmits": tally.retransmits,
            "naks": tally.naks,
            "late": tally.late,
            "send_errors": tally.send_errors,
            "acquired": tally.acquired,
            "seconds": tally.seconds(),
            "exchanges_per_second": tally.per_second(),
            "latency_us": {
                "exchange": percentiles(&tally.exchange),
                "first_half": percentiles(&tally.first),
                "second_half": percentiles(&tally.second),
            },
            "server_errors": self.faults.total(),
            "server_errors_by_kind": faults,
            "server_error_examples": self.faults.examples(),
        })
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let tally = &self.tally;
        let mut text = String::new();
        let mut line = |words: std::fmt::Arguments<'_>| {
            text.write_fmt(words).expect("a String takes everything");
            text.push('\n');
        };
        line(format_args!(
            "{}: {} of {} exchanges completed in {:.2} s: {:.0} per second (ended by {})",
            self.scenario.name(),
            tally.completed,
            tally.started,
            tally.seconds(),
            tally.per_second(),
            self.ended.name(),
        ));
        line(format_args!(
            "lost {}, retransmits {}, naks {}, late answers {}, not started {}, send errors {}",
            tally.lost,
            tally.retransmits,
            tally.naks,
            tally.late,
            tally.not_started,
            tally.send_errors,
        ));
        line(format_args!(
            "{:<12}{:>12}{:>12}{:>12}{:>12}",
            "latency µs", "p50", "p99", "p99.9", "max"
        ));
        for (name, histogram) in [
            ("exchange", &tally.exchange),
            ("first half", &tally.first),
            ("second half", &tally.second),
        ] {
            if !histogram.is_empty() {
                let [p50, p99, p999, max] = quantiles(histogram);
                line(format_args!(
                    "{name:<12}{p50:>12.1}{p99:>12.1}{p999:>12.1}{max:>12.1}"
                ));
            }
        }
        line(format_args!("server errors: {}", self.faults.total()));
        for fault in Fault::ALL
            .iter()
            .filter(|fault| self.faults.count(**fault) > 0)
        {
            line(format_args!(
                "  {}: {}",
                fault.name(),
                self.faults.count(*fault)
            ));
        }
        for example in self.faults.examples() {
            line(format_args!("    {example}"));
        }
        text
    }

    /// 1 after any server error; 3 when the run proves nothing.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.faults.total() > 0 {
            ExitCode::from(1)
        } else if self.tally.completed == 0 || self.ended == Ended::ServerSilent {
            ExitCode::from(3)
        } else {
            ExitCode::SUCCESS
        }
    }
}

fn percentiles(histogram: &Histogram<u64>) -> Value {
    if histogram.is_empty() {
        return Value::Null;
    }
    let [p50, p99, p999, max] = quantiles(histogram);
    json!({ "p50": p50, "p99": p99, "p99.9": p999, "max": max, "mean": histogram.mean() / 1000.0 })
}

/// p50, p99, p99.9 and the maximum, in microseconds.
fn quantiles(histogram: &Histogram<u64>) -> [f64; 4] {
    [0.5, 0.99, 0.999, 1.0].map(|quantile| count(histogram.value_at_quantile(quantile)) / 1000.0)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Exact below 2^53, far above anything that a bounded run counts.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of a bounded run stay below 2^53"
)]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(completed: bool, fault: bool, ended: Ended) -> Report {
        let begin = Instant::now();
        let mut tally = Tally::new(begin);
        let mut faults = Faults::default();
        if completed {
            let took = Duration::from_micros(500);
            tally.first_half(took);
            tally.completed(begin + Duration::from_secs(1), true, took, took * 2);
        }
        if fault {
            faults.add(Fault::RelayEcho, || "x".to_owned());
        }
        Report {
            scenario: Scenario::Dora,
            ended,
            tally,
            faults,
        }
    }

    #[test]
    fn only_a_run_that_completed_something_without_server_error_is_fine() {
        for (completed, fault, ended, code) in [
            (true, false, Ended::Exchanges, ExitCode::SUCCESS),
            (true, true, Ended::Exchanges, ExitCode::from(1)),
            (false, true, Ended::ServerSilent, ExitCode::from(1)),
            (false, false, Ended::Seconds, ExitCode::from(3)),
            (true, false, Ended::ServerSilent, ExitCode::from(3)),
        ] {
            assert_eq!(report(completed, fault, ended).exit_code(), code);
        }
    }

    #[test]
    fn the_report_tells_rate_latency_and_errors() {
        let report = report(true, true, Ended::Exchanges);
        let json = report.json();
        assert!((json["exchanges_per_second"].as_f64().unwrap() - 1.0).abs() < 1e-6);
        assert!((json["latency_us"]["exchange"]["p99"].as_f64().unwrap() - 1000.0).abs() < 5.0);
        assert_eq!(json["server_errors_by_kind"]["relay_echo"], 1);
        assert!(report.text().contains("relay_echo: 1"), "{}", report.text());
    }
}

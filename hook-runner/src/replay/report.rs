//! What a replay found, for people or for machines.

use super::compare::{Difference, shown};
use super::steps::{Answer, Call};
use crate::peer::PeerError;
use crate::recording::point_name;
use hdrhistogram::Histogram;
use outrigger_proto::HookPoint;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Characters of a value that people are shown.
const MOST_SHOWN: usize = 200;

/// What a call of the replay came to.
#[derive(Debug)]
pub(super) enum Verdict {
    Same,
    Different(Vec<Difference>),
    /// There was an answer then, and there is none now.
    Failed(PeerError),
    /// There was no answer then.
    NotCompared,
}

#[derive(Debug, Default)]
struct Counts {
    same: u64,
    different: u64,
    failed: u64,
    not_compared: u64,
    then: Option<Histogram<u64>>,
    now: Option<Histogram<u64>>,
}

/// Writes differences as they are found, and keeps counts.
#[derive(Debug)]
pub(super) struct Report<W> {
    out: W,
    json: bool,
    /// Differences that are shown for each hook point.
    limit: u64,
    points: BTreeMap<i32, Counts>,
    loads_different: u64,
}

impl<W: Write> Report<W> {
    pub(super) fn new(out: W, json: bool, limit: u64) -> Self {
        Self {
            out,
            json,
            limit,
            points: BTreeMap::new(),
            loads_different: 0,
        }
    }

    /// A Load is answered otherwise.
    pub(super) fn load(&mut self, line: u64, found: &[Difference]) -> io::Result<()> {
        self.loads_different += 1;
        if self.json {
            let difference = json!({
                "line": line, "rpc": "Load", "differences": differences(found),
            });
            return writeln!(self.out, "{difference}");
        }
        writeln!(self.out, "DIFFERENT Load (line {line})")?;
        self.paths(found)
    }

    /// A call was played: what it is answered now, and how long that took.
    pub(super) fn call(
        &mut self,
        call: &Call,
        now: Option<&Answer>,
        took_us: u64,
        verdict: &Verdict,
    ) -> io::Result<()> {
        // What has no name is counted together: numbers may be made up.
        let point = HookPoint::try_from(call.head.hook_point);
        let counts = self
            .points
            .entry(point.map_or(0, |_| call.head.hook_point))
            .or_default();
        if call.answer.is_some() {
            note(&mut counts.then, call.took_us);
        }
        if now.is_some() {
            note(&mut counts.now, took_us);
        }
        match verdict {
            Verdict::Same => counts.same += 1,
            Verdict::NotCompared => counts.not_compared += 1,
            Verdict::Different(_) => counts.different += 1,
            Verdict::Failed(_) => counts.failed += 1,
        }
        if counts.different + counts.failed > self.limit {
            return Ok(());
        }
        match verdict {
            Verdict::Same | Verdict::NotCompared => Ok(()),
            Verdict::Different(found) => self.different(call, now, found),
            Verdict::Failed(error) => self.failed(call, error),
        }
    }

    fn different(
        &mut self,
        call: &Call,
        now: Option<&Answer>,
        found: &[Difference],
    ) -> io::Result<()> {
        let (point, label) = (point_name(call.head.hook_point), &call.head.packet_label);
        if self.json {
            let answer = |answer: Option<&Answer>| answer.map(|answer| shown(&answer.kind));
            let difference = json!({
                "line": call.line, "hook-point": point, "packet": label,
                "differences": differences(found),
                "then": answer(call.answer.as_ref()), "now": answer(now),
            });
            return writeln!(self.out, "{difference}");
        }
        writeln!(self.out, "DIFFERENT {point} {label} (line {})", call.line)?;
        self.paths(found)
    }

    fn failed(&mut self, call: &Call, error: &PeerError) -> io::Result<()> {
        let (point, label) = (point_name(call.head.hook_point), &call.head.packet_label);
        if self.json {
            let failure = json!({
                "line": call.line, "hook-point": point, "packet": label,
                "failed": error.to_string(),
                "then": call.answer.as_ref().map(|answer| shown(&answer.kind)),
            });
            return writeln!(self.out, "{failure}");
        }
        writeln!(self.out, "FAILED    {point} {label} (line {})", call.line)?;
        writeln!(self.out, "          no answer now: {error}")
    }

    fn paths(&mut self, found: &[Difference]) -> io::Result<()> {
        for difference in found {
            let Difference { path, then, now } = difference;
            let (then, now) = (shortened(then), shortened(now));
            writeln!(self.out, "          {path}: then {then}, now {now}")?;
        }
        Ok(())
    }

    /// Whether every answer that was compared is the same.
    pub(super) fn is_same(&self) -> bool {
        let counts = self.points.values();
        self.loads_different == 0 && counts.map(|c| c.different + c.failed).sum::<u64>() == 0
    }

    /// The counts, and what is to be known of the recording itself.
    pub(super) fn end(&mut self, lost: u64, is_cut: bool) -> io::Result<()> {
        if self.json {
            let points: serde_json::Map<String, Value> = self
                .points
                .iter()
                .map(|(point, counts)| (point_name(*point), counts.json()))
                .collect();
            let summary = json!({
                "summary": points, "loads-different": self.loads_different,
                "messages-lost": lost, "recording-cut": is_cut, "same": self.is_same(),
            });
            return writeln!(self.out, "{summary}");
        }
        writeln!(
            self.out,
            "{:<22} {:>9} {:>9} {:>9} {:>12}  latency p50/p99/max µs, then and now",
            "hook point", "same", "different", "failed", "not compared"
        )?;
        for (point, counts) in &self.points {
            writeln!(
                self.out,
                "{:<22} {:>9} {:>9} {:>9} {:>12}  {}  {}",
                point_name(*point),
                counts.same,
                counts.different,
                counts.failed,
                counts.not_compared,
                latency(counts.then.as_ref()),
                latency(counts.now.as_ref()),
            )?;
        }
        if self.loads_different > 0 {
            writeln!(
                self.out,
                "{} Loads are answered otherwise",
                self.loads_different
            )?;
        }
        if lost > 0 {
            writeln!(self.out, "{lost} messages are missing in the recording")?;
        }
        if is_cut {
            writeln!(
                self.out,
                "the recording was cut off; what is whole was played"
            )?;
        }
        Ok(())
    }
}

impl Counts {
    fn json(&self) -> Value {
        let latency = |times: Option<&Histogram<u64>>| {
            times.map(|times| {
                json!({
                    "p50-us": times.value_at_quantile(0.5),
                    "p99-us": times.value_at_quantile(0.99),
                    "max-us": times.max(),
                })
            })
        };
        json!({
            "same": self.same, "different": self.different, "failed": self.failed,
            "not-compared": self.not_compared,
            "then": latency(self.then.as_ref()), "now": latency(self.now.as_ref()),
        })
    }
}

fn note(times: &mut Option<Histogram<u64>>, took_us: u64) {
    // One hour at most: a recording may say anything.
    let limited = || Histogram::new_with_bounds(1, 3_600_000_000, 2).ok();
    if times.is_none() {
        *times = limited();
    }
    if let Some(times) = times {
        times.saturating_record(took_us);
    }
}

fn latency(times: Option<&Histogram<u64>>) -> String {
    times.map_or_else(
        || "-".to_owned(),
        |times| {
            let at = |quantile| times.value_at_quantile(quantile);
            format!("{}/{}/{}", at(0.5), at(0.99), times.max())
        },
    )
}

fn differences(found: &[Difference]) -> Vec<Value> {
    let difference =
        |one: &Difference| json!({ "path": one.path, "then": one.then, "now": one.now });
    found.iter().map(difference).collect()
}

fn shortened(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    };
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

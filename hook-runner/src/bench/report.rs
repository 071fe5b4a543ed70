//! What was measured, as a table and as JSON.

use super::Shape;
use super::loops::Tally;
use outrigger_proto::{HookPoint, v1};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// What the measurements are of.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) loaded: v1::Loaded,
    pub(super) point: HookPoint,
    pub(super) arguments_bytes: usize,
    pub(super) pid: Option<i32>,
    pub(super) seconds: f64,
    pub(super) rounds: u32,
}

/// One measurement.
#[derive(Debug)]
pub(super) struct Run {
    /// From 1.
    pub(super) round: u32,
    pub(super) shape: Shape,
    pub(super) in_flight: u32,
    pub(super) took: Duration,
    pub(super) tally: Tally,
    pub(super) caller_cpu: Duration,
    /// `None` where the process is not known.
    pub(super) service_cpu: Option<Duration>,
}

impl Run {
    fn calls_per_second(&self) -> f64 {
        number(self.tally.answered) / self.took.as_secs_f64()
    }

    fn per_call_us(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / number(self.tally.answered.max(1))
    }

    fn caller_us(&self) -> f64 {
        self.per_call_us(self.caller_cpu)
    }

    fn service_us(&self) -> Option<f64> {
        self.service_cpu.map(|cpu| self.per_call_us(cpu))
    }

    fn json(&self) -> Value {
        json!({
            "round": self.round,
            "shape": self.shape.name(),
            "in-flight": self.in_flight,
            "seconds": self.took.as_secs_f64(),
            "calls": self.tally.answered,
            "failures": self.tally.failures,
            "late": self.tally.late,
            "unexpected": self.tally.unexpected,
            "calls-per-second": self.calls_per_second(),
            "p50-us": self.tally.percentile_us(50.0),
            "p99-us": self.tally.percentile_us(99.0),
            "caller-cpu-us": self.caller_us(),
            "service-cpu-us": self.service_us(),
        })
    }
}

/// Counts of calls are far below 2^53, so nothing is lost.
fn number(count: u64) -> f64 {
    count as f64
}

/// Median, smallest and largest of the same number in several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let middle = numbers.len() / 2;
        let median = match numbers.len() % 2 {
            1 => numbers[middle],
            _ => f64::midpoint(*numbers.get(middle.wrapping_sub(1))?, numbers[middle]),
        };
        Some(Self {
            median,
            least: *numbers.first()?,
            most: *numbers.last()?,
        })
    }

    fn json(self) -> Value {
        json!({ "median": self.median, "least": self.least, "most": self.most })
    }

    fn text(self) -> String {
        let Self {
            median,
            least,
            most,
        } = self;
        format!("{} ({} – {})", short(median), short(least), short(most))
    }
}

/// Three digits that count, or all before the point.
fn short(number: f64) -> String {
    match number {
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

fn text(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "unknown".to_owned(), Spread::text)
}

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) subject: Subject,
    /// In the order in which they were taken.
    pub(super) runs: Vec<Run>,
}

impl Report {
    /// Every measurement, and the ratios of session to unary.
    pub(super) fn json(&self) -> Value {
        let subject = &self.subject;
        let runs: Vec<Value> = self.runs.iter().map(Run::json).collect();
        let ratios = self.levels().into_iter().filter_map(|level| {
            let ratios = self.ratios(level)?;
            Some(json!({
                "in-flight": level,
                "calls-per-second": ratios.rate.map(Spread::json),
                "service-cpu": ratios.service_cpu.map(Spread::json),
            }))
        });
        json!({
            "service": { "name": subject.loaded.name, "version": subject.loaded.version, "pid": subject.pid },
            "hook-point": subject.point.name(),
            "arguments-bytes": subject.arguments_bytes,
            "seconds": subject.seconds,
            "rounds": subject.rounds,
            "runs": runs,
            "session-to-unary": ratios.collect::<Vec<Value>>(),
        })
    }

    /// The tables.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let subject = &self.subject;
        writeln!(
            out,
            "{} {}: {}, {} bytes of arguments, {} rounds of {} s each; median (smallest – largest)\n",
            subject.loaded.name,
            subject.loaded.version,
            subject.point,
            subject.arguments_bytes,
            subject.rounds,
            subject.seconds
        )?;
        let head = [
            "shape",
            "in flight",
            "calls/s",
            "p50 µs",
            "p99 µs",
            "caller CPU µs",
            "service CPU µs",
        ];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        for shape in [Shape::Session, Shape::Unary] {
            for level in self.levels() {
                table.extend(self.row(shape, level));
            }
        }
        print_table(out, &table)?;
        let head = ["session : unary", "calls/s", "service CPU"].map(str::to_owned);
        let mut table = vec![head.to_vec()];
        for level in self.levels() {
            let Some(ratios) = self.ratios(level) else {
                continue;
            };
            table.push(vec![
                level.to_string(),
                text(ratios.rate),
                text(ratios.service_cpu),
            ]);
        }
        if table.len() > 1 {
            writeln!(out)?;
            print_table(out, &table)?;
        }
        self.print_faults(out)
    }

    fn row(&self, shape: Shape, level: u32) -> Option<Vec<String>> {
        let runs: Vec<&Run> = self.of(shape, level).collect();
        let spread = |number: fn(&Run) -> f64| text(Spread::of(runs.iter().map(|run| number(run))));
        let service: Option<Vec<f64>> = runs.iter().map(|run| run.service_us()).collect();
        (!runs.is_empty()).then(|| {
            vec![
                shape.name().to_owned(),
                level.to_string(),
                spread(Run::calls_per_second),
                spread(|run| run.tally.percentile_us(50.0)),
                spread(|run| run.tally.percentile_us(99.0)),
                spread(Run::caller_us),
                text(service.and_then(Spread::of)),
            ]
        })
    }

    fn print_faults(&self, out: &mut impl Write) -> io::Result<()> {
        for run in self.runs.iter().filter(|run| !run.tally.is_clean()) {
            let tally = &run.tally;
            write!(
                out,
                "\nround {}, {}, {} in flight: of {} calls {} failed, {} were late; {} replies to no call",
                run.round,
                run.shape.name(),
                run.in_flight,
                tally.answered,
                tally.failures,
                tally.late,
                tally.unexpected
            )?;
            if let Some(example) = &tally.example {
                write!(out, "; the first failure: {example}")?;
            }
        }
        writeln!(out)
    }

    /// In the order in which they were asked for.
    fn levels(&self) -> Vec<u32> {
        let mut levels = Vec::new();
        for run in &self.runs {
            if !levels.contains(&run.in_flight) {
                levels.push(run.in_flight);
            }
        }
        levels
    }

    fn of(&self, shape: Shape, level: u32) -> impl Iterator<Item = &Run> {
        let wanted = move |run: &&Run| run.shape == shape && run.in_flight == level;
        self.runs.iter().filter(wanted)
    }

    /// Of the two measurements of each round; `None` where one shape was not measured.
    fn ratios(&self, level: u32) -> Option<Ratios> {
        let session = || self.of(Shape::Session, level);
        let pairs = || session().zip(self.of(Shape::Unary, level));
        pairs().next()?;
        let service_cpu: Option<Vec<f64>> = pairs()
            .map(|(session, unary)| {
                let (session, unary) = (session.service_us()?, unary.service_us()?);
                // Too short a measurement may find no time at all.
                (unary > 0.0).then(|| session / unary)
            })
            .collect();
        Some(Ratios {
            rate: Spread::of(pairs().map(|(s, u)| s.calls_per_second() / u.calls_per_second())),
            service_cpu: service_cpu.and_then(Spread::of),
        })
    }
}

/// Session to unary.
struct Ratios {
    rate: Option<Spread>,
    service_cpu: Option<Spread>,
}

/// Columns as wide as their widest cell.
fn print_table(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("   ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(round: u32, shape: Shape, calls: u64, service_ms: u64) -> Run {
        let mut tally = Tally::new();
        for _ in 0..calls {
            tally.answer(Duration::ZERO, Duration::from_secs(60), None);
        }
        Run {
            round,
            shape,
            in_flight: 16,
            took: Duration::from_secs(2),
            tally,
            caller_cpu: Duration::from_millis(1),
            service_cpu: Some(Duration::from_millis(service_ms)),
        }
    }

    fn report(runs: Vec<Run>) -> Report {
        Report {
            subject: Subject {
                loaded: v1::Loaded {
                    name: "phones".to_owned(),
                    version: "1.2.3".to_owned(),
                    ..Default::default()
                },
                point: HookPoint::Pkt6Send,
                arguments_bytes: 470,
                pid: None,
                seconds: 2.0,
                rounds: 3,
            },
            runs,
        }
    }

    #[test]
    fn ratios_are_those_of_the_two_measurements_of_a_round() {
        let report = report(vec![
            run(1, Shape::Session, 400, 8),
            run(1, Shape::Unary, 100, 4),
            run(2, Shape::Unary, 100, 4),
            run(2, Shape::Session, 200, 8),
            run(3, Shape::Session, 300, 3),
            run(3, Shape::Unary, 100, 2),
        ]);
        let json = report.json();
        let ratios = &json["session-to-unary"][0];
        let expected = json!({ "median": 3.0, "least": 2.0, "most": 4.0 });
        assert_eq!(ratios["calls-per-second"], expected);
        assert_eq!(ratios["service-cpu"]["most"], 1.0);
        assert_eq!(json["runs"][0]["calls-per-second"], 200.0);
        assert_eq!(json["runs"][0]["service-cpu-us"], 20.0);
        assert_eq!(json["runs"][0]["caller-cpu-us"], 2.5);
    }

    #[test]
    fn the_table_names_what_failed() {
        let mut faulty = run(2, Shape::Unary, 10, 1);
        faulty.tally.answer(
            Duration::ZERO,
            Duration::from_secs(60),
            Some("no disk".to_owned()),
        );
        let report = report(vec![run(1, Shape::Unary, 10, 1), faulty]);
        let mut out = Vec::new();
        report.print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("phones 1.2.3: pkt6_send, 470 bytes"),
            "{text}"
        );
        assert!(
            text.contains("\nunary   16          5.25 (5.00 – 5.50)"),
            "{text}"
        );
        let fault = "round 2, unary, 16 in flight: of 11 calls 1 failed, 0 were late; 0 replies to no call; the first failure: no disk";
        assert!(text.contains(fault), "{text}");
        assert!(!text.contains("session : unary"), "{text}");
    }

    #[test]
    fn a_spread_of_an_even_number_has_the_middle_of_two() {
        let spread = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(spread.text(), "2.50 (1.00 – 4.00)");
        assert_eq!(Spread::of([]), None);
    }
}

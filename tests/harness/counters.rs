//! What a server has counted, read from its log.

use nix::sys::signal::Signal;

use crate::PATIENCE;
use crate::subject::Server;

/// The last line of a set of counters.
const LAST: &str = "COUNTER_LEASES";

/// One set of counters.
#[derive(Clone, Debug)]
pub struct Counters {
    lines: Vec<String>,
}

impl Server {
    /// Has the server write its counters (SIGUSR1), and reads them.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[must_use]
    #[track_caller]
    pub fn counters(&self) -> Counters {
        let before = self.process.count_lines(LAST);
        self.process.signal(Signal::SIGUSR1);
        self.process.wait_for_nth_line(LAST, before + 1, PATIENCE);
        let text = self.process.text();
        let mut ends = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(LAST));
        let begin = match before {
            0 => 0,
            nth => ends.nth(nth - 1).map_or(0, |(index, _)| index + 1),
        };
        let lines = text
            .lines()
            .skip(begin)
            .filter(|line| line.contains("COUNTER_"));
        Counters {
            lines: lines.map(str::to_owned).collect(),
        }
    }
}

impl Counters {
    /// Calls of hook services that failed, of whatever cause.
    #[must_use]
    pub fn failed_calls(&self) -> u64 {
        self.sum("calls", &["COUNTER_HOOK_FAILURES"])
    }

    /// Calls that failed for this cause, such as `deadline`.
    #[must_use]
    pub fn failed_for(&self, cause: &str) -> u64 {
        self.sum(
            "calls",
            &["COUNTER_HOOK_FAILURES", &format!("cause={cause} ")],
        )
    }

    /// Calls that failed at this hook point for this cause, and what was done: `Continue` or `Drop`.
    #[must_use]
    pub fn failed_at(&self, hook_point: &str, cause: &str, action: &str) -> u64 {
        let [point, cause, action] = [
            format!("hook_point={hook_point} "),
            format!("cause={cause} "),
            format!("action={action} "),
        ];
        self.sum("calls", &["COUNTER_HOOK_FAILURES", &point, &cause, &action])
    }

    /// Replies that came when nobody waited for them any more.
    #[must_use]
    pub fn late_replies(&self) -> u64 {
        self.sum("late_replies", &["COUNTER_HOOK_SERVICE"])
    }

    /// Packets that got no answer for this reason, such as `hook-failure`.
    #[must_use]
    pub fn discards(&self, reason: &str) -> u64 {
        self.sum(
            "packets",
            &["COUNTER_DISCARDS", &format!("reason=\"{reason}\"")],
        )
    }

    /// Leases that the server holds.
    #[must_use]
    pub fn leases(&self) -> u64 {
        self.sum("leases", &[LAST])
    }

    /// The sum of a field over all lines that contain all of these texts.
    fn sum(&self, field: &str, texts: &[&str]) -> u64 {
        let field = format!(" {field}=");
        let chosen = self
            .lines
            .iter()
            .filter(|line| texts.iter().all(|text| line.contains(text)));
        chosen
            .filter_map(|line| {
                let (_, value) = line.split_once(&field)?;
                value.split(' ').next()?.parse::<u64>().ok()
            })
            .sum()
    }
}

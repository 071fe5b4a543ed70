//! What a client told its script.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::{place, poll};

/// The script's calls so far, in order. Each appends one block to a file: the environment and
/// `EVENT`, the first argument, all ended by a zero byte, and one more zero byte.
#[derive(Debug)]
pub struct Events {
    script: PathBuf,
    record: PathBuf,
}

/// One call of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its environment.
    pub variables: BTreeMap<String, String>,
}

impl Events {
    /// Writes a script that records its call and then runs these shell lines.
    pub(crate) fn new(dir: &Path, client: &str, lines: &str) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let script = dir.join(format!("{client}-{number}.script"));
        let record = dir.join(format!("{client}-{number}.events"));
        let text = format!(
            "#!/bin/sh\n{{ EVENT=\"$1\" env -0; printf '\\0'; }} >> '{}'\n{lines}\nexit 0\n",
            record.display()
        );
        place::write(&script, &text);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
            .unwrap_or_else(|error| panic!("cannot make {} a program: {error}", script.display()));
        Self { script, record }
    }

    /// The script's path.
    pub(crate) fn script(&self) -> &Path {
        &self.script
    }

    /// All calls so far.
    #[must_use]
    pub fn all(&self) -> Vec<Event> {
        let record = fs::read(&self.record).unwrap_or_default();
        let mut events = Vec::new();
        let mut variables = BTreeMap::new();
        for line in record.split_inclusive(|byte| *byte == 0) {
            let Some((0, line)) = line.split_last() else {
                break; // still being written
            };
            let line = String::from_utf8_lossy(line);
            match line.split_once('=') {
                Some((name, value)) => {
                    variables.insert(name.to_owned(), value.to_owned());
                }
                None => events.push(Event {
                    variables: std::mem::take(&mut variables),
                }),
            }
        }
        events
    }

    /// The reasons of all calls so far, for the text of a failure.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let events = self.all();
        events
            .iter()
            .map(|event| event.reason().to_owned())
            .collect()
    }

    /// Waits for the first call, after the first `skip` ones, that fits.
    #[must_use]
    pub fn wait(
        &self,
        skip: usize,
        timeout: Duration,
        fits: impl Fn(&Event) -> bool,
    ) -> Option<Event> {
        poll(timeout, || {
            self.all().into_iter().skip(skip).find(|event| fits(event))
        })
    }
}

impl Event {
    /// What happened, in the client's words: `BOUND`, `bound`, `RENEW6`, …
    #[must_use]
    pub fn reason(&self) -> &str {
        let word = self.get("reason").or_else(|| self.get("EVENT"));
        word.unwrap_or_default()
    }

    /// A variable, unless it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name)?;
        (!value.is_empty()).then_some(value)
    }

    /// A variable that holds one value, such as an address or a number.
    ///
    /// # Panics
    ///
    /// When it is absent or of another kind.
    #[must_use]
    #[track_caller]
    pub fn value<T: FromStr>(&self, name: &str) -> T {
        self.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or_else(|| panic!("no usable {name} in {self:#?}"))
    }

    /// A variable that holds addresses, as in `192.0.2.1 192.0.2.2`; empty when it is absent.
    ///
    /// # Panics
    ///
    /// When one of them is not an address.
    #[must_use]
    #[track_caller]
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let values = self.get(name).unwrap_or_default().split_whitespace();
        values
            .map(|value| {
                value
                    .parse()
                    .unwrap_or_else(|_| panic!("{name}: {value} is not an address"))
            })
            .collect()
    }

    /// A variable that holds a prefix, as in `2001:db8::/56`.
    ///
    /// # Panics
    ///
    /// When it is absent or not a prefix.
    #[must_use]
    #[track_caller]
    pub fn prefix(&self, name: &str) -> (Ipv6Addr, u8) {
        self.get(name)
            .and_then(|value| value.split_once('/'))
            .and_then(|(prefix, length)| Some((prefix.parse().ok()?, length.parse().ok()?)))
            .unwrap_or_else(|| panic!("no usable prefix {name} in {self:#?}"))
    }
}

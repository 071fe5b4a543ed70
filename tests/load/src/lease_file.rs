//! Acknowledged leases in a file, one line each: `client address valid_until`.
//!
//! The client is its hardware address or DUID, the time is in seconds since 1970. The last line of a client is
//! its present lease.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this tool stands outside the server and its clock"
)]
pub(crate) fn time_of_day() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

/// Appends leases.
pub(crate) struct LeaseWriter {
    file: BufWriter<File>,
}

impl LeaseWriter {
    /// Opens the file for appending, or makes it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self {
            file: BufWriter::new(file),
        })
    }

    /// Adds one line.
    pub(crate) fn add(
        &mut self,
        client: &str,
        address: IpAddr,
        valid_until: u64,
    ) -> anyhow::Result<()> {
        writeln!(self.file, "{client} {address} {valid_until}")
            .context("cannot write an acknowledged lease")
    }

    /// Hands every line to the operating system. The engine does so before it sends anything else, so a
    /// lease that a later packet could depend on is in the file.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.file
            .flush()
            .context("cannot write acknowledged leases")
    }
}

/// One line of a lease file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) client: String,
    pub(crate) address: IpAddr,
    pub(crate) valid_until: u64,
}

/// Reads a lease file, in order.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            parse(line).with_context(|| {
                format!(
                    "{}:{}: not `client address valid_until`",
                    path.display(),
                    index + 1
                )
            })
        })
        .collect()
}

fn parse(line: &str) -> Option<Line> {
    let mut words = line.split(' ');
    let line = Line {
        client: words.next()?.to_owned(),
        address: words.next()?.parse().ok()?,
        valid_until: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leases");
        for number in 1..=2_u8 {
            let mut writer = LeaseWriter::open(&path).unwrap();
            writer
                .add("02:4c", IpAddr::from([192, 0, 2, number]), 100)
                .unwrap();
            writer.flush().unwrap();
        }
        let addresses: Vec<IpAddr> = read(&path)
            .unwrap()
            .into_iter()
            .map(|line| line.address)
            .collect();
        assert_eq!(
            addresses,
            [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])]
        );
    }

    #[test]
    fn a_line_of_another_form_is_refused_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leases");
        std::fs::write(&path, "a 192.0.2.1 5\nb 192.0.2.2\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains(":2:"));
    }
}

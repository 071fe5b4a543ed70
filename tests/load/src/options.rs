//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::prefix::Prefix;

/// No run lasts longer than this, whatever was asked for.
pub(crate) const MAX_SECONDS: u32 = 3600;

/// What every client does again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// DHCPv4: DISCOVER, OFFER, REQUEST, ACK.
    Dora,
    /// DHCPv4: REQUEST with ciaddr, ACK; leases are acquired first, uncounted.
    Renew,
    /// DHCPv6: SOLICIT, ADVERTISE, REQUEST, REPLY.
    Sarr,
    /// DHCPv6: RENEW, REPLY; leases are acquired first, uncounted.
    Renew6,
}

impl Scenario {
    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dora => "dora",
            Self::Renew => "renew",
            Self::Sarr => "sarr",
            Self::Renew6 => "renew6",
        }
    }

    /// Whether it speaks DHCPv4.
    pub(crate) fn is_v4(self) -> bool {
        matches!(self, Self::Dora | Self::Renew)
    }

    /// Whether clients hold a lease before the exchange that is measured.
    pub(crate) fn renews(self) -> bool {
        matches!(self, Self::Renew | Self::Renew6)
    }
}

/// Loads a DHCP server through a relay of many clients, and checks every answer.
#[derive(Debug, Parser)]
#[command(name = "outrigger-load", version)]
pub(crate) struct Options {
    /// The exchange to repeat.
    pub(crate) scenario: Scenario,

    /// The server's address.
    #[arg(long)]
    pub(crate) server: IpAddr,

    /// Our own address: giaddr in DHCPv4, link-address in DHCPv6. It must be on this machine.
    #[arg(long)]
    pub(crate) from: IpAddr,

    /// How many different clients there are.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) clients: u32,

    /// The number of the first client: two runs with disjoint ranges are different clients.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=4_000_000_000))]
    pub(crate) first_client: u32,

    /// Stop after this many exchanges were started.
    #[arg(long, required_unless_present = "seconds", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) exchanges: Option<u64>,

    /// Start no exchange after this many seconds.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SECONDS)))]
    pub(crate) seconds: Option<u32>,

    /// How many exchanges run at the same time; with --rate, at most.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) in_flight: u32,

    /// Open loop: start this many exchanges per second, whether earlier ones have ended or not.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: Option<u32>,

    /// Send a message again when it was not answered for so long.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    pub(crate) retransmit_ms: u64,

    /// How often a message is sent before its exchange counts as lost.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=20))]
    pub(crate) tries: u8,

    /// Every lease must lie in one of these ranges (ADDRESS/LENGTH; may be repeated).
    #[arg(long)]
    pub(crate) expect_prefix: Vec<Prefix>,

    /// Write the results here as JSON.
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,

    /// Append each acknowledged lease here at once: `client address valid_until`.
    #[arg(long)]
    pub(crate) leases_out: Option<PathBuf>,

    /// Leases of an earlier run (a --leases-out file): clients of this run continue theirs, and nobody
    /// else may be given one of them before it ends.
    #[arg(long)]
    pub(crate) leases_in: Option<PathBuf>,

    /// Go on while the server is silent (it may be restarted meanwhile).
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// The server's port: 67 or 547 when absent.
    #[arg(long)]
    pub(crate) server_port: Option<u16>,

    /// Our own port: 67 or 547 when absent.
    #[arg(long)]
    pub(crate) source_port: Option<u16>,
}

impl Options {
    /// Finds what the parser cannot: values that contradict each other.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_v4 = self.scenario.is_v4();
        let name = self.scenario.name();
        for (option, address) in [("--server", self.server), ("--from", self.from)] {
            if address.is_ipv4() != is_v4 {
                return Err(format!(
                    "{option} {address} is of the wrong family for {name}"
                ));
            }
        }
        if self
            .expect_prefix
            .iter()
            .any(|prefix| prefix.is_v4() != is_v4)
        {
            return Err(format!(
                "an --expect-prefix is of the wrong family for {name}"
            ));
        }
        if self.first_client.checked_add(self.clients).is_none() {
            return Err("--first-client plus --clients is more than 32 bits hold".to_owned());
        }
        Ok(())
    }

    /// When no exchange starts any more, counted from the first one.
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds.unwrap_or(MAX_SECONDS)))
    }

    /// The pause before a message is sent again.
    pub(crate) fn retransmit(&self) -> Duration {
        Duration::from_millis(self.retransmit_ms)
    }

    /// The server's port, the family's own unless given.
    pub(crate) fn server_port(&self) -> u16 {
        self.server_port.unwrap_or_else(|| self.family_port())
    }

    /// The port of the relay agent. RFC 2131 §4.1: a server answers a relay agent on the server port.
    pub(crate) fn source_port(&self) -> u16 {
        self.source_port.unwrap_or_else(|| self.family_port())
    }

    fn family_port(&self) -> u16 {
        if self.scenario.is_v4() { 67 } else { 547 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Options {
        Options::try_parse_from(words.split_whitespace()).unwrap()
    }

    #[test]
    fn addresses_and_prefixes_must_be_of_the_scenarios_family() {
        for (words, complaint) in [
            (
                "x dora --server ::1 --from 127.0.0.1 --seconds 1",
                "--server",
            ),
            ("x sarr --server ::1 --from 127.0.0.1 --seconds 1", "--from"),
            (
                "x renew6 --server ::1 --from ::1 --seconds 1 --expect-prefix 10.0.0.0/8",
                "--expect-prefix",
            ),
        ] {
            let problem = parse(words).check().unwrap_err();
            assert!(problem.contains(complaint), "{problem}");
        }
    }

    #[test]
    fn a_run_without_an_end_is_refused() {
        let words = "x dora --server 127.0.0.1 --from 127.0.0.1";
        assert!(Options::try_parse_from(words.split_whitespace()).is_err());
        let words = "x dora --server 127.0.0.1 --from 127.0.0.1 --seconds 3601";
        assert!(Options::try_parse_from(words.split_whitespace()).is_err());
    }

    #[test]
    fn ports_are_the_familys_own_unless_given() {
        let options = parse("x sarr --server ::1 --from ::1 --seconds 1 --source-port 9");
        assert_eq!((options.server_port(), options.source_port()), (547, 9));
        assert_eq!(
            parse("x dora --server 127.0.0.1 --from 127.0.0.1 --seconds 1").server_port(),
            67
        );
    }
}

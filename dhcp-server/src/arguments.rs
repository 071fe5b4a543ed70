//! The command line, with the names that users of Kea know.

use clap::{ArgAction, Parser};
use outrigger_server::server::Options;
use outrigger_server::version;
use std::path::PathBuf;
use std::process::ExitCode;

/// sysexits.h: the command line is wrong.
const EX_USAGE: u8 = 64;

/// A DHCPv4 and DHCPv6 server whose hooks run outside the server process.
#[derive(Debug, Parser)]
#[command(name = "dhcp-server", disable_version_flag = true)]
struct CommandLine {
    /// Run with this configuration; one file for each family may be given.
    #[arg(short = 'c', value_name = "FILE", action = ArgAction::Append)]
    config: Vec<PathBuf>,
    /// Check a configuration, print every problem, exit 0 or 78.
    #[arg(short = 't', value_name = "FILE")]
    check: Option<PathBuf>,
    /// As -t, then also reach every hook service it names.
    #[arg(short = 'T', value_name = "FILE")]
    check_services: Option<PathBuf>,
    /// Listen on this UDP port instead of 67 or 547.
    #[arg(short = 'p', value_name = "PORT")]
    server_port: Option<u16>,
    /// Send to clients on this UDP port instead of 68 or 546.
    #[arg(short = 'P', value_name = "PORT")]
    client_port: Option<u16>,
    /// Log everything.
    #[arg(short = 'd')]
    debug: bool,
    /// Print the version.
    #[arg(short = 'v')]
    version: bool,
    /// Print the version and what belongs to it.
    #[arg(short = 'V')]
    long_version: bool,
    /// Print how this program was built.
    #[arg(short = 'W')]
    build: bool,
    /// Take the leases of Kea's lease file into the journal, then exit. With -c.
    #[arg(long)]
    import_leases: bool,
    /// Start although Kea's lease file holds leases that were not imported.
    #[arg(long)]
    ignore_kea_leases: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Mode {
    Print(String),
    Check(PathBuf),
    CheckServices(PathBuf),
    ImportLeases(Vec<PathBuf>),
    Serve(Vec<PathBuf>),
}

/// A command line that makes sense.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) mode: Mode,
    pub(crate) options: Options,
    pub(crate) debug: bool,
    /// Called as `kea-dhcp4` or `kea-dhcp6`: only this top-level key is accepted.
    pub(crate) only: Option<&'static str>,
}

impl Arguments {
    /// Reads the command line of this process.
    pub(crate) fn parse() -> Result<Self, ExitCode> {
        let line = CommandLine::try_parse().map_err(|error| {
            let _ = error.print();
            if error.use_stderr() {
                ExitCode::from(EX_USAGE)
            } else {
                ExitCode::SUCCESS
            }
        })?;
        let name = std::env::args().next().unwrap_or_default();
        let only = match name.rsplit('/').next() {
            Some("kea-dhcp4") => Some("Dhcp4"),
            Some("kea-dhcp6") => Some("Dhcp6"),
            _ => None,
        };
        let options = Options {
            server_port: line.server_port,
            client_port: line.client_port,
            ignore_kea_leases: line.ignore_kea_leases,
            ..Options::default()
        };
        let debug = line.debug;
        let mode = line.mode().ok_or_else(|| {
            eprintln!("dhcp-server: one of -c FILE, -t FILE, -T FILE, -v, -V and -W is needed; --help explains them");
            ExitCode::from(EX_USAGE)
        })?;
        Ok(Self {
            mode,
            options,
            debug,
            only,
        })
    }
}

impl CommandLine {
    fn mode(self) -> Option<Mode> {
        if self.version {
            return Some(Mode::Print(version::SHORT.to_owned()));
        }
        if self.long_version {
            return Some(Mode::Print(version::extended()));
        }
        if self.build {
            return Some(Mode::Print(version::build()));
        }
        if let Some(file) = self.check {
            return Some(Mode::Check(file));
        }
        if let Some(file) = self.check_services {
            return Some(Mode::CheckServices(file));
        }
        match (self.config.is_empty(), self.import_leases) {
            (true, _) => None,
            (false, true) => Some(Mode::ImportLeases(self.config)),
            (false, false) => Some(Mode::Serve(self.config)),
        }
    }
}

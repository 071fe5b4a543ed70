//! A bounded DHCP load generator that checks what it is given.
//!
//! It plays a relay agent with many clients behind it: it sends DHCPv4 with `giaddr` and option 82, or
//! DHCPv6 in one Relay-forward layer, straight to the server's address. One thread does everything, so
//! that it can be pinned beside the server. Packets are written and read by hand here, apart from the
//! server's own codec: a mistake there must not hide itself.
//!
//! ```text
//! options ─► engine ─► packet4 | packet6 ─► wire ─► server
//!              │  ▲                           │
//!              │  └── reply, checked ◄────────┘
//!              ├─► ledger      who holds which address: finds doubled leases
//!              ├─► faults      everything a server must never do, counted
//!              └─► lease_file  acknowledged leases, for a crash test
//! ```
//!
//! Exit codes: 0 fine, 1 the server made an error, 2 usage, 3 nothing was completed or the server fell
//! silent, 74 this machine failed (socket, file).

mod engine;
mod faults;
mod lease_file;
mod ledger;
mod message;
mod options;
mod packet4;
mod packet6;
mod prefix;
mod report;
mod wire;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::engine::Engine;
use crate::message::Packets;
use crate::options::Options;
use crate::packet4::Packets4;
use crate::packet6::Packets6;
use crate::report::Report;

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(problem) = options.check() {
        eprintln!("outrigger-load: {problem}");
        return ExitCode::from(2);
    }
    match run(&options) {
        Ok(report) => {
            print!("{}", report.text());
            report.exit_code()
        }
        Err(error) => {
            eprintln!("outrigger-load: {error:#}");
            ExitCode::from(74)
        }
    }
}

fn run(options: &Options) -> anyhow::Result<Report> {
    let report = match options.from {
        std::net::IpAddr::V4(giaddr) => play(options, Packets4::new(giaddr)),
        std::net::IpAddr::V6(link) => play(options, Packets6::new(link)),
    }?;
    if let Some(path) = &options.json {
        let text = format!("{:#}\n", report.json());
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report)
}

fn play<P: Packets>(options: &Options, packets: P) -> anyhow::Result<Report> {
    Engine::new(options, packets)?.run()
}

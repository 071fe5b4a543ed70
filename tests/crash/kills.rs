//! The server is killed again and again while clients lease: no acknowledged lease is missing
//! afterwards, and none has two holders.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use outrigger_lab::{Family, Launch, PATIENCE, Server, Twin};
use serde_json::json;

/// Kills of a test, where `OUTRIGGER_CRASH_ROUNDS` does not ask for more.
const ROUNDS: u32 = 5;
/// More clients than can be served in a test.
const CLIENTS: u32 = 20_000;
/// Clients that come after the last kill: at most so many, from this number on.
const NEWCOMERS: usize = 8_000;
const FIRST_NEWCOMER: u32 = 1_000_000;
/// Where the forgetful build keeps what survives a kill.
const IMAGES: &str = "OUTRIGGER_TEST_FORGETFUL_DIR";

/// What was found after the last kill.
#[derive(Debug)]
struct Found {
    /// Clients that hold a lease, as far as they know.
    acknowledged: usize,
    /// Leases that the server found in its journal.
    recovered: u64,
    /// Leases of somebody that were given to somebody else, during the kills and after them.
    doubled: u64,
    /// Renewals that were refused or not answered, or that got another address.
    not_renewed: u64,
}

impl Found {
    #[track_caller]
    fn assert_nothing_is_lost(&self) {
        assert!(self.acknowledged > 100, "too few for a verdict: {self:?}");
        assert!(self.recovered >= self.acknowledged as u64, "{self:?}");
        assert_eq!((self.doubled, self.not_renewed), (0, 0), "{self:?}");
    }
}

fn rounds() -> u32 {
    let asked = env::var("OUTRIGGER_CRASH_ROUNDS").ok();
    asked.map_or(ROUNDS, |rounds| {
        rounds.parse().expect("OUTRIGGER_CRASH_ROUNDS is a number")
    })
}

/// Kills the server so many times under one load, then looks for what is missing.
#[track_caller]
fn kill_under_load(twin: &Twin, launch: &Launch, rounds: u32) -> Found {
    let host = twin.lab().server();
    let leases = twin.lab().dir().join("acknowledged");
    let config = twin.config(json!({}));
    let mut server = launch.start(host, &config);
    let seconds = rounds * 2;
    let loading = twin
        .load(false)
        .with("--clients", CLIENTS.to_string())
        .with("--in-flight", "32")
        .with("--seconds", seconds.to_string())
        .with("--retransmit-ms", "150")
        .with("--tries", "20")
        .with("--leases-out", &leases)
        .also("--keep-going")
        .start();
    for round in 0..rounds {
        // At a moment of the journal's work that differs from round to round.
        sleep(Duration::from_millis(400 + u64::from(round % 7) * 37));
        kill(&server);
        server = launch.restart(host, &server);
    }
    let during = loading.finish_within(PATIENCE + Duration::from_secs(seconds.into()));
    kill(&server);
    let server = launch.restart(host, &server);
    let found = look(twin, &server, &leases);
    Found {
        doubled: found.doubled + during.errors("duplicate_address"),
        ..found
    }
}

#[track_caller]
fn kill(server: &Server) {
    server.process.signal(Signal::SIGKILL);
    assert!(server.process.wait(PATIENCE).is_some());
}

/// New clients come first: what the server has forgotten is free for them. Then the holders renew.
#[track_caller]
fn look(twin: &Twin, server: &Server, leases: &Path) -> Found {
    let holders = holders(leases);
    let recovered = server.counters().leases();
    let newcomers = holders.len().min(NEWCOMERS).to_string();
    let newcomers = twin
        .load(false)
        .with("--first-client", FIRST_NEWCOMER.to_string())
        .with("--clients", &newcomers)
        .with("--exchanges", &newcomers)
        .with("--leases-in", leases)
        .run();
    // The clients in between whose exchange was lost lease now.
    let last = holders.iter().max().unwrap();
    let renewed = twin
        .load(true)
        .with("--clients", (last + 1).to_string())
        .with("--exchanges", (last + 1).to_string())
        .with("--leases-in", leases)
        .run();
    let failed = ["naks", "lost"].map(|name| renewed.count(name));
    Found {
        acknowledged: holders.len(),
        recovered,
        doubled: newcomers.errors("duplicate_address") + renewed.errors("duplicate_address"),
        not_renewed: failed.iter().sum::<u64>() + renewed.errors("other_address"),
    }
}

/// The numbers of the clients that hold a lease: the end of their hardware address or DUID.
fn holders(leases: &Path) -> HashSet<u32> {
    let text = std::fs::read_to_string(leases).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names
        .map(|name| {
            let digits = name.replace(':', "");
            u32::from_str_radix(&digits[digits.len() - 8..], 16).unwrap()
        })
        .collect()
}

/// The usual build, as it is killed by an administrator: what the kernel has, it keeps.
fn usual() -> Launch {
    Launch::new("dhcp-server")
}

/// The build for which a kill is a power cut: what no finished `fdatasync` covers is gone.
fn forgetful(twin: &Twin) -> Launch {
    let images: PathBuf = twin.lab().dir().join("images");
    std::fs::create_dir_all(&images).unwrap();
    Launch::new("dhcp-server-forgetful").env(IMAGES, images)
}

#[test]
fn no_acknowledged_dhcpv4_lease_is_lost_or_doubled_by_kills() {
    let twin = Twin::new(Family::V4);
    kill_under_load(&twin, &usual(), rounds()).assert_nothing_is_lost();
}

#[test]
fn no_acknowledged_dhcpv6_lease_is_lost_or_doubled_by_kills() {
    let twin = Twin::new(Family::V6);
    kill_under_load(&twin, &usual(), rounds()).assert_nothing_is_lost();
}

#[test]
fn no_acknowledged_dhcpv4_lease_is_lost_or_doubled_by_power_cuts() {
    let twin = Twin::new(Family::V4);
    kill_under_load(&twin, &forgetful(&twin), rounds()).assert_nothing_is_lost();
}

#[test]
fn no_acknowledged_dhcpv6_lease_is_lost_or_doubled_by_power_cuts() {
    let twin = Twin::new(Family::V6);
    kill_under_load(&twin, &forgetful(&twin), rounds()).assert_nothing_is_lost();
}

/// The tests above would notice: with flushes that do nothing, they find what is missing.
#[test]
fn a_server_that_does_not_flush_is_found_out() {
    for family in [Family::V4, Family::V6] {
        let twin = Twin::new(family);
        let launch = forgetful(&twin).env("OUTRIGGER_TEST_IGNORE_SYNC", "1");
        let found = kill_under_load(&twin, &launch, 1);
        assert!(found.recovered < found.acknowledged as u64, "{found:?}");
        assert!(found.doubled > 0, "{found:?}");
    }
}

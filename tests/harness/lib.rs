//! Whole-system tests: private network namespaces, real DHCP clients, the demo.
//!
//! ```text
//! Lab ──┬── srv0  server        Subject: our dhcp-server, or Kea for comparison
//!       ├── sw0   bridge        every frame of the lab passes here
//!       └── cli0… clients       testkit links, Dhclient, Dhcpcd, Udhcpc
//! ```
//!
//! A [`Lab`] needs no sudo: without root, the test program starts itself again in a user namespace.
//! Each host is a set of namespaces that ends with the lab, and with it every process in it. What
//! the machine lacks makes a test fail with a text that says so; nothing is skipped.
//!
//! The harness is for tests, so it panics where a test could do nothing but fail. Start with
//! [`Lab::direct`], [`Subject::start`] and `v4/clients.rs`.

mod capture;
mod clients;
mod counters;
mod host;
mod lab;
mod language;
mod launch;
mod load;
mod place;
mod privilege;
mod process;
mod subject;
mod test_service;
mod twin;
pub mod user_chk;

pub use clients::{Dhclient, Dhcpcd, DhcpcdWants, Event, Events, Udhcpc};
pub use counters::Counters;
pub use host::{Finished, Host};
pub use lab::Lab;
pub use language::{Language, python, python_file, repository};
pub use launch::Launch;
pub use load::{Load, LoadReport, Loading};
pub use place::program;
pub use process::Process;
pub use subject::{Family, Server, Subject};
pub use test_service::TestService;
pub use twin::{Answer, Twin, TwinClient};

use std::time::{Duration, Instant};

/// How long to wait for what should happen at once, on a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again, every 20 ms, until there is an answer or the time is up.
pub fn poll<T>(timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + timeout;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

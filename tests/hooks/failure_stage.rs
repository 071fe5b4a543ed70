//! A server with the test service, for the scenarios in which the service goes wrong.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_lab::{Counters, Family, Language, Loading, PATIENCE, Process, Server, Subject};
use outrigger_lab::{TestService, Twin, poll};
use serde_json::{Value, json};

/// How long a server must keep silent to be called silent: longer than the deadline of a call.
pub(crate) const SILENCE: Duration = Duration::from_secs(1);
/// Milliseconds that a call may take, where a scenario does not say otherwise.
pub(crate) const DEADLINE: u32 = 150;
/// Clients of one load: more than can be served while it lasts.
pub(crate) const LOAD_CLIENTS: u32 = 12_000;
/// How long each load lasts.
const LOAD_SECONDS: &str = "2";

/// A lab, a healthy test service, and a server that calls it.
pub(crate) struct Stage {
    pub(crate) twin: Twin,
    pub(crate) address: TestService,
    /// The service that runs at present.
    pub(crate) service: Process,
    pub(crate) server: Server,
}

impl Stage {
    /// As [`Stage::of`], with the service in Rust.
    #[track_caller]
    pub(crate) fn new(family: Family, further: Value, arguments: &[&str]) -> Self {
        Self::of(Language::Rust, family, further, arguments)
    }

    /// `further` are members of the service's entry in the configuration.
    #[track_caller]
    pub(crate) fn of(
        language: Language,
        family: Family,
        further: Value,
        arguments: &[&str],
    ) -> Self {
        let twin = Twin::new(family);
        let address = TestService::of(language, twin.lab().server(), "test-service.sock");
        let service = address.start(arguments);
        let config = config(&twin, &address, further);
        let server = Subject::start(twin.lab().server(), &config);
        let stage = Self {
            twin,
            address,
            service,
            server,
        };
        stage.wait_for_marks();
        stage
    }

    /// Ends the service as a crash would, and starts it again with these arguments.
    #[track_caller]
    pub(crate) fn replace_service(&mut self, arguments: &[&str]) {
        self.kill_service();
        self.service = self.address.start(arguments);
    }

    /// As [`Stage::replace_service`], and waits until every shard, and the task that looks after
    /// expired leases, has a session with it.
    #[track_caller]
    pub(crate) fn replace_service_everywhere(&mut self, arguments: &[&str]) {
        const READY: &str = "hook service is ready";
        let sessions = std::thread::available_parallelism().unwrap().get() + 1;
        let before = self.server.process.count_lines(READY);
        self.replace_service(arguments);
        self.server
            .process
            .wait_for_nth_line(READY, before + sessions, PATIENCE);
    }

    /// SIGKILL, and waits for the end.
    #[track_caller]
    pub(crate) fn kill_service(&self) {
        self.service.signal(nix::sys::signal::Signal::SIGKILL);
        assert!(self.service.wait(PATIENCE).is_some());
    }

    /// Every shard calls the service: enough clients in a row, so that some are of each shard, get
    /// marked answers.
    #[track_caller]
    pub(crate) fn wait_for_marks(&self) {
        let all_marked = || {
            (200..216)
                .all(|number| {
                    let answer = self.twin.ask(&mut self.twin.client(number), SILENCE);
                    answer.is_some_and(|answer| answer.marked)
                })
                .then_some(())
        };
        assert!(
            poll(PATIENCE, all_marked).is_some(),
            "the service is not called on every shard: {}",
            self.server.process.text()
        );
    }

    /// What is counted while `during` runs, of failed calls: the sum of all causes.
    #[track_caller]
    pub(crate) fn failures_during(&self, during: impl FnOnce()) -> u64 {
        let before = self.server.counters().failed_calls();
        during();
        self.server.counters().failed_calls() - before
    }

    #[track_caller]
    pub(crate) fn counters(&self) -> Counters {
        assert!(self.server.process.is_running(), "the server is gone");
        self.server.counters()
    }
}

/// A configuration with the test service; `further` wins over what is usual.
pub(crate) fn config(twin: &Twin, address: &TestService, further: Value) -> String {
    let mut service = json!({
        "name": "test-service",
        "endpoints": [address.endpoint()],
        "deadline": DEADLINE,
    });
    for (name, value) in further.as_object().unwrap() {
        service[name] = value.clone();
    }
    twin.config(json!({ "hook-budget": 3000, "hook-services": [service] }))
}

/// Starts a load of many clients, a few at a time, each waiting for its answer.
pub(crate) fn start_load(twin: &Twin, first_client: u32) -> Loading {
    twin.load(false)
        .with("--first-client", first_client.to_string())
        .with("--clients", LOAD_CLIENTS.to_string())
        .with("--in-flight", "8")
        .with("--seconds", LOAD_SECONDS)
        .start()
}

/// One test for each language and family.
macro_rules! in_every_language {
    ($($(#[$attribute:meta])* $name:ident => $scenario:expr;)+) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;
            use outrigger_lab::Language;

            #[test]
            fn rust_v4() {
                ($scenario)(Language::Rust, Family::V4);
            }

            #[test]
            fn rust_v6() {
                ($scenario)(Language::Rust, Family::V6);
            }

            #[test]
            fn python_v4() {
                ($scenario)(Language::Python, Family::V4);
            }

            #[test]
            fn python_v6() {
                ($scenario)(Language::Python, Family::V6);
            }

            #[test]
            fn go_v4() {
                ($scenario)(Language::Go, Family::V4);
            }

            #[test]
            fn go_v6() {
                ($scenario)(Language::Go, Family::V6);
            }
        }
    )+};
}
pub(crate) use in_every_language;

/// Rates are compared with nothing else of this program running.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

//! `hook-runner run`: real processes, started, watched and ended.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A service that answers health checks; Cargo builds examples before tests.
fn idle() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let idle = folder.join("examples/idle");
    assert!(
        idle.exists(),
        "run all tests of the package: then Cargo builds {}",
        idle.display()
    );
    idle
}

/// A running runner, its file and what it has written so far.
struct Runner {
    child: Child,
    folder: TempDir,
    written: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Runner {
    fn start(services: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        fs::write(
            &file,
            Self::config(folder.path().to_str().unwrap(), services),
        )
        .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_hook-runner"))
            .arg("run")
            .arg(&file)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let written = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let sink = Arc::clone(&written);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                sink.0.lock().unwrap().push(line);
                sink.1.notify_all();
            }
        });
        Self {
            child,
            folder,
            written,
        }
    }

    fn config(folder: &str, services: &[String]) -> String {
        let services = services.join(",").replace("FOLDER", folder);
        format!("{{\"services\": [{services}]}}")
    }

    fn rewrite(&self, services: &[String]) {
        let folder = self.folder.path();
        let config = Self::config(folder.to_str().unwrap(), services);
        fs::write(folder.join("run.json"), config).unwrap();
        self.signal(Signal::SIGHUP);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// The lines with `part`, once there are `count` of them.
    fn wait_for(&self, part: &str, count: usize) -> Vec<String> {
        let limit = Instant::now() + PATIENCE;
        let (lines, changed) = &*self.written;
        let mut lines = lines.lock().unwrap();
        loop {
            let found: Vec<_> = lines
                .iter()
                .filter(|line| line.contains(part))
                .cloned()
                .collect();
            if found.len() >= count {
                return found;
            }
            let left = limit.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no {count} lines with {part:?} in {lines:#?}"
            );
            lines = changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// The process id that an idle service said, the `nth` that any said.
    fn process(&self, nth: usize) -> Pid {
        let lines = self.wait_for(": process ", nth);
        let id = lines[nth - 1].rsplit(' ').next().unwrap().parse().unwrap();
        Pid::from_raw(id)
    }

    fn exit_code(&mut self) -> i32 {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end: {:#?}", self.written.0.lock().unwrap());
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // SIGTERM, so that nothing it started is left behind.
        if self.child.try_wait().unwrap().is_none() {
            self.signal(Signal::SIGTERM);
            self.exit_code();
        }
    }
}

fn is_alive(process: Pid) -> bool {
    kill(process, None).is_ok()
}

fn wait_until_dead(process: Pid) {
    let limit = Instant::now() + PATIENCE;
    while is_alive(process) {
        assert!(Instant::now() < limit, "{process} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An idle service in the test's folder.
fn idle_service(name: &str, more: &str) -> String {
    let program = idle();
    let program = program.display();
    let endpoint = format!("unix:FOLDER/{name}.sock");
    format!(
        r#"{{"name": "{name}", "command": ["{program}", "{endpoint}"], "endpoint": "{endpoint}",
            "health": {{"interval-ms": 50, "timeout-ms": 500, "failures": 2}} {more}}}"#
    )
}

/// A service that is a line of shell.
fn shell(name: &str, script: &str, more: &str) -> String {
    format!(
        r#"{{"name": "{name}", "command": ["sh", "-c", "{script}"], "endpoint": "unix:FOLDER/{name}.sock" {more}}}"#
    )
}

#[test]
fn a_service_is_started_watched_and_drained() {
    let mut runner = Runner::start(&[idle_service("a", ""), idle_service("b", "")]);
    runner.wait_for("ready service=a", 1);
    runner.wait_for("ready service=b", 1);
    let (first, second) = (runner.process(1), runner.process(2));
    assert!(is_alive(first) && is_alive(second));
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.exit_code(), 0);
    runner.wait_for("a: bye", 1);
    runner.wait_for("drained service=b", 1);
    assert!(!is_alive(first) && !is_alive(second));
    assert!(!runner.folder.path().join("a.sock").exists());
}

#[test]
fn a_service_that_crashes_is_started_again_later_and_later() {
    let script = "echo out; echo err >&2; exit 3";
    let restart = r#", "restart": {"initial-delay-ms": 20, "max-delay-ms": 400}"#;
    let runner = Runner::start(&[shell("crash", script, restart), idle_service("other", "")]);
    runner.wait_for("crash: out", 5);
    runner.wait_for("crash: err", 5);
    runner.wait_for("exit status: 3", 5);
    let delays: Vec<f64> = runner
        .wait_for("starts again", 4)
        .iter()
        .map(|line| {
            let delay = line.rsplit("delay=").next().unwrap().trim();
            delay.trim_end_matches("ms").parse().unwrap()
        })
        .collect();
    for (delay, due) in delays.iter().zip([20.0, 40.0, 80.0, 160.0]) {
        assert!((due / 2.0..=due).contains(delay), "{delays:?}");
    }
    runner.wait_for("ready service=other", 1);
}

#[test]
fn a_service_that_is_killed_is_started_again() {
    let runner = Runner::start(&[idle_service("a", "")]);
    runner.wait_for("ready", 1);
    kill(runner.process(1), Signal::SIGKILL).unwrap();
    runner.wait_for("signal: 9", 1);
    runner.wait_for("ready", 2);
    assert_ne!(runner.process(1), runner.process(2));
}

#[test]
fn a_hung_service_is_killed_and_replaced() {
    let runner = Runner::start(&[idle_service("a", "")]);
    runner.wait_for("ready", 1);
    let hung = runner.process(1);
    kill(hung, Signal::SIGSTOP).unwrap();
    runner.wait_for("does not answer health checks", 1);
    runner.wait_for("ready", 2);
    wait_until_dead(hung);
    assert!(is_alive(runner.process(2)));
}

#[test]
fn a_service_that_ignores_sigterm_is_killed_with_its_children() {
    let script = "trap '' TERM; sleep 1000 & echo child $!; while :; do sleep 1; done";
    let mut runner = Runner::start(&[shell("stubborn", script, r#", "drain-seconds": 1"#)]);
    let line = runner.wait_for("stubborn: child ", 1).remove(0);
    let child = Pid::from_raw(line.rsplit(' ').next().unwrap().parse().unwrap());
    let asked = Instant::now();
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.exit_code(), 0);
    let took = asked.elapsed();
    assert!((1..10).contains(&took.as_secs()), "{took:?}");
    runner.wait_for("did not drain in time and was killed", 1);
    wait_until_dead(child);
}

#[test]
fn services_die_with_a_runner_that_is_killed() {
    let runner = Runner::start(&[idle_service("a", "")]);
    runner.wait_for("ready", 1);
    let service = runner.process(1);
    let tied = !runner
        .written
        .0
        .lock()
        .unwrap()
        .iter()
        .any(|line| line.contains("setpriv"));
    runner.signal(Signal::SIGKILL);
    if !tied {
        kill(service, Signal::SIGTERM).unwrap();
    }
    wait_until_dead(service);
}

#[test]
fn a_reload_starts_and_stops_the_difference() {
    let (kept, gone) = (idle_service("kept", ""), idle_service("gone", ""));
    let runner = Runner::start(&[kept.clone(), gone]);
    runner.wait_for("ready", 2);
    let first = [runner.process(1), runner.process(2)];

    runner.rewrite(&[kept.clone(), idle_service("new", "")]);
    runner.wait_for("ready service=new", 1);
    runner.wait_for("drained service=gone", 1);
    let alive = first.iter().filter(|process| is_alive(**process)).count();
    assert_eq!(alive, 1, "the kept one has its process still");

    let changed = idle_service("kept", r#", "environment": {"A": "b"}"#);
    runner.rewrite(&[changed, idle_service("new", "")]);
    runner.wait_for("drained service=kept", 1);
    runner.wait_for("ready service=kept", 2);

    runner.rewrite(&["nonsense".to_owned()]);
    runner.wait_for("everything goes on as before", 1);
    assert!(is_alive(runner.process(4)));
}

#[test]
fn environment_and_working_directory_are_the_services_own() {
    let more = r#", "environment": {"GREETING": "hello"}, "working-directory": "/usr""#;
    let runner = Runner::start(&[shell("a", "echo $GREETING from $PWD; sleep 1000", more)]);
    runner.wait_for("a: hello from /usr", 1);
}

#[test]
fn a_program_that_is_missing_is_named() {
    let service = shell("a", "", "").replace("\"sh\"", "\"/no/such/program\"");
    let runner = Runner::start(&[service]);
    let lines = runner.wait_for("cannot start", 2);
    assert!(
        lines[0].contains("/no/such/program: No such file"),
        "{lines:?}"
    );
}

#[test]
fn a_bad_file_ends_it_with_78_and_wrong_usage_with_64() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.json");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_hook-runner"))
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let path = file.to_str().unwrap();
    let (code, text) = run(&["run", path]);
    assert_eq!(code, 78, "{text}");
    assert!(text.contains("run.json: No such file"), "{text}");
    fs::write(&file, "{\n\"services\": 1}").unwrap();
    let (code, text) = run(&["run", path]);
    assert_eq!(code, 78, "{text}");
    assert!(text.contains("run.json:2.13: invalid type"), "{text}");
    assert_eq!(run(&[]).0, 64);
    assert_eq!(run(&["walk", path]).0, 64);
    assert_eq!(run(&["--help"]).0, 0);
}

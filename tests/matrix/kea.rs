//! Kea as installed, with a hook library that behaves as it is told.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use outrigger_lab::{Family, Host, PATIENCE, Process, poll};
use serde_json::{Value, json};

use crate::behaviour::Behaviour;
use crate::script::Script;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kea-hook/scripted.cc");
/// Of which the tables say where it differs.
const VERSION: &str = "2.2.";
/// Kea's own library for the commands that look into the lease store.
const LEASE_COMMANDS: &str = "kea/hooks/libdhcp_lease_cmds.so";
const NEEDS: &str = "`make needs` installs what the tests need";

/// The files through which the library is told what to do.
pub(crate) struct KeaScript {
    dir: PathBuf,
    /// What ends parking.
    end: Mutex<&'static str>,
}

impl KeaScript {
    pub(crate) fn new(dir: &Path) -> Self {
        let script = Self {
            dir: dir.to_owned(),
            end: Mutex::new("CONTINUE"),
        };
        script.rest();
        script
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Replaced as a whole, so that no callout reads half of it.
    fn write(&self, line: &str) {
        let new = self.path("script.new");
        fs::write(&new, line).unwrap();
        fs::write(self.path("calls"), "").unwrap();
        fs::rename(new, self.path("script")).unwrap();
    }

    /// The entry of `hooks-libraries`.
    fn library(&self) -> Value {
        json!({
            "library": built(),
            "parameters": {
                "script": self.path("script"),
                "calls": self.path("calls"),
                "release": self.path("release"),
            },
        })
    }

    /// Has the library keep the subnet of the next packet as the one that it selects for others.
    pub(crate) fn remember(&self, point: &str, ask: impl Fn()) {
        self.write(&format!("{point} remember\n"));
        ask();
        let reached = poll(PATIENCE, || (self.calls(point) > 0).then_some(()));
        assert!(reached.is_some(), "Kea did not call {point}");
        self.rest();
    }
}

impl Script for KeaScript {
    fn play(&self, point: &str, behaviour: Behaviour) {
        *self.end.lock().unwrap() = match behaviour {
            Behaviour::ParkDrop => "DROP",
            _ => "CONTINUE",
        };
        let step = behaviour.name();
        let step = step.split(' ').next().unwrap_or(step);
        self.write(&format!("{point} {step}\n"));
    }

    fn rest(&self) {
        self.write("- -\n");
    }

    fn calls(&self, point: &str) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap();
        calls.lines().filter(|line| *line == point).count()
    }

    fn parked(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap();
        calls.lines().filter(|line| *line == "PARK").count()
    }

    fn finish(&self) {
        let mut fifo = fs::OpenOptions::new()
            .write(true)
            .open(self.path("release"))
            .unwrap();
        writeln!(fifo, "{}", *self.end.lock().unwrap()).unwrap();
    }
}

/// Starts Kea and waits until it is ready.
pub(crate) fn start(
    host: &Host,
    family: Family,
    mut server: Value,
    script: Option<&KeaScript>,
) -> Process {
    let mut libraries = vec![json!({ "library": lease_commands() })];
    libraries.extend(script.map(KeaScript::library));
    crate::config::put(
        &mut server,
        json!({
            "hooks-libraries": libraries,
            // A callout ends parking on a thread of its own.
            "multi-threading": { "enable-multi-threading": true, "thread-pool-size": 1 },
            "loggers": [ {
                "name": "*", "severity": "INFO", "output_options": [ { "output": "stdout" } ],
            } ],
        }),
    );
    let config = host.dir().join("kea.json");
    fs::write(&config, crate::config::document(family, server).to_string()).unwrap();
    let digit = family.digit();
    let program = format!("/usr/sbin/kea-dhcp{digit}");
    check_version(&program);
    let mut command = Command::new(program);
    command
        .arg("-c")
        .arg(&config)
        .env("KEA_PIDFILE_DIR", host.dir())
        .env("KEA_LOCKFILE_DIR", "none");
    let process = host.start(command);
    process.wait_for_line(&format!("DHCP{digit}_STARTED"), PATIENCE);
    process
}

/// Other versions differ in other places.
fn check_version(program: &str) {
    let output = Command::new(program).arg("-v").output();
    let output = output.unwrap_or_else(|error| panic!("cannot start {program}: {error}; {NEEDS}"));
    let version = String::from_utf8_lossy(&output.stdout);
    assert!(
        version.starts_with(VERSION),
        "{program} is version {version}; the tables speak of {VERSION}x"
    );
}

/// In the folder that Debian names after the machine.
fn lease_commands() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("every system has /usr/lib");
    let mut paths = folders
        .flatten()
        .map(|folder| folder.path().join(LEASE_COMMANDS));
    paths
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {LEASE_COMMANDS} below /usr/lib; {NEEDS}"))
}

/// The library, built once.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scripted.so");
        let output = Command::new("g++")
            .args(["-std=c++17", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra"])
            .args(["-isystem", "/usr/include/kea", "-o"])
            .arg(&library)
            .arg(SOURCE)
            .output()
            .unwrap_or_else(|error| panic!("cannot start g++: {error}; {NEEDS}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{SOURCE} does not compile; {NEEDS}\n{errors}"
        );
        library
    })
}

use outrigger_store::battery::Sample;
use outrigger_store::testing::ForgetfulFiles;
use outrigger_store::testing::forgetful::ENVIRONMENT;
use outrigger_store::{Change, Store, StoreOptions};
use outrigger_wire::V4;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where the process to be killed keeps its leases; unset in the process that kills.
const LEASES: &str = "OUTRIGGER_TEST_LEASES";
const KILLS: u32 = 40;

#[test]
fn acknowledged_leases_survive_kill() {
    if let Some(leases) = std::env::var_os(LEASES) {
        return keep_leases(Path::new(&leases));
    }
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let leases = directory.path().join("leases");
    let durable = directory.path().join("durable");
    let mut acknowledged = 0;
    for round in 1..=KILLS {
        let mut child = start(&leases, &durable);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let kept = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("kept ")?.parse::<u32>().ok());
        acknowledged = kept
            .take((round * 17 % 60 + 1) as usize)
            .last()
            .unwrap_or(acknowledged);
        child.kill().unwrap();
        child.wait().unwrap();
        let files = ForgetfulFiles::new(&leases, &durable.join("leases")).unwrap();
        let (store, _) = Store::<V4>::open(&leases, small(), files.layer()).unwrap();
        let guard = store.lock();
        assert!(
            (0..=acknowledged).all(|n| guard.get(&V4::lease(n).resource).is_some()),
            "up to {acknowledged}"
        );
    }
    assert!(acknowledged >= KILLS, "{acknowledged}");
}

/// Segments and snapshots come and go all the time.
fn small() -> StoreOptions {
    StoreOptions {
        segment_bytes: 1500,
        max_segments: 2,
        ..StoreOptions::default()
    }
}

fn start(leases: &Path, durable: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "kill::acknowledged_leases_survive_kill",
        "--exact",
        "--nocapture",
    ]);
    command.env(LEASES, leases).env(ENVIRONMENT, durable);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Leases one address after the other and says so once each is durable, until it is killed.
fn keep_leases(leases: &Path) {
    let files = ForgetfulFiles::from_env(leases).unwrap().unwrap();
    let (store, report) = Store::<V4>::open(leases, small(), files.layer()).unwrap();
    let mut out = std::io::stdout();
    writeln!(out).unwrap();
    let first = u32::try_from(report.leases).unwrap();
    for n in first..first + 100_000 {
        let ticket = store.lock().apply(&[Change::Put(V4::lease(n))]).unwrap();
        store.wait(ticket).unwrap();
        if writeln!(out, "kept {n}").is_err() {
            return;
        }
    }
}

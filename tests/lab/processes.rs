use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use outrigger_lab::{Lab, PATIENCE};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn output_of_both_streams_is_seen_in_memory_and_in_the_log() {
    let lab = Lab::direct();
    let finished = lab.client().run(shell("echo one; echo two >&2; exit 3"));
    assert_eq!(finished.status.code(), Some(3));
    assert_eq!(finished.text, "one\ntwo");
    let log = std::fs::read_to_string(lab.dir().join("cli0-0-sh.log")).unwrap();
    assert_eq!(log, "one\ntwo\n");
}

#[test]
fn process_obeys_signals_and_reports_how_it_ended() {
    let lab = Lab::direct();
    let script = "trap 'echo asked; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let process = lab.client().start(shell(script));
    assert_eq!(process.wait_for_line("ready", PATIENCE), "ready");
    process.signal(Signal::SIGSTOP);
    process.signal(Signal::SIGTERM);
    assert!(process.wait(Duration::from_millis(200)).is_none());
    process.signal(Signal::SIGCONT);
    assert_eq!(process.wait(PATIENCE).unwrap().code(), Some(7));
    assert_eq!(process.count_lines("asked"), 1);
    process.signal(Signal::SIGKILL);
    assert!(!process.is_running());
}

//! A service that dies, hangs or lies costs other clients next to nothing, and the server nothing.
//!
//! Each scenario serves the same load twice, without and with the fault, `on-failure` being `continue`.

use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use outrigger_lab::{Family, Language, PATIENCE, poll};
use serde_json::json;

use crate::failure_stage::{LOAD_CLIENTS, SILENCE, Stage, alone, in_every_language, start_load};

/// Callouts of a DISCOVER or SOLICIT that is answered.
const CALLS: u64 = 3;
/// When, after the beginning of the load, the fault comes.
const SOON: Duration = Duration::from_millis(300);

/// Serves the load healthy, then with the fault, then healed again.
#[track_caller]
fn others_are_served(
    language: Language,
    family: Family,
    arguments: &[&str],
    causes: &[&str],
    inject: impl FnOnce(&mut Stage),
    heal: impl FnOnce(&mut Stage),
) {
    let _alone = alone();
    let mut stage = Stage::of(
        language,
        family,
        json!({ "on-failure": "continue" }),
        arguments,
    );
    let control = start_load(&stage.twin, 0).finish();
    assert_eq!(control.count("lost"), 0, "{}", control.text());
    // A busy machine may miss a deadline now and then.
    let missed = stage.counters().failed_calls();
    assert!(
        missed * 20 <= control.count("completed") * CALLS,
        "{missed} calls failed without a fault: {}",
        control.text()
    );

    let loading = start_load(&stage.twin, LOAD_CLIENTS);
    sleep(SOON);
    inject(&mut stage);
    let fault = loading.finish();
    assert_eq!(fault.count("lost"), 0, "{}", fault.text());
    assert_eq!(fault.count("server_errors"), 0, "{}", fault.text());
    let (served, usual) = (fault.count("completed"), control.count("completed"));
    assert!(
        served * 2 >= usual,
        "{served} exchanges, {usual} without the fault"
    );

    // Each call that fails is counted once, and the answer is as if nobody had been called.
    let failed = stage.failures_during(|| {
        let answer = stage.twin.ask(&mut stage.twin.client(1), PATIENCE).unwrap();
        assert!(!answer.marked);
    });
    assert_eq!(failed, CALLS);
    let counters = stage.counters();
    for cause in causes {
        assert!(counters.failed_for(cause) > 0, "{cause}: {counters:?}");
    }

    heal(&mut stage);
    stage.wait_for_marks();
    let without_failure = || {
        let mut marked = false;
        let failed = stage.failures_during(|| {
            let answer = stage.twin.ask(&mut stage.twin.client(2), SILENCE);
            marked = answer.is_some_and(|answer| answer.marked);
        });
        (marked && failed == 0).then_some(())
    };
    assert!(
        poll(PATIENCE, without_failure).is_some(),
        "calls still fail: {}",
        stage.server.process.text()
    );
}

/// One test for each family.
macro_rules! of_both_families {
    ($($name:ident => $scenario:expr;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn v4() {
                ($scenario)(Family::V4);
            }

            #[test]
            fn v6() {
                ($scenario)(Family::V6);
            }
        }
    )+};
}

fn restart(stage: &mut Stage) {
    stage.replace_service(&[]);
}

in_every_language! {
    a_killed_service_slows_nobody => |language, family| {
        others_are_served(language, family, &[], &["unavailable"], |stage| stage.kill_service(), restart);
    };
    a_stopped_service_slows_nobody_and_answers_when_it_goes_on => |language, family| {
        let stop = |stage: &mut Stage| stage.service.signal(Signal::SIGSTOP);
        let go_on = |stage: &mut Stage| {
            stage.service.signal(Signal::SIGCONT);
            stage.wait_for_marks();
            assert!(stage.counters().late_replies() > 0);
        };
        others_are_served(language, family, &[], &["deadline", "unavailable"], stop, go_on);
    };
    a_service_that_stops_in_order_slows_nobody => |language, family| {
        let stop = |stage: &mut Stage| {
            assert!(stage.service.terminate(PATIENCE).success());
        };
        others_are_served(language, family, &[], &["unavailable"], stop, restart);
    };
}

of_both_families! {
    a_service_that_sends_garbage_slows_nobody => |family| {
        let garbage = |stage: &mut Stage| {
            stage.service.signal(Signal::SIGUSR1);
            stage.service.wait_for_line("NOISE", PATIENCE);
        };
        others_are_served(Language::Rust, family, &["--noisy"], &["unavailable"], garbage, restart);
    };
    a_service_that_is_always_late_slows_nobody => |family| {
        let late = |stage: &mut Stage| stage.replace_service(&["--fault", "late"]);
        others_are_served(Language::Rust, family, &[], &["deadline"], late, restart);
    };
    a_service_that_breaks_the_protocol_slows_nobody => |family| {
        let malformed = |stage: &mut Stage| stage.replace_service(&["--fault", "malformed"]);
        others_are_served(Language::Rust, family, &[], &["malformed_reply"], malformed, restart);
    };
}

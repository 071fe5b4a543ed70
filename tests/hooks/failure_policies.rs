//! What a failed call does is what the configuration says, whatever the cause.

use nix::sys::signal::Signal;
use outrigger_lab::{Counters, Family, PATIENCE, Process, Subject, TestService, Twin};
use serde_json::{Value, json};

use crate::failure_stage::{SILENCE, Stage, config};

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// One client's call is under way when the service dies: the policy decides about this client alone.
#[track_caller]
fn killed_during_a_call(family: Family, on_failure: &str, action: &str) -> Option<bool> {
    let twin = Twin::new(family);
    let mut victim = twin.client(1);
    let select = twin.hook_point("subnet_select");
    let address = TestService::new(twin.lab().server(), "test-service.sock");
    let only = victim.hw_address();
    let service = address.start(&["--fault", "hang", "--at", &select, "--only", &only]);
    let further = json!({ "deadline": 3000, "on-failure": on_failure });
    let server = Subject::start(twin.lab().server(), &config(&twin, &address, further));
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| twin.ask(&mut victim, SILENCE * 2));
        service.wait_for_line("HANGING", PATIENCE);
        service.signal(Signal::SIGKILL);
        asking.join().unwrap()
    });
    let counters = server.counters();
    assert_eq!(
        counters.failed_at(&select, "session_lost", action),
        1,
        "{counters:?}"
    );
    answer.map(|answer| answer.marked)
}

#[test]
fn a_call_under_way_when_its_service_is_killed_is_dropped_where_the_policy_says_drop() {
    for family in FAMILIES {
        assert_eq!(killed_during_a_call(family, "drop", "Drop"), None);
    }
}

#[test]
fn a_call_under_way_when_its_service_is_killed_goes_on_where_the_policy_says_continue() {
    for family in FAMILIES {
        assert_eq!(
            killed_during_a_call(family, "continue", "Continue"),
            Some(false)
        );
    }
}

#[test]
fn a_service_that_dies_of_a_call_is_passed_over_and_called_again_when_it_is_back() {
    for family in FAMILIES {
        let mut stage = Stage::new(family, json!({ "on-failure": "continue" }), &[]);
        let select = stage.twin.hook_point("subnet_select");
        stage.replace_service_everywhere(&["--fault", "die", "--at", &select]);
        let answer = stage.twin.ask(&mut stage.twin.client(1), PATIENCE).unwrap();
        assert!(!answer.marked);
        let status = stage.service.wait(PATIENCE).unwrap();
        assert!(!status.success(), "{status}");
        stage.replace_service(&[]);
        stage.wait_for_marks();
        assert!(
            stage
                .counters()
                .failed_at(&select, "session_lost", "Continue")
                > 0
        );
    }
}

/// A packet is dropped for this cause, and counted once everywhere.
#[track_caller]
fn silent_while(stage: &Stage, cause: &str) {
    let before = stage.counters();
    let answer = stage.twin.ask(&mut stage.twin.client(1), SILENCE);
    assert_eq!(answer, None, "{cause}");
    let after = stage.counters();
    let grown = |count: fn(&Counters) -> u64| count(&after) - count(&before);
    assert_eq!(
        grown(|counters| counters.discards("hook-failure")),
        1,
        "{cause}: {after:?}"
    );
    // The first callout of the packet was the last.
    assert_eq!(grown(Counters::failed_calls), 1, "{cause}");
    let receive = stage.twin.hook_point("pkt_receive");
    let counted = after.failed_at(&receive, cause, "Drop");
    assert_eq!(
        counted,
        before.failed_at(&receive, cause, "Drop") + 1,
        "{after:?}"
    );
}

#[test]
fn with_drop_nobody_is_answered_until_the_service_is_back() {
    for family in FAMILIES {
        let mut stage = Stage::new(family, json!({ "on-failure": "drop" }), &[]);
        stage.service.signal(Signal::SIGSTOP);
        silent_while(&stage, "deadline");
        stage.service.signal(Signal::SIGCONT);
        stage.wait_for_marks();

        stage.kill_service();
        silent_while(&stage, "unavailable");
        for (fault, cause) in [
            ("error", "service_error"),
            ("forbidden", "refused_change"),
            ("late", "deadline"),
            ("malformed", "malformed_reply"),
        ] {
            stage.replace_service_everywhere(&["--fault", fault]);
            silent_while(&stage, cause);
        }
        stage.replace_service(&[]);
        stage.wait_for_marks();
    }
}

/// A server whose service is not there, or does not want to work.
#[track_caller]
fn without_service(family: Family, further: Value, refusing: bool) -> Absent {
    let twin = Twin::new(family);
    let address = TestService::new(twin.lab().server(), "test-service.sock");
    let service = refusing.then(|| address.start(&["--fault", "refuse"]));
    let mut points = json!({});
    for (point, settings) in further.as_object().unwrap() {
        points[twin.hook_point(point)] = settings.clone();
    }
    let further = json!({ "at-start": "serve", "hook-points": points });
    let config = config(&twin, &address, further);
    let server = Subject::start(twin.lab().server(), &config);
    let answer = twin.ask(&mut twin.client(1), SILENCE);
    Absent {
        counters: server.counters(),
        answer: answer.map(|answer| answer.marked),
        twin,
        _service: service,
    }
}

struct Absent {
    twin: Twin,
    counters: Counters,
    answer: Option<bool>,
    _service: Option<Process>,
}

#[test]
fn named_hook_points_follow_their_policy_before_the_service_was_ever_reached() {
    for (family, refusing) in FAMILIES.into_iter().flat_map(|f| [(f, false), (f, true)]) {
        let drop = json!({ "subnet_select": { "on-failure": "drop" } });
        let absent = without_service(family, drop, refusing);
        assert_eq!(absent.answer, None);
        let select = absent.twin.hook_point("subnet_select");
        assert_eq!(absent.counters.failed_at(&select, "not_loaded", "Drop"), 1);
        assert_eq!(absent.counters.discards("hook-failure"), 1);

        let go_on = json!({ "subnet_select": { "on-failure": "continue" } });
        let absent = without_service(family, go_on, refusing);
        assert_eq!(absent.answer, Some(false));
        assert_eq!(
            absent.counters.failed_at(&select, "not_loaded", "Continue"),
            1
        );
        assert_eq!(absent.counters.failed_calls(), 1);
    }
}

#[test]
fn a_server_that_must_not_start_without_a_service_ends_with_what_the_service_said() {
    for family in FAMILIES {
        let twin = Twin::new(family);
        let address = TestService::new(twin.lab().server(), "test-service.sock");
        let _service = address.start(&["--fault", "refuse"]);
        let config = config(&twin, &address, json!({ "at-start": "refuse" }));
        let server = Subject::launch(twin.lab().server(), &config);
        let status = server.process.wait(PATIENCE).unwrap();
        assert_eq!(status.code(), Some(78));
        let text = server.process.text();
        assert!(
            text.contains("hook service test-service is not ready"),
            "{text}"
        );
        assert!(
            text.contains("the licence of this service has run out"),
            "{text}"
        );
    }
}

//! Mistakes that authors of hooks make, in each language: the author reads what is wrong, the policy decides for the
//! client, and nobody else loses anything.

use outrigger_lab::{Family, Language, PATIENCE};
use serde_json::json;

use crate::failure_stage::{SILENCE, Stage};

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
/// The client whose callout goes wrong, and its hardware address.
const VICTIM: u8 = 0x4d;
const VICTIM_ADDRESS: &str = "02:00:00:00:77:4d";

/// A mistake in the callout of one client.
struct Mistake {
    language: Language,
    /// What the test service is told.
    fault: &'static str,
    /// The hook point, without the digit of the family.
    at: &'static str,
    further: &'static [&'static str],
    /// How the server counts the call: as one of these.
    causes: &'static [&'static str],
    /// What the author reads in the service's log.
    says: &'static [&'static str],
    /// The process ends of it, and nobody in the test starts it again.
    ends: bool,
}

/// A service may notice that the time is over just before the server does, and says so.
const LATE: &[&str] = &["deadline", "service_error"];

const PLAIN: Mistake = Mistake {
    language: Language::Python,
    fault: "",
    at: "subnet_select",
    further: &[],
    causes: &["service_error"],
    says: &[],
    ends: false,
};

#[track_caller]
fn costs_one_call(mistake: &Mistake) {
    for family in FAMILIES {
        let at = family.hook_point(mistake.at);
        let mut arguments = vec![
            "--fault",
            mistake.fault,
            "--at",
            &at,
            "--only",
            VICTIM_ADDRESS,
        ];
        arguments.extend(mistake.further);
        let further = json!({ "on-failure": "drop" });
        let mut stage = Stage::of(mistake.language, family, further, &arguments);

        let before = stage.counters();
        let answer = stage.twin.ask(&mut stage.twin.client(VICTIM), SILENCE);
        assert_eq!(answer, None, "{}", stage.service.text());
        let after = stage.counters();
        let failed = |cause: &str| {
            after.failed_at(&at, cause, "Drop") - before.failed_at(&at, cause, "Drop")
        };
        let failed: u64 = mistake.causes.iter().map(|cause| failed(cause)).sum();
        assert_eq!(failed, 1, "{after:?}");
        for words in mistake.says {
            stage.service.wait_for_line(words, PATIENCE);
        }
        if mistake.ends {
            assert!(!stage.service.wait(PATIENCE).unwrap().success());
            stage.service = stage.address.start(&[]);
        }
        stage.wait_for_marks();
    }
}

#[test]
fn an_exception_in_python_is_one_failed_call_with_a_traceback() {
    costs_one_call(&Mistake {
        fault: "exception",
        says: &["Traceback", "service.py", "KeyError: 'no such subscriber'"],
        ..PLAIN
    });
}

#[test]
fn sys_exit_in_python_is_one_failed_call() {
    costs_one_call(&Mistake {
        fault: "exit",
        says: &["SystemExit"],
        ..PLAIN
    });
}

#[test]
fn a_wrong_type_in_python_is_named_with_option_and_line() {
    costs_one_call(&Mistake {
        fault: "wrong-type",
        at: "pkt_receive",
        says: &["service.py", "OptionValueError"],
        ..PLAIN
    });
}

#[test]
fn a_value_of_ten_megabytes_in_python_is_one_failed_call() {
    costs_one_call(&Mistake {
        fault: "huge",
        at: "pkt_receive",
        says: &["10485795 bytes"],
        ..PLAIN
    });
}

#[test]
fn a_callout_in_python_that_never_awaits_to_an_end_misses_its_deadline_alone() {
    costs_one_call(&Mistake {
        fault: "hang",
        causes: LATE,
        ..PLAIN
    });
}

#[test]
fn an_endless_loop_in_python_costs_its_worker_which_is_started_again() {
    costs_one_call(&Mistake {
        fault: "loop",
        further: &["--workers", "2", "--stuck-after", "1"],
        causes: LATE,
        says: &["service.py", "in endless_loop"],
        ..PLAIN
    });
}

#[test]
fn an_endless_loop_in_python_ends_a_service_of_one_process() {
    costs_one_call(&Mistake {
        fault: "loop",
        further: &["--stuck-after", "1"],
        causes: LATE,
        says: &["service.py", "in endless_loop"],
        ends: true,
        ..PLAIN
    });
}

#[test]
fn a_worker_in_python_that_is_gone_is_started_again() {
    costs_one_call(&Mistake {
        fault: "die",
        further: &["--workers", "2"],
        causes: &["session_lost"],
        ..PLAIN
    });
}

const GO: Mistake = Mistake {
    language: Language::Go,
    ..PLAIN
};

#[test]
fn an_error_in_go_is_one_failed_call() {
    costs_one_call(&Mistake {
        fault: "error",
        says: &["no such subscriber"],
        ..GO
    });
}

#[test]
fn a_panic_in_go_is_one_failed_call_with_its_stack() {
    costs_one_call(&Mistake {
        fault: "panic",
        says: &["no such subscriber", "main.go"],
        ..GO
    });
}

#[test]
fn a_nil_pointer_in_go_is_one_failed_call_with_its_stack() {
    costs_one_call(&Mistake {
        fault: "nil",
        says: &["nil pointer dereference", "main.go"],
        ..GO
    });
}

#[test]
fn goexit_in_go_is_one_failed_call() {
    costs_one_call(&Mistake {
        fault: "goexit",
        says: &["Goexit"],
        ..GO
    });
}

#[test]
fn a_wrong_type_in_go_is_named_with_its_option() {
    costs_one_call(&Mistake {
        fault: "wrong-type",
        at: "pkt_receive",
        says: &["a netip.Addr is wanted"],
        ..GO
    });
}

#[test]
fn a_value_of_ten_megabytes_in_go_is_one_failed_call() {
    costs_one_call(&Mistake {
        fault: "huge",
        at: "pkt_receive",
        says: &["10485795 bytes"],
        ..GO
    });
}

#[test]
fn an_endless_loop_in_go_costs_its_own_call_and_is_reported() {
    costs_one_call(&Mistake {
        fault: "loop",
        further: &["--stuck-after", "1"],
        causes: LATE,
        says: &["endlessLoop"],
        ..GO
    });
}

#[test]
fn a_service_in_go_that_ends_itself_is_gone_until_it_is_started_again() {
    costs_one_call(&Mistake {
        fault: "exit",
        causes: &["session_lost"],
        ends: true,
        ..GO
    });
}

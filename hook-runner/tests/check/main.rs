//! `hook-runner check`: good services keep every rule, and for each rule there is a service that breaks it alone.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod wrong;

use outrigger_hook_sdk::Server;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;
use user_chk::counters::Counters;
use user_chk::outcome::Outcome;
use user_chk::registry::Registry;
use user_chk::service::UserChkService;
use wrong::Fault;

/// Exit code and what was printed.
async fn check(socket: &Path, more: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hook-runner"))
        .arg("check")
        .arg(format!("unix:{}", socket.display()))
        .args(more)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

fn named<'a>(text: &'a str, verdict: &str) -> Vec<&'a str> {
    text.lines()
        .filter(|line| line.starts_with(verdict))
        .map(|line| line[8..].split_whitespace().next().unwrap())
        .collect()
}

/// The check of a service with this fault fails with this rule, and with no other.
async fn breaks(fault: Fault, rule: &str) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let service = tokio::spawn(wrong::serve(fault, socket.clone()));
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    // A process that does not belong to the service: it never hears of the signal.
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    let pid = bystander.id().unwrap().to_string();
    let mut more = vec!["--patience-ms", "1500"];
    if fault == Fault::Deaf {
        more.extend(["--drain-pid", &pid]);
    }
    let (code, text) = check(&socket, &more).await;
    bystander.kill().await.unwrap();
    service.abort();
    assert_eq!(named(&text, "FAILED"), [rule], "{text}");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("why: "), "{text}");
}

macro_rules! wrong_services {
    ($($name:ident: $fault:ident breaks $rule:literal;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                breaks(Fault::$fault, $rule).await;
            }
        )+

        #[tokio::test]
        async fn every_rule_has_a_service_that_breaks_it() {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("s");
            let service = tokio::spawn(wrong::serve(Fault::None, socket.clone()));
            while !socket.exists() {
                tokio::task::yield_now().await;
            }
            let (code, text) = check(&socket, &[]).await;
            service.abort();
            assert_eq!(code, 0, "{text}");
            let mut rules = named(&text, "ok");
            rules.extend(named(&text, "skipped"));
            let mut broken = vec![$($rule),+];
            rules.sort_unstable();
            broken.sort_unstable();
            broken.dedup();
            assert_eq!(rules, broken);
        }
    };
}

wrong_services! {
    a_service_that_answers_load_with_a_status: NoLoad breaks "load";
    a_service_without_a_name: NoName breaks "load-identity";
    a_service_that_speaks_every_version: AnyVersion breaks "load-versions";
    a_service_that_dies_of_its_parameters: ParameterStatus breaks "load-parameters";
    a_service_that_reads_what_there_is_not: UnknownPath breaks "subscriptions";
    a_service_with_one_configuration: OneConfiguration breaks "reload";
    a_service_that_is_never_ready: NotServing breaks "health";
    a_service_without_reflection: NoReflection breaks "reflection";
    a_service_whose_headers_wait_for_a_message: LateHeaders breaks "initial-metadata";
    a_service_that_does_not_greet: NoWelcome breaks "welcome";
    a_service_that_answers_twice: Twice breaks "ids";
    a_service_that_forgets_a_call: Forgets breaks "ids";
    a_service_that_mixes_its_sessions_up: MixesSessions breaks "two-sessions";
    a_service_that_answers_single_calls_otherwise: OtherUnary breaks "unary";
    a_service_that_replies_nothing: NoOutcome breaks "results";
    a_service_that_changes_what_it_did_not_declare: Undeclared breaks "changes";
    a_service_that_keeps_too_much: BigContext breaks "context";
    a_service_that_dies_of_a_big_packet: SmallPackets breaks "packets";
    a_service_that_dies_of_a_late_call: NoPatience breaks "deadline";
    a_service_that_dies_of_an_unknown_hook_point: KnownPointsOnly breaks "unknown-hook-point";
    a_service_that_makes_arguments_up: MakesArgumentsUp breaks "missing-arguments";
    a_service_that_dies_of_an_unknown_message: KnownMessagesOnly breaks "unknown-fields";
    a_service_that_stays_after_bye: StaysAfterBye breaks "bye";
    a_service_that_dies_of_garbage: GarbageEndsAll breaks "garbage";
    a_service_that_dies_with_its_server: OneServerOnly breaks "reconnect";
    a_service_that_does_not_drain: Deaf breaks "drain";
    a_service_whose_failure_says_nothing: SilentFailure breaks "results";
    a_service_that_edits_no_option: MalformedEdit breaks "changes";
    a_service_that_does_not_answer_its_command: NoAnswer breaks "commands";
    a_service_whose_answer_has_no_result: AnswerWithoutResult breaks "commands";
    a_service_that_answers_commands_of_others: AnyCommand breaks "commands";
    a_service_whose_command_has_a_wrong_name: CommandName breaks "commands";
    a_service_that_holds_a_packet_for_ever: NeverUnparks breaks "park";
    a_service_that_answers_twice_after_park: UnparksTwice breaks "park";
    a_service_that_answers_late_after_park: UnparksLate breaks "park";
    a_service_that_parks_once_more: ParksTwice breaks "park";
    a_service_that_parks_what_cannot_be_held: ParksUnasked breaks "park";
    a_service_that_parks_over_call: ParksOverCall breaks "park";
    a_service_whose_final_reply_changes_too_much: UndeclaredAfterPark breaks "park";
    a_service_that_keeps_too_much_over_park: BigParkedContext breaks "park-context";
}

#[tokio::test]
async fn a_service_without_sessions_is_checked_call_by_call() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let service = tokio::spawn(wrong::serve(Fault::NoSessions, socket.clone()));
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    let (code, text) = check(&socket, &[]).await;
    service.abort();
    assert_eq!(code, 0, "{text}");
    let skipped = named(&text, "skipped");
    assert!(
        skipped.contains(&"ids") && skipped.contains(&"bye"),
        "{text}"
    );
    let kept = named(&text, "ok");
    for rule in ["changes", "packets", "unknown-hook-point", "unknown-fields"] {
        assert!(kept.contains(&rule), "{rule}: {text}");
    }
}

#[tokio::test]
async fn user_chk_keeps_every_rule_in_both_families() {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry.txt");
    let users = concat!(
        r#"{"type":"HW_ADDR","id":"02:00:00:00:0c:01","bootfile":"/gold","tftp_server":"tftp"}"#,
        "\n",
        r#"{"type":"DUID","id":"00030001020000000c01","bootfile":"/gold"}"#,
    );
    std::fs::write(&registry, users).unwrap();
    let counters = Arc::new(Counters::default());
    let outcome = folder.path().join("outcome.txt");
    let outcome = Outcome::open(&outcome, Arc::clone(&counters)).unwrap();
    let registry = Arc::new(Registry::new(registry, Arc::clone(&counters)));
    registry.refresh();
    let service = UserChkService {
        registry,
        outcome: Arc::new(outcome),
        counters,
    };
    let socket = folder.path().join("s");
    let endpoint = format!("unix:{}", socket.display()).parse().unwrap();
    let bound = Server::new(service).bind(&endpoint).await.unwrap();
    let serving = tokio::spawn(bound.run(std::future::pending()));
    for family in ["4", "6"] {
        let parameters = r#"{"restricted-subnet-id": 2}"#;
        let more = ["--family", family, "--parameters", parameters];
        let (code, text) = check(&socket, &more).await;
        assert_eq!(code, 0, "{text}");
        let skipped = named(&text, "skipped");
        assert_eq!(skipped, ["commands", "park-context", "drain"], "{text}");
    }
    let wrong_subnet = ["--parameters", r#"{"restricted-subnet-id": 9}"#];
    let (code, text) = check(&socket, &wrong_subnet).await;
    assert_eq!(code, 1);
    assert!(
        text.contains("it refuses: parameters: restricted-subnet-id is 9"),
        "{text}"
    );
    let more = [
        "--subnets",
        "9=203.0.113.0/24",
        wrong_subnet[0],
        wrong_subnet[1],
    ];
    assert_eq!(check(&socket, &more).await.0, 0);
    serving.abort();
}

#[tokio::test]
async fn a_service_of_the_sdk_drains_as_it_should() {
    let test = std::env::current_exe().unwrap();
    let idle = test.parent().and_then(Path::parent).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let mut idle = Command::new(idle.join("examples/idle"))
        .arg(format!("unix:{}", socket.display()))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("Cargo builds examples before tests: run all tests of the package");
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    let pid = idle.id().unwrap().to_string();
    let (code, text) = check(&socket, &["--drain-pid", &pid]).await;
    assert_eq!(code, 0, "{text}");
    assert!(named(&text, "ok").contains(&"drain"), "{text}");
    assert!(idle.wait().await.unwrap().success());
}

#[tokio::test]
async fn nobody_there_is_a_failure_that_says_so() {
    let (code, text) = check(Path::new("/nonexistent/s"), &[]).await;
    assert_eq!(code, 1);
    assert_eq!(named(&text, "FAILED"), ["load"], "{text}");
    assert!(text.contains("nobody answers there"), "{text}");
}

//! Events of the server's life, control commands, and what services keep over them.

use crate::host::{Host, Sockets, named, service};
use crate::service::{Answer, Script, Service, goes_on, result};
use outrigger_hooks::callouts::server::{Cb4Updated, CommandProcessed, Dhcp4SrvConfigured};
use outrigger_hooks::callouts::v4::Lease4Expire;
use outrigger_hooks::{Cause, DropReason, Step};
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::Owner4;
use outrigger_wire::{HwAddress, V4};
use std::time::Duration;
use v1::arguments::Point;
use v1::callout_reply::Outcome;

const COMMAND: &str = r#"{"command": "class-list", "arguments": {"a": 1}}"#;

fn changes(change: impl FnOnce(&mut v1::Changes)) -> Answer {
    let mut changes = v1::Changes::default();
    change(&mut changes);
    result(v1::CalloutResult {
        changes: Some(changes),
        ..Default::default()
    })
}

fn answers(json: &str) -> Answer {
    changes(|changes| changes.command_response = Some(json.to_owned()))
}

/// Offers commands and subscribes to nothing.
fn offers(
    commands: &'static [&'static str],
    callout: impl Fn(&v1::CalloutRequest) -> Answer + Send + Sync + 'static,
) -> Script {
    Script::new(&[], callout).with_loaded(|loaded| {
        loaded.commands = commands.iter().map(|name| (*name).to_owned()).collect();
    })
}

async fn host(sockets: &Sockets, scripts: Vec<Script>) -> (Host, Vec<Service>) {
    let names = ["a", "b"].into_iter().zip(scripts);
    let running: Vec<_> = names
        .map(|(name, script)| (name, Service::start(&sockets.path(name), script)))
        .collect();
    let settings: Vec<_> = running
        .iter()
        .map(|(name, _)| service(name, &sockets.path(name)))
        .collect();
    let host = Host::ready(&settings).await;
    (
        host,
        running.into_iter().map(|(_, service)| service).collect(),
    )
}

fn arguments(call: &v1::CalloutRequest) -> Point {
    call.arguments.clone().unwrap().point.unwrap()
}

#[tokio::test]
async fn commands_go_to_the_services_that_offer_them_one_after_the_other() {
    let sockets = Sockets::new();
    let first = offers(&["class-list", "a-only"], |_| {
        answers(r#"{"result": 0, "text": "a"}"#)
    });
    let second = offers(&["class-list"], |_| {
        answers(r#"{"result": 1, "text": "b"}"#)
    });
    let (host, running) = host(&sockets, vec![first, second]).await;
    assert_eq!(host.shard.commands(), ["a-only", "class-list"]);
    let mut hooks = host.shard.for_lifecycle();
    let answer = hooks.command("class-list", COMMAND).await;
    assert_eq!(answer.as_deref(), Some(r#"{"result": 1, "text": "b"}"#));
    let Point::Command(seen) = arguments(&running[1].calls()[0]) else {
        panic!("another hook point");
    };
    assert_eq!(seen.command, COMMAND);
    assert_eq!(seen.response, r#"{"result": 0, "text": "a"}"#);
    assert!(hooks.command("a-only", "{}").await.is_some());
    assert_eq!(
        running[1].calls().len(),
        1,
        "it does not offer the other one"
    );
    assert_eq!(hooks.command("class-add", "{}").await, None);
}

#[tokio::test]
async fn next_steps_of_commands_have_no_effect_and_silence_leaves_the_answer_before() {
    let sockets = Sockets::new();
    let first = offers(&["c"], |_| answers(r#"{"result": 0}"#));
    let second = offers(&["c"], |_| {
        result(v1::CalloutResult {
            next_step: Some(NextStep::Drop as i32),
            ..Default::default()
        })
    });
    let (host, _running) = host(&sockets, vec![first, second]).await;
    let answer = host.shard.for_lifecycle().command("c", "{}").await;
    assert_eq!(answer.as_deref(), Some(r#"{"result": 0}"#));
}

#[tokio::test]
async fn a_command_without_a_valid_answer_is_answered_with_an_error() {
    type Case = (fn() -> Answer, Option<Cause>);
    let cases: [Case; 6] = [
        (goes_on, None),
        (|| answers("[]"), Some(Cause::MalformedReply)),
        (|| answers("{}"), Some(Cause::MalformedReply)),
        (
            || answers(r#"{"result": "0"}"#),
            Some(Cause::MalformedReply),
        ),
        (|| answers(r#"{"result": 0"#), Some(Cause::MalformedReply)),
        (
            || Answer::Now(Outcome::Failure(v1::CalloutFailure::default())),
            Some(Cause::ServiceError),
        ),
    ];
    for (answer, cause) in cases {
        let sockets = Sockets::new();
        let (host, _running) = host(&sockets, vec![offers(&["c"], move |_| answer())]).await;
        let answer = host.shard.for_lifecycle().command("c", "{}").await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["result"], 1);
        assert!(answer["text"].as_str().unwrap().contains("command c"));
        if let Some(cause) = cause {
            assert_eq!(host.counters().failed(cause), 1);
        }
    }
}

#[tokio::test]
async fn a_configuration_is_refused_with_the_text_of_the_service() {
    let sockets = Sockets::new();
    let refuses = Script::new(&[HookPoint::Dhcp4SrvConfigured], |_| {
        result(v1::CalloutResult {
            next_step: Some(NextStep::Drop as i32),
            changes: Some(v1::Changes {
                error: Some("no registry".to_owned()),
                ..Default::default()
            }),
            ..Default::default()
        })
    });
    let (host, running) = host(&sockets, vec![refuses]).await;
    let mut error = String::new();
    let callout = Dhcp4SrvConfigured {
        configuration: r#"{"subnet4": []}"#,
        error: &mut error,
    };
    let refused = host.shard.for_lifecycle().call(callout).await.unwrap_err();
    let service = "a".into();
    assert_eq!(refused.reason, DropReason::Decision { service });
    assert_eq!(error, "no registry");
    let Point::Dhcp4SrvConfigured(seen) = arguments(&running[0].calls()[0]) else {
        panic!("another hook point");
    };
    assert_eq!(seen.configuration, r#"{"subnet4": []}"#);
}

#[tokio::test]
async fn changes_of_the_configuration_and_commands_are_told() {
    let sockets = Sockets::new();
    let points = [HookPoint::Cb4Updated, HookPoint::CommandProcessed];
    let script = Script::new(&points, |call| match arguments(call) {
        Point::CommandProcessed(_) => answers(r#"{"result": 2}"#),
        _ => goes_on(),
    });
    let (host, running) = host(&sockets, vec![script]).await;
    let entry = v1::AuditEntry {
        object_type: "server".to_owned(),
        time: 7,
        ..Default::default()
    };
    let mut hooks = host.shard.for_lifecycle();
    let updated = Cb4Updated {
        audit_entries: std::slice::from_ref(&entry),
    };
    assert_eq!(hooks.call(updated).await, Ok(Step::Run));
    let mut response = r#"{"result": 0}"#.to_owned();
    let processed = CommandProcessed {
        name: "config-get",
        arguments: "",
        response: &mut response,
    };
    assert_eq!(hooks.call(processed).await, Ok(Step::Run));
    assert_eq!(response, r#"{"result": 2}"#);
    let calls = running[0].calls();
    let Point::Cb4Updated(updated) = arguments(&calls[0]) else {
        panic!("another hook point");
    };
    assert_eq!(updated.audit_entries, [entry]);
    let Point::CommandProcessed(processed) = arguments(&calls[1]) else {
        panic!("another hook point");
    };
    assert_eq!(
        (processed.name.as_str(), processed.response.as_str()),
        ("config-get", r#"{"result": 0}"#)
    );
}

#[tokio::test]
async fn events_of_the_servers_life_have_more_time_than_packets() {
    let point = HookPoint::Cb4Updated;
    for (own_deadline, expected) in [(None, 0), (Some(Duration::from_millis(40)), 1)] {
        let sockets = Sockets::new();
        let slow = Script::new(&[point], |_| {
            let continues = Outcome::Result(v1::CalloutResult::default());
            Answer::After(Duration::from_millis(400), continues)
        });
        let _running = Service::start(&sockets.path("s"), slow);
        let mut settings = service("s", &sockets.path("s"));
        settings.deadline = Duration::from_millis(40);
        settings.hook_points = vec![named(point, None)];
        settings.hook_points[0].deadline = own_deadline;
        let host = Host::with_budget(&[settings], Duration::from_millis(40));
        host.hooks.ready().await.unwrap();
        let updated = Cb4Updated { audit_entries: &[] };
        assert_eq!(
            host.shard.for_lifecycle().call(updated).await,
            Ok(Step::Run)
        );
        assert_eq!(host.counters().failed(Cause::Deadline), expected);
    }
}

/// Keeps its hook point, as context; tells what it was given.
fn keeps(points: &[HookPoint]) -> Script {
    Script::new(points, |call| {
        let context = format!("{} after {}", call.hook_point, call.context.len());
        result(v1::CalloutResult {
            context: Some(context.into_bytes().into()),
            ..Default::default()
        })
    })
}

#[tokio::test]
async fn a_command_and_its_report_have_contexts_of_their_own() {
    let sockets = Sockets::new();
    let script = keeps(&[HookPoint::CommandProcessed]).with_loaded(|loaded| {
        loaded.commands = vec!["c".to_owned()];
    });
    let (host, running) = host(&sockets, vec![script]).await;
    for _ in 0..2 {
        let _answer = host.shard.for_lifecycle().command("c", "{}").await;
        let processed = CommandProcessed {
            name: "c",
            arguments: "",
            response: &mut String::new(),
        };
        assert!(host.shard.for_lifecycle().call(processed).await.is_ok());
    }
    let calls = running[0].calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.context.is_empty()));
}

fn expired() -> Lease<V4> {
    Lease {
        resource: "192.0.2.10".parse().unwrap(),
        owner: Owner4 {
            hw_address: HwAddress::new(1, &[7; 6]).unwrap(),
            client_id: None,
        },
        subnet_id: 1,
        pool_id: 0,
        state: LeaseState::Default,
        cltt: 0,
        valid_lifetime: 1,
        preferred_lifetime: 0,
        hostname: "".into(),
        fqdn_fwd: false,
        fqdn_rev: false,
        hw_address: HwAddress::EMPTY,
        user_context: "".into(),
    }
}

#[tokio::test]
async fn one_pass_over_expired_leases_has_one_context_and_time_for_each() {
    let sockets = Sockets::new();
    let slow = Script::new(&[HookPoint::Lease4Expire], |call| {
        let kept = v1::CalloutResult {
            context: Some(vec![0; call.context.len() + 1].into()),
            ..Default::default()
        };
        Answer::After(Duration::from_millis(150), Outcome::Result(kept))
    });
    let running = Service::start(&sockets.path("s"), slow);
    let host = Host::with_budget(
        &[service("s", &sockets.path("s"))],
        Duration::from_millis(400),
    );
    host.hooks.ready().await.unwrap();
    let mut pass = host.shard.for_packet();
    for _ in 0..4 {
        pass.next_lease();
        let mut lease = expired();
        let callout = Lease4Expire {
            lease: &mut lease,
            remove_lease: false,
        };
        assert_eq!(pass.call(callout).await, Ok(Step::Run));
    }
    let seen: Vec<_> = running
        .calls()
        .iter()
        .map(|call| call.context.len())
        .collect();
    assert_eq!(seen, [0, 1, 2, 3]);
    assert_eq!(host.counters().failures, []);
}

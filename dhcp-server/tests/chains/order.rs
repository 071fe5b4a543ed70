//! Each sees what those before it said and changed; the last next step counts; contexts are nobody else's.

use super::services::{Act, Script, Services, changes, point_of, result, says};
use super::side::Side;
use outrigger_proto::v1::{self, callout_reply::Outcome};
use outrigger_proto::{HookPoint, NextStep};
use outrigger_server::telemetry::DiscardReason;
use outrigger_wire::{V4, V6};
use std::sync::{Arc, Mutex};

/// The services with these scripts, with all the time there is.
fn members(services: &Services) -> String {
    services.members(20_000, &[])
}

fn last_step_counts<F: Side>() {
    use NextStep::{Continue, Drop, Park, Skip};
    let decided = Err(DiscardReason::HookDecision);
    for (steps, expected) in [
        (vec![Drop, Continue], Ok(())),
        (vec![Skip, Continue], Ok(())),
        (vec![Continue, Drop], decided),
        (vec![Drop, Skip], decided),
        (vec![Drop, Skip, Continue], Ok(())),
        (vec![Continue, Continue, Drop], decided),
        // Nothing can be held there: it counts as CONTINUE.
        (vec![Drop, Park], Ok(())),
    ] {
        let script = |step: &NextStep| {
            let step = *step;
            Script::new(&[F::RECEIVE], move |_| says(step))
        };
        let services = Services::all(steps.iter().map(script).collect());
        let page = F::chained(&members(&services));
        assert_eq!(F::ask(&page, 1).map(drop), expected, "{steps:?}");
        let before = [&[Continue], &steps[..]].concat();
        for (index, step) in before.iter().take(steps.len()).enumerate() {
            let calls = services.calls(index);
            let seen: Vec<_> = calls.iter().map(v1::CalloutRequest::status).collect();
            assert_eq!(
                seen,
                [v1::NextStep::from(*step)],
                "{steps:?}, service {index}"
            );
        }
    }
}

#[test]
fn every_service_is_called_and_sees_the_step_before_and_the_last_one_counts() {
    last_step_counts::<V4>();
    last_step_counts::<V6>();
}

/// What `name` changes at each hook point.
fn changed<F: Side>(name: &'static str, subnet: u32, valid: u32) -> Script {
    let points = [F::RECEIVE, F::SUBNET, F::SELECT, F::SEND];
    Script::new(&points, move |call| {
        let point = point_of(call);
        changes(if point == F::RECEIVE {
            F::of_query(Some(name.as_bytes()), &[name])
        } else if point == F::SUBNET {
            v1::Changes {
                subnet_id: Some(subnet),
                ..Default::default()
            }
        } else if point == F::SELECT {
            v1::Changes {
                lease: Some(v1::LeaseChanges {
                    valid_lifetime: Some(valid),
                    ..Default::default()
                }),
                ..Default::default()
            }
        } else {
            F::of_response(name.as_bytes())
        })
    })
}

fn changes_are_seen<F: Side>() {
    let scripts = vec![changed::<F>("one", 2, 600), changed::<F>("two", 1, 700)];
    let services = Services::all(scripts);
    let page = F::chained(&members(&services));
    let answer = F::leased(&page, 1).unwrap();
    assert_eq!(answer.mark.as_deref(), Some(&b"two"[..]));
    assert_eq!(answer.valid, Some(700));

    let of = |index: usize, point: HookPoint| services.calls_at(index, point).remove(0);
    let [first, second] = [0, 1].map(|index| F::query(&of(index, F::RECEIVE)));
    assert_eq!(
        (first.mark, second.mark.as_deref()),
        (None, Some(&b"one"[..]))
    );
    let joined = |classes: &[String]| classes.iter().any(|class| class == "one");
    assert_eq!(
        (joined(&first.classes), joined(&second.classes)),
        (false, true)
    );
    let subnets = [0, 1].map(|index| F::subnet(&of(index, F::SUBNET)));
    assert_eq!(subnets, [1, 2], "then it is 1 again");
    let lifetimes = [0, 1].map(|index| F::selected(&of(index, F::SELECT)).valid_lifetime);
    assert_eq!(lifetimes, [1000, 600]);
    let marks = [0, 1].map(|index| F::response(&of(index, F::SEND)).mark);
    assert_eq!(marks, [None, Some(b"one".to_vec())]);
}

#[test]
fn every_service_sees_what_those_before_it_changed_and_the_last_change_counts() {
    changes_are_seen::<V4>();
    changes_are_seen::<V6>();
}

/// Notes what context each call came with, and leaves a new one of its own; where the packet can be held, twice.
fn keeps(name: &'static str, points: &[HookPoint], wrong: &Arc<Mutex<Vec<String>>>) -> Script {
    let wrong = Arc::clone(wrong);
    let left: Mutex<(String, Vec<u8>)> = Mutex::default();
    Script::new(points, move |call| {
        let point = point_of(call);
        let mut left = left.lock().unwrap();
        // The first hook point of a packet has no label to tell it by.
        let begins = matches!(point, HookPoint::Buffer4Receive | HookPoint::Buffer6Receive);
        let expected = if begins { Vec::new() } else { left.1.clone() };
        if call.context != expected {
            wrong
                .lock()
                .unwrap()
                .push(format!("{name} at {point}: {:?}", call.context));
        }
        let with = |next: NextStep, context: &str| {
            Outcome::Result(v1::CalloutResult {
                next_step: Some(v1::NextStep::from(next).into()),
                context: Some(context.as_bytes().to_vec().into()),
                ..Default::default()
            })
        };
        let [early, late] = [
            format!("{name} {point} early"),
            format!("{name} {point} late"),
        ];
        left.1 = late.clone().into_bytes();
        if point.can_park() {
            let held = Act::reply(with(NextStep::Park, &early));
            vec![held, Act::reply(with(NextStep::Continue, &late))]
        } else {
            vec![Act::reply(with(NextStep::Continue, &late))]
        }
    })
}

fn contexts_are_apart<F: Side>() {
    let wrong = Arc::default();
    let names = ["first", "second", "third"];
    let services = Services::all(names.map(|name| keeps(name, F::WAY, &wrong)).to_vec());
    let page = F::chained(&members(&services));
    for client in 1..4 {
        F::leased(&page, client).unwrap();
    }
    assert_eq!(*wrong.lock().unwrap(), Vec::<String>::new());
    for index in 0..names.len() {
        for point in F::WAY {
            let calls = services.calls_at(index, *point).len();
            assert!(calls >= 3, "{point} of service {index}: {calls} calls");
        }
    }
    for state in page.services.states() {
        assert_eq!(state.parked, 0);
    }
}

#[test]
fn every_service_gets_its_own_context_back_at_every_hook_point_and_over_parking() {
    contexts_are_apart::<V4>();
    contexts_are_apart::<V6>();
}

/// 4 MiB are the largest message: an answer that just fits into a reply leaves no room for the command beside it.
fn long_answer() -> Vec<Act> {
    let text = "x".repeat(4 * 1024 * 1024 - 200);
    let answer = format!(r#"{{"result": 0, "text": "{text}"}}"#);
    let changes = v1::Changes {
        command_response: Some(answer),
        ..Default::default()
    };
    vec![Act::reply(result(NextStep::Continue, Some(changes)))]
}

fn too_long_for_the_next<F: Side>() {
    let offers = |callout: fn(&v1::CalloutRequest) -> Vec<Act>| {
        let mut script = Script::new(&[HookPoint::Command], callout);
        script.loaded.commands = vec!["probe".to_owned()];
        script
    };
    let services = Services::all(vec![
        offers(|_| long_answer()),
        offers(|_| says(NextStep::Continue)),
    ]);
    let page = F::chained(&members(&services));
    let asked = async {
        let mut hooks = page.hooks.for_lifecycle();
        hooks.command("probe", r#"{"command": "probe"}"#).await
    };
    let answer = page.runtime.block_on(asked).unwrap();
    assert!(answer.len() > 4_000_000, "what the first one said stands");
    assert!(services.calls(1).is_empty());
    let counters = page.services.counters();
    assert_eq!(counters[1].failed(outrigger_hooks::Cause::Oversize), 1);
}

#[test]
fn answer_too_long_to_be_shown_to_the_next_service_fails_its_call_and_stands() {
    too_long_for_the_next::<V4>();
    too_long_for_the_next::<V6>();
}

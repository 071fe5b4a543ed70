//! One service of a chain fails: what the others say and change stands, or the packet is dropped there and then.

use super::services::{Act, Script, Services, changes, point_of, result, says};
use super::side::Side;
use crate::common::Page;
use outrigger_hooks::{Cause, FailureCount};
use outrigger_proto::v1::{self, callout_reply::Outcome};
use outrigger_proto::{HookPoint, NextStep, OnFailure};
use outrigger_server::telemetry::DiscardReason;
use outrigger_wire::{V4, V6};
use serde_json::{Value, json};
use std::time::Duration;

/// Class that the service at this position has its packets join.
const CLASSES: [&str; 3] = ["of-a", "of-b", "of-c"];

/// Causes that one service's call can fail for while the others' calls come to a result.
const CAUSES: [Cause; 9] = [
    Cause::NotLoaded,
    Cause::Unavailable,
    Cause::NotSubscribed,
    Cause::Deadline,
    Cause::ParkDeadline,
    Cause::SessionLost,
    Cause::MalformedReply,
    Cause::RefusedChange,
    Cause::ServiceError,
];

fn good<F: Side>(position: usize) -> Script {
    Script::new(&[F::SUBNET, F::SEND], move |call| {
        if point_of(call) == F::SUBNET {
            changes(F::of_query(None, &[CLASSES[position]]))
        } else {
            says(NextStep::Continue)
        }
    })
}

fn malformed() -> Outcome {
    Outcome::Result(v1::CalloutResult {
        next_step: Some(9),
        ..Default::default()
    })
}

/// A reply that would change the subnet, were it not for another change that may not be.
fn forbidden() -> Outcome {
    let changes = v1::Changes {
        subnet_id: Some(2),
        lease: Some(v1::LeaseChanges {
            valid_lifetime: Some(1),
            ..Default::default()
        }),
        ..Default::default()
    };
    result(NextStep::Drop, Some(changes))
}

fn failure() -> Outcome {
    Outcome::Failure(v1::CalloutFailure {
        code: 1,
        text: "the database of subscribers is gone".to_owned(),
    })
}

/// A service whose calls at `subnetN_select` fail for `cause`; `None`: there is nobody.
fn failing<F: Side>(cause: Cause) -> Option<Script> {
    let points: &[HookPoint] = match cause {
        Cause::NotLoaded => return None,
        Cause::NotSubscribed => &[F::COMMITTED],
        _ => &[F::SUBNET],
    };
    let acts = match cause {
        Cause::ParkDeadline => says(NextStep::Park),
        Cause::SessionLost => vec![Act::End],
        Cause::MalformedReply => vec![Act::reply(malformed())],
        Cause::RefusedChange => vec![Act::reply(forbidden())],
        Cause::ServiceError => vec![Act::reply(failure())],
        _ => Vec::new(),
    };
    Some(Script::new(points, move |_| acts.clone()))
}

fn entry<F: Side>(cause: Cause, action: OnFailure) -> Value {
    let action = match action {
        OnFailure::Continue => "continue",
        OnFailure::Drop => "drop",
    };
    let at_start = match cause {
        Cause::NotLoaded => "serve",
        _ => "wait",
    };
    let deadline = match cause {
        Cause::Deadline => 100,
        _ => 10_000,
    };
    json!({
        "at-start": at_start, "deadline": deadline, "park-deadline": 100,
        "hook-points": { F::SUBNET.name(): { "on-failure": action } },
    })
}

/// Serves what connections need until it is so.
fn until<F: Side>(page: &Page<F>, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let limited = async { tokio::time::timeout(Duration::from_secs(20), wait).await };
    page.runtime.block_on(limited).expect("in time");
}

fn fails_at<F: Side>(cause: Cause, position: usize, action: OnFailure) {
    let what = format!("{} {cause} at {position}, {action:?}", F::NAME);
    let scripts = (0..3).map(|index| match index == position {
        true => failing::<F>(cause),
        false => Some(good::<F>(index)),
    });
    let mut services = Services::start(scripts.collect());
    let mut further = vec![json!({}); 3];
    further[position] = entry::<F>(cause, action);
    let page = F::chained(&services.members(20_000, &further));
    if cause == Cause::Unavailable {
        services.kill(position);
        until(&page, || !page.services.states()[position].ready);
    }
    let answer = F::ask(&page, 1);
    let called = |index: usize| services.calls_at(index, F::SUBNET).len();
    let others: Vec<usize> = (0..3).filter(|index| *index != position).collect();
    match action {
        OnFailure::Continue => {
            // Nothing of a bad reply is applied.
            let address = answer.map(|answer| answer.address.unwrap().to_string());
            let address = address.unwrap_or_else(|reason| panic!("{what}: {reason}"));
            assert!(address.starts_with(F::NET), "{what}: {address}");
            for index in &others {
                let sent = services.calls_at(*index, F::SEND).remove(0);
                let classes = F::query(&sent).classes;
                let joined: Vec<_> = CLASSES
                    .iter()
                    .map(|&class| classes.iter().any(|c| c == class))
                    .collect();
                let expected: Vec<_> = (0..3).map(|at| at != position).collect();
                assert_eq!(joined, expected, "{what}: {classes:?}");
            }
        }
        OnFailure::Drop => {
            assert_eq!(answer, Err(DiscardReason::HookFailure), "{what}");
            for index in &others {
                // One that holds the packet fails when all have been called.
                let expected = *index < position || cause == Cause::ParkDeadline;
                assert_eq!(called(*index), usize::from(expected), "{what}: {index}");
            }
        }
    }
    let counters = page.services.counters();
    let counted = &counters[position].failures[0];
    assert_eq!(
        (counted.point, counted.cause, counted.action),
        (F::SUBNET, cause, action),
        "{what}"
    );
    for index in others {
        assert_eq!(counters[index].failures, [], "{what}: {index}");
    }
}

fn fails_everywhere<F: Side>() {
    for cause in CAUSES {
        for position in 0..3 {
            for action in [OnFailure::Continue, OnFailure::Drop] {
                // The last PARK counts, so only the last service can hold the packet here.
                if cause != Cause::ParkDeadline || position == 2 {
                    fails_at::<F>(cause, position, action);
                }
            }
        }
    }
}

#[test]
fn dhcpv4_service_that_fails_anywhere_in_a_chain_takes_its_policy_and_nothing_of_the_others() {
    fails_everywhere::<V4>();
}

#[test]
fn dhcpv6_service_that_fails_anywhere_in_a_chain_takes_its_policy_and_nothing_of_the_others() {
    fails_everywhere::<V6>();
}

/// The one that takes all the time of the packet fails, and so do those behind it.
fn used_up<F: Side>(position: usize) {
    let scripts = (0..3).map(|index| match index == position {
        true => Script::new(&[F::SUBNET], |_| Vec::new()),
        false => good::<F>(index),
    });
    let services = Services::all(scripts.collect());
    let page = F::chained(&services.members(300, &[]));
    assert!(F::ask(&page, 1).is_ok());
    let counters = page.services.counters();
    for (index, counted) in counters.iter().enumerate() {
        let at_point = |failure: &&FailureCount| failure.point == F::SUBNET;
        let failed = counted.failures.iter().filter(at_point);
        let failed: Vec<_> = failed
            .map(|failure| (failure.cause, failure.count))
            .collect();
        let expected: &[_] = match index < position {
            true => &[],
            false => &[(Cause::BudgetExhausted, 1)],
        };
        assert_eq!(failed, expected, "{index} of {position}");
        let called = services.calls_at(index, F::SUBNET).len();
        assert_eq!(
            called,
            usize::from(index <= position),
            "{index} of {position}"
        );
    }
}

#[test]
fn services_behind_one_that_uses_up_the_time_of_the_packet_are_not_called() {
    for position in 0..3 {
        used_up::<V4>(position);
        used_up::<V6>(position);
    }
}

/// The service in the middle takes one call at a time, and has one.
fn shed<F: Side>(action: OnFailure) {
    let mut busy = failing::<F>(Cause::Deadline).expect("it is there");
    busy.loaded.max_in_flight = 1;
    let services = Services::all(vec![good::<F>(0), busy, good::<F>(2)]);
    let mut busy = entry::<F>(Cause::Deadline, action);
    // As long as the first packet is held, and no longer than a test has.
    busy["deadline"] = json!(2_000);
    let page = F::chained(&services.members(20_000, &[json!({}), busy, json!({})]));
    let (first, second) = F::ask_at_once(&page, [1, 2]);
    let counters = page.services.counters();
    assert_eq!(counters[1].failed(Cause::Shed), 1);
    assert_eq!(counters[1].failed(Cause::Deadline), 1);
    let expected = match action {
        OnFailure::Continue => Ok(()),
        OnFailure::Drop => Err(DiscardReason::HookFailure),
    };
    assert_eq!((first, second), (expected, expected));
    assert_eq!(services.calls_at(0, F::SUBNET).len(), 2);
    let behind = services.calls_at(2, F::SUBNET).len();
    assert_eq!(behind, if action == OnFailure::Continue { 2 } else { 0 });
}

#[test]
fn call_that_is_shed_in_the_middle_of_a_chain_takes_its_policy() {
    for action in [OnFailure::Continue, OnFailure::Drop] {
        shed::<V4>(action);
        shed::<V6>(action);
    }
}

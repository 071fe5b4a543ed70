//! Several services hold one packet.

use super::services::{Act, Script, Services, result, says};
use super::side::Side;
use crate::common::Page;
use outrigger_hooks::Cause;
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_server::telemetry::DiscardReason;
use outrigger_wire::{V4, V6};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Notify;

/// Where packets of a family can be held.
fn places<F: Side>() -> Vec<HookPoint> {
    let all = F::WAY.iter().copied();
    all.filter(|point| point.can_park()).collect()
}

/// PARK, then what else is said.
fn parks_then(acts: impl IntoIterator<Item = Act>) -> Vec<Act> {
    says(NextStep::Park).into_iter().chain(acts).collect()
}

fn finally(next: NextStep) -> Act {
    Act::reply(result(next, None))
}

fn page<F: Side>(point: HookPoint, acts: Vec<Vec<Act>>) -> (Page<F>, Services) {
    let script = |acts: Vec<Act>| Script::new(&[point], move |_| acts.clone());
    let services = Services::all(acts.into_iter().map(script).collect());
    let page = F::chained(&services.members(20_000, &[]));
    (page, services)
}

fn parked<F: Side>(page: &Page<F>) -> Vec<usize> {
    let states = page.services.states();
    states.iter().map(|state| state.parked).collect()
}

/// Waits until it is so, on the page's own runtime.
async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    waited.expect("in time");
}

fn all_are_waited_for<F: Side>() {
    for point in places::<F>() {
        let told = Arc::new(Notify::new());
        let waits = Act::WaitUntil(Arc::clone(&told));
        let late = parks_then([waits, finally(NextStep::Continue)]);
        let soon = parks_then([finally(NextStep::Continue)]);
        let (page, services) = page::<F>(point, vec![soon.clone(), late, soon]);
        let is_told = Arc::new(AtomicBool::new(false));
        let telling = {
            let (hooks, is_told) = (Arc::clone(&page.services), Arc::clone(&is_told));
            async move {
                until(|| hooks.states()[1].parked == 1).await;
                is_told.store(true, Relaxed);
                told.notify_one();
            }
        };
        page.runtime.spawn(telling);
        // DHCPv6 advertises without a commit, and DHCPv4 acknowledges without an offer.
        let answer = F::meet(&page, point, 1);
        assert!(answer.is_ok(), "{point}: {answer:?}");
        assert!(
            is_told.load(Relaxed),
            "{point}: not before the last one said so"
        );
        assert_eq!(parked(&page), [0, 0, 0], "{point}");
        let calls: Vec<_> = (0..3).map(|index| services.calls(index).len()).collect();
        assert_eq!(calls, [1, 1, 1], "{point}");
    }
}

#[test]
fn packet_that_several_hold_goes_on_with_the_last_final_reply() {
    all_are_waited_for::<V4>();
    all_are_waited_for::<V6>();
}

fn one_drops<F: Side>() {
    for point in places::<F>() {
        let never = says(NextStep::Park);
        let drops = parks_then([finally(NextStep::Drop)]);
        let (page, _services) = page::<F>(point, vec![never.clone(), drops, never]);
        let answer = F::meet(&page, point, 1);
        assert_eq!(answer, Err(DiscardReason::HookDecision), "{point}");
        assert_eq!(parked(&page), [0, 0, 0], "{point}");
    }
}

#[test]
fn packet_that_several_hold_is_dropped_as_soon_as_one_says_so() {
    one_drops::<V4>();
    one_drops::<V6>();
}

fn overwritten<F: Side>() {
    for point in places::<F>() {
        let never = says(NextStep::Park);
        let (page, services) =
            page::<F>(point, vec![never.clone(), never, says(NextStep::Continue)]);
        let answer = F::meet(&page, point, 1);
        assert!(answer.is_ok(), "{point}: {answer:?}");
        assert_eq!(parked(&page), [0, 0, 0], "{point}");
        let said = services.calls(2).remove(0).status();
        assert_eq!(said, v1::NextStep::Park, "{point}");
    }
}

#[test]
fn packet_is_not_held_where_a_later_service_says_otherwise() {
    overwritten::<V4>();
    overwritten::<V6>();
}

fn never_final<F: Side>() {
    for point in places::<F>() {
        let again = parks_then([finally(NextStep::Park), finally(NextStep::Park)]);
        let soon = parks_then([finally(NextStep::Continue)]);
        let (page, _services) = page::<F>(point, vec![soon.clone(), again, soon]);
        let answer = F::meet(&page, point, 1);
        assert!(answer.is_ok(), "{point}: {answer:?}");
        let counters = page.services.counters();
        assert_eq!(counters[1].failed(Cause::MalformedReply), 1, "{point}");
        assert_eq!(parked(&page), [0, 0, 0], "{point}");
    }
}

#[test]
fn park_as_the_final_reply_is_a_failure_of_that_service_alone() {
    never_final::<V4>();
    never_final::<V6>();
}

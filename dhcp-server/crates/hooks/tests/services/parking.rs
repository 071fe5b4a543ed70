//! Packets that are held until a service has replied a second time.

use crate::host::{Host, Sockets, eventually, named, query, service};
use crate::service::{Answer, Script, Service, goes_on};
use outrigger_config::model::{HookService, OnFailure};
use outrigger_hooks::callouts::LinkOverride;
use outrigger_hooks::callouts::v4::{
    Host4Identifier, Lease4Offer, Leases4Committed, Pkt4Receive, Subnet4Select,
};
use outrigger_hooks::{Cause, DropReason, HookDrop, PacketHooks, Step, callouts::FlexIdentifier};
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_wire::v4::{MessageType, Reply4};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Notify;
use v1::callout_reply::Outcome;

const POINT: HookPoint = HookPoint::Subnet4Select;

fn step(next: NextStep) -> Outcome {
    Outcome::Result(v1::CalloutResult {
        next_step: Some(next as i32),
        ..Default::default()
    })
}

fn parks() -> Outcome {
    step(NextStep::Park)
}

/// CONTINUE with this subnet.
fn chooses(subnet: u32) -> Outcome {
    Outcome::Result(v1::CalloutResult {
        changes: Some(v1::Changes {
            subnet_id: Some(subnet),
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// How a packet left `subnet4_select`, and with which subnet; and how often it began to be held.
async fn select(hooks: &mut PacketHooks<'_>) -> (Result<Step, HookDrop>, Option<u32>, usize) {
    let (mut query, mut subnet_id, mut held) = (query(), None, 0);
    let callout = Subnet4Select {
        query: &mut query,
        subnet_id: &mut subnet_id,
        subnet_ids: &[1, 2],
    };
    let step = hooks.call_or_park(callout, || held += 1).await;
    (step, subnet_id, held)
}

/// One running service for each answer, "a", "b" and so on, and a server that has them.
async fn host(sockets: &Sockets, scripts: Vec<Script>) -> (Host, Vec<Service>) {
    let mut settings = Vec::new();
    let mut running = Vec::new();
    for (name, script) in ["a", "b", "c"].into_iter().zip(scripts) {
        running.push(Service::start(&sockets.path(name), script));
        settings.push(service(name, &sockets.path(name)));
    }
    (Host::ready(&settings).await, running)
}

/// A service that answers at `subnet4_select` with what `answer` makes.
fn selects(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Script {
    Script::new(&[POINT], move |_| answer())
}

fn each(outcomes: &[Outcome]) -> Script {
    let outcomes = outcomes.to_vec();
    selects(move || Answer::Each(outcomes.clone()))
}

#[tokio::test]
async fn a_packet_is_held_until_the_final_reply_and_takes_its_changes() {
    let sockets = Sockets::new();
    let told = Arc::new(Notify::new());
    let until = Arc::clone(&told);
    let script = selects(move || Answer::Then(parks(), Arc::clone(&until), Box::new(chooses(2))));
    let (host, running) = host(&sockets, vec![script]).await;
    let mut hooks = host.shard.for_packet();
    let released = async {
        eventually("the packet is held", || host.hooks.states()[0].parked == 1).await;
        told.notify_one();
    };
    let (selected, ()) = tokio::join!(select(&mut hooks), released);
    assert_eq!(selected, (Ok(Step::Run), Some(2), 1));
    assert_eq!(host.hooks.states()[0].parked, 0);
    let counters = host.counters();
    let results: Vec<_> = counters
        .results
        .iter()
        .map(|r| (r.point, r.step, r.count))
        .collect();
    assert_eq!(
        results,
        [(POINT, NextStep::Continue, 1), (POINT, NextStep::Park, 1)]
    );
    assert_eq!(running[0].calls()[0].park_budget_us, 5_000_000);
}

#[tokio::test]
async fn the_packets_time_stands_still_while_it_is_held() {
    let sockets = Sockets::new();
    let budget = Duration::from_millis(400);
    let script = Script::new(&[POINT, HookPoint::Pkt4Receive], move |call| {
        if call.hook_point != i32::from(POINT.number()) {
            return goes_on();
        }
        let told = Arc::new(Notify::new());
        let teller = Arc::clone(&told);
        tokio::spawn(async move {
            tokio::time::sleep(budget * 2).await;
            teller.notify_one();
        });
        Answer::Then(parks(), told, Box::new(chooses(1)))
    });
    let _running = Service::start(&sockets.path("s"), script);
    let host = Host::with_budget(&[service("s", &sockets.path("s"))], budget);
    host.hooks.ready().await.unwrap();
    let mut hooks = host.shard.for_packet();
    assert_eq!(select(&mut hooks).await, (Ok(Step::Run), Some(1), 1));
    let mut query = query();
    let later = hooks.call(Pkt4Receive { query: &mut query }).await;
    assert_eq!(later, Ok(Step::Run));
    assert_eq!(host.counters().failures, []);
}

#[tokio::test]
async fn every_service_that_parks_is_waited_for_and_applied_in_configured_order() {
    let sockets = Sockets::new();
    let told = Arc::new(Notify::new());
    let until = Arc::clone(&told);
    let first = selects(move || Answer::Then(parks(), Arc::clone(&until), Box::new(chooses(1))));
    let second = each(&[parks(), chooses(2)]);
    let (host, _running) = host(&sockets, vec![first, second]).await;
    let mut hooks = host.shard.for_packet();
    let released = async {
        let second_is_done = || host.hooks.states()[1].parked == 1;
        eventually("both hold the packet", second_is_done).await;
        told.notify_one();
    };
    let (selected, ()) = tokio::join!(select(&mut hooks), released);
    assert_eq!(
        selected,
        (Ok(Step::Run), Some(2), 1),
        "the second is the later one"
    );
}

#[tokio::test]
async fn a_service_between_two_that_park_changes_nothing() {
    let sockets = Sockets::new();
    let scripts = vec![
        each(&[parks(), chooses(1)]),
        selects(goes_on),
        each(&[parks(), step(NextStep::Continue)]),
    ];
    let (host, _running) = host(&sockets, scripts).await;
    let selected = select(&mut host.shard.for_packet()).await;
    assert_eq!(selected, (Ok(Step::Run), Some(1), 1));
}

#[tokio::test]
async fn a_later_service_that_says_otherwise_ends_the_parking_of_all() {
    let sockets = Sockets::new();
    let told = Arc::new(Notify::new());
    let until = Arc::clone(&told);
    let first = selects(move || Answer::Then(parks(), Arc::clone(&until), Box::new(chooses(1))));
    let second = selects(|| Answer::Now(step(NextStep::Continue)));
    let (host, running) = host(&sockets, vec![first, second]).await;
    let selected = select(&mut host.shard.for_packet()).await;
    assert_eq!(selected, (Ok(Step::Run), None, 0));
    assert_eq!(
        running[1].calls()[0].status(),
        v1::NextStep::Park,
        "it saw what the first one said"
    );
    assert_eq!(host.hooks.states()[0].parked, 0);
    told.notify_one();
    eventually("the final reply is too late", || {
        host.counters().late_replies == 1
    })
    .await;
}

#[tokio::test]
async fn a_final_drop_loses_the_packet_at_once_and_skip_is_the_hook_points_skip() {
    let sockets = Sockets::new();
    let drops = each(&[parks(), step(NextStep::Drop)]);
    let never = each(&[parks()]);
    let (both, _running) = host(&sockets, vec![drops, never]).await;
    let (dropped, ..) = select(&mut both.shard.for_packet()).await;
    let service = "a".into();
    assert_eq!(
        dropped.unwrap_err().reason,
        DropReason::Decision { service }
    );

    let sockets = Sockets::new();
    let skips = each(&[parks(), step(NextStep::Skip)]);
    let (one, _running) = host(&sockets, vec![skips]).await;
    let selected = select(&mut one.shard.for_packet()).await;
    assert_eq!(selected, (Ok(Step::Skip), None, 1));
}

fn with_policy(sockets: &Sockets, action: OnFailure) -> HookService {
    let mut settings = service("a", &sockets.path("a"));
    settings.park_deadline = Duration::from_millis(100);
    settings.hook_points = vec![named(POINT, Some(action))];
    settings
}

fn of_another_hook_point() -> Outcome {
    Outcome::Result(v1::CalloutResult {
        changes: Some(v1::Changes {
            subnet_id: Some(2),
            names: Some(v1::NameChanges::default()),
            ..Default::default()
        }),
        ..Default::default()
    })
}

#[tokio::test]
async fn a_parked_call_that_fails_takes_the_services_policy() {
    let failure = Outcome::Failure(v1::CalloutFailure::default());
    let too_large = Outcome::Result(v1::CalloutResult {
        context: Some(vec![0; 4097].into()),
        ..Default::default()
    });
    let replies = |outcomes: &[Outcome]| each(outcomes);
    let cases = [
        (replies(&[parks()]), Cause::ParkDeadline),
        (
            replies(&[parks(), parks(), chooses(1)]),
            Cause::MalformedReply,
        ),
        (replies(&[parks(), failure]), Cause::ServiceError),
        (
            replies(&[parks(), of_another_hook_point()]),
            Cause::RefusedChange,
        ),
        (replies(&[parks(), chooses(3)]), Cause::RefusedChange),
        (replies(&[parks(), too_large]), Cause::MalformedReply),
    ];
    for (script, cause) in cases {
        for action in [OnFailure::Continue, OnFailure::Drop] {
            let sockets = Sockets::new();
            let _running = Service::start(&sockets.path("a"), script.clone());
            let host = Host::ready(&[with_policy(&sockets, action)]).await;
            let (step, subnet_id, _) = select(&mut host.shard.for_packet()).await;
            let expected = match action {
                OnFailure::Continue => Ok(Step::Run),
                OnFailure::Drop => Err(DropReason::Failure {
                    service: "a".into(),
                    cause,
                }),
            };
            assert_eq!(step.map_err(|drop| drop.reason), expected, "{cause}");
            assert_eq!(subnet_id, None, "{cause}: nothing is half applied");
            assert_eq!(host.counters().failed(cause), 1);
            assert_eq!(host.hooks.states()[0].parked, 0);
        }
    }
}

#[tokio::test]
async fn replies_after_the_final_one_are_too_late() {
    let sockets = Sockets::new();
    let (host, _running) = host(
        &sockets,
        vec![each(&[parks(), chooses(1), chooses(2), parks()])],
    )
    .await;
    let selected = select(&mut host.shard.for_packet()).await;
    assert_eq!(selected, (Ok(Step::Run), Some(1), 1));
    eventually("both are counted", || host.counters().late_replies == 2).await;
    assert_eq!(
        select(&mut host.shard.for_packet()).await.1,
        Some(1),
        "the session stays"
    );
}

#[tokio::test]
async fn a_session_that_ends_ends_what_it_holds() {
    let sockets = Sockets::new();
    let told = Arc::new(Notify::new());
    let until = Arc::clone(&told);
    let script = selects(move || Answer::ThenEnd(parks(), Arc::clone(&until)));
    let _running = Service::start(&sockets.path("a"), script);
    let mut settings = with_policy(&sockets, OnFailure::Drop);
    settings.park_deadline = Duration::from_secs(30);
    let host = Host::ready(&[settings]).await;
    let mut hooks = host.shard.for_packet();
    let ended = async {
        eventually("the packet is held", || host.hooks.states()[0].parked == 1).await;
        told.notify_one();
    };
    let ((step, ..), ()) = tokio::join!(select(&mut hooks), ended);
    let cause = Cause::SessionLost;
    let service = "a".into();
    assert_eq!(
        step.unwrap_err().reason,
        DropReason::Failure { service, cause }
    );
}

#[tokio::test]
async fn a_server_that_stops_ends_what_is_held() {
    let sockets = Sockets::new();
    let _running = Service::start(&sockets.path("a"), each(&[parks()]));
    let mut settings = with_policy(&sockets, OnFailure::Continue);
    settings.park_deadline = Duration::from_secs(30);
    let host = Host::ready(&[settings]).await;
    let mut hooks = host.shard.for_packet();
    let stopped = async {
        eventually("the packet is held", || host.hooks.states()[0].parked == 1).await;
        host.hooks.drain(Duration::from_millis(10)).await;
    };
    let (selected, ()) = tokio::join!(select(&mut hooks), stopped);
    assert_eq!(selected, (Ok(Step::Run), None, 1));
    assert_eq!(host.counters().failed(Cause::SessionLost), 1);
}

#[tokio::test]
async fn a_packet_that_is_given_up_leaves_its_place() {
    let sockets = Sockets::new();
    let (host, _running) = host(&sockets, vec![each(&[parks()])]).await;
    let mut hooks = host.shard.for_packet();
    let held = async {
        eventually("the packet is held", || host.hooks.states()[0].parked == 1).await;
    };
    tokio::select! {
        selected = select(&mut hooks) => panic!("nobody releases it, but {selected:?}"),
        () = held => {}
    }
    assert_eq!(host.hooks.states()[0].parked, 0);
}

#[tokio::test]
async fn where_all_places_are_taken_no_service_is_called() {
    let sockets = Sockets::new();
    let told = Arc::new(Notify::new());
    let until = Arc::clone(&told);
    let points = [POINT, HookPoint::Leases4Committed];
    let script = Script::new(&points, move |call| {
        if call.hook_point == i32::from(POINT.number()) {
            Answer::Then(parks(), Arc::clone(&until), Box::new(chooses(1)))
        } else {
            goes_on()
        }
    });
    let running = Service::start(&sockets.path("a"), script);
    let host = Host::with_parking(&[service("a", &sockets.path("a"))], 1).await;
    let (mut first, mut second) = (host.shard.for_packet(), host.shard.for_packet());
    let others = async {
        eventually("the packet is held", || host.hooks.states()[0].parked == 1).await;
        let (full, ..) = select(&mut second).await;
        let mut link = LinkOverride::new(&Arc::default(), false);
        let committed = Leases4Committed {
            query: &mut query(),
            response: None,
            leases: &[],
            deleted: &[],
            link: &mut link,
        };
        let elsewhere = second.call_or_park(committed, || {}).await;
        told.notify_one();
        (full, elsewhere)
    };
    let (selected, (full, elsewhere)) = tokio::join!(select(&mut first), others);
    assert_eq!(full.unwrap_err().reason, DropReason::ParkingFull);
    assert_eq!(elsewhere, Ok(Step::Run));
    assert_eq!(selected, (Ok(Step::Run), Some(1), 1));
    assert_eq!(
        running.calls().len(),
        2,
        "not for the packet without a place"
    );
    told.notify_one();
    let again = select(&mut second).await;
    assert_eq!(
        again,
        (Ok(Step::Run), Some(1), 1),
        "the place is free again"
    );
}

#[tokio::test]
async fn park_over_call_is_malformed_anywhere() {
    let sockets = Sockets::new();
    let script = Script::new(&[POINT, HookPoint::Pkt4Receive], |_| {
        Answer::Each(vec![parks()])
    })
    .with_loaded(|loaded| loaded.sessions = false);
    let (host, running) = host(&sockets, vec![script]).await;
    let mut hooks = host.shard.for_packet();
    assert_eq!(select(&mut hooks).await, (Ok(Step::Run), None, 0));
    let mut query = query();
    assert!(hooks.call(Pkt4Receive { query: &mut query }).await.is_ok());
    assert_eq!(host.counters().failed(Cause::MalformedReply), 2);
    let told = |call: &v1::CalloutRequest| call.park_budget_us;
    assert_eq!(
        running[0].calls().iter().map(told).collect::<Vec<_>>(),
        [0, 0]
    );
}

#[tokio::test]
async fn park_has_no_effect_where_the_caller_cannot_hold_the_packet() {
    let sockets = Sockets::new();
    let (host, running) = host(&sockets, vec![each(&[parks(), chooses(1)])]).await;
    let mut query = query();
    let callout = Subnet4Select {
        query: &mut query,
        subnet_id: &mut None,
        subnet_ids: &[1],
    };
    assert_eq!(host.shard.for_packet().call(callout).await, Ok(Step::Run));
    assert_eq!(running[0].calls()[0].park_budget_us, 0);
    eventually("the second reply is too late", || {
        host.counters().late_replies == 1
    })
    .await;
    assert_eq!(host.counters().unsupported_steps, 1);
}

#[tokio::test]
async fn an_identifier_counts_only_with_continue() {
    for next in [NextStep::Skip, NextStep::Drop, NextStep::Park] {
        let sockets = Sockets::new();
        let script = Script::new(&[HookPoint::Host4Identifier], move |_| {
            Answer::Each(vec![step(next)])
        });
        let (host, _running) = host(&sockets, vec![script]).await;
        let callout = Host4Identifier {
            query: &mut query(),
            identifier: &mut FlexIdentifier::default(),
        };
        let step = host.shard.for_packet().call(callout).await;
        assert_eq!(step, Ok(Step::Skip), "{next}");
    }
}

fn in_use(next: NextStep) -> Outcome {
    Outcome::Result(v1::CalloutResult {
        next_step: Some(next as i32),
        changes: Some(v1::Changes {
            offer_address_in_use: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    })
}

#[tokio::test]
async fn an_offer_is_in_use_only_by_a_final_reply() {
    let cases = [
        (vec![parks(), in_use(NextStep::Continue)], true, 0),
        (vec![in_use(NextStep::Continue)], false, 1),
        (vec![in_use(NextStep::Park)], false, 1),
    ];
    for (outcomes, expected, refused) in cases {
        let sockets = Sockets::new();
        let script = Script::new(&[HookPoint::Lease4Offer], move |_| {
            Answer::Each(outcomes.clone())
        });
        let (host, _running) = host(&sockets, vec![script]).await;
        let mut query = query();
        let mut response = Reply4::to(&query.packet, MessageType::Offer);
        let (mut in_use, mut link) = (false, LinkOverride::new(&Arc::default(), true));
        let callout = Lease4Offer {
            query: &mut query,
            response: &mut response,
            lease: None,
            offer_lifetime: 0,
            old_lease: None,
            host: None,
            host_subnet_id: 0,
            link: &mut link,
            address_in_use: &mut in_use,
        };
        let step = host.shard.for_packet().call_or_park(callout, || {}).await;
        assert_eq!((step, in_use), (Ok(Step::Run), expected));
        assert_eq!(host.counters().failed(Cause::RefusedChange), refused);
    }
}

#[tokio::test]
async fn contexts_are_kept_over_parking_and_given_to_any_replica() {
    let sockets = Sockets::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let script = Script::new(&[POINT], move |_| {
        let n = calls.fetch_add(1, Relaxed);
        let keeps = |text: String, next: NextStep| {
            Outcome::Result(v1::CalloutResult {
                next_step: Some(next as i32),
                context: Some(text.into_bytes().into()),
                ..Default::default()
            })
        };
        Answer::Each(vec![
            keeps(format!("parked {n}"), NextStep::Park),
            keeps(format!("final {n}"), NextStep::Continue),
        ])
    });
    let paths = ["a", "b"].map(|name| sockets.path(name));
    let running: Vec<_> = paths
        .iter()
        .map(|path| Service::start(path, script.clone()))
        .collect();
    let mut settings = service("s", &paths[0]);
    let other = outrigger_config::model::Endpoint::Unix(paths[1].clone());
    settings.endpoints.push(other);
    let host = Host::start(&[settings]);
    let both = || host.hooks.states()[0].connections == 2;
    eventually("both replicas are connected", both).await;
    let mut hooks = host.shard.for_packet();
    for _ in 0..3 {
        assert!(select(&mut hooks).await.0.is_ok());
    }
    let mut seen: Vec<_> = running.iter().flat_map(Service::calls).collect();
    seen.sort_by_key(|call| call.context.clone());
    let contexts: Vec<_> = seen.iter().map(|call| call.context.clone()).collect();
    assert_eq!(contexts, ["", "final 0", "final 1"].map(bytes::Bytes::from));
    assert!(running.iter().all(|replica| !replica.calls().is_empty()));
}

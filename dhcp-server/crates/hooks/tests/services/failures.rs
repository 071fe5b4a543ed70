//! Every cause with every action, and services that hang.

use crate::host::{Host, Sockets, eventually, named, query, service};
use crate::service::{Answer, Script, Service, goes_on, result};
use bytes::Bytes;
use outrigger_config::model::{HookService, OnFailure};
use outrigger_hooks::callouts::v4::Pkt4Receive;
use outrigger_hooks::{Callout, Cause, DropReason, HookDrop, Reads, Refused, Step};
use outrigger_proto::{HookPoint, MAX_MESSAGE, NextStep, v1};
use std::time::{Duration, Instant};
use v1::callout_reply::Outcome;

const POINT: HookPoint = HookPoint::Pkt4Receive;

/// More than a message may hold.
struct Huge;

impl Callout for Huge {
    const POINT: HookPoint = POINT;

    fn label(&self) -> String {
        String::new()
    }

    fn encode(&self, _reads: &Reads) -> Bytes {
        vec![0; MAX_MESSAGE].into()
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        Ok(())
    }
}

/// A service that makes a call fail for `cause`.
fn script(cause: Cause) -> Script {
    let malformed = v1::CalloutResult {
        next_step: Some(9),
        ..Default::default()
    };
    let refused = v1::CalloutResult {
        changes: Some(v1::Changes {
            subnet_id: Some(1),
            ..Default::default()
        }),
        ..Default::default()
    };
    let points: &[HookPoint] = match cause {
        Cause::NotSubscribed => &[HookPoint::Subnet4Select],
        _ => &[POINT],
    };
    Script::new(points, move |_| match cause {
        Cause::Deadline | Cause::BudgetExhausted | Cause::Shed => Answer::Never,
        Cause::SessionLost => Answer::EndSession,
        Cause::MalformedReply => result(malformed.clone()),
        Cause::RefusedChange => result(refused.clone()),
        Cause::ServiceError => Answer::Now(Outcome::Failure(v1::CalloutFailure {
            code: 3,
            text: "no registry".to_owned(),
        })),
        Cause::NotLoaded
        | Cause::Unavailable
        | Cause::NotSubscribed
        | Cause::ParkDeadline
        | Cause::Oversize => goes_on(),
    })
    .with_loaded(move |loaded| loaded.max_in_flight = 1)
}

fn settings(cause: Cause, action: OnFailure, sockets: &Sockets) -> HookService {
    let mut settings = service("s", &sockets.path("s"));
    settings.hook_points = vec![named(POINT, Some(action))];
    if cause == Cause::Deadline {
        settings.deadline = Duration::from_millis(30);
    }
    settings
}

/// One call that fails for `cause`.
async fn failed_call(cause: Cause, action: OnFailure) -> (Result<Step, HookDrop>, Host) {
    let sockets = Sockets::new();
    let settings = settings(cause, action, &sockets);
    if cause == Cause::NotLoaded {
        let host = Host::start(&[settings]);
        return (host.receive().await, host);
    }
    let running = Service::start(&sockets.path("s"), script(cause));
    let budget = match cause {
        Cause::BudgetExhausted => Duration::from_millis(30),
        _ => Duration::from_secs(10),
    };
    let host = Host::with_budget(&[settings], budget);
    host.hooks.ready().await.unwrap();
    let step = match cause {
        Cause::Unavailable => {
            drop(running);
            eventually("the loss is noticed", || !is_connected(&host)).await;
            host.receive().await
        }
        Cause::Shed => {
            let (mut first, mut second) = (Box::pin(host.receive()), Box::pin(host.receive()));
            tokio::select! {
                biased;
                step = &mut first => panic!("the first call is never answered, but {step:?}"),
                step = &mut second => step,
            }
        }
        Cause::Oversize => host.shard.for_packet().call(Huge).await,
        _ => host.receive().await,
    };
    (step, host)
}

fn is_connected(host: &Host) -> bool {
    let waiting = host.hooks.ready();
    let mut waiting = Box::pin(waiting);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    waiting.as_mut().poll(&mut context).is_ready()
}

#[tokio::test]
async fn every_cause_takes_the_configured_action_and_is_counted_once() {
    // Nothing can be held at this hook point.
    let causes = Cause::ALL.iter().copied();
    for cause in causes.filter(|cause| *cause != Cause::ParkDeadline) {
        for (action, expected) in [
            (OnFailure::Continue, Ok(Step::Run)),
            (
                OnFailure::Drop,
                Err(HookDrop {
                    point: POINT,
                    reason: DropReason::Failure {
                        service: "s".into(),
                        cause,
                    },
                }),
            ),
        ] {
            let (step, host) = failed_call(cause, action).await;
            assert_eq!(step, expected, "{cause} with {action:?}");
            let failures = host.counters().failures;
            assert_eq!(failures.len(), 1, "{cause}: {failures:?}");
            assert_eq!((failures[0].cause, failures[0].point), (cause, POINT));
            assert_eq!(failures[0].count, 1, "{cause}");
        }
    }
}

#[tokio::test]
async fn the_policy_of_a_hook_point_goes_before_that_of_its_service_before_the_tables() {
    let sockets = Sockets::new();
    let drop = Some((OnFailure::Drop, crate::host::position()));
    let mut by_service = service("s", &sockets.path("s"));
    by_service.hook_points = vec![named(POINT, None)];
    by_service.on_failure = drop.clone();
    assert!(Host::start(&[by_service.clone()]).receive().await.is_err());
    by_service.hook_points = vec![named(POINT, Some(OnFailure::Continue))];
    assert!(Host::start(&[by_service.clone()]).receive().await.is_ok());
    by_service.hook_points = vec![named(POINT, None)];
    by_service.on_failure = None;
    assert!(Host::start(&[by_service.clone()]).receive().await.is_ok());
    // Without a named hook point a service that was never reached is not called.
    by_service.hook_points = Vec::new();
    by_service.on_failure = drop;
    assert!(Host::start(&[by_service]).receive().await.is_ok());
}

#[tokio::test]
async fn park_counts_as_continue_where_nothing_can_be_held() {
    let sockets = Sockets::new();
    let parks = Script::new(&[POINT], |_| {
        result(v1::CalloutResult {
            next_step: Some(NextStep::Park as i32),
            ..Default::default()
        })
    });
    let _running = Service::start(&sockets.path("s"), parks);
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    assert_eq!(host.receive().await, Ok(Step::Run));
    assert_eq!(
        (
            host.counters().unsupported_steps,
            host.counters().failed(Cause::MalformedReply)
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn a_late_reply_is_counted_and_the_session_stays() {
    let sockets = Sockets::new();
    let slow = Script::new(&[POINT], |call| {
        if call.id == 0 {
            Answer::After(
                Duration::from_millis(400),
                Outcome::Result(v1::CalloutResult::default()),
            )
        } else {
            goes_on()
        }
    });
    let running = Service::start(&sockets.path("s"), slow);
    let mut settings = service("s", &sockets.path("s"));
    settings.deadline = Duration::from_millis(150);
    let host = Host::ready(&[settings]).await;
    host.receive().await.unwrap();
    assert_eq!(host.counters().failed(Cause::Deadline), 1);
    eventually("the late reply arrives", || {
        host.counters().late_replies == 1
    })
    .await;
    host.receive().await.unwrap();
    assert_eq!(host.counters().resulted(NextStep::Continue), 1);
    assert_eq!(
        (host.counters().sessions_opened, running.calls().len()),
        (1, 2)
    );
}

#[tokio::test]
async fn a_packet_that_is_dropped_while_it_waits_frees_its_place() {
    let sockets = Sockets::new();
    let _running = Service::start(&sockets.path("s"), script(Cause::Shed));
    let mut settings = service("s", &sockets.path("s"));
    settings.deadline = Duration::from_millis(50);
    let host = Host::ready(&[settings]).await;
    for _ in 0..3 {
        let mut given_up = Box::pin(host.receive());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(given_up.as_mut().poll(&mut context).is_pending());
    }
    host.receive().await.unwrap();
    assert_eq!(host.counters().failed(Cause::Shed), 0);
    assert_eq!(host.counters().failed(Cause::Deadline), 1);
}

#[test]
fn a_stopped_service_is_left_alone_and_memory_stays_bounded() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), Script::new(&[POINT], |_| goes_on()));
    let mut settings = service("s", &sockets.path("s"));
    settings.deadline = Duration::from_millis(20);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(Host::ready(&[settings]));
    let thaw = running.freeze();

    let began = Instant::now();
    let used = allocation_counter::measure(|| {
        runtime.block_on(async {
            for _ in 0..20_000 {
                host.receive().await.unwrap();
            }
        });
    });
    let deadlines = host.counters().failed(Cause::Deadline);
    assert!(
        (5..50).contains(&deadlines),
        "{deadlines} calls waited for their deadline"
    );
    assert_eq!(
        host.counters().failed(Cause::Unavailable),
        20_000 - deadlines
    );
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "ejected calls fail at once"
    );
    assert!(used.bytes_max < 1 << 20, "{} bytes at once", used.bytes_max);

    drop(thaw);
    runtime.block_on(async {
        let before = host.counters().resulted(NextStep::Continue);
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            host.receive().await.unwrap();
            if host.counters().resulted(NextStep::Continue) > before {
                return;
            }
        }
        panic!("the service is not called again");
    });
}

#[tokio::test]
async fn a_stopped_service_is_left_alone_also_where_packets_have_less_time_than_calls() {
    let sockets = Sockets::new();
    let never = Script::new(&[POINT], |_| Answer::Never);
    let _running = Service::start(&sockets.path("s"), never);
    let services = [service("s", &sockets.path("s"))];
    let host = Host::with_budget(&services, Duration::from_millis(20));
    host.hooks.ready().await.unwrap();
    for _ in 0..50 {
        host.receive().await.unwrap();
    }
    let exhausted = host.counters().failed(Cause::BudgetExhausted);
    assert!((5..40).contains(&exhausted), "{exhausted} packets waited");
    assert_eq!(host.counters().failed(Cause::Unavailable), 50 - exhausted);
}

#[tokio::test]
async fn a_stopped_service_loses_its_session_when_it_gives_no_sign_of_life() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), Script::new(&[POINT], |_| goes_on()));
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let thaw = running.freeze();
    // Asked after 5 s, given 2 s to answer.
    eventually("the loss is noticed", || !is_connected(&host)).await;
    drop(thaw);
    host.hooks.ready().await.unwrap();
    host.receive().await.unwrap();
    assert_eq!(host.counters().resulted(NextStep::Continue), 1);
}

#[test]
fn many_packets_at_once_do_not_queue_without_bound_for_a_stopped_service() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), Script::new(&[POINT], |_| goes_on()));
    let mut settings = service("s", &sockets.path("s"));
    settings.deadline = Duration::from_millis(100);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(Host::ready(&[settings]));
    let _thaw = running.freeze();
    let calls: Vec<_> = (0..4000).map(|_| Box::pin(host.receive())).collect();
    runtime.block_on(async {
        let mut set = Vec::new();
        for call in calls {
            set.push(call);
        }
        for step in join_all(set).await {
            assert_eq!(step, Ok(Step::Run));
        }
    });
    let counters = host.counters();
    assert_eq!(
        counters.failed(Cause::Shed),
        4000 - 1024,
        "{:?}",
        counters.failures
    );
    assert_eq!(counters.failed(Cause::Deadline), 1024);
}

/// Polls all of them until all are done.
pub(crate) async fn join_all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(done) = std::pin::Pin::new(future).poll(cx)
            {
                *output = Some(done);
            }
        }
        match outputs.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[test]
fn a_hook_point_that_nobody_wants_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _in_runtime = runtime.enter();
    let sockets = Sockets::new();
    let mut settings = service("s", &sockets.path("s"));
    settings.hook_points = vec![named(HookPoint::Subnet4Select, None)];
    let host = Host::start(&[settings]);
    let mut query = query();
    let used = allocation_counter::measure(|| {
        let mut hooks = host.shard.for_packet();
        let mut call = std::pin::pin!(hooks.call(Pkt4Receive { query: &mut query }));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let step = call.as_mut().poll(&mut context);
        assert_eq!(step, std::task::Poll::Ready(Ok(Step::Run)));
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn the_future_of_a_call_is_small() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _in_runtime = runtime.enter();
    let host = Host::start(&[]);
    let mut query = query();
    let mut hooks = host.shard.for_packet();
    let call = hooks.call(Pkt4Receive { query: &mut query });
    assert!(size_of_val(&call) <= 64, "{} bytes", size_of_val(&call));
}

//! Connections: batches, losses, drains, services without sessions.

use crate::failures::join_all;
use crate::host::{Host, Sockets, eventually, query, service};
use crate::service::{Answer, Script, Service, goes_on, loaded};
use outrigger_config::model::Endpoint;
use outrigger_hooks::callouts::v4::Pkt4Receive;
use outrigger_hooks::{Cause, Step};
use outrigger_proto::{HookPoint, NextStep, v1};
use std::time::Duration;
use tokio::runtime::Handle;
use tonic::Status;
use v1::callout_reply::Outcome;

const POINT: HookPoint = HookPoint::Pkt4Receive;

fn quiet() -> Script {
    Script::new(&[POINT], |_| goes_on())
}

#[tokio::test]
async fn calls_that_wait_together_travel_together() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let calls = (0..512).map(|_| Box::pin(host.receive())).collect();
    assert!(
        join_all(calls)
            .await
            .iter()
            .all(|step| *step == Ok(Step::Run))
    );
    let seen = running.seen.lock().unwrap();
    assert_eq!((seen.calls.len(), seen.hellos.len()), (512, 1));
    assert!(
        seen.batches <= 16,
        "{} messages for 512 calls",
        seen.batches
    );
}

#[tokio::test]
async fn the_service_learns_who_asks_and_with_which_parameters() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let _host = Host::ready(&[service("user-chk", &sockets.path("s"))]).await;
    let seen = running.seen.lock().unwrap();
    let load = &seen.loads[0];
    assert_eq!(load.protocol_versions, [1]);
    assert_eq!(load.service_name, "user-chk");
    assert_eq!(load.parameters, r#"{"registry":"/etc/registry"}"#);
    assert_eq!(load.configuration_revision, 7);
    let server = load.server.clone().unwrap();
    assert_eq!(
        (&*server.name, server.family()),
        ("host.example", v1::Family::Dhcp4)
    );
    assert_eq!(
        (&*seen.hellos[0].instance_id, &*seen.hellos[0].service_name),
        ("instance", "user-chk")
    );
}

#[tokio::test]
async fn a_service_that_comes_back_is_loaded_and_called_again() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    host.receive().await.unwrap();
    drop(running);
    eventually("the loss is noticed", || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        Box::pin(host.hooks.ready())
            .as_mut()
            .poll(&mut context)
            .is_pending()
    })
    .await;
    host.receive().await.unwrap();
    assert_eq!(host.counters().failed(Cause::Unavailable), 1);

    let running = Service::start(&sockets.path("s"), quiet());
    host.hooks.ready().await.unwrap();
    host.receive().await.unwrap();
    assert_eq!(running.calls().len(), 1);
    assert_eq!(running.seen.lock().unwrap().loads.len(), 1);
    assert_eq!(host.counters().sessions_opened, 2);
}

#[tokio::test]
async fn calls_under_way_fail_at_once_when_the_service_dies() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), Script::new(&[POINT], |_| Answer::Never));
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let mut call = Box::pin(host.receive());
    assert!(
        tokio::time::timeout(Duration::from_millis(50), &mut call)
            .await
            .is_err()
    );
    drop(running);
    let answered = tokio::time::timeout(Duration::from_secs(2), call).await;
    assert_eq!(
        answered,
        Ok(Ok(Step::Run)),
        "long before the deadline of 5 s"
    );
    assert_eq!(host.counters().failed(Cause::SessionLost), 1);
}

#[tokio::test]
async fn a_service_that_drains_answers_what_is_open_and_gets_a_new_session_later() {
    let sockets = Sockets::new();
    let drains = Script::new(&[POINT], |call| {
        if call.budget_us > 0 && call.id == 0 && call.status == 0 {
            Answer::Drain(Outcome::Result(v1::CalloutResult::default()))
        } else {
            goes_on()
        }
    });
    let running = Service::start(&sockets.path("s"), drains);
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let calls = (0..8).map(|_| Box::pin(host.receive())).collect();
    assert!(
        join_all(calls)
            .await
            .iter()
            .all(|step| *step == Ok(Step::Run))
    );
    assert!(
        host.counters().failures.is_empty(),
        "{:?}",
        host.counters().failures
    );
    eventually("a session follows", || host.counters().sessions_opened >= 2).await;
    assert!(running.seen.lock().unwrap().byes >= 1);
}

#[tokio::test]
async fn a_service_without_sessions_is_called_one_at_a_time() {
    let sockets = Sockets::new();
    let script = Script::new(&[POINT], |call| match call.packet_label.len() {
        0 => Answer::Status(Status::unavailable("no registry")),
        _ => goes_on(),
    });
    let script = script.with_loaded(|loaded| loaded.sessions = false);
    let running = Service::start(&sockets.path("s"), script);
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let calls = (0..10).map(|_| Box::pin(host.receive())).collect();
    assert!(
        join_all(calls)
            .await
            .iter()
            .all(|step| *step == Ok(Step::Run))
    );
    assert_eq!(running.seen.lock().unwrap().unary, 10);
    assert_eq!(host.counters().resulted(NextStep::Continue), 10);
    assert_eq!(
        (host.counters().sessions_opened, host.counters().batches),
        (0, 0)
    );
}

#[tokio::test]
async fn a_status_on_call_is_a_failure_of_the_service_and_death_is_a_loss() {
    let sockets = Sockets::new();
    let fails = Script::new(&[POINT], |_| {
        Answer::Status(Status::internal("no registry"))
    });
    let fails = fails.with_loaded(|loaded| loaded.sessions = false);
    let running = Service::start(&sockets.path("s"), fails);
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    host.receive().await.unwrap();
    assert_eq!(host.counters().failed(Cause::ServiceError), 1);
    drop(running);

    let hangs = Script::new(&[POINT], |_| Answer::Never);
    let hangs = hangs.with_loaded(|loaded| loaded.sessions = false);
    let running = Service::start(&sockets.path("s"), hangs);
    eventually("it is loaded again", || {
        running.seen.lock().unwrap().loads.len() == 1
    })
    .await;
    host.hooks.ready().await.unwrap();
    let mut call = Box::pin(host.receive());
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut call)
            .await
            .is_err()
    );
    drop(running);
    call.await.unwrap();
    assert_eq!(
        host.counters().failed(Cause::SessionLost),
        1,
        "{:?}",
        host.counters().failures
    );
}

#[tokio::test]
async fn endpoints_take_turns_and_a_dead_one_is_passed_over() {
    let sockets = Sockets::new();
    let a = Service::start(&sockets.path("a"), quiet());
    let b = Service::start(&sockets.path("b"), quiet());
    let mut settings = service("s", &sockets.path("a"));
    settings.endpoints.push(Endpoint::Unix(sockets.path("b")));
    let host = Host::ready(&[settings]).await;
    eventually("both are connected", || {
        host.counters().sessions_opened == 2
    })
    .await;
    for _ in 0..10 {
        host.receive().await.unwrap();
    }
    assert_eq!((a.calls().len(), b.calls().len()), (5, 5));
    drop(a);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        host.receive().await.unwrap();
    }
    let failures = host.counters().failures;
    assert!(
        failures
            .iter()
            .all(|failure| failure.cause == Cause::SessionLost && failure.count < 5),
        "{failures:?}"
    );
    assert!(b.calls().len() > 95);
}

#[tokio::test]
async fn a_service_over_tcp_is_called_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sockets = Sockets::new();
    let behind = sockets.path("s");
    let running = Service::start(&behind, quiet());
    let forwarding = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut service = tokio::net::UnixStream::connect(behind).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut service).await;
    });
    let mut settings = service("s", &sockets.path("unused"));
    settings.endpoints = vec![Endpoint::Http {
        host: "127.0.0.1".to_owned(),
        port,
    }];
    let host = Host::ready(&[settings]).await;
    host.receive().await.unwrap();
    assert_eq!(running.calls().len(), 1);
    forwarding.abort();
}

#[tokio::test]
async fn each_shard_has_sessions_of_its_own() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let host = Host::start(&[service("s", &sockets.path("s"))]);
    let second = host.hooks.shard(&Handle::current());
    host.hooks.ready().await.unwrap();
    assert_eq!(running.seen.lock().unwrap().hellos.len(), 2);
    let mut query = query();
    second
        .for_packet()
        .call(Pkt4Receive { query: &mut query })
        .await
        .unwrap();
    drop(second);
    eventually("its session ends with Bye", || {
        running.seen.lock().unwrap().byes == 1
    })
    .await;
    host.receive().await.unwrap();
    assert_eq!(running.calls().len(), 2);
}

#[tokio::test]
async fn draining_lets_open_calls_finish_and_says_bye() {
    let sockets = Sockets::new();
    let slow = Script::new(&[POINT], |_| {
        Answer::After(
            Duration::from_millis(100),
            Outcome::Result(v1::CalloutResult::default()),
        )
    });
    let running = Service::start(&sockets.path("s"), slow);
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let mut call = Box::pin(host.receive());
    assert!(
        tokio::time::timeout(Duration::from_millis(30), &mut call)
            .await
            .is_err()
    );
    let drained = host.hooks.drain(Duration::from_secs(5));
    let (step, ()) = tokio::join!(call, drained);
    assert_eq!(step, Ok(Step::Run));
    assert!(
        host.counters().failures.is_empty(),
        "{:?}",
        host.counters().failures
    );
    assert_eq!(running.seen.lock().unwrap().byes, 1);
    host.receive().await.unwrap();
    assert_eq!(
        host.counters().failed(Cause::Unavailable),
        1,
        "no new calls"
    );
}

#[tokio::test]
async fn replaced_hooks_make_every_call_of_the_packets_that_have_them_and_then_say_bye() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let Host { hooks, shard } = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let retired = hooks.retire(Duration::from_secs(60));
    let packet = async move {
        for _ in 0..3 {
            let mut query = query();
            let call = Pkt4Receive { query: &mut query };
            assert_eq!(shard.for_packet().call(call).await, Ok(Step::Run));
        }
        drop(shard);
    };
    tokio::time::timeout(Duration::from_secs(30), async {
        // The first poll of `retired` comes before the packet's first call.
        tokio::join!(biased; retired, packet)
    })
    .await
    .unwrap();
    assert!(hooks.counters().remove(0).failures.is_empty());
    let seen = running.seen.lock().unwrap();
    assert_eq!((seen.calls.len(), seen.byes), (3, 1));
}

#[tokio::test]
async fn draining_does_not_wait_longer_than_it_may() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    let _thaw = running.freeze();
    let began = std::time::Instant::now();
    host.hooks.drain(Duration::from_millis(100)).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn the_last_accepted_load_says_what_is_called() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), quiet());
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    assert!(host.shard.is_called(POINT));
    drop(running);
    let other = Script {
        load: std::sync::Arc::new(|_| {
            v1::load_reply::Result::Loaded(loaded(&[HookPoint::Subnet4Select]))
        }),
        ..quiet()
    };
    let _running = Service::start(&sockets.path("s"), other);
    eventually("the new subscription counts", || {
        !host.shard.is_called(POINT)
    })
    .await;
    assert!(host.shard.is_called(HookPoint::Subnet4Select));
}

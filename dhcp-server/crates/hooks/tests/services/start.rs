//! `at-start`, refusals, and peers that do not speak the protocol.

use crate::host::{Host, Sockets, eventually, service};
use crate::service::{Script, Service, goes_on, loaded};
use outrigger_config::model::{AtStart, Endpoint, HookService};
use outrigger_hooks::Step;
use outrigger_proto::{HookPoint, v1};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use v1::load_reply::Result as LoadResult;

const POINT: HookPoint = HookPoint::Pkt4Receive;

fn at_start(sockets: &Sockets, at_start: AtStart) -> HookService {
    HookService {
        at_start,
        ..service("s", &sockets.path("s"))
    }
}

/// Refuses `times`, then accepts.
fn refuses(times: usize) -> Script {
    Script {
        load: Arc::new(move |n| {
            if n < times {
                LoadResult::Refusal(v1::Refusal {
                    text: "no registry at /etc/registry".to_owned(),
                })
            } else {
                LoadResult::Loaded(loaded(&[POINT]))
            }
        }),
        callout: Arc::new(|_| goes_on()),
    }
}

#[tokio::test]
async fn wait_waits_through_refusals_until_the_service_accepts() {
    let sockets = Sockets::new();
    let running = Service::start(&sockets.path("s"), refuses(3));
    let host = Host::ready(&[at_start(&sockets, AtStart::Wait)]).await;
    assert_eq!(running.seen.lock().unwrap().loads.len(), 4);
    assert_eq!(host.receive().await, Ok(Step::Run));
    assert_eq!(running.calls().len(), 1);
}

#[tokio::test]
async fn refuse_tells_what_the_service_said() {
    let sockets = Sockets::new();
    let _running = Service::start(&sockets.path("s"), refuses(usize::MAX));
    let host = Host::start(&[at_start(&sockets, AtStart::Refuse)]);
    let refused = host.hooks.ready().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "hook service s is not ready: it refuses: no registry at /etc/registry"
    );
}

#[tokio::test(start_paused = true)]
async fn refuse_gives_an_absent_service_five_seconds() {
    let sockets = Sockets::new();
    let began = tokio::time::Instant::now();
    let host = Host::start(&[at_start(&sockets, AtStart::Refuse)]);
    let refused = host.hooks.ready().await.unwrap_err();
    assert!(refused.why.contains("No such file"), "{}", refused.why);
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn refuse_accepts_a_service_that_comes_in_time() {
    let sockets = Sockets::new();
    let host = Host::start(&[at_start(&sockets, AtStart::Refuse)]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _running = Service::start(&sockets.path("s"), refuses(0));
    assert_eq!(host.hooks.ready().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn wait_waits_for_ever_and_serve_not_at_all() {
    let sockets = Sockets::new();
    let waits = Host::start(&[at_start(&sockets, AtStart::Wait)]);
    let hour = Duration::from_secs(3600);
    assert!(
        tokio::time::timeout(hour, waits.hooks.ready())
            .await
            .is_err()
    );
    let serves = Host::start(&[at_start(&sockets, AtStart::Serve)]);
    assert_eq!(serves.hooks.ready().await, Ok(()));
}

#[tokio::test]
async fn a_service_of_another_protocol_version_is_not_used() {
    let sockets = Sockets::new();
    let newer = refuses(0).with_loaded(|loaded| loaded.protocol_version = 2);
    let _running = Service::start(&sockets.path("s"), newer);
    let host = Host::start(&[at_start(&sockets, AtStart::Refuse)]);
    let refused = host.hooks.ready().await.unwrap_err();
    assert!(refused.why.contains("version 2"), "{}", refused.why);
}

#[tokio::test]
async fn subscriptions_that_cannot_be_served_do_not_keep_a_service_out() {
    let sockets = Sockets::new();
    let odd = refuses(0).with_loaded(|loaded| {
        for hook_point in [
            99,
            HookPoint::Pkt6Receive.number().into(),
            POINT.number().into(),
        ] {
            loaded.subscriptions.push(v1::Subscription {
                hook_point,
                reads: vec!["pony".to_owned()],
                writes: vec!["pony".to_owned()],
            });
        }
        loaded.subscriptions.push(v1::Subscription {
            hook_point: HookPoint::Host4Identifier.number().into(),
            ..Default::default()
        });
    });
    let running = Service::start(&sockets.path("s"), odd);
    let host = Host::ready(&[at_start(&sockets, AtStart::Wait)]).await;
    host.receive().await.unwrap();
    assert_eq!(
        running.calls().len(),
        1,
        "the second subscription to a hook point is ignored"
    );
}

/// Listens where a service should and answers with garbage; connections are counted.
async fn garbage(path: &std::path::Path, bytes: Vec<u8>) -> Arc<std::sync::atomic::AtomicUsize> {
    let listener = UnixListener::bind(path).unwrap();
    let connections = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let _ = stream.write_all(&bytes).await;
            let mut sink = vec![0; 1024];
            while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        }
    });
    connections
}

#[tokio::test]
async fn a_peer_that_speaks_garbage_is_tried_again_and_harms_nobody() {
    let answers: [Vec<u8>; 4] = [
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        vec![0xff; 4096],
        // A valid SETTINGS frame, then a frame that is longer than allowed.
        [&[0, 0, 0, 4, 0, 0, 0, 0, 0][..], &[0xff; 64][..]].concat(),
        (0..=255).cycle().take(20_000).collect(),
    ];
    for bytes in answers {
        let sockets = Sockets::new();
        let connections = garbage(&sockets.path("s"), bytes).await;
        let good = Service::start(&sockets.path("good"), refuses(0));
        let mut settings = at_start(&sockets, AtStart::Wait);
        settings
            .endpoints
            .push(Endpoint::Unix(sockets.path("good")));
        let host = Host::ready(&[settings]).await;
        eventually("it is tried again", || {
            connections.load(std::sync::atomic::Ordering::Relaxed) >= 2
        })
        .await;
        host.receive().await.unwrap();
        assert_eq!(good.calls().len(), 1);
        assert!(host.counters().failures.is_empty());
    }
}

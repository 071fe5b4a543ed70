//! Services that are taken out of the path of packets, and back in.

use crate::host::{Host, Sockets, eventually, named, query, server_info, service};
use crate::service::{Script, Service, goes_on, result};
use outrigger_config::model::OnFailure;
use outrigger_hooks::callouts::v4::Pkt4Receive;
use outrigger_hooks::{HookLimits, Hooks, Step, UnknownService};
use outrigger_proto::{Family, HookPoint, NextStep, v1};
use std::time::Duration;
use tokio::runtime::Handle;

const POINT: HookPoint = HookPoint::Pkt4Receive;

fn limits() -> HookLimits {
    HookLimits {
        budget: Duration::from_secs(10),
        parked_packets: 256,
    }
}

#[tokio::test]
async fn a_service_out_of_the_path_is_not_called_and_comes_back_at_once() {
    let sockets = Sockets::new();
    let drops = Script::new(&[POINT], |_| {
        result(v1::CalloutResult {
            next_step: Some(NextStep::Drop as i32),
            ..Default::default()
        })
    })
    .with_loaded(|loaded| loaded.commands = vec!["c".to_owned()]);
    let running = Service::start(&sockets.path("s"), drops);
    let host = Host::ready(&[service("s", &sockets.path("s"))]).await;
    assert!(host.receive().await.is_err());

    assert_eq!(host.hooks.set_enabled(Some("s"), false), Ok(1));
    assert_eq!(
        host.hooks.set_enabled(Some("s"), false),
        Ok(0),
        "it is so already"
    );
    assert_eq!(host.receive().await, Ok(Step::Run));
    assert!(!host.shard.is_called(POINT) && host.shard.commands().is_empty());
    assert_eq!(host.shard.for_lifecycle().command("c", "{}").await, None);
    let state = host.hooks.states().remove(0);
    assert!(
        !state.enabled && state.ready,
        "it stays connected: {state:?}"
    );
    assert_eq!(running.calls().len(), 1);

    assert_eq!(host.hooks.set_enabled(None, true), Ok(1));
    assert!(host.receive().await.is_err());
    let unknown = host.hooks.set_enabled(Some("other"), false);
    assert_eq!(unknown, Err(UnknownService("other".to_owned())));
}

#[tokio::test]
async fn nobody_waits_for_a_service_that_starts_out_of_the_path_and_its_policy_does_not_hold() {
    let sockets = Sockets::new();
    let mut settings = service("s", &sockets.path("s"));
    settings.hook_points = vec![named(POINT, Some(OnFailure::Drop))];
    let out = ["s".to_owned()];
    let hooks = Hooks::start(Family::V4, &[settings], limits(), server_info(), &out);
    let shard = hooks.shard(&Handle::current());
    hooks.ready().await.unwrap();
    let mut query = query();
    let callout = Pkt4Receive { query: &mut query };
    assert_eq!(shard.for_packet().call(callout).await, Ok(Step::Run));
    let state = hooks.states().remove(0);
    assert!(!state.enabled && !state.ready);

    hooks.set_enabled(None, true).unwrap();
    let callout = Pkt4Receive { query: &mut query };
    assert!(
        shard.for_packet().call(callout).await.is_err(),
        "now it does"
    );
}

#[tokio::test]
async fn states_tell_how_each_service_is() {
    let sockets = Sockets::new();
    let _running = Service::start(&sockets.path("a"), Script::new(&[POINT], |_| goes_on()));
    let settings = ["a", "b"].map(|name| service(name, &sockets.path(name)));
    let hooks = Hooks::start(Family::V4, &settings, limits(), server_info(), &[]);
    let _shard = hooks.shard(&Handle::current());
    let known = || {
        let states = hooks.states();
        states[0].ready && states[1].why.is_some()
    };
    eventually("one is ready and the other is not reached", known).await;
    let [a, b] = hooks.states().try_into().unwrap();
    assert_eq!((a.name.as_str(), a.connections, a.why), ("a", 1, None));
    assert_eq!((b.ready, b.connections, b.enabled), (false, 0, true));
    let path = sockets.path("b");
    assert_eq!(b.endpoints, [format!("unix:{}", path.display())]);
}

#[tokio::test]
async fn a_service_is_told_where_it_reaches_the_servers_api() {
    let sockets = Sockets::new();
    let paths = ["a", "b"].map(|name| sockets.path(name));
    let scripts = paths
        .each_ref()
        .map(|path| Service::start(path, Script::new(&[POINT], |_| goes_on())));
    let settings = ["a", "b"].map(|name| service(name, &sockets.path(name)));
    let api = v1::ServerApi {
        endpoint: "unix:/run/api.sock".to_owned(),
        token: "secret".to_owned(),
        grants: vec!["leases:read".to_owned()],
    };
    let mut info = server_info();
    info.server_apis.insert("b".to_owned(), api.clone());
    let hooks = Hooks::start(Family::V4, &settings, limits(), info, &[]);
    let _shard = hooks.shard(&Handle::current());
    hooks.ready().await.unwrap();
    let told = scripts.map(|service| service.seen.lock().unwrap().loads[0].server_api.clone());
    assert_eq!(told, [None, Some(api)]);
}

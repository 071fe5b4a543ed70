//! Several callouts at one hook point, and one service at several.

use crate::host::{Host, Sockets, query, service};
use crate::service::{Script, Service, goes_on, result};
use bytes::Bytes;
use outrigger_hooks::callouts::v4::{Lease4Release, Lease4Select, Pkt4Receive, Subnet4Select};
use outrigger_hooks::{Callout, Cause, DropReason, Reads, Refused, Step};
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_store::{Lease, LeaseState};
use outrigger_wire::family::Owner4;
use outrigger_wire::{HwAddress, V4};
use std::cell::Cell;
use std::net::Ipv4Addr;

fn step(next: NextStep) -> v1::CalloutResult {
    v1::CalloutResult {
        next_step: Some(next as i32),
        ..Default::default()
    }
}

fn query_changes(changes: v1::Packet4Changes) -> v1::CalloutResult {
    v1::CalloutResult {
        changes: Some(v1::Changes {
            query4: Some(changes),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn joins(class: &str) -> v1::CalloutResult {
    query_changes(v1::Packet4Changes {
        add_classes: vec![class.to_owned()],
        ..Default::default()
    })
}

fn lease() -> Lease<V4> {
    Lease {
        resource: Ipv4Addr::new(192, 0, 2, 10),
        owner: Owner4 {
            hw_address: HwAddress::new(1, &[2, 3, 4, 5, 6, 7]).unwrap(),
            client_id: None,
        },
        subnet_id: 1,
        pool_id: 0,
        state: LeaseState::Default,
        cltt: 1_700_000_000,
        valid_lifetime: 3600,
        preferred_lifetime: 0,
        hostname: "".into(),
        fqdn_fwd: false,
        fqdn_rev: false,
        hw_address: HwAddress::EMPTY,
        user_context: "".into(),
    }
}

#[tokio::test]
async fn a_service_that_decides_nothing_leaves_what_was_decided() {
    let sockets = Sockets::new();
    let points = [HookPoint::Lease4Select];
    let decides = Script::new(&points, |_| result(step(NextStep::Skip)));
    let _a = Service::start(&sockets.path("a"), decides);
    let b = Service::start(&sockets.path("b"), Script::new(&points, |_| goes_on()));
    let services = ["a", "b"].map(|name| service(name, &sockets.path(name)));
    let host = Host::ready(&services).await;
    let (mut query, mut lease) = (query(), lease());
    let mut hooks = host.shard.for_packet();
    let callout = Lease4Select {
        query: &mut query,
        subnet_id: 1,
        fake_allocation: false,
        offer_lifetime: 0,
        lease: &mut lease,
        claim: &mut |_| Ok(()),
    };
    assert_eq!(hooks.call(callout).await, Ok(Step::Skip));
    assert_eq!(b.calls()[0].status, NextStep::Skip as i32);
}

#[tokio::test]
async fn services_run_in_configured_order_and_the_last_step_counts() {
    let sockets = Sockets::new();
    let points = [HookPoint::Pkt4Receive];
    let first = Script::new(&points, |_| {
        result(v1::CalloutResult {
            next_step: Some(NextStep::Drop as i32),
            ..joins("gold")
        })
    });
    let _a = Service::start(&sockets.path("a"), first);
    let b = Script::new(&points, |_| result(step(NextStep::Continue)));
    let b = Service::start(&sockets.path("b"), b);
    let services = [
        service("a", &sockets.path("a")),
        service("b", &sockets.path("b")),
    ];
    let host = Host::ready(&services).await;

    let mut query = query();
    let mut hooks = host.shard.for_packet();
    let step = hooks.call(Pkt4Receive { query: &mut query }).await;
    assert_eq!(step, Ok(Step::Run), "b took back what a said");
    assert!(query.classes.contains("gold"));
    let seen = &b.calls()[0];
    assert_eq!(seen.status, NextStep::Drop as i32);
    assert_eq!(seen.configuration_revision, 7);
    assert_eq!(
        seen.packet_label,
        "[hwtype=1 02:03:04:05:06:07], cid=[01:02:03:04:05:06:07], tid=0x12345678"
    );
    assert!(seen.budget_us > 1_000_000 && seen.budget_us <= 5_000_000);
    let Some(Point::Pkt4Receive(arguments)) = seen.arguments.clone().and_then(|all| all.point)
    else {
        panic!("arguments of another hook point: {seen:?}");
    };
    let packet = arguments.query.unwrap();
    assert_eq!(packet.classes, ["ALL", "gold"], "b sees what a changed");
    assert_eq!(
        (packet.transaction_id, packet.secs, packet.message_type),
        (0x1234_5678, 3, 1)
    );
    assert_eq!(
        packet
            .options
            .iter()
            .map(|option| option.code)
            .collect::<Vec<_>>(),
        [53, 61, 55, 82]
    );
    assert_eq!(packet.link.unwrap().interface, "eth0");
}

#[tokio::test]
async fn the_service_that_drops_is_named() {
    let sockets = Sockets::new();
    let points = [HookPoint::Pkt4Receive];
    let _a = Service::start(&sockets.path("a"), Script::new(&points, |_| goes_on()));
    let skips = Script::new(&points, |_| result(step(NextStep::Skip)));
    let _b = Service::start(&sockets.path("b"), skips);
    let services = [
        service("a", &sockets.path("a")),
        service("b", &sockets.path("b")),
    ];
    let dropped = Host::ready(&services).await.receive().await.unwrap_err();
    let service = "b".into();
    assert_eq!(dropped.reason, DropReason::Decision { service });
    assert_eq!(
        dropped.to_string(),
        "hook service b drops the packet at pkt4_receive"
    );
}

#[tokio::test]
async fn each_service_gets_its_own_context_back() {
    let sockets = Sockets::new();
    let points = [HookPoint::Pkt4Receive, HookPoint::Subnet4Select];
    let keeps = |context: &'static [u8]| {
        Script::new(&points, move |call| {
            let first = call.hook_point == i32::from(HookPoint::Pkt4Receive.number());
            result(v1::CalloutResult {
                context: first.then_some(Bytes::from_static(context)),
                ..Default::default()
            })
        })
    };
    let a = Service::start(&sockets.path("a"), keeps(b"of a"));
    let b = Service::start(&sockets.path("b"), keeps(b"of b"));
    let services = [
        service("a", &sockets.path("a")),
        service("b", &sockets.path("b")),
    ];
    let host = Host::ready(&services).await;

    let (mut query, mut subnet_id) = (query(), Some(1));
    let mut hooks = host.shard.for_packet();
    hooks.call(Pkt4Receive { query: &mut query }).await.unwrap();
    for _ in 0..2 {
        let subnet = Subnet4Select {
            query: &mut query,
            subnet_id: &mut subnet_id,
            subnet_ids: &[1, 2],
        };
        hooks.call(subnet).await.unwrap();
    }
    for (service, context) in [(a, "of a"), (b, "of b")] {
        let contexts: Vec<_> = service
            .calls()
            .iter()
            .map(|call| call.context.clone())
            .collect();
        assert_eq!(contexts, ["", context, context]);
    }
}

#[tokio::test]
async fn a_reply_with_one_bad_change_changes_nothing() {
    let sockets = Sockets::new();
    let into_nothing = v1::OptionEdit {
        path: vec![43, 1],
        data: Bytes::from_static(b"x"),
        ..Default::default()
    };
    let good = v1::OptionEdit {
        path: vec![12],
        data: Bytes::from_static(b"name"),
        ..Default::default()
    };
    let edits = vec![good, into_nothing];
    let script = Script::new(&[HookPoint::Pkt4Receive], move |_| {
        result(query_changes(v1::Packet4Changes {
            options: edits.clone(),
            secs: Some(99),
            add_classes: vec!["gold".to_owned()],
            ..Default::default()
        }))
    });
    let _a = Service::start(&sockets.path("a"), script);
    let host = Host::ready(&[service("a", &sockets.path("a"))]).await;
    let mut changed = query();
    let step = host
        .shard
        .for_packet()
        .call(Pkt4Receive {
            query: &mut changed,
        })
        .await;
    assert_eq!(step, Ok(Step::Run));
    assert_eq!(changed.packet, query().packet);
    assert_eq!(changed.classes, query().classes);
    assert_eq!(host.counters().failed(Cause::RefusedChange), 1);
}

#[tokio::test]
async fn what_may_change_does_not_grant_is_refused() {
    let sockets = Sockets::new();
    let script = Script::new(&[HookPoint::Pkt4Receive], |_| result(joins("gold")));
    let _a = Service::start(&sockets.path("a"), script);
    let mut settings = service("a", &sockets.path("a"));
    settings.may_change = Some(vec![("query.options".to_owned(), crate::host::position())]);
    let host = Host::ready(&[settings]).await;
    let mut query = query();
    let step = host
        .shard
        .for_packet()
        .call(Pkt4Receive { query: &mut query })
        .await;
    assert_eq!(step, Ok(Step::Run));
    assert!(!query.classes.contains("gold"));
    assert_eq!(host.counters().failed(Cause::RefusedChange), 1);
}

#[tokio::test]
async fn an_address_is_claimed_before_the_lease_changes() {
    let sockets = Sockets::new();
    let chosen = Ipv4Addr::new(192, 0, 2, 77);
    let script = Script::new(&[HookPoint::Lease4Select], move |_| {
        result(v1::CalloutResult {
            next_step: Some(NextStep::Drop as i32),
            changes: Some(v1::Changes {
                lease: Some(v1::LeaseChanges {
                    address: Some(Bytes::copy_from_slice(&chosen.octets())),
                    valid_lifetime: Some(60),
                    hostname: Some("PC.Example".to_owned()),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        })
    });
    let _a = Service::start(&sockets.path("a"), script);
    let host = Host::ready(&[service("a", &sockets.path("a"))]).await;
    for (verdict, expected) in [(Ok(()), chosen), (Err("is in use"), lease().resource)] {
        let (mut query, mut lease, mut asked) = (query(), lease(), Vec::new());
        let mut claim = |address| {
            asked.push(address);
            verdict
        };
        let select = Lease4Select {
            query: &mut query,
            subnet_id: 1,
            fake_allocation: false,
            offer_lifetime: 0,
            lease: &mut lease,
            claim: &mut claim,
        };
        let step = host.shard.for_packet().call(select).await;
        assert_eq!(step, Ok(Step::Run), "DROP has no effect here");
        assert_eq!(asked, [chosen]);
        assert_eq!(lease.resource, expected);
        assert_eq!(
            lease.valid_lifetime,
            if verdict.is_ok() { 60 } else { 3600 }
        );
        assert_eq!(
            &*lease.hostname,
            if verdict.is_ok() { "pc.example" } else { "" }
        );
    }
    assert_eq!(host.counters().unsupported_steps, 1);
    assert_eq!(host.counters().failed(Cause::RefusedChange), 1);
}

#[tokio::test]
async fn drop_means_what_the_table_says_at_each_hook_point() {
    let sockets = Sockets::new();
    let script = Script::new(&[HookPoint::Lease4Release], |_| {
        result(step(NextStep::Drop))
    });
    let _a = Service::start(&sockets.path("a"), script);
    let host = Host::ready(&[service("a", &sockets.path("a"))]).await;
    let release = Lease4Release {
        query: &mut query(),
        subnet_id: 1,
        lease: &lease(),
    };
    let step = host.shard.for_packet().call(release).await;
    assert_eq!(
        step,
        Ok(Step::Skip),
        "the lease stays; there is no reply to drop"
    );
}

#[tokio::test]
async fn warnings_count_and_the_result_too() {
    let sockets = Sockets::new();
    let script = Script::new(&[HookPoint::Pkt4Receive], |_| {
        result(v1::CalloutResult {
            warning: "the registry is stale".to_owned(),
            ..joins("gold")
        })
    });
    let _a = Service::start(&sockets.path("a"), script);
    let host = Host::ready(&[service("a", &sockets.path("a"))]).await;
    let mut query = query();
    host.shard
        .for_packet()
        .call(Pkt4Receive { query: &mut query })
        .await
        .unwrap();
    assert!(query.classes.contains("gold"));
    assert_eq!(
        (
            host.counters().warnings,
            host.counters().resulted(NextStep::Continue)
        ),
        (1, 1)
    );
}

/// Counts how often its arguments are encoded.
struct Counted<'a>(&'a Cell<usize>);

impl Callout for Counted<'_> {
    const POINT: HookPoint = HookPoint::Pkt4Receive;

    fn label(&self) -> String {
        String::new()
    }

    fn encode(&self, _reads: &Reads) -> Bytes {
        self.0.set(self.0.get() + 1);
        Bytes::new()
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        Ok(())
    }
}

#[tokio::test]
async fn arguments_are_encoded_again_only_after_a_change() {
    let sockets = Sockets::new();
    let points = [HookPoint::Pkt4Receive];
    let quiet = || Script::new(&points, |_| goes_on());
    let scripts = [
        quiet(),
        quiet(),
        Script::new(&points, |_| result(joins("gold"))),
        quiet(),
    ];
    let paths: Vec<_> = (0..scripts.len())
        .map(|n| sockets.path(&n.to_string()))
        .collect();
    let running = paths
        .iter()
        .zip(scripts)
        .map(|(path, script)| Service::start(path, script));
    let _running: Vec<_> = running.collect();
    let services: Vec<_> = paths.iter().map(|path| service("s", path)).collect();
    let host = Host::ready(&services).await;
    let encoded = Cell::new(0);
    host.shard
        .for_packet()
        .call(Counted(&encoded))
        .await
        .unwrap();
    assert_eq!(
        encoded.get(),
        2,
        "once for the first three, once after the change"
    );
}

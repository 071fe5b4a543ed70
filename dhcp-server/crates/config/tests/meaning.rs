//! What configurations mean.

use outrigger_config::model::{AtStart, Config, Endpoint, OnFailure, Server, SubnetId, Triplet};
use outrigger_config::{Loaded, load, load_text};
use outrigger_wire::{V4, V6};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn shown(loaded: &Loaded) -> String {
    let lines: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn v4(body: &str) -> Arc<Server<V4>> {
    let loaded = load_text("test", &format!("{{ \"Dhcp4\": {{ {body} }} }}"));
    match loaded.config {
        Some(Config::V4(server)) => server,
        _ => panic!("{}", shown(&loaded)),
    }
}

fn v6(body: &str) -> Arc<Server<V6>> {
    let loaded = load_text("test", &format!("{{ \"Dhcp6\": {{ {body} }} }}"));
    match loaded.config {
        Some(Config::V6(server)) => server,
        _ => panic!("{}", shown(&loaded)),
    }
}

fn example6(name: &str) -> Arc<Server<V6>> {
    let loaded = load(&Path::new("tests/examples").join(name));
    match loaded.config {
        Some(Config::V6(server)) => server,
        _ => panic!("{}", shown(&loaded)),
    }
}

#[test]
fn the_demo_has_two_subnets_a_vendor_option_and_a_hook_service() {
    let server = example6("two-subnets-and-a-hook-service.json");
    let ids: Vec<_> = server.subnets.iter().map(|subnet| subnet.id).collect();
    assert_eq!(ids, [SubnetId(1), SubnetId(2)]);
    assert_eq!(server.subnets[0].interface.as_deref(), Some("srv0"));
    assert_eq!(
        server.subnets[0].own.preferred_lifetime,
        Triplet {
            min: 300,
            default: 300,
            max: 300
        }
    );
    assert_eq!(server.subnets[0].timers.renew_timer, Some(100));

    let [vendor] = &server.options.vendor[..] else {
        panic!("{:?}", server.options)
    };
    assert_eq!((vendor.enterprise, vendor.option.code), (4491, 33));
    assert_eq!(&*vendor.option.payload, b"/tmp/bootfile-from-config");

    let [service] = &server.hook_services[..] else {
        panic!("{:?}", server.hook_services)
    };
    assert_eq!(
        service.endpoints,
        [Endpoint::Unix("/run/outrigger/user-chk.sock".into())]
    );
    assert_eq!(service.deadline, Duration::from_millis(50));
    assert_eq!(
        (service.at_start, &service.on_failure),
        (AtStart::Wait, &None)
    );
    assert_eq!(
        service.parameters,
        serde_json::json!({ "restricted-subnet-id": 2 })
    );
    let [point] = &service.hook_points[..] else {
        panic!("{:?}", service.hook_points)
    };
    assert_eq!(
        (point.name.as_str(), point.deadline),
        ("subnet6_select", Some(Duration::from_millis(20)))
    );
    assert_eq!(
        point.on_failure.as_ref().map(|policy| policy.0),
        Some(OnFailure::Drop)
    );
    assert_eq!(server.hook_budget, Duration::from_millis(400));
}

//! Hook points of the DHCPv6 page with a real service.

use crate::common::{Page6, Service, changes, goes_on, says};
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_server::telemetry::DiscardReason;
use outrigger_store::LeaseState;
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Ia, IaKind, Reply6Seen};
use outrigger_wire::family::Resource6;
use std::net::Ipv6Addr;

mod chosen;
mod held;
mod identifiers;
mod leases;
mod names;
mod parsed;
mod registrations;
mod told;
mod ways;

/// Sixteen addresses and sixteen prefixes on `eth0`.
const NET: &str = r#"
    "valid-lifetime": 1000, "preferred-lifetime": 600, "renew-timer": 200, "rebind-timer": 400,
    "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                   "pools": [ { "pool": "2001:db8:1::10-2001:db8:1::1f" } ],
                   "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 60, "delegated-len": 64 } ] } ]"#;

fn client(number: u8, ias: &[Ia]) -> Client6 {
    Client6::new(Client6::duid_ll([2, 0, 0, 0, 0, number]), ias.to_vec())
}

fn wants_address(number: u8) -> Client6 {
    client(number, &[Ia::na(1)])
}

fn addr(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, last)
}

fn only_address(reply: &Reply6Seen) -> Ipv6Addr {
    let addresses: Vec<_> = reply.addresses().map(|seen| seen.address).collect();
    assert_eq!(addresses.len(), 1, "{reply:?}");
    addresses[0]
}

/// A page with a service that wants `points`.
fn hooked(
    members: &str,
    points: &[HookPoint],
    callout: impl Fn(&Point) -> v1::CalloutResult + Send + Sync + 'static,
) -> (Service, Page6) {
    let service = Service::start(points, callout);
    let page = Page6::new(&format!("{members}, {}", service.member()));
    (service, page)
}

/// A reply with these changes of the response.
fn response(response6: v1::Packet6Changes) -> v1::CalloutResult {
    changes(v1::Changes {
        response6: Some(response6),
        ..Default::default()
    })
}

/// Sets an option.
fn set(code: u32, data: &[u8]) -> v1::OptionEdit {
    v1::OptionEdit {
        action: v1::option_edit::Action::Set.into(),
        path: vec![code],
        enterprise: 0,
        data: data.to_vec().into(),
    }
}

//! Hook points of the DHCPv4 page with a real service.

use crate::common::{Page4, Service, changes, goes_on, says};
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_server::telemetry::DiscardReason;
use outrigger_testkit::Client4;
use outrigger_testkit::client4::message;
use std::net::Ipv4Addr;

mod held;
mod identifiers;
mod names;
mod parsed;
mod told;
mod ways;

/// Ten addresses on `eth0`.
const NET: &str = r#"
    "valid-lifetime": 1000,
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ] } ]"#;

fn client(number: u8) -> Client4 {
    Client4::new([2, 0, 0, 0, 0, number])
}

fn addr(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

/// A page with a service that wants `points`.
fn hooked(
    members: &str,
    points: &[HookPoint],
    callout: impl Fn(&Point) -> v1::CalloutResult + Send + Sync + 'static,
) -> (Service, Page4) {
    let service = Service::start(points, callout);
    let page = Page4::new(&format!("{members}, {}", service.member()));
    (service, page)
}

/// A reply with these changes of the query.
fn query(query4: v1::Packet4Changes) -> v1::CalloutResult {
    changes(v1::Changes {
        query4: Some(query4),
        ..Default::default()
    })
}

/// A reply with these changes of the response.
fn response(response4: v1::Packet4Changes) -> v1::CalloutResult {
    changes(v1::Changes {
        response4: Some(response4),
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

//! The pages say when each hook point is called; and one without subscribers is not felt.

use crate::common::{Page4, Page6, RELAY4, SERVER4, at4, at6};
use outrigger_proto::{Family, HookPoint};
use outrigger_server::served::Served;
use outrigger_testkit::{Client4, Client6, Ia};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::{Datagram, V4, V6};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Points of the server's own life and of commands: no packet meets them.
const OF_LIFE: [HookPoint; 6] = [
    HookPoint::Dhcp4SrvConfigured,
    HookPoint::Cb4Updated,
    HookPoint::Dhcp6SrvConfigured,
    HookPoint::Cb6Updated,
    HookPoint::CommandProcessed,
    HookPoint::Command,
];

/// Kea's order: what one packet may meet, alternatives in the order of its message types. Identifiers are asked for before
/// or after the subnet is selected, names before and perhaps again after a lease was found.
const ORDER4: [&str; 18] = [
    "Buffer4Receive",
    "Pkt4Receive",
    "Host4Identifier",
    "Subnet4Select",
    "Host4Identifier",
    "Ddns4Update",
    "Lease4Expire",
    "Lease4Recover",
    "Lease4Renew",
    "Lease4Select",
    "Ddns4Update",
    "Lease4Release",
    "Lease4Decline",
    "Lease4Offer",
    "Lease4ServerDecline",
    "Leases4Committed",
    "Pkt4Send",
    "Buffer4Send",
];

const ORDER6: [&str; 18] = [
    "Buffer6Receive",
    "Pkt6Receive",
    "Host6Identifier",
    "Subnet6Select",
    "Host6Identifier",
    "Ddns6Update",
    "Lease6Expire",
    "Lease6Recover",
    "Lease6Renew",
    "Lease6Rebind",
    "Lease6Select",
    "Lease6Release",
    "Lease6Decline",
    "Ddns6Update",
    "Addr6Register",
    "Leases6Committed",
    "Pkt6Send",
    "Buffer6Send",
];

const PAGE4: &str = include_str!("../src/pipeline/v4.rs");
const PAGE6: &str = include_str!("../src/pipeline/v6.rs");

/// The text of a method, to its closing brace.
fn method<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let plain = page.find(&format!("fn {name}("));
    let start = plain.or_else(|| page.find(&format!("fn {name}<")))?;
    let text = &page[start..];
    text.split("\n    }\n").next()
}

/// The callout that is made here: every one is a struct of `callouts::v4` or `callouts::v6`, written out where it is
/// called.
fn callout_at(text: &str) -> Option<String> {
    if !text.starts_with(char::is_uppercase) {
        return None;
    }
    let of_packets = HookPoint::ALL
        .iter()
        .filter(|point| point.spec().family.is_some());
    let mut names = of_packets.map(|point| format!("{point:?}"));
    names.find(|name| {
        let rest = text.strip_prefix(name.as_str());
        rest.is_some_and(|rest| rest.starts_with(" {"))
    })
}

/// The callouts of a method and of those that it calls, in the order of the text.
fn callouts(page: &str, name: &str) -> Vec<String> {
    let body = method(page, name).unwrap_or_default();
    let mut found = Vec::new();
    for (at, _) in body.char_indices() {
        let rest = &body[at..];
        if let Some(callout) = callout_at(rest) {
            found.push(callout);
        } else if let Some(called) = rest.strip_prefix("self.") {
            let end = called.find(|c: char| !c.is_alphanumeric() && c != '_');
            found.extend(callouts(page, &called[..end.unwrap_or(called.len())]));
        }
    }
    found
}

#[test]
fn page_calls_the_hook_points_once_each_in_keas_order() {
    assert_eq!(callouts(PAGE4, "serve"), ORDER4);
    assert_eq!(callouts(PAGE6, "serve"), ORDER6);
}

#[test]
fn every_hook_point_of_the_table_is_on_its_page_or_known_to_be_missing() {
    for point in HookPoint::ALL {
        let name = format!("{point:?}");
        let on_page = match point.spec().family {
            Some(Family::V4) => ORDER4.contains(&&*name),
            Some(Family::V6) => ORDER6.contains(&&*name),
            None => false,
        };
        assert_ne!(on_page, OF_LIFE.contains(point), "{name}");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The files with calls of these hook points, and how many.
fn callers(points: impl Fn(&HookPoint) -> bool) -> Vec<(String, usize)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut callers: Vec<(String, usize)> = sources(&src)
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let name = path.strip_prefix(&src).unwrap().display().to_string();
            // Every callout is a struct of `callouts`, written out where it is called.
            let callouts = HookPoint::ALL.iter().filter(|point| points(point));
            let calls = callouts.map(|point| text.matches(&format!("{point:?} {{")).count());
            (name, calls.sum::<usize>())
        })
        .filter(|(_, calls)| *calls > 0)
        .collect();
    callers.sort();
    callers
}

#[test]
fn hook_points_are_called_on_the_pages_and_in_upkeep_only() {
    let expected = [
        ("pipeline/v4.rs", 16),
        ("pipeline/v6.rs", 16),
        ("upkeep.rs", 4),
    ];
    assert_eq!(
        callers(|point| !OF_LIFE.contains(point)),
        expected.map(|(name, calls)| (name.to_owned(), calls))
    );
}

/// All but `$command`, which is called by its name.
#[test]
fn hook_points_of_the_servers_life_are_called_where_it_happens() {
    let expected = [("control/hooks.rs", 1), ("server/life.rs", 5)];
    assert_eq!(
        callers(|point| OF_LIFE.contains(point) && *point != HookPoint::Command),
        expected.map(|(name, calls)| (name.to_owned(), calls))
    );
}

fn first_poll<F: Served>(page: &crate::common::Page<F>, datagram: Datagram) -> bool {
    let served = pin!(F::serve(&page.page, &page.cfg, &page.hooks, datagram));
    let polled = served.poll(&mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(served) => served.unwrap().is_some(),
        Poll::Pending => false,
    }
}

/// Nothing is serialized, allocated (`no_allocation.rs`) or awaited at a hook point without subscribers.
#[test]
fn packet_that_nobody_subscribed_to_is_served_by_its_first_poll() {
    let page = Page4::new(
        r#""subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.100/32" } ] } ]"#,
    );
    let bytes = Buffer::copy_of(&Client4::new([2, 0, 0, 0, 0, 1]).discover());
    let link = at4(SERVER4, RELAY4, 68);
    assert!(first_poll::<V4>(&page, Datagram { bytes, link }));

    let page = Page6::new(
        r#""subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
            "rapid-commit": true, "pools": [ { "pool": "2001:db8:1::7/128" } ] } ]"#,
    );
    let mut client = Client6::new(Client6::duid_ll([2, 0, 0, 0, 0, 1]), vec![Ia::na(1)]);
    client.rapid_commit = true;
    let bytes = Buffer::copy_of(&client.solicit());
    let link = at6("ff02::1:2", "fe80::7");
    assert!(first_poll::<V6>(&page, Datagram { bytes, link }));
    assert_eq!(page.leases(), 1);
}

//! Client classes in the life of a DHCPv6 packet.

use crate::common::{Page6, Service, changes, goes_on};
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_server::telemetry::DiscardReason;
use outrigger_testkit::{Client6, Ia, IaKind, Relay6, Reply6Seen};
use std::net::Ipv6Addr;

/// Option codes.
const USER_CLASS: u16 = 15;
const DNS_SERVERS: u16 = 23;

/// Status codes.
const NO_ADDRS_AVAIL: u16 = 2;
const NO_BINDING: u16 = 3;
const NO_PREFIX_AVAIL: u16 = 6;

/// Two subnets on `eth0`, the first for phones only.
const TWO: &str = r#"
    "client-classes": [ { "name": "phone", "test": "option[15].exists" } ],
    "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0", "client-classes": [ "phone" ],
                   "pools": [ { "pool": "2001:db8:1::10-2001:db8:1::1f" } ] },
                 { "id": 2, "subnet": "2001:db8:2::/64", "interface": "eth0",
                   "pools": [ { "pool": "2001:db8:2::10-2001:db8:2::1f" } ] } ]"#;

fn client(number: u8) -> Client6 {
    Client6::new(
        Client6::duid_ll([2, 0, 0, 0, 0, number]),
        vec![Ia::na(1), Ia::pd(1)],
    )
}

fn phone(number: u8) -> Client6 {
    let mut client = client(number);
    client.options.push((USER_CLASS, b"\0\x05phone".to_vec()));
    client
}

/// The only address of an answer.
fn address(reply: &Reply6Seen) -> Option<Ipv6Addr> {
    reply.addresses().next().map(|seen| seen.address)
}

/// The subnet that a client is advertised an address of; 0: of none.
fn advertised(page: &Page6, client: &mut Client6) -> Result<u16, DiscardReason> {
    let advertise = page.ask(&client.solicit())?;
    Ok(address(&advertise).map_or(0, |address| address.segments()[2]))
}

fn statuses(reply: &Reply6Seen) -> Vec<Option<u16>> {
    let ias = reply.ias().iter();
    ias.map(|ia| ia.status.as_ref().map(|status| status.code))
        .collect()
}

fn joins(class: &'static str) -> v1::CalloutResult {
    changes(v1::Changes {
        query6: Some(v1::Packet6Changes {
            add_classes: vec![class.to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// A page whose callout at `at` lets every packet join `class`.
fn joining(members: &str, at: HookPoint, class: &'static str) -> (Service, Page6) {
    let service = Service::start(&[at], move |_| joins(class));
    let page = Page6::new(&format!("{members}, {}", service.member()));
    (service, page)
}

#[test]
fn guarded_subnet_is_passed_over_in_every_way_of_selection() {
    let page = Page6::new(TWO);
    assert_eq!(advertised(&page, &mut client(1)), Ok(2));
    assert_eq!(advertised(&page, &mut phone(2)), Ok(1));
    let relay = |interface_id: Option<&[u8]>| {
        let mut relay = Relay6::new("2001:db8:1::1".parse().unwrap(), "fe80::7".parse().unwrap());
        relay.interface_id = interface_id.map(<[u8]>::to_vec);
        vec![relay]
    };
    let (mut stranger, mut known) = (client(3), phone(4));
    (stranger.relays, known.relays) = (relay(None), relay(None));
    assert_eq!(advertised(&page, &mut stranger), Ok(0));
    assert_eq!(advertised(&page, &mut known), Ok(1));
    let by_port = TWO.replace(r#""interface": "eth0""#, r#""interface-id": "port""#);
    let page = Page6::new(&by_port);
    let (mut stranger, mut known) = (client(5), phone(6));
    (stranger.relays, known.relays) = (relay(Some(b"port")), relay(Some(b"port")));
    assert_eq!(advertised(&page, &mut stranger), Ok(2));
    assert_eq!(advertised(&page, &mut known), Ok(1));
}

#[test]
fn guard_of_a_shared_network_holds_for_its_subnets() {
    let page = Page6::new(
        r#""client-classes": [ { "name": "phone", "test": "option[15].exists" } ],
           "shared-networks": [ { "name": "net", "interface": "eth0", "client-classes": [ "phone" ],
               "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64",
                              "pools": [ { "pool": "2001:db8:1::10/128" } ] } ] } ]"#,
    );
    assert_eq!(advertised(&page, &mut client(1)), Ok(0));
    assert_eq!(advertised(&page, &mut phone(2)), Ok(1));
}

#[test]
fn guarded_pools_of_addresses_and_prefixes_are_for_their_members() {
    let page = Page6::new(
        r#""client-classes": [ { "name": "phone", "test": "option[15].exists" } ],
           "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "pools": [ { "pool": "2001:db8:1::10/128", "client-classes": [ "phone" ] },
                          { "pool": "2001:db8:1::20/128" } ],
               "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 64, "delegated-len": 64,
                               "client-classes": [ "phone" ] },
                             { "prefix": "2001:db8:f001::", "prefix-len": 64, "delegated-len": 64 } ] } ]"#,
    );
    let leased = |client: &mut Client6| {
        let reply = page.lease_to(client);
        let prefix = reply.prefixes().next().unwrap().prefix.segments()[2];
        (address(&reply).unwrap().segments()[7], prefix)
    };
    assert_eq!(leased(&mut client(1)), (0x20, 0xf001));
    assert_eq!(leased(&mut phone(2)), (0x10, 0xf000));
    let refused = page.ask(&client(3).solicit()).unwrap();
    let none_left = [Some(NO_ADDRS_AVAIL), Some(NO_PREFIX_AVAIL)];
    assert_eq!(statuses(&refused), none_left);
}

#[test]
fn class_drop_is_checked_after_the_packet_is_received_and_after_the_host_lookup() {
    let members = |test: &str, host: &str| {
        format!(
            r#""client-classes": [ {{ "name": "DROP", "test": "{test}" }} ],
               "subnet6": [ {{ "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                   "pools": [ {{ "pool": "2001:db8:1::10-2001:db8:1::1f" }} ],
                   "reservations": [ {{ "hw-address": "02:00:00:00:00:07" {host} }} ] }} ]"#
        )
    };
    let points = [HookPoint::Pkt6Receive, HookPoint::Subnet6Select];
    let by_host = members("option[99].exists", r#", "client-classes": [ "DROP" ]"#);
    for (members, dropped, passed, seen) in [
        (members("option[15].exists", ""), phone(7), client(7), 1),
        (members("member('KNOWN')", ""), client(7), client(8), 2),
        (by_host, client(7), client(8), 2),
    ] {
        let service = Service::start(&points, |_| goes_on());
        let page = Page6::new(&format!("{members}, {}", service.member()));
        let (mut dropped, mut passed) = (dropped, passed);
        let answer = advertised(&page, &mut dropped);
        assert_eq!(answer, Err(DiscardReason::DropClass));
        assert_eq!(service.order(), points[..seen]);
        assert_eq!(advertised(&page, &mut passed), Ok(1));
    }
}

#[test]
fn class_reject_gives_a_negative_answer() {
    let leased = {
        let page = Page6::new(TWO);
        page.lease_to(&mut client(1))
    };
    let (_service, page) = joining(TWO, HookPoint::Subnet6Select, "REJECT");
    let mut client = client(1);
    let none_left = [Some(NO_ADDRS_AVAIL), Some(NO_PREFIX_AVAIL)];
    for message in [client.solicit(), client.request(&leased)] {
        assert_eq!(statuses(&page.ask(&message).unwrap()), none_left);
    }
    let renewed = page.ask(&client.renew(&leased)).unwrap();
    assert_eq!(statuses(&renewed), [Some(NO_BINDING); 2]);
    assert_eq!(page.leases(), 0);
}

#[test]
fn known_and_unknown_clients_get_pools_of_their_own() {
    let page = Page6::new(
        r#""subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "pools": [ { "pool": "2001:db8:1::10/128", "client-classes": [ "KNOWN" ] },
                          { "pool": "2001:db8:1::20/128", "client-classes": [ "UNKNOWN" ] } ],
               "reservations": [ { "hw-address": "02:00:00:00:00:07" } ] } ]"#,
    );
    let last = |number| {
        let reply = page.lease_to(&mut client(number));
        address(&reply).unwrap().segments()[7]
    };
    assert_eq!((last(7), last(8)), (0x10, 0x20));
}

/// The DNS server that an option of a scope names.
fn dns(number: u8) -> String {
    format!(r#""option-data": [ {{ "name": "dns-servers", "data": "2001:db8::{number}" }} ]"#)
}

fn dns_of(reply: &Reply6Seen) -> Option<u16> {
    let servers = reply.address_list(DNS_SERVERS)?;
    Some(servers[0].segments()[7])
}

#[test]
fn options_of_classes_stand_between_those_of_the_network_and_the_global_ones() {
    // From the most specific scope: host, pool, subnet, shared network, classes in the order of membership, global.
    let scopes: Vec<String> = (1..=7).map(dns).collect();
    for first in 0..7 {
        let of = |scope: usize| {
            if scope < first {
                "\"comment\": \"\""
            } else {
                &*scopes[scope]
            }
        };
        let page = Page6::new(&format!(
            r#""client-classes": [ {{ "name": "a", "test": "option[15].exists", {} }},
                                   {{ "name": "b", "test": "member('a')", {} }} ],
               {},
               "shared-networks": [ {{ "name": "net", "interface": "eth0", {},
                   "subnet6": [ {{ "id": 1, "subnet": "2001:db8:1::/64", {},
                       "pools": [ {{ "pool": "2001:db8:1::10/128", {} }} ],
                       "reservations": [ {{ "hw-address": "02:00:00:00:00:07", {} }} ] }} ] }} ]"#,
            of(4),
            of(5),
            of(6),
            of(3),
            of(2),
            of(1),
            of(0)
        ));
        let reply = page.lease_to(&mut phone(7));
        assert_eq!(dns_of(&reply).map(usize::from), Some(first + 1));
    }
}

#[test]
fn lifetimes_of_a_class_go_before_those_of_the_subnet() {
    let page = Page6::new(
        r#""client-classes": [
               { "name": "phone", "test": "option[15].exists", "valid-lifetime": 300, "preferred-lifetime": 200 },
               { "name": "later", "test": "member('phone')", "valid-lifetime": 400 } ],
           "valid-lifetime": 1000, "preferred-lifetime": 600,
           "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "pools": [ { "pool": "2001:db8:1::10-2001:db8:1::1f" } ],
               "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 60, "delegated-len": 64 } ] } ]"#,
    );
    let seen = |client: &mut Client6| {
        let advertise = page.ask(&client.solicit()).unwrap();
        let na = &advertise.ia(IaKind::Na, 1).unwrap().addresses[0];
        let pd = &advertise.ia(IaKind::Pd, 1).unwrap().prefixes[0];
        assert_eq!((na.preferred, na.valid), (pd.preferred, pd.valid));
        (na.preferred, na.valid)
    };
    assert_eq!(seen(&mut phone(1)), (200, 300));
    assert_eq!(seen(&mut client(2)), (600, 1000));
}

#[test]
fn additional_classes_count_for_options_and_for_nothing_else() {
    let page = Page6::new(&format!(
        r#""client-classes": [
               {{ "name": "late", "only-in-additional-list": true, "valid-lifetime": 300, {} }},
               {{ "name": "never", "only-in-additional-list": true, {} }} ],
           "valid-lifetime": 1000,
           "subnet6": [ {{ "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "pools": [ {{ "pool": "2001:db8:1::10/128", "evaluate-additional-classes": [ "late" ] }},
                          {{ "pool": "2001:db8:1::20/128" }} ] }} ]"#,
        dns(1),
        dns(2)
    ));
    let reply = page.lease_to(&mut client(1));
    let valid = reply.addresses().next().unwrap().valid;
    assert_eq!((dns_of(&reply), valid), (Some(1), 1000));
    let reply = page.lease_to(&mut client(2));
    assert_eq!(dns_of(&reply), None, "another pool");
}

/// Who asks for options alone has no lease: the selected subnet's list counts.
#[test]
fn additional_classes_of_the_subnet_count_without_a_lease() {
    let page = Page6::new(&format!(
        r#""client-classes": [ {{ "name": "late", "only-in-additional-list": true, {} }} ],
           "subnet6": [ {{ "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "evaluate-additional-classes": [ "late" ] }} ]"#,
        dns(1)
    ));
    let reply = page.ask(&client(1).information_request()).unwrap();
    assert_eq!(dns_of(&reply), Some(1));
}

#[test]
fn classes_of_callouts_count_from_the_next_step_on() {
    let classes = r#""client-classes": [ { "name": "phone" } ]"#;
    let subnets = TWO.split_once("\"subnet6\"").unwrap().1;
    let two = format!("{classes}, \"subnet6\"{subnets}");
    for (at, subnet) in [
        (HookPoint::Buffer6Receive, 1),
        (HookPoint::Pkt6Receive, 1),
        (HookPoint::Subnet6Select, 2),
    ] {
        let (_service, page) = joining(&two, at, "phone");
        assert_eq!(advertised(&page, &mut client(1)), Ok(subnet), "{at:?}");
    }
    let pools = r#""client-classes": [ { "name": "phone" } ],
        "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
            "pools": [ { "pool": "2001:db8:1::10/128", "client-classes": [ "phone" ] } ] } ]"#;
    for (at, subnet) in [(HookPoint::Subnet6Select, 1), (HookPoint::Pkt6Send, 0)] {
        let (_service, page) = joining(pools, at, "phone");
        assert_eq!(advertised(&page, &mut client(1)), Ok(subnet), "{at:?}");
    }
}

#[test]
fn class_that_a_callout_gives_the_lease_brings_its_options() {
    let members = format!(
        r#""client-classes": [ {{ "name": "phone", {} }} ],
           "subnet6": [ {{ "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
               "pools": [ {{ "pool": "2001:db8:1::10/128" }} ] }} ]"#,
        dns(1)
    );
    let (_service, page) = joining(&members, HookPoint::Lease6Select, "phone");
    let advertise = page.ask(&client(1).solicit()).unwrap();
    assert_eq!(dns_of(&advertise), Some(1));
    let service = Service::start(&[HookPoint::Pkt6Receive], |_| {
        changes(v1::Changes {
            query6: Some(v1::Packet6Changes {
                add_additional_classes: vec!["phone".to_owned(), "unheard-of".to_owned()],
                ..Default::default()
            }),
            ..Default::default()
        })
    });
    let page = Page6::new(&format!("{members}, {}", service.member()));
    let advertise = page.ask(&client(1).solicit()).unwrap();
    assert_eq!(dns_of(&advertise), Some(1));
}

/// What a callout sees of the packet's classes at a later hook point.
#[test]
fn callouts_see_the_classes_that_the_packet_has_by_then() {
    let points = [HookPoint::Pkt6Receive, HookPoint::Lease6Select];
    let service = Service::start(&points, |_| goes_on());
    let members = TWO.replace(
        r#""test": "option[15].exists" }"#,
        r#""test": "option[15].exists" }, { "name": "new", "test": "member('UNKNOWN')" }"#,
    );
    let page = Page6::new(&format!("{members}, {}", service.member()));
    page.ask(&phone(1).solicit()).unwrap();
    let Point::Pkt6Receive(received) = &service.calls(HookPoint::Pkt6Receive)[0] else {
        panic!("other arguments");
    };
    let first = ["ALL", "phone"];
    assert_eq!(received.query.as_ref().unwrap().classes, first);
    let Point::Lease6Select(selected) = &service.calls(HookPoint::Lease6Select)[0] else {
        panic!("other arguments");
    };
    let second = ["ALL", "phone", "UNKNOWN", "new"];
    assert_eq!(selected.query.as_ref().unwrap().classes, second);
}

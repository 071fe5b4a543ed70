//! Client classes in the life of a DHCPv4 packet.

use crate::common::{Page4, SERVER4, Service, changes, goes_on};
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};
use outrigger_server::telemetry::DiscardReason;
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Relay4, Reply4Seen};
use std::net::Ipv4Addr;

/// Two subnets on `eth0`, the first for phones only.
const TWO: &str = r#"
    "client-classes": [ { "name": "phone", "test": "option[60].text == 'phone'" } ],
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0", "client-classes": [ "phone" ],
                   "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ] },
                 { "id": 2, "subnet": "198.51.100.0/24", "interface": "eth0",
                   "pools": [ { "pool": "198.51.100.100-198.51.100.109" } ] } ]"#;

fn client(number: u8) -> Client4 {
    Client4::new([2, 0, 0, 0, 0, number])
}

fn phone(number: u8) -> Client4 {
    let mut client = client(number);
    client.options.push((60, b"phone".to_vec()));
    client
}

fn subnet_of(address: Ipv4Addr) -> u8 {
    match address.octets() {
        [192, 0, 2, _] => 1,
        [198, 51, 100, _] => 2,
        _ => 0,
    }
}

/// The subnet that a client gets an address of.
fn offered(page: &Page4, client: &mut Client4) -> Result<u8, DiscardReason> {
    let offer = page.ask(&client.discover())?;
    Ok(subnet_of(offer.yiaddr))
}

fn joins(class: &'static str) -> v1::CalloutResult {
    changes(v1::Changes {
        query4: Some(v1::Packet4Changes {
            add_classes: vec![class.to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// A page whose callout at `at` lets every packet join `class`.
fn joining(members: &str, at: HookPoint, class: &'static str) -> (Service, Page4) {
    let service = Service::start(&[at], move |_| joins(class));
    let page = Page4::new(&format!("{members}, {}", service.member()));
    (service, page)
}

#[test]
fn guarded_subnet_is_passed_over_in_every_way_of_selection() {
    let page = Page4::new(TWO);
    assert_eq!(offered(&page, &mut client(1)), Ok(2));
    assert_eq!(offered(&page, &mut phone(2)), Ok(1));
    let relay = Some(Relay4 {
        giaddr: Ipv4Addr::new(192, 0, 2, 2),
        relay_info: Vec::new(),
    });
    let (mut stranger, mut known) = (client(3), phone(4));
    (stranger.relay, known.relay) = (relay.clone(), relay);
    assert_eq!(offered(&page, &mut stranger), Err(DiscardReason::NoSubnet));
    assert_eq!(offered(&page, &mut known), Ok(1));
    // The subnet selection option names it.
    let (mut stranger, mut known) = (client(5), phone(6));
    for client in [&mut stranger, &mut known] {
        client.options.push((118, vec![192, 0, 2, 0]));
    }
    assert_eq!(offered(&page, &mut stranger), Err(DiscardReason::NoSubnet));
    assert_eq!(offered(&page, &mut known), Ok(1));
}

#[test]
fn guard_of_a_shared_network_holds_for_its_subnets() {
    let page = Page4::new(
        r#""client-classes": [ { "name": "phone", "test": "option[60].text == 'phone'" } ],
           "shared-networks": [ { "name": "net", "interface": "eth0", "client-classes": [ "phone" ],
               "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24",
                              "pools": [ { "pool": "192.0.2.100/32" } ] } ] } ]"#,
    );
    assert_eq!(offered(&page, &mut client(1)), Err(DiscardReason::NoSubnet));
    assert_eq!(offered(&page, &mut phone(2)), Ok(1));
}

#[test]
fn guarded_pool_is_for_its_members() {
    let page = Page4::new(
        r#""client-classes": [ { "name": "phone", "test": "option[60].text == 'phone'" } ],
           "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
               "pools": [ { "pool": "192.0.2.100/32", "client-classes": [ "phone" ] },
                          { "pool": "192.0.2.200/32" } ] } ]"#,
    );
    let last = |client: &mut Client4| page.lease_to(client).yiaddr.octets()[3];
    assert_eq!(last(&mut client(1)), 200);
    assert_eq!(last(&mut phone(2)), 100);
    assert_eq!(
        page.ask(&client(3).discover()).map(drop),
        Err(DiscardReason::NoneLeft)
    );
}

#[test]
fn callout_chooses_a_guarded_subnet_all_the_same() {
    let service = Service::start(&[HookPoint::Subnet4Select], |_| {
        changes(v1::Changes {
            subnet_id: Some(1),
            ..Default::default()
        })
    });
    let page = Page4::new(&format!("{TWO}, {}", service.member()));
    assert_eq!(offered(&page, &mut client(1)), Ok(1));
}

#[test]
fn class_drop_is_checked_after_the_packet_is_received_and_after_the_host_lookup() {
    let members = |test: &str, host: &str| {
        format!(
            r#""client-classes": [ {{ "name": "DROP", "test": "{test}" }} ],
               "subnet4": [ {{ "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ {{ "pool": "192.0.2.100-192.0.2.109" }} ],
                   "reservations": [ {{ "hw-address": "02:00:00:00:00:07" {host} }} ] }} ]"#
        )
    };
    let points = [HookPoint::Pkt4Receive, HookPoint::Subnet4Select];
    for (members, dropped, passed, seen) in [
        (
            members("option[60].text == 'phone'", ""),
            phone(7),
            client(7),
            1,
        ),
        (members("member('KNOWN')", ""), client(7), client(8), 2),
        (
            members(
                "option[60].text == 'none'",
                r#", "client-classes": [ "DROP" ]"#,
            ),
            client(7),
            client(8),
            2,
        ),
    ] {
        let service = Service::start(&points, |_| goes_on());
        let page = Page4::new(&format!("{members}, {}", service.member()));
        let (mut dropped, mut passed) = (dropped, passed);
        assert_eq!(offered(&page, &mut dropped), Err(DiscardReason::DropClass));
        assert_eq!(service.order(), points[..seen]);
        assert_eq!(offered(&page, &mut passed), Ok(1));
    }
}

#[test]
fn class_reject_gives_no_offer_and_a_nak() {
    let (_service, page) = joining(TWO, HookPoint::Subnet4Select, "REJECT");
    let mut client = client(1);
    assert_eq!(offered(&page, &mut client), Err(DiscardReason::RejectClass));
    let nak = page
        .ask(&client.request_init_reboot(Ipv4Addr::new(198, 51, 100, 100)))
        .unwrap();
    assert_eq!(nak.message_type, message::NAK);
    assert_eq!(page.leases(), 0);
}

#[test]
fn known_and_unknown_clients_get_pools_of_their_own() {
    let page = Page4::new(
        r#""subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
               "pools": [ { "pool": "192.0.2.100/32", "client-classes": [ "KNOWN" ] },
                          { "pool": "192.0.2.200/32", "client-classes": [ "UNKNOWN" ] } ],
               "reservations": [ { "hw-address": "02:00:00:00:00:07" } ] } ]"#,
    );
    assert_eq!(page.lease_to(&mut client(7)).yiaddr.octets()[3], 100);
    assert_eq!(page.lease_to(&mut client(8)).yiaddr.octets()[3], 200);
}

/// The DNS server that an option of `scope` names.
fn dns(number: u8) -> String {
    format!(r#""option-data": [ {{ "name": "domain-name-servers", "data": "192.0.2.{number}" }} ]"#)
}

fn dns_of(reply: &Reply4Seen) -> u8 {
    reply.addresses(6).unwrap()[0].octets()[3]
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
        let page = Page4::new(&format!(
            r#""client-classes": [ {{ "name": "a", "test": "option[60].text == 'phone'", {} }},
                                   {{ "name": "b", "test": "member('a')", {} }} ],
               {},
               "shared-networks": [ {{ "name": "net", "interface": "eth0", {},
                   "subnet4": [ {{ "id": 1, "subnet": "192.0.2.0/24", {},
                       "pools": [ {{ "pool": "192.0.2.100/32", {} }} ],
                       "reservations": [ {{ "hw-address": "02:00:00:00:00:07", {} }} ] }} ] }} ]"#,
            of(4),
            of(5),
            of(6),
            of(3),
            of(2),
            of(1),
            of(0)
        ));
        let ack = page.lease_to(&mut phone(7));
        assert_eq!(usize::from(dns_of(&ack)), first + 1);
    }
}

#[test]
fn lifetimes_and_boot_fields_of_a_class_go_before_those_of_the_subnet() {
    let page = Page4::new(
        r#""client-classes": [
               { "name": "phone", "test": "option[60].text == 'phone'", "valid-lifetime": 300, "offer-lifetime": 30,
                 "next-server": "192.0.2.9", "boot-file-name": "phone.img", "server-hostname": "boot.example" },
               { "name": "later", "test": "member('phone')", "valid-lifetime": 400 } ],
           "valid-lifetime": 1000, "next-server": "192.0.2.8", "boot-file-name": "any.img",
           "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
               "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ],
               "reservations": [ { "hw-address": "02:00:00:00:00:07", "boot-file-name": "mine.img" } ] } ]"#,
    );
    let seen = |client: &mut Client4| {
        let offer = page.ask(&client.discover()).unwrap();
        let file = String::from_utf8(offer.file.clone()).unwrap();
        (
            offer.number(51),
            offer.siaddr.octets()[3],
            file,
            offer.sname,
            offer.yiaddr,
        )
    };
    let (lifetime, siaddr, file, sname, address) = seen(&mut phone(1));
    assert_eq!((lifetime, siaddr, &*file), (Some(300), 9, "phone.img"));
    assert_eq!(sname, b"boot.example");
    assert_eq!(page.lease(address).unwrap().valid_lifetime, 30);
    let (lifetime, siaddr, file, sname, address) = seen(&mut client(2));
    assert_eq!((lifetime, siaddr, &*file), (Some(1000), 8, "any.img"));
    assert!(sname.is_empty());
    assert!(page.lease(address).is_none());
    assert_eq!(seen(&mut phone(7)).2, "mine.img");
}

#[test]
fn additional_classes_count_for_options_and_for_nothing_else() {
    let page = Page4::new(&format!(
        r#""client-classes": [
               {{ "name": "late", "only-in-additional-list": true, "valid-lifetime": 300, {} }},
               {{ "name": "never", "only-in-additional-list": true, {} }} ],
           "valid-lifetime": 1000,
           "subnet4": [ {{ "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
               "pools": [ {{ "pool": "192.0.2.100/32", "evaluate-additional-classes": [ "late" ] }},
                          {{ "pool": "192.0.2.101/32" }} ] }} ]"#,
        dns(1),
        dns(2)
    ));
    let ack = page.lease_to(&mut client(1));
    assert_eq!((dns_of(&ack), ack.number(51)), (1, Some(1000)));
    let ack = page.lease_to(&mut client(2));
    assert_eq!(ack.option(6), None, "another pool");
}

#[test]
fn classes_of_callouts_count_from_the_next_step_on() {
    let classes = r#""client-classes": [ { "name": "phone" } ]"#;
    let subnets = TWO.split_once("\"subnet4\"").unwrap().1;
    let two = format!("{classes}, \"subnet4\"{subnets}");
    for (at, subnet) in [
        (HookPoint::Buffer4Receive, 1),
        (HookPoint::Pkt4Receive, 1),
        (HookPoint::Subnet4Select, 2),
    ] {
        let (_service, page) = joining(&two, at, "phone");
        assert_eq!(offered(&page, &mut client(1)), Ok(subnet), "{at:?}");
    }
    let pools = r#""client-classes": [ { "name": "phone" } ],
        "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
            "pools": [ { "pool": "192.0.2.100/32", "client-classes": [ "phone" ] } ] } ]"#;
    let (_service, page) = joining(pools, HookPoint::Subnet4Select, "phone");
    assert_eq!(offered(&page, &mut client(1)), Ok(1));
    let (_service, page) = joining(pools, HookPoint::Lease4Offer, "phone");
    assert_eq!(offered(&page, &mut client(1)), Err(DiscardReason::NoneLeft));
}

#[test]
fn class_that_a_callout_gives_the_lease_brings_its_options() {
    let members = format!(
        r#""client-classes": [ {{ "name": "phone", {} }} ],
           "subnet4": [ {{ "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
               "pools": [ {{ "pool": "192.0.2.100/32" }} ] }} ]"#,
        dns(1)
    );
    let (_service, page) = joining(&members, HookPoint::Lease4Select, "phone");
    assert_eq!(dns_of(&page.ask(&client(1).discover()).unwrap()), 1);
    let service = Service::start(&[HookPoint::Pkt4Receive], |_| {
        changes(v1::Changes {
            query4: Some(v1::Packet4Changes {
                add_additional_classes: vec!["phone".to_owned(), "unheard-of".to_owned()],
                ..Default::default()
            }),
            ..Default::default()
        })
    });
    let page = Page4::new(&format!("{members}, {}", service.member()));
    assert_eq!(dns_of(&page.ask(&client(1).discover()).unwrap()), 1);
}

#[test]
fn server_identifier_of_a_class_is_this_servers() {
    let page = Page4::new(
        r#""client-classes": [ { "name": "phone", "test": "option[60].text == 'phone'",
               "option-data": [ { "name": "dhcp-server-identifier", "data": "192.0.2.77" } ] } ],
           "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
               "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ] } ]"#,
    );
    let ack = page.lease_to(&mut phone(1));
    assert_eq!(ack.server_id(), Some(Ipv4Addr::new(192, 0, 2, 77)));
    let mut other = client(2);
    let mut offer = page.ask(&other.discover()).unwrap();
    assert_eq!(offer.server_id(), Some(SERVER4));
    offer.options.insert(54, vec![192, 0, 2, 77]);
    assert_eq!(
        page.ask(&other.request_selecting(&offer)).map(drop),
        Err(DiscardReason::NotForUs)
    );
}

/// What a callout sees of the packet's classes at a later hook point.
#[test]
fn callouts_see_the_classes_that_the_packet_has_by_then() {
    let points = [HookPoint::Pkt4Receive, HookPoint::Lease4Select];
    let service = Service::start(&points, |_| goes_on());
    let members = TWO.replace(
        r#""test": "option[60].text == 'phone'" }"#,
        r#""test": "option[60].text == 'phone'" }, { "name": "new", "test": "member('UNKNOWN')" }"#,
    );
    let page = Page4::new(&format!("{members}, {}", service.member()));
    page.ask(&phone(1).discover()).unwrap();
    let Point::Pkt4Receive(received) = &service.calls(HookPoint::Pkt4Receive)[0] else {
        panic!("other arguments");
    };
    let first = ["ALL", "VENDOR_CLASS_phone", "phone"];
    assert_eq!(received.query.as_ref().unwrap().classes, first);
    let Point::Lease4Select(selected) = &service.calls(HookPoint::Lease4Select)[0] else {
        panic!("other arguments");
    };
    let second = ["ALL", "VENDOR_CLASS_phone", "phone", "UNKNOWN", "new"];
    assert_eq!(selected.query.as_ref().unwrap().classes, second);
}

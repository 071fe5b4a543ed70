//! `host4_identifier`.

use super::*;

/// Reservations by identifiers that callouts make; `flex-id` is looked up after the hardware address.
const RESERVED: &str = r#"
    "valid-lifetime": 1000, "host-reservation-identifiers": [ "hw-address", "flex-id", "client-id" ],
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ],
                   "reservations": [ { "hw-address": "02:00:00:00:00:07", "ip-address": "192.0.2.7" },
                                     { "flex-id": "'port-8'", "ip-address": "192.0.2.8", "hostname": "eight" },
                                     { "client-id": "01:02:03", "ip-address": "192.0.2.9" },
                                     { "circuit-id": "'port-10'", "ip-address": "192.0.2.10" } ] } ]"#;

fn identifies(kind: v1::IdentifierType, bytes: &[u8]) -> v1::CalloutResult {
    changes(v1::Changes {
        host_identifier_type: Some(kind.into()),
        host_identifier: Some(bytes.to_vec().into()),
        ..Default::default()
    })
}

fn identified(bytes: &'static [u8]) -> (Service, Page4) {
    hooked(RESERVED, &[HookPoint::Host4Identifier], move |_| {
        identifies(v1::IdentifierType::FlexId, bytes)
    })
}

#[test]
fn reservation_is_found_by_what_a_callout_makes_of_the_packet() {
    let (service, page) = identified(b"port-8");
    assert_eq!(page.lease_to(&mut client(1)).yiaddr, addr(8));
    assert_eq!(&*page.lease(addr(8)).unwrap().hostname, "eight");
    let Point::Host4Identifier(asked) = &service.calls(HookPoint::Host4Identifier)[0] else {
        panic!("other arguments");
    };
    assert_eq!(asked.identifier_type, i32::from(v1::IdentifierType::FlexId));
}

#[test]
fn identifier_is_looked_up_at_the_place_of_flex_id() {
    let (_service, page) = identified(b"port-8");
    assert_eq!(
        page.lease_to(&mut client(7)).yiaddr,
        addr(7),
        "hw-address goes before"
    );
    let mut named = client(1);
    named.client_id = Some(vec![1, 2, 3]);
    assert_eq!(
        page.lease_to(&mut named).yiaddr,
        addr(8),
        "client-id comes after"
    );
    let (_service, page) = identified(b"port-unknown");
    assert_eq!(page.lease_to(&mut named).yiaddr, addr(9));
}

#[test]
fn callout_may_say_what_its_identifier_is() {
    let (_service, page) = hooked(RESERVED, &[HookPoint::Host4Identifier], |_| {
        identifies(v1::IdentifierType::CircuitId, b"port-10")
    });
    assert_eq!(page.lease_to(&mut client(1)).yiaddr, addr(10));
}

#[test]
fn identifier_of_any_other_next_step_is_ignored() {
    for step in [NextStep::Skip, NextStep::Drop, NextStep::Park] {
        let (_service, page) = hooked(RESERVED, &[HookPoint::Host4Identifier], move |_| {
            v1::CalloutResult {
                next_step: Some(v1::NextStep::from(step).into()),
                ..identifies(v1::IdentifierType::FlexId, b"port-8")
            }
        });
        let offer = page.ask(&client(1).discover()).unwrap();
        assert!(offer.yiaddr >= addr(100), "{step:?}");
    }
    let (_service, page) = identified(b"");
    assert!(page.ask(&client(1).discover()).unwrap().yiaddr >= addr(100));
}

#[test]
fn callout_is_asked_only_where_the_answer_counts() {
    let ask = |members: &str| {
        let service = Service::start(&[HookPoint::Host4Identifier], |_| goes_on());
        let page = Page4::new(&format!("{members}, {}", service.member()));
        let mut client = client(1);
        let ack = page.lease_to(&mut client);
        page.ask(&client.inform(ack.yiaddr)).unwrap();
        page.tell(&client.decline(&ack)).unwrap();
        let ack = page.lease_to(&mut client);
        page.tell(&client.release(&ack)).unwrap();
        service.order().len()
    };
    // DISCOVER and REQUEST twice, INFORM; not DECLINE and RELEASE.
    assert_eq!(ask(RESERVED), 5);
    assert_eq!(ask(&RESERVED.replace(r#", "flex-id""#, "")), 0);
    assert_eq!(
        ask(&format!(r#"{RESERVED}, "reservations-in-subnet": false"#)),
        0
    );
    // Before subnet and sanity check, for all types.
    assert_eq!(
        ask(&format!(
            r#"{RESERVED}, "early-global-reservations-lookup": true"#
        )),
        7
    );
    let service = Service::start(&[HookPoint::Host4Identifier], |_| goes_on());
    let page = Page4::new(&format!("{RESERVED}, {}", service.member()));
    let mut lost = client(1);
    lost.relay = Some(outrigger_testkit::Relay4 {
        giaddr: Ipv4Addr::new(10, 0, 0, 1),
        relay_info: Vec::new(),
    });
    assert_eq!(
        page.ask(&lost.discover()).map(drop),
        Err(DiscardReason::NoSubnet)
    );
    assert!(
        service.order().is_empty(),
        "without a subnet nothing is looked up"
    );
}

#[test]
fn early_lookup_lets_classes_of_a_global_reservation_select_the_subnet() {
    let members = r#"
        "valid-lifetime": 1000, "host-reservation-identifiers": [ "flex-id" ],
        "early-global-reservations-lookup": true, "reservations-global": true,
        "client-classes": [ { "name": "eight" }, { "name": "others", "test": "not member('eight')" } ],
        "reservations": [ { "flex-id": "'port-8'", "client-classes": [ "eight" ], "ip-address": "198.51.100.8" },
                          { "flex-id": "'port-9'", "client-classes": [ "DROP" ] } ],
        "subnet4": [ { "id": 1, "subnet": "203.0.113.0/24", "interface": "eth0", "client-classes": [ "UNKNOWN" ],
                       "pools": [ { "pool": "203.0.113.100/32" } ] },
                     { "id": 2, "subnet": "192.0.2.0/24", "interface": "eth0", "client-classes": [ "others" ],
                       "pools": [ { "pool": "192.0.2.100/32" } ] },
                     { "id": 3, "subnet": "198.51.100.0/24", "interface": "eth0", "client-classes": [ "eight" ],
                       "pools": [ { "pool": "198.51.100.100/32" } ] } ]"#;
    let points = [HookPoint::Host4Identifier, HookPoint::Subnet4Select];
    for (identifier, expected) in [
        (&b"port-8"[..], Ok(Ipv4Addr::new(198, 51, 100, 8))),
        // It may still be known in its subnet: nobody is UNKNOWN yet.
        (b"port-7", Ok(addr(100))),
        (b"port-9", Err(DiscardReason::DropClass)),
    ] {
        let (service, page) = hooked(members, &points, move |point| match point {
            Point::Host4Identifier(_) => identifies(v1::IdentifierType::FlexId, identifier),
            _ => goes_on(),
        });
        let offered = page.ask(&client(1).discover()).map(|offer| offer.yiaddr);
        assert_eq!(offered, expected);
        let called = if expected.is_ok() { 2 } else { 1 };
        assert_eq!(
            service.order(),
            points[..called],
            "asked once, and before the subnet"
        );
    }
}

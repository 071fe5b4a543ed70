//! `host6_identifier`.

use super::*;

/// Reservations by identifiers that callouts make; `flex-id` is looked up after the hardware address.
const RESERVED: &str = r#"
    "valid-lifetime": 1000, "host-reservation-identifiers": [ "hw-address", "flex-id", "duid" ],
    "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                   "pools": [ { "pool": "2001:db8:1::10-2001:db8:1::1f" } ],
                   "reservations": [ { "hw-address": "02:00:00:00:00:07", "ip-addresses": [ "2001:db8:1::7" ] },
                                     { "flex-id": "'port-8'", "ip-addresses": [ "2001:db8:1::8" ],
                                       "option-data": [ { "name": "dns-servers", "data": "2001:db8::8" } ] },
                                     { "duid": "00:03:00:01:02:00:00:00:00:09", "ip-addresses": [ "2001:db8:1::9" ] } ] } ]"#;

const DNS_SERVERS: u16 = 23;

fn identifies(kind: v1::IdentifierType, bytes: &[u8]) -> v1::CalloutResult {
    changes(v1::Changes {
        host_identifier_type: Some(kind.into()),
        host_identifier: Some(bytes.to_vec().into()),
        ..Default::default()
    })
}

fn identified(bytes: &'static [u8]) -> (Service, Page6) {
    hooked(RESERVED, &[HookPoint::Host6Identifier], move |_| {
        identifies(v1::IdentifierType::FlexId, bytes)
    })
}

#[test]
fn reservation_is_found_by_what_a_callout_makes_of_the_packet() {
    let (service, page) = identified(b"port-8");
    let reply = page.lease_to(&mut wants_address(1));
    assert_eq!(only_address(&reply), addr(8));
    let Point::Host6Identifier(asked) = &service.calls(HookPoint::Host6Identifier)[0] else {
        panic!("other arguments");
    };
    assert_eq!(asked.identifier_type, i32::from(v1::IdentifierType::FlexId));
}

#[test]
fn identifier_is_looked_up_at_the_place_of_flex_id() {
    let (_service, page) = identified(b"port-8");
    let reply = page.lease_to(&mut wants_address(7));
    assert_eq!(only_address(&reply), addr(7), "hw-address goes before");
    let mut named = wants_address(9);
    let reply = page.lease_to(&mut named);
    assert_eq!(only_address(&reply), addr(8), "duid comes after");
    let (_service, page) = identified(b"port-unknown");
    assert_eq!(only_address(&page.lease_to(&mut named)), addr(9));
}

#[test]
fn callout_may_say_what_its_identifier_is() {
    let (_service, page) = hooked(RESERVED, &[HookPoint::Host6Identifier], |_| {
        identifies(v1::IdentifierType::HwAddress, &[2, 0, 0, 0, 0, 7])
    });
    assert_eq!(only_address(&page.lease_to(&mut wants_address(1))), addr(7));
}

#[test]
fn identifier_of_any_other_next_step_is_ignored() {
    for step in [NextStep::Skip, NextStep::Drop, NextStep::Park] {
        let (_service, page) = hooked(RESERVED, &[HookPoint::Host6Identifier], move |_| {
            v1::CalloutResult {
                next_step: Some(v1::NextStep::from(step).into()),
                ..identifies(v1::IdentifierType::FlexId, b"port-8")
            }
        });
        let advertise = page.ask(&wants_address(1).solicit()).unwrap();
        assert!(only_address(&advertise) >= addr(0x10), "{step:?}");
    }
}

#[test]
fn every_type_of_message_is_identified_once_where_the_answer_counts() {
    let ask = |members: &str| {
        let (service, page) = hooked(members, &[HookPoint::Host6Identifier], |_| goes_on());
        let mut client = wants_address(1);
        let reply = page.lease_to(&mut client);
        for message in [
            client.renew(&reply),
            client.rebind(&reply),
            client.confirm(&reply),
            client.information_request(),
            client.release(&reply),
        ] {
            page.ask(&message).unwrap();
        }
        let reply = page.lease_to(&mut client);
        page.ask(&client.decline(&reply)).unwrap();
        service.order().len()
    };
    assert_eq!(ask(RESERVED), 10);
    let early = r#""early-global-reservations-lookup": true"#;
    assert_eq!(ask(&format!("{RESERVED}, {early}")), 10, "once, but before");
    assert_eq!(ask(&RESERVED.replace(r#", "flex-id""#, "")), 0);
    let without = r#""reservations-in-subnet": false"#;
    assert_eq!(ask(&format!("{RESERVED}, {without}")), 0);
    let (service, page) = hooked(
        &RESERVED.replace("eth0", "eth9"),
        &[HookPoint::Host6Identifier],
        |_| goes_on(),
    );
    page.ask(&wants_address(1).solicit()).unwrap();
    assert!(
        service.order().is_empty(),
        "without a subnet nothing is looked up"
    );
}

#[test]
fn options_of_the_reservation_are_sent_to_who_asks_for_options_alone() {
    let (_service, page) = identified(b"port-8");
    let reply = page.ask(&wants_address(1).information_request()).unwrap();
    let dns = reply.address_list(DNS_SERVERS).unwrap();
    assert_eq!(dns, ["2001:db8::8".parse::<Ipv6Addr>().unwrap()]);
}

#[test]
fn early_lookup_lets_classes_of_a_global_reservation_select_the_subnet() {
    let members = r#"
        "valid-lifetime": 1000, "host-reservation-identifiers": [ "flex-id" ],
        "client-classes": [ { "name": "gold" } ],
        "reservations": [ { "flex-id": "'port-8'", "client-classes": [ "gold" ] } ],
        "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0", "client-classes": [ "gold" ],
                       "pools": [ { "pool": "2001:db8:1::10/128" } ] },
                     { "id": 2, "subnet": "2001:db8:2::/64", "interface": "eth0",
                       "pools": [ { "pool": "2001:db8:2::10/128" } ] } ]"#;
    let points = [HookPoint::Host6Identifier, HookPoint::Subnet6Select];
    for (early, third, order) in [(true, 1, points), (false, 2, [points[1], points[0]])] {
        let members = format!(
            r#""early-global-reservations-lookup": {early}, "reservations-global": true, {members}"#
        );
        let (service, page) = hooked(&members, &points, |point| match point {
            Point::Host6Identifier(_) => identifies(v1::IdentifierType::FlexId, b"port-8"),
            _ => goes_on(),
        });
        let advertise = page.ask(&wants_address(1).solicit()).unwrap();
        assert_eq!(only_address(&advertise).segments()[2], third);
        assert_eq!(service.order(), order);
    }
}

/// Kea: who was known before a subnet was selected stays so where the subnet has no reservation for it.
#[test]
fn client_of_an_early_lookup_is_known_in_a_subnet_without_global_reservations() {
    let members = r#"
        "reservations-global": false, "reservations": [ { "duid": "00:03:00:01:02:00:00:00:00:01" } ],
        "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                       "pools": [ { "pool": "2001:db8:1::10/128", "client-classes": [ "KNOWN" ] },
                                  { "pool": "2001:db8:1::20/128", "client-classes": [ "UNKNOWN" ] } ] } ]"#;
    for (early, last) in [(true, 0x10), (false, 0x20)] {
        let page = Page6::new(&format!(
            r#""early-global-reservations-lookup": {early}, {members}"#
        ));
        let advertise = page.ask(&wants_address(1).solicit()).unwrap();
        assert_eq!(only_address(&advertise), addr(last), "{early}");
    }
}

//! Reserved addresses.

use super::*;

fn reserving(reservations: &str) -> String {
    let own = format!(r#""reservations": [ {reservations} ], "interface""#);
    format!(
        r#"{}, "host-reservation-identifiers": [ "hw-address", "duid", "circuit-id", "client-id" ]"#,
        NET.replace(r#""interface""#, &own)
    )
}

#[test]
fn reservation_is_found_by_each_kind_of_identifier() {
    // RFC 4361: type 255, IAID, DUID.
    let duid_client = [&[255, 0, 0, 0, 1][..], &[0, 3, 0, 1, 2, 0, 0, 0, 0, 9]].concat();
    for (identifier, mut client) in [
        (r#""hw-address": "02:00:00:00:00:07""#, client(7)),
        (r#""client-id": "01:02:03""#, named(7, &[1, 2, 3])),
        (
            r#""duid": "00:03:00:01:02:00:00:00:00:09""#,
            named(7, &duid_client),
        ),
        (r#""circuit-id": "'port-7'""#, relayed(7, RELAY4)),
    ] {
        let page = Page4::new(&reserving(&format!(
            r#"{{ {identifier}, "ip-address": "192.0.2.103", "hostname": "Seven" }}"#
        )));
        let ack = page.lease_to(&mut client);
        assert_eq!(ack.yiaddr, addr(103), "{identifier}");
        assert_eq!(&*page.lease(addr(103)).unwrap().hostname, "seven");
    }
}

#[test]
fn reserved_address_is_for_nobody_else() {
    let page = Page4::new(&reserving(
        r#"{ "hw-address": "02:00:00:00:00:63", "ip-address": "192.0.2.100" }"#,
    ));
    let others: Vec<_> = (0..9)
        .map(|number| page.lease_to(&mut client(number)).yiaddr)
        .collect();
    assert!(!others.contains(&addr(100)));
    assert_eq!(
        kind(page.ask(&client(50).discover())),
        Err(DiscardReason::NoneLeft)
    );
    let mut asks = client(51);
    asks.options.push((50, addr(100).octets().to_vec()));
    assert_eq!(
        kind(page.ask(&asks.discover())),
        Err(DiscardReason::NoneLeft)
    );
    assert_eq!(page.lease_to(&mut client(0x63)).yiaddr, addr(100));
}

#[test]
fn reserved_address_may_lie_outside_the_pools() {
    let page = Page4::new(&reserving(
        r#"{ "hw-address": "02:00:00:00:00:07", "ip-address": "192.0.2.7" }"#,
    ));
    let mut client = client(7);
    assert_eq!(page.lease_to(&mut client).yiaddr, addr(7));
    assert_eq!(
        kind(page.ask(&client.request_renewing(addr(7)))),
        Ok(message::ACK)
    );
    let mut other = self::client(8);
    let mut offer = page.ask(&other.discover()).unwrap();
    offer.yiaddr = addr(7);
    assert_eq!(
        kind(page.ask(&other.request_selecting(&offer))),
        Ok(message::NAK)
    );
}

#[test]
fn client_whose_reserved_address_is_still_leased_to_another_gets_it_as_soon_as_that_one_is_gone() {
    let mut page = Page4::new(NET);
    let (mut before, mut reserved) = (client(1), client(2));
    let held = page.lease_to(&mut before);
    page.reload(&reserving(&format!(
        r#"{{ "hw-address": "02:00:00:00:00:02", "ip-address": "{}" }}"#,
        held.yiaddr
    )));
    let meanwhile = page.lease_to(&mut reserved);
    assert_ne!(meanwhile.yiaddr, held.yiaddr);
    // Kea: the reservation wins over the running lease of another: it is not renewed.
    assert_eq!(
        kind(page.ask(&before.request_renewing(held.yiaddr))),
        Ok(message::NAK)
    );
    page.tell(&before.release(&held)).unwrap();
    assert_eq!(
        kind(page.ask(&reserved.request_renewing(meanwhile.yiaddr))),
        Ok(message::NAK)
    );
    assert_eq!(page.lease_to(&mut reserved).yiaddr, held.yiaddr);
    assert_eq!(page.lease(meanwhile.yiaddr), None, "the other lease ended");
}

#[test]
fn global_reservation_counts_where_the_subnet_says_so() {
    let host =
        r#""reservations": [ { "hw-address": "02:00:00:00:00:07", "ip-address": "192.0.2.105" } ]"#;
    for (global, reserved) in [(true, true), (false, false)] {
        let page = Page4::new(&format!(
            r#"{NET}, "reservations-global": {global}, {host}"#
        ));
        let ack = page.lease_to(&mut client(7));
        assert_eq!(
            ack.yiaddr == addr(105),
            reserved,
            "reservations-global {global}"
        );
    }
}

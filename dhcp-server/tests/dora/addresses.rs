//! Which address a client gets.

use super::*;

#[test]
fn address_that_the_client_asks_for_is_offered_where_it_is_free() {
    let page = Page4::new(NET);
    let wish = |number, address: Ipv4Addr| {
        let mut client = client(number);
        client.options.push((50, address.octets().to_vec()));
        page.ask(&client.discover()).unwrap().yiaddr
    };
    assert_eq!(wish(1, addr(107)), addr(107));
    assert_ne!(wish(2, addr(107)), addr(107), "offered to another");
    assert_ne!(wish(3, addr(5)), addr(5), "not of the pool");
}

#[test]
fn exhausted_pool_offers_nothing() {
    let page = Page4::new(NET);
    let mut leased: Vec<Ipv4Addr> = (0..10)
        .map(|number| page.lease_to(&mut client(number)).yiaddr)
        .collect();
    leased.sort_unstable();
    assert_eq!(leased, (100..110).map(addr).collect::<Vec<_>>());
    assert_eq!(
        kind(page.ask(&client(11).discover())),
        Err(DiscardReason::NoneLeft)
    );
    assert_eq!(
        page.lease_to(&mut client(4)).message_type,
        message::ACK,
        "it has one"
    );
}

#[test]
fn offer_that_nobody_takes_up_makes_room_for_another_client() {
    let page = Page4::new(ONE);
    let mut slow = client(1);
    let offer = page.ask(&slow.discover()).unwrap();
    assert_eq!(page.lease_to(&mut client(2)).yiaddr, offer.yiaddr);
    assert_eq!(
        kind(page.ask(&slow.request_selecting(&offer))),
        Ok(message::NAK)
    );
}

#[test]
fn full_subnet_does_not_cost_the_clients_of_other_subnets_their_offers() {
    let two = r#""subnet4": [
        { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0", "pools": [ { "pool": "192.0.2.100/32" } ] },
        { "id": 2, "subnet": "198.51.100.0/24", "pools": [ { "pool": "198.51.100.6-198.51.100.7" } ] } ]"#;
    let page = Page4::new(two);
    let relay = Ipv4Addr::new(198, 51, 100, 1);
    let mut waiting = relayed(1, relay);
    let offer = page.ask(&waiting.discover()).unwrap();
    page.lease_to(&mut client(2));
    assert_eq!(
        kind(page.ask(&client(3).discover())),
        Err(DiscardReason::NoneLeft)
    );
    let mut wants_it = relayed(4, relay);
    wants_it.options.push((50, offer.yiaddr.octets().to_vec()));
    assert_ne!(page.lease_to(&mut wants_it).yiaddr, offer.yiaddr);
    assert_eq!(
        kind(page.ask(&waiting.request_selecting(&offer))),
        Ok(message::ACK)
    );
}

#[test]
fn shared_network_is_filled_subnet_by_subnet() {
    let page = Page4::new(
        r#""shared-networks": [ { "name": "floor", "interface": "eth0", "subnet4": [
            { "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.100-192.0.2.101" } ],
              "option-data": [ { "name": "routers", "data": "192.0.2.1" } ] },
            { "id": 2, "subnet": "198.51.100.0/24", "pools": [ { "pool": "198.51.100.7/32" } ],
              "option-data": [ { "name": "routers", "data": "198.51.100.1" } ] } ] } ]"#,
    );
    let leases: Vec<_> = (1..4)
        .map(|number| page.lease_to(&mut client(number)))
        .map(|ack| {
            (
                ack.yiaddr.octets()[0],
                ack.addresses(3).unwrap()[0].octets()[0],
            )
        })
        .collect();
    // Options are those of the subnet that the address is from.
    assert_eq!(leases, [(192, 192), (192, 192), (198, 198)]);
    assert_eq!(
        kind(page.ask(&client(9).discover())),
        Err(DiscardReason::NoneLeft)
    );
    let in_second = Ipv4Addr::new(198, 51, 100, 7);
    assert_eq!(
        kind(page.ask(&client(3).request_renewing(in_second))),
        Ok(message::ACK)
    );
}

#[test]
fn client_is_known_by_its_identifier_first_and_by_its_hardware_address_where_one_side_has_none() {
    let page = Page4::new(NET);
    let first = page.lease_to(&mut named(1, b"\x00pxe")).yiaddr;
    assert_eq!(
        page.lease_to(&mut named(2, b"\x00pxe")).yiaddr,
        first,
        "another card"
    );
    assert_eq!(
        page.lease_to(&mut client(2)).yiaddr,
        first,
        "no identifier: the card counts"
    );
    assert_ne!(page.lease_to(&mut named(1, b"\x00os")).yiaddr, first);
}

#[test]
fn without_match_client_id_the_hardware_address_alone_counts() {
    let members = NET.replace(r#""interface""#, r#""match-client-id": false, "interface""#);
    let page = Page4::new(&members);
    let first = page.lease_to(&mut named(1, b"\x00pxe")).yiaddr;
    assert_eq!(page.lease_to(&mut named(1, b"\x00os")).yiaddr, first);
    assert_ne!(page.lease_to(&mut named(2, b"\x00os")).yiaddr, first);
}

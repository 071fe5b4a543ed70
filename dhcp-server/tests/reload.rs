//! A new configuration while packets are under way.

use crate::common::{Page4, RELAY4, SERVER4, Whole, at4};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Reply4Seen};
use outrigger_wire::V4;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A configuration whose pool, lifetime and options all say which one it is.
fn numbered(number: u8) -> String {
    format!(
        r#""valid-lifetime": {lifetime}, "option-data": [ {{ "name": "domain-name", "data": "n{number}" }} ],
           "subnet4": [ {{ "id": {number}, "subnet": "192.0.0.0/16", "relay": {{ "ip-addresses": [ "{RELAY4}" ] }},
               "option-data": [ {{ "name": "routers", "data": "192.0.2.{number}" }} ],
               "pools": [ {{ "pool": "192.0.{pool}.0/24" }} ] }} ]"#,
        lifetime = 1000 + u32::from(number),
        pool = 100 + number,
    )
}

fn relayed(number: u16) -> Client4 {
    let [high, low] = number.to_be_bytes();
    let mut client = Client4::new([2, 0, 0, 0, high, low]);
    client.relay = Some(outrigger_testkit::Relay4 {
        giaddr: RELAY4,
        relay_info: Vec::new(),
    });
    client
}

/// Which configuration made the offer, by each of its parts.
fn marks(offer: &Reply4Seen) -> [u32; 4] {
    let name = offer.option(15).unwrap();
    let router = offer.addresses(3).unwrap()[0];
    [
        u32::from(offer.yiaddr.octets()[2]) - 100,
        offer.number(51).unwrap() - 1000,
        std::str::from_utf8(&name[1..]).unwrap().parse().unwrap(),
        router.octets()[3].into(),
    ]
}

#[test]
fn each_packet_sees_one_configuration() {
    const SWAPS: u16 = 40;
    const PACKETS: u16 = 50;
    let server = Whole::<V4>::start(&numbered(1), ());
    let link = at4(SERVER4, RELAY4, 67);
    let mut seen = [0; 3];
    for swap in 0..SWAPS {
        for packet in 0..PACKETS {
            server.inject(&relayed(swap * PACKETS + packet).discover(), link.clone());
        }
        // While they are under way.
        server.serve_with(&numbered(u8::try_from(1 + (swap + 1) % 2).unwrap()));
        // The offers of an hour ago make room.
        server.common.clock.advance(3600);
    }
    for _ in 0..SWAPS * PACKETS {
        let answer = server.answer().expect("each DISCOVER is answered");
        let offer = Reply4Seen::parse(&answer.bytes).unwrap();
        let [first, rest @ ..] = marks(&offer);
        assert!(
            rest.iter().all(|mark| *mark == first),
            "{:?}",
            marks(&offer)
        );
        seen[usize::try_from(first).unwrap()] += 1;
    }
    assert!(seen[1] > 0 && seen[2] > 0, "{seen:?}");
    assert_eq!(server.stop(Duration::from_secs(10)).1, []);
}

const NET: &str = r#""valid-lifetime": 1000, "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
    "pools": [ { "pool": "192.0.2.100-192.0.2.103" } ] } ]"#;

#[test]
fn leases_and_offers_outlive_a_reload() {
    let mut page = Page4::new(NET);
    let (mut leased, mut offered) = (relayed(1), relayed(2));
    let ack = page.lease_to(&mut leased);
    let offer = page.ask(&offered.discover()).unwrap();
    page.reload(&NET.replace("1000", "2000"));
    let others: Vec<Ipv4Addr> = (3..5)
        .map(|number| page.lease_to(&mut relayed(number)).yiaddr)
        .collect();
    assert!(!others.contains(&ack.yiaddr) && !others.contains(&offer.yiaddr));
    let granted = page.ask(&offered.request_selecting(&offer)).unwrap();
    assert_eq!(
        (granted.message_type, granted.number(51)),
        (message::ACK, Some(2000))
    );
    let renewed = page.ask(&leased.request_renewing(ack.yiaddr)).unwrap();
    assert_eq!(
        (renewed.message_type, renewed.number(51)),
        (message::ACK, Some(2000))
    );
}

#[test]
fn pools_of_the_new_configuration_are_used_and_those_of_the_old_one_are_not() {
    let mut page = Page4::new(NET);
    for number in 0..4 {
        page.lease_to(&mut relayed(number));
    }
    page.reload(&NET.replace("192.0.2.103", "192.0.2.104"));
    assert_eq!(
        page.lease_to(&mut relayed(9)).yiaddr,
        Ipv4Addr::new(192, 0, 2, 104)
    );
    page.reload(&NET.replace("192.0.2.100-192.0.2.103", "192.0.2.50/32"));
    assert_eq!(
        page.lease_to(&mut relayed(10)).yiaddr,
        Ipv4Addr::new(192, 0, 2, 50)
    );
}

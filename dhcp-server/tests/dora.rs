//! DHCPv4 exchanges with the whole page: RFC 2131 and what Kea makes of it.

use crate::common::{Page4, RELAY4, SERVER4, at4};
use outrigger_server::telemetry::DiscardReason;
use outrigger_store::LeaseState;
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Relay4, Reply4Seen};
use outrigger_wire::family::LeaseOwner;
use std::net::Ipv4Addr;

mod addresses;
mod options;
mod reservations;

/// Ten addresses on `eth0`.
const NET: &str = r#"
    "valid-lifetime": 1000, "min-valid-lifetime": 500, "max-valid-lifetime": 2000,
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ] } ]"#;

/// One address on `eth0`.
const ONE: &str = r#"
    "valid-lifetime": 1000,
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100/32" } ] } ]"#;

fn client(number: u8) -> Client4 {
    Client4::new([2, 0, 0, 0, 0, number])
}

fn relayed(number: u8, giaddr: Ipv4Addr) -> Client4 {
    let mut client = client(number);
    client.relay = Some(Relay4 {
        giaddr,
        relay_info: vec![(1, b"port-7".to_vec())],
    });
    client
}

fn named(number: u8, client_id: &[u8]) -> Client4 {
    let mut client = client(number);
    client.client_id = Some(client_id.to_vec());
    client
}

fn addr(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

fn kind(answer: Result<Reply4Seen, DiscardReason>) -> Result<u8, DiscardReason> {
    answer.map(|reply| reply.message_type)
}

#[test]
fn four_messages_lease_an_address_for_the_configured_time() {
    let page = Page4::new(NET);
    let mut client = client(1);
    let offer = page.ask(&client.discover()).unwrap();
    assert_eq!(offer.message_type, message::OFFER);
    assert_eq!(page.leases(), 0, "an offer is no lease");
    let ack = page.ask(&client.request_selecting(&offer)).unwrap();
    assert_eq!((ack.message_type, ack.yiaddr), (message::ACK, offer.yiaddr));
    assert_eq!(ack.server_id(), Some(SERVER4));
    // Lease time, T1 and T2 (not configured and not calculated: absent), subnet mask.
    assert_eq!(ack.number(51), Some(1000));
    assert_eq!(
        ack.addresses(1),
        Some(vec![Ipv4Addr::new(255, 255, 255, 0)])
    );
    let lease = page.lease(ack.yiaddr).unwrap();
    assert_eq!(
        (lease.state, lease.valid_lifetime, lease.subnet_id),
        (LeaseState::Default, 1000, 1)
    );
    assert_eq!(lease.owner.hw_address.bytes(), client.hw_address);
}

#[test]
fn offer_is_repeated_for_its_client_and_kept_from_others() {
    let page = Page4::new(NET);
    let (mut first, mut second) = (client(1), client(2));
    let offered = page.ask(&first.discover()).unwrap().yiaddr;
    let other = page.ask(&second.discover()).unwrap().yiaddr;
    assert_ne!(offered, other);
    assert_eq!(page.ask(&first.discover()).unwrap().yiaddr, offered);
}

#[test]
fn request_for_another_servers_offer_is_silent() {
    let page = Page4::new(NET);
    let mut client = client(1);
    let mut offer = page.ask(&client.discover()).unwrap();
    offer.options.insert(54, vec![192, 0, 2, 77]);
    let request = client.request_selecting(&offer);
    assert_eq!(kind(page.ask(&request)), Err(DiscardReason::NotForUs));
}

#[test]
fn request_names_the_state_that_it_is_made_in() {
    let page = Page4::new(NET);
    let mut client = client(1);
    let ack = page.lease_to(&mut client);
    let address = ack.yiaddr;
    let init_reboot = page.ask(&client.request_init_reboot(address)).unwrap();
    let renewing = page.ask(&client.request_renewing(address)).unwrap();
    let rebinding = client.request_rebinding(address);
    let broadcast = at4(Ipv4Addr::BROADCAST, address, 68);
    let rebound = page.serve(&rebinding, broadcast).unwrap().unwrap();
    let rebound = Reply4Seen::parse(&rebound.bytes).unwrap();
    for (reply, ciaddr) in [
        (init_reboot, Ipv4Addr::UNSPECIFIED),
        (renewing, address),
        (rebound, address),
    ] {
        assert_eq!((reply.message_type, reply.yiaddr), (message::ACK, address));
        assert_eq!(reply.ciaddr, ciaddr);
    }
    // Kea: a REQUEST that names no address at all is served.
    let nameless = page
        .ask(&client.request_renewing(Ipv4Addr::UNSPECIFIED))
        .unwrap();
    assert_eq!(
        (nameless.message_type, nameless.yiaddr),
        (message::ACK, address)
    );
    assert_eq!(page.leases(), 1);
}

#[test]
fn renewal_begins_the_lifetime_anew() {
    let page = Page4::new(NET);
    let mut client = client(1);
    let address = page.lease_to(&mut client).yiaddr;
    let before = page.lease(address).unwrap();
    page.advance(400);
    page.ask(&client.request_renewing(address)).unwrap();
    let after = page.lease(address).unwrap();
    assert!((before.cltt + 400..before.cltt + 410).contains(&after.cltt));
    assert_eq!(after.valid_lifetime, 1000);
}

#[test]
fn init_reboot_is_judged_by_what_the_server_knows() {
    // Known client and right address, known and wrong, unknown: RFC 2131 §4.3.2.
    let authoritative = NET.replace(r#""interface""#, r#""authoritative": true, "interface""#);
    for (members, unknown) in [
        (NET, Err(DiscardReason::UnknownLease)),
        (&*authoritative, Ok(message::NAK)),
    ] {
        let page = Page4::new(members);
        let mut known = client(1);
        let address = page.lease_to(&mut known).yiaddr;
        let wrong = Ipv4Addr::new(10, 9, 9, 9);
        let answers = [
            known.request_init_reboot(address),
            known.request_init_reboot(wrong),
            client(2).request_init_reboot(addr(105)),
            client(2).request_init_reboot(wrong),
        ]
        .map(|request| kind(page.ask(&request)));
        assert_eq!(
            answers,
            [Ok(message::ACK), Ok(message::NAK), unknown, unknown]
        );
    }
}

#[test]
fn address_of_another_client_is_refused_with_a_nak_that_says_only_that() {
    let page = Page4::new(NET);
    let taken = page.lease_to(&mut client(1)).yiaddr;
    let mut thief = client(2);
    thief.client_id = Some(vec![1, 2, 3]);
    let mut offer = page.ask(&thief.discover()).unwrap();
    offer.yiaddr = taken;
    let nak = page.ask(&thief.request_selecting(&offer)).unwrap();
    assert_eq!(
        (nak.message_type, nak.yiaddr),
        (message::NAK, Ipv4Addr::UNSPECIFIED)
    );
    // RFC 2131 table 3: message type, server identifier, client identifier and nothing of a lease.
    assert_eq!(
        nak.options.keys().copied().collect::<Vec<_>>(),
        [53, 54, 61]
    );
}

#[test]
fn request_for_an_address_of_no_pool_is_silent_where_the_client_is_unknown() {
    let page = Page4::new(NET);
    for address in [addr(5), Ipv4Addr::new(10, 9, 9, 9)] {
        let mut client = client(3);
        let mut offer = page.ask(&client.discover()).unwrap();
        offer.yiaddr = address;
        let answer = kind(page.ask(&client.request_selecting(&offer)));
        assert_eq!(answer, Err(DiscardReason::UnknownLease), "{address}");
    }
}

#[test]
fn renewal_of_a_lease_that_does_not_fit_the_link_any_more_is_refused() {
    let mut page = Page4::new(NET);
    let mut client = client(1);
    let address = page.lease_to(&mut client).yiaddr;
    page.reload(&NET.replace("192.0.2.", "198.51.100."));
    client.relay = Some(Relay4 {
        giaddr: Ipv4Addr::new(198, 51, 100, 2),
        relay_info: Vec::new(),
    });
    assert_eq!(
        kind(page.ask(&client.request_renewing(address))),
        Ok(message::NAK)
    );
    let moved = page.lease_to(&mut client).yiaddr;
    assert_eq!(moved.octets()[..3], [198, 51, 100]);
}

#[test]
fn without_a_subnet_each_message_gets_what_kea_gives() {
    let page = Page4::new(&format!(
        r#"{NET}, "option-data": [ {{ "name": "domain-name-servers", "data": "192.0.2.53" }} ]"#
    ));
    let elsewhere = Ipv4Addr::new(10, 0, 0, 1);
    let mut far = relayed(1, elsewhere);
    assert_eq!(
        kind(page.ask(&far.discover())),
        Err(DiscardReason::NoSubnet)
    );
    let mut offer = page.ask(&client(2).discover()).unwrap();
    offer.xid = 5;
    assert_eq!(
        kind(page.ask(&far.request_selecting(&offer))),
        Ok(message::NAK)
    );
    assert_eq!(
        kind(page.ask(&far.request_init_reboot(addr(100)))),
        Err(DiscardReason::NoSubnet)
    );
    let mut lost = client(1);
    let rebinding = page.serve(
        &lost.request_rebinding(elsewhere),
        outrigger_wire::Link {
            interface: "eth9".into(),
            interface_index: 9,
            ..at4(Ipv4Addr::BROADCAST, elsewhere, 68)
        },
    );
    assert_eq!(rebinding.map(drop), Err(DiscardReason::NoSubnet));
    let informed = page.ask(&far.inform(Ipv4Addr::new(10, 0, 0, 9))).unwrap();
    assert_eq!(informed.addresses(6), Some(vec![addr(53)]));
}

#[test]
fn inform_gets_options_and_no_lease() {
    let page = Page4::new(&format!(
        r#"{NET}, "option-data": [ {{ "name": "domain-name-servers", "data": "192.0.2.53" }} ]"#
    ));
    let mut client = client(1);
    let inform = client.inform(addr(20));
    let outgoing = page.send(&inform).unwrap().unwrap();
    assert_eq!(outgoing.link.remote, (addr(20), 68).into());
    let ack = Reply4Seen::parse(&outgoing.bytes).unwrap();
    assert_eq!((ack.message_type, ack.ciaddr), (message::ACK, addr(20)));
    assert_eq!(ack.yiaddr, Ipv4Addr::UNSPECIFIED);
    assert_eq!(ack.addresses(6), Some(vec![addr(53)]));
    // RFC 2131 §4.3.5: no lease time.
    assert!([51, 58, 59].iter().all(|code| ack.option(*code).is_none()));
    assert_eq!(page.leases(), 0);
}

#[test]
fn released_lease_is_kept_for_its_client_and_given_to_others_only_when_nothing_else_is_free() {
    let page = Page4::new(NET);
    let mut owner = client(1);
    let lease = page.lease_to(&mut owner);
    assert_eq!(page.tell(&owner.release(&lease)), Ok(()));
    assert_eq!(
        page.lease(lease.yiaddr).unwrap().state,
        LeaseState::Released
    );
    let other = page.lease_to(&mut client(2));
    assert_ne!(other.yiaddr, lease.yiaddr);
    assert_eq!(page.lease_to(&mut owner).yiaddr, lease.yiaddr);

    let page = Page4::new(ONE);
    let lease = page.lease_to(&mut owner);
    assert_eq!(page.tell(&owner.release(&lease)), Ok(()));
    assert_eq!(page.lease_to(&mut client(2)).yiaddr, lease.yiaddr);
}

#[test]
fn release_without_affinity_deletes_the_lease() {
    let page = Page4::new(&format!(
        r#"{NET}, "expired-leases-processing": {{ "hold-reclaimed-time": 0 }}"#
    ));
    let mut owner = client(1);
    let lease = page.lease_to(&mut owner);
    assert_eq!(page.tell(&owner.release(&lease)), Ok(()));
    assert_eq!(page.leases(), 0);
}

#[test]
fn release_of_a_stranger_changes_nothing() {
    let page = Page4::new(NET);
    let lease = page.lease_to(&mut client(1));
    for mut stranger in [client(2), named(3, &[9, 9])] {
        assert_eq!(page.tell(&stranger.release(&lease)), Ok(()));
        assert_eq!(page.tell(&stranger.decline(&lease)), Ok(()));
    }
    assert_eq!(page.lease(lease.yiaddr).unwrap().state, LeaseState::Default);
}

#[test]
fn declined_address_is_out_of_use_for_the_probation_period_and_then_comes_back() {
    let page = Page4::new(&format!(r#"{ONE}, "decline-probation-period": 300"#));
    let mut owner = client(1);
    let lease = page.lease_to(&mut owner);
    assert_eq!(page.tell(&owner.decline(&lease)), Ok(()));
    let declined = page.lease(lease.yiaddr).unwrap();
    assert_eq!(
        (declined.state, declined.valid_lifetime),
        (LeaseState::Declined, 300)
    );
    assert_eq!(declined.owner, LeaseOwner::nobody());
    for number in [1, 2] {
        let answer = kind(page.ask(&client(number).discover()));
        assert_eq!(answer, Err(DiscardReason::NoneLeft), "client {number}");
    }
    page.advance(301);
    assert_eq!(page.reclaim().reclaimed, 1);
    assert_eq!(page.leases(), 0);
    assert_eq!(page.lease_to(&mut client(2)).yiaddr, lease.yiaddr);
}

#[test]
fn expired_lease_goes_to_another_client_only_when_nothing_else_is_free() {
    let page = Page4::new(ONE);
    let lease = page.lease_to(&mut client(1));
    assert_eq!(
        kind(page.ask(&client(2).discover())),
        Err(DiscardReason::NoneLeft)
    );
    page.advance(1001);
    let taken = page.lease_to(&mut client(2));
    assert_eq!(taken.yiaddr, lease.yiaddr);
    assert_eq!(
        kind(page.ask(&client(1).request_renewing(lease.yiaddr))),
        Ok(message::NAK)
    );

    let page = Page4::new(NET);
    let lease = page.lease_to(&mut client(1));
    page.advance(1001);
    assert_ne!(page.lease_to(&mut client(2)).yiaddr, lease.yiaddr);
    assert_eq!(
        page.lease_to(&mut client(1)).yiaddr,
        lease.yiaddr,
        "it was its own"
    );
}

#[test]
fn relayed_answer_goes_to_the_relay_with_its_information() {
    let page = Page4::new(NET);
    let mut client = relayed(1, RELAY4);
    let discover = client.discover();
    let outgoing = page.send(&discover).unwrap().unwrap();
    assert_eq!(
        (outgoing.link.remote, outgoing.link.local),
        ((RELAY4, 67).into(), (SERVER4, 67).into())
    );
    assert_eq!(outgoing.to_hardware, None);
    let offer = Reply4Seen::parse(&outgoing.bytes).unwrap();
    // RFC 3046 §2.2: echoed as it came, and the last option.
    assert_eq!(offer.option(82), Some(&b"\x01\x06port-7"[..]));
    assert_eq!(offer.order.last(), Some(&82));
    let mut wrong = offer.clone();
    wrong.yiaddr = page.lease_to(&mut self::client(2)).yiaddr;
    let nak = page.ask(&client.request_selecting(&wrong)).unwrap();
    assert_eq!(
        (nak.message_type, nak.flags),
        (message::NAK, 0x8000),
        "RFC 2131 §4.3.2"
    );
}

#[test]
fn relay_with_a_port_of_its_own_is_answered_there() {
    let page = Page4::new(NET);
    let mut client = relayed(1, RELAY4);
    // RFC 8357: sub-option 19, empty.
    client
        .relay
        .as_mut()
        .unwrap()
        .relay_info
        .push((19, Vec::new()));
    let outgoing = page
        .serve(&client.discover(), at4(SERVER4, RELAY4, 1067))
        .unwrap();
    assert_eq!(outgoing.unwrap().link.remote, (RELAY4, 1067).into());
}

#[test]
fn direct_answer_goes_where_rfc_2131_section_4_1_says() {
    let page = Page4::new(NET);
    let mut plain = client(1);
    let outgoing = page.send(&plain.discover()).unwrap().unwrap();
    let hardware = outgoing.to_hardware.expect("a frame");
    assert_eq!(hardware.bytes(), plain.hw_address);
    let mut wants_broadcast = client(2);
    wants_broadcast.broadcast = true;
    let outgoing = page.send(&wants_broadcast.discover()).unwrap().unwrap();
    assert_eq!(
        (outgoing.link.remote, outgoing.to_hardware),
        ((Ipv4Addr::BROADCAST, 68).into(), None)
    );
    let address = page.lease_to(&mut plain).yiaddr;
    let outgoing = page
        .send(&plain.request_renewing(address))
        .unwrap()
        .unwrap();
    assert_eq!(
        (outgoing.link.remote, outgoing.to_hardware),
        ((address, 68).into(), None)
    );
    let nak = page
        .send(&plain.request_init_reboot(addr(5)))
        .unwrap()
        .unwrap();
    assert_eq!(
        (nak.link.remote, nak.to_hardware),
        ((Ipv4Addr::BROADCAST, 68).into(), None)
    );
}

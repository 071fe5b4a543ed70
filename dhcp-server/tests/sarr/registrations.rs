//! Addresses that clients made themselves (RFC 9686).

use super::{NET, ONE, address, client, only_address, status, statuses, wants_address};
use crate::common::{Page6, at6};
use outrigger_server::telemetry::DiscardReason;
use outrigger_store::LeaseState;
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Ia, Relay6, Reply6Seen};
use outrigger_wire::family::Resource6;
use std::net::Ipv6Addr;

/// Option codes.
const IA_ADDRESS: u16 = 5;
const ADDR_REG_ENABLE: u16 = 148;

/// Lifetimes of the client's choice.
const LIFETIMES: (u32, u32) = (3000, 5000);

/// Sends a message that came directly from `source`.
fn from(page: &Page6, source: Ipv6Addr, bytes: &[u8]) -> Result<Reply6Seen, DiscardReason> {
    let link = at6("ff02::1:2", &source.to_string());
    let outgoing = page.serve(bytes, link)?.expect("an answer");
    assert_eq!(outgoing.link.remote, (source, 546).into());
    let reply = Reply6Seen::parse(&outgoing.bytes).unwrap();
    reply.check_answers(bytes).unwrap();
    Ok(reply)
}

fn register(
    page: &Page6,
    client: &mut Client6,
    address: Ipv6Addr,
) -> Result<Reply6Seen, DiscardReason> {
    from(page, address, &client.register(address, LIFETIMES))
}

#[test]
fn registered_address_is_kept_for_its_lifetime_and_told_back() {
    let page = Page6::new(NET);
    let own = address(0xabcd);
    let mut client = wants_address(1);
    let message = client.register(own, LIFETIMES);
    let reply = from(&page, own, &message).unwrap();
    assert_eq!(reply.message_type, message::ADDR_REG_REPLY);
    assert_eq!(reply.server_id(), Some(Page6::duid().bytes()));
    let mut told = own.octets().to_vec();
    told.extend(3000_u32.to_be_bytes());
    told.extend(5000_u32.to_be_bytes());
    assert_eq!(reply.option(IA_ADDRESS), Some(&*told));
    let lease = page.lease(Resource6::Address(own)).unwrap();
    assert_eq!(lease.state, LeaseState::Registered);
    assert_eq!((lease.preferred_lifetime, lease.valid_lifetime), LIFETIMES);
    assert_eq!(lease.owner.duid.bytes(), client.duid);
    assert_eq!((lease.owner.iaid.0, lease.subnet_id), (0, 1));
}

#[test]
fn registration_is_refreshed_and_reclaimed_when_it_ends() {
    let page = Page6::new(NET);
    let own = address(0xabcd);
    let mut client = wants_address(1);
    register(&page, &mut client, own).unwrap();
    page.advance(4000);
    register(&page, &mut client, own).unwrap();
    page.advance(4000);
    assert_eq!(page.reclaim().reclaimed, 0, "it was refreshed");
    page.advance(1001);
    assert_eq!(page.reclaim().reclaimed, 1);
    // Other leases are remembered for their clients.
    assert_eq!(page.leases(), 0);
}

#[test]
fn registration_by_another_client_replaces_the_first() {
    let page = Page6::new(NET);
    let own = address(0xabcd);
    register(&page, &mut wants_address(1), own).unwrap();
    let mut second = wants_address(2);
    register(&page, &mut second, own).unwrap();
    let lease = page.lease(Resource6::Address(own)).unwrap();
    assert_eq!(lease.owner.duid.bytes(), second.duid);
    assert_eq!(page.leases(), 1);
}

#[test]
fn messages_that_break_the_standard_are_discarded() {
    let page = Page6::new(NET);
    let own = address(0xabcd);
    let message = || wants_address(1).register(own, LIFETIMES);
    let with = |code: u16, data: &[u8]| {
        let mut client = wants_address(1);
        client.options.push((code, data.to_vec()));
        client.register(own, LIFETIMES)
    };
    // Header and client identifier (option 1 with ten bytes) stand first.
    let without_client_id = [&message()[..4], &message()[18..]].concat();
    let mut of_no_address = wants_address(1);
    of_no_address.requested.clear();
    let mut of_no_address = of_no_address.solicit();
    of_no_address[0] = message::ADDR_REG_INFORM;
    let mut second = other_address().octets().to_vec();
    second.extend([0; 8]);
    let cases = [
        ("without client identifier", without_client_id),
        ("for this server alone", with(2, Page6::duid().bytes())),
        ("with an option request", with(6, &[0, 23])),
        ("of two addresses", with(IA_ADDRESS, &second)),
        ("of no address", of_no_address),
        (
            "of another address",
            wants_address(1).register(other_address(), LIFETIMES),
        ),
        ("of a dead address", wants_address(1).register(own, (0, 0))),
        (
            "preferred when invalid",
            wants_address(1).register(own, (2, 1)),
        ),
    ];
    for (what, bytes) in cases {
        let answer = from(&page, own, &bytes);
        assert_eq!(answer.err(), Some(DiscardReason::RfcViolation), "{what}");
    }
    assert_eq!(page.leases(), 0);
    from(&page, own, &message()).unwrap();
}

fn other_address() -> Ipv6Addr {
    address(0xabce)
}

#[test]
fn nobody_registers_where_it_is_not_allowed() {
    let page = Page6::new(&format!(r#""allow-address-registration": false, {NET}"#));
    let own = address(0xabcd);
    let mut client = wants_address(1);
    let answer = register(&page, &mut client, own);
    assert_eq!(answer.err(), Some(DiscardReason::NotForUs));
    for (page, told) in [(&page, false), (&Page6::new(NET), true)] {
        client.requested = vec![ADDR_REG_ENABLE];
        let advertise = page.ask(&client.solicit()).unwrap();
        let none: &[u8] = &[];
        assert_eq!(advertise.option(ADDR_REG_ENABLE), told.then_some(none));
        client.requested.clear();
        let advertise = page.ask(&client.solicit()).unwrap();
        assert_eq!(advertise.option(ADDR_REG_ENABLE), None, "not asked for");
    }
}

#[test]
fn addresses_of_others_and_of_other_links_are_not_registered() {
    let reserved = r#""reservations": [ { "duid": "00:03:00:01:02:00:00:00:00:09",
        "ip-addresses": [ "2001:db8:1::99" ] } ], "interface""#;
    let page = Page6::new(&NET.replace(r#""interface""#, reserved));
    let leased = only_address(&page.lease_to(&mut wants_address(1)));
    let elsewhere = "2001:db8:2::1".parse().unwrap();
    for taken in [leased, address(0x99), elsewhere] {
        // Neither another client nor the one that has the lease.
        for number in [1, 2] {
            let answer = register(&page, &mut wants_address(number), taken);
            assert_eq!(answer.err(), Some(DiscardReason::Unregistrable), "{taken}");
        }
    }
    register(&page, &mut wants_address(9), address(0x99)).unwrap();
    let nowhere = Page6::new(&NET.replace("eth0", "eth1"));
    let answer = register(&nowhere, &mut wants_address(1), elsewhere);
    assert_eq!(answer.err(), Some(DiscardReason::NoSubnet));
}

#[test]
fn address_behind_a_relay_is_compared_with_what_the_relay_says() {
    let page = Page6::new(NET);
    let own = address(0xabcd);
    let mut client = wants_address(1);
    let near = Relay6::new("2001:db8:1::1".parse().unwrap(), own);
    let far = Relay6::new("2001:db8:9::1".parse().unwrap(), "fe80::9".parse().unwrap());
    client.relays = vec![near, far];
    let reply = page.ask(&client.register(own, LIFETIMES)).unwrap();
    assert_eq!(reply.message_type, message::ADDR_REG_REPLY);
    client.relays[0].peer_address = "fe80::1".parse().unwrap();
    let answer = page.ask(&client.register(own, LIFETIMES));
    assert_eq!(answer.err(), Some(DiscardReason::RfcViolation));
}

/// Every subnet of the client's shared network is on its link.
#[test]
fn lease_counts_for_the_subnet_of_the_shared_network_that_has_the_address() {
    let page = Page6::new(
        r#""shared-networks": [ { "name": "lan", "interface": "eth0", "subnet6": [
            { "id": 1, "subnet": "2001:db8:1::/64" }, { "id": 2, "subnet": "2001:db8:2::/64" } ] } ]"#,
    );
    let own = "2001:db8:2::77".parse().unwrap();
    register(&page, &mut wants_address(1), own).unwrap();
    assert_eq!(page.lease(Resource6::Address(own)).unwrap().subnet_id, 2);
}

#[test]
fn registered_address_is_leased_to_nobody_while_it_runs() {
    let page = Page6::new(ONE);
    // The only address of the pool. IAID 0 is the one that registrations are kept under.
    let mut registrar = client(1, &[Ia::na(0)]);
    register(&page, &mut registrar, address(0x10)).unwrap();
    for client in [&mut registrar, &mut wants_address(2)] {
        let refused = page.ask(&client.solicit()).unwrap();
        assert_eq!(statuses(&refused), [Some(status::NO_ADDRS_AVAIL)]);
    }
    page.advance(5001);
    page.reclaim();
    let leased = page.lease_to(&mut wants_address(2));
    assert_eq!(only_address(&leased), address(0x10));
}

/// An offer is no lease: the client that was faster has the address already.
#[test]
fn address_that_is_registered_while_it_is_offered_is_not_leased() {
    let page = Page6::new(ONE);
    let mut offered = wants_address(2);
    let advertise = page.ask(&offered.solicit()).unwrap();
    assert_eq!(only_address(&advertise), address(0x10));
    register(&page, &mut wants_address(1), address(0x10)).unwrap();
    let reply = page.ask(&offered.request(&advertise)).unwrap();
    assert_eq!(statuses(&reply), [Some(status::NO_ADDRS_AVAIL)]);
}

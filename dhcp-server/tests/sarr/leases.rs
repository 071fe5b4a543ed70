//! Which leases a client gets, keeps and loses.

use super::*;

#[test]
fn hint_is_followed_where_it_is_free() {
    let page = Page6::new(NET);
    let prefix: Ipv6Addr = "2001:db8:f000:7::".parse().unwrap();
    let mut first = client(1, &[Ia::na(1), Ia::pd(1)]);
    first.ias[0].hints = vec![Hint6::Address(address(0x15))];
    first.ias[1].hints = vec![Hint6::Prefix(prefix, 64)];
    let reply = page.lease_to(&mut first);
    assert_eq!(only_address(&reply), address(0x15));
    assert_eq!(reply.prefixes().next().unwrap().prefix, prefix);
    let mut second = first.clone();
    second.duid = Client6::duid_ll([2, 0, 0, 0, 0, 2]);
    let reply = page.lease_to(&mut second);
    assert_ne!(only_address(&reply), address(0x15));
    assert_ne!(reply.prefixes().next().unwrap().prefix, prefix);
}

#[test]
fn ia_for_which_nothing_is_left_says_so_and_the_others_are_served() {
    let page = Page6::new(ONE);
    let mut client = client(1, &[Ia::na(1), Ia::na(2), Ia::pd(1), Ia::pd(2)]);
    let reply = page.lease_to(&mut client);
    assert_eq!(
        statuses(&reply),
        [
            None,
            Some(status::NO_ADDRS_AVAIL),
            None,
            Some(status::NO_PREFIX_AVAIL)
        ]
    );
    assert_eq!(
        (reply.addresses().count(), reply.prefixes().count()),
        (1, 1)
    );
    let mut late = wants_address(2);
    let advertise = page.ask(&late.solicit()).unwrap();
    assert_eq!(advertise.message_type, message::ADVERTISE);
    assert_eq!(statuses(&advertise), [Some(status::NO_ADDRS_AVAIL)]);
}

#[test]
fn client_that_asks_again_gets_the_lease_that_it_has() {
    let page = Page6::new(NET);
    let mut client = client(1, &[Ia::na(1), Ia::pd(1)]);
    let reply = page.lease_to(&mut client);
    assert_eq!(page.lease_to(&mut client).ias(), reply.ias());
    assert_eq!(page.leases(), 2);
}

#[test]
fn released_leases_are_kept_for_their_client() {
    let page = Page6::new(NET);
    let mut owner = client(1, &[Ia::na(1), Ia::pd(1)]);
    let reply = page.lease_to(&mut owner);
    let released = page.ask(&owner.release(&reply)).unwrap();
    assert_eq!(released.message_type, message::REPLY);
    assert_eq!(released.status().unwrap().code, status::SUCCESS);
    let resource = Resource6::Address(only_address(&reply));
    assert_eq!(page.lease(resource).unwrap().state, LeaseState::Released);
    assert_ne!(
        only_address(&page.lease_to(&mut wants_address(2))),
        resource.addr()
    );
    assert_eq!(page.lease_to(&mut owner).ias(), reply.ias());
}

#[test]
fn release_and_decline_of_what_is_not_the_clients_change_nothing() {
    let page = Page6::new(NET);
    let reply = page.lease_to(&mut wants_address(1));
    let mut stranger = wants_address(2);
    for request in [stranger.release(&reply), stranger.decline(&reply)] {
        let answer = page.ask(&request).unwrap();
        assert_eq!(statuses(&answer), [Some(status::NO_BINDING)]);
    }
    let lease = page
        .lease(Resource6::Address(only_address(&reply)))
        .unwrap();
    assert_eq!(lease.state, LeaseState::Default);
}

#[test]
fn declined_address_is_out_of_use_for_the_probation_period_and_then_comes_back() {
    let page = Page6::new(&format!(r#"{ONE}, "decline-probation-period": 300"#));
    let mut owner = wants_address(1);
    let reply = page.lease_to(&mut owner);
    let declined = page.ask(&owner.decline(&reply)).unwrap();
    assert_eq!(declined.status().unwrap().code, status::SUCCESS);
    assert_eq!(
        statuses(&page.ask(&owner.solicit()).unwrap()),
        [Some(status::NO_ADDRS_AVAIL)]
    );
    page.advance(301);
    assert_eq!(page.reclaim().reclaimed, 1);
    assert_eq!(
        only_address(&page.lease_to(&mut wants_address(2))),
        address(0x10)
    );
}

#[test]
fn expired_leases_go_to_another_client_only_when_nothing_else_is_free() {
    let page = Page6::new(ONE);
    let mut first = client(1, &[Ia::na(1), Ia::pd(1)]);
    let reply = page.lease_to(&mut first);
    page.advance(1001);
    let mut second = client(2, &[Ia::na(1), Ia::pd(1)]);
    assert_eq!(page.lease_to(&mut second).ias(), reply.ias());
    let renewed = page.ask(&first.renew(&reply)).unwrap();
    // The other has them now: nothing is left for this one, and it must stop to use them.
    assert_eq!(statuses(&renewed), [Some(status::NO_BINDING); 2]);

    let page = Page6::new(NET);
    let reply = page.lease_to(&mut first);
    page.advance(1001);
    assert_ne!(page.lease_to(&mut second).ias(), reply.ias());
    assert_eq!(
        page.lease_to(&mut first).ias(),
        reply.ias(),
        "they were its own"
    );
}

#[test]
fn renewal_after_the_subnet_changed_ends_the_old_lease_and_grants_a_new_one() {
    let mut page = Page6::new(NET);
    let mut client = client(1, &[Ia::na(1), Ia::pd(1)]);
    let reply = page.lease_to(&mut client);
    let old = only_address(&reply);
    page.reload(
        &NET.replace("2001:db8:1:", "2001:db8:2:")
            .replace("f000", "e000"),
    );
    let renewed = page.ask(&client.renew(&reply)).unwrap();
    let na = renewed.ia(IaKind::Na, 1).unwrap();
    let seen: Vec<_> = na
        .addresses
        .iter()
        .map(|a| (a.address.segments()[2], a.valid))
        .collect();
    assert_eq!(
        seen,
        [(2, 1000), (1, 0)],
        "the new one, and the old one with zero lifetimes"
    );
    let pd = renewed.ia(IaKind::Pd, 1).unwrap();
    let seen: Vec<_> = pd
        .prefixes
        .iter()
        .map(|p| (p.prefix.segments()[2], p.valid))
        .collect();
    assert_eq!(seen, [(0xe000, 1000), (0xf000, 0)]);
    assert_eq!(
        page.lease(Resource6::Address(old)),
        None,
        "and it is released"
    );
    assert_eq!(page.leases(), 2);
}

#[test]
fn reservation_is_found_by_duid_and_by_hardware_address() {
    for identifier in [
        r#""duid": "00:03:00:01:02:00:00:00:00:07""#,
        r#""hw-address": "02:00:00:00:00:07""#,
    ] {
        let host = format!(
            r#""reservations": [ {{ {identifier}, "ip-addresses": [ "2001:db8:1::7" ],
                "prefixes": [ "2001:db8:f000:3::/64" ], "hostname": "Seven" }} ], "interface""#
        );
        let page = Page6::new(&NET.replace(r#""interface""#, &host));
        let mut host = client(7, &[Ia::na(1), Ia::pd(1)]);
        // Kea: a reserved name counts where the client hears a name at all.
        host.options = vec![(39, vec![0])];
        let reply = page.lease_to(&mut host);
        assert_eq!(only_address(&reply), address(7), "{identifier}");
        assert_eq!(
            reply.option(39).unwrap()[1..],
            *b"\x05seven\0",
            "{identifier}"
        );
        let prefix = reply.prefixes().next().unwrap();
        assert_eq!(
            prefix.prefix,
            "2001:db8:f000:3::".parse::<Ipv6Addr>().unwrap()
        );
        let resource = Resource6::Prefix(Prefix6 {
            addr: prefix.prefix,
            len: 64,
        });
        assert_eq!(&*page.lease(resource).unwrap().hostname, "seven.");
        let mut thief = client(8, &[Ia::na(1), Ia::pd(1)]);
        thief.ias[0].hints = vec![Hint6::Address(address(7))];
        thief.ias[1].hints = vec![Hint6::Prefix(prefix.prefix, 64)];
        let other = page.lease_to(&mut thief);
        assert_ne!(only_address(&other), address(7));
        assert_ne!(other.prefixes().next().unwrap().prefix, prefix.prefix);
    }
}

#[test]
fn client_whose_reserved_address_is_leased_to_another_gets_it_when_that_one_may_not_renew() {
    let mut page = Page6::new(NET);
    let (mut before, mut reserved) = (wants_address(1), wants_address(2));
    let held = page.lease_to(&mut before);
    let host = format!(
        r#""reservations": [ {{ "hw-address": "02:00:00:00:00:02", "ip-addresses": [ "{}" ] }} ], "interface""#,
        only_address(&held)
    );
    page.reload(&NET.replace(r#""interface""#, &host));
    let meanwhile = page.lease_to(&mut reserved);
    assert_ne!(only_address(&meanwhile), only_address(&held));
    let moved = page.ask(&before.renew(&held)).unwrap();
    let seen: Vec<_> = moved
        .addresses()
        .map(|a| (a.address == only_address(&held), a.valid))
        .collect();
    assert_eq!(seen, [(false, 1000), (true, 0)]);
    let renewed = page.ask(&reserved.renew(&meanwhile)).unwrap();
    let seen: Vec<_> = renewed.addresses().map(|a| (a.address, a.valid)).collect();
    assert_eq!(
        seen,
        [(only_address(&held), 1000), (only_address(&meanwhile), 0)]
    );
}

#[test]
fn shared_network_is_filled_subnet_by_subnet() {
    let page = Page6::new(
        r#""shared-networks": [ { "name": "floor", "interface": "eth0", "subnet6": [
            { "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::10/128" } ] },
            { "id": 2, "subnet": "2001:db8:2::/64", "pools": [ { "pool": "2001:db8:2::10/128" } ] } ] } ]"#,
    );
    let [one, two] =
        [1, 2].map(|number| only_address(&page.lease_to(&mut wants_address(number))).segments()[2]);
    assert_eq!((one, two), (1, 2));
    let third = page.ask(&wants_address(3).solicit()).unwrap();
    assert_eq!(statuses(&third), [Some(status::NO_ADDRS_AVAIL)]);
    let mut second = wants_address(2);
    let reply = page.lease_to(&mut second);
    assert_eq!(
        only_address(&page.ask(&second.renew(&reply)).unwrap()).segments()[2],
        2
    );
}

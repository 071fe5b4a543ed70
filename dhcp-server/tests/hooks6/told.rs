//! What callouts are told of a packet that is served.

use super::*;

fn subnet_of(service: &Service) -> u32 {
    match service.calls(HookPoint::Pkt6Send).last() {
        Some(Point::Pkt6Send(sent)) => sent.subnet_id,
        _ => panic!("not called"),
    }
}

/// What the last reply was committed with.
fn committed(service: &Service) -> v1::Leases6CommittedArguments {
    match service.calls(HookPoint::Leases6Committed).pop() {
        Some(Point::Leases6Committed(committed)) => committed,
        _ => panic!("not called"),
    }
}

#[test]
fn subnet_of_a_reply_is_that_of_its_lease() {
    let members = r#"
        "shared-networks": [ { "name": "net", "interface": "eth0", "subnet6": [
            { "id": 1, "subnet": "2001:db8:1::/64",
              "option-data": [ { "name": "dns-servers", "data": "2001:db8::1" } ] },
            { "id": 2, "subnet": "2001:db8:2::/64", "pools": [ { "pool": "2001:db8:2::10/128" } ],
              "option-data": [ { "name": "dns-servers", "data": "2001:db8::2" } ] } ] } ]"#;
    let (service, page) = hooked(members, &[HookPoint::Pkt6Send], |_| goes_on());
    let dns = |reply: &Reply6Seen| reply.address_list(23).unwrap()[0].segments()[7];
    let mut client = wants_address(1);
    let reply = page.lease_to(&mut client);
    assert_eq!((subnet_of(&service), dns(&reply)), (2, 2));
    let reply = page.ask(&client.information_request()).unwrap();
    assert_eq!(
        (subnet_of(&service), dns(&reply)),
        (1, 1),
        "the selected one"
    );
}

#[test]
fn leases_are_told_as_they_were_committed() {
    let points = [HookPoint::Leases6Committed, HookPoint::Lease6Renew];
    let (service, page) = hooked(NET, &points, |point| match point {
        Point::Lease6Renew(_) => says(NextStep::Skip),
        _ => goes_on(),
    });
    let mut client = client(1, &[Ia::na(1), Ia::pd(1)]);
    let advertise = page.ask(&client.solicit()).unwrap();
    assert!(service.order().is_empty(), "an ADVERTISE commits nothing");
    let reply = page.ask(&client.request(&advertise)).unwrap();
    assert_eq!(committed(&service).leases.len(), 2);
    // Again: nothing is selected, and the lease is told all the same.
    page.ask(&client.request(&advertise)).unwrap();
    assert_eq!(committed(&service).leases.len(), 2);
    page.advance(100);
    page.ask(&client.renew(&reply)).unwrap();
    let kept = committed(&service);
    let before = &kept.leases[0];
    assert_eq!((kept.leases.len(), before.valid_lifetime), (2, 1000));
    assert!(before.client_last_transmission + 100 <= page.common.clock.now());
    page.ask(&client.release(&reply)).unwrap();
    let released = committed(&service);
    assert_eq!(
        (released.leases.len(), released.deleted_leases.len()),
        (0, 2)
    );
    for message in [client.confirm(&reply), client.information_request()] {
        service.forget();
        page.ask(&message).unwrap();
        assert!(service.order().is_empty());
    }
}

#[test]
fn expired_lease_cannot_be_declined() {
    let points = [HookPoint::Lease6Decline, HookPoint::Leases6Committed];
    let (service, page) = hooked(NET, &points, |_| goes_on());
    let mut client = wants_address(1);
    let reply = page.lease_to(&mut client);
    page.advance(1001);
    service.forget();
    page.ask(&client.decline(&reply)).unwrap();
    assert_eq!(service.order(), [HookPoint::Leases6Committed]);
    let lease = page.lease(Resource6::Address(only_address(&reply)));
    assert_eq!(lease.unwrap().state, LeaseState::Default);
}

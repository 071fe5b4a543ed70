//! What callouts are told of a packet that is served.

use super::*;

fn subnet_of(service: &Service) -> u32 {
    match service.calls(HookPoint::Pkt4Send).last() {
        Some(Point::Pkt4Send(sent)) => sent.subnet_id,
        _ => panic!("not called"),
    }
}

#[test]
fn subnet_of_a_reply_is_that_of_its_lease() {
    let members = r#"
        "shared-networks": [ { "name": "net", "interface": "eth0", "subnet4": [
            { "id": 1, "subnet": "192.0.2.0/24" },
            { "id": 2, "subnet": "198.51.100.0/24", "pools": [ { "pool": "198.51.100.100/32" } ] } ] } ]"#;
    let (service, page) = hooked(members, &[HookPoint::Pkt4Send], |_| goes_on());
    let mut client = client(1);
    let ack = page.lease_to(&mut client);
    assert_eq!(subnet_of(&service), 2);
    page.ask(&client.inform(ack.yiaddr)).unwrap();
    assert_eq!(subnet_of(&service), 0, "an INFORM has none");
    page.ask(&client.request_init_reboot(addr(5))).unwrap();
    assert_eq!(subnet_of(&service), 1, "a NAK has the selected one");
}

#[test]
fn expired_lease_cannot_be_declined() {
    let points = [HookPoint::Lease4Decline, HookPoint::Leases4Committed];
    let (service, page) = hooked(NET, &points, |_| goes_on());
    let mut client = client(1);
    let ack = page.lease_to(&mut client);
    page.advance(1001);
    service.forget();
    page.tell(&client.decline(&ack)).unwrap();
    assert_eq!(service.order(), [HookPoint::Leases4Committed]);
    let lease = page.lease(ack.yiaddr).unwrap();
    assert_eq!(lease.state, outrigger_store::LeaseState::Default);
}

#[test]
fn offer_is_told_with_the_reservation_and_the_lease_before() {
    let members = NET.replace(
        r#""interface""#,
        r#""reservations": [ { "hw-address": "02:00:00:00:00:07", "hostname": "seven" } ], "interface""#,
    );
    let (service, page) = hooked(&members, &[HookPoint::Lease4Offer], |_| goes_on());
    let told = || match service.calls(HookPoint::Lease4Offer).pop() {
        Some(Point::Lease4Offer(offered)) => offered,
        _ => panic!("not called"),
    };
    let mut known = client(7);
    page.lease_to(&mut known);
    let first = told();
    assert!(first.old_lease.is_none());
    let host = first.host.unwrap();
    assert_eq!((host.subnet_id, &*host.hostname), (1, "seven"));
    page.ask(&known.discover()).unwrap();
    assert_eq!(told().old_lease.unwrap().hostname, "seven");
    page.ask(&client(1).discover()).unwrap();
    assert_eq!(told().host, None);
}

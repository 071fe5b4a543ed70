//! Offers that are leases already: `offer-lifetime` (DHCPv4).

use crate::common::{Page4, Service, changes, goes_on, says};
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, NextStep, v1};
use outrigger_server::telemetry::DiscardReason;
use outrigger_store::{LeaseState, Store, StoreOptions};
use outrigger_testkit::Client4;
use outrigger_testkit::client4::message;
use std::net::Ipv4Addr;

/// One address; offers are leases of a minute.
const ONE: &str = r#"
    "valid-lifetime": 1000, "offer-lifetime": 60,
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100/32" } ] } ]"#;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

const WATCHED: [HookPoint; 6] = [
    HookPoint::Lease4Select,
    HookPoint::Lease4Renew,
    HookPoint::Lease4Expire,
    HookPoint::Lease4Recover,
    HookPoint::Lease4Offer,
    HookPoint::Leases4Committed,
];

fn client(number: u8) -> Client4 {
    Client4::new([2, 0, 0, 0, 0, number])
}

fn watched(
    callout: impl Fn(&Point) -> v1::CalloutResult + Send + Sync + 'static,
) -> (Service, Page4) {
    let service = Service::start(&WATCHED, callout);
    let page = Page4::new(&format!("{ONE}, {}", service.member()));
    (service, page)
}

#[test]
fn offer_is_a_lease_of_that_length_and_tells_the_full_lifetime() {
    let page = Page4::new(ONE);
    let mut client = client(1);
    let offer = page.ask(&client.discover()).unwrap();
    assert_eq!((offer.yiaddr, offer.number(51)), (ADDRESS, Some(1000)));
    let lease = page.lease(ADDRESS).unwrap();
    assert_eq!(
        (lease.state, lease.valid_lifetime),
        (LeaseState::Default, 60)
    );
    let ack = page.ask(&client.request_selecting(&offer)).unwrap();
    assert_eq!(
        (ack.message_type, ack.number(51)),
        (message::ACK, Some(1000))
    );
    assert_eq!(page.lease(ADDRESS).unwrap().valid_lifetime, 1000);
}

#[test]
fn offered_address_is_free_again_when_the_offer_has_ended() {
    let page = Page4::new(ONE);
    page.ask(&client(1).discover()).unwrap();
    assert_eq!(
        page.ask(&client(2).discover()).map(drop),
        Err(DiscardReason::NoneLeft)
    );
    page.advance(61);
    assert_eq!(page.ask(&client(2).discover()).unwrap().yiaddr, ADDRESS);
    assert_eq!(
        page.lease(ADDRESS).unwrap().owner.hw_address.bytes(),
        client(2).hw_address
    );
}

#[test]
fn running_lease_is_never_shortened_by_an_offer() {
    let page = Page4::new(ONE);
    let mut client = client(1);
    page.lease_to(&mut client);
    let before = page.lease(ADDRESS).unwrap();
    page.advance(100);
    assert_eq!(page.ask(&client.discover()).unwrap().yiaddr, ADDRESS);
    assert_eq!(page.lease(ADDRESS).unwrap(), before);
    page.advance(880);
    page.ask(&client.discover()).unwrap();
    let after = page.lease(ADDRESS).unwrap();
    assert!(
        after.expires_at() > before.expires_at(),
        "20 s were left, an offer is 60 s long"
    );
}

#[test]
fn callouts_are_told_that_the_offer_is_written() {
    let (service, page) = watched(|_| goes_on());
    let mut client = client(1);
    page.ask(&client.discover()).unwrap();
    assert_eq!(
        service.order(),
        [HookPoint::Lease4Select, HookPoint::Lease4Offer]
    );
    let Point::Lease4Select(select) = &service.calls(HookPoint::Lease4Select)[0] else {
        panic!("other arguments");
    };
    assert_eq!((select.fake_allocation, select.offer_lifetime), (false, 60));
    assert_eq!(select.lease.as_ref().unwrap().valid_lifetime, 60);
    let Point::Lease4Offer(offered) = &service.calls(HookPoint::Lease4Offer)[0] else {
        panic!("other arguments");
    };
    assert_eq!(
        (offered.offer_lifetime, offered.leases[0].valid_lifetime),
        (60, 60)
    );
    // The offer is the client's lease by now.
    service.forget();
    page.ask(&client.discover()).unwrap();
    assert_eq!(
        service.order(),
        [HookPoint::Lease4Renew, HookPoint::Lease4Offer]
    );
}

#[test]
fn directions_of_updates_are_not_written_with_an_offer_and_a_callout_sets_its_lifetime() {
    let (_service, page) = watched(|point| match point {
        Point::Lease4Select(_) => changes(v1::Changes {
            lease: Some(v1::LeaseChanges {
                fqdn_fwd: Some(true),
                fqdn_rev: Some(true),
                valid_lifetime: Some(45),
                ..Default::default()
            }),
            ..Default::default()
        }),
        _ => goes_on(),
    });
    let offer = page.ask(&client(1).discover()).unwrap();
    let lease = page.lease(ADDRESS).unwrap();
    assert_eq!((lease.fqdn_fwd, lease.fqdn_rev), (false, false));
    assert_eq!((lease.valid_lifetime, offer.number(51)), (45, Some(45)));
}

#[test]
fn skipped_candidate_is_not_written() {
    let (_service, page) = watched(|point| match point {
        Point::Lease4Select(_) => says(NextStep::Skip),
        _ => goes_on(),
    });
    assert_eq!(
        page.ask(&client(1).discover()).map(drop),
        Err(DiscardReason::NoneLeft)
    );
    assert_eq!(page.leases(), 0);
}

/// With a written offer the expired lease ends at the DISCOVER; without, at the REQUEST.
#[test]
fn expired_lease_is_reported_when_it_is_taken_over_and_not_before() {
    use HookPoint::{Lease4Expire, Lease4Offer, Lease4Select, Leases4Committed};
    for (offer_lifetime, discover, request) in [
        (
            60,
            &[Lease4Expire, Lease4Select, Lease4Offer][..],
            &[HookPoint::Lease4Renew, Leases4Committed][..],
        ),
        (
            0,
            &[Lease4Select, Lease4Offer][..],
            &[Lease4Expire, Lease4Select, Leases4Committed][..],
        ),
    ] {
        let service = Service::start(&WATCHED, |_| goes_on());
        let members = ONE.replace(
            r#""offer-lifetime": 60"#,
            &format!(r#""offer-lifetime": {offer_lifetime}"#),
        );
        let page = Page4::new(&format!("{members}, {}", service.member()));
        page.lease_to(&mut client(1));
        page.advance(1001);
        service.forget();
        let mut other = client(2);
        let offer = page.ask(&other.discover()).unwrap();
        assert_eq!(service.order(), discover, "offer-lifetime {offer_lifetime}");
        service.forget();
        page.ask(&other.request_selecting(&offer)).unwrap();
        assert_eq!(service.order(), request, "offer-lifetime {offer_lifetime}");
    }
}

#[test]
fn offer_leaves_when_its_lease_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let files = std::sync::Arc::new(outrigger_store::OsFiles);
    let (store, _) = Store::open(directory.path(), StoreOptions::default(), files.clone()).unwrap();
    let page = Page4::with(ONE, store);
    page.ask(&client(1).discover()).unwrap();
    // What a crash right now would leave.
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let (recovered, _) =
        Store::<outrigger_wire::V4>::open(copy.path(), StoreOptions::default(), files).unwrap();
    assert_eq!(recovered.lock().get(&ADDRESS).unwrap().valid_lifetime, 60);
    page.common.alloc.store().shutdown().unwrap();
    page.advance(30);
    let refused = page.ask(&client(1).discover()).map(drop);
    assert_eq!(
        refused,
        Err(DiscardReason::NotDurable),
        "nothing is offered that cannot be written"
    );
}

//! `addr6_register`.

use super::*;
use crate::common::at6;

const POINTS: [HookPoint; 3] = [
    HookPoint::Ddns6Update,
    HookPoint::Addr6Register,
    HookPoint::Leases6Committed,
];

const OWN: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0xabcd);

fn register(page: &Page6, client: &mut Client6) -> Result<Reply6Seen, DiscardReason> {
    let link = at6("ff02::1:2", &OWN.to_string());
    let outgoing = page.serve(&client.register(OWN, (300, 500)), link)?;
    Ok(Reply6Seen::parse(&outgoing.expect("an answer").bytes).unwrap())
}

fn lease(page: &Page6) -> Option<outrigger_store::Lease<outrigger_wire::V6>> {
    page.lease(Resource6::Address(OWN))
}

#[test]
fn callouts_see_the_registration_and_change_lease_and_reply() {
    let (service, page) = hooked(NET, &POINTS, |point| match point {
        Point::Addr6Register(_) => changes(v1::Changes {
            lease: Some(v1::LeaseChanges {
                valid_lifetime: Some(900),
                ..Default::default()
            }),
            response6: Some(v1::Packet6Changes {
                options: vec![set(250, b"mine")],
                ..Default::default()
            }),
            ..Default::default()
        }),
        _ => goes_on(),
    });
    let mut client = wants_address(1);
    client.options.push((39, b"\x00\x02pc".to_vec()));
    let reply = register(&page, &mut client).unwrap();
    assert_eq!(service.order(), POINTS);
    assert_eq!(reply.message_type, message::ADDR_REG_REPLY);
    assert_eq!(reply.option(250), Some(&b"mine"[..]));
    assert_eq!(lease(&page).unwrap().valid_lifetime, 900);
    assert_eq!(&*lease(&page).unwrap().hostname, "pc.");
    service.forget();
    register(&page, &mut wants_address(2)).unwrap();
    let Point::Addr6Register(call) = &service.calls(HookPoint::Addr6Register)[0] else {
        panic!("other arguments");
    };
    assert_eq!(call.address.as_ref(), OWN.octets());
    let (old, new) = (
        call.old_lease.as_ref().unwrap(),
        call.new_lease.as_ref().unwrap(),
    );
    assert_eq!(old.duid.as_ref(), client.duid);
    assert_eq!((old.valid_lifetime, new.valid_lifetime), (900, 500));
    assert_eq!(new.state, i32::from(v1::LeaseState::Registered));
    let Point::Leases6Committed(told) = &service.calls(HookPoint::Leases6Committed)[0] else {
        panic!("other arguments");
    };
    assert_eq!(told.leases.len(), 1);
    assert_eq!(told.leases[0].valid_lifetime, 900);
}

#[test]
fn skipped_registration_is_answered_and_not_written() {
    let (service, page) = hooked(NET, &POINTS, |point| match point {
        Point::Addr6Register(_) => says(NextStep::Skip),
        _ => goes_on(),
    });
    let reply = register(&page, &mut wants_address(1)).unwrap();
    assert_eq!(reply.message_type, message::ADDR_REG_REPLY);
    assert!(lease(&page).is_none());
    let Point::Leases6Committed(told) = &service.calls(HookPoint::Leases6Committed)[0] else {
        panic!("other arguments");
    };
    assert!(told.leases.is_empty());
}

#[test]
fn dropped_registration_is_neither_answered_nor_written() {
    let (service, page) = hooked(NET, &POINTS, |point| match point {
        Point::Addr6Register(_) => says(NextStep::Drop),
        _ => goes_on(),
    });
    let answer = register(&page, &mut wants_address(1));
    assert_eq!(answer.err(), Some(DiscardReason::HookDecision));
    assert!(lease(&page).is_none());
    assert_eq!(service.order(), [HookPoint::Addr6Register]);
}

#[test]
fn expired_registration_is_presented_to_be_removed() {
    let (service, page) = hooked(NET, &[HookPoint::Lease6Expire], |_| goes_on());
    register(&page, &mut wants_address(1)).unwrap();
    page.advance(501);
    assert_eq!(page.reclaim().reclaimed, 1);
    let Point::Lease6Expire(call) = &service.calls(HookPoint::Lease6Expire)[0] else {
        panic!("other arguments");
    };
    assert!(call.remove_lease);
    assert!(lease(&page).is_none());
}

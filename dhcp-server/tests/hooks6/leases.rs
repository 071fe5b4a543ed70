//! `lease6_renew`, `lease6_rebind`, `lease6_release`, `lease6_decline`.

use super::*;

/// Any option that the server does not write into an IA.
const OF_THE_IA: u16 = 250;

#[test]
fn options_and_lifetimes_of_an_extended_lease_are_the_callouts() {
    let points = [HookPoint::Lease6Renew, HookPoint::Lease6Rebind];
    let (service, page) = hooked(NET, &points, |_| {
        changes(v1::Changes {
            lease: Some(v1::LeaseChanges {
                valid_lifetime: Some(500),
                preferred_lifetime: Some(300),
                ..Default::default()
            }),
            ia_options: vec![set(OF_THE_IA.into(), b"mine")],
            ..Default::default()
        })
    });
    let mut client = client(1, &[Ia::na(1), Ia::pd(1)]);
    let reply = page.lease_to(&mut client);
    for (message, point) in [
        (client.renew(&reply), HookPoint::Lease6Renew),
        (client.rebind(&reply), HookPoint::Lease6Rebind),
    ] {
        service.forget();
        let extended = page.ask(&message).unwrap();
        assert_eq!(service.order(), [point; 2], "once per lease");
        let na = extended.ia(IaKind::Na, 1).unwrap();
        let lifetimes = (na.addresses[0].preferred, na.addresses[0].valid);
        assert_eq!(lifetimes, (300, 500));
        assert_eq!((na.t1, na.t2), (200, 400), "these stay the server's");
        for code in [3, 25] {
            let ia = extended.option(code).unwrap();
            let option = [&[0, 250, 0, 4][..], b"mine"].concat();
            assert!(ia.windows(8).any(|part| part == option), "IA {code}");
        }
        let lease = page.lease(Resource6::Address(na.addresses[0].address));
        assert_eq!(lease.unwrap().valid_lifetime, 500);
    }
}

#[test]
fn lease_that_may_not_be_released_stays_and_the_client_hears_it() {
    const UNSPEC_FAIL: u16 = 1;
    for step in [NextStep::Skip, NextStep::Drop] {
        let (_service, page) = hooked(NET, &[HookPoint::Lease6Release], move |_| says(step));
        let mut client = wants_address(1);
        let reply = page.lease_to(&mut client);
        let released = page.ask(&client.release(&reply)).unwrap();
        assert_eq!(released.status().unwrap().code, UNSPEC_FAIL);
        let ia = released.ia(IaKind::Na, 1).unwrap();
        assert_eq!(ia.status.as_ref().unwrap().code, UNSPEC_FAIL);
        let lease = page.lease(Resource6::Address(only_address(&reply)));
        assert_eq!(lease.unwrap().state, LeaseState::Default, "{step:?}");
    }
}

#[test]
fn skipped_decline_leaves_the_lease_and_gives_no_status() {
    let points = [HookPoint::Lease6Decline, HookPoint::Leases6Committed];
    let (service, page) = hooked(NET, &points, |point| match point {
        Point::Lease6Decline(_) => says(NextStep::Skip),
        _ => goes_on(),
    });
    let mut client = wants_address(1);
    let reply = page.lease_to(&mut client);
    service.forget();
    let declined = page.ask(&client.decline(&reply)).unwrap();
    assert_eq!(declined.ia(IaKind::Na, 1).unwrap().status, None);
    let lease = page.lease(Resource6::Address(only_address(&reply)));
    assert_eq!(lease.unwrap().state, LeaseState::Default);
    let Point::Leases6Committed(told) = &service.calls(HookPoint::Leases6Committed)[0] else {
        panic!("other arguments");
    };
    assert_eq!(told.leases.len(), 1);
    assert_eq!(told.leases[0].state, i32::from(v1::LeaseState::Default));
}

/// Kea: addresses that were declined before in the same message stay declined.
#[test]
fn dropped_decline_gets_no_reply_and_takes_nothing_back() {
    let (_service, page) = hooked(NET, &[HookPoint::Lease6Decline], |point| match point {
        Point::Lease6Decline(call) if call.lease.as_ref().unwrap().iaid == 2 => {
            says(NextStep::Drop)
        }
        _ => goes_on(),
    });
    let mut client = client(1, &[Ia::na(1), Ia::na(2), Ia::na(3)]);
    let reply = page.lease_to(&mut client);
    let answer = page.ask(&client.decline(&reply));
    assert_eq!(answer.err(), Some(DiscardReason::HookDecision));
    let state = |iaid: u32| {
        let address = reply.ia(IaKind::Na, iaid).unwrap().addresses[0].address;
        page.lease(Resource6::Address(address)).unwrap().state
    };
    assert_eq!(state(1), LeaseState::Declined);
    assert_eq!(state(2), LeaseState::Default);
    assert_eq!(state(3), LeaseState::Default);
}

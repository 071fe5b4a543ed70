//! Packets that callouts hold: PARK at `subnet4_select`, `lease4_offer` and `leases4_committed`.

use super::*;
use crate::common::Page4;
use outrigger_store::LeaseState;
use outrigger_testkit::Reply4Seen;
use outrigger_wire::Outgoing;

/// Two subnets on `eth0`.
const TWO: &str = r#"
    "valid-lifetime": 1000,
    "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                   "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ] },
                 { "id": 2, "subnet": "198.51.100.0/24", "interface": "eth0",
                   "pools": [ { "pool": "198.51.100.100-198.51.100.109" } ] } ]"#;

type Served = Result<Option<Outgoing>, DiscardReason>;

/// Parks every call of `point`, goes on at the others of `points`.
fn parking(members: &str, point: HookPoint, points: &[HookPoint]) -> (Service, Page4) {
    let parked = usize::from(point.number());
    let points: Vec<HookPoint> = [&[point], points].concat();
    hooked(members, &points, move |arguments| {
        let number = match arguments {
            Point::Subnet4Select(_) => 3,
            Point::Lease4Offer(_) => 10,
            Point::Leases4Committed(_) => 12,
            _ => 0,
        };
        if number == parked {
            says(NextStep::Park)
        } else {
            goes_on()
        }
    })
}

/// Serves a message that is held, and gives the final reply.
fn held(page: &Page4, service: &Service, bytes: &[u8], last: v1::CalloutResult) -> Served {
    let resume = async {
        service.parked(1).await;
        service.resume(last);
    };
    let both = async { tokio::join!(page.serving(bytes, Page4::way(bytes)), resume) };
    page.runtime.block_on(both).0
}

fn reply(served: Served) -> Reply4Seen {
    Reply4Seen::parse(&served.unwrap().unwrap().bytes).unwrap()
}

fn in_use() -> v1::CalloutResult {
    changes(v1::Changes {
        offer_address_in_use: Some(true),
        ..Default::default()
    })
}

#[test]
fn subnet_of_a_held_packet_is_that_of_the_final_reply() {
    let (service, page) = parking(TWO, HookPoint::Subnet4Select, &[]);
    let second = changes(v1::Changes {
        subnet_id: Some(2),
        ..Default::default()
    });
    let offer = reply(held(&page, &service, &client(1).discover(), second));
    assert_eq!(offer.yiaddr.octets()[..3], [198, 51, 100]);
    let offer = reply(held(&page, &service, &client(2).discover(), goes_on()));
    assert_eq!(offer.yiaddr.octets()[..3], [192, 0, 2]);
    for (step, reason) in [
        (NextStep::Skip, DiscardReason::NoSubnet),
        (NextStep::Drop, DiscardReason::HookDecision),
    ] {
        let served = held(&page, &service, &client(3).discover(), says(step));
        assert_eq!(served.map(drop), Err(reason));
    }
}

#[test]
fn other_packets_of_the_client_are_served_while_one_is_held() {
    let (service, page) = parking(TWO, HookPoint::Subnet4Select, &[]);
    let mut client = client(1);
    let (first, second) = (client.discover(), client.discover());
    let resume = async {
        // The second would wait for its turn otherwise.
        service.parked(2).await;
        service.resume(goes_on());
        service.resume(goes_on());
    };
    let all = async {
        let first = page.serving(&first, Page4::way(&first));
        let second = page.serving(&second, Page4::way(&second));
        tokio::join!(first, second, resume)
    };
    let (first, second, ()) = page.runtime.block_on(all);
    assert_eq!(reply(first).yiaddr, reply(second).yiaddr);
}

/// What becomes of a held packet that is resumed while a second one of its client has the turn, at a callout that does
/// not answer. `ends`: the second one ends then.
fn resumed_behind(second: impl Fn(&mut Client4) -> Vec<u8>, ends: bool) -> Served {
    let points = [HookPoint::Lease4Select];
    let (service, page) = parking(TWO, HookPoint::Subnet4Select, &points);
    let mut client = client(1);
    let first = client.discover();
    let second = second(&mut client);
    service.hush(HookPoint::Lease4Select);
    let is_served = tokio::sync::Notify::new();
    let first = async {
        let served = page.serving(&first, Page4::way(&first)).await;
        is_served.notify_one();
        served
    };
    let others = async {
        service.parked(1).await;
        let mut second = Box::pin(async {
            loop {
                match page.serving(&second, Page4::way(&second)).await {
                    // The server has not read PARK yet.
                    Err(DiscardReason::Duplicate) => tokio::task::yield_now().await,
                    served => return served,
                }
            }
        });
        let goes_on_alone = async {
            service.parked(2).await;
            service.resume_last(goes_on());
            service.called(HookPoint::Lease4Select, 1).await;
        };
        tokio::select! {
            _ = &mut second => panic!("nobody answers"),
            () = goes_on_alone => {}
        }
        service.answer_again(HookPoint::Lease4Select);
        service.resume(goes_on());
        if !ends {
            tokio::select! {
                _ = &mut second => panic!("nobody answers"),
                () = is_served.notified() => {}
            }
        }
    };
    page.runtime
        .block_on(async { tokio::join!(first, others) })
        .0
}

#[test]
fn resumed_packet_takes_its_turn_anew() {
    // The same packet, sent again, is being served: one answer is enough.
    let served = resumed_behind(|client| client_again(client), false);
    assert_eq!(served.map(drop), Err(DiscardReason::Duplicate));
    // Another packet of the client: the resumed one waits until it has ended.
    let served = resumed_behind(Client4::discover, true);
    assert_eq!(reply(served).message_type, message::OFFER);
}

/// The last DISCOVER of the client once more.
fn client_again(client: &Client4) -> Vec<u8> {
    let mut again = client.clone();
    let mut bytes = again.discover();
    bytes[4..8].copy_from_slice(&client.xid().to_be_bytes());
    bytes
}

#[test]
fn held_offer_is_sent_with_the_changes_of_the_final_reply() {
    let (service, page) = parking(NET, HookPoint::Lease4Offer, &[HookPoint::Pkt4Send]);
    let last = response(v1::Packet4Changes {
        options: vec![set(224, b"probed")],
        ..Default::default()
    });
    let offer = reply(held(&page, &service, &client(1).discover(), last));
    assert_eq!(offer.option(224), Some(&b"probed"[..]));
    let dropped = held(&page, &service, &client(2).discover(), says(NextStep::Drop));
    assert_eq!(dropped.map(drop), Err(DiscardReason::HookDecision));
    assert_eq!(
        service.order()[..2],
        [HookPoint::Lease4Offer, HookPoint::Pkt4Send]
    );
}

#[test]
fn offered_address_that_is_in_use_is_declined_by_the_server() {
    for (offer_lifetime, written) in [(0, false), (60, true)] {
        let members = format!(
            r#"{NET}, "decline-probation-period": 300, "offer-lifetime": {offer_lifetime}"#
        );
        let points = [HookPoint::Lease4ServerDecline, HookPoint::Pkt4Send];
        let (service, page) = parking(&members, HookPoint::Lease4Offer, &points);
        let mut client = client(1);
        let served = held(&page, &service, &client.discover(), in_use());
        assert_eq!(served.map(drop), Err(DiscardReason::AddressInUse));
        let order = [HookPoint::Lease4Offer, HookPoint::Lease4ServerDecline];
        assert_eq!(service.order(), order, "there is no reply to send");
        let Point::Lease4Offer(offered) = &service.calls(HookPoint::Lease4Offer)[0] else {
            panic!("other arguments");
        };
        assert_eq!(offered.offer_lifetime, offer_lifetime);
        let Point::Lease4ServerDecline(call) = &service.calls(HookPoint::Lease4ServerDecline)[0]
        else {
            panic!("other arguments");
        };
        let told = call.lease.as_ref().unwrap();
        assert_eq!(told.state, i32::from(v1::LeaseState::Declined));
        assert_eq!((told.valid_lifetime, &*told.hostname), (300, ""));
        let octets: [u8; 4] = told.address[..].try_into().unwrap();
        let declined = page.lease(octets.into()).unwrap();
        assert_eq!(
            (declined.state, declined.valid_lifetime),
            (LeaseState::Declined, 300)
        );
        // The next try gets another address.
        let offer = reply(held(&page, &service, &client.discover(), goes_on()));
        assert_ne!(offer.yiaddr, declined.resource);
        assert_eq!(page.lease(offer.yiaddr).is_some(), written);
        // And the declined one comes back after its time.
        page.advance(301);
        page.reclaim();
        assert_eq!(page.lease(declined.resource), None);
    }
}

#[test]
fn address_that_became_a_lease_while_the_offer_was_held_is_not_declined() {
    let points = [HookPoint::Lease4ServerDecline];
    let (service, page) = parking(NET, HookPoint::Lease4Offer, &points);
    let mut client = client(1);
    let (first, second) = (client.discover(), client.discover());
    let meanwhile = async {
        service.parked(1).await;
        let resume = async {
            service.parked(2).await;
            service.resume_last(goes_on());
        };
        let (offer, ()) = tokio::join!(page.serving(&second, Page4::way(&second)), resume);
        let request = client.request_selecting(&reply(offer));
        let ack = reply(page.serving(&request, Page4::way(&request)).await);
        service.resume(in_use());
        ack
    };
    let both = async { tokio::join!(page.serving(&first, Page4::way(&first)), meanwhile) };
    let (first, ack) = page.runtime.block_on(both);
    assert_eq!(first.map(drop), Err(DiscardReason::AddressInUse));
    assert_eq!(page.lease(ack.yiaddr).unwrap().state, LeaseState::Default);
    assert!(service.calls(HookPoint::Lease4ServerDecline).is_empty());
}

#[test]
fn address_of_a_held_offer_is_not_offered_to_others() {
    let (service, page) = parking(NET, HookPoint::Lease4Offer, &[]);
    let discovers: Vec<_> = (1..=3).map(|number| client(number).discover()).collect();
    let resume = async {
        service.parked(3).await;
        (0..3).for_each(|_| service.resume(goes_on()));
    };
    let serving = |bytes| page.serving(bytes, Page4::way(bytes));
    let all = async {
        let [a, b, c] = [0, 1, 2].map(|index: usize| serving(&discovers[index]));
        tokio::join!(a, b, c, resume)
    };
    let (a, b, c, ()) = page.runtime.block_on(all);
    let mut offered = [a, b, c].map(|served| reply(served).yiaddr);
    offered.sort_unstable();
    assert!(
        offered.windows(2).all(|pair| pair[0] != pair[1]),
        "{offered:?}"
    );
}

#[test]
fn held_reply_is_about_leases_that_are_committed() {
    let (service, page) = parking(NET, HookPoint::Leases4Committed, &[]);
    let mut client = client(1);
    let offer = page.ask(&client.discover()).unwrap();
    let request = client.request_selecting(&offer);
    let resume = async {
        service.parked(1).await;
        assert_eq!(page.lease(offer.yiaddr).unwrap().state, LeaseState::Default);
        service.resume(response(v1::Packet4Changes {
            options: vec![set(224, b"synchronized")],
            ..Default::default()
        }));
    };
    let both = async { tokio::join!(page.serving(&request, Page4::way(&request)), resume) };
    let ack = reply(page.runtime.block_on(both).0);
    assert_eq!(
        (ack.message_type, ack.option(224)),
        (message::ACK, Some(&b"synchronized"[..]))
    );
    let renewal = client.request_renewing(offer.yiaddr);
    let dropped = held(&page, &service, &renewal, says(NextStep::Drop));
    assert_eq!(dropped.map(drop), Err(DiscardReason::HookDecision));
    let release = client.release(&ack);
    assert!(
        held(&page, &service, &release, goes_on())
            .unwrap()
            .is_none()
    );
    assert_eq!(
        page.lease(offer.yiaddr).unwrap().state,
        LeaseState::Released
    );
}

#[test]
fn only_so_many_packets_are_held_at_a_hook_point() {
    for point in [
        HookPoint::Subnet4Select,
        HookPoint::Lease4Offer,
        HookPoint::Leases4Committed,
    ] {
        // An INIT-REBOOT is answered, with a NAK.
        let members = format!(r#"{NET}, "parked-packet-limit": 1, "authoritative": true"#);
        let (service, page) = parking(&members, point, &[]);
        let message = |number| match point {
            HookPoint::Leases4Committed => client(number).request_init_reboot(addr(5)),
            _ => client(number).discover(),
        };
        let (first, second) = (message(1), message(2));
        let full = async {
            service.parked(1).await;
            let second = page.serving(&second, Page4::way(&second)).await;
            assert_eq!(
                second.map(drop),
                Err(DiscardReason::ParkingFull),
                "{point:?}"
            );
            service.resume(goes_on());
        };
        let both = async { tokio::join!(page.serving(&first, Page4::way(&first)), full) };
        assert!(page.runtime.block_on(both).0.unwrap().is_some());
    }
}

/// What was looked up globally, before the packet was held, is looked up again, and callouts are asked again.
#[test]
fn reservation_of_a_held_packet_is_looked_up_anew() {
    let members = r#"
        "valid-lifetime": 1000, "host-reservation-identifiers": [ "flex-id" ],
        "early-global-reservations-lookup": true, "reservations-global": true,
        "reservations": [ { "flex-id": "'port-8'", "ip-address": "192.0.2.8" } ],
        "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "interface": "eth0",
                       "pools": [ { "pool": "192.0.2.100-192.0.2.109" } ] } ]"#;
    let points = [HookPoint::Host4Identifier];
    let (service, page) = parking(members, HookPoint::Subnet4Select, &points);
    held(&page, &service, &client(1).discover(), goes_on()).unwrap();
    let order = [
        HookPoint::Host4Identifier,
        HookPoint::Subnet4Select,
        HookPoint::Host4Identifier,
    ];
    assert_eq!(service.order(), order);
}

#[test]
fn turn_of_the_client_ends_before_the_reply_is_shown_for_the_last_time() {
    let (service, page) = hooked(NET, &[HookPoint::Buffer4Send], |_| goes_on());
    service.hush(HookPoint::Buffer4Send);
    let mut client = client(1);
    let (first, second) = (client.discover(), client.discover());
    let both = async {
        tokio::select! {
            _ = page.serving(&first, Page4::way(&first)) => panic!("nobody answers"),
            _ = page.serving(&second, Page4::way(&second)) => panic!("nobody answers"),
            () = service.called(HookPoint::Buffer4Send, 2) => {}
        }
    };
    page.runtime.block_on(both);
    assert_eq!(service.calls(HookPoint::Buffer4Send).len(), 2);
}

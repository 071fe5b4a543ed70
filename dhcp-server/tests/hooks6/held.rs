//! Packets that callouts hold.

use super::*;
use crate::common::at6;
use outrigger_wire::Outgoing;

/// Another subnet beside that of `eth0`, for clients whom a callout puts there.
const TWO: &str = r#"
    "valid-lifetime": 1000, "host-reservation-identifiers": [ "flex-id" ],
    "subnet6": [ { "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
                   "pools": [ { "pool": "2001:db8:1::10-2001:db8:1::1f" } ] },
                 { "id": 2, "subnet": "2001:db8:2::/64", "interface": "eth9",
                   "pools": [ { "pool": "2001:db8:2::10-2001:db8:2::1f" } ] } ]"#;

async fn serve(page: &Page6, bytes: &[u8]) -> Result<Option<Outgoing>, DiscardReason> {
    page.serving(bytes, at6("ff02::1:2", "fe80::7")).await
}

fn seen(served: Result<Option<Outgoing>, DiscardReason>) -> Result<Reply6Seen, DiscardReason> {
    Ok(Reply6Seen::parse(&served?.expect("an answer").bytes).unwrap())
}

/// Waits until a callout holds a packet and the page knows it.
async fn is_holding(service: &Service, page: &Page6) {
    service.parked(1).await;
    while page.services.states()[0].parked == 0 {
        tokio::task::yield_now().await;
    }
}

/// Serves `held` until a callout holds it, then `meanwhile`, then gives the final reply.
fn hold(
    (service, page): (&Service, &Page6),
    held: &[u8],
    meanwhile: &[u8],
    last: v1::CalloutResult,
) -> [Result<Reply6Seen, DiscardReason>; 2] {
    let (held, other) = page.runtime.block_on(async {
        tokio::join!(serve(page, held), async {
            is_holding(service, page).await;
            let other = serve(page, meanwhile).await;
            service.resume(last);
            other
        })
    });
    [seen(held), seen(other)]
}

/// Holds the first call of a hook point that `is_it` accepts.
fn holds_first(
    is_it: impl Fn(&Point) -> bool + Send + Sync + 'static,
) -> impl Fn(&Point) -> v1::CalloutResult + Send + Sync + 'static {
    let first = std::sync::atomic::AtomicBool::new(true);
    move |point| {
        if is_it(point) && first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            says(NextStep::Park)
        } else {
            goes_on()
        }
    }
}

#[test]
fn held_packet_gets_its_subnet_with_the_final_reply_and_its_client_is_served_meanwhile() {
    let points = [HookPoint::Subnet6Select, HookPoint::Host6Identifier];
    let callout = holds_first(|point| matches!(point, Point::Subnet6Select(_)));
    let early = format!(r#""early-global-reservations-lookup": true, {TWO}"#);
    let (service, page) = hooked(&early, &points, callout);
    let mut client = wants_address(1);
    let (solicit, other) = (client.solicit(), client.information_request());
    let to_second = changes(v1::Changes {
        subnet_id: Some(2),
        ..Default::default()
    });
    let [held, other] = hold((&service, &page), &solicit, &other, to_second);
    assert_eq!(other.unwrap().message_type, message::REPLY);
    assert_eq!(only_address(&held.unwrap()).segments()[2], 2);
    let identified = service.calls(HookPoint::Host6Identifier).len();
    assert_eq!(identified, 3, "what is held is identified again");
}

#[test]
fn packet_that_is_served_meanwhile_wins() {
    let callout = holds_first(|point| matches!(point, Point::Subnet6Select(_)));
    let (service, page) = hooked(TWO, &[HookPoint::Subnet6Select], callout);
    let mut client = wants_address(1);
    let solicit = client.solicit();
    // Sent again, because no answer came.
    let [held, again] = hold((&service, &page), &solicit, &solicit, goes_on());
    assert_eq!(held.unwrap(), again.unwrap());
    assert_eq!(page.leases(), 0);
}

/// The client has sent the same message again, and that one is under way when the first one goes on.
#[test]
fn held_packet_that_comes_back_while_it_is_served_again_is_a_duplicate() {
    let points = [HookPoint::Subnet6Select, HookPoint::Lease6Select];
    let callout = holds_first(|point| matches!(point, Point::Subnet6Select(_)));
    let (service, page) = hooked(TWO, &points, callout);
    service.hush(HookPoint::Lease6Select);
    let solicit = wants_address(1).solicit();
    let held = page.runtime.block_on(async {
        let again = async {
            is_holding(&service, &page).await;
            let goes_on_then = async {
                service.called(HookPoint::Lease6Select, 1).await;
                service.resume(goes_on());
                std::future::pending::<()>().await;
            };
            // It waits for its callout; the turn is its own.
            tokio::select! {
                ended = serve(&page, &solicit) => panic!("{ended:?}"),
                () = goes_on_then => {}
            }
        };
        tokio::select! {
            held = serve(&page, &solicit) => held,
            () = again => unreachable!("it waits"),
        }
    });
    assert_eq!(seen(held).err(), Some(DiscardReason::Duplicate));
}

#[test]
fn reply_is_held_after_the_lease_is_written() {
    for (last, answer) in [
        (
            response(v1::Packet6Changes {
                options: vec![set(250, b"late")],
                ..Default::default()
            }),
            Ok(message::REPLY),
        ),
        (says(NextStep::Drop), Err(DiscardReason::HookDecision)),
    ] {
        let callout = holds_first(|point| matches!(point, Point::Leases6Committed(_)));
        let (service, page) = hooked(NET, &[HookPoint::Leases6Committed], callout);
        let mut client = wants_address(1);
        let advertise = page.ask(&client.solicit()).unwrap();
        let (request, again) = (client.request(&advertise), client.solicit());
        let [held, other] = hold((&service, &page), &request, &again, last);
        // The lease is there already: it is what the client is advertised meanwhile.
        assert_eq!(only_address(&other.unwrap()), only_address(&advertise));
        assert_eq!(page.leases(), 1);
        let late = held.as_ref().ok().and_then(|reply| reply.option(250));
        assert_eq!(late, answer.is_ok().then_some(&b"late"[..]));
        assert_eq!(held.map(|reply| reply.message_type), answer);
    }
}

#[test]
fn no_more_packets_are_held_than_the_limit_says() {
    let callout = holds_first(|_| true);
    let limited = format!(r#""parked-packet-limit": 1, {TWO}"#);
    let (service, page) = hooked(&limited, &[HookPoint::Subnet6Select], callout);
    let (first, second) = (wants_address(1).solicit(), wants_address(2).solicit());
    let [held, other] = hold((&service, &page), &first, &second, goes_on());
    assert_eq!(other.err(), Some(DiscardReason::ParkingFull));
    assert_eq!(only_address(&held.unwrap()).segments()[2], 1);
    page.ask(&second).unwrap();
}

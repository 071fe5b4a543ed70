//! `buffer4_receive`: a callout parses in the server's place.

use super::*;

/// A DISCOVER that the callout makes of whatever came.
fn parsed(address: u8) -> v1::Packet4 {
    let option = |code, data: &[u8]| v1::Option {
        code,
        data: data.to_vec().into(),
    };
    v1::Packet4 {
        message_type: 1,
        op: 1,
        hw_address: Some(v1::HwAddress {
            htype: 1,
            address: vec![2, 0, 0, 0, 0, address].into(),
        }),
        options: vec![option(53, &[1]), option(61, b"parsed")],
        ..Default::default()
    }
}

fn skips(parsed: Option<v1::Packet4>) -> v1::CalloutResult {
    v1::CalloutResult {
        next_step: Some(v1::NextStep::from(NextStep::Skip).into()),
        ..query(v1::Packet4Changes {
            parsed,
            ..Default::default()
        })
    }
}

#[test]
fn packet_that_a_callout_parsed_is_served_instead_of_the_bytes() {
    let (_service, page) = hooked(NET, &[HookPoint::Buffer4Receive], |_| {
        skips(Some(parsed(9)))
    });
    let discover = client(1).discover();
    let outgoing = page.send(&discover).unwrap().unwrap();
    let offer = outrigger_testkit::Reply4Seen::parse(&outgoing.bytes).unwrap();
    assert_eq!(offer.message_type, message::OFFER);
    assert_eq!(offer.option(61), Some(&b"parsed"[..]));
    assert_eq!(offer.hw_address[5], 9);
    assert_eq!(offer.xid.to_be_bytes(), discover[4..8]);
}

/// The bytes need not be a packet at all: those of another protocol version, for instance.
#[test]
fn bytes_that_the_server_cannot_parse_are_no_matter_then() {
    let (_service, page) = hooked(NET, &[HookPoint::Buffer4Receive], |_| {
        skips(Some(parsed(9)))
    });
    let mut discover = client(1).discover();
    // No magic cookie.
    discover[236..240].fill(0);
    let link = crate::common::at4(Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED, 68);
    assert!(page.serve(&discover, link.clone()).unwrap().is_some());
    let plain = Page4::new(NET);
    assert_eq!(
        plain.serve(&discover, link).map(drop),
        Err(DiscardReason::Malformed)
    );
}

#[test]
fn skip_without_a_parsed_packet_drops_it_as_a_violation() {
    let (service, page) = hooked(
        NET,
        &[HookPoint::Buffer4Receive, HookPoint::Pkt4Receive],
        |_| says(NextStep::Skip),
    );
    assert_eq!(
        page.ask(&client(1).discover()).map(drop),
        Err(DiscardReason::RfcViolation)
    );
    assert_eq!(service.order(), [HookPoint::Buffer4Receive]);
}

#[test]
fn parsed_packet_without_skip_is_not_used() {
    let (_service, page) = hooked(NET, &[HookPoint::Buffer4Receive], |_| {
        query(v1::Packet4Changes {
            parsed: Some(parsed(9)),
            ..Default::default()
        })
    });
    let offer = page.ask(&client(1).discover()).unwrap();
    assert_eq!((offer.hw_address[5], offer.option(61)), (1, None));
}

#[test]
fn parsed_packet_without_a_message_type_is_for_nobody() {
    let (_service, page) = hooked(NET, &[HookPoint::Buffer4Receive], |_| {
        skips(Some(v1::Packet4 {
            message_type: 0,
            options: Vec::new(),
            ..parsed(9)
        }))
    });
    let answer = page.ask(&client(1).discover()).map(drop);
    assert_eq!(answer, Err(DiscardReason::NotForUs));
}

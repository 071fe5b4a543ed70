//! `buffer6_receive` in the place of the server's parser.

use super::*;

/// The fields that a callout that parses must bring: as the server would have.
fn packet(message_type: u8, datagram: &[u8], options: &[(u32, &[u8])]) -> v1::Packet6 {
    let options = options.iter().map(|(code, data)| v1::Option {
        code: *code,
        data: data.to_vec().into(),
    });
    v1::Packet6 {
        message_type: message_type.into(),
        transaction_id: u32::from_be_bytes([0, datagram[1], datagram[2], datagram[3]]),
        options: options.collect(),
        ..Default::default()
    }
}

fn wire(point: &Point) -> Vec<u8> {
    let Point::Buffer6Receive(call) = point else {
        panic!("other arguments");
    };
    call.query.as_ref().unwrap().wire.to_vec()
}

#[test]
fn packet_that_a_callout_parsed_is_served_as_it_says() {
    let duid = Client6::duid_ll([2, 0, 0, 0, 0, 1]);
    let own = duid.clone();
    let (_service, page) = hooked(NET, &[HookPoint::Buffer6Receive], move |point| {
        // Whatever there is in the datagram: an INFORMATION-REQUEST.
        let parsed = packet(message::INFORMATION_REQUEST, &wire(point), &[(1, &own)]);
        v1::CalloutResult {
            changes: Some(v1::Changes {
                query6: Some(v1::Packet6Changes {
                    parsed: Some(parsed),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..says(NextStep::Skip)
        }
    });
    let reply = page.ask(&wants_address(1).solicit()).unwrap();
    assert_eq!(reply.message_type, message::REPLY);
    assert_eq!(reply.client_id(), Some(&*duid));
    assert!(reply.ias().is_empty());
}

#[test]
fn packet_that_nobody_parsed_is_discarded() {
    let (_service, page) = hooked(NET, &[HookPoint::Buffer6Receive], |_| says(NextStep::Skip));
    let answer = page.ask(&wants_address(1).solicit());
    assert_eq!(answer.err(), Some(DiscardReason::RfcViolation));
}

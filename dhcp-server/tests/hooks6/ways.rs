//! Other ways for replies, and what their relays get.

use super::*;
use outrigger_testkit::Relay6;

fn goes_another_way() -> v1::LinkChanges {
    v1::LinkChanges {
        interface: Some("eth1".to_owned()),
        remote_port: Some(1546),
        ..Default::default()
    }
}

#[test]
fn reply_goes_the_way_that_a_callout_wants() {
    for point in [
        HookPoint::Leases6Committed,
        HookPoint::Pkt6Send,
        HookPoint::Buffer6Send,
    ] {
        let (_service, page) = hooked(NET, &[point], |_| {
            response(v1::Packet6Changes {
                link: Some(goes_another_way()),
                ..Default::default()
            })
        });
        let mut client = wants_address(1);
        let advertise = page.ask(&client.solicit()).unwrap();
        let outgoing = page.send(&client.request(&advertise)).unwrap().unwrap();
        let link = outgoing.link;
        assert_eq!((&*link.interface, link.interface_index), ("eth1", 2));
        assert_eq!(link.remote, "[fe80::7]:1546".parse().unwrap(), "{point:?}");
    }
}

#[test]
fn relayed_reply_goes_to_its_relay_and_carries_what_a_callout_adds() {
    let (_service, page) = hooked(NET, &[HookPoint::Pkt6Send], |_| {
        response(v1::Packet6Changes {
            relay_options: vec![v1::RelayOptionEdit {
                relay: 0,
                edit: Some(set(250, b"mine")),
            }],
            ..Default::default()
        })
    });
    let mut client = wants_address(1);
    client.relays = vec![Relay6::new(addr(1), "fe80::7".parse().unwrap())];
    let advertise = page.ask(&client.solicit()).unwrap();
    let mine = (250, b"mine".to_vec());
    assert!(advertise.relays[0].options.contains(&mine));
    let (_service, page) = hooked(NET, &[HookPoint::Pkt6Send], |_| {
        response(v1::Packet6Changes {
            link: Some(goes_another_way()),
            ..Default::default()
        })
    });
    let outgoing = page.send(&client.solicit()).unwrap().unwrap();
    assert_eq!(outgoing.link.remote, "[2001:db8::2]:547".parse().unwrap());
}

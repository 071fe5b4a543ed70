//! `response.link`: callouts send a reply another way.

use super::*;
use outrigger_testkit::Relay4;

const POINTS: [HookPoint; 4] = [
    HookPoint::Lease4Offer,
    HookPoint::Leases4Committed,
    HookPoint::Pkt4Send,
    HookPoint::Buffer4Send,
];

fn to(link: v1::LinkChanges) -> v1::CalloutResult {
    response(v1::Packet4Changes {
        link: Some(link),
        ..Default::default()
    })
}

#[test]
fn reply_goes_where_a_callout_says() {
    let offers = [
        HookPoint::Lease4Offer,
        HookPoint::Pkt4Send,
        HookPoint::Buffer4Send,
    ];
    for point in offers {
        let (_service, page) = hooked(NET, &[point], |_| {
            to(v1::LinkChanges {
                interface: Some("eth1".to_owned()),
                remote_address: Some(vec![203, 0, 113, 9].into()),
                remote_port: Some(1068),
                local_address: Some(vec![203, 0, 113, 1].into()),
            })
        });
        let outgoing = page.send(&client(1).discover()).unwrap().unwrap();
        let link = &outgoing.link;
        assert_eq!(
            (&*link.interface, link.interface_index),
            ("eth1", 2),
            "{point:?}"
        );
        assert_eq!(link.remote, "203.0.113.9:1068".parse().unwrap());
        assert_eq!(link.local, "203.0.113.1:67".parse().unwrap());
        assert!(outgoing.to_hardware.is_none(), "it is no frame any more");
    }
}

#[test]
fn later_callout_overrides_part_of_what_an_earlier_one_wants() {
    let (service, page) = hooked(NET, &POINTS, |point| match point {
        Point::Leases4Committed(_) => to(v1::LinkChanges {
            remote_address: Some(vec![203, 0, 113, 9].into()),
            remote_port: Some(1068),
            ..Default::default()
        }),
        Point::Pkt4Send(_) => to(v1::LinkChanges {
            remote_port: Some(1069),
            ..Default::default()
        }),
        _ => goes_on(),
    });
    let mut client = client(1);
    let offer = page.ask(&client.discover()).unwrap();
    service.forget();
    let outgoing = page
        .send(&client.request_selecting(&offer))
        .unwrap()
        .unwrap();
    assert_eq!(outgoing.link.remote, "203.0.113.9:1069".parse().unwrap());
    assert_eq!(service.order(), POINTS[1..]);
    let Point::Buffer4Send(sent) = &service.calls(HookPoint::Buffer4Send)[0] else {
        panic!("other arguments");
    };
    let shown = sent.response.as_ref().unwrap().link.as_ref().unwrap();
    assert_eq!(shown.remote_port, 1069, "the next callout sees it");
}

#[test]
fn relayed_reply_and_unknown_interfaces_are_refused() {
    let relayed = {
        let mut client = client(1);
        client.relay = Some(Relay4 {
            giaddr: addr(2),
            relay_info: Vec::new(),
        });
        client
    };
    let remote = v1::LinkChanges {
        remote_address: Some(vec![203, 0, 113, 9].into()),
        ..Default::default()
    };
    let interface = v1::LinkChanges {
        interface: Some("eth9".to_owned()),
        ..Default::default()
    };
    for (mut client, link) in [(relayed, remote), (client(1), interface)] {
        let (_service, page) = hooked(NET, &[HookPoint::Pkt4Send], move |_| to(link.clone()));
        let outgoing = page.send(&client.discover()).unwrap().unwrap();
        assert_eq!(&*outgoing.link.interface, "eth0");
        assert_ne!(outgoing.link.remote.ip(), Ipv4Addr::new(203, 0, 113, 9));
        let counters = page.services.counters().remove(0);
        assert_eq!(counters.failed(outrigger_hooks::Cause::RefusedChange), 1);
    }
}

//! Leases outlive the server process.

use nix::sys::signal::Signal;
use outrigger_lab::{Lab, PATIENCE, Subject};
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Ia, IaKind, UdpLink6};

const CONFIG: &str = r#"{ "Dhcp6": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "preferred-lifetime": 900, "valid-lifetime": 1200,
    "subnet6": [ {
        "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
        "pools": [ { "pool": "2001:db8:1::100 - 2001:db8:1::100" } ],
        "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 56, "delegated-len": 56 } ]
    } ]
} }"#;
/// Status codes of RFC 8415 §21.13.
const NO_ADDRS_AVAIL: u16 = 2;
const NO_PREFIX_AVAIL: u16 = 6;

#[test]
fn acknowledged_leases_survive_a_killed_server() {
    let lab = Lab::direct();
    let server = Subject::start(lab.server(), CONFIG);
    let link = lab
        .client()
        .enter(|| UdpLink6::multicast(Lab::INTERFACE))
        .unwrap();
    let client = |last: u8| {
        let duid = Client6::duid_ll([0x02, 0, 0, 0, 0, last]);
        Client6::new(duid, vec![Ia::na(1), Ia::pd(2)])
    };
    let mut holder = client(0x63);
    let advertise = link.exchange(&holder.solicit(), PATIENCE).unwrap();
    let lease = link
        .exchange(&holder.request(&advertise), PATIENCE)
        .unwrap();
    assert_eq!(lease.message_type, message::REPLY);

    server.process.signal(Signal::SIGKILL);
    assert!(server.process.wait(PATIENCE).is_some());
    let _server = Subject::restart(lab.server(), &server);

    let refused = link.exchange(&client(0x64).solicit(), PATIENCE).unwrap();
    for (kind, iaid, expected) in [
        (IaKind::Na, 1, NO_ADDRS_AVAIL),
        (IaKind::Pd, 2, NO_PREFIX_AVAIL),
    ] {
        let status = refused.ia(kind, iaid).unwrap().status.as_ref();
        assert_eq!(status.unwrap().code, expected);
    }
    let renewed = link.exchange(&holder.renew(&lease), PATIENCE).unwrap();
    assert_eq!(renewed.ias(), lease.ias());
    assert_eq!(renewed.server_id(), lease.server_id());
}

#[test]
fn server_ends_with_success_when_it_is_asked_to() {
    let lab = Lab::direct();
    let server = Subject::start(lab.server(), CONFIG);
    assert_eq!(server.stop().code(), Some(0));
}

//! Leases outlive the server process.

use std::time::Duration;

use nix::sys::signal::Signal;
use outrigger_lab::{Lab, PATIENCE, Subject};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, UdpLink4};

const CONFIG: &str = r#"{ "Dhcp4": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "valid-lifetime": 1200,
    "subnet4": [ {
        "id": 1, "subnet": "192.0.2.0/24",
        "pools": [ { "pool": "192.0.2.100 - 192.0.2.100" } ]
    } ]
} }"#;
/// How long a server must keep silent to be called silent.
const SILENCE: Duration = Duration::from_secs(2);

#[test]
fn acknowledged_lease_survives_a_killed_server() {
    let lab = Lab::direct();
    let server = Subject::start(lab.server(), CONFIG);
    let link = lab
        .client()
        .enter(|| UdpLink4::broadcast(Lab::INTERFACE))
        .unwrap();
    let mut holder = Client4::new([0x02, 0, 0, 0, 0, 0x43]);
    let offer = link.exchange(&holder.discover(), PATIENCE).unwrap();
    let lease = link
        .exchange(&holder.request_selecting(&offer), PATIENCE)
        .unwrap();
    assert_eq!(lease.message_type, message::ACK);

    server.process.signal(Signal::SIGKILL);
    assert!(server.process.wait(PATIENCE).is_some());
    let _server = Subject::restart(lab.server(), &server);

    let mut other = Client4::new([0x02, 0, 0, 0, 0, 0x44]);
    let refused = link.exchange(&other.discover(), SILENCE);
    assert!(refused.is_err_and(|error| error.is_silence()));
    let confirmed = link
        .exchange(&holder.request_init_reboot(lease.yiaddr), PATIENCE)
        .unwrap();
    assert_eq!(confirmed.message_type, message::ACK);
    assert_eq!(confirmed.yiaddr, lease.yiaddr);
}

#[test]
fn server_ends_with_success_when_it_is_asked_to() {
    let lab = Lab::direct();
    let server = Subject::start(lab.server(), CONFIG);
    assert_eq!(server.stop().code(), Some(0));
}

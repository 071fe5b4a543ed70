//! Clients of a server that has one address.

use super::stage::{Stage, key};
use crate::common::{RELAY4, SERVER4, at4, at6};
use outrigger_proto::v1;
use outrigger_testkit::client4::message as message4;
use outrigger_testkit::{Client4, Client6, Ia, Relay4, Reply4Seen};
use outrigger_wire::Link;

/// A server with one address.
pub(crate) const MEMBERS4: &str = r#""valid-lifetime": 3600, "dhcp-ddns": { "enable-updates": true },
    "ddns-replace-client-name": "always", "host-reservation-identifiers": [ "flex-id", "hw-address" ], "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24",
    "pools": [ { "pool": "192.0.2.10 - 192.0.2.10" } ] } ]"#;
/// That address.
pub(crate) const ADDRESS4: &str = "192.0.2.10";
/// A server with one address.
pub(crate) const MEMBERS6: &str = r#""valid-lifetime": 3600, "dhcp-ddns": { "enable-updates": true },
    "ddns-replace-client-name": "always", "host-reservation-identifiers": [ "flex-id", "duid" ], "preferred-lifetime": 1800, "subnet6": [ { "id": 1,
    "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::10 - 2001:db8:1::10" } ] } ]"#;
/// That address.
pub(crate) const ADDRESS6: &str = "2001:db8:1::10";

pub(crate) fn link4() -> Link {
    at4(SERVER4, RELAY4, 67)
}

pub(crate) fn link6() -> Link {
    at6("2001:db8::1", "2001:db8:1::1")
}

pub(crate) fn client4(number: u8) -> Client4 {
    let mut client = Client4::new([2, 0, 0, 0, 0, number]);
    client.relay = Some(Relay4 {
        giaddr: RELAY4,
        relay_info: Vec::new(),
    });
    client
}

pub(crate) fn client6(number: u8) -> Client6 {
    let duid = Client6::duid_ll([2, 0, 0, 0, 0, number]);
    let mut client = Client6::new(duid, vec![Ia::na(1)]);
    let [link, peer] = ["2001:db8:1::1", "fe80::1"].map(|address| address.parse().unwrap());
    // It wants a name (RFC 4704).
    client.options.push((39, b"\0\x04host".to_vec()));
    client.relays = vec![outrigger_testkit::Relay6::new(link, peer)];
    client
}

/// The lease that this client is to get.
pub(crate) fn lease4(number: u8) -> v1::Lease {
    v1::Lease {
        address: key(ADDRESS4).unwrap().address,
        hw_address: Some(v1::HwAddress {
            htype: 1,
            address: vec![2, 0, 0, 0, 0, number].into(),
        }),
        ..Default::default()
    }
}

/// The lease that this client is to get.
pub(crate) fn lease6(number: u8) -> v1::Lease {
    v1::Lease {
        address: key(ADDRESS6).unwrap().address,
        duid: Client6::duid_ll([2, 0, 0, 0, 0, number]).into(),
        iaid: 1,
        ..Default::default()
    }
}

/// What a client is granted by an exchange of four messages.
pub(crate) fn lease(stage: &Stage, client: &mut Client4) -> Reply4Seen {
    let offer = stage
        .exchange(&client.discover(), link4())
        .expect("an offer");
    let offer = Reply4Seen::parse(&offer.bytes).unwrap();
    let ack = stage.exchange(&client.request_selecting(&offer), link4());
    let ack = Reply4Seen::parse(&ack.expect("an answer").bytes).unwrap();
    assert_eq!(ack.message_type, message4::ACK);
    ack
}

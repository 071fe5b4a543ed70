//! Our own client: the exchanges of RFC 8415 §18, byte by byte.

use std::net::Ipv6Addr;

use outrigger_lab::{Lab, PATIENCE, Subject};
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Hint6, Ia, IaKind, Relay6, Reply6Seen, UdpLink6};

const CONFIG: &str = r#"{ "Dhcp6": {
    "interfaces-config": { "interfaces": [ "eth0", "eth0/2001:db8:1::1" ] },
    "renew-timer": 300, "rebind-timer": 600,
    "preferred-lifetime": 900, "valid-lifetime": 1200,
    "subnet6": [ {
        "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0", "rapid-commit": true,
        "pools": [ { "pool": "2001:db8:1::100 - 2001:db8:1::10f" } ],
        "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 40, "delegated-len": 56 } ],
        "option-data": [ { "name": "dns-servers", "data": "2001:db8:1::53" } ]
    }, {
        "id": 2, "subnet": "2001:db8:2::/64",
        "pools": [ { "pool": "2001:db8:2::100 - 2001:db8:2::10f" } ]
    } ]
} }"#;
const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x61];
/// Status codes of RFC 8415 §21.13.
const NO_BINDING: u16 = 3;
const NOT_ON_LINK: u16 = 4;

fn client() -> Client6 {
    Client6::new(Client6::duid_ll(MAC), vec![Ia::na(1), Ia::pd(2)])
}

fn multicast(lab: &Lab) -> UdpLink6 {
    lab.client()
        .enter(|| UdpLink6::multicast(Lab::INTERFACE))
        .unwrap()
}

fn sarr(client: &mut Client6, link: &UdpLink6) -> Reply6Seen {
    let advertise = link.exchange(&client.solicit(), PATIENCE).unwrap();
    assert_eq!(advertise.message_type, message::ADVERTISE);
    let reply = link
        .exchange(&client.request(&advertise), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::REPLY);
    assert_eq!(reply.ias(), advertise.ias());
    reply
}

/// The status of a Reply as a whole; none means success.
fn status(reply: &Reply6Seen) -> u16 {
    assert_eq!(reply.message_type, message::REPLY);
    reply.status().map_or(0, |status| status.code)
}

#[test]
fn sarr_grants_an_address_and_a_prefix_with_lifetimes_and_options() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let reply = sarr(&mut client(), &multicast(&lab));
    let na = reply.ia(IaKind::Na, 1).unwrap();
    assert_eq!((na.t1, na.t2), (300, 600));
    let address = &na.addresses[0];
    let expected: Ipv6Addr = "2001:db8:1::100".parse().unwrap();
    assert_eq!(address.address, expected);
    assert_eq!((address.preferred, address.valid), (900, 1200));
    let prefix = &reply.ia(IaKind::Pd, 2).unwrap().prefixes[0];
    let expected: Ipv6Addr = "2001:db8:f000::".parse().unwrap();
    assert_eq!((prefix.prefix, prefix.length), (expected, 56));
    let name_server: Ipv6Addr = "2001:db8:1::53".parse().unwrap();
    assert_eq!(reply.address_list(23), Some(vec![name_server]));
}

#[test]
fn rapid_commit_leases_in_two_messages() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let mut client = client();
    client.rapid_commit = true;
    let reply = multicast(&lab)
        .exchange(&client.solicit(), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::REPLY);
    assert!(reply.rapid_commit());
    assert_eq!(reply.addresses().count(), 1);
}

#[test]
fn hinted_address_and_prefix_are_granted() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let address = "2001:db8:1::10b".parse().unwrap();
    let prefix = "2001:db8:f000:7700::".parse().unwrap();
    let mut client = client();
    client.ias[0].hints = vec![Hint6::Address(address)];
    client.ias[1].hints = vec![Hint6::Prefix(prefix, 56)];
    let reply = sarr(&mut client, &multicast(&lab));
    assert_eq!(reply.addresses().next().unwrap().address, address);
    assert_eq!(reply.prefixes().next().unwrap().prefix, prefix);
}

#[test]
fn renew_and_rebind_extend_the_same_leases() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let (mut client, link) = (client(), multicast(&lab));
    let lease = sarr(&mut client, &link);
    for message in [client.renew(&lease), client.rebind(&lease)] {
        let extended = link.exchange(&message, PATIENCE).unwrap();
        assert_eq!(extended.message_type, message::REPLY);
        assert_eq!(extended.ias(), lease.ias());
    }
}

#[test]
fn released_lease_has_no_binding_any_more() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let (mut client, link) = (client(), multicast(&lab));
    client.ias.pop();
    let lease = sarr(&mut client, &link);
    let released = link.exchange(&client.release(&lease), PATIENCE).unwrap();
    assert_eq!(status(&released), 0);
    let again = link.exchange(&client.release(&lease), PATIENCE).unwrap();
    let ia = again.ia(IaKind::Na, 1).unwrap();
    assert_eq!(ia.status.as_ref().unwrap().code, NO_BINDING);
}

#[test]
fn declined_address_is_not_advertised_again() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let (mut client, link) = (client(), multicast(&lab));
    let lease = sarr(&mut client, &link);
    let declined = link.exchange(&client.decline(&lease), PATIENCE).unwrap();
    assert_eq!(status(&declined), 0);
    let advertise = link.exchange(&client.solicit(), PATIENCE).unwrap();
    let advertised = advertise.addresses().next().unwrap().address;
    assert_ne!(advertised, lease.addresses().next().unwrap().address);
}

#[test]
fn confirm_tells_whether_the_address_fits_the_link() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let (mut client, link) = (client(), multicast(&lab));
    let lease = sarr(&mut client, &link);
    let message = client.confirm(&lease);
    let confirmed = link.exchange(&message, PATIENCE).unwrap();
    assert_eq!(status(&confirmed), 0);

    let ours = lease.addresses().next().unwrap().address.octets();
    let foreign: Ipv6Addr = "2001:db8:9::1".parse().unwrap();
    let mut message = client.confirm(&lease);
    let at = message.windows(16).position(|part| part == ours).unwrap();
    message[at..at + 16].copy_from_slice(&foreign.octets());
    let refused = link.exchange(&message, PATIENCE).unwrap();
    assert_eq!(status(&refused), NOT_ON_LINK);
}

#[test]
fn information_request_gets_options_and_no_lease() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let reply = multicast(&lab)
        .exchange(&client().information_request(), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::REPLY);
    assert!(reply.ias().is_empty());
    assert!(reply.option(23).is_some());
}

#[test]
fn twice_relayed_client_gets_an_address_of_its_own_link() {
    let lab = Lab::relayed();
    let _server = Subject::start(lab.server(), CONFIG);
    let link = lab
        .relay()
        .enter(|| UdpLink6::relay(Lab::RELAY6, Lab::SERVER6))
        .unwrap();
    let mut client = client();
    client.ias.pop();
    let near = Relay6 {
        interface_id: Some(b"port 7".to_vec()),
        ..Relay6::new(Lab::RELAY6, "fe80::7".parse().unwrap())
    };
    let far = Relay6::new(Ipv6Addr::UNSPECIFIED, Lab::RELAY6);
    client.relays = vec![near, far];
    let reply = sarr(&mut client, &link);
    let expected: Ipv6Addr = "2001:db8:2::100".parse().unwrap();
    assert_eq!(reply.addresses().next().unwrap().address, expected);
    assert_eq!(reply.relays.len(), 2);
}

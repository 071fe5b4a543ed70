//! Our own client: the exchanges of RFC 2131 §3 and §4.3, byte by byte.

use std::net::Ipv4Addr;
use std::time::Duration;

use outrigger_lab::{Lab, PATIENCE, Subject};
use outrigger_testkit::client4::message;
use outrigger_testkit::{Client4, Relay4, Reply4Seen, UdpLink4};

const CONFIG: &str = r#"{ "Dhcp4": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "renew-timer": 300, "rebind-timer": 600, "valid-lifetime": 1200,
    "authoritative": true,
    "subnet4": [ {
        "id": 1, "subnet": "192.0.2.0/24",
        "pools": [ { "pool": "192.0.2.100 - 192.0.2.109" } ],
        "option-data": [ { "name": "routers", "data": "192.0.2.1" } ]
    }, {
        "id": 2, "subnet": "198.51.100.0/24",
        "pools": [ { "pool": "198.51.100.100 - 198.51.100.109" } ],
        "option-data": [ { "name": "routers", "data": "198.51.100.1" } ]
    } ]
} }"#;
const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x41];
/// How long a server must keep silent to be called silent.
const SILENCE: Duration = Duration::from_secs(2);

fn dora(client: &mut Client4, link: &UdpLink4) -> Reply4Seen {
    let offer = link.exchange(&client.discover(), PATIENCE).unwrap();
    assert_eq!(offer.message_type, message::OFFER);
    let ack = link
        .exchange(&client.request_selecting(&offer), PATIENCE)
        .unwrap();
    assert_eq!(ack.message_type, message::ACK);
    assert_eq!(ack.yiaddr, offer.yiaddr);
    ack
}

fn broadcast(lab: &Lab) -> UdpLink4 {
    lab.client()
        .enter(|| UdpLink4::broadcast(Lab::INTERFACE))
        .unwrap()
}

#[test]
fn dora_grants_an_address_of_the_pool_with_its_options() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let ack = dora(&mut Client4::new(MAC), &broadcast(&lab));
    assert_eq!(ack.yiaddr, Ipv4Addr::new(192, 0, 2, 100));
    assert_eq!(ack.server_id(), Some(Lab::SERVER4));
    assert_eq!(ack.addresses(3), Some(vec![Lab::SERVER4]));
    assert_eq!(ack.option(1), Some(&[255, 255, 255, 0][..]));
    let times = [51, 58, 59].map(|code| ack.number(code));
    assert_eq!(times, [Some(1200), Some(300), Some(600)]);
}

// RFC 2131 §4.1: without the broadcast flag the answer goes to yiaddr and chaddr, with it to all.
// Kea: even then the frame itself goes to chaddr; either destination reaches the client.
#[test]
fn broadcast_flag_decides_how_the_answer_is_addressed() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let link = broadcast(&lab);
    let mut client = Client4::new(MAC);
    let offer = link.deliver(&client.discover(), PATIENCE).unwrap();
    assert_eq!(offer.to, Some((MAC, offer.reply.yiaddr)));
    assert_eq!(*offer.from.ip(), Lab::SERVER4);
    client.broadcast = true;
    let offer = link.deliver(&client.discover(), PATIENCE).unwrap();
    let (to_hw, to) = offer.to.unwrap();
    assert_eq!(to, Ipv4Addr::BROADCAST);
    assert!(to_hw == [0xFF; 6] || to_hw == MAC, "{to_hw:02x?}");
}

#[test]
fn client_renews_by_unicast_and_rebinds_by_broadcast() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let mut client = Client4::new(MAC);
    let link = broadcast(&lab);
    let lease = dora(&mut client, &link);
    lab.client()
        .ip(&format!("addr add {}/24 dev eth0", lease.yiaddr));
    let unicast = lab
        .client()
        .enter(|| UdpLink4::unicast(lease.yiaddr, Lab::SERVER4))
        .unwrap();
    let renewed = unicast
        .exchange(&client.request_renewing(lease.yiaddr), PATIENCE)
        .unwrap();
    assert_eq!(
        (renewed.message_type, renewed.yiaddr),
        (message::ACK, lease.yiaddr)
    );
    let rebound = link
        .exchange(&client.request_rebinding(lease.yiaddr), PATIENCE)
        .unwrap();
    assert_eq!(
        (rebound.message_type, rebound.yiaddr),
        (message::ACK, lease.yiaddr)
    );
}

#[test]
fn init_reboot_confirms_the_address_and_refuses_one_of_another_network() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let mut client = Client4::new(MAC);
    let link = broadcast(&lab);
    let lease = dora(&mut client, &link);
    let reply = link
        .exchange(&client.request_init_reboot(lease.yiaddr), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::ACK);
    let elsewhere = Ipv4Addr::new(10, 1, 2, 3);
    let reply = link
        .exchange(&client.request_init_reboot(elsewhere), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::NAK);
    assert_eq!(reply.yiaddr, Ipv4Addr::UNSPECIFIED);
}

#[test]
fn declined_address_is_not_offered_again() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let mut client = Client4::new(MAC);
    let link = broadcast(&lab);
    let lease = dora(&mut client, &link);
    link.send(&client.decline(&lease)).unwrap();
    let offer = link.exchange(&client.discover(), PATIENCE).unwrap();
    assert_ne!(offer.yiaddr, lease.yiaddr);
}

#[test]
fn inform_gets_options_and_no_address() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    lab.client().ip("addr add 192.0.2.20/24 dev eth0");
    let address = Ipv4Addr::new(192, 0, 2, 20);
    let link = lab
        .client()
        .enter(|| UdpLink4::unicast(address, Lab::SERVER4))
        .unwrap();
    let reply = link
        .exchange(&Client4::new(MAC).inform(address), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::ACK);
    assert_eq!(reply.yiaddr, Ipv4Addr::UNSPECIFIED);
    assert_eq!(reply.number(51), None);
    assert_eq!(reply.addresses(3), Some(vec![Lab::SERVER4]));
}

// RFC 2131 §4.3.2: a request that names another server is not answered.
#[test]
fn request_for_another_servers_offer_is_silent() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let mut client = Client4::new(MAC);
    let link = broadcast(&lab);
    let mut offer = link.exchange(&client.discover(), PATIENCE).unwrap();
    offer.options.insert(54, vec![192, 0, 2, 99]);
    let answer = link.exchange(&client.request_selecting(&offer), SILENCE);
    assert!(answer.is_err_and(|error| error.is_silence()));
}

#[test]
fn relayed_client_gets_an_address_of_its_own_link_and_the_relay_its_option_back() {
    let lab = Lab::relayed();
    let _server = Subject::start(lab.server(), CONFIG);
    let link = lab
        .relay()
        .enter(|| UdpLink4::relay(Lab::RELAY4, Lab::SERVER4))
        .unwrap();
    let mut client = Client4::new(MAC);
    client.client_id = Some(vec![0, b'o', b'n', b'e']);
    client.relay = Some(Relay4 {
        giaddr: Lab::RELAY4,
        relay_info: vec![(1, b"port 7".to_vec()), (2, vec![0xC0, 0xFE])],
    });
    let ack = dora(&mut client, &link);
    assert_eq!(ack.yiaddr, Ipv4Addr::new(198, 51, 100, 100));
    assert_eq!(ack.option(82), Some(&b"\x01\x06port 7\x02\x02\xC0\xFE"[..]));
    assert_eq!(ack.order.last(), Some(&82));
    assert_eq!(ack.addresses(3), Some(vec![Lab::RELAY4]));
}

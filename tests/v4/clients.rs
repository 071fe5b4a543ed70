//! Real clients get, renew and release a lease.

use std::net::{IpAddr, Ipv4Addr};

use outrigger_lab::{
    Dhclient, Dhcpcd, DhcpcdWants, Event, Host, Lab, PATIENCE, Subject, Udhcpc, poll,
};
use outrigger_testkit::{Client4, UdpLink4};

/// T1 is short, because dhclient renews only by itself.
const CONFIG: &str = r#"{ "Dhcp4": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "renew-timer": 3, "rebind-timer": 600, "valid-lifetime": 1200,
    "subnet4": [ {
        "id": 1, "subnet": "192.0.2.0/24",
        "pools": [ { "pool": "192.0.2.100 - 192.0.2.109" } ],
        "option-data": [
            { "name": "routers", "data": "192.0.2.1" },
            { "name": "domain-name-servers", "data": "192.0.2.53, 192.0.2.54" },
            { "name": "domain-name", "data": "example.org" }
        ]
    } ]
} }"#;

#[test]
fn dhclient_gets_renews_and_releases_a_lease() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let client = Dhclient::start4(lab.client(), Lab::INTERFACE);
    let bound = client.bound("new_ip_address");
    let address = check(
        &bound,
        "new_ip_address",
        "new_routers",
        "new_domain_name_servers",
    );
    assert_eq!(bound.get("new_domain_name"), Some("example.org"));
    assert_eq!(bound.get("new_dhcp_lease_time"), Some("1200"));
    wait_for_address(lab.client(), address, true);

    let renewed = client.renewed("new_ip_address");
    assert_eq!(renewed.value::<Ipv4Addr>("new_ip_address"), address);

    client.release();
    wait_for_address(lab.client(), address, false);
    wait_until_free(&lab, address);
}

#[test]
fn dhcpcd_gets_renews_and_releases_a_lease() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let wants = DhcpcdWants {
        v4: true,
        ..DhcpcdWants::default()
    };
    let client = Dhcpcd::start(lab.client(), Lab::INTERFACE, wants);
    let bound = client.bound4();
    let address = check(
        &bound,
        "new_ip_address",
        "new_routers",
        "new_domain_name_servers",
    );
    assert_eq!(bound.get("new_dhcp_lease_time"), Some("1200"));
    wait_for_address(lab.client(), address, true);

    let renewed = client.renew("RENEW");
    assert_eq!(renewed.value::<Ipv4Addr>("new_ip_address"), address);

    client.release();
    wait_for_address(lab.client(), address, false);
    wait_until_free(&lab, address);
}

#[test]
fn udhcpc_gets_renews_and_releases_a_lease() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let client = Udhcpc::start(lab.client(), Lab::INTERFACE, &[]);
    let bound = client.bound();
    let address = check(&bound, "ip", "router", "dns");
    assert_eq!(bound.get("lease"), Some("1200"));
    assert_eq!(bound.get("serverid"), Some("192.0.2.1"));
    wait_for_address(lab.client(), address, true);

    let renewed = client.renew();
    assert_eq!(renewed.value::<Ipv4Addr>("ip"), address);

    client.release();
    wait_for_address(lab.client(), address, false);
    wait_until_free(&lab, address);
}

#[test]
fn two_clients_get_two_addresses() {
    let mut lab = Lab::direct();
    let other = lab.add_client();
    let _server = Subject::start(lab.server(), CONFIG);
    let first = Udhcpc::start(lab.client(), Lab::INTERFACE, &[]);
    let second = Udhcpc::start(&other, Lab::INTERFACE, &[]);
    let addresses = [&first, &second].map(|client| check(&client.bound(), "ip", "router", "dns"));
    assert_ne!(addresses[0], addresses[1]);
}

#[test]
fn released_address_of_a_pool_of_one_goes_to_the_next_client() {
    let mut lab = Lab::direct();
    let other = lab.add_client();
    let config = CONFIG.replace("192.0.2.109", "192.0.2.100");
    let _server = Subject::start(lab.server(), &config);
    let first = Udhcpc::start(lab.client(), Lab::INTERFACE, &[]);
    let address: Ipv4Addr = first.bound().value("ip");
    first.release();
    let second = Udhcpc::start(&other, Lab::INTERFACE, &[]);
    assert_eq!(second.bound().value::<Ipv4Addr>("ip"), address);
}

/// Checks what every client must have got from [`CONFIG`]; returns the address.
#[track_caller]
fn check(event: &Event, address: &str, routers: &str, name_servers: &str) -> Ipv4Addr {
    let address: Ipv4Addr = event.value(address);
    let pool = Ipv4Addr::new(192, 0, 2, 100)..=Ipv4Addr::new(192, 0, 2, 109);
    assert!(pool.contains(&address), "{address} is outside the pool");
    assert_eq!(event.addresses(routers), [IpAddr::V4(Lab::SERVER4)]);
    let expected = ["192.0.2.53", "192.0.2.54"].map(|text| text.parse::<IpAddr>().unwrap());
    assert_eq!(event.addresses(name_servers), expected);
    address
}

/// Waits until the client's interface has the address, or no longer has it.
#[track_caller]
fn wait_for_address(host: &Host, address: Ipv4Addr, present: bool) {
    let settled = poll(PATIENCE, || {
        let has = host.addresses(Lab::INTERFACE).contains(&address.into());
        (has == present).then_some(())
    });
    assert!(settled.is_some(), "{address} present: {}", !present);
}

/// Waits until the server offers the address to another client that would like it.
#[track_caller]
fn wait_until_free(lab: &Lab, address: Ipv4Addr) {
    let link = lab
        .client()
        .enter(|| UdpLink4::broadcast(Lab::INTERFACE))
        .unwrap();
    let mut other = Client4::new([0x02, 0, 0, 0, 0, 0x42]);
    other.options.push((50, address.octets().to_vec()));
    let free = poll(PATIENCE, || {
        let offer = link.exchange(&other.discover(), PATIENCE).unwrap();
        (offer.yiaddr == address).then_some(())
    });
    assert!(free.is_some(), "{address} is still leased");
}

//! Real clients get, renew and release addresses and delegated prefixes.

use std::net::{IpAddr, Ipv6Addr};

use outrigger_lab::{Dhclient, Dhcpcd, DhcpcdWants, Host, Lab, PATIENCE, Subject, poll};
use outrigger_testkit::{Client6, Hint6, Ia, UdpLink6};

/// T1 is short, because dhclient renews only by itself.
const CONFIG: &str = r#"{ "Dhcp6": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "renew-timer": 3, "rebind-timer": 600,
    "preferred-lifetime": 900, "valid-lifetime": 1200,
    "subnet6": [ {
        "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
        "pools": [ { "pool": "2001:db8:1::100 - 2001:db8:1::10f" } ],
        "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 40, "delegated-len": 56 } ],
        "option-data": [ { "name": "dns-servers", "data": "2001:db8:1::53, 2001:db8:1::54" } ]
    } ]
} }"#;

#[test]
fn dhclient_gets_renews_and_releases_an_address_and_a_prefix() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let client = Dhclient::start6(lab.client(), Lab::INTERFACE);
    let bound = client.bound("new_ip6_address");
    let address: Ipv6Addr = bound.value("new_ip6_address");
    check_address(address);
    assert_eq!(bound.get("new_max_life"), Some("1200"));
    assert_eq!(bound.get("new_preferred_life"), Some("900"));
    assert_eq!(bound.addresses("new_dhcp6_name_servers"), name_servers());
    wait_for_address(lab.client(), address, true);
    let prefix = client.bound("new_ip6_prefix").prefix("new_ip6_prefix");
    check_prefix(prefix.0, prefix.1);

    let renewed = client.renewed("new_ip6_address");
    assert_eq!(renewed.value::<Ipv6Addr>("new_ip6_address"), address);
    let renewed = client.renewed("new_ip6_prefix");
    assert_eq!(renewed.prefix("new_ip6_prefix"), prefix);

    client.release();
    wait_for_address(lab.client(), address, false);
    wait_until_free(&lab, address, prefix.0);
}

#[test]
fn dhcpcd_gets_renews_and_releases_an_address_and_a_prefix() {
    let lab = Lab::direct();
    let _server = Subject::start(lab.server(), CONFIG);
    let wants = DhcpcdWants {
        na: true,
        pd: true,
        ..DhcpcdWants::default()
    };
    let client = Dhcpcd::start(lab.client(), Lab::INTERFACE, wants);
    let bound = client.bound6();
    let address: Ipv6Addr = bound.value("new_dhcp6_ia_na1_ia_addr1");
    check_address(address);
    assert_eq!(bound.get("new_dhcp6_ia_na1_ia_addr1_vltime"), Some("1200"));
    assert_eq!(bound.addresses("new_dhcp6_name_servers"), name_servers());
    let prefix: Ipv6Addr = bound.value("new_dhcp6_ia_pd1_prefix1");
    check_prefix(prefix, bound.value("new_dhcp6_ia_pd1_prefix1_length"));
    wait_for_address(lab.client(), address, true);

    let renewed = client.renew("RENEW6");
    assert_eq!(
        renewed.value::<Ipv6Addr>("new_dhcp6_ia_na1_ia_addr1"),
        address
    );
    assert_eq!(
        renewed.value::<Ipv6Addr>("new_dhcp6_ia_pd1_prefix1"),
        prefix
    );

    client.release();
    wait_for_address(lab.client(), address, false);
    wait_until_free(&lab, address, prefix);
}

#[track_caller]
fn check_address(address: Ipv6Addr) {
    let [first, last] =
        ["2001:db8:1::100", "2001:db8:1::10f"].map(|text| text.parse::<Ipv6Addr>().unwrap());
    assert!(
        (first..=last).contains(&address),
        "{address} is outside the pool"
    );
}

#[track_caller]
fn check_prefix(prefix: Ipv6Addr, length: u8) {
    assert_eq!(length, 56);
    let pool: Ipv6Addr = "2001:db8:f000::".parse().unwrap();
    let inside = u128::from(prefix) >> 88 == u128::from(pool) >> 88;
    assert!(inside, "{prefix}/{length} is outside the pool");
}

fn name_servers() -> [IpAddr; 2] {
    ["2001:db8:1::53", "2001:db8:1::54"].map(|text| text.parse().unwrap())
}

/// Waits until the client's interface has the address, or no longer has it.
#[track_caller]
fn wait_for_address(host: &Host, address: Ipv6Addr, present: bool) {
    let settled = poll(PATIENCE, || {
        let has = host.addresses(Lab::INTERFACE).contains(&address.into());
        (has == present).then_some(())
    });
    assert!(settled.is_some(), "{address} present: {}", !present);
}

/// Waits until the server offers address and prefix to another client that would like them.
#[track_caller]
fn wait_until_free(lab: &Lab, address: Ipv6Addr, prefix: Ipv6Addr) {
    let link = lab
        .client()
        .enter(|| UdpLink6::multicast(Lab::INTERFACE))
        .unwrap();
    let duid = Client6::duid_ll([0x02, 0, 0, 0, 0, 0x62]);
    let mut other = Client6::new(duid, vec![Ia::na(1), Ia::pd(2)]);
    other.ias[0].hints = vec![Hint6::Address(address)];
    other.ias[1].hints = vec![Hint6::Prefix(prefix, 56)];
    let free = poll(PATIENCE, || {
        let advertise = link.exchange(&other.solicit(), PATIENCE).unwrap();
        let has_address = advertise.addresses().any(|lease| lease.address == address);
        let has_prefix = advertise.prefixes().any(|lease| lease.prefix == prefix);
        (has_address && has_prefix).then_some(())
    });
    assert!(free.is_some(), "{address} or {prefix} is still leased");
}

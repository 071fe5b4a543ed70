use super::*;
use outrigger_wire::HwAddress;
use std::net::Ipv4Addr;

fn interface(name: &str, index: u32, addresses: &[&str]) -> Interface {
    Interface {
        name: name.into(),
        index,
        addresses: addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect(),
        hw_address: HwAddress::EMPTY,
        up: true,
        loopback: name == "lo",
        link: None,
    }
}

fn host() -> Vec<Interface> {
    let mut down = interface("eth2", 4, &["192.0.2.3"]);
    down.up = false;
    vec![
        interface("lo", 1, &["127.0.0.1", "::1"]),
        interface(
            "eth0",
            2,
            &["192.0.2.1", "192.0.2.2", "fe80::2", "2001:db8::2"],
        ),
        interface("eth1", 3, &["2001:db8::3"]),
        down,
    ]
}

fn named(text: &str) -> InterfaceSpec {
    let (name, address) = text
        .split_once('/')
        .map_or((text, None), |(name, address)| (name, Some(address)));
    InterfaceSpec::Named {
        name: name.to_owned(),
        address: address.map(|address| address.parse().unwrap()),
    }
}

fn config(specs: &[InterfaceSpec]) -> Interfaces {
    Interfaces {
        interfaces: specs.to_vec(),
        raw_sockets: true,
    }
}

fn names(selection: &Selection) -> Vec<&str> {
    selection
        .chosen
        .iter()
        .map(|chosen| &*chosen.interface.name)
        .collect()
}

#[test]
fn star_takes_what_is_up_has_an_ipv4_address_and_is_not_loopback() {
    let selection = select(&config(&[InterfaceSpec::All]), &host(), usable4).unwrap();
    assert_eq!(names(&selection), ["eth0"]);
    assert_eq!(selection.unusable, []);
}

#[test]
fn interface_named_twice_is_opened_once() {
    let specs = [
        InterfaceSpec::All,
        named("eth0/192.0.2.2"),
        named("eth0"),
        named("eth0/192.0.2.2"),
    ];
    let selection = select(&config(&specs), &host(), usable4).unwrap();
    assert_eq!(names(&selection), ["eth0"]);
    assert!(selection.chosen[0].any);
    assert_eq!(
        selection.chosen[0].addresses,
        [IpAddr::from([192, 0, 2, 2])]
    );
}

#[test]
fn loopback_is_taken_where_it_is_named() {
    let selection = select(&config(&[named("lo")]), &host(), usable4).unwrap();
    assert_eq!(names(&selection), ["lo"]);
}

#[test]
fn unknown_interface_is_an_error_that_names_the_known_ones() {
    let error = select(&config(&[named("eth9")]), &host(), usable4).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no interface eth9 here; there are: lo, eth0, eth1, eth2"
    );
}

#[test]
fn address_of_another_interface_is_an_error_that_names_its_own() {
    let error = select(&config(&[named("lo/192.0.2.1")]), &host(), usable4).unwrap_err();
    assert_eq!(
        error.to_string(),
        "address 192.0.2.1 is not on interface lo; it has: 127.0.0.1, ::1"
    );
}

#[test]
fn named_interface_that_cannot_be_used_is_told_with_the_reason() {
    let selection = select(
        &config(&[named("eth1"), named("eth2"), named("eth1")]),
        &host(),
        usable4,
    )
    .unwrap();
    assert!(selection.chosen.is_empty());
    let told: Vec<_> = selection
        .unusable
        .iter()
        .map(|one| (&*one.interface, one.why))
        .collect();
    assert_eq!(told, [("eth1", "has no IPv4 address"), ("eth2", "is down")]);
}

#[test]
fn dhcpv6_needs_a_link_local_address_that_is_not_tentative() {
    let host = host();
    assert_eq!(usable6(&host[1], &[]), Usable::Yes);
    assert!(matches!(
        usable6(&host[1], &[(2, "fe80::2".parse().unwrap())]),
        Usable::Soon(_)
    ));
    assert_eq!(
        usable6(&host[1], &[(3, "fe80::2".parse().unwrap())]),
        Usable::Yes
    );
    assert!(matches!(usable6(&host[2], &[]), Usable::No(_)));
    let waits = |spec| {
        select(&config(&[spec]), &host, |one| usable6(one, &[]))
            .unwrap()
            .waits
    };
    assert!(waits(named("eth1")), "its link-local address may come");
    assert!(
        !waits(InterfaceSpec::All),
        "an interface without IPv6 is not waited for"
    );
}

#[test]
fn kernel_table_tells_tentative_and_duplicate_addresses() {
    let line = |flags| format!("fe800000000000000000000000000002 02 40 20 {flags}     eth0");
    assert_eq!(unsettled(&line("80")), None);
    assert_eq!(
        unsettled(&line("c0")),
        Some((2, "fe80::2".parse().unwrap()))
    );
    assert_eq!(
        unsettled(&line("88")),
        Some((2, "fe80::2".parse().unwrap()))
    );
    for broken in ["", "fe80", "zz 02 40 20 c0 eth0", "fe80 02 40"] {
        assert_eq!(unsettled(broken), None, "{broken:?}");
    }
}

#[test]
fn sockets_open_on_loopback_for_both_families() {
    let config = config(&[named("lo")]);
    let v4 = open4(&config, 0).unwrap();
    let v6 = open6(&config, 0, Duration::ZERO).unwrap();
    assert!(v4.raw.is_empty(), "loopback speaks no Ethernet");
    let both = v4.and(v6);
    assert_eq!(both.unusable, []);
    assert_eq!(both.interfaces.len(), 2);
    let families: Vec<bool> = both.udp.iter().map(|socket| socket.is_ipv4()).collect();
    assert_eq!(families, [true, false]);
    assert!(both.udp.iter().all(|socket| socket.port() > 0));
}

#[test]
fn socket_type_udp_binds_exactly_the_configured_address() {
    let config = Interfaces {
        interfaces: vec![named("lo/127.0.0.1")],
        raw_sockets: false,
    };
    let sockets = open4(&config, 0).unwrap();
    assert_eq!(sockets.udp.len(), 1);
    assert_eq!(sockets.udp[0].bound(), Some(Ipv4Addr::LOCALHOST.into()));
    assert!(sockets.udp[0].serves(Ipv4Addr::BROADCAST.into()));
    assert!(!sockets.udp[0].serves([127, 0, 0, 2].into()));
}

#[test]
fn port_in_use_by_another_is_an_error_with_advice() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let config = Interfaces {
        interfaces: vec![named("lo/127.0.0.1")],
        raw_sockets: false,
    };
    let error = open4(&config, taken.local_addr().unwrap().port()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("cannot bind the DHCP server port on interface lo (another"),
        "{text}"
    );
}

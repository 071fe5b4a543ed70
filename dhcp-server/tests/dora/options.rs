//! What a reply says beside the address.

use super::*;

#[test]
fn lifetime_is_the_clients_wish_within_the_bounds() {
    let page = Page4::new(NET);
    for (wish, granted) in [(0_u32, 1000), (1, 500), (700, 700), (u32::MAX, 2000)] {
        let mut client = client(1);
        client.options.push((51, wish.to_be_bytes().to_vec()));
        let ack = page.lease_to(&mut client);
        assert_eq!(ack.number(51), Some(granted), "wish of {wish}");
        assert_eq!(page.lease(ack.yiaddr).unwrap().valid_lifetime, granted);
    }
}

#[test]
fn t1_and_t2_are_sent_where_they_are_in_order() {
    for (timers, expected) in [
        (
            r#""renew-timer": 300, "rebind-timer": 600"#,
            (Some(300), Some(600)),
        ),
        (
            r#""renew-timer": 300, "rebind-timer": 1000"#,
            (Some(300), None),
        ),
        (
            r#""renew-timer": 700, "rebind-timer": 600"#,
            (None, Some(600)),
        ),
        (
            r#""calculate-tee-times": true, "t1-percent": 0.5, "t2-percent": 0.8"#,
            (Some(500), Some(800)),
        ),
        (r#""calculate-tee-times": false"#, (None, None)),
    ] {
        let page = Page4::new(&format!("{timers}, {NET}"));
        let ack = page.lease_to(&mut client(1));
        assert_eq!((ack.number(58), ack.number(59)), expected, "{timers}");
    }
}

const OPTIONS: &str = r#""option-data": [
    { "name": "routers", "data": "192.0.2.1" }, { "name": "domain-name-servers", "data": "192.0.2.53" },
    { "name": "domain-name", "data": "example.org" }, { "name": "ntp-servers", "data": "192.0.2.123" },
    { "name": "log-servers", "data": "192.0.2.7", "always-send": true },
    { "name": "time-offset", "data": "3600", "never-send": true } ]"#;

#[test]
fn options_are_those_asked_for_and_those_that_kea_sends_unasked() {
    let page = Page4::new(&format!("{OPTIONS}, {NET}"));
    for (list, codes) in [
        (vec![], vec![3, 6, 7, 15]),
        (vec![42, 2, 99], vec![3, 6, 7, 15, 42]),
    ] {
        let mut client = client(1);
        client.options = vec![(55, list)];
        let offer = page.ask(&client.discover()).unwrap();
        let configured: Vec<u8> = offer
            .options
            .keys()
            .copied()
            .filter(|code| ![1, 51, 53, 54].contains(code))
            .collect();
        assert_eq!(configured, codes);
    }
}

#[test]
fn vendor_options_of_cablelabs_are_those_in_its_request_and_those_always_sent() {
    let page = Page4::new(&format!(
        r#""option-data": [
            {{ "space": "vendor-4491", "code": 2, "data": "c0000202", "csv-format": false }},
            {{ "space": "vendor-4491", "code": 4, "data": "0a", "csv-format": false, "always-send": true }},
            {{ "space": "vendor-9", "code": 1, "data": "01", "csv-format": false }} ], {NET}"#
    ));
    let asked = |sub_options: &[u8]| {
        let mut client = client(1);
        let mut payload = 4491_u32.to_be_bytes().to_vec();
        payload.push(u8::try_from(sub_options.len()).unwrap());
        payload.extend(sub_options);
        client.options.push((125, payload));
        page.ask(&client.discover())
            .unwrap()
            .option(125)
            .map(<[u8]>::to_vec)
    };
    let enterprise = &4491_u32.to_be_bytes()[..];
    let both = [enterprise, &[9, 2, 4, 0xc0, 0, 2, 2, 4, 1, 10]].concat();
    assert_eq!(asked(&[1, 1, 2]), Some(both));
    let always = Some([enterprise, &[3, 4, 1, 10]].concat());
    assert_eq!(asked(&[1, 1, 77]), always);
    assert_eq!(
        page.ask(&client(2).discover())
            .unwrap()
            .option(125)
            .map(<[u8]>::to_vec),
        always
    );
}

#[test]
fn client_identifier_is_echoed_unless_it_is_configured_away() {
    let mut client = named(1, &[1, 2, 3]);
    let page = Page4::new(NET);
    assert_eq!(
        page.ask(&client.discover()).unwrap().option(61),
        Some(&[1, 2, 3][..])
    );
    let page = Page4::new(&format!(r#"{NET}, "echo-client-id": false"#));
    assert_eq!(page.ask(&client.discover()).unwrap().option(61), None);
}

#[test]
fn configured_server_identifier_is_sent_and_accepted() {
    let page = Page4::new(&format!(
        r#"{NET}, "option-data": [ {{ "name": "dhcp-server-identifier", "data": "192.0.2.99" }} ]"#
    ));
    let ack = page.lease_to(&mut client(1));
    assert_eq!(ack.server_id(), Some(addr(99)));
}

#[test]
fn boot_fields_come_from_the_subnet_and_a_reservation_has_the_last_word() {
    let members = NET.replace(
        r#""interface""#,
        r#""next-server": "192.0.2.8", "server-hostname": "boot", "boot-file-name": "/subnet",
           "reservations": [ { "hw-address": "02:00:00:00:00:02", "boot-file-name": "/host" } ], "interface""#,
    );
    let page = Page4::new(&members);
    for (number, file) in [(1, &b"/subnet"[..]), (2, b"/host")] {
        let ack = page.lease_to(&mut client(number));
        assert_eq!(
            (ack.siaddr, &*ack.sname, &*ack.file),
            (addr(8), &b"boot"[..], file)
        );
    }
}

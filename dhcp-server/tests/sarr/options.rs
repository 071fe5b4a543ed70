//! What a reply says beside the leases.

use super::*;

const OPTIONS: &str = r#""option-data": [
    { "name": "dns-servers", "data": "2001:db8::53" }, { "name": "domain-search", "data": "example.org" },
    { "name": "sntp-servers", "data": "2001:db8::7b", "always-send": true },
    { "name": "preference", "data": "7" } ]"#;

#[test]
fn options_are_those_asked_for_and_those_always_sent() {
    let page = Page6::new(&format!("{OPTIONS}, {NET}"));
    for (requested, codes) in [
        (vec![], vec![31]),
        (vec![24, 99], vec![24, 31]),
        (vec![23, 7], vec![7, 23, 31]),
    ] {
        let mut client = wants_address(1);
        client.requested = requested;
        let advertise = page.ask(&client.solicit()).unwrap();
        let mut configured: Vec<u16> = advertise
            .options
            .iter()
            .map(|(code, _)| *code)
            .filter(|code| ![1, 2, 3].contains(code))
            .collect();
        configured.sort_unstable();
        assert_eq!(configured, codes);
    }
}

#[test]
fn vendor_options_answer_the_vendors_that_the_client_names() {
    let page = Page6::new(&format!(
        r#""option-data": [
            {{ "space": "vendor-4491", "code": 33, "data": "aa", "csv-format": false }},
            {{ "space": "vendor-4491", "code": 1000, "data": "bb", "csv-format": false, "always-send": true }} ], {NET}"#
    ));
    let enterprise = 4491_u32.to_be_bytes();
    let mut client = wants_address(1);
    let always = [&enterprise[..], &[3, 232, 0, 1, 0xbb]].concat();
    assert_eq!(
        page.ask(&client.solicit()).unwrap().option(17),
        Some(&always[..])
    );
    client.options = vec![(17, [&enterprise[..], &[0, 1, 0, 2, 0, 33]].concat())];
    let both = [&enterprise[..], &[0, 33, 0, 1, 0xaa, 3, 232, 0, 1, 0xbb]].concat();
    assert_eq!(
        page.ask(&client.solicit()).unwrap().option(17),
        Some(&both[..])
    );
}

#[test]
fn excluded_prefix_is_sent_inside_the_delegated_one() {
    let members = NET.replace(
        r#""delegated-len": 64"#,
        r#""delegated-len": 62, "excluded-prefix": "2001:db8:f000:3::", "excluded-prefix-len": 64"#,
    );
    let page = Page6::new(&members);
    let mut client = client(1, &[Ia::pd(1)]);
    client.ias[0].hints = vec![Hint6::Prefix("2001:db8:f000::".parse().unwrap(), 62)];
    let outgoing = page.send(&client.solicit()).unwrap().unwrap();
    // RFC 6603 §4.2: option 67, prefix length 64, then the two bits behind the delegated prefix: 11.
    let option = [0, 67, 0, 2, 64, 0b1100_0000];
    assert!(
        outgoing
            .bytes
            .windows(option.len())
            .any(|part| part == option)
    );
}

#[test]
fn lifetimes_are_the_clients_wish_within_the_bounds() {
    let members = format!(
        r#""min-valid-lifetime": 500, "max-valid-lifetime": 2000,
           "min-preferred-lifetime": 300, "max-preferred-lifetime": 900, {NET}"#
    );
    let page = Page6::new(&members);
    let mut client = wants_address(1);
    let reply = page.lease_to(&mut client);
    for (wish, granted) in [
        ((1, 1), (300, 500)),
        ((700, 1500), (700, 1500)),
        ((u32::MAX, u32::MAX), (900, 2000)),
    ] {
        let mut renew = client.renew(&reply);
        // The wish stands behind the address, the last thing of the last option but for the status that is not there.
        let at = renew
            .windows(16)
            .position(|part| part == only_address(&reply).octets())
            .unwrap()
            + 16;
        let (preferred, valid): (u32, u32) = wish;
        renew[at..at + 4].copy_from_slice(&preferred.to_be_bytes());
        renew[at + 4..at + 8].copy_from_slice(&valid.to_be_bytes());
        let renewed = page.ask(&renew).unwrap();
        let seen = renewed.addresses().next().unwrap();
        assert_eq!((seen.preferred, seen.valid), granted, "wish {wish:?}");
    }
}

#[test]
fn t1_and_t2_follow_the_configuration() {
    for (timers, expected) in [
        (r#""renew-timer": 100, "rebind-timer": 150"#, (100, 150)),
        (r#""renew-timer": 150, "rebind-timer": 100"#, (0, 100)),
        (
            r#""calculate-tee-times": true, "t1-percent": 0.5, "t2-percent": 0.8"#,
            (300, 480),
        ),
        (r#""calculate-tee-times": false"#, (0, 0)),
    ] {
        let page = Page6::new(&format!("{timers}, {ONE}"));
        let reply = page.lease_to(&mut wants_address(1));
        let ia = &reply.ias()[0];
        assert_eq!((ia.t1, ia.t2), expected, "{timers}");
    }
}

#[test]
fn relay_supplies_options_that_it_may_and_the_server_does_not_have() {
    let members = format!(
        r#""relay-supplied-options": [ "110" ], {}"#,
        NET.replace(r#""interface": "eth0""#, r#""interface-id": "x""#)
    );
    let page = Page6::new(&members);
    let mut client = wants_address(1);
    let mut relay = Relay6::new("2001:db8:1::1".parse().unwrap(), "fe80::7".parse().unwrap());
    relay.interface_id = Some(b"x".to_vec());
    // RFC 6422: option 66 with options 110, 65 (allowed unless there is a list) and 111.
    relay.options = vec![(66, vec![0, 110, 0, 1, 7, 0, 65, 0, 1, 8, 0, 111, 0, 1, 9])];
    client.relays = vec![relay];
    let advertise = page.ask(&client.solicit()).unwrap();
    let supplied = [110, 65, 111].map(|code| advertise.option(code).map(<[u8]>::to_vec));
    assert_eq!(supplied, [Some(vec![7]), None, None]);
}

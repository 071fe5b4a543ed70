//! Names of clients and `ddns4_update`.

use super::*;
use outrigger_testkit::Reply4Seen;

/// Two subnets of one network; names end in the subnet's suffix. Updates are sent.
const NAMED: &str = r#"
    "valid-lifetime": 1000, "dhcp-ddns": { "enable-updates": true }, "ddns-qualifying-suffix": "example.org",
    "shared-networks": [ { "name": "net", "interface": "eth0", "subnet4": [
        { "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.100/32" } ] },
        { "id": 2, "subnet": "198.51.100.0/24", "ddns-qualifying-suffix": "example.net",
          "pools": [ { "pool": "198.51.100.100/32" },
                     { "pool": "198.51.100.101/32", "ddns-qualifying-suffix": "example.com" } ] } ] } ]"#;

fn named(number: u8, name: &str) -> Client4 {
    let mut client = client(number);
    client.options.push((12, name.as_bytes().to_vec()));
    client
}

/// Option 81 with these flags and a name in DNS form.
fn fqdn(number: u8, flags: u8, labels: &[&str]) -> Client4 {
    let mut client = client(number);
    let mut payload = vec![flags | 0x04, 0, 0];
    for label in labels {
        payload.push(u8::try_from(label.len()).unwrap());
        payload.extend(label.bytes());
    }
    if labels.len() > 1 {
        payload.push(0);
    }
    client.options.push((81, payload));
    client
}

fn host_name(reply: &Reply4Seen) -> Option<&str> {
    reply
        .option(12)
        .map(|name| std::str::from_utf8(name).unwrap())
}

/// Name and directions in the lease.
fn lease_names(page: &Page4, address: Ipv4Addr) -> (String, bool, bool) {
    let lease = page.lease(address).unwrap();
    (lease.hostname.into(), lease.fqdn_fwd, lease.fqdn_rev)
}

fn renames(hostname: Option<&str>, fwd: Option<bool>, rev: Option<bool>) -> v1::CalloutResult {
    changes(v1::Changes {
        names: Some(v1::NameChanges {
            hostname: hostname.map(str::to_owned),
            fwd_update: fwd,
            rev_update: rev,
        }),
        ..Default::default()
    })
}

#[test]
fn name_that_a_client_sends_is_in_its_lease_and_in_its_reply() {
    let page = Page4::new(NAMED);
    let ack = page.lease_to(&mut named(1, "PC-1"));
    assert_eq!(host_name(&ack), Some("pc-1.example.org"));
    let expected = ("pc-1.example.org".to_owned(), true, true);
    assert_eq!(lease_names(&page, ack.yiaddr), expected);

    let page = Page4::new(NAMED);
    let ack = page.lease_to(&mut fqdn(1, 0x00, &["pc-1", "example", "org"]));
    // The client does the forward update: flags E alone, and the name it sent.
    let payload = ack.option(81).unwrap();
    assert_eq!(
        (payload[0], &payload[3..]),
        (0x04, &b"\x04pc-1\x07example\x03org\0"[..])
    );
    let expected = ("pc-1.example.org.".to_owned(), false, true);
    assert_eq!(lease_names(&page, ack.yiaddr), expected);
}

#[test]
fn client_without_a_name_has_none_again_at_its_next_renewal() {
    let page = Page4::new(NAMED);
    let mut client = named(1, "pc-1");
    let ack = page.lease_to(&mut client);
    client.options.pop();
    let renewed = page.ask(&client.request_renewing(ack.yiaddr)).unwrap();
    assert_eq!(host_name(&renewed), None);
    assert_eq!(
        lease_names(&page, ack.yiaddr),
        (String::new(), false, false)
    );
}

#[test]
fn name_made_from_the_address_is_the_leased_one() {
    let page = Page4::new(&format!(
        r#"{NAMED}, "ddns-replace-client-name": "when-not-present""#
    ));
    let ack = page.lease_to(&mut client(1));
    assert_eq!(host_name(&ack), Some("myhost-192-0-2-100.example.org"));
    assert_eq!(
        lease_names(&page, ack.yiaddr).0,
        "myhost-192-0-2-100.example.org"
    );
}

#[test]
fn name_is_decided_anew_where_the_lease_is_in_another_subnet_or_pool() {
    let points = [HookPoint::Ddns4Update, HookPoint::Lease4Select];
    let (service, page) = hooked(NAMED, &points, |_| goes_on());
    let again = [
        HookPoint::Ddns4Update,
        HookPoint::Lease4Select,
        HookPoint::Ddns4Update,
    ];
    for (number, suffix, order) in [
        (1, "example.org", &again[..2]),
        (2, "example.net", &again[..]),
        (3, "example.com", &again[..]),
    ] {
        let mut client = named(number, "pc");
        service.forget();
        let offer = page.ask(&client.discover()).unwrap();
        assert_eq!(service.order(), order, "client {number}");
        let expected = format!("pc.{suffix}");
        assert_eq!(host_name(&offer), Some(&*expected));
        let ack = page.ask(&client.request_selecting(&offer)).unwrap();
        assert_eq!(host_name(&ack), Some(&*expected));
        assert_eq!(lease_names(&page, ack.yiaddr).0, expected);
    }
    let suffixes = service.calls(HookPoint::Ddns4Update);
    let seen = suffixes.iter().map(|call| match call {
        Point::Ddns4Update(call) => {
            let parameters = call.ddns_parameters.as_ref().unwrap();
            (
                call.subnet_id,
                call.hostname.as_str(),
                &*parameters.qualifying_suffix,
            )
        }
        _ => panic!("other arguments"),
    });
    let of_discover = [
        (1, "pc.example.org", "example.org"),
        (2, "pc.example.com", "example.com"),
    ];
    assert!(seen.take(2).eq(of_discover));
}

#[test]
fn callout_sees_a_draft_of_the_reply_and_the_decision() {
    let (service, page) = hooked(NAMED, &[HookPoint::Ddns4Update], |_| goes_on());
    page.ask(&named(1, "pc-1").discover()).unwrap();
    let Point::Ddns4Update(call) = &service.calls(HookPoint::Ddns4Update)[0] else {
        panic!("other arguments");
    };
    assert_eq!(
        (&*call.hostname, call.fwd_update, call.rev_update),
        ("pc-1.example.org", true, true)
    );
    let draft = call.response.as_ref().unwrap();
    assert_eq!(draft.message_type, 2);
    let codes: Vec<u32> = draft.options.iter().map(|option| option.code).collect();
    assert_eq!(codes, [53, 12]);
}

#[test]
fn callout_changes_the_name_and_the_directions() {
    let (_service, page) = hooked(NAMED, &[HookPoint::Ddns4Update], |_| {
        renames(Some("Other.example.org"), Some(false), None)
    });
    let ack = page.lease_to(&mut named(1, "pc-1"));
    assert_eq!(host_name(&ack), Some("other.example.org"));
    let expected = ("other.example.org".to_owned(), false, true);
    assert_eq!(lease_names(&page, ack.yiaddr), expected);
    // Flags follow the directions: S and O where the server updates against the client's wish, N where it does nothing.
    for (fwd, rev, flags) in [
        (true, true, 0x07),
        (false, true, 0x04),
        (false, false, 0x0c),
    ] {
        let (_service, page) = hooked(NAMED, &[HookPoint::Ddns4Update], move |_| {
            renames(None, Some(fwd), Some(rev))
        });
        let ack = page.lease_to(&mut fqdn(1, 0, &["pc-1", "example", "org"]));
        assert_eq!(ack.option(81).unwrap()[0], flags, "{fwd} {rev}");
        let expected = ("pc-1.example.org.".to_owned(), fwd, rev);
        assert_eq!(lease_names(&page, ack.yiaddr), expected);
    }
}

#[test]
fn callout_cannot_switch_updates_on() {
    let off = NAMED.replace(r#""enable-updates": true"#, r#""enable-updates": false"#);
    let (_service, page) = hooked(&off, &[HookPoint::Ddns4Update], |_| {
        renames(None, Some(true), Some(true))
    });
    let ack = page.lease_to(&mut named(1, "pc-1"));
    let expected = ("pc-1.example.org".to_owned(), false, false);
    assert_eq!(lease_names(&page, ack.yiaddr), expected);
}

#[test]
fn callout_names_a_client_that_sent_no_name_in_its_lease_alone() {
    let (_service, page) = hooked(NAMED, &[HookPoint::Ddns4Update], |_| {
        renames(Some("given.example.org"), None, None)
    });
    let ack = page.lease_to(&mut client(1));
    assert_eq!(host_name(&ack), None);
    assert_eq!(lease_names(&page, ack.yiaddr).0, "given.example.org");
}

#[test]
fn name_that_is_none_is_not_taken() {
    let (_service, page) = hooked(NAMED, &[HookPoint::Ddns4Update], |_| {
        renames(Some("two..dots"), Some(false), None)
    });
    let ack = page.lease_to(&mut named(1, "pc-1"));
    let expected = ("pc-1.example.org".to_owned(), true, true);
    assert_eq!(lease_names(&page, ack.yiaddr), expected);
}

#[test]
fn what_a_callout_puts_into_the_draft_is_in_the_reply() {
    let members = format!(
        r#"{NAMED}, "next-server": "192.0.2.9",
           "option-data": [ {{ "name": "domain-name-servers", "data": "192.0.2.53" }} ]"#
    );
    let (_service, page) = hooked(&members, &[HookPoint::Ddns4Update], |_| {
        let remove = v1::OptionEdit {
            action: v1::option_edit::Action::Remove.into(),
            ..set(12, &[])
        };
        response(v1::Packet4Changes {
            options: vec![set(6, &[192, 0, 2, 99]), set(224, b"mine"), remove],
            siaddr: Some(vec![192, 0, 2, 77].into()),
            ..Default::default()
        })
    });
    let ack = page.lease_to(&mut named(1, "pc-1"));
    assert_eq!(ack.addresses(6), Some(vec![addr(99)]));
    assert_eq!(ack.option(224), Some(&b"mine"[..]));
    assert_eq!((ack.siaddr, host_name(&ack)), (addr(77), None));
    assert_eq!(ack.number(51), Some(1000));
    assert_eq!(lease_names(&page, ack.yiaddr).0, "pc-1.example.org");
}

#[test]
fn nak_has_nothing_of_the_draft() {
    let (service, page) = hooked(NAMED, &[HookPoint::Ddns4Update], |_| {
        response(v1::Packet4Changes {
            options: vec![set(224, b"mine")],
            ..Default::default()
        })
    });
    let mut owner = named(1, "pc-1");
    let taken = page.lease_to(&mut owner).yiaddr;
    let mut thief = named(2, "pc-2");
    let mut offer = page.ask(&thief.discover()).unwrap();
    offer.yiaddr = taken;
    let nak = page.ask(&thief.request_selecting(&offer)).unwrap();
    assert_eq!(nak.message_type, message::NAK);
    assert_eq!((nak.option(224), host_name(&nak)), (None, None));
    // Kea: not for an INIT-REBOOT that is refused at once, nor without a subnet.
    service.forget();
    let wrong = owner.request_init_reboot(Ipv4Addr::new(10, 9, 9, 9));
    assert_eq!(page.ask(&wrong).unwrap().message_type, message::NAK);
    assert!(service.order().is_empty());
}

#[test]
fn reserved_name_goes_before_the_clients() {
    let members = NAMED.replace(
        r#""pools": [ { "pool": "192.0.2.100/32" } ]"#,
        r#""pools": [ { "pool": "192.0.2.100/32" } ],
           "reservations": [ { "hw-address": "02:00:00:00:00:07", "hostname": "seven" } ]"#,
    );
    let page = Page4::new(&members);
    let ack = page.lease_to(&mut named(7, "pc-1"));
    assert_eq!(host_name(&ack), Some("seven.example.org"));
    assert_eq!(lease_names(&page, ack.yiaddr).0, "seven.example.org");
}

#[test]
fn generated_name_reaches_the_reply_past_callouts() {
    let members = format!(r#"{NAMED}, "ddns-replace-client-name": "always""#);
    let generated = "myhost-192-0-2-100.example.org";
    let fqdn_of = |reply: &Reply4Seen| reply.option(81).map(|payload| payload[3..].to_vec());
    let wire = b"\x12myhost-192-0-2-100\x07example\x03org\0";
    // Seen and left alone, named by the callout, and unnamed by it.
    for (members, wanted, expected) in [
        (&members, None, generated),
        (&members, Some("given.example.org"), "given.example.org"),
        (&NAMED.to_owned(), Some(""), generated),
    ] {
        let (_service, page) = hooked(members, &[HookPoint::Ddns4Update], move |_| {
            renames(wanted, None, None)
        });
        let ack = page.lease_to(&mut named(1, "pc-1"));
        assert_eq!(host_name(&ack), Some(expected), "{wanted:?}");
        assert_eq!(lease_names(&page, ack.yiaddr).0, expected);
        let (_service, page) = hooked(members, &[HookPoint::Ddns4Update], move |_| {
            renames(wanted, None, None)
        });
        let ack = page.lease_to(&mut fqdn(1, 0, &["pc-1", "example", "org"]));
        let is_generated = fqdn_of(&ack).unwrap() == wire;
        assert_eq!(is_generated, expected == generated, "{wanted:?}");
    }
    // What a callout writes there itself stays.
    let (_service, page) = hooked(&members, &[HookPoint::Ddns4Update], |_| {
        response(v1::Packet4Changes {
            options: vec![set(12, b"mine")],
            ..Default::default()
        })
    });
    let ack = page.lease_to(&mut named(1, "pc-1"));
    assert_eq!(host_name(&ack), Some("mine"));
    assert_eq!(lease_names(&page, ack.yiaddr).0, generated);
}

//! Names of clients and `ddns6_update`.

use super::*;

const CLIENT_FQDN: u16 = 39;
const FLAG_S: u8 = 1;
const FLAG_O: u8 = 2;
const FLAG_N: u8 = 4;

/// Two subnets of one network; names end in the subnet's suffix. Updates are sent.
const NAMED: &str = r#"
    "valid-lifetime": 1000, "dhcp-ddns": { "enable-updates": true }, "ddns-qualifying-suffix": "example.org",
    "shared-networks": [ { "name": "net", "interface": "eth0", "subnet6": [
        { "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::10/128" } ],
          "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 60, "delegated-len": 64 } ] },
        { "id": 2, "subnet": "2001:db8:2::/64", "ddns-qualifying-suffix": "example.net",
          "pools": [ { "pool": "2001:db8:2::10/128" },
                     { "pool": "2001:db8:2::11/128", "ddns-qualifying-suffix": "example.com" } ] } ] } ]"#;

/// A client with option 39: these flags and a name of one label, not qualified.
fn named(number: u8, flags: u8, label: &str) -> Client6 {
    let mut client = wants_address(number);
    let mut payload = vec![flags];
    if !label.is_empty() {
        payload.push(u8::try_from(label.len()).unwrap());
        payload.extend(label.bytes());
    }
    client.options.push((CLIENT_FQDN, payload));
    client
}

/// Flags and name of option 39.
fn told(reply: &Reply6Seen) -> Option<(u8, String)> {
    let (flags, mut name) = reply.option(CLIENT_FQDN)?.split_first()?;
    let mut text = String::new();
    while let Some((len, rest)) = name.split_first() {
        let (label, rest) = rest.split_at(usize::from(*len));
        if !label.is_empty() {
            text.push_str(std::str::from_utf8(label).unwrap());
            text.push('.');
        }
        name = rest;
    }
    Some((*flags, text))
}

/// Name and directions in the lease of an address.
fn kept(page: &Page6, address: Ipv6Addr) -> (String, bool, bool) {
    let lease = page.lease(Resource6::Address(address)).unwrap();
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

fn lease_with(page: &Page6, client: &mut Client6) -> (Reply6Seen, Ipv6Addr) {
    let reply = page.lease_to(client);
    let address = only_address(&reply);
    (reply, address)
}

#[test]
fn name_that_a_client_sends_is_in_its_leases_and_in_its_reply() {
    let page = Page6::new(NAMED);
    let mut client = named(1, FLAG_S, "PC-1");
    client.ias.push(Ia::pd(1));
    let (reply, address) = lease_with(&page, &mut client);
    assert_eq!(told(&reply), Some((FLAG_S, "pc-1.example.org.".to_owned())));
    let expected = ("pc-1.example.org.".to_owned(), true, true);
    assert_eq!(kept(&page, address), expected);
    // The client does the forward update itself.
    let mut client = named(1, 0, "pc-1");
    let reply = page.ask(&client.renew(&reply)).unwrap();
    assert_eq!(told(&reply), Some((0, "pc-1.example.org.".to_owned())));
    let expected = ("pc-1.example.org.".to_owned(), false, true);
    assert_eq!(kept(&page, address), expected);
    // At the next renewal it has no name any more.
    client.options.pop();
    let reply = page.ask(&client.renew(&reply)).unwrap();
    assert_eq!(told(&reply), None);
    assert_eq!(kept(&page, address), (String::new(), false, false));
}

#[test]
fn name_made_from_the_address_is_the_leased_one() {
    let members = format!(r#"{NAMED}, "ddns-replace-client-name": "when-not-present""#);
    let (service, page) = hooked(&members, &[HookPoint::Ddns6Update], |_| goes_on());
    let name = "myhost-2001-db8-1--10.example.org.";
    let (reply, address) = lease_with(&page, &mut wants_address(1));
    assert_eq!(told(&reply), Some((FLAG_S, name.to_owned())));
    assert_eq!(kept(&page, address).0, name);
    let Point::Ddns6Update(call) = &service.calls(HookPoint::Ddns6Update)[0] else {
        panic!("other arguments");
    };
    assert_eq!(call.hostname, "", "the address is not known yet");
    // Without somebody who listens it is the same.
    let page = Page6::new(&members);
    let (reply, address) = lease_with(&page, &mut wants_address(1));
    assert_eq!(told(&reply), Some((FLAG_S, name.to_owned())));
    assert_eq!(kept(&page, address).0, name);
}

#[test]
fn name_is_decided_anew_where_the_lease_is_in_another_subnet_or_pool() {
    let points = [HookPoint::Ddns6Update, HookPoint::Lease6Select];
    let (service, page) = hooked(NAMED, &points, |_| goes_on());
    let again = [points[0], points[1], points[0]];
    for (number, suffix, order) in [
        (1, "example.org", &again[..2]),
        (2, "example.net", &again[..]),
        (3, "example.com", &again[..]),
    ] {
        let mut client = named(number, FLAG_S, "pc");
        service.forget();
        let advertise = page.ask(&client.solicit()).unwrap();
        assert_eq!(service.order(), order, "client {number}");
        let expected = format!("pc.{suffix}.");
        assert_eq!(told(&advertise), Some((FLAG_S, expected.clone())));
        let reply = page.ask(&client.request(&advertise)).unwrap();
        assert_eq!(told(&reply), Some((FLAG_S, expected.clone())));
        assert_eq!(kept(&page, only_address(&reply)).0, expected);
    }
    let seen = service.calls(HookPoint::Ddns6Update);
    let seen = seen.iter().take(2).map(|call| match call {
        Point::Ddns6Update(call) => {
            let parameters = call.ddns_parameters.as_ref().unwrap();
            let suffix = &*parameters.qualifying_suffix;
            (call.subnet_id, &*call.hostname, suffix)
        }
        _ => panic!("other arguments"),
    });
    let of_solicit = [
        (1, "pc.example.org.", "example.org"),
        (2, "pc.example.com.", "example.com"),
    ];
    assert!(seen.eq(of_solicit));
}

#[test]
fn callout_changes_the_name_and_the_directions_of_leases_and_reply() {
    for (change, flags, kept_as) in [
        (
            (Some("other.example.com"), None, None),
            FLAG_S,
            ("other.example.com", true, true),
        ),
        (
            (None, Some(false), None),
            FLAG_O,
            ("pc.example.org.", false, true),
        ),
        (
            (None, Some(false), Some(false)),
            FLAG_N | FLAG_O,
            ("pc.example.org.", false, false),
        ),
    ] {
        let (hostname, fwd, rev) = change;
        let (_service, page) = hooked(NAMED, &[HookPoint::Ddns6Update], move |_| {
            renames(hostname, fwd, rev)
        });
        let (reply, address) = lease_with(&page, &mut named(1, FLAG_S, "pc"));
        let (name, fwd, rev) = kept(&page, address);
        assert_eq!((&*name, fwd, rev), kept_as, "{change:?}");
        let (seen, told) = told(&reply).unwrap();
        assert_eq!(seen, flags, "{change:?}");
        assert_eq!(told.trim_end_matches('.'), name.trim_end_matches('.'));
    }
}

#[test]
fn nothing_is_switched_on_where_no_updates_are_sent() {
    let members = NAMED.replace(r#""enable-updates": true"#, r#""enable-updates": false"#);
    let (_service, page) = hooked(&members, &[HookPoint::Ddns6Update], |_| {
        renames(None, Some(true), Some(true))
    });
    let (reply, address) = lease_with(&page, &mut named(1, FLAG_S, "pc"));
    assert_eq!(told(&reply).unwrap().0, FLAG_N | FLAG_O);
    assert_eq!(
        kept(&page, address),
        ("pc.example.org.".to_owned(), false, false)
    );
}

#[test]
fn name_that_is_none_is_not_taken() {
    let (_service, page) = hooked(NAMED, &[HookPoint::Ddns6Update], |_| {
        renames(Some("two..dots"), Some(false), None)
    });
    let (_, address) = lease_with(&page, &mut named(1, FLAG_S, "pc"));
    assert_eq!(
        kept(&page, address),
        ("pc.example.org.".to_owned(), true, true)
    );
}

#[test]
fn callout_sees_a_draft_of_the_reply_and_its_edits_reach_the_client() {
    let (service, page) = hooked(NAMED, &[HookPoint::Ddns6Update], |_| {
        response(v1::Packet6Changes {
            options: vec![set(250, b"mine"), set(CLIENT_FQDN.into(), b"\x04\x03own\0")],
            ..Default::default()
        })
    });
    let mut client = named(1, FLAG_S, "pc");
    let advertise = page.ask(&client.solicit()).unwrap();
    assert_eq!(advertise.message_type, message::ADVERTISE);
    assert_eq!(advertise.option(250), Some(&b"mine"[..]));
    assert_eq!(told(&advertise), Some((FLAG_N, "own.".to_owned())));
    let calls = service.calls(HookPoint::Ddns6Update);
    let Point::Ddns6Update(call) = &calls[0] else {
        panic!("other arguments");
    };
    assert_eq!(
        (&*call.hostname, call.fwd_update, call.rev_update),
        ("pc.example.org.", true, true)
    );
    let draft = call.response.as_ref().unwrap();
    assert_eq!(draft.message_type, u32::from(message::ADVERTISE));
    let codes: Vec<_> = draft.options.iter().map(|option| option.code).collect();
    assert_eq!(codes, [u32::from(CLIENT_FQDN)]);
}

#[test]
fn callout_is_asked_about_names_only_where_there_are_some() {
    let (service, page) = hooked(NAMED, &[HookPoint::Ddns6Update], |_| goes_on());
    let mut client = wants_address(1);
    let reply = page.lease_to(&mut client);
    assert!(service.order().is_empty(), "no name is heard");
    let mut client = named(1, FLAG_S, "pc");
    for (message, calls) in [
        (client.solicit(), 1),
        (client.renew(&reply), 1),
        (client.rebind(&reply), 1),
        (client.confirm(&reply), 0),
        (client.information_request(), 0),
        (client.release(&reply), 0),
    ] {
        service.forget();
        page.ask(&message).unwrap();
        assert_eq!(service.order().len(), calls, "type {}", message[0]);
    }
}

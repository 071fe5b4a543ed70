//! What configurations say about client classes.

use outrigger_config::load;
use outrigger_config::model::{Class4, Class6, Config, Server, Triplet};
use outrigger_wire::{Classes, V4, V6};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn example(name: &str) -> Config {
    let loaded = load(&Path::new("tests/examples").join(name));
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    loaded
        .config
        .unwrap_or_else(|| panic!("{name} has no error"))
}

fn v4() -> Arc<Server<V4>> {
    match example("classify.json") {
        Config::V4(server) => server,
        Config::V6(_) => unreachable!("it says Dhcp4"),
    }
}

fn v6() -> Arc<Server<V6>> {
    match example("classify-v6.json") {
        Config::V6(server) => server,
        Config::V4(_) => unreachable!("it says Dhcp6"),
    }
}

fn members(names: &[&str]) -> Classes {
    let mut classes = Classes::default();
    names.iter().for_each(|name| classes.join((*name).into()));
    classes
}

#[test]
fn classes_keep_their_order_and_what_members_get() {
    let server = v4();
    let names: Vec<_> = server.classes.iter().map(|class| &*class.name).collect();
    assert_eq!(
        names,
        [
            "ALL",
            "pxe",
            "uefi",
            "phones",
            "tenant",
            "SPAWN_tenant_port-7",
            "guest",
            "late"
        ]
    );
    let content = |name| &server.classes.get(name).unwrap().content;
    let all = content("ALL").options.get(15).unwrap();
    assert_eq!(&*all.payload, b"example.org");
    assert_eq!(
        content("pxe").own,
        Class4 {
            next_server: Some([192, 0, 2, 1].into()),
            server_hostname: Some("boot".into()),
            boot_file_name: Some("/pxelinux.0".into()),
            offer_lifetime: None,
        }
    );
    assert_eq!(content("uefi").own.next_server, None);
    let phones = content("phones");
    assert_eq!(phones.own.offer_lifetime, Some(Duration::from_secs(30)));
    let lifetime = Triplet {
        min: 60,
        default: 600,
        max: 600,
    };
    assert_eq!(phones.valid_lifetime, Some(lifetime));
    assert_eq!(content("pxe").valid_lifetime, None);
    // By the class's own definition of the option.
    assert_eq!(&*phones.options.get(43).unwrap().payload, [1, 2, 3, 4]);
    let late = server
        .classes
        .iter()
        .filter(|class| class.only_in_additional_list);
    assert_eq!(late.map(|class| &*class.name).collect::<Vec<_>>(), ["late"]);
}

#[test]
fn preferred_lifetimes_and_user_contexts_of_dhcpv6_classes() {
    let server = v6();
    let content = |name| &server.classes.get(name).unwrap().content;
    let preferred = Triplet {
        min: 300,
        default: 300,
        max: 400,
    };
    let preferred_lifetime = Some(preferred);
    assert_eq!(content("ipxe").own, Class6 { preferred_lifetime });
    assert_eq!(
        &*content("ipxe").options.get(59).unwrap().payload,
        b"http://boot.example.org/a.ipxe"
    );
    assert_eq!(content("lab").user_context["owner"], "lab");
}

#[test]
fn a_subnet_admits_by_its_guard_and_its_shared_networks() {
    let server = v4();
    let (guarded, open) = (&server.subnets[0], &server.subnets[1]);
    let cases: [(&[&str], bool); 5] = [
        (&[], false),
        (&["pxe"], false),
        (&["uefi"], false),
        (&["pxe", "uefi"], true),
        (&["phones", "pxe"], true),
    ];
    for (names, expected) in cases {
        let classes = members(names);
        assert_eq!(server.admits(guarded, &classes), expected, "{names:?}");
        assert!(server.admits(open, &classes));
    }
    let [pool, any] = &guarded.pools[..] else {
        panic!("{:?}", guarded.pools)
    };
    assert!(pool.guard.admits(&members(&["guest"])) && !pool.guard.admits(&members(&["pxe"])));
    assert!(any.guard.admits(&members(&[])));
}

#[test]
fn prefix_pools_have_guards_of_their_own() {
    let server = v6();
    let [addresses, prefixes] = &server.subnets[0].pools[..] else {
        panic!("{:?}", server.subnets)
    };
    let lab = members(&["lab"]);
    assert!(addresses.guard.admits(&lab) && !prefixes.guard.admits(&lab));
    assert_eq!(&*prefixes.additional_classes, ["lab".into()]);
}

#[test]
fn additional_classes_come_from_pool_subnet_and_network() {
    let server = v4();
    let subnet = &server.subnets[0];
    let names = |pool| {
        let names = server.additional_classes(subnet, pool);
        names.map(|name| &**name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(Some(&subnet.pools[0])),
        ["late", "late", "uefi", "pxe"]
    );
    assert_eq!(names(None), ["late", "uefi", "pxe"]);
}

#[test]
fn reserved_classes_need_no_definition() {
    let server = v4();
    let host = server.subnets[0].reservations.iter().next().unwrap();
    assert_eq!(host.client_classes, ["gold".into()]);
}

//! What configurations mean.

use outrigger_config::model::{
    AtStart, Config, Endpoint, HostIdentifierType, InterfaceSpec, LogSeverity, OnFailure, Pool6,
    Server, SubnetId, Triplet,
};
use outrigger_config::{Loaded, load, load_text};
use outrigger_wire::{V4, V6};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn shown(loaded: &Loaded) -> String {
    let lines: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn v4(body: &str) -> Arc<Server<V4>> {
    let loaded = load_text("test", &format!("{{ \"Dhcp4\": {{ {body} }} }}"));
    match loaded.config {
        Some(Config::V4(server)) => server,
        _ => panic!("{}", shown(&loaded)),
    }
}

fn v6(body: &str) -> Arc<Server<V6>> {
    let loaded = load_text("test", &format!("{{ \"Dhcp6\": {{ {body} }} }}"));
    match loaded.config {
        Some(Config::V6(server)) => server,
        _ => panic!("{}", shown(&loaded)),
    }
}

fn example6(name: &str) -> Arc<Server<V6>> {
    let loaded = load(&Path::new("tests/examples").join(name));
    match loaded.config {
        Some(Config::V6(server)) => server,
        _ => panic!("{}", shown(&loaded)),
    }
}

#[test]
fn the_demo_has_two_subnets_a_vendor_option_and_a_hook_service() {
    let server = example6("two-subnets-and-a-hook-service.json");
    let ids: Vec<_> = server.subnets.iter().map(|subnet| subnet.id).collect();
    assert_eq!(ids, [SubnetId(1), SubnetId(2)]);
    assert_eq!(server.subnets[0].interface.as_deref(), Some("srv0"));
    assert_eq!(
        server.subnets[0].own.preferred_lifetime,
        Triplet {
            min: 300,
            default: 300,
            max: 300
        }
    );
    assert_eq!(server.subnets[0].timers.renew_timer, Some(100));

    let [vendor] = &server.options.vendor[..] else {
        panic!("{:?}", server.options)
    };
    assert_eq!((vendor.enterprise, vendor.option.code), (4491, 33));
    assert_eq!(&*vendor.option.payload, b"/tmp/bootfile-from-config");

    let [service] = &server.hook_services[..] else {
        panic!("{:?}", server.hook_services)
    };
    assert_eq!(
        service.endpoints,
        [Endpoint::Unix("/run/outrigger/user-chk.sock".into())]
    );
    assert_eq!(service.deadline, Duration::from_millis(50));
    assert_eq!(
        (service.at_start, &service.on_failure),
        (AtStart::Wait, &None)
    );
    assert_eq!(
        service.parameters,
        serde_json::json!({ "restricted-subnet-id": 2 })
    );
    let [point] = &service.hook_points[..] else {
        panic!("{:?}", service.hook_points)
    };
    assert_eq!(
        (point.name.as_str(), point.deadline),
        ("subnet6_select", Some(Duration::from_millis(20)))
    );
    assert_eq!(
        point.on_failure.as_ref().map(|policy| policy.0),
        Some(OnFailure::Drop)
    );
    assert_eq!(server.hook_budget, Duration::from_millis(400));
}

#[test]
fn the_nearest_level_decides_and_lifetimes_come_with_their_bounds() {
    let server = v4(r#"
        "min-valid-lifetime": 1000, "valid-lifetime": 2000, "max-valid-lifetime": 3000,
        "renew-timer": 500, "next-server": "192.0.2.9", "boot-file-name": "global", "match-client-id": false,
        "shared-networks": [ {
            "name": "campus", "interface": "eth1", "renew-timer": 600, "boot-file-name": "network",
            "relay": { "ip-addresses": [ "192.0.2.254" ] },
            "subnet4": [
                { "id": 7, "subnet": "198.51.100.0/24", "valid-lifetime": 100, "boot-file-name": "subnet" },
                { "id": 5, "subnet": "203.0.113.0/24", "relay": { "ip-addresses": [ "203.0.113.1" ] } } ] } ],
        "subnet4": [ { "id": 6, "subnet": "192.0.2.0/25" } ]"#);
    let ids: Vec<_> = server.subnets.iter().map(|subnet| subnet.id.0).collect();
    assert_eq!(ids, [5, 6, 7]);
    let [five, six, seven] = &server.subnets[..] else {
        panic!()
    };
    assert_eq!(
        five.timers.valid_lifetime,
        Triplet {
            min: 1000,
            default: 2000,
            max: 3000
        }
    );
    assert_eq!(
        seven.timers.valid_lifetime,
        Triplet {
            min: 100,
            default: 100,
            max: 100
        }
    );
    let timers: Vec<_> = server
        .subnets
        .iter()
        .map(|subnet| subnet.timers.renew_timer)
        .collect();
    assert_eq!(timers, [Some(600), Some(500), Some(600)]);
    let files: Vec<_> = server
        .subnets
        .iter()
        .map(|subnet| &*subnet.own.boot_file_name)
        .collect();
    assert_eq!(files, ["network", "global", "subnet"]);
    assert!(
        server
            .subnets
            .iter()
            .all(|subnet| subnet.own.next_server.to_string() == "192.0.2.9")
    );
    assert!(
        server
            .subnets
            .iter()
            .all(|subnet| !subnet.own.match_client_id)
    );
    assert_eq!(six.own.netmask.to_string(), "255.255.255.128");
    assert_eq!(
        (five.interface.as_deref(), six.interface.as_deref()),
        (Some("eth1"), None)
    );
    assert_eq!(five.relay_addresses[0].to_string(), "203.0.113.1");
    assert_eq!(seven.relay_addresses[0].to_string(), "192.0.2.254");
    assert_eq!((five.shared_network, six.shared_network), (Some(0), None));
    assert_eq!(server.shared_networks[0].subnets, [0, 2]);
}

#[test]
fn what_is_not_written_has_keas_defaults() {
    let server = v4(r#""subnet4": [ { "id": 1, "subnet": "0.0.0.0/0" } ]"#);
    let subnet = &server.subnets[0];
    assert_eq!(
        subnet.timers.valid_lifetime,
        Triplet {
            min: 7200,
            default: 7200,
            max: 7200
        }
    );
    assert!(!subnet.timers.calculate_tee_times);
    assert_eq!(
        (subnet.timers.t1_percent, subnet.timers.t2_percent),
        (0.5, 0.875)
    );
    assert!(
        subnet.reservations_in_subnet
            && !subnet.reservations_global
            && !subnet.reservations_out_of_pool
    );
    assert!(server.own.echo_client_id && subnet.own.match_client_id && !subnet.own.authoritative);
    assert_eq!(server.host_reservation_identifiers.len(), 4);
    assert_eq!(server.decline_probation_period, Duration::from_secs(86_400));
    assert_eq!(
        (server.parked_packet_limit, server.hook_budget),
        (256, Duration::from_millis(800))
    );
    assert!(server.lease_database.persist);
    assert_eq!(
        server.lease_database.lease_file,
        Path::new("/var/lib/kea/kea-leases4.csv")
    );
    assert_eq!(
        server.expired_leases.hold_reclaimed_time,
        Duration::from_secs(3600)
    );

    let server =
        v6(r#""valid-lifetime": 4000, "subnet6": [ { "id": 1, "subnet": "2001:db8::/64" } ]"#);
    let subnet = &server.subnets[0];
    assert_eq!(
        subnet.own.preferred_lifetime,
        Triplet {
            min: 2500,
            default: 2500,
            max: 2500
        }
    );
    assert!(subnet.timers.calculate_tee_times && !subnet.own.rapid_commit);
    assert_eq!(
        (subnet.timers.t1_percent, subnet.timers.t2_percent),
        (0.5, 0.8)
    );
    assert_eq!(server.own.relay_supplied_options, [65]);
}

#[test]
fn subnets_without_id_are_numbered_past_those_that_are_taken() {
    let server = v4(r#"
        "subnet4": [ { "subnet": "192.0.2.0/24" }, { "id": 3, "subnet": "198.51.100.0/24" }, { "subnet": "203.0.113.0/24" } ],
        "shared-networks": [ { "name": "n", "subnet4": [ { "subnet": "10.0.0.0/8" } ] } ]"#);
    let numbered: Vec<_> = server
        .subnets
        .iter()
        .map(|subnet| (subnet.id.0, subnet.prefix.to_string()))
        .collect();
    let expected = [
        (1, "10.0.0.0/8"),
        (2, "192.0.2.0/24"),
        (3, "198.51.100.0/24"),
        (4, "203.0.113.0/24"),
    ];
    assert_eq!(
        numbered,
        expected.map(|(id, prefix)| (id, prefix.to_owned()))
    );
}

#[test]
fn every_form_of_pool_is_a_range() {
    let server = v6(r#""subnet6": [ { "id": 1, "subnet": "2001:db8::/32",
        "pools": [ { "pool": "2001:db8:1::/120", "pool-id": 4 }, { "pool": " 2001:db8::1-2001:db8::1 " } ],
        "pd-pools": [ { "prefix": "3000::", "prefix-len": 40, "delegated-len": 56,
            "excluded-prefix": "3000:0:0:0:8000::", "excluded-prefix-len": 72 } ] } ]"#);
    let pools = &server.subnets[0].pools;
    let ranges: Vec<_> = pools
        .iter()
        .map(|pool| format!("{} - {}", pool.first, pool.last))
        .collect();
    assert_eq!(
        ranges,
        [
            "2001:db8:1:: - 2001:db8:1::ff",
            "2001:db8::1 - 2001:db8::1",
            "3000:: - 3000:0:ff:ffff:ffff:ffff:ffff:ffff"
        ]
    );
    assert_eq!(pools[0].id, 4);
    let Pool6::Prefixes {
        delegated_len,
        excluded,
    } = &pools[2].own
    else {
        panic!()
    };
    assert_eq!(
        (*delegated_len, excluded.unwrap().to_string()),
        (56, "3000::8000:0:0:0/72".to_owned())
    );
}

#[test]
fn reservations_are_found_by_identifier_and_by_address() {
    let server = v4(
        r#""reservations-global": true, "host-reservation-identifiers": [ "flex-id", "client-id" ],
        "reservations": [ { "client-id": "'port 7'", "hostname": "seven", "client-classes": [ "a" ] } ],
        "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24", "reservations": [
            { "hw-address": "52:54:0:a:0b:01", "ip-address": "192.0.2.7", "next-server": "192.0.2.1",
              "option-data": [ { "name": "domain-name", "data": "example.org" } ] },
            { "circuit-id": "0x0a0b" },
            { "duid": "0102030405", "user-context": { "x": 1 } } ] } ]"#,
    );
    assert_eq!(
        server.host_reservation_identifiers,
        [HostIdentifierType::FlexId, HostIdentifierType::ClientId]
    );
    let global = server
        .reservations
        .by_identifier(HostIdentifierType::ClientId, b"port 7")
        .unwrap();
    assert_eq!(
        (global.hostname.as_deref(), &*global.client_classes[0]),
        (Some("seven"), "a")
    );
    let table = &server.subnets[0].reservations;
    let host = table
        .by_identifier(HostIdentifierType::HwAddress, &[0x52, 0x54, 0, 10, 11, 1])
        .unwrap();
    assert_eq!(host.own.next_server.unwrap().to_string(), "192.0.2.1");
    assert_eq!(&*host.options.get(15).unwrap().payload, b"example.org");
    assert_eq!(
        table.by_resource(&host.resources[0]).unwrap().identifier,
        host.identifier
    );
    assert!(
        table
            .by_identifier(HostIdentifierType::CircuitId, &[10, 11])
            .is_some()
    );
    assert!(server.subnets[0].reservations_global);
}

#[test]
fn reservation_mode_becomes_three_flags() {
    let flags = |mode: &str| {
        let server = v4(&format!(
            r#""reservation-mode": "{mode}", "subnet4": [ {{ "id": 1, "subnet": "192.0.2.0/24" }} ]"#
        ));
        let subnet = &server.subnets[0];
        (
            subnet.reservations_in_subnet,
            subnet.reservations_global,
            subnet.reservations_out_of_pool,
        )
    };
    assert_eq!(flags("all"), (true, false, false));
    assert_eq!(flags("out-of-pool"), (true, false, true));
    assert_eq!(flags("global"), (false, true, false));
    assert_eq!(flags("disabled"), (false, false, false));
}

#[test]
fn addresses_may_be_reserved_twice_where_they_need_not_be_unique() {
    let server = v6(r#""ip-reservations-unique": false,
        "subnet6": [ { "id": 1, "subnet": "2001:db8::/64", "reservations": [
            { "duid": "01:02:03", "ip-addresses": [ "2001:db8::1" ] },
            { "hw-address": "01:02:03", "ip-addresses": [ "2001:db8::1" ] } ] } ]"#);
    assert_eq!(server.subnets[0].reservations.iter().count(), 2);
}

#[test]
fn a_file_may_include_others_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let subnets = write("subnets", r#"[ { "id": 4, "subnet": "192.0.2.0/24" } ]"#);
    let members = write(
        "members",
        "\"valid-lifetime\": 50, // and a comment\n\"renew-timer\": 20",
    );
    let server = v4(&format!(
        "<?include \"{members}\"?>, \"subnet4\": <? include \"{subnets}\" ?>"
    ));
    assert_eq!(server.subnets[0].timers.valid_lifetime.default, 50);

    let wrong = write("wrong", "\n  \"valid-liftime\": 50");
    let loaded = load_text(
        "test",
        &format!("{{ \"Dhcp4\": {{ <?include \"{wrong}\"?> }} }}"),
    );
    assert_eq!(
        shown(&loaded),
        format!(
            "{wrong}:2.3: got unexpected keyword \"valid-liftime\" in Dhcp4 map, did you mean \"valid-lifetime\"?"
        )
    );

    let itself = folder.path().join("itself").display().to_string();
    write("itself", &format!("<?include \"{itself}\"?>"));
    let loaded = load_text("test", &format!("<?include \"{itself}\"?>"));
    assert!(
        shown(&loaded).contains("too many nested includes: at most 10"),
        "{}",
        shown(&loaded)
    );
}

#[test]
fn comments_do_not_count_and_comment_members_join_the_user_context() {
    let plain = v4(
        r#""valid-lifetime": 50, "subnet4": [ { "id": 1, "subnet": "192.0.2.0/24",
        "user-context": { "name": "a", "comment": "b" } } ]"#,
    );
    let other = v4(r##"/* one */ "subnet4": [ # two
        { "subnet": "192.0.2.0/24", "comment": "b", "id": 1, "user-context": { "name": "a" } } // three
        ], "valid-lifetime": 50"##);
    assert_eq!(
        plain.subnets[0].user_context,
        serde_json::json!({ "name": "a", "comment": "b" })
    );
    assert_eq!(plain.json, other.json);
    assert_eq!(plain.revision, other.revision);
    let changed = v4(r#""valid-lifetime": 51"#);
    assert_ne!(changed.revision, other.revision);
}

#[test]
fn the_revision_of_a_file_is_the_same_everywhere() {
    assert_eq!(v4(r#""valid-lifetime": 50"#).revision, 0x8fa6a821a95d352b);
}

#[test]
fn processes_are_configured_as_in_kea() {
    let server = v6(r#"
        "interfaces-config": { "interfaces": [ "*", "eth0", "eth1/2001:db8::1" ], "re-detect": true },
        "control-socket": { "socket-type": "unix", "socket-name": "/run/kea/kea6.sock" },
        "lease-database": { "type": "memfile", "persist": false, "lfc-interval": 3600, "name": "leases6.csv" },
        "server-id": { "type": "EN", "enterprise-id": 2495, "identifier": "0A:0B", "persist": false },
        "relay-supplied-options": [ "110", "bootfile-url" ],
        "expired-leases-processing": { "max-reclaim-time": 100, "flush-reclaimed-timer-wait-time": 0 },
        "loggers": [ { "name": "kea-dhcp6", "severity": "DEBUG", "debuglevel": 55,
            "output_options": [ { "output": "/var/log/kea.log", "maxsize": 1048576, "maxver": 8, "flush": true } ] } ]"#);
    let interfaces = &server.interfaces.interfaces;
    assert_eq!(interfaces[0], InterfaceSpec::All);
    let named = InterfaceSpec::Named {
        name: "eth1".to_owned(),
        address: Some("2001:db8::1".parse().unwrap()),
    };
    assert_eq!(interfaces[2], named);
    assert_eq!(server.control_sockets, [Path::new("/run/kea/kea6.sock")]);
    assert_eq!(server.lease_database.lease_file, Path::new("leases6.csv"));
    assert!(!server.lease_database.persist);
    let id = server.own.server_id.as_ref().unwrap();
    assert_eq!(
        (
            id.duid_type,
            id.enterprise_id,
            &id.identifier[..],
            id.persist
        ),
        (2, 2495, &[10, 11][..], false)
    );
    assert_eq!(server.own.relay_supplied_options, [110, 59]);
    assert_eq!(
        server.expired_leases.max_reclaim_time,
        Duration::from_millis(100)
    );
    assert!(
        server
            .expired_leases
            .flush_reclaimed_timer_wait_time
            .is_zero()
    );
    let logger = &server.loggers[0];
    assert_eq!(
        (logger.severity, logger.debug_level),
        (LogSeverity::Debug, 55)
    );
    assert_eq!(logger.outputs, ["/var/log/kea.log"]);
}

#[test]
fn interface_ids_are_text_or_hex() {
    let server = v6(r#""subnet6": [
        { "id": 1, "subnet": "2001:db8:1::/64", "interface-id": "vlan 7" },
        { "id": 2, "subnet": "2001:db8:2::/64", "interface-id": "0x0a0b", "rapid-commit": true } ]"#);
    assert_eq!(&*server.subnets[0].own.interface_id, b"vlan 7");
    assert_eq!(&*server.subnets[1].own.interface_id, [10, 11]);
    assert!(server.subnets[1].own.rapid_commit);
}

#[test]
fn services_over_a_network_have_more_time() {
    let server = v4(r#""hook-budget": 250, "hook-services": [
        { "name": "near", "endpoints": [ "unix:/a" ], "on-failure": "drop", "at-start": "refuse", "mode": "enforce", "park-deadline": 30000 },
        { "name": "far", "endpoints": [ "unix:/b", "http://[::1]:7000" ], "may-change": [ "subnet" ] } ]"#);
    let [near, far] = &server.hook_services[..] else {
        panic!()
    };
    assert_eq!(server.hook_budget, Duration::from_millis(250));
    assert_eq!(near.deadline, Duration::from_millis(50));
    assert_eq!(near.on_failure.as_ref().unwrap().0, OnFailure::Drop);
    assert_eq!((near.at_start, &near.may_change), (AtStart::Refuse, &None));
    assert_eq!(far.deadline, Duration::from_millis(100));
    assert_eq!(near.park_deadline, Duration::from_secs(30));
    assert_eq!(far.park_deadline, Duration::from_secs(5));
    assert_eq!(
        far.endpoints[1],
        Endpoint::Http {
            host: "::1".to_owned(),
            port: 7000
        }
    );
    assert_eq!(far.may_change.as_ref().unwrap()[0].0, "subnet");
}

#[test]
fn every_example_loads() {
    let deploy = Path::new("../../../deploy");
    let folders = [
        Path::new("tests/examples"),
        &deploy.join("examples"),
        &deploy.join("demo"),
    ];
    for folder in folders {
        let mut loaded_any = false;
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // The demo's folder also has what hook-runner reads.
            if name.ends_with(".json") && name != "services.json" {
                let loaded = load(&path);
                assert!(loaded.config.is_some(), "{}", shown(&loaded));
                loaded_any = true;
            }
        }
        assert!(loaded_any, "{} has no example", folder.display());
    }
}

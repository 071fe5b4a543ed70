//! How clients are named: what each scope says about it, and what holds.

use outrigger_config::diagnostic::Severity;
use outrigger_config::load_text;
use outrigger_config::model::{
    Config, ConflictResolutionMode, DdnsParameters, HostnameCharSet, ReplaceClientName, Server,
};
use outrigger_wire::{V4, V6};
use std::sync::Arc;

/// The server of a file, and the warnings.
fn v4(body: &str) -> (Arc<Server<V4>>, Vec<String>) {
    let loaded = load_text("test", &format!("{{ \"Dhcp4\": {{ {body} }} }}"));
    let shown: Vec<_> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    match loaded.config {
        Some(Config::V4(server)) => (server, shown),
        _ => panic!("{shown:?}"),
    }
}

fn v6(body: &str) -> Arc<Server<V6>> {
    let loaded = load_text("test", &format!("{{ \"Dhcp6\": {{ {body} }} }}"));
    match loaded.config {
        Some(Config::V6(server)) => server,
        _ => panic!("{:?}", loaded.diagnostics),
    }
}

const SUBNET: &str = r#""id": 1, "subnet": "192.0.2.0/24""#;

fn defaults() -> DdnsParameters {
    DdnsParameters {
        send_updates: true,
        override_no_update: false,
        override_client_update: false,
        replace_client_name: ReplaceClientName::Never,
        generated_prefix: "myhost".into(),
        qualifying_suffix: "".into(),
        hostname_char_set: HostnameCharSet::new("[^A-Za-z0-9.-]").ok(),
        hostname_char_replacement: "".into(),
        update_on_renew: false,
        conflict_resolution_mode: ConflictResolutionMode::CheckWithDhcid,
        ttl: None,
        ttl_percent: None,
        ttl_min: None,
        ttl_max: None,
    }
}

#[test]
fn without_a_word_keas_defaults_hold_and_nothing_is_updated() {
    let (server, warnings) = v4(&format!(r#""subnet4": [ {{ {SUBNET} }} ]"#));
    assert!(!server.ddns_enabled);
    assert_eq!(*server.subnets[0].ddns, defaults());
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!server.early_global_reservations_lookup);
}

#[test]
fn the_nearest_scope_decides_each_parameter() {
    let (server, warnings) = v4(r#"
        "early-global-reservations-lookup": true,
        "ddns-qualifying-suffix": "global.example.org",
        "ddns-generated-prefix": "global",
        "ddns-override-no-update": true,
        "ddns-ttl": 60,
        "hostname-char-set": "",
        "shared-networks": [ {
            "name": "n",
            "ddns-qualifying-suffix": "network.example.org",
            "ddns-override-client-update": true,
            "subnet4": [ {
                "id": 1, "subnet": "192.0.2.0/24",
                "ddns-qualifying-suffix": "subnet.example.org",
                "ddns-replace-client-name": "when-present",
                "ddns-ttl": 0,
                "pools": [
                    { "pool": "192.0.2.10 - 192.0.2.20", "ddns-send-updates": false, "hostname-char-set": "_" },
                    { "pool": "192.0.2.30 - 192.0.2.40" }
                ]
            } ]
        } ],
        "subnet4": [ { "id": 2, "subnet": "198.51.100.0/24" } ]"#);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(server.early_global_reservations_lookup);
    let inside = DdnsParameters {
        override_no_update: true,
        override_client_update: true,
        replace_client_name: ReplaceClientName::WhenPresent,
        generated_prefix: "global".into(),
        qualifying_suffix: "subnet.example.org".into(),
        hostname_char_set: None,
        ..defaults()
    };
    let [inner, alone] = &server.subnets[..] else {
        panic!("{:?}", server.subnets)
    };
    assert_eq!(*inner.ddns, inside);
    let pool = DdnsParameters {
        send_updates: false,
        hostname_char_set: HostnameCharSet::new("_").ok(),
        ..inside
    };
    assert_eq!(inner.pools[0].ddns.as_deref(), Some(&pool));
    assert_eq!(inner.pools[1].ddns, None);
    let outside = DdnsParameters {
        override_no_update: true,
        generated_prefix: "global".into(),
        qualifying_suffix: "global.example.org".into(),
        hostname_char_set: None,
        ttl: Some(60),
        ..defaults()
    };
    assert_eq!(*alone.ddns, outside);
}

#[test]
fn pools_of_dhcpv6_have_parameters_of_their_own() {
    let server = v6(r#""allow-address-registration": false, "subnet6": [ {
        "id": 1, "subnet": "2001:db8::/64",
        "pools": [ { "pool": "2001:db8::/80", "ddns-generated-prefix": "a" } ],
        "pd-pools": [ { "prefix": "2001:db8:1::", "prefix-len": 48, "delegated-len": 64,
                        "ddns-generated-prefix": "p" } ]
    } ]"#);
    let prefixes = server.subnets[0].pools.iter().map(|pool| {
        let ddns = pool.ddns.as_ref();
        ddns.map(|ddns| &*ddns.generated_prefix)
    });
    assert_eq!(prefixes.collect::<Vec<_>>(), [Some("a"), Some("p")]);
    assert!(!server.own.allow_address_registration);
    assert!(v6(r#""renew-timer": 1"#).own.allow_address_registration);
}

#[test]
fn enabled_updates_are_one_warning() {
    let (server, warnings) = v4(&format!(
        "\"dhcp-ddns\": {{ \"enable-updates\": true }},\n \"ddns-send-updates\": true, \"subnet4\": [ {{ {SUBNET} }} ]"
    ));
    assert!(server.ddns_enabled);
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(warning.contains("test:1.47"), "{warning}");
    assert!(
        warning.contains("DNS updates are not sent yet"),
        "{warning}"
    );
    let (server, warnings) = v4(r#""dhcp-ddns": { "enable-updates": false }"#);
    assert!(!server.ddns_enabled && warnings.is_empty());
}

#[test]
fn parameters_in_dhcp_ddns_hold_where_the_global_scope_is_silent() {
    let (server, warnings) = v4(&format!(
        r#""dhcp-ddns": {{ "enable-updates": false, "override-no-update": true, "override-client-update": true,
              "replace-client-name": "always", "generated-prefix": "old", "qualifying-suffix": "old.example.org",
              "hostname-char-set": "x", "hostname-char-replacement": "y" }},
           "ddns-qualifying-suffix": "new.example.org",
           "subnet4": [ {{ {SUBNET} }} ]"#
    ));
    assert_eq!(warnings.len(), 7, "{warnings:?}");
    let expected = DdnsParameters {
        override_no_update: true,
        override_client_update: true,
        replace_client_name: ReplaceClientName::Always,
        generated_prefix: "old".into(),
        qualifying_suffix: "new.example.org".into(),
        hostname_char_set: HostnameCharSet::new("x").ok(),
        hostname_char_replacement: "y".into(),
        ..defaults()
    };
    assert_eq!(*server.subnets[0].ddns, expected);
}

#[test]
fn the_flag_for_conflict_resolution_is_a_mode() {
    let mode = |body: &str| {
        let (server, _) = v4(&format!(r#"{body}, "subnet4": [ {{ {SUBNET} }} ]"#));
        server.subnets[0].ddns.conflict_resolution_mode
    };
    let old = r#""ddns-use-conflict-resolution""#;
    assert_eq!(
        mode(&format!("{old}: true")),
        ConflictResolutionMode::CheckWithDhcid
    );
    assert_eq!(
        mode(&format!("{old}: false")),
        ConflictResolutionMode::NoCheckWithDhcid
    );
    let both = format!(r#"{old}: true, "ddns-conflict-resolution-mode": "no-check-without-dhcid""#);
    assert_eq!(mode(&both), ConflictResolutionMode::NoCheckWithoutDhcid);
}

#[test]
fn every_mode_of_replacing_names_has_its_word() {
    for (word, mode) in [
        ("never", ReplaceClientName::Never),
        ("always", ReplaceClientName::Always),
        ("when-present", ReplaceClientName::WhenPresent),
        ("when-not-present", ReplaceClientName::WhenNotPresent),
    ] {
        let body =
            format!(r#""ddns-replace-client-name": "{word}", "subnet4": [ {{ {SUBNET} }} ]"#);
        let (server, _) = v4(&body);
        let read = server.subnets[0].ddns.replace_client_name;
        assert_eq!((read, read.as_str()), (mode, word));
    }
}

#[test]
fn a_character_set_that_is_too_large_is_an_error() {
    let text = r#"{ "Dhcp4": { "hostname-char-set": "((((a{1000}){1000}){1000}){1000}){1000}" } }"#;
    let loaded = load_text("test", text);
    assert!(loaded.config.is_none());
    let [problem] = &loaded.diagnostics[..] else {
        panic!("{:?}", loaded.diagnostics)
    };
    assert_eq!(problem.severity, Severity::Error);
    assert!(problem.to_string().contains("test:1.35"), "{problem}");
}

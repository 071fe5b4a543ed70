//! What a hook service may ask of the server.

use outrigger_config::load_text;
use outrigger_config::model::{Config, Grant};

#[test]
fn grants_are_read_once_each_and_none_is_the_default() {
    let text = r#"{ "Dhcp6": { "hook-services": [
        { "name": "a", "endpoints": [ "unix:/a" ], "server-api": [ "leases:write", "hosts:read", "leases:write" ] },
        { "name": "b", "endpoints": [ "unix:/b" ] } ] } }"#;
    let Config::V6(server) = load_text("test", text).config.unwrap() else {
        panic!("of the other family");
    };
    let granted: Vec<_> = server
        .hook_services
        .iter()
        .map(|s| &s.server_api[..])
        .collect();
    assert_eq!(granted, [&[Grant::HostsRead, Grant::LeasesWrite][..], &[]]);
}

#[test]
fn every_grant_has_its_own_name() {
    assert!(Grant::ALL.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
    for (name, grant) in Grant::ALL {
        assert_eq!(grant.name(), *name);
    }
}

//! A server that takes the place of Kea must know whose addresses are in use.

use std::net::IpAddr;

use outrigger_lab::{Family, Launch, PATIENCE, Server, Subject, Twin};
use serde_json::json;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
/// The client in Kea's lease file.
const HOLDER: u8 = 9;
/// Columns of Kea's lease files, and one lease each: the first address of the pool.
const LEASES4: &str = "\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
198.51.128.0,02:00:00:00:77:09,,3600,4102444800,2,0,0,,0,,0
";
const LEASES6: &str = "\
address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,\
hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
2001:db8:2::1:0,00:03:00:01:02:00:00:00:77:09,3600,4102444800,2,1800,0,1,128,0,0,,,0,,,,0
";

/// A lab with Kea's lease file, and a server that has refused to start there.
#[track_caller]
fn refused(family: Family) -> (Twin, Server, IpAddr) {
    let twin = Twin::new(family);
    let (name, leases, held) = match family {
        Family::V4 => ("leases-Dhcp4.csv", LEASES4, "198.51.128.0"),
        Family::V6 => ("leases-Dhcp6.csv", LEASES6, "2001:db8:2::1:0"),
    };
    std::fs::write(twin.lab().dir().join(name), leases).unwrap();
    let server = Subject::launch(twin.lab().server(), &twin.config(json!({})));
    let status = server.process.wait(PATIENCE).unwrap();
    let text = server.process.text();
    assert_eq!(status.code(), Some(78), "{text}");
    for expected in [name, "--import-leases", "--ignore-kea-leases"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    (twin, server, held.parse().unwrap())
}

#[test]
fn imported_leases_stay_with_their_clients() {
    for family in FAMILIES {
        let (twin, server, held) = refused(family);
        let host = twin.lab().server();
        let usual = Launch::new("dhcp-server");
        let imported = usual
            .clone()
            .arg("--import-leases")
            .run(host, &server.config);
        assert!(imported.status.success(), "{}", imported.text);
        let _server = usual.restart(host, &server);
        let other = twin.lease(&mut twin.client(1), PATIENCE).unwrap();
        assert!(
            other.address.is_some_and(|address| address != held),
            "{other:?}"
        );
        let own = twin.lease(&mut twin.client(HOLDER), PATIENCE).unwrap();
        assert_eq!(own.address, Some(held));
    }
}

#[test]
fn a_second_import_is_refused() {
    for family in FAMILIES {
        let (twin, server, _) = refused(family);
        let import = Launch::new("dhcp-server").arg("--import-leases");
        let host = twin.lab().server();
        assert!(import.run(host, &server.config).status.success());
        let again = import.run(host, &server.config);
        assert_eq!(again.status.code(), Some(78), "{}", again.text);
        assert!(again.text.contains("exists already"), "{}", again.text);
    }
}

#[test]
fn a_server_that_is_told_to_ignore_the_leases_of_kea_starts_without_them() {
    for family in FAMILIES {
        let (twin, server, _) = refused(family);
        let ignoring = Launch::new("dhcp-server").arg("--ignore-kea-leases");
        let server = ignoring.restart(twin.lab().server(), &server);
        assert_eq!(server.counters().leases(), 0);
        assert!(twin.lease(&mut twin.client(1), PATIENCE).is_some());
    }
}

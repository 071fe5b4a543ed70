//! DHCPv6.

use nix::sys::signal::Signal;
use outrigger_lab::{Lab, PATIENCE, Subject};
use outrigger_testkit::client6::message;
use outrigger_testkit::{Client6, Ia, UdpLink6};
use serde_json::json;

use crate::client::ControlSocket;

const CONFIG: &str = r#"{ "Dhcp6": {
    "interfaces-config": { "interfaces": [ "eth0" ] },
    "preferred-lifetime": 900, "valid-lifetime": 1200,
    "subnet6": [ {
        "id": 1, "subnet": "2001:db8:1::/64", "interface": "eth0",
        "pools": [ { "pool": "2001:db8:1::/65" } ],
        "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 40, "delegated-len": 56 } ]
    } ]
} }"#;

#[test]
fn leases_of_a_client_are_counted_found_and_deleted_for_good() {
    let lab = Lab::direct();
    let control = ControlSocket::of(lab.server());
    let server = Subject::start(lab.server(), &control.configured(CONFIG));
    let link = lab
        .client()
        .enter(|| UdpLink6::multicast(Lab::INTERFACE))
        .unwrap();
    let duid = Client6::duid_ll([0x02, 0, 0, 0, 0, 0x75]);
    let mut client = Client6::new(duid, vec![Ia::na(1), Ia::pd(2)]);
    let advertise = link.exchange(&client.solicit(), PATIENCE).unwrap();
    let reply = link
        .exchange(&client.request(&advertise), PATIENCE)
        .unwrap();
    assert_eq!(reply.message_type, message::REPLY);
    control.wait_for("pkt6-reply-sent", 1);
    for (name, value) in [
        ("pkt6-solicit-received", 1),
        ("pkt6-request-received", 1),
        ("pkt6-advertise-sent", 1),
        ("subnet[1].total-nas", 1 << 63),
        ("subnet[1].assigned-nas", 1),
        ("subnet[1].total-pds", 1 << 16),
        ("subnet[1].assigned-pds", 1),
        ("subnet[1].pd-pool[0].assigned-pds", 1),
        ("assigned-pds", 1),
    ] {
        assert_eq!(control.statistic(name), value, "{name}");
    }

    let prefix = json!({ "identifier-type": "duid", "identifier": "00:03:00:01:02:00:00:00:00:75",
                         "iaid": 2, "subnet-id": 1, "type": "IA_PD" });
    let found = control.ask_with("lease6-get", &prefix);
    assert_eq!(found["arguments"]["prefix-len"], 56, "{found}");
    assert_eq!(found["arguments"]["preferred-lft"], 900);
    assert_eq!(control.ask_with("lease6-del", &prefix)["result"], 0);
    server.process.signal(Signal::SIGKILL);
    assert!(server.process.wait(PATIENCE).is_some());
    let _again = Subject::restart(lab.server(), &server);
    assert_eq!(control.ask_with("lease6-get", &prefix)["result"], 3);
    let left = control.ask("lease6-get-all");
    assert_eq!(left["arguments"]["leases"].as_array().unwrap().len(), 1);
    let address = &left["arguments"]["leases"][0]["ip-address"];
    let deleted = control.ask_with("lease6-del", &json!({ "ip-address": address }));
    assert_eq!(deleted["text"], "IPv6 lease deleted.");
    assert_eq!(control.statistic("assigned-nas"), 0);
}

#[test]
fn a_configuration_that_is_set_takes_effect_and_a_wrong_one_does_not() {
    let lab = Lab::direct();
    let control = ControlSocket::of(lab.server());
    let _server = Subject::start(lab.server(), &control.configured(CONFIG));
    let mut config = control.ask("config-get")["arguments"].clone();
    config.as_object_mut().unwrap().remove("hash");
    config["Dhcp6"]["subnet6"][0]["pools"][0]["pool"] = json!("2001:db8:1::/66");
    let set = control.ask_with("config-set", &config);
    assert_eq!(set["result"], 0, "{set}");
    assert_eq!(control.statistic("subnet[1].total-nas"), 1 << 62);
    let refused = control.ask_with("config-set", &json!({ "Dhcp4": {} }));
    assert_eq!(refused["text"], "Unsupported 'Dhcp4' parameter.");
    assert_eq!(control.statistic("subnet[1].total-nas"), 1 << 62);
    assert_eq!(control.ask("config-reload")["result"], 0);
    assert_eq!(control.statistic("subnet[1].total-nas"), 1 << 63);
}

use super::{Commanded, Control, Current, Done, MAX_ORDERS, Order, Wish};
use crate::clock::Clock;
use crate::instance::Snapshot;
use crate::pipeline::v4::Ports;
use crate::served::{Common, Served};
use crate::telemetry::{Discard, DiscardReason, Discards};
use crate::turns::Turns;
use outrigger_alloc::Allocator;
use outrigger_hooks::{HookLimits, Hooks, ServerInfo};
use outrigger_proto::Family;
use outrigger_store::{Change, Lease, LeaseState, Store};
use outrigger_wire::family::{Owner4, Owner6, Resource6};
use outrigger_wire::{ClientId, Duid, HwAddress, Iaid, Prefix6, V4, V6};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

const CONFIG4: &str = r#"{ "Dhcp4": { "subnet4": [
    { "id": 1, "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.100 - 192.0.2.199" } ] },
    { "id": 2, "subnet": "198.51.100.0/24" } ] } }"#;

const CONFIG6: &str = r#"{ "Dhcp6": { "subnet6": [
    { "id": 1, "subnet": "2001:db8:1::/64", "pools": [ { "pool": "2001:db8:1::/120" } ],
      "pd-pools": [ { "prefix": "2001:db8:f000::", "prefix-len": 40, "delegated-len": 56 } ] } ] } }"#;

/// A server without sockets.
pub(super) struct Fixture<F: Served> {
    pub(super) control: Control<F>,
    pub(super) orders: mpsc::Receiver<Order>,
    _current: watch::Sender<Current<F>>,
}

pub(super) fn fixture4() -> Fixture<V4> {
    Fixture::new(CONFIG4, ())
}

pub(super) fn fixture6() -> Fixture<V6> {
    Fixture::new(CONFIG6, Duid::new(&[0, 3, 0, 1, 2, 2]).unwrap())
}

impl<F: Commanded> Fixture<F> {
    fn new(config: &str, identity: F::Identity) -> Self {
        let loaded = outrigger_config::load_text("test", config);
        let cfg = F::of(&loaded.config.unwrap()).unwrap();
        let info = ServerInfo {
            name: String::new(),
            version: String::new(),
            instance_id: String::new(),
            revision: 0,
            subnets: Vec::new(),
            server_apis: BTreeMap::new(),
        };
        let limits = HookLimits {
            budget: cfg.hook_budget,
            parked_packets: cfg.parked_packet_limit,
        };
        let hooks = Hooks::start(F::FAMILY, &[], limits, info, &[]);
        let common = Arc::new(Common {
            alloc: Allocator::new(Arc::new(Store::in_memory()), &cfg),
            turns: Arc::new(Turns::new()),
            clock: Clock::default(),
            network: Arc::default(),
            ports: Ports {
                server: 0,
                client: 0,
            },
            identity,
        });
        let (sender, orders) = mpsc::channel(MAX_ORDERS);
        let (keep, current) = watch::channel(Current {
            snapshot: Arc::new(Snapshot {
                cfg: Arc::clone(&cfg),
                hooks: hooks.shard(&Handle::current()),
            }),
            cfg,
            hooks,
            since: Instant::now(),
        });
        let discards = Arc::new(Discards::default());
        let control = Control::new(common, discards, current, sender);
        Self {
            control,
            orders,
            _current: keep,
        }
    }

    /// Another handle to the same server.
    pub(super) fn share(&self) -> Rc<Control<F>> {
        Rc::new(Control::new(
            Arc::clone(&self.control.common),
            Arc::clone(&self.control.discards),
            self.control.current.clone(),
            self.control.orders.clone(),
        ))
    }

    fn put(&self, resource: F::Resource, owner: F::Owner, state: LeaseState) {
        let lease = Lease {
            resource,
            owner,
            subnet_id: 1,
            pool_id: 0,
            state,
            cltt: 1000,
            valid_lifetime: 3600,
            preferred_lifetime: 1800,
            hostname: "host.example".into(),
            fqdn_fwd: false,
            fqdn_rev: true,
            hw_address: HwAddress::EMPTY,
            user_context: "{\"a\":1}".into(),
        };
        let store = self.control.common.alloc.store();
        // There is no disk to wait for.
        let _ = store.lock().apply(&[Change::Put(lease)]).unwrap();
    }

    async fn ask(&self, command: &str, arguments: Value) -> Value {
        let document = json!({ "command": command, "arguments": arguments });
        self.ask_text(&document.to_string()).await
    }

    async fn ask_text(&self, document: &str) -> Value {
        let answer = self.control.answer(document.as_bytes()).await;
        serde_json::from_slice(&serde_json::to_vec(&answer).unwrap()).unwrap()
    }
}

fn owner4(last: u8) -> Owner4 {
    Owner4 {
        hw_address: HwAddress::new(1, &[2, 0, 0, 0, 0, last]).unwrap(),
        client_id: ClientId::new(&[1, 2, 0, 0, 0, 0, last]),
    }
}

fn owner6() -> Owner6 {
    Owner6 {
        duid: Duid::new(&[0, 3, 0, 1, 2, 2]).unwrap(),
        iaid: Iaid(7),
    }
}

#[tokio::test]
async fn lease4_is_found_by_address_and_by_either_identifier_and_deleted_once() {
    let server = fixture4();
    let address = "192.0.2.100".parse().unwrap();
    server.put(address, owner4(1), LeaseState::Default);
    let by_address = json!({ "ip-address": "192.0.2.100" });
    let forms = [
        by_address.clone(),
        json!({ "identifier-type": "hw-address", "identifier": "02:00:00:00:00:01", "subnet-id": 1 }),
        json!({ "identifier-type": "client-id", "identifier": "01020000000001", "subnet-id": 1 }),
    ];
    for form in forms {
        let answer = server.ask("lease4-get", form).await;
        assert_eq!(answer["result"], 0, "{answer}");
        let expected = json!({
            "ip-address": "192.0.2.100", "hw-address": "02:00:00:00:00:01",
            "client-id": "01:02:00:00:00:00:01", "cltt": 1000, "valid-lft": 3600, "subnet-id": 1,
            "state": 0, "fqdn-fwd": false, "fqdn-rev": true, "hostname": "host.example",
            "user-context": { "a": 1 },
        });
        assert_eq!(answer["arguments"], expected);
    }
    let elsewhere = json!({ "identifier-type": "hw-address", "identifier": "02:00:00:00:00:01", "subnet-id": 2 });
    assert_eq!(server.ask("lease4-get", elsewhere).await["result"], 3);
    let deleted = server.ask("lease4-del", by_address.clone()).await;
    assert_eq!(deleted["text"], "IPv4 lease deleted.");
    let again = server.ask("lease4-del", by_address).await;
    assert_eq!(
        (&again["result"], &again["text"]),
        (&json!(3), &json!("IPv4 lease not found."))
    );
}

#[tokio::test]
async fn lease6_of_one_iaid_is_told_apart_by_its_type() {
    let server = fixture6();
    let prefix = Prefix6::new("2001:db8:f000::".parse().unwrap(), 56).unwrap();
    let address = "2001:db8:1::5".parse().unwrap();
    server.put(Resource6::Address(address), owner6(), LeaseState::Default);
    server.put(Resource6::Prefix(prefix), owner6(), LeaseState::Default);
    let by_duid = |kind| {
        json!({ "identifier-type": "duid", "identifier": "00:03:00:01:02:02", "iaid": 7,
                "subnet-id": 1, "type": kind })
    };
    for (arguments, found) in [
        (by_duid("IA_NA"), "2001:db8:1::5"),
        (by_duid("IA_PD"), "2001:db8:f000::"),
        (json!({ "ip-address": "2001:db8:1::5" }), "2001:db8:1::5"),
        (
            json!({ "ip-address": "2001:db8:f000::", "type": "IA_PD" }),
            "2001:db8:f000::",
        ),
        (
            json!({ "ip-address": "2001:db8:f000::", "type": "IA_PD", "prefix-len": 56 }),
            "2001:db8:f000::",
        ),
    ] {
        let answer = server.ask("lease6-get", arguments).await;
        assert_eq!(answer["arguments"]["ip-address"], found, "{answer}");
        assert_eq!(answer["arguments"]["duid"], "00:03:00:01:02:02");
        assert_eq!(answer["arguments"]["iaid"], 7);
    }
    let wrong_length =
        json!({ "ip-address": "2001:db8:f000::", "type": "IA_PD", "prefix-len": 57 });
    assert_eq!(server.ask("lease6-get", wrong_length).await["result"], 3);
    let deleted = server.ask("lease6-del", by_duid("IA_PD")).await;
    assert_eq!(deleted["result"], 0);
    let left = server.ask("lease6-get-all", json!({})).await;
    assert_eq!(left["text"], "1 IPv6 lease(s) found.");
    assert_eq!(left["arguments"]["leases"][0]["type"], "IA_NA");
}

#[tokio::test]
async fn wrong_arguments_are_refused_with_their_name() {
    let (v4, v6) = (fixture4(), fixture6());
    for (arguments, named) in [
        (json!({}), "'ip-address'"),
        (json!([]), "'arguments'"),
        (json!({ "ip-address": "2001:db8::1" }), "'ip-address'"),
        (json!({ "ip-address": 1 }), "'ip-address'"),
        (
            json!({ "identifier-type": "duid", "identifier": "0102" }),
            "'identifier-type'",
        ),
        (json!({ "identifier-type": "client-id" }), "'identifier'"),
        (
            json!({ "identifier-type": "client-id", "identifier": "01" }),
            "'identifier'",
        ),
        (
            json!({ "identifier-type": "client-id", "identifier": "zz" }),
            "'identifier'",
        ),
        (
            json!({ "identifier-type": "client-id", "identifier": "0102" }),
            "'subnet-id'",
        ),
        (
            json!({ "identifier-type": "client-id", "identifier": "0102", "subnet-id": -1 }),
            "'subnet-id'",
        ),
    ] {
        for command in ["lease4-get", "lease4-del"] {
            let answer = v4.ask(command, arguments.clone()).await;
            assert_eq!(answer["result"], 1, "{answer}");
            assert!(answer["text"].as_str().unwrap().contains(named), "{answer}");
        }
    }
    for (arguments, named) in [
        (json!({ "type": "IA_TA" }), "'type'"),
        (
            json!({ "identifier-type": "hw-address" }),
            "'identifier-type'",
        ),
        (
            json!({ "identifier-type": "duid", "identifier": "00030001" }),
            "'iaid'",
        ),
    ] {
        let answer = v6.ask("lease6-get", arguments).await;
        assert_eq!(answer["result"], 1, "{answer}");
        assert!(answer["text"].as_str().unwrap().contains(named), "{answer}");
    }
}

#[tokio::test]
async fn pages_of_leases_follow_each_other_in_order_of_addresses() {
    let server = fixture4();
    for last in [120, 100, 110] {
        let address = [192, 0, 2, last].into();
        server.put(address, owner4(last), LeaseState::Default);
    }
    let mut from = "start".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = server
            .ask("lease4-get-page", json!({ "from": from, "limit": 2 }))
            .await;
        let leases = page["arguments"]["leases"].as_array().unwrap();
        assert_eq!(page["arguments"]["count"], leases.len());
        seen.extend(leases.iter().map(|lease| lease["ip-address"].clone()));
        match leases.last() {
            Some(last) => from = last["ip-address"].as_str().unwrap().to_owned(),
            None => {
                assert_eq!(page["result"], 3);
                break;
            }
        }
    }
    assert_eq!(seen, ["192.0.2.100", "192.0.2.110", "192.0.2.120"]);
    let other = server
        .ask("lease4-get-all", json!({ "subnets": [2] }))
        .await;
    assert_eq!(
        (&other["result"], &other["arguments"]["leases"]),
        (&json!(3), &json!([]))
    );
}

#[tokio::test]
async fn statistics_count_leases_and_packets_under_keas_names() {
    let server = fixture4();
    server.put([192, 0, 2, 100].into(), owner4(1), LeaseState::Default);
    server.put([192, 0, 2, 101].into(), owner4(2), LeaseState::Declined);
    server.put([192, 0, 2, 102].into(), owner4(3), LeaseState::Released);
    for reason in [
        DiscardReason::Malformed,
        DiscardReason::HookDecision,
        DiscardReason::ParkingFull,
    ] {
        server.control.discards.count(Discard::because(reason));
    }
    let all = server.ask("statistic-get-all", json!({})).await["arguments"].clone();
    for (name, value) in [
        ("subnet[1].total-addresses", 100),
        ("subnet[1].assigned-addresses", 2),
        ("subnet[1].declined-addresses", 1),
        ("subnet[1].pool[0].assigned-addresses", 2),
        ("subnet[2].total-addresses", 0),
        ("assigned-addresses", 2),
        ("pkt4-received", 0),
        ("pkt4-ack-sent", 0),
        ("pkt4-receive-drop", 2),
        ("pkt4-parse-failed", 1),
        ("pkt4-queue-full", 1),
        ("outrigger.discard[parking-full]", 1),
        ("outrigger.discard[hook-decision]", 1),
    ] {
        assert_eq!(all[name][0][0], value, "{name}");
    }
    let one = server
        .ask("statistic-get", json!({ "name": "assigned-addresses" }))
        .await;
    assert_eq!(one["arguments"].as_object().unwrap().len(), 1);
    let none = server
        .ask("statistic-get", json!({ "name": "no-such" }))
        .await;
    assert_eq!(
        (&none["result"], &none["arguments"]),
        (&json!(0), &json!({}))
    );
}

#[tokio::test]
async fn problems_of_a_configuration_come_with_their_position_in_the_command() {
    let server = fixture4();
    let text = "{ \"command\": \"config-test\", \"arguments\":\n  { \"Dhcp4\": {\n    \"no-such-key\": 1 } } }";
    let answer = server.ask_text(text).await;
    assert_eq!(answer["result"], 1);
    let problem = answer["text"].as_str().unwrap();
    assert!(problem.starts_with("command:3.5: "), "{problem}");
    let sane = server
        .ask("config-test", serde_json::from_str(CONFIG4).unwrap())
        .await;
    assert_eq!(sane["result"], 0, "{sane}");
    let other = server
        .ask("config-test", serde_json::from_str(CONFIG6).unwrap())
        .await;
    assert_eq!(other["text"], "Unsupported 'Dhcp6' parameter.");
    let none = server.ask("config-set", json!({})).await;
    assert_eq!(none["text"], "missing parameter 'Dhcp4'");
}

#[tokio::test]
async fn config_get_shows_what_was_loaded_and_its_hash() {
    let server = fixture6();
    let got = server.ask("config-get", json!({})).await["arguments"].clone();
    let loaded: Value = serde_json::from_str(CONFIG6).unwrap();
    assert_eq!(got["Dhcp6"], loaded["Dhcp6"]);
    let hash = server.ask("config-hash-get", json!({})).await;
    assert_eq!(hash["arguments"]["hash"], got["hash"]);
}

#[tokio::test]
async fn config_set_answers_what_came_of_the_order() {
    let mut server = fixture4();
    let done = Done {
        revision: 0xab,
        warnings: "\na warning".to_owned(),
    };
    for outcome in [Ok(done), Err("no such interface".to_owned())] {
        let (orders, told) = (&mut server.orders, outcome.clone());
        let obey = async {
            let order = orders.recv().await.unwrap();
            let Wish::Change(change) = order.wish else {
                panic!("{:?}", order.wish);
            };
            assert_eq!(change.family, Family::V4);
            assert_eq!(change.entries[0].object_type, "server");
            order.done.send(told).unwrap();
        };
        let document = json!({ "command": "config-set",
            "arguments": serde_json::from_str::<Value>(CONFIG4).unwrap() });
        let document = document.to_string();
        let (answer, ()) = tokio::join!(server.control.answer(document.as_bytes()), obey);
        let answer = serde_json::to_value(&answer).unwrap();
        match outcome {
            Ok(_) => {
                assert_eq!(answer["text"], "Configuration successful.\na warning");
                assert_eq!(answer["arguments"]["hash"], "00000000000000AB");
            }
            Err(text) => assert_eq!(
                (&answer["result"], &answer["text"]),
                (&json!(1), &json!(text))
            ),
        }
    }
}

#[tokio::test]
async fn what_is_no_command_gets_an_answer_all_the_same() {
    let server = fixture4();
    let unknown = server.ask("no-such", json!({})).await;
    assert_eq!(unknown["result"], 2);
    assert_eq!(unknown["text"], "'no-such' command not supported.");
    for document in [
        "",
        "[]",
        "{",
        "{ \"arguments\": {} }",
        "{ \"command\": {} }",
    ] {
        assert_eq!(server.ask_text(document).await["result"], 1, "{document}");
    }
    let listed = server
        .ask_text("{ \"command\": \"list-commands\", \"service\": [ \"dhcp4\" ] }")
        .await;
    let names = listed["arguments"].as_array().unwrap();
    assert!(names.contains(&json!("statistic-get-all")));
}

#[tokio::test]
async fn status_and_version_have_what_monitoring_reads() {
    let server = fixture4();
    let status = server.ask("status-get", json!({})).await["arguments"].clone();
    assert_eq!(status["pid"], std::process::id());
    for member in ["uptime", "reload", "thread-pool-size", "packet-queue-size"] {
        assert!(status[member].is_u64(), "{member}");
    }
    let version = server.ask("version-get", json!({})).await;
    assert_eq!(version["text"], env!("CARGO_PKG_VERSION"));
    assert!(version["arguments"]["extended"].is_string());
}

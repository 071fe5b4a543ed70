//! `dhcpN_srv_configured` and `cbN_updated`.

use super::stage::{Stage, run};
use crate::common::{Service, changes, goes_on};
use outrigger_proto::v1::{self, arguments::Point, audit_entry::Modification};
use outrigger_proto::{HookPoint, NextStep};
use outrigger_server::server::{LifeHooks, StartError, reach_services};
use outrigger_wire::{V4, V6};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A service that refuses configurations with this valid lifetime.
const REFUSED: &str = r#""valid-lifetime": 666"#;

fn configuration(point: &Point) -> Option<&str> {
    match point {
        Point::Dhcp4SrvConfigured(arguments) | Point::Dhcp6SrvConfigured(arguments) => {
            Some(&arguments.configuration)
        }
        _ => None,
    }
}

/// Refuses [`REFUSED`] with this error.
fn service<F: LifeHooks>(error: Option<&str>) -> Service {
    let error = error.map(str::to_owned);
    Service::start(&[F::SRV_CONFIGURED, F::UPDATED], move |point| {
        let Some(configuration) = configuration(point) else {
            return goes_on();
        };
        let configuration: Value = serde_json::from_str(configuration).unwrap();
        let refused = configuration["valid-lifetime"] == 666;
        let mut result = changes(v1::Changes {
            // Counts only with DROP.
            error: if refused {
                error.clone()
            } else {
                Some("none".to_owned())
            },
            ..Default::default()
        });
        if refused {
            result.next_step = Some(v1::NextStep::from(NextStep::Drop).into());
        }
        result
    })
}

async fn refusal_at_start<F: LifeHooks>(error: Option<&str>) -> StartError {
    let stage = Stage::new(service::<F>(error));
    let Err(refusal) = stage.start::<F>(REFUSED).await else {
        panic!("it starts");
    };
    refusal
}

#[test]
fn configuration_that_a_service_refuses_does_not_start_the_server() {
    run(async {
        for (error, text) in [
            (Some("no licence for 666"), "no licence for 666"),
            (None, "unknown error"),
        ] {
            for refusal in [
                refusal_at_start::<V4>(error).await,
                refusal_at_start::<V6>(error).await,
            ] {
                assert_eq!(refusal.exit_code(), 78);
                let told = refusal.to_string();
                let expected = format!("hook service scripted refuses the configuration: {text}");
                assert_eq!(told, expected);
            }
        }
    });
}

async fn refused_and_taken<F: LifeHooks>() {
    let stage = Stage::new(service::<F>(Some("no licence for 666")));
    let mut running = stage.start::<F>(r#""valid-lifetime": 1000"#).await.unwrap();
    let client = stage.client();
    let hash = client.ask("config-hash-get", json!({})).await;
    let refused = running.change(stage.document::<F>(REFUSED), vec![]).await;
    assert!(matches!(refused, Err(StartError::Refused { .. })));
    let refused = running
        .server
        .reload(stage.config::<F>(REFUSED), None)
        .await;
    assert!(matches!(refused, Err(StartError::Refused { .. })));
    assert_eq!(client.ask("config-hash-get", json!({})).await, hash);

    let taken = stage.document::<F>(r#""valid-lifetime": 1001"#);
    let document = serde_json::from_str(&taken).unwrap();
    let set = async { client.ask("config-set", document).await };
    let (set, ()) = tokio::join!(set, running.obey());
    assert_eq!(set["result"], 0, "{set}");
    assert_ne!(client.ask("config-hash-get", json!({})).await, hash);

    let seen = stage.called(F::SRV_CONFIGURED, 4).await;
    let lifetimes: Vec<Value> = seen
        .iter()
        .map(|point| {
            let shown: Value = serde_json::from_str(configuration(point).unwrap()).unwrap();
            shown["valid-lifetime"].clone()
        })
        .collect();
    assert_eq!(lifetimes, [1000, 666, 666, 1001]);
}

#[test]
fn refused_configuration_leaves_the_old_one_in_force() {
    run(async {
        refused_and_taken::<V4>().await;
        refused_and_taken::<V6>().await;
    });
}

#[test]
fn config_set_answers_why_a_service_refuses() {
    run(async {
        let stage = Stage::new(service::<V4>(Some("no licence for 666")));
        let mut running = stage.start::<V4>("").await.unwrap();
        let client = stage.client();
        let document = serde_json::from_str(&stage.document::<V4>(REFUSED)).unwrap();
        let set = async { client.ask("config-set", document).await };
        let (set, ()) = tokio::join!(set, running.obey());
        let text = "hook service scripted refuses the configuration: no licence for 666";
        assert_eq!(set, json!({ "result": 1, "text": text }));
    });
}

/// The hook point is named in the configuration, and the service does not offer it.
#[test]
fn call_that_fails_refuses_where_the_policy_is_to_drop() {
    run(async {
        for (policy, starts) in [("drop", false), ("continue", true)] {
            let stage = Stage::new(Service::start(&[HookPoint::Pkt4Receive], |_| goes_on()));
            let named = format!(
                r#""hook-points": {{ "dhcp4_srv_configured": {{ "on-failure": "{policy}" }} }}, "endpoints""#
            );
            let document = stage
                .document::<V4>("")
                .replacen("\"endpoints\"", &named, 1);
            let loaded = outrigger_config::load_text("test", &document);
            let Some(outrigger_config::model::Config::V4(cfg)) = loaded.config else {
                panic!("{:?}", loaded.diagnostics);
            };
            let reached = reach_services::<V4>(&cfg).await;
            assert_eq!(reached.is_ok(), starts, "{reached:?}");
            if let Err(refusal) = reached {
                let text = refusal.to_string();
                assert!(
                    text.contains("dhcp4_srv_configured failed: not_subscribed"),
                    "{text}"
                );
            }
        }
    });
}

#[test]
fn check_with_services_asks_them() {
    run(async {
        let stage = Stage::new(service::<V6>(Some("no licence for 666")));
        let refused = reach_services::<V6>(&stage.config(REFUSED)).await;
        assert!(matches!(refused, Err(StartError::Refused { .. })));
        reach_services::<V6>(&stage.config("")).await.unwrap();
        stage.called(HookPoint::Dhcp6SrvConfigured, 2).await;
    });
}

fn entry(object_type: &str, object: &str) -> v1::AuditEntry {
    v1::AuditEntry {
        object_type: object_type.to_owned(),
        object: object.to_owned(),
        modification: Modification::Create.into(),
        log_message: "as the test says".to_owned(),
        ..Default::default()
    }
}

async fn changes_are_told<F: LifeHooks>() {
    let stage = Stage::new(service::<F>(None));
    let mut running = stage.start::<F>("").await.unwrap();
    running
        .server
        .reload(stage.config(r#""valid-lifetime": 1000"#), None)
        .await
        .unwrap();
    let hosts = vec![entry("host", "a"), entry("host", "b")];
    let document = stage.document::<F>(r#""valid-lifetime": 1001"#);
    let revision = running.change(document, hosts).await.unwrap();
    let refused = running
        .change(stage.document::<F>(REFUSED), vec![entry("host", "c")])
        .await;
    assert!(refused.is_err());
    let client = stage.client();
    let document = stage.document::<F>(r#""valid-lifetime": 1002"#);
    let document = serde_json::from_str(&document).unwrap();
    let set = async { client.ask("config-set", document).await };
    let (set, ()) = tokio::join!(set, running.obey());
    assert_eq!(set["result"], 0, "{set}");

    let seen = stage.called(F::UPDATED, 2).await;
    let entries = |point: &Point| match point {
        Point::Cb4Updated(arguments) | Point::Cb6Updated(arguments) => {
            arguments.audit_entries.clone()
        }
        other => panic!("{other:?}"),
    };
    let hosts = entries(&seen[0]);
    let objects: Vec<_> = hosts.iter().map(|entry| entry.object.as_str()).collect();
    assert_eq!(objects, ["a", "b"]);
    for entry in &hosts {
        assert_eq!(entry.configuration_revision, revision);
        assert!(entry.time > 1_700_000_000, "{entry:?}");
    }
    let whole = entries(&seen[1]);
    assert_eq!(whole.len(), 1);
    assert_eq!(whole[0].object_type, "server");
    assert_ne!(whole[0].configuration_revision, revision);
}

#[test]
fn changes_through_commands_and_programs_are_told_in_order_and_reloads_are_not() {
    run(async {
        changes_are_told::<V4>().await;
        changes_are_told::<V6>().await;
    });
}

#[test]
fn nobody_waits_for_a_service_that_is_told_of_changes() {
    run(async {
        let stage = Stage::new(service::<V4>(None));
        stage.service.hush(HookPoint::Cb4Updated);
        let mut running = stage.start::<V4>("").await.unwrap();
        let started = Instant::now();
        for lifetime in 1000..1010 {
            let members = format!(r#""valid-lifetime": {lifetime}"#);
            let document = stage.document::<V4>(&members);
            running
                .change(document, vec![entry("host", "a")])
                .await
                .unwrap();
        }
        // Ten calls would have 5 s each.
        assert!(started.elapsed() < Duration::from_secs(20));
        stage.called(HookPoint::Cb4Updated, 1).await;
    });
}

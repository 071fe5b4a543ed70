//! Hook services out of the path, by hand.

use super::stage::{Client, Stage, run};
use crate::common::{Service, changes, goes_on};
use outrigger_proto::v1::{self, arguments::Point};
use outrigger_wire::{V4, V6};
use serde_json::{Value, json};
use std::time::Duration;

const PROBE: &str = "probe-me";

/// A service whose command says that it is in the path.
fn service() -> Service {
    Service::offering(&[PROBE], &[], |point| match point {
        Point::Command(_) => changes(v1::Changes {
            command_response: Some(json!({ "result": 0 }).to_string()),
            ..Default::default()
        }),
        _ => goes_on(),
    })
}

async fn in_path(client: &Client) -> bool {
    match client.ask(PROBE, json!({})).await["result"].as_u64() {
        Some(0) => true,
        Some(2) => false,
        other => panic!("{other:?}"),
    }
}

async fn wait_until_ready(client: &Client) {
    const READY: &str = "outrigger.hook-service[scripted].ready";
    let ready = async {
        while client.statistic(READY).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), ready).await;
    waited.expect("the service is there");
}

#[test]
fn disabled_service_is_as_if_it_were_not_configured_until_it_is_enabled() {
    run(async {
        let stage = Stage::new(service());
        let mut running = stage.start::<V6>("").await.unwrap();
        let client = stage.client();
        assert!(in_path(&client).await);
        let disabled = client
            .ask("hook-service-disable", json!({ "service": "scripted" }))
            .await;
        assert_eq!(disabled["text"], "1 hook service(s) disabled.");
        let state = &disabled["arguments"]["hook-services"][0];
        assert_eq!(
            (&state["name"], &state["enabled"]),
            (&json!("scripted"), &json!(false))
        );
        assert!(!in_path(&client).await);
        let again = client.ask("hook-service-disable", json!({})).await;
        assert_eq!(again["text"], "0 hook service(s) disabled.");
        assert_eq!(
            client
                .statistic("outrigger.hook-service[scripted].enabled")
                .await,
            0
        );

        // Kept over a new configuration, however it comes.
        let document = stage.document::<V6>(r#""valid-lifetime": 1000"#);
        running.change(document, vec![]).await.unwrap();
        running.server.reload(stage.config(""), None).await.unwrap();
        assert!(!in_path(&client).await);
        let status = client.ask("status-get", json!({})).await["arguments"].clone();
        assert_eq!(status["hook-services"][0]["enabled"], false);

        // No configuration waits for a service that is out of the path.
        wait_until_ready(&client).await;
        let enabled = client.ask("hook-service-enable", json!({})).await;
        assert_eq!(enabled["text"], "1 hook service(s) enabled.");
        assert!(in_path(&client).await);
        running.server.reload(stage.config(""), None).await.unwrap();
        assert!(in_path(&client).await);
    });
}

#[test]
fn state_of_services_is_listed() {
    run(async {
        let stage = Stage::new(service());
        let _running = stage.start::<V4>("").await.unwrap();
        let client = stage.client();
        let listed = client.ask("hook-service-list", json!({})).await;
        assert_eq!(listed["text"], "1 hook service(s) found.");
        let services = &listed["arguments"]["hook-services"];
        let status = client.ask("status-get", json!({})).await;
        assert_eq!(services, &status["arguments"]["hook-services"]);
        let Value::Object(state) = &services[0] else {
            panic!("{services}");
        };
        assert_eq!(state["name"], "scripted");
        assert_eq!(
            (&state["enabled"], &state["ready"]),
            (&json!(true), &json!(true))
        );
        assert_eq!((&state["why"], &state["parked"]), (&Value::Null, &json!(0)));
        assert!(
            state["endpoints"][0]
                .as_str()
                .unwrap()
                .starts_with("unix:/")
        );
        assert!(state["sessions"].as_u64() >= Some(1));
    });
}

/// Else a typing error would take every service out of the path.
#[test]
fn misspelt_arguments_and_unknown_services_change_nothing() {
    run(async {
        let stage = Stage::new(service());
        let _running = stage.start::<V4>("").await.unwrap();
        let client = stage.client();
        for (arguments, named) in [
            (json!({ "services": "scripted" }), "'services'"),
            (json!({ "service": 1 }), "'service'"),
            (json!({ "service": "other" }), "\"other\""),
            (json!([]), "'arguments'"),
        ] {
            let answer = client.ask("hook-service-disable", arguments).await;
            assert_eq!(answer["result"], 1, "{answer}");
            assert!(answer["text"].as_str().unwrap().contains(named), "{answer}");
        }
        assert!(in_path(&client).await);
    });
}

#[test]
fn service_that_is_missing_and_disabled_holds_up_no_configuration() {
    run(async {
        let stage = Stage::new(service());
        let mut running = stage.start::<V4>("").await.unwrap();
        let client = stage.client();
        let disabled = client.ask("hook-service-disable", json!({})).await;
        assert_eq!(disabled["result"], 0, "{disabled}");
        let document = stage
            .document::<V4>("")
            .replace("/socket\"", "/nobody-is-here\"");
        running.change(document, vec![]).await.unwrap();
        let state = client.ask("hook-service-list", json!({})).await["arguments"].clone();
        assert_eq!(state["hook-services"][0]["ready"], false, "{state}");
    });
}

#[test]
fn configuration_that_waits_for_a_service_goes_on_when_it_is_disabled() {
    run(async {
        let stage = Stage::new(service());
        let mut running = stage.start::<V6>("").await.unwrap();
        let client = stage.client();
        let document = stage
            .document::<V6>("")
            .replace("/socket\"", "/nobody-is-here\"")
            .replace("\"scripted\"", "\"absent\"");
        let unknown = client.ask("hook-service-disable", json!({ "service": "absent" }));
        assert_eq!(unknown.await["result"], 1);
        // The change is asked for first, and waits.
        let disable = client.ask("hook-service-disable", json!({ "service": "absent" }));
        let (changed, disabled) = tokio::join!(running.change(document, vec![]), disable);
        changed.unwrap();
        assert_eq!(disabled["text"], "1 hook service(s) disabled.");
        let listed = client.ask("hook-service-list", json!({})).await["arguments"].clone();
        assert_eq!(listed["hook-services"][0]["name"], "absent");
        assert_eq!(listed["hook-services"][0]["enabled"], false);
    });
}

#[test]
fn what_services_counted_outlives_their_configuration() {
    const RESULTS: &str = "outrigger.hook-service[scripted].result[$command][CONTINUE]";
    run(async {
        let stage = Stage::new(service());
        let mut running = stage.start::<V4>("").await.unwrap();
        let client = stage.client();
        for expected in 1..4 {
            assert!(in_path(&client).await);
            assert_eq!(client.statistic(RESULTS).await, expected);
            running.server.reload(stage.config(""), None).await.unwrap();
            assert_eq!(client.statistic(RESULTS).await, expected);
        }
    });
}

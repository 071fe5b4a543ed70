//! Commands that services offer, and commands that they look at.

use super::stage::{Client, Stage, run, until};
use crate::common::{Service, changes, goes_on};
use outrigger_proto::HookPoint;
use outrigger_proto::v1::{self, arguments::Point};
use outrigger_wire::{V4, V6};
use serde_json::{Value, json};
use std::time::Duration;

/// Commands that may wait for services at a time.
const MAX_WAITING: usize = 16;

fn answers(response: &Value) -> v1::CalloutResult {
    changes(v1::Changes {
        command_response: Some(response.to_string()),
        ..Default::default()
    })
}

/// Names and arguments of the commands that a service saw, and how they were answered.
fn processed(points: &[Point]) -> Vec<(String, String, Value)> {
    let seen = points.iter().map(|point| match point {
        Point::CommandProcessed(seen) => {
            let response = serde_json::from_str(&seen.response).unwrap();
            (seen.name.clone(), seen.arguments.clone(), response)
        }
        other => panic!("{other:?}"),
    });
    seen.collect()
}

#[test]
fn command_of_a_service_is_listed_and_answered_in_place_of_the_servers_own() {
    run(async {
        let offered = ["class-list", "version-get", "list-commands"];
        let stage = Stage::new(Service::offering(&offered, &[], |point| match point {
            Point::Command(asked) => {
                let command: Value = serde_json::from_str(&asked.command).unwrap();
                answers(&json!({ "result": 0, "text": "mine", "arguments": command }))
            }
            _ => goes_on(),
        }));
        let _running = stage.start::<V6>("").await.unwrap();
        let client = stage.client();
        for name in ["class-list", "version-get"] {
            let whole = json!({ "command": name, "arguments": { "a": [ 1 ] } });
            let answer = client.ask(name, json!({ "a": [ 1 ] })).await;
            assert_eq!(
                answer,
                json!({ "result": 0, "text": "mine", "arguments": whole })
            );
        }
        let listed = client.ask("list-commands", json!({})).await;
        let names: Vec<&str> = listed["arguments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert!(names.contains(&"class-list") && names.contains(&"status-get"));
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert_eq!(stage.service.calls(HookPoint::Command).len(), 2);
    });
}

#[test]
fn service_that_gives_no_answer_to_its_command_makes_an_error_of_it() {
    run(async {
        let stage = Stage::new(Service::offering(&["class-list"], &[], |_| goes_on()));
        let _running = stage.start::<V4>("").await.unwrap();
        let answer = stage.client().ask("class-list", json!({})).await;
        assert_eq!(answer["result"], 1, "{answer}");
        assert!(answer["text"].as_str().unwrap().contains("class-list"));
    });
}

#[test]
fn every_command_is_shown_and_its_answer_may_be_replaced() {
    run(async {
        let points = [HookPoint::CommandProcessed];
        let stage = Stage::new(Service::offering(
            &["class-list"],
            &points,
            |point| match point {
                Point::Command(_) => answers(&json!({ "result": 0, "text": "mine" })),
                Point::CommandProcessed(seen) if seen.name == "build-report" => {
                    answers(&json!({ "result": 3, "text": "replaced" }))
                }
                _ => goes_on(),
            },
        ));
        let running = stage.start::<V4>("").await.unwrap();
        stage.called(HookPoint::CommandProcessed, 1).await;
        let client = stage.client();
        let got = client.ask("lease4-get", json!({ "ip-address": "x" })).await;
        let mine = client.ask("class-list", json!({})).await;
        let unknown = client.send(r#"{ "command": "no-such" }"#).await;
        assert_eq!(unknown["result"], 2);
        let report = client.ask("build-report", json!({})).await;
        assert_eq!(report, json!({ "result": 3, "text": "replaced" }));
        assert_eq!(client.send("{ \"command\": ").await["result"], 1);
        running.server.reloaded(Ok(()));
        running.server.reloaded(Err("a mistake"));
        running.server.stop(true).await.unwrap();

        let seen = processed(&stage.service.calls(HookPoint::CommandProcessed));
        let (name, arguments, response) = &seen[0];
        assert_eq!(
            (name.as_str(), &response["result"]),
            ("config-set", &json!(0))
        );
        let whole: Value = serde_json::from_str(arguments).unwrap();
        assert!(whole["Dhcp4"]["control-sockets"].is_array());
        let of = |(name, arguments, response): &(String, String, Value)| {
            (
                name.clone(),
                arguments.clone(),
                response["result"].clone(),
                response["text"].clone(),
            )
        };
        let later: Vec<_> = seen[1..].iter().map(of).collect();
        let text = |text: &str| (json!(0), json!(text));
        let row = |name: &str, arguments: &str, (result, text): (Value, Value)| {
            (name.to_owned(), arguments.to_owned(), result, text)
        };
        let version = later[3].3.clone();
        assert_eq!(
            later,
            [
                row(
                    "lease4-get",
                    r#"{"ip-address":"x"}"#,
                    (json!(1), got["text"].clone())
                ),
                row("class-list", "{}", (json!(0), mine["text"].clone())),
                row("no-such", "", (json!(2), unknown["text"].clone())),
                row("build-report", "{}", (json!(0), version)),
                row("config-reload", "", text("Configuration successful.")),
                row("config-reload", "", (json!(1), json!("a mistake"))),
                row("shutdown", "", text("Shutting down.")),
            ]
        );
    });
}

/// The exit code and the order to stop are kept: only the words are the service's.
#[test]
fn shutdown_whose_answer_was_replaced_still_stops() {
    run(async {
        let stage = Stage::new(Service::start(
            &[HookPoint::CommandProcessed],
            |point| match point {
                Point::CommandProcessed(seen) if seen.name == "shutdown" => {
                    answers(&json!({ "result": 0, "text": "good night" }))
                }
                _ => goes_on(),
            },
        ));
        let mut running = stage.start::<V4>("").await.unwrap();
        let answer = stage
            .client()
            .ask("shutdown", json!({ "exit-value": 7 }))
            .await;
        assert_eq!(answer["text"], "good night");
        assert_eq!(running.exit_code().await, 7);
    });
}

async fn many(
    client: &Client,
    command: &'static str,
    count: usize,
) -> Vec<tokio::task::JoinHandle<Value>> {
    let ask = |_| {
        let client = client.clone();
        tokio::task::spawn_local(async move { client.ask(command, json!({})).await })
    };
    (0..count).map(ask).collect()
}

#[test]
fn service_that_does_not_answer_its_command_leaves_connections_to_the_others() {
    run(async {
        let stage = Stage::new(Service::offering(&["slow-one"], &[], |_| goes_on()));
        stage.service.hush(HookPoint::Command);
        let _running = stage.start::<V4>("").await.unwrap();
        let client = stage.client();
        let waiting = many(&client, "slow-one", MAX_WAITING).await;
        until("all wait", || {
            stage.service.calls(HookPoint::Command).len() == MAX_WAITING
        })
        .await;
        for _ in 0..50 {
            assert_eq!(client.ask("status-get", json!({})).await["result"], 0);
        }
        let busy = client.ask("slow-one", json!({})).await;
        assert!(
            busy["text"]
                .as_str()
                .unwrap()
                .contains("wait for hook services"),
            "{busy}"
        );
        assert!(waiting.iter().all(|asked| !asked.is_finished()));
        for asked in waiting {
            let answer = asked.await.unwrap();
            assert_eq!(answer["result"], 1, "{answer}");
        }
    });
}

#[test]
fn commands_go_on_where_too_many_wait_to_be_shown() {
    run(async {
        let stage = Stage::new(Service::start(&[HookPoint::CommandProcessed], |_| {
            goes_on()
        }));
        let _running = stage.start::<V4>("").await.unwrap();
        stage.called(HookPoint::CommandProcessed, 1).await;
        stage.service.hush(HookPoint::CommandProcessed);
        let client = stage.client();
        let waiting = many(&client, "version-get", MAX_WAITING).await;
        let calls = || stage.service.calls(HookPoint::CommandProcessed).len();
        until("all wait", || calls() == 1 + MAX_WAITING).await;
        assert_eq!(client.statistic("outrigger.commands-not-shown").await, 0);
        // That question was not shown either.
        assert_eq!(client.statistic("outrigger.commands-not-shown").await, 1);
        for asked in waiting {
            let answered = tokio::time::timeout(Duration::from_secs(20), asked).await;
            assert_eq!(answered.unwrap().unwrap()["result"], 0);
        }
    });
}

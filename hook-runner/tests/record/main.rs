//! `hook-runner record` and `replay`: real services, a real proxy, and what a server would see.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a failed step is a failed test, and the modules are those of one test"
)]

mod client;
mod files;
mod service;

use client::{PATIENCE, Recording, Session, call, connect, load_request, run};
use outrigger_hook_sdk::{HookPoint, v1};
use serde_json::Value;
use service::{Running, Version, Wire};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tokio::time::timeout;
use tonic::Code;
use v1::service_message::Message as FromService;

/// Records packets with these labels, on a session; the folder, and what the recording says at its end.
async fn recorded(labels: &[&str], more: &[&str]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("service"), Version::One).await;
    let recording = Recording::start(folder.path(), "r", more).await;
    let mut session = Session::open(&folder.path().join("proxy")).await;
    for (number, label) in (0..).zip(labels) {
        session.packet(number, label).await;
    }
    session.end().await;
    let summary = recording.stop().await;
    running.stop().await;
    (folder, summary)
}

/// Exit code and output of a replay against `version`.
async fn replayed(file: &Path, version: Version, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let running = Running::start(&socket, version).await;
    let endpoint = format!("unix:{}", socket.display());
    let arguments = [&["replay", file.to_str().unwrap(), &endpoint], more].concat();
    let ended = run(&arguments).await;
    running.stop().await;
    ended
}

fn records(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn count(records: &[Value], kind: &str) -> usize {
    records
        .iter()
        .filter(|record| record["record"] == kind)
        .count()
}

/// Counts of a line of a table.
fn row<'a>(table: &'a str, point: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.starts_with(point));
    line.unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .collect()
}

#[tokio::test]
async fn the_same_version_answers_the_same() {
    let (folder, summary) = recorded(&["a", "fail", "park", "a"], &[]).await;
    assert_eq!(
        row(&summary, "pkt4_receive"),
        ["4", "3", "1", "0", "0"],
        "{summary}"
    );
    // The context of a failed call is none, and this hook wants one.
    assert_eq!(
        row(&summary, "subnet4_select"),
        ["4", "3", "1", "1", "0"],
        "{summary}"
    );
    let file = folder.path().join("r");
    for more in [&[][..], &["--concurrency", "4"]] {
        let (code, text, log) = replayed(&file, Version::One, more).await;
        assert_eq!(code, 0, "{text}{log}");
        for point in ["pkt4_receive", "subnet4_select", "pkt4_send"] {
            assert_eq!(row(&text, point)[..4], ["4", "0", "0", "0"], "{text}");
        }
    }
}

#[tokio::test]
async fn each_version_gets_its_own_context_back() {
    let (folder, _) = recorded(&["a", "b", "park"], &[]).await;
    let file = folder.path().join("r");
    let (code, text, log) = replayed(&file, Version::Two, &[]).await;
    assert_eq!(code, 0, "{text}{log}");
    let (code, text, _) = replayed(&file, Version::Two, &["--context"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("context: then \"one\", now \"two\""),
        "{text}"
    );
}

#[tokio::test]
async fn another_answer_is_named_with_its_hook_point_packet_and_path() {
    let (folder, _) = recorded(&["a", "b"], &[]).await;
    let file = folder.path().join("r");
    let (code, text, _) = replayed(&file, Version::Other, &["--limit", "1"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.starts_with("DIFFERENT pkt4_send a (line "), "{text}");
    let path = "changes.response.options[1].data: then \"/one\", now \"/other\"";
    assert_eq!(text.matches(path).count(), 1, "{text}");
    assert_eq!(row(&text, "pkt4_send")[..4], ["0", "2", "0", "0"], "{text}");
    assert_eq!(
        row(&text, "subnet4_select")[..4],
        ["2", "0", "0", "0"],
        "{text}"
    );

    let (code, text, _) = replayed(&file, Version::Other, &["--point", "subnet4_select"]).await;
    assert_eq!(code, 0, "{text}");
    let (code, text, _) = replayed(&file, Version::Other, &["--json", "--all"]).await;
    assert_eq!(code, 1, "{text}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[1]["packet"], "b");
    assert_eq!(lines[1]["differences"][0]["now"], "/other");
    assert_eq!(lines[2]["summary"]["pkt4_send"]["different"], 2);
}

#[tokio::test]
async fn no_answer_is_a_failure_of_today_and_no_answer_then_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("service"), Version::One).await;
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let mut session = Session::open(&folder.path().join("proxy")).await;
    let mut mute = call(1, "mute", HookPoint::Pkt4Receive, b"");
    mute.budget_us = 0;
    let mut good = call(2, "a", HookPoint::Pkt4Receive, b"");
    good.budget_us = 200_000;
    session.calls(vec![mute, good]).await;
    assert_eq!(session.replies(1).await[0].id, 2);
    drop(session);
    let summary = recording.stop().await;
    running.stop().await;
    assert_eq!(
        row(&summary, "pkt4_receive"),
        ["2", "1", "0", "0", "1"],
        "{summary}"
    );

    let file = folder.path().join("r");
    let short = ["--deadline-ms", "200"];
    let (code, text, _) = replayed(&file, Version::One, &short).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        row(&text, "pkt4_receive")[..4],
        ["1", "0", "0", "1"],
        "{text}"
    );
    // The SDK answers for a mute hook when the budget is over: then a result, now a failure.
    let (code, text, _) = replayed(&file, Version::Mute, &short).await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("outcome: then \"result\", now \"failure\""),
        "{text}"
    );
    assert_eq!(
        row(&text, "pkt4_receive")[..4],
        ["0", "1", "0", "1"],
        "{text}"
    );
}

#[tokio::test]
async fn a_service_that_breaks_off_has_failed_and_is_asked_again() {
    let (folder, _) = recorded(&["a", "b"], &[]).await;
    let socket = folder.path().join("broken");
    let serving = tokio::spawn(service::serve_broken(socket.clone()));
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    let endpoint = format!("unix:{}", socket.display());
    let file = folder.path().join("r");
    let (code, text, log) = run(&["replay", file.to_str().unwrap(), &endpoint]).await;
    serving.abort();
    assert_eq!(code, 1, "{text}{log}");
    assert!(text.starts_with("DIFFERENT Load (line "), "{text}");
    assert!(text.contains("hook-points.pkt4_send: then {"), "{text}");
    for point in ["pkt4_receive", "subnet4_select", "pkt4_send"] {
        assert_eq!(row(&text, point)[..4], ["0", "0", "2", "0"], "{text}");
    }
    assert!(text.contains("FAILED    pkt4_receive b "), "{text}");
}

#[tokio::test]
async fn single_calls_pass_with_their_status() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("service"), Version::One).await;
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let mut client = connect(&folder.path().join("proxy")).await;
    client.load(load_request()).await.unwrap();
    let reply = client.call(call(0, "a", HookPoint::Pkt4Receive, b"")).await;
    assert!(matches!(
        reply.unwrap().into_inner().outcome,
        Some(v1::callout_reply::Outcome::Result(_))
    ));
    let status = client
        .call(call(0, "fail", HookPoint::Pkt4Receive, b""))
        .await;
    assert_eq!(status.unwrap_err().message(), "as the packet said");
    let mut mute = call(0, "mute", HookPoint::Pkt4Receive, b"");
    mute.budget_us = 100_000;
    let mut late = tonic::Request::new(mute);
    late.set_timeout(std::time::Duration::from_millis(50));
    let status = client.call(late).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded),
        "{status}"
    );
    drop(client);
    let summary = recording.stop().await;
    running.stop().await;
    assert_eq!(row(&summary, "pkt4_receive")[..2], ["3", "1"], "{summary}");
    let file = folder.path().join("r");
    // The service of today has sessions: they count as the same.
    let (code, text, log) = replayed(&file, Version::One, &["--deadline-ms", "100"]).await;
    assert_eq!(code, 0, "{text}{log}");
}

#[tokio::test]
async fn under_load_nothing_is_lost_or_changes_its_order() {
    const BATCHES: u64 = 40;
    const EACH: u64 = 64;
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("service"), Version::One).await;
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let mut sessions = Vec::new();
    for number in 0..3_u64 {
        let socket = folder.path().join("proxy");
        sessions.push(tokio::spawn(async move {
            let mut session = Session::open(&socket).await;
            for batch in 0..BATCHES {
                let ids: Vec<u64> = (0..EACH).map(|n| batch * EACH + n).collect();
                let label = |id| format!("{number}-{id}");
                let calls = ids
                    .iter()
                    .map(|id| call(*id, &label(id), HookPoint::Pkt4Receive, b""))
                    .collect();
                session.calls(calls).await;
                let replies = session.replies(ids.len()).await;
                // This hook answers in order.
                assert_eq!(
                    replies.iter().map(|reply| reply.id).collect::<Vec<_>>(),
                    ids
                );
            }
            session.end().await;
        }));
    }
    for session in sessions {
        timeout(PATIENCE, session).await.unwrap().unwrap();
    }
    let summary = recording.stop().await;
    running.stop().await;
    let all = (3 * BATCHES * EACH).to_string();
    assert_eq!(
        row(&summary, "pkt4_receive")[..2],
        [&all, &all],
        "{summary}"
    );
    assert!(!summary.contains("not in the file"), "{summary}");
    let records = records(&folder.path().join("r"));
    let mut last: [Option<u64>; 3] = [None; 3];
    for call in records.iter().filter(|record| record["record"] == "call") {
        let (number, id) = call["packet"].as_str().unwrap().split_once('-').unwrap();
        let last = &mut last[number.parse::<usize>().unwrap()];
        let id: u64 = id.parse().unwrap();
        assert_eq!(id, last.map_or(0, |last| last + 1));
        *last = Some(id);
    }
}

#[tokio::test]
async fn a_service_that_is_restarted_drains_through_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("service");
    let proxy = folder.path().join("proxy");
    let running = Running::start(&socket, Version::One).await;
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let mut session = Session::open(&proxy).await;
    session.packet(1, "before").await;
    let stopping = tokio::spawn(running.stop());
    assert!(matches!(
        session.next().await,
        Ok(Some(FromService::Drain(_)))
    ));
    session.end().await;
    stopping.await.unwrap();
    let mut client = connect(&proxy).await;
    let status = client.load(load_request()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let running = Running::start(&socket, Version::One).await;
    let mut session = Session::open(&proxy).await;
    session.packet(2, "after").await;
    session.end().await;
    let summary = recording.stop().await;
    running.stop().await;
    assert_eq!(row(&summary, "pkt4_send")[..2], ["2", "2"], "{summary}");
    let (code, text, log) = replayed(&folder.path().join("r"), Version::One, &[]).await;
    assert_eq!(code, 0, "{text}{log}");
}

#[tokio::test]
async fn a_service_that_vanishes_ends_the_connection_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    let running = Running::start(&real, Version::One).await;
    let wire = Wire::start(&folder.path().join("service"), &real);
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let proxy = folder.path().join("proxy");
    let mut session = Session::open(&proxy).await;
    session.packet(1, "before").await;
    let mut client = connect(&proxy).await;
    client.load(load_request()).await.unwrap();
    let mute = call(0, "mute", HookPoint::Pkt4Receive, b"");
    let waiting = tokio::spawn(async move { client.call(mute).await });
    while wire.connections() < 2 {
        tokio::task::yield_now().await;
    }
    session.packet(2, "before").await;
    wire.cut();
    assert!(session.next().await.is_err(), "the session breaks at once");
    let status = timeout(PATIENCE, waiting)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let summary = recording.stop().await;
    assert_eq!(row(&summary, "pkt4_send")[..2], ["2", "2"], "{summary}");
    running.stop().await;
}

#[tokio::test]
async fn the_end_of_a_recording_drains_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("service"), Version::One).await;
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let mut session = Session::open(&folder.path().join("proxy")).await;
    let ending = tokio::spawn(recording.stop());
    assert!(matches!(
        session.next().await,
        Ok(Some(FromService::Drain(_)))
    ));
    session.packet(1, "late").await;
    session.end().await;
    let summary = ending.await.unwrap();
    assert_eq!(row(&summary, "pkt4_send")[..2], ["1", "1"], "{summary}");
    assert!(!folder.path().join("proxy").exists());
    running.stop().await;
}

#[tokio::test]
async fn every_rule_of_the_protocol_holds_through_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(&folder.path().join("service"), Version::One).await;
    let recording = Recording::start(folder.path(), "r", &[]).await;
    let endpoint = format!("unix:{}", folder.path().join("proxy").display());
    let direct = format!("unix:{}", folder.path().join("service").display());
    let verdicts = |text: &str| {
        let line = |line: &str| {
            line.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        };
        text.lines()
            .filter(|line| {
                ["ok", "FAILED", "unknown", "skipped"]
                    .iter()
                    .any(|v| line.starts_with(v))
            })
            .map(line)
            .collect::<BTreeSet<String>>()
    };
    let (_, without, _) = run(&["check", &direct]).await;
    let (_, with, _) = run(&["check", &endpoint]).await;
    assert_eq!(verdicts(&with), verdicts(&without), "{with}");
    assert!(verdicts(&with).contains("ok reflection"), "{with}");
    let (code, reply, log) = run(&["call", &endpoint, "pkt4_receive", "--unary"]).await;
    assert_eq!(code, 0, "{log}");
    assert!(reply.contains("\"context\": \"one\""), "{reply}");
    recording.stop().await;
    running.stop().await;
}

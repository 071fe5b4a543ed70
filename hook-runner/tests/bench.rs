//! `hook-runner bench`: what it counts and in which order, against services of the SDK that keep count themselves.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use outrigger_hook_sdk::points::{Pkt4Receive, Pkt4Send, Pkt6Send};
use outrigger_hook_sdk::{Call, Callouts, Fixed, HookError, HookPoint, Server, Subscriptions};
use outrigger_proto::v1;
use outrigger_proto::v1::callouts_server::{Callouts as Rpc, CalloutsServer};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// Ten short measurements are enough to see what is counted.
const SHORT: [&str; 4] = ["--seconds", "0.02", "--rounds", "2"];

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
}

impl Callouts for Counts {
    async fn pkt4_receive(&self, _: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        self.calls.fetch_add(1, Relaxed);
        Err(HookError::new("no disk"))
    }

    async fn pkt4_send(&self, _: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
        // Longer than the deadline that its test gives.
        tokio::time::sleep(Duration::from_millis(150)).await;
        Ok(())
    }

    async fn pkt6_send(&self, call: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
        self.calls.fetch_add(1, Relaxed);
        let options = &call.query()?.options;
        match options.iter().any(|option| option.code == 16) {
            true => Ok(()),
            false => Err(HookError::new("no vendor class")),
        }
    }
}

struct Running {
    folder: TempDir,
    counts: Arc<Counts>,
    serving: JoinHandle<()>,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let counts = Arc::new(Counts::default());
        let subscriptions = Subscriptions::new()
            .point(HookPoint::Pkt4Receive, &[], &[])
            .point(HookPoint::Pkt6Send, &[], &[]);
        let service = Fixed::<Counts>::new("counts", "1.2.3", Arc::clone(&counts), subscriptions);
        let endpoint = format!("unix:{}", folder.path().join("s").display());
        let bound = Server::new(service).bind(&endpoint.parse().unwrap()).await;
        let bound = bound.unwrap();
        let serving = tokio::spawn(async { bound.run(std::future::pending()).await.unwrap() });
        let packet = r#"{ "message-type": 3, "options": [ { "code": 16, "text": "phone" } ] }"#;
        std::fs::write(folder.path().join("packet.json"), packet).unwrap();
        Self {
            folder,
            counts,
            serving,
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    fn calls(&self) -> u64 {
        self.counts.calls.load(Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Exit code, what was printed, what was logged.
async fn bench(socket: &Path, more: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hook-runner"))
        .arg("bench")
        .arg(format!("unix:{}", socket.display()))
        .args(more)
        .env_remove("RUST_LOG")
        .current_dir(socket.parent().unwrap())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, log) = (text(output.stdout), text(output.stderr));
    (output.status.code().unwrap(), out, log)
}

const BOTH: [&str; 4] = ["--family", "6", "--packet", "packet.json"];

#[tokio::test]
async fn every_measurement_is_told_in_its_order_and_every_call_is_counted() {
    let service = Running::start().await;
    let more = [&BOTH[..], &SHORT, &["--in-flight", "1,70", "--json"]].concat();
    let (code, out, log) = bench(&service.socket(), &more).await;
    assert_eq!(code, 0, "{out}{log}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["service"]["name"], "counts");
    assert_eq!(report["service"]["version"], "1.2.3");
    // The service is a part of this test.
    assert_eq!(report["service"]["pid"], std::process::id());
    assert_eq!(report["hook-point"], "pkt6_send");
    assert!(report["arguments-bytes"].as_u64().unwrap() > 50);
    let runs = report["runs"].as_array().unwrap();
    let order: Vec<String> = runs
        .iter()
        .map(|run| format!("{} {} {}", run["round"], run["shape"], run["in-flight"]))
        .collect();
    let expected = [
        r#"1 "session" 1"#,
        r#"1 "unary" 1"#,
        r#"1 "session" 70"#,
        r#"1 "unary" 70"#,
        r#"2 "unary" 1"#,
        r#"2 "session" 1"#,
        r#"2 "unary" 70"#,
        r#"2 "session" 70"#,
    ];
    assert_eq!(order, expected);
    let mut told = 0;
    for run in runs {
        told += run["calls"].as_u64().unwrap();
        for name in ["failures", "late", "unexpected"] {
            assert_eq!(run[name], 0, "{run}");
        }
        for name in [
            "calls-per-second",
            "p50-us",
            "p99-us",
            "caller-cpu-us",
            "service-cpu-us",
        ] {
            assert!(run[name].is_number(), "{name}: {run}");
        }
        assert!(run["p50-us"].as_f64() <= run["p99-us"].as_f64(), "{run}");
        assert!(run["calls"].as_u64() >= run["in-flight"].as_u64(), "{run}");
    }
    // The others were calls before the first round.
    assert!(told < service.calls(), "{told} of {}", service.calls());
    let levels = report["session-to-unary"].as_array().unwrap();
    assert_eq!(levels.len(), 2);
    assert!(levels[1]["calls-per-second"]["median"].is_number(), "{out}");
}

#[tokio::test]
async fn tables_are_for_people() {
    let service = Running::start().await;
    let more = [&BOTH[..], &SHORT, &["--in-flight", "16"]].concat();
    let (code, out, log) = bench(&service.socket(), &more).await;
    assert_eq!(code, 0, "{out}{log}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("counts 1.2.3: pkt6_send, "), "{out}");
    for start in [
        "shape ",
        "session   16 ",
        "unary     16 ",
        "session : unary ",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(start)),
            "{start}: {out}"
        );
    }
}

#[tokio::test]
async fn failures_are_counted_and_told_by_the_exit_code() {
    let service = Running::start().await;
    let more = [&SHORT[..], &["--in-flight", "4", "--json"]].concat();
    let (code, out, log) = bench(&service.socket(), &more).await;
    assert_eq!(code, 1, "{out}{log}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        report["hook-point"], "pkt4_receive",
        "the first of its family"
    );
    for run in report["runs"].as_array().unwrap() {
        assert!(run["failures"].as_u64() > Some(0), "{run}");
        assert_eq!(run["failures"], run["calls"], "{run}");
    }
    let (code, out, _) = bench(&service.socket(), &SHORT).await;
    assert_eq!(code, 1);
    assert!(out.contains("the first failure: no disk"), "{out}");
}

#[tokio::test]
async fn calls_that_are_not_answered_in_time_are_failures() {
    let service = Running::start().await;
    for shape in ["session", "unary"] {
        let more = [
            "--hook-point",
            "pkt4_send",
            "--in-flight",
            "2",
            "--deadline-ms",
            "20",
            "--shape",
            shape,
        ];
        let more = [&SHORT[..], &more, &["--json"]].concat();
        let (code, out, log) = bench(&service.socket(), &more).await;
        assert_eq!(code, 1, "{out}{log}");
        let report: Value = serde_json::from_str(&out).unwrap();
        for run in report["runs"].as_array().unwrap() {
            assert_eq!(run["shape"], shape);
            assert!(run["failures"].as_u64() > Some(0), "{run}");
        }
        assert_eq!(report["session-to-unary"], Value::Array(Vec::new()));
    }
}

#[tokio::test]
async fn what_cannot_be_measured_has_its_exit_code() {
    let service = Running::start().await;
    let socket = service.socket();
    for (more, expected, part) in [
        (
            &["--hook-point", "pkt6_send"][..],
            64,
            "write --family otherwise",
        ),
        (&["--seconds", "0"], 64, "not a number of seconds"),
        (&["--in-flight", "0"], 64, "0"),
        (&["--packet", "nowhere"], 64, "nowhere"),
        (
            &["--pid", "2147483647"],
            74,
            "there is no process 2147483647",
        ),
    ] {
        let (code, out, log) = bench(&socket, more).await;
        assert_eq!(code, expected, "{more:?}: {log}");
        assert!(log.contains(part), "{more:?}: {log}");
        assert_eq!(out, "");
    }
    let (code, _, log) = bench(&service.folder.path().join("nobody"), &SHORT).await;
    assert_eq!(code, 69, "{log}");
}

/// What a service without the SDK may do: it has no sessions, or answers late and more often than it was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Odd {
    NoSessions,
    Twice,
    Late,
}

#[tonic::async_trait]
impl Rpc for Odd {
    async fn load(&self, _: Request<v1::LoadRequest>) -> Result<Response<v1::LoadReply>, Status> {
        let loaded = v1::Loaded {
            protocol_version: 1,
            name: "odd".to_owned(),
            sessions: *self != Self::NoSessions,
            subscriptions: vec![v1::Subscription {
                hook_point: HookPoint::Pkt4Receive.number().into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        Ok(Response::new(v1::LoadReply {
            result: Some(v1::load_reply::Result::Loaded(loaded)),
        }))
    }

    type SessionStream = ReceiverStream<Result<v1::ServiceMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::ServerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let odd = *self;
        let (outgoing, replies) = tokio::sync::mpsc::channel(16);
        let mut incoming = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(message)) = incoming.message().await {
                let Some(v1::server_message::Message::Calls(batch)) = message.message else {
                    continue;
                };
                if odd == Self::Late {
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
                let ids = batch.calls.iter().flat_map(|call| match odd {
                    Self::Twice => vec![call.id, call.id],
                    Self::Late | Self::NoSessions => vec![call.id],
                });
                let replies = v1::ReplyBatch {
                    replies: ids.map(result).collect(),
                };
                let message = v1::service_message::Message::Replies(replies);
                let message = v1::ServiceMessage {
                    message: Some(message),
                };
                if outgoing.send(Ok(message)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(replies)))
    }

    async fn call(
        &self,
        request: Request<v1::CalloutRequest>,
    ) -> Result<Response<v1::CalloutReply>, Status> {
        Ok(Response::new(result(request.into_inner().id)))
    }
}

fn result(id: u64) -> v1::CalloutReply {
    let result = v1::CalloutResult::default();
    v1::CalloutReply {
        id,
        outcome: Some(v1::callout_reply::Outcome::Result(result)),
    }
}

async fn bench_odd(odd: Odd, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let incoming = UnixListenerStream::new(UnixListener::bind(&socket).unwrap());
    let router = tonic::transport::Server::builder().add_service(CalloutsServer::new(odd));
    let serving = tokio::spawn(router.serve_with_incoming(incoming));
    let result = bench(&socket, &[&SHORT[..], more, &["--json"]].concat()).await;
    serving.abort();
    result
}

#[tokio::test]
async fn a_service_without_sessions_is_called_one_by_one() {
    let (code, out, log) = bench_odd(Odd::NoSessions, &[]).await;
    assert_eq!(code, 0, "{out}{log}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let runs = report["runs"].as_array().unwrap();
    assert!(runs.iter().all(|run| run["shape"] == "unary"), "{out}");
    assert_eq!(runs.len(), 8);
    let (code, _, log) = bench_odd(Odd::NoSessions, &["--shape", "session"]).await;
    assert_eq!(code, 64);
    assert!(log.contains("no sessions"), "{log}");
}

#[tokio::test]
async fn replies_that_come_late_or_twice_are_counted() {
    let session = ["--shape", "session", "--in-flight", "2", "--deadline-ms"];
    for (odd, deadline, counted) in [
        (Odd::Twice, "2000", "unexpected"),
        (Odd::Late, "50", "late"),
    ] {
        let (code, out, log) = bench_odd(odd, &[&session[..], &[deadline]].concat()).await;
        assert_eq!(code, 1, "{out}{log}");
        let report: Value = serde_json::from_str(&out).unwrap();
        for run in report["runs"].as_array().unwrap() {
            assert!(run[counted].as_u64() > Some(0), "{counted}: {run}");
            assert_eq!(run["failures"], 0, "{run}");
        }
    }
}

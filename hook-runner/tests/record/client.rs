//! A server as far as hooks are concerned, and the two commands as processes.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use outrigger_hook_sdk::points::{Pkt4Receive, Pkt4Send, Point, Subnet4Select};
use outrigger_hook_sdk::testing::packet4;
use outrigger_hook_sdk::v1::callouts_client::CalloutsClient;
use outrigger_hook_sdk::v1::{server_message, service_message};
use outrigger_hook_sdk::{Endpoint, HookPoint, v1};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// Longer than anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

fn hook_runner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hook-runner"));
    command
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Exit code and what was printed, to standard output and error.
pub async fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = timeout(PATIENCE, hook_runner().args(arguments).output()).await;
    let output = output.expect("it ends in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// `hook-runner record`, between the sockets `proxy` and `service` of a folder, into `name`.
pub struct Recording {
    process: Child,
}

impl Recording {
    pub async fn start(folder: &Path, name: &str, more: &[&str]) -> Self {
        let file = folder.join(name);
        let socket = |name: &str| format!("unix:{}", folder.join(name).display());
        let mut process = hook_runner()
            .args([
                "record",
                "--listen",
                &socket("proxy"),
                "--to",
                &socket("service"),
            ])
            .args(more)
            .arg(&file)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let started = async {
            while let Some(line) = log.next_line().await.unwrap() {
                if line.contains("recording") {
                    return;
                }
            }
            panic!("it ended");
        };
        timeout(PATIENCE, started).await.expect("it starts in time");
        // What it says later is of no interest, but has to go somewhere.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Self { process }
    }

    /// The summary.
    pub async fn stop(mut self) -> String {
        let pid = Pid::from_raw(self.process.id().unwrap().try_into().unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        let mut text = String::new();
        let mut stdout = self.process.stdout.take().unwrap();
        let ended = async {
            stdout.read_to_string(&mut text).await.unwrap();
            self.process.wait().await.unwrap()
        };
        let status = timeout(PATIENCE, ended).await.expect("it ends in time");
        assert_eq!(status.code(), Some(0), "{text}");
        text
    }
}

pub async fn connect(socket: &Path) -> CalloutsClient<Channel> {
    let endpoint = Endpoint::Unix(socket.to_owned());
    CalloutsClient::new(endpoint.connect().await.unwrap())
}

pub fn load_request() -> v1::LoadRequest {
    v1::LoadRequest {
        protocol_versions: vec![1],
        server: Some(v1::ServerIdentity {
            name: "test".to_owned(),
            family: v1::Family::Dhcp4.into(),
            version: "0".to_owned(),
            instance_id: "instance".to_owned(),
        }),
        configuration_revision: 1,
        service_name: "versions".to_owned(),
        parameters: r#"{"password":"geheim"}"#.to_owned(),
        server_api: Some(v1::ServerApi {
            token: "api-token".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A call with arguments of its hook point.
pub fn call(id: u64, label: &str, point: HookPoint, context: &[u8]) -> v1::CalloutRequest {
    let query = Some(packet4(1, [2; 6], &[]));
    let arguments = match point {
        HookPoint::Pkt4Receive => Pkt4Receive::wrap(v1::Query4Arguments { query }),
        HookPoint::Subnet4Select => Subnet4Select::wrap(v1::Subnet4SelectArguments {
            query,
            ..Default::default()
        }),
        _ => Pkt4Send::wrap(v1::Response4Arguments {
            query,
            response: Some(packet4(2, [2; 6], &[])),
            ..Default::default()
        }),
    };
    v1::CalloutRequest {
        id,
        hook_point: i32::from(point.number()),
        budget_us: 5_000_000,
        park_budget_us: 5_000_000,
        packet_label: label.to_owned(),
        context: context.to_vec().into(),
        configuration_revision: 1,
        arguments: Some(arguments),
        ..Default::default()
    }
}

pub struct Session {
    outgoing: mpsc::Sender<v1::ServerMessage>,
    incoming: Streaming<v1::ServiceMessage>,
}

impl Session {
    /// After Load, Hello and Welcome.
    pub async fn open(socket: &Path) -> Self {
        let mut client = connect(socket).await;
        client.load(load_request()).await.unwrap();
        let (outgoing, messages) = mpsc::channel(64);
        let hello = server_message::Message::Hello(v1::Hello {
            instance_id: "instance".to_owned(),
            configuration_revision: 1,
            service_name: "versions".to_owned(),
        });
        let message = Some(hello);
        outgoing.send(v1::ServerMessage { message }).await.unwrap();
        let opened = client.session(ReceiverStream::new(messages)).await;
        let mut session = Self {
            outgoing,
            incoming: opened.unwrap().into_inner(),
        };
        let first = session.next().await.unwrap();
        assert!(matches!(first, Some(service_message::Message::Welcome(_))));
        session
    }

    pub async fn calls(&self, calls: Vec<v1::CalloutRequest>) {
        let message = Some(server_message::Message::Calls(v1::CallBatch {
            calls,
            answered: None,
        }));
        self.outgoing
            .send(v1::ServerMessage { message })
            .await
            .unwrap();
    }

    pub async fn next(&mut self) -> Result<Option<service_message::Message>, Status> {
        let next = timeout(PATIENCE, self.incoming.message()).await;
        Ok(next
            .expect("a message comes in time")?
            .and_then(|message| message.message))
    }

    /// As many replies as wanted, in their order.
    pub async fn replies(&mut self, wanted: usize) -> Vec<v1::CalloutReply> {
        let mut replies = Vec::new();
        while replies.len() < wanted {
            match self.next().await.unwrap() {
                Some(service_message::Message::Replies(batch)) => replies.extend(batch.replies),
                other => panic!("not replies: {other:?}"),
            }
        }
        replies
    }

    /// No more calls: the service closes the stream.
    pub async fn end(mut self) {
        let message = Some(server_message::Message::Bye(v1::Bye {}));
        self.outgoing
            .send(v1::ServerMessage { message })
            .await
            .unwrap();
        while self.next().await.unwrap().is_some() {}
    }

    /// A packet from its first hook point to its last, as a server serves it.
    pub async fn packet(&mut self, number: u64, label: &str) {
        let mut context = Vec::new();
        let points = [
            HookPoint::Pkt4Receive,
            HookPoint::Subnet4Select,
            HookPoint::Pkt4Send,
        ];
        for (index, point) in (0..).zip(points) {
            let id = number * 10 + index;
            self.calls(vec![call(id, label, point, &context)]).await;
            let parks = label.starts_with("park") && point == HookPoint::Subnet4Select;
            let replies = self.replies(if parks { 2 } else { 1 }).await;
            let last = replies.last().unwrap();
            assert_eq!(last.id, id);
            if let Some(v1::callout_reply::Outcome::Result(result)) = &last.outcome
                && let Some(left) = &result.context
            {
                context = left.to_vec();
            }
        }
    }
}

//! A server with a control socket and one hook service.

use crate::common::Service;
use outrigger_config::model::Server;
use outrigger_proto::HookPoint;
use outrigger_proto::v1::{self, arguments::Point};
use outrigger_server::clock::Clock;
use outrigger_server::control::{Change, MAX_ORDERS, Order, Wish};
use outrigger_server::server::{FamilyServer, LifeHooks, Options, StartError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::timeout;

/// Long for any machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the server is configured, and a hook service for it.
pub(crate) struct Stage {
    pub(crate) service: Service,
    directory: TempDir,
}

/// The server, obeying what its commands order.
pub(crate) struct Running<F: LifeHooks> {
    pub(crate) server: FamilyServer<F>,
    orders: mpsc::Receiver<Order>,
}

/// Asks the control socket.
#[derive(Clone)]
pub(crate) struct Client(PathBuf);

/// Runs a test in a local task set.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(LocalSet::new().run_until(test));
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("not in time: {what}"));
}

impl Stage {
    pub(crate) fn new(service: Service) -> Self {
        Self {
            service,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// The configuration with the service and these further members.
    pub(crate) fn document<F: LifeHooks>(&self, members: &str) -> String {
        let directory = self.directory.path().display();
        let comma = if members.is_empty() { "" } else { "," };
        format!(
            r#"{{ "{}": {{
                "lease-database": {{ "type": "memfile", "persist": false, "name": "{directory}/leases.csv" }},
                "control-sockets": [ {{ "socket-type": "unix", "socket-name": "{}" }} ],
                {} {comma} {members} }} }}"#,
            F::TOP_LEVEL,
            self.socket().display(),
            self.service.member(),
        )
    }

    pub(crate) fn config<F: LifeHooks>(&self, members: &str) -> Arc<Server<F>> {
        let loaded = outrigger_config::load_text("test", &self.document::<F>(members));
        let config = loaded
            .config
            .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        F::of(&config).unwrap()
    }

    pub(crate) async fn start<F: LifeHooks>(
        &self,
        members: &str,
    ) -> Result<Running<F>, StartError> {
        let (sender, orders) = mpsc::channel(MAX_ORDERS);
        let cfg = self.config::<F>(members);
        let options = Options::default();
        let started = FamilyServer::start(cfg, &options, Clock::default(), sender);
        let server = timeout(PATIENCE, started)
            .await
            .expect("it starts or not")?;
        Ok(Running { server, orders })
    }

    pub(crate) fn client(&self) -> Client {
        Client(self.socket())
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("control.sock")
    }

    /// Waits for this many calls of a hook point, and returns them.
    pub(crate) async fn called(&self, point: HookPoint, calls: usize) -> Vec<Point> {
        until(point.name(), || self.service.calls(point).len() >= calls).await;
        let seen = self.service.calls(point);
        assert_eq!(seen.len(), calls, "{seen:?}");
        seen
    }
}

impl<F: LifeHooks> Running<F> {
    /// As a command or a program changes it.
    pub(crate) async fn change(
        &mut self,
        document: String,
        entries: Vec<v1::AuditEntry>,
    ) -> Result<u64, StartError> {
        let change = Change {
            family: F::FAMILY,
            document,
            entries,
            based_on: None,
        };
        let changed = timeout(PATIENCE, self.server.change(change)).await;
        Ok(changed.expect("in time")?.revision)
    }

    /// Does the next thing that a command orders.
    pub(crate) async fn obey(&mut self) {
        let order = timeout(PATIENCE, self.orders.recv()).await;
        let order = order.expect("an order").unwrap();
        let Wish::Change(change) = order.wish else {
            panic!("{:?}", order.wish);
        };
        let done = self.server.change(change).await;
        order
            .done
            .send(done.map_err(|error| error.to_string()))
            .unwrap();
    }

    /// The exit code that a command stops the server with.
    pub(crate) async fn exit_code(&mut self) -> u8 {
        let order = timeout(PATIENCE, self.orders.recv()).await;
        match order.expect("an order").unwrap().wish {
            Wish::Stop(code) => code,
            other => panic!("{other:?}"),
        }
    }
}

impl Client {
    pub(crate) async fn ask(&self, command: &str, arguments: Value) -> Value {
        let document = json!({ "command": command, "arguments": arguments });
        self.send(&document.to_string()).await
    }

    pub(crate) async fn send(&self, document: &str) -> Value {
        let answer = timeout(PATIENCE, exchange(&self.0, document)).await;
        let answer = answer.expect("every command is answered");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    pub(crate) async fn statistic(&self, name: &str) -> u64 {
        let answer = self.ask("statistic-get", json!({ "name": name })).await;
        let value = answer["arguments"][name][0][0].as_u64();
        value.unwrap_or_else(|| panic!("{name}: {answer}"))
    }
}

async fn exchange(path: &Path, document: &str) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(document.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

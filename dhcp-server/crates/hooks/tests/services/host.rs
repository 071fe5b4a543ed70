//! The server's side in tests: configured services, one shard, packets.

use outrigger_config::diagnostic::Position;
use outrigger_config::model::{AtStart, Endpoint, HookPointSettings, HookService, OnFailure};
use outrigger_hooks::{
    HookDrop, HookLimits, Hooks, ServerInfo, ServiceCounters, ShardHooks, Step, callouts,
};
use outrigger_proto::{Family, HookPoint};
use outrigger_wire::options::Options;
use outrigger_wire::v4::{Header4, MessageType, Packet4};
use outrigger_wire::{Classes, Link, Query4};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A directory for sockets.
pub(crate) struct Sockets(TempDir);

impl Sockets {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

pub(crate) fn position() -> Position {
    Position {
        file: "test.conf".into(),
        line: 1,
        column: 1,
    }
}

/// A service at `path` with generous times that the server waits for.
pub(crate) fn service(name: &str, path: &Path) -> HookService {
    HookService {
        name: name.to_owned(),
        endpoints: vec![Endpoint::Unix(path.to_owned())],
        deadline: Duration::from_secs(5),
        park_deadline: Duration::from_secs(5),
        on_failure: None,
        at_start: AtStart::Wait,
        hook_points: Vec::new(),
        may_change: None,
        parameters: serde_json::json!({"registry": "/etc/registry"}),
        server_api: Vec::new(),
        position: position(),
    }
}

/// Names a hook point, with a policy where given.
pub(crate) fn named(point: HookPoint, on_failure: Option<OnFailure>) -> HookPointSettings {
    HookPointSettings {
        name: point.name().to_owned(),
        position: position(),
        deadline: None,
        on_failure: on_failure.map(|action| (action, position())),
    }
}

pub(crate) fn server_info() -> ServerInfo {
    ServerInfo {
        name: "host.example".to_owned(),
        version: "0.1.0".to_owned(),
        instance_id: "instance".to_owned(),
        revision: 7,
        subnets: Vec::new(),
        server_apis: BTreeMap::new(),
    }
}

/// A server with one shard on the test's runtime.
pub(crate) struct Host {
    pub(crate) hooks: Arc<Hooks>,
    pub(crate) shard: ShardHooks,
}

impl Host {
    pub(crate) fn start(services: &[HookService]) -> Self {
        Self::with_budget(services, Duration::from_secs(10))
    }

    pub(crate) fn with_budget(services: &[HookService], budget: Duration) -> Self {
        Self::with_limits(services, budget, 256)
    }

    /// With its services ready, and room for so many held packets at one hook point.
    pub(crate) async fn with_parking(services: &[HookService], parked_packets: u32) -> Self {
        let host = Self::with_limits(services, Duration::from_secs(10), parked_packets);
        host.hooks.ready().await.unwrap();
        host
    }

    fn with_limits(services: &[HookService], budget: Duration, parked_packets: u32) -> Self {
        let limits = HookLimits {
            budget,
            parked_packets,
        };
        let hooks = Hooks::start(Family::V4, services, limits, server_info(), &[]);
        let shard = hooks.shard(&Handle::current());
        Self { hooks, shard }
    }

    /// With its services ready.
    pub(crate) async fn ready(services: &[HookService]) -> Self {
        let host = Self::start(services);
        host.hooks.ready().await.unwrap();
        host
    }

    pub(crate) fn counters(&self) -> ServiceCounters {
        self.hooks.counters().remove(0)
    }

    /// One packet that gets as far as `pkt4_receive`.
    pub(crate) async fn receive(&self) -> Result<Step, HookDrop> {
        let mut query = query();
        let mut hooks = self.shard.for_packet();
        hooks
            .call(callouts::v4::Pkt4Receive { query: &mut query })
            .await
    }
}

pub(crate) fn link() -> Link {
    Link {
        interface: "eth0".into(),
        interface_index: 2,
        local: "192.0.2.1:67".parse().unwrap(),
        remote: "192.0.2.9:68".parse().unwrap(),
    }
}

/// A DISCOVER with client identifier, parameter request list and relay information.
pub(crate) fn query() -> Query4 {
    let mut options = Options::new();
    options.push(53, &[1]);
    options.push(61, &[1, 2, 3, 4, 5, 6, 7]);
    options.push(55, &[1, 3, 6]);
    options.push(82, &[1, 2, b'e', b'1']);
    let header = Header4 {
        xid: 0x1234_5678,
        secs: 3,
        giaddr: "198.51.100.1".parse().unwrap(),
        chaddr: [2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ..Header4::default()
    };
    Query4 {
        packet: Packet4 {
            header,
            options,
            message_type: Some(MessageType::Discover),
        },
        link: link(),
        classes: Classes::default(),
        additional_classes: Classes::default(),
    }
}

/// Polls until `holds`, for at most 10 s.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} does not hold after 10 s");
}

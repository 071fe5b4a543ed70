//! `hook-services`: the one extension of Kea's dialect.

use super::Grant;
use crate::diagnostic::Position;
use std::path::PathBuf;
use std::time::Duration;

/// One hook service, as configured. Names of hook points are not known here; the position lets who knows them point
/// at a wrong one.
#[derive(Debug, Clone, PartialEq)]
pub struct HookService {
    /// Unique; in logs and metrics.
    pub name: String,
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// Time for one call.
    pub deadline: Duration,
    /// Time for the final reply after PARK, 1 ms to 30 s.
    pub park_deadline: Duration,
    /// What a failed call does, where not said per hook point; `None`: what the table of hook points says.
    pub on_failure: Option<(OnFailure, Position)>,
    /// What the server does while the service was not reached yet.
    pub at_start: AtStart,
    /// Named hook points, in configuration order: their policy holds from the first packet.
    pub hook_points: Vec<HookPointSettings>,
    /// What the service may change, as paths; `None`: whatever the table allows.
    pub may_change: Option<Vec<(String, Position)>>,
    /// Handed to the service with `Load`, as JSON text.
    pub parameters: serde_json::Value,
    /// What it may ask of the server, each once in the order of their names; empty: nothing.
    pub server_api: Vec<Grant>,
    /// Of the entry.
    pub position: Position,
}

/// Where a service listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `unix:/path`.
    Unix(PathBuf),
    /// `http://host:port`.
    Http {
        /// Name or address, IPv6 without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Http { host, port } if host.contains(':') => write!(f, "http://[{host}]:{port}"),
            Self::Http { host, port } => write!(f, "http://{host}:{port}"),
        }
    }
}

/// A policy, not a next step: what happens to the packet when a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnFailure {
    /// As if the service had answered CONTINUE without changes.
    Continue,
    /// No answer and nothing committed.
    Drop,
}

/// `at-start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AtStart {
    /// The server is not ready until `Load` succeeded.
    Wait,
    /// The configuration is refused where `Load` does not succeed.
    Refuse,
    /// The server serves at once, by policy.
    Serve,
}

/// One named hook point of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct HookPointSettings {
    /// As written: `subnet6_select`.
    pub name: String,
    /// Of the name.
    pub position: Position,
    /// Instead of the service's.
    pub deadline: Option<Duration>,
    /// Instead of the service's.
    pub on_failure: Option<(OnFailure, Position)>,
}

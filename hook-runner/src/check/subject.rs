//! The service that is checked.

use super::line::Line;
use crate::material::{Material, command};
use crate::peer::{Identity, Peer, PeerError, REVISION, Session};
use outrigger_hook_sdk::Endpoint;
use outrigger_proto::{Family, HookPoint, v1};
use std::time::Duration;

/// A rule is not known to be kept.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// What was seen.
    Failed(String),
    /// It could not be tried, because something before it went wrong.
    Impossible(String),
    /// It does not apply, for a reason that is no fault.
    Skipped(String),
}

/// Of a rule: a remark, mostly empty.
pub(crate) type Outcome = Result<String, Verdict>;

impl From<PeerError> for Verdict {
    fn from(error: PeerError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What was seen.
pub(crate) fn failed<T>(seen: impl Into<String>) -> Result<T, Verdict> {
    Err(Verdict::Failed(seen.into()))
}

/// A service and what it said to the first Load.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) endpoint: Endpoint,
    pub(crate) identity: Identity,
    pub(crate) patience: Duration,
    pub(crate) drain_pid: Option<i32>,
    pub(crate) loaded: v1::Loaded,
    pub(crate) material: Material,
}

impl Subject {
    pub(crate) fn new(
        endpoint: Endpoint,
        identity: Identity,
        patience: Duration,
        drain_pid: Option<i32>,
        loaded: v1::Loaded,
    ) -> Self {
        let mut material = Material::sample(&identity.subnets);
        if let Some(name) = loaded.commands.first() {
            material.command = command(name);
        }
        Self {
            endpoint,
            identity,
            patience,
            drain_pid,
            loaded,
            material,
        }
    }

    /// A connection.
    pub(crate) async fn connect(&self) -> Result<Peer, Verdict> {
        let peer = Peer::connect(&self.endpoint, self.patience).await;
        peer.map_err(|error| Verdict::Impossible(error.to_string()))
    }

    /// A connection on which the service is loaded.
    pub(crate) async fn load(&self) -> Result<Peer, Verdict> {
        let peer = self.connect().await?;
        let loaded = peer.load(&self.identity.load_request(REVISION)).await;
        loaded.map_err(|error| Verdict::Impossible(format!("Load: {error}")))?;
        Ok(peer)
    }

    /// Skips the rule for a service that has no sessions.
    pub(crate) fn has_sessions(&self) -> Result<(), Verdict> {
        match self.loaded.sessions {
            true => Ok(()),
            false => Err(Verdict::Skipped(
                "the service offers no sessions".to_owned(),
            )),
        }
    }

    /// A session after Welcome, and its connection.
    pub(crate) async fn session(&self) -> Result<(Peer, Session), Verdict> {
        self.has_sessions()?;
        let peer = self.load().await?;
        match peer.session(self.identity.hello(REVISION)).await {
            Ok(session) => Ok((peer, session)),
            Err(error) => Err(Verdict::Impossible(format!("no session: {error}"))),
        }
    }

    /// The way on which a server would call: a session, or calls one at a time.
    pub(crate) async fn line(&self) -> Result<Line, Verdict> {
        if self.loaded.sessions {
            let (_peer, session) = self.session().await?;
            return Ok(Line::Session(Box::new(session)));
        }
        Ok(Line::Unary(self.load().await?))
    }

    fn family(&self) -> Family {
        match self.identity.family {
            v1::Family::Dhcp6 => Family::V6,
            v1::Family::Dhcp4 | v1::Family::Unspecified => Family::V4,
        }
    }

    /// What a server calls the service for, in the order a packet meets it. Control commands are called whether it
    /// subscribed to them or not, but only those that it offers.
    pub(crate) fn points(&self) -> Result<Vec<HookPoint>, Verdict> {
        let subscriptions = &self.loaded.subscriptions;
        let mut points: Vec<HookPoint> = subscriptions
            .iter()
            .filter_map(|subscription| HookPoint::try_from(subscription.hook_point).ok())
            .filter(|point| point.is_of(self.family()) && *point != HookPoint::Command)
            .collect();
        if !self.loaded.commands.is_empty() {
            points.push(HookPoint::Command);
        }
        points.sort_unstable();
        if points.is_empty() {
            let text = "the service subscribes to no hook point of this family (see --family)";
            return Err(Verdict::Skipped(text.to_owned()));
        }
        Ok(points)
    }

    /// A hook point to call at, subscribed to if there is one.
    pub(crate) fn any_point(&self) -> HookPoint {
        let first = self
            .points()
            .ok()
            .and_then(|points| points.first().copied());
        first.unwrap_or_else(|| match self.family() {
            Family::V4 => HookPoint::Pkt4Receive,
            Family::V6 => HookPoint::Pkt6Receive,
        })
    }

    /// What the service said it changes at `point`.
    pub(crate) fn writes(&self, point: HookPoint) -> Vec<&str> {
        let subscriptions = &self.loaded.subscriptions;
        let found = subscriptions
            .iter()
            .find(|subscription| subscription.hook_point == i32::from(point.number()));
        match found {
            Some(subscription) => subscription.writes.iter().map(String::as_str).collect(),
            // A server does not ask for more than the commands themselves.
            None if point == HookPoint::Command => vec!["command-response"],
            None => Vec::new(),
        }
    }

    /// Those of [`Self::points`] where a packet can be held.
    pub(crate) fn parkable(&self) -> Vec<HookPoint> {
        let points = self.points().unwrap_or_default();
        points
            .into_iter()
            .filter(|point| point.can_park())
            .collect()
    }

    /// An ordinary call, whose packet cannot be held.
    pub(crate) fn call(&self, id: u64, point: HookPoint) -> v1::CalloutRequest {
        self.call_with(id, point, &self.material)
    }

    /// A call with these packets.
    pub(crate) fn call_with(
        &self,
        id: u64,
        point: HookPoint,
        material: &Material,
    ) -> v1::CalloutRequest {
        v1::CalloutRequest {
            id,
            hook_point: i32::from(point.number()),
            budget_us: u32::try_from(self.patience.as_micros()).unwrap_or(u32::MAX),
            packet_label: "hook-runner check".to_owned(),
            configuration_revision: REVISION,
            arguments: Some(match point {
                HookPoint::Command => self.material.arguments(point),
                _ => material.arguments(point),
            }),
            ..Default::default()
        }
    }
}

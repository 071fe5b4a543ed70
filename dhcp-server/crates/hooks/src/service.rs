//! One hook service, as all shards know it.

mod offer;

use crate::counters::{Counters, count};
use crate::hooks::ServiceState;
use crate::policy::{Cause, Failure, action_label};
use crate::reads::Reads;
use outrigger_config::model::HookService;
use outrigger_proto::{Family, HookPoint, OnFailure, v1};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One failure or warning of a kind is logged as often as this; the others are only counted.
const LOG_EVERY: Duration = Duration::from_secs(1);
/// Longest text of a service that is logged, in bytes.
const MAX_TEXT: usize = 512;

/// One hook service, as all shards know it.
pub(crate) struct Service {
    pub(crate) settings: HookService,
    pub(crate) name: Arc<str>,
    pub(crate) counters: Arc<Counters>,
    /// Of the last accepted `Load`.
    offered: Mutex<Option<Arc<Offered>>>,
    /// Whether it is called at all.
    enabled: AtomicBool,
    /// Calls whose final reply is waited for.
    pub(crate) parked: AtomicUsize,
    state: Mutex<State>,
    /// When what kind was logged last; a warning has no cause.
    logged: Mutex<HashMap<(HookPoint, Option<Cause>), Instant>>,
}

/// What a service said that it does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) subscriptions: Vec<Subscribed>,
    /// Control commands, ascending.
    pub(crate) commands: Vec<Box<str>>,
}

/// A hook point that the service wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subscribed {
    pub(crate) point: HookPoint,
    pub(crate) reads: Reads,
    pub(crate) writes: Vec<String>,
}

/// How far the service is.
#[derive(Default)]
struct State {
    /// Ready endpoints of each shard.
    ready: Vec<usize>,
    problem: Option<Problem>,
}

/// Why an endpoint is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It cannot be reached, or does not keep to the protocol.
    Unreachable(String),
    /// It does not want to work with this server or these parameters.
    Refused(String),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => f.write_str(why),
            Self::Refused(why) => write!(f, "it refuses: {why}"),
        }
    }
}

impl Service {
    pub(crate) fn new(settings: &HookService, enabled: bool) -> Self {
        Self {
            name: settings.name.as_str().into(),
            settings: settings.clone(),
            counters: Arc::default(),
            offered: Mutex::default(),
            enabled: AtomicBool::new(enabled),
            parked: AtomicUsize::default(),
            state: Mutex::default(),
            logged: Mutex::default(),
        }
    }

    /// A further shard will connect; its number.
    pub(crate) fn add_shard(&self) -> usize {
        let mut state = lock(&self.state);
        state.ready.push(0);
        state.ready.len() - 1
    }

    pub(crate) fn endpoint_ready(&self, shard: usize) {
        let mut state = lock(&self.state);
        state.problem = None;
        state.ready[shard] += 1;
    }

    pub(crate) fn endpoint_gone(&self, shard: usize) {
        lock(&self.state).ready[shard] -= 1;
    }

    pub(crate) fn endpoint_failed(&self, problem: Problem) {
        lock(&self.state).problem = Some(problem);
    }

    /// Whether each shard has an endpoint to call; the last problem where not.
    pub(crate) fn readiness(&self) -> Result<(), Option<Problem>> {
        let state = lock(&self.state);
        if state.ready.iter().all(|endpoints| *endpoints > 0) {
            Ok(())
        } else {
            Err(state.problem.clone())
        }
    }

    pub(crate) fn describe(&self) -> ServiceState {
        let readiness = self.readiness();
        let endpoints = self.settings.endpoints.iter();
        ServiceState {
            name: self.settings.name.clone(),
            endpoints: endpoints.map(ToString::to_string).collect(),
            enabled: self.is_enabled(),
            ready: readiness.is_ok(),
            why: readiness.err().flatten().map(|problem| problem.to_string()),
            connections: lock(&self.state).ready.iter().sum(),
            parked: self.parked.load(Relaxed),
        }
    }

    /// Takes what the service said in its accepted `Load`; whether anything is new.
    pub(crate) fn loaded(&self, family: Family, loaded: &v1::Loaded) -> bool {
        let offer = Arc::new(offer::read(&self.name, family, loaded));
        let mut offered = lock(&self.offered);
        let new = offered.as_ref() != Some(&offer);
        if new {
            tracing::info!(
                service = %self.name,
                name = shortened(&loaded.name),
                version = shortened(&loaded.version),
                hook_points = %names(&offer.subscriptions),
                commands = offer.commands.join(", "),
                "hook service is loaded"
            );
            self.warn_of_unwanted(&offer.subscriptions);
            *offered = Some(offer);
        }
        new
    }

    /// `None` before the first accepted `Load`.
    pub(crate) fn offered(&self) -> Option<Arc<Offered>> {
        lock(&self.offered).clone()
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Relaxed)
    }

    /// Whether it was otherwise before.
    pub(crate) fn set_enabled(&self, enabled: bool) -> bool {
        self.enabled.swap(enabled, Relaxed) != enabled
    }

    /// A hook point that the operator counts on and the service does not offer fails at each packet.
    fn warn_of_unwanted(&self, subscribed: &[Subscribed]) {
        for settings in &self.settings.hook_points {
            if !subscribed
                .iter()
                .any(|known| known.point.name() == settings.name)
            {
                tracing::warn!(
                    service = %self.name,
                    point = settings.name,
                    "the configuration names a hook point that the service does not offer: its on-failure policy applies"
                );
            }
        }
    }

    /// The one place where a failed call is counted and logged.
    pub(crate) fn failed(&self, point: HookPoint, failure: &Failure, action: OnFailure) {
        self.counters.failure(point, failure.cause, action);
        if let Some(path) = &failure.path {
            self.counters.refused(point, path);
        }
        if self.is_news(point, Some(failure.cause)) {
            tracing::warn!(
                service = %self.name,
                %point,
                cause = %failure.cause,
                action = action_label(action),
                why = shortened(&failure.text),
                "call of a hook service failed"
            );
        }
    }

    /// A result that came with a warning.
    pub(crate) fn warned(&self, point: HookPoint, packet: &str, warning: &str) {
        count(&self.counters.warnings);
        if self.is_news(point, None) {
            let warning = shortened(warning);
            tracing::warn!(service = %self.name, %point, packet, warning, "hook service warns");
        }
    }

    fn is_news(&self, point: HookPoint, cause: Option<Cause>) -> bool {
        let now = Instant::now();
        let mut logged = lock(&self.logged);
        let last = logged.get(&(point, cause));
        let news = last.is_none_or(|last| now.duration_since(*last) >= LOG_EVERY);
        if news {
            logged.insert((point, cause), now);
        }
        news
    }
}

/// The beginning of a text that a service made.
pub(crate) fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT))
        .unwrap_or(text)
}

fn names(subscribed: &[Subscribed]) -> String {
    let names: Vec<_> = subscribed.iter().map(|known| known.point.name()).collect();
    names.join(", ")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_services_are_cut_at_a_character() {
        assert_eq!(shortened("short"), "short");
        let long = "ü".repeat(MAX_TEXT);
        assert_eq!(shortened(&long).len(), MAX_TEXT);
        let odd = format!("a{long}");
        assert_eq!(shortened(&odd).len(), MAX_TEXT - 1);
    }
}

//! One hook service, as all shards know it.

use crate::counters::{Counters, count};
use crate::policy::{Cause, Failure, action_label};
use crate::reads::{Reads, unknown_paths, unknown_reads};
use outrigger_config::model::HookService;
use outrigger_proto::{Family, HookPoint, OnFailure, v1};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One failure or warning of a kind is logged as often as this; the others are only counted.
const LOG_EVERY: Duration = Duration::from_secs(1);
/// Subscriptions that are looked at: there are fewer hook points.
const MAX_SUBSCRIPTIONS: usize = 64;
/// Longest text of a service that is logged, in bytes.
const MAX_TEXT: usize = 512;

/// One hook service, as all shards know it.
pub(crate) struct Service {
    pub(crate) settings: HookService,
    pub(crate) name: Arc<str>,
    pub(crate) counters: Arc<Counters>,
    /// Of the last accepted `Load`.
    subscriptions: Mutex<Option<Arc<Vec<Subscribed>>>>,
    state: Mutex<State>,
    /// When what kind was logged last; a warning has no cause.
    logged: Mutex<HashMap<(HookPoint, Option<Cause>), Instant>>,
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
    pub(crate) fn new(settings: &HookService) -> Self {
        Self {
            name: settings.name.as_str().into(),
            settings: settings.clone(),
            counters: Arc::default(),
            subscriptions: Mutex::default(),
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

    /// Takes what the service said in its accepted `Load`; whether anything is new.
    pub(crate) fn loaded(&self, family: Family, loaded: &v1::Loaded) -> bool {
        let subscribed = Arc::new(self.subscribed(family, loaded));
        let mut subscriptions = lock(&self.subscriptions);
        let new = subscriptions.as_ref() != Some(&subscribed);
        if new {
            tracing::info!(
                service = %self.name,
                name = shortened(&loaded.name),
                version = shortened(&loaded.version),
                hook_points = %names(&subscribed),
                "hook service is loaded"
            );
            self.warn_of_unwanted(&subscribed);
            *subscriptions = Some(subscribed);
        }
        new
    }

    pub(crate) fn subscriptions(&self) -> Option<Arc<Vec<Subscribed>>> {
        lock(&self.subscriptions).clone()
    }

    fn subscribed(&self, family: Family, loaded: &v1::Loaded) -> Vec<Subscribed> {
        let mut subscribed: Vec<Subscribed> = Vec::new();
        if loaded.subscriptions.len() > MAX_SUBSCRIPTIONS {
            tracing::warn!(service = %self.name, "subscriptions after the first {MAX_SUBSCRIPTIONS} are ignored");
        }
        for subscription in loaded.subscriptions.iter().take(MAX_SUBSCRIPTIONS) {
            let service = &self.name;
            let number = subscription.hook_point;
            let Ok(point) = HookPoint::try_from(number) else {
                tracing::warn!(%service, number, "subscription to an unknown hook point is ignored");
                continue;
            };
            if !point.is_of(family) {
                tracing::warn!(%service, %point, "subscription to a hook point of the other family is ignored");
                continue;
            }
            if subscribed.iter().any(|known| known.point == point) {
                tracing::warn!(%service, %point, "second subscription to a hook point is ignored");
                continue;
            }
            if !crate::callouts::is_called(point) {
                tracing::warn!(%service, %point, "this version never calls the hook point");
            }
            let unknown_reads = unknown_reads(&subscription.reads, point).join(", ");
            if !unknown_reads.is_empty() {
                let paths = shortened(&unknown_reads);
                tracing::warn!(%service, %point, paths, "the hook point has nothing of these names to read");
            }
            let unknown_writes =
                unknown_paths(&subscription.writes, point.spec().changes).join(", ");
            if !unknown_writes.is_empty() {
                let paths = shortened(&unknown_writes);
                tracing::warn!(%service, %point, paths, "the hook point has nothing of these names to change");
            }
            subscribed.push(Subscribed {
                point,
                reads: Reads::new(&subscription.reads),
                writes: subscription.writes.clone(),
            });
        }
        subscribed
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

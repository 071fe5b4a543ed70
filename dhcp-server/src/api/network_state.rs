//! Whether packets are served.

use outrigger_config::model::{Grant, HookService};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Until when each of those who disabled the service has done so; `None`: until it is taken back.
type Origins = BTreeMap<String, Option<Instant>>;

/// Whether packets are served: where nobody has disabled it. For a packet it costs one load while that is so.
#[derive(Debug, Default)]
pub struct NetworkState {
    /// There are origins, whose time may be over.
    disabled: AtomicBool,
    origins: Mutex<Origins>,
}

/// One who has disabled the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// Name of the hook service.
    pub origin: String,
    /// What is left; `None`: until it is taken back.
    pub remaining: Option<Duration>,
}

impl NetworkState {
    /// Whether packets are served now.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        !self.disabled.load(Ordering::Acquire) || self.disabled(Instant::now()).is_empty()
    }

    /// Who has disabled it at `now`, by name.
    #[must_use]
    pub fn disabled(&self, now: Instant) -> Vec<Disabled> {
        let origins =
            self.change(|origins| origins.retain(|_, until| until.is_none_or(|until| until > now)));
        let left = |until: &Instant| until.saturating_duration_since(now);
        let each = origins.iter().map(|(origin, until)| Disabled {
            origin: origin.clone(),
            remaining: until.as_ref().map(left),
        });
        each.collect()
    }

    /// Disables it for `origin`, from `now` on for `period` or until it is taken back. Instead of what it said before.
    pub fn disable(&self, origin: &str, now: Instant, period: Option<Duration>) {
        let until = period.and_then(|period| now.checked_add(period));
        drop(self.change(|origins| origins.insert(origin.to_owned(), until)));
    }

    /// Takes back what `origin` has disabled.
    pub fn enable(&self, origin: &str) {
        drop(self.change(|origins| origins.remove(origin)));
    }

    /// Takes back what nobody could take back who is in this configuration.
    pub fn keep(&self, services: &[HookService]) {
        let may = |origin: &str| {
            let mut services = services.iter();
            services.any(|service| {
                service.name == origin && service.server_api.contains(&Grant::ServiceStateWrite)
            })
        };
        drop(self.change(|origins| origins.retain(|origin, _| may(origin))));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Origins) -> T) -> MutexGuard<'_, Origins> {
        // Nothing in here panics halfway.
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut origins);
        self.disabled.store(!origins.is_empty(), Ordering::Release);
        origins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(state: &NetworkState, now: Instant) -> Vec<String> {
        state
            .disabled(now)
            .into_iter()
            .map(|disabled| disabled.origin)
            .collect()
    }

    #[test]
    fn it_is_served_where_nobody_has_disabled_it() {
        let (state, now) = (NetworkState::default(), Instant::now());
        assert!(state.is_enabled());
        state.disable("a", now, None);
        state.disable("b", now, None);
        assert!(!state.is_enabled());
        state.enable("a");
        assert_eq!(origins(&state, now), ["b"]);
        assert!(!state.is_enabled());
        state.enable("b");
        assert!(state.is_enabled());
    }

    #[test]
    fn a_period_ends_by_itself_and_a_new_one_counts_instead() {
        let (state, now) = (NetworkState::default(), Instant::now());
        let second = Duration::from_secs(1);
        state.disable("a", now, Some(10 * second));
        state.disable("a", now, Some(20 * second));
        state.disable("b", now, Some(5 * second));
        assert_eq!(origins(&state, now + 5 * second), ["a"]);
        let left = state.disabled(now + 19 * second);
        assert_eq!(left[0].remaining, Some(second));
        assert!(state.disabled(now + 20 * second).is_empty());
        assert!(state.is_enabled());
    }

    #[test]
    fn who_is_not_in_the_configuration_disables_nothing() {
        let (state, now) = (NetworkState::default(), Instant::now());
        state.disable("gone", now, None);
        state.keep(&[]);
        assert!(state.is_enabled());
    }
}

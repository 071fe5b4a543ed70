//! Counters of services, each service in its own names.

use outrigger_config::model::HookService;
use outrigger_proto::server_v1::{Increment, Statistic};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tonic::Status;

/// Counters of one service.
const MAX_COUNTERS: usize = 256;

/// Bytes of a name.
const MAX_NAME: usize = 64;

/// By service, then by name.
type ByService = BTreeMap<String, BTreeMap<String, i64>>;

/// Counters of services.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<ByService>);

impl Counters {
    /// Adds all of them, or none.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a name that cannot be, RESOURCE_EXHAUSTED for one too many.
    pub(super) fn add(
        &self,
        service: &str,
        increments: &[Increment],
    ) -> Result<Vec<Statistic>, Status> {
        if increments.len() > MAX_COUNTERS {
            let text = format!("increments: at most {MAX_COUNTERS} at a time");
            return Err(Status::invalid_argument(text));
        }
        if let Some(wrong) = increments
            .iter()
            .find(|increment| !is_name(&increment.name))
        {
            return Err(Status::invalid_argument(format!(
                "increments.name: 1 to {MAX_NAME} lower-case letters, digits, hyphens and dots, not {:?}",
                wrong.name
            )));
        }
        let mut services = self.services();
        let counters = services.entry(service.to_owned()).or_default();
        let mut changed = counters.clone();
        let mut values = Vec::with_capacity(increments.len());
        for Increment { name, value } in increments {
            let counter = changed.entry(name.clone()).or_insert(0);
            *counter = counter.saturating_add(*value);
            values.push(Statistic {
                name: full_name(service, name),
                value: *counter,
            });
        }
        if changed.len() > MAX_COUNTERS {
            let text = format!("a service has at most {MAX_COUNTERS} counters");
            return Err(Status::resource_exhausted(text));
        }
        *counters = changed;
        Ok(values)
    }

    /// Every counter, by name.
    pub(super) fn all(&self) -> Vec<Statistic> {
        let services = self.services();
        let each = services.iter().flat_map(|(service, counters)| {
            let of_service = counters.iter();
            of_service.map(|(name, value)| Statistic {
                name: full_name(service, name),
                value: *value,
            })
        });
        let mut all: Vec<Statistic> = each.collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Forgets the counters of all other services.
    pub(super) fn keep(&self, services: &[HookService]) {
        let known = |name: &str| services.iter().any(|service| service.name == name);
        self.services().retain(|name, _| known(name));
    }

    fn services(&self) -> MutexGuard<'_, ByService> {
        // Nothing in here panics halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full_name(service: &str, name: &str) -> String {
    format!("service[{service}].{name}")
}

fn is_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'.');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn increment(name: &str, value: i64) -> Increment {
        let name = name.to_owned();
        Increment { name, value }
    }

    #[test]
    fn a_request_is_added_whole_or_not_at_all() {
        let counters = Counters::default();
        let added = counters.add("a", &[increment("x", 2), increment("x", 3)]);
        assert_eq!(added.unwrap().last().unwrap().value, 5);
        let refused = counters.add("a", &[increment("x", 1), increment("X", 1)]);
        assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);
        let many: Vec<_> = (0..MAX_COUNTERS)
            .map(|n| increment(&format!("n{n}"), 1))
            .collect();
        let refused = counters.add("a", &many);
        assert_eq!(refused.unwrap_err().code(), tonic::Code::ResourceExhausted);
        let all = counters.all();
        assert_eq!(
            (all.len(), &*all[0].name, all[0].value),
            (1, "service[a].x", 5)
        );
    }

    #[test]
    fn sums_stay_within_their_type() {
        let counters = Counters::default();
        let added = counters.add("a", &[increment("x", i64::MAX), increment("x", 1)]);
        assert_eq!(added.unwrap().last().unwrap().value, i64::MAX);
    }

    #[test]
    fn names_are_short_and_plain() {
        for name in ["", "A", "a b", "a]", "ä", &"a".repeat(MAX_NAME + 1)] {
            assert!(!is_name(name), "{name}");
        }
        for name in ["a", "unknown-users.v4", &"a".repeat(MAX_NAME)] {
            assert!(is_name(name), "{name}");
        }
    }
}

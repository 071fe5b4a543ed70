//! Which servers and configurations are loaded at present.

use outrigger_proto::v1;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Loads that are remembered. More servers and configurations at a time than this have never been useful; an older one
/// is forgotten, and its server told to load again.
const CAPACITY: usize = 64;

/// One server's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) instance_id: String,
    pub(crate) service_name: String,
    pub(crate) revision: u64,
}

#[derive(Debug)]
struct Entry<C> {
    key: Key,
    family: i32,
    callouts: Arc<C>,
}

/// The callouts of each loaded configuration, the latest load last.
#[derive(Debug)]
pub(crate) struct Loads<C>(Mutex<VecDeque<Entry<C>>>);

impl<C> Default for Loads<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> Loads<C> {
    /// Remembers `callouts` for the server and configuration of `request`.
    pub(crate) fn insert(&self, request: &v1::LoadRequest, callouts: Arc<C>) {
        let server = request.server.clone().unwrap_or_default();
        let key = Key {
            instance_id: server.instance_id,
            service_name: request.service_name.clone(),
            revision: request.configuration_revision,
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.key != key);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        entries.push_back(Entry {
            key,
            family: server.family,
            callouts,
        });
    }

    /// Of this server and configuration.
    pub(crate) fn find(&self, key: &Key) -> Option<Arc<C>> {
        self.find_by(|entry| entry.key == *key)
    }

    /// For a call outside any session, which names neither server nor service: the latest load of that family and
    /// revision.
    pub(crate) fn find_unnamed(&self, family: v1::Family, revision: u64) -> Option<Arc<C>> {
        let any = family == v1::Family::Unspecified;
        self.find_by(|entry| {
            (any || entry.family == family as i32) && entry.key.revision == revision
        })
    }

    fn find_by(&self, matches: impl Fn(&Entry<C>) -> bool) -> Option<Arc<C>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.iter().rev().find(|entry| matches(entry))?;
        Some(Arc::clone(&entry.callouts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(instance: usize, family: v1::Family, revision: u64) -> v1::LoadRequest {
        v1::LoadRequest {
            server: Some(v1::ServerIdentity {
                instance_id: instance.to_string(),
                family: family.into(),
                ..Default::default()
            }),
            configuration_revision: revision,
            ..Default::default()
        }
    }

    #[test]
    fn each_configuration_finds_its_own_callouts() {
        let loads = Loads::default();
        loads.insert(&request(1, v1::Family::Dhcp4, 1), Arc::new("v4, first"));
        loads.insert(&request(1, v1::Family::Dhcp4, 2), Arc::new("v4, second"));
        loads.insert(&request(2, v1::Family::Dhcp6, 1), Arc::new("v6, first"));
        let key = |revision| Key {
            instance_id: "1".to_owned(),
            service_name: String::new(),
            revision,
        };
        assert_eq!(loads.find(&key(1)).as_deref(), Some(&"v4, first"));
        assert_eq!(loads.find(&key(2)).as_deref(), Some(&"v4, second"));
        assert_eq!(loads.find(&key(3)), None);
        let unnamed = loads.find_unnamed(v1::Family::Dhcp6, 1);
        assert_eq!(unnamed.as_deref(), Some(&"v6, first"));
    }

    #[test]
    fn servers_that_come_and_go_do_not_pile_up() {
        let loads = Loads::default();
        for instance in 0..1000 {
            loads.insert(&request(instance, v1::Family::Dhcp4, 1), Arc::new(instance));
        }
        assert_eq!(loads.0.lock().unwrap().len(), CAPACITY);
        let latest = loads.find_unnamed(v1::Family::Dhcp4, 1);
        assert_eq!(latest.as_deref(), Some(&999));
    }
}

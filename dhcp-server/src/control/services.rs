//! What of hook services outlives a configuration.

use super::statistics::{Values, hook_service};
use outrigger_hooks::{Hooks, ServiceState, UnknownService};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

/// Which services are out of the path of packets, and the hooks of configurations that others have replaced.
#[derive(Default)]
pub struct Services {
    /// Names; also of services that the current configuration does not have.
    disabled: RefCell<BTreeSet<String>>,
    /// Of a configuration that waits for its services.
    starting: RefCell<Weak<Hooks>>,
    /// Replaced, and packets may still be under way with them.
    retiring: RefCell<Vec<Arc<Hooks>>>,
    /// What those counted that have ended, by service; of services of the current configuration alone.
    past: RefCell<BTreeMap<String, Values>>,
}

impl Services {
    /// Names of services that are out of the path: for hooks that start.
    #[must_use]
    pub fn disabled(&self) -> Vec<String> {
        self.disabled.borrow().iter().cloned().collect()
    }

    /// These hooks are to serve packets when their services are ready.
    pub fn starting(&self, hooks: &Arc<Hooks>) {
        *self.starting.borrow_mut() = Arc::downgrade(hooks);
    }

    /// Takes the service of this name, or all that are configured, into the path or out of it, at once for new calls, those
    /// of packets under way too; and remembers it for later configurations. A configuration that waits for a service goes
    /// on without it. How many were not so before.
    ///
    /// # Errors
    /// There is no service of this name.
    pub(super) fn set_enabled(
        &self,
        current: &Hooks,
        service: Option<&str>,
        enabled: bool,
    ) -> Result<usize, UnknownService> {
        let mut disabled = self.disabled.borrow_mut();
        match (service, enabled) {
            (None, true) => disabled.clear(),
            (Some(name), true) => {
                disabled.remove(name);
            }
            (None, false) | (Some(_), false) => {}
        }
        let starting = self.starting.borrow().upgrade();
        let both = [Some(current), starting.as_deref()];
        let switched = both.into_iter().flatten().map(|hooks| {
            let changed = hooks.set_enabled(service, enabled)?;
            let states = hooks.states().into_iter();
            let out_of_path = states.filter(|state| !state.enabled);
            disabled.extend(out_of_path.map(|state| state.name));
            Ok(changed)
        });
        // Each of them may have services that the other has not.
        let changed = switched
            .reduce(|one, other| match (one, other) {
                (Ok(one), Ok(other)) => Ok(one.max(other)),
                (known, Err(_)) | (Err(_), known) => known,
            })
            .unwrap_or(Ok(0))?;
        for hooks in &*self.retiring.borrow() {
            // It may have other services.
            let _ = hooks.set_enabled(service, enabled);
        }
        Ok(changed)
    }

    /// Makes hooks that are about to serve packets agree with what was said while they were being connected.
    pub fn agree(&self, hooks: &Hooks) {
        let disabled = self.disabled.borrow();
        let states = hooks.states();
        let mut past = self.past.borrow_mut();
        past.retain(|name, _| states.iter().any(|state| state.name == *name));
        for state in states {
            let enabled = !disabled.contains(&state.name);
            if state.enabled != enabled {
                // It has just named that service.
                let _ = hooks.set_enabled(Some(&state.name), enabled);
            }
        }
    }

    /// These hooks have been replaced.
    pub fn retire(&self, hooks: &Arc<Hooks>) {
        self.retiring.borrow_mut().push(Arc::clone(hooks));
    }

    /// These hooks, which have been replaced, count no more.
    pub fn ended(&self, hooks: &Arc<Hooks>) {
        let mut retiring = self.retiring.borrow_mut();
        retiring.retain(|known| !Arc::ptr_eq(known, hooks));
        let mut past = self.past.borrow_mut();
        for counters in hooks.counters() {
            let values = past.entry(counters.service.clone()).or_default();
            hook_service(&counters, values);
        }
    }

    /// How every service of `current` is, in configured order; packets that are held with hooks that others have replaced
    /// are held all the same.
    pub(super) fn states(&self, current: &Hooks) -> Vec<ServiceState> {
        let mut states = current.states();
        for replaced in self
            .retiring
            .borrow()
            .iter()
            .flat_map(|hooks| hooks.states())
        {
            if let Some(state) = states.iter_mut().find(|state| state.name == replaced.name) {
                state.parked += replaced.parked;
            }
        }
        states
    }

    /// What was counted since the server started, of the services of `current`.
    pub(super) fn count(&self, current: &Hooks, values: &mut Values) {
        let past = self.past.borrow();
        let retiring = self.retiring.borrow();
        for counters in current.counters() {
            let name = &counters.service;
            hook_service(&counters, values);
            for (statistic, value) in past.get(name).into_iter().flatten() {
                *values.entry(statistic.clone()).or_default() += value;
            }
            let replaced = retiring.iter().flat_map(|hooks| hooks.counters());
            for counters in replaced.filter(|replaced| replaced.service == *name) {
                hook_service(&counters, values);
            }
        }
    }
}

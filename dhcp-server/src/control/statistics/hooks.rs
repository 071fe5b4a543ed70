//! What is counted of hook services.

use super::Values;
use outrigger_hooks::{ServiceCounters, ServiceState};
use outrigger_proto::{NextStep, OnFailure};

/// Adds what one service counted.
pub(in crate::control) fn hook_service(service: &ServiceCounters, values: &mut Values) {
    let prefix = prefix(&service.service);
    let mut add = |name: &str, value: u64| {
        let sum = values.entry(format!("{prefix}{name}")).or_default();
        *sum += u128::from(value);
    };
    for always in ["failures", "parked-total", "refused-changes"] {
        add(always, 0);
    }
    for result in &service.results {
        let (point, step) = (result.point, result.step);
        add(&format!("result[{point}][{step}]"), result.count);
        if step == NextStep::Park && point.can_park() {
            add("parked-total", result.count);
        }
    }
    for failure in &service.failures {
        add("failures", failure.count);
        let (point, cause, action) = (failure.point, failure.cause, action_name(failure.action));
        add(
            &format!("failure[{point}][{cause}][{action}]"),
            failure.count,
        );
    }
    for refused in &service.refused_changes {
        add("refused-changes", refused.count);
        let (point, path) = (refused.point, refused.path);
        add(&format!("refused-change[{point}][{path}]"), refused.count);
    }
    add("late-replies", service.late_replies);
    add("unknown-replies", service.unknown_replies);
    add("warnings", service.warnings);
    add("unsupported-steps", service.unsupported_steps);
    add("sessions-opened", service.sessions_opened);
    add("batches", service.batches);
}

/// How one service is now.
pub(super) fn hook_state(service: &ServiceState, values: &mut Values) {
    let prefix = prefix(&service.name);
    let mut set = |name: &str, value: u128| values.insert(format!("{prefix}{name}"), value);
    set("enabled", service.enabled.into());
    set("ready", service.ready.into());
    set("sessions", service.connections as u128);
    set("parked", service.parked as u128);
}

fn prefix(service: &str) -> String {
    format!("outrigger.hook-service[{service}].")
}

fn action_name(action: OnFailure) -> &'static str {
    match action {
        OnFailure::Continue => "continue",
        OnFailure::Drop => "drop",
    }
}

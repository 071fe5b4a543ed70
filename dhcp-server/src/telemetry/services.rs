//! What hook services counted, in the log.

use outrigger_hooks::ServiceCounters;

/// Writes every counter of one service: a line for the service, and one for each kind of result, failure and refused
/// change.
pub fn log(family: &str, service: &ServiceCounters) {
    let name = &service.service;
    tracing::info!(
        family,
        service = %name,
        warnings = service.warnings,
        late_replies = service.late_replies,
        unknown_replies = service.unknown_replies,
        unsupported_steps = service.unsupported_steps,
        sessions = service.sessions_opened,
        batches = service.batches,
        "COUNTER_HOOK_SERVICE"
    );
    for result in &service.results {
        tracing::info!(
            family,
            service = %name,
            hook_point = %result.point,
            next_step = %result.step,
            calls = result.count,
            "COUNTER_HOOK_RESULTS"
        );
    }
    for failure in &service.failures {
        tracing::info!(
            family,
            service = %name,
            hook_point = %failure.point,
            cause = %failure.cause,
            action = ?failure.action,
            calls = failure.count,
            "COUNTER_HOOK_FAILURES"
        );
    }
    for refused in &service.refused_changes {
        tracing::info!(
            family,
            service = %name,
            hook_point = %refused.point,
            path = refused.path,
            calls = refused.count,
            "COUNTER_HOOK_REFUSED_CHANGES"
        );
    }
}

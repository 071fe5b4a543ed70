//! What a failed call does: a closed set of causes and one action per service and hook point.

use outrigger_config::model::{self, HookService};
use outrigger_proto::{HookPoint, OnFailure};
use std::fmt;

/// Why a call came to no result. Every failure of a call is one of these, and all take the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The service has not accepted `Load` since the server started.
    NotLoaded,
    /// No endpoint of the service is connected, or those that are do not answer.
    Unavailable,
    /// The configuration names the hook point, but the service does not offer it.
    NotSubscribed,
    /// The service did not answer in the time configured for a call.
    Deadline,
    /// The service held the packet and sent no final reply in the time configured for that.
    ParkDeadline,
    /// The time that all callouts of the packet may take together is used up.
    BudgetExhausted,
    /// Too many calls are open on the session.
    Shed,
    /// The connection ended while the call was open.
    SessionLost,
    /// The reply is not valid.
    MalformedReply,
    /// The reply changes what it may not.
    RefusedChange,
    /// The service reported that the callout failed.
    ServiceError,
    /// The request is larger than a message may be.
    Oversize,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 12] = [
        Self::NotLoaded,
        Self::Unavailable,
        Self::NotSubscribed,
        Self::Deadline,
        Self::ParkDeadline,
        Self::BudgetExhausted,
        Self::Shed,
        Self::SessionLost,
        Self::MalformedReply,
        Self::RefusedChange,
        Self::ServiceError,
        Self::Oversize,
    ];

    /// As in metrics and log fields.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotLoaded => "not_loaded",
            Self::Unavailable => "unavailable",
            Self::NotSubscribed => "not_subscribed",
            Self::Deadline => "deadline",
            Self::ParkDeadline => "park_deadline",
            Self::BudgetExhausted => "budget_exhausted",
            Self::Shed => "shed",
            Self::SessionLost => "session_lost",
            Self::MalformedReply => "malformed_reply",
            Self::RefusedChange => "refused_change",
            Self::ServiceError => "service_error",
            Self::Oversize => "oversize",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A call without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// What the operator should know beside the cause; may be empty.
    pub(crate) text: String,
    /// Of [`Cause::RefusedChange`]: what was to be changed.
    pub(crate) path: Option<String>,
}

impl Failure {
    pub(crate) fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self {
            cause,
            text: text.into(),
            path: None,
        }
    }

    /// A change of `path` that may not be.
    pub(crate) fn refused(path: impl Into<String>, why: &str) -> Self {
        let path = path.into();
        Self {
            text: format!("{path}: {why}"),
            path: Some(path),
            ..Cause::RefusedChange.into()
        }
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self::new(cause, "")
    }
}

/// What a failed call of `service` does at `point`: what is configured for the hook point, else for the service, else
/// the table's. `drop` has no effect where there is no packet that could stay without an answer.
pub(crate) fn on_failure(service: &HookService, point: HookPoint) -> OnFailure {
    let named = service
        .hook_points
        .iter()
        .find(|settings| settings.name == point.name())
        .and_then(|settings| settings.on_failure.as_ref());
    let action = match named.or(service.on_failure.as_ref()) {
        Some((model::OnFailure::Continue, _)) => OnFailure::Continue,
        Some((model::OnFailure::Drop, _)) => OnFailure::Drop,
        None => point.spec().on_failure,
    };
    if point.spec().can_drop {
        action
    } else {
        OnFailure::Continue
    }
}

/// `continue` or `drop`, as in metrics and log fields.
pub(crate) fn action_label(action: OnFailure) -> &'static str {
    match action {
        OnFailure::Continue => "continue",
        OnFailure::Drop => "drop",
    }
}

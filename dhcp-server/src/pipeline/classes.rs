//! What it means to be in a client class, in both families.

use crate::telemetry::{Discard, DiscardReason};
use outrigger_config::model::{ClassContent, Server, Settings};
use outrigger_wire::Classes;

/// The class DROP, which a test, a reservation or a callout may have added.
pub(super) fn not_in_drop_class(classes: &Classes) -> Result<(), Discard> {
    if classes.contains("DROP") {
        Err(Discard::because(DiscardReason::DropClass))
    } else {
        Ok(())
    }
}

/// Kea: members get no lease.
pub(super) fn is_rejected(classes: &Classes) -> bool {
    classes.contains("REJECT")
}

/// The first value that a class of the packet sets, in the order of membership.
pub(super) fn first<'c, F: Settings, T>(
    cfg: &'c Server<F>,
    classes: &'c Classes,
    value: impl Fn(&'c ClassContent<F>) -> Option<T>,
) -> Option<T> {
    cfg.classes
        .joined(classes)
        .find_map(|class| value(&class.content))
}

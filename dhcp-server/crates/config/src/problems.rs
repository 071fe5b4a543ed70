//! Where problems are collected, so that all of them can be shown together.

use crate::diagnostic::{Diagnostic, Position, Severity};
use std::cell::RefCell;

/// Every problem found so far. Shared by all who read a configuration.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Diagnostic>>);

impl Problems {
    /// The configuration cannot be used.
    pub(crate) fn error(&self, position: &Position, text: impl Into<String>) {
        self.add(position, Severity::Error, text.into());
    }

    /// The configuration can be used, though not quite as written.
    pub(crate) fn warning(&self, position: &Position, text: impl Into<String>) {
        self.add(position, Severity::Warning, text.into());
    }

    fn add(&self, position: &Position, severity: Severity, text: String) {
        // A problem is one line, whatever the configuration has in its strings.
        let text = text.replace(|c: char| c.is_control(), "?");
        self.0.borrow_mut().push(Diagnostic {
            position: position.clone(),
            severity,
            text,
        });
    }

    /// All of them by position, each once: a value inherited by many subnets is wrong only in one place.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| {
            (&a.position, a.severity, &a.text).cmp(&(&b.position, b.severity, &b.text))
        });
        all.dedup();
        all
    }
}

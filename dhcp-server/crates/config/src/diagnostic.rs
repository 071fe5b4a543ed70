//! Problems in a configuration, with their position.

use std::fmt;
use std::sync::Arc;

/// Where something stands in a configuration file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// As named on the command line or by the include directive.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}.{}", self.file, self.line, self.column)
    }
}

/// Whether a problem stops the configuration from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is used; something in it has no effect or will be refused one day.
    Warning,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub position: Position,
    /// How bad.
    pub severity: Severity,
    /// What and, where there is something to do, what to do. One line, no full stop.
    pub text: String,
}

/// `kea.conf:41.17: pool 192.0.2.0/25 lies outside subnet 198.51.100.0/24`; a warning says `warning: ` before its text.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity {
            Severity::Error => write!(f, "{}: {}", self.position, self.text),
            Severity::Warning => write!(f, "{}: warning: {}", self.position, self.text),
        }
    }
}

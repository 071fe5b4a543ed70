//! The server together with hook services, as clients and operators see them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

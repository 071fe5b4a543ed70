//! DHCPv4 as clients see it, against the [`Subject`](outrigger_lab::Subject) under test.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod clients;
mod exchanges;
mod persistence;

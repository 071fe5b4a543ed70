//! What a server that is killed, or that finds something unexpected at its start, does with leases.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod kea_leases;
mod kills;
mod restarts;

//! Leases in memory, in front of a journal on stable storage.
//!
//! The index answers every question a packet has; the journal makes a change durable before the client hears of it.
//! This crate does not choose addresses, calls no hook and reads no clock: time comes in as an argument.

pub mod lease;
pub mod memory;
pub mod stored;

pub use lease::{Lease, LeaseState};
pub use memory::index::Leases;
pub use stored::StoredFamily;

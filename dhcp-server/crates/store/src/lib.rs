//! Leases in memory, in front of a journal on stable storage.
//!
//! The index answers every question a packet has; the journal makes a change durable before the client hears of it.
//! This crate does not choose addresses, calls no hook and reads no clock: time comes in as an argument.
//!
//! ```text
//!            lock ─► Leases (by resource, holder, time)
//!  Store ──┤   └ apply ─► journal ─► one writer thread ─► segments
//!            durable ◄──── wakes ◄────────┘                  │
//!            compaction: leases in steps ─► snapshot, older segments go
//! ```
//!
//! Read [`store`] first, then [`memory::journal`] and [`memory::recovery`].

#[cfg(feature = "testing")]
pub mod battery;
pub mod error;
pub mod files;
pub mod lease;
pub mod memfile;
pub mod memory;
pub mod store;
pub mod stored;
#[cfg(feature = "forgetful")]
pub mod testing;

pub use error::StoreError;
pub use files::{FileLayer, OsFiles};
pub use lease::{Lease, LeaseState};
pub use memory::index::Leases;
pub use memory::journal::{StoreStatus, Ticket};
pub use memory::record::Change;
pub use memory::recovery::Recovery;
pub use store::{Store, StoreGuard, StoreOptions};
pub use stored::StoredFamily;

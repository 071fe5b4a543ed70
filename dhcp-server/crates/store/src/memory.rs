//! Leases in memory: [`index`], and what keeps them across a restart: [`journal`].

pub(crate) mod expiry;
pub mod index;
pub mod journal;
pub(crate) mod owners;
pub mod record;
pub mod recovery;
pub(crate) mod segment;
pub(crate) mod slab;
pub(crate) mod snapshot;
pub(crate) mod waiters;
pub(crate) mod writer;

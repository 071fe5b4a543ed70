//! Leases in memory: [`index`], and what keeps them across a restart: [`journal`].

pub(crate) mod expiry;
pub mod index;
pub(crate) mod owners;
pub(crate) mod slab;

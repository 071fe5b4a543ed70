//! The DHCPv4 and DHCPv6 server.
//!
//! ```text
//! net ─► shard ─► pipeline::{v4, v6} ─► shard ─► net
//!                    │   │    │
//!                 turns  │  hooks ── services
//!                      alloc ─► store ── journal
//! ```
//!
//! Read [`pipeline::v6`] or [`pipeline::v4`] first: the life of a packet on one page. [`server`] builds the parts from a
//! configuration and takes new ones.

pub mod api;
pub mod clock;
pub mod control;
pub mod identity;
pub mod instance;
pub mod net;
pub mod pipeline;
pub mod served;
pub mod server;

pub mod shard;
pub mod telemetry;
pub mod turns;
pub mod upkeep;
pub mod version;

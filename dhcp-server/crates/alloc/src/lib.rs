//! Which lease a client gets: plan, show the plan, commit.
//!
//! ```text
//! plan ── claims a candidate for this packet ──► the page shows it to its hook point ──► commit ── makes it a lease
//!   ▲                                                    │ SKIP                             │ somebody was faster
//!   └────────────────────────────────────────────────────┴──────────────────────────────────┘
//! ```
//!
//! The claim dies with the packet. Two packets are never shown the same free address, and a free address anywhere in
//! a pool is always found. This crate never calls a hook and never reads a clock.
//!
//! Read [`Allocator::plan`] first, then the module `pools`.

mod allocator;
mod bitmap;
mod commit;
pub mod lifetime;
mod plan;
mod pools;
mod range;

pub use allocator::{Allocator, Wish};
pub use commit::{ChangeSet, CommitError};
pub use plan::{Claim, Origin, Plan};
pub use range::{Kind6, Ranged};

//! Calls of remote hook services: sessions, deadlines, failure policies and reply checks.
//!
//! ```text
//! packet page ─► dispatch (chain, policy) ─► link (breaker) ─► session (table of calls, batches) ─► transport
//!                   │         ▲
//!                callouts   reply (checks)            connection: connect, Load, Session, again
//! ```
//!
//! A hook service never gets hold of the server: each call has a deadline inside the packet's budget, everything queued
//! is bounded, and whatever goes wrong is one [`Cause`] with one configured action. This crate alone knows both the
//! protocol and the packets; it decides nothing about addresses and reads no time of day.
//!
//! Read [`PacketHooks::call`] first, then [`callouts`], then [`Hooks`].

mod breaker;
mod callout;
pub mod callouts;
mod configuration;
mod connection;
mod counters;
mod dispatch;
mod hooks;
mod link;
mod messages;
mod parking;
mod policy;
mod reads;
mod reply;
mod routes;
mod service;
mod session;
mod transport;
mod unary;

pub use callout::{Callout, DropReason, Effect, HookDrop, Refused, Step};
pub use counters::{FailureCount, RefusedCount, ResultCount, ServiceCounters};
pub use dispatch::PacketHooks;
pub use hooks::{
    HookLimits, Hooks, ServerInfo, ServiceState, ShardHooks, StartFailure, UnknownService,
};
pub use policy::Cause;
pub use reads::{OptionReads, PacketReads, Reads};

//! Kea's configuration dialect: from text with positions to a model that cannot be invalid.
//!
//! ```text
//! file ─► source (lex, include, tree with byte spans) ─► written (what the file says) ─► resolve ─► model
//! ```
//!
//! Problems are collected and shown together, each as `file:line.col: text`. Parsing has no side effect: no socket
//! is opened, no interface looked up, no database reached. This crate knows neither hook points nor leases.
//!
//! Start at [`load()`]. What differs between the families is in `dialect`; what is accepted without effect, or refused
//! because it is not built, is one table, in `written::accepted`.

pub mod diagnostic;
mod dialect;
mod load;
pub mod model;
mod problems;
mod resolve;
mod revision;
mod source;
mod written;

pub use load::{Loaded, load, load_text};

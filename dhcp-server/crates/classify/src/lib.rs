//! Client classes: Kea's expression language, and which classes a packet is a member of.
//!
//! ```text
//! text ─► lex ─► parse (ast, every name resolved, every type checked) ─► eval over a Subject: packet, link, classes
//!                                                                          ▲
//! ClassTable: first pass (before the subnet) ─ second pass (after the host lookup) ─ additional (after the lease)
//! ```
//!
//! What can be wrong with an expression is wrong when it is parsed; evaluating one never panics, and copies bytes of
//! the packet only where a function makes new ones. This crate knows neither configuration files nor leases: what
//! members of a class get is the caller's, as `C` in [`ClassTable`].
//!
//! Read [`BoolExpression`] first, then [`ClassTable`].

mod ast;
mod eval;
mod expression;
mod functions;
mod lex;
mod locate;
pub mod names;
mod parse;
mod subject;
mod table;

pub use eval::Value;
pub use expression::{BoolExpression, EvalError, ParseError, StringExpression};
pub use subject::{AnyPacket, Subject};
pub use table::{Class, ClassTable, Membership};

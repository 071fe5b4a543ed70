//! Client classes of both families: the language, and who belongs to what.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be built or found fails the test"
)]

mod common;
mod expressions;
mod mistakes;
mod packets;
mod passes;

//! What the server tells about itself.

pub mod discard;

pub use discard::{Discard, DiscardReason, Discards};

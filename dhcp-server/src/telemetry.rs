//! What the server tells about itself.

pub mod discard;
pub mod services;
pub mod traffic;

pub use discard::{Discard, DiscardReason, Discards};
pub use traffic::Traffic;

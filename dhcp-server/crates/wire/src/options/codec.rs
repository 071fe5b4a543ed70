//! Option values: configured text to bytes, bytes to text.

mod dnr;
mod encode;
mod error;
mod show;
mod text;

pub use encode::{Encoded, encode};
pub use error::{EncodeError, Problem};
pub use show::{fits, to_text, typed_text};
pub use text::{bytes_from_hex, bytes_from_text};

#[cfg(test)]
mod tests;

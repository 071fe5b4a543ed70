//! Parts for tests of stores and of whole servers: a disk that forgets.

pub mod forgetful;
mod image;

pub use forgetful::{ForgetfulFiles, Survivors};

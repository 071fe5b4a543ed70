//! Kea's control commands over a unix socket, as `kea-shell` and Stork send them, against a running server.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod client;
mod life;
mod service;
mod v4;
mod v6;

//! Hook services over real sockets, with every way they can fail.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod chain;
mod enabled;
mod failures;
mod host;
mod lifecycle;
mod parking;
mod service;
mod sessions;
mod start;
mod strangers;

//! Hook services over real sockets, with every way they can fail.

mod chain;
mod failures;
mod host;
mod service;
mod sessions;
mod start;

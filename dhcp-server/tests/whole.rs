//! The whole server in this process: its pages with a clock of the test, and its shards with a simulated link.

#![expect(clippy::unwrap_used, reason = "these are tests, their helpers too")]

mod api;
mod chains;
mod chosen;
mod classes4;
mod classes6;
mod common;
mod dora;
mod hooks4;
mod hooks6;
mod life;
mod malformed;
mod offers;
mod page;
mod races;
mod random_services;
mod reload;
mod sarr;
mod shutdown;

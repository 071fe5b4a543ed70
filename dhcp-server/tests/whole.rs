//! The whole server in this process: its pages with a clock of the test, and its shards with a simulated link.

mod common;
mod dora;
mod malformed;
mod races;
mod sarr;

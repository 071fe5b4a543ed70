//! Starts, watches, restarts and drains the hook services of one host.
fn main() {}

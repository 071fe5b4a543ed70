//! Arguments, log, runtime, exit code.
fn main() {}

//! The user_chk service.
fn main() {}

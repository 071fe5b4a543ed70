//! A bounded DHCP load generator that checks what it is given.
fn main() {}

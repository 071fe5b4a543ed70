//! Write a hook service in Rust: a struct with a method for each hook point it wants.

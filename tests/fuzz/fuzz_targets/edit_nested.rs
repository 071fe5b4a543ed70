#![no_main]
//! See [`outrigger_fuzz::edit_nested`].

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| outrigger_fuzz::edit_nested(bytes));

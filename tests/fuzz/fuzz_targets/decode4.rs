#![no_main]
//! See [`outrigger_fuzz::decode4`].

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| outrigger_fuzz::decode4(bytes));

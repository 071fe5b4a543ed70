//! The server together with hook services, as clients and operators see them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad_hooks;
mod demo_hook;
mod failure_drain;
mod failure_overload;
mod failure_policies;
mod failure_rates;
mod failure_reload;
mod failure_stage;
mod hostile;
mod hostile_service;
mod sdk_check;
mod stub_service;
mod user_chk_demo;
mod user_chk_errors;
mod user_chk_mixed;
mod user_chk_stage;
mod user_chk_v4;
mod user_chk_video1;
mod user_chk_video2;

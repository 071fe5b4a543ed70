//! Write a hook service in Rust: a struct with a method for each hook point it wants.
//!
//! ```text
//! DHCP server ──Load──► Service ──makes──► Callouts, one for each server and configuration
//!             ──calls on a session──► Callouts::subnet6_select(&self, call) ──changes──► DHCP server
//! ```
//!
//! ```no_run
//! use outrigger_hook_sdk::points::Subnet6Select;
//! use outrigger_hook_sdk::{Call, Callouts, Fixed, HookError, HookPoint, Subscriptions, serve, shutdown_signal};
//!
//! /// Sends the clients of an old device type to subnet 2.
//! struct OldDevices;
//!
//! impl Callouts for OldDevices {
//!     async fn subnet6_select(&self, call: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
//!         let query = call.query()?;
//!         if query.options.iter().any(|option| option.code == 16) {
//!             call.select_subnet(2);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let subscriptions = Subscriptions::new()
//!     .point(HookPoint::Subnet6Select, &["query.options.16"], &["subnet"]);
//! let service = Fixed::new("old-devices", "1.0.0", OldDevices, subscriptions);
//! serve(&"unix:/run/old-devices.sock".parse()?, service, shutdown_signal()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The SDK does the rest: sessions with batches, deadlines, panics, health checks, reflection, the drain at SIGTERM.
//! Read [`Callouts`], [`Call`] and [`Service`]; [`testing`] runs a callout without a network.
//!
//! A hook keeps nothing per packet: what it wants to know later goes into the [context](Call::set_context), which the
//! server carries. So a service may be restarted, or run several times, at any moment.

/// The guide's examples compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/hook-authors-guide.md")]
struct Guide;

mod call;
mod callouts;
mod changes;
mod commands;
mod edits;
mod endpoint;
mod error;
mod loads;
mod outbox;
pub mod paths;
pub mod points;
mod reply;
mod rpc;
mod run;
mod serve;
mod server_api;
mod service;
mod session;
mod signals;
pub mod testing;

pub use call::Call;
pub use callouts::Callouts;
pub use commands::ControlCommand;
pub use edits::OptionEdits;
pub use endpoint::{ConnectError, Endpoint, EndpointError};
pub use error::{HookError, Refusal, ServeError};
pub use outrigger_proto::{Family, HookPoint, MAX_CONTEXT, NextStep, server_v1, v1};
pub use serve::{Bound, Server, serve};
pub use server_api::{ApiChannel, Bearer, ServerApi, ServerApiError};
pub use service::{Fixed, Loaded, Service, Subscriptions};
pub use signals::shutdown_signal;

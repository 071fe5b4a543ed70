//! What a DHCP server and its hook services agree on: the protocol and the table of hook points.
//!
//! [`hook_points`] is the one table: what each hook point is given, what a reply may change, which next steps it has.
//! [`v1`] is the generated protocol `outrigger.hooks.v1`, [`server_v1`] the API that the server has for its services.
//! [`convert`] turns foreign values into plain types and is the place where they are distrusted.
//!
//! This crate imports nothing of the server.

pub mod convert;
pub mod hook_points;
pub mod next_step;
mod server_api;

pub use hook_points::{Family, HookPoint, OnFailure, Spec};
pub use next_step::NextStep;

/// The generated protocol. The `.proto` files document it.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    rustdoc::all,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code"
)]
pub mod v1 {
    include!("generated/outrigger.hooks.v1.rs");

    /// Every message above as a `google.protobuf.FileDescriptorSet`, for server reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");
}

/// The generated protocol `outrigger.server.v1`: what services ask of the server. The `.proto` files document it.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    rustdoc::all,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code"
)]
pub mod server_v1 {
    include!("generated/outrigger.server.v1.rs");
}

/// Version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// Largest context that a service may keep per packet, in bytes.
pub const MAX_CONTEXT: usize = 4096;

/// Largest reply to one call without the answer to a control command in it, in bytes: more than all lists of edits and two
/// datagrams take. A server ends the session for a larger one.
pub const MAX_REPLY: usize = 512 * 1024;

/// Largest message either side accepts, in bytes.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

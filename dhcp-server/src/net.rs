//! Interfaces, sockets and what travels over them, a batch at a time.
//!
//! ```text
//! interfaces ─► listen ─► udp4, udp6, raw4 (one socket each) ─► batch (recvmmsg, sendmmsg)
//!                                                        peek: whose packet, how urgent
//! ```
//!
//! Nothing here parses DHCP beyond what [`peek`] needs to hand a packet to its client's shard.

pub mod batch;
mod drops;
pub mod error;
pub mod interfaces;
pub mod listen;
pub mod peek;
pub mod raw4;
pub mod socket;
#[cfg(test)]
pub(crate) mod testing;
mod transmit;
pub mod udp4;
pub mod udp6;

pub(crate) use drops::kernel_drops;
pub use error::NetError;
pub use interfaces::Interface;
pub use listen::{Sockets, open4, open6};
pub use transmit::Tap;
pub(crate) use transmit::Transmitter;

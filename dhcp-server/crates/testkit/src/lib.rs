//! Parts for tests: DHCP clients and relays of our own, and links to a server.
//!
//! The clients write and read every byte by themselves and share no code with the server, so that
//! they are a second opinion on what is on the wire. They are strict where real clients are
//! lenient: an answer with a flaw is an error with the name of the flaw.
//!
//! ```text
//! Client4, Client6 ── bytes ──► UdpLink4, UdpLink6 ── server
//!                                       │
//!                  Reply4Seen, Reply6Seen (strictly parsed)
//! ```
//!
//! Start with [`Client4`], [`Client6`]; they need no socket. The links ([`link`]) open theirs in
//! the network namespace of the calling thread.

pub mod client4;
pub mod client6;
mod cursor;
pub mod link;
pub mod reply4;
pub mod reply6;

pub use client4::{Client4, Relay4};
pub use client6::{Client6, Hint6, Ia, IaKind, Relay6};
pub use cursor::ReplyError;
pub use link::{Delivered4, LinkError, LossyPath, UdpLink4, UdpLink6};
pub use reply4::Reply4Seen;
pub use reply6::Reply6Seen;

//! DHCPv4 and DHCPv6 packets as bytes.
//!
//! A received packet is checked once, at the edge, and stays the bytes it came as: a header view plus an index of
//! its options. Unknown and malformed options survive as bytes and are typed only where they are used. Replies are
//! built as a list of options and appended to a buffer.
//!
//! This crate never opens a socket, never reads a clock, and knows neither leases nor configuration. `dhcproto` is
//! its vocabulary (message types, option codes) and its oracle in tests; it never sees bytes that were not checked.
//!
//! Read [`options`] first, then [`v4`] or [`v6`].

pub mod buffer;
pub mod classes;
pub mod family;
pub mod ids;
pub mod options;
pub mod packet;
pub mod relay4;
pub mod v4;
pub mod v6;

pub use classes::Classes;
pub use family::{Family, V4, V6};
pub use ids::{ClientId, Duid, HwAddress, Iaid, Prefix6};
pub use packet::{Datagram, Link, Outgoing, Query, Query4, Query6};

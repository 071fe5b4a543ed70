//! The DHCPv4 and DHCPv6 server.

pub mod net;
pub mod shard;
pub mod turns;

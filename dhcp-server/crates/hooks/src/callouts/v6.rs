//! The hook points of DHCPv6, in the order a packet meets them.

mod lease;
mod receive;
mod send;

pub use lease::{
    Lease6Decline, Lease6Expire, Lease6Rebind, Lease6Recover, Lease6Release, Lease6Renew,
    Lease6Select,
};
pub use receive::{Buffer6Receive, Ddns6Update, Host6Identifier, Pkt6Receive, Subnet6Select};
pub use send::{Addr6Register, Buffer6Send, Leases6Committed, Pkt6Send};

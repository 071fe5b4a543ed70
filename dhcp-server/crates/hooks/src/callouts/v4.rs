//! The hook points of DHCPv4, in the order a packet meets them.

mod lease;
mod receive;
mod send;

pub use lease::{
    Lease4Decline, Lease4Expire, Lease4Recover, Lease4Release, Lease4Renew, Lease4Select,
    Lease4ServerDecline,
};
pub use receive::{Buffer4Receive, Ddns4Update, Host4Identifier, Pkt4Receive, Subnet4Select};
pub use send::{Buffer4Send, Lease4Offer, Leases4Committed, Pkt4Send};

//! Packets with what does not stand in their bytes.

use crate::buffer::Buffer;
use crate::classes::Classes;
use crate::v4::Packet4;
use crate::v6::Packet6;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where a packet came from or goes to. "Local" is always the server's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Name of the server's interface.
    pub interface: Arc<str>,
    /// Its index.
    pub interface_index: u32,
    /// Of a query: the address it was sent to (a broadcast or multicast address too). Of a reply: to send from.
    pub local: SocketAddr,
    /// The client or the relay.
    pub remote: SocketAddr,
}

/// A datagram as it came.
#[derive(Debug)]
pub struct Datagram {
    /// UDP payload.
    pub bytes: Buffer,
    /// Where from.
    pub link: Link,
}

/// A parsed packet of a client, with its link and classes.
#[derive(Debug)]
pub struct Query<P> {
    /// What the client sent.
    pub packet: P,
    /// Where from.
    pub link: Link,
    /// Classes it has joined so far.
    pub classes: Classes,
    /// Classes that callouts named, to be evaluated once the lease is known. Not joined yet.
    pub additional_classes: Classes,
}

/// A DHCPv4 query.
pub type Query4 = Query<Packet4>;

/// A DHCPv6 query.
pub type Query6 = Query<Packet6>;

/// A datagram to send.
#[derive(Debug)]
pub struct Outgoing {
    /// UDP payload.
    pub bytes: Buffer,
    /// From where to whom.
    pub link: Link,
    /// DHCPv4 to a client that has no address yet: a frame to its hardware address instead of a routed datagram.
    pub to_hardware: Option<crate::HwAddress>,
}

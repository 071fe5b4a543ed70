//! What an expression is asked about.

use outrigger_wire::v4::Packet4;
use outrigger_wire::v6::Packet6;
use outrigger_wire::{Classes, Link};

/// A packet with what does not stand in its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What the client sent.
    pub packet: AnyPacket<'a>,
    /// Where from.
    pub link: &'a Link,
    /// Classes it has joined so far.
    pub classes: &'a Classes,
}

/// A packet of either family.
#[derive(Debug, Clone, Copy)]
pub enum AnyPacket<'a> {
    /// DHCPv4.
    V4(&'a Packet4),
    /// DHCPv6.
    V6(&'a Packet6),
}

impl<'a> From<&'a Packet4> for AnyPacket<'a> {
    fn from(packet: &'a Packet4) -> Self {
        Self::V4(packet)
    }
}

impl<'a> From<&'a Packet6> for AnyPacket<'a> {
    fn from(packet: &'a Packet6) -> Self {
        Self::V6(packet)
    }
}

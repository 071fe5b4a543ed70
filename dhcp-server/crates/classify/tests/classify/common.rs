//! Packets to ask questions about.

use outrigger_classify::{AnyPacket, Subject};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::tlv::TlvKind;
use outrigger_wire::v4::Packet4;
use outrigger_wire::v6::Packet6;
use outrigger_wire::{Classes, Link, v4, v6};
use std::net::SocketAddr;

/// A packet, where it came from, and what it is a member of.
pub(crate) struct Asked<P> {
    pub(crate) packet: P,
    pub(crate) link: Link,
    pub(crate) classes: Classes,
}

impl<P> Asked<P>
where
    for<'a> &'a P: Into<AnyPacket<'a>>,
{
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            packet: (&self.packet).into(),
            link: &self.link,
            classes: &self.classes,
        }
    }
}

fn link(local: &str, remote: &str) -> Link {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    Link {
        interface: "eth0".into(),
        interface_index: 2,
        local: address(local),
        remote: address(remote),
    }
}

/// Options, one behind the other.
pub(crate) fn written(kind: TlvKind, options: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (code, payload) in options {
        kind.write(&mut bytes, *code, payload).unwrap();
    }
    bytes
}

/// A relayed DISCOVER with these options behind the message type.
pub(crate) fn query4(options: &[(u32, &[u8])]) -> Asked<Packet4> {
    let mut bytes = vec![1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef];
    bytes.extend([0; 4]);
    bytes.extend([192, 0, 2, 9, 0, 0, 0, 0, 192, 0, 2, 1, 10, 0, 0, 1]);
    bytes.extend([0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcc]);
    bytes.resize(236, 0);
    bytes.extend([99, 130, 83, 99, 53, 1, 1]);
    bytes.extend(written(TlvKind::V4, options));
    bytes.push(255);
    Asked {
        packet: v4::decode(Buffer::copy_of(&bytes)).unwrap(),
        link: link("255.255.255.255:67", "10.0.0.1:67"),
        classes: Classes::default(),
    }
}

/// A Solicit with these options, through these relays, the one nearest the server first.
pub(crate) fn query6(options: &[(u32, &[u8])], relays: &[&[(u32, &[u8])]]) -> Asked<Packet6> {
    let mut bytes = vec![1, 0x0a, 0x0b, 0x0c];
    bytes.extend(written(TlvKind::V6, options));
    for (hops, own) in relays.iter().rev().enumerate() {
        let hops = u8::try_from(hops).unwrap();
        let mut outer = vec![12, hops];
        outer.extend([
            0x20,
            1,
            0x0d,
            0xb8,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            hops + 1,
        ]);
        outer.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, hops + 1]);
        outer.extend(written(TlvKind::V6, own));
        outer.extend(written(TlvKind::V6, &[(9, &bytes)]));
        bytes = outer;
    }
    Asked {
        packet: v6::decode(Buffer::copy_of(&bytes)).unwrap(),
        link: link("[ff02::1:2]:547", "[fe80::5]:546"),
        classes: Classes::default(),
    }
}

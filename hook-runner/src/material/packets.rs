//! Packets as samples, and as datagrams.

use bytes::{BufMut, Bytes};
use outrigger_hook_sdk::testing::{packet4, packet6};
use outrigger_proto::v1;

const SAMPLE_MAC: [u8; 6] = [2, 0, 0, 0, 0x0c, 1];
const SAMPLE_DUID: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0x0c, 1];
/// IAID 1 with 2001:db8:1::a for 3000 s and 4000 s.
pub(super) const SAMPLE_IA: &[u8] = &[
    0, 0, 0, 1, 0, 0, 3, 0xe8, 0, 0, 7, 0xd0, 0, 5, 0, 24, 0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x0a, 0, 0, 0x0b, 0xb8, 0, 0, 0x0f, 0xa0,
];
const EMPTY_IA: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
/// Enterprise 4491 with an empty sub-option 33.
const SAMPLE_VENDOR: &[u8] = &[0, 0, 0x11, 0x8b, 0, 33, 0, 0];

/// A REQUEST (RFC 2131 §3).
pub(super) fn query4() -> v1::Packet4 {
    let client_id = [1, 2, 0, 0, 0, 0x0c, 1];
    let options: &[(u8, &[u8])] = &[
        (53, &[3]),
        (61, &client_id),
        (50, &[192, 0, 2, 10]),
        (12, b"client"),
        (55, &[1, 3, 6, 15, 66, 67]),
    ];
    v1::Packet4 {
        link: Some(sample_link(&[192, 0, 2, 1], 67, &[0, 0, 0, 0], 68)),
        ..packet4(3, SAMPLE_MAC, options)
    }
}

/// The ACK to it.
pub(super) fn response4() -> v1::Packet4 {
    let options: &[(u8, &[u8])] = &[
        (53, &[5]),
        (54, &[192, 0, 2, 1]),
        (51, &[0, 0, 0x0f, 0xa0]),
        (1, &[255, 255, 255, 0]),
    ];
    v1::Packet4 {
        op: 2,
        yiaddr: Bytes::from_static(&[192, 0, 2, 10]),
        ..packet4(5, SAMPLE_MAC, options)
    }
}

/// A REQUEST (RFC 9915 §18.2.2).
pub(super) fn query6() -> v1::Packet6 {
    let options: &[(u16, &[u8])] = &[
        (1, SAMPLE_DUID),
        (3, EMPTY_IA),
        (6, &[0, 17, 0, 23]),
        (8, &[0, 0]),
    ];
    let local = "ff02::1:2".parse().map_or([0; 16], octets);
    let remote = "fe80::1".parse().map_or([0; 16], octets);
    v1::Packet6 {
        link: Some(sample_link(&local, 547, &remote, 546)),
        ..packet6(3, options)
    }
}

fn octets(address: std::net::Ipv6Addr) -> [u8; 16] {
    address.octets()
}

/// The REPLY to it.
pub(super) fn response6() -> v1::Packet6 {
    let options: &[(u16, &[u8])] = &[
        (1, SAMPLE_DUID),
        (2, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]),
        (3, SAMPLE_IA),
        (17, SAMPLE_VENDOR),
    ];
    packet6(7, options)
}

fn sample_link(local: &[u8], local_port: u32, remote: &[u8], remote_port: u32) -> v1::Link {
    v1::Link {
        interface: "eth0".to_owned(),
        interface_index: 1,
        local_address: Bytes::copy_from_slice(local),
        local_port,
        remote_address: Bytes::copy_from_slice(remote),
        remote_port,
    }
}

/// Packets as elsewhere: never with the datagram.
pub(super) fn parsed4(packet: &v1::Packet4) -> v1::Packet4 {
    v1::Packet4 {
        wire: Bytes::new(),
        ..packet.clone()
    }
}

pub(super) fn parsed6(packet: &v1::Packet6) -> v1::Packet6 {
    v1::Packet6 {
        wire: Bytes::new(),
        ..packet.clone()
    }
}

/// As at the hook points of unparsed packets: link and datagram, nothing else.
pub(super) fn unparsed4(packet: &v1::Packet4) -> v1::Packet4 {
    let wire = match packet.wire.is_empty() {
        true => datagram4(packet),
        false => packet.wire.clone(),
    };
    v1::Packet4 {
        link: packet.link.clone(),
        wire,
        ..Default::default()
    }
}

pub(super) fn unparsed6(packet: &v1::Packet6) -> v1::Packet6 {
    let wire = match packet.wire.is_empty() {
        true => datagram6(packet),
        false => packet.wire.clone(),
    };
    v1::Packet6 {
        link: packet.link.clone(),
        wire,
        ..Default::default()
    }
}

fn low_byte(number: u32) -> u8 {
    number.to_be_bytes()[3]
}

fn low_half(number: u32) -> u16 {
    let [_, _, high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// RFC 2131 §2. Options longer than 255 bytes come in pieces (RFC 3396).
fn datagram4(packet: &v1::Packet4) -> Bytes {
    let hw_address = packet.hw_address.clone().unwrap_or_default();
    let mut bytes = Vec::with_capacity(300);
    let length = hw_address.address.len().min(16);
    bytes.put_u8(low_byte(packet.op));
    bytes.put_u8(low_byte(hw_address.htype));
    bytes.put_u8(u8::try_from(length).unwrap_or(16));
    bytes.put_u8(low_byte(packet.hops));
    bytes.put_u32(packet.transaction_id);
    bytes.put_u16(low_half(packet.secs));
    bytes.put_u16(low_half(packet.flags));
    let addresses = [
        &packet.ciaddr,
        &packet.yiaddr,
        &packet.siaddr,
        &packet.giaddr,
    ];
    for address in addresses {
        put_padded(&mut bytes, address, 4);
    }
    put_padded(&mut bytes, &hw_address.address, 16);
    put_padded(&mut bytes, &packet.sname, 64);
    put_padded(&mut bytes, &packet.file, 128);
    bytes.put_slice(&[99, 130, 83, 99]);
    for option in &packet.options {
        let pieces = option
            .data
            .chunks(255)
            .chain(option.data.is_empty().then_some(&[][..]));
        for piece in pieces {
            bytes.put_u8(low_byte(option.code));
            bytes.put_u8(u8::try_from(piece.len()).unwrap_or(u8::MAX));
            bytes.put_slice(piece);
        }
    }
    bytes.put_u8(255);
    bytes.into()
}

fn put_padded(bytes: &mut Vec<u8>, field: &[u8], length: usize) {
    let used = field.len().min(length);
    bytes.put_slice(&field[..used]);
    bytes.put_bytes(0, length - used);
}

/// RFC 9915 §8, without relays.
fn datagram6(packet: &v1::Packet6) -> Bytes {
    let mut bytes = Vec::with_capacity(128);
    bytes.put_u8(low_byte(packet.message_type));
    bytes.put_slice(&packet.transaction_id.to_be_bytes()[1..]);
    for option in &packet.options {
        bytes.put_u16(low_half(option.code));
        bytes.put_u16(u16::try_from(option.data.len()).unwrap_or(u16::MAX));
        bytes.put_slice(&option.data[..option.data.len().min(usize::from(u16::MAX))]);
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_wire::buffer::Buffer;

    #[test]
    fn sample_datagrams_are_what_a_server_reads() {
        let query = outrigger_wire::v4::decode(Buffer::copy_of(&datagram4(&query4()))).unwrap();
        assert_eq!(query.options.get(12), Some(&b"client"[..]));
        assert_eq!(query.hw_address().bytes(), SAMPLE_MAC);
        let query = outrigger_wire::v6::decode(Buffer::copy_of(&datagram6(&query6()))).unwrap();
        assert_eq!(query.client_id().unwrap().bytes(), SAMPLE_DUID);
    }
}

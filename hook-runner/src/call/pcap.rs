//! DHCP datagrams of a capture: classic pcap, Ethernet, IPv4 and IPv6, UDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why a capture cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PcapError {
    /// The younger format.
    #[error("it is in pcapng format: convert it with `editcap -F pcap IN OUT`")]
    Pcapng,
    /// Only Ethernet is known.
    #[error("its link type is {0}; only Ethernet (1) can be read")]
    LinkType(u32),
}

/// The payload of one UDP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UdpPacket {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Vec<u8>,
}

const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const ETHERNET: u32 = 1;
const HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const UDP: u8 = 17;
/// Hop-by-hop, routing and destination options: extension headers with a length.
const EXTENSIONS: [u8; 3] = [0, 43, 60];

/// Whether the file is a capture at all.
pub(super) fn is_capture(file: &[u8]) -> bool {
    file.starts_with(&PCAPNG) || endianness(file).is_some()
}

/// Reads four bytes of the capture's own headers.
type ReadU32 = fn([u8; 4]) -> u32;

/// By the magic number, that of microseconds or of nanoseconds.
fn endianness(file: &[u8]) -> Option<ReadU32> {
    let magic = *file.first_chunk::<4>()?;
    let little: ReadU32 = u32::from_le_bytes;
    let big: ReadU32 = u32::from_be_bytes;
    [little, big]
        .into_iter()
        .find(|read| matches!(read(magic), 0xa1b2_c3d4 | 0xa1b2_3c4d))
}

fn number(file: &[u8], at: usize, read: ReadU32) -> Option<u32> {
    Some(read(*file.get(at..)?.first_chunk()?))
}

/// Every whole UDP packet; others are passed over, and so is what follows a cut record.
pub(super) fn udp_packets(file: &[u8]) -> Result<Vec<UdpPacket>, PcapError> {
    let Some(read) = endianness(file) else {
        return Err(PcapError::Pcapng);
    };
    // The upper bits tell of frame check sequences.
    let link_type = number(file, 20, read).unwrap_or(0) & 0xffff;
    if link_type != ETHERNET {
        return Err(PcapError::LinkType(link_type));
    }
    let mut packets = Vec::new();
    let mut at = HEADER;
    while let Some(length) = number(file, at + 8, read) {
        let start = at + RECORD_HEADER;
        let Some(end) = usize::try_from(length)
            .ok()
            .and_then(|length| start.checked_add(length))
        else {
            break;
        };
        let Some(frame) = file.get(start..end) else {
            break;
        };
        packets.extend(ethernet(frame));
        at = end;
    }
    Ok(packets)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn ethernet(frame: &[u8]) -> Option<UdpPacket> {
    let mut at = 12;
    // VLAN tags, also stacked.
    while matches!(u16_at(frame, at)?, 0x8100 | 0x88a8) {
        at += 4;
    }
    let packet = frame.get(at + 2..)?;
    match u16_at(frame, at)? {
        0x0800 => ipv4(packet),
        0x86dd => ipv6(packet),
        _ => None,
    }
}

fn ipv4(packet: &[u8]) -> Option<UdpPacket> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let is_fragment = u16_at(packet, 6)? & 0x3fff != 0;
    if header < 20 || is_fragment || *packet.get(9)? != UDP {
        return None;
    }
    let address = |at: usize| Some(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?));
    udp(
        packet.get(header..)?,
        address(12)?.into(),
        address(16)?.into(),
    )
}

fn ipv6(packet: &[u8]) -> Option<UdpPacket> {
    let address = |at: usize| Some(Ipv6Addr::from(*packet.get(at..)?.first_chunk::<16>()?));
    let (source, destination) = (address(8)?, address(24)?);
    let mut next = *packet.get(6)?;
    let mut rest = packet.get(40..)?;
    while EXTENSIONS.contains(&next) {
        next = *rest.first()?;
        let length = (usize::from(*rest.get(1)?) + 1) * 8;
        rest = rest.get(length..)?;
    }
    match next {
        UDP => udp(rest, source.into(), destination.into()),
        _ => None,
    }
}

fn udp(datagram: &[u8], source: IpAddr, destination: IpAddr) -> Option<UdpPacket> {
    let length = usize::from(u16_at(datagram, 4)?);
    Some(UdpPacket {
        source: SocketAddr::new(source, u16_at(datagram, 0)?),
        destination: SocketAddr::new(destination, u16_at(datagram, 2)?),
        payload: datagram.get(8..length)?.to_vec(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A capture of one frame, little-endian.
    pub(in crate::call) fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        file.extend([0; 8]);
        file.extend(65_535_u32.to_le_bytes());
        file.extend(ETHERNET.to_le_bytes());
        for frame in frames {
            let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
            file.extend([0; 8]);
            file.extend(length);
            file.extend(length);
            file.extend(frame);
        }
        file
    }

    /// A frame with a VLAN tag.
    pub(in crate::call) fn frame4(payload: &[u8], ports: (u16, u16)) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x81, 0, 0, 7, 8, 0]);
        frame.extend([
            0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, UDP, 0, 0, 192, 0, 2, 9, 192, 0, 2, 1,
        ]);
        frame.extend(udp_header(payload, ports));
        frame.extend(payload);
        frame
    }

    fn udp_header(payload: &[u8], (source, destination): (u16, u16)) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 8).unwrap();
        let numbers = [source, destination, length, 0];
        numbers.into_iter().flat_map(u16::to_be_bytes).collect()
    }

    fn frame6(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2; 12];
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 0, 64]);
        frame.extend(Ipv6Addr::LOCALHOST.octets());
        frame.extend(Ipv6Addr::UNSPECIFIED.octets());
        // Hop-by-hop options.
        frame.extend([UDP, 0, 1, 4, 0, 0, 0, 0]);
        frame.extend(udp_header(payload, (546, 547)));
        frame.extend(payload);
        frame
    }

    #[test]
    fn udp_is_found_behind_tags_and_extension_headers() {
        let file = capture(&[frame4(b"four", (68, 67)), vec![0; 60], frame6(b"six")]);
        assert!(is_capture(&file));
        let found = udp_packets(&file).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].payload, b"four");
        assert_eq!(found[0].source, "192.0.2.9:68".parse().unwrap());
        assert_eq!(found[1].payload, b"six");
        assert_eq!(found[1].destination, "[::]:547".parse().unwrap());
    }

    #[test]
    fn a_cut_capture_gives_what_is_whole() {
        let file = capture(&[frame4(b"first", (68, 67)), frame6(b"second")]);
        for end in 0..file.len() {
            let found = udp_packets(&file[..end]).unwrap_or_default();
            assert!(found.len() < 2, "{end}");
        }
    }

    #[test]
    fn other_formats_are_named() {
        assert!(is_capture(&PCAPNG));
        assert_eq!(udp_packets(&PCAPNG), Err(PcapError::Pcapng));
        let mut file = capture(&[]);
        file[20] = 113;
        assert_eq!(udp_packets(&file), Err(PcapError::LinkType(113)));
        assert!(!is_capture(b"{}") && !is_capture(b"01"));
    }
}

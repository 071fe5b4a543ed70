//! Ethernet, IPv4 and UDP headers by hand, for clients without an address.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::cursor::{Cursor, ReplyError};

const ETHERTYPE_IPV4: u16 = 0x0800;
const IP_PROTOCOL_UDP: u8 = 17;

/// A UDP datagram in an Ethernet frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) to_hw: [u8; 6],
    pub(super) from_hw: [u8; 6],
    pub(super) from: SocketAddrV4,
    pub(super) to: SocketAddrV4,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame's bytes.
    ///
    /// # Panics
    ///
    /// When the payload is too long for one datagram.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let udp_length = u16::try_from(8 + self.payload.len()).expect("a DHCP message fits UDP");
        let ip_length = udp_length.checked_add(20).expect("a DHCP message fits IP");

        let mut ip = vec![0x45, 0];
        ip.extend(ip_length.to_be_bytes());
        ip.extend([0, 0, 0, 0, 64, IP_PROTOCOL_UDP, 0, 0]);
        ip.extend(self.from.ip().octets());
        ip.extend(self.to.ip().octets());
        let checksum = !sum(&ip);
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());

        let mut udp = self.from.port().to_be_bytes().to_vec();
        udp.extend(self.to.port().to_be_bytes());
        udp.extend(udp_length.to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(self.payload);
        // RFC 768: a computed zero is sent as all ones, zero means there is none.
        let checksum = match !self.udp_sum(&udp) {
            0 => 0xFFFF,
            sum => sum,
        };
        udp[6..8].copy_from_slice(&checksum.to_be_bytes());

        let mut bytes = [self.to_hw, self.from_hw].concat();
        bytes.extend(ETHERTYPE_IPV4.to_be_bytes());
        bytes.extend(ip);
        bytes.extend(udp);
        bytes
    }

    /// Reads a frame; none when it is not an unfragmented UDP datagram over IPv4.
    ///
    /// # Errors
    ///
    /// Names what is cut off or does not add up.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, ReplyError> {
        let mut cursor = Cursor::new(bytes);
        let to_hw = cursor.array("destination hardware address")?;
        let from_hw = cursor.array("source hardware address")?;
        if cursor.u16("ethertype")? != ETHERTYPE_IPV4 {
            return Ok(None);
        }
        let Some((from_ip, to_ip, udp)) = read_ip(cursor.rest())? else {
            return Ok(None);
        };
        let mut cursor = Cursor::new(udp);
        let from_port = cursor.u16("source port")?;
        let to_port = cursor.u16("destination port")?;
        let length = cursor.u16("UDP length")?;
        let checksum = cursor.u16("UDP checksum")?;
        if usize::from(length) != udp.len() {
            return Err(ReplyError::invalid("UDP length", length.to_string()));
        }
        let frame = Self {
            to_hw,
            from_hw,
            from: SocketAddrV4::new(from_ip, from_port),
            to: SocketAddrV4::new(to_ip, to_port),
            payload: cursor.rest(),
        };
        if checksum != 0 && frame.udp_sum(udp) != 0xFFFF && checksum != frame.pseudo_sum(length) {
            return Err(ReplyError::invalid("UDP checksum", "does not add up"));
        }
        Ok(Some(frame))
    }

    fn udp_sum(&self, udp: &[u8]) -> u16 {
        let length = u16::try_from(udp.len()).expect("callers checked the length");
        add(self.pseudo_sum(length), sum(udp))
    }

    /// Sum of the pseudo header. Over virtual links the kernel leaves the rest of the checksum to
    /// a device that is not there, so received frames may carry only this.
    fn pseudo_sum(&self, udp_length: u16) -> u16 {
        let mut header = self.from.ip().octets().to_vec();
        header.extend(self.to.ip().octets());
        header.extend([0, IP_PROTOCOL_UDP]);
        header.extend(udp_length.to_be_bytes());
        sum(&header)
    }
}

/// Source, destination and payload of an IPv4 packet.
type IpParts<'a> = (Ipv4Addr, Ipv4Addr, &'a [u8]);

/// Checks an IPv4 header; yields source, destination and payload without Ethernet padding.
fn read_ip(bytes: &[u8]) -> Result<Option<IpParts<'_>>, ReplyError> {
    let mut cursor = Cursor::new(bytes);
    let version_and_length = cursor.u8("IP version")?;
    let header_length = usize::from(version_and_length & 0x0F) * 4;
    if version_and_length >> 4 != 4 || header_length < 20 {
        return Err(ReplyError::invalid(
            "IP version and header length",
            format!("{version_and_length:#04x}"),
        ));
    }
    cursor.u8("type of service")?;
    let total_length = usize::from(cursor.u16("IP length")?);
    cursor.u16("IP identification")?;
    let fragment = cursor.u16("IP fragment")?;
    cursor.u8("time to live")?;
    let protocol = cursor.u8("IP protocol")?;
    cursor.u16("IP checksum")?;
    let from = cursor.ipv4("IP source")?;
    let to = cursor.ipv4("IP destination")?;
    if protocol != IP_PROTOCOL_UDP || fragment & 0x3FFF != 0 {
        return Ok(None);
    }
    let header = bytes.get(..header_length).unwrap_or_default();
    let payload = bytes.get(header_length..total_length);
    let payload = payload.ok_or_else(|| {
        ReplyError::invalid(
            "IP length",
            format!("{total_length} with {} bytes received", bytes.len()),
        )
    })?;
    if sum(header) != 0xFFFF {
        return Err(ReplyError::invalid("IP checksum", "does not add up"));
    }
    Ok(Some((from, to, payload)))
}

/// Ones' complement sum (RFC 1071).
fn sum(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0, |total, pair| {
        let low = pair.get(1).copied().unwrap_or(0);
        add(total, u16::from_be_bytes([pair[0], low]))
    })
}

fn add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame<'static> {
        Frame {
            to_hw: [0xFF; 6],
            from_hw: [2, 0, 0, 0, 0, 7],
            from: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
            to: SocketAddrV4::new(Ipv4Addr::BROADCAST, 67),
            payload: b"an odd payload",
        }
    }

    #[test]
    fn frame_reads_back_with_ethernet_padding() {
        for payload in [&b"odd"[..], b"even"] {
            let frame = Frame { payload, ..frame() };
            let mut bytes = frame.to_bytes();
            bytes.resize(60, 0);
            assert_eq!(Frame::parse(&bytes), Ok(Some(frame)));
        }
    }

    #[test]
    fn ip_checksum_is_that_of_a_known_header() {
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
            0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(sum(&header), 0xFFFF);
    }

    #[test]
    fn changed_byte_is_noticed_and_a_cut_never_panics() {
        let bytes = frame().to_bytes();
        for at in 14..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            assert_ne!(Frame::parse(&changed), Ok(Some(frame())), "byte {at}");
        }
        for end in 0..bytes.len() {
            let cut = Frame::parse(&bytes[..end]);
            assert!(cut.is_err(), "{end}: {cut:?}");
        }
    }

    #[test]
    fn unfinished_checksum_of_a_virtual_link_is_accepted_but_a_wrong_one_is_not() {
        let mut bytes = frame().to_bytes();
        let partial = frame().pseudo_sum(u16::try_from(8 + frame().payload.len()).unwrap());
        bytes[40..42].copy_from_slice(&partial.to_be_bytes());
        assert_eq!(Frame::parse(&bytes), Ok(Some(frame())));
        bytes[40..42].copy_from_slice(&(partial ^ 1).to_be_bytes());
        assert!(Frame::parse(&bytes).is_err());
    }

    #[test]
    fn other_traffic_is_passed_over() {
        let mut arp = frame().to_bytes();
        arp[13] = 6;
        assert_eq!(Frame::parse(&arp), Ok(None));
        let mut tcp = frame().to_bytes();
        tcp[23] = 6;
        assert_eq!(Frame::parse(&tcp), Ok(None));
    }
}

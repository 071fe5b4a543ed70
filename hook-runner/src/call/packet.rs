//! Packets from files, as a service gets them.

use super::description::{DescriptionError, packet4, packet6};
use super::pcap::{self, PcapError, UdpPacket};
use crate::material::Material;
use bytes::Bytes;
use outrigger_proto::{Family, v1};
use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::Options;
use outrigger_wire::v4::{self, Malformed4};
use outrigger_wire::v6::{self, Malformed6};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Why there is no packet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PacketError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{what} has a character that is no hex digit, or an odd number of digits")]
    Hex { what: String },
    #[error("{}: {source}", path.display())]
    Capture { path: PathBuf, source: PcapError },
    #[error("{}: it has {found} {kind}; number {number} was asked for", path.display())]
    NotThere {
        path: PathBuf,
        kind: &'static str,
        found: usize,
        number: usize,
    },
    #[error("{}: {source}", path.display())]
    Description {
        path: PathBuf,
        source: DescriptionError,
    },
    #[error("the packet is no DHCPv4 packet: {0}")]
    Malformed4(#[from] Malformed4),
    #[error("the packet is no DHCPv6 message: {0}")]
    Malformed6(#[from] Malformed6),
}

/// Hex digits; colons and white space between them do not matter.
pub(super) fn hex(what: &str, digits: &str) -> Result<Vec<u8>, PacketError> {
    let wrong = || PacketError::Hex {
        what: what.to_owned(),
    };
    let digits = digits.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let values: Option<Vec<u8>> = digits
        .chars()
        .filter(|digit| !digit.is_whitespace() && *digit != ':')
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect();
    let values = values.ok_or_else(wrong)?;
    let (pairs, rest) = values.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => Err(wrong()),
    }
}

/// Whose packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Query,
    Response,
}

/// Where the packets of a call are.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) packet: Option<&'a Path>,
    pub(crate) hex: Option<&'a str>,
    pub(crate) response: Option<&'a Path>,
    /// Of a capture, from 1.
    pub(crate) number: usize,
}

impl Sources<'_> {
    /// Puts the packets into `material`; what there is no source for stays.
    pub(crate) fn read(&self, family: Family, material: &mut Material) -> Result<(), PacketError> {
        if let Some(digits) = self.hex {
            put_datagram(family, material, Role::Query, &hex("--hex", digits)?)?;
        }
        if let Some(path) = self.packet {
            self.read_file(family, material, path, Role::Query)?;
        }
        // A made-up response belongs to the query all the same.
        material.response4.transaction_id = material.query4.transaction_id;
        material.response4.hw_address = material.query4.hw_address.clone();
        material.response6.transaction_id = material.query6.transaction_id;
        if let Some(path) = self.response {
            self.read_file(family, material, path, Role::Response)?;
        }
        Ok(())
    }

    fn read_file(
        &self,
        family: Family,
        material: &mut Material,
        path: &Path,
        role: Role,
    ) -> Result<(), PacketError> {
        let file = std::fs::read(path).map_err(|source| PacketError::Read {
            path: path.to_owned(),
            source,
        })?;
        if pcap::is_capture(&file) {
            return self.read_capture(family, material, (path, &file), role);
        }
        let text = String::from_utf8_lossy(&file);
        if text.trim_start().starts_with('{') {
            let described = put_description(family, material, role, &text);
            return described.map_err(|source| PacketError::Description {
                path: path.to_owned(),
                source,
            });
        }
        let what = path.display().to_string();
        put_datagram(family, material, role, &hex(&what, &text)?)
    }

    fn read_capture(
        &self,
        family: Family,
        material: &mut Material,
        (path, file): (&Path, &[u8]),
        role: Role,
    ) -> Result<(), PacketError> {
        let packets = pcap::udp_packets(file).map_err(|source| PacketError::Capture {
            path: path.to_owned(),
            source,
        })?;
        let number = match role {
            Role::Query => self.number,
            Role::Response => 1,
        };
        let of_role: Vec<_> = packets
            .iter()
            .enumerate()
            .filter(|(_, packet)| role_of(family, packet) == Some(role))
            .collect();
        let chosen = number.checked_sub(1).and_then(|index| of_role.get(index));
        let Some((at, packet)) = chosen else {
            return Err(PacketError::NotThere {
                path: path.to_owned(),
                kind: match role {
                    Role::Query => "packets of clients",
                    Role::Response => "packets of servers",
                },
                found: of_role.len(),
                number,
            });
        };
        put_datagram(family, material, role, &packet.payload)?;
        put_link(family, material, role, packet);
        let answer = packets[*at..].iter().find(|other| {
            role_of(family, other) == Some(Role::Response)
                && transaction(family, &other.payload) == transaction(family, &packet.payload)
        });
        match answer.filter(|_| role == Role::Query) {
            Some(answer) => put_datagram(family, material, Role::Response, &answer.payload),
            None => Ok(()),
        }
    }
}

/// By ports and first byte.
fn role_of(family: Family, packet: &UdpPacket) -> Option<Role> {
    let ports = [packet.source.port(), packet.destination.port()];
    let first = packet.payload.first()?;
    match family {
        Family::V4 if ports.contains(&67) => match first {
            1 => Some(Role::Query),
            2 => Some(Role::Response),
            _ => None,
        },
        Family::V6 if ports.contains(&547) => match first {
            2 | 7 | 10 | 37 => Some(Role::Response),
            // Relayed replies are the server's, and nobody's query.
            13 => None,
            _ => Some(Role::Query),
        },
        Family::V4 | Family::V6 => None,
    }
}

fn transaction(family: Family, payload: &[u8]) -> Option<&[u8]> {
    match family {
        Family::V4 => payload.get(4..8),
        Family::V6 => payload.get(1..4),
    }
}

fn put_description(
    family: Family,
    material: &mut Material,
    role: Role,
    text: &str,
) -> Result<(), DescriptionError> {
    match (family, role) {
        (Family::V4, Role::Query) => {
            let link = material.query4.link.take();
            material.query4 = packet4(text, 1)?;
            material.query4.link = link;
        }
        (Family::V4, Role::Response) => material.response4 = packet4(text, 2)?,
        (Family::V6, Role::Query) => {
            let link = material.query6.link.take();
            material.query6 = packet6(text)?;
            material.query6.link = link;
        }
        (Family::V6, Role::Response) => material.response6 = packet6(text)?,
    }
    Ok(())
}

fn put_datagram(
    family: Family,
    material: &mut Material,
    role: Role,
    datagram: &[u8],
) -> Result<(), PacketError> {
    match (family, role) {
        (Family::V4, Role::Query) => {
            let link = material.query4.link.take();
            let decoded = decode4(datagram, None)?;
            material.query4 = v1::Packet4 { link, ..decoded };
        }
        (Family::V4, Role::Response) => material.response4 = decode4(datagram, Some(2))?,
        (Family::V6, Role::Query) => {
            let link = material.query6.link.take();
            let decoded = decode6(datagram, role)?;
            material.query6 = v1::Packet6 { link, ..decoded };
        }
        (Family::V6, Role::Response) => material.response6 = decode6(datagram, role)?,
    }
    Ok(())
}

/// "Local" is the server's side, so it is where a query went to.
fn put_link(family: Family, material: &mut Material, role: Role, packet: &UdpPacket) {
    let (local, remote) = match role {
        Role::Query => (packet.destination, packet.source),
        Role::Response => (packet.source, packet.destination),
    };
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => Bytes::copy_from_slice(&address.octets()),
        IpAddr::V6(address) => Bytes::copy_from_slice(&address.octets()),
    };
    let link = Some(v1::Link {
        interface: "eth0".to_owned(),
        interface_index: 1,
        local_address: octets(local.ip()),
        local_port: local.port().into(),
        remote_address: octets(remote.ip()),
        remote_port: remote.port().into(),
    });
    match (family, role) {
        (Family::V4, Role::Query) => material.query4.link = link,
        (Family::V4, Role::Response) => material.response4.link = link,
        (Family::V6, Role::Query) => material.query6.link = link,
        (Family::V6, Role::Response) => material.response6.link = link,
    }
}

/// The decoder reads what comes to a server, so a reply is shown to it as a request, and gets its `op` back.
fn decode4(datagram: &[u8], op: Option<u8>) -> Result<v1::Packet4, Malformed4> {
    let mut bytes = datagram.to_vec();
    if let (Some(op), Some(first)) = (op, bytes.first_mut())
        && *first == op
    {
        *first = v4::BOOT_REQUEST;
    }
    let packet = v4::decode(Buffer::copy_of(&bytes))?;
    let header = &packet.header;
    let hw_address = header.hw_address();
    let address = |address: std::net::Ipv4Addr| match address.is_unspecified() {
        true => Bytes::new(),
        false => Bytes::copy_from_slice(&address.octets()),
    };
    Ok(v1::Packet4 {
        message_type: packet.message_type.map_or(0, |kind| u8::from(kind).into()),
        op: op.unwrap_or(header.op).into(),
        hops: header.hops.into(),
        transaction_id: header.xid,
        secs: header.secs.into(),
        flags: header.flags.into(),
        ciaddr: address(header.ciaddr),
        yiaddr: address(header.yiaddr),
        siaddr: address(header.siaddr),
        giaddr: address(header.giaddr),
        hw_address: Some(v1::HwAddress {
            htype: hw_address.htype().into(),
            address: Bytes::copy_from_slice(hw_address.bytes()),
        }),
        sname: Bytes::copy_from_slice(header.server_name()),
        file: Bytes::copy_from_slice(header.boot_file()),
        options: options(&packet.options),
        wire: Bytes::copy_from_slice(datagram),
        ..Default::default()
    })
}

/// As [`decode4`]: a reply is shown to the decoder as a SOLICIT, and gets its type back.
fn decode6(datagram: &[u8], role: Role) -> Result<v1::Packet6, Malformed6> {
    let mut bytes = datagram.to_vec();
    let replies = [2, 7, 10, 37];
    let own = bytes.first().copied().filter(|kind| replies.contains(kind));
    if let (Role::Response, Some(_), Some(first)) = (role, own, bytes.first_mut()) {
        *first = 1;
    }
    let packet = v6::decode(Buffer::copy_of(&bytes))?;
    let [a, b, c] = packet.xid;
    let message_type = match (role, own) {
        (Role::Response, Some(own)) => own,
        _ => packet.message_type.into(),
    };
    let relays = packet.relays.iter().map(|hop| v1::Relay6 {
        message_type: hop.msg_type.into(),
        hop_count: hop.hop_count.into(),
        link_address: Bytes::copy_from_slice(&hop.link_address.octets()),
        peer_address: Bytes::copy_from_slice(&hop.peer_address.octets()),
        options: options(&hop.options),
    });
    Ok(v1::Packet6 {
        message_type: message_type.into(),
        transaction_id: u32::from_be_bytes([0, a, b, c]),
        relays: relays.collect(),
        options: options(&packet.options),
        wire: Bytes::copy_from_slice(datagram),
        ..Default::default()
    })
}

fn options(options: &Options) -> Vec<v1::Option> {
    let option = |(code, data): (u16, &[u8])| v1::Option {
        code: code.into(),
        data: Bytes::copy_from_slice(data),
    };
    options.iter().map(option).collect()
}

//! The arguments of each hook point, made from packets and a lease; and packets as samples.

use bytes::{BufMut, Bytes};
use outrigger_hook_sdk::testing::{packet4, packet6};
use outrigger_proto::{Family, HookPoint, v1};
use v1::arguments::Point;

/// 2026-01-01 00:00 UTC.
const SAMPLE_TIME: u64 = 1_767_225_600;
const SAMPLE_MAC: [u8; 6] = [2, 0, 0, 0, 0x0c, 1];
const SAMPLE_DUID: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0x0c, 1];
/// IAID 1 with 2001:db8:1::a for 3000 s and 4000 s.
const SAMPLE_IA: &[u8] = &[
    0, 0, 0, 1, 0, 0, 3, 0xe8, 0, 0, 7, 0xd0, 0, 5, 0, 24, 0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x0a, 0, 0, 0x0b, 0xb8, 0, 0, 0x0f, 0xa0,
];
const EMPTY_IA: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
/// Enterprise 4491 with an empty sub-option 33.
const SAMPLE_VENDOR: &[u8] = &[0, 0, 0x11, 0x8b, 0, 33, 0, 0];

/// What hook points are called with.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    pub(crate) query4: v1::Packet4,
    pub(crate) response4: v1::Packet4,
    pub(crate) query6: v1::Packet6,
    pub(crate) response6: v1::Packet6,
    pub(crate) subnet_id: u32,
    pub(crate) subnet_ids: Vec<u32>,
}

impl Material {
    /// An ordinary client that gets an address of the first of `subnets`.
    pub(crate) fn sample(subnets: &[v1::Subnet]) -> Self {
        Self {
            query4: query4(),
            response4: response4(),
            query6: query6(),
            response6: response6(),
            subnet_id: subnets.first().map_or(0, |subnet| subnet.id),
            subnet_ids: subnets.iter().map(|subnet| subnet.id).collect(),
        }
    }

    /// Packets without anything in them.
    pub(crate) fn empty() -> Self {
        Self {
            query4: v1::Packet4::default(),
            response4: v1::Packet4::default(),
            query6: v1::Packet6::default(),
            response6: v1::Packet6::default(),
            subnet_id: 0,
            subnet_ids: Vec::new(),
        }
    }

    /// Packets as large as UDP carries.
    pub(crate) fn big(subnets: &[v1::Subnet]) -> Self {
        let mut material = Self::sample(subnets);
        let filling = Bytes::from(vec![0xa5; 255]);
        let options4 = (128..=254).map(|code| v1::Option {
            code,
            data: filling.clone(),
        });
        let options6 = (1000..1200).map(|code| v1::Option {
            code,
            data: filling.clone(),
        });
        for packet in [&mut material.query4, &mut material.response4] {
            packet.options.extend(options4.clone());
            packet.sname = filling.slice(..64);
            packet.file = filling.slice(..128);
        }
        for packet in [&mut material.query6, &mut material.response6] {
            packet.options.extend(options6.clone());
        }
        material.subnet_ids = (1..=1000).collect();
        material
    }

    /// The arguments of `point`.
    pub(crate) fn arguments(&self, point: HookPoint) -> v1::Arguments {
        let point = match point.spec().family {
            Some(Family::V4) => self.point4(point),
            Some(Family::V6) => self.point6(point),
            None => of_command(point),
        };
        v1::Arguments { point: Some(point) }
    }

    fn point4(&self, point: HookPoint) -> Point {
        let (query, response) = (Some(parsed4(&self.query4)), Some(parsed4(&self.response4)));
        let (subnet_id, lease) = (self.subnet_id, self.lease(Family::V4));
        let lease_arguments = || v1::Lease4Arguments {
            query: query.clone(),
            subnet_id,
            lease: Some(lease.clone()),
        };
        match point {
            HookPoint::Buffer4Receive => Point::Buffer4Receive(v1::Query4Arguments {
                query: Some(unparsed4(&self.query4)),
            }),
            HookPoint::Pkt4Receive => Point::Pkt4Receive(v1::Query4Arguments { query }),
            HookPoint::Subnet4Select => Point::Subnet4Select(v1::Subnet4SelectArguments {
                query,
                subnet_id,
                subnet_ids: self.subnet_ids.clone(),
            }),
            HookPoint::Host4Identifier => Point::Host4Identifier(v1::Host4IdentifierArguments {
                query,
                identifier_type: v1::IdentifierType::FlexId.into(),
            }),
            HookPoint::Ddns4Update => Point::Ddns4Update(v1::Ddns4UpdateArguments {
                query,
                response,
                subnet_id,
                hostname: lease.hostname.clone(),
                fwd_update: true,
                rev_update: true,
                ddns_parameters: Some(ddns_parameters()),
            }),
            HookPoint::Lease4Select => Point::Lease4Select(v1::Lease4SelectArguments {
                query,
                subnet_id,
                fake_allocation: false,
                offer_lifetime: 0,
                lease: Some(lease),
            }),
            HookPoint::Lease4Release => Point::Lease4Release(lease_arguments()),
            HookPoint::Lease4Decline => Point::Lease4Decline(lease_arguments()),
            HookPoint::Lease4Offer => Point::Lease4Offer(v1::Lease4OfferArguments {
                query,
                response,
                leases: vec![lease],
                offer_lifetime: 0,
                old_lease: None,
                host: None,
            }),
            HookPoint::Lease4ServerDecline => Point::Lease4ServerDecline(lease_arguments()),
            HookPoint::Leases4Committed => Point::Leases4Committed(v1::Leases4CommittedArguments {
                query,
                response,
                leases: vec![lease],
                deleted_leases: Vec::new(),
            }),
            HookPoint::Pkt4Send => Point::Pkt4Send(v1::Response4Arguments {
                query,
                response,
                subnet_id,
            }),
            HookPoint::Buffer4Send => Point::Buffer4Send(v1::Response4Arguments {
                query: None,
                response: Some(unparsed4(&self.response4)),
                subnet_id,
            }),
            HookPoint::Lease4Expire => Point::Lease4Expire(expired(lease)),
            HookPoint::Lease4Recover => Point::Lease4Recover(expired(lease)),
            HookPoint::Dhcp4SrvConfigured => Point::Dhcp4SrvConfigured(configured()),
            HookPoint::Cb4Updated => Point::Cb4Updated(updated()),
            // The last of DHCPv4.
            _ => Point::Lease4Renew(lease_arguments()),
        }
    }

    fn point6(&self, point: HookPoint) -> Point {
        let (query, response) = (Some(parsed6(&self.query6)), Some(parsed6(&self.response6)));
        let (subnet_id, lease) = (self.subnet_id, self.lease(Family::V6));
        let lease_arguments = || v1::Lease6Arguments {
            query: query.clone(),
            lease: Some(lease.clone()),
        };
        match point {
            HookPoint::Buffer6Receive => Point::Buffer6Receive(v1::Query6Arguments {
                query: Some(unparsed6(&self.query6)),
            }),
            HookPoint::Pkt6Receive => Point::Pkt6Receive(v1::Query6Arguments { query }),
            HookPoint::Subnet6Select => Point::Subnet6Select(v1::Subnet6SelectArguments {
                query,
                subnet_id,
                subnet_ids: self.subnet_ids.clone(),
            }),
            HookPoint::Host6Identifier => Point::Host6Identifier(v1::Host6IdentifierArguments {
                query,
                identifier_type: v1::IdentifierType::FlexId.into(),
            }),
            HookPoint::Ddns6Update => Point::Ddns6Update(v1::Ddns6UpdateArguments {
                query,
                response,
                subnet_id,
                hostname: lease.hostname.clone(),
                fwd_update: true,
                rev_update: true,
                ddns_parameters: Some(ddns_parameters()),
            }),
            HookPoint::Lease6Select => Point::Lease6Select(v1::Lease6SelectArguments {
                query,
                subnet_id,
                fake_allocation: false,
                lease: Some(lease),
            }),
            HookPoint::Lease6Rebind => Point::Lease6Rebind(lease_arguments()),
            HookPoint::Lease6Release => Point::Lease6Release(lease_arguments()),
            HookPoint::Lease6Decline => Point::Lease6Decline(lease_arguments()),
            HookPoint::Addr6Register => Point::Addr6Register(v1::Addr6RegisterArguments {
                query,
                response,
                address: lease.address.clone(),
                old_lease: None,
                new_lease: Some(lease),
            }),
            HookPoint::Leases6Committed => Point::Leases6Committed(v1::Leases6CommittedArguments {
                query,
                response,
                leases: vec![lease],
                deleted_leases: Vec::new(),
            }),
            HookPoint::Pkt6Send => Point::Pkt6Send(v1::Response6Arguments {
                query,
                response,
                subnet_id,
            }),
            HookPoint::Buffer6Send => Point::Buffer6Send(v1::Response6Arguments {
                query: None,
                response: Some(unparsed6(&self.response6)),
                subnet_id,
            }),
            HookPoint::Lease6Expire => Point::Lease6Expire(expired(lease)),
            HookPoint::Lease6Recover => Point::Lease6Recover(expired(lease)),
            HookPoint::Dhcp6SrvConfigured => Point::Dhcp6SrvConfigured(configured()),
            HookPoint::Cb6Updated => Point::Cb6Updated(updated()),
            // The last of DHCPv6.
            _ => Point::Lease6Renew(lease_arguments()),
        }
    }

    fn lease(&self, family: Family) -> v1::Lease {
        let common = v1::Lease {
            valid_lifetime: 4000,
            client_last_transmission: SAMPLE_TIME,
            subnet_id: self.subnet_id,
            hostname: "client.example.".to_owned(),
            ..Default::default()
        };
        match family {
            Family::V4 => v1::Lease {
                r#type: v1::LeaseType::V4.into(),
                address: match self.response4.yiaddr.len() {
                    4 => self.response4.yiaddr.clone(),
                    _ => Bytes::from_static(&[192, 0, 2, 10]),
                },
                prefix_length: 32,
                client_id: option4(&self.query4, 61),
                hw_address: self.query4.hw_address.clone(),
                ..common
            },
            Family::V6 => v1::Lease {
                r#type: v1::LeaseType::Na.into(),
                address: Bytes::from_static(&SAMPLE_IA[16..32]),
                prefix_length: 128,
                iaid: 1,
                duid: option6(&self.query6, 1),
                preferred_lifetime: 3000,
                ..common
            },
        }
    }
}

fn ddns_parameters() -> v1::DdnsParameters {
    v1::DdnsParameters {
        send_updates: true,
        replace_client_name: "never".to_owned(),
        generated_prefix: "myhost".to_owned(),
        qualifying_suffix: "example.org".to_owned(),
        ..Default::default()
    }
}

fn configured() -> v1::ServerConfiguredArguments {
    v1::ServerConfiguredArguments {
        configuration: "{}".to_owned(),
    }
}

fn updated() -> v1::ConfigurationUpdatedArguments {
    v1::ConfigurationUpdatedArguments {
        audit_entries: vec![v1::AuditEntry {
            object_type: "server".to_owned(),
            modification: v1::audit_entry::Modification::Update.into(),
            time: SAMPLE_TIME,
            ..Default::default()
        }],
    }
}

/// Arguments of the hook points that have to do with control commands.
fn of_command(point: HookPoint) -> Point {
    match point {
        HookPoint::Command => Point::Command(v1::CommandArguments {
            command: r#"{"command":"status-get"}"#.to_owned(),
            response: String::new(),
        }),
        _ => Point::CommandProcessed(v1::CommandProcessedArguments {
            name: "status-get".to_owned(),
            arguments: String::new(),
            response: r#"{"result":0}"#.to_owned(),
        }),
    }
}

fn expired(lease: v1::Lease) -> v1::ExpiredLeaseArguments {
    v1::ExpiredLeaseArguments {
        lease: Some(lease),
        remove_lease: false,
    }
}

fn option4(packet: &v1::Packet4, code: u32) -> Bytes {
    payload(&packet.options, code)
}

fn option6(packet: &v1::Packet6, code: u32) -> Bytes {
    payload(&packet.options, code)
}

fn payload(options: &[v1::Option], code: u32) -> Bytes {
    let found = options.iter().find(|option| option.code == code);
    found.map(|option| option.data.clone()).unwrap_or_default()
}

/// A REQUEST (RFC 2131 §3).
fn query4() -> v1::Packet4 {
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
fn response4() -> v1::Packet4 {
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
fn query6() -> v1::Packet6 {
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
fn response6() -> v1::Packet6 {
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
fn parsed4(packet: &v1::Packet4) -> v1::Packet4 {
    v1::Packet4 {
        wire: Bytes::new(),
        ..packet.clone()
    }
}

fn parsed6(packet: &v1::Packet6) -> v1::Packet6 {
    v1::Packet6 {
        wire: Bytes::new(),
        ..packet.clone()
    }
}

/// As at the hook points of unparsed packets: link and datagram, nothing else.
fn unparsed4(packet: &v1::Packet4) -> v1::Packet4 {
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

fn unparsed6(packet: &v1::Packet6) -> v1::Packet6 {
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
    fn every_hook_point_has_its_own_arguments() {
        let material = Material::sample(&[]);
        for point in HookPoint::ALL {
            let arguments = material.arguments(*point);
            let named = format!("{:?}", arguments.point.expect("there are arguments"));
            let expected = format!("{point:?}(");
            assert!(named.starts_with(&expected), "{point}: {named}");
        }
    }

    #[test]
    fn sample_datagrams_are_what_a_server_reads() {
        let query = outrigger_wire::v4::decode(Buffer::copy_of(&datagram4(&query4()))).unwrap();
        assert_eq!(query.options.get(12), Some(&b"client"[..]));
        assert_eq!(query.hw_address().bytes(), SAMPLE_MAC);
        let query = outrigger_wire::v6::decode(Buffer::copy_of(&datagram6(&query6()))).unwrap();
        assert_eq!(query.client_id().unwrap().bytes(), SAMPLE_DUID);
    }
}

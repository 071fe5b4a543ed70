//! The arguments of each hook point, made from packets and a lease.

mod packets;

use bytes::Bytes;
use outrigger_proto::{Family, HookPoint, v1};
use packets::{
    SAMPLE_IA, parsed4, parsed6, query4, query6, response4, response6, unparsed4, unparsed6,
};
use serde_json::json;
use v1::arguments::Point;

/// 2026-01-01 00:00 UTC.
const SAMPLE_TIME: u64 = 1_767_225_600;
/// What hook points are called with.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    pub(crate) query4: v1::Packet4,
    pub(crate) response4: v1::Packet4,
    pub(crate) query6: v1::Packet6,
    pub(crate) response6: v1::Packet6,
    pub(crate) subnet_id: u32,
    pub(crate) subnet_ids: Vec<u32>,
    /// The control command, JSON.
    pub(crate) command: String,
}

/// A control command without arguments, as its sender writes it.
pub(crate) fn command(name: &str) -> String {
    json!({ "command": name }).to_string()
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
            command: command("status-get"),
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
            command: command("status-get"),
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
            None => self.of_command(point),
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

    fn of_command(&self, point: HookPoint) -> Point {
        match point {
            HookPoint::Command => Point::Command(v1::CommandArguments {
                command: self.command.clone(),
                response: String::new(),
            }),
            _ => Point::CommandProcessed(v1::CommandProcessedArguments {
                name: "status-get".to_owned(),
                arguments: String::new(),
                response: r#"{"result":0}"#.to_owned(),
            }),
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

#[cfg(test)]
mod tests {
    use super::*;

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
}

//! What commands need to know of a family.

use super::request::Arguments;
use crate::served::Served;
use crate::telemetry::Traffic;
use outrigger_alloc::Kind6;
use outrigger_store::{Lease, StoredFamily};
use outrigger_wire::family::{LeaseOwner, Owner6, OwnerKey4, Resource6};
use outrigger_wire::ids::fmt_hex;
use outrigger_wire::{ClientId, Duid, Family, HwAddress, Iaid, Prefix6, V4, V6};
use serde_json::{Map, Value, json};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Names of the commands about leases.
#[derive(Debug)]
pub struct LeaseCommands {
    pub(super) del: &'static str,
    pub(super) get: &'static str,
    pub(super) get_all: &'static str,
    pub(super) get_page: &'static str,
}

/// Kea's names of what is counted about leases of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindNames {
    pub(super) total: &'static str,
    pub(super) assigned: &'static str,
    pub(super) declined: Option<&'static str>,
    pub(super) registered: Option<&'static str>,
    pub(super) pool: &'static str,
}

/// One name under which a lease can be asked for.
pub(super) type Key<F> = <<F as Family>::Owner as LeaseOwner>::Key;

/// Which lease a command is about.
#[derive(Debug)]
pub enum Selector<F: Commanded> {
    /// The first of these that is leased: a prefix may be asked for without its length.
    Resource(Vec<F::Resource>),
    /// The lease of a client.
    Owner {
        /// Its name.
        key: Key<F>,
        /// Of this subnet.
        subnet_id: u32,
        /// Of this kind.
        kind: F::Kind,
    },
}

/// What commands need to know of a family. Nouns only.
pub trait Commanded: Served {
    /// `Dhcp4` or `Dhcp6`.
    const TOP_LEVEL: &'static str;
    /// `IPv4` or `IPv6`, as Kea's texts say.
    const IP: &'static str;
    /// Names of the commands about leases.
    const LEASE_COMMANDS: LeaseCommands;
    /// `pkt4` or `pkt6`, with which Kea's names of packet statistics begin.
    const PKT: &'static str;
    /// Names of messages from clients with their types. What is not here is `unknown`.
    const RECEIVED: &'static [(&'static str, u8)];
    /// Names of answers with their types.
    const SENT: &'static [(&'static str, u8)];

    /// What is leased, and what it is called.
    fn kinds() -> &'static [(Self::Kind, KindNames)];

    /// Which lease the arguments name.
    ///
    /// # Errors
    /// The text says which argument is missing or wrong.
    fn selector(arguments: &Arguments) -> Result<Selector<Self>, String>;

    /// The number of the address behind which a page of leases begins.
    ///
    /// # Errors
    /// It is no address of the family.
    fn page_start(arguments: &Arguments) -> Result<u128, String>;

    /// A lease as Kea's answers show it.
    fn lease_map(lease: &Lease<Self>) -> Value;
}

const MISSING: &str =
    "missing parameter 'ip-address', or 'subnet-id' with 'identifier-type' and 'identifier'";

impl Commanded for V4 {
    const TOP_LEVEL: &'static str = "Dhcp4";
    const IP: &'static str = "IPv4";
    const PKT: &'static str = "pkt4";
    const LEASE_COMMANDS: LeaseCommands = LeaseCommands {
        del: "lease4-del",
        get: "lease4-get",
        get_all: "lease4-get-all",
        get_page: "lease4-get-page",
    };
    const RECEIVED: &'static [(&'static str, u8)] = &[
        ("discover", 1),
        ("offer", 2),
        ("request", 3),
        ("decline", 4),
        ("ack", 5),
        ("nak", 6),
        ("release", 7),
        ("inform", 8),
        ("lease-query", 10),
    ];
    const SENT: &'static [(&'static str, u8)] = &[("offer", 2), ("ack", 5), ("nak", 6)];

    fn kinds() -> &'static [((), KindNames)] {
        const ADDRESSES: KindNames = KindNames {
            total: "total-addresses",
            assigned: "assigned-addresses",
            declined: Some("declined-addresses"),
            registered: None,
            pool: "pool",
        };
        &[((), ADDRESSES)]
    }

    fn selector(arguments: &Arguments) -> Result<Selector<Self>, String> {
        if let Some(address) = arguments.address::<Ipv4Addr>("ip-address")? {
            return Ok(Selector::Resource(vec![address]));
        }
        let kind = arguments.text("identifier-type")?.ok_or(MISSING)?;
        let bytes = arguments.required_hex("identifier")?;
        let key = match kind {
            // A lease keeps its hardware type; Kea's commands name Ethernet addresses.
            "hw-address" => HwAddress::new(1, &bytes).map(OwnerKey4::HwAddress),
            "client-id" => ClientId::new(&bytes).map(OwnerKey4::ClientId),
            other => {
                return Err(format!(
                    "'identifier-type' must be hw-address or client-id, not {other}"
                ));
            }
        };
        Ok(Selector::Owner {
            key: key
                .ok_or_else(|| format!("'identifier' is too short or too long for a {kind}"))?,
            subnet_id: arguments.required_number("subnet-id")?,
            kind: (),
        })
    }

    fn page_start(arguments: &Arguments) -> Result<u128, String> {
        let from = arguments.address::<Ipv4Addr>("from")?;
        Ok(from.map_or(0, |address| u128::from(u32::from(address))))
    }

    fn lease_map(lease: &Lease<Self>) -> Value {
        let mut map = lease_members(lease);
        let owner = &lease.owner;
        map.insert("ip-address".to_owned(), lease.resource.to_string().into());
        map.insert("hw-address".to_owned(), hex(owner.hw_address.bytes()));
        if let Some(client_id) = &owner.client_id {
            map.insert("client-id".to_owned(), hex(client_id.bytes()));
        }
        Value::Object(map)
    }
}

impl Commanded for V6 {
    const TOP_LEVEL: &'static str = "Dhcp6";
    const IP: &'static str = "IPv6";
    const PKT: &'static str = "pkt6";
    const LEASE_COMMANDS: LeaseCommands = LeaseCommands {
        del: "lease6-del",
        get: "lease6-get",
        get_all: "lease6-get-all",
        get_page: "lease6-get-page",
    };
    const RECEIVED: &'static [(&'static str, u8)] = &[
        ("solicit", 1),
        ("advertise", 2),
        ("request", 3),
        ("confirm", 4),
        ("renew", 5),
        ("rebind", 6),
        ("reply", 7),
        ("release", 8),
        ("decline", 9),
        ("infrequest", 11),
        ("lease-query", 14),
        ("dhcpv4-query", 20),
        ("dhcpv4-response", 21),
        ("addr-reg-inform", 36),
        ("addr-reg-reply", 37),
    ];
    const SENT: &'static [(&'static str, u8)] =
        &[("advertise", 2), ("reply", 7), ("addr-reg-reply", 37)];

    fn kinds() -> &'static [(Kind6, KindNames)] {
        const ADDRESSES: KindNames = KindNames {
            total: "total-nas",
            assigned: "assigned-nas",
            declined: Some("declined-addresses"),
            registered: Some("registered-nas"),
            pool: "pool",
        };
        const PREFIXES: KindNames = KindNames {
            total: "total-pds",
            assigned: "assigned-pds",
            declined: None,
            registered: None,
            pool: "pd-pool",
        };
        &[(Kind6::Address, ADDRESSES), (Kind6::Prefix, PREFIXES)]
    }

    fn selector(arguments: &Arguments) -> Result<Selector<Self>, String> {
        let kind = kind6(arguments)?;
        if let Some(address) = arguments.address::<Ipv6Addr>("ip-address")? {
            return Ok(Selector::Resource(match kind {
                Kind6::Address => vec![Resource6::Address(address)],
                Kind6::Prefix => prefixes(address, arguments.number("prefix-len")?),
            }));
        }
        let identifier = arguments.text("identifier-type")?.ok_or(MISSING)?;
        if identifier != "duid" {
            return Err(format!("'identifier-type' must be duid, not {identifier}"));
        }
        let duid = Duid::new(&arguments.required_hex("identifier")?);
        Ok(Selector::Owner {
            key: Owner6 {
                duid: duid.ok_or("'identifier' is too short or too long for a duid")?,
                iaid: Iaid(arguments.required_number("iaid")?),
            },
            subnet_id: arguments.required_number("subnet-id")?,
            kind,
        })
    }

    fn page_start(arguments: &Arguments) -> Result<u128, String> {
        let from = arguments.address::<Ipv6Addr>("from")?;
        Ok(from.map_or(0, u128::from))
    }

    fn lease_map(lease: &Lease<Self>) -> Value {
        let mut map = lease_members(lease);
        let kind = match lease.resource {
            Resource6::Address(_) => "IA_NA",
            Resource6::Prefix(prefix) => {
                map.insert("prefix-len".to_owned(), prefix.len.into());
                "IA_PD"
            }
        };
        let address = lease.resource.addr().to_string();
        map.insert("ip-address".to_owned(), address.into());
        map.insert("type".to_owned(), kind.into());
        map.insert("duid".to_owned(), hex(lease.owner.duid.bytes()));
        map.insert("iaid".to_owned(), lease.owner.iaid.0.into());
        map.insert("preferred-lft".to_owned(), lease.preferred_lifetime.into());
        if !lease.hw_address.is_empty() {
            map.insert("hw-address".to_owned(), hex(lease.hw_address.bytes()));
        }
        Value::Object(map)
    }
}

fn kind6(arguments: &Arguments) -> Result<Kind6, String> {
    match arguments.text("type")? {
        None | Some("IA_NA") => Ok(Kind6::Address),
        Some("IA_PD") => Ok(Kind6::Prefix),
        Some(other) => Err(format!("'type' must be IA_NA or IA_PD, not {other}")),
    }
}

/// Prefixes that begin with this address: of one length, or of every length.
fn prefixes(address: Ipv6Addr, len: Option<u8>) -> Vec<Resource6> {
    let lengths = len.map_or(0..=128, |len| len..=len);
    lengths
        .filter_map(|len| Prefix6::new(address, len))
        .filter(|prefix| prefix.addr == address)
        .map(Resource6::Prefix)
        .collect()
}

/// What leases of both families have.
fn lease_members<F: StoredFamily>(lease: &Lease<F>) -> Map<String, Value> {
    let members = json!({
        "cltt": lease.cltt,
        "valid-lft": lease.valid_lifetime,
        "subnet-id": lease.subnet_id,
        "state": lease.state as u8,
        "fqdn-fwd": lease.fqdn_fwd,
        "fqdn-rev": lease.fqdn_rev,
        "hostname": &*lease.hostname,
    });
    let Value::Object(mut map) = members else {
        return Map::new();
    };
    if lease.pool_id != 0 {
        map.insert("pool-id".to_owned(), lease.pool_id.into());
    }
    if let Ok(context) = serde_json::from_str(&lease.user_context) {
        map.insert("user-context".to_owned(), context);
    }
    map
}

/// Lower-case pairs with colons.
fn hex(bytes: &[u8]) -> Value {
    struct Hex<'a>(&'a [u8]);
    impl fmt::Display for Hex<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt_hex(self.0, f)
        }
    }
    Hex(bytes).to_string().into()
}

/// Packets that were received with a type that has no name.
pub(super) fn unknown_received<F: Commanded>(traffic: &Traffic) -> u64 {
    let named = |number: &u8| F::RECEIVED.iter().any(|(_, known)| known == number);
    (0..=u8::MAX)
        .filter(|number| !named(number))
        .map(|number| traffic.received_of(number))
        .sum()
}

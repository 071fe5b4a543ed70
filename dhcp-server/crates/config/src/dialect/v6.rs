//! `Dhcp6`.

mod prefixes;

use super::{Dialect, TeeDefaults};
use crate::model::{
    Class6, Global6, Host6, HostIdentifierType, Pool6, ServerId, Subnet6, Timers, Triplet,
};
use crate::problems::Problems;
use crate::resolve::Chain;
use crate::written::global::WrittenGlobal;
use crate::written::host::Reserved;
use crate::written::scope::{self, Level};
use crate::written::subnet::{WrittenNetwork, WrittenPool, WrittenSubnet, read_address_pools};
use crate::written::{Object, Spanned};
use outrigger_wire::V6;
use outrigger_wire::family::Resource6;
use outrigger_wire::options::codec::{bytes_from_hex, bytes_from_text};
use outrigger_wire::options::spaces::{Definitions, Universe};
use prefixes::{parse_prefix6, read_excluded_prefixes, read_pd_pool};
use std::net::Ipv6Addr;
use std::time::Duration;

/// Minimum, default, maximum.
const PREFERRED: [&str; 3] = [
    "min-preferred-lifetime",
    "preferred-lifetime",
    "max-preferred-lifetime",
];

/// RFC 6440: the one option that relays may supply unless configured otherwise.
const ERP_LOCAL_DOMAIN_NAME: u16 = 65;

/// Members of global scope, shared networks and subnets that only DHCPv6 has.
#[derive(Debug)]
pub(crate) struct Scope6 {
    preferred_lifetime: Option<Spanned<Triplet>>,
    rapid_commit: Option<Spanned<bool>>,
    interface_id: Option<Spanned<Box<[u8]>>>,
}

/// Members of the global scope that only DHCPv6 has.
#[derive(Debug)]
pub(crate) struct Top6 {
    server_id: Option<ServerId>,
    relay_supplied_options: Vec<Spanned<String>>,
    relay_supplied_given: bool,
    allow_address_registration: bool,
}

impl Dialect for V6 {
    const TOP_LEVEL: &'static str = "Dhcp6";
    const SUBNETS: &'static str = "subnet6";
    const UNIVERSE: Universe = Universe::V6;
    const BITS: u8 = 128;
    const LEASE_FILE: &'static str = "kea-leases6.csv";
    const HOOK_BUDGET: Duration = Duration::from_millis(400);
    const IDENTIFIERS: &'static [(&'static str, HostIdentifierType)] = &[
        ("hw-address", HostIdentifierType::HwAddress),
        ("duid", HostIdentifierType::Duid),
        ("flex-id", HostIdentifierType::FlexId),
    ];
    const SEARCHED: usize = 2;
    const TEES: TeeDefaults = TeeDefaults {
        calculate: true,
        t1_percent: 0.5,
        t2_percent: 0.8,
    };

    type Scope = Scope6;
    type Top = Top6;

    fn parse_address(text: &str) -> Option<Ipv6Addr> {
        text.parse().ok()
    }

    fn to_bits(address: Ipv6Addr) -> u128 {
        address.into()
    }

    fn from_bits(bits: u128) -> Ipv6Addr {
        bits.into()
    }

    fn reserved_address(resource: &Resource6) -> Option<Ipv6Addr> {
        match resource {
            Resource6::Address(address) => Some(*address),
            Resource6::Prefix(_) => None,
        }
    }

    fn is_inside_subnet(pool: &Pool6) -> bool {
        matches!(pool, Pool6::Addresses)
    }

    fn read_scope(object: &Object<'_>, level: Level) -> Scope6 {
        let mut scope = Scope6 {
            preferred_lifetime: scope::triplet(object, PREFERRED),
            rapid_commit: None,
            interface_id: None,
        };
        if level != Level::Global {
            scope.rapid_commit = object.bool("rapid-commit");
            scope.interface_id = read_interface_id(object);
        }
        scope
    }

    fn read_top(object: &Object<'_>) -> Top6 {
        if let Some(compatibility) = object.object("compatibility") {
            compatibility.bool("lenient-option-parsing");
            compatibility.finish();
        }
        let supplied = object.texts("relay-supplied-options");
        let owned = |texts: Vec<Spanned<&str>>| {
            texts
                .into_iter()
                .map(|text| text.map(str::to_owned))
                .collect()
        };
        Top6 {
            server_id: object.object("server-id").and_then(read_server_id),
            relay_supplied_given: supplied.is_some(),
            relay_supplied_options: supplied.map(owned).unwrap_or_default(),
            allow_address_registration: object
                .bool("allow-address-registration")
                .is_none_or(|flag| flag.value),
        }
    }

    fn read_pools(object: &Object<'_>) -> Vec<WrittenPool<Self>> {
        let mut pools = read_address_pools(object, &Pool6::Addresses);
        pools.extend(
            object
                .objects("pd-pools")
                .into_iter()
                .filter_map(read_pd_pool),
        );
        pools
    }

    fn read_class(object: &Object<'_>) -> Class6 {
        let preferred = scope::triplet(object, PREFERRED);
        Class6 {
            preferred_lifetime: preferred.map(|triplet| triplet.value),
        }
    }

    fn read_reserved(object: &Object<'_>) -> Reserved<Self> {
        let mut resources = Vec::new();
        for text in object.texts("ip-addresses").unwrap_or_default() {
            match Self::parse_address(text.value) {
                Some(address) => resources.push(text.map(|_| Resource6::Address(address))),
                None => {
                    let shown = text.value;
                    object.problems.error(
                        &text.position,
                        format!("\"{shown}\" is not an IPv6 address"),
                    );
                }
            }
        }
        for text in object.texts("prefixes").unwrap_or_default() {
            match parse_prefix6(text.value) {
                Some(prefix) => resources.push(text.map(|_| Resource6::Prefix(prefix))),
                None => {
                    let shown = text.value;
                    object
                        .problems
                        .error(&text.position, format!("\"{shown}\" is not an IPv6 prefix"));
                }
            }
        }
        read_excluded_prefixes(object);
        Reserved {
            resources,
            own: Host6,
        }
    }

    fn resolve_subnet(
        chain: &Chain<'_, Self>,
        _: u8,
        timers: &Timers,
        problems: &Problems,
    ) -> Subnet6 {
        let interface_id = chain.find(|scope| scope.own.interface_id.as_ref());
        Subnet6 {
            preferred_lifetime: preferred_lifetime(chain, timers.valid_lifetime, problems),
            rapid_commit: rapid_commit(chain),
            interface_id: interface_id.map(|id| id.value.clone()).unwrap_or_default(),
        }
    }

    fn resolve_global(
        written: &WrittenGlobal<Self>,
        timers: Timers,
        problems: &Problems,
    ) -> Global6 {
        // Without a subnet nothing else checks the global lifetimes.
        preferred_lifetime(
            &Chain::new([&written.scope]),
            timers.valid_lifetime,
            problems,
        );
        let top = &written.top;
        let codes = top.relay_supplied_options.iter().filter_map(|text| {
            let definitions = Definitions::standard(Universe::V6);
            let named = || {
                definitions
                    .by_name("dhcp6", &text.value)
                    .map(|definition| definition.code)
            };
            let code = text
                .value
                .parse()
                .ok()
                .filter(|code| *code > 0)
                .or_else(named);
            if code.is_none() {
                let shown = &text.value;
                problems.error(
                    &text.position,
                    format!("\"{shown}\" is neither an option code nor an option name"),
                );
            }
            code
        });
        let codes = codes.collect();
        Global6 {
            server_id: top.server_id.clone(),
            relay_supplied_options: if top.relay_supplied_given {
                codes
            } else {
                vec![ERP_LOCAL_DOMAIN_NAME]
            },
            allow_address_registration: top.allow_address_registration,
        }
    }

    /// The answer to a client must not depend on which member of a shared network was found first.
    fn check_network(network: &WrittenNetwork<Self>, chain: &Chain<'_, Self>, problems: &Problems) {
        let inherited = rapid_commit(chain);
        let effective = |subnet: &WrittenSubnet<Self>| {
            let own = subnet.scope.own.rapid_commit.as_ref();
            own.map_or(inherited, |flag| flag.value)
        };
        let Some(first) = network.subnets.first() else {
            return;
        };
        for subnet in network
            .subnets
            .iter()
            .filter(|subnet| effective(subnet) != effective(first))
        {
            let written = subnet.scope.own.rapid_commit.as_ref();
            let position = written.map_or(&subnet.position, |flag| &flag.position);
            let (name, flag) = (&network.name.value, effective(subnet));
            let text = format!(
                "rapid-commit {flag} differs from that of the first subnet in shared network {name}"
            );
            problems.error(position, text);
        }
    }
}

fn rapid_commit(chain: &Chain<'_, V6>) -> bool {
    chain
        .find(|scope| scope.own.rapid_commit.as_ref().map(|flag| flag.value))
        .unwrap_or(false)
}

/// Kea since 2.5: five eighths of the valid lifetime unless configured; never longer than that.
fn preferred_lifetime(chain: &Chain<'_, V6>, valid: Triplet, problems: &Problems) -> Triplet {
    let Some(preferred) = chain.find(|scope| scope.own.preferred_lifetime.as_ref()) else {
        let part = |lifetime: u32| match lifetime {
            u32::MAX => u32::MAX,
            finite => finite / 8 * 5 + finite % 8 * 5 / 8,
        };
        return Triplet {
            min: part(valid.min),
            default: part(valid.default),
            max: part(valid.max),
        };
    };
    let written = preferred.value;
    let capped = Triplet {
        min: written.min.min(valid.min),
        default: written.default.min(valid.default),
        max: written.max.min(valid.max),
    };
    if capped != written {
        let [wished, limits] =
            [written, valid].map(|t| format!("{}, {}, {}", t.min, t.default, t.max));
        let text = format!(
            "preferred lifetimes (min, default, max: {wished}) are cut to the valid ones ({limits})"
        );
        problems.warning(&preferred.position, text);
    }
    capped
}

fn read_interface_id(object: &Object<'_>) -> Option<Spanned<Box<[u8]>>> {
    let id = object
        .text("interface-id")
        .filter(|id| !id.value.is_empty())?;
    if let Some(interface) = object
        .text("interface")
        .filter(|name| !name.value.is_empty())
    {
        let text = format!(
            "interface-id (for relays) and interface (for this link, {}) exclude each other",
            interface.position
        );
        object.problems.error(&id.position, text);
    }
    // Kea: hex behind 0x, everything else is the text itself.
    let bytes = if id.value.starts_with("0x") || id.value.starts_with('\'') {
        bytes_from_text(id.value).ok()
    } else {
        None
    };
    Some(id.map(|text| bytes.unwrap_or_else(|| text.as_bytes().to_vec()).into()))
}

fn read_server_id(object: Object<'_>) -> Option<ServerId> {
    let kind = object.choice("type", &[("LLT", 1), ("EN", 2), ("LL", 3)]);
    let kind = object.require("type", kind);
    let identifier = object.parsed("identifier", "hexadecimal, at most 124 octets", |text| {
        bytes_from_hex(text).ok().filter(|bytes| bytes.len() <= 124)
    });
    let htype = object.int::<u16>("htype", 0..=u16::MAX.into());
    let time = object.u32("time");
    let enterprise_id = object.u32("enterprise-id");
    let persist = object.bool("persist").is_none_or(|flag| flag.value);
    object.user_context();
    object.finish();
    Some(ServerId {
        duid_type: kind?.value,
        htype: htype.map_or(0, |htype| htype.value),
        identifier: identifier.map(|bytes| bytes.value).unwrap_or_default(),
        time: time.map_or(0, |time| time.value),
        enterprise_id: enterprise_id.map_or(0, |id| id.value),
        persist,
    })
}

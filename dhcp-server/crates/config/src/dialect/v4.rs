//! `Dhcp4`.

use super::{Dialect, TeeDefaults};
use crate::model::{Class4, Global4, Host4, HostIdentifierType, Pool4, Subnet4, Timers};
use crate::problems::Problems;
use crate::resolve::Chain;
use crate::written::global::WrittenGlobal;
use crate::written::host::Reserved;
use crate::written::scope::Level;
use crate::written::subnet::{WrittenNetwork, WrittenPool, read_address_pools};
use crate::written::{Object, Spanned};
use outrigger_wire::V4;
use outrigger_wire::options::spaces::Universe;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Members of global scope, shared networks and subnets that only DHCPv4 has.
#[derive(Debug)]
pub(crate) struct Scope4 {
    authoritative: Option<Spanned<bool>>,
    match_client_id: Option<bool>,
    boot: Boot,
    offer_lifetime: Option<u32>,
}

/// Header fields for booting, which reservations have too.
#[derive(Debug)]
struct Boot {
    next_server: Option<Ipv4Addr>,
    server_hostname: Option<Box<str>>,
    boot_file_name: Option<Box<str>>,
}

/// Members of the global scope that only DHCPv4 has.
#[derive(Debug)]
pub(crate) struct Top4 {
    echo_client_id: bool,
    ignore_rai_link_selection: bool,
    ignore_server_id: bool,
}

impl Dialect for V4 {
    const TOP_LEVEL: &'static str = "Dhcp4";
    const SUBNETS: &'static str = "subnet4";
    const UNIVERSE: Universe = Universe::V4;
    const BITS: u8 = 32;
    const LEASE_FILE: &'static str = "kea-leases4.csv";
    const HOOK_BUDGET: Duration = Duration::from_millis(800);
    const IDENTIFIERS: &'static [(&'static str, HostIdentifierType)] = &[
        ("hw-address", HostIdentifierType::HwAddress),
        ("duid", HostIdentifierType::Duid),
        ("circuit-id", HostIdentifierType::CircuitId),
        ("client-id", HostIdentifierType::ClientId),
        ("flex-id", HostIdentifierType::FlexId),
    ];
    const SEARCHED: usize = 4;
    const TEES: TeeDefaults = TeeDefaults {
        calculate: false,
        t1_percent: 0.5,
        t2_percent: 0.875,
    };

    type Scope = Scope4;
    type Top = Top4;

    fn parse_address(text: &str) -> Option<Ipv4Addr> {
        text.parse().ok()
    }

    fn to_bits(address: Ipv4Addr) -> u128 {
        u32::from(address).into()
    }

    fn from_bits(bits: u128) -> Ipv4Addr {
        let [.., a, b, c, d] = bits.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    }

    fn reserved_address(resource: &Ipv4Addr) -> Option<Ipv4Addr> {
        Some(*resource)
    }

    fn is_inside_subnet(_: &Pool4) -> bool {
        true
    }

    fn read_scope(object: &Object<'_>, _: Level) -> Scope4 {
        Scope4 {
            authoritative: object.bool("authoritative"),
            match_client_id: object.bool("match-client-id").map(|flag| flag.value),
            boot: read_boot(object),
            offer_lifetime: object.u32("offer-lifetime").map(|seconds| seconds.value),
        }
    }

    fn read_top(object: &Object<'_>) -> Top4 {
        let echo_client_id = object.bool("echo-client-id").is_none_or(|flag| flag.value);
        let Some(compatibility) = object.object("compatibility") else {
            return Top4 {
                echo_client_id,
                ignore_rai_link_selection: false,
                ignore_server_id: false,
            };
        };
        let flag = |key| compatibility.bool(key).filter(|flag| flag.value);
        let top = Top4 {
            echo_client_id,
            ignore_rai_link_selection: flag("ignore-rai-link-selection").is_some(),
            ignore_server_id: flag("ignore-dhcp-server-identifier").is_some(),
        };
        if let Some(lenient) = flag("lenient-option-parsing") {
            let text =
                "lenient-option-parsing has no effect: malformed options are kept as bytes anyway";
            object.problems.warning(&lenient.position, text);
        }
        if let Some(exclude) = flag("exclude-first-last-24") {
            let text = "exclude-first-last-24 is not built yet: it decides which address a client gets; \
                        leave .0 and .255 out of the pools instead";
            object.problems.error(&exclude.position, text);
        }
        compatibility.finish();
        top
    }

    fn read_pools(object: &Object<'_>) -> Vec<WrittenPool<Self>> {
        read_address_pools(object, &Pool4)
    }

    /// Kea: an empty text, or the address 0.0.0.0, is none.
    fn read_class(object: &Object<'_>) -> Class4 {
        let boot = read_boot(object);
        let offer_lifetime = object.u32("offer-lifetime");
        Class4 {
            next_server: boot.next_server.filter(|server| !server.is_unspecified()),
            server_hostname: boot.server_hostname.filter(|name| !name.is_empty()),
            boot_file_name: boot.boot_file_name.filter(|name| !name.is_empty()),
            offer_lifetime: offer_lifetime.map(|seconds| Duration::from_secs(seconds.value.into())),
        }
    }

    fn read_reserved(object: &Object<'_>) -> Reserved<Self> {
        let address = object.parsed("ip-address", "an IPv4 address", Self::parse_address);
        let boot = read_boot(object);
        Reserved {
            resources: address.into_iter().collect(),
            own: Host4 {
                next_server: boot.next_server,
                server_hostname: boot.server_hostname,
                boot_file_name: boot.boot_file_name,
            },
        }
    }

    fn resolve_subnet(
        chain: &Chain<'_, Self>,
        prefix_len: u8,
        _: &Timers,
        _: &Problems,
    ) -> Subnet4 {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(prefix_len))
            .unwrap_or(0);
        let offer_lifetime = chain.find(|scope| scope.own.offer_lifetime).unwrap_or(0);
        Subnet4 {
            authoritative: authoritative(chain),
            match_client_id: chain
                .find(|scope| scope.own.match_client_id)
                .unwrap_or(true),
            next_server: chain
                .find(|scope| scope.own.boot.next_server)
                .unwrap_or(Ipv4Addr::UNSPECIFIED),
            server_hostname: chain
                .find(|scope| scope.own.boot.server_hostname.clone())
                .unwrap_or_default(),
            boot_file_name: chain
                .find(|scope| scope.own.boot.boot_file_name.clone())
                .unwrap_or_default(),
            netmask: Ipv4Addr::from(mask),
            offer_lifetime: Duration::from_secs(offer_lifetime.into()),
        }
    }

    fn resolve_global(written: &WrittenGlobal<Self>, timers: Timers, _: &Problems) -> Global4 {
        Global4 {
            echo_client_id: written.top.echo_client_id,
            authoritative: written
                .scope
                .own
                .authoritative
                .as_ref()
                .is_some_and(|flag| flag.value),
            timers,
            ignore_rai_link_selection: written.top.ignore_rai_link_selection,
            ignore_server_id: written.top.ignore_server_id,
        }
    }

    /// A client of a shared network may get an address of any member, so all of them are the authority or none is.
    fn check_network(network: &WrittenNetwork<Self>, chain: &Chain<'_, Self>, problems: &Problems) {
        let whole = authoritative(chain);
        for subnet in &network.subnets {
            let Some(own) = &subnet.scope.own.authoritative else {
                continue;
            };
            if own.value != whole {
                let name = &network.name.value;
                let text = format!(
                    "authoritative {} differs from that of shared network {name}",
                    own.value
                );
                problems.error(&own.position, text);
            }
        }
    }
}

fn authoritative(chain: &Chain<'_, V4>) -> bool {
    chain
        .find(|scope| scope.own.authoritative.as_ref().map(|flag| flag.value))
        .unwrap_or(false)
}

fn read_boot(object: &Object<'_>) -> Boot {
    let limited = |key, max: usize| {
        let wanted = format!("at most {max} bytes");
        object
            .parsed(key, &wanted, |text| {
                (text.len() <= max).then(|| text.into())
            })
            .map(|text| text.value)
    };
    Boot {
        next_server: object
            .parsed("next-server", "an IPv4 address", V4::parse_address)
            .map(|server| server.value),
        server_hostname: limited("server-hostname", 63),
        boot_file_name: limited("boot-file-name", 128),
    }
}

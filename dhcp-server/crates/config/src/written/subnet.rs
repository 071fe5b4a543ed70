//! `subnet4`, `subnet6`, `shared-networks` and their pools.

use super::accepted::{self, Place};
use super::classes::{WrittenGuard, read_guard};
use super::ddns::{self, WrittenDdns};
use super::host::{self, WrittenHost};
use super::option::{self, WrittenOption};
use super::scope::{self, Level, WrittenScope};
use super::{Object, Spanned};
use crate::diagnostic::Position;
use crate::dialect::Dialect;
use crate::model::Prefix;

/// A subnet.
#[derive(Debug)]
pub(crate) struct WrittenSubnet<F: Dialect> {
    pub(crate) position: Position,
    /// `None`: to be numbered.
    pub(crate) id: Option<Spanned<u32>>,
    pub(crate) prefix: Spanned<Prefix<F::Addr>>,
    pub(crate) place: WrittenPlace<F>,
    pub(crate) classes: WrittenGuard,
    pub(crate) scope: WrittenScope<F>,
    pub(crate) pools: Vec<WrittenPool<F>>,
    pub(crate) reservations: Vec<WrittenHost<F>>,
    pub(crate) user_context: serde_json::Value,
}

/// A shared network.
#[derive(Debug)]
pub(crate) struct WrittenNetwork<F: Dialect> {
    pub(crate) name: Spanned<Box<str>>,
    pub(crate) place: WrittenPlace<F>,
    pub(crate) classes: WrittenGuard,
    pub(crate) scope: WrittenScope<F>,
    pub(crate) subnets: Vec<WrittenSubnet<F>>,
    pub(crate) user_context: serde_json::Value,
}

/// How clients reach a subnet or shared network.
#[derive(Debug)]
pub(crate) struct WrittenPlace<F: Dialect> {
    pub(crate) interface: Option<Spanned<Box<str>>>,
    /// `None`: inherited.
    pub(crate) relay_addresses: Option<Vec<F::Addr>>,
}

/// A pool, or a prefix pool.
#[derive(Debug)]
pub(crate) struct WrittenPool<F: Dialect> {
    pub(crate) position: Position,
    /// As written, without blanks around it.
    pub(crate) text: String,
    pub(crate) first: F::Addr,
    pub(crate) last: F::Addr,
    pub(crate) id: u32,
    pub(crate) ddns: WrittenDdns,
    pub(crate) classes: WrittenGuard,
    pub(crate) options: Vec<WrittenOption>,
    pub(crate) own: F::Pool,
}

pub(crate) fn read_networks<F: Dialect>(object: &Object<'_>) -> Vec<WrittenNetwork<F>> {
    object
        .objects("shared-networks")
        .into_iter()
        .filter_map(read_network::<F>)
        .collect()
}

fn read_network<F: Dialect>(object: Object<'_>) -> Option<WrittenNetwork<F>> {
    let name = object.parsed("name", "a name", |name| {
        (!name.is_empty()).then(|| name.into())
    });
    let name = object.require("name", name);
    let place = place(&object);
    let classes = read_guard(&object);
    let scope = scope::read(&object, Level::Network);
    let subnets = read_subnets(&object);
    let user_context = object.user_context();
    accepted::read(&object, Place::Network, F::UNIVERSE);
    object.finish();
    Some(WrittenNetwork {
        name: name?,
        place,
        classes,
        scope,
        subnets,
        user_context,
    })
}

pub(crate) fn read_subnets<F: Dialect>(object: &Object<'_>) -> Vec<WrittenSubnet<F>> {
    object
        .objects(F::SUBNETS)
        .into_iter()
        .filter_map(read_subnet::<F>)
        .collect()
}

fn read_subnet<F: Dialect>(object: Object<'_>) -> Option<WrittenSubnet<F>> {
    let prefix = object.parsed(
        "subnet",
        "a prefix such as 192.0.2.0/24 or 2001:db8::/64",
        parse_prefix::<F>,
    );
    let prefix = object.require("subnet", prefix);
    // Kea until 2.4: 0 means to be numbered.
    let id = object
        .int::<u32>("id", 0..=4_294_967_294)
        .filter(|id| id.value != 0);
    let place = place(&object);
    let classes = read_guard(&object);
    let scope = scope::read(&object, Level::Subnet);
    let pools = F::read_pools(&object);
    let reservations = host::read_list(&object);
    let user_context = object.user_context();
    accepted::read(&object, Place::Subnet, F::UNIVERSE);
    let position = object.position.clone();
    object.finish();
    Some(WrittenSubnet {
        position,
        id,
        prefix: prefix?,
        place,
        classes,
        scope,
        pools,
        reservations,
        user_context,
    })
}

fn place<F: Dialect>(object: &Object<'_>) -> WrittenPlace<F> {
    let interface = object
        .text("interface")
        .filter(|name| !name.value.is_empty());
    WrittenPlace {
        interface: interface.map(|name| name.map(Into::into)),
        relay_addresses: object.object("relay").map(relay_addresses::<F>),
    }
}

fn relay_addresses<F: Dialect>(relay: Object<'_>) -> Vec<F::Addr> {
    let mut addresses = Vec::new();
    if let Some(single) = relay.parsed("ip-address", "an address", F::parse_address) {
        let text = "ip-address is deprecated: write ip-addresses with a list";
        relay.problems.warning(&single.position, text);
        addresses.push(single.value);
    }
    for text in relay.texts("ip-addresses").unwrap_or_default() {
        match F::parse_address(text.value) {
            Some(address) => addresses.push(address),
            None => relay.problems.error(
                &text.position,
                format!("\"{}\" is not an address of this family", text.value),
            ),
        }
    }
    relay.finish();
    addresses
}

/// `address/length`. Blanks do not count, bits behind the length may be set.
pub(crate) fn parse_prefix<F: Dialect>(text: &str) -> Option<Prefix<F::Addr>> {
    let text: String = text.split_whitespace().collect();
    let (addr, len) = text.split_once('/')?;
    Some(Prefix {
        addr: F::parse_address(addr)?,
        len: len.parse().ok().filter(|len| *len <= F::BITS)?,
    })
}

/// The list `pools`.
pub(crate) fn read_address_pools<F: Dialect>(
    object: &Object<'_>,
    own: &F::Pool,
) -> Vec<WrittenPool<F>> {
    object
        .objects("pools")
        .into_iter()
        .filter_map(|pool| read_pool::<F>(pool, own))
        .collect()
}

fn read_pool<F: Dialect>(object: Object<'_>, own: &F::Pool) -> Option<WrittenPool<F>> {
    let wanted = "a range such as 192.0.2.10 - 192.0.2.20, or a prefix";
    let range = object.parsed("pool", wanted, |text| {
        parse_range::<F>(text).map(|(first, last)| (text.trim().to_owned(), first, last))
    });
    let range = object.require("pool", range);
    if let Some(range) = range.as_ref().filter(|range| range.value.1 > range.value.2) {
        let text = format!("pool {} ends before it starts", range.value.0);
        object.problems.error(&range.position, text);
    }
    let id = pool_id(&object);
    let ddns = ddns::read(&object);
    let classes = read_guard(&object);
    let options = option::read_list::<F>(&object);
    object.user_context();
    accepted::read(&object, Place::Pool, F::UNIVERSE);
    object.finish();
    let range = range.filter(|range| range.value.1 <= range.value.2)?;
    let (text, first, last) = range.value;
    Some(WrittenPool {
        position: range.position,
        text,
        first,
        last,
        id,
        ddns,
        classes,
        options,
        own: own.clone(),
    })
}

/// `pool-id` of a pool or prefix pool.
pub(crate) fn pool_id(object: &Object<'_>) -> u32 {
    object.u32("pool-id").map_or(0, |id| id.value)
}

fn parse_range<F: Dialect>(text: &str) -> Option<(F::Addr, F::Addr)> {
    if let Some((first, last)) = text.split_once('-') {
        return Some((
            F::parse_address(first.trim())?,
            F::parse_address(last.trim())?,
        ));
    }
    let prefix = parse_prefix::<F>(text)?;
    let (first, last) = prefix_range::<F>(prefix);
    Some((F::from_bits(first), F::from_bits(last)))
}

/// First and last address of a prefix.
pub(crate) fn prefix_range<F: Dialect>(prefix: Prefix<F::Addr>) -> (u128, u128) {
    let host = if prefix.len == 0 && F::BITS == 128 {
        u128::MAX
    } else {
        (1_u128 << (F::BITS - prefix.len)) - 1
    };
    let first = F::to_bits(prefix.addr) & !host;
    (first, first | host)
}

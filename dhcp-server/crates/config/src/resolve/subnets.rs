//! Subnets and shared networks: numbers, order, and what must hold between them.

use super::options::{OptionEncoder, OptionScope};
use super::{Chain, hosts, timers};
use crate::dialect::Dialect;
use crate::model::{Guard, Pool, SharedNetwork, Subnet, SubnetId};
use crate::problems::Problems;
use crate::written::Spanned;
use crate::written::classes::WrittenGuard;
use crate::written::ddns::WrittenDdns;
use crate::written::global::WrittenGlobal;
use crate::written::scope::WrittenScope;
use crate::written::subnet::{WrittenNetwork, WrittenPool, WrittenSubnet, prefix_range};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What became of `subnet4`, `subnet6` and `shared-networks`.
pub(super) struct Resolved<F: Dialect> {
    pub(super) subnets: Vec<Subnet<F>>,
    pub(super) shared_networks: Vec<SharedNetwork>,
}

/// A subnet and where it stands.
struct Place<'a, F: Dialect> {
    written: &'a WrittenSubnet<F>,
    network: Option<(usize, &'a WrittenNetwork<F>)>,
}

pub(super) fn resolve<F: Dialect>(
    global: &WrittenGlobal<F>,
    encoder: &OptionEncoder<'_>,
    problems: &Problems,
) -> Resolved<F> {
    // Kea numbers subnets of shared networks before the others, and stored leases carry these numbers.
    let networks = || global.shared_networks.iter().enumerate();
    let inside = networks().flat_map(|(index, network)| {
        network.subnets.iter().map(move |written| Place {
            written,
            network: Some((index, network)),
        })
    });
    let alone = global.subnets.iter().map(|written| Place {
        written,
        network: None,
    });
    let places: Vec<_> = inside.chain(alone).collect();
    check_prefixes(&places, problems);
    let ids = number(&places, problems);

    let subnets = places
        .iter()
        .zip(ids)
        .map(|(place, id)| subnet(place, id, global, encoder, problems));
    let mut subnets: Vec<_> = subnets.collect();
    subnets.sort_by_key(|subnet| subnet.id);
    let mut members = vec![Vec::new(); global.shared_networks.len()];
    for (index, subnet) in subnets.iter().enumerate() {
        if let Some(network) = subnet.shared_network {
            members[network].push(index);
        }
    }
    let shared_networks = global
        .shared_networks
        .iter()
        .zip(members)
        .map(|(network, subnets)| {
            check_network(network, global, problems);
            SharedNetwork {
                name: network.name.value.clone(),
                subnets,
                guard: guard(&network.classes),
                additional_classes: additional(&network.classes),
                options: encoder.encode(&network.scope.options, OptionScope::Other),
                user_context: network.user_context.clone(),
            }
        });
    let shared_networks = shared_networks.collect();
    check_names(&global.shared_networks, problems);
    Resolved {
        subnets,
        shared_networks,
    }
}

fn subnet<F: Dialect>(
    place: &Place<'_, F>,
    id: SubnetId,
    global: &WrittenGlobal<F>,
    encoder: &OptionEncoder<'_>,
    problems: &Problems,
) -> Subnet<F> {
    let written = place.written;
    let network = place.network.map(|(_, network)| network);
    let outer = network.map(|network| &network.scope);
    let chain = Chain::new(
        [Some(&written.scope), outer, Some(&global.scope)]
            .into_iter()
            .flatten(),
    );
    let timers = timers::resolve(&chain, problems);
    let ddns = ddns(written, network, global);
    check_pools(written, problems);
    let flag =
        |pick: fn(&WrittenScope<F>) -> Option<bool>, default| chain.find(pick).unwrap_or(default);
    Subnet {
        id,
        prefix: written.prefix.value,
        shared_network: place.network.map(|(index, _)| index),
        interface: interface(written, network),
        relay_addresses: relay_addresses(written, network),
        timers,
        guard: guard(&written.classes),
        additional_classes: additional(&written.classes),
        pools: written
            .pools
            .iter()
            .map(|pool| resolve_pool(pool, &ddns, encoder))
            .collect(),
        options: encoder.encode(&written.scope.options, OptionScope::Other),
        reservations: hosts::resolve(
            &written.reservations,
            Some(&written.prefix),
            global,
            encoder,
            problems,
        ),
        reservations_in_subnet: flag(|scope| scope.reservations_in_subnet, true),
        reservations_global: flag(|scope| scope.reservations_global, false),
        reservations_out_of_pool: flag(|scope| scope.reservations_out_of_pool, false),
        ddns: Arc::new(ddns.with_defaults()),
        user_context: written.user_context.clone(),
        own: F::resolve_subnet(&chain, written.prefix.value.len, &timers, problems),
    }
}

fn interface<F: Dialect>(
    subnet: &WrittenSubnet<F>,
    network: Option<&WrittenNetwork<F>>,
) -> Option<Box<str>> {
    let inherited = || network?.place.interface.as_ref();
    let name = subnet.place.interface.as_ref().or_else(inherited)?;
    Some(name.value.clone())
}

/// Kea: a subnet without relay addresses of its own uses those of its shared network.
fn relay_addresses<F: Dialect>(
    subnet: &WrittenSubnet<F>,
    network: Option<&WrittenNetwork<F>>,
) -> Vec<F::Addr> {
    let own = subnet
        .place
        .relay_addresses
        .as_ref()
        .filter(|own| !own.is_empty());
    let inherited = || network?.place.relay_addresses.as_ref();
    own.or_else(inherited).cloned().unwrap_or_default()
}

/// The naming parameters that a subnet sets or inherits.
fn ddns<F: Dialect>(
    subnet: &WrittenSubnet<F>,
    network: Option<&WrittenNetwork<F>>,
    global: &WrittenGlobal<F>,
) -> WrittenDdns {
    let outermost = global.scope.ddns.over(&global.dhcp_ddns.moved);
    let outer = network.map(|network| network.scope.ddns.over(&outermost));
    subnet.scope.ddns.over(outer.as_ref().unwrap_or(&outermost))
}

fn resolve_pool<F: Dialect>(
    written: &WrittenPool<F>,
    subnet: &WrittenDdns,
    encoder: &OptionEncoder<'_>,
) -> Pool<F> {
    let ddns = (!written.ddns.is_empty()).then(|| written.ddns.over(subnet).with_defaults());
    Pool {
        id: written.id,
        first: written.first,
        last: written.last,
        ddns: ddns.map(Arc::new),
        guard: guard(&written.classes),
        additional_classes: additional(&written.classes),
        options: encoder.encode(&written.options, OptionScope::Other),
        own: written.own.clone(),
    }
}

fn guard(written: &WrittenGuard) -> Guard {
    Guard::new(written.guard.iter().map(|name| Arc::clone(&name.value)))
}

fn additional(written: &WrittenGuard) -> Box<[Arc<str>]> {
    let names = written.additional.iter();
    names.map(|name| Arc::clone(&name.value)).collect()
}

/// Subnets without an id are numbered from 1 in their order, past ids that are taken.
fn number<F: Dialect>(places: &[Place<'_, F>], problems: &Problems) -> Vec<SubnetId> {
    let mut taken: HashMap<u32, &Spanned<u32>> = HashMap::new();
    for id in places.iter().filter_map(|place| place.written.id.as_ref()) {
        if let Some(first) = taken.get(&id.value) {
            problems.error(
                &id.position,
                format!(
                    "subnet id {} is already taken ({})",
                    id.value, first.position
                ),
            );
        } else {
            taken.insert(id.value, id);
        }
    }
    let mut free = (1..=u32::MAX).filter(|id| !taken.contains_key(id));
    let ids = places.iter().map(|place| match &place.written.id {
        Some(id) => SubnetId(id.value),
        None => {
            // There are fewer subnets than numbers.
            let id = free.next().unwrap_or(u32::MAX);
            let prefix = &place.written.prefix;
            let text = format!(
                "subnet {} has no id: it gets {id}; write it down, stored leases carry it",
                prefix.value
            );
            problems.warning(&prefix.position, text);
            SubnetId(id)
        }
    });
    ids.collect()
}

/// Prefixes may overlap, but none may stand twice.
fn check_prefixes<F: Dialect>(places: &[Place<'_, F>], problems: &Problems) {
    let mut seen = HashMap::new();
    for place in places {
        let prefix = &place.written.prefix;
        let key = (F::to_bits(prefix.value.addr), prefix.value.len);
        if let Some(first) = seen.get(&key) {
            problems.error(
                &prefix.position,
                format!("subnet {} is already defined ({first})", prefix.value),
            );
        } else {
            seen.insert(key, &prefix.position);
        }
    }
}

/// Pools of one kind lie inside their subnet (delegated prefixes need not) and do not overlap.
fn check_pools<F: Dialect>(subnet: &WrittenSubnet<F>, problems: &Problems) {
    let prefix = &subnet.prefix;
    let (first, last) = prefix_range::<F>(prefix.value);
    let mut ranges: Vec<_> = subnet.pools.iter().collect();
    for pool in ranges.iter().filter(|pool| F::is_inside_subnet(&pool.own)) {
        if F::to_bits(pool.first) < first || F::to_bits(pool.last) > last {
            let text = format!(
                "pool {} lies outside subnet {} ({})",
                pool.text, prefix.value, prefix.position
            );
            problems.error(&pool.position, text);
        }
    }
    ranges.sort_by_key(|pool| (F::is_inside_subnet(&pool.own), pool.first, pool.last));
    let mut widest: Option<&WrittenPool<F>> = None;
    for pool in ranges {
        let before = widest
            .filter(|before| F::is_inside_subnet(&before.own) == F::is_inside_subnet(&pool.own));
        if let Some(before) = before.filter(|before| before.last >= pool.first) {
            let (early, late) = if before.position < pool.position {
                (before, pool)
            } else {
                (pool, before)
            };
            let text = format!(
                "pool {} overlaps pool {} ({})",
                late.text, early.text, early.position
            );
            problems.error(&late.position, text);
        }
        if before.is_none_or(|before| before.last < pool.last) {
            widest = Some(pool);
        }
    }
}

fn check_names<F: Dialect>(networks: &[WrittenNetwork<F>], problems: &Problems) {
    let mut seen = HashSet::new();
    for network in networks {
        let name = &network.name;
        if !seen.insert(&name.value) {
            problems.error(
                &name.position,
                format!("shared network {} is already defined", name.value),
            );
        }
    }
}

/// Members of a shared network are on one link.
fn check_network<F: Dialect>(
    network: &WrittenNetwork<F>,
    global: &WrittenGlobal<F>,
    problems: &Problems,
) {
    let own = network.place.interface.as_ref();
    let named = network
        .subnets
        .iter()
        .filter_map(|subnet| subnet.place.interface.as_ref());
    let mut named = own.into_iter().chain(named);
    if let Some(first) = named.next() {
        for other in named.filter(|other| other.value != first.value) {
            let name = &network.name.value;
            let text = format!(
                "interface {} differs from {} ({}) in shared network {name}",
                other.value, first.value, first.position
            );
            problems.error(&other.position, text);
        }
    }
    let chain = Chain::new([&network.scope, &global.scope]);
    F::check_network(network, &chain, problems);
}

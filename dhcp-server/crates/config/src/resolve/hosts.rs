//! Reservations of one scope.

use super::options::{OptionEncoder, OptionScope};
use crate::diagnostic::Position;
use crate::dialect::Dialect;
use crate::model::{Host, HostIdentifier, HostTable, Prefix};
use crate::problems::Problems;
use crate::written::Spanned;
use crate::written::global::WrittenGlobal;
use crate::written::host::WrittenHost;
use crate::written::subnet::prefix_range;
use std::collections::HashMap;

/// `subnet`: where the reservations stand; `None` for the global ones.
pub(super) fn resolve<F: Dialect>(
    written: &[WrittenHost<F>],
    subnet: Option<&Spanned<Prefix<F::Addr>>>,
    global: &WrittenGlobal<F>,
    encoder: &OptionEncoder<'_>,
    problems: &Problems,
) -> HostTable<F> {
    let mut table = HostTable::default();
    let mut identifiers: HashMap<&HostIdentifier, &Position> = HashMap::new();
    let mut resources: HashMap<F::Resource, &Position> = HashMap::new();
    for host in written {
        let identifier = &host.identifier;
        if let Some(first) = identifiers.insert(&identifier.value, &identifier.position) {
            let text = format!("this identifier already has a reservation ({first})");
            problems.error(&identifier.position, text);
        }
        for resource in &host.reserved.resources {
            let first = resources.insert(resource.value, &resource.position);
            if let Some(first) = first.filter(|_| global.ip_reservations_unique) {
                let text = format!("{} is already reserved ({first})", resource.value);
                problems.error(&resource.position, text);
            }
            check_inside::<F>(resource, subnet, problems);
        }
        table.insert(Host {
            identifier: identifier.value.clone(),
            resources: host
                .reserved
                .resources
                .iter()
                .map(|resource| resource.value)
                .collect(),
            hostname: host.hostname.clone(),
            client_classes: host.client_classes.clone(),
            options: encoder.encode(&host.options, OptionScope::Other),
            own: host.reserved.own.clone(),
        });
    }
    table
}

fn check_inside<F: Dialect>(
    resource: &Spanned<F::Resource>,
    subnet: Option<&Spanned<Prefix<F::Addr>>>,
    problems: &Problems,
) {
    let (Some(address), Some(subnet)) = (F::reserved_address(&resource.value), subnet) else {
        return;
    };
    let (first, last) = prefix_range::<F>(subnet.value);
    if !(first..=last).contains(&F::to_bits(address)) {
        let text = format!(
            "reserved address {address} lies outside subnet {} ({})",
            subnet.value, subnet.position
        );
        problems.error(&resource.position, text);
    }
}

//! Client classes: which ones a packet joins at each stage, and what members get (Kea's phases).

use super::locate::Located4;
use super::terms::Granted4;
use outrigger_config::model::Server;
use outrigger_wire::{Query4, V4};

/// Before the subnet is selected: classes by test.
pub(super) fn by_tests(cfg: &Server<V4>, query: &mut Query4) {
    let Query4 {
        packet,
        link,
        classes,
        ..
    } = query;
    cfg.classes.first_pass(&*packet, link, classes);
}

/// After the host lookup: classes of the reservation, KNOWN or UNKNOWN, and those that depend on them.
pub(super) fn by_reservation(located: &mut Located4<'_>) {
    let reserved = located.host.map(|host| &*host.client_classes);
    let Query4 {
        packet,
        link,
        classes,
        ..
    } = &mut located.query;
    located
        .cfg
        .classes
        .second_pass(&*packet, link, classes, reserved);
}

/// Once the lease is known: classes that callouts named, then those of its pool, its subnet and its shared network.
/// They count for options only.
pub(super) fn by_lease(located: &mut Located4<'_>, granted: Option<&Granted4>) {
    let cfg = located.cfg;
    if cfg.classes.is_empty() {
        return;
    }
    let subnet = match granted {
        Some(granted) => cfg.subnets.get(granted.subnet),
        None => located.subnet(),
    };
    let pool = granted.and_then(|granted| granted.pool(cfg));
    let of_lease = subnet
        .into_iter()
        .flat_map(|subnet| cfg.additional_classes(subnet, pool));
    let Query4 {
        packet,
        link,
        classes,
        additional_classes,
    } = &mut located.query;
    let names = additional_classes
        .joined()
        .chain(of_lease.map(|name| &**name));
    cfg.classes.additional(&*packet, link, classes, names);
}

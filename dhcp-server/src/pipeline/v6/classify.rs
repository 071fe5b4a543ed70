//! Client classes: which ones a packet joins at each stage, and what members get (Kea's phases).

use super::decide::Outcome6;
use super::locate::Located6;
use outrigger_config::model::{Host, Server};
use outrigger_wire::{Query6, V6};

/// Before anything is looked up: the vendor class, and classes whose test needs the packet alone.
pub(super) fn by_tests(cfg: &Server<V6>, query: &mut Query6) {
    let (packet, link) = (&query.packet, &query.link);
    cfg.classes.first_pass(packet, link, &mut query.classes);
}

/// After the lookup of reservations: the reservation's classes, `KNOWN` or `UNKNOWN`, and what depends on them.
pub(super) fn by_reservation(cfg: &Server<V6>, query: &mut Query6, host: Option<&Host<V6>>) {
    let (packet, link) = (&query.packet, &query.link);
    let reserved = host.map(|host| &*host.client_classes);
    cfg.classes
        .second_pass(packet, link, &mut query.classes, reserved);
}

/// After the leases: the classes that callouts named, then those of each lease's pool, subnet and shared network; of the
/// selected subnet where there is no lease.
pub(super) fn by_lease(located: &mut Located6<'_>, outcome: &Outcome6) {
    let cfg = located.cfg;
    if cfg.classes.is_empty() {
        return;
    }
    let query = &mut located.query;
    let (packet, link) = (&query.packet, &query.link);
    let mut evaluate = |names: &mut dyn Iterator<Item = &str>| {
        cfg.classes
            .additional(packet, link, &mut query.classes, names);
    };
    evaluate(&mut query.additional_classes.joined());
    let mut leased = false;
    for (lease, subnet) in outcome.ias.iter().filter_map(|ia| ia.granted.as_ref()) {
        let Some(subnet) = cfg.subnets.get(*subnet) else {
            continue;
        };
        leased = true;
        let pool = super::decide::pool_of(subnet, &lease.resource);
        let names = cfg.additional_classes(subnet, pool);
        evaluate(&mut names.map(|name| &**name));
    }
    let selected = located.subnet.and_then(|index| cfg.subnets.get(index));
    if let Some(subnet) = selected.filter(|_| !leased) {
        let names = cfg.additional_classes(subnet, None);
        evaluate(&mut names.map(|name| &**name));
    }
}

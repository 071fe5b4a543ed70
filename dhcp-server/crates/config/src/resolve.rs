//! From what is written to what is meant: values inherited, options encoded, and everything checked that concerns
//! more than one keyword.

mod chain;
mod classes;
mod hosts;
mod options;
mod subnets;
mod timers;

pub(crate) use chain::Chain;

use crate::dialect::Dialect;
use crate::model::Server;
use crate::problems::Problems;
use crate::written::global::WrittenGlobal;
use options::{OptionEncoder, OptionScope};

/// The server's configuration without `revision` and `json`, which the file as a whole decides. Whether it may be
/// used depends on whether `problems` has errors then.
pub(crate) fn server<F: Dialect>(written: WrittenGlobal<F>, problems: &Problems) -> Server<F> {
    let encoder = OptionEncoder::new(F::UNIVERSE, &written.definitions, problems);
    let global = Chain::new([&written.scope]);
    let timers = timers::resolve(&global, problems);
    let classes = classes::resolve(&written, &encoder, problems);
    let resolved = subnets::resolve(&written, &encoder, problems);
    let options = encoder.encode(&written.scope.options, OptionScope::Global);
    let reservations = hosts::resolve(&written.reservations, None, &written, &encoder, problems);
    let own = F::resolve_global(&written, timers, problems);
    check_deadlines(&written, problems);
    Server {
        revision: 0,
        json: serde_json::Value::Null,
        interfaces: written.interfaces,
        subnet_ids: resolved.subnets.iter().map(|subnet| subnet.id.0).collect(),
        subnets: resolved.subnets,
        shared_networks: resolved.shared_networks,
        classes,
        options,
        reservations,
        early_global_reservations_lookup: written.early_global_reservations_lookup,
        ddns_enabled: written.dhcp_ddns.enabled,
        host_reservation_identifiers: written.host_reservation_identifiers,
        expired_leases: written.expired_leases,
        lease_database: written.lease_database,
        decline_probation_period: written.decline_probation_period,
        parked_packet_limit: written.parked_packet_limit,
        loggers: written.loggers,
        control_sockets: written.control_sockets,
        hook_services: written.hook_services,
        hook_budget: written.hook_budget,
        own,
    }
}

/// No packet waits at these hook points.
fn is_of_the_servers_life(hook_point: &str) -> bool {
    hook_point.ends_with("_srv_configured")
        || hook_point.starts_with("cb")
        || matches!(hook_point, "command_processed" | "$command")
}

/// A packet has one budget for all its callouts; a longer deadline promises what it cannot keep.
fn check_deadlines<F: Dialect>(written: &WrittenGlobal<F>, problems: &Problems) {
    let budget = written.hook_budget;
    for service in &written.hook_services {
        let points = service.hook_points.iter();
        let of_packets = points.filter(|point| !is_of_the_servers_life(&point.name));
        let own = of_packets.filter_map(|point| Some((point.deadline?, &point.position)));
        for (deadline, position) in own.chain([(service.deadline, &service.position)]) {
            if deadline > budget {
                let (deadline, budget) = (deadline.as_millis(), budget.as_millis());
                let text =
                    format!("deadline {deadline} ms is cut by hook-budget, {budget} ms per packet");
                problems.warning(position, text);
            }
        }
    }
}

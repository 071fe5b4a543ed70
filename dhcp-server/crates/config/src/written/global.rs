//! The map under `Dhcp4` or `Dhcp6`.

use super::accepted::{self, Place};
use super::classes::{self, WrittenClass};
use super::ddns::{self, WrittenDhcpDdns};
use super::host::{self, WrittenHost};
use super::option::{self, WrittenDefinition};
use super::scope::{self, Level, WrittenScope};
use super::subnet::{self, WrittenNetwork, WrittenSubnet};
use super::{Object, hook_service, libraries, process, storage};
use crate::dialect::Dialect;
use crate::model::{
    ExpiredLeases, HookService, HostIdentifierType, Interfaces, LeaseDatabase, Logger,
};
use std::path::PathBuf;
use std::time::Duration;

/// Everything in the file.
#[derive(Debug)]
pub(crate) struct WrittenGlobal<F: Dialect> {
    pub(crate) scope: WrittenScope<F>,
    pub(crate) top: F::Top,
    pub(crate) dhcp_ddns: WrittenDhcpDdns,
    pub(crate) interfaces: Interfaces,
    pub(crate) definitions: Vec<WrittenDefinition>,
    pub(crate) classes: Vec<WrittenClass<F>>,
    pub(crate) shared_networks: Vec<WrittenNetwork<F>>,
    pub(crate) subnets: Vec<WrittenSubnet<F>>,
    pub(crate) reservations: Vec<WrittenHost<F>>,
    pub(crate) host_reservation_identifiers: Vec<HostIdentifierType>,
    pub(crate) ip_reservations_unique: bool,
    pub(crate) early_global_reservations_lookup: bool,
    pub(crate) expired_leases: ExpiredLeases,
    pub(crate) lease_database: LeaseDatabase,
    pub(crate) decline_probation_period: Duration,
    pub(crate) parked_packet_limit: u32,
    pub(crate) loggers: Vec<Logger>,
    pub(crate) control_sockets: Vec<PathBuf>,
    pub(crate) hook_services: Vec<HookService>,
    pub(crate) hook_budget: Duration,
}

pub(crate) fn read<F: Dialect>(object: Object<'_>) -> WrittenGlobal<F> {
    let seconds = |key, default| {
        Duration::from_secs(
            object
                .u32(key)
                .map_or(default, |number| number.value)
                .into(),
        )
    };
    let written = WrittenGlobal {
        scope: scope::read(&object, Level::Global),
        top: F::read_top(&object),
        dhcp_ddns: ddns::read_dhcp_ddns(&object),
        interfaces: process::read_interfaces::<F>(&object),
        definitions: option::read_definitions::<F>(&object),
        classes: classes::read_list(&object),
        shared_networks: subnet::read_networks(&object),
        subnets: subnet::read_subnets(&object),
        reservations: host::read_list(&object),
        host_reservation_identifiers: identifiers::<F>(&object),
        ip_reservations_unique: object
            .bool("ip-reservations-unique")
            .is_none_or(|flag| flag.value),
        early_global_reservations_lookup: object
            .bool("early-global-reservations-lookup")
            .is_some_and(|flag| flag.value),
        expired_leases: storage::read_expired_leases(&object),
        lease_database: storage::read_lease_database::<F>(&object),
        decline_probation_period: seconds("decline-probation-period", 86_400),
        parked_packet_limit: object
            .u32("parked-packet-limit")
            .map_or(256, |limit| limit.value),
        loggers: process::read_loggers(&object),
        control_sockets: process::read_control_sockets(&object),
        hook_services: hook_service::read_list(&object),
        hook_budget: hook_service::duration(&object, "hook-budget").unwrap_or(F::HOOK_BUDGET),
    };
    libraries::read(&object);
    accepted::read(&object, Place::Global, F::UNIVERSE);
    object.user_context();
    object.finish();
    written
}

/// `host-reservation-identifiers`: the order in which reservations are looked up.
fn identifiers<F: Dialect>(object: &Object<'_>) -> Vec<HostIdentifierType> {
    let searched = || {
        F::IDENTIFIERS
            .iter()
            .take(F::SEARCHED)
            .map(|row| row.1)
            .collect()
    };
    let Some(texts) = object.texts("host-reservation-identifiers") else {
        return searched();
    };
    let mut identifiers = Vec::new();
    for text in &texts {
        let found = F::IDENTIFIERS
            .iter()
            .find(|row| row.0 == text.value)
            .map(|row| row.1);
        match found {
            Some(kind) if identifiers.contains(&kind) => {
                object.problems.error(
                    &text.position,
                    format!("identifier {} is listed twice", text.value),
                );
            }
            Some(kind) => identifiers.push(kind),
            // Kea's parser knows "auto": every identifier in default order.
            None if text.value == "auto" && texts.len() == 1 => return searched(),
            None => {
                let known: Vec<_> = F::IDENTIFIERS.iter().map(|row| row.0).collect();
                let text_ = format!("\"{}\" is not one of {}", text.value, known.join(", "));
                object.problems.error(&text.position, text_);
            }
        }
    }
    if let (true, Some(member)) = (
        texts.is_empty(),
        object.member("host-reservation-identifiers"),
    ) {
        object.problems.error(
            &member.node.position,
            "host-reservation-identifiers must not be empty",
        );
    }
    identifiers
}

//! What a configuration means: inherited values resolved, text parsed, impossible to build invalid.

mod classes;
mod ddns;
mod family;
mod hook_service;
mod host;
mod options;
mod server_api;
mod subnet;

pub use classes::{ClassContent, ClassTable, Guard};
pub use ddns::{ConflictResolutionMode, DdnsParameters, HostnameCharSet, ReplaceClientName};
pub use family::{
    Class4, Class6, Global4, Global6, Host4, Host6, Pool4, Pool6, ServerId, Settings, Subnet4,
    Subnet6,
};
pub use hook_service::{AtStart, Endpoint, HookPointSettings, HookService, OnFailure};
pub use host::{Host, HostIdentifier, HostIdentifierType, HostTable};
pub use options::{ConfiguredOption, OptionSet, VendorSubOption};
pub use server_api::Grant;
pub use subnet::{Pool, Prefix, SharedNetwork, Subnet, SubnetId, Timers, Triplet};

use outrigger_wire::{V4, V6};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A checked configuration file: one family, as the top-level key says.
#[derive(Debug, Clone)]
pub enum Config {
    /// Top-level key `Dhcp4`.
    V4(Arc<Server<V4>>),
    /// Top-level key `Dhcp6`.
    V6(Arc<Server<V6>>),
}

/// Everything one family's server needs to know. A packet is served by one snapshot of it from beginning to end.
#[derive(Debug)]
pub struct Server<F: Settings> {
    /// Hash of the whole configuration; hook services see it as the configuration revision.
    pub revision: u64,
    /// The whole file as JSON with defaults not filled in, comments gone: what `config-get` starts from.
    pub json: serde_json::Value,
    /// Where to listen.
    pub interfaces: Interfaces,
    /// All subnets, those of shared networks too, in ascending id.
    pub subnets: Vec<Subnet<F>>,
    /// Their ids, in the same order.
    pub subnet_ids: Vec<u32>,
    /// Shared networks; a subnet names its own by index into this list.
    pub shared_networks: Vec<SharedNetwork>,
    /// Client classes.
    pub classes: ClassTable<F>,
    /// Options of the global scope.
    pub options: OptionSet,
    /// Global reservations, consulted where a subnet says so.
    pub reservations: HostTable<F>,
    /// Global reservations are looked up before a subnet is selected.
    pub early_global_reservations_lookup: bool,
    /// `dhcp-ddns.enable-updates`: without it nothing is updated, whatever [`DdnsParameters::send_updates`] says.
    pub ddns_enabled: bool,
    /// Which identifiers are looked up, in this order; never empty.
    pub host_reservation_identifiers: Vec<HostIdentifierType>,
    /// Reclamation of expired leases.
    pub expired_leases: ExpiredLeases,
    /// Where leases are kept.
    pub lease_database: LeaseDatabase,
    /// How long a declined address stays out of use.
    pub decline_probation_period: Duration,
    /// Packets that may wait for a parked callout at one hook point; 0 is no limit.
    pub parked_packet_limit: u32,
    /// Loggers, first match by name wins.
    pub loggers: Vec<Logger>,
    /// Paths of unix control sockets.
    pub control_sockets: Vec<PathBuf>,
    /// Hook services in the order of their callouts.
    pub hook_services: Vec<HookService>,
    /// Time that all callouts of one packet may take together.
    pub hook_budget: Duration,
    /// What only this family has.
    pub own: F::Global,
}

/// `interfaces-config`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// In configuration order; empty: listen nowhere.
    pub interfaces: Vec<InterfaceSpec>,
    /// DHCPv4 `dhcp-socket-type` is `raw` (the default): clients without an address can be answered.
    pub raw_sockets: bool,
}

/// One entry of `interfaces`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterfaceSpec {
    /// `"*"`: every interface that is up, has a usable address and is not loopback.
    All,
    /// `"eth0"`, or `"eth0/192.0.2.1"` with the address to bind (DHCPv6: also to listen on as unicast).
    Named {
        /// Name of the interface.
        name: String,
        /// The address behind the slash.
        address: Option<std::net::IpAddr>,
    },
}

/// `expired-leases-processing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiredLeases {
    /// Pause between passes; zero: never.
    pub reclaim_timer_wait_time: Duration,
    /// How long a reclaimed or released lease is remembered for its client.
    pub hold_reclaimed_time: Duration,
    /// Pause between removals of such leases; zero: never.
    pub flush_reclaimed_timer_wait_time: Duration,
    /// Leases per pass; 0: all.
    pub max_reclaim_leases: u32,
    /// Time per pass; zero: no limit.
    pub max_reclaim_time: Duration,
    /// Passes that stop early before a warning is logged.
    pub unwarned_reclaim_cycles: u32,
}

/// `lease-database` of type `memfile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseDatabase {
    /// False: leases live in memory only and die with the process.
    pub persist: bool,
    /// Kea's lease file (`name`), absolute or relative to the working directory. The journal is the directory of the
    /// same path with `.journal` appended.
    pub lease_file: PathBuf,
}

/// One entry of `loggers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logger {
    /// `kea-dhcp4`, `kea-dhcp6.hooks`, …
    pub name: String,
    /// Lowest severity that is logged.
    pub severity: LogSeverity,
    /// 0 to 99; what `DEBUG` lets through.
    pub debug_level: u8,
    /// `stdout`, `stderr`, `syslog…` or a path; empty: stderr.
    pub outputs: Vec<String>,
}

/// Kea's severities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSeverity {
    /// Everything.
    Debug,
    /// Events of normal service.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
    /// The server stops.
    Fatal,
    /// Nothing at all.
    None,
}

//! What the two families write differently. Nouns only: what each makes of a packet is not known here.

mod v4;
mod v6;

use crate::model::{HostIdentifierType, Settings, Timers};
use crate::problems::Problems;
use crate::resolve::Chain;
use crate::written::Object;
use crate::written::global::WrittenGlobal;
use crate::written::host::Reserved;
use crate::written::scope::Level;
use crate::written::subnet::{WrittenNetwork, WrittenPool};
use outrigger_wire::options::spaces::Universe;
use std::time::Duration;

/// T1 and T2 where nothing is configured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TeeDefaults {
    /// `calculate-tee-times`.
    pub(crate) calculate: bool,
    /// `t1-percent`.
    pub(crate) t1_percent: f64,
    /// `t2-percent`.
    pub(crate) t2_percent: f64,
}

/// A family as its configuration sees it.
pub(crate) trait Dialect: Settings<Host: Clone> + Sized {
    /// Key at the top of the file.
    const TOP_LEVEL: &'static str;
    /// Key of the list of subnets.
    const SUBNETS: &'static str;
    /// Whose options are configured.
    const UNIVERSE: Universe;
    /// Length of an address.
    const BITS: u8;
    /// `lease-database.name` where it is not given, in the data directory.
    const LEASE_FILE: &'static str;
    /// `hook-budget` where it is not given.
    const HOOK_BUDGET: Duration;
    /// Identifiers a reservation may go by, in the order of a default search; those behind [`Self::SEARCHED`] only on
    /// request.
    const IDENTIFIERS: &'static [(&'static str, HostIdentifierType)];
    /// How many of [`Self::IDENTIFIERS`] are searched by default.
    const SEARCHED: usize;
    /// T1 and T2.
    const TEES: TeeDefaults;

    /// Members that only this family has, of global scope, shared networks and subnets.
    type Scope: std::fmt::Debug;
    /// Members that only this family has, of the global scope.
    type Top: std::fmt::Debug;

    /// An address as written.
    fn parse_address(text: &str) -> Option<Self::Addr>;
    /// An address as a number.
    fn to_bits(address: Self::Addr) -> u128;
    /// The other way; bits above [`Self::BITS`] do not count.
    fn from_bits(bits: u128) -> Self::Addr;
    /// The address that must lie in the subnet of its reservation, if it is one.
    fn reserved_address(resource: &Self::Resource) -> Option<Self::Addr>;

    /// Whether a pool must lie inside the prefix of its subnet.
    fn is_inside_subnet(pool: &Self::Pool) -> bool;

    /// Reads [`Self::Scope`].
    fn read_scope(object: &Object<'_>, level: Level) -> Self::Scope;
    /// Reads [`Self::Top`].
    fn read_top(object: &Object<'_>) -> Self::Top;
    /// Reads the pools of a subnet.
    fn read_pools(object: &Object<'_>) -> Vec<WrittenPool<Self>>;
    /// Reads members of a client class that only this family has.
    fn read_class(object: &Object<'_>) -> Self::Class;
    /// Reads what a reservation reserves.
    fn read_reserved(object: &Object<'_>) -> Reserved<Self>;

    /// Makes the family's part of a subnet.
    fn resolve_subnet(
        chain: &Chain<'_, Self>,
        prefix_len: u8,
        timers: &Timers,
        problems: &Problems,
    ) -> Self::Subnet;
    /// Makes the family's part of the server.
    fn resolve_global(
        written: &WrittenGlobal<Self>,
        timers: Timers,
        problems: &Problems,
    ) -> Self::Global;
    /// Checks what must be equal within a shared network.
    fn check_network(network: &WrittenNetwork<Self>, chain: &Chain<'_, Self>, problems: &Problems);
}

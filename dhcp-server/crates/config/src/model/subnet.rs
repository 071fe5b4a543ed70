//! Subnets, pools and shared networks.

use super::{DdnsParameters, Guard, HostTable, OptionSet, Settings};
use std::fmt;
use std::sync::Arc;

/// Identifier of a subnet; kept in every lease. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubnetId(pub u32);

impl fmt::Display for SubnetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Seconds: what is handed out where the client asks for nothing, and the bounds for what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triplet {
    /// Smallest.
    pub min: u32,
    /// Where the client has no wish.
    pub default: u32,
    /// Largest; `u32::MAX` is for ever.
    pub max: u32,
}

impl Triplet {
    /// The client's wish within the bounds. A wish of 0 is no wish.
    #[must_use]
    pub fn clamp(self, wish: Option<u32>) -> u32 {
        match wish {
            None | Some(0) => self.default,
            Some(wish) => wish.clamp(self.min, self.max),
        }
    }
}

/// Lifetimes and timers in force for a subnet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timers {
    /// Valid lifetime, seconds.
    pub valid_lifetime: Triplet,
    /// T1, seconds, where configured.
    pub renew_timer: Option<u32>,
    /// T2, seconds, where configured.
    pub rebind_timer: Option<u32>,
    /// Derive T1 and T2 from the lifetime where they are not configured.
    pub calculate_tee_times: bool,
    /// Fraction of the lifetime, between 0 and 1.
    pub t1_percent: f64,
    /// Fraction of the lifetime, between 0 and 1.
    pub t2_percent: f64,
}

/// An address prefix; bits behind `len` may be set, as in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<A> {
    /// As written.
    pub addr: A,
    /// In bits.
    pub len: u8,
}

impl<A: fmt::Display> fmt::Display for Prefix<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

/// A subnet with everything that it inherits.
#[derive(Debug)]
pub struct Subnet<F: Settings> {
    /// Unique in the server.
    pub id: SubnetId,
    /// `subnet`.
    pub prefix: Prefix<F::Addr>,
    /// Index into [`super::Server::shared_networks`].
    pub shared_network: Option<usize>,
    /// Directly reachable on this interface.
    pub interface: Option<Box<str>>,
    /// Relays that select this subnet, its shared network's where it has none of its own.
    pub relay_addresses: Vec<F::Addr>,
    /// Lifetimes and timers.
    pub timers: Timers,
    /// Who may use it.
    pub guard: Guard,
    /// `evaluate-additional-classes`: evaluated for those who use it, once a lease was found.
    pub additional_classes: Box<[Arc<str>]>,
    /// In configuration order; DHCPv6: address pools, then prefix pools.
    pub pools: Vec<Pool<F>>,
    /// Options of the subnet's own scope.
    pub options: OptionSet,
    /// Reservations of this subnet.
    pub reservations: HostTable<F>,
    /// Look at [`Self::reservations`].
    pub reservations_in_subnet: bool,
    /// Look at the global reservations, after the subnet's.
    pub reservations_global: bool,
    /// Reserved addresses promise to lie outside the pools.
    pub reservations_out_of_pool: bool,
    /// How clients are named here.
    pub ddns: Arc<DdnsParameters>,
    /// `user-context` as JSON, `null` where there is none.
    pub user_context: serde_json::Value,
    /// What only this family has.
    pub own: F::Subnet,
}

/// A range to lease from.
#[derive(Debug, Clone)]
pub struct Pool<F: Settings> {
    /// `pool-id`, 0 where not given.
    pub id: u32,
    /// First address (of the first prefix).
    pub first: F::Addr,
    /// Last address (of the last prefix).
    pub last: F::Addr,
    /// How clients of this pool are named, inherited values resolved; `None`: as those of the subnet.
    pub ddns: Option<Arc<DdnsParameters>>,
    /// Who may use it.
    pub guard: Guard,
    /// `evaluate-additional-classes`: evaluated for those who use it, once a lease was found.
    pub additional_classes: Box<[Arc<str>]>,
    /// Options of the pool's own scope.
    pub options: OptionSet,
    /// What only this family has.
    pub own: F::Pool,
}

/// Subnets on one link.
#[derive(Debug)]
pub struct SharedNetwork {
    /// Unique.
    pub name: Box<str>,
    /// Members, ascending id, as indexes into [`super::Server::subnets`].
    pub subnets: Vec<usize>,
    /// Who may use it.
    pub guard: Guard,
    /// `evaluate-additional-classes`: evaluated for those who use it, once a lease was found.
    pub additional_classes: Box<[Arc<str>]>,
    /// Options of the network's own scope.
    pub options: OptionSet,
    /// `user-context` as JSON, `null` where there is none.
    pub user_context: serde_json::Value,
}

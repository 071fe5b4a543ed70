//! A lease, in both families.

use outrigger_wire::{Family, HwAddress};

/// `valid_lifetime` of a lease that never ends.
pub const INFINITE: u32 = u32::MAX;

/// A lease, in both families.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease<F: Family> {
    /// What is leased; unique.
    pub resource: F::Resource,
    /// Who holds it; nobody where it was declined.
    pub owner: F::Owner,
    /// Of the subnet it was leased from.
    pub subnet_id: u32,
    /// `pool-id` of the pool it was leased from.
    pub pool_id: u32,
    /// See there.
    pub state: LeaseState,
    /// Client last transmission time: when it was granted or extended, seconds since 1970-01-01 UTC.
    pub cltt: u64,
    /// Seconds from `cltt`; [`INFINITE`] never ends.
    pub valid_lifetime: u32,
    /// Seconds from `cltt`; DHCPv4 keeps 0.
    pub preferred_lifetime: u32,
    /// Lower case, empty where there is none.
    pub hostname: Box<str>,
    /// A forward DNS record exists or is to exist.
    pub fqdn_fwd: bool,
    /// A reverse DNS record exists or is to exist.
    pub fqdn_rev: bool,
    /// Link-layer address of the client where known; DHCPv4 has it in the owner and keeps this empty.
    pub hw_address: HwAddress,
    /// JSON, empty where there is none.
    pub user_context: Box<str>,
}

impl<F: Family> Lease<F> {
    /// When it ends, seconds since 1970-01-01 UTC; `u64::MAX` for an infinite lease.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        if self.valid_lifetime == INFINITE {
            u64::MAX
        } else {
            self.cltt.saturating_add(u64::from(self.valid_lifetime))
        }
    }

    /// Whether it has ended at `now`.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at() <= now
    }
}

/// Kea's lease states, with Kea's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LeaseState {
    /// In use, or expired and not reclaimed yet.
    Default = 0,
    /// A client found the address in use by somebody else.
    Declined = 1,
    /// Expired and reclaimed; remembered for its client for a while.
    ExpiredReclaimed = 2,
    /// Released by its client; remembered for it for a while.
    Released = 3,
    /// Self-made address that a client told us of (RFC 9686); DHCPv6 only.
    Registered = 4,
}

impl TryFrom<u8> for LeaseState {
    type Error = u8;

    fn try_from(number: u8) -> Result<Self, u8> {
        Ok(match number {
            0 => Self::Default,
            1 => Self::Declined,
            2 => Self::ExpiredReclaimed,
            3 => Self::Released,
            4 => Self::Registered,
            other => return Err(other),
        })
    }
}

//! Pools as ranges of numbered resources.

use outrigger_config::model::{Pool, Pool6, Prefix, Settings};
use outrigger_store::StoredFamily;
use outrigger_wire::family::Resource6;
use outrigger_wire::{Prefix6, V4, V6};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What the allocator must know of a family to count through its pools. Nouns only.
pub trait Ranged: Settings + StoredFamily {
    /// What kinds of leases there are: one in DHCPv4, addresses and prefixes in DHCPv6.
    type Kind: Copy + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync;

    /// What a pool has in it.
    fn kind_of_pool(pool: &Pool<Self>) -> Self::Kind;

    /// What a resource is.
    fn kind_of(resource: &Self::Resource) -> Self::Kind;

    /// The range that a pool covers.
    fn range(pool: &Pool<Self>) -> Range;

    /// The resource at a place of the numbering that [`Self::range`] uses.
    fn at(pool: &Pool<Self>, number: u128) -> Self::Resource;

    /// The number of a resource: its (first) address as an integer.
    fn number(resource: &Self::Resource) -> u128;

    /// Whether the whole resource lies inside the prefix.
    fn is_inside(prefix: &Prefix<Self::Addr>, resource: &Self::Resource) -> bool;

    /// Bits of a resource: 32, 128, or the length of a delegated prefix.
    fn unit_len(resource: &Self::Resource) -> u8;
}

/// First and last address as integers, and what lies between two neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// Bits of a resource, as [`Ranged::unit_len`].
    pub unit_len: u8,
    /// Number of the first resource.
    pub first: u128,
    /// Number of the last resource.
    pub last: u128,
    /// Distance of neighbours, as a power of two.
    pub shift: u8,
}

impl Range {
    /// How many resources there are, less one (a pool of all addresses would not fit otherwise).
    #[must_use]
    pub fn last_index(&self) -> u128 {
        self.last.saturating_sub(self.first) >> self.shift
    }

    /// Which one `number` is, counted from the first; `None` outside or between two.
    #[must_use]
    pub fn index_of(&self, number: u128) -> Option<u128> {
        if !(self.first..=self.last).contains(&number) {
            return None;
        }
        let offset = number - self.first;
        let index = offset >> self.shift;
        (index << self.shift == offset).then_some(index)
    }

    /// The number of the resource at `index`, which must be at most [`Self::last_index`].
    #[must_use]
    pub fn number_at(&self, index: u128) -> u128 {
        self.first.saturating_add(index << self.shift)
    }
}

impl Ranged for V4 {
    type Kind = ();

    fn kind_of_pool(_: &Pool<Self>) -> Self::Kind {}

    fn kind_of(_: &Ipv4Addr) -> Self::Kind {}

    fn range(pool: &Pool<Self>) -> Range {
        let number = |addr: Ipv4Addr| u128::from(u32::from(addr));
        Range {
            unit_len: 32,
            first: number(pool.first),
            last: number(pool.last),
            shift: 0,
        }
    }

    fn at(_: &Pool<Self>, number: u128) -> Ipv4Addr {
        Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn number(resource: &Ipv4Addr) -> u128 {
        u128::from(u32::from(*resource))
    }

    fn is_inside(prefix: &Prefix<Ipv4Addr>, resource: &Ipv4Addr) -> bool {
        let differing = u32::from(prefix.addr) ^ u32::from(*resource);
        differing.leading_zeros() >= u32::from(prefix.len)
    }

    fn unit_len(_: &Ipv4Addr) -> u8 {
        32
    }
}

/// Kinds of DHCPv6 leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind6 {
    /// In an IA_NA.
    Address,
    /// In an IA_PD.
    Prefix,
}

impl Ranged for V6 {
    type Kind = Kind6;

    fn kind_of_pool(pool: &Pool<Self>) -> Kind6 {
        match pool.own {
            Pool6::Addresses => Kind6::Address,
            Pool6::Prefixes { .. } => Kind6::Prefix,
        }
    }

    fn kind_of(resource: &Resource6) -> Kind6 {
        match resource {
            Resource6::Address(_) => Kind6::Address,
            Resource6::Prefix(_) => Kind6::Prefix,
        }
    }

    fn range(pool: &Pool<Self>) -> Range {
        let (first, last) = (u128::from(pool.first), u128::from(pool.last));
        match pool.own {
            Pool6::Addresses => Range {
                unit_len: 128,
                first,
                last,
                shift: 0,
            },
            Pool6::Prefixes { delegated_len, .. } => {
                let shift = 128 - delegated_len.min(128);
                // The last prefix begins where the last address, rounded down to a prefix, lies.
                let last = if shift == 128 {
                    0
                } else {
                    last >> shift << shift
                };
                Range {
                    unit_len: delegated_len,
                    first,
                    last,
                    shift: shift.min(127),
                }
            }
        }
    }

    fn at(pool: &Pool<Self>, number: u128) -> Resource6 {
        let addr = Ipv6Addr::from(number);
        match pool.own {
            Pool6::Addresses => Resource6::Address(addr),
            Pool6::Prefixes { delegated_len, .. } => Resource6::Prefix(Prefix6 {
                addr,
                len: delegated_len,
            }),
        }
    }

    fn number(resource: &Resource6) -> u128 {
        u128::from(resource.addr())
    }

    fn is_inside(prefix: &Prefix<Ipv6Addr>, resource: &Resource6) -> bool {
        let differing = u128::from(prefix.addr) ^ u128::from(resource.addr());
        resource.prefix_len() >= prefix.len && differing.leading_zeros() >= u32::from(prefix.len)
    }

    fn unit_len(resource: &Resource6) -> u8 {
        resource.prefix_len()
    }
}

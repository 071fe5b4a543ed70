//! What differs between DHCPv4 and DHCPv6 for code that stores, finds or assigns.

use crate::ids::{ClientId, Duid, HwAddress, Iaid, Prefix6};
use smallvec::SmallVec;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::net::{Ipv4Addr, Ipv6Addr};

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::V4 {}
    impl Sealed for super::V6 {}
}

/// What differs between DHCPv4 and DHCPv6 for code that stores, finds or assigns. Nouns only.
pub trait Family: sealed::Sealed + Copy + Debug + Default + Eq + Send + Sync + 'static {
    /// Address of a subnet, host or relay.
    type Addr: Copy + Ord + Hash + Debug + Display + Send + Sync;
    /// What is leased: an address; for [`V6`] an address (IA_NA) or a delegated prefix (IA_PD).
    type Resource: Copy + Ord + Hash + Debug + Display + Send + Sync;
    /// Who holds it: hardware address and client identifier; for [`V6`] DUID and IAID.
    type Owner: LeaseOwner;
    /// `"dhcp4"` or `"dhcp6"`, as in metric names and log fields.
    const NAME: &'static str;
}

/// Identity of a lease holder.
pub trait LeaseOwner: Clone + Eq + Hash + Debug + Display + Send + Sync {
    /// One name under which the holder can be found again.
    type Key: Clone + Eq + Hash + Debug + Send + Sync;

    /// Every name of this holder. DHCPv4: client identifier (if any) and hardware address (if any), in this order;
    /// DHCPv6: exactly one, DUID with IAID.
    fn keys(&self) -> SmallVec<[Self::Key; 2]>;

    /// Holder of a lease that is out of use, as Kea keeps one: no client. DHCPv6: DUID 00:00:00, IAID 0.
    fn nobody() -> Self;
}

/// DHCPv4 (RFC 2131).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct V4;

/// DHCPv6 (RFC 9915).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct V6;

impl Family for V4 {
    type Addr = Ipv4Addr;
    type Resource = Ipv4Addr;
    type Owner = Owner4;
    const NAME: &'static str = "dhcp4";
}

impl Family for V6 {
    type Addr = Ipv6Addr;
    type Resource = Resource6;
    type Owner = Owner6;
    const NAME: &'static str = "dhcp6";
}

/// Holder of a DHCPv4 lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner4 {
    /// `htype` and `chaddr` of the client; empty where the client sent none.
    pub hw_address: HwAddress,
    /// Option 61, where sent.
    pub client_id: Option<ClientId>,
}

/// One name of a DHCPv4 client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OwnerKey4 {
    /// Option 61.
    ClientId(ClientId),
    /// `htype` and `chaddr`.
    HwAddress(HwAddress),
}

impl LeaseOwner for Owner4 {
    type Key = OwnerKey4;

    fn keys(&self) -> SmallVec<[OwnerKey4; 2]> {
        let mut keys = SmallVec::new();
        if let Some(id) = &self.client_id {
            keys.push(OwnerKey4::ClientId(id.clone()));
        }
        if !self.hw_address.is_empty() {
            keys.push(OwnerKey4::HwAddress(self.hw_address));
        }
        keys
    }

    fn nobody() -> Self {
        Self {
            hw_address: HwAddress::EMPTY,
            client_id: None,
        }
    }
}

impl Display for Owner4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}]", self.hw_address)?;
        if let Some(id) = &self.client_id {
            write!(f, ", cid=[{id}]")?;
        }
        Ok(())
    }
}

/// Holder of a DHCPv6 lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner6 {
    /// Option 1 of the client.
    pub duid: Duid,
    /// Identity association the lease belongs to. IA_NA and IA_PD with one IAID are told apart by the resource.
    pub iaid: Iaid,
}

impl LeaseOwner for Owner6 {
    type Key = Self;

    fn keys(&self) -> SmallVec<[Self; 2]> {
        let mut keys = SmallVec::new();
        keys.push(self.clone());
        keys
    }

    fn nobody() -> Self {
        Self {
            duid: Duid::new(&[0; 3]).expect("the shortest DUID has 3 bytes"),
            iaid: Iaid(0),
        }
    }
}

impl Display for Owner6 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "duid=[{}], iaid={}", self.duid, self.iaid.0)
    }
}

/// What a DHCPv6 server leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource6 {
    /// An address, in an IA_NA.
    Address(Ipv6Addr),
    /// A delegated prefix, in an IA_PD.
    Prefix(Prefix6),
}

impl Resource6 {
    /// The address, or the first address of the prefix.
    #[must_use]
    pub fn addr(self) -> Ipv6Addr {
        match self {
            Self::Address(addr) => addr,
            Self::Prefix(prefix) => prefix.addr,
        }
    }

    /// 128 for an address.
    #[must_use]
    pub fn prefix_len(self) -> u8 {
        match self {
            Self::Address(_) => 128,
            Self::Prefix(prefix) => prefix.len,
        }
    }
}

impl Display for Resource6 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(addr) => Display::fmt(addr, f),
            Self::Prefix(prefix) => Display::fmt(prefix, f),
        }
    }
}

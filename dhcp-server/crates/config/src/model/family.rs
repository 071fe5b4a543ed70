//! What only one family's configuration has.

use super::{Timers, Triplet};
use outrigger_wire::{Family, Prefix6, V4, V6};
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::time::Duration;

/// The family's own settings, beside those that both share. Nouns only.
pub trait Settings: Family {
    /// Of the whole server.
    type Global: Debug + Send + Sync;
    /// Of a subnet.
    type Subnet: Debug + Send + Sync;
    /// Of a pool.
    type Pool: Debug + Clone + Send + Sync;
    /// Of a client class.
    type Class: Debug + Clone + Default + Send + Sync;
    /// Of a reservation.
    type Host: Debug + Default + Send + Sync;
}

impl Settings for V4 {
    type Global = Global4;
    type Subnet = Subnet4;
    type Pool = Pool4;
    type Class = Class4;
    type Host = Host4;
}

impl Settings for V6 {
    type Global = Global6;
    type Subnet = Subnet6;
    type Pool = Pool6;
    type Class = Class6;
    type Host = Host6;
}

/// DHCPv4, whole server.
#[derive(Debug, Clone)]
pub struct Global4 {
    /// RFC 6842: send the client identifier back.
    pub echo_client_id: bool,
    /// Whether a client without a subnet and an unknown INIT-REBOOT client get a NAK.
    pub authoritative: bool,
    /// Lifetimes and timers where no subnet applies (INFORM needs none; kept for completeness of `config-get`).
    pub timers: Timers,
    /// `compatibility.ignore-rai-link-selection`.
    pub ignore_rai_link_selection: bool,
    /// `compatibility.ignore-dhcp-server-identifier`.
    pub ignore_server_id: bool,
}

/// DHCPv6, whole server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global6 {
    /// `server-id` where configured; otherwise the server makes a DUID once and keeps it.
    pub server_id: Option<ServerId>,
    /// Codes of options a relay may supply (RFC 6422).
    pub relay_supplied_options: Vec<u16>,
    /// Clients may register addresses that they made themselves (RFC 9686).
    pub allow_address_registration: bool,
}

/// `server-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerId {
    /// 1 LLT, 2 EN, 3 LL.
    pub duid_type: u16,
    /// Hardware type of LLT and LL; 0: of the first interface.
    pub htype: u16,
    /// Identifier of EN, link-layer address of LLT and LL; empty: made by the server.
    pub identifier: Vec<u8>,
    /// Seconds since 2000-01-01 of LLT; 0: now.
    pub time: u32,
    /// Enterprise number of EN; 0: Kea's default.
    pub enterprise_id: u32,
    /// Keep a generated one in a file.
    pub persist: bool,
}

/// DHCPv4 subnet, inherited values resolved.
#[derive(Debug, Clone)]
pub struct Subnet4 {
    /// NAK clients that ask for a wrong address.
    pub authoritative: bool,
    /// Find leases by client identifier before hardware address.
    pub match_client_id: bool,
    /// `siaddr`.
    pub next_server: Ipv4Addr,
    /// `sname`, at most 63 bytes.
    pub server_hostname: Box<str>,
    /// `file`, at most 128 bytes.
    pub boot_file_name: Box<str>,
    /// Netmask of the prefix.
    pub netmask: Ipv4Addr,
    /// An offer is a stored lease of this length; zero: it is not stored.
    pub offer_lifetime: Duration,
}

/// DHCPv6 subnet, inherited values resolved.
#[derive(Debug, Clone)]
pub struct Subnet6 {
    /// Preferred lifetime of addresses and prefixes, seconds.
    pub preferred_lifetime: Triplet,
    /// Honour option 14.
    pub rapid_commit: bool,
    /// Relay option 18 that selects this subnet; empty: none.
    pub interface_id: Box<[u8]>,
}

/// DHCPv4 pool: nothing of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool4;

/// DHCPv6 pool of addresses, or of prefixes to delegate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pool6 {
    /// `pools`.
    Addresses,
    /// `pd-pools`.
    Prefixes {
        /// Length of each delegated prefix.
        delegated_len: u8,
        /// RFC 6603; sent as option 67 of the prefix.
        excluded: Option<Prefix6>,
    },
}

/// DHCPv4 client class: what goes before the subnet's values, where set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Class4 {
    /// `siaddr`.
    pub next_server: Option<Ipv4Addr>,
    /// `sname`, at most 63 bytes, not empty.
    pub server_hostname: Option<Box<str>>,
    /// `file`, at most 128 bytes, not empty.
    pub boot_file_name: Option<Box<str>>,
    /// An offer is a stored lease of this length; zero: it is not stored.
    pub offer_lifetime: Option<Duration>,
}

/// DHCPv6 client class: what goes before the subnet's values, where set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Class6 {
    /// Preferred lifetime of addresses and prefixes, seconds; not yet cut to the valid one.
    pub preferred_lifetime: Option<Triplet>,
}

/// DHCPv4 reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host4 {
    /// `siaddr`, where set.
    pub next_server: Option<Ipv4Addr>,
    /// `sname`, where set.
    pub server_hostname: Option<Box<str>>,
    /// `file`, where set.
    pub boot_file_name: Option<Box<str>>,
}

/// DHCPv6 reservation: nothing of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host6;

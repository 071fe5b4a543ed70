//! Host reservations.

use super::{OptionSet, Settings};
use std::collections::HashMap;
use std::sync::Arc;

/// Which identifier of a client a reservation goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostIdentifierType {
    /// `hw-address`: bytes only, the hardware type does not count.
    HwAddress,
    /// `duid`; DHCPv4: inside an RFC 4361 client identifier.
    Duid,
    /// `circuit-id`: option 82.1.
    CircuitId,
    /// `client-id`.
    ClientId,
    /// `flex-id`: what a callout computed.
    FlexId,
}

/// An identifier with its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostIdentifier {
    /// Which one.
    pub kind: HostIdentifierType,
    /// Its bytes.
    pub bytes: Box<[u8]>,
}

/// One reservation.
#[derive(Debug)]
pub struct Host<F: Settings> {
    /// Whose.
    pub identifier: HostIdentifier,
    /// Reserved addresses (and prefixes), in configuration order; DHCPv4: at most one.
    pub resources: Vec<F::Resource>,
    /// Name for the client, as written.
    pub hostname: Option<Box<str>>,
    /// Classes that the client joins.
    pub client_classes: Vec<Arc<str>>,
    /// Options of the host's own scope.
    pub options: OptionSet,
    /// What only this family has.
    pub own: F::Host,
}

/// Reservations of one scope.
#[derive(Debug)]
pub struct HostTable<F: Settings> {
    hosts: Vec<Host<F>>,
    by_identifier: HashMap<HostIdentifierType, HashMap<Box<[u8]>, usize>>,
    by_resource: HashMap<F::Resource, usize>,
}

impl<F: Settings> Default for HostTable<F> {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            by_identifier: HashMap::new(),
            by_resource: HashMap::new(),
        }
    }
}

impl<F: Settings> HostTable<F> {
    /// Adds a reservation. Where identifier or resource is already there, the earlier reservation keeps it.
    pub fn insert(&mut self, host: Host<F>) {
        let index = self.hosts.len();
        let identifier = &host.identifier;
        self.by_identifier
            .entry(identifier.kind)
            .or_default()
            .entry(identifier.bytes.clone())
            .or_insert(index);
        for resource in &host.resources {
            self.by_resource.entry(*resource).or_insert(index);
        }
        self.hosts.push(host);
    }

    /// The reservation of this identifier.
    #[must_use]
    pub fn by_identifier(&self, kind: HostIdentifierType, bytes: &[u8]) -> Option<&Host<F>> {
        self.by_identifier
            .get(&kind)?
            .get(bytes)
            .map(|index| &self.hosts[*index])
    }

    /// Who has reserved this resource.
    #[must_use]
    pub fn by_resource(&self, resource: &F::Resource) -> Option<&Host<F>> {
        self.by_resource
            .get(resource)
            .map(|index| &self.hosts[*index])
    }

    /// All of them, in configuration order.
    pub fn iter(&self) -> impl Iterator<Item = &Host<F>> {
        self.hosts.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }
}

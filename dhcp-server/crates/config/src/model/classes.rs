//! Client classes: what members get, and what only members may use.

use super::{OptionSet, Pool, Server, Settings, Subnet, Triplet};
use outrigger_wire::Classes;
use std::sync::Arc;

/// All classes, in configuration order.
pub type ClassTable<F> = outrigger_classify::ClassTable<ClassContent<F>>;

/// What members of a class get. Of several classes of a packet, the one that it joined first counts.
#[derive(Debug)]
pub struct ClassContent<F: Settings> {
    /// Options of the class's own scope.
    pub options: OptionSet,
    /// Instead of the subnet's, seconds.
    pub valid_lifetime: Option<Triplet>,
    /// `user-context` as JSON, `null` where there is none.
    pub user_context: serde_json::Value,
    /// What only this family has.
    pub own: F::Class,
}

/// `client-classes` of a shared network, subnet or pool: who may use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard(Box<[Arc<str>]>);

impl Guard {
    /// Members of any of these classes; of none: everybody.
    #[must_use]
    pub fn new(classes: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self(classes.into_iter().collect())
    }

    /// Whether a packet of these classes may use it.
    #[must_use]
    pub fn admits(&self, classes: &Classes) -> bool {
        self.0.is_empty() || self.0.iter().any(|class| classes.contains(class))
    }

    /// The classes, as configured.
    #[must_use]
    pub fn classes(&self) -> &[Arc<str>] {
        &self.0
    }
}

impl<F: Settings> Server<F> {
    /// Whether a packet of these classes may use the subnet: its own guard and that of its shared network admit it.
    #[must_use]
    pub fn admits(&self, subnet: &Subnet<F>, classes: &Classes) -> bool {
        let network = subnet
            .shared_network
            .and_then(|index| self.shared_networks.get(index));
        subnet.guard.admits(classes) && network.is_none_or(|network| network.guard.admits(classes))
    }

    /// Classes to evaluate once a lease was found, in Kea's order: the pool's, the subnet's, its shared network's.
    pub fn additional_classes<'s>(
        &'s self,
        subnet: &'s Subnet<F>,
        pool: Option<&'s Pool<F>>,
    ) -> impl Iterator<Item = &'s Arc<str>> {
        let network = subnet
            .shared_network
            .and_then(|index| self.shared_networks.get(index));
        let of_pool = pool.map_or(&[][..], |pool| &pool.additional_classes);
        let of_network = network.map_or(&[][..], |network| &network.additional_classes);
        let lists = [of_pool, &subnet.additional_classes, of_network];
        lists.into_iter().flatten()
    }
}

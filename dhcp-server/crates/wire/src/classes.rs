//! Client classes a packet is a member of.

use std::sync::Arc;

/// Client classes a packet is a member of, in the order it joined them. `ALL`, of which every packet is a member, is
/// not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classes(Vec<Arc<str>>);

impl Classes {
    /// Joins a class; nothing happens where the packet is a member already.
    pub fn join(&mut self, class: Arc<str>) {
        if !self.contains(&class) {
            self.0.push(class);
        }
    }

    /// Whether the packet is a member.
    #[must_use]
    pub fn contains(&self, class: &str) -> bool {
        class == "ALL" || self.0.iter().any(|member| &**member == class)
    }

    /// Those that were joined, in that order, without `ALL`.
    pub fn joined(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|class| &**class)
    }

    /// The classes in the order they were joined, `ALL` first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once("ALL").chain(self.0.iter().map(|class| &**class))
    }
}

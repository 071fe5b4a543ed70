//! Inheritance: the nearest level that sets a value decides.

use crate::dialect::Dialect;
use crate::written::scope::WrittenScope;

/// Levels from the nearest to the global one.
pub(crate) struct Chain<'a, F: Dialect> {
    levels: Vec<&'a WrittenScope<F>>,
}

impl<'a, F: Dialect> Chain<'a, F> {
    /// Nearest first.
    pub(crate) fn new(levels: impl IntoIterator<Item = &'a WrittenScope<F>>) -> Self {
        Self {
            levels: levels.into_iter().collect(),
        }
    }

    /// The value of the nearest level that has one.
    pub(crate) fn find<T>(&self, pick: impl Fn(&'a WrittenScope<F>) -> Option<T>) -> Option<T> {
        self.levels.iter().find_map(|level| pick(level))
    }
}

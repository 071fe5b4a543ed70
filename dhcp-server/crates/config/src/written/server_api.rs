//! `server-api` of a hook service.

use super::Object;
use crate::model::Grant;

/// Each grant once, in the order of their names.
pub(crate) fn read(entry: &Object<'_>) -> Vec<Grant> {
    let mut grants = Vec::new();
    for text in entry.texts("server-api").unwrap_or_default() {
        match Grant::ALL.iter().find(|(name, _)| *name == text.value) {
            Some((_, grant)) => grants.push(*grant),
            None => {
                let names: Vec<_> = Grant::ALL.iter().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                let other = text.value;
                entry.problems.error(
                    &text.position,
                    format!("server-api must name some of {names}, not \"{other}\""),
                );
            }
        }
    }
    grants.sort_unstable();
    grants.dedup();
    grants
}

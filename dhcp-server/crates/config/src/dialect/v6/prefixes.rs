//! Prefixes to delegate: pools, reservations, and what is excluded from them.

use crate::dialect::Dialect;
use crate::model::{Pool6, Prefix};
use crate::problems::Problems;
use crate::written::accepted::{self, Place};
use crate::written::classes::read_guard;
use crate::written::subnet::{WrittenPool, parse_prefix, pool_id, prefix_range};
use crate::written::{Object, Spanned};
use crate::written::{ddns, option};
use outrigger_wire::options::spaces::Universe;
use outrigger_wire::{Prefix6, V6};
use std::net::Ipv6Addr;

/// A prefix; bits behind its length do not count.
pub(super) fn parse_prefix6(text: &str) -> Option<Prefix6> {
    let prefix = parse_prefix::<V6>(text)?;
    let (first, _) = prefix_range::<V6>(prefix);
    Some(Prefix6 {
        addr: first.into(),
        len: prefix.len,
    })
}

/// One entry of `pd-pools`.
pub(super) fn read_pd_pool(object: Object<'_>) -> Option<WrittenPool<V6>> {
    let addr = object.parsed("prefix", "an IPv6 address", V6::parse_address);
    let addr = object.require("prefix", addr);
    let len = object.int::<u8>("prefix-len", 1..=128);
    let len = object.require("prefix-len", len);
    let delegated = object.int::<u8>("delegated-len", 1..=128);
    let delegated = object.require("delegated-len", delegated);
    let excluded = read_excluded(&object);
    let id = pool_id(&object);
    let ddns = ddns::read(&object);
    let classes = read_guard(&object);
    let options = option::read_list::<V6>(&object);
    object.user_context();
    accepted::read(&object, Place::PdPool, Universe::V6);
    let problems = object.problems;
    object.finish();

    let (addr, len, delegated) = (addr?, len?, delegated?);
    if delegated.value < len.value {
        let text = format!(
            "delegated-len {} is shorter than prefix-len {}",
            delegated.value, len.value
        );
        problems.error(&delegated.position, text);
        return None;
    }
    let prefix = Prefix {
        addr: addr.value,
        len: len.value,
    };
    let (first, last) = prefix_range::<V6>(prefix);
    if let Some(excluded) = &excluded {
        check_excluded(excluded, prefix, delegated.value, problems);
    }
    Some(WrittenPool {
        position: addr.position,
        text: prefix.to_string(),
        first: first.into(),
        last: last.into(),
        id,
        ddns,
        classes,
        options,
        own: Pool6::Prefixes {
            delegated_len: delegated.value,
            excluded: excluded.map(|excluded| excluded.value),
        },
    })
}

/// `excluded-prefix` and `excluded-prefix-len`; `::` and 0 mean none.
fn read_excluded(object: &Object<'_>) -> Option<Spanned<Prefix6>> {
    let addr = object.parsed("excluded-prefix", "an IPv6 address", V6::parse_address);
    let len = object
        .int::<u8>("excluded-prefix-len", 0..=128)
        .filter(|len| len.value != 0);
    match (addr.filter(|addr| !addr.value.is_unspecified()), len) {
        (Some(addr), Some(len)) => {
            let (first, _) = prefix_range::<V6>(Prefix {
                addr: addr.value,
                len: len.value,
            });
            Some(addr.map(|_| Prefix6 {
                addr: first.into(),
                len: len.value,
            }))
        }
        (Some(Spanned { position, .. }), None) | (None, Some(Spanned { position, .. })) => {
            let text = "excluded-prefix and excluded-prefix-len need each other";
            object.problems.error(&position, text);
            None
        }
        (None, None) => None,
    }
}

/// RFC 6603: the excluded prefix lies inside the delegated one, and is longer.
fn check_excluded(
    excluded: &Spanned<Prefix6>,
    pool: Prefix<Ipv6Addr>,
    delegated_len: u8,
    problems: &Problems,
) {
    let prefix = excluded.value;
    let (first, last) = prefix_range::<V6>(pool);
    if !(first..=last).contains(&u128::from(prefix.addr)) {
        problems.error(
            &excluded.position,
            format!("excluded prefix {prefix} lies outside {pool}"),
        );
    }
    if prefix.len <= delegated_len {
        let text =
            format!("excluded prefix {prefix} is not longer than delegated-len {delegated_len}");
        problems.error(&excluded.position, text);
    }
}

/// `excluded-prefixes` of a reservation: one per entry of `prefixes`, empty for none.
pub(super) fn read_excluded_prefixes(object: &Object<'_>) {
    let Some(excluded) = object.texts("excluded-prefixes") else {
        return;
    };
    let prefixes = object.list("prefixes").len();
    if excluded.len() != prefixes {
        let text = format!(
            "{} excluded-prefixes for {prefixes} prefixes: give one each, \"\" for none",
            excluded.len()
        );
        object.problems.error(object.position, text);
    }
    for text in excluded.into_iter().filter(|text| !text.value.is_empty()) {
        if parse_prefix6(text.value).is_none() {
            let shown = text.value;
            object
                .problems
                .error(&text.position, format!("\"{shown}\" is not an IPv6 prefix"));
        } else {
            let what = "excluded-prefixes of a reservation are not built yet: they decide what of a prefix a client \
                        may use; put excluded-prefix into the pool";
            object.problems.error(&text.position, what);
        }
    }
}

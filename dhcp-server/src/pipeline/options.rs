//! Which configured options a reply carries (Kea's order of scopes and its always-send and never-send).

use outrigger_config::model::{ConfiguredOption, OptionSet};
use outrigger_wire::options::Options;
use smallvec::SmallVec;

/// Option scopes of a reply, most specific first: host, pools, subnet, shared network, global.
pub type Scopes<'c> = SmallVec<[&'c OptionSet; 8]>;

/// Adds every option that is asked for or always sent, that no scope forbids, and that the reply does not have yet.
/// Of one code the most specific scope's is taken. `vendor` is the code of the option that [`vendor()`] fills.
pub fn add(
    reply: &mut Options,
    scopes: &Scopes<'_>,
    vendor: u16,
    is_asked_for: impl Fn(u16) -> bool,
) {
    for scope in scopes {
        for option in &scope.options {
            let open = option.code != vendor && !reply.contains(option.code);
            if open && is_wanted(scopes, option, &is_asked_for) {
                reply.push(option.code, &option.payload);
            }
        }
    }
}

/// `always-send` and `never-send` of any scope count for the code in all of them; never beats always.
fn is_wanted(
    scopes: &Scopes<'_>,
    option: &ConfiguredOption,
    is_asked_for: impl Fn(u16) -> bool,
) -> bool {
    let same = || scopes.iter().filter_map(|scope| scope.get(option.code));
    let always = is_asked_for(option.code) || same().any(|option| option.always_send);
    always && !same().any(|option| option.never_send)
}

/// The sub-options that a vendor option of this enterprise carries, in ascending code; of one code the most specific
/// scope's.
pub fn vendor<'c>(
    scopes: &Scopes<'c>,
    enterprise: u32,
    is_asked_for: impl Fn(u16) -> bool,
) -> SmallVec<[&'c ConfiguredOption; 8]> {
    let of_enterprise = || {
        let all = scopes.iter().flat_map(|scope| &scope.vendor);
        all.filter(|sub| sub.enterprise == enterprise)
            .map(|sub| &sub.option)
    };
    let mut chosen: SmallVec<[&ConfiguredOption; 8]> = SmallVec::new();
    for option in of_enterprise() {
        let same = || of_enterprise().filter(|other| other.code == option.code);
        let always = is_asked_for(option.code) || same().any(|option| option.always_send);
        let known = chosen.iter().any(|other| other.code == option.code);
        if always && !known && !same().any(|option| option.never_send) {
            chosen.push(option);
        }
    }
    chosen.sort_unstable_by_key(|option| option.code);
    chosen
}

/// Enterprises that are answered without being named by the client: those that have a sub-option which is always sent,
/// and those that a configured option of code `vendor` names.
pub fn unasked_vendors(scopes: &Scopes<'_>, vendor: u16) -> SmallVec<[u32; 2]> {
    let configured = scopes
        .iter()
        .filter_map(|scope| scope.get(vendor)?.payload.first_chunk::<4>());
    let mut enterprises: SmallVec<[u32; 2]> = configured
        .map(|number| u32::from_be_bytes(*number))
        .collect();
    enterprises.dedup();
    for sub in scopes.iter().flat_map(|scope| &scope.vendor) {
        if sub.option.always_send && !enterprises.contains(&sub.enterprise) {
            enterprises.push(sub.enterprise);
        }
    }
    enterprises
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_config::model::VendorSubOption;
    use smallvec::smallvec;

    fn option(code: u16, payload: &[u8]) -> ConfiguredOption {
        ConfiguredOption {
            code,
            payload: payload.into(),
            always_send: false,
            never_send: false,
        }
    }

    fn set(options: &[ConfiguredOption]) -> OptionSet {
        OptionSet {
            options: options.to_vec(),
            vendor: Vec::new(),
        }
    }

    #[test]
    fn the_most_specific_scope_that_has_the_option_provides_it() {
        let subnet = set(&[option(6, b"subnet")]);
        let global = set(&[
            option(3, b"global"),
            option(6, b"global"),
            option(42, b"not asked for"),
        ]);
        let mut reply = Options::new();
        add(&mut reply, &smallvec![&subnet, &global], 17, |code| {
            code == 3 || code == 6
        });
        assert_eq!(
            reply.iter().collect::<Vec<_>>(),
            [(6, &b"subnet"[..]), (3, b"global")]
        );
    }

    #[test]
    fn always_and_never_hold_in_all_scopes_and_never_wins() {
        let always = ConfiguredOption {
            always_send: true,
            ..option(42, b"global")
        };
        let never = ConfiguredOption {
            never_send: true,
            ..option(15, b"never")
        };
        let subnet = set(&[never, option(42, b"subnet")]);
        let global = set(&[
            ConfiguredOption {
                always_send: true,
                ..option(15, b"always")
            },
            always,
        ]);
        let mut reply = Options::new();
        add(&mut reply, &smallvec![&subnet, &global], 17, |_| false);
        assert_eq!(reply.iter().collect::<Vec<_>>(), [(42, &b"subnet"[..])]);
    }

    #[test]
    fn what_the_reply_has_stays() {
        let global = set(&[option(54, b"configured")]);
        let mut reply = Options::new();
        reply.push(54, b"made");
        add(&mut reply, &smallvec![&global], 17, |_| true);
        assert_eq!(reply.get(54), Some(&b"made"[..]));
        assert_eq!(reply.len(), 1);
    }

    #[test]
    fn vendor_options_are_chosen_by_enterprise() {
        let sub = |enterprise, code, always_send| VendorSubOption {
            enterprise,
            option: ConfiguredOption {
                always_send,
                ..option(code, b"x")
            },
        };
        let global = OptionSet {
            options: Vec::new(),
            vendor: vec![sub(4491, 33, false), sub(9, 1, true)],
        };
        let scopes: Scopes<'_> = smallvec![&global];
        assert_eq!(vendor(&scopes, 4491, |code| code == 33).len(), 1);
        assert!(vendor(&scopes, 4491, |_| false).is_empty());
        assert_eq!(unasked_vendors(&scopes, 17).as_slice(), [9]);
    }
}

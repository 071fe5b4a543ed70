//! Keywords of Kea that are understood and do nothing, or are refused: one row each.
//!
//! A keyword that asks for what happens anyway is accepted in silence. Otherwise it is refused where it decides who
//! gets which address or option, and is one warning where it does not.

use self::Form::{Anything, Bool, Choice, Float, Int, Map, Maps, Text, Words};
use self::Usual::{Empty, Is, Never, Number, Only, Reads, Without};
use super::Object;
use crate::source::{Node, Value};
use outrigger_wire::options::spaces::Universe;

/// Scopes of a file in which such keywords stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Global,
    Network,
    Subnet,
    Pool,
    PdPool,
}

const G: &[Place] = &[Place::Global];
const GNS: &[Place] = &[Place::Global, Place::Network, Place::Subnet];
const S: &[Place] = &[Place::Subnet];

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
enum Form {
    Bool,
    Int,
    Float,
    Text,
    Choice(&'static [&'static str]),
    /// A list of these words, none of them twice.
    Words(&'static [&'static str]),
    /// A map of these members, the first of which must be there where the flag says so.
    Map(&'static [(&'static str, Self)], bool),
    /// A list of maps that are not looked into.
    Maps,
    /// A map that is not looked into.
    Anything,
}

/// A value that asks for what happens anyway.
#[derive(Debug, Clone, Copy)]
enum Usual {
    Never,
    Is(bool),
    Number(i64),
    Reads(&'static str),
    /// A list of this one string.
    Only(&'static str),
    /// An empty string or list.
    Empty,
    /// A map whose member of this key is absent or false.
    Without(&'static str),
}

/// What a keyword leads to where it asks for something unusual; the text says why.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// One warning.
    Ignored(&'static str),
    /// An error.
    Refused(&'static str),
}

/// One keyword.
#[derive(Debug, Clone, Copy)]
struct Keyword {
    key: &'static str,
    places: &'static [Place],
    /// Which family has it; `None`: both.
    universe: Option<Universe>,
    form: Form,
    usual: Usual,
    fate: Fate,
}

const BOTH: Option<Universe> = None;
const V4: Option<Universe> = Some(Universe::V4);
const V6: Option<Universe> = Some(Universe::V6);

const CACHE: &str = "every renewal is written";
const CHOICE_OF_ADDRESS: &str = "it decides which address a client gets; write iterative";
const OVER_V6: &str = "DHCPv4 over DHCPv6 is not built yet";
const HOSTS: &str =
    "reservations in databases decide who gets an address; write them into the configuration";
const STATISTICS: &str = "statistics keep their latest value only";

const ALLOCATORS: &[&str] = &["iterative", "random", "flq", "shared-flq"];
const LEASE_CHECKS: &[&str] = &["none", "warn", "fix", "fix-del", "del"];
const INFO_CHECKS: &[&str] = &["none", "fix", "strict", "pedantic"];

const MAC_SOURCES: &[&str] = &[
    "any",
    "raw",
    "duid",
    "ipv6-link-local",
    "client-link-addr-option",
    "rfc6939",
    "remote-id",
    "rfc4649",
    "subscriber-id",
    "rfc4580",
    "docsis-cmts",
    "docsis-modem",
];

const MULTI_THREADING: Form = Map(
    &[
        ("enable-multi-threading", Bool),
        ("thread-pool-size", Int),
        ("packet-queue-size", Int),
    ],
    true,
);
const SANITY_CHECKS: Form = Map(
    &[
        ("lease-checks", Choice(LEASE_CHECKS)),
        ("extended-info-checks", Choice(INFO_CHECKS)),
    ],
    false,
);

macro_rules! keywords {
    ($($places:ident $universe:ident $key:literal: $form:expr, usually $usual:expr => $fate:ident($why:expr);)*) => {
        /// Every such keyword, by topic.
        const KEYWORDS: &[Keyword] = &[$(Keyword {
            key: $key,
            places: $places,
            universe: $universe,
            form: $form,
            usual: $usual,
            fate: Fate::$fate($why),
        }),*];
    };
}

keywords! {
    GNS BOTH "allocator": Choice(ALLOCATORS), usually Reads("iterative") => Refused(CHOICE_OF_ADDRESS);
    GNS V6 "pd-allocator": Choice(ALLOCATORS), usually Reads("iterative") => Refused(CHOICE_OF_ADDRESS);
    GNS BOTH "cache-threshold": Float, usually Never => Ignored(CACHE);
    GNS BOTH "cache-max-age": Int, usually Number(0) => Ignored(CACHE);
    GNS BOTH "adaptive-lease-time-threshold": Float, usually Never
        => Ignored("lifetimes do not depend on how full a pool is");
    GNS BOTH "store-extended-info": Bool, usually Is(false) => Ignored("leases do not keep relay information yet");
    G V4 "stash-agent-options": Bool, usually Is(false) => Ignored("option 82 is not remembered yet");

    G BOTH "dhcp4o6-port": Int, usually Number(0)
        => Refused("clients of DHCPv4 over DHCPv6 would get no address");
    S V4 "4o6-interface": Text, usually Empty => Ignored(OVER_V6);
    S V4 "4o6-interface-id": Text, usually Empty => Ignored(OVER_V6);
    S V4 "4o6-subnet": Text, usually Empty => Ignored(OVER_V6);

    G BOTH "hosts-database": Anything, usually Never => Refused(HOSTS);
    G BOTH "hosts-databases": Maps, usually Empty => Refused(HOSTS);
    G BOTH "config-control": Anything, usually Never
        => Refused("a configuration in a database decides who gets which address");
    G BOTH "server-tag": Text, usually Empty => Ignored("there is no configuration database");
    G BOTH "reservations-lookup-first": Bool, usually Is(false) => Ignored("reserved addresses are known before leases anyway");
    G V6 "mac-sources": Words(MAC_SOURCES), usually Only("any") => Ignored("hardware addresses are taken wherever they are found");

    G BOTH "multi-threading": MULTI_THREADING, usually Never => Ignored("the server uses every core by itself");
    G BOTH "dhcp-queue-control": Anything, usually Without("enable-queue")
        => Ignored("queues are bounded by the server itself");
    G BOTH "statistic-default-sample-count": Int, usually Never => Ignored(STATISTICS);
    G BOTH "statistic-default-sample-age": Int, usually Number(0) => Ignored(STATISTICS);
    G BOTH "sanity-checks": SANITY_CHECKS, usually Never => Ignored("the lease store checks itself");
}

/// Reads every keyword of the table that may stand in `place`.
pub(crate) fn read(object: &Object<'_>, place: Place, universe: Universe) {
    let here = KEYWORDS
        .iter()
        .filter(|keyword| keyword.places.contains(&place));
    for keyword in here.filter(|keyword| keyword.universe.is_none_or(|own| own == universe)) {
        let Some(member) = object.member(keyword.key) else {
            continue;
        };
        if !has_form(object, keyword.key, keyword.form) || is_usual(&member.node, keyword.usual) {
            continue;
        }
        let (key, position) = (keyword.key, &member.position);
        match keyword.fate {
            Fate::Ignored(why) => {
                object
                    .problems
                    .warning(position, format!("{key} has no effect: {why}"));
            }
            Fate::Refused(why) => {
                object
                    .problems
                    .error(position, format!("{key} is not built yet: {why}"));
            }
        }
    }
}

/// Whether the value has its form; reports it where not.
fn has_form(object: &Object<'_>, key: &'static str, form: Form) -> bool {
    match form {
        Bool => object.bool(key).is_some(),
        Int => object.u32(key).is_some(),
        Float => object.float(key).is_some(),
        Text => object.text(key).is_some(),
        Choice(words) => {
            let choices: Vec<_> = words.iter().map(|word| (*word, ())).collect();
            object.choice(key, &choices).is_some()
        }
        Words(words) => has_words(object, key, words),
        Maps => {
            object
                .objects(key)
                .into_iter()
                .for_each(Object::accept_everything);
            true
        }
        Anything => object.object(key).map(Object::accept_everything).is_some(),
        Map(members, first_required) => {
            let Some(map) = object.object(key) else {
                return false;
            };
            for (member, form) in members {
                if map.member(member).is_some() {
                    has_form(&map, member, *form);
                }
            }
            if let (true, Some((first, _))) = (first_required, members.first()) {
                map.require(first, map.member(first));
            }
            map.user_context();
            map.finish();
            true
        }
    }
}

fn has_words(object: &Object<'_>, key: &'static str, words: &[&str]) -> bool {
    let texts = object.texts(key).unwrap_or_default();
    for (index, text) in texts.iter().enumerate() {
        let word = text.value;
        if !words.contains(&word) {
            let known = words.join(", ");
            object
                .problems
                .error(&text.position, format!("\"{word}\" is not one of {known}"));
        } else if texts[..index].iter().any(|earlier| earlier.value == word) {
            object
                .problems
                .error(&text.position, format!("{word} is listed twice"));
        }
    }
    object.member(key).is_some()
}

fn is_usual(node: &Node, usual: Usual) -> bool {
    match (usual, &node.value) {
        (Is(usual), Value::Bool(value)) => usual == *value,
        (Number(usual), Value::Int(value)) => *value == usual,
        (Reads(usual), Value::String(value)) => usual == value,
        (Only(usual), Value::List(nodes)) => matches!(
            &nodes[..],
            [Node { value: Value::String(value), .. }] if value == usual
        ),
        (Empty, Value::String(value)) => value.is_empty(),
        (Empty, Value::List(nodes)) => nodes.is_empty(),
        (Without(key), Value::Map(members)) => {
            let member = members.iter().find(|member| member.key == key);
            member.is_none_or(|member| matches!(member.node.value, Value::Bool(false)))
        }
        _ => false,
    }
}

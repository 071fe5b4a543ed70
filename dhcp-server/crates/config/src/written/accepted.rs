//! Keywords of Kea that are understood and do nothing, or are refused: one row each.
//!
//! A keyword that asks for what happens anyway is accepted in silence. Otherwise it is refused where it decides who
//! gets which address or option, and is one warning where it does not.

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
const GNSP: &[Place] = &[
    Place::Global,
    Place::Network,
    Place::Subnet,
    Place::Pool,
    Place::PdPool,
];
const S: &[Place] = &[Place::Subnet];
const NSP: &[Place] = &[Place::Network, Place::Subnet, Place::Pool, Place::PdPool];

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
enum Form {
    Bool,
    Int,
    Float,
    Text,
    Texts,
    Choice(&'static [&'static str]),
    /// A map of these members, the first of which must be there where the flag says so.
    Map(&'static [(&'static str, Form)], bool),
    /// A list of maps that are not looked into.
    Maps,
    /// A map that is not looked into.
    Anything,
}

/// A value that asks for what happens anyway.
#[derive(Debug, Clone, Copy)]
enum Usual {
    Nothing,
    Bool(bool),
    Int(i64),
    Text(&'static str),
    /// An empty string or list.
    Empty,
    /// A map whose member of this key is absent or false.
    Without(&'static str),
}

/// One keyword.
#[derive(Debug, Clone, Copy)]
struct Keyword {
    key: &'static str,
    places: &'static [Place],
    universe: Option<Universe>,
    form: Form,
    usual: Usual,
    refused: bool,
    why: &'static str,
}

const fn ignored(
    places: &'static [Place],
    key: &'static str,
    form: Form,
    usual: Usual,
    why: &'static str,
) -> Keyword {
    Keyword {
        key,
        places,
        universe: None,
        form,
        usual,
        refused: false,
        why,
    }
}

const fn refused(
    places: &'static [Place],
    key: &'static str,
    form: Form,
    usual: Usual,
    why: &'static str,
) -> Keyword {
    Keyword {
        refused: true,
        ..ignored(places, key, form, usual, why)
    }
}

impl Keyword {
    const fn v4(self) -> Self {
        Self {
            universe: Some(Universe::V4),
            ..self
        }
    }

    const fn v6(self) -> Self {
        Self {
            universe: Some(Universe::V6),
            ..self
        }
    }
}

const DDNS: &str = "DNS updates are not built yet";
const GUARD: &str = "guards by client class decide who gets an address";
const ADDITIONAL: &str = "client classes with content are not built yet";
const CACHE: &str = "every renewal is written";
const CHOICE_OF_ADDRESS: &str = "it decides which address a client gets; write iterative";
const OVER_V6: &str = "DHCPv4 over DHCPv6 is not built yet";
const HOSTS: &str =
    "reservations in databases decide who gets an address; write them into the configuration";
const STATISTICS: &str = "statistics keep their latest value only";

const REPLACE_MODES: &[&str] = &["never", "always", "when-present", "when-not-present"];
const CONFLICT_MODES: &[&str] = &[
    "check-with-dhcid",
    "no-check-with-dhcid",
    "check-exists-with-dhcid",
    "no-check-without-dhcid",
];
const ALLOCATORS: &[&str] = &["iterative", "random", "flq", "shared-flq"];
const LEASE_CHECKS: &[&str] = &["none", "warn", "fix", "fix-del", "del"];
const INFO_CHECKS: &[&str] = &["none", "fix", "strict", "pedantic"];

const DHCP_DDNS: Form = Form::Map(
    &[
        ("enable-updates", Form::Bool),
        ("server-ip", Form::Text),
        ("server-port", Form::Int),
        ("sender-ip", Form::Text),
        ("sender-port", Form::Int),
        ("max-queue-size", Form::Int),
        ("ncr-protocol", Form::Choice(&["UDP", "TCP"])),
        ("ncr-format", Form::Choice(&["JSON"])),
        ("override-no-update", Form::Bool),
        ("override-client-update", Form::Bool),
        ("replace-client-name", Form::Choice(REPLACE_MODES)),
        ("generated-prefix", Form::Text),
        ("qualifying-suffix", Form::Text),
        ("hostname-char-set", Form::Text),
        ("hostname-char-replacement", Form::Text),
    ],
    true,
);
const MULTI_THREADING: Form = Form::Map(
    &[
        ("enable-multi-threading", Form::Bool),
        ("thread-pool-size", Form::Int),
        ("packet-queue-size", Form::Int),
    ],
    true,
);
const SANITY_CHECKS: Form = Form::Map(
    &[
        ("lease-checks", Form::Choice(LEASE_CHECKS)),
        ("extended-info-checks", Form::Choice(INFO_CHECKS)),
    ],
    false,
);

/// Every such keyword, by topic.
const KEYWORDS: &[Keyword] = &[
    ignored(
        G,
        "dhcp-ddns",
        DHCP_DDNS,
        Usual::Without("enable-updates"),
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-send-updates",
        Form::Bool,
        Usual::Bool(false),
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-override-no-update",
        Form::Bool,
        Usual::Bool(false),
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-override-client-update",
        Form::Bool,
        Usual::Bool(false),
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-replace-client-name",
        Form::Choice(REPLACE_MODES),
        Usual::Text("never"),
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-generated-prefix",
        Form::Text,
        Usual::Nothing,
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-qualifying-suffix",
        Form::Text,
        Usual::Empty,
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-update-on-renew",
        Form::Bool,
        Usual::Bool(false),
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-use-conflict-resolution",
        Form::Bool,
        Usual::Nothing,
        DDNS,
    ),
    ignored(
        GNSP,
        "ddns-conflict-resolution-mode",
        Form::Choice(CONFLICT_MODES),
        Usual::Nothing,
        DDNS,
    ),
    ignored(GNSP, "ddns-ttl", Form::Int, Usual::Nothing, DDNS),
    ignored(GNSP, "ddns-ttl-percent", Form::Float, Usual::Nothing, DDNS),
    ignored(GNSP, "ddns-ttl-min", Form::Int, Usual::Nothing, DDNS),
    ignored(GNSP, "ddns-ttl-max", Form::Int, Usual::Nothing, DDNS),
    ignored(GNS, "hostname-char-set", Form::Text, Usual::Nothing, DDNS),
    ignored(
        GNS,
        "hostname-char-replacement",
        Form::Text,
        Usual::Nothing,
        DDNS,
    ),
    ignored(GNS, "cache-threshold", Form::Float, Usual::Nothing, CACHE),
    ignored(GNS, "cache-max-age", Form::Int, Usual::Int(0), CACHE),
    ignored(
        GNS,
        "adaptive-lease-time-threshold",
        Form::Float,
        Usual::Nothing,
        "lifetimes do not depend on how full a pool is",
    ),
    ignored(
        GNS,
        "store-extended-info",
        Form::Bool,
        Usual::Bool(false),
        "relay information is not kept in leases yet",
    ),
    ignored(
        G,
        "stash-agent-options",
        Form::Bool,
        Usual::Bool(false),
        "option 82 is not remembered yet",
    )
    .v4(),
    ignored(
        G,
        "allow-address-registration",
        Form::Bool,
        Usual::Bool(false),
        "address registration is not built yet",
    )
    .v6(),
    refused(
        GNS,
        "allocator",
        Form::Choice(ALLOCATORS),
        Usual::Text("iterative"),
        CHOICE_OF_ADDRESS,
    ),
    refused(
        GNS,
        "pd-allocator",
        Form::Choice(ALLOCATORS),
        Usual::Text("iterative"),
        CHOICE_OF_ADDRESS,
    )
    .v6(),
    refused(NSP, "client-class", Form::Text, Usual::Empty, GUARD),
    refused(NSP, "client-classes", Form::Texts, Usual::Empty, GUARD),
    ignored(
        NSP,
        "require-client-classes",
        Form::Texts,
        Usual::Empty,
        ADDITIONAL,
    ),
    ignored(
        NSP,
        "evaluate-additional-classes",
        Form::Texts,
        Usual::Empty,
        ADDITIONAL,
    ),
    refused(G, "dhcp4o6-port", Form::Int, Usual::Int(0), OVER_V6),
    ignored(S, "4o6-interface", Form::Text, Usual::Empty, OVER_V6).v4(),
    ignored(S, "4o6-interface-id", Form::Text, Usual::Empty, OVER_V6).v4(),
    ignored(S, "4o6-subnet", Form::Text, Usual::Empty, OVER_V6).v4(),
    refused(G, "hosts-database", Form::Anything, Usual::Nothing, HOSTS),
    refused(G, "hosts-databases", Form::Maps, Usual::Empty, HOSTS),
    refused(
        G,
        "config-control",
        Form::Anything,
        Usual::Nothing,
        "a configuration in a database decides who gets which address",
    ),
    ignored(
        G,
        "server-tag",
        Form::Text,
        Usual::Empty,
        "there is no configuration database",
    ),
    ignored(
        G,
        "reservations-lookup-first",
        Form::Bool,
        Usual::Bool(true),
        "reservations are always looked up first",
    ),
    ignored(
        G,
        "early-global-reservations-lookup",
        Form::Bool,
        Usual::Bool(false),
        "no subnet is guarded by a class",
    ),
    ignored(
        G,
        "multi-threading",
        MULTI_THREADING,
        Usual::Nothing,
        "the server uses every core by itself",
    ),
    ignored(
        G,
        "dhcp-queue-control",
        Form::Anything,
        Usual::Without("enable-queue"),
        "queues are bounded by the server itself",
    ),
    ignored(
        G,
        "statistic-default-sample-count",
        Form::Int,
        Usual::Nothing,
        STATISTICS,
    ),
    ignored(
        G,
        "statistic-default-sample-age",
        Form::Int,
        Usual::Nothing,
        STATISTICS,
    ),
    ignored(
        G,
        "sanity-checks",
        SANITY_CHECKS,
        Usual::Nothing,
        "the lease store checks itself",
    ),
];

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
        let (key, why) = (keyword.key, keyword.why);
        if keyword.refused {
            object
                .problems
                .error(&member.position, format!("{key} is not built yet: {why}"));
        } else {
            object
                .problems
                .warning(&member.position, format!("{key} has no effect: {why}"));
        }
    }
}

/// Whether the value has its form; reports it where not.
fn has_form(object: &Object<'_>, key: &'static str, form: Form) -> bool {
    match form {
        Form::Bool => object.bool(key).is_some(),
        Form::Int => object.u32(key).is_some(),
        Form::Float => object.float(key).is_some(),
        Form::Text => object.text(key).is_some(),
        Form::Texts => object.texts(key).is_some(),
        Form::Choice(words) => {
            let choices: Vec<_> = words.iter().map(|word| (*word, ())).collect();
            object.choice(key, &choices).is_some()
        }
        Form::Maps => {
            object
                .objects(key)
                .into_iter()
                .for_each(Object::accept_everything);
            true
        }
        Form::Anything => object.object(key).map(Object::accept_everything).is_some(),
        Form::Map(members, first_required) => {
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

fn is_usual(node: &Node, usual: Usual) -> bool {
    match (usual, &node.value) {
        (Usual::Bool(usual), Value::Bool(value)) => usual == *value,
        (Usual::Int(usual), Value::Int(value)) => usual == *value,
        (Usual::Text(usual), Value::String(value)) => usual == value,
        (Usual::Empty, Value::String(value)) => value.is_empty(),
        (Usual::Empty, Value::List(nodes)) => nodes.is_empty(),
        (Usual::Without(key), Value::Map(members)) => {
            let member = members.iter().find(|member| member.key == key);
            member.is_none_or(|member| matches!(member.node.value, Value::Bool(false)))
        }
        _ => false,
    }
}

//! `dhcp-ddns`, `ddns-*` and `hostname-char-*`.

use super::Object;
use crate::model::{ConflictResolutionMode, DdnsParameters, HostnameCharSet, ReplaceClientName};

/// Every choice of `ddns-replace-client-name`, as it is spelled.
fn replace_modes() -> [(&'static str, ReplaceClientName); 4] {
    [
        ReplaceClientName::Never,
        ReplaceClientName::Always,
        ReplaceClientName::WhenPresent,
        ReplaceClientName::WhenNotPresent,
    ]
    .map(|mode| (mode.as_str(), mode))
}

const CONFLICT_MODES: &[(&str, ConflictResolutionMode)] = &[
    ("check-with-dhcid", ConflictResolutionMode::CheckWithDhcid),
    (
        "no-check-with-dhcid",
        ConflictResolutionMode::NoCheckWithDhcid,
    ),
    (
        "check-exists-with-dhcid",
        ConflictResolutionMode::CheckExistsWithDhcid,
    ),
    (
        "no-check-without-dhcid",
        ConflictResolutionMode::NoCheckWithoutDhcid,
    ),
];

/// Kea's `hostname-char-set` where none is given: names keep what host names may have.
const CHAR_SET: &str = "[^A-Za-z0-9.-]";

/// RFC 1035 §2.3.4, bytes.
const MAX_LABEL: usize = 63;
/// What 255 bytes of a name leave beside the lengths of the first label and of this one, one byte of a label, and the
/// root.
const MAX_SUFFIX: usize = 251;

/// The naming parameters that one scope sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct WrittenDdns {
    send_updates: Option<bool>,
    override_no_update: Option<bool>,
    override_client_update: Option<bool>,
    replace_client_name: Option<ReplaceClientName>,
    generated_prefix: Option<Box<str>>,
    qualifying_suffix: Option<Box<str>>,
    update_on_renew: Option<bool>,
    conflict_resolution_mode: Option<ConflictResolutionMode>,
    ttl: Option<u32>,
    ttl_percent: Option<f64>,
    ttl_min: Option<u32>,
    ttl_max: Option<u32>,
    /// Given, and `None` where it is empty: names are left as they are.
    hostname_char_set: Option<Option<HostnameCharSet>>,
    hostname_char_replacement: Option<Box<str>>,
}

/// Reads what a scope sets.
pub(crate) fn read(object: &Object<'_>) -> WrittenDdns {
    let flag = |key| object.bool(key).map(|flag| flag.value);
    let number = |key| object.u32(key).map(|number| number.value);
    let text = |key| object.text(key).map(|text| text.value.into());
    WrittenDdns {
        send_updates: flag("ddns-send-updates"),
        override_no_update: flag("ddns-override-no-update"),
        override_client_update: flag("ddns-override-client-update"),
        replace_client_name: object
            .choice("ddns-replace-client-name", &replace_modes())
            .map(|mode| mode.value),
        generated_prefix: text("ddns-generated-prefix"),
        qualifying_suffix: suffix(object, "ddns-qualifying-suffix"),
        update_on_renew: flag("ddns-update-on-renew"),
        conflict_resolution_mode: conflict_resolution_mode(object),
        ttl: number("ddns-ttl"),
        ttl_percent: object.float("ddns-ttl-percent").map(|part| part.value),
        ttl_min: number("ddns-ttl-min"),
        ttl_max: number("ddns-ttl-max"),
        hostname_char_set: char_set(object, "hostname-char-set"),
        hostname_char_replacement: text("hostname-char-replacement"),
    }
}

/// Kea until 2.4: one flag for what is a mode now.
fn conflict_resolution_mode(object: &Object<'_>) -> Option<ConflictResolutionMode> {
    let mode = object.choice("ddns-conflict-resolution-mode", CONFLICT_MODES);
    let flag = object.bool("ddns-use-conflict-resolution");
    let old = flag.map(|flag| {
        let (word, mode) = CONFLICT_MODES[usize::from(!flag.value)];
        let text = format!(
            "ddns-use-conflict-resolution is deprecated: write ddns-conflict-resolution-mode {word}"
        );
        object.problems.warning(&flag.position, text);
        mode
    });
    mode.map(|mode| mode.value).or(old)
}

/// Kea loads any suffix; one that is no name loses every name that gets it.
fn suffix(object: &Object<'_>, key: &'static str) -> Option<Box<str>> {
    let text = object.text(key)?;
    let bare = text.value.strip_suffix('.').unwrap_or(text.value);
    let fits = bare.len() <= MAX_SUFFIX
        && bare
            .split('.')
            .all(|label| (1..=MAX_LABEL).contains(&label.len()));
    if !bare.is_empty() && !fits {
        let shown = text.value;
        let text_ = format!(
            "{key} \"{shown}\" is not a domain name: clients whose names would get it have none"
        );
        object.problems.warning(&text.position, text_);
    }
    Some(text.value.into())
}

fn char_set(object: &Object<'_>, key: &'static str) -> Option<Option<HostnameCharSet>> {
    let text = object.text(key)?;
    if text.value.is_empty() {
        return Some(None);
    }
    match HostnameCharSet::new(text.value) {
        Ok(set) => Some(Some(set)),
        Err(error) => {
            // The library draws the place of the mistake over several lines; the last one says what it is.
            let shown = error.to_string();
            let why = shown.lines().last().unwrap_or_default();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            let text_ = format!("{key} is not a regular expression: {why}");
            object.problems.error(&text.position, text_);
            None
        }
    }
}

impl WrittenDdns {
    /// Whether nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is set here, else what `outer` sets.
    pub(crate) fn over(&self, outer: &Self) -> Self {
        Self {
            send_updates: self.send_updates.or(outer.send_updates),
            override_no_update: self.override_no_update.or(outer.override_no_update),
            override_client_update: self.override_client_update.or(outer.override_client_update),
            replace_client_name: self.replace_client_name.or(outer.replace_client_name),
            generated_prefix: either(&self.generated_prefix, &outer.generated_prefix),
            qualifying_suffix: either(&self.qualifying_suffix, &outer.qualifying_suffix),
            update_on_renew: self.update_on_renew.or(outer.update_on_renew),
            conflict_resolution_mode: self
                .conflict_resolution_mode
                .or(outer.conflict_resolution_mode),
            ttl: self.ttl.or(outer.ttl),
            ttl_percent: self.ttl_percent.or(outer.ttl_percent),
            ttl_min: self.ttl_min.or(outer.ttl_min),
            ttl_max: self.ttl_max.or(outer.ttl_max),
            hostname_char_set: either(&self.hostname_char_set, &outer.hostname_char_set),
            hostname_char_replacement: either(
                &self.hostname_char_replacement,
                &outer.hostname_char_replacement,
            ),
        }
    }

    /// What holds, with Kea's defaults where nothing is set.
    pub(crate) fn with_defaults(self) -> DdnsParameters {
        let char_set = self.hostname_char_set.unwrap_or_else(|| {
            Some(HostnameCharSet::new(CHAR_SET).expect("the default is a regular expression"))
        });
        // A TTL of 0 takes back what an outer scope set.
        let ttl = |ttl: Option<u32>| ttl.filter(|ttl| *ttl != 0);
        DdnsParameters {
            send_updates: self.send_updates.unwrap_or(true),
            override_no_update: self.override_no_update.unwrap_or(false),
            override_client_update: self.override_client_update.unwrap_or(false),
            replace_client_name: self.replace_client_name.unwrap_or_default(),
            generated_prefix: self.generated_prefix.unwrap_or_else(|| "myhost".into()),
            qualifying_suffix: self.qualifying_suffix.unwrap_or_default(),
            hostname_char_set: char_set,
            hostname_char_replacement: self.hostname_char_replacement.unwrap_or_default(),
            update_on_renew: self.update_on_renew.unwrap_or(false),
            conflict_resolution_mode: self.conflict_resolution_mode.unwrap_or_default(),
            ttl: ttl(self.ttl),
            ttl_percent: self.ttl_percent.filter(|part| *part != 0.0),
            ttl_min: ttl(self.ttl_min),
            ttl_max: ttl(self.ttl_max),
        }
    }
}

fn either<T: Clone>(inner: &Option<T>, outer: &Option<T>) -> Option<T> {
    inner.as_ref().or(outer.as_ref()).cloned()
}

/// The map `dhcp-ddns`.
#[derive(Debug, Default)]
pub(crate) struct WrittenDhcpDdns {
    /// `enable-updates`.
    pub(crate) enabled: bool,
    /// Kea until 2.4: naming parameters stood here; those of the global scope come before them.
    pub(crate) moved: WrittenDdns,
}

/// Reads `dhcp-ddns` of the global scope.
pub(crate) fn read_dhcp_ddns(object: &Object<'_>) -> WrittenDhcpDdns {
    let Some(map) = object.object("dhcp-ddns") else {
        return WrittenDhcpDdns::default();
    };
    let enable_updates = map.bool("enable-updates");
    let enable_updates = map.require("enable-updates", enable_updates);
    let enabled = enable_updates.filter(|flag| flag.value);
    if let Some(flag) = &enabled {
        let text = "clients are named and the names are kept in their leases, but DNS updates are not sent yet";
        map.problems.warning(&flag.position, text);
    }
    // Where requests go has no effect until they are sent: only its form is checked.
    for key in ["server-ip", "sender-ip"] {
        map.text(key);
    }
    for key in ["server-port", "sender-port", "max-queue-size"] {
        map.u32(key);
    }
    map.choice("ncr-protocol", &[("UDP", ()), ("TCP", ())]);
    map.choice("ncr-format", &[("JSON", ())]);
    let moved = read_moved(&map);
    map.user_context();
    map.finish();
    WrittenDhcpDdns {
        enabled: enabled.is_some(),
        moved,
    }
}

/// Members that stand in the global scope since Kea 2.5, with their names there.
const MOVED: &[(&str, &str)] = &[
    ("override-no-update", "ddns-override-no-update"),
    ("override-client-update", "ddns-override-client-update"),
    ("replace-client-name", "ddns-replace-client-name"),
    ("generated-prefix", "ddns-generated-prefix"),
    ("qualifying-suffix", "ddns-qualifying-suffix"),
    ("hostname-char-set", "hostname-char-set"),
    ("hostname-char-replacement", "hostname-char-replacement"),
];

fn read_moved(map: &Object<'_>) -> WrittenDdns {
    for (old, new) in MOVED {
        if let Some(member) = map.member(old) {
            let text = format!("{old} in dhcp-ddns is deprecated: write {new} beside dhcp-ddns");
            map.problems.warning(&member.position, text);
        }
    }
    let flag = |key| map.bool(key).map(|flag| flag.value);
    let text = |key| map.text(key).map(|text| text.value.into());
    let replace = map.choice("replace-client-name", &replace_modes());
    WrittenDdns {
        override_no_update: flag("override-no-update"),
        override_client_update: flag("override-client-update"),
        replace_client_name: replace.map(|mode| mode.value),
        generated_prefix: text("generated-prefix"),
        qualifying_suffix: suffix(map, "qualifying-suffix"),
        hostname_char_set: char_set(map, "hostname-char-set"),
        hostname_char_replacement: text("hostname-char-replacement"),
        ..WrittenDdns::default()
    }
}

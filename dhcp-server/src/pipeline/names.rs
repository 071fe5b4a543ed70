//! What a client is called, and in which directions the DNS is updated for it (RFC 4702, RFC 4704).
//!
//! A name is decided before the lease is planned; one that is made from the address is filled in when the address is
//! known. The decision says what the lease keeps and what the client hears.

pub mod domain_name;
pub mod v4;
pub mod v6;

use domain_name::{DomainName, NameError};
use outrigger_config::model::{DdnsParameters, ReplaceClientName, Server, Settings};
use outrigger_proto::v1;
use outrigger_wire::options::Options;
use std::borrow::Cow;
use std::net::IpAddr;

/// Flag S of options 81 and 39: the server does the forward update.
const FLAG_S: u8 = 0x01;
/// Flag O: the server does not follow the client's flag S.
const FLAG_O: u8 = 0x02;

/// How a client is named where it is. Without a subnet no parameter holds: names stay as they are, nothing is updated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'c> {
    parameters: Option<&'c DdnsParameters>,
    enabled: bool,
}

impl<'c> Rules<'c> {
    /// The rules of these parameters; `enabled` is [`Server::ddns_enabled`].
    #[must_use]
    pub fn new(parameters: Option<&'c DdnsParameters>, enabled: bool) -> Self {
        Self {
            parameters,
            enabled,
        }
    }

    /// The rules of the subnet of this index.
    #[must_use]
    pub fn of<F: Settings>(cfg: &'c Server<F>, subnet: Option<usize>) -> Self {
        let subnet = subnet.and_then(|index| cfg.subnets.get(index));
        Self::new(subnet.map(|subnet| &*subnet.ddns), cfg.ddns_enabled)
    }

    /// What the configuration says here, for a callout; `None` where there is no subnet.
    #[must_use]
    pub fn shown(&self) -> Option<v1::DdnsParameters> {
        let parameters = self.parameters?;
        Some(v1::DdnsParameters {
            send_updates: self.sends_updates(),
            override_no_update: parameters.override_no_update,
            override_client_update: parameters.override_client_update,
            replace_client_name: parameters.replace_client_name.as_str().to_owned(),
            generated_prefix: parameters.generated_prefix.as_ref().to_owned(),
            qualifying_suffix: parameters.qualifying_suffix.as_ref().to_owned(),
        })
    }

    /// Whether the DNS is updated at all.
    #[must_use]
    pub fn sends_updates(&self) -> bool {
        self.enabled && self.holds(|parameters| parameters.send_updates)
    }

    fn holds(&self, flag: impl Fn(&DdnsParameters) -> bool) -> bool {
        self.parameters.is_some_and(flag)
    }

    /// Whether the name is made from the address although the client sent one, or because it sent none.
    fn replaces(&self, client_has_name: bool) -> bool {
        let mode = self
            .parameters
            .map(|parameters| parameters.replace_client_name);
        match mode.unwrap_or_default() {
            ReplaceClientName::Never => false,
            ReplaceClientName::Always => true,
            ReplaceClientName::WhenPresent => client_has_name,
            ReplaceClientName::WhenNotPresent => !client_has_name,
        }
    }

    fn suffix(&self) -> &'c str {
        self.parameters
            .map_or("", |parameters| &parameters.qualifying_suffix)
    }

    /// The text with what `hostname-char-set` matches replaced; `None` where nothing is to be replaced.
    fn scrub<'t>(&self, text: &'t [u8]) -> Option<Cow<'t, [u8]>> {
        let parameters = self.parameters?;
        let set = parameters.hostname_char_set.as_ref()?;
        Some(set.scrub(text, &parameters.hostname_char_replacement))
    }
}

/// The name that the lease keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hostname {
    /// The client has none.
    #[default]
    None,
    /// To be made from the client's address.
    Generate,
    /// In lower case. Kea: with a final dot where the client hears it in its FQDN option.
    Known(String),
}

impl Hostname {
    /// The name; empty where there is none, or none yet.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::None | Self::Generate => "",
            Self::Known(name) => name,
        }
    }
}

/// The option in which the client hears its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameReply {
    /// In none.
    #[default]
    None,
    /// DHCPv4 option 12.
    HostName,
    /// Option 81 or 39.
    Fqdn {
        /// Flag S as the client sent it.
        client_s: bool,
        /// DHCPv4: the name goes back as text, because the client sent it so (flag E is 0).
        ascii: bool,
    },
}

/// What is decided about a client's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameDecision {
    /// For the lease.
    pub hostname: Hostname,
    /// The server updates the forward direction (address of the name).
    pub fwd: bool,
    /// The server updates the reverse direction (name of the address).
    pub rev: bool,
    /// For the reply.
    pub reply: NameReply,
}

/// What a callout of `ddns4_update` or `ddns6_update` wants; `None` leaves what was decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameUpdate<'h> {
    /// The name, fully qualified with or without a final dot. Empty: made from the address where the client hears a
    /// name, else none.
    pub hostname: Option<&'h str>,
    /// Update the forward direction.
    pub fwd: Option<bool>,
    /// Update the reverse direction.
    pub rev: Option<bool>,
}

impl NameDecision {
    /// Changes the decision as a callout wants it; whether anything changed. Where no updates are sent, none can be
    /// switched on. The flags of the client's FQDN option follow the directions.
    ///
    /// # Errors
    /// Where the callout's name is no name; nothing is changed then.
    pub fn apply_hook(
        &mut self,
        update: NameUpdate<'_>,
        rules: Rules<'_>,
    ) -> Result<bool, NameError> {
        let before = self.clone();
        if let Some(name) = update
            .hostname
            .filter(|name| *name != self.hostname.as_str())
        {
            self.hostname = match (name, self.reply) {
                ("", NameReply::None) => Hostname::None,
                ("", _) => Hostname::Generate,
                _ => Hostname::Known(checked(name)?),
            };
        }
        self.fwd = update
            .fwd
            .map_or(self.fwd, |fwd| fwd && rules.sends_updates());
        self.rev = update
            .rev
            .map_or(self.rev, |rev| rev && rules.sends_updates());
        Ok(*self != before)
    }

    /// Fills in a name that is made from the address. Kea: for DHCPv6 that of the first address of the reply.
    pub fn settle(&mut self, address: IpAddr, rules: Rules<'_>) {
        if self.hostname != Hostname::Generate {
            return;
        }
        let in_fqdn = matches!(self.reply, NameReply::Fqdn { .. });
        match checked(&generated_name(rules, address, in_fqdn)) {
            Ok(name) => self.hostname = Hostname::Known(name),
            // Prefix and suffix of the configuration make no name: the client has none.
            Err(_) => *self = Self::default(),
        }
    }

    /// Flag S, and flag O where that is not what the client wants.
    fn flags(&self, client_s: bool) -> u8 {
        let overrides = client_s != self.fwd;
        (if self.fwd { FLAG_S } else { 0 }) | (if overrides { FLAG_O } else { 0 })
    }

    /// RFC 4702 §2.1, RFC 4704 §4.1: whether flag N says that the server updates nothing.
    fn updates_nothing(&self) -> bool {
        !self.fwd && !self.rev
    }
}

/// The name made from an address: `ddns-generated-prefix`, the address with `-` for its separators, and
/// `ddns-qualifying-suffix`.
#[must_use]
pub fn generated_name(rules: Rules<'_>, address: IpAddr, final_dot: bool) -> String {
    let prefix = rules
        .parameters
        .map_or("", |parameters| &parameters.generated_prefix);
    let separator = if address.is_ipv4() { "." } else { ":" };
    let mut name = format!("{prefix}-{}", address.to_string().replace(separator, "-"));
    // A label must not end with a hyphen (RFC 1123 §2.1), as that of 2001:db8:: would.
    if name.ends_with('-') {
        name.push('0');
    }
    let name = qualified(&name, rules.suffix(), final_dot);
    name.to_ascii_lowercase()
}

/// The name with the suffix behind it, where it does not end so already; with or without a dot at its end.
fn qualified(name: &str, suffix: &str, final_dot: bool) -> String {
    let without_dot = |text| str::strip_suffix(text, ".").unwrap_or(text);
    let mut qualified = without_dot(name).to_owned();
    let (short, bare) = (qualified.as_str(), without_dot(suffix));
    let before = short.strip_suffix(bare);
    let has_suffix = before.is_some_and(|before| before.is_empty() || before.ends_with('.'));
    if !bare.is_empty() && !has_suffix {
        qualified.push('.');
        qualified.push_str(bare);
    }
    if final_dot {
        qualified.push('.');
    }
    qualified
}

/// The name in lower case, if it is one.
fn checked(name: &str) -> Result<String, NameError> {
    if name.chars().any(char::is_control) {
        return Err(NameError::Text);
    }
    let parsed = DomainName::from_text(name.as_bytes())?;
    if parsed.is_empty() {
        return Err(NameError::Empty);
    }
    Ok(name.to_ascii_lowercase())
}

/// What a client's FQDN option says.
#[derive(Debug, Default)]
struct ClientFqdn {
    /// Flag S.
    s: bool,
    /// Flag N.
    n: bool,
    /// DHCPv4: the name is text.
    ascii: bool,
    name: DomainName,
}

/// The decision about a client with an FQDN option. A reserved name is taken before the client's; a name of which
/// nothing is left counts as none at all.
fn from_fqdn(fqdn: &ClientFqdn, reserved: Option<&str>, rules: Rules<'_>) -> NameDecision {
    let hostname = match reserved {
        Some(reserved) => checked(&qualified(reserved, rules.suffix(), true)).map(Hostname::Known),
        None => client_name(&fqdn.name, rules),
    };
    let Ok(hostname) = hostname else {
        return NameDecision::default();
    };
    let (fwd, rev) = directions(fqdn, rules);
    NameDecision {
        hostname,
        fwd,
        rev,
        reply: NameReply::Fqdn {
            client_s: fqdn.s,
            ascii: fqdn.ascii,
        },
    }
}

/// Forward and reverse (RFC 4702 §3 and §4, RFC 4704 §5 and §6).
fn directions(fqdn: &ClientFqdn, rules: Rules<'_>) -> (bool, bool) {
    if !rules.sends_updates() {
        return (false, false);
    }
    match (fqdn.s, fqdn.n) {
        (true, _) => (true, true),
        // The client does the forward update itself.
        (false, false) => (rules.holds(|p| p.override_client_update), true),
        (false, true) => {
            let both = rules.holds(|p| p.override_no_update);
            (both, both)
        }
    }
}

/// The name that the client sent, scrubbed and qualified. An empty one is made from the address, whatever the mode.
fn client_name(sent: &DomainName, rules: Rules<'_>) -> Result<Hostname, NameError> {
    if sent.is_empty() || rules.replaces(true) {
        return Ok(Hostname::Generate);
    }
    let name = scrubbed(sent, rules)?;
    let mut text = name.to_string();
    let mut suffix = "";
    if !name.is_fully_qualified() {
        // The last dot of a label is not one that ends a name.
        text.push('.');
        suffix = rules.suffix();
    }
    checked(&qualified(&text, suffix, true)).map(Hostname::Known)
}

/// The name with each label scrubbed. Kea: a dot inside a label separates labels then.
fn scrubbed(sent: &DomainName, rules: Rules<'_>) -> Result<DomainName, NameError> {
    let raw = sent.labels().collect::<Vec<_>>().join(&b'.');
    let labels = raw.split(|byte| *byte == b'.');
    let Some(labels) = labels
        .map(|label| rules.scrub(label))
        .collect::<Option<Vec<_>>>()
    else {
        return Ok(sent.clone());
    };
    let joined = labels.join(&b'.');
    DomainName::from_labels(
        joined.split(|byte| *byte == b'.'),
        sent.is_fully_qualified(),
    )
}

/// A reserved name; an empty one is none.
fn reserved_name(reserved: Option<&str>) -> Option<&str> {
    reserved.filter(|name| !name.is_empty())
}

/// Sets the FQDN option: what stands before the name, and the name. A name that is not made yet is left out.
fn set_fqdn(options: &mut Options, code: u16, fixed: &[u8], ascii: bool, name: &Hostname) {
    let mut payload = Vec::with_capacity(fixed.len() + 256);
    payload.extend_from_slice(fixed);
    if let Hostname::Known(name) = name {
        let parsed = DomainName::from_text(name.as_bytes());
        match parsed {
            Ok(_) if ascii => {
                payload.extend_from_slice(name.as_bytes());
                if !name.ends_with('.') {
                    payload.push(b'.');
                }
            }
            Ok(parsed) => parsed.write_with_root(&mut payload),
            // Names of a decision are checked; what somebody else put there is not sent.
            Err(_) => return,
        }
    }
    options.set(code, &payload);
}

#[cfg(test)]
mod tests;

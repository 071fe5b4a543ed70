//! How clients are named, and which of the names go into the DNS.

use regex::bytes::{NoExpand, Regex, RegexBuilder};
use std::borrow::Cow;
use std::fmt;

/// Where the server takes a client's name from (`ddns-replace-client-name`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReplaceClientName {
    /// The client's own; a client without one has none.
    #[default]
    Never,
    /// Made from the address, whatever the client sent.
    Always,
    /// Made from the address where the client sent a name.
    WhenPresent,
    /// Made from the address where the client sent none.
    WhenNotPresent,
}

impl ReplaceClientName {
    /// As `ddns-replace-client-name` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Always => "always",
            Self::WhenPresent => "when-present",
            Self::WhenNotPresent => "when-not-present",
        }
    }
}

/// How strictly DNS records of other clients are left alone (`ddns-conflict-resolution-mode`, RFC 4703).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConflictResolutionMode {
    /// The DHCID record must be the client's.
    #[default]
    CheckWithDhcid,
    /// Records are replaced, a DHCID record is written.
    NoCheckWithDhcid,
    /// There must be a DHCID record, whoever's.
    CheckExistsWithDhcid,
    /// Records are replaced, no DHCID record is written.
    NoCheckWithoutDhcid,
}

/// The naming parameters in force at one place: `ddns-*` and `hostname-char-*`, inherited values resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct DdnsParameters {
    /// The DNS is updated; only where [`super::Server::ddns_enabled`] holds too.
    pub send_updates: bool,
    /// Update although the client asks for no update (flag N).
    pub override_no_update: bool,
    /// Do the forward update although the client wants to do it.
    pub override_client_update: bool,
    /// Where the name comes from.
    pub replace_client_name: ReplaceClientName,
    /// Begins names that are made from an address.
    pub generated_prefix: Box<str>,
    /// Ends names that are not fully qualified; empty: they stay as they are.
    pub qualifying_suffix: Box<str>,
    /// What is replaced in names that clients send; `None`: nothing.
    pub hostname_char_set: Option<HostnameCharSet>,
    /// What [`Self::hostname_char_set`] is replaced by; may be empty.
    pub hostname_char_replacement: Box<str>,
    /// Update at each renewal, even if nothing changed.
    pub update_on_renew: bool,
    /// How strictly records of others are left alone.
    pub conflict_resolution_mode: ConflictResolutionMode,
    /// Seconds; decides alone where it is set.
    pub ttl: Option<u32>,
    /// Part of the valid lifetime.
    pub ttl_percent: Option<f64>,
    /// Seconds, at least.
    pub ttl_min: Option<u32>,
    /// Seconds, at most.
    pub ttl_max: Option<u32>,
}

/// A regular expression that says which parts of a name are replaced.
#[derive(Clone)]
pub struct HostnameCharSet(Regex);

impl HostnameCharSet {
    /// Compiles `hostname-char-set`; it is matched against bytes.
    ///
    /// # Errors
    /// Where it is no regular expression, or one that is too large; the text says why.
    pub fn new(expression: &str) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(expression).unicode(false).build()?;
        Ok(Self(regex))
    }

    /// The text with everything that matches, and each zero byte, replaced.
    #[must_use]
    pub fn scrub<'t>(&self, text: &'t [u8], replacement: &str) -> Cow<'t, [u8]> {
        let scrubbed = self.0.replace_all(text, NoExpand(replacement.as_bytes()));
        if !scrubbed.contains(&0) {
            return scrubbed;
        }
        // Kea: whatever the expression says.
        let parts: Vec<_> = scrubbed.split(|byte| *byte == 0).collect();
        Cow::Owned(parts.join(replacement.as_bytes()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for HostnameCharSet {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for HostnameCharSet {}

impl fmt::Debug for HostnameCharSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(expression: &str, text: &[u8], replacement: &str) -> Vec<u8> {
        HostnameCharSet::new(expression)
            .unwrap()
            .scrub(text, replacement)
            .into_owned()
    }

    #[test]
    fn every_match_and_every_zero_byte_is_replaced() {
        let set = "[^A-Za-z0-9.-]";
        assert_eq!(scrubbed(set, b"my_phone (2)", "x"), b"myxphonexx2x");
        assert_eq!(scrubbed(set, b"pc-1.example", "x"), b"pc-1.example");
        assert_eq!(scrubbed(set, b"\xff\xc3\xa9a", ""), b"a");
        assert_eq!(scrubbed("[xyz]", b"a\0bx\0", "-$0"), b"a-$0b-$0-$0");
    }

    #[test]
    fn classes_of_posix_are_known() {
        assert_eq!(scrubbed("[^[:alnum:]]", b"a_b", "-"), b"a-b");
        assert!(HostnameCharSet::new("[a").is_err());
    }
}

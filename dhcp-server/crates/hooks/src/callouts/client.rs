//! What callouts decide about a client beside its lease: an identifier for its reservation, and its name.

use super::host::identifier_kind;
use crate::callout::Refused;
use outrigger_config::model::HostIdentifierType;
use outrigger_proto::v1;

/// Longest identifier, in bytes: that of a client identifier.
const MAX_IDENTIFIER: usize = 255;

/// `hostN_identifier`: by what a reservation of the client is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlexIdentifier {
    /// What the bytes count as.
    pub kind: HostIdentifierType,
    /// At most 255; empty: there is no identifier.
    pub bytes: Vec<u8>,
}

impl Default for FlexIdentifier {
    /// No identifier yet; it will count as `flex-id` unless a service says otherwise.
    fn default() -> Self {
        Self {
            kind: HostIdentifierType::FlexId,
            bytes: Vec::new(),
        }
    }
}

impl FlexIdentifier {
    /// With what a reply changes.
    pub(crate) fn changed(&self, changes: &v1::Changes) -> Result<Self, Refused> {
        let mut changed = self.clone();
        if let Some(number) = changes.host_identifier_type {
            changed.kind = identifier_kind(number)
                .ok_or_else(|| Refused::new("identifier", "no type of an identifier"))?;
        }
        if let Some(bytes) = &changes.host_identifier {
            if bytes.len() > MAX_IDENTIFIER {
                let why = format!("{} bytes, at most {MAX_IDENTIFIER}", bytes.len());
                return Err(Refused::new("identifier", why));
            }
            changed.bytes = bytes.to_vec();
        }
        Ok(changed)
    }
}

/// `ddnsN_update`: the client's name, and in which directions DNS is updated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Fully qualified or not, as decided so far; empty: the client has no name.
    pub hostname: String,
    /// From name to address.
    pub fwd_update: bool,
    /// From address to name.
    pub rev_update: bool,
}

impl Names {
    /// Sets what a reply changes.
    pub(crate) fn change(&mut self, changes: Option<v1::NameChanges>) {
        let Some(changes) = changes else { return };
        if let Some(hostname) = changes.hostname {
            self.hostname = hostname;
        }
        self.fwd_update = changes.fwd_update.unwrap_or(self.fwd_update);
        self.rev_update = changes.rev_update.unwrap_or(self.rev_update);
    }
}

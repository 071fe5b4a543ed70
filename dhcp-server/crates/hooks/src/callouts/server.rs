//! The hook points of the server's life and of control commands.

use super::encoded;
use crate::callout::{Callout, Refused};
use crate::reads::Reads;
use bytes::Bytes;
use outrigger_proto::v1::arguments::Point;
use outrigger_proto::{HookPoint, v1};

/// A DHCPv4 configuration is complete: at the start, and whenever another one is about to replace it. DROP: it is
/// refused.
pub struct Dhcp4SrvConfigured<'a> {
    /// What is in the top-level key, JSON.
    pub configuration: &'a str,
    /// Why it is refused; counts only after DROP, and is empty where the service says nothing.
    pub error: &'a mut String,
}

/// As [`Dhcp4SrvConfigured`], of DHCPv6.
pub struct Dhcp6SrvConfigured<'a> {
    /// What is in the top-level key, JSON.
    pub configuration: &'a str,
    /// Why it is refused; counts only after DROP, and is empty where the service says nothing.
    pub error: &'a mut String,
}

impl Callout for Dhcp4SrvConfigured<'_> {
    const POINT: HookPoint = HookPoint::Dhcp4SrvConfigured;

    fn label(&self) -> String {
        "configuration".to_owned()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = server_configured(self.configuration, reads);
        encoded(Point::Dhcp4SrvConfigured(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        set_error(self.error, changes.error);
        Ok(())
    }
}

impl Callout for Dhcp6SrvConfigured<'_> {
    const POINT: HookPoint = HookPoint::Dhcp6SrvConfigured;

    fn label(&self) -> String {
        "configuration".to_owned()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = server_configured(self.configuration, reads);
        encoded(Point::Dhcp6SrvConfigured(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        set_error(self.error, changes.error);
        Ok(())
    }
}

fn server_configured(configuration: &str, reads: &Reads) -> v1::ServerConfiguredArguments {
    v1::ServerConfiguredArguments {
        configuration: super::if_read(reads.configuration, configuration.to_owned()),
    }
}

fn set_error(own: &mut String, error: Option<String>) {
    if let Some(error) = error {
        *own = error;
    }
}

/// The running DHCPv4 configuration was changed. No next step has an effect.
pub struct Cb4Updated<'a> {
    /// In the order of the changes; never empty.
    pub audit_entries: &'a [v1::AuditEntry],
}

/// As [`Cb4Updated`], of DHCPv6.
pub struct Cb6Updated<'a> {
    /// In the order of the changes; never empty.
    pub audit_entries: &'a [v1::AuditEntry],
}

impl Callout for Cb4Updated<'_> {
    const POINT: HookPoint = HookPoint::Cb4Updated;

    fn label(&self) -> String {
        "configuration".to_owned()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = configuration_updated(self.audit_entries, reads);
        encoded(Point::Cb4Updated(arguments))
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        // The table lists no change here, so there is none to apply.
        Ok(())
    }
}

impl Callout for Cb6Updated<'_> {
    const POINT: HookPoint = HookPoint::Cb6Updated;

    fn label(&self) -> String {
        "configuration".to_owned()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = configuration_updated(self.audit_entries, reads);
        encoded(Point::Cb6Updated(arguments))
    }

    fn apply(&mut self, _changes: v1::Changes) -> Result<(), Refused> {
        // The table lists no change here, so there is none to apply.
        Ok(())
    }
}

fn configuration_updated(
    audit_entries: &[v1::AuditEntry],
    reads: &Reads,
) -> v1::ConfigurationUpdatedArguments {
    v1::ConfigurationUpdatedArguments {
        audit_entries: super::if_read(reads.audit_entries, audit_entries.to_vec()),
    }
}

/// A control command was handled, by the server or by a service. No next step has an effect.
pub struct CommandProcessed<'a> {
    /// "config-get"
    pub name: &'a str,
    /// JSON; empty where the command had none.
    pub arguments: &'a str,
    /// The answer, JSON; a service may replace it.
    pub response: &'a mut String,
}

impl Callout for CommandProcessed<'_> {
    const POINT: HookPoint = HookPoint::CommandProcessed;

    fn label(&self) -> String {
        self.name.to_owned()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = v1::CommandProcessedArguments {
            name: super::if_read(reads.name, self.name.to_owned()),
            arguments: super::if_read(reads.arguments, self.arguments.to_owned()),
            response: super::if_read(reads.response_text, self.response.clone()),
        };
        encoded(Point::CommandProcessed(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(response) = changes.command_response {
            *self.response = response;
        }
        Ok(())
    }
}

/// A control command that services offer. No next step has an effect.
pub(crate) struct Command<'a> {
    pub(crate) name: &'a str,
    /// The complete command, JSON.
    pub(crate) command: &'a str,
    /// JSON; empty until a service answers.
    pub(crate) response: &'a mut String,
}

impl Callout for Command<'_> {
    const POINT: HookPoint = HookPoint::Command;

    fn label(&self) -> String {
        self.name.to_owned()
    }

    fn encode(&self, reads: &Reads) -> Bytes {
        let arguments = v1::CommandArguments {
            command: super::if_read(reads.command, self.command.to_owned()),
            response: super::if_read(reads.response_text, self.response.clone()),
        };
        encoded(Point::Command(arguments))
    }

    fn apply(&mut self, changes: v1::Changes) -> Result<(), Refused> {
        if let Some(response) = changes.command_response {
            *self.response = response;
        }
        Ok(())
    }
}

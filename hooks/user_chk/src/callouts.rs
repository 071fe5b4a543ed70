//! The hook itself: what is decided at each hook point.
//!
//! Received: who is it, and is it registered? The verdict travels with the packet. Subnet: clients that are not
//! registered go to the restricted one. Sent: record what is granted, override boot file and TFTP server.

mod v4;
mod v6;

use crate::client::Client;
use crate::counters::Counters;
use crate::identifier::IdentifierType;
use crate::outcome::{Granted, Outcome, Record};
use crate::overrides::Overrides;
use crate::registry::{DEFAULT_USER, Registry};
use crate::settings::Settings;
use crate::verdict::Verdict;
use outrigger_hook_sdk::points::{
    Pkt4Receive, Pkt4Send, Pkt6Receive, Pkt6Send, Subnet4Select, Subnet6Select,
};
use outrigger_hook_sdk::{Call, Callouts, HookError, NextStep};
use std::sync::Arc;

/// The hook, for one configuration of one server.
#[derive(Debug)]
pub struct UserChk {
    /// Who is registered.
    pub registry: Arc<Registry>,
    /// Where responses are recorded.
    pub outcome: Arc<Outcome>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// What the site wants.
    pub settings: Settings,
}

impl Callouts for UserChk {
    async fn pkt4_receive(&self, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
        v4::receive(self, call)
    }

    async fn subnet4_select(&self, call: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
        v4::select(self, call)
    }

    async fn pkt4_send(&self, call: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
        v4::send(self, call)
    }

    async fn pkt6_receive(&self, call: &mut Call<'_, Pkt6Receive>) -> Result<(), HookError> {
        v6::receive(self, call)
    }

    async fn subnet6_select(&self, call: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
        v6::select(self, call)
    }

    async fn pkt6_send(&self, call: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
        v6::send(self, call)
    }
}

/// Whether a service before this one ended the matter.
fn is_settled(status: NextStep) -> bool {
    match status {
        NextStep::Skip | NextStep::Drop => true,
        NextStep::Continue | NextStep::Park => false,
    }
}

impl UserChk {
    /// Looks a client up. One without an identifier is not registered: the gate fails closed.
    fn decide(&self, client: Option<Client>, packet: &str) -> Verdict {
        let registered = client.as_ref().and_then(|client| {
            let version = self.registry.current()?;
            let properties = version.users.find(client.kind(), client.bytes())?;
            Some(Overrides::of(properties))
        });
        let counter = match &registered {
            Some(_) => &self.counters.registered,
            None => &self.counters.unregistered,
        };
        Counters::count(counter);
        match &client {
            Some(client) => {
                tracing::debug!(packet, %client, registered = registered.is_some(), "looked up");
            }
            None => {
                Counters::count(&self.counters.without_identifier);
                tracing::debug!(packet, "no usable identifier: not registered");
            }
        }
        Verdict { client, registered }
    }

    /// What was decided when the packet was received, or else is decided now: the call then may have failed, or
    /// somebody changed the context.
    fn verdict(&self, context: &[u8], client: Option<Client>, packet: &str) -> Verdict {
        let kept = Verdict::decode(context).filter(|verdict| verdict.client == client);
        if let Some(verdict) = kept {
            return verdict;
        }
        if !context.is_empty() {
            let bad = Counters::count(&self.counters.bad_contexts);
            tracing::warn!(
                packet,
                bad_contexts = bad,
                "the context is not what this service kept; deciding anew"
            );
        }
        self.decide(client, packet)
    }

    /// The subnet that the client has to be in, where it is not the one that the server selected (0: none).
    fn other_subnet(&self, verdict: &Verdict, selected: u32) -> Option<u32> {
        let restricted = self.settings.restricted_subnet_id?;
        (!verdict.is_registered() && selected != restricted).then_some(restricted)
    }

    /// What is to be overridden: for clients that are not registered, what the default user has.
    fn overrides(&self, verdict: &Verdict, kind: IdentifierType) -> Overrides {
        if !self.settings.option_overrides {
            return Overrides::default();
        }
        if let Some(overrides) = &verdict.registered {
            return overrides.clone();
        }
        let version = self.registry.current();
        let default_user = version
            .as_ref()
            .and_then(|version| version.users.find(kind, &DEFAULT_USER));
        default_user.map(Overrides::of).unwrap_or_default()
    }

    /// Records a response. One to a client without identifier has nobody to be recorded for.
    fn record(&self, verdict: &Verdict, granted: Granted) {
        if !self.settings.outcome_records {
            return;
        }
        if let Some(client) = &verdict.client {
            self.outcome.record(Record {
                client: client.clone(),
                granted,
                registered: verdict.is_registered(),
            });
        }
    }
}

#[cfg(test)]
mod tests;

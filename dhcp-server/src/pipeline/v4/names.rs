//! The client's name on its way through the page.

use super::locate::Located4;
use crate::pipeline::names::v4::{decide, name_options, rules_after};
use crate::pipeline::names::{Hostname, NameDecision, NameReply, NameUpdate, Rules};
use outrigger_alloc::Plan;
use outrigger_hooks::callouts;
use outrigger_proto::v1;
use outrigger_wire::V4;
use outrigger_wire::options::Options;
use outrigger_wire::v4::{MessageType, Reply4, code};

/// What a DISCOVER or REQUEST comes to be called.
#[derive(Debug, Clone, Default)]
pub(super) struct Names4<'c> {
    rules: Rules<'c>,
    decision: NameDecision,
    /// The reply as callouts of `ddns4_update` left it: it has the name options already.
    pub(super) draft: Option<Reply4>,
}

impl<'c> Names4<'c> {
    /// As the configuration has it.
    pub(super) fn decided(located: &Located4<'_>, rules: Rules<'c>) -> Self {
        let reserved = located.host.and_then(|host| host.hostname.as_deref());
        Self {
            rules,
            decision: decide(&located.query.packet, reserved, rules),
            draft: None,
        }
    }

    /// Where the lease that was planned wants another decision: it is in another subnet of the shared network, or its
    /// pool names clients in its own way.
    pub(super) fn rules_after(located: &Located4<'c>, plan: &Plan<V4>) -> Option<Rules<'c>> {
        let address = plan.lease.resource;
        rules_after(located.cfg, located.subnet, plan.claim.subnet(), address)
    }

    /// For a callout.
    pub(super) fn shown(&self) -> callouts::Names {
        callouts::Names {
            hostname: self.decision.hostname.as_str().to_owned(),
            fwd_update: self.decision.fwd,
            rev_update: self.decision.rev,
        }
    }

    /// How names are decided here, for a callout.
    pub(super) fn parameters(&self) -> Option<v1::DdnsParameters> {
        self.rules.shown()
    }

    /// What there is of the reply so far: its header and the name. `earlier` is what callouts made of it before.
    pub(super) fn draft(&self, located: &Located4<'_>, earlier: Option<Reply4>) -> Reply4 {
        let packet = &located.query.packet;
        let message_type = match packet.message_type {
            Some(MessageType::Discover) => MessageType::Offer,
            _ => MessageType::Ack,
        };
        let mut draft = earlier.unwrap_or_else(|| Reply4::to(packet, message_type));
        self.write(&mut draft.options);
        draft
    }

    /// What callouts made of the name and the draft.
    pub(super) fn change(&mut self, wanted: &callouts::Names, mut draft: Reply4) {
        let update = NameUpdate {
            hostname: Some(&wanted.hostname),
            fwd: Some(wanted.fwd_update),
            rev: Some(wanted.rev_update),
        };
        let was_open = self.is_open();
        match self.decision.apply_hook(update, self.rules) {
            // Kea: an option that a callout took out of the reply stays out.
            Ok(true) if was_open || has_name(&draft.options) => self.write(&mut draft.options),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(hostname = %wanted.hostname.escape_debug(), %error, "DHCP4_DDNS_UPDATE_NAME_REFUSED");
            }
        }
        self.draft = Some(draft);
    }

    /// Whether the reply gets an option 12 that cannot be written before the address is known.
    fn is_open(&self) -> bool {
        self.decision.reply == NameReply::HostName && self.decision.hostname == Hostname::Generate
    }

    fn write(&self, options: &mut Options) {
        if self.is_open() {
            options.remove(code::HOST_NAME);
        } else {
            name_options(&self.decision, options);
        }
    }

    /// Puts name and directions into the planned lease. One that is made from the address is filled in by
    /// [`Self::settled`].
    pub(super) fn put_into(&self, plan: &mut Plan<V4>) {
        let lease = &mut plan.lease;
        let name = self.decision.hostname.as_str();
        if *lease.hostname != *name {
            lease.hostname = name.into();
        }
        (lease.fqdn_fwd, lease.fqdn_rev) = (self.decision.fwd, self.decision.rev);
    }

    /// With the name that is made from the address of the lease, in the lease too unless a callout named it there;
    /// `None` where there is nothing to make.
    pub(super) fn settled(&self, plan: &mut Plan<V4>) -> Option<Self> {
        if self.decision.hostname != Hostname::Generate {
            return None;
        }
        let mut settled = self.clone();
        settled
            .decision
            .settle(plan.lease.resource.into(), self.rules);
        if let Some(mut draft) = settled.draft.take() {
            // What a callout wrote there itself stays.
            if self.is_open() != has_name(&draft.options) {
                settled.write(&mut draft.options);
            }
            settled.draft = Some(draft);
        }
        if plan.lease.hostname.is_empty() {
            settled.put_into(plan);
        }
        Some(settled)
    }

    /// The beginning of the reply: the draft that callouts saw, or a new one. A NAK has no names.
    pub(super) fn begin(&self, located: &Located4<'_>, message_type: MessageType) -> Reply4 {
        match (&self.draft, message_type) {
            (Some(draft), MessageType::Offer | MessageType::Ack) => draft.clone(),
            _ => Reply4::to(&located.query.packet, message_type),
        }
    }

    /// Writes the name into a reply that does not have it from its draft.
    pub(super) fn finish(&self, response: &mut Reply4) {
        if self.draft.is_none() {
            name_options(&self.decision, &mut response.options);
        }
    }
}

fn has_name(options: &Options) -> bool {
    options.contains(code::HOST_NAME) || options.contains(code::CLIENT_FQDN)
}

//! What a client is called, and what callouts make of that.

use super::locate::Located6;
use crate::pipeline::names::v6::{decide, name_options, rules_after};
use crate::pipeline::names::{Hostname, NameDecision, NameReply, NameUpdate, Rules};
use outrigger_config::model::Server;
use outrigger_hooks::callouts::Names;
use outrigger_proto::v1;
use outrigger_store::Lease;
use outrigger_wire::V6;
use outrigger_wire::v6::{ADDR_REG_INFORM, MessageType, Reply6, code};
use std::net::Ipv6Addr;

/// Where a client is named, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place6<'c> {
    rules: Rules<'c>,
    /// Index into the configuration's subnets.
    subnet: Option<usize>,
}

impl<'c> Place6<'c> {
    /// The selected subnet.
    pub(super) fn selected(located: &Located6<'c>) -> Self {
        Self {
            rules: Rules::of(located.cfg, located.subnet),
            subnet: located.subnet,
        }
    }

    /// Where the first address of the reply wants another decision: it is in another subnet of the shared network, or its
    /// pool names clients in its own way.
    pub(super) fn after(located: &Located6<'c>, subnet: usize, address: Ipv6Addr) -> Option<Self> {
        let rules = rules_after(located.cfg, located.subnet, subnet, address)?;
        Some(Self {
            rules,
            subnet: Some(subnet),
        })
    }

    pub(super) fn subnet_id(&self, cfg: &Server<V6>) -> Option<u32> {
        cfg.subnets.get(self.subnet?).map(|subnet| subnet.id.0)
    }

    /// How names are decided here, for a callout.
    pub(super) fn parameters(&self) -> Option<v1::DdnsParameters> {
        self.rules.shown()
    }
}

/// A client's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Names6 {
    pub(super) decision: NameDecision,
    /// The reply as callouts left it; `None` where none was asked.
    pub(super) response: Option<Box<Reply6>>,
}

impl Names6 {
    /// Decides about a SOLICIT, REQUEST, RENEW, REBIND or ADDR-REG-INFORM; other messages are about no name.
    pub(super) fn decided(located: &Located6<'_>, place: Place6<'_>) -> Self {
        let packet = &located.query.packet;
        let decision = match packet.message_type {
            MessageType::Solicit
            | MessageType::Request
            | MessageType::Renew
            | MessageType::Rebind
            | ADDR_REG_INFORM => {
                let reserved = located.host.and_then(|host| host.hostname.as_deref());
                decide(packet, reserved, place.rules)
            }
            _ => NameDecision::default(),
        };
        Self {
            decision,
            response: None,
        }
    }

    /// Whether the client hears a name.
    pub(super) fn is_told(&self) -> bool {
        self.decision.reply != NameReply::None
    }

    /// Sets the option in which the client hears it.
    pub(super) fn tell(&self, response: &mut Reply6) {
        name_options(&self.decision, &mut response.options);
    }

    /// For a callout.
    pub(super) fn shown(&self) -> Names {
        Names {
            hostname: self.decision.hostname.as_str().to_owned(),
            fwd_update: self.decision.fwd,
            rev_update: self.decision.rev,
        }
    }

    /// Takes what callouts made of it. What they did to the option in the reply stands, unless they changed the name or a
    /// direction too.
    pub(super) fn change(&mut self, names: &Names, response: Box<Reply6>, place: Place6<'_>) {
        self.response = Some(response);
        let update = NameUpdate {
            hostname: Some(&names.hostname),
            fwd: Some(names.fwd_update),
            rev: Some(names.rev_update),
        };
        match self.decision.apply_hook(update, place.rules) {
            Ok(true) => self.retell(),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, name = ?names.hostname, "DHCP6_DDNS_UPDATE_NAME_REFUSED");
            }
        }
    }

    /// Fills in a name that is made from the address.
    pub(super) fn settle(&mut self, address: Ipv6Addr, place: Place6<'_>) -> bool {
        if self.decision.hostname != Hostname::Generate {
            return false;
        }
        self.decision.settle(address.into(), place.rules);
        self.retell();
        true
    }

    /// Brings the option up to date in a reply that callouts have seen, unless they took it out.
    fn retell(&mut self) {
        let Some(mut response) = self.response.take() else {
            return;
        };
        if response.options.contains(code::CLIENT_FQDN) {
            if self.is_told() {
                self.tell(&mut response);
            } else {
                response.options.remove(code::CLIENT_FQDN);
            }
        }
        self.response = Some(response);
    }

    /// Writes the name into a lease.
    pub(super) fn name_lease(&self, lease: &mut Lease<V6>) {
        let name = self.decision.hostname.as_str();
        if *lease.hostname != *name {
            lease.hostname = name.into();
        }
        lease.fqdn_fwd = self.decision.fwd;
        lease.fqdn_rev = self.decision.rev;
    }
}

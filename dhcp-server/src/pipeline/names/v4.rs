//! The name of a DHCPv4 client: option 81 (RFC 4702), else option 12.

use super::domain_name::{DomainName, NameError};
use super::{
    ClientFqdn, FLAG_S, Hostname, NameDecision, NameReply, Rules, checked, from_fqdn, qualified,
    reserved_name, set_fqdn,
};
use outrigger_config::model::Server;
use outrigger_wire::V4;
use outrigger_wire::options::Options;
use outrigger_wire::v4::{Packet4, code};
use std::net::Ipv4Addr;

/// Flag E: the name is in DNS format.
const FLAG_E: u8 = 0x04;
/// Flag N: the server does no update.
const FLAG_N: u8 = 0x08;
/// RFC 4702 §2.2: both result codes are obsolete, and this in what a server sends.
const RCODE: u8 = 255;

/// The rules for a lease of this address where names must be decided anew: its subnet is not the selected one, or its
/// pool has parameters of its own. `None`: what was decided stays.
#[must_use]
pub fn rules_after(
    cfg: &Server<V4>,
    selected: Option<usize>,
    subnet: usize,
    address: Ipv4Addr,
) -> Option<Rules<'_>> {
    let mut pools = cfg.subnets.get(subnet)?.pools.iter();
    let pool = pools.find(|pool| pool.first <= address && address <= pool.last);
    match pool.and_then(|pool| pool.ddns.as_deref()) {
        Some(own) => Some(Rules::new(Some(own), cfg.ddns_enabled)),
        None => (selected != Some(subnet)).then(|| Rules::of(cfg, Some(subnet))),
    }
}

/// Decides about a DISCOVER or REQUEST. `reserved` is the name of the client's reservation. Option 12 does not count
/// where there is an option 81 that can be read.
#[must_use]
pub fn decide(query: &Packet4, reserved: Option<&str>, rules: Rules<'_>) -> NameDecision {
    let reserved = reserved_name(reserved);
    let fqdn = query.options.get(code::CLIENT_FQDN).map(read_fqdn);
    match fqdn {
        Some(Ok(fqdn)) => from_fqdn(&fqdn, reserved, rules),
        // An option that cannot be read invalidates itself only.
        Some(Err(_)) | None => from_host_name(query, reserved, rules),
    }
}

/// Sets the option in which the client hears its name: of an OFFER or ACK, never of a NAK.
pub fn name_options(decision: &NameDecision, options: &mut Options) {
    match decision.reply {
        NameReply::None => {}
        NameReply::HostName => {
            if let Hostname::Known(name) = &decision.hostname {
                options.set(code::HOST_NAME, name.as_bytes());
            }
        }
        NameReply::Fqdn { client_s, ascii } => {
            let e = if ascii { 0 } else { FLAG_E };
            let n = if decision.updates_nothing() {
                FLAG_N
            } else {
                0
            };
            let fixed = [decision.flags(client_s) | e | n, RCODE, RCODE];
            set_fqdn(
                options,
                code::CLIENT_FQDN,
                &fixed,
                ascii,
                &decision.hostname,
            );
        }
    }
}

fn read_fqdn(payload: &[u8]) -> Result<ClientFqdn, NameError> {
    let [flags, _rcode1, _rcode2, name @ ..] = payload else {
        return Err(NameError::Short);
    };
    let has = |flag| flags & flag != 0;
    if has(FLAG_S) && has(FLAG_N) {
        return Err(NameError::Flags);
    }
    let name = if has(FLAG_E) {
        DomainName::from_wire(name)
    } else {
        DomainName::from_text(name)
    };
    Ok(ClientFqdn {
        s: has(FLAG_S),
        n: has(FLAG_N),
        ascii: !has(FLAG_E),
        name: name?,
    })
}

fn from_host_name(query: &Packet4, reserved: Option<&str>, rules: Rules<'_>) -> NameDecision {
    let hostname = match (reserved, query.options.get(code::HOST_NAME)) {
        (Some(reserved), _) => {
            checked(&qualified(reserved, rules.suffix(), false)).map(Hostname::Known)
        }
        (None, Some(sent)) => sent_host_name(sent, rules),
        (None, None) if rules.replaces(false) => Ok(Hostname::Generate),
        (None, None) => Ok(Hostname::None),
    };
    match hostname {
        Ok(Hostname::None) | Err(_) => NameDecision::default(),
        Ok(hostname) => NameDecision {
            hostname,
            fwd: rules.sends_updates(),
            rev: rules.sends_updates(),
            reply: NameReply::HostName,
        },
    }
}

/// The name in option 12, which may be qualified or not: one label gets the suffix.
fn sent_host_name(sent: &[u8], rules: Rules<'_>) -> Result<Hostname, NameError> {
    // RFC 2132 §2: senders should not end texts with zero bytes, receivers must live with them.
    let zeros = sent.iter().rev().take_while(|byte| **byte == 0).count();
    let sent = sent[..sent.len() - zeros].trim_ascii();
    if sent.is_empty() {
        return Ok(Hostname::None);
    }
    let name = DomainName::from_text(sent)?;
    if name.is_empty() || rules.replaces(true) {
        return Ok(Hostname::Generate);
    }
    let scrubbed = rules.scrub(sent);
    let text =
        std::str::from_utf8(scrubbed.as_deref().unwrap_or(sent)).map_err(|_| NameError::Text)?;
    if text.ends_with('.') && !sent.ends_with(b".") {
        // Nothing is left of the last label.
        return Err(NameError::Empty);
    }
    // Kea: the number of labels counts as the client sent them; nothing is done about a final dot of several.
    let name = match name.labels().count() {
        1 => checked(&qualified(text, rules.suffix(), false)),
        _ => checked(text),
    };
    name.map(Hostname::Known)
}

#[cfg(test)]
mod tests;

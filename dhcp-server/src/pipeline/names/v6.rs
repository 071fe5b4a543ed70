//! The name of a DHCPv6 client: option 39 (RFC 4704).

use super::domain_name::{DomainName, NameError};
use super::{
    ClientFqdn, FLAG_S, NameDecision, NameReply, Rules, from_fqdn, reserved_name, set_fqdn,
};
use outrigger_config::model::{Pool6, Server};
use outrigger_wire::V6;
use outrigger_wire::options::Options;
use outrigger_wire::v6::{Packet6, code};
use std::net::Ipv6Addr;

/// Flag N: the server does no update.
const FLAG_N: u8 = 0x04;

/// The rules for the first address of the reply where names must be decided anew: its subnet is not the selected one,
/// or its pool has parameters of its own. `None`: what was decided stays.
#[must_use]
pub fn rules_after(
    cfg: &Server<V6>,
    selected: Option<usize>,
    subnet: usize,
    address: Ipv6Addr,
) -> Option<Rules<'_>> {
    let mut pools = cfg.subnets.get(subnet)?.pools.iter();
    let pool = pools.find(|pool| {
        matches!(pool.own, Pool6::Addresses) && pool.first <= address && address <= pool.last
    });
    match pool.and_then(|pool| pool.ddns.as_deref()) {
        Some(own) => Some(Rules::new(Some(own), cfg.ddns_enabled)),
        None => (selected != Some(subnet)).then(|| Rules::of(cfg, Some(subnet))),
    }
}

/// Decides about a SOLICIT, REQUEST, RENEW, REBIND or ADDR-REG-INFORM. `reserved` is the name of the client's
/// reservation; Kea: it counts only where the client hears a name. A reply without option 39 is
/// [`NameReply::None`], and `ddns6_update` is not called then.
#[must_use]
pub fn decide(query: &Packet6, reserved: Option<&str>, rules: Rules<'_>) -> NameDecision {
    let fqdn = query.options.get(code::CLIENT_FQDN).map(read_fqdn);
    let fqdn = match fqdn {
        Some(Ok(fqdn)) => fqdn,
        // An option that cannot be read invalidates itself only.
        Some(Err(_)) | None if rules.replaces(false) => ClientFqdn {
            s: true,
            ..ClientFqdn::default()
        },
        Some(Err(_)) | None => return NameDecision::default(),
    };
    from_fqdn(&fqdn, reserved_name(reserved), rules)
}

/// Sets the option in which the client hears its name.
pub fn name_options(decision: &NameDecision, options: &mut Options) {
    match decision.reply {
        NameReply::None | NameReply::HostName => {}
        NameReply::Fqdn { client_s, .. } => {
            let n = if decision.updates_nothing() {
                FLAG_N
            } else {
                0
            };
            let fixed = [decision.flags(client_s) | n];
            set_fqdn(
                options,
                code::CLIENT_FQDN,
                &fixed,
                false,
                &decision.hostname,
            );
        }
    }
}

fn read_fqdn(payload: &[u8]) -> Result<ClientFqdn, NameError> {
    let (flags, name) = payload.split_first().ok_or(NameError::Short)?;
    let has = |flag| flags & flag != 0;
    if has(FLAG_S) && has(FLAG_N) {
        return Err(NameError::Flags);
    }
    Ok(ClientFqdn {
        s: has(FLAG_S),
        n: has(FLAG_N),
        ascii: false,
        name: DomainName::from_wire(name)?,
    })
}

#[cfg(test)]
mod tests;

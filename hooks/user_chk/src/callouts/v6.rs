//! The DHCPv6 hook points.

use super::{UserChk, is_settled};
use crate::client::Client;
use crate::counters::Counters;
use crate::identifier::IdentifierType;
use crate::outcome::Granted;
use crate::overrides::Overrides;
use outrigger_hook_sdk::points::{Pkt6Receive, Pkt6Send, Subnet6Select};
use outrigger_hook_sdk::{Call, HookError, NextStep, v1};
use outrigger_wire::options::{nested6, vendor6};
use outrigger_wire::v6::{Ia, IaKind, code};

/// INFORMATION-REQUEST (RFC 9915 §7.3).
const INFORMATION_REQUEST: u32 = 11;

/// Sub-options of option 17, enterprise 4491.
const TFTP_SERVERS: u32 = 32;
const CONFIG_FILE: u32 = 33;

pub(super) fn receive(hook: &UserChk, call: &mut Call<'_, Pkt6Receive>) -> Result<(), HookError> {
    if is_settled(call.status()) {
        return Ok(());
    }
    let verdict = hook.decide(Client::of6(call.query()?), call.packet_label());
    call.set_context(verdict.encode());
    Ok(())
}

pub(super) fn select(hook: &UserChk, call: &mut Call<'_, Subnet6Select>) -> Result<(), HookError> {
    if is_settled(call.status()) {
        return Ok(());
    }
    let client = Client::of6(call.query()?);
    let verdict = hook.verdict(call.context(), client, call.packet_label());
    if let Some(subnet) = hook.other_subnet(&verdict, call.arguments().subnet_id) {
        call.select_subnet(subnet);
    }
    Ok(())
}

pub(super) fn send(hook: &UserChk, call: &mut Call<'_, Pkt6Send>) -> Result<(), HookError> {
    if call.status() == NextStep::Drop {
        return Ok(());
    }
    let (query, response) = (call.query()?, call.response()?);
    let granted = granted(response);
    // Kea: without an IA nothing is overridden, not even in the reply to INFORMATION-REQUEST, which never has one.
    if granted.is_none() && query.message_type != INFORMATION_REQUEST {
        return Ok(());
    }
    let verdict = hook.verdict(call.context(), Client::of6(query), call.packet_label());
    if let Some(granted) = granted {
        hook.record(&verdict, granted);
    }
    // SKIP: a service before this one packed the response, so options are no longer looked at.
    if call.status() != NextStep::Skip {
        apply(hook, &hook.overrides(&verdict, IdentifierType::Duid), call);
    }
    Ok(())
}

/// What the first IA_NA grants, or, where there is no IA_NA, the first IA_PD: its first address or prefix that lives.
/// Nothing where the IA has a status other than success.
fn granted(response: &v1::Packet6) -> Option<Granted> {
    let (kind, payload) = option(response, code::IA_NA).map_or_else(
        || Some((IaKind::Pd, option(response, code::IA_PD)?)),
        |payload| Some((IaKind::Na, payload)),
    )?;
    let ia = Ia::parse(kind, payload).ok()?;
    let failed = nested6(ia.options())
        .flatten()
        .any(|(code, status)| code == code::STATUS_CODE && status.get(..2) != Some(&[0, 0]));
    if failed {
        return None;
    }
    // A reply that retires an address has it with lifetime 0, RFC 9915 §18.3.4.
    match kind {
        IaKind::Na => {
            let address = ia.addresses().find(|address| address.valid > 0)?;
            Some(Granted::Address(address.addr))
        }
        IaKind::Pd => {
            let granted = ia.prefixes().find(|prefix| prefix.valid > 0)?;
            Some(Granted::Prefix(granted.prefix.addr, granted.prefix.len))
        }
    }
}

fn option(packet: &v1::Packet6, code: u16) -> Option<&[u8]> {
    let found = packet
        .options
        .iter()
        .find(|option| option.code == u32::from(code));
    found.map(|option| option.data.as_ref())
}

/// Changes sub-options of the first option 17, whatever its enterprise. It is never made: without it nothing happens.
fn apply(hook: &UserChk, overrides: &Overrides, call: &mut Call<'_, Pkt6Send>) {
    let Overrides { bootfile, .. } = overrides;
    let tftp_servers = match overrides.tftp_addresses() {
        Ok(addresses) => addresses,
        // Only another version of this service can have let it through.
        Err(error) => {
            call.warn(error.to_string());
            return;
        }
    };
    if bootfile.is_empty() && tftp_servers.is_empty() {
        return;
    }
    let vendor_options = call
        .response()
        .ok()
        .and_then(|response| option(response, code::VENDOR_OPTS));
    let Some(payload) = vendor_options else {
        tracing::debug!(
            packet = call.packet_label(),
            "no option 17 to override anything in"
        );
        return;
    };
    let well_formed =
        vendor6(payload).is_some_and(|(_, options)| nested6(options).all(|option| option.is_ok()));
    if !well_formed {
        call.warn("option 17 of the response is malformed and stays as it is");
        return;
    }
    Counters::count(&hook.counters.overrides);
    let vendor_options = u32::from(code::VENDOR_OPTS);
    let mut options = call.response_options();
    if !bootfile.is_empty() {
        options.set([vendor_options, CONFIG_FILE], bootfile.clone());
    }
    if !tftp_servers.is_empty() {
        options.set([vendor_options, TFTP_SERVERS], tftp_servers);
    }
}

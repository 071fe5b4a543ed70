//! The DHCPv4 hook points.

use super::{UserChk, is_settled};
use crate::client::Client;
use crate::counters::Counters;
use crate::identifier::IdentifierType;
use crate::outcome::Granted;
use crate::overrides::Overrides;
use bytes::Bytes;
use outrigger_hook_sdk::points::{Pkt4Receive, Pkt4Send, Subnet4Select};
use outrigger_hook_sdk::{Call, HookError, NextStep};
use std::net::Ipv4Addr;

/// DHCPNAK, of option 53 (RFC 2132 §9.6).
const NAK: u32 = 6;

/// Options (RFC 2132 §9.4 and §9.5).
const TFTP_SERVER_NAME: u32 = 66;
const BOOTFILE_NAME: u32 = 67;

/// Size of the header's file field (RFC 2131 §2).
const FILE_FIELD: usize = 128;

pub(super) fn receive(hook: &UserChk, call: &mut Call<'_, Pkt4Receive>) -> Result<(), HookError> {
    if is_settled(call.status()) {
        return Ok(());
    }
    let verdict = hook.decide(Client::of4(call.query()?), call.packet_label());
    call.set_context(verdict.encode());
    Ok(())
}

pub(super) fn select(hook: &UserChk, call: &mut Call<'_, Subnet4Select>) -> Result<(), HookError> {
    if is_settled(call.status()) {
        return Ok(());
    }
    let client = Client::of4(call.query()?);
    let verdict = hook.verdict(call.context(), client, call.packet_label());
    if let Some(subnet) = hook.other_subnet(&verdict, call.arguments().subnet_id) {
        call.select_subnet(subnet);
    }
    Ok(())
}

pub(super) fn send(hook: &UserChk, call: &mut Call<'_, Pkt4Send>) -> Result<(), HookError> {
    let response = call.response()?;
    if call.status() == NextStep::Drop || response.message_type == NAK {
        return Ok(());
    }
    let client = Client::of4(call.query()?);
    let verdict = hook.verdict(call.context(), client, call.packet_label());
    hook.record(&verdict, Granted::V4(address(&response.yiaddr)?));
    // SKIP: a service before this one packed the response, so options are no longer looked at.
    if call.status() != NextStep::Skip {
        apply(
            hook,
            &hook.overrides(&verdict, IdentifierType::HwAddr),
            call,
        );
    }
    Ok(())
}

/// 4 bytes, or none for 0.0.0.0.
fn address(bytes: &[u8]) -> Result<Ipv4Addr, HookError> {
    match bytes {
        [] => Ok(Ipv4Addr::UNSPECIFIED),
        _ => <[u8; 4]>::try_from(bytes)
            .map(Ipv4Addr::from)
            .map_err(|_| HookError::new("yiaddr has not 4 bytes")),
    }
}

fn apply(hook: &UserChk, overrides: &Overrides, call: &mut Call<'_, Pkt4Send>) {
    let Overrides {
        bootfile,
        tftp_server,
    } = overrides;
    if bootfile.is_empty() && tftp_server.is_empty() {
        return;
    }
    Counters::count(&hook.counters.overrides);
    if !bootfile.is_empty() {
        call.response_options()
            .set([BOOTFILE_NAME], bootfile.clone());
        if bootfile.len() <= FILE_FIELD {
            call.response_changes().file = Some(Bytes::from(bootfile.clone()));
        } else {
            call.warn(format!(
                "the boot file has {} bytes; the file field holds {FILE_FIELD} and stays as it is, option {BOOTFILE_NAME} has all of it",
                bootfile.len()
            ));
        }
    }
    if !tftp_server.is_empty() {
        call.response_options()
            .set([TFTP_SERVER_NAME], tftp_server.clone());
    }
}

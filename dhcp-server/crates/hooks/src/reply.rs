//! What a reply must be before anything of it counts.

use crate::policy::{Cause, Failure};
use bytes::Bytes;
use outrigger_config::model::HookService;
use outrigger_proto::convert::{Malformed, changed_paths, covers, ipv4, ipv6, next_step};
use outrigger_proto::{Family, HookPoint, MAX_CONTEXT, NextStep, v1};

/// Edits in one reply.
const MAX_EDITS: usize = 256;
/// Bytes that the edits of one reply may write.
const MAX_EDITED: usize = 65_535;
/// Codes in the path of an edit.
const MAX_DEPTH: usize = 8;
/// Classes to join in one reply.
const MAX_CLASSES: usize = 64;
/// Bytes in the name of a class.
const MAX_CLASS_NAME: usize = 128;

/// A reply that is valid and changes only what it may.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    pub(crate) next: NextStep,
    pub(crate) context: Option<Bytes>,
    pub(crate) changes: Option<v1::Changes>,
    pub(crate) warning: String,
}

/// Checks a reply as a whole: form, next step, context, and that each change is listed in the table, declared by the
/// subscription (`writes`) and granted by `may-change`.
pub(crate) fn check(
    family: Family,
    point: HookPoint,
    settings: &HookService,
    writes: &[String],
    result: v1::CalloutResult,
) -> Result<Checked, Failure> {
    let next = next_step(&result).map_err(malformed)?;
    if next == NextStep::Park && point.effective(next) == next {
        return Err(Failure::new(
            Cause::MalformedReply,
            "next_step: PARK is not supported yet",
        ));
    }
    let context = result.context.as_deref().map(context).transpose()?;
    if let Some(changes) = &result.changes {
        well_formed(family, changes).map_err(malformed)?;
        for path in changed_paths(changes) {
            granted(point, settings, writes, &path)?;
            if path == "response.wire" && next != NextStep::Skip && skips_packing(point) {
                return Err(Failure::new(
                    Cause::MalformedReply,
                    format!("{path}: counts only together with SKIP"),
                ));
            }
        }
    }
    Ok(Checked {
        next,
        context,
        changes: result.changes,
        warning: result.warning,
    })
}

fn skips_packing(point: HookPoint) -> bool {
    matches!(point, HookPoint::Pkt4Send | HookPoint::Pkt6Send)
}

/// A copy, so that the message it came in can go.
fn context(context: &[u8]) -> Result<Bytes, Failure> {
    if context.len() > MAX_CONTEXT {
        let text = format!("context: {} bytes, at most {MAX_CONTEXT}", context.len());
        return Err(Failure::new(Cause::MalformedReply, text));
    }
    Ok(Bytes::copy_from_slice(context))
}

fn granted(
    point: HookPoint,
    settings: &HookService,
    writes: &[String],
    path: &str,
) -> Result<(), Failure> {
    let refused = |why: &str| {
        let text = format!("{path}: {why}");
        Err(Failure::new(Cause::RefusedChange, text))
    };
    if !point.spec().changes.iter().any(|row| covers(row, path)) {
        return refused("nothing that can be changed at this hook point");
    }
    if !writes.iter().any(|declared| covers(declared, path)) {
        return refused("not among what the service said it writes");
    }
    match &settings.may_change {
        Some(may) if !may.iter().any(|(granted, _)| covers(granted, path)) => {
            refused("not granted by may-change")
        }
        _ => Ok(()),
    }
}

fn malformed(malformed: Malformed) -> Failure {
    Failure::new(Cause::MalformedReply, malformed.to_string())
}

fn well_formed(family: Family, changes: &v1::Changes) -> Result<(), Malformed> {
    let other = match family {
        Family::V4 => changes.query6.is_some() || changes.response6.is_some(),
        Family::V6 => changes.query4.is_some() || changes.response4.is_some(),
    };
    if other {
        return Err(bad("changes", "a packet of the other family"));
    }
    let packets4 = [&changes.query4, &changes.response4];
    for packet in packets4.into_iter().flatten() {
        header4(packet)?;
        packet_parts(family, &packet.options, &packet.add_classes)?;
    }
    let packets6 = [&changes.query6, &changes.response6];
    for packet in packets6.into_iter().flatten() {
        packet_parts(family, &packet.options, &packet.add_classes)?;
    }
    changes
        .lease
        .as_ref()
        .map_or(Ok(()), |lease| lease_changes(family, lease))
}

fn header4(packet: &v1::Packet4Changes) -> Result<(), Malformed> {
    for (field, value) in [("secs", packet.secs), ("flags", packet.flags)] {
        if value.is_some_and(|value| u16::try_from(value).is_err()) {
            return Err(bad(field, "the field has 16 bits"));
        }
    }
    let addresses = [
        ("ciaddr", &packet.ciaddr),
        ("yiaddr", &packet.yiaddr),
        ("siaddr", &packet.siaddr),
    ];
    for (field, address) in addresses {
        address
            .as_ref()
            .map_or(Ok(()), |bytes| ipv4(field, bytes).map(drop))?;
    }
    for (field, value, room) in [("sname", &packet.sname, 64), ("file", &packet.file, 128)] {
        if value.as_ref().is_some_and(|value| value.len() > room) {
            return Err(bad(field, "longer than the field"));
        }
    }
    Ok(())
}

fn packet_parts(
    family: Family,
    edits: &[v1::OptionEdit],
    classes: &[String],
) -> Result<(), Malformed> {
    if edits.len() > MAX_EDITS {
        return Err(bad("options", "more than 256 edits"));
    }
    if edits.iter().map(|edit| edit.data.len()).sum::<usize>() > MAX_EDITED {
        return Err(bad("options", "more than 65535 bytes of options"));
    }
    edits
        .iter()
        .try_for_each(|edit| option_edit(family, edit))?;
    if classes.len() > MAX_CLASSES {
        return Err(bad("add_classes", "more than 64 classes"));
    }
    let odd = |name: &String| {
        name.is_empty() || name.len() > MAX_CLASS_NAME || name.chars().any(char::is_control)
    };
    if classes.iter().any(odd) {
        return Err(bad("add_classes", "not the name of a class"));
    }
    Ok(())
}

fn option_edit(family: Family, edit: &v1::OptionEdit) -> Result<(), Malformed> {
    if v1::option_edit::Action::try_from(edit.action).is_err() {
        return Err(bad("options.action", "no such action"));
    }
    let Some(code) = edit.path.first() else {
        return Err(bad("options.path", "empty"));
    };
    if edit.path.len() > MAX_DEPTH {
        return Err(bad("options.path", "more than 8 codes"));
    }
    // DHCPv4: 0 and 255 are pad and end, no options.
    let last = match family {
        Family::V4 => 254,
        Family::V6 => u32::from(u16::MAX),
    };
    if *code == 0 || *code > last {
        return Err(bad("options.path", "not the code of an option"));
    }
    if edit.path.iter().any(|code| *code > u32::from(u16::MAX)) {
        return Err(bad("options.path", "not the code of a sub-option"));
    }
    Ok(())
}

fn lease_changes(family: Family, lease: &v1::LeaseChanges) -> Result<(), Malformed> {
    if let Some(address) = &lease.address {
        let field = "lease.address";
        match family {
            Family::V4 if address.is_empty() => return Err(bad(field, "empty")),
            Family::V4 => drop(ipv4(field, address)?),
            Family::V6 => drop(ipv6(field, address)?),
        }
    }
    let odd = |name: &String| name.len() > 255 || name.chars().any(|c| c.is_control() || c == ' ');
    if lease.hostname.as_ref().is_some_and(odd) {
        return Err(bad("lease.hostname", "not a host name"));
    }
    if let Some(context) = lease
        .user_context
        .as_ref()
        .filter(|context| !context.is_empty())
    {
        let map: Result<serde_json::Map<_, _>, _> = serde_json::from_str(context);
        if map.is_err() {
            return Err(bad("lease.user_context", "not a JSON map"));
        }
    }
    Ok(())
}

fn bad(field: &'static str, why: &'static str) -> Malformed {
    Malformed { field, why }
}

#[cfg(test)]
mod tests;

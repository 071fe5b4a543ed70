//! The form of changes: what is wrong whatever packet they are for.

use outrigger_proto::convert::{Malformed, ipv4, ipv6};
use outrigger_proto::{Family, v1};

/// Edits in one list.
const MAX_EDITS: usize = 256;
/// Bytes that the edits of one list may write.
const MAX_EDITED: usize = 65_535;
/// Codes in the path of an edit.
const MAX_DEPTH: usize = 8;
/// Classes to join in one reply.
const MAX_CLASSES: usize = 64;
/// Bytes in the name of a class.
const MAX_CLASS_NAME: usize = 128;
/// Bytes of the text with which a configuration is refused.
const MAX_ERROR: usize = 4096;

/// Checks lengths, ranges and numbers. What is right for the packet at hand shows when it is applied.
pub(super) fn check(family: Family, changes: &v1::Changes) -> Result<(), Malformed> {
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
        edits(family, &packet.options)?;
        classes("add_classes", &packet.add_classes)?;
        classes("add_additional_classes", &packet.add_additional_classes)?;
    }
    let packets6 = [&changes.query6, &changes.response6];
    for packet in packets6.into_iter().flatten() {
        edits(family, &packet.options)?;
        relay_edits(family, &packet.relay_options)?;
        classes("add_classes", &packet.add_classes)?;
        classes("add_additional_classes", &packet.add_additional_classes)?;
    }
    if let Some(lease) = &changes.lease {
        lease_changes(family, lease)?;
    }
    edits(family, &changes.ia_options)?;
    if let Some(hostname) = changes
        .names
        .as_ref()
        .and_then(|names| names.hostname.as_ref())
    {
        host_name("names.hostname", hostname)?;
    }
    if changes
        .error
        .as_ref()
        .is_some_and(|error| error.len() > MAX_ERROR)
    {
        return Err(bad("error", "more than 4096 bytes"));
    }
    changes
        .command_response
        .as_deref()
        .map_or(Ok(()), command_response)
}

/// As every answer to a control command: a map with an integer `result`.
fn command_response(json: &str) -> Result<(), Malformed> {
    let bad = |why| Err(bad("command_response", why));
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) {
        Err(_) => bad("not a JSON map"),
        Ok(map) => match map.get("result") {
            Some(result) if result.is_i64() || result.is_u64() => Ok(()),
            _ => bad("without an integer result"),
        },
    }
}

fn header4(packet: &v1::Packet4Changes) -> Result<(), Malformed> {
    for (field, value) in [("secs", packet.secs), ("flags", packet.flags)] {
        if value.is_some_and(|value| u16::try_from(value).is_err()) {
            return Err(bad(field, "the field has 16 bits"));
        }
    }
    for (field, value) in [("hops", packet.hops), ("message_type", packet.message_type)] {
        if value.is_some_and(|value| u8::try_from(value).is_err()) {
            return Err(bad(field, "the field has 8 bits"));
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

fn edits(family: Family, edits: &[v1::OptionEdit]) -> Result<(), Malformed> {
    if edits.len() > MAX_EDITS {
        return Err(bad("options", "more than 256 edits"));
    }
    if edits.iter().map(|edit| edit.data.len()).sum::<usize>() > MAX_EDITED {
        return Err(bad("options", "more than 65535 bytes of options"));
    }
    edits.iter().try_for_each(|edit| option_edit(family, edit))
}

fn relay_edits(family: Family, edits: &[v1::RelayOptionEdit]) -> Result<(), Malformed> {
    if edits.len() > MAX_EDITS {
        return Err(bad("relay_options", "more than 256 edits"));
    }
    let mut bytes = 0_usize;
    for edit in edits {
        let Some(edit) = &edit.edit else {
            return Err(bad("relay_options", "an edit without what it does"));
        };
        bytes += edit.data.len();
        option_edit(family, edit)?;
    }
    if bytes > MAX_EDITED {
        return Err(bad("relay_options", "more than 65535 bytes of options"));
    }
    Ok(())
}

fn classes(field: &'static str, classes: &[String]) -> Result<(), Malformed> {
    if classes.len() > MAX_CLASSES {
        return Err(bad(field, "more than 64 classes"));
    }
    let odd = |name: &String| {
        name.is_empty() || name.len() > MAX_CLASS_NAME || name.chars().any(char::is_control)
    };
    if classes.iter().any(odd) {
        return Err(bad(field, "not the name of a class"));
    }
    Ok(())
}

fn host_name(field: &'static str, name: &str) -> Result<(), Malformed> {
    if name.len() > 255 || name.chars().any(|c| c.is_control() || c == ' ') {
        return Err(bad(field, "not a host name"));
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
    if let Some(hostname) = &lease.hostname {
        host_name("lease.hostname", hostname)?;
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

//! Edits of options, also inside other options.

use crate::callout::Refused;
use outrigger_proto::v1::OptionEdit;
use outrigger_proto::v1::option_edit::Action;
use outrigger_wire::buffer::Buffer;
use outrigger_wire::options::{
    Edit, Level, Options, TlvKind, edit_path, nested4, nested4_with_end, nested6, vendor4, vendor6,
};
use outrigger_wire::{v4, v6};

/// The options after all of `edits`, made in order. `packet` is the packet's name in paths.
pub(crate) fn edited4(
    packet: &str,
    options: &Options,
    edits: &[OptionEdit],
) -> Result<Options, Refused> {
    edited(packet, options, edits, container4)
}

/// As [`edited4`], of a DHCPv6 packet.
pub(crate) fn edited6(
    packet: &str,
    options: &Options,
    edits: &[OptionEdit],
) -> Result<Options, Refused> {
    edited(packet, options, edits, container6)
}

/// How the records inside a container are found: bytes before them, and their form.
type Container = (usize, TlvKind);

fn edited(
    packet: &str,
    options: &Options,
    edits: &[OptionEdit],
    container: fn(&[u16]) -> Option<Container>,
) -> Result<Options, Refused> {
    let mut options = options.clone();
    for edit in edits {
        edit_one(&mut options, edit, container).map_err(|why| {
            let codes: Vec<_> = edit.path.iter().map(ToString::to_string).collect();
            Refused::new(format!("{packet}.options.{}", codes.join(".")), why)
        })?;
    }
    Ok(options)
}

fn edit_one(
    options: &mut Options,
    edit: &OptionEdit,
    container: fn(&[u16]) -> Option<Container>,
) -> Result<(), String> {
    let codes = edit.path.iter().map(|code| u16::try_from(*code));
    let codes: Vec<u16> = codes
        .collect::<Result<_, _>>()
        .map_err(|_| "a code has 16 bits")?;
    let action = Action::try_from(edit.action).map_err(|_| "no such action")?;
    match (codes.as_slice(), action) {
        ([], _) => return Err("the path is empty".to_owned()),
        ([code], Action::Set) => options.set(*code, &edit.data),
        ([code], Action::Add) => options.push(*code, &edit.data),
        ([code], Action::Remove) => drop(options.remove(*code)),
        ([code, ..], _) => {
            let change = match action {
                Action::Set => Edit::Set(&edit.data),
                Action::Add => Edit::Add(&edit.data),
                Action::Remove => Edit::Remove,
            };
            let (instance, path) = locate(options, &codes, edit.enterprise, container)?;
            let payload = options.get_all(*code).nth(instance).unwrap_or_default();
            let mut edited = Buffer::take();
            edit_path(payload, &path, change, &mut edited).map_err(|error| error.to_string())?;
            options.set_instance(*code, instance, &edited);
        }
    }
    Ok(())
}

/// Which instance of the outermost option is meant, and the way down in it. Everything but the last code must exist.
fn locate(
    options: &Options,
    codes: &[u16],
    enterprise: u32,
    container: fn(&[u16]) -> Option<Container>,
) -> Result<(usize, Vec<Level>), String> {
    let mut problem = "there is no such option to enter".to_owned();
    for (instance, payload) in options.get_all(codes[0]).enumerate() {
        match levels(payload, codes, enterprise, container) {
            Ok(path) => return Ok((instance, path)),
            Err(why) => problem = why,
        }
    }
    Err(problem)
}

fn levels(
    payload: &[u8],
    codes: &[u16],
    enterprise: u32,
    container: fn(&[u16]) -> Option<Container>,
) -> Result<Vec<Level>, String> {
    let mut path = Vec::with_capacity(codes.len());
    let mut inside = payload;
    for (depth, code) in codes.iter().enumerate().skip(1) {
        let outer = codes[depth - 1];
        let (skip, mut kind) = container(&codes[..depth])
            .ok_or_else(|| format!("option {outer} has no options inside"))?;
        if depth == 1 && kind == TlvKind::V6 && outer == v6::code::VENDOR_OPTS {
            let (found, _) = vendor6(inside).ok_or("option 17 is too short")?;
            if enterprise != 0 && found != enterprise {
                return Err(format!("there is no option 17 of enterprise {enterprise}"));
            }
        }
        if kind == TlvKind::Enterprise4 {
            let (found, block) = vendor4(inside)
                .map_while(Result::ok)
                .find(|(found, _)| enterprise == 0 || *found == enterprise)
                .ok_or("there is no block of this enterprise")?;
            path.push(Level::of(TlvKind::Enterprise4, found));
            inside = block;
            kind = TlvKind::V4;
        }
        path.push(Level {
            skip,
            kind,
            code: (*code).into(),
        });
        if depth + 1 < codes.len() {
            let records = inside.get(skip..).ok_or("the option is too short")?;
            inside = first(kind, records, *code)
                .ok_or_else(|| format!("there is no option {code} to enter"))?;
        }
    }
    Ok(path)
}

fn first(kind: TlvKind, records: &[u8], code: u16) -> Option<&[u8]> {
    let same = |found: &(u16, &[u8])| found.0 == code;
    let found = match kind {
        TlvKind::V4 => nested4(records).map_while(Result::ok).find(same),
        TlvKind::V4WithEnd => nested4_with_end(records).map_while(Result::ok).find(same),
        TlvKind::V6 => nested6(records).map_while(Result::ok).find(same),
        TlvKind::Enterprise4 => None,
    };
    found.map(|(_, payload)| payload)
}

/// The form of what is inside the option that `path` leads to.
fn container4(path: &[u16]) -> Option<Container> {
    match path {
        [v4::code::VENDOR_ENCAPSULATED] => Some((0, TlvKind::V4WithEnd)),
        [v4::code::VIVSO] => Some((0, TlvKind::Enterprise4)),
        [v4::code::RELAY_INFO] => Some((0, TlvKind::V4)),
        // Inside a vendor's option: by custom the same form again.
        [v4::code::VENDOR_ENCAPSULATED | v4::code::VIVSO, ..] => Some((0, TlvKind::V4)),
        _ => None,
    }
}

/// As [`container4`] (RFC 9915 §21; 45 RFC 5007, 56 RFC 5908, 66 RFC 6422, 94 to 96 RFC 7598).
fn container6(path: &[u16]) -> Option<Container> {
    let skip = match path {
        [v6::code::VENDOR_OPTS] | [.., v6::code::IA_TA] => 4,
        // By custom a vendor's options nest in the same form.
        [v6::code::VENDOR_OPTS, ..] => 0,
        [.., v6::code::IA_NA | v6::code::IA_PD] => 12,
        [.., v6::code::IA_ADDR] => 24,
        [.., v6::code::IA_PREFIX] => 25,
        [.., 45 | 56 | v6::code::RSOO | 94 | 95 | 96] => 0,
        _ => return None,
    };
    Some((skip, TlvKind::V6))
}

#[cfg(test)]
mod tests;

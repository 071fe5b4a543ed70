//! Bytes to text, for logs; and whether bytes can be a value at all.

use super::encode::tuple_length;
use crate::options::defs::{Definition, OptionType};
use crate::options::spaces::Universe;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The value as it would be configured, as far as possible; hex where the bytes do not have the form of the
/// definition, and for what follows the defined fields (sub-options).
#[must_use]
pub fn to_text(universe: Universe, definition: Option<&Definition>, payload: &[u8]) -> String {
    definition
        .and_then(|definition| typed_text(universe, definition, payload))
        .unwrap_or_else(|| hex(payload))
}

/// Whether raw bytes have room for the fields of the definition. Contents are not judged.
#[must_use]
pub fn fits(definition: &Definition, payload: &[u8]) -> bool {
    let fixed: usize = definition
        .record
        .iter()
        .filter_map(|kind| kind.fixed_len())
        .sum();
    match definition.kind {
        OptionType::Record => payload.len() >= fixed,
        kind => match kind.fixed_len() {
            Some(len) if definition.array && len > 0 => payload.len().is_multiple_of(len),
            Some(len) => payload.len() >= len,
            None => true,
        },
    }
}

/// As [`to_text`], but `None` where the bytes do not have the form of the definition: one of its fields is cut short
/// or holds what its type cannot.
#[must_use]
pub fn typed_text(universe: Universe, definition: &Definition, payload: &[u8]) -> Option<String> {
    let single = [definition.kind];
    let types = if definition.kind == OptionType::Record {
        &definition.record[..]
    } else {
        &single[..]
    };
    let mut texts = Vec::new();
    let mut rest = payload;
    for kind in types {
        if definition.array && definition.kind != OptionType::Record && rest.is_empty() {
            break;
        }
        texts.push(take_field(
            *kind,
            tuple_length(universe, definition),
            &mut rest,
        )?);
    }
    while let (true, false, Some(kind)) = (definition.array, rest.is_empty(), types.last()) {
        let before = rest.len();
        texts.push(take_field(
            *kind,
            tuple_length(universe, definition),
            &mut rest,
        )?);
        if rest.len() == before {
            return None;
        }
    }
    if !rest.is_empty() {
        texts.push(hex(rest));
    }
    texts.retain(|text| !text.is_empty());
    Some(texts.join(", "))
}

fn take_field(kind: OptionType, tuple_length: usize, rest: &mut &[u8]) -> Option<String> {
    let take = |rest: &mut &[u8], len: usize| {
        let (field, behind) = rest.split_at_checked(len)?;
        *rest = behind;
        Some(field.to_vec())
    };
    let text = match kind {
        OptionType::Empty => String::new(),
        OptionType::Boolean => (take(rest, 1)?[0] != 0).to_string(),
        OptionType::Int8 => i8::from_be_bytes(take(rest, 1)?.try_into().ok()?).to_string(),
        OptionType::Int16 => i16::from_be_bytes(take(rest, 2)?.try_into().ok()?).to_string(),
        OptionType::Int32 => i32::from_be_bytes(take(rest, 4)?.try_into().ok()?).to_string(),
        OptionType::Uint8 => u8::from_be_bytes(take(rest, 1)?.try_into().ok()?).to_string(),
        OptionType::Uint16 => u16::from_be_bytes(take(rest, 2)?.try_into().ok()?).to_string(),
        OptionType::Uint32 => u32::from_be_bytes(take(rest, 4)?.try_into().ok()?).to_string(),
        OptionType::Ipv4Address => {
            Ipv4Addr::from(<[u8; 4]>::try_from(take(rest, 4)?).ok()?).to_string()
        }
        OptionType::Ipv6Address => {
            Ipv6Addr::from(<[u8; 16]>::try_from(take(rest, 16)?).ok()?).to_string()
        }
        OptionType::Ipv6Prefix => {
            let len = take(rest, 1)?[0];
            let mut address = [0; 16];
            let bytes = take(rest, usize::from(len).div_ceil(8))?;
            address.get_mut(..bytes.len())?.copy_from_slice(&bytes);
            format!("{}/{len}", Ipv6Addr::from(address))
        }
        OptionType::Psid => {
            let bytes = take(rest, 3)?;
            let len = u32::from(bytes[0]).min(16);
            let psid = u32::from(u16::from_be_bytes([bytes[1], bytes[2]])) >> (16 - len);
            format!("{psid}/{len}")
        }
        OptionType::Tuple => {
            let length = take(rest, tuple_length)?
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            quoted(&take(rest, length)?)
        }
        OptionType::Fqdn => take_fqdn(rest)?,
        OptionType::String => quoted(std::mem::take(rest)),
        OptionType::Binary | OptionType::Internal | OptionType::Record => hex(std::mem::take(rest)),
    };
    Some(text)
}

fn take_fqdn(rest: &mut &[u8]) -> Option<String> {
    let mut name = String::new();
    loop {
        let (len, behind) = rest.split_first()?;
        let (label, behind) = behind.split_at_checked(usize::from(*len))?;
        *rest = behind;
        if label.is_empty() {
            return Some(if name.is_empty() {
                ".".to_owned()
            } else {
                name
            });
        }
        // A compressed name has no text of its own.
        if *len > 63 {
            return None;
        }
        name.push_str(&label.escape_ascii().to_string());
        name.push('.');
    }
}

/// Text of a peer never reaches a log with control characters in it.
fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

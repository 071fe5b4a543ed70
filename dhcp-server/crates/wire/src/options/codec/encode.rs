//! Text to bytes.

use super::dnr;
use super::error::{EncodeError, Problem};
use super::text::{bytes_from_hex, fields};
use crate::options::defs::{Definition, OptionType};
use crate::options::spaces::Universe;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

/// Longest payload of an option: the limit of DHCPv6, and far above what a DHCPv4 packet can carry.
const MAX_PAYLOAD: usize = 65_535;

/// RFC 8572 §8.1 and §8.2: the length of each URI takes two bytes in both families.
const SZTP_REDIRECT_4: u16 = 143;

/// A value ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Without code and length.
    pub payload: Vec<u8>,
    /// Kea: fields behind the last one that the definition asks for; they are not sent.
    pub fields_ignored: usize,
}

/// The bytes for a value written as `data` with `csv-format` true.
///
/// # Errors
///
/// Where the text does not have the form of the definition; the error names the field.
pub fn encode(
    universe: Universe,
    definition: &Definition,
    data: &str,
) -> Result<Encoded, EncodeError> {
    let encoded = match definition.kind {
        OptionType::Internal => internal(universe, definition.code, data)?,
        OptionType::Empty if data.trim().is_empty() => Encoded {
            payload: Vec::new(),
            fields_ignored: 0,
        },
        OptionType::Empty => return Err(EncodeError::NotEmpty),
        _ => by_fields(universe, definition, &fields(data))?,
    };
    if encoded.payload.len() > MAX_PAYLOAD {
        return Err(EncodeError::Raw(Problem::TooLong {
            len: encoded.payload.len(),
            max: MAX_PAYLOAD,
        }));
    }
    Ok(encoded)
}

fn by_fields(
    universe: Universe,
    definition: &Definition,
    fields: &[String],
) -> Result<Encoded, EncodeError> {
    let single = [definition.kind];
    let types = if definition.kind == OptionType::Record {
        &definition.record[..]
    } else {
        &single[..]
    };
    if fields.is_empty() && !definition.array {
        return Err(EncodeError::NoData);
    }
    // An array may be empty; every field of a record must be there.
    if fields.len() < types.len() && !(definition.array && definition.kind != OptionType::Record) {
        return Err(EncodeError::FieldsMissing {
            given: fields.len(),
            wanted: types.len(),
        });
    }
    let wanted = if definition.array {
        fields.len()
    } else {
        types.len()
    };
    let tuple_length = tuple_length(universe, definition);
    let mut payload = Vec::new();
    for (index, text) in fields.iter().take(wanted).enumerate() {
        let Some(kind) = types.get(index).or_else(|| types.last()).copied() else {
            break;
        };
        write_field(kind, text, tuple_length, &mut payload).map_err(|problem| {
            EncodeError::Field {
                field: index + 1,
                kind,
                problem,
            }
        })?;
    }
    check_chunks(universe, definition, &payload)?;
    Ok(Encoded {
        payload,
        fields_ignored: fields.len() - wanted.min(fields.len()),
    })
}

/// Bytes that the length of a tuple takes.
pub(super) fn tuple_length(universe: Universe, definition: &Definition) -> usize {
    match universe {
        Universe::V4 if definition.code != SZTP_REDIRECT_4 => 1,
        Universe::V4 | Universe::V6 => 2,
    }
}

fn write_field(
    kind: OptionType,
    text: &str,
    tuple_length: usize,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    match kind {
        OptionType::Empty => {}
        OptionType::Binary => out.extend(bytes_from_hex(text)?),
        OptionType::Boolean => out.push(boolean(text)?),
        OptionType::Int8 => out.extend(&integer(text, -0x80..=0x7f)?[7..]),
        OptionType::Int16 => out.extend(&integer(text, -0x8000..=0x7fff)?[6..]),
        OptionType::Int32 => out.extend(&integer(text, -0x8000_0000..=0x7fff_ffff)?[4..]),
        OptionType::Uint8 => out.extend(&integer(text, 0..=0xff)?[7..]),
        OptionType::Uint16 => out.extend(&integer(text, 0..=0xffff)?[6..]),
        OptionType::Uint32 => out.extend(&integer(text, 0..=0xffff_ffff)?[4..]),
        OptionType::Ipv4Address => {
            let address: Ipv4Addr = text.parse().map_err(|_| Problem::Ipv4(text.to_owned()))?;
            out.extend(address.octets());
        }
        OptionType::Ipv6Address => {
            let address: Ipv6Addr = text.parse().map_err(|_| Problem::Ipv6(text.to_owned()))?;
            out.extend(address.octets());
        }
        OptionType::Ipv6Prefix => {
            write_prefix(text, out).ok_or_else(|| Problem::Prefix(text.to_owned()))?
        }
        OptionType::Psid => write_psid(text, out).ok_or_else(|| Problem::Psid(text.to_owned()))?,
        OptionType::String => out.extend(text.as_bytes()),
        OptionType::Tuple => write_counted(text.as_bytes(), tuple_length, out)?,
        OptionType::Fqdn => write_fqdn(text, out).ok_or_else(|| Problem::Fqdn(text.to_owned()))?,
        OptionType::Internal | OptionType::Record => return Err(Problem::NoTextForm),
    }
    Ok(())
}

fn boolean(text: &str) -> Result<u8, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(1),
        "false" | "0" => Ok(0),
        _ => Err(Problem::Boolean(text.to_owned())),
    }
}

/// Kea: decimal where it can be read as such, else hex, with or without `0x`: `ff` is 255, `10` is ten.
fn integer(text: &str, range: RangeInclusive<i64>) -> Result<[u8; 8], Problem> {
    let decimal = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
    let hex = || {
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain
            .then(|| i64::from_str_radix(digits, 16).ok())
            .flatten()
    };
    let value = decimal
        .or_else(hex)
        .ok_or_else(|| Problem::Integer(text.to_owned()))?;
    if !range.contains(&value) {
        return Err(Problem::Range {
            value,
            min: *range.start(),
            max: *range.end(),
        });
    }
    Ok(value.to_be_bytes())
}

/// RFC 6603 and RFC 7598 write a prefix as its length and as many bytes as it needs; bits behind it are zero.
fn write_prefix(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (address, len) = text.split_once('/')?;
    let address: Ipv6Addr = address.trim().parse().ok()?;
    let len: u8 = len.trim().parse().ok().filter(|len| *len <= 128)?;
    let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
    out.push(len);
    out.extend(&(u128::from(address) & mask).to_be_bytes()[..usize::from(len).div_ceil(8)]);
    Some(())
}

fn write_psid(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (psid, len) = text.split_once('/')?;
    let psid: u16 = psid.trim().parse().ok()?;
    let len: u8 = len.trim().parse().ok().filter(|len| *len <= 16)?;
    if u32::from(psid) >= 1 << len {
        return None;
    }
    out.push(len);
    out.extend(
        psid.checked_shl(16 - u32::from(len))
            .unwrap_or(0)
            .to_be_bytes(),
    );
    Some(())
}

/// Bytes behind their own length of `width` bytes.
pub(super) fn write_counted(bytes: &[u8], width: usize, out: &mut Vec<u8>) -> Result<(), Problem> {
    let max = if width == 1 {
        usize::from(u8::MAX)
    } else {
        usize::from(u16::MAX)
    };
    if bytes.len() > max {
        return Err(Problem::TooLong {
            len: bytes.len(),
            max,
        });
    }
    out.extend(&bytes.len().to_be_bytes()[size_of::<usize>() - width..]);
    out.extend(bytes);
    Ok(())
}

/// RFC 1035 §3.1, without compression. A final dot changes nothing; a single dot is the root.
pub(super) fn write_fqdn(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let start = out.len();
    if text.is_empty() {
        return None;
    }
    for label in name.split('.').filter(|_| !name.is_empty()) {
        let len = u8::try_from(label.len())
            .ok()
            .filter(|len| (1..=63).contains(len))?;
        out.push(len);
        out.extend(label.as_bytes());
    }
    out.push(0);
    (out.len() - start <= 255).then_some(())
}

/// RFC 3925 §3 and RFC 9915 §21.16: behind the enterprise number stand chunks, each with its length.
fn check_chunks(
    universe: Universe,
    definition: &Definition,
    payload: &[u8],
) -> Result<(), EncodeError> {
    let (name, width) = match universe {
        Universe::V4 => ("vivco-suboptions", 1),
        Universe::V6 => ("vendor-class", 2),
    };
    if definition.name != name {
        return Ok(());
    }
    let mut rest = payload.get(4..).unwrap_or_default();
    while !rest.is_empty() {
        let chunk = rest.split_at_checked(width).and_then(|(length, behind)| {
            let length = length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            behind.get(length..)
        });
        rest = chunk.ok_or(EncodeError::Field {
            field: 2,
            kind: OptionType::Binary,
            problem: Problem::Chunks,
        })?;
    }
    Ok(())
}

/// Options whose form no type describes.
fn internal(universe: Universe, code: u16, data: &str) -> Result<Encoded, EncodeError> {
    let payload = match (universe, code) {
        (Universe::V4, 121) => classless_static_routes(data)?,
        (Universe::V4, 162) => dnr::encode4(data)?,
        (Universe::V6, 144) => dnr::encode6(data)?,
        (Universe::V4 | Universe::V6, _) => return Err(EncodeError::Raw(Problem::NoTextForm)),
    };
    Ok(Encoded {
        payload,
        fields_ignored: 0,
    })
}

/// RFC 3442: each route as the length of its prefix, the bytes of the prefix that count, and the router.
fn classless_static_routes(data: &str) -> Result<Vec<u8>, EncodeError> {
    let mut payload = Vec::new();
    let routes = fields(data);
    if routes.is_empty() {
        return Err(EncodeError::NoData);
    }
    for (index, text) in routes.iter().enumerate() {
        write_route(text, &mut payload).ok_or_else(|| EncodeError::Field {
            field: index + 1,
            kind: OptionType::Internal,
            problem: Problem::Route(text.clone()),
        })?;
    }
    Ok(payload)
}

fn write_route(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let (prefix, router) = text.split_once('-')?;
    let (subnet, len) = prefix.split_once('/')?;
    let subnet: Ipv4Addr = subnet.trim().parse().ok()?;
    let len: u8 = len.trim().parse().ok().filter(|len| *len <= 32)?;
    let router: Ipv4Addr = router.trim().parse().ok()?;
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    out.push(len);
    out.extend(&(u32::from(subnet) & mask).to_be_bytes()[..usize::from(len).div_ceil(8)]);
    out.extend(router.octets());
    Some(())
}

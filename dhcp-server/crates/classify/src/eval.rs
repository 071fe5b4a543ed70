//! Values of expressions.

use crate::ast::{Bool, Field, Operands, RelayAddress, Text};
use crate::expression::{EvalError, MAX_VALUE};
use crate::functions;
use crate::locate::{relay, vendor, vendor_class, vendor_class_data};
use crate::subject::{AnyPacket, Subject};
use outrigger_wire::v4::Packet4;
use outrigger_wire::v6::Packet6;
use smallvec::SmallVec;
use std::net::IpAddr;
use std::ops::Deref;

/// A string: bytes of the packet or of the expression, or new ones.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// Lies in the packet or in the expression.
    Borrowed(&'a [u8]),
    /// Made by a function.
    Made(SmallVec<[u8; 32]>),
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }
}

impl Value<'_> {
    pub(crate) const EMPTY: Self = Self::Borrowed(&[]);

    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        Self::Made(SmallVec::from_slice(bytes))
    }

    /// The bytes from `start` to `end`, which lie inside.
    pub(crate) fn piece(self, start: usize, end: usize) -> Self {
        match self {
            Self::Borrowed(bytes) => Self::Borrowed(bytes.get(start..end).unwrap_or_default()),
            Self::Made(bytes) => Self::copy_of(bytes.get(start..end).unwrap_or_default()),
        }
    }
}

/// Appends, where the result does not get too long.
pub(crate) fn append(made: &mut SmallVec<[u8; 32]>, bytes: &[u8]) -> Result<(), EvalError> {
    if made.len() + bytes.len() > MAX_VALUE {
        return Err(EvalError::TooLong);
    }
    made.extend_from_slice(bytes);
    Ok(())
}

pub(crate) fn is_true(condition: &Bool, subject: &Subject<'_>) -> Result<bool, EvalError> {
    Ok(match condition {
        Bool::Not(condition) => !is_true(condition, subject)?,
        Bool::All(operands) => !any(operands, false, subject)?,
        Bool::Any(operands) => any(operands, true, subject)?,
        Bool::Equal(sides) => {
            let (left, right) = (text_of(&sides.0, subject)?, text_of(&sides.1, subject)?);
            *left == *right
        }
        Bool::Exists(chain) => chain.find(subject).is_some(),
        Bool::Member(class) => subject.classes.contains(class),
        Bool::Matches(both) => {
            let (regex, text) = &**both;
            regex.is_match(&text_of(text, subject)?)
        }
    })
}

/// Whether one of the conditions is `wanted`.
fn any(operands: &Operands, wanted: bool, subject: &Subject<'_>) -> Result<bool, EvalError> {
    let mut found = false;
    for condition in &operands.conditions {
        found |= is_true(condition, subject)? == wanted;
        if found && !operands.strict {
            break;
        }
    }
    Ok(found)
}

pub(crate) fn text_of<'a>(text: &'a Text, subject: &Subject<'a>) -> Result<Value<'a>, EvalError> {
    let found = |bytes: Option<&'a [u8]>| Value::Borrowed(bytes.unwrap_or_default());
    let number = |number: Option<u32>| {
        number.map_or(Value::EMPTY, |number| Value::copy_of(&number.to_be_bytes()))
    };
    Ok(match text {
        Text::Literal(bytes) => Value::Borrowed(bytes),
        Text::Payload(chain) => found(chain.find(subject)),
        Text::Field(field) => field.value(subject),
        Text::RelayAddress { nest, which } => relay_address(subject.packet, *nest, *which),
        Text::VendorEnterprise => number(vendor(subject.packet).map(|found| found.0)),
        Text::VendorClassEnterprise => number(vendor_class(subject.packet).map(|found| found.0)),
        Text::VendorClassData { enterprise, index } => {
            let class = vendor_class(subject.packet)
                .filter(|(found, _)| enterprise.is_none_or(|wanted| wanted == *found));
            found(class.and_then(|(_, data)| vendor_class_data(subject.packet, data, *index)))
        }
        Text::Concat(parts) => concat(parts, subject)?,
        Text::Substring(call) => {
            let of = text_of(&call.of, subject)?;
            functions::substring(of, call.start, call.length)
        }
        Text::Split { operands, field } => {
            let of = text_of(&operands.0, subject)?;
            functions::split(of, &text_of(&operands.1, subject)?, *field)
        }
        Text::IfElse(call) if call.strict => {
            let condition = is_true(&call.condition, subject)?;
            let (yes, no) = (text_of(&call.yes, subject)?, text_of(&call.no, subject)?);
            if condition { yes } else { no }
        }
        Text::IfElse(call) => match is_true(&call.condition, subject)? {
            true => text_of(&call.yes, subject)?,
            false => text_of(&call.no, subject)?,
        },
        Text::HexString(operands) => {
            let (bytes, separator) = (&operands.0, &operands.1);
            functions::hex_string(&text_of(bytes, subject)?, &text_of(separator, subject)?)?
        }
        Text::Lower(of) => Value::Made(
            text_of(of, subject)?
                .iter()
                .map(u8::to_ascii_lowercase)
                .collect(),
        ),
        Text::Upper(of) => Value::Made(
            text_of(of, subject)?
                .iter()
                .map(u8::to_ascii_uppercase)
                .collect(),
        ),
        Text::WrittenAddress(of) => functions::address_text(&text_of(of, subject)?)?,
        Text::WrittenInteger { kind, of } => {
            functions::integer_text(*kind, &text_of(of, subject)?)?
        }
    })
}

fn concat<'a>(parts: &'a [Text], subject: &Subject<'a>) -> Result<Value<'a>, EvalError> {
    let mut made = SmallVec::new();
    for part in parts {
        append(&mut made, &text_of(part, subject)?)?;
    }
    Ok(Value::Made(made))
}

fn relay_address(packet: AnyPacket<'_>, nest: i8, which: RelayAddress) -> Value<'static> {
    let AnyPacket::V6(packet) = packet else {
        return Value::EMPTY;
    };
    relay(packet, nest).map_or(Value::EMPTY, |hop| {
        let address = match which {
            RelayAddress::Peer => hop.peer_address,
            RelayAddress::Link => hop.link_address,
        };
        Value::copy_of(&address.octets())
    })
}

impl Field {
    fn value<'a>(self, subject: &Subject<'a>) -> Value<'a> {
        let number = |number: u32| Value::copy_of(&number.to_be_bytes());
        match (self, subject.packet) {
            (Self::Interface, _) => Value::Borrowed(subject.link.interface.as_bytes()),
            (Self::Source, _) => address(subject.link.remote.ip()),
            (Self::Destination, _) => address(subject.link.local.ip()),
            (Self::Length, AnyPacket::V4(packet)) => number(saturated(len4(packet))),
            (Self::Length, AnyPacket::V6(packet)) => number(saturated(len6(packet))),
            (Self::MessageType, AnyPacket::V4(packet)) => {
                number(packet.message_type.map_or(0, u8::from).into())
            }
            (Self::MessageType, AnyPacket::V6(packet)) => {
                number(u8::from(packet.message_type).into())
            }
            (Self::TransactionId, AnyPacket::V4(packet)) => number(packet.header.xid),
            (Self::TransactionId, AnyPacket::V6(packet)) => {
                let [a, b, c] = packet.xid;
                Value::copy_of(&[0, a, b, c])
            }
            (_, AnyPacket::V4(packet)) => self.of_header(packet),
            (_, AnyPacket::V6(_)) => Value::EMPTY,
        }
    }

    /// What only DHCPv4 has.
    fn of_header(self, packet: &Packet4) -> Value<'_> {
        let header = &packet.header;
        let number = |number: u8| Value::copy_of(&u32::from(number).to_be_bytes());
        let address = match self {
            Self::HardwareLength => return number(header.hlen),
            Self::HardwareType => return number(header.htype),
            Self::Ciaddr => header.ciaddr,
            Self::Giaddr => header.giaddr,
            Self::Yiaddr => header.yiaddr,
            Self::Siaddr => header.siaddr,
            _ => {
                let mac = header.chaddr.get(..usize::from(header.hlen));
                return Value::Borrowed(mac.unwrap_or_default());
            }
        };
        Value::copy_of(&address.octets())
    }
}

fn address(address: IpAddr) -> Value<'static> {
    match address {
        IpAddr::V4(address) => Value::copy_of(&address.octets()),
        IpAddr::V6(address) => Value::copy_of(&address.octets()),
    }
}

fn saturated(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Kea counts what it would write: fixed fields (without the cookie) and options (without padding and end), one header
/// for each 255 bytes of an option.
fn len4(packet: &Packet4) -> usize {
    let options = packet.options.iter();
    let each = options.map(|(_, payload)| payload.len() + 2 * payload.len().div_ceil(255).max(1));
    236 + each.sum::<usize>()
}

/// The client's message and the layers of its relays, as they are written.
fn len6(packet: &Packet6) -> usize {
    let of = |options: &outrigger_wire::options::Options| {
        options
            .iter()
            .map(|(_, payload)| 4 + payload.len())
            .sum::<usize>()
    };
    let relays = packet.relays.iter();
    let layers: usize = relays.map(|hop| 34 + of(&hop.options) + 4).sum();
    4 + of(&packet.options) + layers
}

//! From the way to a payload to the payload.

use crate::ast::{Chain, Enterprise, Form, Root, Sub};
use crate::subject::{AnyPacket, Subject};
use outrigger_wire::options::defs::OptionType;
use outrigger_wire::options::{nested4_with_end, sub_option4, sub_option6, vendor4, vendor6};
use outrigger_wire::v6::{Packet6, RelayHop};
use outrigger_wire::{v4, v6};

impl Chain {
    /// The payload, where the packet has it.
    pub(crate) fn find<'a>(&self, subject: &Subject<'a>) -> Option<&'a [u8]> {
        let inside = self.inside.as_ref()?;
        let root = self.root.find(subject.packet)?;
        let payload = inside.iter().try_fold(root, |outer, sub| sub.find(outer))?;
        Some(if self.trim {
            without_zeros(payload)
        } else {
            payload
        })
    }
}

/// Kea: zero bytes at the end of a string do not count.
pub(crate) fn without_zeros(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != 0);
    &text[..end.map_or(0, |last| last + 1)]
}

impl Root {
    fn find(self, packet: AnyPacket<'_>) -> Option<&[u8]> {
        match (self, packet) {
            (Self::Option(code), AnyPacket::V4(packet)) => packet.options.get(code),
            (Self::Option(code), AnyPacket::V6(packet)) => packet.options.get(code),
            (Self::Relay4(code), AnyPacket::V4(packet)) => sub_option4(packet.relay_info()?, code),
            (Self::Relay6 { nest, code }, AnyPacket::V6(packet)) => {
                relay(packet, nest)?.options.get(code)
            }
            (Self::Vendor(wanted), packet) => {
                let (enterprise, block) = vendor(packet)?;
                is_wanted(wanted, enterprise).then_some(block)
            }
            (Self::VendorClass(wanted), packet) => {
                let (enterprise, block) = vendor_class(packet)?;
                is_wanted(wanted, enterprise).then_some(block)
            }
            (Self::Relay4(_), AnyPacket::V6(_)) | (Self::Relay6 { .. }, AnyPacket::V4(_)) => None,
        }
    }
}

fn is_wanted(wanted: Enterprise, found: u32) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

/// A relay layer: 0 is nearest the server, -1 nearest the client.
pub(crate) fn relay(packet: &Packet6, nest: i8) -> Option<&RelayHop> {
    let index = usize::from(nest.unsigned_abs());
    let index = match nest {
        0.. => index,
        _ => packet.relays.len().checked_sub(index)?,
    };
    packet.relays.get(index)
}

/// Enterprise and options of the first vendor block.
pub(crate) fn vendor(packet: AnyPacket<'_>) -> Option<(u32, &[u8])> {
    match packet {
        AnyPacket::V4(packet) => vendor4(packet.options.get(v4::code::VIVSO)?).next()?.ok(),
        AnyPacket::V6(packet) => vendor6(packet.options.get(v6::code::VENDOR_OPTS)?),
    }
}

/// Enterprise and data of the first vendor class.
pub(crate) fn vendor_class(packet: AnyPacket<'_>) -> Option<(u32, &[u8])> {
    match packet {
        AnyPacket::V4(packet) => vendor4(packet.options.get(v4::code::VIVCO)?).next()?.ok(),
        AnyPacket::V6(packet) => vendor6(packet.options.get(v6::code::VENDOR_CLASS)?),
    }
}

/// One piece of the data of a vendor class; each has its length before it, of one byte in DHCPv4, of two in DHCPv6.
pub(crate) fn vendor_class_data<'a>(
    packet: AnyPacket<'_>,
    mut data: &'a [u8],
    index: u8,
) -> Option<&'a [u8]> {
    let mut left = index;
    loop {
        let (len, rest) = match packet {
            AnyPacket::V4(_) => {
                let (len, rest) = data.split_first()?;
                (usize::from(*len), rest)
            }
            AnyPacket::V6(_) => {
                let (len, rest) = data.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*len)), rest)
            }
        };
        let (piece, behind) = rest.split_at_checked(len)?;
        if left == 0 {
            return Some(piece);
        }
        left -= 1;
        data = behind;
    }
}

impl Sub {
    fn find<'a>(&self, outer: &'a [u8]) -> Option<&'a [u8]> {
        let options = self
            .fields
            .iter()
            .try_fold(outer, |rest, field| behind(*field, rest))?;
        match self.form {
            Form::V4 => sub_option4(options, self.code),
            Form::V4WithEnd => nested4_with_end(options)
                .map_while(Result::ok)
                .find(|(code, _)| *code == self.code)
                .map(|(_, payload)| payload),
            Form::V4Vendor => {
                let (_, block) = vendor4(options).next()?.ok()?;
                sub_option4(block, self.code)
            }
            Form::V6 => sub_option6(options, self.code),
        }
    }
}

/// What follows a field. A field without a length of its own ends only with the option.
fn behind(field: OptionType, payload: &[u8]) -> Option<&[u8]> {
    let len = match (field, field.fixed_len()) {
        (_, Some(len)) => len,
        // A length in bits, and as many bytes as it needs.
        (OptionType::Ipv6Prefix, None) => 1 + usize::from(*payload.first()?).div_ceil(8),
        (_, None) => return None,
    };
    payload.get(len..)
}

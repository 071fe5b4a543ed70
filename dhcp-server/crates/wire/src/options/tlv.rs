//! The forms in which a code, a length and a payload are written.

use std::fmt;
use thiserror::Error;

/// How records of code, length and payload follow each other in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlvKind {
    /// `code: u8 | len: u8 | payload`, no pad, no end: inside option 82 (RFC 3046 §2.0) and vendor blocks.
    V4,
    /// As [`Self::V4`], but 0 is a pad without length and 255 ends the list: inside option 43 (RFC 2132 §8.4).
    V4WithEnd,
    /// `code: u16 | len: u16 | payload` (RFC 9915 §21.1).
    V6,
    /// `enterprise: u32 | len: u8 | payload`: options 124 and 125 of DHCPv4 (RFC 3925). The code is the enterprise.
    Enterprise4,
}

impl TlvKind {
    /// Bytes of code and length.
    pub(crate) fn header_len(self) -> usize {
        match self {
            Self::V4 | Self::V4WithEnd => 2,
            Self::V6 => 4,
            Self::Enterprise4 => 5,
        }
    }

    /// Code and payload length at the start of `bytes`; `None` where they, or the payload, run past the end.
    pub(crate) fn read_header(self, bytes: &[u8]) -> Option<(u32, usize)> {
        let (code, len) = match (self, bytes) {
            (Self::V4 | Self::V4WithEnd, [code, len, ..]) => (u32::from(*code), usize::from(*len)),
            (Self::V6, [c1, c0, l1, l0, ..]) => (
                u32::from(u16::from_be_bytes([*c1, *c0])),
                usize::from(u16::from_be_bytes([*l1, *l0])),
            ),
            (Self::Enterprise4, [e3, e2, e1, e0, len, ..]) => {
                (u32::from_be_bytes([*e3, *e2, *e1, *e0]), usize::from(*len))
            }
            _ => return None,
        };
        (self.header_len().checked_add(len)? <= bytes.len()).then_some((code, len))
    }

    /// Appends one record.
    ///
    /// # Errors
    ///
    /// Where the payload is longer than the length field can say, or the code is none of this form (too wide, or pad
    /// and end of [`Self::V4WithEnd`]); `out` is then unchanged.
    pub fn write(self, out: &mut Vec<u8>, code: u32, payload: &[u8]) -> Result<(), TooLong> {
        let too_long = |limit| TooLong {
            what: What::Option(code),
            len: payload.len(),
            limit,
        };
        match self {
            Self::V4WithEnd if code == 0 || code == 255 => return Err(too_long(0)),
            Self::V4 | Self::V4WithEnd => {
                let len = u8::try_from(payload.len()).map_err(|_| too_long(255))?;
                let code = u8::try_from(code).map_err(|_| too_long(0))?;
                out.extend_from_slice(&[code, len]);
            }
            Self::V6 => {
                let len = u16::try_from(payload.len()).map_err(|_| too_long(65_535))?;
                let code = u16::try_from(code).map_err(|_| too_long(0))?;
                out.extend_from_slice(&code.to_be_bytes());
                out.extend_from_slice(&len.to_be_bytes());
            }
            Self::Enterprise4 => {
                let len = u8::try_from(payload.len()).map_err(|_| too_long(255))?;
                out.extend_from_slice(&code.to_be_bytes());
                out.push(len);
            }
        }
        out.extend_from_slice(payload);
        Ok(())
    }
}

/// Appends a DHCPv6 option whose payload is what `write` appends. A payload over 65,535 bytes gets that length: the
/// container's own length check then refuses the packet, since a container is never shorter than its contents.
pub(crate) fn write_v6_with(out: &mut Vec<u8>, code: u16, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&code.to_be_bytes());
    let length_at = out.len();
    out.extend_from_slice(&[0, 0]);
    write(out);
    set_length(out, length_at);
}

/// Fills in a length of two bytes at `length_at` that counts everything behind it. `false` where that is too much.
pub(crate) fn set_length(out: &mut [u8], length_at: usize) -> bool {
    let len = u16::try_from(out.len().saturating_sub(length_at + 2));
    if let Some(field) = out.get_mut(length_at..length_at + 2) {
        field.copy_from_slice(&len.unwrap_or(u16::MAX).to_be_bytes());
    }
    len.is_ok()
}

/// What was to be written does not fit its length field or the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} takes {len} bytes, at most {limit} fit")]
pub struct TooLong {
    /// What does not fit.
    pub what: What,
    /// Bytes it takes.
    pub len: usize,
    /// Bytes there are; 0 where not even the code can be written.
    pub limit: usize,
}

/// Subject of [`TooLong`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Payload of the option, sub-option or enterprise block with this code.
    Option(u32),
    /// A text field of the header and the zero byte that ends it, by the field's name.
    Field(&'static str),
    /// The whole packet.
    Packet,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(code) => write!(f, "option {code}"),
            Self::Field(name) => write!(f, "field {name}"),
            Self::Packet => f.write_str("the packet"),
        }
    }
}

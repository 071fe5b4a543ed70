//! From a datagram to a [`Packet4`], checking everything that later stages rely on.

use super::{BOOT_REQUEST, COOKIE, HEADER_LEN, Header4, MAX_HLEN, MessageType, Packet4, code};
use crate::buffer::Buffer;
use crate::options::Options;
use std::net::Ipv4Addr;
use std::ops::Range;
use thiserror::Error;

const SNAME: Range<usize> = 44..108;
const FILE: Range<usize> = 108..236;
const OPTIONS_AT: usize = HEADER_LEN + COOKIE.len();

/// Why a datagram is no DHCPv4 packet for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Malformed4 {
    /// Shorter than header and cookie.
    #[error("{len} bytes are too few for a DHCPv4 packet, which has at least 240")]
    TooShort {
        /// Bytes received.
        len: usize,
    },
    /// The options field does not begin with the magic cookie of RFC 2131 §3.
    #[error("the magic cookie is missing")]
    BadCookie,
    /// `op` is not `BOOTREQUEST`.
    #[error("op is {op}, not 1 (BOOTREQUEST)")]
    NotARequest {
        /// The field's value.
        op: u8,
    },
    /// `hlen` claims more bytes than `chaddr` has.
    #[error("hardware address length is {hlen}, at most 16 fit")]
    HardwareAddressTooLong {
        /// The field's value.
        hlen: u8,
    },
    /// An option runs past the end of its area: options field, `file` or `sname`.
    #[error("option {code} at byte {offset} runs past the end of its field")]
    TruncatedOption {
        /// The option.
        code: u8,
        /// Where it starts in the datagram.
        offset: usize,
    },
    /// Option 53 is not exactly one byte.
    #[error("the message type has {len} bytes instead of one")]
    BadMessageTypeLength {
        /// Its length, all instances joined.
        len: usize,
    },
    /// Option 53 is none of the assigned types 1 to 18.
    #[error("message type {value} is not assigned")]
    BadMessageType {
        /// Its value.
        value: u8,
    },
}

/// Checks a datagram and indexes its options. The packet keeps the buffer; nothing is copied, unless an option comes
/// in several pieces.
///
/// # Errors
///
/// See [`Malformed4`]; every error is the sender's fault.
pub fn decode(datagram: Buffer) -> Result<Packet4, Malformed4> {
    let mut header = decode_header(&datagram)?;
    let end = datagram.len();
    let mut index = Index {
        options: Options::over(datagram),
        repeated: false,
    };
    index.area(OPTIONS_AT..end)?;
    let overload = overload(&index.options);
    // RFC 2131 §4.1: options field, then file, then sname. Option 52 in these has no say.
    if overload & 1 != 0 {
        index.area(FILE)?;
        header.file.fill(0);
    }
    if overload & 2 != 0 {
        index.area(SNAME)?;
        header.sname.fill(0);
    }
    let mut options = index.options;
    if index.repeated {
        // RFC 3396 §7: pieces of one code make one option, over all areas.
        options.join_repeated();
    }
    let message_type = message_type(&options)?;
    Ok(Packet4 {
        header,
        options,
        message_type,
    })
}

fn decode_header(datagram: &[u8]) -> Result<Header4, Malformed4> {
    let Some((fixed, rest)) = datagram.split_first_chunk::<HEADER_LEN>() else {
        return Err(Malformed4::TooShort {
            len: datagram.len(),
        });
    };
    let Some(cookie) = rest.first_chunk::<4>() else {
        return Err(Malformed4::TooShort {
            len: datagram.len(),
        });
    };
    if *cookie != COOKIE {
        return Err(Malformed4::BadCookie);
    }
    let [op, htype, hlen, hops, ..] = *fixed;
    if op != BOOT_REQUEST {
        return Err(Malformed4::NotARequest { op });
    }
    if hlen > MAX_HLEN {
        return Err(Malformed4::HardwareAddressTooLong { hlen });
    }
    let addr = |at| Ipv4Addr::from(bytes::<4>(fixed, at));
    Ok(Header4 {
        op,
        htype,
        hlen,
        hops,
        xid: u32::from_be_bytes(bytes(fixed, 4)),
        secs: u16::from_be_bytes(bytes(fixed, 8)),
        flags: u16::from_be_bytes(bytes(fixed, 10)),
        ciaddr: addr(12),
        yiaddr: addr(16),
        siaddr: addr(20),
        giaddr: addr(24),
        chaddr: bytes(fixed, 28),
        sname: bytes(fixed, SNAME.start),
        file: bytes(fixed, FILE.start),
    })
}

/// The field of `N` bytes at `at`, a constant of the header.
fn bytes<const N: usize>(fixed: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&fixed[at..at + N]);
    field
}

/// The options found so far.
struct Index {
    options: Options,
    /// Whether a code came twice.
    repeated: bool,
}

impl Index {
    /// Adds the options of one area, up to its end mark or its end.
    fn area(&mut self, area: Range<usize>) -> Result<(), Malformed4> {
        let mut at = area.start;
        while at < area.end {
            let code = self.options.data()[at];
            match u16::from(code) {
                code::PAD => {
                    at += 1;
                    continue;
                }
                code::END => break,
                _ => {}
            }
            let truncated = Malformed4::TruncatedOption { code, offset: at };
            let len = match self.options.data().get(at + 1) {
                Some(len) if at + 1 < area.end => usize::from(*len),
                _ => return Err(truncated),
            };
            let payload = at + 2;
            at = payload + len;
            if at > area.end {
                return Err(truncated);
            }
            self.repeated |= self.options.contains(u16::from(code));
            self.options.push_range(u16::from(code), payload, len);
        }
        Ok(())
    }
}

/// Option 52 of the options field, its pieces joined; 0 where it is absent.
fn overload(options: &Options) -> u8 {
    let mut bytes = options.get_all(code::OVERLOAD).flatten();
    match (bytes.next(), bytes.next()) {
        (Some(value @ 1..=3), None) => *value,
        // Kea: an overload option of another form is as good as none.
        _ => 0,
    }
}

fn message_type(options: &Options) -> Result<Option<MessageType>, Malformed4> {
    match options.get(code::MESSAGE_TYPE) {
        None => Ok(None),
        Some([value @ 1..=18]) => Ok(Some(MessageType::from(*value))),
        Some([value]) => Err(Malformed4::BadMessageType { value: *value }),
        Some(other) => Err(Malformed4::BadMessageTypeLength { len: other.len() }),
    }
}

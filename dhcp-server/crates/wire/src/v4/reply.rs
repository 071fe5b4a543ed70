//! Answers to DHCPv4 clients.

use super::{BOOT_REPLY, COOKIE, HEADER_LEN, Header4, MessageType, Packet4, code};
use crate::options::{Options, TooLong, What};
use smallvec::SmallVec;

/// BOOTP clients and relays may ignore packets under this size (RFC 1542 §2.1).
const MIN_LEN: usize = 300;
/// Payload bytes of one option, or of one piece of a long one.
const MAX_PIECE: usize = 255;

/// Without these the answer would mean something else, or not come back: never dropped.
const REQUIRED: [u16; 8] = [
    code::SUBNET_MASK,
    code::LEASE_TIME,
    code::MESSAGE_TYPE,
    code::SERVER_ID,
    code::RENEWAL_TIME,
    code::REBINDING_TIME,
    code::CLIENT_ID,
    code::RELAY_INFO,
];

/// What a host needs first to be of use: dropped only when nothing else is left to drop.
const IMPORTANT: [u16; 7] = [
    code::ROUTERS,
    code::DOMAIN_NAME_SERVERS,
    code::HOST_NAME,
    code::DOMAIN_NAME,
    code::BROADCAST_ADDRESS,
    code::CLIENT_FQDN,
    code::CLASSLESS_ROUTES,
];

/// An answer being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply4 {
    /// The fixed fields.
    pub header: Header4,
    /// The options in the order they are sent, the message type (53) among them; 82 is sent last wherever it stands.
    pub options: Options,
}

/// What [`Reply4::encode`] left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Codes of the options that did not fit, or have no form in DHCPv4 (0, 255 and above).
    pub dropped: SmallVec<[u16; 4]>,
}

impl Reply4 {
    /// The beginning of an answer (RFC 2131 table 3): `op`, the fields that are echoed, and option 53 first.
    #[must_use]
    pub fn to(query: &Packet4, message_type: MessageType) -> Self {
        let asked = &query.header;
        let header = Header4 {
            op: BOOT_REPLY,
            htype: asked.htype,
            hlen: asked.hlen,
            xid: asked.xid,
            flags: asked.flags,
            giaddr: asked.giaddr,
            chaddr: asked.chaddr,
            ..Header4::default()
        };
        let mut options = Options::new();
        options.push(code::MESSAGE_TYPE, &[u8::from(message_type)]);
        Self { header, options }
    }

    /// Option 53, which a hook or BOOTP handling may have removed.
    #[must_use]
    pub fn message_type(&self) -> Option<MessageType> {
        match self.options.get(code::MESSAGE_TYPE)? {
            [value] => Some(MessageType::from(*value)),
            _ => None,
        }
    }

    /// Appends the packet: header, cookie, options in order with 82 last (RFC 3046 §2.1), options over 255 bytes in
    /// pieces (RFC 3396), end mark, and padding to 300 bytes.
    ///
    /// `max_size` counts bytes of the DHCP message, so what the client says in option 57 less 28 for IP and UDP.
    /// Where the packet is larger, options are left out from the last to the first until it fits: at first those not
    /// listed here, then 3, 6, 12, 15, 28, 81 and 121. Never 1, 51, 53, 54, 58, 59, 61 and 82.
    ///
    /// # Errors
    ///
    /// Where even the options that are never left out do not fit; nothing is appended then.
    pub fn encode(&self, out: &mut Vec<u8>, max_size: usize) -> Result<Encoded, TooLong> {
        let mut selection = Selection::of_all(&self.options);
        selection.shrink(max_size, |code| !IMPORTANT.contains(&code));
        selection.shrink(max_size, |_| true);
        if selection.size > max_size {
            return Err(TooLong {
                what: What::Packet,
                len: selection.size,
                limit: max_size,
            });
        }
        let start = out.len();
        write_header(&self.header, out);
        let chosen = || {
            self.options
                .iter()
                .zip(&selection.options)
                .filter(|(_, chosen)| chosen.kept)
        };
        for ((code, payload), _) in chosen().filter(|((code, _), _)| *code != code::RELAY_INFO) {
            write_option(out, code, payload);
        }
        for ((code, payload), _) in chosen().filter(|((code, _), _)| *code == code::RELAY_INFO) {
            write_option(out, code, payload);
        }
        out.push(255);
        let padded = start + MIN_LEN.min(max_size);
        if out.len() < padded {
            out.resize(padded, 0);
        }
        Ok(Encoded {
            dropped: selection.dropped,
        })
    }
}

/// Which options are sent.
struct Selection {
    /// One for each option, in their order.
    options: SmallVec<[Chosen; 32]>,
    /// Bytes of the packet with the options kept so far.
    size: usize,
    dropped: SmallVec<[u16; 4]>,
}

struct Chosen {
    code: u16,
    len: usize,
    kept: bool,
}

impl Selection {
    /// Every option that has a form in DHCPv4.
    fn of_all(options: &Options) -> Self {
        let mut selection = Self {
            options: SmallVec::new(),
            size: HEADER_LEN + COOKIE.len() + 1,
            dropped: SmallVec::new(),
        };
        for (code, payload) in options.iter() {
            let kept = (1..=254).contains(&code);
            let len = encoded_len(payload.len());
            if kept {
                selection.size += len;
            } else {
                selection.dropped.push(code);
            }
            selection.options.push(Chosen { code, len, kept });
        }
        selection
    }

    /// Leaves out options that are not required and for which `may_go` holds, last first, while the packet is larger
    /// than `max_size`.
    fn shrink(&mut self, max_size: usize, may_go: impl Fn(u16) -> bool) {
        for option in self.options.iter_mut().rev() {
            if self.size <= max_size {
                return;
            }
            if option.kept && !REQUIRED.contains(&option.code) && may_go(option.code) {
                option.kept = false;
                self.size -= option.len;
                self.dropped.push(option.code);
            }
        }
    }
}

/// Bytes of an option with its codes and lengths.
fn encoded_len(payload: usize) -> usize {
    payload + 2 * payload.div_ceil(MAX_PIECE).max(1)
}

fn write_option(out: &mut Vec<u8>, code: u16, payload: &[u8]) {
    let Ok(code) = u8::try_from(code) else {
        return;
    };
    if payload.is_empty() {
        out.extend_from_slice(&[code, 0]);
    }
    for piece in payload.chunks(MAX_PIECE) {
        let len = u8::try_from(piece.len()).expect("a piece has at most 255 bytes");
        out.extend_from_slice(&[code, len]);
        out.extend_from_slice(piece);
    }
}

fn write_header(header: &Header4, out: &mut Vec<u8>) {
    out.extend_from_slice(&[header.op, header.htype, header.hlen, header.hops]);
    out.extend_from_slice(&header.xid.to_be_bytes());
    out.extend_from_slice(&header.secs.to_be_bytes());
    out.extend_from_slice(&header.flags.to_be_bytes());
    for addr in [header.ciaddr, header.yiaddr, header.siaddr, header.giaddr] {
        out.extend_from_slice(&addr.octets());
    }
    out.extend_from_slice(&header.chaddr);
    out.extend_from_slice(&header.sname);
    out.extend_from_slice(&header.file);
    out.extend_from_slice(&COOKIE);
}

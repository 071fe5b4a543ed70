//! A server's DHCPv4 answer, read strictly.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::client4::{COOKIE, message};
use crate::cursor::{Cursor, ReplyError};

const PAD: u8 = 0;
const END: u8 = 255;
const OVERLOAD: u8 = 52;
const MESSAGE_TYPE: u8 = 53;
const SERVER_ID: u8 = 54;

/// A DHCPv4 answer as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply4Seen {
    /// Option 53; see [`message`].
    pub message_type: u8,
    /// Transaction id.
    pub xid: u32,
    /// `hops` field.
    pub hops: u8,
    /// `secs` field.
    pub secs: u16,
    /// `flags` field, host order; 0x8000 is the broadcast flag.
    pub flags: u16,
    /// The client's own address, as echoed.
    pub ciaddr: Ipv4Addr,
    /// "Your" address: what is offered or leased.
    pub yiaddr: Ipv4Addr,
    /// Next server for booting.
    pub siaddr: Ipv4Addr,
    /// Relay agent.
    pub giaddr: Ipv4Addr,
    /// Hardware address of the client.
    pub hw_address: [u8; 6],
    /// Server host name without trailing zeros; empty when the field carries options.
    pub sname: Vec<u8>,
    /// Boot file name without trailing zeros; empty when the field carries options.
    pub file: Vec<u8>,
    /// Options by code; several of one code are joined (RFC 3396 §7).
    pub options: BTreeMap<u8, Vec<u8>>,
    /// Codes in the order in which they came, without pads and End.
    pub order: Vec<u8>,
}

impl Reply4Seen {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// Names the first part that is missing or not as RFC 2131, 2132 and 3396 want it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReplyError> {
        let mut cursor = Cursor::new(bytes);
        expect(&mut cursor, "op", 2)?;
        expect(&mut cursor, "htype", 1)?;
        expect(&mut cursor, "hlen", 6)?;
        let mut reply = Self {
            message_type: 0,
            hops: cursor.u8("hops")?,
            xid: cursor.u32("xid")?,
            secs: cursor.u16("secs")?,
            flags: cursor.u16("flags")?,
            ciaddr: cursor.ipv4("ciaddr")?,
            yiaddr: cursor.ipv4("yiaddr")?,
            siaddr: cursor.ipv4("siaddr")?,
            giaddr: cursor.ipv4("giaddr")?,
            hw_address: cursor.array("chaddr")?,
            sname: Vec::new(),
            file: Vec::new(),
            options: BTreeMap::new(),
            order: Vec::new(),
        };
        all_zero("chaddr padding", cursor.take(10, "chaddr padding")?)?;
        let sname = cursor.take(64, "sname")?;
        let file = cursor.take(128, "file")?;
        if cursor.array::<4>("magic cookie")? != COOKIE {
            return Err(ReplyError::invalid("magic cookie", "not 99.130.83.99"));
        }
        reply.read_options("options", cursor.rest())?;
        reply.read_overloaded(sname, file)?;
        reply.message_type = reply.read_message_type()?;
        Ok(reply)
    }

    /// The data of an option.
    #[must_use]
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.get(&code).map(Vec::as_slice)
    }

    /// Server identifier (option 54), when it is there and four bytes long.
    #[must_use]
    pub fn server_id(&self) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.option(SERVER_ID)?.try_into().ok()?;
        Some(octets.into())
    }

    /// An option of one unsigned 32-bit number, such as a lifetime in seconds.
    #[must_use]
    pub fn number(&self, code: u8) -> Option<u32> {
        let bytes: [u8; 4] = self.option(code)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    /// An option that is a list of addresses, such as routers; none when it is absent or ragged.
    #[must_use]
    pub fn addresses(&self, code: u8) -> Option<Vec<Ipv4Addr>> {
        let (whole, rest) = self.option(code)?.as_chunks::<4>();
        rest.is_empty()
            .then(|| whole.iter().copied().map(Ipv4Addr::from).collect())
    }

    /// Checks that the answer belongs to the message: transaction, client and relay
    /// (RFC 2131 §4.3.1, table 3).
    ///
    /// # Errors
    ///
    /// Names the first field that was not echoed.
    pub fn check_answers(&self, request: &[u8]) -> Result<(), ReplyError> {
        let mut cursor = Cursor::new(request);
        cursor.take(4, "op to hops of the request")?;
        echoed("xid", cursor.u32("xid")?, self.xid)?;
        cursor.take(16, "secs to siaddr of the request")?;
        echoed("giaddr", cursor.ipv4("giaddr")?, self.giaddr)?;
        let sent: [u8; 6] = cursor.array("chaddr")?;
        if sent != self.hw_address {
            return Err(ReplyError::NotEchoed {
                part: "chaddr",
                sent: format!("{sent:02x?}"),
                seen: format!("{:02x?}", self.hw_address),
            });
        }
        Ok(())
    }

    fn read_options(&mut self, field: &'static str, bytes: &[u8]) -> Result<(), ReplyError> {
        let mut cursor = Cursor::new(bytes);
        loop {
            match cursor.u8(field)? {
                PAD => {}
                END => return all_zero("padding after End", cursor.rest()),
                code => {
                    let length = cursor.u8("option length")?;
                    let data = cursor.take(length.into(), "option data")?;
                    self.options.entry(code).or_default().extend(data);
                    self.order.push(code);
                }
            }
        }
    }

    /// RFC 2132 §9.3: `file` is read before `sname`; a field without options is a string.
    fn read_overloaded(&mut self, sname: &[u8], file: &[u8]) -> Result<(), ReplyError> {
        let overload = match self.option(OVERLOAD) {
            None => 0,
            Some([value @ 1..=3]) => *value,
            Some(other) => {
                return Err(ReplyError::invalid("option overload", format!("{other:?}")));
            }
        };
        if overload & 1 != 0 {
            self.read_options("options in file", file)?;
        } else {
            self.file = string("file", file)?;
        }
        if overload & 2 != 0 {
            self.read_options("options in sname", sname)?;
        } else {
            self.sname = string("sname", sname)?;
        }
        Ok(())
    }

    fn read_message_type(&self) -> Result<u8, ReplyError> {
        match self.option(MESSAGE_TYPE) {
            Some([kind @ (message::OFFER | message::ACK | message::NAK)]) => Ok(*kind),
            Some(other) => Err(ReplyError::invalid(
                "message type",
                format!("{other:?} is not an answer"),
            )),
            None => Err(ReplyError::invalid("message type", "missing")),
        }
    }
}

fn expect(cursor: &mut Cursor<'_>, part: &'static str, wanted: u8) -> Result<(), ReplyError> {
    let seen = cursor.u8(part)?;
    if seen == wanted {
        return Ok(());
    }
    Err(ReplyError::invalid(part, format!("{seen}, not {wanted}")))
}

fn all_zero(part: &'static str, bytes: &[u8]) -> Result<(), ReplyError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    Err(ReplyError::invalid(part, "holds bytes other than zero"))
}

/// A name that is filled up with zeros.
fn string(part: &'static str, field: &[u8]) -> Result<Vec<u8>, ReplyError> {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    let (name, padding) = field.split_at(end);
    all_zero(part, padding)?;
    Ok(name.to_vec())
}

fn echoed<T: PartialEq + ToString>(part: &'static str, sent: T, seen: T) -> Result<(), ReplyError> {
    if sent == seen {
        return Ok(());
    }
    Err(ReplyError::NotEchoed {
        part,
        sent: sent.to_string(),
        seen: seen.to_string(),
    })
}

#[cfg(test)]
pub(crate) mod samples {
    use super::COOKIE;

    /// An ACK of 192.0.2.100 by 192.0.2.1 with these options after it.
    pub(crate) fn with_options(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![2, 1, 6, 0, 0xCA, 0xFE, 0, 1, 0, 0, 0, 0];
        bytes.extend([0, 0, 0, 0, 192, 0, 2, 100, 192, 0, 2, 9, 0, 0, 0, 0]);
        bytes.extend([2, 0, 0, 0, 0, 7]);
        bytes.extend([0; 10 + 64 + 128]);
        bytes.extend(COOKIE);
        bytes.extend(options);
        bytes
    }

    pub(crate) fn ack() -> Vec<u8> {
        with_options(&[
            53, 1, 5, 54, 4, 192, 0, 2, 1, 51, 4, 0, 0, 14, 16, 3, 4, 192, 0, 2, 1, 255, 0,
        ])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::{ack, with_options};
    use super::*;
    use crate::client4::Client4;

    #[test]
    fn every_field_of_an_ack_is_seen() {
        let reply = Reply4Seen::parse(&ack()).unwrap();
        assert_eq!(reply.message_type, message::ACK);
        assert_eq!(reply.xid, 0xCAFE_0001);
        assert_eq!(reply.yiaddr, Ipv4Addr::new(192, 0, 2, 100));
        assert_eq!(reply.siaddr, Ipv4Addr::new(192, 0, 2, 9));
        assert_eq!(reply.server_id(), Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(reply.number(51), Some(3600));
        assert_eq!(reply.addresses(3), Some(vec![Ipv4Addr::new(192, 0, 2, 1)]));
        assert_eq!(reply.order, [53, 54, 51, 3]);
    }

    #[test]
    fn split_options_are_joined_and_overloaded_fields_are_read() {
        let mut bytes = with_options(&[53, 1, 5, 43, 1, 7, 43, 2, 8, 9, 52, 1, 3, 255]);
        bytes[44..51].copy_from_slice(&[12, 2, b'h', b'i', 255, 0, 0]);
        bytes[108..113].copy_from_slice(&[15, 1, b'd', 255, 0]);
        let reply = Reply4Seen::parse(&bytes).unwrap();
        assert_eq!(reply.option(43), Some(&[7, 8, 9][..]));
        assert_eq!(reply.option(12), Some(&b"hi"[..]));
        assert_eq!(reply.option(15), Some(&b"d"[..]));
        assert_eq!(reply.order, [53, 43, 43, 52, 15, 12]);
    }

    #[test]
    fn each_flaw_is_named() {
        let truncated = |part, wanted, at, left| ReplyError::Truncated {
            part,
            wanted,
            at,
            left,
        };
        let cases = [
            (vec![], truncated("op", 1, 0, 0)),
            (vec![1], ReplyError::invalid("op", "1, not 2")),
            (with_options(&[53, 1, 5]), truncated("options", 1, 3, 0)),
            (with_options(&[53, 1]), truncated("option data", 1, 2, 0)),
            (
                with_options(&[255]),
                ReplyError::invalid("message type", "missing"),
            ),
            (
                with_options(&[53, 1, 1, 255]),
                ReplyError::invalid("message type", "[1] is not an answer"),
            ),
            (
                with_options(&[53, 1, 5, 255, 1]),
                ReplyError::invalid("padding after End", "holds bytes other than zero"),
            ),
            (
                with_options(&[53, 1, 5, 52, 1, 4, 255]),
                ReplyError::invalid("option overload", "[4]"),
            ),
        ];
        for (bytes, flaw) in cases {
            assert_eq!(Reply4Seen::parse(&bytes), Err(flaw));
        }
    }

    #[test]
    fn answer_to_another_client_or_transaction_is_refused() {
        let reply = Reply4Seen::parse(&ack()).unwrap();
        let mut client = Client4::new([2, 0, 0, 0, 0, 7]);
        let mut request = client.request_selecting(&reply);
        assert_eq!(reply.check_answers(&request), Ok(()));
        request[33] = 8;
        let refused = reply.check_answers(&request).unwrap_err().to_string();
        assert!(refused.starts_with("chaddr: sent"), "{refused}");
        request[4] = 0;
        let refused = reply.check_answers(&request).unwrap_err().to_string();
        assert!(refused.starts_with("xid: sent"), "{refused}");
    }

    proptest! {
        #[test]
        fn no_cut_or_change_of_an_answer_panics(
            cut in 0usize..280, at in 0usize..280, value: u8,
        ) {
            let mut bytes = ack();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(cut);
            if let Ok(reply) = Reply4Seen::parse(&bytes) {
                prop_assert!(cut > 240);
                prop_assert!(reply.option(53).is_some());
            }
        }
    }
}

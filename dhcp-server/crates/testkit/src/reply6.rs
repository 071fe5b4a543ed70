//! A server's DHCPv6 answer, read strictly, with its relay layers peeled.

use std::net::Ipv6Addr;

use crate::client6::{IaKind, code, message};
use crate::cursor::{Cursor, ReplyError};

/// RFC 8415 §7.6: `HOP_COUNT_LIMIT`.
const HOP_COUNT_LIMIT: usize = 8;

/// Options in the order in which they came.
type Options = Vec<(u16, Vec<u8>)>;

/// A DHCPv6 answer as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply6Seen {
    /// Type of the innermost message; see [`message`].
    pub message_type: u8,
    /// Transaction id, 24 bits.
    pub xid: u32,
    /// Options of the innermost message, in order.
    pub options: Options,
    /// Layers of Relay-reply around it; the first is nearest to the client.
    pub relays: Vec<RelaySeen>,
    ias: Vec<IaSeen>,
}

/// One layer of Relay-reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySeen {
    /// Hop count.
    pub hop_count: u8,
    /// Address on the client's link.
    pub link_address: Ipv6Addr,
    /// Whither the relay has to send what is inside.
    pub peer_address: Ipv6Addr,
    /// Options of this layer but the relay message itself.
    pub options: Options,
}

/// An identity association in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IaSeen {
    /// Addresses or prefixes.
    pub kind: IaKind,
    /// Its identifier.
    pub iaid: u32,
    /// Seconds until Renew.
    pub t1: u32,
    /// Seconds until Rebind.
    pub t2: u32,
    /// Status, when there is one.
    pub status: Option<StatusSeen>,
    /// Leased or offered addresses.
    pub addresses: Vec<AddressSeen>,
    /// Leased or offered prefixes.
    pub prefixes: Vec<PrefixSeen>,
}

/// A status code option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSeen {
    /// Its number (RFC 8415 §21.13); 0 is success.
    pub code: u16,
    /// Text for people.
    pub message: String,
}

/// An address in an IA_NA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressSeen {
    /// The address.
    pub address: Ipv6Addr,
    /// Preferred lifetime in seconds.
    pub preferred: u32,
    /// Valid lifetime in seconds.
    pub valid: u32,
    /// Status of this address, when there is one.
    pub status: Option<StatusSeen>,
}

/// A prefix in an IA_PD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixSeen {
    /// The prefix.
    pub prefix: Ipv6Addr,
    /// Its length in bits.
    pub length: u8,
    /// Preferred lifetime in seconds.
    pub preferred: u32,
    /// Valid lifetime in seconds.
    pub valid: u32,
    /// Status of this prefix, when there is one.
    pub status: Option<StatusSeen>,
}

impl Reply6Seen {
    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// Names the first part that is missing or not as RFC 8415 wants it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReplyError> {
        let (relays, innermost) = peel(bytes, message::RELAY_REPL)?;
        let mut cursor = Cursor::new(innermost);
        let message_type = cursor.u8("message type")?;
        if !matches!(
            message_type,
            message::ADVERTISE | message::REPLY | message::ADDR_REG_REPLY
        ) {
            return Err(ReplyError::invalid(
                "message type",
                format!("{message_type} is not an answer"),
            ));
        }
        let [a, b, c] = cursor.array("transaction id")?;
        let options = read_options(cursor.rest())?;
        let ias = read_ias(&options)?;
        let reply = Self {
            message_type,
            xid: u32::from_be_bytes([0, a, b, c]),
            options,
            relays,
            ias,
        };
        reply.check_single(code::CLIENT_ID, "client identifier")?;
        reply.check_single(code::SERVER_ID, "server identifier")?;
        read_status(&reply.options)?;
        if reply.server_id().is_none() {
            return Err(ReplyError::invalid("server identifier", "missing"));
        }
        Ok(reply)
    }

    /// The data of the first option with this code.
    #[must_use]
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        find(&self.options, code)
    }

    /// The server's DUID.
    #[must_use]
    pub fn server_id(&self) -> Option<&[u8]> {
        self.option(code::SERVER_ID)
    }

    /// The client's DUID.
    #[must_use]
    pub fn client_id(&self) -> Option<&[u8]> {
        self.option(code::CLIENT_ID)
    }

    /// Status of the whole message, when there is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusSeen> {
        read_status(&self.options).ok().flatten()
    }

    /// Whether the server committed at once (option 14).
    #[must_use]
    pub fn rapid_commit(&self) -> bool {
        self.option(code::RAPID_COMMIT).is_some()
    }

    /// The IAs, in order.
    #[must_use]
    pub fn ias(&self) -> &[IaSeen] {
        &self.ias
    }

    /// One IA.
    #[must_use]
    pub fn ia(&self, kind: IaKind, iaid: u32) -> Option<&IaSeen> {
        self.ias
            .iter()
            .find(|ia| ia.kind == kind && ia.iaid == iaid)
    }

    /// All addresses of all IAs.
    pub fn addresses(&self) -> impl Iterator<Item = &AddressSeen> {
        self.ias.iter().flat_map(|ia| &ia.addresses)
    }

    /// All prefixes of all IAs.
    pub fn prefixes(&self) -> impl Iterator<Item = &PrefixSeen> {
        self.ias.iter().flat_map(|ia| &ia.prefixes)
    }

    /// An option that is a list of addresses, such as name servers; none when absent or ragged.
    #[must_use]
    pub fn address_list(&self, code: u16) -> Option<Vec<Ipv6Addr>> {
        let (whole, rest) = self.option(code)?.as_chunks::<16>();
        rest.is_empty()
            .then(|| whole.iter().copied().map(Ipv6Addr::from).collect())
    }

    /// Checks that the answer belongs to the message: transaction, client, and every relay layer
    /// with its interface identifier (RFC 8415 §19.3).
    ///
    /// # Errors
    ///
    /// Names the first part that was not echoed.
    pub fn check_answers(&self, request: &[u8]) -> Result<(), ReplyError> {
        let (layers, innermost) = peel(request, message::RELAY_FORW)?;
        let mut cursor = Cursor::new(innermost);
        cursor.u8("message type of the request")?;
        let [a, b, c] = cursor.array("transaction id of the request")?;
        let sent = read_options(cursor.rest())?;
        echoed(
            "transaction id",
            &u32::from_be_bytes([0, a, b, c]),
            &self.xid,
        )?;
        if let Some(client_id) = find(&sent, code::CLIENT_ID) {
            echoed("client identifier", &Some(client_id), &self.client_id())?;
        }
        echoed("relay layers", &layers.len(), &self.relays.len())?;
        for (sent, seen) in layers.iter().zip(&self.relays) {
            echoed("hop count", &sent.hop_count, &seen.hop_count)?;
            echoed("link address", &sent.link_address, &seen.link_address)?;
            echoed("peer address", &sent.peer_address, &seen.peer_address)?;
            echoed(
                "interface identifier",
                &find(&sent.options, code::INTERFACE_ID),
                &find(&seen.options, code::INTERFACE_ID),
            )?;
        }
        Ok(())
    }

    fn check_single(&self, code: u16, part: &'static str) -> Result<(), ReplyError> {
        if self.options.iter().filter(|(c, _)| *c == code).count() > 1 {
            return Err(ReplyError::invalid(part, "appears twice"));
        }
        Ok(())
    }
}

/// Transaction id of a message under any relay layers, whichever way it goes.
pub(crate) fn transaction_id(bytes: &[u8]) -> Option<u32> {
    let layer = match bytes.first()? {
        kind @ (&message::RELAY_FORW | &message::RELAY_REPL) => *kind,
        _ => message::RELAY_FORW,
    };
    let (_, innermost) = peel(bytes, layer).ok()?;
    let [_, a, b, c] = *innermost.first_chunk()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

/// Takes off the relay layers of this type; what is left is the innermost message.
fn peel(bytes: &[u8], layer: u8) -> Result<(Vec<RelaySeen>, &[u8]), ReplyError> {
    let mut relays = Vec::new();
    let mut innermost = bytes;
    while innermost.first() == Some(&layer) {
        if relays.len() > HOP_COUNT_LIMIT {
            return Err(ReplyError::invalid(
                "relay layers",
                "more than the hop limit",
            ));
        }
        let (relay, inner) = read_relay(innermost)?;
        relays.insert(0, relay);
        innermost = inner;
    }
    Ok((relays, innermost))
}

fn read_relay(bytes: &[u8]) -> Result<(RelaySeen, &[u8]), ReplyError> {
    let mut cursor = Cursor::new(bytes);
    cursor.u8("relay message type")?;
    let mut relay = RelaySeen {
        hop_count: cursor.u8("hop count")?,
        link_address: cursor.ipv6("link address")?,
        peer_address: cursor.ipv6("peer address")?,
        options: Vec::new(),
    };
    let mut inner = None;
    while !cursor.is_empty() {
        let (code, data) = read_option(&mut cursor)?;
        if code != code::RELAY_MESSAGE {
            relay.options.push((code, data.to_vec()));
        } else if inner.replace(data).is_some() {
            return Err(ReplyError::invalid("relay message", "appears twice"));
        }
    }
    let inner = inner.ok_or_else(|| ReplyError::invalid("relay message", "missing"))?;
    Ok((relay, inner))
}

fn read_ias(options: &Options) -> Result<Vec<IaSeen>, ReplyError> {
    let mut ias = Vec::new();
    for (code, data) in options {
        match *code {
            code::IA_NA => ias.push(read_ia(IaKind::Na, data)?),
            code::IA_PD => ias.push(read_ia(IaKind::Pd, data)?),
            _ => {}
        }
    }
    Ok(ias)
}

fn read_ia(kind: IaKind, data: &[u8]) -> Result<IaSeen, ReplyError> {
    let mut cursor = Cursor::new(data);
    let mut ia = IaSeen {
        kind,
        iaid: cursor.u32("IAID")?,
        t1: cursor.u32("T1")?,
        t2: cursor.u32("T2")?,
        status: None,
        addresses: Vec::new(),
        prefixes: Vec::new(),
    };
    let options = read_options(cursor.rest())?;
    ia.status = read_status(&options)?;
    for (code, data) in &options {
        match (kind, *code) {
            (IaKind::Na, code::IA_ADDRESS) => ia.addresses.push(read_address(data)?),
            (IaKind::Pd, code::IA_PREFIX) => ia.prefixes.push(read_prefix(data)?),
            (_, code::IA_ADDRESS | code::IA_PREFIX) => {
                return Err(ReplyError::invalid("IA", "a lease of the other kind"));
            }
            _ => {}
        }
    }
    // RFC 8415 §21.4: a server must not send T1 > T2, both being set.
    if ia.t1 > ia.t2 && ia.t2 > 0 {
        return Err(ReplyError::invalid("T1", "greater than T2"));
    }
    Ok(ia)
}

fn read_address(data: &[u8]) -> Result<AddressSeen, ReplyError> {
    let mut cursor = Cursor::new(data);
    let address = AddressSeen {
        address: cursor.ipv6("IA address")?,
        preferred: cursor.u32("preferred lifetime")?,
        valid: cursor.u32("valid lifetime")?,
        status: read_status(&read_options(cursor.rest())?)?,
    };
    check_lifetimes(address.preferred, address.valid)?;
    Ok(address)
}

fn read_prefix(data: &[u8]) -> Result<PrefixSeen, ReplyError> {
    let mut cursor = Cursor::new(data);
    let preferred = cursor.u32("preferred lifetime")?;
    let valid = cursor.u32("valid lifetime")?;
    let length = cursor.u8("prefix length")?;
    let prefix = cursor.ipv6("prefix")?;
    let status = read_status(&read_options(cursor.rest())?)?;
    check_lifetimes(preferred, valid)?;
    if length > 128 {
        return Err(ReplyError::invalid("prefix length", length.to_string()));
    }
    let host_bits = u128::MAX.checked_shr(length.into()).unwrap_or(0);
    if u128::from(prefix) & host_bits != 0 {
        return Err(ReplyError::invalid(
            "prefix",
            format!("{prefix}/{length} has bits beyond its length"),
        ));
    }
    Ok(PrefixSeen {
        prefix,
        length,
        preferred,
        valid,
        status,
    })
}

fn check_lifetimes(preferred: u32, valid: u32) -> Result<(), ReplyError> {
    if preferred > valid {
        return Err(ReplyError::invalid(
            "preferred lifetime",
            format!("{preferred} is greater than the valid one, {valid}"),
        ));
    }
    Ok(())
}

fn read_status(options: &Options) -> Result<Option<StatusSeen>, ReplyError> {
    let Some(data) = find(options, code::STATUS_CODE) else {
        return Ok(None);
    };
    let mut cursor = Cursor::new(data);
    let code = cursor.u16("status code")?;
    let message = String::from_utf8(cursor.rest().to_vec())
        .map_err(|_| ReplyError::invalid("status message", "not UTF-8"))?;
    Ok(Some(StatusSeen { code, message }))
}

fn read_options(bytes: &[u8]) -> Result<Options, ReplyError> {
    let mut cursor = Cursor::new(bytes);
    let mut options = Vec::new();
    while !cursor.is_empty() {
        let (code, data) = read_option(&mut cursor)?;
        options.push((code, data.to_vec()));
    }
    Ok(options)
}

fn read_option<'a>(cursor: &mut Cursor<'a>) -> Result<(u16, &'a [u8]), ReplyError> {
    let code = cursor.u16("option code")?;
    let length = cursor.u16("option length")?;
    Ok((code, cursor.take(length.into(), "option data")?))
}

fn find(options: &Options, code: u16) -> Option<&[u8]> {
    let (_, data) = options.iter().find(|(found, _)| *found == code)?;
    Some(data)
}

fn echoed<T: PartialEq + std::fmt::Debug>(
    part: &'static str,
    sent: &T,
    seen: &T,
) -> Result<(), ReplyError> {
    if sent == seen {
        return Ok(());
    }
    Err(ReplyError::NotEchoed {
        part,
        sent: format!("{sent:?}"),
        seen: format!("{seen:?}"),
    })
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

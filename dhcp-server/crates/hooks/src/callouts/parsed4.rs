//! `query.parsed` of DHCPv4: a packet that a service parsed in place of the server.

use super::change4::{padded, set_hw_address};
use super::identity::Identity4;
use crate::callout::Refused;
use outrigger_proto::convert::ipv4;
use outrigger_proto::v1;
use outrigger_wire::options::Options;
use outrigger_wire::v4::{BOOT_REQUEST, Header4, MessageType, Packet4, code};

/// Bytes of options in one packet: as many as a datagram has.
const MAX_OPTIONS: usize = 65_535;

/// The packet, with transaction id and relay address of `datagram` as far as that has any. What the service gives of
/// these must be the same, or nothing.
pub(crate) fn packet(parsed: &v1::Packet4, datagram: &[u8]) -> Result<Packet4, Refused> {
    let identity = Identity4::of_bytes(datagram);
    let refused = |why: &str| Refused::new("query.parsed", why);
    let giaddr = ipv4("query.parsed.giaddr", &parsed.giaddr)?;
    let mut header = Header4 {
        op: BOOT_REQUEST,
        hops: u8::try_from(parsed.hops).map_err(|_| refused("hops has 8 bits"))?,
        xid: kept(identity.xid, parsed.transaction_id, 0)
            .ok_or_else(|| refused("the transaction id stays"))?,
        secs: u16::try_from(parsed.secs).map_err(|_| refused("secs has 16 bits"))?,
        flags: u16::try_from(parsed.flags).map_err(|_| refused("flags has 16 bits"))?,
        ciaddr: ipv4("query.parsed.ciaddr", &parsed.ciaddr)?,
        yiaddr: ipv4("query.parsed.yiaddr", &parsed.yiaddr)?,
        siaddr: ipv4("query.parsed.siaddr", &parsed.siaddr)?,
        giaddr: kept(identity.giaddr, giaddr, std::net::Ipv4Addr::UNSPECIFIED)
            .ok_or_else(|| refused("the relay address stays"))?,
        sname: padded(&parsed.sname).ok_or_else(|| refused("sname has 64 bytes"))?,
        file: padded(&parsed.file).ok_or_else(|| refused("file has 128 bytes"))?,
        hlen: 0,
        ..Header4::default()
    };
    if !matches!(parsed.op, 0 | 1) {
        return Err(refused("op of a query is 1"));
    }
    if let Some(address) = &parsed.hw_address {
        set_hw_address(&mut header, address).map_err(refused)?;
    }
    let (options, message_type) = options(parsed)?;
    Ok(Packet4 {
        header,
        options,
        message_type,
    })
}

/// The datagram's value, where the service says the same or nothing.
fn kept<T: PartialEq>(own: Option<T>, said: T, nothing: T) -> Option<T> {
    match own {
        Some(own) if said == nothing || said == own => Some(own),
        Some(_) => None,
        None => Some(said),
    }
}

fn options(parsed: &v1::Packet4) -> Result<(Options, Option<MessageType>), Refused> {
    let refused = |why: &str| Refused::new("query.parsed.options", why);
    let bytes: usize = parsed.options.iter().map(|option| option.data.len()).sum();
    if bytes > MAX_OPTIONS {
        return Err(refused("more than 65535 bytes"));
    }
    let mut options = Options::new();
    for option in &parsed.options {
        let code = u16::try_from(option.code).ok();
        let code = code.filter(|code| (1..=254).contains(code));
        let code = code.ok_or_else(|| refused("the code of an option is between 1 and 254"))?;
        if options.contains(code) {
            return Err(refused(
                "an option stands there twice: its parts are to be joined",
            ));
        }
        options.push(code, &option.data);
    }
    let number = match options.get(code::MESSAGE_TYPE) {
        None => parsed.message_type,
        Some([value]) if parsed.message_type == 0 => u32::from(*value),
        Some([value]) if parsed.message_type == u32::from(*value) => u32::from(*value),
        Some(_) => return Err(refused("option 53 and message_type differ")),
    };
    let kind = match u8::try_from(number) {
        Ok(0) => None,
        Ok(number @ 1..=18) => Some(MessageType::from(number)),
        _ => return Err(refused("the message type is not assigned")),
    };
    if let Some(kind) = kind {
        options.set(code::MESSAGE_TYPE, &[kind.into()]);
    }
    Ok((options, kind))
}

//! `query.parsed` of DHCPv6: a packet that a service parsed in place of the server.

use super::identity::{Identity6, RelayIdentity};
use crate::callout::Refused;
use outrigger_proto::convert::ipv6;
use outrigger_proto::v1;
use outrigger_wire::options::Options;
use outrigger_wire::v6::{MAX_RELAYS, MessageType, Packet6, RelayHop, code};
use smallvec::SmallVec;
use std::net::Ipv6Addr;

/// Bytes of options in one packet: as many as a datagram has.
const MAX_OPTIONS: usize = 65_535;
/// `msg-type` of a Relay-forward.
const RELAY_FORW: u8 = 12;

/// The packet, with transaction id and relays of `datagram` as far as that has any. What the service gives of these must
/// be the same, or nothing.
pub(crate) fn packet(parsed: &v1::Packet6, datagram: &[u8]) -> Result<Packet6, Refused> {
    let identity = Identity6::of_bytes(datagram);
    let refused = |why: &str| Refused::new("query.parsed", why);
    let relay_bytes: usize = parsed.relays.iter().map(|relay| size(&relay.options)).sum();
    if size(&parsed.options) + relay_bytes > MAX_OPTIONS {
        return Err(refused("more than 65535 bytes of options"));
    }
    if parsed.relays.len() > MAX_RELAYS {
        return Err(refused("more than 32 relays"));
    }
    let hops = parsed.relays.iter().enumerate().map(|(index, relay)| {
        let own = identity.relays.get(index);
        hop(relay, own)
    });
    let relays: SmallVec<[RelayHop; 2]> = hops.collect::<Result<_, _>>()?;
    let [high, a, b, c] = parsed.transaction_id.to_be_bytes();
    if high != 0 {
        return Err(refused("a transaction id has 24 bits"));
    }
    let xid = match identity.xid {
        Some(own) if parsed.transaction_id == 0 => own,
        _ => [a, b, c],
    };
    let message_type = match u8::try_from(parsed.message_type) {
        Ok(number @ 1..) => MessageType::from(number),
        _ => return Err(refused("there is no such message type")),
    };
    let packet = Packet6 {
        relays,
        message_type,
        xid,
        options: options(&parsed.options)?,
    };
    identity.keep_as("query.parsed", &Identity6::of_query(&packet))?;
    Ok(packet)
}

fn size(options: &[v1::Option]) -> usize {
    options.iter().map(|option| option.data.len() + 4).sum()
}

fn hop(relay: &v1::Relay6, own: Option<&RelayIdentity>) -> Result<RelayHop, Refused> {
    let address = |said: &[u8], own: Option<Ipv6Addr>| match own {
        Some(own) if said.is_empty() => Ok(own),
        _ if said.is_empty() => Ok(Ipv6Addr::UNSPECIFIED),
        _ => ipv6("query.parsed.relays", said),
    };
    let options = options(&relay.options)?;
    if options.contains(code::RELAY_MSG) {
        let why = "a relay's options are without the relayed message";
        return Err(Refused::new("query.parsed.relays", why));
    }
    Ok(RelayHop {
        msg_type: RELAY_FORW,
        hop_count: u8::try_from(relay.hop_count)
            .map_err(|_| Refused::new("query.parsed.relays", "a hop count has 8 bits"))?,
        link_address: address(&relay.link_address, own.map(|own| own.link_address))?,
        peer_address: address(&relay.peer_address, own.map(|own| own.peer_address))?,
        options,
    })
}

fn options(parsed: &[v1::Option]) -> Result<Options, Refused> {
    let refused = |why: &str| Refused::new("query.parsed.options", why);
    let mut options = Options::new();
    for option in parsed {
        let code = u16::try_from(option.code).ok().filter(|code| *code != 0);
        let code = code.ok_or_else(|| refused("the code of an option is between 1 and 65535"))?;
        if option.data.len() > usize::from(u16::MAX) {
            return Err(refused("an option has at most 65535 bytes"));
        }
        options.push(code, &option.data);
    }
    Ok(options)
}

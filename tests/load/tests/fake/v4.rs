//! The DHCPv4 side of the fake server.

use super::Mischief;

const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const ACK: u8 = 5;
const NAK: u8 = 6;

/// Answers one message.
pub(crate) fn answer(query: &[u8], mischief: Mischief) -> Vec<Vec<u8>> {
    let message_type = option(query, 53).unwrap()[0];
    let request = message_type != DISCOVER;
    if mischief == Mischief::Silent || request && mischief == Mischief::SilentToRequests {
        return Vec::new();
    }
    let reply = reply(query, message_type, mischief);
    let times = if mischief == Mischief::AnswersTwice {
        2
    } else {
        1
    };
    vec![reply; times]
}

fn reply(query: &[u8], message_type: u8, mischief: Mischief) -> Vec<u8> {
    let discover = message_type == DISCOVER;
    let mut reply = query[..240].to_vec();
    reply[0] = 2;
    reply[12..16].fill(0);
    let host = query[33] + 10;
    reply[16..20].copy_from_slice(&match mischief {
        Mischief::SameAddress => [10, 9, 0, 1],
        Mischief::OtherAddress if !discover => [10, 9, 1, host],
        Mischief::OutsidePrefix => [172, 16, 0, host],
        _ => [10, 9, 0, host],
    });
    match mischief {
        Mischief::WrongXid => reply[4] ^= 0x55,
        Mischief::OtherClient => reply[33] ^= 1,
        _ => {}
    }
    let (answer_type, server) = match (discover, mischief) {
        (true, Mischief::GrantsAtOnce) => (ACK, 1),
        (true, _) => (OFFER, 1),
        (false, Mischief::Refuses) => (NAK, 1),
        (false, Mischief::OtherServer) => (ACK, 2),
        (false, _) => (ACK, 1),
    };
    reply.extend_from_slice(&[53, 1, answer_type, 51, 4, 0, 0, 14, 16]);
    if mischief != Mischief::NoServerId {
        reply.extend_from_slice(&[54, 4, 10, 9, 0, server]);
    }
    if mischief != Mischief::NoRelayEcho {
        let relay_info = option(query, 82).unwrap();
        reply.extend_from_slice(&[82, u8::try_from(relay_info.len()).unwrap()]);
        reply.extend_from_slice(relay_info);
    }
    if mischief != Mischief::Cut {
        reply.push(255);
    }
    reply
}

fn option(packet: &[u8], code: u8) -> Option<&[u8]> {
    let mut rest = &packet[240..];
    while let [found, length, tail @ ..] = rest {
        let (value, tail) = tail.split_at(usize::from(*length));
        if *found == code {
            return Some(value);
        }
        rest = tail;
    }
    None
}

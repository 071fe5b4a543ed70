//! The DHCPv6 side of the fake server.

use super::Mischief;

const SOLICIT: u8 = 1;
const ADVERTISE: u8 = 2;
const REPLY: u8 = 7;

/// Answers one Relay-forward message.
pub(crate) fn answer(query: &[u8], mischief: Mischief) -> Vec<Vec<u8>> {
    let relayed = option(&query[34..], 9).unwrap();
    let request = relayed[0] != SOLICIT;
    if mischief == Mischief::Silent || request && mischief == Mischief::SilentToRequests {
        return Vec::new();
    }
    let mut reply = query[..34].to_vec();
    reply[0] = 13;
    if mischief != Mischief::NoRelayEcho {
        push(&mut reply, 18, option(&query[34..], 18).unwrap());
    }
    push(&mut reply, 9, &message(relayed, mischief));
    if mischief == Mischief::Cut {
        reply.pop();
    }
    let times = if mischief == Mischief::AnswersTwice {
        2
    } else {
        1
    };
    vec![reply; times]
}

fn message(query: &[u8], mischief: Mischief) -> Vec<u8> {
    let solicit = query[0] == SOLICIT;
    let answers_with = if solicit && mischief != Mischief::GrantsAtOnce {
        ADVERTISE
    } else {
        REPLY
    };
    let mut message = vec![answers_with, query[1], query[2], query[3]];
    if mischief == Mischief::WrongXid {
        message[1] ^= 0x55;
    }
    let mut client_id = option(&query[4..], 1).unwrap().to_vec();
    let last = client_id.len() - 1;
    let host = client_id[last] + 10;
    if mischief == Mischief::OtherClient {
        client_id[last] ^= 1;
    }
    push(&mut message, 1, &client_id);
    if mischief != Mischief::NoServerId {
        let server = if mischief == Mischief::OtherServer && !solicit {
            2
        } else {
            1
        };
        push(&mut message, 2, &[0, 3, 0, 1, server]);
    }
    push(&mut message, 3, &ia_na(host, solicit, mischief));
    message
}

fn ia_na(host: u8, solicit: bool, mischief: Mischief) -> Vec<u8> {
    let mut ia = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    if !solicit && mischief == Mischief::Refuses {
        push(&mut ia, 13, &[0, 2]);
        return ia;
    }
    let mut address = [0; 24];
    address[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    address[15] = host;
    match mischief {
        Mischief::SameAddress => address[15] = 1,
        Mischief::OtherAddress if !solicit => address[14] = 1,
        Mischief::OutsidePrefix => address[0] = 0xfd,
        _ => {}
    }
    address[18..20].copy_from_slice(&[14, 16]); // preferred
    address[22..24].copy_from_slice(&[14, 16]); // valid
    push(&mut ia, 5, &address);
    ia
}

fn push(packet: &mut Vec<u8>, code: u16, value: &[u8]) {
    packet.extend_from_slice(&code.to_be_bytes());
    packet.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
    packet.extend_from_slice(value);
}

fn option(mut rest: &[u8], code: u16) -> Option<&[u8]> {
    while let [a, b, c, d, tail @ ..] = rest {
        let (value, tail) = tail.split_at(usize::from(u16::from_be_bytes([*c, *d])));
        if u16::from_be_bytes([*a, *b]) == code {
            return Some(value);
        }
        rest = tail;
    }
    None
}

//! Answers made by hand, for tests.

use std::net::Ipv6Addr;

pub(crate) const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10);
pub(crate) const PREFIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 0);

pub(crate) fn option(code: u16, parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    let length = u16::try_from(data.len()).unwrap();
    [&code.to_be_bytes()[..], &length.to_be_bytes(), &data].concat()
}

pub(crate) fn message(message_type: u8, options: &[Vec<u8>]) -> Vec<u8> {
    [&[message_type, 0xAB, 0xCD, 0xEF], &options.concat()[..]].concat()
}

/// A Reply of server `serv`: IA_NA 1 and IA_PD 2 have a lease, IA_NA 3 has none.
pub(crate) fn reply() -> Vec<u8> {
    let lifetimes = [0, 0, 0, 100, 0, 0, 0, 200];
    let address = option(5, &[&ADDRESS.octets(), &lifetimes]);
    let prefix = option(26, &[&lifetimes, &[56], &PREFIX.octets()]);
    let status = option(13, &[&[0, 2], b"none left"]);
    let timers = [0, 0, 0, 50, 0, 0, 0, 80];
    message(
        7,
        &[
            option(1, &[&[0, 3, 0, 1, 2, 0, 0, 0, 0, 7]]),
            option(2, &[b"serv"]),
            option(3, &[&[0, 0, 0, 1], &timers, &address]),
            option(25, &[&[0, 0, 0, 2], &timers, &prefix]),
            option(3, &[&[0, 0, 0, 3], &[0; 8], &status]),
        ],
    )
}

//! Who may use which address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// An address that a client was told to use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) address: IpAddr,
    /// Seconds.
    pub(super) valid: u32,
    /// When it was asked for: it lasts at least from then on.
    pub(super) asked: Instant,
}

/// Addresses that clients use now.
#[derive(Debug, Default)]
pub(super) struct Bound {
    holders: BTreeMap<IpAddr, (u8, Instant)>,
}

impl Bound {
    /// The client uses its address no more, or says so.
    pub(super) fn give_up(&mut self, client: u8) {
        self.holders.retain(|_, (holder, _)| *holder != client);
    }

    /// The client may use the address. An error where another client may, too.
    pub(super) fn grant(&mut self, client: u8, lease: Lease) -> Result<(), String> {
        // A client has one lease: another address takes the place of the first.
        self.give_up(client);
        // The server counts in whole seconds.
        let valid = lease.valid.saturating_sub(1);
        let until = lease.asked + Duration::from_secs(valid.into());
        match self.holders.insert(lease.address, (client, until)) {
            Some((other, until)) if until > Instant::now() => Err(format!(
                "{} is leased to {client} while {other} holds it",
                lease.address
            )),
            _ => Ok(()),
        }
    }
}

//! Who holds which address, as far as the clients know.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ahash::AHashMap;

#[derive(Clone, Copy, Debug)]
struct Holding {
    client: u32,
    until: Instant,
}

/// Granted leases by address.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    by_address: AHashMap<IpAddr, Holding>,
}

impl Ledger {
    /// Notes a grant. Returns the other client when one still holds the address.
    ///
    /// `asked` is when the client first sent the request: the server cannot end the lease before
    /// `asked + valid`, so a conflict found here is never an expiry seen too late.
    pub(crate) fn grant(
        &mut self,
        address: IpAddr,
        client: u32,
        asked: Instant,
        now: Instant,
        valid: Duration,
    ) -> Option<u32> {
        let until = asked + valid;
        let before = self.by_address.insert(address, Holding { client, until })?;
        (before.client != client && before.until > now).then_some(before.client)
    }

    /// The client holds the address no longer, if it is the one that does.
    pub(crate) fn give_up(&mut self, address: IpAddr, client: u32) {
        if self
            .by_address
            .get(&address)
            .is_some_and(|holding| holding.client == client)
        {
            self.by_address.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_doubled_only_while_the_first_lease_lasts() {
        let start = Instant::now();
        let valid = Duration::from_secs(10);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mut ledger = Ledger::default();
        assert_eq!(ledger.grant(address, 1, start, start, valid), None);
        assert_eq!(
            ledger.grant(address, 1, start, start, valid),
            None,
            "its own lease again"
        );
        assert_eq!(
            ledger.grant(address, 2, start, start + valid / 2, valid),
            Some(1)
        );
        assert_eq!(
            ledger.grant(address, 3, start, start + valid, valid),
            None,
            "it has just ended"
        );
    }

    #[test]
    fn only_the_holder_gives_an_address_up() {
        let start = Instant::now();
        let valid = Duration::from_secs(10);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mut ledger = Ledger::default();
        ledger.grant(address, 1, start, start, valid);
        ledger.give_up(address, 2);
        assert_eq!(ledger.grant(address, 2, start, start, valid), Some(1));
        ledger.give_up(address, 2);
        assert_eq!(ledger.grant(address, 3, start, start, valid), None);
    }
}

//! The clients: what each holds, and whose turn it is.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

use super::flight::Slot;

/// How many earlier transactions of a client are recognized as its own.
const REMEMBERED: u32 = 64;

/// What one client knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client {
    /// The exchange it is in.
    pub(crate) slot: Option<Slot>,
    /// What it holds.
    pub(crate) lease: Option<IpAddr>,
    /// Who granted it.
    pub(crate) server: Option<u8>,
    /// How many transactions it has begun.
    transactions: u32,
}

/// All clients of this run.
pub(crate) struct Clients {
    clients: Vec<Client>,
    first: u32,
    idle: VecDeque<u32>,
    /// Makes this run's transaction identifiers differ from those of another run.
    key: u32,
    xid_mask: u32,
}

impl Clients {
    /// `count` clients, the first of which has the number `first`.
    pub(crate) fn new(first: u32, count: u32, xid_mask: u32) -> Self {
        let random = RandomState::new().build_hasher().finish().to_le_bytes();
        Self {
            clients: vec![Client::default(); count as usize],
            first,
            idle: VecDeque::new(),
            key: u32::from_le_bytes([random[0], random[1], random[2], random[3]]),
            xid_mask,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.clients.len()
    }

    /// Whether the number is one of this run's clients.
    pub(crate) fn contains(&self, client: u32) -> bool {
        self.index(client) < self.clients.len()
    }

    /// What the client knows; it must be one of this run.
    pub(crate) fn get(&self, client: u32) -> &Client {
        &self.clients[self.index(client)]
    }

    /// What the client knows, to change it.
    pub(crate) fn get_mut(&mut self, client: u32) -> &mut Client {
        let index = self.index(client);
        &mut self.clients[index]
    }

    /// Lets everybody wait for a turn who satisfies the condition, in order of number.
    pub(crate) fn line_up(&mut self, condition: impl Fn(&Client) -> bool) {
        self.idle.clear();
        self.idle.extend(
            (self.first..)
                .zip(&self.clients)
                .filter(|(_, c)| condition(c))
                .map(|(n, _)| n),
        );
    }

    /// Whose turn it is: the one that has waited longest.
    pub(crate) fn next_idle(&mut self) -> Option<u32> {
        self.idle.pop_front()
    }

    /// Whether nobody waits for a turn.
    pub(crate) fn nobody_waits(&self) -> bool {
        self.idle.is_empty()
    }

    /// The client waits for its next turn.
    pub(crate) fn wait_again(&mut self, client: u32) {
        self.idle.push_back(client);
    }

    /// A new transaction identifier for the client.
    pub(crate) fn next_xid(&mut self, client: u32) -> u32 {
        let state = self.get_mut(client);
        state.transactions = state.transactions.wrapping_add(1);
        let transaction = state.transactions;
        self.xid(client, transaction)
    }

    /// Whether the client used this identifier not long ago, so that the answer is merely late.
    pub(crate) fn used_lately(&self, client: u32, xid: u32) -> bool {
        let newest = self.get(client).transactions;
        (0..REMEMBERED.min(newest)).any(|back| self.xid(client, newest - back) == xid)
    }

    fn xid(&self, client: u32, transaction: u32) -> u32 {
        let mixed =
            client.wrapping_mul(0x9e37_79b1) ^ transaction.wrapping_mul(0x85eb_ca6b) ^ self.key;
        mixed & self.xid_mask
    }

    fn index(&self, client: u32) -> usize {
        client
            .checked_sub(self.first)
            .map_or(usize::MAX, |index| index as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_transactions_are_the_clients_own_and_others_are_not() {
        let mut clients = Clients::new(10, 2, 0x00ff_ffff);
        let first = clients.next_xid(10);
        let second = clients.next_xid(10);
        assert_ne!(first, second);
        assert!(first <= 0x00ff_ffff);
        assert!(clients.used_lately(10, first) && clients.used_lately(10, second));
        assert!(!clients.used_lately(10, first ^ 1) && !clients.used_lately(11, first));
        for _ in 0..REMEMBERED {
            clients.next_xid(10);
        }
        assert!(!clients.used_lately(10, first), "too long ago");
    }

    #[test]
    fn only_numbers_of_this_run_are_clients() {
        let clients = Clients::new(10, 2, u32::MAX);
        assert!([10, 11].iter().all(|client| clients.contains(*client)));
        assert!(
            ![0, 9, 12, u32::MAX]
                .iter()
                .any(|client| clients.contains(*client))
        );
    }
}

//! Which slots carry a name of a client.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Names of one holder: at most two (client identifier and hardware address).
pub(crate) const NAMES: u32 = 2;
const NONE: u32 = u32::MAX;

/// Finds slots by hash, and chains the slots of one name.
///
/// A client may hold any number of leases under one name: the table has one entry per name, so that adding and
/// removing stays cheap even if every lease in the server carries the same hardware address.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    heads: HashTable<Hashed>,
    /// By node: slot × [`NAMES`] + number of the name.
    links: Vec<Link>,
}

/// An entry of a table that remembers its hash, so that growing reads nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashed {
    pub(crate) hash: u32,
    /// A slot, or a node.
    pub(crate) number: u32,
}

impl Hashed {
    /// The table wants 64 bits and looks at both ends of them.
    pub(crate) fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }

    pub(crate) fn spread_again(&self) -> u64 {
        Self::spread(self.hash)
    }
}

#[derive(Debug, Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

impl Owners {
    /// Adds name number `name` of `slot`; `same` says whether a node's name is this one.
    pub(crate) fn link(&mut self, slot: u32, name: u32, hash: u32, same: impl Fn(u32) -> bool) {
        let node = node(slot, name);
        if self.links.len() <= node as usize {
            let len = (slot as usize + 1) * NAMES as usize;
            self.links.resize(
                len,
                Link {
                    before: NONE,
                    after: NONE,
                },
            );
        }
        let mut link = Link {
            before: NONE,
            after: NONE,
        };
        let is_same = |head: &Hashed| head.hash == hash && same(slot_of(head.number));
        match self
            .heads
            .entry(Hashed::spread(hash), is_same, Hashed::spread_again)
        {
            Entry::Occupied(mut head) => {
                link.after = head.get().number;
                self.links[link.after as usize].before = node;
                head.get_mut().number = node;
            }
            Entry::Vacant(place) => {
                place.insert(Hashed { hash, number: node });
            }
        }
        self.links[node as usize] = link;
    }

    /// Takes name number `name` of `slot` out again.
    pub(crate) fn unlink(&mut self, slot: u32, name: u32, hash: u32) {
        let node = node(slot, name);
        let Link { before, after } = self.links[node as usize];
        if after != NONE {
            self.links[after as usize].before = before;
        }
        if before != NONE {
            self.links[before as usize].after = after;
            return;
        }
        let head = self
            .heads
            .find_entry(Hashed::spread(hash), |head| head.number == node);
        let mut head = head.expect("a node without one before it heads its chain");
        if after == NONE {
            head.remove();
        } else {
            head.get_mut().number = after;
        }
    }

    /// Slots under the name for which `same` holds, latest first.
    pub(crate) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> impl Iterator<Item = u32> {
        let head = self.heads.find(Hashed::spread(hash), |head| {
            head.hash == hash && same(slot_of(head.number))
        });
        let first = head.map(|head| head.number);
        std::iter::successors(first, |node| {
            Some(self.links[*node as usize].after).filter(|after| *after != NONE)
        })
        .map(slot_of)
    }
}

fn node(slot: u32, name: u32) -> u32 {
    slot.checked_mul(NAMES)
        .expect("fewer than 2^31 leases fit in memory")
        + name
}

fn slot_of(node: u32) -> u32 {
    node / NAMES
}

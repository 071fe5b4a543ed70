//! Numbered places for values, in blocks that never move.

/// Places per block. Growing costs one block, not a copy of everything under the lock of the index.
const BLOCK: usize = 1024;

/// Values by slot number. The lowest numbers are used first to last; freed ones are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    blocks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    /// Slots ever used.
    used: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            free: Vec::new(),
            used: 0,
        }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            *self.place(slot) = Some(value);
            return slot;
        }
        let slot = self.used;
        self.used = slot
            .checked_add(1)
            .expect("fewer than 2^32 leases fit in memory");
        if slot as usize / BLOCK == self.blocks.len() {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        self.blocks[slot as usize / BLOCK].push(Some(value));
        slot
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.place(slot).take()?;
        self.free.push(slot);
        Some(value)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        self.blocks
            .get(slot as usize / BLOCK)?
            .get(slot as usize % BLOCK)?
            .as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.blocks
            .get_mut(slot as usize / BLOCK)?
            .get_mut(slot as usize % BLOCK)?
            .as_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.used as usize - self.free.len()
    }

    /// One more than the highest slot in use at some time.
    pub(crate) fn end(&self) -> u32 {
        self.used
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flatten().flatten()
    }

    fn place(&mut self, slot: u32) -> &mut Option<T> {
        &mut self.blocks[slot as usize / BLOCK][slot as usize % BLOCK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_slot_is_used_again() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert('c'), a);
        assert_eq!(
            (slab.get(a), slab.get(b), slab.get(9)),
            (Some(&'c'), Some(&'b'), None)
        );
        assert_eq!((slab.len(), slab.end()), (2, 2));
    }

    #[test]
    fn values_of_every_block_are_found() {
        let mut slab = Slab::default();
        for n in 0..3 * BLOCK {
            assert_eq!(slab.insert(n) as usize, n);
        }
        assert!(slab.iter().copied().eq(0..3 * BLOCK));
    }
}

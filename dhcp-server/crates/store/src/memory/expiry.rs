//! Slots in the order in which they expire.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Children per node: a lease that is extended mostly stands at the bottom already, and stays there.
const WIDTH: usize = 4;
const ABSENT: u32 = u32::MAX;

/// Slots ordered by time: a heap that knows where in it each slot stands.
///
/// Moving a known slot allocates nothing, whatever its old and new time; there is no horizon and no clock.
#[derive(Debug, Default)]
pub(crate) struct ExpiryQueue {
    heap: Vec<(u64, u32)>,
    /// Position in `heap` by slot.
    at: Vec<u32>,
}

impl ExpiryQueue {
    /// Adds `slot`, or moves it to another time.
    pub(crate) fn set(&mut self, slot: u32, time: u64) {
        if self.at.len() <= slot as usize {
            self.at.resize(slot as usize + 1, ABSENT);
        }
        let index = match self.at[slot as usize] {
            ABSENT => {
                self.heap.push((time, slot));
                self.heap.len() - 1
            }
            index => index as usize,
        };
        self.settle(index, (time, slot));
    }

    /// Takes `slot` out, if it is in.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(&index) = self.at.get(slot as usize).filter(|index| **index != ABSENT) else {
            return;
        };
        self.at[slot as usize] = ABSENT;
        let last = self.heap.pop().expect("the slot is in the heap");
        if (index as usize) < self.heap.len() {
            self.settle(index as usize, last);
        }
    }

    /// Slots whose time is at most `until`, earliest first. The cost depends on what is taken, not on what there is.
    pub(crate) fn due(&self, until: u64) -> Due<'_> {
        let mut due = Due {
            heap: &self.heap,
            until,
            frontier: BinaryHeap::new(),
        };
        due.reach(0);
        due
    }

    fn settle(&mut self, mut index: usize, entry: (u64, u32)) {
        while index > 0 {
            let parent = (index - 1) / WIDTH;
            if self.heap[parent].0 <= entry.0 {
                break;
            }
            self.place(index, self.heap[parent]);
            index = parent;
        }
        while let Some(child) = self
            .earliest_child(index)
            .filter(|child| self.heap[*child].0 < entry.0)
        {
            self.place(index, self.heap[child]);
            index = child;
        }
        self.place(index, entry);
    }

    fn earliest_child(&self, index: usize) -> Option<usize> {
        children(index, self.heap.len()).min_by_key(|child| self.heap[*child].0)
    }

    fn place(&mut self, index: usize, entry: (u64, u32)) {
        self.heap[index] = entry;
        self.at[entry.1 as usize] = u32::try_from(index).expect("no more positions than slots");
    }
}

fn children(index: usize, len: usize) -> std::ops::Range<usize> {
    let first = index * WIDTH + 1;
    first.min(len)..(first + WIDTH).min(len)
}

/// See [`ExpiryQueue::due`].
pub(crate) struct Due<'a> {
    heap: &'a [(u64, u32)],
    until: u64,
    /// Positions whose parent was given out already.
    frontier: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Due<'_> {
    fn reach(&mut self, index: usize) {
        if let Some((time, _)) = self.heap.get(index).filter(|entry| entry.0 <= self.until) {
            self.frontier.push(Reverse((*time, index)));
        }
    }
}

impl Iterator for Due<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let Reverse((_, index)) = self.frontier.pop()?;
        for child in children(index, self.heap.len()) {
            self.reach(child);
        }
        Some(self.heap[index].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut queue = ExpiryQueue::default();
        queue.set(3, 50);
        queue.set(1, 40);
        assert_eq!(queue.due(39).count(), 0);
        assert_eq!(queue.due(40).collect::<Vec<_>>(), [1]);
        assert_eq!(queue.due(u64::MAX).collect::<Vec<_>>(), [1, 3]);
    }

    proptest! {
        #[test]
        fn order_equals_a_sorted_map(steps in prop::collection::vec((0_u32..40, prop::option::of(0_u64..30)), 0..200)) {
            let mut queue = ExpiryQueue::default();
            let mut model = BTreeMap::new();
            for (slot, time) in steps {
                match time {
                    Some(time) => {
                        queue.set(slot, time);
                        model.insert(slot, time);
                    }
                    None => {
                        queue.remove(slot);
                        model.remove(&slot);
                    }
                }
                let due: Vec<u32> = queue.due(20).collect();
                prop_assert!(due.iter().map(|slot| model[slot]).is_sorted());
                let mut due_sorted = due;
                due_sorted.sort_unstable();
                prop_assert!(model.iter().filter(|(_, time)| **time <= 20).map(|(slot, _)| *slot).eq(due_sorted));
            }
        }
    }
}

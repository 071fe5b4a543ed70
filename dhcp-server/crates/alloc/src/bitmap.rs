//! A set of numbers that finds its next member in a few word reads.

/// Which numbers below `len` are members. Level 0 has a bit for each number; each bit of a higher level says whether
/// the word below it has a member.
#[derive(Debug)]
pub(crate) struct Bitmap {
    levels: Vec<Vec<u64>>,
    len: u64,
}

const BITS: u64 = 64;

impl Bitmap {
    /// Every number below `len` is a member.
    pub(crate) fn full(len: u64) -> Self {
        let mut levels = Vec::new();
        let mut bits = len;
        loop {
            levels.push(Self::ones(bits));
            if bits <= BITS {
                return Self { levels, len };
            }
            bits = bits.div_ceil(BITS);
        }
    }

    fn ones(bits: u64) -> Vec<u64> {
        let words = usize::try_from(bits.div_ceil(BITS).max(1)).unwrap_or(usize::MAX);
        let mut level = vec![u64::MAX; words];
        if let Some(last) = level.last_mut() {
            *last = match bits % BITS {
                0 if bits == 0 => 0,
                0 => u64::MAX,
                used => (1 << used) - 1,
            };
        }
        level
    }

    /// Adds a number. Numbers from `len` on are ignored.
    pub(crate) fn insert(&mut self, number: u64) {
        if number >= self.len {
            return;
        }
        let mut at = number;
        for level in &mut self.levels {
            let word = word_mut(level, at);
            let was_empty = *word == 0;
            *word |= 1 << (at % BITS);
            if !was_empty {
                return;
            }
            at /= BITS;
        }
    }

    /// Removes a number.
    pub(crate) fn remove(&mut self, number: u64) {
        if number >= self.len {
            return;
        }
        let mut at = number;
        for level in &mut self.levels {
            let word = word_mut(level, at);
            *word &= !(1 << (at % BITS));
            if *word != 0 {
                return;
            }
            at /= BITS;
        }
    }

    /// The smallest member that is at least `from`.
    pub(crate) fn next(&self, from: u64) -> Option<u64> {
        let mut at = from;
        let mut depth = 0;
        // Up: to a level whose current word has a member at or behind the position.
        loop {
            let word = *self
                .levels
                .get(depth)?
                .get(usize::try_from(at / BITS).ok()?)?;
            let behind = word & (u64::MAX << (at % BITS));
            if behind != 0 {
                at = at / BITS * BITS + u64::from(behind.trailing_zeros());
                break;
            }
            at = at / BITS + 1;
            depth += 1;
        }
        // Down: to the first member below it.
        while depth > 0 {
            depth -= 1;
            let word = *self.levels.get(depth)?.get(usize::try_from(at).ok()?)?;
            at = at * BITS + u64::from(word.trailing_zeros());
        }
        Some(at)
    }

    /// Whether `number` is a member.
    #[cfg(test)]
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.next(number) == Some(number)
    }
}

fn word_mut(level: &mut [u64], at: u64) -> &mut u64 {
    let index = usize::try_from(at / BITS).expect("a bitmap fits into memory");
    &mut level[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_answers_as_a_sorted_set_does(
            len in 1u64..10_000,
            steps in prop::collection::vec((any::<bool>(), 0u64..10_000, 0u64..10_000), 0..400),
        ) {
            let mut bitmap = Bitmap::full(len);
            let mut set: BTreeSet<u64> = (0..len).collect();
            for (add, number, from) in steps {
                if add {
                    bitmap.insert(number);
                    if number < len { set.insert(number); }
                } else {
                    bitmap.remove(number);
                    set.remove(&number);
                }
                prop_assert_eq!(bitmap.next(from), set.range(from..).next().copied());
            }
        }
    }

    #[test]
    fn the_last_free_number_of_a_large_set_is_found() {
        let len = 1 << 20;
        let mut bitmap = Bitmap::full(len);
        for number in 0..len - 1 {
            bitmap.remove(number);
        }
        assert_eq!(bitmap.next(0), Some(len - 1));
        bitmap.remove(len - 1);
        assert_eq!(bitmap.next(0), None);
        bitmap.insert(7);
        assert_eq!(bitmap.next(0), Some(7));
        assert!(bitmap.contains(7));
    }
}

//! A path inside the process that loses, doubles and overtakes messages.

/// A path that loses, doubles and overtakes messages, as its seed says: the same seed makes the same mistakes.
#[derive(Debug)]
pub struct LossyPath<T> {
    waiting: Vec<T>,
    random: u64,
    percent: u64,
}

impl<T: Clone> LossyPath<T> {
    /// Loses `percent` of the messages and doubles as many.
    #[must_use]
    pub fn new(seed: u64, percent: u8) -> Self {
        Self {
            waiting: Vec::new(),
            random: seed,
            percent: percent.into(),
        }
    }

    /// Puts a message on its way, or not, or twice.
    pub fn send(&mut self, message: T) {
        let chance = self.below(100);
        if chance < self.percent {
            return;
        }
        if chance >= 100 - self.percent.min(100) {
            self.waiting.push(message.clone());
        }
        self.waiting.push(message);
    }

    /// Any message that is on its way.
    pub fn receive(&mut self) -> Option<T> {
        let count = u64::try_from(self.waiting.len()).ok()?;
        let place = self.below(count.max(1));
        let place = usize::try_from(place).ok()?;
        (place < self.waiting.len()).then(|| self.waiting.swap_remove(place))
    }

    /// The next number below `limit` (SplitMix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(seed: u64, percent: u8) -> Vec<u32> {
        let mut path = LossyPath::new(seed, percent);
        (0..1000).for_each(|number| path.send(number));
        std::iter::from_fn(|| path.receive()).collect()
    }

    #[test]
    fn path_without_mistakes_only_overtakes() {
        let mut arrived = through(1, 0);
        assert!(!arrived.is_sorted());
        arrived.sort_unstable();
        assert_eq!(arrived, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn about_as_many_are_lost_and_doubled_as_was_said() {
        let mut arrived = through(2, 20);
        let count = arrived.len();
        assert!((900..1100).contains(&count), "{count}");
        arrived.sort_unstable();
        arrived.dedup();
        assert!((740..860).contains(&arrived.len()), "{}", arrived.len());
    }

    #[test]
    fn same_seed_makes_the_same_mistakes() {
        assert_eq!(through(3, 10), through(3, 10));
        assert_ne!(through(3, 10), through(4, 10));
    }
}

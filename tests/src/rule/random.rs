//! Random numbers from a seed: the same on every machine and kernel.

/// The generator SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The generator of one pair; the states of neighbouring pairs differ in every bit.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut outer = Self(seed);
        Self(outer.next() ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True in one of `number` cases.
    pub(super) fn one_in(&mut self, number: u64) -> bool {
        self.next().is_multiple_of(number)
    }

    /// One of `choices`, all equally likely.
    pub(super) fn pick<T: Copy, const COUNT: usize>(&mut self, choices: [T; COUNT]) -> T {
        let index = usize::try_from(self.next() % COUNT as u64).unwrap_or_default();
        choices[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers() {
        let draw = |seed, number| {
            let mut random = Random::of(seed, number);
            [random.next(), random.next()]
        };
        assert_eq!(draw(1, 7), draw(1, 7));
        assert_ne!(draw(1, 7), draw(1, 8));
        assert_ne!(draw(1, 7), draw(2, 7));
    }

    #[test]
    fn every_choice_comes_up() {
        let mut random = Random::of(1, 1);
        let mut counts = [0; 5];
        for _ in 0..1000 {
            counts[random.pick([0, 1, 2, 3, 4])] += 1;
        }
        assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
    }
}

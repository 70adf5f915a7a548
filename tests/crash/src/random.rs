//! Chance that can be repeated.

/// `SplitMix64`: small, and good enough to choose with.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The same seed, the same choices.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another one for somebody else, whose choices do not depend on how often
    /// this one is asked from now on.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number from 0 to below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of a list; `None` when it is empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(list.len() as u64)).unwrap_or_default();
        list.get(at)
    }

    /// 256 bits as hexadecimal digits: a secret for a gateway that keeps none.
    pub(crate) fn secret(&mut self) -> String {
        let [a, b, c, d] = [(); 4].map(|()| self.next());
        format!("{a:016x}{b:016x}{c:016x}{d:016x}")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices() {
        let choices = |seed| {
            let mut random = Random::new(seed);
            [(); 20].map(|()| random.below(1_000))
        };
        assert_eq!(choices(7), choices(7));
        assert_ne!(choices(7), choices(8));
    }

    #[test]
    fn everything_is_chosen_at_some_time() {
        let mut random = Random::new(1);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[*random.pick(&[0, 1, 2, 3, 4]).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.pick::<u8>(&[]), None);
    }

    #[test]
    fn a_secret_has_32_bytes() {
        assert_eq!(Random::new(3).secret().len(), 64);
    }
}

//! How the children of a container divide its bytes.

use super::measure::{MIN_SHARE, Node};
use super::work;

/// What one child asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// It is left out rather than given less.
    pub(super) floor: usize,
    /// It needs no more.
    pub(super) bytes: usize,
}

impl Claim {
    /// The claim of `node` on a container that has `available` bytes.
    ///
    /// The essence of a child is its floor, but no child claims more than a
    /// quarter: else one with a large essence would push out its siblings.
    pub(super) fn of(node: Node, available: usize) -> Self {
        Self {
            floor: node.essential.min((available / 4).max(MIN_SHARE)),
            bytes: node.bytes,
        }
    }

    /// What it gets when nobody gets more than `level` beyond their floor.
    fn at(self, level: usize) -> usize {
        self.bytes.min(self.floor.max(level))
    }
}

/// Divides `available` bytes like water poured into vessels: all that ask for
/// less than the level are filled, the largest share what is left evenly.
pub(super) struct Shares {
    level: usize,
    spare: usize,
}

impl Shares {
    /// Finds the level. The floors together must not exceed `available`.
    pub(super) fn new(claims: &[Claim], available: usize) -> Self {
        let total = |level| {
            work::steps(claims.len());
            claims.iter().map(|claim| claim.at(level)).sum::<usize>()
        };
        let (mut level, mut too_high) = (0, available + 1);
        while too_high - level > 1 {
            let middle = usize::midpoint(level, too_high);
            if total(middle) <= available {
                level = middle;
            } else {
                too_high = middle;
            }
        }
        Self {
            level,
            spare: available.saturating_sub(total(level)),
        }
    }

    /// What the next child may use: its share, and what those before left over.
    pub(super) fn next(&self, claim: Claim) -> usize {
        claim.at(self.level) + self.spare
    }

    /// Takes note of what that child used, at most what [`Shares::next`] said.
    pub(super) fn used(&mut self, claim: Claim, used: usize) {
        self.spare = self.next(claim).saturating_sub(used);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claims(sizes: &[usize]) -> Vec<Claim> {
        sizes
            .iter()
            .map(|bytes| Claim {
                floor: 2.min(*bytes),
                bytes: *bytes,
            })
            .collect()
    }

    #[track_caller]
    fn check(sizes: &[usize], available: usize, expected: &[usize]) {
        let mut shares = Shares::new(&claims(sizes), available);
        let given: Vec<usize> = claims(sizes)
            .into_iter()
            .map(|claim| {
                let given = shares.next(claim).min(claim.bytes);
                shares.used(claim, given);
                given
            })
            .collect();
        assert_eq!(given, expected);
    }

    #[test]
    fn the_largest_shrink_first() {
        check(&[10, 1_000, 20], 100, &[10, 70, 20]);
        check(&[500, 1_000, 20], 100, &[40, 40, 20]);
        check(&[5, 5], 100, &[5, 5]);
        check(&[], 100, &[]);
    }

    #[test]
    fn what_is_left_over_goes_to_those_behind() {
        check(&[100, 100, 100], 100, &[34, 33, 33]);
        let claims = claims(&[100, 100]);
        let mut shares = Shares::new(&claims, 100);
        assert_eq!(shares.next(claims[0]), 50);
        shares.used(claims[0], 10);
        assert_eq!(shares.next(claims[1]), 90);
    }

    proptest! {
        #[test]
        fn shares_fill_what_is_available(
            sizes in prop::collection::vec(1_usize..500, 1..20),
            available in 40_usize..2_000,
        ) {
            let claims = claims(&sizes);
            let mut shares = Shares::new(&claims, available);
            let mut given = 0;
            for claim in claims {
                let share = shares.next(claim).min(claim.bytes);
                prop_assert!(share >= claim.floor);
                shares.used(claim, share);
                given += share;
            }
            prop_assert_eq!(given, available.min(sizes.iter().sum()));
        }
    }
}

//! Seeds of programs that make choices by chance.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// Another one each time, and short enough to be typed.
pub fn any_seed() -> u64 {
    RandomState::new().hash_one(0_u8) % 1_000_000
}

//! Random operands.

use rand::{Rng, RngExt};

/// A signed number of so many bits: the ends of the range, words beside powers of two, and numbers of every size more often than chance has them.
pub fn number(rng: &mut impl Rng, bits: u32) -> i64 {
    let top = ((1u64 << (bits - 1)) - 1) as i64;
    let power = |rng: &mut _| 1i64 << RngExt::random_range(rng, 0..(bits - 1).max(1));
    match rng.random_range(0..8) {
        0 => [top, -top - 1, 0, -1][rng.random_range(0..4)],
        1 => (power(rng) - rng.random_range(0..2)).min(top),
        2 => rng.random_range(0..2) - power(rng),
        3 => rng.random_range(-top - 1..=top),
        _ => rng.random_range(-top - 1..=top) >> rng.random_range(0..bits),
    }
}

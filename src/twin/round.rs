//! Leaving an accumulator, many times over: [`requant`](crate::format::requant) with its constants computed once.
//!
//! ```
//! use astromorph::format::{Format, requant};
//! use astromorph::twin::Rounder;
//! let to = Format::new(8, 4);
//! let r = Rounder::new(8, to);
//! assert_eq!(r.apply(1000), 63);
//! assert_eq!(r.apply(-1 << 20) as i64, requant(-1 << 20, 8, to));
//! ```

use crate::format::Format;
use multiversion::multiversion;

/// `requant` from one fraction to one format, for accumulators of at most 62 bits (every one of the twin but a bias of 63).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounder {
    half: i64,
    right: u32,
    left: u32,
    /// Beyond ±`guard` every left-shifted value saturates; 2^62 when there is no left shift.
    guard: i64,
    min: i64,
    max: i64,
}

impl Rounder {
    /// From an accumulator of fraction `frac_in` to `to` (at most 20 bits).
    pub fn new(frac_in: i32, to: Format) -> Self {
        let shift = frac_in - to.frac;
        // A right shift by 62 or more rounds everything to zero; a left shift by 40 saturates all but zero.
        let right = shift.clamp(0, 62) as u32;
        Rounder {
            half: if right > 0 { 1 << (right - 1) } else { 0 },
            right,
            left: (-shift).clamp(0, 40) as u32,
            guard: if shift < 0 { 1 << to.bits } else { 1 << 62 },
            min: to.min(),
            max: to.max(),
        }
    }

    /// Rounds and saturates one value.
    #[inline(always)]
    pub fn apply(&self, acc: i64) -> i32 {
        let x = acc.clamp(-self.guard, self.guard);
        ((((x + self.half) >> self.right) << self.left).clamp(self.min, self.max)) as i32
    }

    /// Rounds a whole tensor.
    pub fn all(&self, acc: &[i64]) -> Vec<i32> {
        let mut out = vec![0; acc.len()];
        self.into(acc, &mut out);
        out
    }

    /// Rounds a whole tensor into a given place.
    pub fn into(&self, acc: &[i64], out: &mut [i32]) {
        each(*self, acc, out);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn each(rounder: Rounder, acc: &[i64], out: &mut [i32]) {
    for (out, &acc) in out.iter_mut().zip(acc) {
        *out = rounder.apply(acc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::requant;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_requant(raw in -(1i64 << 61)..(1i64 << 61), down in 0u32..61, frac_in in -80i32..80, bits in 2u32..20) {
            let (acc, to) = (raw >> down, Format::new(bits, 0));
            prop_assert_eq!(Rounder::new(frac_in, to).apply(acc) as i64, requant(acc, frac_in, to));
            prop_assert_eq!(Rounder::new(frac_in, to).all(&[acc])[0] as i64, requant(acc, frac_in, to));
        }
    }
}

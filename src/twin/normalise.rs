//! num/C with a reciprocal table and two rounded shifts (`docs/arithmetic.md` section 5).
//!
//! ```
//! use astromorph::{format::Format, table, twin::attention::Normaliser};
//! // num = 6 and C = 2 with 8 fraction bits each, y with 8; C is at least 2^-2.
//! let n = Normaliser::new(8, 8, Format::new(16, 8), 64);
//! assert_eq!(n.apply(6 * 256, 2 * 256, &table::reciprocal(9), 9), 767); // 3 = 768/256, less half a bin of 2^-9
//! ```

use crate::format::{Format, dynround, requant, saturate, split};
use multiversion::multiversion;

/// The constants of one `normalise`: y = num/C (`docs/arithmetic.md` section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normaliser {
    /// L: exact shift to the left that keeps the run-time shift from being negative.
    pub left: u32,
    /// κ + L: the run-time shift is E + `offset`, never negative for C ≥ c_min.
    pub offset: i32,
    /// SW, the width of the multiplier's operand.
    pub serial_bits: u32,
    /// The product's shift, 15 + γ.
    pub shift: i32,
    /// Output width W.
    pub bits: u32,
}

impl Normaliser {
    /// From the fractions of num and C, the output format and the smallest C.
    pub fn new(num_frac: i32, c_frac: i32, y: Format, c_min: i64) -> Self {
        let serial_bits = y.bits.max(16);
        let gamma = serial_bits as i32 - 1 - y.bits as i32;
        let kappa = num_frac - c_frac - y.frac - gamma;
        let e_min = 63 - c_min.leading_zeros() as i32;
        let left = (-(kappa + e_min)).max(0);
        Normaliser {
            left: left as u32,
            offset: kappa + left,
            serial_bits,
            shift: 15 + gamma,
            bits: y.bits,
        }
    }

    /// y = num/C with the reciprocal table of `mantissa_bits`.
    #[inline(always)]
    pub fn apply(&self, num: i64, c: i64, table: &[i32], mantissa_bits: u32) -> i32 {
        let (e, mant) = split(c, mantissa_bits);
        self.scale(num, e, table[mant])
    }

    /// The same with exponent and reciprocal mantissa already looked up.
    #[inline(always)]
    pub fn scale(&self, num: i64, e: u32, r: i32) -> i32 {
        let wide = (num as i128) << self.left;
        let n = if wide as i64 as i128 == wide {
            dynround(wide as i64, (e as i32 + self.offset) as u32, self.serial_bits)
        } else {
            // The left shift serves the smallest C; a num this large with it saturates at any shift.
            let shifted = (((wide << 1) >> (e as i32 + self.offset)) + 1) >> 1;
            saturate(
                shifted.clamp(i64::MIN as i128, i64::MAX as i128) as i64,
                self.serial_bits,
            )
        };
        requant(n * r as i64, self.shift, Format::new(self.bits, 0)) as i32
    }

    /// One token's row: every num by the same C.
    pub(crate) fn row(&self, num: &[i64], e: u32, r: i32, num_bits: u32, out: &mut [i32]) {
        if num_bits + self.left <= 61 {
            row(self, num, e, r, out);
        } else {
            out.iter_mut().zip(num).for_each(|(y, &num)| *y = self.scale(num, e, r));
        }
    }
}

/// [`Normaliser::scale`] where 2·(num << L) fits 63 bits, so that no step needs 128.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn row(n: &Normaliser, num: &[i64], e: u32, r: i32, out: &mut [i32]) {
    let right = (e as i32 + n.offset).min(63) as u32;
    let (left, shift, half, r) = (n.left + 1, n.shift as u32, 1i64 << (n.shift - 1), r as i64);
    let (serial, top) = (1i64 << (n.serial_bits - 1), 1i64 << (n.bits - 1));
    for (y, &num) in out.iter_mut().zip(num) {
        let x = ((((num << left) >> right) + 1) >> 1).clamp(-serial, serial - 1);
        *y = ((x * r + half) >> shift).clamp(-top, top - 1) as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_equals_the_long_one(
            num in -(1i64 << 40)..(1i64 << 40), down in 0u32..40, c in 1i64..(1 << 40), c_min in 0u32..10,
            num_frac in -20i32..40, c_frac in 0i32..40, y_frac in -10i32..30, bits in 8u32..=18,
        ) {
            let (num, c) = (num >> down, c.max(1 << c_min));
            let n = Normaliser::new(num_frac, c_frac, Format::new(bits, y_frac), 1 << c_min);
            prop_assume!(n.left <= 60);
            let (e, r) = (63 - c.leading_zeros(), 20_000);
            let mut y = [0];
            n.row(&[num], e, r, 41, &mut y);
            prop_assert_eq!(y[0], n.scale(num, e, r));
        }
    }
}

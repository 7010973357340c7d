//! A residual sum in integers: both operands at the larger fraction, added, rounded once (`docs/arithmetic.md` section 7).
//!
//! ```
//! use astromorph::format::Format;
//! use astromorph::twin::Residual;
//! let sum = Residual::new(Format::new(8, 2), Format::new(8, 5), Format::new(8, 3));
//! assert_eq!(sum.run(&[6], &[20]), [17]); // 1.5 + 0.625 = 2.125
//! ```

use super::round::Rounder;
use super::width::signed_bits;
use crate::format::Format;
use multiversion::multiversion;

/// Largest distance between the fractions of the two operands: the sum then has at most 18 + 32 + 1 bits.
pub const MAX_ALIGNMENT: i32 = 32;

/// Alignment and rounding of one residual sum.
#[derive(Clone, Copy, Debug)]
pub struct Residual {
    x: u32,
    y: u32,
    operands: [Format; 2],
    rounder: Rounder,
    out: Format,
}

impl Residual {
    /// x + y → `out`. Their fractions differ by at most [`MAX_ALIGNMENT`].
    pub fn new(x: Format, y: Format, out: Format) -> Self {
        let frac = x.frac.max(y.frac);
        Residual {
            x: (frac - x.frac) as u32,
            y: (frac - y.frac) as u32,
            operands: [x, y],
            rounder: Rounder::new(frac, out),
            out,
        }
    }

    /// Format of the result.
    pub fn out(&self) -> Format {
        self.out
    }

    /// Width of the sum.
    pub fn accumulator_bits(&self) -> u32 {
        let [x, y] = self.operands;
        let sum = |a: i64, b: i64| ((a as i128) << self.x) + ((b as i128) << self.y);
        signed_bits(sum(x.min(), y.min()), sum(x.max(), y.max()))
    }

    #[inline(always)]
    fn sum(&self, x: i32, y: i32) -> i64 {
        ((x as i64) << self.x) + ((y as i64) << self.y)
    }

    /// The rounded sum of two tensors.
    pub fn run(&self, x: &[i32], y: &[i32]) -> Vec<i32> {
        let mut out = vec![0; x.len()];
        sums(self, x, y, &mut out);
        out
    }
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn sums(residual: &Residual, x: &[i32], y: &[i32], out: &mut [i32]) {
    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *out = residual.rounder.apply(residual.sum(x, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_case_fills_the_accumulator() {
        for bits in [8, 16, 18] {
            for apart in [0, 1, 5, MAX_ALIGNMENT] {
                let (x, y) = (Format::new(bits, -3), Format::new(bits, apart - 3));
                let sum = Residual::new(x, y, x);
                let acc = sum.sum(x.min() as i32, y.min() as i32);
                let declared = sum.accumulator_bits();
                assert!(acc >= Format::new(declared, 0).min() && acc < Format::new(declared - 1, 0).min());
            }
        }
    }
}

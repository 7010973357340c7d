//! Mean pooling in integers: Σ_t x_t divided by N with the reciprocal table (`docs/arithmetic.md` section 7).
//!
//! ```
//! use astromorph::{format::Format, table, twin::Mean};
//! let f = Format::new(16, 8);
//! let mean = Mean::new(f, f, 64, table::reciprocal(9), 9);
//! // (1 + 2 + 6)/3 = 3, 768 in raw words; the table's bin puts it one unit low.
//! assert_eq!(mean.run(&[256, 512, 1536], 1), [767]);
//! ```

use super::attention::Normaliser;
use crate::format::{Format, growth};

/// The mean over the tokens of a sequence.
#[derive(Clone, Debug)]
pub struct Mean {
    normaliser: Normaliser,
    reciprocal: Vec<i32>,
    mantissa_bits: u32,
    x: Format,
    out: Format,
    n_max: usize,
}

impl Mean {
    /// From `x` to `out`, for at most `n_max` tokens.
    pub fn new(x: Format, out: Format, n_max: usize, reciprocal: Vec<i32>, mantissa_bits: u32) -> Self {
        Mean {
            normaliser: Normaliser::new(x.frac, 0, out, 1),
            reciprocal,
            mantissa_bits,
            x,
            out,
            n_max,
        }
    }

    /// Format of the result.
    pub fn out(&self) -> Format {
        self.out
    }

    /// Width of the sum: N_max operands, so ⌈log2 N_max⌉ bits more than one.
    pub fn accumulator_bits(&self) -> u32 {
        self.x.bits + growth(self.n_max)
    }

    /// Σ_t x_t for x of N × `cols`.
    pub fn accumulate(&self, x: &[i32], cols: usize) -> Vec<i64> {
        let mut sum = vec![0i64; cols];
        for row in x.chunks_exact(cols) {
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x as i64);
        }
        sum
    }

    /// The mean of x (N × `cols`, 1 ≤ N ≤ N_max).
    pub fn run(&self, x: &[i32], cols: usize) -> Vec<i32> {
        let n = (x.len() / cols) as i64;
        let mean = |&sum: &i64| self.normaliser.apply(sum, n, &self.reciprocal, self.mantissa_bits);
        self.accumulate(x, cols).iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn the_worst_case_fills_the_accumulator() {
        for (bits, n) in [(8, 1), (8, 5), (16, 400), (18, 512)] {
            let x = Format::new(bits, 0);
            let mean = Mean::new(x, x, n, table::reciprocal(9), 9);
            let sum = mean.accumulate(&vec![x.min() as i32; n], 1)[0];
            let declared = mean.accumulator_bits();
            assert!(sum >= Format::new(declared, 0).min() && sum < Format::new(declared - 1, 0).min());
        }
    }

    /// Every N, both signs: within the reciprocal bin's half width (2^-10) and rounding.
    #[test]
    fn the_mean_of_equal_tokens_is_the_token() {
        let (x, y) = (Format::new(16, 8), Format::new(16, 9));
        let mean = Mean::new(x, y, 512, table::reciprocal(9), 9);
        for n in 1..=512 {
            for value in [-16000, -3, 0, 1, 9999, 16000] {
                let found = mean.run(&vec![value; n], 1)[0] as f64 / 2.0;
                assert!(
                    (found - value as f64).abs() <= 1.0 + (value.abs() as f64) / 1024.0,
                    "{n} {value} {found}"
                );
            }
        }
    }
}

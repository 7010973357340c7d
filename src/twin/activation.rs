//! The feed-forward activation in integers (`docs/arithmetic.md` section 7).
//!
//! ReLU: requant(max(u, 0)). GELU: the same plus d(|u|) from a table, because gelu(u) = max(u, 0) + (gelu(|u|) − |u|) on both sides of zero.
//!
//! ```
//! use astromorph::{format::Format, table, twin::Activate};
//! let (fu, ff) = (Format::new(8, 4), Format::new(8, 6));
//! assert_eq!(Activate::relu(fu, ff).run(&[-5, 5]), [0, 20]);
//! let gelu = Activate::gelu(fu, ff, table::gelu(fu, ff, 6), 6);
//! assert_eq!(gelu.run(&[16, -16]), [54, -10]); // gelu(1) = 0.8413 = 53.8/64, gelu(−1) = −0.1587 = −10.2/64
//! ```

use super::round::Rounder;
use crate::format::{Format, saturate};
use crate::table;
use multiversion::multiversion;

/// One activation.
#[derive(Clone, Debug)]
pub struct Activate {
    rounder: Rounder,
    out: Format,
    /// GELU's table and the shift of its index; ReLU has none.
    correction: Option<(Vec<i32>, u32)>,
}

impl Activate {
    /// max(u, 0) from `fu` to `ff`.
    pub fn relu(fu: Format, ff: Format) -> Self {
        Activate {
            rounder: Rounder::new(fu.frac, ff),
            out: ff,
            correction: None,
        }
    }

    /// GELU with its table of 2^`index_bits` words.
    pub fn gelu(fu: Format, ff: Format, words: Vec<i32>, index_bits: u32) -> Self {
        Activate {
            correction: Some((words, table::gelu_shift(fu, index_bits))),
            ..Self::relu(fu, ff)
        }
    }

    /// Format of the result.
    pub fn out(&self) -> Format {
        self.out
    }

    /// Width of the sum before it saturates: two operands of the output's width.
    pub fn accumulator_bits(&self) -> u32 {
        self.out.bits + 1
    }

    /// The activation of a whole tensor.
    pub fn run(&self, u: &[i32]) -> Vec<i32> {
        let mut out = vec![0; u.len()];
        positives(self.rounder, u, &mut out);
        if let Some((words, shift)) = &self.correction {
            for (f, u) in out.iter_mut().zip(u) {
                let index = (u.unsigned_abs() >> shift).min(words.len() as u32 - 1);
                *f = saturate(*f as i64 + words[index as usize] as i64, self.out.bits) as i32;
            }
        }
        out
    }
}

/// requant(max(u, 0)).
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn positives(rounder: Rounder, u: &[i32], out: &mut [i32]) {
    for (f, &u) in out.iter_mut().zip(u) {
        *f = rounder.apply(u.max(0) as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(x: f64) -> f64 {
        x * 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))
    }

    /// Every input of an 8- and a 16-bit format, against the formula: within the bin's width times gelu's steepest slope, and rounding.
    #[test]
    fn gelu_follows_the_error_function() {
        for (fu, ff, bits) in [
            (Format::new(8, 4), Format::new(8, 4), 9),
            (Format::new(16, 12), Format::new(16, 12), 9),
            (Format::new(16, 6), Format::new(16, 4), 12),
            (Format::new(12, -2), Format::new(12, -2), 6),
            (Format::new(16, 17), Format::new(16, 17), 9),
        ] {
            let gelu = Activate::gelu(fu, ff, table::gelu(fu, ff, bits), bits);
            let bin = (table::gelu_shift(fu, bits) as f64).exp2() * fu.ulp();
            for u in fu.min()..=fu.max() {
                let expected = exact(fu.decode(u));
                let found = ff.decode(gelu.run(&[u as i32])[0] as i64);
                let saturated = expected > ff.decode(ff.max());
                assert!(
                    saturated || (found - expected).abs() <= ff.ulp() + 0.5 * bin,
                    "{u} {found} {expected}"
                );
            }
        }
    }

    /// A format that ends before 4 shares all bins out over itself: its words are as coarse, relative to the largest, as those of any other.
    #[test]
    fn a_narrow_format_uses_every_bin() {
        for frac in [13, 15, 20] {
            let fu = Format::new(16, frac);
            assert_eq!(fu.max() as u32 >> table::gelu_shift(fu, 9), 511, "{frac}");
        }
    }

    /// The largest sum is that of the largest operand and the largest word: it needs the declared bit more than an operand.
    #[test]
    fn the_worst_case_fills_the_accumulator() {
        let f = Format::new(8, 0);
        let gelu = Activate::gelu(f, f, vec![127], 0);
        let sum = gelu.rounder.apply(127) as i64 + 127;
        assert_eq!(saturate(sum, gelu.accumulator_bits()), sum);
        assert_ne!(saturate(sum, gelu.accumulator_bits() - 1), sum);
        assert_eq!(gelu.run(&[127]), [127]);
    }
}

//! A dense layer in integers: requant(Σ_i x_i · W_ij + b_j) (`docs/arithmetic.md` section 7).
//!
//! Signature: x (N × inputs, format `x`) → N × outputs in format `out`. W is inputs × outputs in format `w`; b stands at the accumulator's
//! fraction `x.frac + w.frac`. An optional row of addends a token (the absolute positions) stands at the same fraction.
//!
//! ```
//! use astromorph::format::Format;
//! use astromorph::twin::Dense;
//! let f = Format::new(8, 4);
//! // 1.5 · 2 + (−1) · 0.5 + 0.25 = 2.75, stored as 44/16.
//! let dense = Dense::new(vec![32, 8], vec![64], Format::new(32, 8), f, f, f);
//! assert_eq!(dense.run(&[24, -16], &[]), [44]);
//! ```

use super::kernel::{Strided, product};
use super::round::Rounder;
use super::width::{add, operand_bounds, product_bounds, signed_bits};
use crate::format::Format;

/// Weights, bias and rounding of one dense layer.
#[derive(Clone, Debug)]
pub struct Dense {
    inputs: usize,
    weight: Vec<i32>,
    bias: Vec<i64>,
    formats: [Format; 3],
    rounder: Rounder,
    out: Format,
}

impl Dense {
    /// `weight` is inputs × outputs in format `w`, `bias` has `outputs` words of format `b` at the accumulator's fraction.
    pub fn new(weight: Vec<i32>, bias: Vec<i64>, b: Format, x: Format, w: Format, out: Format) -> Self {
        Dense {
            inputs: weight.len() / bias.len(),
            weight,
            bias,
            formats: [x, w, b],
            rounder: Rounder::new(x.frac + w.frac, out),
            out,
        }
    }

    /// Format of the result.
    pub fn out(&self) -> Format {
        self.out
    }

    /// Width of the accumulator: `inputs` products, the bias and the addend (as wide as the bias) at their extremes.
    ///
    /// Proof of 64 bits: inputs ≤ 2^12 and operands ≤ 18 bits give |Σ| ≤ 2^46; bias and addend have at most 60 bits each.
    pub fn accumulator_bits(&self, addend: Option<Format>) -> u32 {
        let [x, w, b] = self.formats;
        let mut bounds = add(product_bounds(self.inputs, x.bits, w.bits), operand_bounds(b.bits));
        if let Some(addend) = addend {
            bounds = add(bounds, operand_bounds(addend.bits));
        }
        signed_bits(bounds.0, bounds.1)
    }

    /// The exact sums of x (N × inputs), with `addend` (at least N × outputs, or empty) on top.
    pub fn accumulate(&self, x: &[i32], addend: &[i64]) -> Vec<i64> {
        let (rows, outputs) = (x.len() / self.inputs, self.bias.len());
        let mut acc = self.bias.repeat(rows);
        acc.iter_mut().zip(addend).for_each(|(acc, p)| *acc += p);
        let x = Strided {
            words: x,
            row: self.inputs,
            column: 1,
        };
        let weight = Strided {
            words: &self.weight,
            row: outputs,
            column: 1,
        };
        product(&mut acc, rows, self.inputs, x, weight);
        acc
    }

    /// The rounded result.
    pub fn run(&self, x: &[i32], addend: &[i64]) -> Vec<i32> {
        self.rounder.all(&self.accumulate(x, addend))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All operands at their extremes: the declared width holds the sum, and one bit less does not.
    #[test]
    fn the_worst_case_fills_the_accumulator() {
        for (bits, weight_bits, inputs) in [(8, 8, 64), (8, 4, 1), (16, 16, 100), (18, 18, 4096), (12, 7, 33)] {
            for bias_bits in [32, 60] {
                let (x, w) = (Format::new(bits, 3), Format::new(weight_bits, 2));
                let b = Format::new(bias_bits, 5);
                let weight = vec![w.min() as i32; inputs];
                let dense = Dense::new(weight, vec![b.max()], b, x, w, Format::new(bits, 0));
                let declared = dense.accumulator_bits(Some(b));
                let acc = dense.accumulate(&vec![x.min() as i32; inputs], &[b.max()])[0];
                assert!(
                    acc <= Format::new(declared.min(63), 0).max() && declared <= 62,
                    "{declared} bits"
                );
                assert!(acc > Format::new(declared - 1, 0).max(), "{declared} bits are too many");
            }
        }
    }
}

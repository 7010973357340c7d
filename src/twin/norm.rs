//! Layer norm in integers (`docs/arithmetic.md` section 7).
//!
//! c_i = D·x_i − Σx, V = Σc² + ε, 1/√V from a table by exponent and mantissa, n = c/√V = x̂/√D, out = n·γ' + β with γ' = γ√D.
//! Multiplying by D instead of dividing keeps the centring exact; the two roundings of n and out are the only ones (three when c must
//! be shifted to fit the serial multiplier of SW bits).
//!
//! ```
//! use astromorph::format::Format;
//! use astromorph::{table, twin::LayerNorm, twin::NormFormats};
//! let f = Format::new(16, 8);
//! // D = 4, γ = 1 (γ' = 2 at 12 fraction bits), β = 0 at 14 + 12 fraction bits.
//! let formats = NormFormats { x: f, n: Format::new(16, 14), gamma: Format::new(16, 12), beta: Format::new(32, 26), out: f };
//! let norm = LayerNorm::new(vec![2 << 12; 4], vec![0; 4], formats, table::rsqrt(9), 9);
//! // x = (1, 1, −1, −1) has mean 0 and deviation 1: it comes back.
//! assert_eq!(norm.run(&[256, 256, -256, -256]), [256, 256, -256, -256]);
//! ```

use super::round::Rounder;
use super::width::{add, operand_bounds, product_bounds, signed_bits};
use crate::format::{Format, growth, split};
use multiversion::multiversion;

/// Formats of one layer norm: input, x̂/√D, γ', β and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormFormats {
    /// Input, W bits.
    pub x: Format,
    /// n = x̂/√D, SW bits.
    pub n: Format,
    /// γ' = γ√D, SW bits.
    pub gamma: Format,
    /// β, at fraction n.frac + gamma.frac.
    pub beta: Format,
    /// Output, W bits.
    pub out: Format,
}

/// Most bits of ε, with sign: V stays below 2^48 for every D and SW, which is what the engine's accumulator holds.
pub const MAX_EPSILON_BITS: u32 = 48;

/// One layer norm of width D = γ's length.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    gamma: Vec<i32>,
    beta: Vec<i64>,
    formats: NormFormats,
    rsqrt: Vec<i32>,
    mantissa_bits: u32,
    shift: u32,
    epsilon: i64,
    centre: Rounder,
    rounder: Rounder,
}

/// SW, the width of the serial units' operands, for operands of `bits`.
pub(crate) fn serial_width(bits: u32) -> u32 {
    bits.max(16)
}

/// The shift that brings D·x − Σx from W + 1 + ⌈log2 D⌉ bits down to SW.
pub fn centre_shift(bits: u32, d: usize) -> u32 {
    (bits + 1 + growth(d)).saturating_sub(serial_width(bits))
}

/// ε at V's scale: max(1, round(1e-5 · D · (D · 2^x.frac · 2^-shift)²)), in integers; none when it exceeds [`MAX_EPSILON_BITS`].
pub fn epsilon(x: Format, d: usize) -> Option<i64> {
    let exponent = 2 * (x.frac - centre_shift(x.bits, d) as i32);
    let cube = (d as i128).pow(3);
    // D ≤ 2^10 and |exponent| ≤ 2·51 by the law's range of fractions; beyond that ε is out of range in any case, or 1.
    let (num, den) = match exponent {
        0..=80 => (cube << exponent, 100_000),
        -80..0 => (cube, 100_000i128 << -exponent),
        81.. => return None,
        _ => return Some(1),
    };
    let rounded = (2 * num + den) / (2 * den);
    (rounded < 1 << (MAX_EPSILON_BITS - 1)).then_some(rounded.max(1) as i64)
}

/// The most fraction bits of n for which the run-time shift h + 15 − n.frac is never negative.
pub fn max_n_frac(epsilon: i64) -> i32 {
    15 + (63 - epsilon.leading_zeros() as i32) / 2
}

impl LayerNorm {
    /// γ' and β in their formats, and the table of 1/√ with its mantissa bits. `formats.x` must have an [`epsilon`] (else it is the largest),
    /// `formats.n.frac` at most [`max_n_frac`].
    pub fn new(gamma: Vec<i32>, beta: Vec<i64>, formats: NormFormats, rsqrt: Vec<i32>, mantissa_bits: u32) -> Self {
        let (bits, d) = (formats.x.bits, gamma.len());
        let shift = centre_shift(bits, d);
        LayerNorm {
            epsilon: epsilon(formats.x, d).unwrap_or((1 << (MAX_EPSILON_BITS - 1)) - 1),
            centre: Rounder::new(shift as i32, Format::new(serial_width(bits), 0)),
            rounder: Rounder::new(formats.n.frac + formats.gamma.frac, formats.out),
            shift,
            gamma,
            beta,
            formats,
            rsqrt,
            mantissa_bits,
        }
    }

    /// Format of the result.
    pub fn out(&self) -> Format {
        self.formats.out
    }

    /// D.
    pub fn width(&self) -> usize {
        self.gamma.len()
    }

    /// Width of Σx: D operands.
    pub fn sum_bits(&self) -> u32 {
        self.formats.x.bits + growth(self.gamma.len())
    }

    /// Width of D·x_i − Σx = Σ_j (x_i − x_j): D − 1 differences of at most 2^W − 1. (The law's W + 1 + ⌈log2 D⌉ is one more when D = 2^k + 1.)
    pub fn centre_bits(&self) -> u32 {
        let reach = (self.gamma.len() as i128 - 1) * ((1 << self.formats.x.bits) - 1);
        signed_bits(-reach, reach)
    }

    /// Width of V = Σc² + ε, by V ≤ D·(D(2^W − 1)/2^(shift+1) + 1/2)² + ε.
    ///
    /// Proof: Σ_i (D·x_i − Σx)² = D²Σx² − D(Σx)² is convex in every x_i, so greatest when all are at an end of the range; with k of D at the
    /// upper one it is D·k(D − k)(2^W − 1)² ≤ D·(D(2^W − 1)/2)². Rounding moves every c by at most 1/2, so the norm of c by √D/2.
    pub fn square_bits(&self) -> u32 {
        let d = self.gamma.len() as i128;
        let range = d * ((1i128 << self.formats.x.bits) - 1);
        // (range/2^(shift+1) + 1/2)² = (range + 2^shift)² / 2^(2·shift+2).
        let square = d * (range + (if self.shift > 0 { 1 << self.shift } else { 0 })).pow(2);
        let bound = (square >> (2 * self.shift + 2)) + self.epsilon as i128;
        signed_bits(0, bound)
    }

    /// Width of n_i·γ'_i + β_i.
    pub fn accumulator_bits(&self) -> u32 {
        let f = &self.formats;
        let bounds = add(product_bounds(1, f.n.bits, f.gamma.bits), operand_bounds(f.beta.bits));
        signed_bits(bounds.0, bounds.1)
    }

    /// Normalises every row of D words.
    pub fn run(&self, x: &[i32]) -> Vec<i32> {
        let d = self.gamma.len();
        let mut out = vec![0; x.len()];
        let mut c = vec![0; d];
        for (row, out) in x.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
            let v = centred(self, row, &mut c);
            let (e, mant) = split(v, self.mantissa_bits);
            let (h, odd) = (e >> 1, (e & 1) as usize);
            let r = self.rsqrt[(odd << self.mantissa_bits) + mant] as i64;
            // The shift is known only here; `Rounder` rounds by any, and n's range is that of its bits.
            let to_n = Rounder::new(h as i32 + 15 - self.formats.n.frac, Format::new(self.formats.n.bits, 0));
            scaled(self, &c, r, to_n, out);
        }
        out
    }
}

/// c (centred and shifted) of one row; returns V.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn centred(norm: &LayerNorm, row: &[i32], c: &mut [i64]) -> i64 {
    let d = row.len() as i64;
    let sum: i64 = row.iter().map(|&x| x as i64).sum();
    let mut v = norm.epsilon;
    for (c, &x) in c.iter_mut().zip(row) {
        *c = norm.centre.apply(d * x as i64 - sum) as i64;
        v += *c * *c;
    }
    v
}

/// n = c·r, rounded, and n·γ' + β, rounded.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512bw+avx512vl", "x86_64+avx2"))]
fn scaled(norm: &LayerNorm, c: &[i64], r: i64, to_n: Rounder, out: &mut [i32]) {
    for (((out, c), &gamma), beta) in out.iter_mut().zip(c).zip(&norm.gamma).zip(&norm.beta) {
        let n = to_n.apply(c * r) as i64;
        *out = norm.rounder.apply(n * gamma as i64 + beta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn norm(bits: u32, frac: i32, d: usize) -> LayerNorm {
        let x = Format::new(bits, frac);
        let serial = serial_width(bits);
        let gamma = Format::new(serial, serial as i32 - 8);
        let n = Format::new(serial, (serial as i32 - 1).min(max_n_frac(epsilon(x, d).unwrap())));
        let beta = Format::new(32, n.frac + gamma.frac);
        let words = gamma.encode((d as f64).sqrt()) as i32;
        LayerNorm::new(
            vec![words; d],
            vec![0; d],
            NormFormats {
                x,
                n,
                gamma,
                beta,
                out: x,
            },
            table::rsqrt(9),
            9,
        )
    }

    /// One word at one end and all others at the other, then half and half: the widths hold, and one bit less does not.
    #[test]
    fn the_worst_cases_fill_the_accumulators() {
        for bits in [8, 12, 16, 18] {
            for d in [4usize, 6, 32, 100, 1024] {
                let norm = norm(bits, 4, d);
                let (lo, hi) = (norm.formats.x.min() as i32, norm.formats.x.max() as i32);
                let sum: i64 = vec![lo as i64; d].iter().sum();
                assert!(
                    sum >= Format::new(norm.sum_bits(), 0).min() && sum < Format::new(norm.sum_bits() - 1, 0).min()
                );
                let reach = d as i64 * hi as i64 - (hi as i64 + (d as i64 - 1) * lo as i64);
                assert!(reach <= Format::new(norm.centre_bits(), 0).max());
                assert!(reach > Format::new(norm.centre_bits() - 1, 0).max());
                assert!(norm.centre_bits() <= bits + 1 + growth(d));
                let halves: Vec<i32> = (0..d).map(|i| if i % 2 == 0 { lo } else { hi }).collect();
                let v = centred(&norm, &halves, &mut vec![0; d]);
                assert!(
                    v <= Format::new(norm.square_bits(), 0).max(),
                    "{v} {}",
                    norm.square_bits()
                );
                // Rounding's half unit may cost the bound a bit that no input reaches; without it the width is tight.
                let slack = u32::from(norm.shift > 0);
                assert!(
                    v > Format::new(norm.square_bits() - 1 - slack, 0).max(),
                    "{v} {}",
                    norm.square_bits()
                );
                assert!(norm.square_bits() <= 62);
            }
        }
        let mut wide = norm(16, 4, 4);
        let f = wide.formats;
        wide.gamma = vec![f.gamma.min() as i32];
        let acc = f.n.min() * f.gamma.min() + f.beta.max();
        assert!(acc <= Format::new(wide.accumulator_bits(), 0).max());
        assert!(acc > Format::new(wide.accumulator_bits() - 1, 0).max());
    }

    #[test]
    fn epsilon_is_the_laws_formula() {
        for bits in [8u32, 16, 18] {
            for d in [4usize, 5, 32, 1000, 1024] {
                for frac in -24..=20 {
                    let shift = (bits + 1 + growth(d)).saturating_sub(bits.max(16));
                    let scale = d as f64 * ((frac - shift as i32) as f64).exp2();
                    let law = (1e-5 * d as f64 * scale * scale + 0.5).floor().max(1.0);
                    let found = epsilon(Format::new(bits, frac), d);
                    if law < (1i64 << (MAX_EPSILON_BITS - 1)) as f64 {
                        assert!(
                            (found.unwrap() as f64 / law - 1.0).abs() < 1e-12,
                            "{bits} {d} {frac} {found:?} {law}"
                        );
                    } else {
                        assert_eq!(found, None);
                    }
                }
            }
        }
        assert_eq!(
            (epsilon(Format::new(16, 40), 1024), epsilon(Format::new(18, -24), 1024)),
            (None, Some(1))
        );
    }

    /// A constant row: only ε stands under the root, the shift is at its smallest, and the result is β.
    #[test]
    fn a_constant_row_gives_beta() {
        let mut norm = norm(16, 10, 8);
        norm.beta = vec![1 << norm.formats.beta.frac; 8];
        assert_eq!(norm.run(&[777; 8]), [1 << 10; 8]);
    }
}

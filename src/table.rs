//! The non-linearities as tables: built once at quantisation, stored with the model, read as words ever after.
//!
//! Each function returns the raw words of one table; `docs/arithmetic.md` gives every index and entry. A binned entry stands for the
//! middle of its bin. Nothing outside quantisation calls these: twin, hardware and trainer read the stored words.
//!
//! ```
//! use astromorph::{format::Format, table};
//! let t = table::phi(Format::new(8, 4), Format::new(8, 5), 10);
//! assert_eq!(t.len(), 128);                 // W − 1 = 7 index bits suffice for W = 8
//! assert_eq!(t[127], 30);                   // exp(−1/16) · 32 = 30.06
//! let r = table::reciprocal(2);
//! assert_eq!(r, [29127, 23831, 20165, 17476]); // 2^15 / 1.125, 1.375, 1.625, 1.875
//! ```

use crate::format::{Format, growth};

/// Index bits in force for φ's negative side at operand width `bits`.
pub fn phi_index_bits(bits: u32, wanted: u32) -> u32 {
    wanted.min(bits - 1)
}

/// exp(x) for x < 0 in format `fi`, as words of `fo`: 2^T entries, T = min(W − 1, `index_bits`); entry 0 is the most negative bin.
pub fn phi(fi: Format, fo: Format, index_bits: u32) -> Vec<i32> {
    let t = phi_index_bits(fi.bits, index_bits);
    let bin = 1i64 << (fi.bits - 1 - t);
    (0..1i64 << t)
        .map(|n| {
            let middle = (fi.min() + n * bin) as f64 + (bin - 1) as f64 / 2.0;
            fo.encode((middle * fi.ulp()).exp()).max(0) as i32
        })
        .collect()
}

/// s^α of the calcium sum s (integers with `frac` fraction bits, at most `exponents` bits) by exponent and `mantissa_bits`: words of `fg`.
pub fn power(alpha: f64, frac: i32, exponents: u32, mantissa_bits: u32, fg: Format) -> Vec<i32> {
    let t = mantissa_bits;
    let mut words = Vec::with_capacity((exponents as usize) << t);
    for e in 0..exponents {
        for mant in 0..1u64 << t {
            let middle = if e >= t {
                let step = 1u64 << (e - t);
                let lo = (1u64 << e) + mant * step;
                lo as f64 + (step - 1) as f64 / 2.0
            } else {
                ((1u64 << e) + (mant >> (t - e))) as f64
            };
            // Clamped below as in the golden model: the first causal tokens must not meet a steep power.
            let s = (middle * (-frac as f64).exp2()).max((-10f64).exp2());
            words.push(fg.encode(s.powf(alpha)).max(0) as i32);
        }
    }
    words
}

/// Bits of s without sign for operand width `bits` and sequences of at most `n_max` tokens: the number of exponents of [`power`].
pub fn calcium_bits(bits: u32, n_max: usize) -> u32 {
    bits - 1 + growth(n_max)
}

/// 2^15/M for a mantissa M in [1, 2).
pub fn reciprocal(mantissa_bits: u32) -> Vec<i32> {
    mantissas(mantissa_bits).map(|m| scaled(1.0 / m)).collect()
}

/// 2^15/√M for M in [1, 2), then for M in [2, 4).
pub fn rsqrt(mantissa_bits: u32) -> Vec<i32> {
    let even = mantissas(mantissa_bits).map(|m| scaled(1.0 / m.sqrt()));
    let odd = mantissas(mantissa_bits).map(|m| scaled(1.0 / (2.0 * m).sqrt()));
    even.chain(odd).collect()
}

fn mantissas(bits: u32) -> impl Iterator<Item = f64> {
    let n = 1u32 << bits;
    (0..n).map(move |k| 1.0 + (k as f64 + 0.5) / n as f64)
}

fn scaled(x: f64) -> i32 {
    ((x * 32768.0 + 0.5).floor() as i32).min(32767)
}

/// σ(u) for u of `index_bits` bits covering −8..8, as words of (`bits`, `bits` − 1).
pub fn sigmoid(index_bits: u32, bits: u32) -> Vec<i32> {
    let input = Format::new(index_bits, index_bits as i32 - 4);
    let output = Format::new(bits, bits as i32 - 1);
    (input.min()..=input.max())
        .map(|u| output.encode(1.0 / (1.0 + (-input.decode(u)).exp())) as i32)
        .collect()
}

/// Shift of |u| that brings the range 0 to 4 of format `fu`, or all of the format where that is less, onto 2^`index_bits` bins of [`gelu`].
pub fn gelu_shift(fu: Format, index_bits: u32) -> u32 {
    ((fu.frac + 2).min(fu.bits as i32 - 1) - index_bits as i32).max(0) as u32
}

/// gelu(x) − x for x > 0 in format `fu`, as words of `ff`: 2^`index_bits` bins of |u| from 0 to 4 or to the format's end; the last stands for all
/// beyond.
///
/// On the other side of zero the same words are the whole function: gelu(−x) = gelu(x) − x.
pub fn gelu(fu: Format, ff: Format, index_bits: u32) -> Vec<i32> {
    let bin = 1i64 << gelu_shift(fu, index_bits);
    (0..1i64 << index_bits)
        .map(|n| {
            let x = ((n * bin) as f64 + (bin - 1) as f64 / 2.0) * fu.ulp();
            // gelu(x) − x = −x Φ(−x), without the cancellation.
            ff.encode(-x * 0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)) as i32
        })
        .collect()
}

//! Fixed-point formats, rounding and saturation: the only places where a number loses bits.
//!
//! A number is a raw integer with a [`Format`]: value = raw · 2^−frac. `docs/arithmetic.md` section 1 is the law.
//!
//! ```
//! use astromorph::format::{Format, dynround, requant, split};
//! let f = Format::new(8, 4);                   // -8 .. 7.9375 in steps of 1/16
//! assert_eq!(requant(1000, 8, f), 63);         // 1000/256 = 3.906.. -> 62.5/16, half rounds up
//! assert_eq!(requant(-1 << 20, 8, f), -128);   // saturates
//! assert_eq!(dynround(-5, 1, 8), -2);          // -2.5 rounds up
//! assert_eq!(split(0b1011, 2), (3, 0b01));     // exponent, the two bits after the leading one
//! ```

use serde::{Deserialize, Serialize};

/// A signed fixed-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Format {
    /// Width in bits with sign, 1 to 63.
    pub bits: u32,
    /// Fraction bits; may be negative or larger than `bits`.
    pub frac: i32,
}

impl Format {
    /// A signed format of `bits` bits, `frac` of them behind the point.
    pub const fn new(bits: u32, frac: i32) -> Self {
        Format { bits, frac }
    }

    /// Largest raw value.
    pub const fn max(self) -> i64 {
        (1i64 << (self.bits - 1)) - 1
    }

    /// Smallest raw value.
    pub const fn min(self) -> i64 {
        -(1i64 << (self.bits - 1))
    }

    /// The value of one unit in the last place.
    pub fn ulp(self) -> f64 {
        (-self.frac as f64).exp2()
    }

    /// The real value of a raw integer.
    pub fn decode(self, raw: i64) -> f64 {
        raw as f64 * self.ulp()
    }

    /// The nearest raw integer of a real value (half up), saturated.
    pub fn encode(self, value: f64) -> i64 {
        let scaled = (value * (self.frac as f64).exp2() + 0.5).floor();
        // `as` saturates at i64's ends and maps NaN to 0; callers refuse NaN where it enters.
        (scaled as i64).clamp(self.min(), self.max())
    }

    /// The format of width `bits` with the most fraction bits that still holds ±`limit`.
    pub fn holding(bits: u32, limit: f64) -> Self {
        let top = ((1i64 << (bits - 1)) - 1) as f64;
        let frac = if limit > 0.0 {
            (top / limit).log2().floor()
        } else {
            bits as f64 - 1.0
        };
        Format {
            bits,
            frac: frac.clamp(-32.0, 40.0) as i32,
        }
    }
}

/// Clamps to a signed width.
#[inline(always)]
pub fn saturate(x: i64, bits: u32) -> i64 {
    let top = (1i64 << (bits - 1)) - 1;
    x.clamp(-top - 1, top)
}

/// Leaves an accumulator: add half, shift right arithmetically, saturate. A negative shift is an exact shift to the left.
#[inline(always)]
pub fn requant(acc: i64, frac_in: i32, fmt: Format) -> i64 {
    let shift = frac_in - fmt.frac;
    let x = if shift > 0 {
        // Beyond 62 every accumulator rounds to zero; the half must not overflow.
        let s = shift.min(62);
        ((acc as i128 + (1i128 << (s - 1))) >> s) as i64
    } else {
        let wide = (acc as i128) << (-shift).min(62);
        wide.clamp(i64::MIN as i128, i64::MAX as i128) as i64
    };
    saturate(x, fmt.bits)
}

/// Rounds by a shift known only at run time and saturates to `bits`: ((2·acc >> sh) + 1) >> 1.
#[inline(always)]
pub fn dynround(acc: i64, sh: u32, bits: u32) -> i64 {
    let x = (((2 * acc as i128) >> sh.min(126)) + 1) >> 1;
    let top = (1i128 << (bits - 1)) - 1;
    x.clamp(-top - 1, top) as i64
}

/// Exponent E = ⌊log2 x⌋ and the `t` bits after the leading one of a positive integer (zeros appended when E < t).
#[inline(always)]
pub fn split(x: i64, t: u32) -> (u32, usize) {
    debug_assert!(x > 0);
    let e = 63 - x.leading_zeros();
    let mant = if e >= t { x >> (e - t) } else { x << (t - e) };
    (e, (mant as usize) & ((1 << t) - 1))
}

/// ⌈log2 n⌉ for n ≥ 1: the bits a sum of `n` terms may grow by.
pub fn growth(n: usize) -> u32 {
    n.next_power_of_two().trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// `fixed` is an independent oracle where a format is known at compile time.
        #[test]
        fn requant_equals_the_fixed_crate(raw in -(1i64 << 40)..(1i64 << 40)) {
            use fixed::types::I48F16;
            let wide = I48F16::from_bits(raw);
            // 16 -> 4 fraction bits, half up: add half an ulp, then floor.
            let half: I48F16 = I48F16::from_num(1) >> 5u32;
            let floor: i64 = (wide + half).to_bits() >> 12;
            let expected = floor.clamp(i16::MIN as i64, i16::MAX as i64);
            prop_assert_eq!(requant(raw, 16, Format::new(16, 4)), expected);
        }

        #[test]
        fn dynround_equals_requant(acc in -(1i64 << 50)..(1i64 << 50), sh in 0u32..40, bits in 8u32..20) {
            prop_assert_eq!(dynround(acc, sh, bits), requant(acc, sh as i32, Format::new(bits, 0)));
        }

        #[test]
        fn split_brackets_the_number(x in 1i64..(1 << 40), t in 2u32..12) {
            let (e, mant) = split(x, t);
            let lo = (1.0 + mant as f64 / (1u64 << t) as f64) * (e as f64).exp2();
            let hi = (1.0 + (mant + 1) as f64 / (1u64 << t) as f64) * (e as f64).exp2();
            prop_assert!(lo <= x as f64 && (x as f64) < hi);
        }

        #[test]
        fn encode_decode_within_half_an_ulp(v in -7.0f64..7.0) {
            let f = Format::new(12, 8);
            prop_assert!((f.decode(f.encode(v)) - v).abs() <= f.ulp() / 2.0 + 1e-12);
        }
    }
}

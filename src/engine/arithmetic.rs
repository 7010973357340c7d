//! The arithmetic of a step's fields: what one word becomes in each unit of the stream (`docs/engine.md` section 2).
//!
//! ```
//! use astromorph::engine::arithmetic::requant;
//! assert_eq!(requant(1000, 4, 8), 63);       // 62.5, half rounds up
//! assert_eq!(requant(-3, -2, 8), -12);       // exact to the left
//! assert_eq!(requant(1 << 40, 3, 8), 127);   // saturates
//! ```

use super::config::EngineConfig;
use super::program::*;
use crate::format::{Format, saturate};
use crate::twin::Rounder;

/// The run-time shift of the normaliser: what its unit can do. Beyond, every exact sum is zero or saturates, as the law has it.
const SHIFTS: std::ops::RangeInclusive<i32> = -16..=47;

/// `requant` of a field: by `shift` to `bits`.
pub fn requant(t: i64, shift: i32, bits: u32) -> i32 {
    rounder(shift, bits).apply(t)
}

pub(super) fn rounder(shift: i32, bits: u32) -> Rounder {
    Rounder::new(shift, Format::new(bits, 0))
}

/// Whether a word fits a signed width.
#[inline(always)]
pub(super) fn fits(word: i64, bits: u32) -> bool {
    let top = 1i64 << (bits - 1);
    word >= -top && word < top
}

/// A step's roundings, made once, and room to work in.
pub(super) struct Cut {
    pub(super) linear: Rounder,
    pub(super) function: Rounder,
    pub(super) other: Rounder,
    /// Of x·R.
    pub(super) normalise: Rounder,
    pub(super) exact: Vec<i64>,
    pub(super) words: Vec<i32>,
}

impl Cut {
    pub(super) fn new(run: &Run, core: &EngineConfig) -> Self {
        let s = &run.stream;
        let w = core.width;
        let function = match s.function {
            Function::Phi { shift, .. } | Function::Relu { shift } | Function::Gelu { shift, .. } => shift,
            Function::None | Function::Table { .. } | Function::Hard => 0,
        };
        let other = match s.other {
            Other::Residual { shift, .. } => shift,
            Other::None | Other::Key { .. } => 0,
        };
        Cut {
            linear: rounder(s.shift, s.bits),
            function: rounder(function, w),
            other: rounder(other, w),
            normalise: rounder(core.serial_bits() as i32 + 14 - w as i32, w),
            exact: Vec::new(),
            words: Vec::new(),
        }
    }
}

/// The normaliser's first rounding for exponent E.
pub(super) fn normaliser(exponent: u32, offset: i32, serial_bits: u32) -> Rounder {
    let shift = (exponent as i32 + offset).clamp(*SHIFTS.start(), *SHIFTS.end());
    rounder(shift, serial_bits)
}

/// The function's result for every word of a row. `None` when an index leaves the table memory.
pub(super) fn function(function: Function, round: Rounder, w: u32, memory: &[i32], x: &mut [i32]) -> Option<()> {
    match function {
        Function::None => {}
        Function::Phi { table, bits, one, .. } => {
            let (low, one) = (-(1i32 << (w - 1)), 1i64 << one);
            let table = memory.get(table as usize..table as usize + (1 << bits))?;
            for x in x {
                *x = if *x >= 0 {
                    round.apply(*x as i64 + one)
                } else {
                    table[((*x - low) >> (w - 1 - bits)) as usize]
                };
            }
        }
        Function::Relu { .. } => x.iter_mut().for_each(|x| *x = round.apply((*x).max(0) as i64)),
        Function::Gelu { table, bits, drop, .. } => {
            let table = memory.get(table as usize..table as usize + (1 << bits))?;
            for x in x {
                let index = (x.unsigned_abs() >> drop).min(table.len() as u32 - 1);
                let positive = round.apply((*x).max(0) as i64);
                *x = saturate(positive as i64 + table[index as usize] as i64, w) as i32;
            }
        }
        Function::Table { table, bits } => {
            let table = memory.get(table as usize..table as usize + (1 << bits))?;
            x.iter_mut().for_each(|x| *x = table[(*x + (1 << (bits - 1))) as usize]);
        }
        Function::Hard => {
            let (half, top) = (1 << (w - 2), (1 << (w - 1)) - 1);
            x.iter_mut().for_each(|x| *x = (*x + half).clamp(0, top));
        }
    }
    Some(())
}

/// A positional key: element of `per_word` in a word of M, of `w` bits.
#[inline(always)]
pub(super) fn element(m: &[u32], index: usize, per_word: usize, w: u32) -> i32 {
    let part = m[index / per_word] >> ((index % per_word) * (32 / per_word));
    ((part << (32 - w)) as i32) >> (32 - w)
}

/// The second operand of a residual sum, aligned and added.
#[inline(always)]
pub(super) fn residual(x: i32, u: i32, left: i32, round: Rounder) -> i32 {
    round.apply(((x as i64) << left.max(0)) + ((u as i64) << (-left).max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::attention::Normaliser;
    use proptest::prelude::*;

    proptest! {
        /// The clamp of the run-time shift changes no result of the law.
        #[test]
        fn the_normaliser_is_the_laws(
            num in -(1i64 << 45)..(1i64 << 45), down in 0u32..46, exponent in 0u32..42, c_min in 0u32..30,
            num_frac in -20i32..60, c_frac in 0i32..60, y_frac in -24i32..40, bits in 8u32..=18, r in 1i32..1 << 15,
        ) {
            let law = Normaliser::new(num_frac, c_frac, Format::new(bits, y_frac), 1 << c_min);
            let (num, exponent, offset) = (num >> down, exponent.max(c_min), law.offset - law.left as i32);
            prop_assume!(bits < 18 || exponent as i32 + offset >= -16);
            prop_assume!(law.left <= 60);
            let x = normaliser(exponent, offset, law.serial_bits).apply(num);
            let y = rounder(law.serial_bits as i32 + 14 - bits as i32, bits).apply(x as i64 * r as i64);
            prop_assert_eq!(y, law.scale(num, exponent, r));
        }
    }

    /// Elements of a word are cut to W bits with their sign, wherever they stand in their part.
    #[test]
    fn packed_elements() {
        let m = [0x80ff_7f01, 0x0fff_0800];
        assert_eq!([0, 1, 2, 3].map(|i| element(&m, i, 4, 8)), [1, 127, -1, -128]);
        assert_eq!([2, 3].map(|i| element(&m, i, 2, 12)), [-2048, -1]);
        assert_eq!(element(&[0x0003_ffff], 0, 1, 18), -1);
    }
}

//! Layer norm of one row by the fields of its step: `docs/arithmetic.md` section 7 with every shift given.

use super::arithmetic::rounder;
use super::program::Norm;
use crate::format::split;

/// What one row's layer norm needs.
pub(super) struct Unit<'a> {
    pub(super) norm: &'a Norm,
    /// W.
    pub(super) width: u32,
    /// SW.
    pub(super) serial_bits: u32,
    /// 1/√ from its first word on.
    pub(super) table: &'a [i32],
    /// (γ', β) of each word, then ε.
    pub(super) parameters: &'a [(i32, i32)],
}

impl Unit<'_> {
    /// y = norm(x); on refusal what was expected and found.
    pub(super) fn row(&self, x: &[i32], y: &mut [i32]) -> Result<(), (String, String)> {
        let (norm, d) = (self.norm, x.len() as i64);
        let (&(high, low), parameters) = self.parameters.split_last().expect("ε follows D words");
        let epsilon = (high as u16 as i64) << 32 | low as u32 as i64;
        if epsilon == 0 {
            return Err(("ε of at least 1".into(), "0".into()));
        }
        let centre = rounder(norm.drop as i32, self.serial_bits);
        let sum: i64 = x.iter().map(|&x| x as i64).sum();
        let mut v = epsilon;
        for (c, &x) in y.iter_mut().zip(x) {
            *c = centre.apply(d * x as i64 - sum);
            v += *c as i64 * *c as i64;
        }
        let (e, mant) = split(v, norm.bits);
        let root = self.table[((e as usize & 1) << norm.bits) + mant] as i64;
        let shift = (e >> 1) as i32 + norm.offset;
        if shift < 0 {
            return Err((format!("a shift h{:+} of at least 0", norm.offset), shift.to_string()));
        }
        let (to_n, to_y) = (rounder(shift, self.serial_bits), rounder(norm.shift, self.width));
        for (y, &(gamma, beta)) in y.iter_mut().zip(parameters) {
            let n = to_n.apply(*y as i64 * root) as i64;
            *y = to_y.apply(n * gamma as i64 + beta as i64);
        }
        Ok(())
    }
}

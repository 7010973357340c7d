//! The embedding of token identifiers in integers: `requant(Σ_slots E[id] + pos_t)` (`docs/arithmetic.md` section 7).
//!
//! E (V × D) has `weight_bits` bits; the positions stand at its fraction, as a bias does. Identifier 0 is "none": its row is zero.
//!
//! ```
//! use astromorph::format::Format;
//! use astromorph::twin::Embedding;
//! // V = 3, D = 2, two identifiers a token; 6 fraction bits in, 4 out.
//! let e = Embedding::new(vec![0, 0, 64, 32, -8, 4], 2, Format::new(8, 6), None, 2, Format::new(8, 4));
//! assert_eq!(e.run(&[1, 2, 2, 0]), [14, 9, -2, 1]); // (64 − 8)/4, (32 + 4)/4; −8/4, 4/4
//! ```

use super::round::Rounder;
use super::width::{add, operand_bounds, signed_bits};
use crate::format::Format;

/// The table of embeddings and the absolute positions.
#[derive(Clone, Debug)]
pub struct Embedding {
    table: Vec<i32>,
    width: usize,
    weight: Format,
    position: Option<(Format, Vec<i64>)>,
    slots: usize,
    rounder: Rounder,
    out: Format,
}

impl Embedding {
    /// `table` is V × `width` in format `weight`; `position` is N_max × `width` at the same fraction.
    pub fn new(
        table: Vec<i32>,
        width: usize,
        weight: Format,
        position: Option<(Format, Vec<i64>)>,
        slots: usize,
        out: Format,
    ) -> Self {
        Embedding {
            table,
            width,
            weight,
            position,
            slots,
            rounder: Rounder::new(weight.frac, out),
            out,
        }
    }

    /// Format of the result.
    pub fn out(&self) -> Format {
        self.out
    }

    /// Width of the sum: `slots` rows and a position at their extremes.
    pub fn accumulator_bits(&self) -> u32 {
        let (lo, hi) = operand_bounds(self.weight.bits);
        let mut bounds = (lo * self.slots as i128, hi * self.slots as i128);
        if let Some((format, _)) = &self.position {
            bounds = add(bounds, operand_bounds(format.bits));
        }
        signed_bits(bounds.0, bounds.1)
    }

    /// The exact sums of N × slots identifiers (all below V).
    pub fn accumulate(&self, ids: &[u32]) -> Vec<i64> {
        let mut acc = vec![0i64; ids.len() / self.slots * self.width];
        if let Some((_, position)) = &self.position {
            acc.iter_mut().zip(position).for_each(|(acc, p)| *acc = *p);
        }
        for (row, ids) in acc.chunks_exact_mut(self.width).zip(ids.chunks_exact(self.slots)) {
            for &id in ids {
                let entry = &self.table[id as usize * self.width..][..self.width];
                row.iter_mut().zip(entry).for_each(|(acc, &e)| *acc += e as i64);
            }
        }
        acc
    }

    /// x0 of N × slots identifiers.
    pub fn run(&self, ids: &[u32]) -> Vec<i32> {
        self.rounder.all(&self.accumulate(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_case_fills_the_accumulator() {
        for (bits, slots) in [(4, 1), (8, 3), (18, 8)] {
            for position in [None, Some(Format::new(32, 0)), Some(Format::new(60, 0))] {
                let w = Format::new(bits, 0);
                let table = vec![0, w.min() as i32];
                let position = position.map(|f| (f, vec![f.min()]));
                let e = Embedding::new(table, 1, w, position, slots, Format::new(8, 0));
                let (sum, declared) = (e.accumulate(&vec![1; slots])[0], e.accumulator_bits());
                assert!(sum >= Format::new(declared, 0).min());
                assert!(declared == 1 || sum < Format::new(declared - 1, 0).min());
            }
        }
    }
}

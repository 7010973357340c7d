//! What an observer of the twin sees: raw integers, 32 bits where the format is narrow, 64 for accumulators.
//!
//! ```
//! use astromorph::twin::Raw;
//! let z = Raw::Wide(&[5, -1 << 40]);
//! assert_eq!((z.len(), z.get(1)), (2, -1 << 40));
//! assert_eq!(Raw::Narrow(&[1, 2]).iter().sum::<i64>(), 3);
//! ```

use crate::format::Format;

/// Raw words of one tensor, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// Operands.
    Narrow(&'a [i32]),
    /// Accumulators.
    Wide(&'a [i64]),
}

impl<'a> Raw<'a> {
    /// Number of words.
    pub fn len(&self) -> usize {
        match self {
            Raw::Narrow(x) => x.len(),
            Raw::Wide(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One word.
    pub fn get(&self, index: usize) -> i64 {
        match self {
            Raw::Narrow(x) => x[index] as i64,
            Raw::Wide(x) => x[index],
        }
    }

    /// All words in order.
    pub fn iter(self) -> impl Iterator<Item = i64> + 'a {
        (0..self.len()).map(move |i| self.get(i))
    }
}

/// Who looks on: name (`docs/arithmetic.md` section 8), rows, columns, format, words row by row.
pub type Observe<'a> = dyn FnMut(&str, usize, usize, Format, Raw<'_>) + 'a;

/// Hands tensors to an observer under their full names; costs nothing when nobody looks.
#[derive(Default)]
pub(crate) struct Shown<'a, 'b> {
    pub(crate) observe: Option<&'a mut Observe<'b>>,
    pub(crate) prefix: String,
}

impl Shown<'_, '_> {
    /// Whether somebody looks.
    pub(crate) fn looked_at(&self) -> bool {
        self.observe.is_some()
    }

    /// Shows a tensor of `rows` rows.
    pub(crate) fn see(&mut self, name: &str, rows: usize, format: Format, words: Raw<'_>) {
        if let Some(observe) = &mut self.observe {
            observe(
                &format!("{}{name}", self.prefix),
                rows,
                words.len() / rows,
                format,
                words,
            );
        }
    }

    /// Shows a tensor of operands.
    pub(crate) fn see_narrow(&mut self, name: &str, rows: usize, format: Format, words: &[i32]) {
        self.see(name, rows, format, Raw::Narrow(words));
    }
}

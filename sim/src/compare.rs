//! The result of comparing two forms of one computation.
//!
//! | item | |
//! |---|---|
//! | unit | one word: one port in one cycle, or one beat of a stream |
//! | equal | `mismatches == 0` **and** `words > 0` |
//! | empty | an error (`ComparedNothing`), never a pass |

use crate::error::{Error, Result};
use serde::Serialize;

/// The first place where two forms differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Cycle of a trace, or index of the beat of a stream.
    pub cycle: u64,
    /// Port (or what was checked, when it is not a value).
    pub port: String,
    /// Hexadecimal.
    pub expected: String,
    /// Hexadecimal; may hold `x` and `z`.
    pub found: String,
}

/// How much was compared and how much of it differed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub cycles: u64,
    pub words: u64,
    pub mismatches: u64,
    pub first: Option<Mismatch>,
}

impl Comparison {
    /// True only when something was compared and nothing differed.
    pub fn is_equal(&self) -> bool {
        self.words > 0 && self.mismatches == 0
    }

    /// Counts one compared word; the closure is called only for the first difference.
    pub fn word(&mut self, equal: bool, describe: impl FnOnce() -> Mismatch) {
        self.words += 1;
        if !equal {
            self.mismatches += 1;
            self.first.get_or_insert_with(describe);
        }
    }

    /// Adds another part; the first mismatch stays the one of the earlier part.
    pub fn merge(&mut self, other: Comparison) {
        self.cycles += other.cycles;
        self.words += other.words;
        self.mismatches += other.mismatches;
        if self.first.is_none() {
            self.first = other.first;
        }
    }

    /// Refuses a comparison of zero words.
    pub fn checked(self, what: &str) -> Result<Self> {
        if self.words == 0 {
            return Err(Error::ComparedNothing { what: what.to_string() });
        }
        Ok(self)
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} words in {} cycles, {} mismatches",
            self.words, self.cycles, self.mismatches
        )?;
        if let Some(m) = &self.first {
            write!(
                f,
                "; first: cycle {} {} expected {} found {}",
                m.cycle, m.port, m.expected, m.found
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(cycle: u64) -> Mismatch {
        Mismatch {
            cycle,
            port: "y".into(),
            expected: "1".into(),
            found: "x".into(),
        }
    }

    #[test]
    fn nothing_compared_is_an_error_and_not_equal() {
        let empty = Comparison::default();
        assert!(!empty.is_equal());
        assert!(matches!(empty.checked("trace"), Err(Error::ComparedNothing { .. })));
    }

    #[test]
    fn merging_keeps_the_earlier_first_mismatch() {
        let mut a = Comparison::default();
        a.word(true, || difference(0));
        let mut b = Comparison::default();
        b.word(false, || difference(7));
        let mut c = Comparison::default();
        c.word(false, || difference(9));
        a.merge(b);
        a.merge(c);
        assert_eq!((a.words, a.mismatches), (3, 2));
        assert_eq!(a.first.as_ref().map(|m| m.cycle), Some(7));
        assert!(!a.is_equal());
    }
}

//! Where execution stands: the step, for errors, and the sequencer's registers, for addresses.

use super::arithmetic::fits;
use super::code::name_of;
use super::program::{At, Extent, Index, Step};
use crate::{Error, Result};

/// The sequencer's registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registers {
    /// N; 0 before the input.
    pub(super) n: usize,
    /// First token of the present block.
    pub(super) t0: usize,
    /// T; no limit outside loops.
    pub(super) tokens: usize,
    /// R1.
    pub(super) r1: usize,
    /// R2.
    pub(super) r2: usize,
    /// Offset of the last token.
    pub(super) last: usize,
}

impl Default for Registers {
    fn default() -> Self {
        Registers {
            n: 0,
            t0: 0,
            tokens: usize::MAX,
            r1: 0,
            r2: 0,
            last: 0,
        }
    }
}

impl Registers {
    /// The address an [`At`] stands for.
    pub(super) fn at(&self, at: At) -> usize {
        at.base as usize
            + match at.index {
                Index::None => 0,
                Index::R1 => self.r1,
                Index::R2 => self.r2,
                Index::Last => self.last,
            }
    }

    /// The count an [`Extent`] stands for.
    pub(super) fn extent(&self, extent: Extent) -> usize {
        match extent {
            Extent::Fixed(n) => n as usize,
            Extent::Block => self.tokens.min(self.n - self.t0),
        }
    }
}

/// Where execution stands.
pub(super) struct Place<'a> {
    /// Step number.
    pub(super) number: usize,
    pub(super) step: &'a Step,
    pub(super) registers: Registers,
}

impl Place<'_> {
    /// The step's name, for errors.
    pub(super) fn name(&self) -> String {
        name_of(self.number, self.step)
    }

    /// Refuses `words` words from `first` on that a memory of `room` does not have.
    #[inline(always)]
    pub(super) fn within(&self, what: &str, first: usize, words: usize, room: usize) -> Result<()> {
        if first + words > room {
            return Err(self.outside(what, first, words, room));
        }
        Ok(())
    }

    #[cold]
    fn outside(&self, what: &str, first: usize, words: usize, room: usize) -> Error {
        Error::field(
            format!("{}.{what}", self.name()),
            format!("addresses below {room}"),
            format!("{words} words from {first} on"),
        )
    }

    /// Refuses a word that does not fit `bits`.
    pub(super) fn held(&self, what: &str, words: &[i64], bits: u32) -> Result<()> {
        // The extremes say it for all, and vectors find them fast.
        let (low, high) = words.iter().fold((0, 0), |(low, high), &x| {
            (std::cmp::min(low, x), std::cmp::max(high, x))
        });
        if fits(low, bits) && fits(high, bits) {
            return Ok(());
        }
        let name = format!("{}: {what}", self.name());
        Err(Error::field(
            name,
            format!("{bits} bits"),
            if fits(low, bits) { high } else { low },
        ))
    }
}

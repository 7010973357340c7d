//! Third unit of the stream: positional key or residual operand.
//!
//! Aligning takes the one left shift here; the rounding of a residual sum is the stream's [`shifter`](super::shifter): this unit hands it
//! `aligned` and takes `y` six cycles later. Cycles are those of [`linear`](super::linear): the word comes in cycle 19 and stays in 20.
//!
//! | port | width | |
//! |---|---|---|
//! | even, line | | as in `linear` |
//! | word | SW | cycle 20 |
//! | operand | W | cycle 20 |
//! | key, residual | 1 | static: which of them, if one |
//! | left, left_is_value | 5, 1 | static: `word` (else `operand`) is shifted left by `left`, 0 to 15 |
//! | aligned | max(SW, W + 15) + 1 | cycle 22 of a residual, zero in every other |
//! | y | Y | cycle 28: `aligned` rounded |
//! | x | SW | cycle 23, of a residual 29 |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::other::Other, number::*};
//! use rust_hdl::prelude::*;
//! # let core = EngineConfig { name: "x".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//! #     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16 };
//! let mut u = Other::new(&core).unwrap();
//! u.connect_all();
//! (u.word.next, u.operand.next, u.key.next) = (S::new(100), S::new(40), true);
//! for cycle in 20..23 {
//!     u.even.next = cycle % 2 == 0;
//!     u.line.next = U::new(1 << (cycle + 1) / 2);
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//! }
//! assert_eq!(u.x.val().get(), 127);
//! ```

use super::LINE_BITS;
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Other {
        inputs {
            /// An even cycle.
            even: Flag<In>,
            /// Words on their way.
            line: Sig<In, U>,
            /// The function's result.
            word: Sig<In, S>,
            /// The second operand.
            operand: Sig<In, S>,
            /// It is a positional key.
            key: Flag<In>,
            /// It is a residual operand.
            residual: Flag<In>,
            /// Alignment.
            left: Sig<In, U>,
            /// Of the word, not of the operand.
            left_is_value: Flag<In>,
            /// The shifter's result.
            y: Sig<In, S>,
        }
        outputs {
            /// For the shifter.
            aligned: Sig<Out, S>,
            /// The result.
            x: Sig<Out, S>,
        }
        parts {
            on_word: Reg<bool>,
            coarse: Reg<S>,
            fine: Reg<S>,
            straight: Reg<S>,
            result: Reg<S>,
        }
        locals {
            moved: Sig<Local, S>,
            total: Sig<Local, S>,
            pattern: Sig<Local, U>,
            zero: Const<S>,
            hi: Const<S>,
            width: Const<U>,
            top: Const<U>,
        }
    }
}

/// Width of an aligned sum.
pub fn aligned_bits(core: &EngineConfig) -> u32 {
    core.serial_bits().max(core.width + 15) + 1
}

impl Other {
    /// For a core.
    pub fn new(core: &EngineConfig) -> Result<Self> {
        core.validate()?;
        let (w, sw) = (core.width, core.serial_bits());
        let sum = aligned_bits(core);
        Ok(Other {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            word: Sig::new(sw),
            operand: Sig::new(w),
            key: Flag::default(),
            residual: Flag::default(),
            left: Sig::new(5),
            left_is_value: Flag::default(),
            y: Sig::new(sw + 1),
            aligned: Sig::new(sum),
            x: Sig::new(sw),
            fine: Reg::new(sw + 3),
            on_word: Reg::default(),
            coarse: Reg::new(sum - 1),
            straight: Reg::new(w),
            result: Reg::new(sw),
            moved: Sig::new(sw),
            total: Sig::new(sum),
            pattern: Sig::new(sum),
            zero: Const::new(1, S::new(0)),
            hi: Const::new(w, S::new((1 << (w - 1)) - 1)),
            width: Const::natural(w as u64),
            top: Const::natural(w as u64 - 1),
            activity: Default::default(),
        })
    }
}

impl Logic for Other {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, on_word, coarse, fine, straight, result);
        // 20: which one moves, by 0 to 3. A word without residual operand does not.
        self.on_word.d.next = !self.residual.val() || self.left_is_value.val();
        self.moved.next = self.operand.val();
        if self.on_word.q.val() {
            self.moved.next = self.word.val();
        }
        if self.even.val() && self.line.val().get_bit(10) {
            if self.left.val().get_bit(1) {
                if self.left.val().get_bit(0) {
                    self.fine.d.next = (self.moved.val() << 3).into();
                } else {
                    self.fine.d.next = (self.moved.val() << 2).into();
                }
            } else {
                if self.left.val().get_bit(0) {
                    self.fine.d.next = (self.moved.val() << 1).into();
                } else {
                    self.fine.d.next = self.moved.val();
                }
            }
            self.straight.d.next = self.operand.val();
            if !self.on_word.q.val() {
                self.straight.d.next = self.word.val();
            }
            if !self.key.val() && !self.residual.val() {
                self.straight.d.next = self.zero.val();
            }
        }
        // 21: by 0, 4, 8 or 12.
        if self.left.val().get_bit(3) {
            if self.left.val().get_bit(2) {
                self.coarse.d.next = (self.fine.q.val() << 12).into();
            } else {
                self.coarse.d.next = (self.fine.q.val() << 8).into();
            }
        } else {
            if self.left.val().get_bit(2) {
                self.coarse.d.next = (self.fine.q.val() << 4).into();
            } else {
                self.coarse.d.next = self.fine.q.val();
            }
        }
        // 22: the sum; without residual operand it is the result.
        self.total.next = (self.coarse.q.val() + self.straight.q.val()).into();
        self.aligned.next = self.zero.val();
        if self.even.val() && self.line.val().get_bit(11) && self.residual.val() {
            self.aligned.next = self.total.val();
        }
        self.result.d.next = self.total.val();
        // A sum with a key, both of W bits, has W + 1: it is too large where the upper two are 01.
        self.pattern.next = unsigned_cast_of(self.total);
        if self.key.val()
            && !self.pattern.val().get_bit(self.width.val().index())
            && self.pattern.val().get_bit(self.top.val().index())
        {
            self.result.d.next = self.hi.val();
        }
        if self.residual.val() {
            self.result.d.next = self.y.val();
        }
        self.x.next = self.result.q.val();
    }
}

//! Third unit of the stream: positional key or residual operand.
//!
//! Aligning takes the one left shift here; the rounding of a residual sum is the stream's [`shifter`](super::shifter): this unit hands it
//! `aligned` and takes `y` six cycles later. Cycles are those of [`linear`](super::linear): the word comes in cycle 18.
//!
//! | port | width | |
//! |---|---|---|
//! | even, line | | as in `linear` |
//! | word | SW | cycle 18, of a residual 20 |
//! | positional | W | cycle 18: the key's positional part |
//! | operand | W | cycle 20: a residual's second operand |
//! | key, residual | 1 | static: which of them, if one; then the word has W bits |
//! | left, left_is_value | 5, 1 | static: `word` (else `operand`) is shifted left by `left`, 0 to 15 |
//! | aligned | W + 16 | cycle 22 of a residual, zero when an other word's turn comes |
//! | y | Y | cycle 28: `aligned` rounded |
//! | x | SW | cycle 19, of a residual 29 |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::other::Other, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! # let core = EngineConfig { name: "x".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//! #     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16, chunked: false };
//! let mut u = Other::new(&core, Target::Generic).unwrap();
//! u.connect_all();
//! (u.word.next, u.positional.next, u.key.next) = (S::new(100), S::new(40), true);
//! for _ in 0..2 {      // `key` is taken over once; then cycle 18
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//! }
//! assert_eq!(u.x.val().get(), 127);
//! ```

use super::LINE_BITS;
use super::function::rounded_bits;
use crate::block;
use crate::multiply::Target;
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
            /// Added to a key.
            positional: Sig<In, S>,
            /// The second operand of a residual.
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
            used: Reg<bool>,
            coarse: Reg<S>,
            fine: Reg<S>,
            straight: Reg<S>,
            result: Reg<S>,
        }
        locals {
            moved: Sig<Local, S>,
            near: Sig<Local, S>,
            late: Const<bool>,
            word_low: Sig<Local, S>,
            total: Sig<Local, S>,
            pattern: Sig<Local, U>,
            kept: Sig<Local, S>,
            low: Sig<Local, U>,
            high: Sig<Local, U>,
            minus: Flag<Local>,
            y_bits: Sig<Local, U>,
            zero: Const<S>,
            zeros: Const<U>,
            ones: Const<U>,
            hi: Const<U>,
            width: Const<U>,
            top: Const<U>,
        }
    }
}

/// Width of an aligned sum.
pub fn aligned_bits(core: &EngineConfig) -> u32 {
    core.width + 16
}

impl Other {
    /// For a core.
    pub fn new(core: &EngineConfig, target: Target) -> Result<Self> {
        core.validate()?;
        let (w, sw) = (core.width, core.serial_bits());
        let sum = aligned_bits(core);
        Ok(Other {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            word: Sig::new(sw),
            positional: Sig::new(w),
            operand: Sig::new(w),
            key: Flag::default(),
            residual: Flag::default(),
            left: Sig::new(5),
            left_is_value: Flag::default(),
            y: Sig::new(rounded_bits(core)),
            aligned: Sig::new(sum),
            x: Sig::new(sw),
            used: Reg::default(),
            coarse: Reg::new(sum - 1),
            fine: Reg::new(w + 3),
            straight: Reg::new(w),
            result: Reg::new(sw),
            moved: Sig::new(w),
            near: Sig::new(w + 3),
            late: Const::new(1, target == Target::Ecp5),
            word_low: Sig::new(w),
            total: Sig::new(w + 1),
            pattern: Sig::new(w + 1),
            kept: Sig::new(w),
            low: Sig::new(w),
            high: Sig::new((sw - w).max(1)),
            minus: Flag::default(),
            y_bits: Sig::new(rounded_bits(core)),
            zero: Const::new(1, S::new(0)),
            zeros: Const::natural(0),
            ones: Const::natural((1 << (sw - w).max(1)) - 1),
            hi: Const::natural((1 << (w - 1)) - 1),
            width: Const::natural(w as u64),
            top: Const::natural(w as u64 - 1),
            activity: Default::default(),
        })
    }
}

impl Logic for Other {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, used, coarse, fine, straight, result);
        self.used.d.next = self.key.val() || self.residual.val();
        // 18: a sum with a key, both of W bits, has W + 1: it is too large where the upper two are 01.
        self.word_low.next = self.word.val();
        self.total.next = (self.word_low.val() + self.positional.val()).into();
        self.pattern.next = unsigned_cast_of(self.total);
        self.kept.next = self.word_low.val();
        if self.key.val() {
            self.kept.next = self.total.val();
        }
        self.low.next = unsigned_cast_of(self.kept);
        if self.key.val()
            && !self.pattern.val().get_bit(self.width.val().index())
            && self.pattern.val().get_bit(self.top.val().index())
        {
            self.low.next = self.hi.val();
        }
        self.minus.next = self.pattern.val().get_bit(self.width.val().index());
        // 28: or the residual sum.
        self.y_bits.next = unsigned_cast_of(self.y);
        if self.residual.val() {
            self.low.next = unsigned_cast_of(self.y);
            self.minus.next = self.y_bits.val().get_bit(self.top.val().index());
        }
        self.high.next = (unsigned_cast_of(self.word) >> self.width.val().index()).into();
        if self.used.q.val() {
            self.high.next = self.zeros.val();
            if self.minus.val() {
                self.high.next = self.ones.val();
            }
        }
        self.result.d.next = ((self.high.val() << self.width.val().index()) | self.low.val()).into();
        self.x.next = self.result.q.val();
        // 20: which one moves, by 0 to 3 (ECP5: in the next cycle; X's blocks stand far away).
        self.moved.next = self.operand.val();
        if self.left_is_value.val() {
            self.moved.next = self.word_low.val();
        }
        if self.even.val() {
            self.fine.d.next = self.moved.val();
            if !self.late.val() {
                if self.left.val().get_bit(1) {
                    if self.left.val().get_bit(0) {
                        self.fine.d.next = (self.moved.val() << 3).into();
                    } else {
                        self.fine.d.next = (self.moved.val() << 2).into();
                    }
                } else {
                    if self.left.val().get_bit(0) {
                        self.fine.d.next = (self.moved.val() << 1).into();
                    }
                }
            }
            self.straight.d.next = self.zero.val();
            if self.residual.val() && self.line.val().get_bit(10) {
                self.straight.d.next = self.operand.val();
                if !self.left_is_value.val() {
                    self.straight.d.next = self.word_low.val();
                }
            }
        }
        // 21: by 0, 4, 8 or 12.
        self.near.next = self.fine.q.val();
        if self.late.val() {
            if self.left.val().get_bit(1) {
                if self.left.val().get_bit(0) {
                    self.near.next = (self.fine.q.val() << 3).into();
                } else {
                    self.near.next = (self.fine.q.val() << 2).into();
                }
            } else {
                if self.left.val().get_bit(0) {
                    self.near.next = (self.fine.q.val() << 1).into();
                }
            }
        }
        self.coarse.d.next = self.zero.val();
        if !self.even.val() && self.line.val().get_bit(11) {
            if self.left.val().get_bit(3) {
                if self.left.val().get_bit(2) {
                    self.coarse.d.next = (self.near.val() << 12).into();
                } else {
                    self.coarse.d.next = (self.near.val() << 8).into();
                }
            } else {
                if self.left.val().get_bit(2) {
                    self.coarse.d.next = (self.near.val() << 4).into();
                } else {
                    self.coarse.d.next = self.near.val();
                }
            }
        }
        // 22: the sum. (In 21 there is a part of it; no other word of such a step has a turn then.)
        self.aligned.next = (self.coarse.q.val() + self.straight.q.val()).into();
    }
}

//! First unit of the stream: exact word + addend, and the shift of its rounding.
//!
//! Cycles are counted from the word's; `k` stands for bit k of `line`, which is set in cycles 2k − 1 and 2k (of a wide state, two later).
//!
//! | port | width | |
//! |---|---|---|
//! | even | 1 | this is an even cycle; words come on even ones |
//! | late, word | 1, A | cycle 1: a word has come, it |
//! | line | | the words on their way |
//! | addend_used | 1 | static: the addend counts (a state's does not in the first block) |
//! | wide | 1 | static: the addend has two words; the **high** one comes first |
//! | addend | 32 | cycle 3 (wide: the high word, the low one in cycle 5) |
//! | shift, normalise, offset | 6, 1, 8 | static: shift + 16; the shift is instead E + `offset` − 16, clamped to −16..47 |
//! | exponent | 6 | E, cycle 3 |
//! | sum | A | from cycle 4 on (wide: 6), for 2 cycles or until the next word's |
//! | field | 6 | the shift + 16, from cycle 4 on |
//!
//! Two parts are added in one cycle; the upper one takes the carry in the next, on its way out. On ECP5 the addend comes from far away, and a
//! carry is fast: the sum is taken whole on the way out.
//!
//! ```
//! use astromorph_hdl::{engine::linear::Linear, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut u = Linear::new(26, Target::Generic).unwrap();
//! u.connect_all();
//! (u.addend_used.next, u.shift.next) = (true, U::new(20));
//! (u.late.next, u.word.next) = (true, S::new(-5000));
//! for cycle in 1..4 {
//!     u.even.next = cycle % 2 == 0;
//!     u.line.next = U::new([0, 2, 2, 4, 4][cycle]);
//!     u.addend.next = S::new(if cycle == 3 { 70_000 } else { 0 });
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//!     u.late.next = false;
//! }
//! assert_eq!((u.sum.val().get(), u.field.val().get()), (65_000, 20));
//! ```

use super::LINE_BITS;
use super::shifter::FIELD_BITS;
use crate::block;
use crate::check;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Width of a word of M.
pub const ADDEND_BITS: u32 = 32;
/// Width of an exponent E.
pub const EXPONENT_BITS: u32 = 6;
/// Width of the normaliser's offset.
pub const OFFSET_BITS: u32 = 8;

block! {
    /// See the module's text.
    pub struct Linear {
        inputs {
            /// An even cycle.
            even: Flag<In>,
            /// Words on their way.
            line: Sig<In, U>,
            /// A word has come.
            late: Flag<In>,
            /// The exact word.
            word: Sig<In, S>,
            /// The addend counts.
            addend_used: Flag<In>,
            /// It has two words.
            wide: Flag<In>,
            /// A word of it.
            addend: Sig<In, S>,
            /// Shift + 16.
            shift: Sig<In, U>,
            /// E takes part in the shift.
            normalise: Flag<In>,
            /// κ + 16.
            offset: Sig<In, U>,
            /// E.
            exponent: Sig<In, U>,
        }
        outputs {
            /// Word + addend.
            sum: Sig<Out, S>,
            /// Its shift + 16.
            field: Sig<Out, U>,
        }
        parts {
            first: Reg<U>,
            far: Reg<U>,
            low: Reg<U>,
            high: Reg<U>,
            shift_r: Reg<U>,
            /// Word and addend for the one addition.
            word_2: Reg<U>,
            addend_2: Reg<U>,
        }
        locals {
            ranged: Sig<Local, U>,
            clamped: Sig<Local, U>,
            least: Const<U>,
            most: Const<U>,
            addend_bits: Sig<Local, U>,
            beyond: Sig<Local, U>,
            full: Sig<Local, U>,
            word_low: Sig<Local, U>,
            word_high: Sig<Local, U>,
            addend_low: Sig<Local, U>,
            addend_high: Sig<Local, U>,
            total_low: Sig<Local, U>,
            total_high: Sig<Local, U>,
            carry: Sig<Local, U>,
            sum_low: Sig<Local, U>,
            sum_high: Sig<Local, U>,
            zero: Const<U>,
            ones: Const<U>,
            sign: Const<U>,
            split: Const<U>,
            word_bits: Const<U>,
            once: Const<bool>,
        }
    }
}

impl Linear {
    /// For words of `acc_bits`.
    pub fn new(acc_bits: u32, target: Target) -> Result<Self> {
        check::range("linear.word.width", acc_bits, 16, 48)?;
        // One addition of 32 bits fits a cycle of the slowest target.
        let low = if acc_bits <= ADDEND_BITS {
            acc_bits - 2
        } else {
            acc_bits / 2
        };
        let high = acc_bits - low;
        let beyond = acc_bits.saturating_sub(ADDEND_BITS).max(1);
        Ok(Linear {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            late: Flag::default(),
            word: Sig::new(acc_bits),
            addend_used: Flag::default(),
            wide: Flag::default(),
            addend: Sig::new(ADDEND_BITS),
            shift: Sig::new(FIELD_BITS),
            normalise: Flag::default(),
            offset: Sig::new(OFFSET_BITS),
            exponent: Sig::new(EXPONENT_BITS),
            sum: Sig::new(acc_bits),
            field: Sig::new(FIELD_BITS),
            first: Reg::new(acc_bits),
            // Bits 32 and up.
            far: Reg::new(beyond),
            low: Reg::new(low + 1),
            high: Reg::new(high),
            shift_r: Reg::new(FIELD_BITS),
            word_2: Reg::new(acc_bits),
            addend_2: Reg::new(acc_bits),
            ranged: Sig::new(OFFSET_BITS),
            clamped: Sig::new(FIELD_BITS),
            least: Const::natural(0),
            most: Const::natural((1 << FIELD_BITS) - 1),
            addend_bits: Sig::new(ADDEND_BITS),
            beyond: Sig::new(beyond),
            full: Sig::new(acc_bits),
            word_low: Sig::new(low),
            word_high: Sig::new(high),
            addend_low: Sig::new(low),
            addend_high: Sig::new(high),
            total_low: Sig::new(low + 1),
            total_high: Sig::new(high),
            carry: Sig::new(1),
            sum_low: Sig::new(low),
            sum_high: Sig::new(high),
            zero: Const::natural(0),
            ones: Const::natural((1 << beyond) - 1),
            sign: Const::natural(ADDEND_BITS as u64 - 1),
            split: Const::natural(low as u64),
            word_bits: Const::natural(ADDEND_BITS as u64),
            once: Const::new(1, target == Target::Ecp5),
            activity: Default::default(),
        })
    }
}

impl Logic for Linear {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, first, far, low, high, shift_r, word_2, addend_2);
        if !self.even.val() && self.late.val() {
            self.first.d.next = unsigned_cast_of(self.word);
        }
        // The addend's bits from 32 on: its sign, or the first of its two words.
        if !self.even.val() && self.line.val().get_bit(1) {
            self.far.d.next = unsigned_cast_of(self.addend);
        }
        self.beyond.next = self.zero.val();
        self.addend_bits.next = unsigned_cast_of(self.addend);
        if self.addend_bits.val().get_bit(self.sign.val().index()) {
            self.beyond.next = self.ones.val();
        }
        if self.wide.val() {
            self.beyond.next = self.far.q.val();
        }
        self.full.next = ((self.beyond.val() << self.word_bits.val().index()) | unsigned_cast_of(self.addend)).into();
        self.word_low.next = self.first.q.val();
        self.word_high.next = (self.first.q.val() >> self.split.val().index()).into();
        self.addend_low.next = self.full.val();
        self.addend_high.next = (self.full.val() >> self.split.val().index()).into();
        self.total_low.next = (self.word_low.val() + self.addend_low.val()).into();
        self.total_high.next = (self.word_high.val() + self.addend_high.val()).into();
        // E + offset in 8 bits, two's complement like the offset: below 0 only with a negative offset, above 63 only without.
        self.ranged.next = (self.exponent.val() + self.offset.val()).into();
        self.clamped.next = self.ranged.val();
        if self.offset.val().get_bit(7) {
            if self.ranged.val().get_bit(7) {
                self.clamped.next = self.least.val();
            }
        } else if self.ranged.val().get_bit(6) || self.ranged.val().get_bit(7) {
            self.clamped.next = self.most.val();
        }
        if !self.even.val() && self.line.val().get_bit(2) {
            self.low.d.next = self.word_low.val();
            self.high.d.next = self.word_high.val();
            if self.addend_used.val() {
                self.low.d.next = self.total_low.val();
                self.high.d.next = self.total_high.val();
            }
            self.word_2.d.next = self.first.q.val();
            self.addend_2.d.next = self.zero.val();
            if self.addend_used.val() {
                self.addend_2.d.next = self.full.val();
            }
            self.shift_r.d.next = self.shift.val();
            if self.normalise.val() {
                self.shift_r.d.next = self.clamped.val();
            }
        }
        self.carry.next = (self.low.q.val() >> self.split.val().index()).into();
        self.sum_low.next = self.low.q.val();
        self.sum_high.next = (self.high.q.val() + self.carry.val()).into();
        self.sum.next = ((self.sum_high.val() << self.split.val().index()) | self.sum_low.val()).into();
        if self.once.val() {
            self.sum.next = (self.word_2.q.val() + self.addend_2.q.val()).into();
        }
        self.field.next = self.shift_r.q.val();
    }
}

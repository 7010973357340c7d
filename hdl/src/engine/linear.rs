//! First unit of the stream: exact word + addend, and the shift of its rounding.
//!
//! Cycles are counted from the word's; `k` stands for bit k of `line`, which is set in cycles 2k − 1 and 2k (of a wide state, two later).
//!
//! | port | width | |
//! |---|---|---|
//! | even | 1 | this is an even cycle; words come on even ones |
//! | take, word | 1, A | cycle 0 |
//! | line | | the words on their way |
//! | addend_used | 1 | static: the addend counts (a state's does not in the first block) |
//! | wide | 1 | static: the addend has two words; the **high** one comes first |
//! | addend | 32 | cycle 3 (wide: the high word, the low one in cycle 5) |
//! | shift, normalise, offset | 6, 1, 8 | static: shift + 16; the shift is instead E + `offset` − 16 |
//! | exponent | 6 | E, cycle 3 |
//! | sum | A | cycle 5 (wide: 7 and 8) |
//! | field | 6 | the shift + 16, from cycle 4 on |
//!
//! The sum is made in two halves, a cycle each.
//!
//! ```
//! use astromorph_hdl::{engine::linear::Linear, number::*};
//! use rust_hdl::prelude::*;
//! let mut u = Linear::new(26).unwrap();
//! u.connect_all();
//! (u.addend_used.next, u.shift.next) = (true, U::new(20));
//! (u.take.next, u.word.next) = (true, S::new(-5000));
//! for cycle in 0..5 {
//!     u.even.next = cycle % 2 == 0;
//!     u.line.next = U::new([0, 2, 2, 4, 4][cycle]);
//!     u.addend.next = S::new(if cycle == 3 { 70_000 } else { 0 });
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//!     u.take.next = false;
//! }
//! assert_eq!((u.sum.val().get(), u.field.val().get()), (65_000, 20));
//! ```

use super::LINE_BITS;
use super::shifter::FIELD_BITS;
use crate::block;
use crate::check;
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
            /// A word comes.
            take: Flag<In>,
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
            first: Reg<S>,
            second: Reg<S>,
            middle: Reg<U>,
            far: Reg<S>,
            low: Reg<U>,
            high: Reg<U>,
            shift_r: Reg<U>,
        }
        locals {
            used: Sig<Local, S>,
            used_middle: Sig<Local, U>,
            used_sign: Sig<Local, S>,
            word_low: Sig<Local, U>,
            word_high: Sig<Local, U>,
            addend_low: Sig<Local, U>,
            addend_high: Sig<Local, U>,
            carry: Sig<Local, U>,
            word_term: Sig<Local, U>,
            addend_term: Sig<Local, U>,
            total: Sig<Local, U>,
            total_low: Sig<Local, U>,
            zero: Const<S>,
            unit: Const<U>,
            half: Const<U>,
            middle_bits: Const<U>,
        }
    }
}

impl Linear {
    /// For words of `acc_bits`.
    pub fn new(acc_bits: u32) -> Result<Self> {
        check::range("linear.word.width", acc_bits, 16, 48)?;
        let low = acc_bits / 2;
        let high = acc_bits - low;
        let middle = ADDEND_BITS - low;
        Ok(Linear {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            take: Flag::default(),
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
            second: Reg::new(acc_bits),
            middle: Reg::new(middle),
            // Bits 32 and up.
            far: Reg::new(high.saturating_sub(middle).max(1)),
            low: Reg::new(low + 1),
            high: Reg::new(high),
            shift_r: Reg::new(FIELD_BITS),
            used: Sig::new(ADDEND_BITS),
            used_middle: Sig::new(middle),
            used_sign: Sig::new(1),
            word_low: Sig::new(low),
            word_high: Sig::new(high),
            addend_low: Sig::new(low),
            addend_high: Sig::new(high),
            carry: Sig::new(1),
            word_term: Sig::new(high + 1),
            addend_term: Sig::new(high + 1),
            total: Sig::new(high + 1),
            total_low: Sig::new(low),
            zero: Const::new(1, S::new(0)),
            unit: Const::natural(1),
            half: Const::natural(low as u64),
            middle_bits: Const::natural(middle as u64),
            activity: Default::default(),
        })
    }
}

impl Logic for Linear {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, first, second, middle, far, low, high, shift_r);
        if self.take.val() {
            self.first.d.next = self.word.val();
        }
        if self.even.val() && self.line.val().get_bit(1) {
            self.second.d.next = self.first.q.val();
        }
        self.used.next = self.zero.val();
        if self.addend_used.val() {
            self.used.next = self.addend.val();
        }
        // The addend's bits from 32 on: its sign, or the first of its two words.
        if !self.even.val() && self.line.val().get_bit(1) && self.wide.val() {
            self.far.d.next = self.used.val();
        }
        self.used_sign.next = (unsigned_cast_of(self.used) >> 31).into();
        self.used_middle.next = (unsigned_cast_of(self.used) >> self.half.val().index()).into();
        self.addend_low.next = unsigned_cast_of(self.used);
        self.word_low.next = unsigned_cast_of(self.second.q);
        if !self.even.val() && self.line.val().get_bit(2) {
            self.low.d.next = (self.word_low.val() + self.addend_low.val()).into();
            self.middle.d.next = self.used_middle.val();
            if !self.wide.val() {
                self.far.d.next = self.used_sign.val();
            }
            self.shift_r.d.next = self.shift.val();
            if self.normalise.val() {
                self.shift_r.d.next = (self.exponent.val() + self.offset.val()).into();
            }
        }
        self.word_high.next = (unsigned_cast_of(self.second.q) >> self.half.val().index()).into();
        self.addend_high.next =
            ((unsigned_cast_of(self.far.q) << self.middle_bits.val().index()) | self.middle.q.val()).into();
        // One adder with carry: the carry into bit 0 is that of 1 + carry one bit below.
        self.carry.next = (self.low.q.val() >> self.half.val().index()).into();
        self.word_term.next = ((self.word_high.val() << 1) | self.unit.val()).into();
        self.addend_term.next = ((self.addend_high.val() << 1) | self.carry.val()).into();
        self.total.next = (self.word_term.val() + self.addend_term.val()).into();
        if self.even.val() && self.line.val().get_bit(2) {
            self.high.d.next = (self.total.val() >> 1).into();
        }
        self.total_low.next = self.low.q.val();
        self.sum.next = ((self.high.q.val() << self.half.val().index()) | self.total_low.val()).into();
        self.field.next = self.shift_r.q.val();
    }
}

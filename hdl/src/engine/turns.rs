//! Who uses the stream's one [`shifter`](super::shifter) when, with which shift and width.
//!
//! Cycles are those of [`linear`](super::linear). The exact sum enters the shifter in cycle 5 and a residual sum in cycle 23, which are odd (words
//! of a residual step come in cycles that are equal mod 4, so these two never meet); the function's word enters in cycle 12, which is even.
//!
//! | port | width | |
//! |---|---|---|
//! | even, line | | as in `linear` |
//! | sum, sum_field | A, 6 | cycle 5; the shift + 16 already in cycle 4 |
//! | scaled | Z | cycle 11, zero in every other |
//! | aligned | B | cycle 22 of a residual, zero in every other |
//! | function_kind, function_shift, other_shift, bits, residual | | static: the step's fields |
//! | x, field, width | X, 6, 5 | the shifter's inputs |
//!
//! ```
//! use astromorph_hdl::{engine::turns::Turns, number::*};
//! use rust_hdl::prelude::*;
//! let mut u = Turns::new(26, 19, 24, 8);
//! u.connect_all();
//! (u.sum.next, u.sum_field.next) = (S::new(-5), U::new(20));
//! for cycle in 4..6 {
//!     (u.even.next, u.line.next) = (cycle % 2 == 0, U::new(1 << (cycle + 1) / 2));
//!     simulate(&mut u, 10);
//!     if cycle == 4 { for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); } }
//! }
//! assert_eq!((u.x.val().get(), u.field.val().get()), (-5, 20));
//! ```

use super::LINE_BITS;
use super::shifter::{FIELD_BITS, WIDTH_BITS};
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Turns {
        inputs {
            /// An even cycle.
            even: Flag<In>,
            /// Words on their way.
            line: Sig<In, U>,
            /// Exact sum.
            sum: Sig<In, S>,
            /// Its shift + 16.
            sum_field: Sig<In, U>,
            /// The function's word.
            scaled: Sig<In, S>,
            /// Residual sum.
            aligned: Sig<In, S>,
            /// Field: 1 to 3 have a shift.
            function_kind: Sig<In, U>,
            /// Field: shift + 16.
            function_shift: Sig<In, U>,
            /// Field: shift + 8.
            other_shift: Sig<In, U>,
            /// Field: width of the rounded sum.
            bits: Sig<In, U>,
            /// The step has a residual operand.
            residual: Flag<In>,
        }
        outputs {
            /// What is rounded.
            x: Sig<Out, S>,
            /// Its shift + 16.
            field: Sig<Out, U>,
            /// The width of what entered 3 cycles ago.
            width: Sig<Out, U>,
        }
        parts {
            sum_turn: Reg<bool>,
            side: Reg<S>,
            field_r: Reg<U>,
            width_r: Reg<U>,
            shifts: Reg<bool>,
            works: Reg<bool>,
        }
        locals {
            scaled_wide: Sig<Local, S>,
            side_wide: Sig<Local, S>,
            exact: Sig<Local, S>,
            residual_code: Sig<Local, U>,
            zero: Const<S>,
            straight: Const<U>,
            operand: Const<U>,
        }
    }
}

impl Turns {
    /// Sums of `sum` bits, function's words of `scaled`, residual sums of `aligned`, operands of `width`.
    pub fn new(sum: u32, scaled: u32, aligned: u32, width: u32) -> Self {
        let x = sum.max(aligned);
        Turns {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            sum: Sig::new(sum),
            sum_field: Sig::new(FIELD_BITS),
            scaled: Sig::new(scaled),
            aligned: Sig::new(aligned),
            function_kind: Sig::new(3),
            function_shift: Sig::new(FIELD_BITS),
            other_shift: Sig::new(FIELD_BITS),
            bits: Sig::new(WIDTH_BITS),
            residual: Flag::default(),
            x: Sig::new(x),
            field: Sig::new(FIELD_BITS),
            width: Sig::new(WIDTH_BITS),
            sum_turn: Reg::default(),
            side: Reg::new(aligned),
            field_r: Reg::new(FIELD_BITS),
            width_r: Reg::new(WIDTH_BITS),
            shifts: Reg::default(),
            works: Reg::default(),
            scaled_wide: Sig::new(aligned),
            side_wide: Sig::new(x),
            exact: Sig::new(x),
            residual_code: Sig::new(FIELD_BITS),
            zero: Const::new(1, S::new(0)),
            straight: Const::natural(16),
            operand: Const::natural(width as u64),
            activity: Default::default(),
        }
    }
}

impl Logic for Turns {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sum_turn, side, field_r, width_r, shifts, works);
        // What stands still is decoded once.
        self.shifts.d.next =
            (self.function_kind.val() == 1) || (self.function_kind.val() == 2) || (self.function_kind.val() == 3);
        self.works.d.next = !(self.function_kind.val() == 0);
        // One of the two at most is not zero.
        self.scaled_wide.next = self.scaled.val();
        self.side.d.next = (unsigned_cast_of(self.scaled_wide) | unsigned_cast_of(self.aligned)).into();
        self.side_wide.next = self.side.q.val();
        self.sum_turn.d.next = self.even.val() && self.line.val().get_bit(2);
        self.exact.next = self.zero.val();
        if self.sum_turn.q.val() {
            self.exact.next = self.sum.val();
        }
        self.x.next = (unsigned_cast_of(self.exact) | unsigned_cast_of(self.side_wide)).into();
        // The next cycle's shift.
        self.residual_code.next = (self.other_shift.val() + 8).into();
        self.field_r.d.next = self.sum_field.val();
        if self.even.val() {
            if self.residual.val() && self.line.val().get_bit(11) {
                self.field_r.d.next = self.residual_code.val();
            }
        } else {
            self.field_r.d.next = self.straight.val();
            if self.shifts.q.val() {
                self.field_r.d.next = self.function_shift.val();
            }
        }
        self.field.next = self.field_r.q.val();
        // The next cycle's width.
        self.width_r.d.next = self.bits.val();
        if self.even.val() {
            if self.works.q.val() {
                self.width_r.d.next = self.operand.val();
            }
        } else {
            if self.residual.val() && self.line.val().get_bit(13) {
                self.width_r.d.next = self.operand.val();
            }
        }
        self.width.next = self.width_r.q.val();
    }
}

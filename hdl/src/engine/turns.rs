//! Who uses the stream's one [`shifter`](super::shifter) when, with which shift and width.
//!
//! Cycles are those of [`linear`](super::linear). The exact sum enters the shifter in cycle 5 and a residual sum in cycle 23, which are odd (words
//! of a residual step come in cycles that are equal mod 4, so these two never meet); the function's word enters in cycle 12, which is even.
//!
//! | port | width | |
//! |---|---|---|
//! | even, line | | as in `linear` |
//! | sum, sum_field | A, 6 | cycle 4: the sum, its shift + 16 |
//! | turned, nothing | Z, 1 | cycle 11, zero in every other; instead of it 0 |
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
//! (u.even.next, u.line.next) = (true, U::new(1 << 2));      // cycle 4
//! for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
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
            turned: Sig<In, S>,
            /// 0 instead of it.
            nothing: Flag<In>,
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
            x_r: Reg<S>,
            field_r: Reg<U>,
            width_r: Reg<U>,
            shifts: Reg<bool>,
            works: Reg<bool>,
        }
        locals {
            exact: Sig<Local, S>,
            turned_wide: Sig<Local, S>,
            aligned_wide: Sig<Local, S>,
            residual_code: Sig<Local, U>,
            zero: Const<S>,
            straight: Const<U>,
            operand: Const<U>,
        }
    }
}

impl Turns {
    /// Sums of `sum` bits, function's words of `turned`, residual sums of `aligned`, operands of `width`.
    pub fn new(sum: u32, turned: u32, aligned: u32, width: u32) -> Self {
        let x = sum.max(turned).max(aligned);
        Turns {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            sum: Sig::new(sum),
            sum_field: Sig::new(FIELD_BITS),
            turned: Sig::new(turned),
            nothing: Flag::default(),
            aligned: Sig::new(aligned),
            function_kind: Sig::new(3),
            function_shift: Sig::new(FIELD_BITS),
            other_shift: Sig::new(FIELD_BITS),
            bits: Sig::new(WIDTH_BITS),
            residual: Flag::default(),
            x: Sig::new(x),
            field: Sig::new(FIELD_BITS),
            width: Sig::new(WIDTH_BITS),
            x_r: Reg::new(x),
            field_r: Reg::new(FIELD_BITS),
            width_r: Reg::new(WIDTH_BITS),
            shifts: Reg::default(),
            works: Reg::default(),
            exact: Sig::new(x),
            turned_wide: Sig::new(x),
            aligned_wide: Sig::new(x),
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
        dff_setup!(self, clock, x_r, field_r, width_r, shifts, works);
        // What stands still is decoded once.
        self.shifts.d.next =
            (self.function_kind.val() == 1) || (self.function_kind.val() == 2) || (self.function_kind.val() == 3);
        self.works.d.next = !(self.function_kind.val() == 0);
        // One of the three at most is not zero.
        self.exact.next = self.zero.val();
        if self.even.val() && self.line.val().get_bit(2) {
            self.exact.next = self.sum.val();
        }
        self.turned_wide.next = self.turned.val();
        self.aligned_wide.next = self.aligned.val();
        self.x_r.d.next = ((unsigned_cast_of(self.exact) | unsigned_cast_of(self.turned_wide))
            | unsigned_cast_of(self.aligned_wide))
        .into();
        if self.nothing.val() {
            self.x_r.d.next = self.zero.val();
        }
        self.x.next = self.x_r.q.val();
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

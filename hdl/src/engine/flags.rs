//! The words on their way through the front, and the flags that go with them.
//!
//! Words enter on even cycles. Bit k of a line is set while a word is 2k − 1 and 2k cycles old (of a wide state two more), so that a unit knows by
//! `line` and `even` in which of its cycles it is.
//!
//! | port | |
//! |---|---|
//! | reset, even | forget everything; an even cycle |
//! | wide, residual | static: lines begin two cycles later; they are five bits (10 cycles) longer |
//! | valid, row_last, pass_last, last | on an even cycle: a word, and what it is the last of; the third also without a word |
//! | late | a word came in the last even cycle |
//! | line | the words |
//! | asked_row_last, function_row_last | of the words of bits 7 (residual: 9) and 10 |
//! | out, out_row_last, out_pass_last, out_last | on an odd cycle: a word leaves |
//! | busy | not all are gone |
//!
//! ```
//! use astromorph_hdl::{engine::flags::Flags, number::*};
//! use rust_hdl::prelude::*;
//! let mut u = Flags::new();
//! u.connect_all();
//! let mut seen = Vec::new();
//! for cycle in 0..23 {
//!     (u.even.next, u.valid.next) = (cycle % 2 == 0, cycle == 0);
//!     simulate(&mut u, 10);
//!     if u.out.val() { seen.push(cycle); }
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//! }
//! assert_eq!(seen, [19]);
//! assert!(!u.busy.val());
//! ```

use super::LINE_BITS;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Flags {
        inputs {
            /// Forget everything.
            reset: Flag<In>,
            /// An even cycle.
            even: Flag<In>,
            /// Two cycles later.
            wide: Flag<In>,
            /// Ten cycles longer.
            residual: Flag<In>,
            /// A word.
            valid: Flag<In>,
            /// Last of its row.
            row_last: Flag<In>,
            /// Last of its pass.
            pass_last: Flag<In>,
            /// Last of its step.
            last: Flag<In>,
        }
        outputs {
            /// A word came in the last even cycle.
            late: Flag<Out>,
            /// The words.
            line: Sig<Out, U>,
            /// The word that asks for an operand is its row's last.
            asked_row_last: Flag<Out>,
            /// Bit 10's is its row's last.
            function_row_last: Flag<Out>,
            /// A word leaves.
            out: Flag<Out>,
            /// It is its row's last.
            out_row_last: Flag<Out>,
            /// A pass's last leaves.
            out_pass_last: Flag<Out>,
            /// The step's last leaves.
            out_last: Flag<Out>,
            /// Not all are gone.
            busy: Flag<Out>,
        }
        parts {
            late_valid: Reg<bool>,
            late_row: Reg<bool>,
            late_pass: Reg<bool>,
            words: Reg<U>,
            rows: Reg<U>,
            passes: Reg<U>,
            ended: Reg<bool>,
        }
        locals {
            in_valid: Flag<Local>,
            in_row: Flag<Local>,
            in_pass: Flag<Local>,
            words_moved: Sig<Local, U>,
            rows_moved: Sig<Local, U>,
            passes_moved: Sig<Local, U>,
            leaves: Flag<Local>,
            younger: Sig<Local, U>,
            none: Const<U>,
            kept: Const<U>,
            entered: Const<U>,
            below_out: Const<U>,
            below_residual: Const<U>,
        }
    }
}

impl Flags {
    /// Of one front.
    #[allow(clippy::new_without_default)] // as all blocks
    pub fn new() -> Self {
        Flags {
            clock: Signal::default(),
            reset: Flag::default(),
            even: Flag::default(),
            wide: Flag::default(),
            residual: Flag::default(),
            valid: Flag::default(),
            row_last: Flag::default(),
            pass_last: Flag::default(),
            last: Flag::default(),
            late: Flag::default(),
            line: Sig::new(LINE_BITS),
            asked_row_last: Flag::default(),
            function_row_last: Flag::default(),
            out: Flag::default(),
            out_row_last: Flag::default(),
            out_pass_last: Flag::default(),
            out_last: Flag::default(),
            busy: Flag::default(),
            late_valid: Reg::default(),
            late_row: Reg::default(),
            late_pass: Reg::default(),
            words: Reg::new(LINE_BITS),
            rows: Reg::new(LINE_BITS),
            passes: Reg::new(LINE_BITS),
            ended: Reg::default(),
            in_valid: Flag::default(),
            in_row: Flag::default(),
            in_pass: Flag::default(),
            words_moved: Sig::new(LINE_BITS),
            rows_moved: Sig::new(LINE_BITS),
            passes_moved: Sig::new(LINE_BITS),
            leaves: Flag::default(),
            younger: Sig::new(LINE_BITS),
            none: Const::natural(0),
            // All but the bits that only a residual needs.
            kept: Const::new(LINE_BITS, U::new(0x7ff)),
            entered: Const::natural(2),
            below_out: Const::new(LINE_BITS, U::new(0x3ff)),
            below_residual: Const::new(LINE_BITS, U::new(0x7fff)),
            activity: Default::default(),
        }
    }
}

impl Logic for Flags {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, late_valid, late_row, late_pass, words, rows, passes, ended);
        self.in_valid.next = self.valid.val();
        self.in_row.next = self.row_last.val();
        self.in_pass.next = self.pass_last.val();
        if self.wide.val() {
            self.in_valid.next = self.late_valid.q.val();
            self.in_row.next = self.late_row.q.val();
            self.in_pass.next = self.late_pass.q.val();
        }
        self.words_moved.next = (self.words.q.val() << 1).into();
        self.passes_moved.next = (self.passes.q.val() << 1).into();
        if !self.residual.val() {
            self.words_moved.next = ((self.words.q.val() << 1) & self.kept.val()).into();
            self.passes_moved.next = ((self.passes.q.val() << 1) & self.kept.val()).into();
        }
        self.rows_moved.next = (self.rows.q.val() << 1).into();
        if self.even.val() {
            self.late_valid.d.next = self.valid.val();
            self.late_row.d.next = self.row_last.val();
            self.late_pass.d.next = self.pass_last.val();
            self.words.d.next = self.words_moved.val();
            self.rows.d.next = self.rows_moved.val();
            self.passes.d.next = self.passes_moved.val();
            if self.in_valid.val() {
                self.words.d.next = (self.words_moved.val() | self.entered.val()).into();
            }
            if self.in_row.val() {
                self.rows.d.next = (self.rows_moved.val() | self.entered.val()).into();
            }
            if self.in_pass.val() {
                self.passes.d.next = (self.passes_moved.val() | self.entered.val()).into();
            }
        }
        self.asked_row_last.next = self.rows.q.val().get_bit(7);
        self.leaves.next = !self.even.val() && self.words.q.val().get_bit(10);
        self.out_row_last.next = !self.even.val() && self.rows.q.val().get_bit(10);
        self.out_pass_last.next = !self.even.val() && self.passes.q.val().get_bit(10);
        self.younger.next = (self.words.q.val() & self.below_out.val()).into();
        if self.residual.val() {
            self.asked_row_last.next = self.rows.q.val().get_bit(9);
            self.leaves.next = !self.even.val() && self.words.q.val().get_bit(15);
            self.out_row_last.next = !self.even.val() && self.rows.q.val().get_bit(15);
            self.out_pass_last.next = !self.even.val() && self.passes.q.val().get_bit(15);
            self.younger.next = (self.words.q.val() & self.below_residual.val()).into();
        }
        // The step's last word has come, and none is behind this one.
        self.out_last.next =
            self.leaves.val() && self.ended.q.val() && !self.late_valid.q.val() && (self.younger.val() == 0);
        if self.out_last.val() {
            self.ended.d.next = false;
        }
        if self.even.val() && self.last.val() {
            self.ended.d.next = true;
        }
        if self.reset.val() {
            self.late_valid.d.next = false;
            self.late_pass.d.next = false;
            self.words.d.next = self.none.val();
            self.passes.d.next = self.none.val();
            self.ended.d.next = false;
        }
        self.late.next = self.late_valid.q.val();
        self.line.next = self.words.q.val();
        self.function_row_last.next = self.rows.q.val().get_bit(10);
        self.out.next = self.leaves.val();
        self.busy.next = !(self.words.q.val() == 0)
            || !(self.passes.q.val() == 0)
            || self.late_valid.q.val()
            || self.late_pass.q.val();
    }
}

//! Index of a row's largest word, the first of equals.
//!
//! | port | width | |
//! |---|---|---|
//! | valid, word, row_last | 1, SW, 1 | words of a row |
//! | index, index_valid | 16, 1 | 1 cycle after the row's last word, for one cycle |
//!
//! ```
//! use astromorph_hdl::{engine::argmax::Argmax, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Argmax::new(16);
//! m.connect_all();
//! for (n, x) in [-3, 7, 7].into_iter().enumerate() {
//!     (m.valid.next, m.word.next, m.row_last.next) = (true, S::new(x), n == 2);
//!     for level in [true, false] { m.clock.next.clk = level; simulate(&mut m, 10); }
//! }
//! assert_eq!((m.index_valid.val(), m.index.val()), (true, U::new(1)));
//! ```

use super::sizes::COUNT_BITS;
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Argmax {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A word.
            valid: Flag<In>,
            /// The word.
            word: Sig<In, S>,
            /// Last of its row.
            row_last: Flag<In>,
        }
        outputs {
            /// Where the largest was.
            index: Sig<Out, U>,
            /// The row is complete.
            index_valid: Flag<Out>,
        }
        parts {
            begun: Reg<bool>,
            /// The largest as a natural number from 0 on, inverted: a sum with it carries when the other is larger.
            best: Reg<U>,
            place: Reg<U>,
            column: Reg<U>,
            valid_r: Reg<bool>,
        }
        locals {
            larger: Flag<Local>,
            raised: Sig<Local, U>,
            sum: Sig<Local, U>,
            sign: Const<U>,
            top: Const<U>,
            zero: Const<U>,
        }
    }
}

impl Argmax {
    /// For words of `width` bits.
    pub fn new(width: u32) -> Self {
        Argmax {
            clock: Signal::default(),
            reset: Flag::default(),
            valid: Flag::default(),
            word: Sig::new(width),
            row_last: Flag::default(),
            index: Sig::new(COUNT_BITS),
            index_valid: Flag::default(),
            begun: Reg::default(),
            best: Reg::new(width),
            place: Reg::new(COUNT_BITS),
            column: Reg::new(COUNT_BITS),
            valid_r: Reg::default(),
            larger: Flag::default(),
            raised: Sig::new(width),
            sum: Sig::new(width + 1),
            sign: Const::natural(1 << (width - 1)),
            top: Const::natural(width.into()),
            zero: Const::natural(0),
            activity: Default::default(),
        }
    }
}

impl Logic for Argmax {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, begun, best, place, column, valid_r);
        self.raised.next = (unsigned_cast_of(self.word) ^ self.sign.val()).into();
        self.sum.next = (self.raised.val() + self.best.q.val()).into();
        self.larger.next = !self.begun.q.val() || self.sum.val().get_bit(self.top.val().index());
        self.valid_r.d.next = false;
        if self.valid.val() {
            self.begun.d.next = true;
            self.column.d.next = (self.column.q.val() + 1).into();
            if self.larger.val() {
                self.best.d.next = (!self.raised.val()).into();
                self.place.d.next = self.column.q.val();
            }
            if self.row_last.val() {
                self.begun.d.next = false;
                self.valid_r.d.next = true;
            }
        }
        if self.reset.val() || (self.valid.val() && self.row_last.val()) {
            self.column.d.next = self.zero.val();
        }
        if self.reset.val() {
            self.begun.d.next = false;
            self.valid_r.d.next = false;
        }
        self.index.next = self.place.q.val();
        self.index_valid.next = self.valid_r.q.val();
    }
}

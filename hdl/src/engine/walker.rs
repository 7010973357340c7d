//! Address pointer of one user: base, a step along the row for every word, a step to the next row at a row's end.
//!
//! | port | width | |
//! |---|---|---|
//! | clear | 1 | a cycle or more before `load`: forgets where it stood |
//! | load, base | 1, N | the pointer stands at `base` in the next cycle; `base` counts in this cycle alone |
//! | stride, cols_not | 16, 17 | stand still from two cycles before a row's end; the second is the complement of the row's columns |
//! | step | 1 | the word at `address` is being used: go on by one |
//! | row_end | 1 | with `step`: it was the row's last, go to the row's first + `stride` |
//! | address | N | latency 1 after `step` |
//!
//! The way from a row's last word to the next row's first, `stride` − columns + 1, is worked out ahead; the base is added to 0. So one adder does.
//!
//! ```
//! use astromorph_hdl::{engine::walker::Walker, number::*};
//! use rust_hdl::prelude::*;
//! let mut w = Walker::new("walker", 10).unwrap();
//! w.connect_all();
//! (w.base.next, w.stride.next, w.cols_not.next) = (U::new(100), U::new(8), S::new(!3));
//! let mut seen = Vec::new();
//! for (load, step, row_end) in [(true, false, false), (false, false, false), (false, true, false), (false, true, false), (false, true, true)] {
//!     (w.load.next, w.step.next, w.row_end.next) = (load, step, row_end);
//!     for level in [true, false] { w.clock.next.clk = level; simulate(&mut w, 10); }
//!     seen.push(w.address.val().get());
//! }
//! assert_eq!(seen, [100, 100, 101, 102, 108]);
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Width of a stride and of a number of columns.
pub const STRIDE_BITS: u32 = 16;

block! {
    /// See the module's text.
    pub struct Walker {
        inputs {
            /// Forget where it stood.
            clear: Flag<In>,
            /// Start at `base`.
            load: Flag<In>,
            /// First address.
            base: Sig<In, U>,
            /// The word at `address` is being used.
            step: Flag<In>,
            /// It is its row's last.
            row_end: Flag<In>,
            /// From row to row.
            stride: Sig<In, U>,
            /// Complement of the words of a row.
            cols_not: Sig<In, S>,
        }
        outputs {
            /// Where the next word is.
            address: Sig<Out, U>,
        }
        parts {
            pointer: Reg<U>,
            jump: Reg<U>,
        }
        locals {
            less: Sig<Local, S>,
            stride_term: Sig<Local, U>,
            cols_term: Sig<Local, U>,
            jump_term: Sig<Local, U>,
            way: Sig<Local, U>,
            carry: Sig<Local, U>,
            pointer_term: Sig<Local, U>,
            way_term: Sig<Local, U>,
            total: Sig<Local, U>,
            zero: Const<U>,
            unit: Const<U>,
        }
    }
}

impl Walker {
    /// Addresses of `bits`; `name` is for errors.
    pub fn new(name: &str, bits: u32) -> Result<Self> {
        check::range(&format!("{name}.address.width"), bits, 2, 32)?;
        Ok(Walker {
            clock: Signal::default(),
            clear: Flag::default(),
            load: Flag::default(),
            base: Sig::new(bits),
            step: Flag::default(),
            row_end: Flag::default(),
            stride: Sig::new(STRIDE_BITS),
            cols_not: Sig::new(STRIDE_BITS + 1),
            address: Sig::new(bits),
            pointer: Reg::new(bits),
            jump: Reg::new(bits),
            less: Sig::new(bits),
            stride_term: Sig::new(bits + 1),
            cols_term: Sig::new(bits + 1),
            jump_term: Sig::new(bits + 1),
            way: Sig::new(bits),
            carry: Sig::new(1),
            pointer_term: Sig::new(bits + 1),
            way_term: Sig::new(bits + 1),
            total: Sig::new(bits + 1),
            zero: Const::natural(0),
            unit: Const::natural(1),
            activity: Default::default(),
        })
    }
}

impl Logic for Walker {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, pointer, jump);
        // A carry into bit 0 is that of 1 + 1 one bit below.
        self.less.next = self.cols_not.val();
        self.stride_term.next = ((self.stride.val() << 1) | self.unit.val()).into();
        self.cols_term.next = ((unsigned_cast_of(self.less) << 1) | self.unit.val()).into();
        self.jump_term.next = (self.stride_term.val() + self.cols_term.val()).into();
        self.jump.d.next = (self.jump_term.val() >> 1).into();
        // pointer + way + 1, the 1 as a carry from below; of the base nothing more.
        self.way.next = self.zero.val();
        self.carry.next = self.unit.val();
        if self.load.val() {
            self.way.next = self.base.val();
            self.carry.next = self.zero.val();
        } else {
            if self.row_end.val() {
                self.way.next = self.jump.q.val();
            }
        }
        self.pointer_term.next = ((self.pointer.q.val() << 1) | self.unit.val()).into();
        self.way_term.next = ((self.way.val() << 1) | self.carry.val()).into();
        self.total.next = (self.pointer_term.val() + self.way_term.val()).into();
        if self.load.val() || self.step.val() {
            self.pointer.d.next = (self.total.val() >> 1).into();
        }
        if self.clear.val() {
            self.pointer.d.next = self.zero.val();
        }
        self.address.next = self.pointer.q.val();
    }
}

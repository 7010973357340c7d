//! Address pointer of one user: base, a step along the row for every word, a step to the next row at a row's end.
//!
//! | port | width | |
//! |---|---|---|
//! | load | 1 | start: the pointer stands at `base` two cycles later |
//! | base, stride, cols | N, 16, 16 | stand still from `load` on |
//! | step | 1 | the word at `address` is being used: go on by one |
//! | row_end | 1 | with `step`: it was the row's last, column `cols` − 1: go to the row's first + `stride` |
//! | address | N | latency 1 after `step` |
//!
//! The way from a row's last word to the next row's first, `stride` − `cols` + 1, is worked out once; the base is added to 0. So one adder does.
//!
//! ```
//! use astromorph_hdl::{engine::walker::Walker, number::*};
//! use rust_hdl::prelude::*;
//! let mut w = Walker::new("walker", 10).unwrap();
//! w.connect_all();
//! (w.base.next, w.stride.next, w.cols.next) = (U::new(100), U::new(8), U::new(3));
//! let mut seen = Vec::new();
//! for (load, step, row_end) in [(true, false, false), (false, false, false), (false, true, false), (false, true, false), (false, true, true)] {
//!     (w.load.next, w.step.next, w.row_end.next) = (load, step, row_end);
//!     for level in [true, false] { w.clock.next.clk = level; simulate(&mut w, 10); }
//!     seen.push(w.address.val().get());
//! }
//! assert_eq!(seen, [0, 100, 101, 102, 108]);
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Width of a stride and of a number of columns.
pub const STRIDE_BITS: u32 = 16;

block! {
    /// See the module's text.
    pub struct Walker {
        inputs {
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
            /// Words of a row.
            cols: Sig<In, U>,
        }
        outputs {
            /// Where the next word is.
            address: Sig<Out, U>,
        }
        parts {
            pointer: Reg<U>,
            jump: Reg<U>,
            loading: Reg<bool>,
        }
        locals {
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
            load: Flag::default(),
            base: Sig::new(bits),
            step: Flag::default(),
            row_end: Flag::default(),
            stride: Sig::new(STRIDE_BITS),
            cols: Sig::new(STRIDE_BITS),
            address: Sig::new(bits),
            pointer: Reg::new(bits),
            jump: Reg::new(bits),
            loading: Reg::default(),
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
        dff_setup!(self, clock, pointer, jump, loading);
        self.jump.d.next = (self.stride.val() - self.cols.val()).into();
        self.loading.d.next = self.load.val();
        // pointer + way + 1, the 1 as a carry from below; of the base nothing more.
        self.way.next = self.zero.val();
        self.carry.next = self.unit.val();
        if self.loading.q.val() {
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
        if self.loading.q.val() || self.step.val() {
            self.pointer.d.next = (self.total.val() >> 1).into();
        }
        if self.load.val() {
            self.pointer.d.next = self.zero.val();
        }
        self.address.next = self.pointer.q.val();
    }
}

//! Address pointer of one user: a row's start, a step along the row for every word, the next row's start at a row's end.
//!
//! | port | width | |
//! |---|---|---|
//! | load | 1 | `start` is a base from the next cycle on: the pointer stands there in the cycle after |
//! | start | N | where the row begins ([`Rows`](super::rows)): after a row's last word, in the next cycle, where the next one does |
//! | step | 1 | the word at `address` is being used: go on by one; not in two successive cycles |
//! | row_end | 1 | with `step`: it was the row's last |
//! | address | N | latency 1 after `step`, 2 at a row's end |
//!
//! ```
//! use astromorph_hdl::{engine::walker::Walker, number::*};
//! use rust_hdl::prelude::*;
//! let mut w = Walker::new("walker", 10).unwrap();
//! w.connect_all();
//! let mut seen = Vec::new();
//! for (start, load, step, row_end) in [(0, true, false, false), (100, false, false, false), (100, false, true, false), (100, false, false, false),
//!     (100, false, true, true), (108, false, false, false)] {
//!     (w.start.next, w.load.next, w.step.next, w.row_end.next) = (U::new(start), load, step, row_end);
//!     for level in [true, false] { w.clock.next.clk = level; simulate(&mut w, 10); }
//!     seen.push(w.address.val().get());
//! }
//! assert_eq!(seen[1..], [100, 101, 101, 102, 108]);
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Walker {
        inputs {
            /// A base comes.
            load: Flag<In>,
            /// Where the row begins.
            start: Sig<In, U>,
            /// The word at `address` is being used.
            step: Flag<In>,
            /// It is its row's last.
            row_end: Flag<In>,
        }
        outputs {
            /// Where the next word is.
            address: Sig<Out, U>,
        }
        parts {
            pointer: Reg<U>,
            back: Reg<bool>,
        }
        locals {
            mask: Sig<Local, U>,
            ones: Const<U>,
            none: Const<U>,
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
            start: Sig::new(bits),
            step: Flag::default(),
            row_end: Flag::default(),
            address: Sig::new(bits),
            pointer: Reg::new(bits),
            back: Reg::default(),
            mask: Sig::new(bits),
            ones: Const::natural((1 << bits) - 1),
            none: Const::natural(0),
            activity: Default::default(),
        })
    }
}

impl Logic for Walker {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, pointer, back);
        self.back.d.next = self.load.val() || (self.step.val() && self.row_end.val());
        // One more: all ones less. The mask keeps it to one logic cell a bit.
        self.mask.next = self.ones.val();
        if self.back.q.val() {
            self.mask.next = self.none.val();
        }
        if self.step.val() || self.back.q.val() {
            self.pointer.d.next = (self.pointer.q.val() - self.mask.val()).into();
        }
        if self.back.q.val() {
            self.pointer.d.next = self.start.val();
        }
        self.address.next = self.pointer.q.val();
    }
}

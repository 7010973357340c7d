//! Address pointer of one user: base, a step along the row for every word, a step to the next row at a row's end.
//!
//! | port | width | |
//! |---|---|---|
//! | load, base | 1, N | pointer and row start at `base` |
//! | step | 1 | the word at `address` is being used: go on by one |
//! | row_end, stride | 1, 16 | with `step`: it was the row's last, go to the row's start + `stride` |
//! | address | N | latency 1 after load, step |
//!
//! `base` and `stride` stand still between two loads.
//!
//! ```
//! use astromorph_hdl::{engine::walker::Walker, number::*};
//! use rust_hdl::prelude::*;
//! let mut w = Walker::new("walker", 10).unwrap();
//! w.connect_all();
//! (w.load.next, w.base.next, w.stride.next) = (true, U::new(100), U::new(8));
//! let mut seen = Vec::new();
//! for row_end in [false, false, true, false] {
//!     for level in [true, false] { w.clock.next.clk = level; simulate(&mut w, 10); }
//!     seen.push(w.address.val().get());
//!     (w.load.next, w.step.next, w.row_end.next) = (false, true, row_end);
//!     simulate(&mut w, 10);
//! }
//! assert_eq!(seen, [100, 101, 102, 108]);
//! ```

use crate::block;
use crate::check;
use crate::number::{Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Width of a stride.
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
        }
        outputs {
            /// Where the next word is.
            address: Sig<Out, U>,
        }
        parts {
            pointer: Reg<U>,
            row: Reg<U>,
        }
        locals { below: Sig<Local, U> }
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
            address: Sig::new(bits),
            pointer: Reg::new(bits),
            row: Reg::new(bits),
            below: Sig::new(bits),
            activity: Default::default(),
        })
    }
}

impl Logic for Walker {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, pointer, row);
        self.below.next = (self.row.q.val() + self.stride.val()).into();
        if self.step.val() {
            self.pointer.d.next = (self.pointer.q.val() + 1).into();
            if self.row_end.val() {
                self.pointer.d.next = self.below.val();
                self.row.d.next = self.below.val();
            }
        }
        if self.load.val() {
            self.pointer.d.next = self.base.val();
            self.row.d.next = self.base.val();
        }
        self.address.next = self.pointer.q.val();
    }
}

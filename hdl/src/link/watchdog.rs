//! Barks when a sequence is in work and nothing has moved for 2^`bits` cycles.
//!
//! | port | width | |
//! |---|---|---|
//! | busy | 1 | a sequence is in work |
//! | moved | 1 | a word has gone in or come out |
//! | bark | 1 | one cycle |
//!
//! ```
//! use astromorph_hdl::{link::watchdog::Watchdog, number::*};
//! use rust_hdl::prelude::*;
//! let mut w = Watchdog::new(3).unwrap();
//! w.connect_all();
//! w.busy.next = true;
//! let mut at = vec![];
//! for n in 0..20 {
//!     w.moved.next = n == 4;
//!     for level in [true, false] { w.clock.next.clk = level; simulate(&mut w, 10); }
//!     if w.bark.val() { at.push(n); }
//! }
//! assert_eq!(at, [12]);
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Watchdog {
        inputs {
            /// A sequence is in work.
            busy: Flag<In>,
            /// A word has moved.
            moved: Flag<In>,
        }
        outputs {
            /// Too long.
            bark: Flag<Out>,
        }
        parts {
            count: Reg<U>,
        }
        locals {
            top: Const<U>,
            zero: Const<U>,
        }
    }
}

impl Watchdog {
    /// `bits` of patience.
    pub fn new(bits: u32) -> Result<Self> {
        check::range("watchdog.bits", bits, 2, 40)?;

        Ok(Watchdog {
            clock: Signal::default(),
            busy: Flag::default(),
            moved: Flag::default(),
            bark: Flag::default(),
            count: Reg::new(bits + 1),
            top: Const::natural(bits as u64),
            zero: Const::natural(0),
            activity: Default::default(),
        })
    }
}

impl Logic for Watchdog {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count);
        self.count.d.next = (self.count.q.val() + 1).into();
        if !self.busy.val() || self.moved.val() || self.count.q.val().get_bit(self.top.val().index()) {
            self.count.d.next = self.zero.val();
        }
        self.bark.next = self.count.q.val().get_bit(self.top.val().index());
    }
}

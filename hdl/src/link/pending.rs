//! Events that wait to be counted, up to 7.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | none |
//! | happens | 1 | one more |
//! | take | 1 | one less, only when `some` |
//! | some | 1 | one waits |
//!
//! ```
//! use astromorph_hdl::{link::pending::Pending, number::*};
//! use rust_hdl::prelude::*;
//! let mut p = Pending::new();
//! p.connect_all();
//! let mut cycle = |p: &mut Pending| for level in [true, false] { p.clock.next.clk = level; simulate(p, 10); };
//! p.happens.next = true;
//! for _ in 0..2 { cycle(&mut p); }
//! (p.happens.next, p.take.next) = (false, true);
//! cycle(&mut p);
//! assert!(p.some.val());
//! cycle(&mut p);
//! assert!(!p.some.val());
//! ```

use crate::block;
use crate::number::{Const, Flag, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Pending {
        inputs {
            /// Forget all.
            reset: Flag<In>,
            /// One more.
            happens: Flag<In>,
            /// One less.
            take: Flag<In>,
        }
        outputs {
            /// One waits.
            some: Flag<Out>,
        }
        parts {
            count: Reg<U>,
        }
        locals {
            zero: Const<U>,
        }
    }
}

impl Pending {
    /// No sizes.
    pub fn new() -> Self {
        Pending {
            clock: Signal::default(),
            reset: Flag::default(),
            happens: Flag::default(),
            take: Flag::default(),
            some: Flag::default(),
            count: Reg::new(3),
            zero: Const::natural(0),
            activity: Default::default(),
        }
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for Pending {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count);
        if self.happens.val() && !self.take.val() && !(self.count.q.val() == 7) {
            self.count.d.next = (self.count.q.val() + 1).into();
        }
        if self.take.val() && !self.happens.val() {
            self.count.d.next = (self.count.q.val() - 1).into();
        }
        if self.reset.val() {
            self.count.d.next = self.zero.val();
        }
        self.some.next = !(self.count.q.val() == 0);
    }
}

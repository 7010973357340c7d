//! The positional key: aw = min(a + w_t, 2^(W−1) − 1), w read in the order of arrival (`docs/arithmetic.md` section 3).
//!
//! | port | | |
//! |---|---|---|
//! | step | 1 | this cycle's element is a key element: its w is the word pointed at, the pointer moves on |
//! | next_head, restart | 1 | after this element go to the next head's words (two-pass) or to the first word |
//! | a | W | φ(k) of the element whose `step` came 2 cycles before |
//! | aw | W | latency 1 after a, 3 after step |
//!
//! The table lies in ROM as the elements arrive: two-pass (head, token, feature), causal (token, head, feature).
//!
//! ```
//! use astromorph_hdl::{number::*, positional::Positional};
//! use rust_hdl::prelude::*;
//! let mut p = Positional::new(&[5, 100], 2, 8).unwrap();
//! p.connect_all();
//! let mut cycle = |p: &mut Positional, step, a| {
//!     (p.step.next, p.a.next) = (step, S::new(a));
//!     for level in [true, false] { p.clock.next.clk = level; simulate(p, 10); }
//!     p.aw.val().get()
//! };
//! cycle(&mut p, true, 0);
//! cycle(&mut p, true, 0);
//! assert_eq!(cycle(&mut p, false, 10), 15);
//! assert_eq!(cycle(&mut p, false, 60), 127);     // saturates
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U, natural_bits};
use crate::register::Reg;
use crate::rom::Rom;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from `step` to the use of its a.
pub const STEP_TO_A: usize = 2;

block! {
    /// See the module's text.
    pub struct Positional {
        inputs {
            /// Synchronous reset: first word.
            reset: Flag<In>,
            /// A key element.
            step: Flag<In>,
            /// Afterwards the next head's first word.
            next_head: Flag<In>,
            /// Afterwards the first word.
            restart: Flag<In>,
            /// φ(k).
            a: Sig<In, S>,
        }
        outputs {
            /// φ(k) + w, saturated.
            aw: Sig<Out, S>,
        }
        parts {
            pointer: Reg<U>,
            base: Reg<U>,
            lookup: Rom,
            w: Reg<S>,
            result: Reg<S>,
        }
        locals {
            sum: Sig<Local, S>,
            next_base: Sig<Local, U>,
            zero: Const<U>,
            last: Const<U>,
            stride: Const<U>,
            top: Const<S>,
        }
    }
}

impl Positional {
    /// `words` in the order of arrival, `stride` of them a head (two-pass), operand width `bits`.
    pub fn new(words: &[i32], stride: usize, bits: u32) -> Result<Self> {
        check::range("positional.width", bits, 2, 32)?;
        check::range("positional.stride", stride, 1, words.len().max(1))?;
        let table = Rom::new("positional", words, bits)?;
        let address = table.address.width();
        let top = (1i64 << (bits - 1)) - 1;
        Ok(Positional {
            clock: Signal::default(),
            reset: Flag::default(),
            step: Flag::default(),
            next_head: Flag::default(),
            restart: Flag::default(),
            a: Sig::new(bits),
            aw: Sig::new(bits),
            pointer: Reg::new(address),
            base: Reg::new(address),
            lookup: table,
            w: Reg::new(bits),
            result: Reg::new(bits),
            sum: Sig::new(bits + 1),
            next_base: Sig::new(address),
            zero: Const::natural(0),
            last: Const::natural(words.len() as u64 - 1),
            stride: Const::new(natural_bits(stride as u64), U::new(stride as u64)),
            top: Const::new(bits, S::new(top)),
            activity: Default::default(),
        })
    }

    /// Bits of table.
    pub fn table_bits(&self) -> usize {
        self.lookup.bits()
    }
}

impl Logic for Positional {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, pointer, base, w, result);
        clock!(self, clock, lookup);
        self.lookup.address.next = self.pointer.q.val();
        self.w.d.next = self.lookup.data.val();
        self.sum.next = (self.a.val() + self.w.q.val()).into();
        self.result.d.next = self.sum.val();
        if self.sum.val() > self.top.val() {
            self.result.d.next = self.top.val();
        }
        // Beyond the last word there is nothing to point at; what follows is a restart.
        if self.step.val() && !(self.pointer.q.val() == self.last.val()) {
            self.pointer.d.next = (self.pointer.q.val() + 1).into();
        }
        self.next_base.next = (self.base.q.val() + self.stride.val()).into();
        if self.next_head.val() {
            self.base.d.next = self.next_base.val();
            self.pointer.d.next = self.next_base.val();
        }
        if self.restart.val() || self.reset.val() {
            self.base.d.next = self.zero.val();
            self.pointer.d.next = self.zero.val();
        }
        self.aw.next = self.result.q.val();
    }
}

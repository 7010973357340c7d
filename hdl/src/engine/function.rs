//! Second unit of the stream: φ, ReLU, GELU, table or hard sigmoid of the rounded word, by run-time mode, with their table memory.
//!
//! The rounding is the stream's [`shifter`](super::shifter): this unit hands it `scaled` and takes `y` five cycles later. Cycles are those of
//! [`linear`](super::linear): x comes in cycle 10.
//!
//! | port | width | |
//! |---|---|---|
//! | even, line | | as in `linear` |
//! | x | Y | cycle 10: the rounded word |
//! | kind | 3 | static: 0 none, 1 φ, 2 ReLU, 3 GELU, 4 table, 5 hard sigmoid |
//! | one, index_bits, drop, first | 5, 4, 5, 16 | static: the fields of the step; `first`: of the table |
//! | table_write, table_address, table_data | 1, F, W | store into the table memory; not while words are inside |
//! | scaled | max(Y + 1, 19) | cycle 12, zero in every other |
//! | y | Y | cycle 17: `scaled` rounded |
//! | word | SW | cycle 19 (and 20): the function's result |
//!
//! | function | t | scaled | table index, where its word is added to y |
//! |---|---|---|---|
//! | none | x | t | |
//! | φ | x + 2^one, x < 0: x + 2^(W−1) | t, x < 0: 0 | t >> (W − 1 − index_bits) where x < 0 |
//! | ReLU | x | max(t, 0) | |
//! | GELU | \|x\| | t, x < 0: 0 | min(t >> drop, 2^index_bits − 1) |
//! | table | x + 2^(index_bits−1) | 0 | t |
//! | hard | x + 2^(W−2) | max(t, 0) | |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::function::Function, number::*};
//! use rust_hdl::prelude::*;
//! # let core = EngineConfig { name: "x".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//! #     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16 };
//! let mut u = Function::new(&core).unwrap();   // W = 8
//! u.connect_all();
//! // φ of −100: bin (−100 + 128) >> 4 of eight.
//! (u.table_write.next, u.table_address.next, u.table_data.next) = (true, U::new(4 + 1), S::new(7));
//! (u.kind.next, u.one.next, u.index_bits.next, u.first.next) = (U::new(1), U::new(5), U::new(3), U::new(4));
//! u.x.next = S::new(-100);
//! for cycle in 9..19 {
//!     u.even.next = cycle % 2 == 0;
//!     u.line.next = U::new(1 << (cycle + 1) / 2);
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//!     u.table_write.next = false;
//! }
//! assert_eq!(u.word.val().get(), 7);
//! ```

use super::LINE_BITS;
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, natural_bits, unsigned_cast_of};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Function {
        inputs {
            /// An even cycle.
            even: Flag<In>,
            /// Words on their way.
            line: Sig<In, U>,
            /// Rounded word.
            x: Sig<In, S>,
            /// Mode.
            kind: Sig<In, U>,
            /// Fraction of x.
            one: Sig<In, U>,
            /// Index bits of the table.
            index_bits: Sig<In, U>,
            /// Shift of GELU's index.
            drop: Sig<In, U>,
            /// First word of the table.
            first: Sig<In, U>,
            /// Store a table word.
            table_write: Flag<In>,
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
            /// The shifter's result.
            y: Sig<In, S>,
        }
        outputs {
            /// For the shifter.
            scaled: Sig<Out, S>,
            /// The function's result.
            word: Sig<Out, S>,
        }
        parts {
            turned: Reg<S>,
            negative: Reg<bool>,
            main: Reg<S>,
            index: Reg<U>,
            index_used: Reg<bool>,
            clipped: Reg<U>,
            clipped_used: Reg<bool>,
            memory: Ram<S>,
            memory_used: Reg<bool>,
            entry: Reg<S>,
            sum: Reg<S>,
            result: Reg<S>,
        }
        locals {
            phi: Flag<Local>,
            relu: Flag<Local>,
            gelu: Flag<Local>,
            looked: Flag<Local>,
            below: Flag<Local>,
            power: Sig<Local, U>,
            fixed: Sig<Local, U>,
            operand: Sig<Local, U>,
            flipped: Sig<Local, S>,
            operand_s: Sig<Local, S>,
            back: Sig<Local, U>,
            natural: Sig<Local, U>,
            excess: Sig<Local, U>,
            all: Sig<Local, U>,
            mask: Sig<Local, U>,
            limited: Sig<Local, U>,
            zero: Const<S>,
            zeros: Const<U>,
            unit: Const<U>,
            ones: Const<U>,
            half: Const<U>,
            quarter: Const<U>,
            top: Const<U>,
            hi: Const<S>,
            lo: Const<S>,
        }
    }
}

impl Function {
    /// For a core.
    pub fn new(core: &EngineConfig) -> Result<Self> {
        core.validate()?;
        let (w, sw) = (core.width, core.serial_bits());
        let y = sw + 1;
        // x + 2^17 is the most there may be; an index of the sigmoid may be wider than W.
        let (t, i) = ((y + 1).max(19), w.max(13));
        // Every address has a word, so that no field can lead out of the memory.
        let memory = Ram::new(
            "function.table",
            core.function_words.next_power_of_two(),
            w,
            Contents::Zero,
        )?;
        let address = memory.read_address.width();
        let top = (1i64 << (w - 1)) - 1;
        Ok(Function {
            clock: Signal::default(),
            even: Flag::default(),
            line: Sig::new(LINE_BITS),
            x: Sig::new(y),
            kind: Sig::new(3),
            one: Sig::new(5),
            index_bits: Sig::new(4),
            drop: Sig::new(5),
            first: Sig::new(16),
            table_write: Flag::default(),
            table_address: Sig::new(address),
            table_data: Sig::new(w),
            y: Sig::new(y),
            scaled: Sig::new(t),
            word: Sig::new(sw),
            turned: Reg::new(t),
            negative: Reg::default(),
            main: Reg::new(t),
            index: Reg::new(i),
            index_used: Reg::default(),
            clipped: Reg::new(i - 1),
            clipped_used: Reg::default(),
            memory,
            memory_used: Reg::default(),
            entry: Reg::new(w),
            sum: Reg::new(y),
            result: Reg::new(sw),
            phi: Flag::default(),
            relu: Flag::default(),
            gelu: Flag::default(),
            looked: Flag::default(),
            below: Flag::default(),
            power: Sig::new(5),
            fixed: Sig::new(t - 1),
            operand: Sig::new(t - 1),
            flipped: Sig::new(y),
            operand_s: Sig::new(t),
            back: Sig::new(5),
            natural: Sig::new(i),
            excess: Sig::new(i),
            all: Sig::new(i - 1),
            mask: Sig::new(i - 1),
            limited: Sig::new(i - 1),
            zero: Const::new(1, S::new(0)),
            zeros: Const::natural(0),
            unit: Const::natural(1),
            ones: Const::natural((1 << (i - 1)) - 1),
            half: Const::natural(1 << (w - 1)),
            quarter: Const::natural((w - 2) as u64),
            top: Const::new(natural_bits(w as u64), U::new(w as u64 - 1)),
            hi: Const::new(w, S::new(top)),
            lo: Const::new(w, S::new(-top - 1)),
            activity: Default::default(),
        })
    }

    /// Bits of table memory.
    pub fn table_bits(&self) -> usize {
        self.memory.bits()
    }
}

impl Logic for Function {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            turned,
            negative,
            main,
            index,
            index_used,
            clipped,
            clipped_used,
            memory_used,
            entry,
            sum,
            result
        );
        clock!(self, clock, memory);
        self.phi.next = self.kind.val() == 1;
        self.gelu.next = self.kind.val() == 3;
        self.relu.next = (self.kind.val() == 2) || (self.kind.val() == 5);
        // 10: t.
        self.power.next = self.one.val();
        if self.kind.val() == 4 {
            self.power.next = (self.index_bits.val() - 1).into();
        }
        if self.kind.val() == 5 {
            self.power.next = self.quarter.val();
        }
        self.fixed.next = (self.unit.val() << self.power.val().index()).into();
        if (self.kind.val() == 0) || (self.kind.val() == 2) || self.gelu.val() {
            self.fixed.next = self.zeros.val();
        }
        self.below.next = self.x.val() < self.zero.val();
        self.flipped.next = self.x.val();
        self.operand.next = self.fixed.val();
        if self.below.val() {
            if self.phi.val() {
                self.operand.next = self.half.val();
            }
            if self.gelu.val() {
                // −x is the complement + 1.
                self.flipped.next = (!unsigned_cast_of(self.x)).into();
                self.operand.next = self.unit.val();
            }
        }
        self.operand_s.next = self.operand.val().into();
        if self.even.val() && self.line.val().get_bit(5) {
            self.turned.d.next = (self.flipped.val() + self.operand_s.val()).into();
            self.negative.d.next = self.below.val();
        }
        // 11: what the shifter gets, and the index.
        self.main.d.next = self.zero.val();
        if !self.even.val() && self.line.val().get_bit(6) {
            self.main.d.next = self.turned.q.val();
            if (self.kind.val() == 4)
                || (self.negative.q.val() && (self.phi.val() || self.gelu.val()))
                || (self.relu.val() && (self.turned.q.val() < self.zero.val()))
            {
                self.main.d.next = self.zero.val();
            }
        }
        self.scaled.next = self.main.q.val();
        self.back.next = self.zeros.val();
        if self.phi.val() {
            self.back.next = (self.top.val() - self.index_bits.val()).into();
        }
        if self.gelu.val() {
            self.back.next = self.drop.val();
        }
        self.natural.next = unsigned_cast_of(self.turned.q);
        self.looked.next = (self.kind.val() == 4) || self.gelu.val() || (self.phi.val() && self.negative.q.val());
        if !self.even.val() && self.line.val().get_bit(6) {
            self.index.d.next = (self.natural.val() >> self.back.val().index()).into();
            self.index_used.d.next = self.looked.val();
        }
        // 13: its limit.
        self.excess.next = (self.index.q.val() >> self.index_bits.val().index()).into();
        self.limited.next = self.index.q.val();
        if !(self.excess.val() == 0) {
            self.limited.next = self.ones.val();
        }
        self.all.next = (self.ones.val() << self.index_bits.val().index()).into();
        self.mask.next = (!self.all.val()).into();
        if !self.even.val() && self.line.val().get_bit(7) {
            self.clipped.d.next = (self.limited.val() & self.mask.val()).into();
            self.clipped_used.d.next = self.index_used.q.val();
        }
        // 15 and 16: its word.
        self.memory.write_enable.next = self.table_write.val();
        self.memory.write_address.next = self.table_address.val();
        self.memory.write_data.next = self.table_data.val();
        self.memory.read_address.next = (self.first.val() + self.clipped.q.val()).into();
        self.memory.read_enable.next = !self.even.val() && self.line.val().get_bit(8) && self.clipped_used.q.val();
        if !self.even.val() && self.line.val().get_bit(8) {
            self.memory_used.d.next = self.clipped_used.q.val();
        }
        self.entry.d.next = self.zero.val();
        if self.memory_used.q.val() {
            self.entry.d.next = self.memory.read_data.val();
        }
        // 17 and 18: added, and saturated where both may count.
        self.sum.d.next = (self.y.val() + self.entry.q.val()).into();
        if self.even.val() && self.line.val().get_bit(9) {
            self.result.d.next = self.sum.q.val();
            if self.gelu.val() && (self.sum.q.val() > self.hi.val()) {
                self.result.d.next = self.hi.val();
            }
            if self.gelu.val() && (self.sum.q.val() < self.lo.val()) {
                self.result.d.next = self.lo.val();
            }
        }
        self.word.next = self.result.q.val();
    }
}

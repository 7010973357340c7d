//! Second unit of the stream: φ, ReLU, GELU, table or hard sigmoid of the rounded word, by run-time mode, with their table memory.
//!
//! The rounding is the stream's [`shifter`](super::shifter): this unit hands it `scaled` and takes `y` six cycles later. Cycles are those of
//! [`linear`](super::linear): x comes in cycle 10.
//!
//! | port | width | |
//! |---|---|---|
//! | even, line | | as in `linear` |
//! | x | Y | cycle 10: the rounded word |
//! | x_negative | 1 | cycle 9: x will be below 0 |
//! | kind | 3 | static: 0 none, 1 φ, 2 ReLU, 3 GELU, 4 table, 5 hard sigmoid |
//! | one, index_bits, drop, first | 5, 4, 5, 16 | static: the fields of the step; `first`: of the table |
//! | table_write, table_address, table_data | 1, F, W | store into the table memory; not while words are inside |
//! | scaled | max(Y + 1, 19) | cycle 11, zero in every other |
//! | y | Y | cycle 17: `scaled` rounded |
//! | word | SW | cycle 19 (and 20): the function's result |
//!
//! | function | t | scaled | table index, where its word is added to y |
//! |---|---|---|---|
//! | none | x | t | |
//! | φ | x + 2^one, x < 0: x | t, x < 0: 0 | (t + 2^(W−1)) >> (W − 1 − index_bits) where x < 0 |
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
//! (u.x.next, u.x_negative.next) = (S::new(-100), true);
//! for cycle in 7..19 {
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
            /// It will be below 0 in the next cycle.
            x_negative: Flag<In>,
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
            phi: Reg<bool>,
            gelu: Reg<bool>,
            relu: Reg<bool>,
            lookup: Reg<bool>,
            eight: Reg<U>,
            group: Reg<U>,
            mask: Reg<U>,
            back: Reg<U>,
            operand: Reg<U>,
            below: Reg<bool>,
            turned: Reg<S>,
            negative: Reg<bool>,
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
            looked: Flag<Local>,
            power: Sig<Local, U>,
            eight_at: Sig<Local, U>,
            group_at: Sig<Local, U>,
            kept: Sig<Local, U>,
            first_eight: Sig<Local, U>,
            second_eight: Sig<Local, U>,
            third_eight: Sig<Local, U>,
            upper: Sig<Local, U>,
            minus: Sig<Local, U>,
            total: Sig<Local, S>,
            operand_s: Sig<Local, S>,
            natural: Sig<Local, U>,
            excess: Sig<Local, U>,
            all: Sig<Local, U>,
            limited: Sig<Local, U>,
            sum_pattern: Sig<Local, U>,
            zero: Const<S>,
            zeros: Const<U>,
            unit: Const<U>,
            sevens: Const<U>,
            ones: Const<U>,
            low_ones: Const<U>,
            phi_ones: Const<U>,
            quarter: Const<U>,
            top: Const<U>,
            width: Const<U>,
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
            x_negative: Flag::default(),
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
            index: Reg::new(i),
            index_used: Reg::default(),
            clipped: Reg::new(i - 1),
            clipped_used: Reg::default(),
            memory,
            memory_used: Reg::default(),
            entry: Reg::new(w),
            sum: Reg::new(y),
            result: Reg::new(sw),
            phi: Reg::default(),
            gelu: Reg::default(),
            relu: Reg::default(),
            lookup: Reg::default(),
            eight: Reg::new(8),
            group: Reg::new(3),
            mask: Reg::new(i),
            back: Reg::new(5),
            operand: Reg::new(t),
            below: Reg::default(),
            looked: Flag::default(),
            power: Sig::new(5),
            eight_at: Sig::new(3),
            group_at: Sig::new(2),
            kept: Sig::new(3),
            first_eight: Sig::new(8),
            second_eight: Sig::new(8),
            third_eight: Sig::new(8),
            upper: Sig::new(16),
            minus: Sig::new(t),
            total: Sig::new(t),
            operand_s: Sig::new(t),
            natural: Sig::new(i),
            excess: Sig::new(i),
            all: Sig::new(i),
            limited: Sig::new(i - 1),
            sum_pattern: Sig::new(y),
            zero: Const::new(1, S::new(0)),
            zeros: Const::natural(0),
            unit: Const::natural(1),
            sevens: Const::natural(7),
            ones: Const::natural((1 << t) - 1),
            low_ones: Const::natural((1 << (i - 1)) - 1),
            phi_ones: Const::natural((1 << (w - 1)) - 1),
            quarter: Const::natural((w - 2) as u64),
            width: Const::natural(w as u64),
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
            phi,
            gelu,
            relu,
            lookup,
            eight,
            group,
            mask,
            back,
            operand,
            below,
            turned,
            negative,
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
        // What stands still is decoded once.
        self.phi.d.next = self.kind.val() == 1;
        self.gelu.d.next = self.kind.val() == 3;
        self.relu.d.next = (self.kind.val() == 2) || (self.kind.val() == 5);
        self.lookup.d.next = self.kind.val() == 4;
        self.power.next = self.one.val();
        if self.kind.val() == 4 {
            self.power.next = (self.index_bits.val() - 1).into();
        }
        if self.kind.val() == 5 {
            self.power.next = self.quarter.val();
        }
        // 2^power in two parts: which of eight bits, which eight.
        self.eight_at.next = (self.power.val() & self.sevens.val()).into();
        self.eight.d.next = (self.unit.val() << self.eight_at.val().index()).into();
        self.group_at.next = (self.power.val() >> 3).into();
        self.group.d.next = (self.unit.val() << self.group_at.val().index()).into();
        if (self.kind.val() == 0) || (self.kind.val() == 2) || (self.kind.val() == 3) {
            self.group.d.next = self.zeros.val();
        }
        self.all.next = (self.low_ones.val() << self.index_bits.val().index()).into();
        self.mask.d.next = (!self.all.val()).into();
        self.back.d.next = self.zeros.val();
        if self.kind.val() == 1 {
            self.back.d.next = (self.top.val() - self.index_bits.val()).into();
        }
        if self.kind.val() == 3 {
            self.back.d.next = self.drop.val();
        }
        // 9: what x will be added to.
        self.kept.next = self.group.q.val();
        if self.phi.q.val() && self.x_negative.val() {
            self.kept.next = self.zeros.val();
        }
        self.first_eight.next = self.zeros.val();
        if self.kept.val().get_bit(0) {
            self.first_eight.next = self.eight.q.val();
        }
        self.second_eight.next = self.zeros.val();
        if self.kept.val().get_bit(1) {
            self.second_eight.next = self.eight.q.val();
        }
        self.third_eight.next = self.zeros.val();
        if self.kept.val().get_bit(2) {
            self.third_eight.next = self.eight.q.val();
        }
        self.upper.next = ((self.third_eight.val() << 8) | self.second_eight.val()).into();
        self.minus.next = self.zeros.val();
        if self.gelu.q.val() && self.x_negative.val() {
            self.minus.next = self.ones.val();
        }
        self.operand.d.next = (((self.upper.val() << 8) | self.first_eight.val()) | self.minus.val()).into();
        self.below.d.next = self.x_negative.val();
        // 10: t. −x is the complement of x − 1.
        self.operand_s.next = self.operand.q.val().into();
        self.total.next = (self.x.val() + self.operand_s.val()).into();
        if self.even.val() && self.line.val().get_bit(5) {
            self.turned.d.next = self.total.val();
            if self.gelu.q.val() && self.below.q.val() {
                self.turned.d.next = (!unsigned_cast_of(self.total)).into();
            }
            self.negative.d.next = self.below.q.val();
        }
        // 11: what the shifter gets, and the index.
        self.scaled.next = self.zero.val();
        if !self.even.val() && self.line.val().get_bit(6) {
            self.scaled.next = self.turned.q.val();
            if self.lookup.q.val()
                || (self.negative.q.val() && (self.phi.q.val() || self.gelu.q.val()))
                || (self.relu.q.val() && (self.turned.q.val() < self.zero.val()))
            {
                self.scaled.next = self.zero.val();
            }
        }
        self.natural.next = unsigned_cast_of(self.turned.q);
        if self.phi.q.val() {
            // Below 0 the sign is dropped.
            self.natural.next = (unsigned_cast_of(self.turned.q) & self.phi_ones.val()).into();
        }
        self.looked.next = self.lookup.q.val() || self.gelu.q.val() || (self.phi.q.val() && self.negative.q.val());
        if !self.even.val() && self.line.val().get_bit(6) {
            self.index.d.next = (self.natural.val() >> self.back.q.val().index()).into();
            self.index_used.d.next = self.looked.val();
        }
        // 13: its limit.
        self.excess.next = (self.index.q.val() & (!self.mask.q.val())).into();
        self.limited.next = self.index.q.val();
        if !(self.excess.val() == 0) {
            self.limited.next = self.low_ones.val();
        }
        if !self.even.val() && self.line.val().get_bit(7) {
            self.clipped.d.next = (self.limited.val() & self.mask.q.val()).into();
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
        self.sum_pattern.next = unsigned_cast_of(self.sum.q);
        if self.even.val() && self.line.val().get_bit(9) {
            self.result.d.next = self.sum.q.val();
            // A sum of two words of W bits has W + 1: it left W where the upper two differ.
            if self.gelu.q.val()
                && (self.sum_pattern.val().get_bit(self.width.val().index())
                    != self.sum_pattern.val().get_bit(self.top.val().index()))
            {
                self.result.d.next = self.hi.val();
                if self.sum_pattern.val().get_bit(self.width.val().index()) {
                    self.result.d.next = self.lo.val();
                }
            }
        }
        self.word.next = self.result.q.val();
    }
}

//! Second unit of the stream: φ, ReLU, GELU, table or hard sigmoid of the rounded word, by run-time mode, with their table memory.
//!
//! The rounding is the stream's [`shifter`](super::shifter): this unit hands it `turned` and takes `y` six cycles later. Cycles are those of
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
//! | table_read, table_word | 1, W | fetch `table_address`: the word from 2 cycles later on, as long as it is asked for; not while words are inside |
//! | turned, nothing | max(Y + 1, 19), 1 | cycle 11, zero in every other; 0 shall be rounded instead |
//! | y | Y | cycle 17: `turned` rounded |
//! | word | SW | cycles 18 and 19, and until the next word's: the function's result |
//!
//! | function | t | rounded | table index, where its word is added to y |
//! |---|---|---|---|
//! | none | x | t | |
//! | φ | x + 2^one, x < 0: x | t, x < 0: 0 | (t + 2^(W−1)) >> (W − 1 − index_bits) where x < 0 |
//! | ReLU | x | max(t, 0) | |
//! | GELU | \|x\| | t, x < 0: 0 | min(t >> drop, 2^index_bits − 1) |
//! | table | x + 2^(index_bits−1) | 0 | t |
//! | hard | x + 2^(W−2) | max(t, 0) | |
//!
//! Whatever is added to has W + 1 bits, so these are one adder; of 2^one above them x has zeros (φ), of 2^(index_bits−1) the table's index has
//! nothing above.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::function::Function, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! # let core = EngineConfig { name: "x".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//! #     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16, chunked: false };
//! let mut u = Function::new(&core, Target::Generic).unwrap();   // W = 8
//! u.connect_all();
//! // φ of −100: bin (−100 + 128) >> 4 of eight.
//! (u.table_write.next, u.table_address.next, u.table_data.next) = (true, U::new(4 + 1), S::new(7));
//! (u.kind.next, u.one.next, u.index_bits.next, u.first.next) = (U::new(1), U::new(5), U::new(3), U::new(4));
//! (u.x.next, u.x_negative.next) = (S::new(-100), true);
//! for cycle in 7..18 {
//!     u.even.next = cycle % 2 == 0;
//!     u.line.next = U::new(1 << (cycle + 1) / 2);
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//!     u.table_write.next = false;
//! }
//! assert_eq!(u.word.val().get(), 7);
//! ```

use super::LINE_BITS;
use super::table_ram::TableRam;
use crate::block;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U, natural_bits, unsigned_cast_of};
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
            /// Read `table_address` instead; not while words are inside.
            table_read: Flag<In>,
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
            /// The shifter's result.
            y: Sig<In, S>,
        }
        outputs {
            /// The word at `table_address`.
            table_word: Sig<Out, S>,
            /// For the shifter.
            turned: Sig<Out, S>,
            /// Zero instead.
            nothing: Flag<Out>,
            /// The function's result.
            word: Sig<Out, S>,
        }
        parts {
            phi: Reg<bool>,
            gelu: Reg<bool>,
            relu: Reg<bool>,
            lookup: Reg<bool>,
            works: Reg<bool>,
            eight: Reg<U>,
            group: Reg<U>,
            mask: Reg<U>,
            back: Reg<U>,
            gone: Reg<bool>,
            operand: Reg<U>,
            turned_r: Reg<S>,
            negative: Reg<bool>,
            index: Reg<U>,
            index_used: Reg<bool>,
            /// It leaves the table.
            over: Reg<bool>,
            clipped: Reg<U>,
            clipped_used: Reg<bool>,
            memory: TableRam<S>,
            memory_used: Reg<bool>,
            result: Reg<S>,
        }
        locals {
            turned_bits: Sig<Local, U>,
            below: Flag<Local>,
            looked: Flag<Local>,
            power: Sig<Local, U>,
            eight_at: Sig<Local, U>,
            group_at: Sig<Local, U>,
            first_eight: Sig<Local, U>,
            second_eight: Sig<Local, U>,
            third_eight: Sig<Local, U>,
            upper: Sig<Local, U>,
            single: Sig<Local, U>,
            single_low: Sig<Local, U>,
            single_high: Sig<Local, U>,
            x_wide: Sig<Local, S>,
            x_low: Sig<Local, U>,
            x_high: Sig<Local, U>,
            sum: Sig<Local, U>,
            low: Sig<Local, U>,
            high: Sig<Local, U>,
            shift: Sig<Local, U>,
            far: Sig<Local, U>,
            operand_bits: Sig<Local, U>,
            shifted: Sig<Local, U>,
            above: Sig<Local, U>,
            excess: Sig<Local, U>,
            all: Sig<Local, U>,
            limited: Sig<Local, U>,
            y_low: Sig<Local, S>,
            total: Sig<Local, S>,
            pattern: Sig<Local, U>,
            word_low: Sig<Local, U>,
            word_high: Sig<Local, U>,
            zero: Const<S>,
            zeros: Const<U>,
            unit: Const<U>,
            sevens: Const<U>,
            sum_ones: Const<U>,
            index_ones: Const<U>,
            phi_ones: Const<U>,
            high_ones: Const<U>,
            quarter: Const<U>,
            top: Const<U>,
            width: Const<U>,
            sum_bits: Const<U>,
            back_bits: Const<U>,
            hi: Const<U>,
            lo: Const<U>,
            /// Only ECP5's block clears what is just being fetched, too.
            spared: Const<bool>,
        }
    }
}

impl Function {
    /// For a core.
    pub fn new(core: &EngineConfig, target: Target) -> Result<Self> {
        core.validate()?;
        let (w, sw) = (core.width, core.serial_bits());
        let y = rounded_bits(core);
        // x + 2^17 is the most there may be.
        let t = (y + 1).max(19);
        // Every address has a word, so that no field can lead out of the memory.
        let words = core.function_words.next_power_of_two();
        let memory = TableRam::registered("function.table", words, w, target)?;
        let address = memory.read_address.width();
        let top = (1u64 << (w - 1)) - 1;
        // An index of the sigmoid may be wider than W, not than the memory.
        let i = w.max(address.min(13));
        let back = natural_bits(w as u64 - 1);
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
            table_read: Flag::default(),
            table_address: Sig::new(address),
            table_data: Sig::new(w),
            y: Sig::new(y),
            turned: Sig::new(t),
            nothing: Flag::default(),
            word: Sig::new(sw),
            table_word: Sig::new(w),
            phi: Reg::default(),
            gelu: Reg::default(),
            relu: Reg::default(),
            lookup: Reg::default(),
            works: Reg::default(),
            eight: Reg::new(8),
            group: Reg::new(3),
            mask: Reg::new(i),
            back: Reg::new(back),
            gone: Reg::default(),
            operand: Reg::new(w + 1),
            turned_r: Reg::new(t),
            negative: Reg::default(),
            index: Reg::new(i),
            index_used: Reg::default(),
            over: Reg::default(),
            clipped: Reg::new(i),
            clipped_used: Reg::default(),
            memory,
            memory_used: Reg::default(),
            result: Reg::new(sw),
            turned_bits: Sig::new(t),
            below: Flag::default(),
            looked: Flag::default(),
            power: Sig::new(5),
            eight_at: Sig::new(3),
            group_at: Sig::new(2),
            first_eight: Sig::new(8),
            second_eight: Sig::new(8),
            third_eight: Sig::new(8),
            upper: Sig::new(16),
            single: Sig::new(24),
            single_low: Sig::new(w + 1),
            single_high: Sig::new(t - w - 1),
            x_wide: Sig::new(t),
            x_low: Sig::new(w + 1),
            x_high: Sig::new(t - w - 1),
            sum: Sig::new(w + 1),
            low: Sig::new(w + 1),
            high: Sig::new(t - w - 1),
            shift: Sig::new(5),
            far: Sig::new(5),
            operand_bits: Sig::new(w),
            shifted: Sig::new(w),
            above: Sig::new((i - w).max(1)),
            excess: Sig::new(i),
            all: Sig::new(i),
            limited: Sig::new(i),
            y_low: Sig::new(w),
            total: Sig::new(w + 1),
            pattern: Sig::new(w + 1),
            word_low: Sig::new(w),
            word_high: Sig::new((sw - w).max(1)),
            zero: Const::new(1, S::new(0)),
            zeros: Const::natural(0),
            unit: Const::natural(1),
            sevens: Const::natural(7),
            sum_ones: Const::natural((1 << (w + 1)) - 1),
            index_ones: Const::natural((1 << i) - 1),
            phi_ones: Const::natural(top),
            high_ones: Const::natural((1 << (sw - w).max(1)) - 1),
            quarter: Const::natural((w - 2) as u64),
            top: Const::new(natural_bits(w as u64), U::new(w as u64 - 1)),
            width: Const::natural(w as u64),
            sum_bits: Const::natural(w as u64 + 1),
            back_bits: Const::natural(back as u64),
            hi: Const::natural(top),
            lo: Const::natural(top + 1),
            spared: Const::new(1, target != Target::Ecp5),
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
            self, clock, phi, gelu, relu, lookup, works, eight, group, mask, back, gone, operand, turned_r, negative
        );
        dff_setup!(
            self,
            clock,
            index,
            index_used,
            over,
            clipped,
            clipped_used,
            memory_used,
            result
        );
        clock!(self, clock, memory);
        // What stands still is decoded once.
        self.phi.d.next = self.kind.val() == 1;
        self.gelu.d.next = self.kind.val() == 3;
        self.relu.d.next = (self.kind.val() == 2) || (self.kind.val() == 5);
        self.lookup.d.next = self.kind.val() == 4;
        self.works.d.next = !(self.kind.val() == 0);
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
        self.all.next = (self.index_ones.val() << self.index_bits.val().index()).into();
        self.mask.d.next = (!self.all.val()).into();
        self.shift.next = self.zeros.val();
        if self.kind.val() == 1 {
            self.shift.next = (self.top.val() - self.index_bits.val()).into();
        }
        if self.kind.val() == 3 {
            self.shift.next = self.drop.val();
        }
        self.back.d.next = self.shift.val();
        self.far.next = (self.shift.val() >> self.back_bits.val().index()).into();
        self.gone.d.next = !(self.far.val() == 0);
        self.first_eight.next = self.zeros.val();
        if self.group.q.val().get_bit(0) {
            self.first_eight.next = self.eight.q.val();
        }
        self.second_eight.next = self.zeros.val();
        if self.group.q.val().get_bit(1) {
            self.second_eight.next = self.eight.q.val();
        }
        self.third_eight.next = self.zeros.val();
        if self.group.q.val().get_bit(2) {
            self.third_eight.next = self.eight.q.val();
        }
        self.upper.next = ((self.third_eight.val() << 8) | self.second_eight.val()).into();
        self.single.next = ((self.upper.val() << 8) | self.first_eight.val()).into();
        self.single_low.next = self.single.val();
        self.single_high.next = (self.single.val() >> self.sum_bits.val().index()).into();
        // 9: what x will be added to.
        self.operand.d.next = self.single_low.val();
        if self.phi.q.val() && self.x_negative.val() {
            self.operand.d.next = self.zeros.val();
        }
        if self.gelu.q.val() && self.x_negative.val() {
            self.operand.d.next = self.sum_ones.val();
        }
        self.negative.d.next = self.x_negative.val();
        // 10: t. −x is the complement of x − 1.
        self.x_wide.next = self.x.val();
        self.x_low.next = unsigned_cast_of(self.x_wide);
        self.x_high.next = (unsigned_cast_of(self.x_wide) >> self.sum_bits.val().index()).into();
        if self.relu.q.val() {
            self.x_high.next = self.zeros.val();
        }
        self.sum.next = (self.x_low.val() + self.operand.q.val()).into();
        self.low.next = self.sum.val();
        if self.gelu.q.val() && self.negative.q.val() {
            self.low.next = (!self.sum.val()).into();
        }
        self.high.next = (self.x_high.val() ^ self.single_high.val()).into();
        self.turned_r.d.next = self.zero.val();
        if self.even.val() && self.line.val().get_bit(5) {
            self.turned_r.d.next = ((self.high.val() << self.sum_bits.val().index()) | self.low.val()).into();
            self.negative.d.next = self.negative.q.val();
        }
        self.turned.next = self.turned_r.q.val();
        // 11: whether anything is rounded, and the index. ReLU's words are below 0 where x is and, with what hard adds, bit W still is set.
        self.turned_bits.next = unsigned_cast_of(self.turned_r.q);
        self.below.next =
            self.phi.q.val() || self.gelu.q.val() || self.turned_bits.val().get_bit(self.width.val().index());
        self.nothing.next = !self.even.val()
            && (self.lookup.q.val() || (self.works.q.val() && self.negative.q.val() && self.below.val()));
        self.operand_bits.next = unsigned_cast_of(self.turned_r.q);
        if self.phi.q.val() {
            // Below 0 the sign is dropped.
            self.operand_bits.next = (unsigned_cast_of(self.turned_r.q) & self.phi_ones.val()).into();
        }
        self.shifted.next = (self.operand_bits.val() >> self.back.q.val().index()).into();
        if self.gone.q.val() {
            self.shifted.next = self.zeros.val();
        }
        self.above.next = self.zeros.val();
        if self.lookup.q.val() {
            self.above.next = (unsigned_cast_of(self.turned_r.q) >> self.width.val().index()).into();
        }
        self.looked.next = self.lookup.q.val() || self.gelu.q.val() || (self.phi.q.val() && self.negative.q.val());
        if !self.even.val() && self.line.val().get_bit(6) {
            self.index.d.next = ((self.above.val() << self.width.val().index()) | self.shifted.val()).into();
            self.index_used.d.next = self.looked.val();
        }
        // 13: its limit. A table's has nothing to be limited above its own bits.
        self.excess.next = (self.index.q.val() & (!self.mask.q.val())).into();
        self.limited.next = self.index.q.val();
        // The index stands still for two cycles.
        self.over.d.next = self.gelu.q.val() && !(self.excess.val() == 0);
        if self.over.q.val() {
            self.limited.next = self.index_ones.val();
        }
        if !self.even.val() && self.line.val().get_bit(7) {
            self.clipped.d.next = (self.limited.val() & self.mask.q.val()).into();
            self.clipped_used.d.next = self.index_used.q.val();
        }
        // 15 and 16: its word, or none.
        self.memory.write_enable.next = self.table_write.val();
        self.memory.write_address.next = self.table_address.val();
        self.memory.write_data.next = self.table_data.val();
        self.memory.read_address.next = (self.first.val() + self.clipped.q.val()).into();
        self.memory.read_enable.next = !self.even.val() && self.line.val().get_bit(8) && self.clipped_used.q.val();
        if !self.even.val() && self.line.val().get_bit(8) {
            self.memory_used.d.next = self.clipped_used.q.val();
        }
        self.memory.clear.next = !self.memory_used.q.val() && (self.spared.val() || self.even.val());
        if self.table_read.val() {
            self.memory.read_address.next = self.table_address.val();
            self.memory.read_enable.next = true;
            self.memory.clear.next = false;
        }
        self.table_word.next = self.memory.q.val();
        // 17: added, and saturated where both may count. The sum of two words of W bits has W + 1: it left W where the upper two differ.
        self.y_low.next = self.y.val();
        self.total.next = (self.y_low.val() + self.memory.q.val()).into();
        self.pattern.next = unsigned_cast_of(self.total);
        self.word_low.next = self.pattern.val();
        if self.gelu.q.val()
            && (self.pattern.val().get_bit(self.width.val().index())
                != self.pattern.val().get_bit(self.top.val().index()))
        {
            self.word_low.next = self.hi.val();
            if self.pattern.val().get_bit(self.width.val().index()) {
                self.word_low.next = self.lo.val();
            }
        }
        self.word_high.next = (unsigned_cast_of(self.y) >> self.width.val().index()).into();
        if self.works.q.val() {
            self.word_high.next = self.zeros.val();
            if self.pattern.val().get_bit(self.width.val().index()) {
                self.word_high.next = self.high_ones.val();
            }
        }
        if !self.even.val() && self.line.val().get_bit(9) {
            self.result.d.next = ((self.word_high.val() << self.width.val().index()) | self.word_low.val()).into();
        }
        self.word.next = self.result.q.val();
    }
}

/// Width of a rounded word: of the serial operands, one more where hard sigmoid needs it.
pub fn rounded_bits(core: &EngineConfig) -> u32 {
    core.serial_bits().max(core.width + 1)
}

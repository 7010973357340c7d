//! The end of the stream: serial arithmetic, column sums and layer norm around one multiplier. Contract: `docs/engine.md` sections 5 and 6.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | clears all control; memories stay |
//! | start | 1 | before the step's first word, while not `busy`; the fields below stand still until the next start |
//! | serial, running, g, read, mantissa_bits, mantissa_table, minimum, sums_of, sums_base | | fields of the step |
//! | norm, cols | 1, 16 | taken over at start when `norm` |
//! | norm_drop, norm_parameters, norm_offset, norm_shift, norm_bits, norm_table | | fields of the last step with `norm`: stand still while `norm_busy` |
//! | block_first | 1 | at start: sums begin from 0 in the step's first row |
//! | entry_word, _valid, _row_last, _last | A, 1 | words as they enter the front |
//! | function_word, _valid, _row_last | W, 1 | for the column sums |
//! | x, x_valid, x_row_last, x_pass_last, x_last | SW, 1 | words that leave the front |
//! | exponent | 6 | 3 cycles after a word has entered (Normalise) |
//! | result, result_… | SW, 1 | x after [`PLAIN_LATENCY`] cycles, y after [`NORMALISE_LATENCY`]: both odd |
//! | norm_word, norm_valid, norm_row_last, norm_last | W, 1 | results of the layer norm, at most [`norm_in_flight`] after `hold` has risen |
//! | norm_ready, norm_busy | 1 | another row may enter; a row is inside. Steps with `serial` or `norm` start while `norm_busy` is low |
//! | scan, scan_column, scan_word | 1, 12, 32 | sums[sums_base + column], 3 cycles later |
//! | busy | 1 | words are inside; the layer norm counts only when its results are summed |
//! | table_write, table_address, table_data | 1, 16, SW | load the mantissa tables |
//! | parameter_write, parameter_address, parameter_gamma, parameter_beta | 1, 12, SW, 32 | load the norm parameters (ε: high 16 bits as γ') |
//! | table_read, parameter_read; table_word, gamma, beta | 1, 1; SW, SW, 32 | while not busy: the words at `table_address` and `parameter_address`, 2 cycles later |
//! | tap_… | | every word of the taps Sums, Calcium, Power, Normalise, Norm |
//!
//! Words come at most every 2 cycles. Rows of a step with column sums have at least 2 columns, with Calcium 3.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::tail::*, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//!     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16, chunked: false };
//! let mut t = Tail::new(&core, Target::Generic).unwrap();
//! t.connect_all();
//! (t.x.next, t.x_valid.next, t.x_row_last.next) = (S::new(-5), true, true);
//! for _ in 0..PLAIN_LATENCY { for level in [true, false] { t.clock.next.clk = level; simulate(&mut t, 10); } }
//! assert_eq!((t.result.val().get(), t.result_row_last.val()), (-5, true));
//! ```

mod build;

use super::norm::{self, Norm};
use super::serial::Serial;
use super::sums::{self, Sums};
use super::unit::{self, Unit};
use crate::block;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Cycles from x to result when it is x.
pub const PLAIN_LATENCY: usize = 1;
/// Cycles from x to result of a Normalise step.
pub const NORMALISE_LATENCY: usize = unit::LATENCY + 1;
/// Results of the layer norm that may come after `hold` has risen.
pub fn norm_in_flight(target: Target) -> usize {
    norm::in_flight(target)
}
/// Cycles from scan to scan_word.
pub const SCAN_LATENCY: usize = sums::SCAN_LATENCY;

block! {
    /// See the module's text.
    pub struct Tail {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A step begins.
            start: Flag<In>,
            /// The block of tokens is the sequence's first.
            block_first: Flag<In>,
            /// None, Calcium, Normalise, Power, Count.
            serial: Sig<In, U>,
            /// Power is that of the column sums as they run; Calcium has a g for every row.
            running: Flag<In>,
            /// First word of g.
            g: Sig<In, U>,
            /// First word of reads.
            read: Sig<In, U>,
            /// Mantissa bits of the step's table.
            mantissa_bits: Sig<In, U>,
            /// First word of it.
            mantissa_table: Sig<In, U>,
            /// log2 of the least C.
            minimum: Sig<In, U>,
            /// Nothing, function, result.
            sums_of: Sig<In, U>,
            /// First sum.
            sums_base: Sig<In, U>,
            /// The step has a layer norm.
            norm: Flag<In>,
            /// Columns.
            cols: Sig<In, U>,
            /// Shift of c.
            norm_drop: Sig<In, U>,
            /// First parameter.
            norm_parameters: Sig<In, U>,
            /// 15 − fraction of n, + 32.
            norm_offset: Sig<In, U>,
            /// Shift of the result, + 8.
            norm_shift: Sig<In, U>,
            /// Mantissa bits of the 1/√ table.
            norm_bits: Sig<In, U>,
            /// First word of it.
            norm_table: Sig<In, U>,
            /// Word that enters the front.
            entry_word: Sig<In, S>,
            /// It is one.
            entry_valid: Flag<In>,
            /// Last of its row.
            entry_row_last: Flag<In>,
            /// Last of the step.
            entry_last: Flag<In>,
            /// The function's result.
            function_word: Sig<In, S>,
            /// It is one.
            function_valid: Flag<In>,
            /// Last of its row.
            function_row_last: Flag<In>,
            /// Word that leaves the front.
            x: Sig<In, S>,
            /// It is one.
            x_valid: Flag<In>,
            /// Last of its row.
            x_row_last: Flag<In>,
            /// Last lane of a pass.
            x_pass_last: Flag<In>,
            /// Last of the step.
            x_last: Flag<In>,
            /// Read a sum.
            scan: Flag<In>,
            /// Which.
            scan_column: Sig<In, U>,
            /// The layer norm scales no further element.
            hold: Flag<In>,
            /// Load a mantissa table's word.
            table_write: Flag<In>,
            /// Read one.
            table_read: Flag<In>,
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
            /// Load a parameter.
            parameter_write: Flag<In>,
            /// Read one.
            parameter_read: Flag<In>,
            /// Where to.
            parameter_address: Sig<In, U>,
            /// γ'.
            parameter_gamma: Sig<In, S>,
            /// β.
            parameter_beta: Sig<In, S>,
        }
        outputs {
            /// The mantissa table's word that is read.
            table_word: Sig<Out, S>,
            /// γ' that is read.
            gamma: Sig<Out, S>,
            /// β that is read.
            beta: Sig<Out, S>,
            /// E of an entered word's row.
            exponent: Sig<Out, U>,
            /// x or y.
            result: Sig<Out, S>,
            /// It is one.
            result_valid: Flag<Out>,
            /// Last of its row.
            result_row_last: Flag<Out>,
            /// Last lane of a pass.
            result_pass_last: Flag<Out>,
            /// Last of the step.
            result_last: Flag<Out>,
            /// Layer norm's result.
            norm_word: Sig<Out, S>,
            /// It is one.
            norm_valid: Flag<Out>,
            /// Last of its row.
            norm_row_last: Flag<Out>,
            /// Last of the step.
            norm_last: Flag<Out>,
            /// Another row may enter the layer norm.
            norm_ready: Flag<Out>,
            /// A row is inside.
            norm_busy: Flag<Out>,
            /// Words are inside.
            busy: Flag<Out>,
            /// The sum read.
            scan_word: Sig<Out, S>,
            /// A column sum is new.
            tap_sums_valid: Flag<Out>,
            /// It.
            tap_sums_data: Sig<Out, S>,
            /// A row's C is known.
            tap_calcium_valid: Flag<Out>,
            /// It.
            tap_calcium_data: Sig<Out, S>,
            /// A g is known.
            tap_power_valid: Flag<Out>,
            /// It.
            tap_power_data: Sig<Out, S>,
            /// A y is known.
            tap_normalise_valid: Flag<Out>,
            /// It.
            tap_normalise_data: Sig<Out, S>,
            /// A word of the layer norm is known.
            tap_norm_valid: Flag<Out>,
            /// It.
            tap_norm_data: Sig<Out, S>,
        }
        parts {
            unit: Unit,
            memories: Serial,
            sums: Sums,
            layer_norm: Norm,
            word: Reg<S>,
            valid: Reg<bool>,
            row_last: Reg<bool>,
            pass_last: Reg<bool>,
            last: Reg<bool>,
            calcium: Reg<bool>,
            normalise: Reg<bool>,
            power: Reg<bool>,
            looked_up: Reg<bool>,
            running_power: Reg<bool>,
            running_calcium: Reg<bool>,
            uses: Reg<bool>,
            some: Reg<bool>,
            sum_function: Reg<bool>,
            sum_result: Reg<bool>,
            sum_norm: Reg<bool>,
            start_r: Reg<bool>,
            came: Reg<bool>,
            /// Cycles until everything that has come is through.
            waiting: Reg<U>,
        }
        locals {
            comes: Flag<Local>,
            /// A column sum goes into the split.
            sum_enters: Flag<Local>,
            /// What does.
            entering: Sig<Local, S>,
            naught: Const<U>,
            zero: Const<S>,
            plain_cycles: Const<U>,
            serial_cycles: Const<U>,
        }
    }
}

/// Cycles after which a plain word is through, its column sum stored.
pub const PLAIN_CYCLES: u64 = PLAIN_LATENCY as u64 + 4;
/// The same with serial arithmetic: E and R stored, or y summed.
pub const SERIAL_CYCLES: u64 = unit::ROW_LATENCY as u64 + 1;

impl Logic for Tail {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            word,
            valid,
            row_last,
            pass_last,
            last,
            calcium,
            normalise,
            power,
            looked_up,
            running_power,
            running_calcium,
            uses,
            some,
            sum_function,
            sum_result,
            sum_norm,
            start_r,
            came,
            waiting
        );
        clock!(self, clock, unit, memories, sums, layer_norm);
        self.unit.reset.next = self.reset.val();
        self.memories.reset.next = self.reset.val();
        self.layer_norm.reset.next = self.reset.val();
        // What the fields say, ready a cycle after them; so the pointers start a cycle late.
        self.calcium.d.next = self.serial.val() == 1;
        self.normalise.d.next = self.serial.val() == 2;
        self.power.d.next = self.serial.val() == 3;
        self.looked_up.d.next = ((self.serial.val() == 3) && !self.running.val()) || (self.serial.val() == 4);
        self.running_power.d.next = self.running.val() && (self.serial.val() == 3);
        self.running_calcium.d.next = self.running.val() && (self.serial.val() == 1);
        self.uses.d.next = (self.serial.val() == 1) || (self.serial.val() == 2);
        self.some.d.next = !(self.serial.val() == 0);
        self.sum_function.d.next = self.sums_of.val() == 1;
        self.sum_result.d.next = (self.sums_of.val() == 2) && !self.norm.val();
        self.sum_norm.d.next = (self.sums_of.val() == 2) && self.norm.val();
        self.start_r.d.next = self.start.val() && !self.reset.val();

        // The word itself, or what has come of it.
        self.word.d.next = self.x.val();
        self.valid.d.next = self.x_valid.val() && !self.reset.val();
        self.row_last.d.next = self.x_row_last.val();
        self.pass_last.d.next = self.x_pass_last.val() && !self.reset.val();
        self.last.d.next = self.x_last.val();
        if self.normalise.q.val() {
            self.word.d.next = self.unit.q.val();
            // What leaves the unit while a row is in the layer norm is that one's.
            self.valid.d.next = self.unit.out_valid.val() && !self.layer_norm.busy.val() && !self.reset.val();
            self.row_last.d.next = self.unit.out_row_last.val();
            self.pass_last.d.next = self.unit.out_second.val() && !self.layer_norm.busy.val() && !self.reset.val();
            self.last.d.next = self.unit.out_last.val();
        }
        self.result.next = self.word.q.val();
        self.result_valid.next = self.valid.q.val();
        self.result_row_last.next = self.row_last.q.val();
        self.result_pass_last.next = self.pass_last.q.val();
        self.result_last.next = self.last.q.val();

        self.unit.x.next = self.x.val();
        self.unit.x_valid.next = self.x_valid.val() && self.uses.q.val();
        self.unit.x_row_last.next = self.x_row_last.val() && self.uses.q.val();
        self.unit.x_pass_last.next = self.x_pass_last.val() && self.normalise.q.val();
        self.unit.x_last.next = self.x_last.val() && self.normalise.q.val();
        self.unit.memory.next = self.memories.operand.val();
        self.unit.calcium.next = self.calcium.q.val();
        self.sum_enters.next = self.sums.sum_valid.val() && self.running_power.q.val();
        self.unit.enter.next = (self.entry_valid.val() && self.looked_up.q.val()) || self.sum_enters.val();
        self.entering.next = self.entry_word.val();
        if self.running_power.q.val() {
            self.entering.next = self.sums.sum.val();
        }
        self.unit.entry_word.next = self.entering.val();
        self.unit.power.next = self.power.q.val();
        self.unit.minimum.next = self.minimum.val();
        self.unit.mantissa_table.next = self.mantissa_table.val();
        self.unit.mantissa_bits.next = self.mantissa_bits.val();
        self.unit.working.next = self.layer_norm.working.val();
        self.unit.scaling.next = self.layer_norm.scaling.val();
        self.unit.element.next = self.layer_norm.element.val();
        self.unit.element_last.next = self.layer_norm.element_last.val();
        self.unit.row_word.next = self.layer_norm.row_word.val();
        self.unit.width.next = self.layer_norm.width.val();
        self.unit.row_sum.next = self.layer_norm.row_sum.val();
        self.unit.gamma.next = self.layer_norm.gamma.val();
        self.unit.beta.next = self.layer_norm.beta.val();
        self.unit.norm_drop.next = self.norm_drop.val();
        self.unit.norm_offset.next = self.norm_offset.val();
        self.unit.norm_shift.next = self.norm_shift.val();
        self.unit.norm_table.next = self.norm_table.val();
        self.unit.norm_bits.next = self.norm_bits.val();
        self.unit.table_write.next = self.table_write.val();
        self.unit.table_read.next = self.table_read.val();
        self.unit.table_address.next = self.table_address.val();
        self.unit.table_data.next = self.table_data.val();

        self.memories.start.next = self.start_r.q.val();
        self.memories.calcium.next = self.calcium.q.val();
        self.memories.normalise.next = self.normalise.q.val();
        self.memories.power.next = self.power.q.val();
        self.memories.running.next = self.running_calcium.q.val();
        self.memories.g.next = self.g.val();
        self.memories.read.next = self.read.val();
        self.memories.x_valid.next = self.x_valid.val() && self.uses.q.val();
        self.memories.x_row_last.next = self.x_row_last.val();
        self.memories.entry_row_last.next = self.entry_valid.val() && self.entry_row_last.val();
        self.memories.result.next = self.unit.done.val() && !self.layer_norm.working.val();
        self.memories.word.next = self.unit.word.val();
        self.memories.result_exponent.next = self.unit.exponent.val();
        self.exponent.next = self.memories.exponent.val();

        self.layer_norm.start.next = self.start.val();
        self.layer_norm.norm.next = self.norm.val();
        self.layer_norm.cols.next = self.cols.val();
        self.layer_norm.entry_valid.next = self.entry_valid.val();
        self.layer_norm.entry_row_last.next = self.entry_row_last.val();
        self.layer_norm.word.next = self.word.q.val();
        self.layer_norm.word_valid.next = self.valid.q.val() && self.norm.val();
        self.layer_norm.word_row_last.next = self.row_last.q.val();
        self.layer_norm.word_last.next = self.last.q.val();
        self.layer_norm.hold.next = self.hold.val();
        self.layer_norm.parameters.next = self.norm_parameters.val();
        self.layer_norm.parameter_write.next = self.parameter_write.val();
        self.layer_norm.parameter_read.next = self.parameter_read.val();
        // (Zero while nobody asks: a table's output is unknown before its first fetch.)
        self.table_word.next = self.zero.val();
        self.gamma.next = self.zero.val();
        self.beta.next = self.zero.val();
        if self.table_read.val() {
            self.table_word.next = self.unit.word.val();
        }
        if self.parameter_read.val() {
            self.gamma.next = self.layer_norm.gamma.val();
            self.beta.next = self.layer_norm.beta.val();
        }
        self.layer_norm.parameter_address.next = self.parameter_address.val();
        self.layer_norm.parameter_gamma.next = self.parameter_gamma.val();
        self.layer_norm.parameter_beta.next = self.parameter_beta.val();
        self.layer_norm.q.next = self.unit.q.val();
        self.layer_norm.q_valid.next = self.unit.out_valid.val();
        self.layer_norm.q_row_last.next = self.unit.out_row_last.val();
        self.layer_norm.q_second.next = self.unit.out_second.val();
        self.layer_norm.second_begins.next = self.unit.second_begins.val();
        self.layer_norm.second_row_last.next = self.unit.second_last.val();
        self.layer_norm.done.next = self.unit.done.val();
        self.norm_word.next = self.unit.q.val();
        self.norm_valid.next = self.layer_norm.valid.val();
        self.norm_row_last.next = self.layer_norm.row_last.val();
        self.norm_last.next = self.layer_norm.last.val();
        self.norm_ready.next = self.layer_norm.ready.val();
        self.norm_busy.next = self.layer_norm.busy.val();

        self.sums.start.next = self.start_r.q.val();
        self.sums.base.next = self.sums_base.val();
        self.sums.fresh.next = self.block_first.val();
        self.sums.valid.next = self.function_valid.val() && self.sum_function.q.val();
        self.sums.word.next = self.function_word.val();
        self.sums.row_last.next = self.function_row_last.val();
        if self.sum_result.q.val() {
            self.sums.valid.next = self.valid.q.val();
            self.sums.word.next = self.word.q.val();
            self.sums.row_last.next = self.row_last.q.val();
        }
        if self.sum_norm.q.val() {
            self.sums.valid.next = self.layer_norm.valid.val();
            self.sums.word.next = self.unit.q.val();
            self.sums.row_last.next = self.layer_norm.row_last.val();
        }
        self.sums.scan.next = self.scan.val();
        self.sums.scan_column.next = self.scan_column.val();
        self.scan_word.next = self.sums.scan_word.val();

        self.comes.next = self.x_valid.val()
            || (self.entry_valid.val() && self.looked_up.q.val())
            || (self.sum_norm.q.val() && self.layer_norm.busy.val());
        self.came.d.next = self.comes.val() && !self.reset.val();
        if !(self.waiting.q.val() == 0) {
            self.waiting.d.next = (self.waiting.q.val() - 1).into();
        }
        if self.came.q.val() {
            self.waiting.d.next = self.plain_cycles.val();
            if self.some.q.val() {
                self.waiting.d.next = self.serial_cycles.val();
            }
        }
        if self.reset.val() {
            self.waiting.d.next = self.naught.val();
        }
        self.busy.next = self.comes.val() || self.came.q.val() || !(self.waiting.q.val() == 0);

        self.tap_sums_valid.next = self.sums.sum_valid.val();
        self.tap_sums_data.next = self.sums.sum.val();
        self.tap_calcium_valid.next = self.unit.entered.val() && self.calcium.q.val() && !self.layer_norm.working.val();
        self.tap_calcium_data.next = self.unit.number.val();
        self.tap_power_valid.next = self.unit.done.val() && self.power.q.val() && !self.layer_norm.working.val();
        // The table's word is unknown before the first.
        self.tap_power_data.next = self.zero.val();
        if self.unit.done.val() {
            self.tap_power_data.next = self.unit.word.val();
        }
        self.tap_normalise_valid.next = self.valid.q.val() && self.normalise.q.val();
        self.tap_normalise_data.next = self.word.q.val();
        self.tap_norm_valid.next = self.layer_norm.valid.val();
        self.tap_norm_data.next = self.unit.q.val();
    }
}

//! The front of the stream: addend and first rounding ([`linear`](super::linear)), non-linearity ([`function`](super::function)), key or
//! residual operand ([`other`](super::other)). All three round in one [`shifter`](super::shifter), which takes a word every cycle.
//!
//! Configuration: inputs named as the fields of `docs/engine.md` section 3, stored codes and all (`function_kind`, as `function` is a word of Verilog; `shift` is the shift + 16, `offset` 16 more,
//! …). They stand still from 4 cycles before a step's first word until `busy` has fallen; `addend_kind` already from `addend_start` on.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | forgets the words on their way |
//! | even | 1 | high in every other cycle |
//! | addend_start, other_start | 1, 1 | one cycle each, when idle and two cycles or more before the step's first word: a pointer takes the base |
//! | addend_row, other_row | 1, 1 | one cycle each, before the step's first word: a pointer takes its distance from row to row |
//! | base | max(M, N) | in these four cycles alone: the address, register included, or in its low 16 bits the distance |
//! | block_first | 1 | t0 = 0: states begin at nothing |
//! | entry_soon | 1 | the cycle before `entry_valid` |
//! | entry_valid, entry_word | 1, A | on an even cycle: number 0 of the times below; the word also in cycle 1. With `slow` (residual operands, wide states) in cycles that are equal mod 4 |
//! | entry_row_last, entry_pass_last, entry_last | 1 | on an even cycle; the second also without a word |
//! | addend_request, addend_address | 1, M | cycle 0; of a wide state again in 2 |
//! | addend | 32 | 3 cycles after its request |
//! | exponent | 6 | cycle 3 |
//! | state_store, state_address, state_data | 1, M, 32 | cycle 5; wide: 7 and 9 |
//! | key_request, residual_request, operand_address | 1, 1, N | key: cycle 13, element of M; residual: cycle 17, element of X |
//! | positional | W | of a key: 5 cycles after its request |
//! | operand | W | of a residual: 3 cycles after its request |
//! | function_word, function_valid, function_row_last | W, 1, 1 | cycle 19 (wide 21) |
//! | x, x_valid, x_row_last, x_pass_last, x_last | SW, 1 … | cycle [`LATENCY`], of a residual [`RESIDUAL_LATENCY`], of a wide state [`WIDE_LATENCY`] |
//! | busy | 1 | words are on their way |
//! | tap_sum, tap_linear, tap_function, tap_other (`_data`, `_valid`) | A, SW + 1, SW, SW | |
//! | table_write, table_address, table_data | 1, F, W | the function tables |
//! | table_read, table_word | 1, W | while not busy: the word at `table_address`, 2 cycles later |
//!
//! A wide state lies in memory with its high word first; the high word's bits from A − 32 on mean nothing.
//!
//! | cycle | |
//! |---|---|
//! | 0 – 4 | the word waits for its addend; sum |
//! | 5 | into the shifter (always on an odd cycle) |
//! | 10 | rounded; into the function |
//! | 12 | into the shifter (always on an even cycle) |
//! | 17 | function rounded, table word added, saturated |
//! | 18, 19 | key added; out |
//! | 20 – 22 | residual operand aligned, added |
//! | 23 | a residual sum into the shifter: words are 4 cycles apart, so this odd cycle is free |
//! | 28, 29 | residual sum rounded; out |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::front::{Front, LATENCY}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! # let core = EngineConfig { name: "x".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//! #     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16, chunked: false };
//! let mut u = Front::new(&core, Target::Generic).unwrap();
//! u.connect_all();
//! // Rounding by 4 to 8 bits, then ReLU exact by 1 to the left: 1000/16 = 62.5 gives 63, 126.
//! (u.shift.next, u.bits.next) = (U::new(16 + 4), U::new(8));
//! (u.function_kind.next, u.function_shift.next) = (U::new(2), U::new(16 - 1));
//! for cycle in 0..4 + LATENCY {
//!     u.even.next = cycle % 2 == 0;
//!     (u.entry_valid.next, u.entry_word.next) = (cycle == 4, S::new(1000));
//!     simulate(&mut u, 10);
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//! }
//! u.even.next = false;
//! simulate(&mut u, 10);
//! assert_eq!((u.x_valid.val(), u.x.val().get()), (true, 126));
//! ```

mod build;

use super::flags::Flags;
use super::function::Function;
use super::linear::Linear;
use super::other::Other;
use super::rows::Rows;
use super::shifter::Shifter;
use super::turns::Turns;
use super::walker::Walker;
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Cycles from entry to x.
pub const LATENCY: usize = 19;
/// The same for a step with a residual operand.
pub const RESIDUAL_LATENCY: usize = 29;
/// The same for a step with a wide state.
pub const WIDE_LATENCY: usize = 21;

block! {
    /// See the module's text.
    pub struct Front {
        inputs {
            /// Forget the words on their way.
            reset: Flag<In>,
            /// An even cycle.
            even: Flag<In>,
            /// The addend's pointer, and a state's, to the base.
            addend_start: Flag<In>,
            /// The second operand's pointer to the base.
            other_start: Flag<In>,
            /// The addend's distance from row to row.
            addend_row: Flag<In>,
            /// The second operand's.
            other_row: Flag<In>,
            /// Address or distance of the four.
            base: Sig<In, U>,
            /// First block of the loop.
            block_first: Flag<In>,
            /// A word comes in the next cycle.
            entry_soon: Flag<In>,
            /// A word comes.
            entry_valid: Flag<In>,
            /// The exact word.
            entry_word: Sig<In, S>,
            /// Last column of its row.
            entry_row_last: Flag<In>,
            /// Last lane of a pass.
            entry_pass_last: Flag<In>,
            /// Last word of the step.
            entry_last: Flag<In>,
            /// A word of M.
            addend: Sig<In, S>,
            /// E.
            exponent: Sig<In, U>,
            /// The element of M that is added to a key.
            positional: Sig<In, S>,
            /// The second operand of a residual.
            operand: Sig<In, S>,
            /// Field: 0 array.
            source: Sig<In, U>,
            /// Field: 0 none, 1 word, 2 state.
            addend_kind: Sig<In, U>,
            /// Field: a state has two words.
            wide: Flag<In>,
            /// Field: shift + 16.
            shift: Sig<In, U>,
            /// Field.
            bits: Sig<In, U>,
            /// Field: 0 none to 5 hard.
            function_kind: Sig<In, U>,
            /// Field.
            one: Sig<In, U>,
            /// Field: shift + 16.
            function_shift: Sig<In, U>,
            /// Field.
            function_table: Sig<In, U>,
            /// Field.
            index_bits: Sig<In, U>,
            /// Field.
            drop: Sig<In, U>,
            /// Field: 0 none, 1 key, 2 residual.
            other_kind: Sig<In, U>,
            /// Field: |left|.
            left: Sig<In, U>,
            /// Field.
            left_is_value: Flag<In>,
            /// Field: shift + 8.
            other_shift: Sig<In, U>,
            /// Field: 2 normalise, 3 power, 4 count.
            serial: Sig<In, U>,
            /// Field: κ + 16.
            offset: Sig<In, U>,
            /// Store a word of the function tables.
            table_write: Flag<In>,
            /// Read one.
            table_read: Flag<In>,
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
        }
        outputs {
            /// The function table's word that is read.
            table_word: Sig<Out, S>,
            /// Fetch an addend.
            addend_request: Flag<Out>,
            /// From where in M.
            addend_address: Sig<Out, U>,
            /// Store a word of a state.
            state_store: Flag<Out>,
            /// Where to in M.
            state_address: Sig<Out, U>,
            /// What.
            state_data: Sig<Out, S>,
            /// Fetch a key's element of M.
            key_request: Flag<Out>,
            /// Fetch a residual's element of X.
            residual_request: Flag<Out>,
            /// Element of X or of M.
            operand_address: Sig<Out, U>,
            /// The function's result.
            function_word: Sig<Out, S>,
            /// It counts.
            function_valid: Flag<Out>,
            /// Last of its row.
            function_row_last: Flag<Out>,
            /// The result.
            x: Sig<Out, S>,
            /// It counts.
            x_valid: Flag<Out>,
            /// Last of its row.
            x_row_last: Flag<Out>,
            /// Last of its pass, also where nothing counts.
            x_pass_last: Flag<Out>,
            /// Last of its step.
            x_last: Flag<Out>,
            /// Words are on their way.
            busy: Flag<Out>,
            /// Exact sum.
            tap_sum_data: Sig<Out, S>,
            /// It counts.
            tap_sum_valid: Flag<Out>,
            /// Rounded word.
            tap_linear_data: Sig<Out, S>,
            /// It counts.
            tap_linear_valid: Flag<Out>,
            /// The function's result.
            tap_function_data: Sig<Out, S>,
            /// It counts.
            tap_function_valid: Flag<Out>,
            /// With key or residual operand.
            tap_other_data: Sig<Out, S>,
            /// It counts.
            tap_other_valid: Flag<Out>,
        }
        parts {
            asks: Reg<bool>,
            ask: Reg<bool>,
            store: Reg<bool>,
            asks_key: Reg<bool>,
            asks_residual: Reg<bool>,
            two: Reg<bool>,
            state: Reg<bool>,
            key: Reg<bool>,
            residual: Reg<bool>,
            addend_used: Reg<bool>,
            rows: Rows,
            flags: Flags,
            addend_walker: Walker,
            other_walker: Walker,
            linear: Linear,
            turns: Turns,
            shifter: Shifter,
            unit: Function,
            other: Other,
        }
        locals {
            other_load: Flag<Local>,
            other_step: Flag<Local>,
            high: Sig<Local, U>,
            has_wide: Const<bool>,
            beside: Const<U>,
            above: Const<U>,
        }
    }
}

impl Logic for Front {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            asks,
            ask,
            store,
            asks_key,
            asks_residual,
            two,
            state,
            key,
            residual,
            addend_used
        );
        clock!(
            self,
            clock,
            flags,
            rows,
            addend_walker,
            other_walker,
            linear,
            turns,
            shifter,
            unit,
            other
        );
        // What stands still is decoded once.
        self.asks.d.next = !(self.addend_kind.val() == 0);
        self.state.d.next = self.addend_kind.val() == 2;
        self.two.d.next = (self.addend_kind.val() == 2) && self.wide.val() && self.has_wide.val();
        self.key.d.next = self.other_kind.val() == 1;
        self.residual.d.next = self.other_kind.val() == 2;
        self.addend_used.d.next =
            (self.addend_kind.val() == 1) || ((self.addend_kind.val() == 2) && !self.block_first.val());

        self.flags.reset.next = self.reset.val();
        self.flags.even.next = self.even.val();
        self.flags.wide.next = self.two.q.val();
        self.flags.residual.next = self.residual.q.val();
        self.flags.valid.next = self.entry_valid.val();
        self.flags.row_last.next = self.entry_row_last.val();
        self.flags.pass_last.next = self.entry_pass_last.val();
        self.flags.last.next = self.entry_last.val();
        self.busy.next = self.flags.busy.val();

        // Addend and sum.
        // Requests are decided a cycle ahead: M's and X's other users wait for them.
        self.ask.d.next = !self.reset.val()
            && ((self.entry_soon.val() && self.asks.q.val())
                || (!self.even.val() && self.flags.late.val() && self.two.q.val()));
        self.rows.base_0.next = self.base.val();
        self.rows.load_0.next = self.addend_start.val();
        self.rows.distance_0.next = self.base.val();
        self.rows.set_0.next = self.addend_row.val();
        self.rows.step_0.next = self.ask.q.val() && self.entry_row_last.val() && !self.state.q.val();
        self.addend_walker.load.next = self.addend_start.val();
        self.addend_walker.start.next = self.rows.start_0.val();
        self.addend_walker.step.next = self.ask.q.val();
        self.addend_walker.row_end.next = self.entry_row_last.val() && !self.state.q.val();
        self.addend_request.next = self.ask.q.val();
        self.addend_address.next = self.addend_walker.address.val();
        self.linear.even.next = self.even.val();
        self.linear.line.next = self.flags.line.val();
        self.linear.late.next = self.flags.late.val();
        self.linear.word.next = self.entry_word.val();
        self.linear.addend_used.next = self.addend_used.q.val();
        self.linear.wide.next = self.two.q.val();
        self.linear.addend.next = self.addend.val();
        self.linear.shift.next = self.shift.val();
        self.linear.normalise.next = self.serial.val() == 2;
        self.linear.offset.next = self.offset.val();
        self.linear.exponent.next = self.exponent.val();

        // States go back; their pointer is the second operand's, which such a step has not.
        self.store.d.next = self.even.val()
            && !self.reset.val()
            && ((self.flags.line.val().get_bit(2) && self.state.q.val())
                || (self.flags.line.val().get_bit(3) && self.two.q.val()));
        self.state_store.next = self.store.q.val();
        self.high.next = (unsigned_cast_of(self.linear.sum) >> self.above.val().index()).into();
        self.state_data.next = self.linear.sum.val();
        if self.two.q.val() && self.flags.line.val().get_bit(3) {
            self.state_data.next = ((unsigned_cast_of(self.linear.sum) & self.beside.val()) | self.high.val()).into();
        }
        self.asks_key.d.next =
            self.even.val() && !self.reset.val() && self.flags.line.val().get_bit(6) && self.key.q.val();
        self.asks_residual.d.next =
            self.even.val() && !self.reset.val() && self.flags.line.val().get_bit(8) && self.residual.q.val();
        // `state` is not yet decoded where the base comes.
        self.other_load.next = self.other_start.val();
        if self.addend_kind.val() == 2 {
            self.other_load.next = self.addend_start.val();
        }
        self.other_step.next = self.store.q.val() || self.asks_key.q.val() || self.asks_residual.q.val();
        self.rows.base_1.next = self.base.val();
        self.rows.load_1.next = self.other_load.val();
        self.rows.distance_1.next = self.base.val();
        self.rows.set_1.next = self.other_row.val();
        self.rows.step_1.next = self.other_step.val() && self.flags.asked_row_last.val() && !self.state.q.val();
        self.other_walker.load.next = self.other_load.val();
        self.other_walker.start.next = self.rows.start_1.val();
        self.other_walker.step.next = self.other_step.val();
        self.other_walker.row_end.next = self.flags.asked_row_last.val() && !self.state.q.val();
        self.state_address.next = self.other_walker.address.val();
        self.key_request.next = self.asks_key.q.val();
        self.residual_request.next = self.asks_residual.q.val();
        self.operand_address.next = self.other_walker.address.val();

        // The shifter.
        self.turns.even.next = self.even.val();
        self.turns.line.next = self.flags.line.val();
        self.turns.sum.next = self.linear.sum.val();
        self.turns.sum_field.next = self.linear.field.val();
        self.turns.turned.next = self.unit.turned.val();
        self.turns.nothing.next = self.unit.nothing.val();
        self.turns.aligned.next = self.other.aligned.val();
        self.turns.function_kind.next = self.function_kind.val();
        self.turns.function_shift.next = self.function_shift.val();
        self.turns.other_shift.next = self.other_shift.val();
        self.turns.bits.next = self.bits.val();
        self.turns.residual.next = self.residual.q.val();
        self.shifter.x.next = self.turns.x.val();
        self.shifter.field.next = self.turns.field.val();
        self.shifter.bits.next = self.turns.width.val();

        // Function and second operand.
        self.unit.even.next = self.even.val();
        self.unit.line.next = self.flags.line.val();
        self.unit.x.next = self.shifter.y.val();
        self.unit.x_negative.next = self.shifter.negative.val();
        self.unit.y.next = self.shifter.y.val();
        self.unit.kind.next = self.function_kind.val();
        self.unit.one.next = self.one.val();
        self.unit.index_bits.next = self.index_bits.val();
        self.unit.drop.next = self.drop.val();
        self.unit.first.next = self.function_table.val();
        self.unit.table_write.next = self.table_write.val();
        self.unit.table_read.next = self.table_read.val();
        self.unit.table_address.next = self.table_address.val();
        self.unit.table_data.next = self.table_data.val();
        self.table_word.next = self.unit.table_word.val();
        self.function_word.next = self.unit.word.val();
        self.function_valid.next = !self.even.val() && self.flags.line.val().get_bit(10);
        self.function_row_last.next = !self.even.val() && self.flags.function_row_last.val();
        self.other.even.next = self.even.val();
        self.other.line.next = self.flags.line.val();
        self.other.word.next = self.unit.word.val();
        self.other.positional.next = self.positional.val();
        self.other.operand.next = self.operand.val();
        self.other.key.next = self.key.q.val();
        self.other.residual.next = self.residual.q.val();
        self.other.left.next = self.left.val();
        self.other.left_is_value.next = self.left_is_value.val();
        self.other.y.next = self.shifter.y.val();

        // Out.
        self.x.next = self.other.x.val();
        self.x_valid.next = self.flags.out.val();
        self.x_row_last.next = self.flags.out_row_last.val();
        self.x_pass_last.next = self.flags.out_pass_last.val();
        self.x_last.next = self.flags.out_last.val();
        self.tap_sum_data.next = self.linear.sum.val();
        self.tap_sum_valid.next = !self.even.val() && self.flags.line.val().get_bit(3) && (self.source.val() == 0);
        self.tap_linear_data.next = self.shifter.y.val();
        self.tap_linear_valid.next = self.even.val()
            && self.flags.line.val().get_bit(5)
            && !((self.serial.val() == 3) || (self.serial.val() == 4));
        self.tap_function_data.next = self.unit.word.val();
        self.tap_function_valid.next =
            !self.even.val() && self.flags.line.val().get_bit(10) && !(self.function_kind.val() == 0);
        self.tap_other_data.next = self.other.x.val();
        self.tap_other_valid.next = self.flags.out.val() && (self.key.q.val() || self.residual.q.val());
    }
}

//! The front of the stream: addend and first rounding ([`linear`](super::linear)), non-linearity ([`function`](super::function)), key or
//! residual operand ([`other`](super::other)). All three round in one [`shifter`](super::shifter), which takes a word every cycle.
//!
//! Configuration: inputs named as the fields of `docs/engine.md` section 3, stored codes and all (`function_kind`, as `function` is a word of Verilog; `shift` is the shift + 16, `offset` 16 more,
//! …). They stand still from a step's first word until `busy` has fallen.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | forgets the words on their way |
//! | even | 1 | high in every other cycle |
//! | addend_start, addend_base, other_start, other_base | 1, M, 1, N | before the step's first word: pointers take these addresses |
//! | block_first | 1 | t0 = 0: states begin at nothing |
//! | entry_valid, entry_word | 1, A | on an even cycle: number 0 of the times below. With `slow` at most every 4 cycles |
//! | entry_row_last, entry_pass_last, entry_last | 1 | on an even cycle; the second also without a word |
//! | addend_request, addend_address | 1, M | cycle 0; of a wide state again in 2 |
//! | addend | 32 | 3 cycles after its request |
//! | exponent | 6 | cycle 3 |
//! | state_store, state_address, state_data | 1, M, 32 | cycle 5; wide: 7 and 9 |
//! | operand_request, operand_address | 1, N | cycle 17 (wide 19): element of X (residual) or of M (key) |
//! | operand | W | 3 cycles after its request |
//! | function_word, function_valid, function_row_last | W, 1, 1 | cycle 19 (wide 21) |
//! | x, x_valid, x_row_last, x_pass_last, x_last | SW, 1 … | cycle [`LATENCY`], of a residual [`RESIDUAL_LATENCY`], of a wide state [`WIDE_LATENCY`] |
//! | busy | 1 | words are on their way |
//! | tap_sum, tap_linear, tap_function, tap_other (`_data`, `_valid`) | A, SW + 1, SW, SW | |
//! | table_write, table_address, table_data | 1, F, W | the function tables |
//!
//! A wide state lies in memory with its high word first; the high word's bits from A − 32 on mean nothing.
//!
//! | cycle | |
//! |---|---|
//! | 0 – 4 | the word waits for its addend; low half, high half of the sum |
//! | 5 | into the shifter (always on an odd cycle) |
//! | 10 | rounded; into the function |
//! | 12 | into the shifter (always on an even cycle) |
//! | 17 – 19 | function rounded, table word added, saturated |
//! | 20 – 22 | operand aligned, added |
//! | 23 | out; a residual sum into the shifter: words are 4 cycles apart, so this odd cycle is free |
//! | 28, 29 | residual sum rounded; out |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::front::{Front, LATENCY}, number::*};
//! use rust_hdl::prelude::*;
//! # let core = EngineConfig { name: "x".into(), lanes: 2, width: 8, acc_bits: 26, bank_words: 16, x_words: 64, m_words: 64,
//! #     function_words: 16, mantissa_words: 16, sums: 8, reads: 8, norm_width: 8, norm_words: 16 };
//! let mut u = Front::new(&core).unwrap();
//! u.connect_all();
//! // Rounding by 4 to 8 bits, then ReLU exact by 1 to the left: 1000/16 = 62.5 gives 63, 126.
//! (u.shift.next, u.bits.next) = (U::new(16 + 4), U::new(8));
//! (u.function_kind.next, u.function_shift.next) = (U::new(2), U::new(16 - 1));
//! for cycle in 0..LATENCY {
//!     u.even.next = cycle % 2 == 0;
//!     (u.entry_valid.next, u.entry_word.next) = (cycle == 0, S::new(1000));
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//! }
//! u.even.next = false;
//! simulate(&mut u, 10);
//! assert_eq!((u.x_valid.val(), u.x.val().get()), (true, 126));
//! ```

use super::LINE_BITS;
use super::function::Function;
use super::linear::{ADDEND_BITS, EXPONENT_BITS, Linear, OFFSET_BITS};
use super::other::{Other, aligned_bits};
use super::shifter::{FIELD_BITS, Shifter, WIDTH_BITS};
use super::walker::{STRIDE_BITS, Walker};
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, natural_bits, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use astromorph::engine::config::EngineConfig;
use rust_hdl::prelude::*;

/// Cycles from entry to x.
pub const LATENCY: usize = 23;
/// The same for a step with a residual operand.
pub const RESIDUAL_LATENCY: usize = 29;
/// The same for a step with a wide state.
pub const WIDE_LATENCY: usize = 25;

block! {
    /// See the module's text.
    pub struct Front {
        inputs {
            /// Forget the words on their way.
            reset: Flag<In>,
            /// An even cycle.
            even: Flag<In>,
            /// Pointers to their bases.
            addend_start: Flag<In>,
            /// The second operand's pointer to `other_base`.
            other_start: Flag<In>,
            /// First block of the loop.
            block_first: Flag<In>,
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
            /// Key or residual element.
            operand: Sig<In, S>,
            /// Field: 0 array.
            source: Sig<In, U>,
            /// Field: 0 none, 1 word, 2 state.
            addend_kind: Sig<In, U>,
            /// Field: a state has two words.
            wide: Flag<In>,
            /// First addend or state.
            addend_base: Sig<In, U>,
            /// Field.
            addend_stride: Sig<In, U>,
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
            /// First element.
            other_base: Sig<In, U>,
            /// Field.
            other_stride: Sig<In, U>,
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
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
        }
        outputs {
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
            /// Fetch an operand.
            operand_request: Flag<Out>,
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
            late_valid: Reg<bool>,
            late_row: Reg<bool>,
            late_pass: Reg<bool>,
            late_last: Reg<bool>,
            line: Reg<U>,
            row_line: Reg<U>,
            pass_line: Reg<U>,
            last_line: Reg<U>,
            addend_walker: Walker,
            other_walker: Walker,
            linear: Linear,
            field: Reg<U>,
            shifter: Shifter,
            unit: Function,
            other: Other,
        }
        locals {
            two: Flag<Local>,
            state: Flag<Local>,
            key: Flag<Local>,
            residual: Flag<Local>,
            in_valid: Flag<Local>,
            in_row: Flag<Local>,
            in_pass: Flag<Local>,
            in_last: Flag<Local>,
            moved: Sig<Local, U>,
            row_moved: Sig<Local, U>,
            pass_moved: Sig<Local, U>,
            last_moved: Sig<Local, U>,
            ask: Flag<Local>,
            store: Flag<Local>,
            request: Flag<Local>,
            high: Sig<Local, U>,
            exact: Sig<Local, S>,
            scaled: Sig<Local, S>,
            aligned: Sig<Local, S>,
            mixed: Sig<Local, S>,
            residual_code: Sig<Local, U>,
            out: Flag<Local>,
            has_wide: Const<bool>,
            none: Const<U>,
            kept: Const<U>,
            entered: Const<U>,
            straight: Const<U>,
            width: Const<U>,
            beside: Const<U>,
            above: Const<U>,
            zero: Const<S>,
        }
    }
}

impl Front {
    /// For a core.
    pub fn new(core: &EngineConfig) -> Result<Self> {
        core.validate()?;
        let (w, sw, acc) = (core.width, core.serial_bits(), core.acc_bits);
        let m_bits = natural_bits(core.m_words as u64 - 1);
        let element_bits = natural_bits((core.m_words * core.weights_per_word()).max(core.x_words) as u64 - 1);
        let shifted = acc.max(aligned_bits(core));
        let unit = Function::new(core)?;
        let table_bits = unit.table_address.width();
        // Bits 32 and up of a sum.
        let above = (acc - 1).min(32);
        Ok(Front {
            clock: Signal::default(),
            reset: Flag::default(),
            even: Flag::default(),
            addend_start: Flag::default(),
            other_start: Flag::default(),
            block_first: Flag::default(),
            entry_valid: Flag::default(),
            entry_word: Sig::new(acc),
            entry_row_last: Flag::default(),
            entry_pass_last: Flag::default(),
            entry_last: Flag::default(),
            addend: Sig::new(ADDEND_BITS),
            exponent: Sig::new(EXPONENT_BITS),
            operand: Sig::new(w),
            source: Sig::new(2),
            addend_kind: Sig::new(2),
            wide: Flag::default(),
            addend_base: Sig::new(m_bits),
            addend_stride: Sig::new(STRIDE_BITS),
            shift: Sig::new(FIELD_BITS),
            bits: Sig::new(WIDTH_BITS),
            function_kind: Sig::new(3),
            one: Sig::new(5),
            function_shift: Sig::new(FIELD_BITS),
            function_table: Sig::new(16),
            index_bits: Sig::new(4),
            drop: Sig::new(5),
            other_kind: Sig::new(2),
            other_base: Sig::new(element_bits),
            other_stride: Sig::new(STRIDE_BITS),
            left: Sig::new(5),
            left_is_value: Flag::default(),
            other_shift: Sig::new(FIELD_BITS),
            serial: Sig::new(3),
            offset: Sig::new(OFFSET_BITS),
            table_write: Flag::default(),
            table_address: Sig::new(table_bits),
            table_data: Sig::new(w),
            addend_request: Flag::default(),
            addend_address: Sig::new(m_bits),
            state_store: Flag::default(),
            state_address: Sig::new(m_bits),
            state_data: Sig::new(ADDEND_BITS),
            operand_request: Flag::default(),
            operand_address: Sig::new(element_bits),
            function_word: Sig::new(w),
            function_valid: Flag::default(),
            function_row_last: Flag::default(),
            x: Sig::new(sw),
            x_valid: Flag::default(),
            x_row_last: Flag::default(),
            x_pass_last: Flag::default(),
            x_last: Flag::default(),
            busy: Flag::default(),
            tap_sum_data: Sig::new(acc),
            tap_sum_valid: Flag::default(),
            tap_linear_data: Sig::new(sw + 1),
            tap_linear_valid: Flag::default(),
            tap_function_data: Sig::new(sw),
            tap_function_valid: Flag::default(),
            tap_other_data: Sig::new(sw),
            tap_other_valid: Flag::default(),
            late_valid: Reg::default(),
            late_row: Reg::default(),
            late_pass: Reg::default(),
            late_last: Reg::default(),
            line: Reg::new(LINE_BITS),
            row_line: Reg::new(LINE_BITS),
            pass_line: Reg::new(LINE_BITS),
            last_line: Reg::new(LINE_BITS),
            addend_walker: Walker::new("front.addend", m_bits)?,
            other_walker: Walker::new("front.other", element_bits)?,
            linear: Linear::new(acc)?,
            field: Reg::new(FIELD_BITS),
            shifter: Shifter::new("front.shifter", shifted, sw + 1)?,
            unit,
            other: Other::new(core)?,
            two: Flag::default(),
            state: Flag::default(),
            key: Flag::default(),
            residual: Flag::default(),
            in_valid: Flag::default(),
            in_row: Flag::default(),
            in_pass: Flag::default(),
            in_last: Flag::default(),
            moved: Sig::new(LINE_BITS),
            row_moved: Sig::new(LINE_BITS),
            pass_moved: Sig::new(LINE_BITS),
            last_moved: Sig::new(LINE_BITS),
            ask: Flag::default(),
            store: Flag::default(),
            request: Flag::default(),
            high: Sig::new(acc - above),
            exact: Sig::new(shifted),
            scaled: Sig::new(shifted),
            aligned: Sig::new(shifted),
            mixed: Sig::new(shifted),
            residual_code: Sig::new(FIELD_BITS),
            out: Flag::default(),
            has_wide: Const::new(1, acc > ADDEND_BITS),
            none: Const::natural(0),
            // All but the bits that only a residual needs.
            kept: Const::new(LINE_BITS, U::new(0x1fff)),
            entered: Const::natural(2),
            straight: Const::natural(16),
            width: Const::natural(w as u64),
            // The low word's bits that stay where the high word has none.
            beside: Const::new(ADDEND_BITS, U::new((1 << ADDEND_BITS) - (1 << (acc - above)))),
            above: Const::natural(above as u64),
            zero: Const::new(1, S::new(0)),
            activity: Default::default(),
        })
    }

    /// Bits of table memory.
    pub fn table_bits(&self) -> usize {
        self.unit.table_bits()
    }
}

impl Logic for Front {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, late_valid, late_row, late_pass, late_last, line, row_line, pass_line, last_line, field
        );
        clock!(self, clock, addend_walker, other_walker, linear, shifter, unit, other);
        self.state.next = self.addend_kind.val() == 2;
        self.two.next = self.state.val() && self.wide.val() && self.has_wide.val();
        self.key.next = self.other_kind.val() == 1;
        self.residual.next = self.other_kind.val() == 2;

        // The words on their way; a wide state's begin two cycles later.
        self.in_valid.next = self.entry_valid.val();
        self.in_row.next = self.entry_row_last.val();
        self.in_pass.next = self.entry_pass_last.val();
        self.in_last.next = self.entry_last.val();
        if self.two.val() {
            self.in_valid.next = self.late_valid.q.val();
            self.in_row.next = self.late_row.q.val();
            self.in_pass.next = self.late_pass.q.val();
            self.in_last.next = self.late_last.q.val();
        }
        self.moved.next = (self.line.q.val() << 1).into();
        self.pass_moved.next = (self.pass_line.q.val() << 1).into();
        if !self.residual.val() {
            self.moved.next = ((self.line.q.val() << 1) & self.kept.val()).into();
            self.pass_moved.next = ((self.pass_line.q.val() << 1) & self.kept.val()).into();
        }
        self.row_moved.next = (self.row_line.q.val() << 1).into();
        self.last_moved.next = (self.last_line.q.val() << 1).into();
        if self.even.val() {
            self.late_valid.d.next = self.entry_valid.val();
            self.late_row.d.next = self.entry_row_last.val();
            self.late_pass.d.next = self.entry_pass_last.val();
            self.late_last.d.next = self.entry_last.val();
            self.line.d.next = self.moved.val();
            self.row_line.d.next = self.row_moved.val();
            self.pass_line.d.next = self.pass_moved.val();
            self.last_line.d.next = self.last_moved.val();
            if self.in_valid.val() {
                self.line.d.next = (self.moved.val() | self.entered.val()).into();
            }
            if self.in_row.val() {
                self.row_line.d.next = (self.row_moved.val() | self.entered.val()).into();
            }
            if self.in_pass.val() {
                self.pass_line.d.next = (self.pass_moved.val() | self.entered.val()).into();
            }
            if self.in_last.val() {
                self.last_line.d.next = (self.last_moved.val() | self.entered.val()).into();
            }
        }
        if self.reset.val() {
            self.late_valid.d.next = false;
            self.late_pass.d.next = false;
            self.line.d.next = self.none.val();
            self.pass_line.d.next = self.none.val();
        }
        self.busy.next = !(self.line.q.val() == 0)
            || !(self.pass_line.q.val() == 0)
            || self.late_valid.q.val()
            || self.late_pass.q.val();

        // Addend and sum.
        self.ask.next = (self.entry_valid.val() && !(self.addend_kind.val() == 0))
            || (self.even.val() && self.late_valid.q.val() && self.two.val());
        self.addend_walker.load.next = self.addend_start.val();
        self.addend_walker.base.next = self.addend_base.val();
        self.addend_walker.step.next = self.ask.val();
        self.addend_walker.row_end.next = self.entry_row_last.val() && !self.state.val();
        self.addend_walker.stride.next = self.addend_stride.val();
        self.addend_request.next = self.ask.val();
        self.addend_address.next = self.addend_walker.address.val();
        self.linear.even.next = self.even.val();
        self.linear.line.next = self.line.q.val();
        self.linear.take.next = self.entry_valid.val();
        self.linear.word.next = self.entry_word.val();
        self.linear.addend_used.next = (self.addend_kind.val() == 1) || (self.state.val() && !self.block_first.val());
        self.linear.wide.next = self.two.val();
        self.linear.addend.next = self.addend.val();
        self.linear.shift.next = self.shift.val();
        self.linear.normalise.next = self.serial.val() == 2;
        self.linear.offset.next = self.offset.val();
        self.linear.exponent.next = self.exponent.val();

        // States go back; their pointer is the second operand's, which such a step has not.
        self.store.next = !self.even.val()
            && ((self.line.q.val().get_bit(3) && self.state.val()) || (self.line.q.val().get_bit(4) && self.two.val()));
        self.state_store.next = self.store.val();
        self.high.next = (unsigned_cast_of(self.linear.sum) >> self.above.val().index()).into();
        self.state_data.next = self.linear.sum.val();
        if self.two.val() && self.line.q.val().get_bit(3) {
            self.state_data.next = ((unsigned_cast_of(self.linear.sum) & self.beside.val()) | self.high.val()).into();
        }
        self.request.next = !self.even.val() && self.line.q.val().get_bit(9) && (self.key.val() || self.residual.val());
        self.other_walker.load.next = self.other_start.val() && !self.state.val();
        self.other_walker.base.next = self.other_base.val();
        if self.state.val() {
            self.other_walker.load.next = self.addend_start.val();
            self.other_walker.base.next = self.addend_base.val();
        }
        self.other_walker.step.next = self.store.val() || self.request.val();
        self.other_walker.row_end.next = self.row_line.q.val().get_bit(9) && !self.state.val();
        self.other_walker.stride.next = self.other_stride.val();
        self.state_address.next = self.other_walker.address.val();
        self.operand_request.next = self.request.val();
        self.operand_address.next = self.other_walker.address.val();

        // The shifter: sum and residual sum on odd cycles, the function's word on even ones; each is zero where it is not its turn.
        self.exact.next = self.zero.val();
        if !self.even.val() && self.line.q.val().get_bit(3) {
            self.exact.next = self.linear.sum.val();
        }
        self.scaled.next = self.unit.scaled.val();
        self.aligned.next = self.other.aligned.val();
        self.mixed.next =
            ((unsigned_cast_of(self.exact) | unsigned_cast_of(self.scaled)) | unsigned_cast_of(self.aligned)).into();
        self.shifter.x.next = self.mixed.val();
        // The next cycle's shift.
        self.residual_code.next = (self.other_shift.val() + 8).into();
        self.field.d.next = self.linear.field.val();
        if self.even.val() {
            if self.residual.val() && self.line.q.val().get_bit(11) {
                self.field.d.next = self.residual_code.val();
            }
        } else {
            self.field.d.next = self.straight.val();
            if (self.function_kind.val() == 1) || (self.function_kind.val() == 2) || (self.function_kind.val() == 3) {
                self.field.d.next = self.function_shift.val();
            }
        }
        self.shifter.field.next = self.field.q.val();
        self.shifter.bits.next = self.bits.val();
        if self.even.val() {
            if self.residual.val() && self.line.q.val().get_bit(13) {
                self.shifter.bits.next = self.width.val();
            }
        } else {
            if !(self.function_kind.val() == 0) {
                self.shifter.bits.next = self.width.val();
            }
        }

        // Function and second operand.
        self.unit.even.next = self.even.val();
        self.unit.line.next = self.line.q.val();
        self.unit.x.next = self.shifter.y.val();
        self.unit.y.next = self.shifter.y.val();
        self.unit.kind.next = self.function_kind.val();
        self.unit.one.next = self.one.val();
        self.unit.index_bits.next = self.index_bits.val();
        self.unit.drop.next = self.drop.val();
        self.unit.first.next = self.function_table.val();
        self.unit.table_write.next = self.table_write.val();
        self.unit.table_address.next = self.table_address.val();
        self.unit.table_data.next = self.table_data.val();
        self.function_word.next = self.unit.word.val();
        self.function_valid.next = !self.even.val() && self.line.q.val().get_bit(10);
        self.function_row_last.next = !self.even.val() && self.row_line.q.val().get_bit(10);
        self.other.even.next = self.even.val();
        self.other.line.next = self.line.q.val();
        self.other.word.next = self.unit.word.val();
        self.other.operand.next = self.operand.val();
        self.other.key.next = self.key.val();
        self.other.residual.next = self.residual.val();
        self.other.left.next = self.left.val();
        self.other.left_is_value.next = self.left_is_value.val();
        self.other.y.next = self.shifter.y.val();

        // Out.
        self.x.next = self.other.x.val();
        self.out.next = !self.even.val() && self.line.q.val().get_bit(12);
        self.x_row_last.next = !self.even.val() && self.row_line.q.val().get_bit(12);
        self.x_pass_last.next = !self.even.val() && self.pass_line.q.val().get_bit(12);
        self.x_last.next = !self.even.val() && self.last_line.q.val().get_bit(12);
        if self.residual.val() {
            self.out.next = !self.even.val() && self.line.q.val().get_bit(15);
            self.x_row_last.next = !self.even.val() && self.row_line.q.val().get_bit(15);
            self.x_pass_last.next = !self.even.val() && self.pass_line.q.val().get_bit(15);
            self.x_last.next = !self.even.val() && self.last_line.q.val().get_bit(15);
        }
        self.x_valid.next = self.out.val();
        self.tap_sum_data.next = self.linear.sum.val();
        self.tap_sum_valid.next = !self.even.val() && self.line.q.val().get_bit(3) && (self.source.val() == 0);
        self.tap_linear_data.next = self.shifter.y.val();
        self.tap_linear_valid.next =
            self.even.val() && self.line.q.val().get_bit(5) && !((self.serial.val() == 3) || (self.serial.val() == 4));
        self.tap_function_data.next = self.unit.word.val();
        self.tap_function_valid.next =
            !self.even.val() && self.line.q.val().get_bit(10) && !(self.function_kind.val() == 0);
        self.tap_other_data.next = self.other.x.val();
        self.tap_other_valid.next = self.out.val() && (self.key.val() || self.residual.val());
    }
}

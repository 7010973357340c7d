//! The one multiplier of the serial arithmetic and what stands behind it: addend, rounding, accumulator, split, mantissa tables. Calcium and
//! Normalise use it word by word, the layer norm twice an element; who works is seen from `working`.
//!
//! ```text
//! cycle 0   operands              a: x | buffer word | q        b: memory | D | q | word | γ'
//! 1 to 6    multiplier, addend    −Σx = all bits of Σx − 1 turned, β, ε (low part), 0; chosen at 2, taken at 4
//! 6         accumulator, low 32   and rounding begins
//! 7         accumulator, high 17  (ε's high part comes here)
//! 10        q
//! row's end: 7, 8 captured (low, high), 9 to 13 split, 14 limit, 15 index, 16 address, 17 table, 18 word and `done`
//! ```
//! In the layer norm an element's first pass makes c = requant'(D·x − Σx) or n = dynround(c·R, h + offset), its second pass V += c² or
//! requant(n·γ' + β). After the last c² a pass with a = 0 adds ε, which stands in the parameters' place (32 bits as β, 16 as γ'). The second
//! pass begins where no element does: with q where elements come every 4 cycles (iCE40, whose multiplier takes operands every 2), else a cycle
//! later ([`again`]).
//! Power and Count put their word where the accumulator is captured (`enter`), `done` comes [`ENTER_LATENCY`] cycles later; at least 4 cycles
//! lie between two words.
//!
//! The accumulator has 49 bits: ε has at most 47, Σc² at most 10 + 2·17, a C 2·17 + 10. It is 0 after every capture.
//! Two captures of `calcium` are at least 6 cycles apart (rows of three words): the exponent is not carried along with the table's word.
//!
//! ```
//! use astromorph_hdl::{engine::unit::{LATENCY, Unit, UnitSize}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let size = UnitSize { width: 8, serial_bits: 16, acc_bits: 26, norm_width: 64, mantissa_words: 64, multiplier: true, target: Target::Generic };
//! let mut u = Unit::new(&size).unwrap();
//! u.connect_all();
//! // y = n·R with R at 15 fraction bits: 1000 · 0.5 >> 7 (γ = SW − 1 − W = 7), rounded.
//! (u.x.next, u.memory.next, u.x_valid.next) = (S::new(1000), S::new(1 << 14), true);
//! for _ in 0..LATENCY { for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); } }
//! assert_eq!((u.q.val(), u.out_valid.val()), (S::new(4), true));
//! ```

mod build;
mod kernel;

use super::fabric::{self, Fabric};
use super::mantissa::{self, Mantissa};
use super::requant::Requant;
use super::split::{self, LOW_BITS, Split};
use super::tags::{self, Tags};
use crate::block;
use crate::delay::Delay;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U, natural_bits};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Cycles from operands to q.
pub const LATENCY: usize = tags::LATENCY;
/// Cycles from the operands of an element's first pass to those of its second.
pub fn again(target: Target) -> usize {
    LATENCY + (fabric::pace(target) == 1) as usize
}
/// Cycles from `enter` to `done`.
pub const ENTER_LATENCY: usize = split::LATENCY + mantissa::LATENCY;
/// Cycles from the last word of a calcium row to `done`.
pub const ROW_LATENCY: usize = 8 + ENTER_LATENCY;
/// Bits of the accumulator, with sign.
pub const SUM_BITS: u32 = split::NUMBER_BITS;

/// Sizes of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitSize {
    /// W.
    pub width: u32,
    /// SW.
    pub serial_bits: u32,
    /// A.
    pub acc_bits: u32,
    /// Widest layer norm.
    pub norm_width: usize,
    /// Words of the mantissa tables.
    pub mantissa_words: usize,
    /// The device has a multiplier for the unit (matters on iCE40).
    pub multiplier: bool,
    /// What the Verilog is for.
    pub target: Target,
}

impl UnitSize {
    /// Bits of Σx.
    pub fn row_sum_bits(&self) -> u32 {
        self.width + natural_bits(self.norm_width as u64 - 1)
    }

    /// Bits of D.
    pub fn count_bits(&self) -> u32 {
        natural_bits(self.norm_width as u64)
    }
}

block! {
    /// See the module's text.
    pub struct Unit {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Word of the stream.
            x: Sig<In, S>,
            /// It uses the multiplier.
            x_valid: Flag<In>,
            /// Last of its row.
            x_row_last: Flag<In>,
            /// Last lane of a pass.
            x_pass_last: Flag<In>,
            /// Last of the step.
            x_last: Flag<In>,
            /// g or R for it.
            memory: Sig<In, S>,
            /// Products are summed over the row.
            calcium: Flag<In>,
            /// A word for split and table.
            enter: Flag<In>,
            /// The word.
            entry_word: Sig<In, S>,
            /// It is a sum for the power table.
            power: Flag<In>,
            /// Least exponent of C.
            minimum: Sig<In, U>,
            /// The stream's table.
            mantissa_table: Sig<In, U>,
            /// Its mantissa bits.
            mantissa_bits: Sig<In, U>,
            /// The layer norm works.
            working: Flag<In>,
            /// It is in its last phase.
            scaling: Flag<In>,
            /// First pass of an element.
            element: Flag<In>,
            /// It is the row's last.
            element_last: Flag<In>,
            /// x or c of it.
            row_word: Sig<In, S>,
            /// D.
            width: Sig<In, U>,
            /// Σx − 1.
            row_sum: Sig<In, S>,
            /// γ', or the high part of ε.
            gamma: Sig<In, S>,
            /// β, or the low part of ε.
            beta: Sig<In, S>,
            /// Shift of c.
            norm_drop: Sig<In, U>,
            /// Shift of n, less h, + 32.
            norm_offset: Sig<In, U>,
            /// Shift of the result, + 8.
            norm_shift: Sig<In, U>,
            /// The 1/√ table.
            norm_table: Sig<In, U>,
            /// Its mantissa bits.
            norm_bits: Sig<In, U>,
            /// Load a table's word.
            table_write: Flag<In>,
            /// Read one.
            table_read: Flag<In>,
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
        }
        outputs {
            /// Rounded word.
            q: Sig<Out, S>,
            /// It is one.
            out_valid: Flag<Out>,
            /// Flags of its operands.
            out_row_last: Flag<Out>,
            /// Second pass, or last lane of a pass.
            out_second: Flag<Out>,
            /// Last of the step.
            out_last: Flag<Out>,
            /// An element's second pass begins.
            second_begins: Flag<Out>,
            /// It is the row's last.
            second_last: Flag<Out>,
            /// A number has been looked up.
            done: Flag<Out>,
            /// The table's word.
            word: Sig<Out, S>,
            /// The number's exponent.
            exponent: Sig<Out, U>,
            /// A number goes into the split.
            entered: Flag<Out>,
            /// It, limited; for the calcium tap.
            number: Sig<Out, S>,
        }
        parts {
            a: Reg<S>,
            b: Reg<S>,
            multiplier: Fabric,
            tags: Tags,
            again_q: Reg<S>,
            again_valid: Reg<bool>,
            again_row_last: Reg<bool>,
            add_beta: Reg<bool>,
            add_row_sum: Reg<bool>,
            addend: Reg<S>,
            amount: Reg<U>,
            narrow: Reg<bool>,
            requant: Requant,
            low: Reg<U>,
            carry: Reg<bool>,
            add_high: Reg<bool>,
            operand_high: Reg<U>,
            high: Reg<U>,
            clear_low: Reg<bool>,
            clear_high: Reg<bool>,
            capture_low: Reg<bool>,
            capture_high: Reg<bool>,
            held: Reg<bool>,
            split: Split,
            mantissa: Mantissa,
            looked: Delay<bool>,
            fetched: Reg<bool>,
            done_r: Reg<bool>,
        }
        locals {
            squaring: Flag<Local>,
            late: Const<bool>,
            fetches_early: Const<bool>,
            first_done: Flag<Local>,
            second: Flag<Local>,
            second_row_last: Flag<Local>,
            enters: Flag<Local>,
            sum: Sig<Local, S>,
            second_pass: Flag<Local>,
            root: Sig<Local, S>,
            again: Sig<Local, S>,
            stream_a: Sig<Local, U>,
            row_a: Sig<Local, U>,
            again_a: Sig<Local, U>,
            stream_b: Sig<Local, U>,
            width_b: Sig<Local, U>,
            root_b: Sig<Local, U>,
            gamma_b: Sig<Local, U>,
            again_b: Sig<Local, U>,
            add: Flag<Local>,
            less_row_sum: Sig<Local, S>,
            beta_long: Sig<Local, S>,
            beta_low: Sig<Local, U>,
            epsilon_high: Sig<Local, U>,
            above_low: Sig<Local, U>,
            sum_low: Sig<Local, U>,
            sum_above: Sig<Local, S>,
            sum_high: Sig<Local, S>,
            total: Sig<Local, U>,
            left: Sig<Local, U>,
            right: Sig<Local, U>,
            total_high: Sig<Local, U>,
            number_held: Sig<Local, S>,
            half_exponent: Sig<Local, U>,
            offset_amount: Sig<Local, U>,
            root_amount: Sig<Local, U>,
            drop_amount: Sig<Local, U>,
            least: Sig<Local, S>,
            zero: Const<S>,
            unity: Const<S>,
            naught: Const<U>,
            one: Const<U>,
            by_one: Const<U>,
            by_32: Const<U>,
            drop_more: Const<U>,
            offset_more: Const<U>,
            normalise_amount: Const<U>,
        }
    }
}

/// Bits above the accumulator's carry.
const HIGH_BITS: u32 = SUM_BITS - LOW_BITS;

//! Memories of the serial arithmetic and the pointers into them: g and R (one memory: a step reads either), E, and where results go.
//!
//! | step | operand of word (r, j) | result |
//! |---|---|---|
//! | Calcium (1) | g[g + j]; running: g[g + r·cols + j] | reads[read + r] ← (E, R) at a row's end |
//! | Normalise (2) | R of reads[read + r] | |
//! | Power (3) | | g[g + j] ← table word; running: g[g + r·cols + j] |
//! | Count (4) | | reads[read] ← (E, R) |
//!
//! | port | width | |
//! |---|---|---|
//! | start, g, read | 1, 12, 12 | before the step's first word |
//! | calcium, normalise, power | 1 | what the step does (all low: Count, or nothing); all of them stand still until the next start |
//! | running | 1 | Calcium's rows follow each other in g, each with its own (what Power writes does so in any case) |
//! | x_valid, x_row_last | 1, 1 | a word takes `operand` |
//! | operand | SW | for the next word, from 3 cycles after start or the word before (2 cycles after is in time); unknown before the first |
//! | entry_row_last | 1 | the row's last word enters the front: the next one's E follows |
//! | exponent | 6 | of a word's row, 3 cycles after it entered (Normalise) |
//! | result, word, result_exponent | 1, SW, 6 | from the unit |
//!
//! ```
//! use astromorph_hdl::{engine::serial::Serial, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut s = Serial::new(16, 16, 16, Target::Generic).unwrap();
//! s.connect_all();
//! let mut cycle = |s: &mut Serial| for level in [true, false] { s.clock.next.clk = level; simulate(s, 10); };
//! (s.start.next, s.read.next) = (true, U::new(5));                                        // Count: reads[5] ← (3, 20000)
//! cycle(&mut s);
//! (s.start.next, s.result.next, s.word.next, s.result_exponent.next) = (false, true, S::new(20000), U::new(3));
//! cycle(&mut s);
//! (s.start.next, s.result.next, s.normalise.next) = (true, false, true);                  // Normalise reads it
//! cycle(&mut s);
//! s.start.next = false;
//! cycle(&mut s);
//! cycle(&mut s);                                                                          // E comes through a register
//! assert_eq!((s.operand.val().get(), s.exponent.val().get()), (20000, 3));
//! ```

use super::split::EXPONENT_BITS;
use super::sums::ADDRESS_BITS;
use super::table_ram::{TableRam, direct_latency};
use crate::block;
use crate::check;
use crate::delay::Delay;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Codes of the field `serial`.
pub const CALCIUM: u64 = 1;
/// Normalise.
pub const NORMALISE: u64 = 2;
/// Power.
pub const POWER: u64 = 3;
/// Count.
pub const COUNT: u64 = 4;

block! {
    /// See the module's text.
    pub struct Serial {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Pointers to their bases.
            start: Flag<In>,
            /// The step is Calcium.
            calcium: Flag<In>,
            /// Normalise.
            normalise: Flag<In>,
            /// Power.
            power: Flag<In>,
            /// Calcium's rows each have their own g.
            running: Flag<In>,
            /// First word of g.
            g: Sig<In, U>,
            /// First word of reads.
            read: Sig<In, U>,
            /// A word takes its operand.
            x_valid: Flag<In>,
            /// It is its row's last.
            x_row_last: Flag<In>,
            /// A row's last word enters the front.
            entry_row_last: Flag<In>,
            /// A table word has been found.
            result: Flag<In>,
            /// It.
            word: Sig<In, S>,
            /// Exponent of the number it belongs to.
            result_exponent: Sig<In, U>,
        }
        outputs {
            /// g or R.
            operand: Sig<Out, S>,
            /// E.
            exponent: Sig<Out, U>,
        }
        parts {
            /// g, and in the upper half R.
            operands: TableRam<S>,
            exponents: TableRam<U>,
            operand_pointer: Reg<U>,
            /// Where a result goes; in Normalise, which has none, the row's E.
            result_pointer: Reg<U>,
            entered: Delay<bool>,
        }
        locals {
            reads: Sig<Local, U>,
            operand_start: Sig<Local, U>,
            result_start: Sig<Local, U>,
            g_start: Sig<Local, U>,
            /// Where the pointer goes.
            goes: Sig<Local, U>,
            half: Const<U>,
            ahead: Const<bool>,
        }
    }
}

impl Serial {
    /// For `sums` words of g and `reads` words of (E, R), words of `bits`.
    pub fn new(sums: usize, reads: usize, bits: u32, target: Target) -> Result<Self> {
        check::range("serial.sums", sums, 2, 1 << ADDRESS_BITS)?;
        check::range("serial.reads", reads, 2, 1 << ADDRESS_BITS)?;
        // Powers of two: no address of a program leaves the memories' models, and R's place needs no adder.
        let half = sums.max(reads).next_power_of_two();
        let operands = TableRam::direct("serial.operands", 2 * half, bits, target)?;
        let exponents = TableRam::registered("serial.exponents", reads.next_power_of_two(), EXPONENT_BITS, target)?;
        let address = operands.read_address.width();
        Ok(Serial {
            clock: Signal::default(),
            reset: Flag::default(),
            start: Flag::default(),
            calcium: Flag::default(),
            normalise: Flag::default(),
            power: Flag::default(),
            running: Flag::default(),
            g: Sig::new(ADDRESS_BITS),
            read: Sig::new(ADDRESS_BITS),
            x_valid: Flag::default(),
            x_row_last: Flag::default(),
            entry_row_last: Flag::default(),
            result: Flag::default(),
            word: Sig::new(bits),
            result_exponent: Sig::new(EXPONENT_BITS),
            operand: Sig::new(bits),
            exponent: Sig::new(EXPONENT_BITS),
            operands,
            exponents,
            operand_pointer: Reg::new(address),
            result_pointer: Reg::new(address),
            entered: Delay::new("serial.entered", 1, 1)?,
            reads: Sig::new(address),
            operand_start: Sig::new(address),
            result_start: Sig::new(address),
            g_start: Sig::new(address - 1),
            goes: Sig::new(address),
            half: Const::natural(half as u64),
            ahead: Const::new(1, direct_latency(target) > 1),
            activity: Default::default(),
        })
    }
}

impl Logic for Serial {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, operand_pointer, result_pointer);
        clock!(self, clock, operands, exponents, entered);
        self.entered.reset.next = self.reset.val();
        self.g_start.next = self.g.val();
        self.reads.next = (self.read.val() | self.half.val()).into();

        self.operands.read_enable.next = self.calcium.val() || self.normalise.val();
        self.operands.clear.next = false;
        self.operand.next = self.operands.q.val();
        self.operand_start.next = self.reads.val();
        if self.calcium.val() {
            self.operand_start.next = self.g_start.val();
        }
        self.goes.next = self.operand_pointer.q.val();
        if self.x_valid.val() && (self.calcium.val() || self.x_row_last.val()) {
            self.goes.next = (self.operand_pointer.q.val() + 1).into();
        }
        if self.start.val()
            || (self.x_valid.val() && self.calcium.val() && self.x_row_last.val() && !self.running.val())
        {
            self.goes.next = self.operand_start.val();
        }
        self.operand_pointer.d.next = self.goes.val();
        // Where the word takes two cycles it is fetched while the pointer moves.
        self.operands.read_address.next = self.operand_pointer.q.val();
        if self.ahead.val() {
            self.operands.read_address.next = self.goes.val();
        }

        // A row's E is read while its words are in the front; the pointer moves behind its last word's reading.
        self.entered.d.next = self.entry_row_last.val() && self.normalise.val();
        self.exponents.read_enable.next = self.normalise.val();
        self.exponents.read_address.next = self.result_pointer.q.val();
        self.exponents.clear.next = false;
        self.exponent.next = self.exponents.q.val();

        self.operands.write_enable.next = self.result.val();
        self.operands.write_address.next = self.result_pointer.q.val();
        self.operands.write_data.next = self.word.val();
        self.exponents.write_enable.next = self.result.val() && !self.power.val();
        self.exponents.write_address.next = self.result_pointer.q.val();
        self.exponents.write_data.next = self.result_exponent.val();
        if self.result.val() || self.entered.q.val() {
            self.result_pointer.d.next = (self.result_pointer.q.val() + 1).into();
        }

        self.result_start.next = self.reads.val();
        if self.power.val() {
            self.result_start.next = self.g_start.val();
        }
        if self.start.val() {
            self.result_pointer.d.next = self.result_start.val();
        }
    }
}

//! Destination of the words: X, the banks or the output, and the layer norm's results into the odd cycles nobody else uses.
//!
//! | port | width | |
//! |---|---|---|
//! | odd | 1 | an odd cycle: X is free for elements |
//! | aim, norm_aim, base | 1, 1, A | `base` is the address of a step's first word, of its layer norm's first result |
//! | aim_row, norm_aim_row | 1, 1 | a cycle later or more: `base` is the distance from row to row, 16 bits |
//! | column | 16 | with `aim_row`: the distance from column to column; bank: from pass to pass |
//! | to, row | 2, 16 | destination of the step (1 X, 2 bank, 3 output); the rows' distance, out |
//! | norm_used | 1 | the layer norm's results are stored |
//! | start, final_block | 1, 1 | a step begins; no further block follows |
//! | word, valid, row_last, pass_last, last | SW, 1 … | results, always in even cycles |
//! | norm_word, norm_valid, norm_row_last | W, 1, 1 | results of the layer norm, up to `in_flight` after `hold` |
//! | operand_request, operand_address | 1, X | an element of X, please: odd cycles |
//! | serial, serial_write, serial_address, serial_data | 1, 1, X, W | to the memory X |
//! | bank_valid, bank_lane, bank_address | 1, L, B | a word for a bank; it is `data` |
//! | out_valid, out_last | 1, 1 | a word for the output; it is `data` |
//! | data | SW | one cycle after `word` |
//! | hold, waiting | 1, 1 | no further results of the layer norm; some wait |
//! | error | 1 | an address left its memory |
//!
//! A step's base goes through the register of the rows' distance and is added to a row's start of 0: no start needs to be loaded.
//! The pointer of the words and the start of the layer norm's rows are a pair of [`Rows`], on iCE40 in a multiplier where one is spare.
//! A result of cycle 0 is stored in cycle 1, an odd one; the stream sees to it that no operand is read in that cycle.
//!
//! Example: rows of 2 words, X from 100, row stride 10, column stride 1: addresses 100, 101, 110, 111.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::{sizes::Sizes, store::Store}, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut s = Store::new(&Sizes::new(&core).unwrap(), 4).unwrap();
//! s.connect_all();
//! (s.to.next, s.column.next) = (U::new(1), U::new(1));
//! let mut seen = Vec::new();
//! for n in 0..14u64 {
//!     s.odd.next = n % 2 == 1;
//!     (s.aim.next, s.aim_row.next, s.base.next) = (n == 1, n == 2, U::new(if n == 1 { 100 } else { 10 }));
//!     s.valid.next = n % 2 == 0 && (4..12).contains(&n);
//!     (s.row_last.next, s.word.next) = (n % 4 == 2, S::new(-(n as i64)));
//!     simulate(&mut s, 10);
//!     if s.serial.val() { seen.push((n, s.serial_address.val().get(), s.serial_data.val().get())); }
//!     s.clock.next.clk = true; simulate(&mut s, 10); s.clock.next.clk = false;
//! }
//! assert_eq!(seen, [(5, 100, -4), (7, 101, -6), (9, 110, -8), (11, 111, -10)]);
//! ```

mod build;

use super::queue::Queue;
use super::rows::Rows;
use crate::block;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Results of the layer norm that may wait before it is held.
pub const WAITING: usize = 2;

/// Places of the queue of a layer norm of which `in_flight` results may come after `hold`.
pub fn queue_depth(in_flight: usize) -> usize {
    (WAITING + 2 + in_flight).next_power_of_two()
}

block! {
    /// See the module's text.
    pub struct Store {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// An odd cycle.
            odd: Flag<In>,
            /// A step begins.
            start: Flag<In>,
            /// `base` is the first address of the next step.
            aim: Flag<In>,
            /// `base` is the first address of its layer norm's results.
            norm_aim: Flag<In>,
            /// An address.
            base: Sig<In, U>,
            /// nowhere, X, bank, output.
            to: Sig<In, U>,
            /// `base` is the distance from row to row.
            aim_row: Flag<In>,
            /// Of the layer norm's results.
            norm_aim_row: Flag<In>,
            /// From column to column; bank: from pass to pass.
            column: Sig<In, U>,
            /// They are stored.
            norm_used: Flag<In>,
            /// A result.
            word: Sig<In, S>,
            /// It is one.
            valid: Flag<In>,
            /// Last of its row.
            row_last: Flag<In>,
            /// Last of its pass.
            pass_last: Flag<In>,
            /// Last of the step.
            last: Flag<In>,
            /// No further block follows.
            final_block: Flag<In>,
            /// A result of the layer norm.
            norm_word: Sig<In, S>,
            /// It is one.
            norm_valid: Flag<In>,
            /// Last of its row.
            norm_row_last: Flag<In>,
            /// An element of X, please.
            operand_request: Flag<In>,
            /// Which.
            operand_address: Sig<In, U>,
        }
        outputs {
            /// From row to row.
            row: Sig<Out, U>,
            /// X: do something with an element.
            serial: Flag<Out>,
            /// Store it.
            serial_write: Flag<Out>,
            /// Which.
            serial_address: Sig<Out, U>,
            /// What.
            serial_data: Sig<Out, S>,
            /// A word for a bank.
            bank_valid: Flag<Out>,
            /// Whose.
            bank_lane: Sig<Out, U>,
            /// Which word.
            bank_address: Sig<Out, U>,
            /// A word for the output.
            out_valid: Flag<Out>,
            /// Last of its row.
            out_row_last: Flag<Out>,
            /// Last of the sequence.
            out_last: Flag<Out>,
            /// The word, for banks and output.
            data: Sig<Out, S>,
            /// No further results of the layer norm.
            hold: Flag<Out>,
            /// Results wait.
            waiting: Flag<Out>,
            /// An address left its memory.
            error: Flag<Out>,
        }
        parts {
            final_r: Reg<bool>,
            to_x: Reg<bool>,
            to_bank: Reg<bool>,
            word_1: Reg<S>,
            valid_1: Reg<bool>,
            row_1: Reg<bool>,
            pass_1: Reg<bool>,
            last_1: Reg<bool>,
            /// The words' pointer; where a row of the layer norm starts.
            rows: Rows,
            row_start: Reg<U>,
            row_r: Reg<U>,
            first: Reg<bool>,
            back: Reg<bool>,
            lane: Reg<U>,
            queue: Queue,
            /// The queue's head: block RAM answers late.
            head: Reg<U>,
            head_full: Reg<bool>,
            norm_pointer: Reg<U>,
            norm_back: Reg<bool>,
            error_r: Reg<bool>,
        }
        locals {
            distance: Sig<Local, U>,
            row_step: Flag<Local>,
            norm_row_step: Flag<Local>,
            pointer: Sig<Local, U>,
            norm_row_start: Sig<Local, U>,
            mask: Sig<Local, U>,
            ones: Const<U>,
            write: Flag<Local>,
            pop: Flag<Local>,
            advance: Flag<Local>,
            step: Flag<Local>,
            queued: Sig<Local, U>,
            zero: Const<U>,
            row_bit: Const<U>,
            top: Const<U>,
            x_end: Const<U>,
            bank_end: Const<U>,
        }
    }
}

impl Logic for Store {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, rows, queue);
        dff_setup!(
            self,
            clock,
            to_x,
            to_bank,
            final_r,
            word_1,
            valid_1,
            row_1,
            pass_1,
            last_1,
            row_start,
            row_r,
            first,
            back,
            lane,
            head,
            head_full,
            norm_pointer,
            norm_back,
            error_r
        );
        self.word_1.d.next = self.word.val();
        self.valid_1.d.next = self.valid.val();
        self.row_1.d.next = self.row_last.val();
        self.pass_1.d.next = self.pass_last.val();
        self.last_1.d.next = self.last.val();
        self.to_x.d.next = self.to.val() == 1;
        self.to_bank.d.next = self.to.val() == 2;

        // Where the next word goes; a cycle after a row's end, back to the row's start: words are two cycles apart.
        self.distance.next = self.base.val();
        self.first.d.next = self.aim.val();
        if self.aim_row.val() {
            self.row_r.d.next = self.distance.val();
        }
        if self.aim.val() {
            self.row_r.d.next = self.base.val();
        }
        self.row_step.next = self.first.q.val() || (self.valid_1.q.val() && self.row_1.q.val());
        self.back.d.next = self.row_step.val();
        if self.row_step.val() {
            self.row_start.d.next = (self.row_start.q.val() + self.row_r.q.val()).into();
        }
        self.step.next = self.valid_1.q.val() && (self.to_x.q.val() || self.pass_1.q.val());
        self.rows.set_0.next = self.aim_row.val();
        self.rows.distance_0.next = self.column.val();
        self.rows.step_0.next = self.step.val();
        if self.valid_1.q.val() {
            self.lane.d.next = (self.lane.q.val() + 1).into();
            if self.pass_1.q.val() {
                self.lane.d.next = self.zero.val();
            }
        }
        self.rows.load_0.next = self.back.q.val();
        self.rows.base_0.next = self.row_start.q.val();
        self.pointer.next = self.rows.start_0.val();
        if self.start.val() {
            self.final_r.d.next = self.final_block.val();
        }
        if self.aim.val() {
            self.row_start.d.next = self.zero.val();
            self.lane.d.next = self.zero.val();
        }

        // The layer norm's results.
        self.queue.reset.next = self.reset.val();
        self.queue.push.next = self.norm_valid.val() && self.norm_used.val();
        self.queue.data.next = unsigned_cast_of(self.norm_word);
        if self.norm_row_last.val() {
            self.queue.data.next = (unsigned_cast_of(self.norm_word) | self.row_bit.val()).into();
        }
        self.write.next = self.valid_1.q.val() && self.to_x.q.val();
        self.pop.next = self.odd.val() && self.head_full.q.val() && !self.write.val() && !self.operand_request.val();
        self.advance.next = self.queue.some.val() && (!self.head_full.q.val() || self.pop.val());
        self.queue.pop.next = self.advance.val();
        if self.advance.val() {
            self.head.d.next = self.queue.head.val();
        }
        self.head_full.d.next = self.advance.val() || (self.head_full.q.val() && !self.pop.val());
        self.queued.next = self.head.q.val();
        self.norm_row_step.next = self.pop.val() && self.head.q.val().get_bit(self.top.val().index());
        self.norm_back.d.next = self.norm_row_step.val() || self.norm_aim.val();
        self.rows.load_1.next = self.norm_aim.val();
        self.rows.base_1.next = self.base.val();
        self.rows.set_1.next = self.norm_aim_row.val();
        self.rows.distance_1.next = self.base.val();
        self.rows.step_1.next = self.norm_row_step.val();
        self.norm_row_start.next = self.rows.start_1.val();
        // One more is all ones less; the mask tells the carries that the pointer loads.
        self.mask.next = self.ones.val();
        if self.norm_back.q.val() {
            self.mask.next = self.zero.val();
        }
        if self.pop.val() || self.norm_back.q.val() {
            self.norm_pointer.d.next = (self.norm_pointer.q.val() - self.mask.val()).into();
        }
        if self.norm_back.q.val() {
            self.norm_pointer.d.next = self.norm_row_start.val();
        }

        // X.
        self.serial.next = self.operand_request.val() || self.write.val() || self.pop.val();
        self.serial_write.next = self.write.val() || self.pop.val();
        self.serial_address.next = self.norm_pointer.q.val();
        self.serial_data.next = self.queued.val().into();
        if self.write.val() {
            self.serial_address.next = self.pointer.val();
            self.serial_data.next = self.word_1.q.val();
        }
        if self.operand_request.val() {
            self.serial_address.next = self.operand_address.val();
        }
        self.error_r.d.next = (self.write.val() && (self.pointer.val() >= self.x_end.val()))
            || (self.pop.val() && (self.norm_pointer.q.val() >= self.x_end.val()))
            || (self.valid_1.q.val() && self.to_bank.q.val() && (self.pointer.val() >= self.bank_end.val()));
        if self.reset.val() {
            self.valid_1.d.next = false;
            self.head_full.d.next = false;
            self.error_r.d.next = false;
        }

        self.bank_valid.next = self.valid_1.q.val() && self.to_bank.q.val();
        self.bank_lane.next = self.lane.q.val();
        self.bank_address.next = self.pointer.val();
        self.out_valid.next = self.valid_1.q.val() && (self.to.val() == 3);
        self.out_row_last.next = self.row_1.q.val();
        self.out_last.next = self.last_1.q.val() && self.final_r.q.val();
        self.data.next = self.word_1.q.val();
        self.row.next = self.row_r.q.val();
        self.hold.next = self.queue.hold.val();
        self.waiting.next = self.queue.any.val() || self.head_full.q.val();
        self.error.next = self.error_r.q.val();
    }
}

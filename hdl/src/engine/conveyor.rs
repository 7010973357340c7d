//! Control of the drain: brings the words of a step into the stream, one every 2 or 4 cycles, each with its flags.
//!
//! | port | width | |
//! |---|---|---|
//! | beat | 2 | cycles, mod 4 |
//! | start | 1 | a step begins: `source`, `slow` are taken over; `cols` stands still until its last word |
//! | capturing, capturing_last, array_word, shift | 1, 1, A, 1 | from the next cycle on the chain holds a pass, the step's last; the word at its head; next, please |
//! | chain_free | 1 | a pass whose last pair is issued in the cycle after the next or later finds the chain free |
//! | available, in_word, in_ends, take | 1, W, 1, 1 | input word, its row is the last; it is used (with `row_end`: it ends its row) |
//! | scan, scan_column, scan_word | 1, S, 32 | sums, 3 cycles after `scan` |
//! | tokens | 16 | N |
//! | room | 1 | the destination has room for a pass's words |
//! | norm_room | 1 | a row may begin |
//! | row_begin, pushed | 1, 1 | a row's first word, any word has been let in (one cycle) |
//! | entry_word, entry_valid, entry_row_last, entry_pass_last, entry_last | A, 1 … | words for the stream, in even cycles; the word itself also in the cycle after |
//! | entry_soon | 1 | the cycle before `entry_valid` |
//! | active | 1 | the step's last word has not come yet |
//!
//! A pass ends with its last lane or the row's last column; lanes beyond are never shifted out. A word is taken in a cycle u of the parity of
//! the array's latency (a slow step: in every other of them) and stands at `entry_…` in the next even cycle after u, a sum 4 cycles later. A pass begins only with `room`, a row only with
//! `norm_room` as well; within a pass nothing waits (input words excepted, which come when they come).
//!
//! The next capture may change the head after cycle X = latency − blocks − 1 from its last pair's issue (`array`). The walker decides in odd
//! cycles and issues one later: that pair leaves at u + D, D = 2 (u even) or 3, when lane j was taken at u, and the last lane is taken at
//! u + 2(P − 1 − j). So j ≥ P − 1 − ⌊(D + X) / 2⌋ frees the chain (slow: ⌊(D + X) / 4⌋), and with 2P products a sum no slot is lost.
//!
//! Example: P = 4, a row of 6 columns: passes of 4 and 2 words.
//!
//! ```
//! use astromorph_hdl::{engine::conveyor::*, number::*};
//! use rust_hdl::prelude::*;
//! let mut c = Conveyor::new(&ConveyorSize { lanes: 4, acc_bits: 20, width: 8, sum_bits: 6, latency: 10, blocks: 1 }).unwrap();
//! c.connect_all();
//! (c.cols.next, c.room.next, c.norm_room.next) = (U::new(6), true, true);
//! let mut seen = Vec::new();
//! for n in 0..40u64 {
//!     (c.beat.next, c.start.next) = (U::new(n % 4), n == 1);
//!     (c.capturing.next, c.capturing_last.next) = (n == 5 || n == 19, n == 19);
//!     c.array_word.next = S::new(n as i64);
//!     simulate(&mut c, 10);
//!     if c.entry_valid.val() { seen.push((n, c.entry_word.val().get(), c.entry_pass_last.val(), c.entry_last.val())); }
//!     c.clock.next.clk = true; simulate(&mut c, 10); c.clock.next.clk = false;
//! }
//! assert_eq!(seen, [(8, 6, false, false), (10, 8, false, false), (12, 10, false, false), (14, 12, true, false), (22, 20, false, false), (24, 22, true, true)]);
//! assert!(!c.active.val());
//! ```

mod build;

use crate::block;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Sizes of a conveyor.
#[derive(Clone, Copy, Debug)]
pub struct ConveyorSize {
    /// Lanes P.
    pub lanes: usize,
    /// A.
    pub acc_bits: u32,
    /// W.
    pub width: u32,
    /// Bits of a sum's number.
    pub sum_bits: u32,
    /// Cycles from a pass's last pair to `captured`.
    pub latency: usize,
    /// Blocks of the array.
    pub blocks: usize,
}

block! {
    /// See the module's text.
    pub struct Conveyor {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Cycles, mod 4.
            beat: Sig<In, U>,
            /// A step begins.
            start: Flag<In>,
            /// array, input, sums, count.
            source: Sig<In, U>,
            /// A word every 4 cycles.
            slow: Flag<In>,
            /// Columns of a row.
            cols: Sig<In, U>,
            /// The chain holds a pass from the next cycle on.
            capturing: Flag<In>,
            /// It is the step's last.
            capturing_last: Flag<In>,
            /// The word at its head.
            array_word: Sig<In, S>,
            /// An input word is in hand.
            available: Flag<In>,
            /// The word.
            in_word: Sig<In, S>,
            /// Its row is the last.
            in_ends: Flag<In>,
            /// A sum.
            scan_word: Sig<In, S>,
            /// N.
            tokens: Sig<In, U>,
            /// A pass may begin.
            room: Flag<In>,
            /// A row may begin.
            norm_room: Flag<In>,
        }
        outputs {
            /// Next lane, please.
            shift: Flag<Out>,
            /// See the module's text.
            chain_free: Flag<Out>,
            /// The input word is used.
            take: Flag<Out>,
            /// It ends its row.
            row_end: Flag<Out>,
            /// A sum, please.
            scan: Flag<Out>,
            /// Its number.
            scan_column: Sig<Out, U>,
            /// A row has begun.
            row_begin: Flag<Out>,
            /// A word has been let in.
            pushed: Flag<Out>,
            /// The word.
            entry_word: Sig<Out, S>,
            /// A word comes in the next cycle.
            entry_soon: Flag<Out>,
            /// It counts.
            entry_valid: Flag<Out>,
            /// Last of its row.
            entry_row_last: Flag<Out>,
            /// Last of its pass.
            entry_pass_last: Flag<Out>,
            /// Last of the step.
            entry_last: Flag<Out>,
            /// The step has words to come.
            active: Flag<Out>,
        }
        parts {
            active_r: Reg<bool>,
            /// A word may be taken in this cycle.
            slot: Reg<bool>,
            source_r: Reg<U>,
            /// The source is the sums.
            from_sums: Reg<bool>,
            /// The source is the input.
            from_input: Reg<bool>,
            slow_r: Reg<bool>,
            /// Columns of the row that have not come.
            cols_left: Reg<U>,
            /// Number of the sum to be read.
            column: Reg<U>,
            begun: Reg<bool>,
            lane: Reg<U>,
            last_column: Reg<bool>,
            last_lane: Reg<bool>,
            final_r: Reg<bool>,
            running: Reg<bool>,
            full: Reg<bool>,
            near: Reg<bool>,
            /// A word may be taken, but for an input word's coming.
            ready: Reg<bool>,
            shift_r: Reg<bool>,
            scan_r: Reg<bool>,
            row_begin_r: Reg<bool>,
            word: Reg<S>,
            /// The same a cycle later, where words are taken in even cycles.
            word_late: Reg<S>,
            /// valid, row_last, pass_last, last.
            flags_1: Reg<U>,
            flags_3: Reg<U>,
            flags_5: Reg<U>,
            flags: Reg<U>,
        }
        locals {
            turn: Flag<Local>,
            go: Flag<Local>,
            taken: Flag<Local>,
            pass_end: Flag<Local>,
            step_end: Flag<Local>,
            row_load: Flag<Local>,
            mask: Sig<Local, U>,
            ones: Const<U>,
            /// Flags of a word taken in this cycle.
            sent: Sig<Local, U>,
            /// Flags of the next cycle's word.
            coming: Sig<Local, U>,
            zero: Const<U>,
            odd: Const<bool>,
            before_first: Const<U>,
            lane_top: Const<U>,
            lane_near: Const<U>,
            lane_near_slow: Const<U>,
            valid_bit: Const<U>,
            row_bit: Const<U>,
            pass_bit: Const<U>,
            last_bit: Const<U>,
        }
    }
}

/// D + X of the module's text, for an array of this latency and number of blocks.
pub fn lead(latency: usize, blocks: usize) -> usize {
    1 + latency % 2 + latency - blocks
}

impl Logic for Conveyor {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            active_r,
            slot,
            source_r,
            from_sums,
            from_input,
            slow_r,
            cols_left,
            column,
            begun,
            lane,
            last_column,
            last_lane,
            final_r,
            running,
            full,
            near,
            ready,
            shift_r,
            scan_r,
            row_begin_r,
            word,
            word_late,
            flags_1,
            flags_3,
            flags_5,
            flags
        );
        // Derived from the counters, which stand still for a cycle at least.
        self.last_column.d.next = self.cols_left.q.val() == 1;
        self.last_lane.d.next = self.lane.q.val() == self.lane_top.val();
        self.go.next = self.room.val() && (self.norm_room.val() || self.begun.q.val());
        self.ready.d.next = self.running.q.val() || self.go.val();
        if self.source_r.q.val() == 0 {
            self.ready.d.next = self.running.q.val() || ((self.full.q.val() || self.capturing.val()) && self.go.val());
        }

        self.turn.next = self.beat.val().get_bit(0) == self.odd.val();
        self.slot.d.next = !self.turn.val()
            && ((self.beat.val() == self.before_first.val()) || !self.slow_r.q.val())
            && self.active_r.q.val();
        self.taken.next = self.slot.q.val() && self.ready.q.val() && (self.available.val() || !self.from_input.q.val());
        self.pass_end.next = self.last_lane.q.val() || self.last_column.q.val();
        self.step_end.next = self.last_column.q.val();
        if self.source_r.q.val() == 0 {
            self.step_end.next = self.last_column.q.val() && self.final_r.q.val();
        }
        if self.from_input.q.val() {
            self.step_end.next = self.last_column.q.val() && self.in_ends.val();
        }
        self.sent.next = self.zero.val();
        self.shift_r.d.next = false;
        self.scan_r.d.next = false;
        self.row_begin_r.d.next = false;
        if self.taken.val() {
            self.running.d.next = !self.pass_end.val();
            self.lane.d.next = (self.lane.q.val() + 1).into();
            self.begun.d.next = !self.last_column.q.val();
            self.near.d.next = self.lane.q.val() >= self.lane_near.val();
            if self.slow_r.q.val() {
                self.near.d.next = self.lane.q.val() >= self.lane_near_slow.val();
            }
            self.row_begin_r.d.next = !self.begun.q.val();
            self.scan_r.d.next = self.from_sums.q.val();
            if self.source_r.q.val() == 0 {
                self.full.d.next = false;
                self.shift_r.d.next = !self.pass_end.val();
            }
            self.sent.next = self.valid_bit.val();
            if self.pass_end.val() {
                self.lane.d.next = self.zero.val();
                self.sent.next = (self.valid_bit.val() | self.pass_bit.val()).into();
            }
            if self.last_column.q.val() {
                self.sent.next = (self.valid_bit.val() | self.pass_bit.val() | self.row_bit.val()).into();
            }
            if self.step_end.val() {
                self.active_r.d.next = false;
                self.sent.next =
                    (self.valid_bit.val() | self.pass_bit.val() | self.row_bit.val() | self.last_bit.val()).into();
            }
        }

        if self.capturing.val() {
            self.full.d.next = true;
            self.final_r.d.next = self.capturing_last.val();
        }
        self.flags_1.d.next = self.sent.val();

        // Columns: a mask of 0 tells the carries that the counter loads.
        // It moves only where a word is taken: `taken` comes late, and would have to pass all carries here.
        self.row_load.next = self.start.val() || self.last_column.q.val();
        self.mask.next = self.ones.val();
        if self.row_load.val() {
            self.mask.next = self.zero.val();
        }
        if self.taken.val() || self.start.val() {
            self.cols_left.d.next = (self.cols_left.q.val() + self.mask.val()).into();
            if self.row_load.val() {
                self.cols_left.d.next = self.cols.val();
            }
        }
        if self.scan_r.q.val() {
            self.column.d.next = (self.column.q.val() + 1).into();
        }
        if self.start.val() {
            self.column.d.next = self.zero.val();
        }

        if self.turn.val() {
            self.word.d.next = self.array_word.val();
            if self.source_r.q.val() == 1 {
                self.word.d.next = self.in_word.val();
            }
            if self.source_r.q.val() == 2 {
                self.word.d.next = self.scan_word.val();
            }
            if self.source_r.q.val() == 3 {
                self.word.d.next = self.tokens.val().into();
            }
        } else {
            self.word_late.d.next = self.word.q.val();
            self.flags_3.d.next = self.zero.val();
            if self.from_sums.q.val() {
                self.flags_3.d.next = self.flags_1.q.val();
            }
            self.flags_5.d.next = self.flags_3.q.val();
        }
        // After a take in an odd cycle the next is even.
        self.coming.next = self.flags_1.q.val();
        if self.odd.val() {
            self.coming.next = self.sent.val();
        }
        if self.from_sums.q.val() {
            self.coming.next = self.zero.val();
            if self.beat.val().get_bit(0) {
                self.coming.next = self.flags_5.q.val();
            }
        }
        self.flags.d.next = self.coming.val();

        if self.start.val() {
            self.active_r.d.next = true;
            self.source_r.d.next = self.source.val();
            self.from_sums.d.next = self.source.val() == 2;
            self.from_input.d.next = self.source.val() == 1;
            self.slow_r.d.next = self.slow.val();
            self.begun.d.next = false;
            self.lane.d.next = self.zero.val();
        }
        if self.reset.val() {
            self.active_r.d.next = false;
            self.slot.d.next = false;
            self.running.d.next = false;
            self.full.d.next = false;
            self.shift_r.d.next = false;
            self.scan_r.d.next = false;
            self.row_begin_r.d.next = false;
            self.flags_1.d.next = self.zero.val();
            self.flags_3.d.next = self.zero.val();
            self.flags_5.d.next = self.zero.val();
            self.flags.d.next = self.zero.val();
        }

        self.shift.next = self.shift_r.q.val();
        self.chain_free.next = !self.full.q.val() && (!self.running.q.val() || self.near.q.val());
        self.take.next = self.taken.val() && self.from_input.q.val();
        self.row_end.next = self.last_column.q.val();
        self.scan.next = self.scan_r.q.val();
        self.scan_column.next = self.column.q.val();
        self.row_begin.next = self.row_begin_r.q.val();
        self.pushed.next = self.flags_1.q.val().get_bit(0);
        self.entry_word.next = self.word_late.q.val();
        if self.odd.val() {
            self.entry_word.next = self.word.q.val();
        }
        self.entry_soon.next = self.coming.val().get_bit(0) && !self.reset.val();
        self.entry_valid.next = self.flags.q.val().get_bit(0);
        self.entry_row_last.next = self.flags.q.val().get_bit(1);
        self.entry_pass_last.next = self.flags.q.val().get_bit(2);
        self.entry_last.next = self.flags.q.val().get_bit(3);
        self.active.next = self.active_r.q.val()
            || !(self.flags_1.q.val() == 0)
            || !(self.flags_3.q.val() == 0)
            || !(self.flags_5.q.val() == 0)
            || !(self.flags.q.val() == 0);
    }
}

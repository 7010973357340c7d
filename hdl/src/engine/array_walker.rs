//! The array's sequencer: walks rows, passes and pairs of slots of a step, with the row of X and the row of the banks for each pair.
//!
//! | port | width | |
//! |---|---|---|
//! | odd | 1 | this cycle is odd; pairs go out in even ones |
//! | open | 1 | words of the next step may come: no step is in work, or only its last pass is left |
//! | set, number, value | 1, 5, 32 | words 1 to 4 of a step |
//! | offer, taken | 1, 1 | they are complete; the walker begins with them |
//! | chain_free, captured | 1, 1 | a pass that ends now finds the shadow chain free; the chain holds a pass |
//! | pair, last, mac_even, mac_odd | 1 each | a pair of slots, the pass's last, which of its slots multiply |
//! | read_row, bank_row | X − 1, B − 1 | with `pair` |
//! | captured_last | 1 | with `captured`: the pass is the step's last |
//! | slots | 2 | multiplications of the pair, 0 without |
//! | idle, error | 1, 1 | no step in work; an address left its memory |
//!
//! Decisions and counters move at the end of an odd cycle, the flags they need are derived in the even one before; pointers move at the end of
//! the even cycle in which they were used, and to the next pass or row at the end of the odd one after it. What a step's last pass does not
//! read any more takes the next step's words as they come: rows, pairs, the first row of X and the strides. Starts of rows and passes are a
//! pair of [`Rows`], on iCE40 in a multiplier where one is spare.
//! Counters that load step by `mask`, all ones or, when they load, 0: on iCE40 one cell a bit, as the carry's second input tells which it is. Steps follow each other without a gap when the next is offered in time. A pass's last pair goes out
//! only when the pass before has been captured and `chain_free` says that its words will be gone.
//!
//! Example: 2 rows of stride 4, 1 pass, K = 3, x = 2, bank = 6: rows of X 1, 2, 3, 4, of the banks 3, 4, 3, 4; every second pair multiplies once.
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::{array_walker::ArrayWalker, sizes::Sizes}, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut w = ArrayWalker::new(&Sizes::new(&core).unwrap()).unwrap();
//! w.connect_all();
//! let mut seen = Vec::new();
//! w.chain_free.next = true;
//! for n in 0..40 {
//!     w.odd.next = n % 2 == 1;
//!     let words = [1 << 16 | 2, 3, 2, 6 << 16 | 4];
//!     w.set.next = n < 4;
//!     (w.number.next, w.value.next) = (U::new(n as u64 + 1), U::new(if n < 4 { words[n] } else { 0 }));
//!     w.offer.next = n == 5;
//!     w.captured.next = n % 8 == 0;
//!     simulate(&mut w, 10);
//!     if w.pair.val() { seen.push((w.read_row.val().get(), w.bank_row.val().get(), w.slots.val().get(), w.last.val())); }
//!     w.clock.next.clk = true; simulate(&mut w, 10); w.clock.next.clk = false;
//! }
//! assert_eq!(seen, [(1, 3, 2, false), (2, 4, 1, true), (3, 3, 2, false), (4, 4, 1, true)]);
//! ```

mod build;

use super::rows::Rows;
use super::sizes::Sizes;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use crate::settings;
use rust_hdl::prelude::*;

/// Bits of a stride in rows of two.
const ROW_STRIDE: u32 = 15;

settings! {
    /// Words 1 to 4 of the step in work; of the next one when only a last pass is left.
    pub struct WalkSettings(s: &Sizes) {
        fields {
            /// Passes.
            passes: 1, 16, s.bank_bits;
            /// First pair of bank words.
            bank: 4, 17, s.bank_bits;
        }
        flags {}
    }
}

block! {
    /// See the module's text.
    pub struct ArrayWalker {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// An odd cycle.
            odd: Flag<In>,
            /// A word of a step.
            set: Flag<In>,
            /// Its number.
            number: Sig<In, U>,
            /// The word.
            value: Sig<In, U>,
            /// The step's words are complete.
            offer: Flag<In>,
            /// A pass that ends now finds the chain free.
            chain_free: Flag<In>,
            /// The chain holds a pass.
            captured: Flag<In>,
        }
        outputs {
            /// Words of the next step may come.
            open: Flag<Out>,
            /// The step is begun.
            taken: Flag<Out>,
            /// A pair of slots.
            pair: Flag<Out>,
            /// The pass's last.
            last: Flag<Out>,
            /// Slot 0 multiplies.
            mac_even: Flag<Out>,
            /// Slot 1 multiplies.
            mac_odd: Flag<Out>,
            /// Row of X.
            read_row: Sig<Out, U>,
            /// Pair of bank words.
            bank_row: Sig<Out, U>,
            /// The pass that is being captured is its step's last.
            captured_last: Flag<Out>,
            /// Multiplications.
            slots: Sig<Out, U>,
            /// No step in work.
            idle: Flag<Out>,
            /// An address left its memory.
            error: Flag<Out>,
        }
        parts {
            fields: WalkSettings,
            running: Reg<bool>,
            pending: Reg<bool>,
            pending_last: Reg<bool>,
            pairs: Reg<U>,
            pairs_left: Reg<U>,
            passes_left: Reg<U>,
            rows_left: Reg<U>,
            half_pair: Reg<bool>,
            /// Of the step that comes.
            next_half: Reg<bool>,
            last_pair: Reg<bool>,
            last_pass: Reg<bool>,
            last_row: Reg<bool>,
            /// The step's last pair.
            last_all: Reg<bool>,
            pair_r: Reg<bool>,
            last_r: Reg<bool>,
            mac_odd_r: Reg<bool>,
            row_end: Reg<bool>,
            load_r: Reg<bool>,
            back: Reg<bool>,
            x: Reg<U>,
            /// Where the row of X starts; where the pass in the banks starts.
            rows: Rows,
            bank: Reg<U>,
            error_r: Reg<bool>,
        }
        locals {
            final_row: Flag<Local>,
            issue: Flag<Local>,
            pass_end: Flag<Local>,
            step_end: Flag<Local>,
            load: Flag<Local>,
            rows_come: Flag<Local>,
            again: Flag<Local>,
            anew: Flag<Local>,
            row_mask: Sig<Local, U>,
            pair_mask: Sig<Local, U>,
            pass_mask: Sig<Local, U>,
            x_mask: Sig<Local, U>,
            bank_mask: Sig<Local, U>,
            stride: Sig<Local, U>,
            k: Sig<Local, U>,
            k_up: Sig<Local, U>,
            bank_beyond: Sig<Local, U>,
            k_beyond: Sig<Local, U>,
            ones: Const<U>,
            none: Const<U>,
            stride_shift: Const<U>,
            both: Const<U>,
            one: Const<U>,
            rows_end: Const<U>,
            bank_end: Const<U>,
            bank_shift: Const<U>,
            k_shift: Const<U>,
        }
    }
}

impl Logic for ArrayWalker {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, fields, rows);
        dff_setup!(
            self,
            clock,
            running,
            pending,
            pending_last,
            pairs,
            pairs_left,
            passes_left,
            rows_left,
            half_pair,
            next_half,
            last_pair,
            last_pass,
            last_row,
            last_all,
            pair_r,
            last_r,
            mac_odd_r,
            row_end,
            load_r,
            back,
            x,
            bank,
            error_r
        );
        self.fields.write.next = self.set.val();
        self.fields.number.next = self.number.val();
        self.fields.data.next = self.value.val();
        // Words that need no place of their own.
        self.k.next = self.value.val();
        self.k_up.next = (self.k.val() + 1).into();
        self.rows_come.next = self.set.val() && (self.number.val() == 1);
        if self.set.val() && (self.number.val() == 2) {
            self.pairs.d.next = (self.k_up.val() >> 1).into();
            self.next_half.d.next = self.k.val().get_bit(0);
        }
        self.stride.next = (self.value.val() >> 1).into();
        self.rows.load_0.next = self.set.val() && (self.number.val() == 3);
        self.rows.base_0.next = (self.value.val() >> 1).into();
        self.rows.set_0.next = self.set.val() && (self.number.val() == 4);
        self.rows.distance_0.next = self.stride.val();

        // Derived: what the counters say. A row's flag stands still while the next step's rows come.
        self.last_pair.d.next = self.pairs_left.q.val() == 1;
        self.last_pass.d.next = self.passes_left.q.val() == 1;
        self.final_row.next = self.last_row.q.val();
        if self.row_end.q.val() || self.load_r.q.val() {
            self.final_row.next = self.rows_left.q.val() == 1;
        }
        self.last_row.d.next = self.final_row.val();
        self.last_all.d.next =
            self.final_row.val() && (self.pairs_left.q.val() == 1) && (self.passes_left.q.val() == 1);

        // Odd cycles: decision and counters.
        self.issue.next = self.odd.val()
            && self.running.q.val()
            && (!self.last_pair.q.val() || (self.chain_free.val() && !self.pending.q.val()));
        self.pass_end.next = self.issue.val() && self.last_pair.q.val();
        self.step_end.next = self.issue.val() && self.last_all.q.val();
        // `step_end` again, for nothing of it comes late.
        self.load.next = self.odd.val()
            && self.offer.val()
            && (!self.running.q.val() || (self.last_all.q.val() && self.chain_free.val() && !self.pending.q.val()));
        if self.captured.val() {
            self.pending.d.next = false;
        }
        if self.pass_end.val() {
            self.pending.d.next = true;
            self.pending_last.d.next = self.step_end.val();
        }
        self.row_end.d.next = self.pass_end.val() && self.last_pass.q.val() && !self.last_row.q.val();
        if self.step_end.val() {
            self.running.d.next = false;
        }
        if self.load.val() {
            self.running.d.next = true;
            self.half_pair.d.next = self.next_half.q.val();
        }
        self.row_mask.next = self.ones.val();
        if self.rows_come.val() {
            self.row_mask.next = self.none.val();
        }
        if self.rows_come.val() || (self.pass_end.val() && self.last_pass.q.val() && !self.last_row.q.val()) {
            self.rows_left.d.next = (self.rows_left.q.val() + self.row_mask.val()).into();
        }
        if self.rows_come.val() {
            self.rows_left.d.next = self.value.val();
        }
        self.again.next = self.pass_end.val() || self.load.val();
        self.pair_mask.next = self.ones.val();
        if self.again.val() {
            self.pair_mask.next = self.none.val();
        }
        if self.issue.val() || self.load.val() {
            self.pairs_left.d.next = (self.pairs_left.q.val() + self.pair_mask.val()).into();
        }
        if self.again.val() {
            self.pairs_left.d.next = self.pairs.q.val();
        }
        self.anew.next = (self.pass_end.val() && self.last_pass.q.val()) || self.load.val();
        self.pass_mask.next = self.ones.val();
        if self.anew.val() {
            self.pass_mask.next = self.none.val();
        }
        if self.again.val() {
            self.passes_left.d.next = (self.passes_left.q.val() + self.pass_mask.val()).into();
        }
        if self.anew.val() {
            self.passes_left.d.next = self.fields.passes.val();
        }
        self.pair_r.d.next = self.issue.val();
        self.last_r.d.next = self.pass_end.val();
        self.mac_odd_r.d.next = self.issue.val() && !(self.last_pair.q.val() && self.half_pair.q.val());
        self.load_r.d.next = self.load.val();

        // Even cycles: pointers, and starts of the next pass and row; odd ones: back to those.
        self.back.d.next = self.last_r.q.val() || self.load_r.q.val();
        self.x_mask.next = self.ones.val();
        self.bank_mask.next = self.ones.val();
        if self.back.q.val() {
            self.x_mask.next = self.none.val();
            self.bank_mask.next = self.none.val();
        }
        if self.pair_r.q.val() || self.back.q.val() {
            // One more: all ones less.
            self.x.d.next = (self.x.q.val() - self.x_mask.val()).into();
            self.bank.d.next = (self.bank.q.val() - self.bank_mask.val()).into();
        }
        if self.back.q.val() {
            self.x.d.next = self.rows.start_0.val();
            self.bank.d.next = self.rows.start_1.val();
        }
        self.rows.step_0.next = self.row_end.q.val();
        self.rows.step_1.next = self.last_r.q.val();
        self.rows.load_1.next = self.row_end.q.val() || self.load_r.q.val();
        self.rows.base_1.next = self.fields.bank.val();
        self.rows.set_1.next = self.set.val() && (self.number.val() == 2);
        self.rows.distance_1.next = (self.value.val() >> self.stride_shift.val().index()).into();

        // Bounds.
        self.bank_beyond.next = (self.value.val() >> self.bank_shift.val().index()).into();
        self.k_beyond.next = (self.k.val() >> self.k_shift.val().index()).into();
        self.error_r.d.next = (self.pair_r.q.val()
            && ((self.x.q.val() >= self.rows_end.val()) || (self.bank.q.val() >= self.bank_end.val())))
            || (self.set.val()
                && ((self.number.val() == 1) || (self.number.val() == 2) || (self.number.val() == 4))
                && !(self.bank_beyond.val() == 0))
            || (self.set.val() && (self.number.val() == 2) && !(self.k_beyond.val() == 0));
        if self.reset.val() {
            self.running.d.next = false;
            self.pending.d.next = false;
            self.pair_r.d.next = false;
            self.last_r.d.next = false;
            self.mac_odd_r.d.next = false;
            self.row_end.d.next = false;
            self.back.d.next = false;
            self.load_r.d.next = false;
            self.error_r.d.next = false;
        }

        // The flags are late by a cycle when a step begins; no word comes so soon.
        self.open.next = !self.running.q.val() || (self.last_pass.q.val() && self.last_row.q.val());
        self.taken.next = self.load.val();
        self.captured_last.next = self.pending_last.q.val();
        self.pair.next = self.pair_r.q.val();
        self.last.next = self.last_r.q.val();
        self.mac_even.next = self.pair_r.q.val();
        self.mac_odd.next = self.mac_odd_r.q.val();
        self.read_row.next = self.x.q.val();
        self.bank_row.next = self.bank.q.val();
        self.slots.next = self.none.val();
        if self.pair_r.q.val() {
            self.slots.next = self.one.val();
            if self.mac_odd_r.q.val() {
                self.slots.next = self.both.val();
            }
        }
        self.idle.next = !self.running.q.val() && !self.pending.q.val() && !self.pair_r.q.val();
        self.error.next = self.error_r.q.val();
    }
}

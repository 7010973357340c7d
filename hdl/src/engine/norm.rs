//! Layer norm: the rows' buffer, the parameters, and the order in which elements pass the shared [`unit`](super::unit). The law is
//! `docs/arithmetic.md` section 7.
//!
//! A row's words are stored as they come, and summed. When the row is complete and the unit free:
//! - squares: every 2 cycles (iCE40: 4) an element; its first pass gives c = requant'(D·x − Σx), which is stored in x's place, its second V += c²; one more
//!   element, of zeros, adds ε;
//! - root: V is split and R looked up;
//! - scaling: as often an element; its first pass gives n = dynround(c·R, h + offset), its second requant(n·γ' + β, shift).
//!
//! | port | width | |
//! |---|---|---|
//! | start, norm, cols | 1, 1, 11 | before the step's first word; D = cols is taken over when `norm` |
//! | entry_valid, entry_row_last | 1, 1 | a word enters the front: rows are counted here |
//! | word, word_valid, word_row_last, word_last | SW, 1, 1, 1 | a word to be normalised (W bits), at most every 2 cycles, always on cycles of one parity |
//! | hold | 1 | no further element is scaled |
//! | parameters | 12 | first word of (γ', β); does not change while `busy` |
//! | parameter_write, _address, _gamma, _beta | 1, 12, SW, 32 | load |
//! | parameter_read | 1 | `gamma` and `beta` are those of `parameter_address`, from 2 cycles later on as long as it is asked for; not while `busy` |
//! | ready | 1 | another row may enter (at most one earlier is unfinished) |
//! | busy | 1 | a row is on its way or in work |
//! | valid, row_last, last | 1, 1, 1 | with the unit's q: a result |
//! | the others | | to and from the unit |
//!
//! A row of D words takes 2·[`pace`]·D + [`overhead`] cycles from one start to the next.
//!
//! ```
//! use astromorph_hdl::{engine::norm::Norm, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut n = Norm::new(8, 16, 8, 16, Target::Ice40).unwrap();
//! n.connect_all();
//! let mut cycle = |n: &mut Norm| for level in [true, false] { n.clock.next.clk = level; simulate(n, 10); };
//! (n.start.next, n.norm.next, n.cols.next) = (true, true, U::new(4));
//! cycle(&mut n);
//! n.start.next = false;
//! for j in 0..4 {                                             // 5 + 6 + 7 + 8 = 26
//!     (n.word_valid.next, n.word.next, n.word_row_last.next) = (true, S::new(5 + j), j == 3);
//!     cycle(&mut n);
//!     n.word_valid.next = false;
//!     cycle(&mut n);
//! }
//! cycle(&mut n);
//! assert_eq!((n.working.val(), n.row_sum.val().get(), n.width.val().get()), (true, 25, 4));
//! ```

mod build;

use super::table_ram::{TableRam, direct_latency};
use super::{fabric, unit};
use crate::block;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Results that may still come after `hold` has risen.
pub fn in_flight(target: Target) -> usize {
    unit::LATENCY + direct_latency(target)
}
/// Cycles from element to element: each takes the multiplier twice.
pub fn pace(target: Target) -> usize {
    2 * fabric::pace(target)
}
/// Cycles of a row beyond those of its elements.
pub fn overhead(target: Target) -> usize {
    let (pace, more) = (pace(target), direct_latency(target) - 1);
    // From the element that adds ε to the first one scaled, and from the last one's begin to the next row's first.
    let root = (unit::again(target) + unit::ROW_LATENCY + 2 + more).next_multiple_of(pace);
    let end = (unit::again(target) + unit::LATENCY + 3 + more).next_multiple_of(pace);
    root + end - pace
}
/// Width of D in a program.
pub const COLS_BITS: u32 = 16;

block! {
    /// See the module's text.
    pub struct Norm {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A step begins.
            start: Flag<In>,
            /// It has a layer norm.
            norm: Flag<In>,
            /// D of it.
            cols: Sig<In, U>,
            /// A word enters the front.
            entry_valid: Flag<In>,
            /// It is its row's last.
            entry_row_last: Flag<In>,
            /// A word to be normalised.
            word: Sig<In, S>,
            /// It is one.
            word_valid: Flag<In>,
            /// Last of its row.
            word_row_last: Flag<In>,
            /// Last of the step.
            word_last: Flag<In>,
            /// No further results.
            hold: Flag<In>,
            /// First parameter.
            parameters: Sig<In, U>,
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
            /// The unit's word.
            q: Sig<In, S>,
            /// It is one.
            q_valid: Flag<In>,
            /// Of the row's last element.
            q_row_last: Flag<In>,
            /// Of a second pass.
            q_second: Flag<In>,
            /// An element's second pass begins.
            second_begins: Flag<In>,
            /// It is the row's last.
            second_row_last: Flag<In>,
            /// The unit has found R.
            done: Flag<In>,
        }
        outputs {
            /// Another row may enter.
            ready: Flag<Out>,
            /// A row is inside.
            busy: Flag<Out>,
            /// The unit is the layer norm's.
            working: Flag<Out>,
            /// Last phase.
            scaling: Flag<Out>,
            /// An element begins.
            element: Flag<Out>,
            /// The last of its phase.
            element_last: Flag<Out>,
            /// x or c.
            row_word: Sig<Out, S>,
            /// D.
            width: Sig<Out, U>,
            /// Σx − 1.
            row_sum: Sig<Out, S>,
            /// γ'.
            gamma: Sig<Out, S>,
            /// β.
            beta: Sig<Out, S>,
            /// q is a result.
            valid: Flag<Out>,
            /// Last of its row.
            row_last: Flag<Out>,
            /// Last of its step.
            last: Flag<Out>,
        }
        parts {
            rows: TableRam<S>,
            /// What is about to be stored.
            store: Reg<bool>,
            store_address: Reg<U>,
            store_data: Reg<S>,
            stored_word: Reg<bool>,
            stored_row_last: Reg<bool>,
            stored_last: Reg<bool>,
            /// Set by the first edge.
            primed: Reg<bool>,
            /// The sum starts after power-up and reset.
            fresh: Reg<bool>,
            gammas: TableRam<S>,
            betas: TableRam<S>,
            beat: Reg<U>,
            /// Rows that have begun to enter and have not left.
            unfinished: Reg<U>,
            /// A row has begun to enter.
            midway: Reg<bool>,
            width_r: Reg<U>,
            column: Reg<U>,
            word_slot: Reg<bool>,
            /// Σx − 1: all its bits turned are −Σx.
            coming_sum: Reg<S>,
            coming_last: Reg<bool>,
            complete: Reg<bool>,
            working_r: Reg<bool>,
            squares: Reg<bool>,
            epsilon: Reg<bool>,
            scales: Reg<bool>,
            scaling_r: Reg<bool>,
            slot: Reg<bool>,
            sum: Reg<S>,
            last_r: Reg<bool>,
            next: Reg<U>,
            /// D − 1.
            width_less: Reg<U>,
            at_end: Reg<bool>,
            centred: Reg<U>,
            element_r: Reg<bool>,
            element_last_r: Reg<bool>,
            /// Where the row's word comes a cycle later.
            element_2: Reg<bool>,
            element_last_2: Reg<bool>,
            gamma_pointer: Reg<U>,
            beta_pointer: Reg<U>,
        }
        locals {
            /// The complete row goes into work.
            opens: Flag<Local>,
            finish: Flag<Local>,
            arrive: Flag<Local>,
            issue: Flag<Local>,
            centre: Flag<Local>,
            turn: Flag<Local>,
            fast: Const<bool>,
            late: Const<bool>,
            /// Where the pointer of γ' goes.
            goes: Sig<Local, U>,
            after: Sig<Local, U>,
            from_slot: Sig<Local, U>,
            to_slot: Sig<Local, U>,
            to_column: Sig<Local, U>,
            minus_one: Const<S>,
            naught: Const<U>,
            one: Const<U>,
            two: Const<U>,
            index_bits: Const<U>,
        }
    }
}

impl Logic for Norm {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            store,
            store_address,
            store_data,
            stored_word,
            stored_row_last,
            stored_last,
            primed,
            fresh,
            beat,
            unfinished,
            midway,
            width_r,
            column,
            word_slot,
            coming_sum,
            coming_last,
            complete,
            working_r,
            squares,
            epsilon,
            scales,
            scaling_r,
            slot,
            sum,
            last_r,
            next,
            width_less,
            at_end,
            centred,
            element_r,
            element_last_r,
            element_2,
            element_last_2,
            gamma_pointer,
            beta_pointer
        );
        clock!(self, clock, rows, gammas, betas);
        self.opens.next = self.complete.q.val() && !self.working_r.q.val();
        self.finish.next = self.scaling_r.q.val() && self.q_valid.val() && self.q_second.val() && self.q_row_last.val();
        if self.start.val() && self.norm.val() {
            self.width_r.d.next = self.cols.val();
        }

        // Rows unfinished, counted where they enter.
        self.arrive.next = self.entry_valid.val() && self.norm.val() && !self.midway.q.val();
        if self.entry_valid.val() && self.norm.val() {
            self.midway.d.next = !self.entry_row_last.val();
        }
        if self.arrive.val() && !self.finish.val() {
            self.unfinished.d.next = (self.unfinished.q.val() + 1).into();
        }
        if self.finish.val() && !self.arrive.val() {
            self.unfinished.d.next = (self.unfinished.q.val() - 1).into();
        }
        self.ready.next = self.unfinished.q.val() < self.two.val();
        self.busy.next = !(self.unfinished.q.val() == 0);

        // Words come on even cycles: c is stored on odd ones. So an element begins on odd ones, and is fetched as much earlier as it takes.
        self.beat.d.next = (self.beat.q.val() + 1).into();
        self.centre.next =
            self.working_r.q.val() && !self.scaling_r.q.val() && self.q_valid.val() && !self.q_second.val();
        self.store.d.next = self.word_valid.val() || (self.centre.val() && !self.q_row_last.val());
        self.to_slot.next = self.naught.val();
        if (self.word_slot.q.val() && self.word_valid.val()) || (self.slot.q.val() && !self.word_valid.val()) {
            self.to_slot.next = self.one.val();
        }
        self.to_column.next = self.centred.q.val();
        self.store_data.d.next = self.q.val();
        if self.word_valid.val() {
            self.to_column.next = self.column.q.val();
            self.store_data.d.next = self.word.val();
        }
        self.store_address.d.next =
            ((self.to_slot.val() << self.index_bits.val().index()) | self.to_column.val()).into();
        if self.word_valid.val() {
            self.beat.d.next = ((self.beat.q.val() + 1) | self.one.val()).into();
            self.column.d.next = (self.column.q.val() + 1).into();
            if self.word_row_last.val() {
                self.column.d.next = self.naught.val();
                self.word_slot.d.next = !self.word_slot.q.val();
            }
        }
        self.stored_word.d.next = self.word_valid.val();
        self.stored_row_last.d.next = self.word_row_last.val();
        self.stored_last.d.next = self.word_last.val();
        self.rows.write_enable.next = self.store.q.val();
        self.rows.write_address.next = self.store_address.q.val();
        self.rows.write_data.next = self.store_data.q.val();
        if self.stored_word.q.val() {
            self.coming_sum.d.next = (self.coming_sum.q.val() + self.store_data.q.val()).into();
        }
        if self.stored_word.q.val() && self.stored_row_last.q.val() {
            self.coming_last.d.next = self.stored_last.q.val();
            self.complete.d.next = true;
        }
        if self.opens.val() {
            self.complete.d.next = false;
        }

        // The row in work.
        self.turn.next =
            (self.beat.q.val().get_bit(0) == self.late.val()) && (self.fast.val() || !self.beat.q.val().get_bit(1));
        self.issue.next = self.turn.val() && (self.squares.q.val() || (self.scales.q.val() && !self.hold.val()));
        self.from_slot.next = self.naught.val();
        if self.slot.q.val() {
            self.from_slot.next = self.one.val();
        }
        self.rows.clear.next = false;
        self.gammas.clear.next = false;
        self.betas.clear.next = false;
        self.rows.read_enable.next = self.issue.val();
        self.rows.read_address.next =
            ((self.from_slot.val() << self.index_bits.val().index()) | self.next.q.val()).into();
        // `next` stands still for two cycles.
        self.after.next = (self.next.q.val() + 1).into();
        self.width_less.d.next = (self.width_r.q.val() - 1).into();
        self.at_end.d.next = self.next.q.val() == self.width_less.q.val();
        self.element_r.d.next = self.issue.val();
        self.element_2.d.next = self.element_r.q.val();
        self.element_last_2.d.next = self.element_last_r.q.val();
        self.element_last_r.d.next = self.scales.q.val() && self.at_end.q.val();
        if self.issue.val() {
            self.next.d.next = self.after.val();
            if self.at_end.q.val() {
                self.next.d.next = self.naught.val();
                self.epsilon.d.next = self.squares.q.val();
                self.squares.d.next = false;
                self.scales.d.next = false;
            }
        }
        if self.epsilon.q.val() && self.turn.val() {
            self.element_r.d.next = true;
            self.element_last_r.d.next = true;
            self.epsilon.d.next = false;
        }
        if self.centre.val() {
            self.centred.d.next = (self.centred.q.val() + 1).into();
        }
        // β goes one element behind γ'.
        self.goes.next = self.gamma_pointer.q.val();
        if self.second_begins.val() {
            self.beta_pointer.d.next = self.gamma_pointer.q.val();
            if self.scaling_r.q.val() || !self.second_row_last.val() {
                self.goes.next = (self.gamma_pointer.q.val() + 1).into();
            }
        }
        if self.working_r.q.val() && self.done.val() {
            self.scaling_r.d.next = true;
            self.scales.d.next = true;
        }
        if self.finish.val() {
            self.working_r.d.next = false;
            self.scaling_r.d.next = false;
            self.slot.d.next = !self.slot.q.val();
        }
        if self.opens.val() {
            self.working_r.d.next = true;
            self.squares.d.next = true;
            self.sum.d.next = self.coming_sum.q.val();
            self.last_r.d.next = self.coming_last.q.val();
            self.centred.d.next = self.naught.val();
        }
        if self.opens.val() || self.done.val() {
            self.goes.next = self.parameters.val();
        }
        self.gamma_pointer.d.next = self.goes.val();
        self.gammas.read_enable.next = self.working_r.q.val();
        // A word that takes two cycles is fetched while the pointer moves.
        self.gammas.read_address.next = self.gamma_pointer.q.val();
        if self.late.val() {
            self.gammas.read_address.next = self.goes.val();
        }
        self.betas.read_enable.next = self.working_r.q.val();
        self.betas.read_address.next = self.beta_pointer.q.val();
        if self.parameter_read.val() {
            self.gammas.read_enable.next = true;
            self.betas.read_enable.next = true;
            self.gammas.read_address.next = self.parameter_address.val();
            self.betas.read_address.next = self.parameter_address.val();
        }
        self.gammas.write_enable.next = self.parameter_write.val();
        self.gammas.write_address.next = self.parameter_address.val();
        self.gammas.write_data.next = self.parameter_gamma.val();
        self.betas.write_enable.next = self.parameter_write.val();
        self.betas.write_address.next = self.parameter_address.val();
        self.betas.write_data.next = self.parameter_beta.val();

        if self.reset.val() {
            self.unfinished.d.next = self.naught.val();
            self.midway.d.next = false;
            self.column.d.next = self.naught.val();
            self.word_slot.d.next = false;
            self.complete.d.next = false;
            self.stored_word.d.next = false;
            self.working_r.d.next = false;
            self.squares.d.next = false;
            self.epsilon.d.next = false;
            self.scales.d.next = false;
            self.scaling_r.d.next = false;
            self.slot.d.next = false;
            self.next.d.next = self.naught.val();
            self.element_r.d.next = false;
            self.element_2.d.next = false;
        }
        self.primed.d.next = true;
        self.fresh.d.next = self.reset.val() || !self.primed.q.val();
        if self.opens.val() || self.fresh.q.val() {
            self.coming_sum.d.next = self.minus_one.val();
        }

        self.working.next = self.working_r.q.val();
        self.scaling.next = self.scaling_r.q.val();
        self.element.next = self.element_r.q.val();
        self.element_last.next = self.element_last_r.q.val();
        if self.late.val() {
            self.element.next = self.element_2.q.val();
            self.element_last.next = self.element_last_2.q.val();
        }
        self.row_word.next = self.rows.q.val();
        self.width.next = self.width_r.q.val();
        self.row_sum.next = self.sum.q.val();
        self.gamma.next = self.gammas.q.val();
        self.beta.next = self.betas.q.val();
        self.valid.next = self.scaling_r.q.val() && self.q_valid.val() && self.q_second.val();
        self.row_last.next = self.q_row_last.val();
        self.last.next = self.q_row_last.val() && self.last_r.q.val();
    }
}

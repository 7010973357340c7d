//! The input stream of an Input step: one word in hand, rows counted, sequences that are too long or end within a row made whole.
//!
//! | port | width | |
//! |---|---|---|
//! | s_valid, s_ready, s_data, s_last | 1, 1, W, 1 | words; `s_ready` is a register |
//! | open | 1 | an Input step begins |
//! | drop | 1 | take everything and forget it |
//! | available, word, ends | 1, W, 1 | a word is there; its row is the sequence's last |
//! | take, row_last | 1, 1 | it is used; it ends its row |
//! | n_max, stride | 16, 16 | longest sequence; row stride of the destination |
//! | tokens, x_last | 16, A | from `done` on N and (N − 1) · stride; before, the present row takes the last one's place |
//! | done | 1 | one cycle: the last row is complete |
//! | active | 1 | the sequence has not ended at `s_` yet |
//! | error | 2 | one cycle: sequence too long (rows beyond `n_max` are dropped), `s_last` within a row (zeros fill it) |
//!
//! A word taken at cycle 0 is `available` at 1; used then, the next is taken at 2.
//!
//! Example: rows of two words, `n_max` 2, five words with `s_last` at the fifth: two rows, the fifth word is dropped.
//!
//! ```
//! use astromorph_hdl::{engine::intake::Intake, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Intake::new(8, 12).unwrap();
//! m.connect_all();
//! (m.n_max.next, m.stride.next) = (U::new(2), U::new(10));
//! let (mut sent, mut used, mut long) = (0, Vec::new(), false);
//! for n in 0..30 {
//!     m.open.next = n == 0;
//!     (m.s_valid.next, m.s_data.next, m.s_last.next) = (sent < 5, S::new(sent), sent == 4);
//!     m.take.next = n % 2 == 0;
//!     simulate(&mut m, 10);
//!     m.take.next = n % 2 == 0 && m.available.val();
//!     m.row_last.next = used.len() % 2 == 1;
//!     simulate(&mut m, 10);
//!     if m.take.next { used.push((m.word.val().get(), m.ends.val())); }
//!     sent += (m.s_valid.val() && m.s_ready.val()) as i64;
//!     long |= m.error.val() == U::new(1);
//!     m.clock.next.clk = true; simulate(&mut m, 10); m.clock.next.clk = false;
//! }
//! assert_eq!(used, [(0, false), (1, false), (2, true), (3, true)]);
//! assert_eq!((m.tokens.val().get(), m.x_last.val().get(), sent, long), (2, 10, 5, true));
//! ```

use super::sizes::COUNT_BITS;
use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Intake {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A word is there.
            s_valid: Flag<In>,
            /// The word.
            s_data: Sig<In, S>,
            /// The sequence's last.
            s_last: Flag<In>,
            /// An Input step begins.
            open: Flag<In>,
            /// Take everything and forget it.
            drop: Flag<In>,
            /// The word in hand is used.
            take: Flag<In>,
            /// It ends its row.
            row_last: Flag<In>,
            /// Longest sequence.
            n_max: Sig<In, U>,
            /// Row stride of the destination.
            stride: Sig<In, U>,
        }
        outputs {
            /// The word is taken.
            s_ready: Flag<Out>,
            /// A word is in hand.
            available: Flag<Out>,
            /// The word.
            word: Sig<Out, S>,
            /// Its row is the last.
            ends: Flag<Out>,
            /// N.
            tokens: Sig<Out, U>,
            /// (N − 1) · stride.
            x_last: Sig<Out, U>,
            /// The last row is complete.
            done: Flag<Out>,
            /// The sequence has not ended at the port.
            active: Flag<Out>,
            /// See the module's text.
            error: Sig<Out, U>,
        }
        parts {
            ready_r: Reg<bool>,
            full: Reg<bool>,
            word_r: Reg<S>,
            word_last: Reg<bool>,
            opened: Reg<bool>,
            padding: Reg<bool>,
            dropping: Reg<bool>,
            limit: Reg<bool>,
            done_r: Reg<bool>,
            tokens_r: Reg<U>,
            x_last_r: Reg<U>,
            error_r: Reg<U>,
        }
        locals {
            accept: Flag<Local>,
            full_next: Flag<Local>,
            open_next: Flag<Local>,
            drop_next: Flag<Local>,
            row_ends: Flag<Local>,
            zero: Const<U>,
            one: Const<U>,
            zero_word: Const<S>,
            too_long: Const<U>,
            cut_short: Const<U>,
        }
    }
}

impl Intake {
    /// Words of `width` bits, addresses of `at_bits`.
    pub fn new(width: u32, at_bits: u32) -> Result<Self> {
        check::range("intake.width", width, 2, 32)?;
        check::range("intake.at_bits", at_bits, 2, 23)?;
        Ok(Intake {
            clock: Signal::default(),
            reset: Flag::default(),
            s_valid: Flag::default(),
            s_data: Sig::new(width),
            s_last: Flag::default(),
            open: Flag::default(),
            drop: Flag::default(),
            take: Flag::default(),
            row_last: Flag::default(),
            n_max: Sig::new(COUNT_BITS),
            stride: Sig::new(COUNT_BITS),
            s_ready: Flag::default(),
            available: Flag::default(),
            word: Sig::new(width),
            ends: Flag::default(),
            tokens: Sig::new(COUNT_BITS),
            x_last: Sig::new(at_bits),
            done: Flag::default(),
            active: Flag::default(),
            error: Sig::new(2),
            ready_r: Reg::default(),
            full: Reg::default(),
            word_r: Reg::new(width),
            word_last: Reg::default(),
            opened: Reg::default(),
            padding: Reg::default(),
            dropping: Reg::default(),
            limit: Reg::default(),
            done_r: Reg::default(),
            tokens_r: Reg::new(COUNT_BITS),
            x_last_r: Reg::new(at_bits),
            error_r: Reg::new(2),
            accept: Flag::default(),
            full_next: Flag::default(),
            open_next: Flag::default(),
            drop_next: Flag::default(),
            row_ends: Flag::default(),
            zero: Const::natural(0),
            one: Const::natural(1),
            zero_word: Const::new(2, S::new(0)),
            too_long: Const::natural(1),
            cut_short: Const::natural(2),
            activity: Default::default(),
        })
    }
}

impl Logic for Intake {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, ready_r, full, word_r, word_last, opened, padding, dropping, limit, done_r, tokens_r,
            x_last_r, error_r
        );
        self.accept.next = self.s_valid.val() && self.ready_r.q.val();
        self.full_next.next = self.full.q.val();
        self.open_next.next = self.opened.q.val();
        self.drop_next.next = self.dropping.q.val();
        self.done_r.d.next = false;
        self.error_r.d.next = self.zero.val();
        self.limit.d.next = self.tokens_r.q.val() == self.n_max.val();
        if self.open.val() {
            self.open_next.next = true;
            self.padding.d.next = false;
        }
        if self.accept.val() {
            if self.s_last.val() {
                self.open_next.next = false;
                self.drop_next.next = false;
            }
            if !self.dropping.q.val() {
                self.full_next.next = true;
                self.word_r.d.next = self.s_data.val();
                self.word_last.d.next = self.s_last.val();
            }
        }
        self.row_ends.next = self.padding.q.val() || self.word_last.q.val() || self.limit.q.val();
        if self.take.val() {
            self.full_next.next = false;
            if self.row_last.val() {
                if self.row_ends.val() {
                    self.done_r.d.next = true;
                    self.padding.d.next = false;
                    if !self.padding.q.val() && !self.word_last.q.val() {
                        self.drop_next.next = true;
                        self.error_r.d.next = self.too_long.val();
                    }
                } else {
                    self.tokens_r.d.next = (self.tokens_r.q.val() + 1).into();
                    self.x_last_r.d.next = (self.x_last_r.q.val() + self.stride.val()).into();
                }
            } else if self.word_last.q.val() && !self.padding.q.val() {
                self.padding.d.next = true;
                self.word_r.d.next = self.zero_word.val();
                self.error_r.d.next = self.cut_short.val();
            }
        }
        if self.open.val() {
            self.tokens_r.d.next = self.one.val();
            self.x_last_r.d.next = self.zero.val();
        }
        if self.reset.val() {
            self.full_next.next = false;
            self.open_next.next = false;
            self.drop_next.next = false;
            self.padding.d.next = false;
            self.done_r.d.next = false;
        }
        if self.drop.val() {
            self.open_next.next = true;
            self.drop_next.next = true;
        }
        self.full.d.next = self.full_next.val();
        self.opened.d.next = self.open_next.val();
        self.dropping.d.next = self.drop_next.val();
        self.ready_r.d.next = self.open_next.val() && (self.drop_next.val() || !self.full_next.val());

        self.s_ready.next = self.ready_r.q.val();
        self.available.next = self.full.q.val() || self.padding.q.val();
        self.word.next = self.word_r.q.val();
        self.ends.next = self.row_ends.val();
        self.tokens.next = self.tokens_r.q.val();
        self.x_last.next = self.x_last_r.q.val();
        self.done.next = self.done_r.q.val();
        self.active.next = self.opened.q.val();
        self.error.next = self.error_r.q.val();
    }
}

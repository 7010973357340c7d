//! The program's loop: index registers, the block's tokens, and what they add to a step's words.
//!
//! | port | width | |
//! |---|---|---|
//! | begins | 1 | a sequence begins: no loop |
//! | open, value | 1, 32 | a Blocks step: its word, `tokens` in the high half |
//! | add, number, value | 1, 5, 32 | word 1 or 2 of a Next step, for R1 or R2 |
//! | turn | 1 | a Next step: the next block, or the end of the loop |
//! | known | 1 | N is known |
//! | tokens, x_last | 16, A | N; (N − 1) · row stride of the input |
//! | at, kind | 1, 2 | the word that comes is an `At` with this index (0 none, 1 R1, 2 R2, 3 Last) |
//! | extent | 1 | it is a count that means the block's tokens |
//! | index | I | what is added to the word (this cycle) |
//! | more | 1 | a block follows; 2 cycles after `open`, `turn`, `known` |
//! | first | 1 | t0 = 0 |
//!
//! Outside loops all tokens are one block, first and last.
//!
//! Example: 5 tokens in blocks of 3: block 0 has 3 and one follows, R1 = 24; block 1 has 2.
//!
//! ```
//! use astromorph_hdl::{engine::loops::Loop, number::*};
//! use rust_hdl::prelude::*;
//! let mut l = Loop::new(18);
//! l.connect_all();
//! let mut cycle = |l: &mut Loop| for level in [true, false] { l.clock.next.clk = level; simulate(l, 10); };
//! (l.open.next, l.value.next, l.tokens.next, l.extent.next) = (true, U::new(3 << 16), U::new(5), true);
//! cycle(&mut l);
//! l.open.next = false;
//! for _ in 0..2 { cycle(&mut l); }
//! assert_eq!((l.index.val().get(), l.more.val(), l.first.val()), (3, true, true));
//! (l.add.next, l.number.next, l.value.next) = (true, U::new(1), U::new(24));
//! cycle(&mut l);
//! (l.add.next, l.turn.next) = (false, true);
//! cycle(&mut l);
//! l.turn.next = false;
//! for _ in 0..2 { cycle(&mut l); }
//! assert_eq!((l.index.val().get(), l.more.val(), l.first.val()), (2, false, false));
//! (l.extent.next, l.at.next, l.kind.next) = (false, true, U::new(1));
//! simulate(&mut l, 10);
//! assert_eq!(l.index.val().get(), 24);
//! ```

use super::sizes::COUNT_BITS;
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Loop {
        inputs {
            /// A sequence begins.
            begins: Flag<In>,
            /// A loop begins.
            open: Flag<In>,
            /// The word goes to an index register.
            add: Flag<In>,
            /// To R1, or R2.
            number: Sig<In, U>,
            /// A word.
            value: Sig<In, U>,
            /// The block has ended.
            turn: Flag<In>,
            /// N is known.
            known: Flag<In>,
            /// N.
            tokens: Sig<In, U>,
            /// (N − 1) · row stride of the last input step.
            x_last: Sig<In, U>,
            /// The word that comes is an `At`.
            at: Flag<In>,
            /// Its index.
            kind: Sig<In, U>,
            /// The word that comes is a number of tokens.
            extent: Flag<In>,
        }
        outputs {
            /// To be added to it.
            index: Sig<Out, U>,
            /// A further block follows.
            more: Flag<Out>,
            /// t0 = 0.
            first: Flag<Out>,
        }
        parts {
            r1: Reg<U>,
            r2: Reg<U>,
            /// Tokens of a block, inverted: what a subtraction adds.
            span: Reg<U>,
            left: Reg<U>,
            /// Tokens behind this block; two's complement.
            rest: Reg<U>,
            more_r: Reg<bool>,
            first_r: Reg<bool>,
        }
        locals {
            span_up: Sig<Local, U>,
            block_tokens: Sig<Local, U>,
            left_term: Sig<Local, U>,
            span_term: Sig<Local, U>,
            difference: Sig<Local, U>,
            steps: Sig<Local, U>,
            size: Sig<Local, U>,
            from_last: Sig<Local, U>,
            zero: Const<U>,
            one: Const<U>,
            beyond: Const<U>,
            sign: Const<U>,
        }
    }
}

impl Loop {
    /// Addresses of `bits`.
    pub fn new(bits: u32) -> Self {
        Loop {
            clock: Signal::default(),
            begins: Flag::default(),
            open: Flag::default(),
            add: Flag::default(),
            number: Sig::new(5),
            value: Sig::new(32),
            turn: Flag::default(),
            known: Flag::default(),
            tokens: Sig::new(COUNT_BITS),
            x_last: Sig::new(bits),
            at: Flag::default(),
            kind: Sig::new(2),
            extent: Flag::default(),
            index: Sig::new(bits.max(COUNT_BITS)),
            more: Flag::default(),
            first: Flag::default(),
            r1: Reg::new(bits),
            r2: Reg::new(bits),
            span: Reg::new(COUNT_BITS),
            left: Reg::new(COUNT_BITS),
            rest: Reg::new(COUNT_BITS + 1),
            more_r: Reg::default(),
            first_r: Reg::default(),
            span_up: Sig::new(COUNT_BITS),
            block_tokens: Sig::new(COUNT_BITS),
            left_term: Sig::new(COUNT_BITS + 2),
            span_term: Sig::new(COUNT_BITS + 2),
            difference: Sig::new(COUNT_BITS + 2),
            steps: Sig::new(bits),
            size: Sig::new(COUNT_BITS),
            from_last: Sig::new(bits),
            zero: Const::natural(0),
            one: Const::natural(1),
            beyond: Const::natural(1 << (COUNT_BITS + 1)),
            sign: Const::natural(COUNT_BITS.into()),
            activity: Default::default(),
        }
    }
}

impl Logic for Loop {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r1, r2, span, left, rest, more_r, first_r);
        // left − span: inverted, with the carry of 1 + 1 one bit below.
        self.left_term.next = ((self.left.q.val() << 1) | self.one.val()).into();
        self.span_term.next = (((self.span.q.val() << 1) | self.one.val()) | self.beyond.val()).into();
        self.difference.next = (self.left_term.val() + self.span_term.val()).into();
        self.rest.d.next = (self.difference.val() >> 1).into();
        self.more_r.d.next = !self.rest.q.val().get_bit(self.sign.val().index()) && !(self.rest.q.val() == 0);
        self.span_up.next = (self.value.val() >> 16).into();
        if self.add.val() {
            if self.number.val() == 1 {
                self.r1.d.next = (self.r1.q.val() + self.value.val()).into();
            }
            if self.number.val() == 2 {
                self.r2.d.next = (self.r2.q.val() + self.value.val()).into();
            }
        }
        if self.turn.val() {
            self.first_r.d.next = false;
            self.left.d.next = self.rest.q.val();
        }
        if self.open.val() {
            self.span.d.next = (!self.span_up.val()).into();
            self.r1.d.next = self.zero.val();
            self.r2.d.next = self.zero.val();
        }
        if self.open.val() || self.known.val() || (self.turn.val() && !self.more_r.q.val()) {
            self.left.d.next = self.tokens.val();
        }
        if self.begins.val() || self.open.val() || (self.turn.val() && !self.more_r.q.val()) {
            self.first_r.d.next = true;
        }
        if self.begins.val() || self.known.val() || (self.turn.val() && !self.more_r.q.val()) {
            self.span.d.next = self.zero.val();
        }
        self.block_tokens.next = (!self.span.q.val()).into();
        // Pairs, each 0 when it is not meant, joined by or.
        self.steps.next = self.zero.val();
        if self.at.val() && (self.kind.val() == 1) {
            self.steps.next = self.r1.q.val();
        } else if self.at.val() && (self.kind.val() == 2) {
            self.steps.next = self.r2.q.val();
        }
        self.size.next = self.zero.val();
        if self.extent.val() && self.more_r.q.val() {
            self.size.next = self.block_tokens.val();
        } else if self.extent.val() {
            self.size.next = self.left.q.val();
        }
        self.from_last.next = self.zero.val();
        if self.at.val() && (self.kind.val() == 3) {
            self.from_last.next = self.x_last.val();
        }
        self.index.next = ((self.steps.val() | self.size.val()) | self.from_last.val()).into();
        self.more.next = self.more_r.q.val();
        self.first.next = self.first_r.q.val();
    }
}

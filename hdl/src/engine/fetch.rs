//! The program's sequencer: fetches the steps from M, one word a cycle at best, hands their fields on and starts array, fills and stream.
//!
//! | port | width | |
//! |---|---|---|
//! | begins | 1 | a sequence's first word waits |
//! | request, address, grant | 1, M, 1 | a word of M; it comes as `word` with `word_valid`, in order |
//! | set, number, value | 1, 5, 32 | word `number` of a Run step, the index register added in an `At` |
//! | set_fill, fill_start | 1, 1 | the same of a Fill step, and its start |
//! | walker_open | 1 | words 1 to 4 may come |
//! | offer, taken | 1, 1 | they are there; the walker has them |
//! | source, step, slow, wide, rows_block, k_block | | fields of w0, from `offer` to `stream_start` |
//! | stream_start | 1 | one cycle: all words of a step are there, its words may come |
//! | first_block, final_block, block | 1, 1, 16 | t0 = 0; no further block follows; its tokens |
//! | stream_idle, norm_idle, fill_idle, quiet | 1 each | nothing of the kind is in work; nothing at all |
//! | busy, dead | 1, 1 | a sequence is in work; the program is refused until reset |
//! | error | 3 | one cycle: program for another core, illegal step, address left M |
//!
//! A Run step: w0 to w4, then the gate (`wait`, `wait_fill`), then the offer to the walker, and when the stream is idle w5 to w15, w16 to w19
//! only with a layer norm and when that is idle, then the start. The next step's w1 to w4 come when the array is in its last pass.
//! A word granted at cycle 0 is `value` at cycle 4 (bus 3, sum 1).
//! Outside loops `block` is N and the block is first and final.
//!
//! Example: a core whose id is 7, M = [7, 40, 0]: header, then End; `busy` falls when all is quiet.
//!
//! ```
//! use astromorph_hdl::{engine::fetch::Fetch, number::*};
//! use rust_hdl::prelude::*;
//! let memory = [7u64, 40, 0];
//! let mut f = Fetch::new(7, 16, 8).unwrap();
//! f.connect_all();
//! (f.begins.next, f.quiet.next, f.grant.next, f.fill_idle.next) = (true, true, true, true);
//! let mut on_the_way = [None; 3];
//! let mut busy = Vec::new();
//! for _ in 0..30 {
//!     simulate(&mut f, 10);
//!     busy.push(f.busy.val());
//!     let asked = f.request.val().then(|| memory[f.address.val().index()]);
//!     on_the_way = [asked, on_the_way[0], on_the_way[1]];
//!     let come = on_the_way[2];
//!     f.clock.next.clk = true; simulate(&mut f, 10); f.clock.next.clk = false;
//!     (f.word_valid.next, f.word.next) = (come.is_some(), U::new(come.unwrap_or(0)));
//!     f.begins.next = false;
//! }
//! assert_eq!((busy[0], busy[1], busy[29]), (false, true, false));
//! assert_eq!(f.n_max.val(), U::new(40));
//! ```

use super::sizes::COUNT_BITS;
use crate::block;
use crate::check;
use crate::number::{Const, Flag, Sig, U, natural_bits};
use crate::register::Reg;
use crate::settings;
use astromorph::Result;
use rust_hdl::prelude::*;

settings! {
    /// What the fetch itself needs of a step's first word.
    pub struct HeadSettings(_size: ()) {
        fields {
            /// array, input, sums, count.
            source: 0, 3, 2;
            /// Its number.
            step: 0, 16, 16;
        }
        flags {
            /// Start when all is quiet.
            wait_all: 0, 5;
            /// Start when the last fill has ended.
            wait_fill: 0, 6;
            /// As many rows as the block has tokens.
            rows_block: 0, 7;
            /// As many products.
            k_block: 0, 8;
            /// A word every 4 cycles.
            slow: 0, 9;
            /// States of two words.
            wide: 0, 10;
        }
    }
}

block! {
    /// See the module's text.
    pub struct Fetch {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A sequence's first word waits.
            begins: Flag<In>,
            /// M takes the request.
            grant: Flag<In>,
            /// A requested word is there.
            word_valid: Flag<In>,
            /// The word.
            word: Sig<In, U>,
            /// The walker can hold a step's words 1 to 4.
            walker_open: Flag<In>,
            /// The walker has taken the offered step.
            taken: Flag<In>,
            /// No word is in the stream, and none will come without a start.
            stream_idle: Flag<In>,
            /// No row is in the layer norm or on its way there.
            norm_idle: Flag<In>,
            /// No fill is in work.
            fill_idle: Flag<In>,
            /// Nothing is in work.
            quiet: Flag<In>,
            /// The input step has its last word.
            input_done: Flag<In>,
            /// N.
            tokens: Sig<In, U>,
            /// (N − 1) · row stride of the last input step.
            x_last: Sig<In, U>,
            /// The step has a layer norm.
            norm_used: Flag<In>,
            /// The step uses the serial units.
            serial_used: Flag<In>,
        }
        outputs {
            /// A word of M, please.
            request: Flag<Out>,
            /// Which.
            address: Sig<Out, U>,
            /// A word of a Run step is there.
            set: Flag<Out>,
            /// A word of a Fill step is there.
            set_fill: Flag<Out>,
            /// Its number in the step.
            number: Sig<Out, U>,
            /// The word.
            value: Sig<Out, U>,
            /// An array step for the walker.
            offer: Flag<Out>,
            /// Fields of the step's first word, from `offer` to `stream_start`.
            source: Sig<Out, U>,
            /// Its number.
            step: Sig<Out, U>,
            /// As many rows as the block has tokens.
            rows_block: Flag<Out>,
            /// As many products.
            k_block: Flag<Out>,
            /// A word every 4 cycles.
            slow: Flag<Out>,
            /// States of two words.
            wide: Flag<Out>,
            /// The stream starts.
            stream_start: Flag<Out>,
            /// The fill starts.
            fill_start: Flag<Out>,
            /// t0 = 0.
            first_block: Flag<Out>,
            /// No further block follows.
            final_block: Flag<Out>,
            /// Tokens of the present block.
            block: Sig<Out, U>,
            /// Longest sequence.
            n_max: Sig<Out, U>,
            /// A sequence is in work.
            busy: Flag<Out>,
            /// The program is refused.
            dead: Flag<Out>,
            /// See the module's text.
            error: Sig<Out, U>,
        }
        parts {
            head: HeadSettings,
            state: Reg<U>,
            opcode_r: Reg<U>,
            pc: Reg<U>,
            loop_pc: Reg<U>,
            wanted: Reg<U>,
            due: Reg<U>,
            count: Reg<U>,
            value_2: Reg<U>,
            number_2: Reg<U>,
            valid_2: Reg<bool>,
            r1: Reg<U>,
            r2: Reg<U>,
            span: Reg<U>,
            left: Reg<U>,
            more: Reg<bool>,
            block_r: Reg<U>,
            first: Reg<bool>,
            n_max_r: Reg<U>,
            wrong: Reg<bool>,
            outside: Reg<bool>,
            start_r: Reg<bool>,
            fill_start_r: Reg<bool>,
        }
        locals {
            opcode: Sig<Local, U>,
            index: Sig<Local, U>,
            index_kind: Sig<Local, U>,
            is_at: Flag<Local>,
            sum: Sig<Local, U>,
            upper: Sig<Local, U>,
            beyond: Sig<Local, U>,
            last_word: Flag<Local>,
            next_op: Flag<Local>,
            refuse: Flag<Local>,
            ready: Flag<Local>,
            errors: Sig<Local, U>,
            zero: Const<U>,
            one: Const<U>,
            two: Const<U>,
            four: Const<U>,
            eleven: Const<U>,
            id: Const<U>,
            top_word: Const<U>,
            at_bits: Const<U>,
            idle: Const<U>,
            header: Const<U>,
            op: Const<U>,
            rest_words: Const<U>,
            gate: Const<U>,
            offering: Const<U>,
            stream_gate: Const<U>,
            stream: Const<U>,
            norm_gate: Const<U>,
            norm: Const<U>,
            start: Const<U>,
            taking: Const<U>,
            next_block: Const<U>,
            fill_gate: Const<U>,
            filling: Const<U>,
            ending: Const<U>,
            refused: Const<U>,
            walker_gate: Const<U>,
            no_loop: Const<U>,
            bad_core: Const<U>,
            bad_step: Const<U>,
            bad_address: Const<U>,
        }
    }
}

impl Fetch {
    /// For the core `id`, `m_words` words of M and addresses of `at_bits` bits.
    pub fn new(id: u32, m_words: usize, at_bits: u32) -> Result<Self> {
        check::range("fetch.m_words", m_words, 2, 1 << 20)?;
        check::range("fetch.at_bits", at_bits, 2, 23)?;
        let m_bits = natural_bits(m_words as u64 - 1);
        let state = |n: u64| Const::new(5, U::new(n));
        Ok(Fetch {
            clock: Signal::default(),
            reset: Flag::default(),
            begins: Flag::default(),
            grant: Flag::default(),
            word_valid: Flag::default(),
            word: Sig::new(32),
            walker_open: Flag::default(),
            taken: Flag::default(),
            stream_idle: Flag::default(),
            norm_idle: Flag::default(),
            fill_idle: Flag::default(),
            quiet: Flag::default(),
            input_done: Flag::default(),
            tokens: Sig::new(COUNT_BITS),
            x_last: Sig::new(at_bits),
            norm_used: Flag::default(),
            serial_used: Flag::default(),
            request: Flag::default(),
            address: Sig::new(m_bits),
            set: Flag::default(),
            set_fill: Flag::default(),
            number: Sig::new(5),
            value: Sig::new(32),
            offer: Flag::default(),
            source: Sig::new(2),
            step: Sig::new(16),
            rows_block: Flag::default(),
            k_block: Flag::default(),
            slow: Flag::default(),
            wide: Flag::default(),
            stream_start: Flag::default(),
            fill_start: Flag::default(),
            first_block: Flag::default(),
            final_block: Flag::default(),
            block: Sig::new(COUNT_BITS),
            n_max: Sig::new(COUNT_BITS),
            busy: Flag::default(),
            dead: Flag::default(),
            error: Sig::new(3),
            head: HeadSettings::new(()),
            state: Reg::new(5),
            opcode_r: Reg::new(3),
            pc: Reg::new(m_bits + 1),
            loop_pc: Reg::new(m_bits + 1),
            wanted: Reg::new(4),
            due: Reg::new(4),
            count: Reg::new(5),
            value_2: Reg::new(32),
            number_2: Reg::new(5),
            valid_2: Reg::default(),
            r1: Reg::new(at_bits),
            r2: Reg::new(at_bits),
            span: Reg::new(COUNT_BITS),
            left: Reg::new(COUNT_BITS),
            more: Reg::default(),
            block_r: Reg::new(COUNT_BITS),
            first: Reg::default(),
            n_max_r: Reg::new(COUNT_BITS),
            wrong: Reg::default(),
            outside: Reg::default(),
            start_r: Reg::default(),
            fill_start_r: Reg::default(),
            opcode: Sig::new(3),
            index: Sig::new(at_bits),
            index_kind: Sig::new(2),
            is_at: Flag::default(),
            sum: Sig::new(at_bits),
            upper: Sig::new(32 - at_bits),
            beyond: Sig::new(24 - at_bits),
            last_word: Flag::default(),
            next_op: Flag::default(),
            refuse: Flag::default(),
            ready: Flag::default(),
            errors: Sig::new(3),
            zero: Const::natural(0),
            one: Const::natural(1),
            two: Const::natural(2),
            four: Const::natural(4),
            eleven: Const::natural(11),
            id: Const::natural(id.into()),
            top_word: Const::natural(m_words as u64 - 1),
            at_bits: Const::natural(at_bits.into()),
            idle: state(0),
            header: state(1),
            op: state(2),
            rest_words: state(3),
            gate: state(4),
            offering: state(5),
            stream_gate: state(6),
            stream: state(7),
            norm_gate: state(8),
            norm: state(9),
            start: state(10),
            taking: state(11),
            next_block: state(12),
            fill_gate: state(13),
            filling: state(14),
            ending: state(15),
            refused: state(16),
            walker_gate: state(17),
            no_loop: Const::natural((1 << COUNT_BITS) - 1),
            bad_core: Const::natural(1),
            bad_step: Const::natural(2),
            bad_address: Const::natural(4),
            activity: Default::default(),
        })
    }
}

impl Logic for Fetch {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, head);
        dff_setup!(
            self,
            clock,
            state,
            opcode_r,
            pc,
            loop_pc,
            wanted,
            due,
            count,
            value_2,
            number_2,
            valid_2,
            r1,
            r2,
            span,
            left,
            more,
            block_r,
            first,
            n_max_r,
            wrong,
            outside,
            start_r,
            fill_start_r
        );
        self.next_op.next = false;
        self.refuse.next = false;
        self.start_r.d.next = false;
        self.fill_start_r.d.next = false;
        self.errors.next = self.zero.val();

        // Words that come: index register, then the sum.
        self.is_at.next = (self.count.q.val() == 3)
            || (self.count.q.val() == 6)
            || (self.count.q.val() == 9)
            || (self.count.q.val() == 14)
            || (self.count.q.val() == 18);
        self.index_kind.next = (self.word.val() >> 24).into();
        self.index.next = self.zero.val();
        if self.is_at.val() {
            if self.index_kind.val() == 1 {
                self.index.next = self.r1.q.val();
            }
            if self.index_kind.val() == 2 {
                self.index.next = self.r2.q.val();
            }
            if self.index_kind.val() == 3 {
                self.index.next = self.x_last.val();
            }
        }
        self.beyond.next = (self.word.val() >> self.at_bits.val().index()).into();
        self.outside.d.next = self.word_valid.val() && self.is_at.val() && !(self.beyond.val() == 0);
        if self.word_valid.val() {
            self.count.d.next = (self.count.q.val() + 1).into();
        }
        self.valid_2.d.next = self.word_valid.val();
        self.number_2.d.next = self.count.q.val();
        self.sum.next = (self.word.val() + self.index.val()).into();
        self.upper.next = (self.word.val() >> self.at_bits.val().index()).into();
        self.value_2.d.next = ((self.upper.val() << self.at_bits.val().index()) | self.sum.val()).into();

        // Requests.
        self.request.next = !(self.wanted.q.val() == 0);
        self.address.next = self.pc.q.val().into();
        if self.grant.val() && !(self.wanted.q.val() == 0) {
            self.pc.d.next = (self.pc.q.val() + 1).into();
            self.wanted.d.next = (self.wanted.q.val() - 1).into();
        }
        if self.valid_2.q.val() {
            self.due.d.next = (self.due.q.val() - 1).into();
        }
        self.last_word.next = self.valid_2.q.val() && (self.due.q.val() == 1);
        self.opcode.next = self.value_2.q.val().into();

        // Blocks: whether one follows, and this one's size.
        self.more.d.next = self.span.q.val() < self.left.q.val();
        self.block_r.d.next = self.left.q.val();
        if self.more.q.val() {
            self.block_r.d.next = self.span.q.val();
        }

        // Header.
        if (self.state.q.val() == self.idle.val()) && self.begins.val() {
            self.state.d.next = self.header.val();
            self.pc.d.next = self.zero.val();
            self.wanted.d.next = self.two.val();
            self.due.d.next = self.two.val();
            self.count.d.next = self.zero.val();
            self.first.d.next = true;
        }
        if self.valid_2.q.val() && (self.number_2.q.val() == 0) {
            self.wrong.d.next = !(self.value_2.q.val() == self.id.val());
        }
        if (self.state.q.val() == self.header.val()) && self.last_word.val() {
            self.n_max_r.d.next = self.value_2.q.val().into();
            self.next_op.next = true;
            if self.wrong.q.val() {
                self.refuse.next = true;
                self.errors.next = self.bad_core.val();
            }
        }

        // A step's first word.
        if (self.state.q.val() == self.op.val()) && self.last_word.val() {
            self.opcode_r.d.next = self.opcode.val();
            self.state.d.next = self.rest_words.val();
            if self.opcode.val() == 0 {
                self.state.d.next = self.ending.val();
            }
            if self.opcode.val() == 1 {
                self.state.d.next = self.walker_gate.val();
            }
            if self.opcode.val() == 2 {
                self.state.d.next = self.fill_gate.val();
            }
            if self.opcode.val() == 3 {
                self.span.d.next = (self.value_2.q.val() >> 16).into();
                self.left.d.next = self.tokens.val();
                self.r1.d.next = self.zero.val();
                self.r2.d.next = self.zero.val();
                self.first.d.next = true;
                self.loop_pc.d.next = self.pc.q.val();
                self.next_op.next = true;
            }
            if self.opcode.val() == 4 {
                self.wanted.d.next = self.two.val();
                self.due.d.next = self.two.val();
            }
            if self.opcode.val() > self.four.val() {
                self.refuse.next = true;
                self.errors.next = self.bad_step.val();
            }
        }
        if (self.state.q.val() == self.rest_words.val()) && self.valid_2.q.val() && (self.opcode_r.q.val() == 4) {
            if self.number_2.q.val() == 1 {
                self.r1.d.next = (self.r1.q.val() + self.value_2.q.val()).into();
            }
            if self.number_2.q.val() == 2 {
                self.r2.d.next = (self.r2.q.val() + self.value_2.q.val()).into();
            }
        }
        if (self.state.q.val() == self.rest_words.val()) && self.last_word.val() {
            self.state.d.next = self.gate.val();
            if self.opcode_r.q.val() == 4 {
                self.state.d.next = self.next_block.val();
            }
        }
        if self.state.q.val() == self.next_block.val() {
            self.next_op.next = true;
            self.left.d.next = (self.left.q.val() - self.span.q.val()).into();
            self.pc.d.next = self.loop_pc.q.val();
            self.first.d.next = false;
            if !self.more.q.val() {
                self.left.d.next = self.tokens.val();
                self.span.d.next = self.no_loop.val();
                self.pc.d.next = self.pc.q.val();
                self.first.d.next = true;
            }
        }

        // A Run step.
        if (self.state.q.val() == self.walker_gate.val()) && self.walker_open.val() {
            self.state.d.next = self.rest_words.val();
            self.wanted.d.next = self.four.val();
            self.due.d.next = self.four.val();
        }
        self.ready.next =
            (!self.head.wait_all.val() || self.quiet.val()) && (!self.head.wait_fill.val() || self.fill_idle.val());
        if (self.state.q.val() == self.gate.val()) && self.ready.val() {
            self.state.d.next = self.stream_gate.val();
            if self.head.source.val() == 0 {
                self.state.d.next = self.offering.val();
            }
        }
        if (self.state.q.val() == self.offering.val()) && self.taken.val() {
            self.state.d.next = self.stream_gate.val();
        }
        if (self.state.q.val() == self.stream_gate.val()) && self.stream_idle.val() {
            self.state.d.next = self.stream.val();
            self.wanted.d.next = self.eleven.val();
            self.due.d.next = self.eleven.val();
        }
        if (self.state.q.val() == self.stream.val()) && self.last_word.val() {
            self.state.d.next = self.norm_gate.val();
        }
        if self.state.q.val() == self.norm_gate.val() {
            if !self.norm_used.val() {
                self.state.d.next = self.start.val();
                self.pc.d.next = (self.pc.q.val() + 4).into();
            } else if self.norm_idle.val() {
                self.state.d.next = self.norm.val();
                self.wanted.d.next = self.four.val();
                self.due.d.next = self.four.val();
            }
        }
        if (self.state.q.val() == self.norm.val()) && self.last_word.val() {
            self.state.d.next = self.start.val();
        }
        if (self.state.q.val() == self.start.val()) && (!self.serial_used.val() || self.norm_idle.val()) {
            self.start_r.d.next = true;
            if self.head.source.val() == 1 {
                self.state.d.next = self.taking.val();
            } else {
                self.next_op.next = true;
            }
        }
        if (self.state.q.val() == self.taking.val()) && self.input_done.val() {
            self.next_op.next = true;
            self.left.d.next = self.tokens.val();
            self.span.d.next = self.no_loop.val();
        }

        // A Fill step.
        if (self.state.q.val() == self.fill_gate.val()) && self.fill_idle.val() {
            self.state.d.next = self.filling.val();
            self.wanted.d.next = self.two.val();
            self.due.d.next = self.two.val();
        }
        if (self.state.q.val() == self.filling.val()) && self.last_word.val() {
            self.fill_start_r.d.next = true;
            self.next_op.next = true;
        }
        if (self.state.q.val() == self.ending.val()) && self.quiet.val() && self.fill_idle.val() {
            self.state.d.next = self.idle.val();
        }

        if self.next_op.val() {
            self.state.d.next = self.op.val();
            self.wanted.d.next = self.one.val();
            self.due.d.next = self.one.val();
            self.count.d.next = self.zero.val();
        }
        if !(self.wanted.q.val() == 0) && (self.pc.q.val() > self.top_word.val()) {
            self.refuse.next = true;
            self.errors.next = self.bad_address.val();
        }
        if self.outside.q.val() {
            self.errors.next = self.bad_address.val();
        }
        if self.refuse.val() {
            self.state.d.next = self.refused.val();
            self.wanted.d.next = self.zero.val();
        }
        if self.reset.val() {
            self.state.d.next = self.idle.val();
            self.wanted.d.next = self.zero.val();
            self.valid_2.d.next = false;
            self.start_r.d.next = false;
            self.fill_start_r.d.next = false;
        }

        self.head.write.next = self.valid_2.q.val();
        self.head.number.next = self.number_2.q.val();
        self.head.data.next = self.value_2.q.val();
        self.set.next = self.valid_2.q.val() && (self.opcode_r.q.val() == 1);
        self.set_fill.next = self.valid_2.q.val() && (self.state.q.val() == self.filling.val());
        self.number.next = self.number_2.q.val();
        self.value.next = self.value_2.q.val();
        self.offer.next = self.state.q.val() == self.offering.val();
        self.source.next = self.head.source.val();
        self.step.next = self.head.step.val();
        self.rows_block.next = self.head.rows_block.val();
        self.k_block.next = self.head.k_block.val();
        self.slow.next = self.head.slow.val();
        self.wide.next = self.head.wide.val();
        self.stream_start.next = self.start_r.q.val();
        self.fill_start.next = self.fill_start_r.q.val();
        self.first_block.next = self.first.q.val();
        self.final_block.next = !self.more.q.val();
        self.block.next = self.block_r.q.val();
        self.n_max.next = self.n_max_r.q.val();
        self.busy.next = !(self.state.q.val() == self.idle.val());
        self.dead.next = self.state.q.val() == self.refused.val();
        self.error.next = self.errors.val();
    }
}

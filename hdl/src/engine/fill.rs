//! Weights from M into the lanes' banks, in the background: a word of M fills a group of G lanes.
//!
//! | port | width | |
//! |---|---|---|
//! | set, number, value | 1, 5, 32 | word 1 (from) and word 2 (bank, words) of a Fill step |
//! | start | 1 | they are there |
//! | blocked | 1 | ask for nothing (the stream writes the banks) |
//! | request, address, grant | 1, M, 1 | a word of M; it comes with `word_valid`, in order |
//! | write, bank_address, lane | 1, B, L | store the word's elements in the group that begins at `lane` |
//! | idle, error | 1, 1 | no fill in work; an address left its memory |
//!
//! `write` is the cycle of `word_valid`; up to one word a cycle.
//!
//! Example: 4 lanes, 2 to a word; 2 bank words from bank 6, M from 10: M 10, 11, 12, 13 go to (6, lanes 0 and 1), (6, 2 and 3), (7, 0 …), (7, 2 …).
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::{fill::Fill, sizes::Sizes}, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 16, acc_bits: 40, bank_words: 64, x_words: 1024, m_words: 4096,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut f = Fill::new(&Sizes::new(&core).unwrap()).unwrap();
//! f.connect_all();
//! let (mut asked, mut written) = (Vec::new(), Vec::new());
//! f.grant.next = true;
//! let mut way = [false; 3];
//! for n in 0..20 {
//!     f.set.next = n < 2;
//!     (f.number.next, f.value.next) = (U::new(1 + n), U::new([10, 2 << 16 | 6][n as usize % 2]));
//!     f.start.next = n == 3;
//!     f.word_valid.next = way[2];
//!     simulate(&mut f, 10);
//!     if f.request.val() { asked.push(f.address.val().get()); }
//!     way = [f.request.val(), way[0], way[1]];
//!     if f.write.val() { written.push((f.bank_address.val().get(), f.lane.val().get())); }
//!     f.clock.next.clk = true; simulate(&mut f, 10); f.clock.next.clk = false;
//! }
//! assert_eq!(asked, [10, 11, 12, 13]);
//! assert_eq!(written, [(6, 0), (6, 2), (7, 0), (7, 2)]);
//! assert!(f.idle.val());
//! ```

use super::sizes::{COUNT_BITS, Sizes};
use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Fill {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A word of a Fill step.
            set: Flag<In>,
            /// Its number.
            number: Sig<In, U>,
            /// The word.
            value: Sig<In, U>,
            /// Begin.
            start: Flag<In>,
            /// Ask for nothing.
            blocked: Flag<In>,
            /// M takes the request.
            grant: Flag<In>,
            /// A word is there.
            word_valid: Flag<In>,
        }
        outputs {
            /// A word of M, please.
            request: Flag<Out>,
            /// Which.
            address: Sig<Out, U>,
            /// Store the word that is there.
            write: Flag<Out>,
            /// Bank word.
            bank_address: Sig<Out, U>,
            /// First lane of the group.
            lane: Sig<Out, U>,
            /// No fill in work.
            idle: Flag<Out>,
            /// An address left its memory.
            error: Flag<Out>,
        }
        parts {
            asking: Reg<bool>,
            from: Reg<U>,
            words: Reg<U>,
            ask_lane: Reg<U>,
            bank: Reg<U>,
            put_lane: Reg<U>,
            flight: Reg<U>,
            error_r: Reg<bool>,
        }
        locals {
            granted: Flag<Local>,
            from_come: Flag<Local>,
            bank_come: Flag<Local>,
            from_mask: Sig<Local, U>,
            bank_mask: Sig<Local, U>,
            words_mask: Sig<Local, U>,
            ones: Const<U>,
            half: Sig<Local, U>,
            from_beyond: Sig<Local, U>,
            bank_beyond: Sig<Local, U>,
            words_beyond: Sig<Local, U>,
            zero: Const<U>,
            group: Const<U>,
            last_lane: Const<U>,
            word_end: Const<U>,
            bank_end: Const<U>,
            bank_shift: Const<U>,
            words_shift: Const<U>,
            m_shift: Const<U>,
        }
    }
}

impl Fill {
    /// For the sizes of a core.
    pub fn new(s: &Sizes) -> Result<Self> {
        Ok(Fill {
            clock: Signal::default(),
            reset: Flag::default(),
            set: Flag::default(),
            number: Sig::new(5),
            value: Sig::new(32),
            start: Flag::default(),
            blocked: Flag::default(),
            grant: Flag::default(),
            word_valid: Flag::default(),
            request: Flag::default(),
            address: Sig::new(s.m_bits),
            write: Flag::default(),
            bank_address: Sig::new(s.bank_bits),
            lane: Sig::new(s.lane_bits),
            idle: Flag::default(),
            error: Flag::default(),
            asking: Reg::default(),
            from: Reg::new(s.m_bits + 1),
            words: Reg::new(s.bank_bits + 1),
            ask_lane: Reg::new(s.lane_bits),
            bank: Reg::new(s.bank_bits + 1),
            put_lane: Reg::new(s.lane_bits),
            flight: Reg::new(3),
            error_r: Reg::default(),
            granted: Flag::default(),
            from_come: Flag::default(),
            bank_come: Flag::default(),
            from_mask: Sig::new(s.m_bits + 1),
            bank_mask: Sig::new(s.bank_bits + 1),
            words_mask: Sig::new(s.bank_bits + 1),
            ones: Const::natural((1 << 21) - 1),
            half: Sig::new(COUNT_BITS),
            from_beyond: Sig::new(24 - s.m_bits),
            bank_beyond: Sig::new(17 - s.bank_bits),
            words_beyond: Sig::new(16 - s.bank_bits.min(15)),
            zero: Const::natural(0),
            group: Const::natural(s.group as u64),
            last_lane: Const::natural(((s.groups - 1) * s.group) as u64),
            word_end: Const::natural(s.m_words as u64),
            bank_end: Const::natural(s.bank_words as u64),
            bank_shift: Const::natural(s.bank_bits.into()),
            words_shift: Const::natural(17 + s.bank_bits as u64),
            m_shift: Const::natural(s.m_bits.into()),
            activity: Default::default(),
        })
    }
}

impl Logic for Fill {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, asking, from, words, ask_lane, bank, put_lane, flight, error_r
        );
        self.request.next = self.asking.q.val() && !self.blocked.val();
        self.granted.next = self.asking.q.val() && !self.blocked.val() && self.grant.val();
        if self.granted.val() {
            self.ask_lane.d.next = (self.ask_lane.q.val() + self.group.val()).into();
            if self.ask_lane.q.val() == self.last_lane.val() {
                self.ask_lane.d.next = self.zero.val();
                if self.words.q.val() == 1 {
                    self.asking.d.next = false;
                }
            }
        }
        if self.word_valid.val() {
            self.put_lane.d.next = (self.put_lane.q.val() + self.group.val()).into();
            if self.put_lane.q.val() == self.last_lane.val() {
                self.put_lane.d.next = self.zero.val();
            }
        }
        if self.granted.val() && !self.word_valid.val() {
            self.flight.d.next = (self.flight.q.val() + 1).into();
        }
        if !self.granted.val() && self.word_valid.val() {
            self.flight.d.next = (self.flight.q.val() - 1).into();
        }
        // Counters that load: a mask of 0 tells the carries so, all ones are one less, and taken away one more.
        self.from_come.next = self.set.val() && (self.number.val() == 1);
        self.bank_come.next = self.set.val() && !(self.number.val() == 1);
        self.from_mask.next = self.ones.val();
        if self.from_come.val() {
            self.from_mask.next = self.zero.val();
        }
        self.bank_mask.next = self.ones.val();
        self.words_mask.next = self.ones.val();
        if self.bank_come.val() {
            self.bank_mask.next = self.zero.val();
            self.words_mask.next = self.zero.val();
        }
        if self.granted.val() || self.from_come.val() {
            self.from.d.next = (self.from.q.val() - self.from_mask.val()).into();
        }
        if self.from_come.val() {
            self.from.d.next = self.value.val();
        }
        if self.bank_come.val() || (self.word_valid.val() && (self.put_lane.q.val() == self.last_lane.val())) {
            self.bank.d.next = (self.bank.q.val() - self.bank_mask.val()).into();
        }
        if self.bank_come.val() || (self.granted.val() && (self.ask_lane.q.val() == self.last_lane.val())) {
            self.words.d.next = (self.words.q.val() + self.words_mask.val()).into();
        }
        if self.bank_come.val() {
            self.bank.d.next = self.value.val();
            self.words.d.next = (self.value.val() >> 16).into();
        }
        if self.start.val() {
            self.asking.d.next = !(self.words.q.val() == 0);
            self.ask_lane.d.next = self.zero.val();
            self.put_lane.d.next = self.zero.val();
        }
        self.from_beyond.next = (self.value.val() >> self.m_shift.val().index()).into();
        self.half.next = self.value.val();
        self.bank_beyond.next = (self.half.val() >> self.bank_shift.val().index()).into();
        self.words_beyond.next = (self.value.val() >> self.words_shift.val().index()).into();
        self.error_r.d.next = (self.granted.val() && (self.from.q.val() >= self.word_end.val()))
            || (self.word_valid.val() && (self.bank.q.val() >= self.bank_end.val()))
            || (self.set.val() && (self.number.val() == 1) && !(self.from_beyond.val() == 0))
            || (self.set.val()
                && (self.number.val() == 2)
                && !((self.bank_beyond.val() == 0) && (self.words_beyond.val() == 0)));
        if self.reset.val() {
            self.asking.d.next = false;
            self.flight.d.next = self.zero.val();
            self.error_r.d.next = false;
        }
        self.address.next = self.from.q.val();
        self.write.next = self.word_valid.val();
        self.bank_address.next = self.bank.q.val();
        self.lane.next = self.put_lane.q.val();
        self.idle.next = !self.asking.q.val() && (self.flight.q.val() == 0);
        self.error.next = self.error_r.q.val();
    }
}

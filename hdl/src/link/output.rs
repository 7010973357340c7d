//! The output's ring: words of the engine, kept until the host has acknowledged them.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | empty, positions 0 |
//! | m_valid, m_ready, m_data, m_last | 1, 1, SW, 1 | stream in, a word every 2 cycles; `m_ready` is low when 255 words are inside |
//! | produced | 8 | position behind the last word, modulo 256 |
//! | free, freed | 1, 8 | all words before `freed` may be overwritten |
//! | read, address, word | 1, 8, SW | a word that is inside; latency 1 |
//! | completed | 1 | one cycle: a word with `m_last` has come |
//!
//! ```
//! use astromorph_hdl::{link::output::Output, number::*};
//! use rust_hdl::prelude::*;
//! let mut o = Output::new(16).unwrap();
//! o.connect_all();
//! let mut cycle = |o: &mut Output| for level in [true, false] { o.clock.next.clk = level; simulate(o, 10); };
//! (o.m_valid.next, o.m_data.next) = (true, S::new(-3));
//! for _ in 0..600 { cycle(&mut o); }
//! assert_eq!((o.produced.val(), o.m_ready.val()), (U::new(255), false));
//! (o.free.next, o.freed.next) = (true, U::new(2));
//! cycle(&mut o);
//! o.free.next = false;
//! for _ in 0..20 { cycle(&mut o); }
//! assert_eq!(o.produced.val(), U::new(1));
//! (o.read.next, o.address.next) = (true, U::new(0));
//! cycle(&mut o);
//! assert_eq!(o.word.val(), U::new(0xfffd));
//! ```

use crate::block;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Output {
        inputs {
            /// Empty it.
            reset: Flag<In>,
            /// A word.
            m_valid: Flag<In>,
            /// It.
            m_data: Sig<In, S>,
            /// It ends its sequence.
            m_last: Flag<In>,
            /// Forget words.
            free: Flag<In>,
            /// Those before this position.
            freed: Sig<In, U>,
            /// Fetch.
            read: Flag<In>,
            /// The word of this position.
            address: Sig<In, U>,
        }
        outputs {
            /// The word is taken.
            m_ready: Flag<Out>,
            /// Position behind the last word.
            produced: Sig<Out, U>,
            /// The word fetched.
            word: Sig<Out, U>,
            /// A sequence has ended.
            completed: Flag<Out>,
        }
        parts {
            memory: Ram<U>,
            write_at: Reg<U>,
            freed_at: Reg<U>,
            ready_r: Reg<bool>,
            ended: Reg<bool>,
        }
        locals {
            take: Flag<Local>,
            behind: Sig<Local, U>,
            zero: Const<U>,
        }
    }
}

impl Output {
    /// Words of `bits`.
    pub fn new(bits: u32) -> Result<Self> {
        Ok(Output {
            clock: Signal::default(),
            reset: Flag::default(),
            m_valid: Flag::default(),
            m_data: Sig::new(bits),
            m_last: Flag::default(),
            free: Flag::default(),
            freed: Sig::new(8),
            read: Flag::default(),
            address: Sig::new(8),
            m_ready: Flag::default(),
            produced: Sig::new(8),
            word: Sig::new(bits),
            completed: Flag::default(),
            memory: Ram::new("output", 256, bits, Contents::Zero)?.bare(),
            write_at: Reg::new(8),
            freed_at: Reg::new(8),
            ready_r: Reg::default(),
            ended: Reg::default(),
            take: Flag::default(),
            behind: Sig::new(8),
            zero: Const::natural(0),
            activity: Default::default(),
        })
    }
}

impl Logic for Output {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory);
        dff_setup!(self, clock, write_at, freed_at, ready_r, ended);
        self.take.next = self.m_valid.val() && self.ready_r.q.val();
        self.behind.next = (self.write_at.q.val() + 1).into();
        // A word moves the end, which is seen a cycle later.
        self.ready_r.d.next = !self.take.val() && !(self.behind.val() == self.freed_at.q.val());
        self.ended.d.next = self.take.val() && self.m_last.val();
        if self.take.val() {
            self.write_at.d.next = self.behind.val();
        }
        if self.free.val() {
            self.freed_at.d.next = self.freed.val();
        }
        if self.reset.val() {
            self.write_at.d.next = self.zero.val();
            self.freed_at.d.next = self.zero.val();
            self.ready_r.d.next = false;
            self.ended.d.next = false;
        }
        self.memory.write_enable.next = self.take.val();
        self.memory.write_address.next = self.write_at.q.val();
        self.memory.write_data.next = unsigned_cast_of(self.m_data);
        self.memory.read_enable.next = self.read.val();
        self.memory.read_address.next = self.address.val();
        self.m_ready.next = self.ready_r.q.val();
        self.produced.next = self.write_at.q.val();
        self.word.next = self.memory.read_data.val();
        self.completed.next = self.ended.q.val();
    }
}

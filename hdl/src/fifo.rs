//! Output FIFO with credits: who fills it reserves room first, so nothing between reservation and FIFO ever has to wait.
//!
//! | port | width | |
//! |---|---|---|
//! | reserve, reserve_words | 1, ⌈log2(P+1)⌉ | words to come are promised a place |
//! | room | 1 | P more words may be reserved; it knows of reservations 2 cycles after them |
//! | push, data, last | 1, W, 1 | a promised word |
//! | m_valid, m_ready, m_data, m_last | 1, 1, W, 1 | stream out, stable while stalled; latency 2 after push |
//!
//! Words leave block RAM through its output register into the stream's register. A word is fetched in the cycle after its push or later: the
//! memory never reads what it is writing.
//!
//! ```
//! use astromorph_hdl::{fifo::Fifo, number::*};
//! use rust_hdl::prelude::*;
//! let mut f = Fifo::new(16, 4, 8).unwrap();
//! f.connect_all();
//! (f.push.next, f.data.next, f.last.next) = (true, S::new(-5), true);
//! for _ in 0..3 { for level in [true, false] { f.clock.next.clk = level; simulate(&mut f, 10); } f.push.next = false; }
//! assert_eq!((f.m_valid.val(), f.m_data.val(), f.m_last.val()), (true, S::new(-5), true));
//! assert!(Fifo::new(15, 4, 8).is_err());
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U, natural_bits, unsigned_cast_of};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Fifo {
        inputs {
            /// Synchronous reset: empty.
            reset: Flag<In>,
            /// Promise places.
            reserve: Flag<In>,
            /// How many.
            reserve_words: Sig<In, U>,
            /// Store a word.
            push: Flag<In>,
            /// The word.
            data: Sig<In, S>,
            /// It ends the stream's sequence.
            last: Flag<In>,
            /// The consumer takes the word.
            m_ready: Flag<In>,
        }
        outputs {
            /// Places are left.
            room: Flag<Out>,
            /// A word is there.
            m_valid: Flag<Out>,
            /// The word.
            m_data: Sig<Out, S>,
            /// It ends the sequence.
            m_last: Flag<Out>,
        }
        parts {
            memory: Ram<U>,
            write_pointer: Reg<U>,
            read_pointer: Reg<U>,
            stored: Reg<U>,
            fetched: Reg<bool>,
            full: Reg<bool>,
            word: Reg<S>,
            word_last: Reg<bool>,
            reserved: Reg<U>,
            room_r: Reg<bool>,
        }
        locals {
            pop: Flag<Local>,
            take: Flag<Local>,
            fetch: Flag<Local>,
            after_push: Sig<Local, U>,
            promised: Sig<Local, U>,
            demand: Sig<Local, U>,
            zero: Const<U>,
            last_bit: Const<U>,
            top: Const<U>,
            widest: Const<U>,
            depth: Const<U>,
        }
    }
}

impl Fifo {
    /// `depth` words (a power of two), reserved in groups of at most `group`, of `bits`.
    pub fn new(depth: usize, group: usize, bits: u32) -> Result<Self> {
        if !depth.is_power_of_two() || depth < 2 {
            return Err(Error::field("fifo.depth", "a power of two from 2 on", depth));
        }
        check::range("fifo.group", group, 1, depth)?;
        check::range("fifo.width", bits, 2, 63)?;
        let memory = Ram::new("fifo", depth, bits + 1, Contents::Zero)?;
        let address = memory.read_address.width();
        let count = natural_bits(depth as u64);
        Ok(Fifo {
            clock: Signal::default(),
            reset: Flag::default(),
            reserve: Flag::default(),
            reserve_words: Sig::new(natural_bits(group as u64)),
            push: Flag::default(),
            data: Sig::new(bits),
            last: Flag::default(),
            m_ready: Flag::default(),
            room: Flag::default(),
            m_valid: Flag::default(),
            m_data: Sig::new(bits),
            m_last: Flag::default(),
            memory,
            write_pointer: Reg::new(address),
            read_pointer: Reg::new(address),
            stored: Reg::new(count),
            fetched: Reg::default(),
            full: Reg::default(),
            word: Reg::new(bits),
            word_last: Reg::default(),
            reserved: Reg::new(count),
            room_r: Reg::default(),
            pop: Flag::default(),
            take: Flag::default(),
            fetch: Flag::default(),
            after_push: Sig::new(count),
            promised: Sig::new(count),
            demand: Sig::new(count + 1),
            zero: Const::natural(0),
            last_bit: Const::natural(1 << bits),
            top: Const::natural(bits as u64),
            widest: Const::natural(group as u64),
            depth: Const::natural(depth as u64),
            activity: Default::default(),
        })
    }

    /// Bits of storage.
    pub fn memory_bits(&self) -> usize {
        self.memory.bits()
    }
}

impl Logic for Fifo {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory);
        dff_setup!(
            self,
            clock,
            write_pointer,
            read_pointer,
            stored,
            fetched,
            full,
            word,
            word_last,
            reserved,
            room_r
        );
        self.pop.next = self.full.q.val() && self.m_ready.val();
        self.take.next = self.fetched.q.val() && (!self.full.q.val() || self.m_ready.val());
        self.fetch.next = !(self.stored.q.val() == 0) && (!self.fetched.q.val() || self.take.val());
        // Into the memory.
        self.memory.write_enable.next = self.push.val();
        self.memory.write_address.next = self.write_pointer.q.val();
        self.memory.write_data.next = unsigned_cast_of(self.data);
        if self.last.val() {
            self.memory.write_data.next = (unsigned_cast_of(self.data) | self.last_bit.val()).into();
        }
        self.after_push.next = self.stored.q.val();
        if self.push.val() {
            self.write_pointer.d.next = (self.write_pointer.q.val() + 1).into();
            self.after_push.next = (self.stored.q.val() + 1).into();
        }
        // Out of it.
        self.memory.read_enable.next = self.fetch.val();
        self.memory.read_address.next = self.read_pointer.q.val();
        self.stored.d.next = self.after_push.val();
        self.fetched.d.next = self.fetched.q.val() && !self.take.val();
        if self.fetch.val() {
            self.read_pointer.d.next = (self.read_pointer.q.val() + 1).into();
            self.stored.d.next = (self.after_push.val() - 1).into();
            self.fetched.d.next = true;
        }
        self.full.d.next = self.full.q.val() && !self.pop.val();
        if self.take.val() {
            self.full.d.next = true;
            self.word.d.next = self.memory.read_data.val().into();
            self.word_last.d.next = self.memory.read_data.val().get_bit(self.top.val().index());
        }
        // Credits.
        self.promised.next = self.reserved.q.val();
        if self.reserve.val() {
            self.promised.next = (self.reserved.q.val() + self.reserve_words.val()).into();
        }
        self.reserved.d.next = self.promised.val();
        if self.pop.val() {
            self.reserved.d.next = (self.promised.val() - 1).into();
        }
        self.demand.next = (self.reserved.q.val() + self.widest.val()).into();
        self.room_r.d.next = self.demand.val() <= self.depth.val();
        if self.reset.val() {
            self.write_pointer.d.next = self.zero.val();
            self.read_pointer.d.next = self.zero.val();
            self.stored.d.next = self.zero.val();
            self.reserved.d.next = self.zero.val();
            self.fetched.d.next = false;
            self.full.d.next = false;
            self.room_r.d.next = false;
        }
        self.room.next = self.room_r.q.val();
        self.m_valid.next = self.full.q.val();
        self.m_data.next = self.word.q.val();
        self.m_last.next = self.word_last.q.val();
    }
}

//! The memory M and who may use it: the stream in its cycles, then the program's fetch, then fills; the load port when nothing is in work.
//!
//! | port | width | |
//! |---|---|---|
//! | addend_request, addend_address | 1, M | even cycles; `word` 3 cycles later |
//! | operand_request, operand_address | 1, E | element of M, odd cycles; `operand` from 4 cycles later to the next |
//! | state_store, state_address, state_data | 1, M, 32 | odd cycles |
//! | fetch_request, fetch_address, fetch_grant, fetch_valid | 1, M, 1, 1 | a word of the program; `word` with `fetch_valid`, 3 cycles after the grant |
//! | fill_request, fill_address, fill_grant, fill_valid | 1, M, 1, 1 | the same for a fill |
//! | idle, load, load_address, load_data | 1, 1, M, 32 | nothing is in work; then store |
//! | peek | 1 | nothing is in work: `word` is that of `load_address` 3 cycles later |
//! | word | 32 | |
//! | operand | W | the element asked for, cut from `word`, in a register: the memory's blocks may stand far away |
//!
//! ```
//! use astromorph::engine::config::EngineConfig;
//! use astromorph_hdl::{engine::{bus::Bus, sizes::Sizes}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let core = EngineConfig { name: "small".into(), lanes: 4, width: 8, acc_bits: 26, bank_words: 64, x_words: 1024, m_words: 64,
//!     function_words: 512, mantissa_words: 512, sums: 64, reads: 64, norm_width: 32, norm_words: 128, chunked: false };
//! let mut b = Bus::new(&Sizes::new(&core).unwrap(), Target::Generic).unwrap();
//! b.connect_all();
//! let mut cycle = |b: &mut Bus| for level in [true, false] { b.clock.next.clk = level; simulate(b, 10); };
//! (b.idle.next, b.load.next, b.load_address.next, b.load_data.next) = (true, true, U::new(7), U::new(0x04030201));
//! cycle(&mut b);
//! (b.load.next, b.operand_request.next, b.operand_address.next) = (false, true, U::new(7 * 4 + 2));
//! cycle(&mut b);
//! b.operand_request.next = false;
//! for _ in 0..2 { cycle(&mut b); }
//! assert_eq!(b.word.val(), U::new(0x04030201));
//! cycle(&mut b);
//! assert_eq!(b.operand.val(), S::new(3));
//! ```

use super::memory::Kind;
use super::mmem::MMemory;
use super::sizes::Sizes;
use crate::block;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Bus {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// An addend, please.
            addend_request: Flag<In>,
            /// Which.
            addend_address: Sig<In, U>,
            /// An element, please.
            operand_request: Flag<In>,
            /// Which.
            operand_address: Sig<In, U>,
            /// Store a state.
            state_store: Flag<In>,
            /// Where to.
            state_address: Sig<In, U>,
            /// What.
            state_data: Sig<In, S>,
            /// A word of the program, please.
            fetch_request: Flag<In>,
            /// Which.
            fetch_address: Sig<In, U>,
            /// A word of weights, please.
            fill_request: Flag<In>,
            /// Which.
            fill_address: Sig<In, U>,
            /// Store a loaded word.
            load: Flag<In>,
            /// Read a loaded word.
            peek: Flag<In>,
            /// Nothing is in work.
            idle: Flag<In>,
            /// Where to.
            load_address: Sig<In, U>,
            /// What.
            load_data: Sig<In, U>,
        }
        outputs {
            /// The word that was asked for.
            word: Sig<Out, U>,
            /// The element that was asked for.
            operand: Sig<Out, S>,
            /// The fetch's request is taken.
            fetch_grant: Flag<Out>,
            /// `word` is the fetch's.
            fetch_valid: Flag<Out>,
            /// The fill's request is taken.
            fill_grant: Flag<Out>,
            /// `word` is the fill's.
            fill_valid: Flag<Out>,
        }
        parts {
            memory: MMemory,
            fetch_1: Reg<bool>,
            fetch_2: Reg<bool>,
            fetch_3: Reg<bool>,
            fill_1: Reg<bool>,
            fill_2: Reg<bool>,
            fill_3: Reg<bool>,
            ask_1: Reg<bool>,
            ask_2: Reg<bool>,
            ask_3: Reg<bool>,
            operand_r: Reg<S>,
            part_1: Reg<U>,
            part_2: Reg<U>,
            part_3: Reg<U>,
        }
        locals {
            stream: Flag<Local>,
            element_now: Sig<Local, S>,
            element: Vec<Const<U>>,
            part_bits: Const<U>,
        }
    }
}

impl Bus {
    /// For the sizes of a core.
    pub fn new(s: &Sizes, target: Target) -> Result<Self> {
        let part = s.group_shift.max(1);
        Ok(Bus {
            clock: Signal::default(),
            reset: Flag::default(),
            addend_request: Flag::default(),
            addend_address: Sig::new(s.m_bits),
            operand_request: Flag::default(),
            operand_address: Sig::new(s.at_bits - 1),
            state_store: Flag::default(),
            state_address: Sig::new(s.m_bits),
            state_data: Sig::new(32),
            fetch_request: Flag::default(),
            fetch_address: Sig::new(s.m_bits),
            fill_request: Flag::default(),
            fill_address: Sig::new(s.m_bits),
            idle: Flag::default(),
            load: Flag::default(),
            peek: Flag::default(),
            load_address: Sig::new(s.m_bits),
            load_data: Sig::new(32),
            word: Sig::new(32),
            operand: Sig::new(s.width),
            fetch_grant: Flag::default(),
            fetch_valid: Flag::default(),
            fill_grant: Flag::default(),
            fill_valid: Flag::default(),
            memory: MMemory::new("m", s.m_words, Kind::Large, target)?,
            fetch_1: Reg::default(),
            fetch_2: Reg::default(),
            fetch_3: Reg::default(),
            fill_1: Reg::default(),
            fill_2: Reg::default(),
            fill_3: Reg::default(),
            ask_1: Reg::default(),
            ask_2: Reg::default(),
            ask_3: Reg::default(),
            operand_r: Reg::new(s.width),
            part_1: Reg::new(part),
            part_2: Reg::new(part),
            part_3: Reg::new(part),
            stream: Flag::default(),
            element_now: Sig::new(s.width),
            element: (0..s.group)
                .map(|n| Const::natural((n * 32 / s.group) as u64))
                .collect(),
            part_bits: Const::natural(s.group_shift.into()),
            activity: Default::default(),
        })
    }

    /// Bits of storage.
    pub fn memory_bits(&self) -> usize {
        self.memory.bits()
    }
}

impl Logic for Bus {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory);
        dff_setup!(
            self, clock, fetch_1, fetch_2, fetch_3, fill_1, fill_2, fill_3, ask_1, ask_2, ask_3, operand_r, part_1,
            part_2, part_3
        );
        self.stream.next = self.addend_request.val() || self.operand_request.val() || self.state_store.val();
        self.fetch_grant.next = self.fetch_request.val() && !self.stream.val();
        self.fill_grant.next = self.fill_request.val() && !self.fetch_request.val() && !self.stream.val();
        self.memory.enable.next = self.stream.val()
            || self.fetch_request.val()
            || self.fill_request.val()
            || self.load.val()
            || self.peek.val();
        self.memory.write.next = self.state_store.val() || self.load.val();
        self.memory.data.next = self.load_data.val();
        self.memory.address.next = self.fill_address.val();
        // Nobody else asks while no sequence is in work.
        if self.idle.val() {
            self.memory.address.next = self.load_address.val();
        }
        if self.fetch_request.val() {
            self.memory.address.next = self.fetch_address.val();
        }
        if self.addend_request.val() {
            self.memory.address.next = self.addend_address.val();
        }
        if self.operand_request.val() {
            self.memory.address.next = (self.operand_address.val() >> self.part_bits.val().index()).into();
        }
        if self.state_store.val() {
            self.memory.address.next = self.state_address.val();
            self.memory.data.next = unsigned_cast_of(self.state_data);
        }
        self.fetch_1.d.next = self.fetch_request.val() && !self.stream.val();
        self.fill_1.d.next = self.fill_request.val() && !self.fetch_request.val() && !self.stream.val();
        self.fetch_2.d.next = self.fetch_1.q.val();
        self.fill_2.d.next = self.fill_1.q.val();
        self.fetch_3.d.next = self.fetch_2.q.val();
        self.fill_3.d.next = self.fill_2.q.val();
        self.ask_1.d.next = self.operand_request.val();
        self.ask_2.d.next = self.ask_1.q.val();
        self.ask_3.d.next = self.ask_2.q.val();
        self.part_1.d.next = self.operand_address.val();
        self.part_2.d.next = self.part_1.q.val();
        self.part_3.d.next = self.part_2.q.val();
        if self.reset.val() {
            self.fetch_1.d.next = false;
            self.fetch_2.d.next = false;
            self.fetch_3.d.next = false;
            self.fill_1.d.next = false;
            self.fill_2.d.next = false;
            self.fill_3.d.next = false;
        }
        self.word.next = self.memory.q.val();
        self.element_now.next = self.memory.q.val().into();
        for i in 0..(self.element.len()) {
            if self.part_3.q.val().index() == i {
                self.element_now.next = (self.memory.q.val() >> self.element[i].val().index()).into();
            }
        }
        if self.ask_3.q.val() {
            self.operand_r.d.next = self.element_now.val();
        }
        self.operand.next = self.operand_r.q.val();
        self.fetch_valid.next = self.fetch_3.q.val();
        self.fill_valid.next = self.fill_3.q.val();
    }
}

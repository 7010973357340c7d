//! The input's queue: words of requests on their way into the engine.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | empty |
//! | push, data, last | 1, W, 1 | append; never a word more than 255 |
//! | level, empty | 8, 1 | words inside |
//! | s_valid, s_ready, s_data, s_last | 1, 1, W, 1 | stream out, stable while not taken; a word every 2 cycles |
//!
//! ```
//! use astromorph_hdl::{link::input::Input, number::*};
//! use rust_hdl::prelude::*;
//! let mut q = Input::new(8).unwrap();
//! q.connect_all();
//! let mut cycle = |q: &mut Input| for level in [true, false] { q.clock.next.clk = level; simulate(q, 10); };
//! for (x, last) in [(5, false), (0xff, true)] { (q.push.next, q.data.next, q.last.next) = (true, U::new(x), last); cycle(&mut q); }
//! q.push.next = false;
//! cycle(&mut q);
//! assert_eq!((q.level.val(), q.s_valid.val(), q.s_data.val(), q.s_last.val()), (U::new(2), true, S::new(5), false));
//! q.s_ready.next = true;
//! for _ in 0..2 { cycle(&mut q); }
//! assert_eq!((q.level.val(), q.s_data.val(), q.s_last.val()), (U::new(1), S::new(-1), true));
//! ```

use crate::block;
use crate::number::{Const, Flag, S, Sig, U};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Input {
        inputs {
            /// Empty it.
            reset: Flag<In>,
            /// Append.
            push: Flag<In>,
            /// What.
            data: Sig<In, U>,
            /// It ends its sequence.
            last: Flag<In>,
            /// The word is taken.
            s_ready: Flag<In>,
        }
        outputs {
            /// Words inside.
            level: Sig<Out, U>,
            /// None.
            empty: Flag<Out>,
            /// A word.
            s_valid: Flag<Out>,
            /// It.
            s_data: Sig<Out, S>,
            /// It ends its sequence.
            s_last: Flag<Out>,
        }
        parts {
            memory: Ram<U>,
            write_at: Reg<U>,
            read_at: Reg<U>,
            valid_r: Reg<bool>,
        }
        locals {
            word: Sig<Local, U>,
            fetch: Flag<Local>,
            same: Flag<Local>,
            zero: Const<U>,
            ends: Const<U>,
            top: Const<U>,
        }
    }
}

impl Input {
    /// Words of `width` bits.
    pub fn new(width: u32) -> Result<Self> {
        Ok(Input {
            clock: Signal::default(),
            reset: Flag::default(),
            push: Flag::default(),
            data: Sig::new(width),
            last: Flag::default(),
            s_ready: Flag::default(),
            level: Sig::new(8),
            empty: Flag::default(),
            s_valid: Flag::default(),
            s_data: Sig::new(width),
            s_last: Flag::default(),
            memory: Ram::new("input", 256, width + 1, Contents::Zero)?.bare(),
            write_at: Reg::new(8),
            read_at: Reg::new(8),
            valid_r: Reg::default(),
            word: Sig::new(width + 1),
            fetch: Flag::default(),
            same: Flag::default(),
            zero: Const::natural(0),
            ends: Const::natural(1 << width),
            top: Const::natural(width as u64),
            activity: Default::default(),
        })
    }
}

impl Logic for Input {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory);
        dff_setup!(self, clock, write_at, read_at, valid_r);
        self.same.next = self.write_at.q.val() == self.read_at.q.val();
        self.fetch.next = !self.same.val() && !self.valid_r.q.val();
        self.valid_r.d.next = self.fetch.val() || (self.valid_r.q.val() && !self.s_ready.val());
        if self.push.val() {
            self.write_at.d.next = (self.write_at.q.val() + 1).into();
        }
        // The word's place is free when it has been taken.
        if self.valid_r.q.val() && self.s_ready.val() {
            self.read_at.d.next = (self.read_at.q.val() + 1).into();
        }
        if self.reset.val() {
            self.write_at.d.next = self.zero.val();
            self.read_at.d.next = self.zero.val();
            self.valid_r.d.next = false;
        }
        self.word.next = self.data.val();
        if self.last.val() {
            self.word.next = (self.data.val() | self.ends.val()).into();
        }
        self.memory.write_enable.next = self.push.val();
        self.memory.write_address.next = self.write_at.q.val();
        self.memory.write_data.next = self.word.val();
        self.memory.read_enable.next = self.fetch.val();
        self.memory.read_address.next = self.read_at.q.val();
        self.level.next = (self.write_at.q.val() - self.read_at.q.val()).into();
        self.empty.next = self.same.val();
        self.s_valid.next = self.valid_r.q.val();
        self.s_data.next = self.memory.read_data.val().into();
        self.s_last.next = self.memory.read_data.val().get_bit(self.top.val().index());
    }
}

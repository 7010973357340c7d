//! A queue in block RAM whose head stands at the RAM's output.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | empty |
//! | push, data | 1, W | append |
//! | pop | 1 | drop the head; only when `some` |
//! | some, head | 1, W | there is a head; latency 2 after a push into an empty queue; the head stands still until `pop` |
//! | any | 1 | words are inside |
//! | hold | 1 | `limit` words or more are behind the head; 1 cycle late |
//!
//! The user sees to it that no word comes for a full queue. The RAM never reads what it is writing: a word is fetched a cycle after its push.
//!
//! ```
//! use astromorph_hdl::{engine::queue::Queue, number::*};
//! use rust_hdl::prelude::*;
//! let mut q = Queue::new("queue", 16, 2, 8).unwrap();
//! q.connect_all();
//! let mut cycle = |q: &mut Queue| for level in [true, false] { q.clock.next.clk = level; simulate(q, 10); };
//! for x in [5, 6, 7] { (q.push.next, q.data.next) = (true, U::new(x)); cycle(&mut q); }
//! q.push.next = false;
//! cycle(&mut q);
//! assert_eq!((q.some.val(), q.head.val(), q.hold.val()), (true, U::new(5), true));
//! q.pop.next = true;
//! cycle(&mut q);
//! assert_eq!(q.head.val(), U::new(6));
//! assert!(Queue::new("queue", 15, 2, 8).is_err());
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, Sig, U, natural_bits};
use crate::ram::{Contents, Ram};
use crate::register::Reg;
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

block! {
    /// See the module's text.
    pub struct Queue {
        inputs {
            /// Empty it.
            reset: Flag<In>,
            /// Append.
            push: Flag<In>,
            /// What.
            data: Sig<In, U>,
            /// Drop the head.
            pop: Flag<In>,
        }
        outputs {
            /// There is a head.
            some: Flag<Out>,
            /// The head.
            head: Sig<Out, U>,
            /// Words are inside.
            any: Flag<Out>,
            /// Many wait behind it.
            hold: Flag<Out>,
        }
        parts {
            memory: Ram<U>,
            write_pointer: Reg<U>,
            read_pointer: Reg<U>,
            some_r: Reg<bool>,
            hold_r: Reg<bool>,
        }
        locals {
            behind: Flag<Local>,
            fetch: Flag<Local>,
            waiting: Sig<Local, U>,
            zero: Const<U>,
            limit: Const<U>,
        }
    }
}

impl Queue {
    /// `depth` words (a power of two) of `width` bits; `name` is for errors.
    pub fn new(name: &str, depth: usize, limit: usize, width: u32) -> Result<Self> {
        if !depth.is_power_of_two() || depth < 4 {
            return Err(Error::field(format!("{name}.depth"), "a power of two from 4 on", depth));
        }
        check::range(&format!("{name}.limit"), limit, 1, depth - 1)?;
        let memory = Ram::new(name, depth, width, Contents::Zero)?;
        let address = natural_bits(depth as u64 - 1);
        Ok(Queue {
            clock: Signal::default(),
            reset: Flag::default(),
            push: Flag::default(),
            data: Sig::new(width),
            pop: Flag::default(),
            some: Flag::default(),
            head: Sig::new(width),
            any: Flag::default(),
            hold: Flag::default(),
            memory,
            write_pointer: Reg::new(address),
            read_pointer: Reg::new(address),
            some_r: Reg::default(),
            hold_r: Reg::default(),
            behind: Flag::default(),
            fetch: Flag::default(),
            waiting: Sig::new(address),
            zero: Const::natural(0),
            limit: Const::natural(limit as u64),
            activity: Default::default(),
        })
    }
}

impl Logic for Queue {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory);
        dff_setup!(self, clock, write_pointer, read_pointer, some_r, hold_r);
        self.waiting.next = (self.write_pointer.q.val() - self.read_pointer.q.val()).into();
        self.hold_r.d.next = self.waiting.val() >= self.limit.val();
        self.behind.next = !(self.write_pointer.q.val() == self.read_pointer.q.val());
        self.fetch.next = self.behind.val() && (!self.some_r.q.val() || self.pop.val());
        self.memory.write_enable.next = self.push.val();
        self.memory.write_address.next = self.write_pointer.q.val();
        self.memory.write_data.next = self.data.val();
        self.memory.read_enable.next = self.fetch.val();
        self.memory.read_address.next = self.read_pointer.q.val();
        if self.push.val() {
            self.write_pointer.d.next = (self.write_pointer.q.val() + 1).into();
        }
        if self.fetch.val() {
            self.read_pointer.d.next = (self.read_pointer.q.val() + 1).into();
        }
        self.some_r.d.next = self.fetch.val() || (self.some_r.q.val() && !self.pop.val());
        if self.reset.val() {
            self.write_pointer.d.next = self.zero.val();
            self.read_pointer.d.next = self.zero.val();
            self.some_r.d.next = false;
        }
        self.some.next = self.some_r.q.val();
        self.any.next = self.some_r.q.val() || self.behind.val();
        self.head.next = self.memory.read_data.val();
        self.hold.next = self.hold_r.q.val();
    }
}

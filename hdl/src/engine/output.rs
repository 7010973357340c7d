//! The output stream: a queue with credits, so that nothing on its way to it ever has to wait.
//!
//! | port | width | |
//! |---|---|---|
//! | reserve | 1 | a word to come is promised a place |
//! | room | 1 | `group` more words may be promised; it knows of promises 2 cycles after them |
//! | push, data, last | 1, SW, 1 | a promised word |
//! | ending | 1 | a `last` word is inside: none may follow before it has gone |
//! | m_valid, m_ready, m_data, m_last | 1, 1, SW, 1 | stream out, stable while stalled |
//!
//! `last` costs no memory: `room` is low while such a word is inside, so it is the only one promised when it leaves.
//!
//! ```
//! use astromorph_hdl::{engine::output::Output, number::*};
//! use rust_hdl::prelude::*;
//! let mut o = Output::new(4, 16).unwrap();
//! o.connect_all();
//! let mut seen = Vec::new();
//! for n in 0..12 {
//!     (o.reserve.next, o.push.next, o.data.next, o.last.next) = (n < 3, n < 3, S::new(-n), n == 2);
//!     o.m_ready.next = n > 4;
//!     simulate(&mut o, 10);
//!     if o.m_valid.val() && o.m_ready.val() { seen.push((o.m_data.val().get(), o.m_last.val())); }
//!     for level in [true, false] { o.clock.next.clk = level; simulate(&mut o, 10); }
//! }
//! assert_eq!(seen, [(0, false), (-1, false), (-2, true)]);
//! ```

use super::queue::Queue;
use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U, natural_bits, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Words a block RAM of 16-bit words holds at least.
const DEPTH: usize = 256;

/// Places of the queue of an output whose words are promised in groups.
pub fn depth(group: usize) -> usize {
    DEPTH.max((2 * group).next_power_of_two())
}

/// Promises up to which `room` is given: one less than a power of two, which a look at the upper bits tells.
pub fn most(group: usize) -> usize {
    (1 << (depth(group) - group + 1).ilog2()) - 1
}

block! {
    /// See the module's text.
    pub struct Output {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// Promise a place.
            reserve: Flag<In>,
            /// Store a word.
            push: Flag<In>,
            /// The word.
            data: Sig<In, S>,
            /// The sequence's last.
            last: Flag<In>,
            /// The consumer takes the word.
            m_ready: Flag<In>,
        }
        outputs {
            /// Places are left.
            room: Flag<Out>,
            /// A last word is inside.
            ending: Flag<Out>,
            /// A word is there.
            m_valid: Flag<Out>,
            /// The word.
            m_data: Sig<Out, S>,
            /// The sequence's last.
            m_last: Flag<Out>,
        }
        parts {
            queue: Queue,
            promised: Reg<U>,
            room_r: Reg<bool>,
            ending_r: Reg<bool>,
        }
        locals {
            pop: Flag<Local>,
            change: Sig<Local, U>,
            one: Const<U>,
            less: Const<U>,
            zero: Const<U>,
            limit: Const<U>,
        }
    }
}

impl Output {
    /// Words of `bits`, promised in groups of at most `group`.
    pub fn new(group: usize, bits: u32) -> Result<Self> {
        check::range("output.group", group, 1, DEPTH / 2 + 2)?;
        let depth = depth(group);
        let count = natural_bits(depth as u64);
        Ok(Output {
            clock: Signal::default(),
            reset: Flag::default(),
            reserve: Flag::default(),
            push: Flag::default(),
            data: Sig::new(bits),
            last: Flag::default(),
            m_ready: Flag::default(),
            room: Flag::default(),
            ending: Flag::default(),
            m_valid: Flag::default(),
            m_data: Sig::new(bits),
            m_last: Flag::default(),
            queue: Queue::new("output", depth, depth - 1, bits)?,
            promised: Reg::new(count),
            room_r: Reg::default(),
            ending_r: Reg::default(),
            pop: Flag::default(),
            change: Sig::new(count),
            one: Const::natural(1),
            less: Const::natural((1 << count) - 1),
            zero: Const::natural(0),
limit: Const::natural(most(group) as u64 + 1),
            activity: Default::default(),
        })
    }
}

impl Logic for Output {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, queue);
        dff_setup!(self, clock, promised, room_r, ending_r);
        self.queue.reset.next = self.reset.val();
        self.queue.push.next = self.push.val();
        self.queue.data.next = unsigned_cast_of(self.data);
        self.pop.next = self.queue.some.val() && self.m_ready.val();
        self.queue.pop.next = self.pop.val();
        // One adder: + 1, or − 1 as all ones.
        self.change.next = self.less.val();
        if self.reserve.val() {
            self.change.next = self.one.val();
        }
        if (self.reserve.val() && !self.pop.val()) || (self.pop.val() && !self.reserve.val()) {
            self.promised.d.next = (self.promised.q.val() + self.change.val()).into();
        }
        self.room_r.d.next = (self.promised.q.val() < self.limit.val()) && !self.ending_r.q.val();
        self.m_last.next = self.ending_r.q.val() && (self.promised.q.val() == 1);
        if self.pop.val() && (self.promised.q.val() == 1) {
            self.ending_r.d.next = false;
        }
        if self.push.val() && self.last.val() {
            self.ending_r.d.next = true;
        }
        if self.reset.val() {
            self.promised.d.next = self.zero.val();
            self.room_r.d.next = false;
            self.ending_r.d.next = false;
        }
        self.room.next = self.room_r.q.val();
        self.ending.next = self.ending_r.q.val();
        self.m_valid.next = self.queue.some.val();
        self.m_data.next = self.queue.head.val().into();
    }
}

//! Reads a loaded word back while no sequence is in work: of M and the tables by their own read ports, of a bank through its lane.
//!
//! | port | width | |
//! |---|---|---|
//! | reset | 1 | |
//! | ask, bank, address | 1, 1, 24 | a word, please, until `done`: of a bank (lane · 2^16 + word) or of another memory |
//! | active | 1 | a word is on its way: nothing else may begin |
//! | read | 1 | the other memories read `address` |
//! | pair, row, odd | 1, D − 1, 1 | one cycle: the array multiplies bank word 2·row (odd: the next) by 1, and the pass ends |
//! | captured | 1 | the array's: the chain holds the pass |
//! | shift | 1 | the chain's next lane, please |
//! | done | 1 | one cycle: the word is there; [`LATENCY`] cycles after `ask`, of lane l of a bank the array's latency + 1 + l |
//!
//! The banks have no second way out, so their words take the one that results take: 1 · word, then the shift chain. It tests the lane as well.
//!
//! ```
//! use astromorph_hdl::{engine::peek::{LATENCY, Peek}, number::*};
//! use rust_hdl::prelude::*;
//! let mut p = Peek::new(9, 4);
//! p.connect_all();
//! let mut cycle = |p: &mut Peek| for level in [true, false] { p.clock.next.clk = level; simulate(p, 10); };
//! (p.ask.next, p.bank.next, p.address.next) = (true, true, U::new(2 << 16 | 37));
//! simulate(&mut p, 10);
//! assert_eq!((p.pair.val(), p.row.val(), p.odd.val()), (true, U::new(18), true)); // bank word 37 = 2·18 + 1
//! cycle(&mut p);
//! p.captured.next = true;
//! cycle(&mut p);
//! p.captured.next = false;
//! let mut shifts = 0;
//! while !p.done.val() { shifts += p.shift.val() as u32; cycle(&mut p); }
//! assert_eq!(shifts, 2);
//! p.ask.next = false;
//! cycle(&mut p);
//! (p.ask.next, p.bank.next) = (true, false);
//! for _ in 0..LATENCY { assert!(!p.done.val()); cycle(&mut p); }
//! assert!(p.done.val() && p.read.val());
//! ```

use crate::block;
use crate::number::{Const, Flag, Sig, U};
use crate::register::Reg;
use rust_hdl::prelude::*;

/// Cycles to a word of M or of a table: more than any of them takes.
pub const LATENCY: usize = 7;
/// Bits that count them.
const AGE_BITS: u32 = 3;

block! {
    /// See the module's text.
    pub struct Peek {
        inputs {
            /// Synchronous reset.
            reset: Flag<In>,
            /// A word, please.
            ask: Flag<In>,
            /// Of a bank.
            bank: Flag<In>,
            /// Which.
            address: Sig<In, U>,
            /// The chain holds the pass.
            captured: Flag<In>,
        }
        outputs {
            /// A word is on its way.
            active: Flag<Out>,
            /// The other memories read.
            read: Flag<Out>,
            /// The array multiplies.
            pair: Flag<Out>,
            /// Pair of bank words.
            row: Sig<Out, U>,
            /// The second of them.
            odd: Flag<Out>,
            /// Next lane.
            shift: Flag<Out>,
            /// The word is there.
            done: Flag<Out>,
        }
        parts {
            active_r: Reg<bool>,
            waits: Reg<bool>,
            age: Reg<U>,
            left: Reg<U>,
        }
        locals {
            begins: Flag<Local>,
            ends: Flag<Local>,
            one: Const<U>,
            lane_shift: Const<U>,
            last_age: Const<U>,
            zero: Const<U>,
        }
    }
}

impl Peek {
    /// For banks of 2^`bank_bits` words and 2^`lane_bits` lanes.
    pub fn new(bank_bits: u32, lane_bits: u32) -> Self {
        Peek {
            clock: Signal::default(),
            reset: Flag::default(),
            ask: Flag::default(),
            bank: Flag::default(),
            address: Sig::new(24),
            captured: Flag::default(),
            active: Flag::default(),
            read: Flag::default(),
            pair: Flag::default(),
            row: Sig::new(bank_bits - 1),
            odd: Flag::default(),
            shift: Flag::default(),
            done: Flag::default(),
            active_r: Reg::default(),
            waits: Reg::default(),
            age: Reg::new(AGE_BITS),
            left: Reg::new(lane_bits),
            begins: Flag::default(),
            ends: Flag::default(),
            one: Const::natural(1),
            lane_shift: Const::natural(16),
            last_age: Const::natural(LATENCY as u64),
            zero: Const::natural(0),
            activity: Default::default(),
        }
    }
}

impl Logic for Peek {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, active_r, waits, age, left);
        self.begins.next = self.ask.val() && !self.active_r.q.val();
        self.ends.next = self.active_r.q.val()
            && !self.waits.q.val()
            && (self.left.q.val() == 0)
            && (self.bank.val() || (self.age.q.val() == self.last_age.val()));
        self.row.next = (self.address.val() >> self.one.val().index()).into();
        self.odd.next = self.address.val().get_bit(0);
        self.pair.next = self.begins.val() && self.bank.val();
        self.read.next = self.active_r.q.val() && !self.bank.val();
        self.shift.next = self.active_r.q.val() && !self.waits.q.val() && !(self.left.q.val() == 0);
        self.age.d.next = (self.age.q.val() + 1).into();
        if self.begins.val() {
            self.waits.d.next = self.bank.val();
            self.age.d.next = self.one.val();
            self.left.d.next = self.zero.val();
            if self.bank.val() {
                self.left.d.next = (self.address.val() >> self.lane_shift.val().index()).into();
            }
        }
        if self.captured.val() {
            self.waits.d.next = false;
        }
        if self.shift.val() {
            self.left.d.next = (self.left.q.val() - 1).into();
        }
        // (A core that never asks has nothing of this left after synthesis.)
        self.active_r.d.next = self.ask.val() && !self.ends.val() && !self.reset.val();
        self.active.next = self.active_r.q.val();
        self.done.next = self.ends.val();
    }
}

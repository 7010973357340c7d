//! The array: P lanes that multiply one broadcast operand with a word of each one's bank and accumulate; sums leave by a shift chain.
//!
//! | port | width | at cycle | |
//! |---|---|---|---|
//! | reset | 1 | 0 | sums begun and passes not yet `captured` are dropped, the chain is undefined until the next `captured`; the first pair may be issued 2 cycles later |
//! | pair | 1 | 0 | two slots start: slot 0 in this cycle, slot 1 in the next. Never in two successive cycles |
//! | bank_row | D − 1 | 0 | slot 0 takes bank word 2·bank_row, slot 1 the next |
//! | mac_even, mac_odd | 1, 1 | 0 | slot 0, slot 1 multiplies; a slot that does not adds nothing |
//! | last | 1 | 0 | slot 1 ends the pass: the next pair starts new sums, without a gap |
//! | x_even, x_odd | W, W | 2 | operands of slot 0, slot 1 |
//! | bank_write$l | 1 each lane | any | store into lane l's bank |
//! | bank_address, bank_data$g | D, W each of G | with `bank_write` | lane l takes word l mod G |
//! | shift | 1 | any | `word` is the next lane's in the next cycle, zeros after the last; not between a pass's end and its `captured` |
//! | word | A | | sum of the lane at the chain's head |
//! | captured | 1 | [`Array::latency`] after the `pair` with `last` | the chain holds the pass's sums, `word` is lane 0's |
//! | capturing | 1 | a cycle before `captured` | |
//! | busy | 1 | 3, 4 | slot 0, slot 1 multiplies in the first block (statistics: P products) |
//!
//! A pass captures over what the chain still holds: the user shifts all he wants before the next pass's `captured` less the block count + 2.
//! A word written at cycle t is seen by pairs issued at t − r and later (r = 0 with a register in front of the writes, on ECP5, else 1), not by those
//! issued at t − 3 − r and before; a word that a pair issued at t − 1 − r (slot 1: t − 2 − r) fetches must not be written at t (the model stops the
//! simulation).
//! Sums are exact modulo 2^A; A ≥ 2W, chosen by the user so that no sum overflows.
//!
//! **Stages**, for the first block (s = [`ArrayConfig::sum_stage`]):
//!
//! | cycle | 0 | 1 | 2 | 3 | … | s | s + 1 | s + 2 | s + 3 | s + 4 |
//! |---|---|---|---|---|---|---|---|---|---|---|
//! | slot 0 | inputs | registers | bank address, x at the inputs | x, bank word | multiplier | product, low add | high add | | | |
//! | slot 1 | | | | bank address | x, bank word | | product, low add | low captured | high captured | `captured` |
//!
//! Lanes stand in blocks of `block`; operand, address, control and writes travel from block to block by a register each, so every block
//! runs one cycle behind the one before and no net drives more than a block. s = 6 (W > 8) or 5 on iCE40 and generic, 8 or 7 on ECP5, which
//! has a register more behind the bank and behind the product.
//!
//! ```
//! use astromorph_hdl::{engine::array::*, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let config = ArrayConfig { lanes: 2, width: 8, acc_bits: 20, bank_depth: 16, groups: 2, block: 2, target: Target::Generic };
//! assert_eq!(Array::latency(&config), 9);
//! let mut m = Array::new(config).unwrap();
//! m.connect_all();
//! let mut cycle = |m: &mut Array| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! for (at, words) in [(4, [3, -5]), (5, [7, 100])] {
//!     for l in 0..2 { m.bank_write[l].next = true; m.bank_data[l].next = S::new(words[l]); }
//!     m.bank_address.next = U::new(at);
//!     cycle(&mut m);
//! }
//! for l in 0..2 { m.bank_write[l].next = false; }
//! (m.pair.next, m.bank_row.next, m.mac_even.next, m.mac_odd.next, m.last.next) = (true, U::new(2), true, true, true);
//! cycle(&mut m);
//! m.pair.next = false;
//! cycle(&mut m);
//! (m.x_even.next, m.x_odd.next) = (S::new(10), S::new(-1));
//! for _ in 2..9 { assert!(!m.captured.val()); cycle(&mut m); }
//! assert!(m.captured.val());
//! assert_eq!(m.word.val().get(), 3 * 10 - 7);
//! m.shift.next = true;
//! cycle(&mut m);
//! assert_eq!(m.word.val().get(), -5 * 10 - 100);
//! ```

mod config;
mod emit;

use crate::block::Activity;
use crate::leaf;
use crate::number::{Flag, S, Sig, U, natural_bits};
use astromorph::Result;
pub use config::{ArrayConfig, ONE_CHAIN};
use rust_hdl::prelude::*;

/// What the first register stage holds of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Issue {
    reset: bool,
    pair: bool,
    row: usize,
    even: bool,
    odd: bool,
    last: bool,
}

/// The slot at the banks' address.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Slot {
    first: bool,
    mac: bool,
    /// The second slot of the pair multiplies.
    odd: bool,
    address: usize,
    last: bool,
    reset: bool,
}

/// A bank write on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Write {
    lanes: u128,
    address: usize,
    data: [i32; 4],
}

/// See the module's text.
pub struct Array {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Drop what has begun.
    pub reset: Flag<In>,
    /// Two slots start.
    pub pair: Flag<In>,
    /// Their bank words.
    pub bank_row: Sig<In, U>,
    /// Slot 0 multiplies.
    pub mac_even: Flag<In>,
    /// Slot 1 multiplies.
    pub mac_odd: Flag<In>,
    /// Slot 1 ends the pass.
    pub last: Flag<In>,
    /// Operand of slot 0.
    pub x_even: Sig<In, S>,
    /// Operand of slot 1.
    pub x_odd: Sig<In, S>,
    /// Store into these lanes' banks.
    pub bank_write: Vec<Flag<In>>,
    /// Where to.
    pub bank_address: Sig<In, U>,
    /// What.
    pub bank_data: Vec<Sig<In, S>>,
    /// Next lane, please.
    pub shift: Flag<In>,
    /// Sum at the chain's head.
    pub word: Sig<Out, S>,
    /// The chain holds a new pass.
    pub captured: Flag<Out>,
    /// `captured` a cycle later, unless a reset comes between.
    pub capturing: Flag<Out>,
    /// A slot multiplies.
    pub busy: Flag<Out>,
    config: ArrayConfig,
    /// Word `address` of lane l is element `address · P + l`.
    banks: Vec<i32>,
    sums: Vec<i64>,
    /// Sums of passes that ended and are not captured yet, oldest at `oldest`.
    ended: Vec<Vec<i64>>,
    oldest: usize,
    waiting: usize,
    shadow: Vec<i64>,
    head: usize,
    /// Halves of `word`, the high one already at its place.
    word_low: i64,
    word_high: i64,
    issue: Issue,
    slot: Slot,
    write: Write,
    x_second: i64,
    /// Ends of passes on their way: bit n is n + 3 cycles after the issue of the pass's last pair.
    ends: u128,
    resetting: bool,
    /// Edges left in which something may move.
    awake: usize,
    activity: Activity,
}

impl Array {
    /// An array of the sizes given.
    pub fn new(config: ArrayConfig) -> Result<Self> {
        config.check()?;
        let (address, w) = (config.address_bits(), config.width);
        Ok(Array {
            clock: Signal::default(),
            reset: Flag::default(),
            pair: Flag::default(),
            bank_row: Sig::new(natural_bits(config.bank_depth as u64 / 2 - 1)),
            mac_even: Flag::default(),
            mac_odd: Flag::default(),
            last: Flag::default(),
            x_even: Sig::new(w),
            x_odd: Sig::new(w),
            bank_write: (0..config.lanes).map(|_| Flag::default()).collect(),
            bank_address: Sig::new(address),
            bank_data: (0..config.groups).map(|_| Sig::new(w)).collect(),
            shift: Flag::default(),
            word: Sig::new(config.acc_bits),
            captured: Flag::default(),
            capturing: Flag::default(),
            busy: Flag::default(),
            config,
            banks: vec![0; config.lanes << address],
            sums: vec![0; config.lanes],
            ended: vec![vec![0; config.lanes]; config.sum_stage()],
            oldest: 0,
            waiting: 0,
            shadow: vec![0; config.lanes],
            head: 0,
            word_low: 0,
            word_high: 0,
            issue: Issue::default(),
            slot: Slot::default(),
            write: Write::default(),
            x_second: 0,
            ends: 0,
            resetting: false,
            awake: 0,
            activity: Activity::default(),
        })
    }

    /// Cycles from the issue of a pass's last pair to `captured`.
    pub fn latency(config: &ArrayConfig) -> usize {
        config.sum_stage() + 3 + config.blocks()
    }

    /// Bits in the banks.
    pub fn memory_bits(&self) -> usize {
        self.config.lanes * self.config.bank_depth * self.config.width as usize
    }

    // All blocks are simulated as if they ran with the first: each does the same as the one before, a cycle later, with operands, addresses
    // and bank writes alike, and what a block does shows outside only by lane 0 and, when all have captured, by the chain.
    #[inline(always)]
    fn edge(&mut self) -> bool {
        let drained = self.drain();
        if !self.config.write_register() {
            self.see_writes();
        }
        let multiplied = self.multiply();
        let took = self.take();
        if drained || multiplied || took {
            self.awake = Self::latency(&self.config) + 1;
        }
        self.awake = self.awake.saturating_sub(1);
        self.awake > 0
    }

    /// Shadow chain and its outputs.
    #[inline(always)]
    fn drain(&mut self) -> bool {
        let (s, blocks) = (self.config.sum_stage(), self.config.blocks());
        let (low_bits, high_bits) = self.config.halves();
        let low_mask = if high_bits > 0 { (1i64 << low_bits) - 1 } else { -1 };
        let shift = self.shift.val();
        if shift {
            let capturing = ((1u128 << (blocks + 1)) - 1) << (s - 1);
            assert!(self.ends & capturing == 0, "shift while the lanes capture");
            self.head += 1;
            let word = self.shadow.get(self.head).copied().unwrap_or(0);
            (self.word_low, self.word_high) = (word & low_mask, word & !low_mask);
        }
        if self.ends >> (s - 1) & 1 == 1 {
            self.word_low = self.ended[self.oldest][0] & low_mask;
        }
        if self.ends >> s & 1 == 1 {
            std::mem::swap(&mut self.shadow, &mut self.ended[self.oldest]);
            self.oldest = (self.oldest + 1) % self.ended.len();
            self.waiting -= 1;
            self.head = 0;
            self.word_high = self.shadow[0] & !low_mask;
        }
        self.captured.next = !self.reset.val() && self.ends >> (s + blocks - 1) & 1 == 1;
        self.capturing.next = !self.reset.val() && self.ends >> (s + blocks - 2) & 1 == 1;
        self.word.next = S::new(self.word_high | self.word_low);
        shift
    }

    /// The slot at the banks' address, from operand to sum.
    #[inline(always)]
    fn multiply(&mut self) -> bool {
        let Slot {
            first, mac, address, ..
        } = self.slot;
        let lanes = self.config.lanes;
        self.busy.next = mac;
        if mac {
            assert!(
                self.write.lanes == 0 || self.write.address != address,
                "read and write of one bank word at one edge: address {address}"
            );
            let x = if first { self.x_even.val().get() } else { self.x_second };
            let words = &self.banks[address * lanes..(address + 1) * lanes];
            for (sum, &word) in self.sums.iter_mut().zip(words) {
                *sum = sum.wrapping_add(x * word as i64);
            }
        }
        self.x_second = self.x_odd.val().get();
        // Bit 0 stands for the slot in this cycle.
        if self.ends & 1 == 1 {
            let n = self.ended.len();
            std::mem::swap(&mut self.sums, &mut self.ended[(self.oldest + self.waiting) % n]);
            self.waiting += 1;
        }
        if self.ends & 1 == 1 || self.resetting {
            self.sums.fill(0);
        }
        mac
    }

    /// The bank writes at the ports.
    #[inline(always)]
    fn see_writes(&mut self) {
        self.write.lanes = 0;
        for (l, flag) in self.bank_write.iter().enumerate() {
            self.write.lanes |= (flag.val() as u128) << l;
        }
        self.write.address = self.bank_address.val().index();
        for (word, data) in self.write.data.iter_mut().zip(&self.bank_data) {
            *word = data.val().get() as i32;
        }
    }

    /// Bank writes and new inputs.
    #[inline(always)]
    fn take(&mut self) -> bool {
        let Write { lanes, address, data } = self.write;
        let mut left = lanes;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            self.banks[address * self.config.lanes + lane] = data[lane % self.config.groups];
            left &= left - 1;
        }
        if self.config.write_register() {
            self.see_writes();
        } else {
            self.write.lanes = 0;
        }
        let Issue {
            reset,
            pair,
            row,
            even,
            odd,
            last,
        } = self.issue;
        self.ends = self.ends << 1 | self.slot.last as u128;
        self.resetting = self.slot.reset;
        self.slot = Slot {
            first: pair,
            mac: pair && even || self.slot.odd,
            odd: pair && odd,
            address: if pair { row << 1 } else { self.slot.address | 1 },
            last: pair && last,
            reset,
        };
        self.issue = Issue {
            reset: self.reset.val(),
            pair: self.pair.val(),
            row: self.bank_row.val().index(),
            even: self.mac_even.val(),
            odd: self.mac_odd.val(),
            last: self.last.val(),
        };
        if self.reset.val() {
            (self.issue.pair, self.slot.last, self.ends, self.waiting) = (false, false, 0, 0);
        }
        assert!(!(pair && self.issue.pair), "pairs in two successive cycles");
        pair || reset || self.issue.pair || self.issue.reset || lanes != 0 || self.write.lanes != 0 || self.ends != 0
    }
}

leaf!([] Array;
    inputs: reset, pair, bank_row, mac_even, mac_odd, last, x_even, x_odd, bank_write, bank_address, bank_data, shift;
    outputs: word, captured, capturing, busy);

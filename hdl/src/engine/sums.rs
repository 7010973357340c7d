//! Column sums over the rows of a step: s of the calcium, and pooling. Read, add, store; at most a word every 2 cycles.
//!
//! | port | width | |
//! |---|---|---|
//! | start, base, fresh | 1, 12, 1 | before the step's first word: pointers to `base`; `fresh`: the first row starts from 0 |
//! | valid, word, row_last | 1, SW, 1 | column after column |
//! | sum_valid, sum | 1, 32 | the new sum, 3 cycles later (stored at the end of that cycle) |
//! | scan, scan_column | 1, 12 | read sums[base + column], while no word is summed |
//! | scan_word | 32 | [`SCAN_LATENCY`] cycles later |
//!
//! Rows have at least two columns: the memory's word is fetched ahead, right after the word before it.
//!
//! ```
//! use astromorph_hdl::{engine::sums::Sums, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut s = Sums::new(16, 16, Target::Generic).unwrap();
//! s.connect_all();
//! let mut seen = Vec::new();
//! let mut cycle = |s: &mut Sums, seen: &mut Vec<i64>| {
//!     for level in [true, false] { s.clock.next.clk = level; simulate(s, 10); }
//!     if s.sum_valid.val() { seen.push(s.sum.val().get()); }
//! };
//! (s.start.next, s.base.next, s.fresh.next) = (true, U::new(3), true);
//! cycle(&mut s, &mut seen);
//! s.start.next = false;
//! for n in 0..4 {                                             // rows (5, −6), (10, 20)
//!     s.valid.next = false;
//!     cycle(&mut s, &mut seen);
//!     (s.valid.next, s.word.next, s.row_last.next) = (true, S::new([5, -6, 10, 20][n]), n % 2 == 1);
//!     cycle(&mut s, &mut seen);
//! }
//! s.valid.next = false;
//! cycle(&mut s, &mut seen);
//! cycle(&mut s, &mut seen);
//! assert_eq!(seen, [5, -6, 15, 14]);
//! ```

use super::table_ram::TableRam;
use crate::block;
use crate::check;
use crate::multiply::Target;
use crate::number::{Flag, S, Sig, U};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from scan to scan_word.
pub const SCAN_LATENCY: usize = 3;
/// Width of a sum.
pub const SUM_BITS: u32 = 32;
/// Width of an address in a program.
pub const ADDRESS_BITS: u32 = 12;

block! {
    /// See the module's text.
    pub struct Sums {
        inputs {
            /// Pointers to the base.
            start: Flag<In>,
            /// First word.
            base: Sig<In, U>,
            /// The first row starts from 0.
            fresh: Flag<In>,
            /// A word to be added.
            valid: Flag<In>,
            /// The word.
            word: Sig<In, S>,
            /// It is its row's last.
            row_last: Flag<In>,
            /// Read a sum.
            scan: Flag<In>,
            /// Which.
            scan_column: Sig<In, U>,
        }
        outputs {
            /// A sum is being stored.
            sum_valid: Flag<Out>,
            /// It.
            sum: Sig<Out, S>,
            /// The sum read.
            scan_word: Sig<Out, S>,
        }
        parts {
            memory: TableRam<S>,
            pointer: Reg<U>,
            stored: Reg<U>,
            ahead: Reg<bool>,
            first_row: Reg<bool>,
            renewed: Reg<S>,
            word_r: Reg<S>,
            valid_1: Reg<bool>,
            valid_2: Reg<bool>,
            last_1: Reg<bool>,
            valid_3: Reg<bool>,
            scanned: Reg<U>,
            scan_1: Reg<bool>,
        }
        locals {}
    }
}

impl Sums {
    /// `words` sums of words of `bits`.
    pub fn new(words: usize, bits: u32, target: Target) -> Result<Self> {
        check::range("sums.words", words, 2, 1 << ADDRESS_BITS)?;
        check::range("sums.word.width", bits, 1, SUM_BITS)?;
        // A power of two: no address of a program leaves the memory's model.
        let memory = TableRam::registered("sums", words.next_power_of_two(), SUM_BITS, target)?;
        let address = memory.read_address.width();
        Ok(Sums {
            clock: Signal::default(),
            start: Flag::default(),
            base: Sig::new(ADDRESS_BITS),
            fresh: Flag::default(),
            valid: Flag::default(),
            word: Sig::new(bits),
            row_last: Flag::default(),
            scan: Flag::default(),
            scan_column: Sig::new(ADDRESS_BITS),
            sum_valid: Flag::default(),
            sum: Sig::new(SUM_BITS),
            scan_word: Sig::new(SUM_BITS),
            memory,
            pointer: Reg::new(address),
            stored: Reg::new(address),
            ahead: Reg::default(),
            first_row: Reg::default(),
            renewed: Reg::new(SUM_BITS),
            word_r: Reg::new(bits),
            valid_1: Reg::default(),
            valid_2: Reg::default(),
            last_1: Reg::default(),
            valid_3: Reg::default(),
            scanned: Reg::new(address),
            scan_1: Reg::default(),
            activity: Default::default(),
        })
    }
}

impl Logic for Sums {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, pointer, stored, ahead, first_row, renewed, word_r, valid_1, valid_2, valid_3, last_1,
            scanned, scan_1
        );
        clock!(self, clock, memory);
        // 0: the word; it stays for two cycles.
        self.word_r.d.next = self.word_r.q.val();
        if self.valid.val() {
            self.word_r.d.next = self.word.val();
        }
        self.valid_1.d.next = self.valid.val();
        self.last_1.d.next = self.row_last.val();
        // 1: the sum so far, and the next word's fetch.
        self.ahead.d.next = self.start.val() || self.valid_1.q.val();
        if self.valid_1.q.val() {
            self.stored.d.next = self.pointer.q.val();
            self.pointer.d.next = (self.pointer.q.val() + 1).into();
            if self.last_1.q.val() {
                self.pointer.d.next = self.base.val();
                self.first_row.d.next = false;
            }
        }
        self.scanned.d.next = (self.base.val() + self.scan_column.val()).into();
        self.scan_1.d.next = self.scan.val();
        self.memory.read_enable.next = self.ahead.q.val() || self.scan_1.q.val();
        self.memory.read_address.next = self.pointer.q.val();
        if self.scan_1.q.val() {
            self.memory.read_address.next = self.scanned.q.val();
        }
        self.memory.clear.next = self.valid_1.q.val() && self.first_row.q.val();
        // 2: the new one.
        self.renewed.d.next = (self.memory.q.val() + self.word_r.q.val()).into();
        self.valid_2.d.next = self.valid_1.q.val();
        self.valid_3.d.next = self.valid_2.q.val();
        // 3: stored.
        self.memory.write_enable.next = self.valid_3.q.val();
        self.memory.write_address.next = self.stored.q.val();
        self.memory.write_data.next = self.renewed.q.val();
        if self.start.val() {
            self.pointer.d.next = self.base.val();
            self.first_row.d.next = self.fresh.val();
        }
        self.sum_valid.next = self.valid_3.q.val();
        self.sum.next = self.renewed.q.val();
        self.scan_word.next = self.memory.q.val();
    }
}

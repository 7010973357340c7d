//! The mantissa tables (power, reciprocal, 1/√) and the way from a split number to a word of them.
//!
//! | port | width | |
//! |---|---|---|
//! | exponent, fraction | 6, F | a number's [`split`](super::split); the fraction stands for two cycles |
//! | minimum | 6 | the least exponent: below it the number counts as 2^minimum; 0 with `whole` or `parity` |
//! | whole, parity | 1, 1 | table index E·2^T + mantissa; (E mod 2)·2^T + mantissa; neither: the mantissa |
//! | base, bits | 16, 4 | first word of the table, T: at most F |
//! | | | these six stand still from a cycle before a number that is looked up to its word |
//! | fetch | 1 | [`fetch`] cycles after exponent and fraction: this one is wanted |
//! | limited | 6 | E after the limit, 1 cycle later |
//! | word | SW signed | [`LATENCY`] cycles later; holds until the next fetch, unknown before the first |
//! | table_write, table_address, table_data | 1, 16, SW | load |
//! | table_read | 1 | `word` is that of `table_address`, from 2 cycles later on as long as it is asked for; not while numbers are inside |
//!
//! On ECP5 the memory has a register behind it in place of the one before it.
//!
//! ```
//! use astromorph_hdl::{engine::mantissa::{LATENCY, Mantissa}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Mantissa::new("mantissa", 64, 16, Target::Generic).unwrap();
//! m.connect_all();
//! let mut cycle = |m: &mut Mantissa| for level in [true, false] { m.clock.next.clk = level; simulate(m, 10); };
//! // Table of T = 2 at word 8; 6 = 2^2·(1 + 2/4) is word 8 + 2.
//! (m.table_write.next, m.table_address.next, m.table_data.next) = (true, U::new(10), S::new(21845));
//! cycle(&mut m);
//! m.table_write.next = false;
//! (m.exponent.next, m.fraction.next, m.base.next, m.bits.next) = (U::new(2), U::new(0b100000), U::new(8), U::new(2));
//! m.fetch.next = true;
//! for _ in 0..LATENCY { cycle(&mut m); }
//! assert_eq!((m.word.val().get(), m.limited.val().get()), (21845, 2));
//! ```

use super::split::EXPONENT_BITS;
use super::table_ram::{TableRam, direct_latency};
use crate::block;
use crate::check;
use crate::multiply::Target;
use crate::number::{Const, Flag, S, Sig, U, natural_bits};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from exponent and fraction to `fetch`.
pub fn fetch(target: Target) -> usize {
    LATENCY - direct_latency(target)
}
/// Cycles from exponent and fraction to the word.
pub const LATENCY: usize = 4;
/// Width of a table address in a program.
pub const TABLE_BITS: u32 = 16;

block! {
    /// See the module's text.
    pub struct Mantissa {
        inputs {
            /// E.
            exponent: Sig<In, U>,
            /// The bits after the leading one.
            fraction: Sig<In, U>,
            /// Least E.
            minimum: Sig<In, U>,
            /// The index has all of E.
            whole: Flag<In>,
            /// The index has E's lowest bit.
            parity: Flag<In>,
            /// First word.
            base: Sig<In, U>,
            /// T.
            bits: Sig<In, U>,
            /// Read the table.
            fetch: Flag<In>,
            /// Store.
            table_write: Flag<In>,
            /// Read `table_address` instead.
            table_read: Flag<In>,
            /// Where to.
            table_address: Sig<In, U>,
            /// What.
            table_data: Sig<In, S>,
        }
        outputs {
            /// E, at least `minimum`.
            limited: Sig<Out, U>,
            /// The table's word.
            word: Sig<Out, S>,
        }
        parts {
            limited_r: Reg<U>,
            below: Reg<bool>,
            minimum_r: Reg<U>,
            whole_r: Reg<bool>,
            parity_r: Reg<bool>,
            coarse: Reg<U>,
            fine: Reg<U>,
            base_r: Reg<U>,
            index: Reg<U>,
            address: Reg<U>,
            words: TableRam<S>,
        }
        locals {
            above: Sig<Local, U>,
            joined: Sig<Local, U>,
            down: Sig<Local, U>,
            placed: Sig<Local, U>,
            fraction_bits: Const<U>,
            far: Const<bool>,
            one: Const<U>,
            three: Const<U>,
            twelve: Const<U>,
            zero: Const<U>,
            place: Sig<Local, U>,
            soon: Const<bool>,
        }
    }
}

/// F: bits of the largest mantissa whose table may fit `words`.
pub fn fraction_bits(words: usize) -> u32 {
    natural_bits(words as u64 - 1).clamp(1, 15)
}

impl Mantissa {
    /// `words` of `bits`; `name` is for errors.
    pub fn new(name: &str, words: usize, bits: u32, target: Target) -> Result<Self> {
        check::range(&format!("{name}.words"), words, 2, 1 << TABLE_BITS)?;
        let f = fraction_bits(words);
        // A power of two: no address of a program leaves the memory's model.
        let words = TableRam::direct(name, words.next_power_of_two(), bits, target)?;
        let address = words.read_address.width();
        Ok(Mantissa {
            clock: Signal::default(),
            exponent: Sig::new(EXPONENT_BITS),
            fraction: Sig::new(f),
            minimum: Sig::new(EXPONENT_BITS),
            whole: Flag::default(),
            parity: Flag::default(),
            base: Sig::new(TABLE_BITS),
            bits: Sig::new(4),
            fetch: Flag::default(),
            table_write: Flag::default(),
            table_read: Flag::default(),
            table_address: Sig::new(TABLE_BITS),
            table_data: Sig::new(bits),
            limited: Sig::new(EXPONENT_BITS),
            word: Sig::new(bits),
            limited_r: Reg::new(EXPONENT_BITS),
            below: Reg::default(),
            minimum_r: Reg::new(EXPONENT_BITS),
            whole_r: Reg::default(),
            parity_r: Reg::default(),
            coarse: Reg::new(4),
            fine: Reg::new(2),
            base_r: Reg::new(address),
            // Up to 3 bits go in the next stage.
            index: Reg::new(address + 3),
            address: Reg::new(address),
            words,
            above: Sig::new(EXPONENT_BITS),
            joined: Sig::new(EXPONENT_BITS + f),
            down: Sig::new(4),
            placed: Sig::new(address),
            fraction_bits: Const::natural(f as u64),
            far: Const::new(1, f >= 12),
            one: Const::natural(1),
            three: Const::natural(3),
            twelve: Const::natural(12),
            zero: Const::natural(0),
            place: Sig::new(address),
            soon: Const::new(1, direct_latency(target) > 1),
            activity: Default::default(),
        })
    }
}

impl Logic for Mantissa {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, limited_r, below, minimum_r, whole_r, parity_r, coarse, fine, base_r, index, address
        );
        clock!(self, clock, words);
        // What stands still, a cycle late.
        self.minimum_r.d.next = self.minimum.val();
        self.whole_r.d.next = self.whole.val();
        self.parity_r.d.next = self.parity.val();
        self.base_r.d.next = self.base.val();
        self.down.next = (self.fraction_bits.val() - self.bits.val()).into();
        self.coarse.d.next = (self.down.val() & self.twelve.val()).into();
        self.fine.d.next = (self.down.val() & self.three.val()).into();
        // 1: the limit.
        self.limited_r.d.next = self.exponent.val();
        self.below.d.next = self.exponent.val() < self.minimum_r.q.val();
        if self.exponent.val() < self.minimum_r.q.val() {
            self.limited_r.d.next = self.minimum_r.q.val();
        }
        self.limited.next = self.limited_r.q.val();
        // 2: the point goes from F to T bits.
        self.above.next = self.zero.val();
        if self.whole_r.q.val() {
            self.above.next = self.limited_r.q.val();
        }
        if self.parity_r.q.val() {
            self.above.next = (self.limited_r.q.val() & self.one.val()).into();
        }
        self.joined.next = ((self.above.val() << self.fraction_bits.val().index()) | self.fraction.val()).into();
        self.index.d.next = self.joined.val();
        if self.coarse.q.val().get_bit(3) {
            self.index.d.next = (self.joined.val() >> 8).into();
            // (Not asked of less than 12 bits, which spares a third source.)
            if self.far.val() && self.coarse.q.val().get_bit(2) {
                self.index.d.next = (self.joined.val() >> 12).into();
            }
        } else {
            if self.coarse.q.val().get_bit(2) {
                self.index.d.next = (self.joined.val() >> 4).into();
            }
        }
        if self.below.q.val() {
            self.index.d.next = self.zero.val();
        }
        // 3: the table's place.
        self.placed.next = (self.index.q.val() >> self.fine.q.val().index()).into();
        self.place.next = (self.placed.val() + self.base_r.q.val()).into();
        self.address.d.next = self.place.val();
        self.words.clear.next = false;
        self.words.read_enable.next = self.fetch.val();
        self.words.read_address.next = self.address.q.val();
        if self.soon.val() {
            self.words.read_address.next = self.place.val();
        }
        if self.table_read.val() {
            self.words.read_address.next = self.table_address.val();
            self.words.read_enable.next = true;
        }
        self.words.write_enable.next = self.table_write.val();
        self.words.write_address.next = self.table_address.val();
        self.words.write_data.next = self.table_data.val();
        self.word.next = self.words.q.val();
    }
}

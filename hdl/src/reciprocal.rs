//! P = 1/C: the lower limit of C, its exponent, and the reciprocal of its mantissa by a table (`docs/arithmetic.md` section 5).
//!
//! | port | width | |
//! |---|---|---|
//! | capture | 1 | take c |
//! | c | C's width | |
//! | limited | C's width | max(c, c_min), latency 1, held |
//! | shift | 7 | E + offset, latency 4 |
//! | r | 16 | table word, latency 4: 1/C ≈ r·2^(−15−E) |
//!
//! Outputs hold until the next capture has passed through.
//!
//! ```
//! use astromorph_hdl::{number::*, reciprocal::Reciprocal};
//! use rust_hdl::prelude::*;
//! let table = astromorph::table::reciprocal(4);
//! let mut u = Reciprocal::new("reciprocal", 20, 4, 2, &table).unwrap();
//! u.connect_all();
//! (u.capture.next, u.c.next) = (true, S::new(24));           // 16·1.5: E = 4, mantissa 8
//! for _ in 0..4 { for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); } }
//! assert_eq!((u.shift.val().get(), u.r.val().get()), (6, table[8] as i64));
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U, signed_bits};
use crate::register::Reg;
use crate::rom::Rom;
use crate::split::{self, Split};
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

/// Cycles from capture to `shift` and `r`.
pub const LATENCY: usize = 1 + split::LATENCY + 1;

/// Width of `shift`.
pub const SHIFT_BITS: u32 = 7;

block! {
    /// See the module's text.
    pub struct Reciprocal {
        inputs {
            /// Take c.
            capture: Flag<In>,
            /// Calcium response.
            c: Sig<In, S>,
        }
        outputs {
            /// C with its lower limit.
            limited: Sig<Out, S>,
            /// The normaliser's shift.
            shift: Sig<Out, U>,
            /// Reciprocal of the mantissa.
            r: Sig<Out, S>,
        }
        parts {
            held: Reg<S>,
            split: Split,
            lookup: Rom,
            amount: Reg<U>,
        }
        locals {
            c_min: Const<S>,
            offset: Const<U>,
        }
    }
}

impl Reciprocal {
    /// For C of `c_bits` with sign and a table of 2^T words; `offset` is added to the exponent, modulo 2^7: the sum is never negative for
    /// C ≥ `c_min`. `name` is for errors.
    pub fn new(name: &str, c_bits: u32, c_min: i64, offset: i32, table: &[i32]) -> Result<Self> {
        check::range(&format!("{name}.c.width"), c_bits, 2, 64)?;
        check::range(&format!("{name}.c_min"), signed_bits(c_min), 2, c_bits)?;
        let lowest = 63 - c_min.leading_zeros() as i32;
        check::range(&format!("{name}.offset"), offset, -lowest, 127 - c_bits as i32)?;
        let mantissa = table.len().checked_ilog2().unwrap_or(0);
        if mantissa < 1 || !table.len().is_power_of_two() {
            return Err(Error::field(
                format!("{name}.table"),
                "2^1 words or a larger power of two",
                table.len(),
            ));
        }
        let modulus = 1i64 << SHIFT_BITS;
        Ok(Reciprocal {
            clock: Signal::default(),
            capture: Flag::default(),
            c: Sig::new(c_bits),
            limited: Sig::new(c_bits),
            shift: Sig::new(SHIFT_BITS),
            r: Sig::new(16),
            held: Reg::new(c_bits),
            split: Split::new(name, c_bits, mantissa)?,
            lookup: Rom::new(name, table, 16)?,
            amount: Reg::new(SHIFT_BITS),
            c_min: Const::new(c_bits, S::new(c_min)),
            offset: Const::new(SHIFT_BITS, U::new((offset as i64).rem_euclid(modulus) as u64)),
            activity: Default::default(),
        })
    }

    /// Bits of table.
    pub fn table_bits(&self) -> usize {
        self.lookup.bits()
    }
}

impl Logic for Reciprocal {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, amount);
        clock!(self, clock, split, lookup);
        if self.capture.val() {
            self.held.d.next = self.c.val();
            if self.c.val() < self.c_min.val() {
                self.held.d.next = self.c_min.val();
            }
        }
        self.split.x.next = self.held.q.val();
        self.lookup.address.next = self.split.mantissa.val();
        self.amount.d.next = (self.split.exponent.val() + self.offset.val()).into();
        self.limited.next = self.held.q.val();
        self.shift.next = self.amount.q.val();
        self.r.next = self.lookup.data.val();
    }
}

//! φ(x) = elu(x) + 1 (`docs/arithmetic.md` section 2): x + 1 requantised where x ≥ 0, the exponential's table where x < 0.
//!
//! | port | width, format | |
//! |---|---|---|
//! | x | W, `fi` | |
//! | y | W, `fo` | latency 2 |
//!
//! ```
//! use astromorph::{format::Format, table};
//! use astromorph_hdl::{number::*, phi::Phi};
//! use rust_hdl::prelude::*;
//! let f = Format::new(16, 8);
//! let mut phi = Phi::new("phi_k", f, f, &table::phi(f, f, 10)).unwrap();
//! phi.connect_all();
//! phi.x.next = S::new(512);                      // 2.0
//! for level in [true, false, true] { phi.clock.next.clk = level; simulate(&mut phi, 10); }
//! assert_eq!(phi.y.val(), S::new(768));          // 3.0
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use crate::rom::Rom;
use crate::round::{Round, Rounding};
use astromorph::format::Format;
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

/// Cycles from x to y.
pub const LATENCY: usize = 2;

block! {
    /// See the module's text.
    pub struct Phi {
        inputs {
            /// Argument.
            x: Sig<In, S>,
        }
        outputs {
            /// φ(x).
            y: Sig<Out, S>,
        }
        parts {
            line: Round,
            lookup: Rom,
            negative: Reg<bool>,
            result: Reg<S>,
        }
        locals {
            zero: Const<S>,
            below: Const<U>,
        }
    }
}

impl Phi {
    /// From x's format to y's, with 2^T table words, T < W; `name` is for errors.
    pub fn new(name: &str, fi: Format, fo: Format, table: &[i32]) -> Result<Self> {
        check::range(&format!("{name}.x.width"), fi.bits, 2, 32)?;
        check::range(&format!("{name}.x.frac"), fi.frac, 0, 62)?;
        let index = table.len().checked_ilog2().unwrap_or(0);
        if index < 1 || index >= fi.bits || !table.len().is_power_of_two() {
            return Err(Error::field(
                format!("{name}.table"),
                format!("2^1 to 2^{} words", fi.bits - 1),
                table.len(),
            ));
        }
        let one = 1i64 << fi.frac;
        let rounding = Rounding::new(name, fi.bits, one, fi.frac - fo.frac, 0, fo.min(), fo.max(), fo.bits)?;
        Ok(Phi {
            clock: Signal::default(),
            x: Sig::new(fi.bits),
            y: Sig::new(fo.bits),
            line: Round::new(rounding),
            lookup: Rom::new(name, table, fo.bits)?,
            negative: Reg::default(),
            result: Reg::new(fo.bits),
            zero: Const::new(1, S::new(0)),
            below: Const::natural((fi.bits - 1 - index) as u64),
            activity: Default::default(),
        })
    }

    /// Bits of table.
    pub fn table_bits(&self) -> usize {
        self.lookup.bits()
    }
}

impl Logic for Phi {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, negative, result);
        clock!(self, clock, line, lookup);
        self.line.x.next = self.x.val();
        // The bin of a negative x: the bits right below the sign.
        self.lookup.address.next = (unsigned_cast_of(self.x) >> self.below.val().index()).into();
        self.negative.d.next = self.x.val() < self.zero.val();
        self.result.d.next = self.line.y.val();
        if self.negative.q.val() {
            self.result.d.next = self.lookup.data.val();
        }
        self.y.next = self.result.q.val();
    }
}

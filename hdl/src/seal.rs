//! Seal: H from Z, riding on the store (`docs/arithmetic.md` section 4; Mia et al. (2025) eq. 11 for the sigmoid).
//!
//! | port | width, fraction | |
//! |---|---|---|
//! | z | any, `fz` | |
//! | h | W, `h.frac` | latency 2, whatever the non-linearity |
//!
//! Identity: requant. Hard sigmoid: the shift by 4 and the + 1/2 are part of the rounding's constants. Sigmoid: the rounded value addresses
//! the table, whose output register takes the place of the result's.
//!
//! ```
//! use astromorph::{format::Format, spec::Nonlinearity};
//! use astromorph_hdl::{number::*, seal::Seal};
//! use rust_hdl::prelude::*;
//! let mut seal = Seal::new("seal", 24, 12, Format::new(8, 7), Nonlinearity::HardSigmoid, &[]).unwrap();
//! seal.connect_all();
//! seal.z.next = S::new(4096);                    // 1/4 + 1/2 = 0.75 = 96/128
//! for level in [true, false, true] { seal.clock.next.clk = level; simulate(&mut seal, 10); }
//! assert_eq!(seal.h.val(), S::new(96));
//! ```

use crate::block;
use crate::number::{S, Sig};
use crate::register::Reg;
use crate::rom::Rom;
use crate::round::{Round, Rounding};
use astromorph::format::Format;
use astromorph::spec::Nonlinearity;
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

/// Cycles from z to h.
pub const LATENCY: usize = 2;

block! {
    /// See the module's text.
    pub struct Seal {
        inputs {
            /// Hebbian sum.
            z: Sig<In, S>,
        }
        outputs {
            /// Sealed value.
            h: Sig<Out, S>,
        }
        parts {
            round: Round,
            /// The result's register; none with a table.
            plain: Vec<Reg<S>>,
            /// One table or none.
            table: Vec<Rom>,
        }
        locals {}
    }
}

impl Seal {
    /// From z of `z_bits` and fraction `fz`; `sigmoid` holds the table's words, empty without one. `name` is for errors.
    pub fn new(name: &str, z_bits: u32, fz: i32, h: Format, f: Nonlinearity, sigmoid: &[i32]) -> Result<Self> {
        let w = h.bits;
        if f != Nonlinearity::Identity && (w < 3 || h.frac != w as i32 - 1) {
            return Err(Error::field(
                format!("{name}.h.frac"),
                format!("{} with a sigmoid", w as i64 - 1),
                h.frac,
            ));
        }
        if f == Nonlinearity::Sigmoid && !(sigmoid.len().is_power_of_two() && sigmoid.len() > 1) {
            return Err(Error::field(
                format!("{name}.table"),
                "a power of two of words",
                sigmoid.len(),
            ));
        }
        let top = (1i64 << (w - 1)) - 1;
        let rounding = match f {
            Nonlinearity::Identity => Rounding::requant(name, z_bits, fz, h)?,
            Nonlinearity::HardSigmoid => {
                Rounding::new(name, z_bits, 0, fz + 2 - (w as i32 - 1), 1 << (w - 2), 0, top, w)?
            }
            Nonlinearity::Sigmoid => {
                // u counts from −2^(U−1); as a table index from 0.
                let bits = sigmoid.len().ilog2();
                let words = sigmoid.len() as i64;
                Rounding::new(
                    name,
                    z_bits,
                    0,
                    fz - (bits as i32 - 4),
                    words / 2,
                    0,
                    words - 1,
                    bits + 1,
                )?
            }
        };
        let (plain, table) = if f == Nonlinearity::Sigmoid {
            (Vec::new(), vec![Rom::new(&format!("{name}.table"), sigmoid, w)?])
        } else {
            (vec![Reg::new(w)], Vec::new())
        };
        Ok(Seal {
            clock: Signal::default(),
            z: Sig::new(z_bits),
            h: Sig::new(w),
            round: Round::new(rounding),
            plain,
            table,
            activity: Default::default(),
        })
    }

    /// Bits of table.
    pub fn table_bits(&self) -> usize {
        self.table.iter().map(Rom::bits).sum()
    }
}

impl Logic for Seal {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, round);
        self.round.x.next = self.z.val();
        for i in 0..(self.plain.len()) {
            self.plain[i].clock.next = self.clock.val();
            self.plain[i].d.next = self.round.y.val();
            self.h.next = self.plain[i].q.val();
        }
        for i in 0..(self.table.len()) {
            self.table[i].clock.next = self.clock.val();
            self.table[i].address.next = self.round.y.val().into();
            self.h.next = self.table[i].data.val();
        }
    }
}

//! Calcium power g = s^α by a table over exponent and mantissa, any α (`docs/arithmetic.md` section 4; Mia et al. (2025), calcium response).
//!
//! | port | width | |
//! |---|---|---|
//! | s | W + ⌈log2 N_max⌉, never negative | 0 counts as 1 |
//! | g | SW | table[E·2^T + mantissa], latency 3 |
//!
//! ```
//! use astromorph_hdl::{number::*, power::Power};
//! use rust_hdl::prelude::*;
//! // 8-bit s, T = 1: two words an exponent. s = 6 = 4·1.5: E = 2, mantissa 1.
//! let words: Vec<i32> = (0..14).collect();
//! let mut p = Power::new("power", 8, &words, 1, 16).unwrap();
//! p.connect_all();
//! p.s.next = S::new(6);
//! for level in [true, false, true, false, true] { p.clock.next.clk = level; simulate(&mut p, 10); }
//! assert_eq!(p.g.val(), S::new(5));
//! ```

use crate::block;
use crate::number::{Const, S, Sig, U};
use crate::rom::Rom;
use crate::split::{self, Split};
use astromorph::{Error, Result};
use rust_hdl::prelude::*;

/// Cycles from s to g.
pub const LATENCY: usize = split::LATENCY + 1;

block! {
    /// See the module's text.
    pub struct Power {
        inputs {
            /// Calcium sum.
            s: Sig<In, S>,
        }
        outputs {
            /// s^α.
            g: Sig<Out, S>,
        }
        parts {
            split: Split,
            lookup: Rom,
        }
        locals { mantissa_bits: Const<U> }
    }
}

impl Power {
    /// For s of `s_bits` with sign: the table has (s_bits − 1)·2^T words of `g_bits`; `name` is for errors.
    pub fn new(name: &str, s_bits: u32, table: &[i32], mantissa_bits: u32, g_bits: u32) -> Result<Self> {
        let split = Split::new(name, s_bits, mantissa_bits)?;
        let words = (s_bits as usize - 1) << mantissa_bits;
        if table.len() != words {
            return Err(Error::field(
                format!("{name}.table"),
                format!("{words} words"),
                table.len(),
            ));
        }
        Ok(Power {
            clock: Signal::default(),
            s: Sig::new(s_bits),
            g: Sig::new(g_bits),
            split,
            lookup: Rom::new(name, table, g_bits)?,
            mantissa_bits: Const::natural(mantissa_bits as u64),
            activity: Default::default(),
        })
    }

    /// Bits of table.
    pub fn table_bits(&self) -> usize {
        self.lookup.bits()
    }
}

impl Logic for Power {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, split, lookup);
        self.split.x.next = self.s.val();
        self.lookup.address.next =
            ((self.split.exponent.val() << self.mantissa_bits.val().index()) | self.split.mantissa.val()).into();
        self.g.next = self.lookup.data.val();
    }
}

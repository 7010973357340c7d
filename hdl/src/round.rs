//! Static rounding: where a value leaves an accumulator (`docs/arithmetic.md` section 1), with a constant added before and after.
//!
//! y = clamp(requant(x + before, shift) + after, lo, hi), requant(z, s) = (z + 2^(s−1)) >> s for s > 0, z << −s otherwise.
//!
//! | port | width | |
//! |---|---|---|
//! | x | any | |
//! | y | as declared | latency 1: the sum is registered, shift and clamp follow it; register y where it is used |
//!
//! All constants are folded into one bias, so it costs one adder and two comparisons.
//!
//! ```
//! use astromorph_hdl::{number::*, round::{Round, Rounding}};
//! use rust_hdl::prelude::*;
//! // 1000·2^-8 in a format of 8 bits, 4 of them fraction: 62.5/16, half rounds up.
//! let mut r = Round::new(Rounding::requant("round", 16, 8, astromorph::format::Format::new(8, 4)).unwrap());
//! r.connect_all();
//! r.x.next = S::new(1000);
//! r.clock.next.clk = true;
//! simulate(&mut r, 10);
//! assert_eq!(r.y.val(), S::new(63));
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, S, Sig, U, signed_bits, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use astromorph::format::Format;
use rust_hdl::prelude::*;

/// The constants of one rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// Width of x.
    pub x_bits: u32,
    /// Width of the sum.
    sum_bits: u32,
    /// Width of y.
    pub y_bits: u32,
    left: u32,
    shift: u32,
    bias: i64,
    lo: i64,
    hi: i64,
}

impl Rounding {
    /// For x of `x_bits`; `name` is for errors.
    #[allow(clippy::too_many_arguments)] // the six constants of the law
    pub fn new(
        name: &str,
        x_bits: u32,
        before: i64,
        shift: i32,
        after: i64,
        lo: i64,
        hi: i64,
        y_bits: u32,
    ) -> Result<Self> {
        check::width(&format!("{name}.x"), x_bits as i64)?;
        check::width(&format!("{name}.y"), y_bits as i64)?;
        let far = 1i128 << (x_bits - 1);
        let (low, high) = (before as i128 - far, before as i128 + far - 1);
        // Beyond the width of x + before every value rounds to zero, at that shift as well as at a larger one.
        let widest = low.unsigned_abs().max(high.unsigned_abs()).ilog2() + 2;
        let shift_right = shift.clamp(0, widest as i32) as u32;
        let left = (-shift).max(0) as u32;
        check::range(&format!("{name}.left"), left, 0, 63)?;
        let half = if shift_right > 0 { 1i128 << (shift_right - 1) } else { 0 };
        let bias = ((before as i128) << left) + half + ((after as i128) << shift_right);
        let bits = |x: i128| 129 - if x < 0 { !x } else { x }.leading_zeros();
        let (low, high) = ((-far << left) + bias, ((far - 1) << left) + bias);
        let sum_bits = bits(low).max(bits(high)).max(bits(bias)).max(shift_right + 1);
        check::range(&format!("{name}.sum.width"), sum_bits, 1, 64)?;
        Ok(Rounding {
            x_bits,
            sum_bits,
            y_bits,
            left,
            shift: shift_right,
            bias: bias as i64,
            lo,
            hi,
        })
    }

    /// Plain requantisation of x with fraction `frac` to a format.
    pub fn requant(name: &str, x_bits: u32, frac: i32, to: Format) -> Result<Self> {
        Rounding::new(name, x_bits, 0, frac - to.frac, 0, to.min(), to.max(), to.bits)
    }
}

block! {
    /// See the module's text.
    pub struct Round {
        inputs {
            /// The accumulator.
            x: Sig<In, S>,
        }
        outputs {
            /// Rounded and saturated, one cycle later.
            y: Sig<Out, S>,
        }
        parts { sum: Reg<S> }
        locals {
            shifted: Sig<Local, S>,
            left: Const<U>,
            shift: Const<U>,
            bias: Const<S>,
            lo: Const<S>,
            hi: Const<S>,
        }
    }
}

impl Round {
    /// From its constants.
    pub fn new(r: Rounding) -> Self {
        let constant = |x: i64| Const::new(signed_bits(x), S::new(x));
        Round {
            clock: Signal::default(),
            x: Sig::new(r.x_bits),
            y: Sig::new(r.y_bits),
            sum: Reg::new(r.sum_bits),
            shifted: Sig::new(r.sum_bits - r.shift),
            left: Const::natural(r.left as u64),
            shift: Const::natural(r.shift as u64),
            bias: constant(r.bias),
            lo: constant(r.lo),
            hi: constant(r.hi),
            activity: Default::default(),
        }
    }
}

impl Logic for Round {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, sum);
        self.sum.d.next = ((self.x.val() << self.left.val().index()) + self.bias.val()).into();
        self.shifted.next = (unsigned_cast_of(self.sum.q) >> self.shift.val().index()).into();
        self.y.next = self.shifted.val();
        if self.shifted.val() > self.hi.val() {
            self.y.next = self.hi.val();
        }
        if self.shifted.val() < self.lo.val() {
            self.y.next = self.lo.val();
        }
    }
}

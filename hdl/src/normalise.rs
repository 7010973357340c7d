//! y = num/C: dynround by the run-time shift, times the reciprocal's mantissa, requantised (`docs/arithmetic.md` section 5).
//!
//! | port | width | |
//! |---|---|---|
//! | num | num's width | |
//! | shift | 7 | E + κ + L, together with num |
//! | r | 16 | 3 cycles after its num |
//! | y | W | latency 6 after num: coarse shift, fine shift, round, product, sum, result |
//!
//! One value a cycle, never stalls. A negative number is inverted, shifted with zeros coming in, and inverted back: the same bits as an
//! arithmetic shift. After the fine shift magnitudes above 2^SW are cut to 2^SW, which the saturation that follows cannot tell apart.
//!
//! ```
//! use astromorph::{format::Format, twin::attention::Normaliser};
//! use astromorph_hdl::{multiply::Target, normalise::Normalise, number::*};
//! use rust_hdl::prelude::*;
//! let law = Normaliser::new(8, 8, Format::new(16, 8), 1);
//! let mut u = Normalise::new(&law, 24, Target::Generic).unwrap();
//! u.connect_all();
//! let (num, e, r) = (6 << 8, 9, 32767);                        // 6/2
//! (u.num.next, u.shift.next, u.r.next) = (S::new(num), U::new((e + law.offset) as u64), S::new(r));
//! for _ in 0..6 { for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); } }
//! assert_eq!(u.y.val().get(), law.scale(num, e as u32, r as i32) as i64);
//! ```

use crate::block;
use crate::check;
use crate::multiply::{Multiplier, Target};
use crate::number::{Const, S, Sig, U, unsigned_cast_of};
use crate::reciprocal::SHIFT_BITS;
use crate::register::Reg;
use crate::round::{Round, Rounding};
use astromorph::Result;
use astromorph::format::Format;
use astromorph::twin::attention::Normaliser;
use rust_hdl::prelude::*;

/// Cycles from num to y.
pub const LATENCY: usize = 6;
/// Cycles from num to the use of its r.
pub const R_LATENCY: usize = 3;

block! {
    /// See the module's text.
    pub struct Normalise {
        inputs {
            /// Accumulated numerator.
            num: Sig<In, S>,
            /// Run-time shift.
            shift: Sig<In, U>,
            /// Reciprocal mantissa.
            r: Sig<In, S>,
        }
        outputs {
            /// Quotient.
            y: Sig<Out, S>,
        }
        parts {
            coarse: Reg<U>,
            coarse_negative: Reg<bool>,
            fine_shift: Reg<U>,
            fine: Reg<U>,
            fine_negative: Reg<bool>,
            rounded: Reg<S>,
            multiplier: Multiplier,
            round: Round,
            result: Reg<S>,
        }
        locals {
            doubled: Sig<Local, S>,
            magnitude: Sig<Local, U>,
            coarse_shift: Sig<Local, U>,
            shifted: Sig<Local, U>,
            turned: Sig<Local, U>,
            turned_back: Sig<Local, S>,
            above: Sig<Local, S>,
            halved: Sig<Local, S>,
            zero: Const<S>,
            one: Const<S>,
            left: Const<U>,
            coarse_mask: Const<U>,
            fine_mask: Const<U>,
            limit: Const<U>,
            by_one: Const<U>,
            hi: Const<S>,
            lo: Const<S>,
        }
    }
}

impl Normalise {
    /// For numerators of `num_bits` with sign.
    pub fn new(law: &Normaliser, num_bits: u32, target: Target) -> Result<Self> {
        check::range("normalise.num.width", num_bits, 2, 64)?;
        // 2·num << L; with the law's SW bits of result at least.
        let wide = (num_bits + 1 + law.left).max(law.serial_bits + 1);
        check::range("normalise.shifted.width", wide, 1, 64)?;
        let serial = law.serial_bits;
        let rounding = Rounding::requant("normalise.round", serial + 16, law.shift, Format::new(law.bits, 0))?;
        let top = (1i64 << (serial - 1)) - 1;
        Ok(Normalise {
            clock: Signal::default(),
            num: Sig::new(num_bits),
            shift: Sig::new(SHIFT_BITS),
            r: Sig::new(16),
            y: Sig::new(law.bits),
            coarse: Reg::new(wide),
            coarse_negative: Reg::default(),
            fine_shift: Reg::new(3),
            fine: Reg::new(serial + 1),
            fine_negative: Reg::default(),
            rounded: Reg::new(serial),
            multiplier: Multiplier::new("normalise.multiplier", serial, 16, target)?,
            round: Round::new(rounding),
            result: Reg::new(law.bits),
            doubled: Sig::new(wide),
            magnitude: Sig::new(wide),
            coarse_shift: Sig::new(SHIFT_BITS),
            shifted: Sig::new(wide),
            turned: Sig::new(serial + 2),
            turned_back: Sig::new(serial + 2),
            above: Sig::new(serial + 2),
            halved: Sig::new(serial + 1),
            zero: Const::new(1, S::new(0)),
            one: Const::new(2, S::new(1)),
            left: Const::natural(law.left as u64 + 1),
            coarse_mask: Const::new(SHIFT_BITS, U::new(0x78)),
            fine_mask: Const::new(3, U::new(7)),
            limit: Const::natural(1 << serial),
            by_one: Const::natural(1),
            hi: Const::new(serial, S::new(top)),
            lo: Const::new(serial, S::new(-top - 1)),
            activity: Default::default(),
        })
    }
}

impl Logic for Normalise {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            coarse,
            coarse_negative,
            fine_shift,
            fine,
            fine_negative,
            rounded,
            result
        );
        clock!(self, clock, multiplier, round);
        // 1: multiples of eight.
        self.doubled.next = (self.num.val() << self.left.val().index()).into();
        self.coarse_negative.d.next = self.num.val() < self.zero.val();
        self.magnitude.next = unsigned_cast_of(self.doubled);
        if self.num.val() < self.zero.val() {
            self.magnitude.next = (!unsigned_cast_of(self.doubled)).into();
        }
        self.coarse_shift.next = (self.shift.val() & self.coarse_mask.val()).into();
        self.coarse.d.next = (self.magnitude.val() >> self.coarse_shift.val().index()).into();
        self.fine_shift.d.next = (self.shift.val() & self.fine_mask.val()).into();
        // 2: the rest, and the cut.
        self.shifted.next = (self.coarse.q.val() >> self.fine_shift.q.val().index()).into();
        self.fine.d.next = self.shifted.val();
        if self.shifted.val() > self.limit.val() {
            self.fine.d.next = self.limit.val();
        }
        self.fine_negative.d.next = self.coarse_negative.q.val();
        // 3: ((2x >> shift) + 1) >> 1, saturated.
        self.turned.next = self.fine.q.val();
        if self.fine_negative.q.val() {
            self.turned.next = (!self.fine.q.val()).into();
        }
        self.turned_back.next = self.turned.val().into();
        self.above.next = (self.turned_back.val() + self.one.val()).into();
        self.halved.next = (unsigned_cast_of(self.above) >> self.by_one.val().index()).into();
        self.rounded.d.next = self.halved.val();
        if self.halved.val() > self.hi.val() {
            self.rounded.d.next = self.hi.val();
        }
        if self.halved.val() < self.lo.val() {
            self.rounded.d.next = self.lo.val();
        }
        // 4 to 6: product, sum, result.
        self.multiplier.a.next = self.rounded.q.val();
        self.multiplier.b.next = self.r.val();
        self.round.x.next = self.multiplier.p.val();
        self.result.d.next = self.round.y.val();
        self.y.next = self.result.q.val();
    }
}

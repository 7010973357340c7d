//! The stream's one rounding: a shift known at run time, half up, saturation to a width known at run time.
//!
//! y = clamp((x·2^16 + half) >> field, −2^(bits−1), 2^(bits−1) − 1), half = 2^(field−1) (0 for field 0): `requant` of x by field − 16.
//!
//! | port | width | |
//! |---|---|---|
//! | x | X | one a cycle |
//! | field | 6 | with x: the shift + 16, 0 to 63 |
//! | bits | 5 | 3 cycles after its x: 2 to Y |
//! | y | Y | latency 5 |
//! | negative | 1 | latency 4: y will be below 0 |
//!
//! Stages: multiples of 16, multiples of 4, the rest, round, saturate. The shift is by one bit less than asked, the last one goes when one has
//! been added. Every stage keeps only the bits the later ones can still bring into the result; what is cut off has to be copies of the sign
//! of what stays, else the result will be the limit on x's side.
//!
//! ```
//! use astromorph_hdl::{engine::shifter::{LATENCY, Shifter}, number::*};
//! use rust_hdl::prelude::*;
//! let mut u = Shifter::new("shifter", 40, 17).unwrap();
//! u.connect_all();
//! (u.field.next, u.bits.next) = (U::new(16 + 4), U::new(8));
//! let mut seen = Vec::new();
//! for x in [1000, -1 << 20, -24, 0, 0, 0, 0, 0] {
//!     u.x.next = S::new(x);
//!     for level in [true, false] { u.clock.next.clk = level; simulate(&mut u, 10); }
//!     seen.push(u.y.val().get());
//! }
//! assert_eq!(seen[LATENCY - 1..], [63, -128, -1, 0]);    // 62.5 and −1.5: half rounds up
//! ```

use crate::block;
use crate::check;
use crate::number::{Const, Flag, S, Sig, U, unsigned_cast_of};
use crate::register::Reg;
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from x to y.
pub const LATENCY: usize = 5;
/// Cycles from x to its `bits`.
pub const BITS_LATENCY: usize = 3;
/// Width of a shift's code.
pub const FIELD_BITS: u32 = 6;
/// Width of `bits`.
pub const WIDTH_BITS: u32 = 5;

block! {
    /// See the module's text.
    pub struct Shifter {
        inputs {
            /// The number.
            x: Sig<In, S>,
            /// Shift + 16.
            field: Sig<In, U>,
            /// Width of the result.
            bits: Sig<In, U>,
        }
        outputs {
            /// Rounded and saturated.
            y: Sig<Out, S>,
            /// The next y is below 0.
            negative: Flag<Out>,
        }
        parts {
            coarse: Reg<S>,
            coarse_field: Reg<U>,
            near_low: Reg<bool>,
            near_high: Reg<bool>,
            far_any: Reg<bool>,
            coarse_negative: Reg<bool>,
            middle: Reg<S>,
            middle_field: Reg<U>,
            middle_over: Reg<bool>,
            middle_negative: Reg<bool>,
            fine: Reg<S>,
            fine_over: Reg<bool>,
            fine_negative: Reg<bool>,
            round: Reg<S>,
            round_over: Reg<bool>,
            round_negative: Reg<bool>,
            beyond: Reg<U>,
            result: Reg<S>,
        }
        locals {
            /// Bit i: bits i and i + 1 of x differ.
            x_edges: Sig<Local, U>,
            x_near: Sig<Local, U>,
            x_far: Sig<Local, U>,
            near_low_bits: Sig<Local, U>,
            near_high_bits: Sig<Local, U>,
            coarse_over: Flag<Local>,
            x_15: Sig<Local, S>,
            x_31: Sig<Local, S>,
            coarse_edges: Sig<Local, U>,
            coarse_cut: Sig<Local, U>,
            coarse_cut_4: Sig<Local, U>,
            coarse_cut_8: Sig<Local, U>,
            coarse_4: Sig<Local, S>,
            coarse_8: Sig<Local, S>,
            coarse_12: Sig<Local, S>,
            middle_edges: Sig<Local, U>,
            middle_cut: Sig<Local, U>,
            middle_cut_1: Sig<Local, U>,
            middle_cut_2: Sig<Local, U>,
            middle_1: Sig<Local, S>,
            middle_2: Sig<Local, S>,
            middle_3: Sig<Local, S>,
            above: Sig<Local, S>,
            all: Sig<Local, U>,
            round_edges: Sig<Local, U>,
            outside: Sig<Local, U>,
            limit: Sig<Local, U>,
            x_bits: Sig<Local, U>,
            round_bits: Sig<Local, U>,
            x_top: Const<U>,
            round_top: Const<U>,
            long: Const<bool>,
            zero: Const<S>,
            one: Const<S>,
            ones: Const<U>,
            near: Const<U>,
            far: Const<U>,
            by_31: Const<U>,
            below_coarse_cut: Const<U>,
            below_middle_cut: Const<U>,
        }
    }
}

impl Shifter {
    /// For x of `x_bits` and results of at most `y_bits`; `name` is for errors.
    pub fn new(name: &str, x_bits: u32, y_bits: u32) -> Result<Self> {
        check::range(&format!("{name}.y.width"), y_bits, 4, 24)?;
        check::range(&format!("{name}.x.width"), x_bits, y_bits, y_bits + 31)?;
        // The result and the bit below it; before the last shift, 0 to 3; before the middle one, 0 to 12.
        let fine = y_bits + 1;
        let (middle, coarse) = (fine + 3, fine + 15);
        let by_31 = (x_bits - 1).min(31);
        Ok(Shifter {
            clock: Signal::default(),
            x: Sig::new(x_bits),
            field: Sig::new(FIELD_BITS),
            bits: Sig::new(WIDTH_BITS),
            y: Sig::new(y_bits),
            negative: Flag::default(),
            coarse: Reg::new(coarse),
            coarse_field: Reg::new(FIELD_BITS),
            near_low: Reg::default(),
            near_high: Reg::default(),
            far_any: Reg::default(),
            coarse_negative: Reg::default(),
            middle: Reg::new(middle),
            middle_field: Reg::new(2),
            middle_over: Reg::default(),
            middle_negative: Reg::default(),
            fine: Reg::new(fine),
            fine_over: Reg::default(),
            fine_negative: Reg::default(),
            round: Reg::new(y_bits + 1),
            round_over: Reg::default(),
            round_negative: Reg::default(),
            beyond: Reg::new(y_bits),
            result: Reg::new(y_bits),
            x_edges: Sig::new(x_bits - 1),
            // x·2^17 has room for y_bits − 1 bits of x, 2x for 16 more.
            x_near: Sig::new(16),
            x_far: Sig::new((x_bits - 1).saturating_sub(y_bits + 14).max(1)),
            near_low_bits: Sig::new(8),
            near_high_bits: Sig::new(8),
            coarse_over: Flag::default(),
            x_15: Sig::new(x_bits.saturating_sub(15).max(1)),
            x_31: Sig::new(x_bits - by_31),
            coarse_edges: Sig::new(coarse - 1),
            coarse_cut: Sig::new(12),
            coarse_cut_4: Sig::new(8),
            coarse_cut_8: Sig::new(4),
            coarse_4: Sig::new(coarse - 4),
            coarse_8: Sig::new(coarse - 8),
            coarse_12: Sig::new(coarse - 12),
            middle_edges: Sig::new(middle - 1),
            middle_cut: Sig::new(3),
            middle_cut_1: Sig::new(2),
            middle_cut_2: Sig::new(1),
            middle_1: Sig::new(middle - 1),
            middle_2: Sig::new(middle - 2),
            middle_3: Sig::new(middle - 3),
            above: Sig::new(fine + 1),
            all: Sig::new(y_bits + 1),
            round_edges: Sig::new(y_bits),
            outside: Sig::new(y_bits),
            limit: Sig::new(y_bits),
            x_bits: Sig::new(x_bits),
            round_bits: Sig::new(y_bits + 1),
            x_top: Const::natural(x_bits as u64 - 1),
            round_top: Const::natural(y_bits as u64),
            long: Const::new(1, x_bits > 32),
            zero: Const::new(1, S::new(0)),
            one: Const::new(2, S::new(1)),
            ones: Const::natural((1 << (y_bits + 1)) - 1),
            near: Const::natural((y_bits - 2) as u64),
            far: Const::natural((y_bits + 14) as u64),
            by_31: Const::natural(by_31 as u64),
            below_coarse_cut: Const::natural((middle - 1) as u64),
            below_middle_cut: Const::natural((fine - 1) as u64),
            activity: Default::default(),
        })
    }
}

impl Logic for Shifter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            coarse,
            coarse_field,
            near_low,
            near_high,
            far_any,
            coarse_negative,
            middle,
            middle_field,
            middle_over,
            middle_negative,
            fine,
            fine_over,
            fine_negative,
            round,
            round_over,
            round_negative,
            beyond,
            result
        );
        // 1: x·2^17 >> 0, 16, 32 or 48.
        self.x_edges.next = (unsigned_cast_of(self.x) ^ (unsigned_cast_of(self.x) >> 1)).into();
        self.x_near.next = (self.x_edges.val() >> self.near.val().index()).into();
        self.x_far.next = (self.x_edges.val() >> self.far.val().index()).into();
        self.x_15.next = (unsigned_cast_of(self.x) >> 15).into();
        self.x_31.next = (unsigned_cast_of(self.x) >> self.by_31.val().index()).into();
        self.near_low_bits.next = self.x_near.val();
        self.near_high_bits.next = (self.x_near.val() >> 8).into();
        self.near_low.d.next = !(self.near_low_bits.val() == 0);
        self.near_high.d.next = !(self.near_high_bits.val() == 0);
        self.far_any.d.next = !(self.x_far.val() == 0);
        if self.field.val().get_bit(5) {
            if self.field.val().get_bit(4) {
                // Of 32 bits or less a shift by 32 and more leaves nothing, rounded.
                self.coarse.d.next = self.zero.val();
                if self.long.val() {
                    self.coarse.d.next = self.x_31.val();
                }
            } else {
                self.coarse.d.next = self.x_15.val();
            }
        } else {
            if self.field.val().get_bit(4) {
                self.coarse.d.next = (self.x.val() << 1).into();
            } else {
                self.coarse.d.next = (self.x.val() << 17).into();
            }
        }
        self.coarse_field.d.next = self.field.val();
        // (A sign is a bit: a comparison with 0 is a chain of carries to yosys.)
        self.x_bits.next = unsigned_cast_of(self.x);
        self.coarse_negative.d.next = self.x_bits.val().get_bit(self.x_top.val().index());
        // 2: >> 0, 4, 8 or 12. After >> 0 or 16 before something may have been cut off.
        self.coarse_over.next = !self.coarse_field.q.val().get_bit(5)
            && (self.far_any.q.val()
                || (!self.coarse_field.q.val().get_bit(4) && (self.near_low.q.val() || self.near_high.q.val())));
        self.coarse_edges.next = (unsigned_cast_of(self.coarse.q) ^ (unsigned_cast_of(self.coarse.q) >> 1)).into();
        self.coarse_cut.next = (self.coarse_edges.val() >> self.below_coarse_cut.val().index()).into();
        self.coarse_cut_4.next = (self.coarse_cut.val() >> 4).into();
        self.coarse_cut_8.next = (self.coarse_cut.val() >> 8).into();
        self.coarse_4.next = (unsigned_cast_of(self.coarse.q) >> 4).into();
        self.coarse_8.next = (unsigned_cast_of(self.coarse.q) >> 8).into();
        self.coarse_12.next = (unsigned_cast_of(self.coarse.q) >> 12).into();
        self.middle_over.d.next = self.coarse_over.val();
        if self.coarse_field.q.val().get_bit(3) {
            if self.coarse_field.q.val().get_bit(2) {
                self.middle.d.next = self.coarse_12.val();
            } else {
                self.middle.d.next = self.coarse_8.val();
                self.middle_over.d.next = self.coarse_over.val() || !(self.coarse_cut_8.val() == 0);
            }
        } else {
            if self.coarse_field.q.val().get_bit(2) {
                self.middle.d.next = self.coarse_4.val();
                self.middle_over.d.next = self.coarse_over.val() || !(self.coarse_cut_4.val() == 0);
            } else {
                self.middle.d.next = self.coarse.q.val();
                self.middle_over.d.next = self.coarse_over.val() || !(self.coarse_cut.val() == 0);
            }
        }
        self.middle_field.d.next = self.coarse_field.q.val();
        self.middle_negative.d.next = self.coarse_negative.q.val();
        // 3: >> 0 to 3.
        self.middle_edges.next = (unsigned_cast_of(self.middle.q) ^ (unsigned_cast_of(self.middle.q) >> 1)).into();
        self.middle_cut.next = (self.middle_edges.val() >> self.below_middle_cut.val().index()).into();
        self.middle_cut_1.next = (self.middle_cut.val() >> 1).into();
        self.middle_cut_2.next = (self.middle_cut.val() >> 2).into();
        self.middle_1.next = (unsigned_cast_of(self.middle.q) >> 1).into();
        self.middle_2.next = (unsigned_cast_of(self.middle.q) >> 2).into();
        self.middle_3.next = (unsigned_cast_of(self.middle.q) >> 3).into();
        self.fine_over.d.next = self.middle_over.q.val();
        if self.middle_field.q.val().get_bit(1) {
            if self.middle_field.q.val().get_bit(0) {
                self.fine.d.next = self.middle_3.val();
            } else {
                self.fine.d.next = self.middle_2.val();
                self.fine_over.d.next = self.middle_over.q.val() || !(self.middle_cut_2.val() == 0);
            }
        } else {
            if self.middle_field.q.val().get_bit(0) {
                self.fine.d.next = self.middle_1.val();
                self.fine_over.d.next = self.middle_over.q.val() || !(self.middle_cut_1.val() == 0);
            } else {
                self.fine.d.next = self.middle.q.val();
                self.fine_over.d.next = self.middle_over.q.val() || !(self.middle_cut.val() == 0);
            }
        }
        self.fine_negative.d.next = self.middle_negative.q.val();
        // 4: half up; the bits that have to be the sign, all from bits − 1 on.
        self.above.next = (self.fine.q.val() + self.one.val()).into();
        self.round.d.next = (unsigned_cast_of(self.above) >> 1).into();
        self.round_over.d.next = self.fine_over.q.val();
        self.round_negative.d.next = self.fine_negative.q.val();
        self.all.next = (self.ones.val() << self.bits.val().index()).into();
        self.beyond.d.next = (self.all.val() >> 1).into();
        // 5: the limit has the bits of `beyond` like the sign, the others unlike it.
        self.round_edges.next = (unsigned_cast_of(self.round.q) ^ (unsigned_cast_of(self.round.q) >> 1)).into();
        self.outside.next = (self.round_edges.val() & self.beyond.q.val()).into();
        self.limit.next = (!self.beyond.q.val()).into();
        if self.round_negative.q.val() {
            self.limit.next = self.beyond.q.val();
        }
        self.round_bits.next = unsigned_cast_of(self.round.q);
        self.negative.next = self.round_bits.val().get_bit(self.round_top.val().index());
        if self.round_over.q.val() {
            self.negative.next = self.round_negative.q.val();
        }
        self.result.d.next = self.round.q.val();
        if self.round_over.q.val() || !(self.outside.val() == 0) {
            self.result.d.next = self.limit.val().into();
        }
        self.y.next = self.result.q.val();
    }
}

//! split(x, T) of a number (`docs/arithmetic.md` section 1) for a T known later: exponent E = ⌊log2 x⌋ and the bits after the leading one,
//! as many as the largest T. A number below 1 counts as 1.
//!
//! | port | width | |
//! |---|---|---|
//! | x | X signed, 2 to 64 | |
//! | exponent | 6 | latency [`LATENCY`] |
//! | fraction | F | the F bits after the leading one, zeros where x has none; the T bits of the law are the upper ones; latency [`LATENCY`] |
//!
//! Shifts x to the left by 32, 16, 8, 4, then 2, 1 wherever that many leading bits are zero; a register stands after each of the five.
//!
//! ```
//! use astromorph_hdl::{engine::split::{LATENCY, Split}, number::*};
//! use rust_hdl::prelude::*;
//! let mut s = Split::new("split", 50, 9).unwrap();
//! s.connect_all();
//! s.x.next = S::new(0b1011);
//! for _ in 0..LATENCY { for level in [true, false] { s.clock.next.clk = level; simulate(&mut s, 10); } }
//! assert_eq!((s.exponent.val().get(), s.fraction.val().get()), (3, 0b011_000_000));
//! ```

use super::line::Line;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{S, Sig, U};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Cycles from x to exponent and fraction.
pub const LATENCY: usize = 5;
/// Width of an exponent.
pub const EXPONENT_BITS: u32 = 6;

/// See the module's text.
pub struct Split {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// The number.
    pub x: Sig<In, S>,
    /// ⌊log2 x⌋.
    pub exponent: Sig<Out, U>,
    /// What follows the leading one.
    pub fraction: Sig<Out, U>,
    line: Line<(u64, u64)>,
    activity: Activity,
}

impl Split {
    /// For x of `bits` with sign and a fraction of `fraction` bits; `name` is for errors.
    pub fn new(name: &str, bits: u32, fraction: u32) -> Result<Self> {
        check::range(&format!("{name}.x.width"), bits, 2, 64)?;
        check::range(&format!("{name}.fraction.width"), fraction, 1, 16)?;
        Ok(Split {
            clock: Signal::default(),
            x: Sig::new(bits),
            exponent: Sig::new(EXPONENT_BITS),
            fraction: Sig::new(fraction),
            line: Line::new(LATENCY, (0, 0)),
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let x = self.x.val().get().max(1) as u64;
        let exponent = x.ilog2();
        // The leading one leaves at the top.
        let fraction = (x << (63 - exponent) << 1) >> (64 - self.fraction.width());
        let ((exponent, fraction), moving) = self.line.push((exponent as u64, fraction));
        (self.exponent.next, self.fraction.next) = (U::new(exponent), U::new(fraction));
        moving
    }
}

impl Logic for Split {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.exponent.connect();
        self.fraction.connect();
    }
    fn hdl(&self) -> Verilog {
        let (x, f) = (self.x.width(), self.fraction.width());
        // What the later steps may still bring to the top: 31, 15, 7, 3 bits, the leading one and the fraction.
        let (a, b, c, d) = (f + 32, f + 16, f + 8, f + 4);
        Verilog::Custom(format!(
            "wire [63:0] word = {{{pad}x[{top}:0]}};\nwire keep_32 = |word[63:32];\nwire [63:0] by_32 = keep_32 ? word : {{word[31:0], 32'b0}};\n\
             reg [{a1}:0] a;\nreg a_e, a_negative;\nwire keep_16 = |a[{a1}:{a16}];\nwire [{a1}:0] by_16 = keep_16 ? a : a << 16;\n\
             reg [{b1}:0] b;\nreg [1:0] b_e;\nreg b_negative;\nwire keep_8 = |b[{b1}:{b8}];\nwire [{b1}:0] by_8 = keep_8 ? b : b << 8;\n\
             reg [{c1}:0] c;\nreg [2:0] c_e;\nreg c_negative;\nwire keep_4 = |c[{c1}:{c4}];\nwire [{c1}:0] by_4 = keep_4 ? c : c << 4;\n\
             \
             reg [{d1}:0] d;\nreg [3:0] d_e;\nreg d_negative;\nwire keep_2 = |d[{d1}:{d2}];\nwire [{d1}:0] by_2 = keep_2 ? d : d << 2;\n\
             wire keep_1 = by_2[{d1}];\nwire [{d1}:0] by_1 = keep_1 ? by_2 : by_2 << 1;\n\
             initial begin a = 0; a_e = 0; a_negative = 0; b = 0; b_e = 0; b_negative = 0; c = 0; c_e = 0; c_negative = 0; d = 0; d_e = 0; d_negative = 0; exponent = 0; \
             fraction = 0; end\n\
             always @(posedge clock) begin\n  a <= by_32[63:{a_low}];\n  a_e <= keep_32;\n  a_negative <= x[{x1}];\n\
             \x20 b <= by_16[{a1}:16];\n  b_e <= {{a_e, keep_16}};\n  b_negative <= a_negative;\n\
             \x20 c <= by_8[{b1}:8];\n  c_e <= {{b_e, keep_8}};\n  c_negative <= b_negative;\n\
             \x20 d <= by_4[{c1}:4];\n  d_e <= {{c_e, keep_4}};\n  d_negative <= c_negative;\n\
             \x20 exponent <= {{d_e, keep_2, keep_1}};\n  fraction <= by_1[{f_top}:3];\n\
             \x20 if (d_negative) begin exponent <= 0; fraction <= 0; end\nend\n",
            pad = if x == 64 {
                "1'b0, ".to_string()
            } else {
                format!("{}'b0, ", 65 - x)
            },
            top = x - 2,
            x1 = x - 1,
            a1 = a - 1,
            a16 = a - 16,
            b1 = b - 1,
            b8 = b - 8,
            c1 = c - 1,
            c4 = c - 4,
            d1 = d - 1,
            d2 = d - 2,
            a_low = 64 - a,
            f_top = f + 2,
        ))
    }
}

leaf!([] Split; inputs: x; outputs: exponent, fraction);

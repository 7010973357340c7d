//! Signed multiplier of the serial units, fully pipelined; on iCE40 without an `SB_MAC16`, of which all belong to the lanes.
//!
//! | port | width | |
//! |---|---|---|
//! | a, b | N signed | taken at every rising edge |
//! | p | 2N signed | a·b, latency [`LATENCY`] on every target |
//!
//! | target | body | N |
//! |---|---|---|
//! | `Generic`, `Ecp5` | `*` between registers (one `MULT18X18D`, inferred without `-dsp`) | 2 to 18 |
//! | `Ice40` | adders, below | 16 |
//!
//! iCE40: b is rewritten in digits d_i ∈ {−1, 0, 1, 2} of base 4 by one addition: b[14:0] + 0x5555 = Σ e_i·4^i gives d_i = e_i − 1, because
//! 0x5555 = Σ 4^i. A row d_i·a needs one LUT a bit (four inputs: e_i and two bits of a). The sign bit of b goes into the top digit, d_7 − 2·b[15],
//! which is m·(−a) with m = 2 − d_7 when b is negative. −a is ~a, whose missing 1 goes in at a free place of a later adder.
//! Stages: 1 a, ±a, e; 2 four sums of two rows; 3 two sums; 4 the product.
//!
//! ```
//! use astromorph_hdl::{engine::fabric::{Fabric, LATENCY}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Fabric::new("fabric", 16, Target::Ice40).unwrap();
//! m.connect_all();
//! (m.a.next, m.b.next) = (S::new(-32768), S::new(-32768));
//! for _ in 0..LATENCY { for level in [true, false] { m.clock.next.clk = level; simulate(&mut m, 10); } }
//! assert_eq!(m.p.val(), S::new(1 << 30));
//! assert!(Fabric::new("fabric", 18, Target::Ice40).is_err());
//! ```

use super::line::Line;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{S, Sig};
use astromorph::Result;
use rust_hdl::prelude::*;
use std::fmt::Write as _;

/// Cycles from a, b to p.
pub const LATENCY: usize = 4;
/// Operand bits of the body made of adders.
const ICE40_BITS: u32 = 16;

/// See the module's text.
pub struct Fabric {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// One operand.
    pub a: Sig<In, S>,
    /// The other.
    pub b: Sig<In, S>,
    /// Product.
    pub p: Sig<Out, S>,
    line: Line<S>,
    target: Target,
    activity: Activity,
}

impl Fabric {
    /// For operands of `bits`; `name` is for errors.
    pub fn new(name: &str, bits: u32, target: Target) -> Result<Self> {
        let least = if target == Target::Ice40 { ICE40_BITS } else { 2 };
        check::range(&format!("{name}.width"), bits, least, target.operand_bits().min(18))?;
        Ok(Fabric {
            clock: Signal::default(),
            a: Sig::new(bits),
            b: Sig::new(bits),
            p: Sig::new(2 * bits),
            line: Line::new(LATENCY, S::default()),
            target,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let (p, moving) = self.line.push(S::new(self.a.val().get() * self.b.val().get()));
        self.p.next = p;
        moving
    }
}

/// The body without a multiplier.
fn adders() -> String {
    let mut s = String::from(
        "reg [15:0] a_1, e;\nreg signed [16:0] turned;\nwire signed [16:0] long = {a[15], a};\n\
         initial begin a_1 = 0; e = 16'h5555; turned = 0; end\n\
         always @(posedge clock) begin\n  a_1 <= a;\n  e <= b + 16'h5555;\n  turned <= (long ^ {17{b[15]}}) + {16'b0, b[15]};\nend\n",
    );
    // Writing to a String cannot fail.
    for i in 0..7 {
        let _ = writeln!(
            s,
            "wire [16:0] row_{i} = e[{0}] ? (e[{1}] ? {{a_1, 1'b0}} : {{a_1[15], a_1}}) : (e[{1}] ? 17'b0 : ~{{a_1[15], a_1}});\n\
             wire less_{i} = ~(e[{0}] | e[{1}]);",
            2 * i + 1,
            2 * i
        );
    }
    // Digit 7 with the sign: e[14] = 0: one; else e[15]: two, or nothing.
    s += "wire [17:0] row_7 = e[14] ? (e[15] ? {turned, 1'b0} : 18'b0) : {turned[16], turned};\n\
          reg signed [19:0] sum_0, sum_1, sum_2, sum_3;\nreg less_1r, less_3r, less_5r, less_3rr;\n\
          reg signed [23:0] low, high;\n\
          initial begin sum_0 = 0; sum_1 = 0; sum_2 = 0; sum_3 = 0; less_1r = 0; less_3r = 0; less_5r = 0; less_3rr = 0; low = 0; high = 0; p = 0; end\n\
          always @(posedge clock) begin\n";
    for j in 0..4 {
        let (even, odd) = (2 * j, 2 * j + 1);
        let wide = if j == 3 {
            "{row_7".to_string()
        } else {
            format!("{{row_{odd}[16], row_{odd}")
        };
        let _ = writeln!(
            s,
            "  sum_{j} <= {{{{3{{row_{even}[16]}}}}, row_{even}}} + {wide}, 1'b0, less_{even}}};"
        );
    }
    s += "  less_1r <= less_1;\n  less_3r <= less_3;\n  less_5r <= less_5;\n  less_3rr <= less_3r;\n\
          low <= sum_0 + $signed({sum_1, 1'b0, less_1r, 2'b0});\n  high <= sum_2 + $signed({sum_3, 1'b0, less_5r, 2'b0});\n\
          p <= {{8{low[23]}}, low} + {high, 1'b0, less_3rr, 6'b0};\nend\n";
    s
}

impl Logic for Fabric {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.p.connect();
    }
    fn hdl(&self) -> Verilog {
        if self.target == Target::Ice40 {
            return Verilog::Custom(adders());
        }
        let (n, m) = (self.a.width() - 1, self.p.width() - 1);
        Verilog::Custom(format!(
            "reg signed [{n}:0] a_1, b_1;\nreg signed [{m}:0] p_2, p_3;\n\
             initial begin a_1 = 0; b_1 = 0; p_2 = 0; p_3 = 0; p = 0; end\n\
             always @(posedge clock) begin\n  a_1 <= a;\n  b_1 <= b;\n  p_2 <= a_1 * b_1;\n  p_3 <= p_2;\n  p <= p_3;\nend\n"
        ))
    }
}

leaf!([] Fabric; inputs: a, b; outputs: p);

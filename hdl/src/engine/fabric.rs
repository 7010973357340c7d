//! Signed multiplier of the serial units with an adder behind it; on iCE40 without an `SB_MAC16` where all belong to the lanes.
//!
//! | port | width | |
//! |---|---|---|
//! | a, b | N signed | operands; with `valid` |
//! | valid | 1 | on iCE40 at most every 2 cycles, and a, b stand in the next cycle too ([`pace`]) |
//! | addend | 2N + 1 signed | taken 3 cycles after a, b |
//! | sum | 2N + 1 signed | a·b + addend, [`LATENCY`] cycles after a, b on every target; holds until the next |
//!
//! | target | body | N |
//! |---|---|---|
//! | `Generic` | `*` between registers | 2 to 18 |
//! | `Ecp5` | one `MULT18X18D` with its registers | 2 to 18 |
//! | `Ice40` | adders, below | 16 |
//! | `Ice40`, [`Fabric::with_multiplier`] | one `SB_MAC16`, adder and registers included, 270 logic cells less; the same times | 2 to 16 |
//!
//! iCE40: a·b = y·|b| with y = ±a. |b| goes through in two halves of 8 bits, each rewritten in digits d_i ∈ {−1, 0, 1, 2} of base 4 by one
//! addition: |b| + 0x5555 = Σ e_i·4^i gives d_i = e_i − 1, because 0x5555 = Σ 4^i; |b| ≤ 2^15 leaves no carry, and d_7 ≥ 0. A row d_i·y needs
//! one LUT a bit (four inputs: e_i and two bits of y); −y is ~y, whose missing 1 goes in at a free place of a later adder.
//! Stages: 1 y, e; 2 two sums of two rows; 3 a half's product; 4 the low one and the addend; 5 and the high one.
//!
//! ```
//! use astromorph_hdl::{engine::fabric::{Fabric, LATENCY}, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = Fabric::new("fabric", 16, Target::Ice40).unwrap();
//! m.connect_all();
//! (m.a.next, m.b.next, m.valid.next, m.addend.next) = (S::new(-32768), S::new(-32768), true, S::new(5));
//! for _ in 0..LATENCY { for level in [true, false] { m.clock.next.clk = level; simulate(&mut m, 10); } m.valid.next = false; }
//! assert_eq!(m.sum.val(), S::new((1 << 30) + 5));
//! assert!(Fabric::new("fabric", 18, Target::Ice40).is_err());
//! assert!(Fabric::with_multiplier("fabric", 12, Target::Ice40).is_ok());
//! ```

use super::dsp;
use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{Flag, S, Sig};
use astromorph::Result;
use rust_hdl::prelude::*;
use std::fmt::Write as _;

/// Cycles from a, b to the sum.
pub const LATENCY: usize = 5;
/// Cycles from a, b to the addend.
const ADDEND: usize = 3;
/// Operand bits of the body made of adders.
const ICE40_BITS: u32 = 16;

/// Least cycles from one pair of operands to the next.
pub fn pace(target: Target) -> usize {
    if target == Target::Ice40 { 2 } else { 1 }
}

/// See the module's text.
pub struct Fabric {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// One operand.
    pub a: Sig<In, S>,
    /// The other.
    pub b: Sig<In, S>,
    /// They are there.
    pub valid: Flag<In>,
    /// What is added.
    pub addend: Sig<In, S>,
    /// Sum.
    pub sum: Sig<Out, S>,
    /// Products, then sums, on their way: the oldest last.
    stages: [Option<i64>; LATENCY - 1],
    target: Target,
    /// The body has a multiplier of the device.
    multiplier: bool,
    activity: Activity,
}

impl Fabric {
    /// For operands of `bits`; `name` is for errors.
    pub fn new(name: &str, bits: u32, target: Target) -> Result<Self> {
        let multiplier = target != Target::Ice40;
        if !multiplier {
            check::range(&format!("{name}.width"), bits, ICE40_BITS, ICE40_BITS)?;
        }
        Ok(Fabric {
            multiplier,
            ..Self::with_multiplier(name, bits, target)?
        })
    }

    /// The same on iCE40 too with a multiplier of the device.
    pub fn with_multiplier(name: &str, bits: u32, target: Target) -> Result<Self> {
        check::range(&format!("{name}.width"), bits, 2, target.operand_bits().min(18))?;
        Ok(Fabric {
            clock: Signal::default(),
            a: Sig::new(bits),
            b: Sig::new(bits),
            valid: Flag::default(),
            addend: Sig::new(2 * bits + 1),
            sum: Sig::new(2 * bits + 1),
            stages: [None; LATENCY - 1],
            target,
            multiplier: true,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        if let Some(sum) = self.stages[LATENCY - 2] {
            self.sum.next = S::new(sum);
        }
        self.stages.rotate_right(1);
        self.stages[0] = self.valid.val().then(|| self.a.val().get() * self.b.val().get());
        if let Some(product) = &mut self.stages[ADDEND] {
            *product += self.addend.val().get();
        }
        self.stages.iter().any(Option::is_some)
    }
}

/// The body without a multiplier.
fn adders() -> String {
    let mut s = String::from(
        "reg signed [16:0] y;\nreg [7:0] e;\nreg more, valid_1, valid_2, valid_3, valid_4;\n\
         wire [7:0] half = (valid ? b[7:0] : b[15:8]) ^ {8{b[15]}};\n\
         wire [9:0] digits = {1'b0, half, 1'b1} + {1'b0, 8'h55, valid ? b[15] : more};\n\
         initial begin y = 0; e = 8'h55; more = 0; valid_1 = 0; valid_2 = 0; valid_3 = 0; valid_4 = 0; end\n\
         always @(posedge clock) begin\n  y <= ({a[15], a} ^ {17{b[15]}}) + {16'b0, b[15]};\n  e <= digits[8:1];\n  more <= digits[9];\n\
         \x20 valid_1 <= valid;\n  valid_2 <= valid_1;\n  valid_3 <= valid_2;\n  valid_4 <= valid_3;\nend\n",
    );
    // Writing to a String cannot fail.
    for i in 0..4 {
        let _ = writeln!(
            s,
            "wire [17:0] row_{i} = e[{0}] ? (e[{1}] ? {{y, 1'b0}} : {{y[16], y}}) : (e[{1}] ? 18'b0 : ~{{y[16], y}});\n\
             wire less_{i} = ~(e[{0}] | e[{1}]);",
            2 * i + 1,
            2 * i
        );
    }
    s += "reg signed [19:0] sum_0, sum_1;\nreg less_1r, less_3r, less_3rr, less_3rrr;\nreg signed [23:0] part;\nreg signed [32:0] low;\n\
          wire signed [26:0] above = $signed(low[32:6]) + $signed({part, 1'b0, less_3rrr});\n\
          initial begin sum_0 = 0; sum_1 = 0; less_1r = 0; less_3r = 0; less_3rr = 0; less_3rrr = 0; part = 0; low = 0; sum = 0; end\n\
          always @(posedge clock) begin\n\
          \x20 sum_0 <= {{2{row_0[17]}}, row_0} + {row_1, 1'b0, less_0};\n\
          \x20 sum_1 <= {{2{row_2[17]}}, row_2} + {row_3, 1'b0, less_2};\n\
          \x20 less_1r <= less_1;\n  less_3r <= less_3;\n  less_3rr <= less_3r;\n  less_3rrr <= less_3rr;\n\
          \x20 part <= sum_0 + $signed({sum_1, 1'b0, less_1r, 2'b0});\n\
          \x20 low <= part + $signed(addend);\n\
          \x20 if (valid_4) sum <= {above, low[5:0]};\nend\n";
    s
}

impl Logic for Fabric {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.sum.connect();
    }
    fn hdl(&self) -> Verilog {
        if !self.multiplier {
            return Verilog::Custom(adders());
        }
        let (m, k) = (2 * self.a.width() - 1, self.sum.width() - 1);
        let bits = self.a.width();
        if self.target == Target::Ice40 {
            let ports = [("a", bits), ("b", bits), ("addend", k + 1), ("total", k + 1)];
            return Verilog::Custom(format!(
                "wire signed [{k}:0] total;\nreg [3:0] on;\ninitial on = 0;\nalways @(posedge clock) on <= {{on[2:0], valid}};\n{}\
                 always @(*) sum = total;\n",
                dsp::mac16_sum("m", ports, "~on[3]")
            ));
        }
        // Registers around an inferred multiplier stay outside of ECP5's, which is slow then.
        let cell = dsp::product(self.target, "m", ("a", bits), ("b", bits), "p_3", dsp::PRODUCT_LATENCY);
        Verilog::Custom(format!(
            "wire signed [{m}:0] p_3;\n{cell}reg signed [{k}:0] sum_4;\nreg [3:0] on;\ninitial begin sum_4 = 0; on = 0; sum = 0; end\n\
             always @(posedge clock) begin\n  sum_4 <= p_3 + $signed(addend);\n  on <= {{on[2:0], valid}};\n  if (on[3]) sum <= sum_4;\nend\n"
        ))
    }
}

leaf!([] Fabric; inputs: a, b, valid, addend; outputs: sum);

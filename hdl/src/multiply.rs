//! Signed multiplier with a product register, mapped to the target's DSP block.
//!
//! | port | width | |
//! |---|---|---|
//! | a, b | A, B signed | operands; registered by the user right before (no logic in between) |
//! | p | A + B signed | a·b, latency 1 |
//!
//! | target | body | operands |
//! |---|---|---|
//! | [`Target::Generic`] | `p <= a * b` | 2 to 32 bits |
//! | [`Target::Ice40`] | one `SB_MAC16`, 16 × 16 signed, product register on, nothing else | 2 to 16 bits |
//! | [`Target::Ecp5`] | `p <= a * b`, which yosys maps to one `MULT18X18D` | 2 to 18 bits |
//!
//! ```
//! use astromorph_hdl::{number::*, multiply::{Multiplier, Target}};
//! use rust_hdl::prelude::*;
//! let mut m = Multiplier::new("multiplier", 8, 16, Target::Ice40).unwrap();
//! m.connect_all();
//! (m.a.next, m.b.next) = (S::new(-128), S::new(-32768));
//! m.clock.next.clk = true;
//! simulate(&mut m, 10);
//! assert_eq!(m.p.val(), S::new(1 << 22));
//! assert!(Multiplier::new("multiplier", 18, 16, Target::Ice40).is_err());
//! ```

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::number::{S, Sig};
use astromorph::Result;
use rust_hdl::prelude::*;
use serde::{Deserialize, Serialize};

/// What the Verilog is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Any tool: multiplications are `*`.
    #[default]
    Generic,
    /// Lattice iCE40 UltraPlus: multiplications are `SB_MAC16`. Synthesise without `-dsp`.
    Ice40,
    /// Lattice ECP5: multiplications are `*`, inferred as `MULT18X18D`.
    Ecp5,
}

impl Target {
    /// Widest operand of one multiplier.
    pub fn operand_bits(self) -> u32 {
        match self {
            Target::Generic => 32,
            Target::Ice40 => 16,
            Target::Ecp5 => 18,
        }
    }
}

/// See the module's text.
pub struct Multiplier {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// One operand.
    pub a: Sig<In, S>,
    /// The other.
    pub b: Sig<In, S>,
    /// Product.
    pub p: Sig<Out, S>,
    target: Target,
    activity: Activity,
}

impl Multiplier {
    /// Operand widths in bits; `name` is for errors.
    pub fn new(name: &str, a: u32, b: u32, target: Target) -> Result<Self> {
        let widest = target.operand_bits();
        check::range(&format!("{name}.a.width"), a, 2, widest)?;
        check::range(&format!("{name}.b.width"), b, 2, widest)?;
        Ok(Multiplier {
            clock: Signal::default(),
            a: Sig::new(a),
            b: Sig::new(b),
            p: Sig::new(a + b),
            target,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        self.p.next = (self.a.val() * self.b.val()).into();
        false
    }
}

/// An operand as the 16 bits of `SB_MAC16`.
fn operand(name: &str, width: u32) -> String {
    match 16 - width {
        0 => name.into(),
        more => format!("{{{{{more}{{{name}[{}]}}}}, {name}}}", width - 1),
    }
}

impl Logic for Multiplier {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.p.connect();
    }
    fn hdl(&self) -> Verilog {
        if self.target != Target::Ice40 {
            return Verilog::Custom("initial p = 0;\nalways @(posedge clock) p <= a * b;\n".into());
        }
        let (a, b) = (self.a.width(), self.b.width());
        let unused: String = [
            "AHOLD",
            "BHOLD",
            "CHOLD",
            "DHOLD",
            "IRSTTOP",
            "IRSTBOT",
            "ORSTTOP",
            "ORSTBOT",
            "OLOADTOP",
            "OLOADBOT",
            "ADDSUBTOP",
            "ADDSUBBOT",
            "OHOLDTOP",
            "OHOLDBOT",
            "CI",
            "ACCUMCI",
            "SIGNEXTIN",
        ]
        .iter()
        .map(|pin| format!(", .{pin}(1'b0)"))
        .collect();
        Verilog::Wrapper(Wrapper {
            code: format!(
                "wire [31:0] product;\nSB_MAC16 #(.A_SIGNED(1'b1), .B_SIGNED(1'b1), .TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11), \
                 .PIPELINE_16x16_MULT_REG2(1'b1))\n  mac (.CLK(clock), .CE(1'b1), .A({}), .B({}), .C(16'b0), .D(16'b0), .O(product){unused});\n\
                 assign p = product[{}:0];\n",
                operand("a", a),
                operand("b", b),
                a + b - 1
            ),
            // A cell of the vendor's library: no module of ours, so none is printed twice.
            cores: String::new(),
        })
    }
}

leaf!([] Multiplier; inputs: a, b; outputs: p);

//! Signed multipliers with their registers inside the target's DSP block.
//!
//! [`DspMultiplier`], one product, latency [`PRODUCT_LATENCY`] = 3:
//!
//! | port | width | |
//! |---|---|---|
//! | a, b | A, B signed | operands; any path from a register or a memory's output, without logic |
//! | p | A + B signed | a·b |
//!
//! [`DspPair`], two independent products of up to 8 bits, latency [`PAIR_LATENCY`] = 2: the same with `a0, b0, p0, a1, b1, p1`.
//!
//! | target | one product | two products |
//! |---|---|---|
//! | generic | `*` between three register stages | `*` between two |
//! | iCE40 | one `SB_MAC16`, 16 × 16: operands, partial products, sum (A, B up to 16 bits) | one `SB_MAC16`, 8 × 8 twice: operands, products |
//! | ECP5 | one `MULT18X18D`: input, pipeline, output (A, B up to 18 bits) | two `MULT18X18D`: input, output |
//!
//! All registers hold 0 after power-up. Sources: Lattice TN1295 (`SB_MAC16`), TN1267 (sysDSP). Equality of each body with its model is proved
//! against the vendor's cell model in the simulation crate's tests.
//!
//! ```
//! use astromorph_hdl::{engine::dsp::DspPair, multiply::Target, number::*};
//! use rust_hdl::prelude::*;
//! let mut m = DspPair::new("pair", 8, Target::Ice40).unwrap();
//! m.connect_all();
//! (m.a0.next, m.b0.next) = (S::new(-128), S::new(-128));
//! (m.a1.next, m.b1.next) = (S::new(127), S::new(-128));
//! for _ in 0..2 { for level in [true, false] { m.clock.next.clk = level; simulate(&mut m, 10); } }
//! assert_eq!((m.p0.val().get(), m.p1.val().get()), (16384, -16256));
//! assert!(DspPair::new("pair", 9, Target::Ice40).is_err());
//! ```

use crate::block::Activity;
use crate::check;
use crate::leaf;
use crate::multiply::Target;
use crate::number::{S, Sig};
use astromorph::Result;
use rust_hdl::prelude::*;

/// Edges from operands to product of [`DspMultiplier`].
pub const PRODUCT_LATENCY: usize = 3;
/// Edges from operands to products of [`DspPair`].
pub const PAIR_LATENCY: usize = 2;
/// Widest operand of [`DspPair`].
pub const PAIR_BITS: u32 = 8;

/// One registered product; see the module's text.
pub struct DspMultiplier {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// One operand.
    pub a: Sig<In, S>,
    /// The other.
    pub b: Sig<In, S>,
    /// Product.
    pub p: Sig<Out, S>,
    operands: (i64, i64),
    product: i64,
    target: Target,
    activity: Activity,
}

impl DspMultiplier {
    /// Operand widths in bits; `name` is for errors.
    pub fn new(name: &str, a: u32, b: u32, target: Target) -> Result<Self> {
        let widest = target.operand_bits();
        check::range(&format!("{name}.a.width"), a, 2, widest)?;
        check::range(&format!("{name}.b.width"), b, 2, widest)?;
        Ok(DspMultiplier {
            clock: Signal::default(),
            a: Sig::new(a),
            b: Sig::new(b),
            p: Sig::new(a + b),
            operands: (0, 0),
            product: 0,
            target,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        self.p.next = S::new(self.product);
        let product = self.operands.0 * self.operands.1;
        let operands = (self.a.val().get(), self.b.val().get());
        let moved = (product, operands) != (self.product, self.operands);
        (self.product, self.operands) = (product, operands);
        moved
    }
}

impl Logic for DspMultiplier {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.p.connect();
    }
    fn hdl(&self) -> Verilog {
        let (a, b) = (self.a.width(), self.b.width());
        wrapper(product(self.target, "m", ("a", a), ("b", b), "p", PRODUCT_LATENCY))
    }
}

leaf!([] DspMultiplier; inputs: a, b; outputs: p);

/// Two registered products; see the module's text.
pub struct DspPair {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// First product's operand.
    pub a0: Sig<In, S>,
    /// The other.
    pub b0: Sig<In, S>,
    /// Second product's operand.
    pub a1: Sig<In, S>,
    /// The other.
    pub b1: Sig<In, S>,
    /// First product.
    pub p0: Sig<Out, S>,
    /// Second product.
    pub p1: Sig<Out, S>,
    operands: [i64; 4],
    target: Target,
    activity: Activity,
}

impl DspPair {
    /// Operand width in bits; `name` is for errors.
    pub fn new(name: &str, width: u32, target: Target) -> Result<Self> {
        check::range(&format!("{name}.width"), width, 2, PAIR_BITS)?;
        Ok(DspPair {
            clock: Signal::default(),
            a0: Sig::new(width),
            b0: Sig::new(width),
            a1: Sig::new(width),
            b1: Sig::new(width),
            p0: Sig::new(2 * width),
            p1: Sig::new(2 * width),
            operands: [0; 4],
            target,
            activity: Activity::default(),
        })
    }

    #[inline(always)]
    fn edge(&mut self) -> bool {
        let [a0, b0, a1, b1] = self.operands;
        (self.p0.next, self.p1.next) = (S::new(a0 * b0), S::new(a1 * b1));
        let operands = [&self.a0, &self.b0, &self.a1, &self.b1].map(|x| x.val().get());
        let moved = operands != self.operands;
        self.operands = operands;
        moved
    }
}

impl Logic for DspPair {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.p0.connect();
        self.p1.connect();
    }
    fn hdl(&self) -> Verilog {
        wrapper(pair(
            self.target,
            "m",
            self.a0.width(),
            [("a0", "b0", "p0"), ("a1", "b1", "p1")],
        ))
    }
}

leaf!([] DspPair; inputs: a0, b0, a1, b1; outputs: p0, p1);

fn wrapper(code: String) -> Verilog {
    // The cells are of the vendor's library: no modules of ours come with them.
    Verilog::Wrapper(Wrapper {
        code,
        cores: String::new(),
    })
}

/// Verilog of one product `p = a * b` into a declared wire, with the clock named `clock`; `name` prefixes what is declared here.
/// An operand is a name with its width; two or three register stages.
pub(super) fn product(target: Target, name: &str, a: (&str, u32), b: (&str, u32), p: &str, stages: usize) -> String {
    match target {
        Target::Generic => generic(name, a, b, p, stages),
        Target::Ice40 => mac16_product(name, a, b, p),
        Target::Ecp5 => mult18(name, a, b, p, stages),
    }
}

/// Verilog of two products of `width`-bit operands, two register stages.
pub(super) fn pair(target: Target, name: &str, width: u32, products: [(&str, &str, &str); 2]) -> String {
    if target != Target::Ice40 {
        let one = |(k, (a, b, p))| product(target, &format!("{name}_{k}"), (a, width), (b, width), p, PAIR_LATENCY);
        return products.into_iter().enumerate().map(one).collect();
    }
    let [(a0, b0, p0), (a1, b1, p1)] = products;
    let operands = |high, low| format!("{{{}, {}}}", extended((high, width), 8), extended((low, width), 8));
    let settings = ".MODE_8x8(1'b1), .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1), .TOPOUTPUT_SELECT(2'b10), .BOTOUTPUT_SELECT(2'b10)";
    format!(
        "wire [31:0] {name}_o;\n{}assign {p0} = {name}_o[{}:0];\nassign {p1} = {name}_o[{}:16];\n",
        mac16(name, settings, &operands(a1, a0), &operands(b1, b0)),
        2 * width - 1,
        2 * width + 15,
    )
}

fn generic(name: &str, (a, a_bits): (&str, u32), (b, b_bits): (&str, u32), p: &str, stages: usize) -> String {
    let (a_top, b_top, p_top) = (a_bits - 1, b_bits - 1, a_bits + b_bits - 1);
    let middle = if stages == 3 {
        format!(
            "reg signed [{p_top}:0] {name}_m = 0;\nalways @(posedge clock) begin {name}_m <= {name}_a * {name}_b; {name}_p <= {name}_m; end\n"
        )
    } else {
        format!("always @(posedge clock) {name}_p <= {name}_a * {name}_b;\n")
    };
    format!(
        "reg signed [{a_top}:0] {name}_a = 0;\nreg signed [{b_top}:0] {name}_b = 0;\nreg signed [{p_top}:0] {name}_p = 0;\n\
         always @(posedge clock) begin {name}_a <= {a}; {name}_b <= {b}; end\n{middle}assign {p} = {name}_p;\n"
    )
}

/// A signed operand in `bits` bits.
fn extended((name, width): (&str, u32), bits: u32) -> String {
    match bits - width {
        0 => name.into(),
        more => format!("{{{{{more}{{{name}[{}]}}}}, {name}}}", width - 1),
    }
}

/// `sum` = a·b + addend of 16-bit operands on iCE40, 5 cycles after a, b; the operands stand for two cycles, the addend comes at 3, `hold` at 4.
/// Product, addend and sum have their registers inside the cell.
pub(super) fn mac16_sum(name: &str, [a, b, addend, sum]: [(&str, u32); 4], hold: &str) -> String {
    let (addend_bits, top) = (addend.1, sum.1 - 1);
    let settings = ".A_REG(1'b1), .B_REG(1'b1), .C_REG(1'b1), .D_REG(1'b1), .A_SIGNED(1'b1), .B_SIGNED(1'b1), .TOP_8x8_MULT_REG(1'b1), \
                    .BOT_8x8_MULT_REG(1'b1), .PIPELINE_16x16_MULT_REG1(1'b1), .PIPELINE_16x16_MULT_REG2(1'b1), .TOPOUTPUT_SELECT(2'b01), \
                    .BOTOUTPUT_SELECT(2'b01), .TOPADDSUB_LOWERINPUT(2'b10), .BOTADDSUB_LOWERINPUT(2'b10), .TOPADDSUB_UPPERINPUT(1'b1), \
                    .BOTADDSUB_UPPERINPUT(1'b1), .TOPADDSUB_CARRYSELECT(2'b11)";
    let (high, low) = (format!("{name}_c[31:16]"), format!("{name}_c[15:0]"));
    let (a, b) = (extended(a, 16), extended(b, 16));
    let pins = [
        ("A", a.as_str()),
        ("B", &b),
        ("C", &high),
        ("D", &low),
        ("OHOLDTOP", hold),
        ("OHOLDBOT", hold),
    ];
    let cell = mac16_cell(name, settings, &pins);
    let mut s = format!("wire [31:0] {name}_o;\n");
    if addend_bits <= 32 {
        let c = extended(addend, 32);
        s += &format!(
            "wire [31:0] {name}_c = {c};\n{cell}assign {} = {name}_o[{top}:0];\n",
            sum.0
        );
        return s;
    }
    // The adder's bit 32: a product is at most 2^30 in magnitude, so the sum's two bits below tell how it has moved from the addend's.
    let c = addend.0;
    s += &format!(
        "wire [31:0] {name}_c = {c}[31:0];\n{cell}reg {name}_turned_4 = 0, {name}_near_4 = 0, {name}_turned = 0, {name}_near = 0;\n\
         always @(posedge clock) begin\n  {name}_turned_4 <= {c}[32] ^ ({c}[31] & {c}[30]);\n  {name}_near_4 <= ~({c}[31] ^ {c}[30]);\n  \
         if (!({hold})) {{{name}_turned, {name}_near}} <= {{{name}_turned_4, {name}_near_4}};\nend\n\
         assign {} = {{{name}_turned ^ ({name}_o[31] & {name}_near), {name}_o}};\n",
        sum.0
    );
    s
}

fn mac16_product(name: &str, a: (&str, u32), b: (&str, u32), p: &str) -> String {
    let settings = ".TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1), .PIPELINE_16x16_MULT_REG1(1'b1), .PIPELINE_16x16_MULT_REG2(1'b1), \
                    .TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11)";
    format!(
        "wire [31:0] {name}_o;\n{}assign {p} = {name}_o[{}:0];\n",
        mac16(name, settings, &extended(a, 16), &extended(b, 16)),
        a.1 + b.1 - 1
    )
}

/// An `SB_MAC16` with operand registers, signed, the accumulator unused; result in `NAME_o`.
fn mac16(name: &str, settings: &str, a: &str, b: &str) -> String {
    let settings = format!(".A_REG(1'b1), .B_REG(1'b1), .A_SIGNED(1'b1), .B_SIGNED(1'b1), {settings}");
    mac16_cell(name, &settings, &[("A", a), ("B", b)])
}

/// An `SB_MAC16`: parameters, the pins that are used (others are 0) and the output `NAME_o`.
pub(super) fn mac16_cell(name: &str, settings: &str, used: &[(&str, &str)]) -> String {
    const BITS: [&str; 17] = [
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
    ];
    let mut pins: String = used.iter().map(|(pin, net)| format!(", .{pin}({net})")).collect();
    let words = ["A", "B", "C", "D"].map(|pin| (pin, "16'b0"));
    for (pin, none) in words.into_iter().chain(BITS.map(|pin| (pin, "1'b0"))) {
        if !used.iter().any(|(name, _)| *name == pin) {
            pins += &format!(", .{pin}({none})");
        }
    }
    format!("SB_MAC16 #({settings})\n  {name}_cell (.CLK(clock), .CE(1'b1), .O({name}_o){pins});\n")
}

/// A `MULT18X18D`, signed, with input and output registers and, for three stages, the pipeline register.
fn mult18(name: &str, a: (&str, u32), b: (&str, u32), p: &str, stages: usize) -> String {
    let pins = |pin: &str, bits: u32, wire: &str| -> String {
        (0..bits).map(|i| format!(".{pin}{i}({wire}[{i}]), ")).collect()
    };
    let registers: String = ["INPUTA", "INPUTB", "PIPELINE", "OUTPUT"]
        .iter()
        .filter(|r| stages == 3 || **r != "PIPELINE")
        .map(|r| format!(".REG_{r}_CLK(\"CLK0\"), .REG_{r}_CE(\"CE0\"), .REG_{r}_RST(\"RST0\"), "))
        .collect();
    let idle: String = (1..4)
        .map(|k| format!(", .CLK{k}(1'b0), .CE{k}(1'b0), .RST{k}(1'b0)"))
        .collect();
    format!(
        "wire [17:0] {name}_a = {};\nwire [17:0] {name}_b = {};\nwire [35:0] {name}_o;\n\
         MULT18X18D #({registers}.RESETMODE(\"SYNC\"), .GSR(\"DISABLED\"))\n  {name}_cell ({}{}{}.SIGNEDA(1'b1), .SIGNEDB(1'b1), \
         .SOURCEA(1'b0), .SOURCEB(1'b0), .CLK0(clock), .CE0(1'b1), .RST0(1'b0){idle});\nassign {p} = {name}_o[{}:0];\n",
        extended(a, 18),
        extended(b, 18),
        pins("A", 18, &format!("{name}_a")),
        pins("B", 18, &format!("{name}_b")),
        pins("P", 36, &format!("{name}_o")),
        a.1 + b.1 - 1
    )
}

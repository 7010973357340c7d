//! The engine's multipliers are what they say, for all operands and all time: each body with the vendor's cell model equals its law.
//!
//! The laws multiply in the same pieces as the cells and have as many registers, so that nothing has to compare products: what both compute
//! is one. That the pieces make the product of signed numbers is checked beside, for all operands.

use super::support::*;
use astromorph_hdl::emit;
use astromorph_hdl::engine::dsp::{DspMultiplier, DspPair};
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::Design;
use astromorph_sim::formal::{prove, prove_pipeline};
use astromorph_sim::netlist::{self, rtl_with_cells};
use astromorph_sim::tools::Tool;
use rust_hdl::prelude::*;
use std::time::Duration;

/// Proves that `block` (ports and widths as `pins` says) has the outputs of the law whose text drives wires `law_PIN`.
fn equal(block: &mut dyn Block, target: Target, inputs: &[(&str, u32)], outputs: &[(&str, u32)], law: &str) -> bool {
    block.connect_all();
    let body = emit::verilog(block).replace("module top(", "module dut(");
    proved(&body, target, inputs, outputs, law)
}

fn proved(body: &str, target: Target, inputs: &[(&str, u32)], outputs: &[(&str, u32)], law: &str) -> bool {
    let family = match target {
        Target::Ice40 => netlist::Target::Ice40,
        _ => netlist::Target::Ecp5,
    };
    let ports: String = inputs
        .iter()
        .map(|(p, w)| format!(", input [{}:0] {p}", w - 1))
        .collect();
    let wires: String = outputs
        .iter()
        .map(|(p, w)| format!("wire [{0}:0] {p};\nwire [{0}:0] law_{p};\n", w - 1))
        .collect();
    let pins: String = inputs
        .iter()
        .chain(outputs)
        .map(|(p, _)| format!(", .{p}({p})"))
        .collect();
    let bad: Vec<String> = outputs.iter().map(|(p, _)| format!("({p} != law_{p})")).collect();
    let verilog = format!(
        "{body}\nmodule top(input clock{ports}, output bad);\n{wires}dut d(.clock(clock){pins});\n{law}assign bad = {};\nendmodule\n",
        bad.join(" | ")
    );
    let yosys = tool(Tool::Yosys);
    let dir = tempfile::tempdir().unwrap();
    let design = rtl_with_cells(&yosys, "proof", &verilog, family).unwrap();
    prove_pipeline(&yosys, &design, Duration::from_secs(600), dir.path()).is_ok()
}

fn sign(name: &str, from: u32, to: u32) -> String {
    match to - from {
        0 => name.into(),
        n => format!("{{{{{n}{{{name}[{}]}}}}, {name}}}", from - 1),
    }
}

/// `SB_MAC16`: four products of bytes, the upper ones signed, then their sum.
fn bytes_law(a: u32, b: u32) -> String {
    format!(
        "reg [15:0] la, lb, lf, lj, lk, lg;\nreg [31:0] lh;\n\
         wire [15:0] ah = {{{{8{{la[15]}}}}, la[15:8]}}, al = {{8'b0, la[7:0]}}, bh = {{{{8{{lb[15]}}}}, lb[15:8]}}, bl = {{8'b0, lb[7:0]}};\n\
         always @(posedge clock) begin\n  la <= {};\n  lb <= {};\n  lf <= ah * bh;\n  lj <= al * bh;\n  lk <= ah * bl;\n  lg <= al * bl;\n  \
         lh <= lg + ({{{{8{{lk[15]}}}}, lk}} << 8) + ({{{{8{{lj[15]}}}}, lj}} << 8) + (lf << 16);\nend\nassign law_p = lh[{}:0];\n",
        sign("a", a, 16),
        sign("b", b, 16),
        a + b - 1
    )
}

#[test]
fn products_of_bytes_make_the_product() {
    let pieces = |a: i16, b: i16| {
        let [al, ah] = a.to_le_bytes();
        let [bl, bh] = b.to_le_bytes();
        let signed = |x: u8| x as i8 as i16;
        let f = signed(ah).wrapping_mul(signed(bh));
        let j = (al as i16).wrapping_mul(signed(bh));
        let k = signed(ah).wrapping_mul(bl as i16);
        let g = (al as u16).wrapping_mul(bl as u16);
        (g as i32)
            .wrapping_add((k as i32) << 8)
            .wrapping_add((j as i32) << 8)
            .wrapping_add((f as i32) << 16)
    };
    // Linear in b's bytes, as the product is: f and j come from the upper byte, k and g from the lower.
    for a in i16::MIN..=i16::MAX {
        for byte in 0..=255u8 {
            let upper = i16::from_le_bytes([0, byte]);
            let lower = i16::from_le_bytes([byte, 0]);
            assert_eq!(pieces(a, upper), a as i32 * upper as i32);
            assert_eq!(pieces(a, lower), a as i32 * lower as i32);
        }
    }
}

#[test]
fn one_product_in_an_sb_mac16() {
    for (a, b) in [(16, 16), (9, 14)] {
        let mut block = DspMultiplier::new("m", a, b, Target::Ice40).unwrap();
        let (inputs, outputs) = ([("a", a), ("b", b)], [("p", a + b)]);
        assert!(equal(&mut block, Target::Ice40, &inputs, &outputs, &bytes_law(a, b)));
    }
}

#[test]
fn two_products_in_an_sb_mac16() {
    for width in [8, 5] {
        let law = |n: u32| {
            format!(
                "reg [7:0] la{n}, lb{n};\nreg [15:0] lp{n};\nalways @(posedge clock) begin\n  la{n} <= {};\n  lb{n} <= {};\n  \
                 lp{n} <= {{{{8{{la{n}[7]}}}}, la{n}}} * {{{{8{{lb{n}[7]}}}}, lb{n}}};\nend\nassign law_p{n} = lp{n}[{}:0];\n",
                sign(&format!("a{n}"), width, 8),
                sign(&format!("b{n}"), width, 8),
                2 * width - 1
            )
        };
        let inputs = [("a0", width), ("b0", width), ("a1", width), ("b1", width)];
        let outputs = [("p0", 2 * width), ("p1", 2 * width)];
        let mut block = DspPair::new("m", width, Target::Ice40).unwrap();
        let law = law(0) + &law(1);
        assert!(equal(&mut block, Target::Ice40, &inputs, &outputs, &law));
    }
}

#[test]
fn products_in_a_mult18x18d() {
    // Sign-extended by one bit, as the model takes signed and unsigned operands.
    let law = |n: &str, width: u32, pipeline: bool| {
        format!(
            "reg [17:0] la{n}, lb{n};\nreg [35:0] lm{n}, lp{n};\n\
             wire signed [18:0] wa{n} = {{la{n}[17], la{n}}}, wb{n} = {{lb{n}[17], lb{n}}};\nwire signed [37:0] exact{n} = wa{n} * wb{n};\n\
             always @(posedge clock) begin\n  la{n} <= {};\n  lb{n} <= {};\n  lm{n} <= exact{n};\n  lp{n} <= {};\nend\n\
             assign law_p{n} = lp{n}[{}:0];\n",
            sign(&format!("a{n}"), width, 18),
            sign(&format!("b{n}"), width, 18),
            if pipeline {
                format!("lm{n}")
            } else {
                format!("exact{n}[35:0]")
            },
            2 * width - 1
        )
    };
    let mut one = DspMultiplier::new("m", 18, 18, Target::Ecp5).unwrap();
    let (inputs, outputs) = ([("a", 18), ("b", 18)], [("p", 36)]);
    assert!(equal(&mut one, Target::Ecp5, &inputs, &outputs, &law("", 18, true)));
    let mut two = DspPair::new("m", 8, Target::Ecp5).unwrap();
    let inputs = [("a0", 8), ("b0", 8), ("a1", 8), ("b1", 8)];
    let both = law("0", 8, false) + &law("1", 8, false);
    assert!(equal(&mut two, Target::Ecp5, &inputs, &[("p0", 16), ("p1", 16)], &both));
}

/// A proof that cannot fail proves nothing.
#[test]
fn a_wrong_setting_is_found() {
    let mut block = DspMultiplier::new("m", 16, 16, Target::Ice40).unwrap();
    block.connect_all();
    let right = emit::verilog(&block).replace("module top(", "module dut(");
    for (from, to) in [
        (".A_SIGNED(1'b1)", ".A_SIGNED(1'b0)"),
        (".PIPELINE_16x16_MULT_REG1(1'b1)", ".PIPELINE_16x16_MULT_REG1(1'b0)"),
    ] {
        let wrong = right.replace(from, to);
        assert_ne!(wrong, right);
        let (inputs, outputs) = ([("a", 16), ("b", 16)], [("p", 32)]);
        assert!(!proved(&wrong, Target::Ice40, &inputs, &outputs, &bytes_law(16, 16)));
    }
}

/// A table of 16 bits is the sum of its single bits, so 16 tables are enough.
#[test]
fn this_crates_lut_is_the_vendors() {
    let yosys = tool(Tool::Yosys);
    let library = std::fs::read_to_string(yosys.share().join("ice40/cells_sim.v")).unwrap();
    let (_, cell) = library.split_once("module SB_LUT4").unwrap();
    let (cell, _) = cell.split_once("endmodule").unwrap();
    let vendors = format!("`define ICE40_DEFAULT_ASSIGNMENT_0\nmodule SB_LUT4{cell}endmodule\n");
    let own = include_str!("../../cells/sb_lut4.v").replace("module SB_LUT4", "module OWN_LUT4");
    let proved = |own: &str, limit: u64| {
        let mut top = String::from("module top(input clock, input [3:0] i, output bad);\nwire [15:0] a, b;\n");
        for k in 0..16 {
            let pins = format!("#(.LUT_INIT(16'd{})) ", 1 << k);
            top += &format!("SB_LUT4 {pins}v{k} (.O(a[{k}]), .I0(i[0]), .I1(i[1]), .I2(i[2]), .I3(i[3]));\n");
            top += &format!("OWN_LUT4 {pins}o{k} (.O(b[{k}]), .I0(i[0]), .I1(i[1]), .I2(i[2]), .I3(i[3]));\n");
        }
        let design =
            Design::rtl("luts", &format!("{top}assign bad = a != b;\nendmodule\n{own}")).with_cells(vendors.clone());
        let dir = tempfile::tempdir().unwrap();
        prove(&yosys, &design, 1, &[], Duration::from_secs(limit), dir.path())
    };
    let fast = format!("`define VERILATOR\n{own}");
    proved(&own, 300).unwrap();
    proved(&fast, 300).unwrap();
    assert!(proved(&fast.replace("{I3, I2, I1, I0}", "{I3, I2, I0, I1}"), 300).is_err());
    assert!(proved(&own.replace("by2[3:2] : by2[1:0]", "by2[1:0] : by2[3:2]"), 300).is_err());
}

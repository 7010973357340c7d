//! Multiplier blocks: the ECP5 model against inference and against a register-by-register model, and an
//! explicit iCE40 block through synthesis.

use super::support::*;
use super::vendor_cells::{everywhere, port, with_and_without};
use astromorph_sim::netlist::{SynthOptions, Target, rtl_with_cells, synthesise};
use astromorph_sim::ports::PortKind;
use astromorph_sim::stream::random_word;
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;
use rand::RngExt;
use std::fmt::Write;

fn extend(value: u64, bits: u32, signed: bool) -> i128 {
    let v = value as i128 & ((1 << bits) - 1);
    if signed && v >> (bits - 1) & 1 == 1 {
        v - (1 << bits)
    } else {
        v
    }
}

#[test]
fn inferred_multipliers_of_all_signs_and_widths_equal_logic() {
    let sizes = [(18, 18), (17, 12), (9, 9), (16, 16), (25, 18)];
    let (mut header, mut body) = (String::new(), String::new());
    let mut list = vec![
        port("clock", PortKind::Clock, 1),
        port("a", PortKind::Input, 25),
        port("b", PortKind::Input, 18),
    ];
    let mut cases = Vec::new();
    for (wa, wb) in sizes {
        for signed in [true, false] {
            let (n, top, sign) = (cases.len(), wa + wb - 1, if signed { "$signed" } else { "" });
            let _ = write!(header, ", output reg [{top}:0] y{n}");
            let _ = writeln!(
                body,
                "always @(posedge clock) y{n} <= {sign}(a[{}:0]) * {sign}(b[{}:0]);",
                wa - 1,
                wb - 1
            );
            list.push(port(&format!("y{n}"), PortKind::Output, (wa + wb) as usize));
            cases.push((wa, wb, signed));
        }
    }
    let verilog = format!("module top(input clock, input [24:0] a, input [17:0] b{header});\n{body}endmodule\n");
    let mut trace = Trace::of_ports(list);
    let mut random = random(21);
    let mut outputs = vec![0u64; cases.len()];
    for _ in 0..1500 {
        let (a, b) = (random_word(&mut random, 25), random_word(&mut random, 18));
        let mut row = vec![0, a, b];
        row.extend(&outputs);
        trace.push_row(&row);
        for (y, &(wa, wb, signed)) in outputs.iter_mut().zip(&cases) {
            let exact = extend(a, wa, signed) * extend(b, wb, signed);
            *y = exact as u64 & ((1 << (wa + wb)) - 1);
        }
    }
    // The first outputs have no defined value.
    trace.set_compare_from(1);
    // 25 × 18 takes two blocks.
    assert!(with_and_without(&verilog, &trace, "MULT18X18D") >= cases.len() as u64);
}

/// Every register of the ECP5 block on, with enable and reset, in both reset modes.
#[test]
fn the_registers_of_the_ecp5_multiplier_hold_enable_and_reset() {
    for asynchronous in [false, true] {
        let mode = if asynchronous { "ASYNC" } else { "SYNC" };
        let pins = |name: &str, n: usize, vector: &str| -> String {
            (0..n).map(|k| format!("    .{name}{k}({vector}[{k}]),\n")).collect()
        };
        let verilog = format!(
            "module top(input clock, input reset, input [2:0] ce, input sa, input sb, input [17:0] a, input [17:0] b, output [35:0] p);
  MULT18X18D #(.REG_INPUTA_CLK(\"CLK0\"), .REG_INPUTB_CLK(\"CLK0\"), .REG_PIPELINE_CLK(\"CLK1\"),
    .REG_OUTPUT_CLK(\"CLK2\"), .REG_PIPELINE_CE(\"CE1\"), .REG_OUTPUT_CE(\"CE2\"),
    .REG_PIPELINE_RST(\"RST1\"), .REG_OUTPUT_RST(\"RST1\"), .RESETMODE(\"{mode}\")) dut (
{}{}{}    .SIGNEDA(sa), .SIGNEDB(sb), .SOURCEA(1'b0), .SOURCEB(1'b0),
    .CLK0(clock), .CLK1(clock), .CLK2(clock), .CLK3(1'b0),
    .CE0(ce[0]), .CE1(ce[1]), .CE2(ce[2]), .CE3(1'b0),
    .RST0(1'b0), .RST1(reset), .RST2(1'b0), .RST3(1'b0));
endmodule
",
            pins("A", 18, "a"),
            pins("B", 18, "b"),
            pins("P", 36, "p")
        );
        let mut trace = Trace::of_ports(vec![
            port("clock", PortKind::Clock, 1),
            port("reset", PortKind::Input, 1),
            port("ce", PortKind::Input, 3),
            port("sa", PortKind::Input, 1),
            port("sb", PortKind::Input, 1),
            port("a", PortKind::Input, 18),
            port("b", PortKind::Input, 18),
            port("p", PortKind::Output, 36),
        ]);
        let mut random = random(22);
        let (mut operands, mut product, mut output) = (0i128, 0i128, 0i128);
        for _ in 0..3000 {
            let reset = random.random_bool(0.05);
            let ce = random.random_range(0..8u64) | random.random_range(0..8u64);
            let (sa, sb) = (random.random::<bool>(), random.random::<bool>());
            let (a, b) = (random_word(&mut random, 18), random_word(&mut random, 18));
            if asynchronous && reset {
                (product, output) = (0, 0);
            }
            let p = output as u64 & ((1 << 36) - 1);
            trace.push_row(&[0, reset as u64, ce, sa as u64, sb as u64, a, b, p]);
            if reset {
                (product, output) = (0, 0);
            } else {
                if ce & 4 != 0 {
                    output = product;
                }
                if ce & 2 != 0 {
                    product = operands;
                }
            }
            if ce & 1 != 0 {
                operands = extend(a, 18, sa) * extend(b, 18, sb);
            }
        }
        let yosys = tool(Tool::Yosys);
        let design = rtl_with_cells(&yosys, "multiplier", &verilog, Target::Ecp5).unwrap();
        everywhere(&design, &trace, true);
    }
}

#[test]
fn an_explicit_ice40_multiplier_passes_synthesis_untouched() {
    let ties: String = [
        "C",
        "D",
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
    .map(|pin| {
        let bits = if pin.len() == 1 { 16 } else { 1 };
        format!(", .{pin}({bits}'b0)")
    })
    .collect();
    let verilog = format!(
        "module top(input clock, input [15:0] a, input [15:0] b, output [31:0] p);
  SB_MAC16 #(.A_SIGNED(1'b1), .B_SIGNED(1'b1), .A_REG(1'b1), .B_REG(1'b1), .TOPOUTPUT_SELECT(2'b11),
    .BOTOUTPUT_SELECT(2'b11), .PIPELINE_16x16_MULT_REG2(1'b1)) m (.CLK(clock), .CE(1'b1), .A(a), .B(b), .O(p){ties});
endmodule
"
    );
    let mut trace = Trace::of_ports(vec![
        port("clock", PortKind::Clock, 1),
        port("a", PortKind::Input, 16),
        port("b", PortKind::Input, 16),
        port("p", PortKind::Output, 32),
    ]);
    let mut random = random(23);
    let (mut operands, mut product) = (0i128, 0i128);
    for _ in 0..3000 {
        let (a, b) = (random_word(&mut random, 16), random_word(&mut random, 16));
        trace.push_row(&[0, a, b, product as u64 & 0xffff_ffff]);
        product = operands;
        operands = extend(a, 16, true) * extend(b, 16, true);
    }
    trace.set_compare_from(2);
    let yosys = tool(Tool::Yosys);
    let dir = tempfile::tempdir().unwrap();
    let options = SynthOptions::new(Target::Ice40);
    let netlist = synthesise(&yosys, &verilog, &options, dir.path()).unwrap();
    assert_eq!(netlist.count("SB_MAC16"), 1);
    everywhere(&netlist.design(&yosys).unwrap(), &trace, true);
    let rtl = rtl_with_cells(&yosys, "SB_MAC16", &verilog, Target::Ice40).unwrap();
    everywhere(&rtl, &trace, false);
}

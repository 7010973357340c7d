//! The adder of an accumulator that either adds or starts anew, in one logic cell a bit: `next = (load ? 0 : sum) + addend + carry`.
//!
//! Combinational Verilog, used inside [`super::lane`]; `load` with `carry` = 1 is not defined (the lane's carry is 0 then).
//!
//! | target | body |
//! |---|---|
//! | generic | the expression |
//! | iCE40 | a bit is one `SB_LUT4` with its `SB_CARRY`: the LUT gives `load ? addend : addend ^ sum ^ carry`; after a load nothing looks at the carries |
//! | ECP5 | two bits are one `CCU2C` whose propagate is `(sum & !load) ^ addend` and whose generate is `addend` |
//!
//! Left to synthesis, the gate in front of the adder costs another LUT a bit and its delay.
//!
//! Example, 4 bits: sum 9, addend 5, carry 1 give 15; with load and carry 0 they give 5.

use crate::multiply::Target;

/// Truth table of a LUT of four inputs, input 0 the lowest bit of the index.
fn table(f: impl Fn(bool, bool, bool, bool) -> bool) -> u16 {
    (0..16u16)
        .filter(|i| f(i & 1 == 1, i & 2 != 0, i & 4 != 0, i & 8 != 0))
        .fold(0, |t, i| t | 1 << i)
}

/// Name and text of the module `(load, sum, addend, carry, next)` of `bits` bits.
pub(super) fn module(target: Target, bits: u32) -> (String, String) {
    let name = format!("astromorph_accumulate_{bits}");
    let top = bits - 1;
    let body = match target {
        Target::Generic => {
            format!("  assign next = ({{{bits}{{~load}}}} & sum) + addend + {{{{{bits}{{1'b0}}}}, carry}};\n")
        }
        Target::Ice40 => {
            let lut = table(|load, a, s, c| if load { a } else { a ^ s ^ c });
            let mut body = format!("  wire [{bits}:0] c;\n  assign c[0] = carry;\n");
            for i in 0..bits {
                body += &format!(
                    "  SB_LUT4 #(.LUT_INIT(16'h{lut:04x})) l{i} (.O(next[{i}]), .I0(load), .I1(addend[{i}]), .I2(sum[{i}]), .I3(c[{i}]));\n  \
                     SB_CARRY k{i} (.CO(c[{}]), .I0(addend[{i}]), .I1(sum[{i}]), .CI(c[{i}]));\n",
                    i + 1
                );
            }
            body
        }
        Target::Ecp5 => {
            // D is 1, so that the generate table (the entries with C = D = 0) is free.
            let lut = table(|s, a, load, d| if d { (s && !load) ^ a } else { a });
            let pairs = bits.div_ceil(2);
            let mut body = format!("  wire [{pairs}:0] c;\n  assign c[0] = carry;\n");
            for i in 0..pairs {
                let bit = |k: u32| match 2 * i + k {
                    n if n < bits => (format!("sum[{n}]"), format!("addend[{n}]"), format!("next[{n}]")),
                    _ => ("1'b0".into(), "1'b0".into(), String::new()),
                };
                let ((s0, a0, n0), (s1, a1, n1)) = (bit(0), bit(1));
                body += &format!(
                    "  CCU2C #(.INIT0(16'h{lut:04x}), .INIT1(16'h{lut:04x}), .INJECT1_0(\"NO\"), .INJECT1_1(\"NO\")) k{i} (.CIN(c[{i}]), \
                     .A0({s0}), .B0({a0}), .C0(load), .D0(1'b1), .A1({s1}), .B1({a1}), .C1(load), .D1(1'b1), .S0({n0}), .S1({n1}), .COUT(c[{}]));\n",
                    i + 1
                );
            }
            body
        }
    };
    let text = format!(
        "module {name}(input load, input [{top}:0] sum, input [{top}:0] addend, input carry, output [{top}:0] next);\n{body}endmodule\n"
    );
    (name, text)
}

/// A module that may be printed by several blocks, once.
pub(super) fn once(name: &str, text: &str) -> String {
    format!("`ifndef {name}\n`define {name}\n{text}`endif\n")
}

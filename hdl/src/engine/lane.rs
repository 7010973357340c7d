//! One lane of the array as Verilog, or two lanes that share a multiplier cell: bank, multiplier, accumulator in two halves, shadow register.
//!
//! | port | width | at the lane's cycle | |
//! |---|---|---|---|
//! | write, write_address, write_data | n, D, n·W | any | store into the banks |
//! | read, address | 1, D | 0 | fetch this slot's bank word |
//! | x | W | 1 (+ 1 with a bank register) | broadcast operand, 0 in a slot that does not multiply |
//! | load_low, load_high | 1, 1 | s, s + 1 | the product of this cycle starts a sum (halves of A bits) |
//! | capture_low, capture_high | 1, 1 | with `load_…` | the shadow takes the sum that ends |
//! | shift, chain_in, chain_out | 1, A, A | any | otherwise the shadow takes the next lane's |
//!
//! s is the cycle in which the product stands before the accumulator: 1 + bank register + multiplier's latency + product register.
//! The low half adds in cycle s and keeps its carry for the high half, which adds in cycle s + 1, so that no carry runs over all A bits.
//! Up to [`ONE_CHAIN`](super::array::ONE_CHAIN) bits on iCE40 the low half is the whole: no carry, no sign waits in registers.
//! An idle slot multiplies by x = 0, so an accumulator always adds: no hold, no clear. An iCE40 bank's output is unknown until the first
//! fetch (a known one would cost a gate a bit); it meets only x = 0.
//!
//! Example, A = 12 (6 + 6 bits): 40 + 30 = 70 is low 6, carry 1, then high 0 + 0 + 1: 64 + 6.

use super::accumulate::{self, once};
use super::array::ArrayConfig;
use super::{block_ram, dsp};
use crate::multiply::Target;
use std::fmt::Write as _;

/// Name of the lanes' module and the text of all that it needs; `config` has been checked.
pub(super) fn module(config: &ArrayConfig) -> (String, String) {
    let ArrayConfig {
        width,
        acc_bits,
        bank_depth,
        target,
        ..
    } = *config;
    let n = config.lanes_per_cell();
    let name = format!("astromorph_lanes_{n}x{width}x{acc_bits}x{bank_depth}");
    let (low, high) = config.halves();
    let (add_low, low_text) = accumulate::module(target, low + (high > 0) as u32);
    let (add_high, high_text) = accumulate::module(target, high.max(1));
    let (w, d, a, last) = (width - 1, config.address_bits() - 1, acc_bits - 1, bank_depth - 1);
    let mut s = format!(
        "module {name}(input clock, input [{}:0] write, input [{d}:0] write_address, input [{}:0] write_data, input read, input [{d}:0] address,\n  \
         input signed [{w}:0] x, input load_low, input load_high, input capture_low, input capture_high, input shift, input [{a}:0] chain_in, \
         output [{a}:0] chain_out);\n",
        n - 1,
        n * width - 1
    );
    // Writing to a String cannot fail.
    for k in 0..n {
        let (from, to) = (k * width, (k + 1) * width - 1);
        if config.bank_register() {
            let write = format!("write[{k}]");
            let port = |enable, write, address| block_ram::Port {
                enable,
                write,
                address,
                clear: "1'b0",
            };
            let _ = write!(
                s,
                "// lane {k}: bank\nwire [{w}:0] data_{k} = write_data[{to}:{from}];\nwire signed [{w}:0] operand_{k};\n{}",
                block_ram::memory(
                    &format!("bank_{k}"),
                    bank_depth,
                    width,
                    &port(&write, &write, "write_address"),
                    Some(&port("read", "1'b0", "address")),
                    &format!("data_{k}"),
                    &format!("operand_{k}")
                )
            );
        } else {
            let known = if target == Target::Ice40 { "" } else { " = 0" };
            let _ = write!(
                s,
                "// lane {k}: bank\n(* no_rw_check *) reg signed [{w}:0] bank_{k} [0:{last}];\nreg signed [{w}:0] operand_{k}{known};\ninteger i_{k};\n\
                 initial for (i_{k} = 0; i_{k} <= {last}; i_{k} = i_{k} + 1) bank_{k}[i_{k}] = 0;\nalways @(posedge clock) begin\n  \
                 if (write[{k}]) bank_{k}[write_address] <= write_data[{to}:{from}];\n  if (read) operand_{k} <= bank_{k}[address];\nend\n"
            );
        }
        let _ = writeln!(s, "wire signed [{}:0] p_{k};", 2 * width - 1);
    }
    s += "// product\n";
    s += &match n {
        1 => {
            let stages = config.product_latency();
            dsp::product(target, "m", ("x", width), ("operand_0", width), "p_0", stages)
        }
        _ => dsp::pair(
            target,
            "m",
            width,
            [("x", "operand_0", "p_0"), ("x", "operand_1", "p_1")],
        ),
    };
    for k in 0..n {
        s += &match high {
            0 => single(config, k, &add_low),
            _ => accumulator(config, k, &add_low, &add_high),
        };
    }
    for k in 0..n {
        let next = if k + 1 == n {
            "chain_in".into()
        } else {
            format!("shadow_{}", k + 1)
        };
        let _ = write!(
            s,
            "// lane {k}: shadow\nreg [{a}:0] shadow_{k} = 0;\nalways @(posedge clock) begin\n  \
             if (capture_low | shift) shadow_{k}[{l}:0] <= capture_low ? low_{k} : {next}[{l}:0];\n",
            l = low - 1
        );
        if high > 0 {
            let _ = writeln!(
                s,
                "  if (capture_high | shift) shadow_{k}[{a}:{low}] <= capture_high ? high_{k} : {next}[{a}:{low}];"
            );
        }
        s += "end\n";
    }
    s += "assign chain_out = shadow_0;\nendmodule\n";
    let mut text = once(&add_low, &low_text);
    if high > 0 && add_high != add_low {
        text += &once(&add_high, &high_text);
    }
    text += &once(&name, &s);
    (name, text)
}

/// Lane `k`'s accumulator in one piece.
fn single(config: &ArrayConfig, k: u32, add: &str) -> String {
    let (a, product) = (config.acc_bits - 1, 2 * config.width);
    let addend = match config.acc_bits - product {
        0 => format!("p_{k}"),
        more => format!("{{{{{more}{{p_{k}[{}]}}}}, p_{k}}}", product - 1),
    };
    format!(
        "// lane {k}: accumulator\nreg [{a}:0] low_{k} = 0;\nwire [{a}:0] next_{k};\n\
         {add} add_{k}(.load(load_low), .sum(low_{k}), .addend({addend}), .carry(1'b0), .next(next_{k}));\n\
         always @(posedge clock) low_{k} <= next_{k};\n"
    )
}

/// The two halves of lane `k`'s accumulator.
fn accumulator(config: &ArrayConfig, k: u32, add_low: &str, add_high: &str) -> String {
    let (low, high) = config.halves();
    let product = 2 * config.width;
    let (l, h) = (low - 1, high - 1);
    let mut s = format!("// lane {k}: accumulator\n");
    if config.product_register() {
        let _ = write!(
            s,
            "reg signed [{0}:0] q_{k} = 0;\nalways @(posedge clock) q_{k} <= p_{k};\n",
            product - 1
        );
    } else {
        let _ = writeln!(s, "wire signed [{0}:0] q_{k} = p_{k};", product - 1);
    }
    // What of the product the high half adds: the rest, or at least the sign.
    let rest_low = low.min(product - 1);
    let rest = product - rest_low;
    let addend = if low <= product {
        format!("q_{k}[{l}:0]")
    } else {
        format!("{{{{{}{{q_{k}[{}]}}}}, q_{k}}}", low - product, product - 1)
    };
    // The high half is never narrower than the rest: A is at least 2W.
    let extended = match high.saturating_sub(rest) {
        0 => format!("rest_{k}[{h}:0]"),
        more => format!("{{{{{more}{{rest_{k}[{}]}}}}, rest_{k}}}", rest - 1),
    };
    let _ = write!(
        s,
        "reg [{l}:0] low_{k} = 0;\nreg carry_{k} = 0;\nreg [{}:0] rest_{k} = 0;\nreg [{h}:0] high_{k} = 0;\nwire [{low}:0] low_next_{k};\n\
         wire [{h}:0] high_next_{k};\n\
         {add_low} add_low_{k}(.load(load_low), .sum({{1'b0, low_{k}}}), .addend({{1'b0, {addend}}}), .carry(1'b0), .next(low_next_{k}));\n\
         {add_high} add_high_{k}(.load(load_high), .sum(high_{k}), .addend({extended}), .carry(carry_{k}), .next(high_next_{k}));\n\
         always @(posedge clock) begin\n  {{carry_{k}, low_{k}}} <= low_next_{k};\n  rest_{k} <= q_{k}[{}:{rest_low}];\n  high_{k} <= high_next_{k};\nend\n",
        rest - 1,
        product - 1
    );
    s
}

//! Block memories with two ports: separate write and read port with resets, narrow writes under wide reads,
//! full contents at every width, and two ports that both read and write.

use super::support::*;
use super::vendor_cells::{WIDTHS, everywhere, port, with_and_without};
use astromorph_sim::netlist::{SynthOptions, Target, synthesise};
use astromorph_sim::ports::PortKind;
use astromorph_sim::stream::random_word;
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;
use rand::{Rng, RngExt};
use std::fmt::Write;

/// Write and read ports for every width, with no, synchronous and asynchronous reset of the output.
#[test]
fn separate_ports_with_resets_equal_registers() {
    let (mut header, mut body) = (String::new(), String::new());
    let mut list = vec![
        port("clock", PortKind::Clock, 1),
        port("reset", PortKind::Input, 1),
        port("write", PortKind::Input, 1),
        port("enable", PortKind::Input, 1),
        port("wa", PortKind::Input, 6),
        port("ra", PortKind::Input, 6),
        port("data", PortKind::Input, 36),
    ];
    let mut cases = Vec::new();
    for width in WIDTHS {
        for reset in ["", "sync", "async"] {
            let (n, top) = (cases.len(), width - 1);
            let _ = write!(header, ", output reg [{top}:0] q{n}");
            let _ = writeln!(
                body,
                "(* ram_style = \"block\" *) reg [{top}:0] m{n} [0:63];
initial q{n} = 0;
integer k{n};
initial for (k{n} = 0; k{n} < 64; k{n} = k{n} + 1) m{n}[k{n}] = k{n} * 77;
always @(posedge clock) if (write) m{n}[wa] <= data[{top}:0];"
            );
            let _ = match reset {
                "" => writeln!(body, "always @(posedge clock) if (enable) q{n} <= m{n}[ra];"),
                "sync" => writeln!(
                    body,
                    "always @(posedge clock) if (reset) q{n} <= 0; else if (enable) q{n} <= m{n}[ra];"
                ),
                _ => writeln!(
                    body,
                    "always @(posedge clock or posedge reset) if (reset) q{n} <= 0; else if (enable) q{n} <= m{n}[ra];"
                ),
            };
            list.push(port(&format!("q{n}"), PortKind::Output, width as usize));
            cases.push((width, reset));
        }
    }
    let verilog = format!(
        "module top(input clock, input reset, input write, input enable, input [5:0] wa, input [5:0] ra, input [35:0] data{header});\n{body}endmodule\n"
    );
    let mut trace = Trace::of_ports(list);
    let mut random = random(31);
    let mask = |width: u32| (1u64 << width) - 1;
    let mut memories: Vec<Vec<u64>> = cases
        .iter()
        .map(|&(width, _)| (0..64).map(|k| (k * 77) & mask(width)).collect())
        .collect();
    let mut outputs = vec![0u64; cases.len()];
    for _ in 0..1500 {
        let reset = random.random_bool(0.1);
        let (write, enable) = (random.random_bool(0.6), random.random_bool(0.8));
        let wa = random.random_range(0..64usize);
        let same = random.random_bool(0.3);
        let ra = if same { wa } else { random.random_range(0..64) };
        let data = random_word(&mut random, 36);
        for (q, &(_, kind)) in outputs.iter_mut().zip(&cases) {
            if kind == "async" && reset {
                *q = 0;
            }
        }
        let flags = [0, reset as u64, write as u64, enable as u64];
        let mut row = flags.to_vec();
        row.extend([wa as u64, ra as u64, data]);
        row.extend(&outputs);
        trace.push_row(&row);
        for (n, &(width, kind)) in cases.iter().enumerate() {
            if reset && !kind.is_empty() {
                outputs[n] = 0;
            } else if enable {
                outputs[n] = memories[n][ra];
            }
            if write {
                memories[n][wa] = data & mask(width);
            }
        }
    }
    let found = with_and_without(&verilog, &trace, "DP16KD");
    assert_eq!(found, cases.len() as u64);
}

/// Nine bits written, 36 read: the write becomes a byte enable of the wide port.
#[test]
fn narrow_writes_under_wide_reads_equal_registers() {
    let verilog =
        "module top(input clock, input write, input [7:0] wa, input [5:0] ra, input [8:0] data, output reg [35:0] q);
(* ram_style = \"block\" *) reg [8:0] m [0:255];
integer k;
initial begin q = 0; for (k = 0; k < 256; k = k + 1) m[k] = k * 5; end
always @(posedge clock) begin
  if (write) m[wa] <= data;
  q <= {m[{ra, 2'd3}], m[{ra, 2'd2}], m[{ra, 2'd1}], m[{ra, 2'd0}]};
end
endmodule
";
    let mut trace = Trace::of_ports(vec![
        port("clock", PortKind::Clock, 1),
        port("write", PortKind::Input, 1),
        port("wa", PortKind::Input, 8),
        port("ra", PortKind::Input, 6),
        port("data", PortKind::Input, 9),
        port("q", PortKind::Output, 36),
    ]);
    let mut memory: Vec<u64> = (0..256).map(|k| (k * 5) & 0x1ff).collect();
    let mut random = random(32);
    let mut q = 0;
    for _ in 0..2000 {
        let write = random.random_bool(0.5);
        let ra = random.random_range(0..64usize);
        let wa = if random.random_bool(0.3) {
            ra * 4 + random.random_range(0..4usize)
        } else {
            random.random_range(0..256usize)
        };
        let data = random_word(&mut random, 9);
        trace.push_row(&[0, write as u64, wa as u64, ra as u64, data, q]);
        q = (0..4).fold(0, |v, k| v | memory[ra * 4 + k] << (9 * k));
        if write {
            memory[wa] = data;
        }
    }
    assert_eq!(with_and_without(verilog, &trace, "DP16KD"), 1);
}

/// Contents of a whole block, read back at every width while parts are written anew.
#[test]
fn full_contents_are_read_back_at_every_width() {
    let mut random = random(33);
    let (mut header, mut body) = (String::new(), String::new());
    let mut list = vec![
        port("clock", PortKind::Clock, 1),
        port("write", PortKind::Input, 1),
        port("wa", PortKind::Input, 14),
        port("ra", PortKind::Input, 14),
        port("data", PortKind::Input, 36),
    ];
    let mut memories = Vec::new();
    for (n, (width, address)) in WIDTHS.into_iter().zip([14, 13, 12, 11, 10, 9]).enumerate() {
        let (top, high, depth) = (width - 1, address - 1, 1u64 << address);
        let words: Vec<u64> = (0..depth).map(|_| random.next_u64() & ((1 << width) - 1)).collect();
        let _ = write!(header, ", output reg [{top}:0] q{n}");
        let _ = writeln!(body, "reg [{top}:0] m{n} [0:{}];\ninitial begin q{n} = 0;", depth - 1);
        for (k, w) in words.iter().enumerate() {
            let _ = writeln!(body, "m{n}[{k}] = {width}'h{w:x};");
        }
        let _ = writeln!(
            body,
            "end
always @(posedge clock) begin
  if (write) m{n}[wa[{high}:0]] <= data[{top}:0];
  q{n} <= m{n}[ra[{high}:0]];
end"
        );
        list.push(port(&format!("q{n}"), PortKind::Output, width as usize));
        memories.push((width, words, 0u64));
    }
    let verilog = format!(
        "module top(input clock, input write, input [13:0] wa, input [13:0] ra, input [35:0] data{header});\n{body}endmodule\n"
    );
    let mut trace = Trace::of_ports(list);
    for cycle in 0..40_000u64 {
        let write = random.random_bool(0.2);
        let wa = random.random_range(0..1u64 << 14);
        // Every address in order first.
        let ra = if cycle < 1 << 14 {
            cycle
        } else {
            random.random_range(0..1u64 << 14)
        };
        let data = random_word(&mut random, 36);
        let mut row = vec![0, write as u64, wa, ra, data];
        row.extend(memories.iter().map(|(_, _, q)| *q));
        trace.push_row(&row);
        for (width, words, q) in &mut memories {
            let n = words.len();
            *q = words[ra as usize % n];
            if write {
                words[wa as usize % n] = data & ((1 << *width) - 1);
            }
        }
    }
    let yosys = tool(Tool::Yosys);
    let dir = tempfile::tempdir().unwrap();
    let options = SynthOptions::new(Target::Ecp5);
    let netlist = synthesise(&yosys, &verilog, &options, dir.path()).unwrap();
    assert_eq!(netlist.count("DP16KD"), 6);
    everywhere(&netlist.design(&yosys).unwrap(), &trace, true);
}

/// Both ports read and write. What one reads while the other writes it is undefined in the device, so the
/// Verilog says so (`no_rw_check`) and the stimulus avoids it.
#[test]
fn two_reading_and_writing_ports_equal_registers() {
    let verilog = "module top(input clock, input we_a, input we_b, input [5:0] aa, input [5:0] ab, input [17:0] da, input [17:0] db, output reg [17:0] qa, output reg [17:0] qb);
(* ram_style = \"block\" *) (* no_rw_check *) reg [17:0] m [0:63];
integer k;
initial begin qa = 0; qb = 0; for (k = 0; k < 64; k = k + 1) m[k] = k * 1001; end
always @(posedge clock) if (we_a) m[aa] <= da; else qa <= m[aa];
always @(posedge clock) if (we_b) m[ab] <= db; else qb <= m[ab];
endmodule
";
    let mut trace = Trace::of_ports(vec![
        port("clock", PortKind::Clock, 1),
        port("we_a", PortKind::Input, 1),
        port("we_b", PortKind::Input, 1),
        port("aa", PortKind::Input, 6),
        port("ab", PortKind::Input, 6),
        port("da", PortKind::Input, 18),
        port("db", PortKind::Input, 18),
        port("qa", PortKind::Output, 18),
        port("qb", PortKind::Output, 18),
    ]);
    let mut memory: Vec<u64> = (0..64).map(|k| (k * 1001) & 0x3ffff).collect();
    let mut random = random(34);
    let (mut qa, mut qb) = (0, 0);
    for _ in 0..3000 {
        let (we_a, we_b) = (random.random_bool(0.5), random.random_bool(0.5));
        let aa = random.random_range(0..64usize);
        let mut ab = random.random_range(0..64usize);
        if ab == aa && (we_a || we_b) {
            ab ^= 1;
        }
        let (da, db) = (random_word(&mut random, 18), random_word(&mut random, 18));
        let (a, b) = (aa as u64, ab as u64);
        trace.push_row(&[0, we_a as u64, we_b as u64, a, b, da, db, qa, qb]);
        if we_a {
            memory[aa] = da;
        } else {
            qa = memory[aa];
        }
        if we_b {
            memory[ab] = db;
        } else {
            qb = memory[ab];
        }
    }
    let yosys = tool(Tool::Yosys);
    let dir = tempfile::tempdir().unwrap();
    let options = SynthOptions::new(Target::Ecp5);
    let netlist = synthesise(&yosys, verilog, &options, dir.path()).unwrap();
    assert_eq!(netlist.count("DP16KD"), 1);
    everywhere(&netlist.design(&yosys).unwrap(), &trace, true);
}

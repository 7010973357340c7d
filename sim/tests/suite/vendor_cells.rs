//! This crate's models of ECP5 cells against inference: netlists with the cells, and netlists of the same
//! Verilog without them, must both equal one Rust model, cycle by cycle.

use super::support::*;
use astromorph_sim::cosim::{Design, icarus, verilator};
use astromorph_sim::netlist::{SynthOptions, Target, synthesise};
use astromorph_sim::ports::{Port, PortKind};
use astromorph_sim::stream::random_word;
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;
use rand::RngExt;
use std::fmt::Write;

pub fn port(name: &str, kind: PortKind, bits: usize) -> Port {
    Port {
        name: name.into(),
        kind,
        bits,
        signed: false,
    }
}

/// Ports a block memory can be asked for: two of them share one memory.
pub const WIDTHS: [u32; 6] = [1, 2, 4, 9, 18, 36];

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Old,
    New,
    Hold,
}

/// One memory, 36 bits a word and `depth` words, seen by a model at any width.
struct Memory {
    width: u32,
    words: Vec<u64>,
    out: u64,
}

impl Memory {
    /// One clock of a port that reads and writes (`write` has one bit a byte of nine, or one).
    fn clock(&mut self, mode: Mode, enable: bool, write: u64, address: usize, data: u64) {
        if !enable {
            return;
        }
        let old = self.words[address];
        let lane = if self.width >= 18 { 9 } else { self.width };
        let mut mask = 0;
        for byte in 0..self.width / lane {
            if write >> byte & 1 == 1 {
                mask |= ((1 << lane) - 1) << (byte * lane);
            }
        }
        let new = old & !mask | data & mask;
        match mode {
            Mode::Old => self.out = old,
            Mode::New => self.out = new,
            Mode::Hold if write == 0 => self.out = old,
            Mode::Hold => {}
        }
        self.words[address] = new;
    }
}

/// A single-port memory for each width and mode, byte enables where the width has bytes, some with contents.
fn single_ports() -> (String, Vec<(u32, Mode)>) {
    let mut cases = Vec::new();
    let mut body = String::new();
    let mut ports = String::new();
    for (n, &width) in WIDTHS[..5].iter().enumerate() {
        for (m, mode) in [Mode::Old, Mode::New, Mode::Hold].into_iter().enumerate() {
            let id = n * 3 + m;
            let bytes = (width / 9).max(1);
            let lane = width / bytes;
            let top = width - 1;
            let _ = write!(ports, ", output reg [{top}:0] q{id}");
            let _ = writeln!(
                body,
                "(* ram_style = \"block\" *) reg [{top}:0] m{id} [0:63];\ninitial q{id} = 0;"
            );
            let _ = writeln!(body, "initial begin");
            for k in 0..64u64 {
                let _ = writeln!(body, "  m{id}[{k}] = {};", content(id, k, width));
            }
            let _ = writeln!(body, "end\nalways @(posedge clock) if (enable) begin");
            for byte in 0..bytes {
                let (low, high) = (byte * lane, byte * lane + lane - 1);
                let _ = writeln!(
                    body,
                    "  if (write[{byte}]) m{id}[address][{high}:{low}] <= data[{high}:{low}];"
                );
            }
            let any = if bytes == 2 { "|write" } else { "write[0]" };
            let _ = match mode {
                Mode::Old => writeln!(body, "  q{id} <= m{id}[address];"),
                Mode::Hold => writeln!(body, "  if (!({any})) q{id} <= m{id}[address];"),
                Mode::New => (0..bytes).try_for_each(|byte| {
                    let range = format!("[{}:{}]", byte * lane + lane - 1, byte * lane);
                    writeln!(
                        body,
                        "  q{id}{range} <= write[{byte}] ? data{range} : m{id}[address]{range};"
                    )
                }),
            };
            let _ = writeln!(body, "end");
            cases.push((width, mode));
        }
    }
    let verilog = format!(
        "module top(input clock, input enable, input [1:0] write, input [5:0] address, input [17:0] data{ports});\n{body}endmodule\n"
    );
    (verilog, cases)
}

fn content(id: usize, k: u64, width: u32) -> u64 {
    (k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 + id as u64) >> 20 & ((1 << width) - 1)
}

fn single_port_trace(cases: &[(u32, Mode)], cycles: usize) -> Trace {
    let mut list = vec![
        port("clock", PortKind::Clock, 1),
        port("enable", PortKind::Input, 1),
        port("write", PortKind::Input, 2),
        port("address", PortKind::Input, 6),
        port("data", PortKind::Input, 18),
    ];
    let mut memories = Vec::new();
    for (id, &(width, _)) in cases.iter().enumerate() {
        list.push(port(&format!("q{id}"), PortKind::Output, width as usize));
        memories.push(Memory {
            width,
            words: (0..64).map(|k| content(id, k, width)).collect(),
            out: 0,
        });
    }
    let mut trace = Trace::of_ports(list);
    let mut random = random(11);
    for _ in 0..cycles {
        let enable = random.random_bool(0.85);
        let write = random.random_range(0..4u64);
        let address = random.random_range(0..64usize);
        let data = random_word(&mut random, 18);
        let mut row = vec![0, enable as u64, write, address as u64, data];
        row.extend(memories.iter().map(|m| m.out));
        trace.push_row(&row);
        for (m, &(width, mode)) in memories.iter_mut().zip(cases) {
            let write = if width >= 18 { write } else { write & 1 };
            m.clock(mode, enable, write, address, data);
        }
    }
    trace
}

/// Small memories are put into blocks by this.
const FORCED: &str = "(* ram_style = \"block\" *)";

/// Both netlists, in both simulators; returns the cell count of the one with cells.
pub fn with_and_without(verilog: &str, trace: &Trace, cell: &str) -> u64 {
    let yosys = tool(Tool::Yosys);
    let mut count = 0;
    for cells in [true, false] {
        let options = SynthOptions {
            multipliers: cells,
            block_ram: cells,
            ..SynthOptions::new(Target::Ecp5)
        };
        let dir = tempfile::tempdir().unwrap();
        // The attribute would win over `-nobram`.
        let without = verilog.replace(FORCED, "");
        let text = if cells { verilog } else { &without };
        let netlist = synthesise(&yosys, text, &options, dir.path()).unwrap();
        let design = netlist.design(&yosys).unwrap();
        if cells {
            count = netlist.count(cell);
        } else {
            assert_eq!(netlist.count(cell), 0);
        }
        everywhere(&design, trace, cells);
    }
    count
}

pub fn everywhere(design: &Design, trace: &Trace, with_verilator: bool) {
    if let Some(tool) = optional(Tool::Icarus) {
        let dir = tempfile::tempdir().unwrap();
        let c = icarus::replay(&tool, design, trace, dir.path()).unwrap();
        assert!(c.is_equal(), "Icarus: {c}");
    }
    if with_verilator {
        let c = verilator::replay(&tool(Tool::Verilator), design, trace, &cache()).unwrap();
        assert!(c.is_equal(), "Verilator: {c}");
    }
}

#[test]
fn block_memory_of_every_width_and_write_mode_equals_registers() {
    let (verilog, cases) = single_ports();
    let trace = single_port_trace(&cases, 1500);
    assert_eq!(with_and_without(&verilog, &trace, "DP16KD"), cases.len() as u64);
}

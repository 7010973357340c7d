//! iCE40's SPRAM, instantiated, through synthesis and Verilator, against a Rust model.

use super::support::*;
use super::vendor_cells::port;
use astromorph_sim::cosim::verilator;
use astromorph_sim::netlist::{SynthOptions, Target, synthesise};
use astromorph_sim::ports::PortKind;
use astromorph_sim::stream::random_word;
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;
use rand::RngExt;

fn compare(verilog: &str, trace: &Trace, cell: &str, count: u64) {
    let (yosys, verilator_tool) = (tool(Tool::Yosys), tool(Tool::Verilator));
    let dir = tempfile::tempdir().unwrap();
    let netlist = synthesise(&yosys, verilog, &SynthOptions::new(Target::Ice40), dir.path()).unwrap();
    assert_eq!(netlist.count(cell), count);
    let design = netlist.design(&yosys).unwrap();
    let c = verilator::replay(&verilator_tool, &design, trace, &cache()).unwrap();
    assert!(c.is_equal() && c.words > 1000, "{c}");
}

#[test]
fn an_spram_holds_its_words_and_its_output() {
    // What the block shows after a write or without a select is undefined or old: only reads are shown.
    let verilog =
        "module top(input clock, input select, input write, input [3:0] mask, input [13:0] address, input [15:0] data,
  output shown, output [15:0] q);
  wire [15:0] out;
  reg read = 0;
  always @(posedge clock) read <= select & ~write;
  assign shown = read;
  assign q = out & {16{read}};
  SB_SPRAM256KA ram(.ADDRESS(address), .DATAIN(data), .MASKWREN(mask), .WREN(write), .CHIPSELECT(select), .CLOCK(clock),
    .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1), .DATAOUT(out));
endmodule
";
    let mut trace = Trace::of_ports(vec![
        port("clock", PortKind::Clock, 1),
        port("select", PortKind::Input, 1),
        port("write", PortKind::Input, 1),
        port("mask", PortKind::Input, 4),
        port("address", PortKind::Input, 14),
        port("data", PortKind::Input, 16),
        port("shown", PortKind::Output, 1),
        port("q", PortKind::Output, 16),
    ]);
    let mut random = random(31);
    let mut words = vec![0u64; 16384];
    let (mut shown, mut q) = (0, 0);
    // Every word once in order, so that nothing unwritten is read, then at random among 64 of them.
    for n in 0..20_000u64 {
        let filling = n < 16384;
        let select = filling || random.random_bool(0.8);
        let write = filling || random.random_bool(0.4);
        let mask = if filling { 15 } else { random.random_range(0..16) };
        let address = if filling {
            n
        } else {
            random.random_range(0..64u64) * 260
        };
        let data = random_word(&mut random, 16);
        trace.push_row(&[0, select as u64, write as u64, mask, address, data, shown, q]);
        shown = (select && !write) as u64;
        q = if shown == 1 { words[address as usize] } else { 0 };
        if select && write {
            let bits = (0..4).filter(|n| mask >> n & 1 == 1).fold(0, |m, n| m | 15 << (4 * n));
            let word = &mut words[address as usize];
            *word = *word & !bits | data & bits;
        }
    }
    compare(verilog, &trace, "SB_SPRAM256KA", 1);
}

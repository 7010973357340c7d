//! Replay of a trace in Icarus Verilog, with four-state comparison (`!==`).

use super::Design;
use super::replay::{Layout, Slice};
use crate::compare::Comparison;
use crate::error::{Error, Result};
use crate::tools::Installed;
use crate::trace::Trace;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// Replays `trace` against `design` in `dir` (made when absent), comparing every output port in every
/// cycle from the trace's `compare_from` on.
pub fn replay(tool: &Installed, design: &Design, trace: &Trace, dir: &Path) -> Result<Comparison> {
    let layout = Layout::of(trace)?;
    std::fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(Error::io("write", &path))
    };
    write("replay.v", &layout.wrapper())?;
    write("bench.v", &bench(&layout, trace))?;
    write("vectors.hex", &vectors(&layout, trace))?;
    let mut names = vec!["bench.v", "replay.v"];
    for (name, text) in &design.sources {
        write(name, text)?;
        names.push(name);
    }
    // Default values of ports are beyond Icarus before version 12: a pin left open is then unknown, and
    // what depends on it is found.
    tool.run()
        .args([
            "-g2005-sv",
            "-DNO_INCLUDES",
            "-DNO_ICE40_DEFAULT_ASSIGNMENTS",
            "-s",
            "bench",
            "-o",
            "bench.vvp",
        ])
        .args(&names)
        .dir(dir)
        .output(dir.join("bench.vvp"))
        .run()?;
    let out = tool
        .run_second()
        .arg("bench.vvp")
        .dir(dir)
        .limit(Duration::from_secs(3600))
        .run()?;
    layout.result(&format!("iverilog, {}", design.name), &out.stdout)
}

fn bench(layout: &Layout, trace: &Trace) -> String {
    let input_bits = layout.input_words * 32;
    let total = input_bits + layout.output_words * 32;
    let mut checks = String::new();
    for (n, Slice { port, low, .. }) in layout.outputs.iter().enumerate() {
        let high = low + port.bits - 1;
        let found = format!("o[{high}:{low}]");
        let expected = format!("v[{}:{}]", input_bits + high, input_bits + low);
        let _ = write!(
            checks,
            "          if ({found} !== {expected}) begin
            if (bad == 0) $display(\"FIRST %0d {n} %h %h\", cycle, {expected}, {found});
            bad = bad + 1;
          end\n"
        );
    }
    format!(
        "`timescale 1ns/1ps
module bench;
  reg [{top}:0] vectors [0:{last}];
  reg [{top}:0] v;
  reg clock;
  reg [63:0] words, bad;
  integer cycle;
  wire [{o_top}:0] o;
  replay dut(.clock(clock), .i(v[{i_top}:0]), .o(o));
  initial begin
    $readmemh(\"vectors.hex\", vectors);
    clock = 0;
    words = 0;
    bad = 0;
    for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
      v = vectors[cycle];
      #5;
      if (cycle >= {from}) begin
        words = words + {ports};
        if (o !== v[{top}:{input_bits}]) begin
{checks}        end
      end
      clock = 1;
      #5;
      clock = 0;
    end
    $display(\"RESULT cycles=%0d words=%0d mismatches=%0d\", cycle, words, bad);
    $finish;
  end
endmodule
",
        top = total - 1,
        last = trace.cycles() - 1,
        o_top = layout.output_words * 32 - 1,
        i_top = input_bits - 1,
        cycles = trace.cycles(),
        from = trace.compare_from(),
        ports = layout.outputs.len(),
    )
}

/// One line a cycle: expected outputs above inputs, most significant digit first.
fn vectors(layout: &Layout, trace: &Trace) -> String {
    let mut text = String::new();
    let mut words = Vec::new();
    for row in trace.rows() {
        words.clear();
        Layout::packed(&layout.inputs, row, &mut words, layout.input_words);
        Layout::packed(&layout.outputs, row, &mut words, layout.output_words);
        for w in words.iter().rev() {
            let _ = write!(text, "{w:08x}");
        }
        text.push('\n');
    }
    text
}

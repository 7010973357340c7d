//! Synthesised netlists against the recorded trace, and synthesis that fails.

use super::blocks::MacSizes;
use super::support::*;
use astromorph_sim::cosim::{Design, icarus, verilator};
use astromorph_sim::error::Error;
use astromorph_sim::netlist::{SynthOptions, Target, accepts, synthesise};
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;

fn check(name: &str, design: &Design, trace: &Trace, with_verilator: bool) {
    if let Some(tool) = optional(Tool::Icarus) {
        let dir = tempfile::tempdir().unwrap();
        let c = icarus::replay(&tool, design, trace, dir.path()).unwrap();
        assert!(c.is_equal(), "{name} in Icarus: {c}");
    }
    if with_verilator {
        let c = verilator::replay(&tool(Tool::Verilator), design, trace, &cache()).unwrap();
        assert!(c.is_equal(), "{name} in Verilator: {c}");
    }
}

#[test]
fn netlists_of_both_families_equal_the_trace() {
    let yosys = tool(Tool::Yosys);
    let sizes = MacSizes {
        width: 16,
        acc: 40,
        shift: 9,
    };
    let (mac, mac_trace) = mac_run(sizes, 2000);
    let (ram, mut ram_trace) = scratch_run(16, 256, 2000);
    // The output latch of a block memory has no defined value before its first clock.
    ram_trace.set_compare_from(1);
    for target in [Target::Ice40, Target::Ecp5] {
        for (name, verilog, trace) in [("mac", &mac, &mac_trace), ("ram", &ram, &ram_trace)] {
            let dir = tempfile::tempdir().unwrap();
            let netlist = synthesise(&yosys, verilog, &SynthOptions::new(target), dir.path()).unwrap();
            let (multiplier, memory) = match target {
                Target::Ice40 => ("SB_MAC16", "SB_RAM40_4K"),
                Target::Ecp5 => ("MULT18X18D", "DP16KD"),
            };
            let expected = match (name, target) {
                ("mac", Target::Ecp5) => (1, 0),
                ("mac", Target::Ice40) => (0, 0),
                _ => (0, 1),
            };
            let counts = (netlist.count(multiplier), netlist.count(memory));
            assert_eq!(counts, expected, "{name}: {:?}", netlist.cells);
            check(name, &netlist.design(&yosys).unwrap(), trace, true);
        }
    }
}

#[test]
fn a_wrong_netlist_is_found() {
    let yosys = tool(Tool::Yosys);
    let sizes = MacSizes {
        width: 8,
        acc: 20,
        shift: 4,
    };
    let (verilog, trace) = mac_run(sizes, 1000);
    let mutated = verilog.replace("sum + 8", "sum + 7");
    assert_ne!(mutated, verilog);
    let dir = tempfile::tempdir().unwrap();
    let options = SynthOptions::new(Target::Ice40);
    let netlist = synthesise(&yosys, &mutated, &options, dir.path()).unwrap();
    let design = netlist.design(&yosys).unwrap();
    let c = verilator::replay(&tool(Tool::Verilator), &design, &trace, &cache()).unwrap();
    assert!(c.mismatches > 0);
}

#[test]
fn synthesis_without_a_netlist_is_an_error() {
    let yosys = tool(Tool::Yosys);
    let dir = tempfile::tempdir().unwrap();
    // A netlist of an earlier run must not be taken for a new one.
    std::fs::write(dir.path().join("netlist.v"), "module top; endmodule").unwrap();
    let options = SynthOptions::new(Target::Ice40);
    let e = synthesise(&yosys, "module other(); endmodule\n", &options, dir.path()).unwrap_err();
    assert!(matches!(e, Error::ToolFailed { .. } | Error::NoOutput { .. }), "{e}");
    assert!(!dir.path().join("netlist.v").exists());
}

#[test]
fn both_versions_of_yosys_accept_good_verilog_and_refuse_latches() {
    let sizes = MacSizes {
        width: 9,
        acc: 25,
        shift: 3,
    };
    let (verilog, _) = mac_run(sizes, 1);
    let latch = verilog.replace("full = high | low;", "if (high) full = 1;");
    let tools = [optional(Tool::Yosys023), Some(tool(Tool::Yosys))];
    for yosys in tools.into_iter().flatten() {
        for target in [None, Some(Target::Ice40), Some(Target::Ecp5)] {
            let dir = tempfile::tempdir().unwrap();
            accepts(&yosys, &verilog, target, dir.path()).unwrap();
            assert!(accepts(&yosys, &latch, target, dir.path()).is_err());
        }
    }
}

//! Blocks against their emitted Verilog, and mutations of that Verilog that must be found.

use super::blocks::MacSizes;
use super::support::*;
use astromorph_sim::compare::Comparison;
use astromorph_sim::cosim::{Design, icarus, verilator};
use astromorph_sim::error::Error;
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;

const SIZES: MacSizes = MacSizes {
    width: 12,
    acc: 33,
    shift: 7,
};

/// Icarus (where there is one) and Verilator.
fn both(name: &str, verilog: &str, trace: &Trace) -> Vec<Comparison> {
    let design = Design::rtl(name, verilog);
    let dir = tempfile::tempdir().unwrap();
    let mut results = Vec::new();
    if let Some(tool) = optional(Tool::Icarus) {
        results.push(icarus::replay(&tool, &design, trace, dir.path()).unwrap());
    }
    let tool = tool(Tool::Verilator);
    results.push(verilator::replay(&tool, &design, trace, &cache()).unwrap());
    results
}

#[test]
fn run_time_widths_equal_their_verilog_in_icarus() {
    let Some(tool) = optional(Tool::Icarus) else {
        return;
    };
    for (width, acc, shift) in [(4, 16, 1), (8, 20, 5), (16, 40, 15), (18, 48, 12)] {
        let (verilog, trace) = mac_run(MacSizes { width, acc, shift }, 3000);
        let dir = tempfile::tempdir().unwrap();
        let c = icarus::replay(&tool, &Design::rtl("mac", &verilog), &trace, dir.path()).unwrap();
        assert!(c.is_equal(), "{c}");
        assert_eq!((c.cycles, c.words), (3000, 6000));
    }
}

#[test]
fn verilator_agrees_and_reuses_its_model() {
    let (verilog, trace) = mac_run(SIZES, 20_000);
    for c in both("mac", &verilog, &trace) {
        assert!(c.is_equal(), "{c}");
        assert_eq!(c.words, 40_000);
    }
    let tool = tool(Tool::Verilator);
    let (_, short) = mac_run(SIZES, 100);
    let start = std::time::Instant::now();
    let c = verilator::replay(&tool, &Design::rtl("mac", &verilog), &short, &cache()).unwrap();
    assert!(c.is_equal() && c.cycles == 100);
    assert!(start.elapsed().as_secs() < 2, "the model was built again");
}

/// Each mutation of the text is found by both simulators, at a named port and cycle.
#[test]
fn mutated_verilog_is_caught() {
    let (mac, mac_trace) = mac_run(SIZES, 3000);
    let (ram, ram_trace) = scratch_run(12, 64, 3000);
    let cases = [
        (
            "width",
            &mac,
            &mac_trace,
            "reg signed [23:0] product",
            "reg signed [20:0] product",
        ),
        ("rounding", &mac, &mac_trace, "sum + 64", "sum + 63"),
        ("table", &ram, &ram_trace, "memory[9] = ", "memory[9] = 1 ^ "),
        ("address", &ram, &ram_trace, "write_address[5:0]", "write_address[4:0]"),
    ];
    for (name, verilog, trace, from, to) in cases {
        assert_eq!(verilog.matches(from).count(), 1, "{name}: nothing to mutate");
        for c in both(name, &verilog.replace(from, to), trace) {
            assert!(c.words > 0 && c.mismatches > 0, "{name} was not caught: {c}");
            assert!(c.first.is_some());
        }
    }
}

#[test]
fn unknown_values_are_mismatches_in_icarus_and_random_in_verilator() {
    let (verilog, trace) = mac_run(SIZES, 200);
    // Without its initial value the accumulator is unknown until reset.
    let mutated = verilog.replace("sum = 0", "sum");
    assert_ne!(mutated, verilog);
    for c in both("power-on", &mutated, &trace) {
        assert!(c.mismatches > 0, "{c}");
    }
    let mut after_reset = trace.clone();
    after_reset.set_compare_from(4);
    for c in both("power-on", &mutated, &after_reset) {
        assert!(c.is_equal(), "{c}");
        assert_eq!(c.words, 2 * 196);
    }
}

#[test]
fn comparing_nothing_is_an_error() {
    let (verilog, mut trace) = mac_run(SIZES, 5);
    trace.set_compare_from(5);
    let design = Design::rtl("mac", &verilog);
    let e = verilator::replay(&tool(Tool::Verilator), &design, &trace, &cache()).unwrap_err();
    assert!(matches!(e, Error::ComparedNothing { .. }), "{e}");
}

#[test]
fn a_latch_or_a_syntax_error_is_a_failed_tool() {
    let (verilog, trace) = mac_run(SIZES, 5);
    let latch = verilog.replace("full = high | low;", "if (high) full = 1;");
    assert_ne!(latch, verilog);
    let broken = verilog.replace("endmodule", "endmodul");
    for text in [latch, broken] {
        let design = Design::rtl("mac", &text);
        let e = verilator::replay(&tool(Tool::Verilator), &design, &trace, &cache()).unwrap_err();
        assert!(matches!(e, Error::ToolFailed { .. }), "{e}");
    }
}

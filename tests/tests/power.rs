//! The power estimate held against published measurements of an iCE40 UP5K at 1.219 V (core current, github.com/tinyvision-ai-inc/ice40_power, README.md):
//! the designs measured there go through the path of `astromorph build --power`: synthesis, netlist with numbered nets, Verilator, toggles, charges.

use astromorph_host::boards::Family;
use astromorph_host::build::synth::{NETLIST, Synthesis};
use astromorph_host::power::charges::Charges;
use astromorph_host::power::netlist::{Block, Netlist, Use};
use astromorph_host::power::{current, simulated};
use astromorph_sim::cosim::verilator;
use astromorph_sim::netlist::{Goal, Target, rtl_with_cells};
use astromorph_sim::ports::{Port, PortKind};
use astromorph_sim::tools::{Tool, Tools};
use astromorph_sim::trace::Trace;

/// The measured designs without the oscillator: a counter of `bits`, and, where there is math, two counters and their product.
fn design(bits: u32, math: Option<&str>) -> String {
    let top = bits - 1;
    let mut text = format!(
        "module design(input clock, output y);\n  reg [{top}:0] count = 0;\n  always @(posedge clock) count <= count + 1'b1;\n"
    );
    match math {
        None => text += &format!("  assign y = count[{top}];\n"),
        Some(product) => {
            // The measured design asks whether all bits of the product are 1; today's synthesis proves that they never are.
            text += "  reg [7:0] a = 0, b = 0;\n  wire [15:0] product;\n  always @(posedge clock) begin a <= a + 3; b <= b + 5; end\n";
            text += product;
            text += &format!("  assign y = count[{top}] | (&a) | (&b) | (^product);\n");
        }
    }
    text + "endmodule\n"
}

/// The output in one cycle.
fn output(cycle: u64, bits: u32, math: bool) -> bool {
    let (a, b) = ((cycle * 3) & 255, (cycle * 5) & 255);
    let top = cycle.checked_shr(bits - 1).unwrap_or(0) & 1 == 1;
    top || math && (a == 255 || b == 255 || (a * b).count_ones() % 2 == 1)
}

/// Toggles of a design in so many cycles.
fn counted(text: &str, expected: impl Fn(u64) -> bool, cycles: u64) -> Use {
    let tools = Tools::ensure(&[Tool::Yosys, Tool::Verilator], |line| eprintln!("{line}")).expect("tools");
    let yosys = tools.get(Tool::Yosys).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sources = [("design.v", text.to_string())];
    std::fs::write(folder.path().join("design.v"), text).unwrap();
    let synthesis = Synthesis {
        sources: &sources,
        top: "design",
        command: "synth_ice40",
        options: &[],
        goal: Goal::Speed,
    };
    assert!(synthesis.run(yosys, folder.path()).is_ok(), "the design maps");
    let netlist = Netlist::read(&folder.path().join(NETLIST), "design").unwrap();
    let port = |name: &str, kind| Port {
        name: name.into(),
        kind,
        bits: 1,
        signed: false,
    };
    let ports = vec![port("clock", PortKind::Clock), port("y", PortKind::Output)];
    let mut trace = Trace::of_ports(ports.clone());
    for cycle in 0..cycles {
        trace.push_row(&[0, u64::from(expected(cycle))]);
    }
    let design = rtl_with_cells(yosys, "netlist", &netlist.verilog(&ports), Target::Ice40).unwrap();
    let verilator = tools.get(Tool::Verilator).unwrap();
    let (compared, activity) = verilator::activity(verilator, &design, &trace, folder.path()).unwrap();
    assert!(compared.is_equal(), "{compared}");
    assert_eq!(activity.cycles, cycles);
    netlist.used(&activity).unwrap()
}

/// Core current in µA: least, typical, most.
fn microamperes(used: &Use, cycles: u64, mhz: f64) -> [f64; 3] {
    let rows = current(&Charges::of("up5k").unwrap(), used, cycles, mhz);
    std::array::from_fn(|k| rows.iter().map(|row| row.ma[k] * 1e3).sum())
}

fn close(what: &str, estimate: [f64; 3], measured: f64, percent: f64) {
    let error = 100.0 * (estimate[1] / measured - 1.0);
    eprintln!("{what}: estimated {estimate:.1?}, measured {measured}: {error:+.1} %");
    assert!(error.abs() <= percent, "{what}: {error:+.1} %");
    assert!(
        estimate[0] <= measured && measured <= estimate[2],
        "{what}: outside of the range"
    );
}

#[test]
fn a_counters_toggles_are_exact_and_its_current_is_the_measured_one() {
    const CYCLES: u64 = 1 << 12;
    let one = counted(&design(10, None), |n| output(n, 10, false), CYCLES);
    // n bits: 2 − 2^(1−n) toggles a cycle, of which the highest bit's leave the design.
    assert_eq!(one.cells[&Block::FlipFlop], 10);
    assert_eq!(one.nets[&Block::FlipFlop], [2 * CYCLES - (CYCLES >> 8), CYCLES >> 9]);
    for (bits, measured) in [(28, 613.5), (224, 641.3)] {
        let used = counted(&design(bits, None), |n| output(n, bits, false), CYCLES);
        let estimate = microamperes(&used, CYCLES, 12.0);
        close(&format!("12 MHz, a counter of {bits} bits"), estimate, measured, 1.0);
    }
}

#[test]
fn a_multipliers_current_is_the_measured_one_in_luts_and_in_a_block() {
    const CYCLES: u64 = 1 << 14;
    let block = "  wire [15:0] unused;\n  SB_MAC16 #(.TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11)) m (.A({8'd0, a}), .B({8'd0, b}), .C(16'd0), .D(16'd0),\n    \
                 .O({unused, product}), .CLK(1'b0), .CE(1'b0), .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0), .AHOLD(1'b0), .BHOLD(1'b0),\n    \
                 .CHOLD(1'b0), .DHOLD(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0), .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0),\n    \
                 .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0));\n";
    // Of the oscillator beside the counter alone: 645 µA instead of an external clock's 613.5.
    for (what, product, measured) in [
        ("logic", "  assign product = a * b;\n", 996.0 - 645.0),
        ("a block", block, 882.0 - 645.0),
    ] {
        let used = counted(&design(24, Some(product)), |n| output(n, 24, true), CYCLES);
        let plain = counted(&design(24, None), |n| output(n, 24, false), CYCLES);
        let [with, without] = [used, plain].map(|used| microamperes(&used, CYCLES, 12.0));
        close(
            &format!("12 MHz, 8 × 8 bits in {what}, beyond the counter"),
            std::array::from_fn(|k| with[k] - without[k]),
            measured,
            5.0,
        );
    }
}

/// An accelerator that fills the device, idle: 2.9 mA (github.com/SymbioticEDA/MARLANN, power-test/README.md), taken at 20 MHz.
#[test]
fn clock_and_static_current_stay_below_a_whole_accelerators_idle_current() {
    let [_, typical, most] = microamperes(&Use::default(), 1, 20.0);
    assert!(
        typical < 2900.0 && (most - 2900.0).abs() < 29.0,
        "{typical} to {most} µA"
    );
}

#[test]
fn a_family_without_models_is_refused_by_name() {
    let refused = simulated(Family::Gowin).unwrap_err().to_string();
    assert!(refused.contains("power") && refused.contains("Gowin"), "{refused}");
    assert!(simulated(Family::Ecp5).is_ok());
}

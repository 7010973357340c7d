//! The engine's multipliers, array and memories with the vendors' cells, and as netlists, against their Rust models: every output, every
//! cycle, in Icarus, where a cell's undefined output would show as X.

#[path = "../../../hdl/tests/common/number.rs"]
mod number;
#[path = "../../../hdl/tests/common/array.rs"]
mod traffic;

use super::support::*;
use astromorph_hdl::block;
use astromorph_hdl::engine::array::{Array, ArrayConfig};
use astromorph_hdl::engine::dsp::{DspMultiplier, DspPair};
use astromorph_hdl::engine::memory::Kind;
use astromorph_hdl::engine::mmem::MMemory;
use astromorph_hdl::engine::xmem::{XMemory, row_latency};
use astromorph_hdl::multiply::Target;
use astromorph_hdl::number::{Const, Flag, S, Sig, U};
use astromorph_hdl::register::Reg;
use astromorph_sim::cosim::icarus;
use astromorph_sim::driver::{ClockOf, Driver};
use astromorph_sim::netlist::{self, SynthOptions, rtl_with_cells, synthesise};
use astromorph_sim::stream::random_word;
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;
use number::number;
use rand::RngExt;
use rust_hdl::prelude::*;

/// Runs a block; the Verilog and the trace.
pub(super) fn run<B: Block>(
    block: B,
    clock: ClockOf<B>,
    cycles: usize,
    mut step: impl FnMut(&mut B, usize, bool),
) -> (String, Trace) {
    let mut driver = Driver::new(block, clock).unwrap();
    let mut trace = Trace::new(driver.block());
    for n in 0..cycles {
        step(driver.block_mut(), n, false);
        driver.settle().unwrap();
        trace.record(driver.block());
        step(driver.block_mut(), n, true);
        driver.cycle(|_| {}).unwrap();
    }
    (driver.verilog().to_string(), trace)
}

fn family(target: Target) -> netlist::Target {
    match target {
        Target::Ice40 => netlist::Target::Ice40,
        _ => netlist::Target::Ecp5,
    }
}

/// The Verilog with the cells' models, and with `mapped` the netlist, against the trace.
pub(super) fn compare(
    name: &str,
    target: Target,
    verilog: &str,
    trace: &Trace,
    mapped: bool,
) -> Option<netlist::Netlist> {
    let icarus = optional(Tool::Icarus)?;
    let yosys = tool(Tool::Yosys);
    let dir = tempfile::tempdir().unwrap();
    let design = rtl_with_cells(&yosys, name, verilog, family(target)).unwrap();
    let result = icarus::replay(&icarus, &design, trace, dir.path()).unwrap();
    assert!(result.is_equal(), "{name} {target:?}: {result}");
    if !mapped {
        return None;
    }
    let netlist = synthesise(&yosys, verilog, &SynthOptions::new(family(target)), dir.path()).unwrap();
    let result = icarus::replay(&icarus, &netlist.design(&yosys).unwrap(), trace, dir.path()).unwrap();
    assert!(result.is_equal(), "{name} {target:?} netlist: {result}");
    Some(netlist)
}

pub(super) fn operand(r: &mut impl rand::Rng, bits: u32) -> S {
    let extreme = [1i64 << (bits - 1), (1 << (bits - 1)) - 1, 1, -1];
    match r.random_range(0..4) {
        0 => S::new(extreme[r.random_range(0..4)]),
        _ => S::new(random_word(r, bits) as i64),
    }
}

#[test]
fn multiplier_cells_equal_their_models() {
    let mut r = random(41);
    for (target, a, b) in [
        (Target::Ice40, 16, 16),
        (Target::Ice40, 9, 16),
        (Target::Ecp5, 18, 18),
        (Target::Ecp5, 16, 9),
    ] {
        let block = DspMultiplier::new("m", a, b, target).unwrap();
        let (verilog, mut trace) = run(
            block,
            |m| &mut m.clock,
            4000,
            |m, _, settled| {
                if !settled {
                    (m.a.next, m.b.next) = (operand(&mut r, a), operand(&mut r, b));
                }
            },
        );
        // The cells' registers are undefined until the clock has run.
        trace.set_compare_from(3);
        let netlist = compare("product", target, &verilog, &trace, true);
        assert!(netlist.is_none_or(|n| n.count("SB_MAC16") + n.count("MULT18X18D") == 1 && n.cells.len() == 1));
    }
    for (target, width) in [(Target::Ice40, 8), (Target::Ice40, 5), (Target::Ecp5, 8)] {
        let block = DspPair::new("m", width, target).unwrap();
        let (verilog, mut trace) = run(
            block,
            |m| &mut m.clock,
            4000,
            |m, n, settled| {
                if !settled {
                    (m.a0.next, m.b0.next) = (operand(&mut r, width), operand(&mut r, width));
                    (m.a1.next, m.b1.next) = (operand(&mut r, width), operand(&mut r, width));
                    if n % 50 == 0 {
                        let least = S::new(-1 << (width - 1));
                        (m.a0.next, m.b0.next, m.a1.next, m.b1.next) = (least, least, least, least);
                    }
                }
            },
        );
        trace.set_compare_from(2);
        compare("pair", target, &verilog, &trace, true);
    }
}

#[test]
fn the_array_with_vendor_cells_and_as_a_netlist() {
    for (n, target) in (0..6).flat_map(|n| [(n, Target::Ice40), (n, Target::Ecp5)]) {
        let mut r = random(200 + n);
        let mut config = traffic::config(&mut r, target, n);
        if n == 0 {
            config = ArrayConfig {
                lanes: 4,
                width: 8,
                acc_bits: 26,
                block: 2,
                ..config
            };
        }
        let mut traffic = traffic::Traffic::new(config, r);
        let (verilog, mut trace) = run(
            Array::new(config).unwrap(),
            |m| &mut m.clock,
            1000,
            |m, n, settled| {
                if settled {
                    traffic.check(m, n)
                } else {
                    traffic.drive(m, n)
                }
            },
        );
        traffic.finish();
        // By then every bank has answered and every lane has begun a sum: before, an iCE40 bank's output is unknown.
        if target == Target::Ice40 {
            trace.set_compare_from(100);
        }
        // One netlist with two lanes a cell, one with one.
        if let Some(netlist) = compare("array", target, &verilog, &trace, n < 2) {
            let cells = netlist.count("SB_MAC16") + netlist.count("MULT18X18D");
            assert_eq!(cells, config.multipliers() as u64, "{config:?}");
        }
    }
}

block! {
    /// [`XMemory`] whose outputs are seen only when they are owed: at other times the cell's are undefined.
    pub struct Seen {
        inputs {
            read: Flag<In>,
            read_row: Sig<In, U>,
            serial: Flag<In>,
            serial_write: Flag<In>,
            serial_address: Sig<In, U>,
            serial_data: Sig<In, S>,
        }
        outputs {
            even: Sig<Out, S>,
            odd: Sig<Out, S>,
            element: Sig<Out, S>,
        }
        parts {
            memory: XMemory,
            row1: Reg<bool>,
            row2: Reg<bool>,
            row3: Reg<bool>,
            element1: Reg<bool>,
            element2: Reg<bool>,
            element3: Reg<bool>,
        }
        locals {
            due: Flag<Local>,
            late: Const<bool>,
            zero: Const<S>,
        }
    }
}

impl Logic for Seen {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, memory);
        dff_setup!(self, clock, row1, row2, row3, element1, element2, element3);
        self.memory.read.next = self.read.val();
        self.memory.read_row.next = self.read_row.val();
        self.memory.serial.next = self.serial.val();
        self.memory.serial_write.next = self.serial_write.val();
        self.memory.serial_address.next = self.serial_address.val();
        self.memory.serial_data.next = self.serial_data.val();
        self.row1.d.next = self.read.val();
        self.row2.d.next = self.row1.q.val();
        self.row3.d.next = self.row2.q.val();
        self.due.next = self.row2.q.val();
        if self.late.val() {
            self.due.next = self.row3.q.val();
        }
        self.element1.d.next = self.serial.val() && !self.serial_write.val();
        self.element2.d.next = self.element1.q.val();
        self.element3.d.next = self.element2.q.val();
        self.even.next = self.zero.val();
        self.odd.next = self.zero.val();
        self.element.next = self.zero.val();
        if self.due.val() {
            self.even.next = self.memory.row_even.val();
            self.odd.next = self.memory.row_odd.val();
        }
        if self.element3.q.val() {
            self.element.next = self.memory.serial_element.val();
        }
    }
}

#[test]
fn activation_memory_of_large_cells() {
    let mut r = random(43);
    // One cell for both columns; two cells; two deep.
    for (target, rows, width, cells) in [
        (Target::Ice40, 300, 8, 1),
        (Target::Ice40, 16_384, 5, 1),
        (Target::Ice40, 70, 13, 2),
        (Target::Ice40, 20_000, 16, 4),
        (Target::Ecp5, 600, 18, 0),
    ] {
        let memory = XMemory::new("x", rows, width, Kind::Large, target).unwrap();
        assert_eq!(memory.large_blocks(), cells);
        let address = memory.read_row.width();
        let block = Seen {
            clock: Default::default(),
            read: Flag::default(),
            read_row: Sig::new(address),
            serial: Flag::default(),
            serial_write: Flag::default(),
            serial_address: Sig::new(address + 1),
            serial_data: Sig::new(width),
            even: Sig::new(width),
            odd: Sig::new(width),
            element: Sig::new(width),
            memory,
            row1: Reg::default(),
            row2: Reg::default(),
            row3: Reg::default(),
            element1: Reg::default(),
            element2: Reg::default(),
            element3: Reg::default(),
            due: Flag::default(),
            late: Const::new(1, row_latency(target) > 2),
            zero: Const::new(1, S::new(0)),
            activity: Default::default(),
        };
        // Few rows, far apart, so that each is often read and rewritten.
        let places: Vec<usize> = (0..12).map(|k| k * (rows - 1) / 11).collect();
        let mut elements = std::collections::HashMap::new();
        let mut seen = 0;
        let (verilog, trace) = run(
            block,
            |m| &mut m.clock,
            1500,
            |m, _, settled| {
                if settled {
                    seen += (m.element.val().get() != 0) as usize + (m.even.val().get() != 0) as usize;
                    return;
                }
                let (row, at) = (
                    places[r.random_range(0..12)],
                    2 * places[r.random_range(0..12)] + r.random_range(0..2),
                );
                let whole = |row: usize| elements.contains_key(&(2 * row)) && elements.contains_key(&(2 * row + 1));
                m.read.next = r.random::<bool>() && whole(row);
                m.read_row.next = U::new(row as u64);
                m.serial_write.next = r.random();
                m.serial.next = !m.read.next && (m.serial_write.next || whole(at / 2));
                m.serial_address.next = U::new(at as u64);
                m.serial_data.next = operand(&mut r, width);
                if m.serial.next && m.serial_write.next {
                    elements.insert(at, m.serial_data.next.get());
                }
            },
        );
        assert!(seen > 300, "{seen}");
        let netlist = compare("x memory", target, &verilog, &trace, rows < 1000);
        assert!(netlist.is_none_or(|n| n.count("SB_SPRAM256KA") == cells as u64));
    }
}

#[test]
fn word_memory_of_large_cells() {
    let mut r = random(44);
    for (target, depth, cells) in [
        (Target::Ice40, 40, 2),
        (Target::Ice40, 30_000, 4),
        (Target::Ecp5, 100, 0),
    ] {
        let block = MMemory::new("m", depth, Kind::Large, target).unwrap();
        assert_eq!(block.large_blocks(), cells);
        // Everything is written first; then fetches only: no output is undefined.
        let places: Vec<usize> = (0..30).map(|k| k * (depth - 1) / 29).collect();
        let (verilog, mut trace) = run(
            block,
            |m| &mut m.clock,
            300,
            |m, n, settled| {
                if !settled {
                    let at = if n < 30 { n } else { r.random_range(0..30) };
                    m.address.next = U::new(places[at] as u64);
                    m.data.next = U::new(random_word(&mut r, 32));
                    m.write.next = n < 30;
                    m.enable.next = n < 31 || r.random();
                }
            },
        );
        trace.set_compare_from(33);
        compare("m memory", target, &verilog, &trace, depth < 200);
    }
}

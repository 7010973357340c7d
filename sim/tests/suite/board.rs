//! A whole board in RustHDL, engine included, at the ends of its serial line: it answers as [`Endpoint`] with the integer machine.

use super::support::{cache, optional, tool};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::load::Loaded;
use astromorph::engine::program::*;
use astromorph_hdl::link::board::{Board, Pins};
use astromorph_hdl::link::protocol::{Operation, Space};
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::{Design, icarus, verilator};
use astromorph_sim::driver::Driver;
use astromorph_sim::link::{Endpoint, MemoryCore, Request};
use astromorph_sim::netlist::{self, Goal, SynthOptions, synthesise};
use astromorph_sim::tools::Tool;
use astromorph_sim::trace::Trace;

const CLOCK: u64 = 24_000_000;
/// 7.5 cycles a bit.
const BAUD: u64 = 3_200_000;

fn core() -> EngineConfig {
    EngineConfig {
        name: "small".into(),
        lanes: 2,
        width: 8,
        acc_bits: 24,
        bank_words: 16,
        x_words: 64,
        m_words: 64,
        function_words: 16,
        mantissa_words: 16,
        sums: 8,
        reads: 8,
        norm_width: 8,
        norm_words: 16,
        chunked: false,
    }
}

/// 3·5 + 4·6 and 3·1 + 4·2 of rows of two words.
fn loaded(core: &EngineConfig) -> Loaded {
    let through = |cols, bits, to| Stream {
        cols,
        slow: false,
        addend: Addend::None,
        shift: 0,
        bits,
        function: Function::None,
        other: Other::None,
        serial: Serial::None,
        sums: None,
        to,
        norm: None,
    };
    let run = |label: &str, source, stream| {
        Step::Run(Box::new(Run {
            label: label.into(),
            names: vec![],
            source,
            wait: true,
            wait_fill: false,
            stream,
        }))
    };
    let mac = Mac {
        rows: Extent::Block,
        passes: 1,
        k: Extent::Fixed(2),
        x: At::fixed(0),
        x_stride: 2,
        bank: 0,
        bank_stride: 0,
    };
    let row = To::X {
        at: At::fixed(0),
        row: 2,
        column: 1,
    };
    let program = Program {
        n_max: 8,
        steps: vec![
            run("x0", Source::Input, through(2, 8, row)),
            Step::Blocks { tokens: 8 },
            run("logits", Source::Array(mac), through(2, 16, To::Output)),
            Step::Next { r1: 0, r2: 0 },
            Step::End,
        ],
    };
    let mut loaded = Loaded::new(core, &program).unwrap();
    loaded.banks = vec![vec![5, 6], vec![1, 2]];
    loaded
}

/// The ends of a board's line.
struct Line {
    driver: Driver<Board>,
    trace: Option<Trace>,
    /// Cycle of the edge that began the byte which comes in, and its bits.
    byte: Option<(u64, u16)>,
    out: Vec<u8>,
}

impl Line {
    fn cycle(&mut self, level: bool) {
        if let Some(trace) = &mut self.trace {
            trace.record(self.driver.block());
        }
        let now = self.driver.cycles();
        let Line { driver, byte, out, .. } = self;
        driver
            .cycle(|b| {
                b.uart_rx.next = level;
                let high = b.uart_tx.val();
                if byte.is_none() && !high {
                    *byte = Some((now, 0));
                }
                if let Some((start, bits)) = byte {
                    let middle = |n: u64| *start + (2 * n + 1) * CLOCK / (2 * BAUD);
                    for n in (0..10).filter(|&n| middle(n) == now) {
                        *bits |= (high as u16) << n;
                        if n == 9 {
                            assert!(*bits & 1 == 0 && *bits >> 9 == 1, "no byte: {bits:#012b}");
                            out.push((*bits >> 1) as u8);
                            *byte = None;
                            break;
                        }
                    }
                }
            })
            .unwrap();
    }

    fn idle(&mut self, cycles: usize) {
        (0..cycles).for_each(|_| self.cycle(true));
    }

    fn send(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let bits = (byte as u64) << 1 | 1 << 9;
            for cycle in 0..10 * CLOCK / BAUD {
                self.cycle(bits >> (cycle * BAUD / CLOCK) & 1 == 1);
            }
        }
    }
}

/// Every request in turn, the board's bytes beside the endpoint's; the Verilog, and the trace if it is wanted.
fn run(requests: &[Request], target: Target, traced: bool) -> (String, Option<Trace>) {
    let core = core();
    let pins = Pins {
        name: "test",
        clock_hz: CLOCK,
        baud: BAUD,
        button_low: true,
        leds: 2,
        led_low: false,
    };
    let mut board = Endpoint::new(
        &core,
        &pins.identity().text(&core).unwrap(),
        MemoryCore::new(&core).unwrap(),
    );
    let driver = Driver::new(Board::new(&core, target, &pins).unwrap(), |b| &mut b.clock).unwrap();
    let trace = traced.then(|| Trace::new(driver.block()));
    let mut line = Line {
        driver,
        trace,
        byte: None,
        out: Vec::new(),
    };
    line.driver.block_mut().uart_rx.next = true;
    line.driver.block_mut().button.next = true;
    line.driver.settle().unwrap();
    line.idle(300);
    for request in requests {
        let bytes = request.line();
        bytes.iter().for_each(|&byte| board.receive(byte));
        let owed = board.answers();
        line.send(&bytes);
        for _ in 0..100_000 {
            if line.out.len() >= owed.len() {
                break;
            }
            line.cycle(true);
        }
        // The engine works.
        line.idle(if line.trace.is_some() { 500 } else { 2000 });
        assert_eq!(line.out, owed, "{request:?}");
        line.out.clear();
    }
    (line.driver.verilog().to_string(), line.trace)
}

fn request(operation: Operation, space: Space, address: u32, payload: Vec<u8>) -> Request {
    Request {
        operation,
        space,
        number: 1,
        session: 7,
        address,
        payload,
    }
}

fn requests() -> Vec<Request> {
    let core = core();
    let mut all = vec![
        request(Operation::Read, Space::Identity, 0, vec![200]),
        request(Operation::Open, Space::M, 0, vec![]),
    ];
    let loaded = loaded(&core);
    let m: Vec<u8> = loaded.m.iter().flat_map(|w| w.to_le_bytes()).collect();
    all.push(request(Operation::Write, Space::M, 0, m));
    for lane in 0..2 {
        let words = loaded.banks[lane].iter().map(|&w| w as u8).collect();
        all.push(request(Operation::Write, Space::Bank, (lane as u32) << 16, words));
    }
    all.push(request(
        Operation::Write,
        Space::Norm,
        14,
        vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    ));
    // The rest of M: iCE40's SPRAM holds anything at first.
    let (from, rest) = (loaded.m.len(), core.m_words - loaded.m.len());
    all.push(request(Operation::Write, Space::M, from as u32, vec![0; 4 * rest]));
    for (space, count) in [
        (Space::M, 64),
        (Space::Norm, 16),
        (Space::Function, 16),
        (Space::Mantissa, 16),
        (Space::Bank, 2),
    ] {
        all.push(request(Operation::Check, space, 0, vec![count, 0, 0]));
    }
    all.push(request(Operation::Check, Space::Bank, 1 << 16, vec![16, 0, 0]));
    all.push(request(Operation::WriteLast, Space::Input, 0, vec![3, 4, 1, 0]));
    all.push(request(Operation::WriteLast, Space::Input, 0, vec![3, 4, 1, 0])); // Again: it has been taken.
    all.push(request(Operation::Read, Space::Output, 0, vec![60, 0, 0, 0]));
    all.push(request(Operation::Read, Space::Registers, 0, vec![8]));
    all.push(request(Operation::WriteLast, Space::Input, 4, vec![255, 2]));
    all.push(request(Operation::Read, Space::Output, 4, vec![60, 4, 0, 0]));
    all.push(request(Operation::Check, Space::M, 0, vec![40, 0, 0]));
    all
}

#[test]
fn a_board_answers_as_the_endpoint_with_the_integer_machine() {
    run(&requests(), Target::Generic, false);
}

#[test]
fn the_emitted_board_is_the_same_in_every_cycle() {
    // The first answers of the whole, and a piece of each kind.
    let all = requests();
    let mut some = vec![request(Operation::Read, Space::Identity, 0, vec![9])];
    some.extend([1, 2, 3, 11, 13, 15].map(|n| all[n].clone()));
    let (verilog, trace) = run(&some, Target::Generic, true);
    if let (Some(trace), Some(tool)) = (trace, optional(Tool::Icarus)) {
        let dir = tempfile::tempdir().unwrap();
        let result = icarus::replay(&tool, &Design::rtl("board", &verilog), &trace, dir.path()).unwrap();
        assert!(result.is_equal(), "{result}");
    }
}

/// Line, frames, requests, read-back and engine of a family, as its cells.
#[test]
fn the_board_as_a_netlist_is_the_same_in_every_cycle() {
    let (yosys, verilator) = (tool(Tool::Yosys), tool(Tool::Verilator));
    for (target, family) in [
        (Target::Ice40, netlist::Target::Ice40),
        (Target::Ecp5, netlist::Target::Ecp5),
    ] {
        let (verilog, trace) = run(&requests(), target, true);
        let dir = tempfile::tempdir().unwrap();
        // As `build` makes a board's bitstream.
        let options = SynthOptions {
            goal: Goal::Area,
            ..SynthOptions::new(family)
        };
        let netlist = synthesise(&yosys, &verilog, &options, dir.path()).unwrap();
        let design = netlist.design(&yosys).unwrap();
        let result = verilator::replay(&verilator, &design, &trace.expect("asked for"), &cache()).unwrap();
        assert!(result.is_equal(), "{family:?}: {result}");
    }
}

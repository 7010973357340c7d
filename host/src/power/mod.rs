//! Power of an engine, estimated from activity: its netlist runs a model, every net's toggles are counted, and each toggle, access and clock
//! cycle costs a charge of `constraints/power.toml`.
//!
//! | step | |
//! |---|---|
//! | netlist | the engine by itself, synthesised as in the build: what serves observation only is left open |
//! | workload | a model with random weights and sequences, compiled for the core; its output words must equal the machine's |
//! | counted | toggles of settled values, cycles of memory ports, toggles of multiplier operands ([`netlist`]) |
//! | current | static + clock · (charge of the clock network + Σ count a cycle · charge) |
//!
//! What it is not: a measurement. Not in it are the link, the PLL, the pins and their supplies, glitches other than those in the charges (they were
//! measured on a circuit with glitches, counted without), temperature.
//!
//! A charge in pC, a cycle at so many MHz, is a current in µA: 43 pC at 24 MHz are 1.03 mA.
//! ```
//! use astromorph_host::power::{charges::Charges, current, netlist::Use};
//! let up5k = Charges::of("up5k").unwrap();
//! let rows = current(&up5k, &Use::default(), 1, 24.0);
//! let clock = rows.iter().find(|row| row.kind == "clock network").unwrap();
//! assert!((clock.ma[1] - 24.0 * up5k.clock.range[1] / 1000.0).abs() < 1e-12);
//! ```

pub mod charges;
pub mod netlist;

use crate::boards::{Board, Family};
use crate::build::{self, Options, Source, cache, engine, synth};
use crate::cli::Failure;
use crate::link::device::options;
use crate::link::trial::{self, Known};
use crate::progress::Progress;
use crate::report::{CurrentRow, Power, save};
use astromorph::Error;
use astromorph::engine::config::EngineConfig;
use astromorph_sim::activity::Activity;
use astromorph_sim::engine::VerilatedEngine;
use astromorph_sim::netlist::{Target, rtl_with_cells};
use astromorph_sim::ports::PortKind;
use astromorph_sim::tools::{Installed, Tool, Tools};
use charges::{Charge, Charges};
use netlist::{Block, Netlist, Use};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Module of the engine without its observation ports.
const TOP: &str = "astromorph_power";

/// Sequences of the workload, and the seed of its weights and sequences.
const SEQUENCES: usize = 1;
const SEED: u64 = 1;

/// What a run of the workload counted; kept on disk.
#[derive(Serialize, Deserialize)]
struct Counted {
    key: String,
    cycles: u64,
    multiplications: u64,
    used: Use,
}

/// The family's netlists, or a refusal before anything is built.
pub fn simulated(family: Family) -> Result<Target, Error> {
    match family {
        Family::Ice40 => Ok(Target::Ice40),
        Family::Ecp5 => Ok(Target::Ecp5),
        Family::Gowin => Err(Error::field(
            "power",
            "a board whose netlists can be simulated: iCE40 or ECP5",
            "Gowin",
        )),
    }
}

/// The estimate for an engine on a board's device at a clock; works in `folder`.
pub fn estimate(
    core: &EngineConfig,
    options: &Options,
    mhz: f64,
    folder: &Path,
    progress: &Progress,
) -> Result<Power, Failure> {
    let board = &options.board;
    let charges = Charges::of(&board.device)?;
    let family = simulated(board.family)?;
    let tools = Tools::ensure(&[Tool::Yosys, Tool::Verilator], |line| progress.say(line))?;
    let yosys = tools.get(Tool::Yosys)?;
    progress.stage("synthesis of the engine by itself");
    let (source, netlist) = synthesised(core, board, options, yosys, folder)?;
    let (size, known) = match trial::large(core, SEED, SEQUENCES) {
        Ok(known) => ("of 2 layers, 2 heads, D = 48", known),
        // The core is for smaller ones.
        Err(_) => ("of 1 layer, 2 heads, D = 16", trial::small(core, SEED)?),
    };
    let key = cache::key(&[
        &netlist.key,
        &netlist.sha256,
        tools.get(Tool::Verilator)?.version(),
        &format!("{SEED} {SEQUENCES} {size}"),
    ]);
    let stored = folder.join("activity.json");
    progress.stage("activity");
    let counted = match cache::read::<Counted>(&stored).filter(|old| old.key == key) {
        Some(old) => old,
        None => {
            let new = counted(key, core, &source, &known, (&tools, family), folder)?;
            cache::write(&stored, &new)?;
            new
        }
    };
    let rows = current(&charges, &counted.used, counted.cycles, mhz);
    let watts = |ma: [f64; 3]| ma.map(|ma| ma * charges.volts);
    let total: [f64; 3] = std::array::from_fn(|k| rows.iter().map(|row| row.ma[k]).sum());
    // mW · cycles / MHz = nJ.
    let energy = watts(total).map(|mw| mw * counted.cycles as f64 / mhz);
    Ok(Power {
        workload: format!(
            "a model with random weights {size}, {} sequences of {} tokens in all: {} cycles, {} multiplications, output words as the machine's",
            known.sequences.len(),
            known.tokens,
            counted.cycles,
            counted.multiplications
        ),
        mhz,
        volts: charges.volts,
        total_ma: total,
        total_mw: watts(total),
        token_uj: energy.map(|nj| nj / 1e3 / known.tokens as f64),
        multiplication_pj: energy.map(|nj| nj * 1e3 / counted.multiplications as f64),
        rows,
        assumptions: charges
            .all()
            .map(
                |(
                    name,
                    unit,
                    Charge {
                        range: [low, typical, high],
                        from,
                    },
                )| { format!("{name}: {typical} ({low} to {high}) {unit}; {from}") },
            )
            .collect(),
    })
}

/// The engine without its observation ports, mapped.
fn synthesised(
    core: &EngineConfig,
    board: &Board,
    options: &Options,
    yosys: &Installed,
    folder: &Path,
) -> Result<(Source, synth::Netlist), Failure> {
    let source = engine::source(core, board, yosys, folder)?;
    // Who multiplies is counted; what of the taps remains is cells that no design has.
    let kept = |name: &str| !source.open.iter().any(|o| o == name) || ["slots", "step"].contains(&name);
    let (mut head, mut pins) = (Vec::new(), Vec::new());
    for port in &source.ports {
        let name = &port.name;
        if kept(name) {
            let direction = if port.kind == PortKind::Output {
                "output"
            } else {
                "input"
            };
            head.push(format!("{direction} [{}:0] {name}", port.bits - 1));
        }
        pins.push(format!(".{name}({})", if kept(name) { name } else { "" }));
    }
    let text = format!(
        "module {TOP}({});\n  {} engine({});\nendmodule\n",
        head.join(", "),
        source.top,
        pins.join(", ")
    );
    let files = [("design.v", source.verilog.clone()), ("power.v", text)];
    for (name, text) in &files {
        save(&folder.join(name), text.as_bytes())?;
    }
    let synthesis = synth::Synthesis {
        sources: &files,
        top: TOP,
        command: &board.tools.synthesis,
        options: &options.synthesis,
        goal: build::goal(options),
    };
    let netlist = synthesis.run(yosys, folder)?;
    Ok((source, netlist))
}

/// Runs the workload on the netlist.
fn counted(
    key: String,
    core: &EngineConfig,
    source: &Source,
    known: &Known,
    (tools, family): (&Tools, Target),
    folder: &Path,
) -> Result<Counted, Failure> {
    let netlist = Netlist::read(&folder.join(synth::NETLIST), TOP)?;
    let text = netlist.verilog(&source.ports);
    let design = rtl_with_cells(tools.get(Tool::Yosys)?, "engine's netlist", &text, family)?;
    let models = folder.join("verilated");
    let engine = VerilatedEngine::counting(tools.get(Tool::Verilator)?, &design, &source.ports, &models)?;
    let (beats, count) = known.beats();
    let (run, activity): (_, Activity) =
        engine.activity(known.package.loaded().writes(core), &beats, count, &options())?;
    let words: Vec<i32> = run.words.iter().map(|w| w.data).collect();
    let compared = known.compared("netlist", &words);
    if compared.verdict() != "equal" || run.error != 0 || run.stuck {
        let what = format!(
            "{} of {} words differ, error {:#b}",
            compared.mismatches, compared.words, run.error
        );
        return Err(Failure::Different(format!(
            "the machine and the engine's netlist: {what}"
        )));
    }
    Ok(Counted {
        key,
        cycles: activity.cycles,
        multiplications: run.steps.values().map(|step| step.slots).sum::<u64>() * core.lanes as u64,
        used: netlist.used(&activity)?,
    })
}

/// The current by kind of block, for what was used in so many cycles, at a clock in MHz.
pub fn current(charges: &Charges, used: &Use, cycles: u64, mhz: f64) -> Vec<CurrentRow> {
    let a_cycle = |n: f64| n / cycles.max(1) as f64;
    let row = |kind: &str, counts: String, pc: &[(f64, &Charge)]| CurrentRow {
        kind: kind.into(),
        counts,
        ma: std::array::from_fn(|k| pc.iter().map(|(n, c)| n * c.range[k]).sum::<f64>() * mhz / 1e3),
    };
    let toggles = |block: Block| used.nets.get(&block).map_or([0.0; 2], |n| n.map(|n| a_cycle(n as f64)));
    let cells = |block: Block| used.cells.get(&block).copied().unwrap_or(0);
    // The nets that a block drives, and what it draws itself.
    let block = |kind: &str, block: Block, what: &str, own: (f64, &Charge)| {
        let [local, routed] = toggles(block);
        let counts = format!(
            "{} cells; {:.1} {what}, {local:.1} local and {routed:.1} routed toggles a cycle",
            cells(block),
            own.0
        );
        row(kind, counts, &[own, (local, &charges.local), (routed, &charges.routed)])
    };
    let accesses = |block: Block| a_cycle(used.accesses.get(&block).copied().unwrap_or(0.0));
    let none = Charge {
        range: [0.0; 3],
        from: String::new(),
    };
    let mut rows = vec![
        CurrentRow {
            kind: "static".into(),
            counts: "no clock".into(),
            ma: charges.static_ma.range,
        },
        row("clock network", "1 cycle a cycle".into(), &[(1.0, &charges.clock)]),
        block("logic and its nets", Block::Logic, "of their own", (0.0, &none)),
        block(
            "flip-flops and their nets",
            Block::FlipFlop,
            "clocked",
            (cells(Block::FlipFlop) as f64, &charges.flip_flop),
        ),
        block(
            "multipliers",
            Block::Multiplier,
            "toggles of operands",
            (a_cycle(used.operands as f64), &charges.multiplier),
        ),
        block(
            "block RAM",
            Block::BlockRam,
            "accesses",
            (accesses(Block::BlockRam), &charges.block_ram),
        ),
    ];
    if let Some(spram) = &charges.spram {
        rows.push(block(
            "single-port RAM",
            Block::Spram,
            "accesses",
            (accesses(Block::Spram), spram),
        ));
    }
    rows
}

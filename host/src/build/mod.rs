//! From Verilog to a bitstream with measured figures: synthesis, place and route over seeds, packing.
//!
//! | step | file under the folder | made anew when |
//! |---|---|---|
//! | Verilog, wrapper, pins | `design.v`, `wrapper.v`, `pins.*` | always |
//! | [`synth`]: Yosys | `synthesis/netlist.json`, `synthesis/stat.json` | anything it depends on changed |
//! | [`route`]: nextpnr, a seed a run, two at a time | `seed-S/result.json`, `seed-S/report.json`, `seed-S/nextpnr.log` | the same, seed by seed: an interrupted build goes on |
//! | packer, the best seed | `NAME.bin`, `.bit` or `.fs` | always |
//!
//! | mode | what is placed | bitstream |
//! |---|---|---|
//! | pins of the board | the design; its ports are the board's (`clk`, `uart_rx`, `uart_tx`, `button`, `led`) | yes |
//! | out of context | the design between the registers of [`wrapper`], so that a core with more ports than pins is measured | none: its pins are arbitrary |
//!
//! A target frequency that is missed is a figure in the report, not a failure. Failures are a tool that is missing, that fails, or that says
//! success without a new, non-empty file, and every warning of Yosys about conflicting drivers.
//!
//! The Verilog may come from anywhere: a [`Source`] is text, the name of the top module, and its ports.

mod blocks;
pub mod board;
pub(crate) mod cache;
pub mod engine;
pub mod pack;
pub mod pll;
pub mod ports;
pub mod route;
pub mod synth;
pub mod timing;
pub mod wrapper;

use crate::boards::{Board, Family};
use crate::cli::Failure;
use crate::interrupt;
use crate::progress::Progress;
use crate::report::{Routed, StageRow, save};
use astromorph::Error;
use astromorph_sim::netlist::Goal;
use astromorph_sim::ports::{Port, PortKind};
use astromorph_sim::tools::{Tool, Tools};
use std::path::Path;

pub use blocks::by_block;

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Source {
    /// Names the bitstream and stands in the report.
    pub name: String,
    /// The whole text.
    pub verilog: String,
    /// The top module.
    pub top: String,
    /// Its ports, one of them the clock.
    pub ports: Vec<Port>,
    /// Outputs that nothing is connected to out of context.
    pub open: Vec<String>,
}

/// How it is to be built.
#[derive(Clone, Debug)]
pub struct Options {
    pub board: Board,
    /// Seeds of place and route.
    pub seeds: Vec<u64>,
    /// Frequency asked for, MHz.
    pub mhz: f64,
    /// Between registers instead of at the board's pins.
    pub out_of_context: bool,
    /// Further options of Yosys' synthesis command; `-dsp` is refused.
    pub synthesis: Vec<String>,
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The figures.
    pub routed: Routed,
    /// Wall time by stage; of seeds that were found on disk, the time they took then.
    pub stages: Vec<StageRow>,
}

/// The tools that a board needs; what is absent is installed.
pub fn tools(board: &Board, progress: &Progress) -> Result<Tools, Failure> {
    Ok(Tools::ensure(&[Tool::Yosys, board.family.tool()], |line| {
        progress.say(line)
    })?)
}

/// Builds in `folder`, which keeps every result.
pub fn build(
    source: &Source,
    options: &Options,
    tools: &Tools,
    folder: &Path,
    progress: &Progress,
) -> Result<Built, Failure> {
    let board = &options.board;
    check(options)?;
    let (design, top, pins) = if options.out_of_context {
        let (design, top) = out_of_context(source)?;
        (design, top, None)
    } else {
        let pins = board_pins(board, &source.ports)?;
        (
            vec![("design.v", source.verilog.clone())],
            source.top.as_str(),
            Some(pins),
        )
    };
    for (name, text) in &design {
        save(&folder.join(name), text.as_bytes())?;
    }
    if let Some(pins) = &pins {
        save(&folder.join(&board.constraints), pins.as_bytes())?;
    }
    let yosys = tools.get(Tool::Yosys)?;
    let nextpnr = tools.get(board.family.tool())?;

    let mut stages = Vec::new();
    progress.stage("synthesis");
    let synthesis = synth::Synthesis {
        sources: &design,
        top,
        command: &board.tools.synthesis,
        options: &options.synthesis,
        goal: goal(options),
    };
    let netlist = synthesis.run(yosys, folder)?;
    stages.push(StageRow {
        stage: "synthesis".into(),
        seconds: netlist.seconds,
    });
    stopped(folder)?;

    progress.stage("place and route");
    let route = route::Route {
        board,
        netlist: &netlist,
        pins: pins.as_deref(),
        mhz: options.mhz,
    };
    let runs = route.run(nextpnr, &options.seeds, folder, progress)?;
    stages.extend(runs.iter().map(|r| StageRow {
        stage: format!("place and route, seed {}", r.seed),
        seconds: r.seconds,
    }));

    let bitstream = match (options.out_of_context, route::best(&runs)) {
        (false, Some(best)) => Some(route::pack(nextpnr, board, best, &source.name, folder)?),
        _ => None,
    };
    let instance = options.out_of_context.then_some(wrapper::INSTANCE);
    let routed = Routed {
        board: board.title.clone(),
        device: format!("{} {} {}", board.device, board.package, board.speed)
            .trim()
            .into(),
        context: context(source, options),
        synthesis: synthesis.script_command(),
        tools: [yosys, nextpnr]
            .map(|t| (t.tool().name().to_string(), t.version().to_string()))
            .into(),
        asked_mhz: options.mhz,
        seeds: runs.iter().map(route::Seed::row).collect(),
        used: route::best(&runs).map(|r| r.timing.used.clone()).unwrap_or_default(),
        cells: netlist.cells.clone(),
        blocks: by_block(&folder.join(synth::NETLIST), top, instance)?,
        critical: route::worst(&runs)
            .map(|r| r.timing.words(r.seed, instance))
            .unwrap_or_default(),
        bitstream: bitstream.map(|p| p.display().to_string()),
    };
    Ok(Built { routed, stages })
}

/// A board's whole design has to fit at the board's own clock.
pub(crate) fn goal(options: &Options) -> Goal {
    match options.out_of_context {
        true => Goal::Speed,
        false => Goal::Area,
    }
}

/// Names and texts.
pub type Files = Vec<(&'static str, String)>;

/// The design between registers: files with their texts, and the top module.
pub fn out_of_context(source: &Source) -> Result<(Files, &'static str), Error> {
    let wrapped = wrapper::wrap(&source.top, &source.ports, &source.open)?;
    let files = vec![("design.v", source.verilog.clone()), ("wrapper.v", wrapped.verilog)];
    Ok((files, wrapper::TOP))
}

/// What stood around the design, in words.
fn context(source: &Source, options: &Options) -> String {
    match (options.out_of_context, source.open.len()) {
        (false, _) => format!("pins of the board ({})", options.board.constraints),
        (true, 0) => "out of context: every port between registers, no pins".into(),
        (true, n) => {
            format!("out of context: every port between registers, no pins; {n} outputs for observation left open")
        }
    }
}

/// An interruption between two steps.
fn stopped(folder: &Path) -> Result<(), Failure> {
    match interrupt::requested() {
        true => Err(Failure::Interrupted(folder.display().to_string())),
        false => Ok(()),
    }
}

fn check(options: &Options) -> Result<(), Error> {
    let mhz = options.mhz;
    if !(mhz.is_finite() && (1.0..=1000.0).contains(&mhz)) {
        return Err(Error::field("freq", "1 to 1000 MHz", mhz));
    }
    if options.seeds.is_empty() || options.seeds.len() > 1000 {
        return Err(Error::field("seeds", "1 to 1000", options.seeds.len()));
    }
    // It silently builds wrong circuits (docs/decisions).
    let text = options.synthesis.join(" ");
    match text.split_whitespace().find(|o| *o == "-dsp" || o.contains(';')) {
        Some(bad) => Err(Error::field("synthesis-options", "options other than -dsp", bad)),
        None => Ok(()),
    }
}

/// The board's pins for a design whose ports are all the board's.
fn board_pins(board: &Board, ports: &[Port]) -> Result<String, Error> {
    let mut pins = board.pins.to_string();
    for port in ports {
        let (kind, most) = match port.name.as_str() {
            "clk" => (PortKind::Clock, 1),
            "uart_rx" | "button" => (PortKind::Input, 1),
            "uart_tx" => (PortKind::Output, 1),
            "led" => (PortKind::Output, board.ports.leds),
            _ => {
                return Err(Error::field(
                    format!("port {}", port.name),
                    "a port of the board: clk, uart_rx, uart_tx, button or led (a bare core is built with --out-of-context)",
                    format!("{} bits", port.bits),
                ));
            }
        };
        if port.kind != kind || port.bits > most {
            return Err(Error::field(
                format!("port {}", port.name),
                format!("{kind:?} of at most {most} bits"),
                format!("{:?} of {} bits", port.kind, port.bits),
            ));
        }
        if port.name == "led" && port.bits == 1 {
            // A single bit carries no index in the netlist.
            pins = pins.replace("led[0]", "led");
        }
    }
    match ports.iter().any(|p| p.kind == PortKind::Clock) {
        true => Ok(pins),
        false => Err(Error::field("ports", "an input clk", "none")),
    }
}

/// Extension of the bitstream and of what place and route leaves for the packer.
pub(crate) fn extensions(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Ice40 => ("bin", "asc"),
        Family::Ecp5 => ("bit", "config"),
        Family::Gowin => ("fs", "json"),
    }
}

#[cfg(test)]
mod tests;

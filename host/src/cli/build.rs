//! `astromorph build`: synthesis, place and route over seeds, bitstream, figures.

use super::train::{command_line, publish};
use super::{Common, Outcome};
use crate::boards::Board;
use crate::build::{self, Options, Source, board as bitstream, engine, ports};
use crate::cores::core;
use crate::power;
use crate::progress::Progress;
use crate::report::{Report, StageRow, save};
use astromorph::Error;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::registers;
use astromorph_sim::tools::Tool;
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `build`.
#[derive(Args)]
pub struct Build {
    /// The board: icebreaker, ulx3s, colorlight-i5 or tang-nano-20k.
    #[arg(long)]
    board: String,
    #[command(flatten)]
    what: What,
    /// The top module of the Verilog.
    #[arg(long, value_name = "NAME", default_value = "top")]
    top: String,
    /// The top module's clock (default: clock or clk).
    #[arg(long, value_name = "NAME")]
    clock: Option<String>,
    /// Seeds of place and route, counted up from --seed (default 1).
    #[arg(long, default_value_t = 8)]
    seeds: u64,
    /// Frequency asked for in MHz (default: the clock of the board's bitstream; of other Verilog the oscillator's; out of context the board
    /// file's).
    #[arg(long, value_name = "MHZ")]
    freq: Option<f64>,
    /// Measure a bare core between registers, whatever ports it has; gives no bitstream.
    #[arg(long)]
    out_of_context: bool,
    /// Estimate the engine's power from the activity of its netlist while it runs a model.
    #[arg(long, conflicts_with = "verilog")]
    power: bool,
    /// Further options of Yosys' synthesis command, as one argument ("-abc9").
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    synthesis_options: Option<String>,
}

/// What was given to build.
enum Input {
    Verilog(String),
    Core(EngineConfig),
}

/// What to build.
#[derive(Args)]
#[group(multiple = false)]
struct What {
    /// Any Verilog.
    #[arg(long, value_name = "FILE")]
    verilog: Option<PathBuf>,
    /// The core, a built-in one by name or NAME.toml, with the link to the host around it; out of context the bare core (default: the board's
    /// own core).
    #[arg(long, value_name = "CORE")]
    core: Option<String>,
}

impl Build {
    /// The name, what it is in words, and the text; a core has none yet.
    fn given(&self, board: &Board) -> Result<(String, String, Input), Error> {
        match (&self.what.verilog, &self.what.core) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file).map_err(|e| Error::file(file, e))?;
                let name = file
                    .file_stem()
                    .map_or(self.top.clone(), |s| s.to_string_lossy().into_owned());
                let title = format!("{}, top module {}", file.display(), self.top);
                Ok((name, title, Input::Verilog(text)))
            }
            (None, name) => {
                let core = core(name.as_deref().unwrap_or(&board.link.core))?;
                let what = if self.out_of_context {
                    "engine"
                } else {
                    "engine and link"
                };
                let title = format!(
                    "{what}, {} lanes of {} bits, id {:#010x}",
                    core.lanes,
                    core.width,
                    core.id()
                );
                Ok((core.name.clone(), title, Input::Core(core)))
            }
        }
    }

    /// Builds into `--out` (default `out/build/BOARD-NAME`) and reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let board = Board::find(&self.board)?;
        if self.power {
            power::simulated(board.family)?;
        }
        let (name, title, input) = self.given(&board)?;
        let mode = if self.out_of_context { "-out-of-context" } else { "" };
        let folder = common
            .out
            .clone()
            .unwrap_or_else(|| Path::new("out/build").join(format!("{}-{name}{mode}", board.name)));
        let tools = build::tools(&board, progress)?;
        let yosys = tools.get(Tool::Yosys)?;
        let source = match &input {
            Input::Core(core) if self.out_of_context => engine::source(core, &board, yosys, &folder)?,
            Input::Core(core) => {
                // For hosts of other makers.
                save(&folder.join("registers.h"), registers::c_header().as_bytes())?;
                save(&folder.join("registers.json"), registers::json().as_bytes())?;
                bitstream::source(core, &board, yosys, &folder)?
            }
            Input::Verilog(verilog) => Source {
                ports: ports::of(yosys, verilog, &self.top, self.clock.as_deref(), &folder)?,
                open: Vec::new(),
                top: self.top.clone(),
                verilog: verilog.clone(),
                name,
            },
        };
        let first = common.seed.unwrap_or(1);
        let default = match (self.out_of_context, &self.what.verilog) {
            (true, _) => board.out_of_context.mhz,
            (false, None) => board.link.clock_mhz,
            (false, Some(_)) => board.ports.clock_mhz,
        };
        let options = Options {
            seeds: (0..self.seeds).map(|k| first.wrapping_add(k)).collect(),
            mhz: self.freq.unwrap_or(default),
            out_of_context: self.out_of_context,
            synthesis: self.synthesis_options.iter().map(|o| o.trim().to_string()).collect(),
            board,
        };
        let mut built = build::build(&source, &options, &tools, &folder, progress)?;
        let power = match &input {
            Input::Core(core) if self.power => {
                let started = Instant::now();
                // Out of context the clock is one that the engine reaches.
                let reached = built.routed.mhz().map_or(options.mhz, |[.., fastest]| fastest);
                let mhz = if self.out_of_context {
                    options.mhz.min(reached)
                } else {
                    options.mhz
                };
                let power = power::estimate(core, &options, mhz, &folder.join("power"), progress)?;
                built.stages.push(StageRow {
                    stage: "power, estimated".into(),
                    seconds: started.elapsed().as_secs_f64(),
                });
                Some(power)
            }
            _ => None,
        };
        let report = Report {
            name: source.name.clone(),
            verb: "build".into(),
            command: command_line(),
            version: env!("CARGO_PKG_VERSION").into(),
            seed: first,
            model: title,
            routed: Some(built.routed),
            power,
            stages: built.stages,
            ..Report::default()
        };
        publish(&report, &folder, common)
    }
}

//! `astromorph build`: synthesis, place and route over seeds, bitstream, figures.

use super::train::{command_line, publish};
use super::{Common, Outcome};
use crate::boards::{Board, Family};
use crate::build::{self, Options, Source, ports};
use crate::cores::core;
use crate::progress::Progress;
use crate::report::Report;
use astromorph::{Error, Result};
use astromorph_hdl::engine::emit::emit_engine;
use astromorph_hdl::multiply::Target;
use astromorph_sim::tools::Tool;
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `build`.
#[derive(Args)]
pub struct Build {
    /// The board: icebreaker, ulx3s, colorlight-i5 or tang-nano-20k.
    #[arg(long)]
    board: String,
    /// The Verilog to build.
    #[arg(long, value_name = "FILE", required_unless_present = "core")]
    verilog: Option<PathBuf>,
    /// The engine of this description instead: a built-in core by name, or NAME.toml.
    #[arg(long, value_name = "CORE", conflicts_with = "verilog")]
    core: Option<String>,
    /// Its top module.
    #[arg(long, value_name = "NAME", default_value = "top")]
    top: String,
    /// The top module's clock (default: clock or clk).
    #[arg(long, value_name = "NAME")]
    clock: Option<String>,
    /// Seeds of place and route, counted up from --seed (default 1).
    #[arg(long, default_value_t = 8)]
    seeds: u64,
    /// Frequency asked for in MHz (default: the board's clock; out of context the board file's).
    #[arg(long, value_name = "MHZ")]
    freq: Option<f64>,
    /// Measure a bare core between registers, whatever ports it has; gives no bitstream.
    #[arg(long)]
    out_of_context: bool,
    /// Further options of Yosys' synthesis command, as one argument ("-abc9").
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    synthesis_options: Option<String>,
}

impl Build {
    /// Builds into `--out` (default `out/build/BOARD-NAME`) and reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let board = Board::find(&self.board)?;
        let (name, verilog) = self.source(&board)?;
        let mode = if self.out_of_context { "-out-of-context" } else { "" };
        let folder = common
            .out
            .clone()
            .unwrap_or_else(|| Path::new("out/build").join(format!("{}-{name}{mode}", board.name)));
        let tools = build::tools(&board, progress)?;
        let yosys = tools.get(Tool::Yosys)?;
        let source = Source {
            ports: ports::of(yosys, &verilog, &self.top, self.clock.as_deref(), &folder)?,
            top: self.top.clone(),
            verilog,
            name,
        };
        let first = common.seed.unwrap_or(1);
        let default = match self.out_of_context {
            true => board.out_of_context.mhz,
            false => board.ports.clock_mhz,
        };
        let options = Options {
            seeds: (0..self.seeds).map(|k| first.wrapping_add(k)).collect(),
            mhz: self.freq.unwrap_or(default),
            out_of_context: self.out_of_context,
            synthesis: self.synthesis_options.iter().map(|o| o.trim().to_string()).collect(),
            board,
        };
        let built = build::build(&source, &options, &tools, &folder, progress)?;
        let report = Report {
            name: source.name.clone(),
            verb: "build".into(),
            command: command_line(),
            version: env!("CARGO_PKG_VERSION").into(),
            seed: first,
            model: format!("{}, top module {}", source.name, source.top),
            routed: Some(built.routed),
            stages: built.stages,
            ..Report::default()
        };
        publish(&report, &folder, common)
    }

    /// Name and text of what is built.
    fn source(&self, board: &Board) -> Result<(String, String)> {
        if let Some(which) = &self.core {
            let core = core(which)?;
            let target = match board.family {
                Family::Ice40 => Target::Ice40,
                Family::Ecp5 => Target::Ecp5,
                Family::Gowin => Target::Generic,
            };
            return Ok((core.name.clone(), emit_engine(&core, target)?));
        }
        let path = self.verilog.as_deref().unwrap_or(Path::new(""));
        let verilog = std::fs::read_to_string(path).map_err(|e| Error::file(path, e))?;
        let name = path.file_stem().map_or(self.top.clone(), |s| s.to_string_lossy().into_owned());
        Ok((name, verilog))
    }
}

//! `astromorph board`: a virtual board, which a host cannot tell from a real one but by its speed.

use super::{Common, Failure, Outcome};
use crate::boards::Board as Described;
use crate::build::board::pins;
use crate::cores::core;
use crate::interrupt;
use crate::progress::Progress;
use astromorph::engine::config::EngineConfig;
use astromorph_hdl::link::emit::{emit_board, emit_station};
use astromorph_hdl::multiply::Target;
use astromorph_sim::board::{Line, Running, VirtualBoard};
use astromorph_sim::tools::{Tool, Tools};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `board`.
#[derive(Args)]
pub struct Board {
    /// The board: icebreaker, ulx3s, colorlight-i5 or tang-nano-20k.
    #[arg(long)]
    board: String,
    /// Where its serial port appears, as a symbolic link to a pseudo-terminal.
    #[arg(long, value_name = "PATH")]
    pty: PathBuf,
    /// The core in it: a built-in one by name, or NAME.toml (default: the board's own).
    #[arg(long, value_name = "CORE")]
    core: Option<String>,
    /// Pass bytes past the serial line: faster, and another circuit by its receiver and sender.
    #[arg(long)]
    bytes: bool,
}

impl Board {
    /// Runs until Ctrl-C.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let board = Described::find(&self.board)?;
        let core = core(self.core.as_deref().unwrap_or(&board.link.core))?;
        let cache = common.out.clone().unwrap_or_else(|| "out/board".into());
        let built = virtual_board(&board, &core, self.bytes, &cache, progress)?;
        let mut running = plug_in(&built, &board, &self.pty)?;
        progress.say(&format!(
            "{} with {} at {}, {} bits a second of its clock; Ctrl-C ends it",
            board.title,
            core.name,
            self.pty.display(),
            board.link.baud
        ));
        while running.alive() && !interrupt::requested() {
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// The model of a board with a core, made with Verilator, which is installed when it is missing.
pub fn virtual_board(
    board: &Described,
    core: &EngineConfig,
    bytes: bool,
    folder: &Path,
    progress: &Progress,
) -> Result<VirtualBoard, Failure> {
    let tools = Tools::ensure(&[Tool::Verilator], |line| progress.say(line))?;
    progress.stage("virtual board in Verilator");
    // Without the device's cells, whose models are slow: `verify` compares those.
    let emit = if bytes { emit_station } else { emit_board };
    let text = emit(core, Target::Generic, &pins(board))?;
    let cache = folder.join("models");
    Ok(VirtualBoard::build(
        tools.get(Tool::Verilator)?,
        &board.name,
        &text,
        bytes,
        &cache,
    )?)
}

/// Starts it.
pub fn plug_in(built: &VirtualBoard, board: &Described, path: &Path) -> Result<Running, Failure> {
    let pins = pins(board);
    Ok(built.start(&Line {
        path: path.into(),
        clock_hz: pins.clock_hz,
        baud: pins.baud,
        button_low: pins.button_low,
    })?)
}

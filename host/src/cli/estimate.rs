//! `astromorph estimate`: how long a model takes on a core and a board, what it fills and what the core takes, before anything is synthesised;
//! `--simulate` beside the truth.
//!
//! | figure | from | |
//! |---|---|---|
//! | cycles, slots | [`astromorph_hdl::engine::timing`]: the control cycle by cycle | exact for the board's hardware |
//! | memories, multipliers | [`crate::area::hard`] | exact |
//! | LUTs, logic cells | [`crate::area::fit`] | within 3 % on the committed designs |
//! | clock | the committed runs of place and route ([`crate::area::calibration`]) | or "not measured" |
//!
//! With `--simulate` the same sequence runs through the RustHDL engine of the board's hardware, and the table shows both.

mod phases;
mod table;

use super::random::random_project;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::area::calibration::{Calibration, Clock};
use crate::area::{Blocks, blocks, hard};
use crate::boards::Board;
use crate::build::engine::target;
use crate::chain::engine::{Model, PATIENCE};
use crate::cores::core;
use crate::progress::Progress;
use astromorph::engine::config::EngineConfig;
use astromorph::sequence::Sequence;
use astromorph::{Error, Result};
use astromorph_hdl::engine::timing::{Timing, timing};
use astromorph_sim::cosim::streams::StreamOptions;
use astromorph_sim::engine::{EngineRun, EngineSimulator};
use clap::Args;
use phases::Phases;
use std::collections::BTreeMap;

/// Arguments of `estimate`.
#[derive(Args)]
pub struct Estimate {
    #[command(flatten)]
    choice: Choice,
    /// A built-in core by name, or NAME.toml.
    #[arg(long, value_name = "CORE")]
    core: String,
    /// The board (default: the one the core was measured on).
    #[arg(long)]
    board: Option<String>,
    /// Tokens of the sequence (default: the longest).
    #[arg(long)]
    tokens: Option<u32>,
    /// Clock in MHz, for tokens a second (default: the least measured one).
    #[arg(long)]
    freq: Option<f64>,
    /// Random weights: the model has not been trained.
    #[arg(long)]
    random: bool,
    /// With random weights: tokens of a chunk of causal attention instead of the project's; 1: the recurrence.
    #[arg(long, value_name = "T", requires = "random")]
    chunk: Option<usize>,
    /// Run the sequence through the RustHDL engine as well.
    #[arg(long)]
    simulate: bool,
}

/// All that is told.
struct Told<'a> {
    model: &'a Model<'a>,
    board: &'a Board,
    tokens: u32,
    time: Timing,
    phases: Phases,
    /// Logic, when the family is calibrated.
    blocks: Result<Blocks>,
    /// Memories and multipliers.
    hard: BTreeMap<&'static str, u64>,
    clock: Option<Clock>,
    /// MHz, for tokens a second.
    mhz: Option<f64>,
    run: Option<EngineRun>,
}

impl Estimate {
    /// Prints the table, or JSON.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        if let Some(mhz) = self.freq.filter(|mhz| !(mhz.is_finite() && *mhz > 0.0)) {
            return Err(Error::field("freq", "MHz above 0", mhz).into());
        }
        let mut workspace = Workspace::open(&self.choice, common)?;
        let quantize = &mut workspace.project.quantize;
        quantize.chunk = self.chunk.unwrap_or(quantize.chunk);
        let core = core(&self.core)?;
        let board = self.board(&core)?;
        let image = match self.random {
            true => random_project(&workspace, 0)?.0,
            false => workspace.image()?,
        };
        let model = Model::new(&image, &core, image.hash(), workspace.project.train.seed)?;
        let tokens = self.tokens.unwrap_or(image.spec().n_max as u32);
        let program = &model.compiled.program;
        let run = match self.simulate {
            true => Some(simulated(&model, &board, tokens, progress)?),
            false => None,
        };
        // Of a simulated sequence the beat is known in which it came.
        let beat = run.as_ref().map_or(0, |r| r.beat);
        let time = timing(&core, target(board.family), program, tokens, beat)?;
        let clock = Calibration::of(board.family)
            .ok()
            .and_then(|c| c.clock(&core, &board).cloned());
        let told = Told {
            phases: Phases::of(program, &time),
            blocks: blocks(&core, board.family),
            hard: hard::cells(&core, board.family)?,
            mhz: self
                .freq
                .or(clock.as_ref().and_then(|c| c.range()).map(|[least, ..]| least)),
            model: &model,
            board: &board,
            tokens,
            time,
            clock,
            run,
        };
        if common.json {
            println!("{}", told.json()?);
        } else if !common.quiet {
            print!("{}", told.table()?);
        }
        Ok(())
    }

    fn board(&self, core: &EngineConfig) -> Result<Board> {
        match &self.board {
            Some(name) => Board::find(name),
            None => Calibration::board_of(core)?
                .ok_or_else(|| Error::field("board", "--board: this core was measured on none", "nothing")),
        }
    }
}

fn simulated(
    model: &Model,
    board: &Board,
    tokens: u32,
    progress: &Progress,
) -> std::result::Result<EngineRun, Failure> {
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(model.seed);
    let sequence = Sequence::random_of(model.image.spec(), tokens as usize, &mut rng);
    let mut machine = model.machine()?;
    let case = model.case(&mut machine, &sequence, true)?;
    let mut engine = EngineSimulator::new(model.core, target(board.family))?;
    progress.say("simulating");
    engine.reset(4)?;
    engine.load(model.compiled.loaded.writes(model.core), PATIENCE)?;
    let options = StreamOptions {
        patience: PATIENCE,
        ..StreamOptions::default()
    };
    let run = engine.run(&model.compiled.program, std::slice::from_ref(&case), &options)?;
    let compared = run.compare(std::slice::from_ref(&case))?;
    match compared.is_equal() {
        true => Ok(run),
        false => Err(Error::field("RustHDL", "the program's words", compared).into()),
    }
}

//! The command line: one file a verb, options that mean the same in every verb, and stable exit codes.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, and every comparison made found equality |
//! | 1 | a comparison failed |
//! | 2 | wrong use or wrong input |
//! | 3 | an outside tool or a board is missing or failed |
//! | 130 | interrupted; what was produced so far is kept |

mod bench;
mod board;
mod build;
mod calibrate;
mod compile;
mod deploy;
mod emit;
mod engine;
mod estimate;
mod evaluate;
mod experiment;
mod flash;
mod ports;
pub mod quantize;
mod random;
mod run;
mod simulate;
mod tools;
mod train;
mod verify;
pub mod workspace;

use crate::progress::Progress;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Astromorphic Transformers: trained, quantised, verified bit for bit and emitted as Verilog.
#[derive(Parser)]
#[command(name = "astromorph", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

/// Options of every verb.
#[derive(Args, Clone)]
pub struct Common {
    /// Folder with the task's data set.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for everything produced (default: out/NAME).
    #[arg(long, global = true, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of everything random (default: the project's).
    #[arg(long, global = true)]
    pub seed: Option<u64>,
    /// Print the report as JSON on standard output.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress, no table.
    #[arg(long, global = true)]
    pub quiet: bool,
}

/// Which project: a built-in task or a file.
#[derive(Args, Clone)]
pub struct Choice {
    /// A built-in project: recall, listops, imdb, sst2, mnist, cifar10, wikitext2, text or arrays.
    #[arg(long)]
    pub task: Option<String>,
    /// A project of your own, `model.toml`.
    #[arg(long, value_name = "FILE", conflicts_with = "task")]
    pub model: Option<PathBuf>,
    /// A profile of it: `paper`, `small` (fits the UP5K), or one of its file (default: none).
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// The whole chain: train, quantise, verify every form against the next, emit, synthesise, report.
    Run(run::Run),
    /// Train in floating point (and resume an interrupted training).
    Train(train::Train),
    /// Calibrate formats and write the integer image.
    Quantize(quantize::Quantize),
    /// Compare golden, twin, RustHDL, Verilog and netlists.
    Verify(verify::Verify),
    /// Simulate the engine cycle by cycle and write a waveform.
    Simulate(simulate::Simulate),
    /// Write the engine's Verilog.
    Emit(emit::Emit),
    /// Synthesis, place and route over seeds, and the bitstream for a board.
    Build(build::Build),
    /// Measure what cores take of a device, for `estimate`.
    Calibrate(calibrate::Calibrate),
    /// Compile an integer image for a core: program, memory map, tables.
    Compile(compile::Compile),
    /// Cycles, slots, memory, cells and clock of a model on a core and a board, before any synthesis.
    Estimate(estimate::Estimate),
    /// Write a bitstream into a board, by openFPGALoader.
    Flash(flash::Flash),
    /// Load an image into a board, verified by read-back; an interrupted one goes on.
    Deploy(deploy::Deploy),
    /// A virtual board: the emitted gateware in Verilator behind a pseudo-terminal
    Board(board::Board),
    /// Accuracy on the test set, by form.
    Evaluate(evaluate::Evaluate),
    /// A table of the papers' claims with their controls, over seeds.
    Experiment(experiment::Experiment),
    /// List or install the outside tools.
    Tools(tools::Tools),
    /// Measure speed: simulators, twin, training step, use of slots.
    Bench(bench::Bench),
}

/// Why a verb ended without success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A comparison failed; the report says which.
    #[error("a comparison failed: {0}")]
    Different(String),
    /// Wrong use or wrong input.
    #[error(transparent)]
    Input(#[from] astromorph::Error),
    /// Simulation, co-simulation or a tool failed.
    #[error(transparent)]
    Simulation(#[from] astromorph_sim::Error),
    /// A board is not there, is another one, or failed.
    #[error(transparent)]
    Board(crate::link::Error),
    /// Interrupted by the user.
    #[error("interrupted; what was produced so far is kept in {0}, the same command goes on from there")]
    Interrupted(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Failure::Different(_) => 1,
            Failure::Input(_) => 2,
            Failure::Simulation(e) => {
                if e.is_tool() {
                    3
                } else {
                    2
                }
            }
            // A board with another core or protocol than the one asked for is wrong use.
            Failure::Board(crate::link::Error::Identity { .. }) => 2,
            Failure::Board(_) => 3,
            Failure::Interrupted(_) => 130,
        }
    }
}

impl From<crate::link::Error> for Failure {
    fn from(error: crate::link::Error) -> Failure {
        match error {
            crate::link::Error::Model(e) => Failure::Input(e),
            crate::link::Error::Simulation(e) => Failure::Simulation(e),
            crate::link::Error::Interrupted => Failure::Interrupted("the board".into()),
            other => Failure::Board(other),
        }
    }
}

/// Result of a verb.
pub type Outcome = Result<(), Failure>;

/// Parses the arguments, runs the verb and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // --help and --version are no errors; clap prints both kinds where they belong.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    crate::interrupt::install();
    let progress = Progress::new(cli.common.quiet);
    let outcome = match cli.verb {
        Verb::Run(v) => v.run(&cli.common, &progress),
        Verb::Train(v) => v.run(&cli.common, &progress),
        Verb::Quantize(v) => v.run(&cli.common, &progress),
        Verb::Verify(v) => v.run(&cli.common, &progress),
        Verb::Simulate(v) => v.run(&cli.common, &progress),
        Verb::Emit(v) => v.run(&cli.common, &progress),
        Verb::Build(v) => v.run(&cli.common, &progress),
        Verb::Calibrate(v) => v.run(&cli.common, &progress),
        Verb::Compile(v) => v.run(&cli.common, &progress),
        Verb::Flash(v) => v.run(&cli.common, &progress),
        Verb::Deploy(v) => v.run(&cli.common, &progress),
        Verb::Board(v) => v.run(&cli.common, &progress),
        Verb::Estimate(v) => v.run(&cli.common, &progress),
        Verb::Evaluate(v) => v.run(&cli.common, &progress),
        Verb::Experiment(v) => v.run(&cli.common, &progress),
        Verb::Tools(v) => v.run(&cli.common, &progress),
        Verb::Bench(v) => v.run(&cli.common, &progress),
    };
    progress.finish();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A tool that the same Ctrl-C ended did not fail.
            let failure = match failure {
                Failure::Simulation(_) if crate::interrupt::requested() => {
                    Failure::Interrupted("the output folder".into())
                }
                other => other,
            };
            eprintln!("astromorph: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

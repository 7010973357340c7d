//! `astromorph deploy`: an image into a board's memories, read back.

use super::ports::Ports;
use super::train::{finish, new_report};
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::answers::Answers;
use crate::compile::compile;
use crate::cores::core;
use crate::link::trial::small;
use crate::link::{Board, Device};
use crate::progress::Progress;
use crate::report::{MeasureRow, Report};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::package::Package;
use astromorph::image::Image;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `deploy`.
#[derive(Args)]
pub struct Deploy {
    /// The integer image (default: the project's).
    image: Option<PathBuf>,
    #[command(flatten)]
    choice: Choice,
    /// A compiled program (`program.safetensors`) in the place of an image.
    #[arg(long, value_name = "FILE", conflicts_with = "image")]
    program: Option<PathBuf>,
    /// Compile for this core, and refuse a board with another (default: the board's own).
    #[arg(long, value_name = "CORE", conflicts_with = "program")]
    core: Option<String>,
    /// First known answers: a small model with random weights, every word of its results held against the integer machine's.
    #[arg(long)]
    self_test: bool,
    #[command(flatten)]
    ports: Ports,
}

impl Deploy {
    /// Deploys to every board and reports.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let mut report = new_report(&workspace, "deploy");
        let program = self.program.as_deref().map(Package::load).transpose()?;
        let image = match (&program, &self.image) {
            (Some(_), _) => None,
            (None, Some(path)) => Some(Image::load(path)?),
            (None, None) => Some(workspace.image()?),
        };
        let named = self.core.as_deref().map(core).transpose()?;
        for board in &mut self.ports.connect()? {
            if self.self_test {
                self_test(board, progress, &mut report)?;
            }
            let package = match (&program, &image) {
                (Some(program), _) => program.clone(),
                (None, Some(image)) => package(image, named.as_ref().unwrap_or(board.core()))?,
                (None, None) => continue,
            };
            deploy(board, &package, progress, &mut report)?;
        }
        finish(&report, &workspace, common)
    }
}

/// Runs a model whose answers are known on a board; what differs is a failure.
fn self_test(board: &mut Board, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    let name = board.name();
    progress.stage(&format!("known answers of {name}"));
    let known = small(board.core(), report.seed)?;
    board.deploy(&known.package, &mut |bytes, of| progress.at(bytes, of, "bytes"))?;
    let inputs = known.sequences.iter().map(|(i, o)| (i.clone(), o.len())).collect();
    let found = Answers::by_device(board, inputs, 1, progress)?;
    let row = known.compared(&name, &found.words.concat());
    progress.say(&format!("  {} words, {} wrong", row.words, row.mismatches));
    let failed = row.verdict() != "equal";
    let what = format!("{name} gives {} of {} known words otherwise", row.mismatches, row.words);
    report.comparisons.push(row);
    if failed { Err(Failure::Different(what)) } else { Ok(()) }
}

/// An image, compiled for a core.
pub fn package(image: &Image, core: &EngineConfig) -> astromorph::Result<Package> {
    compile(image, core)?.package(core)
}

/// Deploys to one board, with what that took.
pub fn deploy(board: &mut Board, package: &Package, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    let name = board.name();
    let stage = progress.stage(&format!("deployment to {name}"));
    let deployed = board.deploy(package, &mut |bytes, of| progress.at(bytes, of, "bytes"))?;
    progress.finish();
    let seconds = stage.seconds();
    progress.say(&format!(
        "  {} bytes written, {} bytes read back and right, {seconds:.1} s",
        deployed.written, deployed.bytes
    ));
    let mut measure = |what: &str, value: f64, unit: &str| {
        report.measures.push(MeasureRow {
            what: format!("{name}: {what}"),
            value,
            unit: unit.into(),
            goal: String::new(),
        });
    };
    measure("image, read back by CRC", deployed.bytes as f64, "bytes");
    measure("written", deployed.written as f64, "bytes");
    measure("deployment", seconds, "s");
    if deployed.written > 0 {
        measure("written", deployed.written as f64 / seconds.max(1e-9), "bytes/s");
    }
    Ok(())
}

//! `astromorph train`: floating-point training, resumed when it was interrupted; weights are imported when they come from elsewhere.

use super::workspace::{Workspace, describe};
use super::{Choice, Common, Failure, Outcome};
use crate::data::Dataset;
use crate::interrupt;
use crate::progress::Progress;
use crate::report::{Report, StageRow, TrainingRow, text};
use crate::train::optimiser::diverged;
use crate::train::run::{self, Event};
use astromorph::weights::{NameMap, Weights};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `train`.
#[derive(Args)]
pub struct Train {
    #[command(flatten)]
    choice: Choice,
    /// Take these weights (safetensors) instead of training.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Names of the imported tensors, where they are not ours (`docs/files.md`).
    #[arg(long, value_name = "FILE", requires = "import")]
    names: Option<PathBuf>,
}

impl Train {
    /// Trains or imports, and writes `weights.safetensors`.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        workspace.claim()?;
        if let Some(file) = &self.import {
            let names = self
                .names
                .as_deref()
                .map(NameMap::load)
                .transpose()?
                .unwrap_or_default();
            let weights = Weights::import(file, &workspace.project.model, &names)?;
            weights.save(&workspace.weights_path(), &workspace.project.model)?;
            progress.say(&format!(
                "imported {} into {}",
                file.display(),
                workspace.weights_path().display()
            ));
            return Ok(());
        }
        let set = workspace.dataset(progress)?;
        let mut report = new_report(&workspace, "train");
        trained(&workspace, &set, progress, &mut report)?;
        finish(&report, &workspace, common)
    }
}

/// A report with its heading filled in.
pub fn new_report(workspace: &Workspace, verb: &str) -> Report {
    Report {
        name: workspace.project.name.clone(),
        command: command_line(),
        version: env!("CARGO_PKG_VERSION").into(),
        seed: workspace.project.train.seed,
        verb: verb.into(),
        model: describe(&workspace.project),
        ..Report::default()
    }
}

/// The verb with its arguments.
pub fn command_line() -> String {
    std::env::args()
        .skip(1)
        .fold(String::from("astromorph"), |line, arg| line + " " + &arg)
}

/// Writes the report's files and prints it. `run` reports in the output folder itself, other verbs in a folder of their name, so that
/// none overwrites what another found.
pub fn finish(report: &Report, workspace: &Workspace, common: &Common) -> Outcome {
    let folder = if report.verb == "run" {
        workspace.out.clone()
    } else {
        workspace.file(&report.verb)
    };
    publish(report, &folder, common)
}

/// Writes the report's files into a folder and prints it.
pub fn publish(report: &Report, folder: &Path, common: &Common) -> Outcome {
    report.write(folder)?;
    if common.json {
        let json = serde_json::to_string_pretty(report).map_err(|e| astromorph::Error::file("report.json", e))?;
        println!("{json}");
    } else if !common.quiet {
        println!("{}", text(report));
        println!("{}", folder.join("report.html").display());
    }
    Ok(())
}

/// The project's float weights: those of a finished training, or trained now, going on from a checkpoint when there is one.
pub fn trained(
    workspace: &Workspace,
    set: &Dataset,
    progress: &Progress,
    report: &mut Report,
) -> Result<Weights, Failure> {
    if workspace.weights_path().exists() {
        progress.say(&format!(
            "weights: {} (trained before)",
            workspace.weights_path().display()
        ));
        return Ok(workspace.weights()?);
    }
    let stage = progress.stage("training");
    let checkpoint = workspace.file("checkpoint.safetensors");
    let mut observe = |event: Event| match event {
        Event::Step { step, total, loss, .. } => progress.at(step as usize, total as usize, &format!("loss {loss:.4}")),
        Event::Validated { step, score, best, .. } => {
            let mark = if best { " (best so far)" } else { "" };
            let accuracy = 100.0 * score.accuracy();
            progress.say(&format!("  step {step}: validation {accuracy:.2} %{mark}"));
        }
    };
    let outcome = run::train(
        &workspace.project,
        set,
        Some(&checkpoint),
        interrupt::flag(),
        &mut observe,
    )?;
    progress.finish();
    if outcome.interrupted {
        return Err(Failure::Interrupted(workspace.out.display().to_string()));
    }
    if let Some(step) = outcome.diverged {
        return Err(diverged(step).into());
    }
    report.training = outcome
        .curve
        .iter()
        .map(|p| TrainingRow {
            step: p.step as usize,
            loss: p.loss,
            validation: Some(100.0 * p.accuracy),
        })
        .collect();
    report.stages.push(StageRow {
        stage: "training".into(),
        seconds: stage.seconds(),
    });
    outcome
        .weights
        .save(&workspace.weights_path(), &workspace.project.model)?;
    Ok(outcome.weights)
}

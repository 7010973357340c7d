//! Training: the standard step (`train::bench`), and a project's own: reading and tokenising its data set, making batches, steps, beside each other.
//!
//! Loading happens once a run and batches once a step; both are shown as shares of one epoch's steps, so that a slow reader shows.

use super::add;
use crate::cli::Failure;
use crate::cli::workspace::Workspace;
use crate::data::{self, Example, batch};
use crate::progress::Progress;
use crate::report::Report;
use crate::train::bench::{step_time, steps};
use std::time::Instant;

/// Steps of the project that are measured, after two to warm up.
const STEPS: usize = 12;

/// The standard workload's step, and the memory of the process so far.
pub fn standard(progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    let stage = progress.stage("training step: d = 128, 4 heads, 2 layers, FFN 512, T = 256, batch 32");
    let time = step_time(2, STEPS)?;
    add(report, "training step, median of 12", time.median, "s", "≤ 0.27");
    if let Some(peak) = peak_memory() {
        add(
            report,
            "training step: most memory of the process",
            peak,
            "MB",
            "≤ 1 080",
        );
    }
    progress.say(&format!("  {:.1} s in all", stage.seconds()));
    Ok(())
}

/// Reading, batches and steps of the workspace's project.
pub fn project(workspace: &Workspace, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    let project = &workspace.project;
    progress.stage("the project's data set");
    let started = Instant::now();
    let set = data::load(project, workspace.data.as_deref())?;
    let loading = started.elapsed().as_secs_f64();
    progress.say(&set.summary(&project.name));
    let items = set.train.len() + set.validation.len() + set.test.len();

    progress.stage("batches and steps");
    let lengths: Vec<usize> = set.train.iter().map(|e| e.sequence.len()).collect();
    let order = batch::epoch_order(&lengths, project.train.batch, project.train.seed, 0);
    let started = Instant::now();
    let mut bytes = 0;
    for indices in &order {
        let examples: Vec<&Example> = indices.iter().map(|&i| &set.train[i]).collect();
        let made = batch::Batch::new(&examples);
        bytes += 4 * (made.ids.len() + made.features.len());
    }
    let batching = started.elapsed().as_secs_f64();
    let batches: Vec<Vec<&Example>> = data::evenly(order.len(), STEPS + 2)
        .map(|b| order[b].iter().map(|&i| &set.train[i]).collect())
        .collect();
    let time = steps(&project.model, &project.train, &batches, 2)?;
    let epoch = time.mean * order.len() as f64;

    add(report, "reading and tokenising the data set", loading, "s", "");
    add(report, "items read", items as f64 / loading, "items/s", "");
    add(report, "making an epoch's batches", batching, "s", "");
    add(report, "batches", bytes as f64 / 1e6 / batching, "MB/s", "");
    add(report, "a step, mean", time.mean, "s", "");
    add(report, "an epoch's steps", epoch, "s", "");
    add(
        report,
        "batches, of an epoch's steps",
        100.0 * batching / epoch,
        "%",
        "≤ 5",
    );
    if let Some(peak) = peak_memory() {
        add(report, "most memory of the process", peak, "MB", "");
    }
    Ok(())
}

/// Most memory that this process has had, in MB of 10⁶ bytes; none where the system does not say (`/proc`).
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

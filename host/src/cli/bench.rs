//! `astromorph bench`: speeds beside each other, and the use of the multiplier slots, on one engine of standard size.
//!
//! The engine under the program of attention alone: two-pass, one head, m = e = 32, N = 400, 16-bit operands, 8 lanes. Two threads at most; a busy
//! machine gives lower figures.

mod board;
mod engine;
mod link;
mod training;
mod twin;

use super::train::{finish, new_report};
use super::verify::verdict;
use super::workspace::{Workspace, describe};
use super::{Choice, Common, Failure, Outcome};
use crate::chain::engine::{Forms, Job};
use crate::compile::{attention, attention_words, fitted};
use crate::progress::Progress;
use crate::report::{MeasureRow, Report};
use astromorph::spec::{Nonlinearity, Order};
use astromorph::twin::{Attention, AttentionSizes, random_inputs};
use astromorph_sim::tools::{Tool, Tools};
use clap::Args;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

/// Arguments of `bench`.
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    choice: Choice,
    /// Leave the training step out.
    #[arg(long)]
    no_training: bool,
    /// Only the training: the standard step, then this project's reading, batches and steps.
    #[arg(long)]
    training: bool,
    /// Only the engine's simulation.
    #[arg(long)]
    engine_only: bool,
    /// Only the integer twin's attention, in every order.
    #[arg(long)]
    twin_only: bool,
    /// Only the link: so many frames under each fault.
    #[arg(long, value_name = "FRAMES", num_args = 0..=1, default_missing_value = "1000000")]
    link: Option<u64>,
    /// Only the virtual board of this name beside the bare Verilated core; with --link the faults on its line instead.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
}

const TOKENS: usize = 400;
const LANES: usize = 8;
/// Sequences through the Verilated engine: enough that its start does not count.
const SEQUENCES: usize = 40;

impl Bench {
    /// Measures and prints one table.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let mut workspace = Workspace::open(&self.choice, common)?;
        workspace.out = common.out.clone().unwrap_or_else(|| "out/bench".into());
        workspace.project.name = "bench".into();
        let mut report = new_report(&workspace, "bench");
        report.model = format!("attention alone, two-pass, m = e = 32, N = {TOKENS}, {LANES} lanes, 16 bits");
        if let Some(frames) = self.link {
            report.model = match &self.board {
                None => "link to a board in this process, the integer machine behind it".into(),
                Some(name) => format!("link to {name} in Verilator, without its serial line"),
            };
            let (seed, folder) = (workspace.project.train.seed, workspace.file("work"));
            link::link(frames, self.board.as_deref(), seed, &folder, progress, &mut report)?;
            finish(&report, &workspace, common)?;
            return verdict(&report);
        }
        if self.training {
            report.model = describe(&workspace.project);
            training::standard(progress, &mut report)?;
            training::project(&workspace, progress, &mut report)?;
            return finish(&report, &workspace, common);
        }
        if self.twin_only {
            twin::twins(progress, &mut report);
            return finish(&report, &workspace, common);
        }
        if let Some(name) = &self.board {
            let seed = workspace.project.train.seed;
            board::board(name, seed, &workspace.file("work"), progress, &mut report)?;
            finish(&report, &workspace, common)?;
            return verdict(&report);
        }
        engine::engines(
            workspace.project.train.seed,
            &workspace.file("work"),
            progress,
            &mut report,
        )?;
        if !self.engine_only {
            twin::twins(progress, &mut report);
            simulators(&workspace, progress, &mut report)?;
        }
        if !(self.no_training || self.engine_only) {
            training::standard(progress, &mut report)?;
        }
        finish(&report, &workspace, common)?;
        // A speed of wrong results is no speed.
        verdict(&report)
    }
}

fn add(report: &mut Report, what: &str, value: f64, unit: &str, goal: &str) {
    report.measures.push(MeasureRow {
        what: what.into(),
        value,
        unit: unit.into(),
        goal: goal.into(),
    });
}

fn simulators(workspace: &Workspace, progress: &Progress, report: &mut Report) -> Result<(), Failure> {
    let mut rng = ChaCha8Rng::seed_from_u64(workspace.project.train.seed);
    let sizes = AttentionSizes {
        heads: 1,
        features: 32,
        values: 32,
        n_max: TOKENS,
        width: 16,
        order: Order::TwoPass,
        nonlinearity: Nonlinearity::Identity,
        alpha: 0.25,
        position: true,
        chunk: 1,
    };
    let att = Attention::random(&mut rng, sizes);
    let vectors: Vec<_> = (0..SEQUENCES).map(|_| random_inputs(&mut rng, &att, TOKENS)).collect();
    let core = fitted("bench", att.width(), LANES, |core| attention(&att, core, 0))?;
    let job = Job {
        compiled: attention(&att, &core, 0)?,
        core: &core,
        label: "attention alone".into(),
        seed: 1,
    };
    let words = |n: usize| {
        let (q, k, v) = &vectors[n];
        Ok(attention_words(&att, q, k, v))
    };
    let tools = Tools::ensure(&[Tool::Verilator], |line| progress.say(line))?;
    let forms = Forms::new(&core, &tools, &workspace.file("work"));

    let stage = progress.stage("RustHDL");
    let ran = job.simulate(&mut forms.rusthdl()?, (8, &words), progress)?;
    add(report, "RustHDL simulation", ran.speed, "cycles/s", "≥ 150 000");
    report.phases = job.phases(&ran.steps);
    for name in ["write", "read"] {
        let of = report.phases.iter().find(|p| p.phase == name);
        if let Some(share) = of.map(|p| 100.0 * p.used as f64 / p.slots.max(1) as f64) {
            let what = format!("multiplier slots used, {name}");
            add(report, &what, share, "%", "≥ 95");
        }
    }
    report.comparisons.push(ran.row);
    progress.say(&format!("  {:.1} s", stage.seconds()));

    progress.stage("Verilator");
    let ran = job.stream(
        &forms.verilated()?,
        "Verilog in Verilator",
        (SEQUENCES, &words),
        progress,
    )?;
    let tokens = (SEQUENCES * TOKENS) as f64;
    let verilated = tokens * ran.speed / ran.row.cycles as f64;
    add(report, "Verilator, emitted Verilog", ran.speed, "cycles/s", "");
    add(report, "Verilator, emitted Verilog", verilated, "tokens/s", "");
    report.comparisons.push(ran.row);

    progress.stage("Icarus");
    let started = Instant::now();
    let few = attention_words(
        &att,
        &vectors[0].0[..TOKENS],
        &vectors[0].1[..TOKENS],
        &vectors[0].2[..TOKENS],
    );
    let row = forms.ports(&job, few)?;
    if row.not_compared.is_empty() {
        let speed = row.cycles as f64 / started.elapsed().as_secs_f64();
        let what = "RustHDL and Icarus, every port in every cycle";
        add(report, what, speed, "cycles/s", "");
    }
    report.comparisons.push(row);

    progress.stage("integer twin");
    let started = Instant::now();
    let mut runs = 0usize;
    while started.elapsed().as_secs_f64() < 2.0 {
        for (q, k, v) in &vectors {
            // The length, so that the run is not optimised away.
            runs += att.run(q, k, v).y.len() / (TOKENS * att.values);
        }
    }
    let twin = (runs * TOKENS) as f64 / started.elapsed().as_secs_f64();
    add(report, "integer twin, one thread", twin, "tokens/s", "");
    add(
        report,
        "integer twin over Verilator, tokens/s",
        twin / verilated,
        "×",
        "≥ 50",
    );
    Ok(())
}

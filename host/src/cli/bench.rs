//! `astromorph bench`: speeds beside each other, and the use of the multiplier slots, on one core of standard size.
//!
//! The attention core: two-pass, one head, m = e = 32, N = 400, 16-bit operands, 8 lanes. Two threads at most; a busy machine gives lower figures.

mod engine;

use super::train::{finish, new_report};
use super::verify::verdict;
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::chain::hardware::Bench as Hardware;
use crate::progress::Progress;
use crate::report::{MeasureRow, Report};
use crate::train::bench::step_time;
use astromorph::spec::{Nonlinearity, Order};
use astromorph::twin::{Attention, AttentionSizes, AttentionVectors, random_inputs};
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::multiply::Target;
use astromorph_sim::cosim::{Design, icarus};
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
    /// Only the engine's simulation.
    #[arg(long)]
    engine_only: bool,
}

const TOKENS: usize = 400;
const LANES: usize = 8;
/// Sequences through the Verilated core: enough that its start does not count.
const SEQUENCES: usize = 40;

impl Bench {
    /// Measures and prints one table.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let mut workspace = Workspace::open(&self.choice, common)?;
        workspace.out = common.out.clone().unwrap_or_else(|| "out/bench".into());
        workspace.project.name = "bench".into();
        let mut report = new_report(&workspace, "bench");
        report.model = format!("two-pass core, m = e = 32, N = {TOKENS}, {LANES} lanes, 16 bits");
        engine::engines(
            workspace.project.train.seed,
            &workspace.file("work"),
            progress,
            &mut report,
        )?;
        if !self.engine_only {
            simulators(&workspace, progress, &mut report)?;
        }
        if !(self.no_training || self.engine_only) {
            let stage = progress.stage("training step: d = 128, 4 heads, 2 layers, FFN 512, T = 256, batch 32");
            let time = step_time(2, 12)?;
            add(&mut report, "training step, median of 12", time.median, "s", "≤ 0.33");
            progress.say(&format!("  {:.1} s in all", stage.seconds()));
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
    };
    let att = Attention::random(&mut rng, sizes);
    let vectors: Vec<AttentionVectors> = (0..SEQUENCES)
        .map(|_| {
            let (q, k, v) = random_inputs(&mut rng, &att, TOKENS);
            let y = att.run(&q, &k, &v).y;
            AttentionVectors {
                tokens: TOKENS,
                q,
                k,
                v,
                y,
            }
        })
        .collect();
    let work = workspace.file("work");
    let config = CoreConfig {
        lanes: LANES,
        chunk: 32,
        target: Target::Generic,
    };
    let bench = Hardware {
        att: &att,
        config,
        vectors: &vectors,
        work: &work,
        seed: 1,
        label: "bench core".into(),
    };
    let tools = Tools::ensure(&[Tool::Verilator], |line| progress.say(line))?;

    let stage = progress.stage("RustHDL");
    let ran = bench.rusthdl(8, progress)?;
    add(report, "RustHDL simulation", ran.speed, "cycles/s", "≥ 150 000");
    for p in &ran.phases {
        if p.phase == "write" || p.phase == "read" {
            let share = 100.0 * p.used as f64 / p.slots.max(1) as f64;
            add(
                report,
                &format!("multiplier slots used, {} phase", p.phase),
                share,
                "%",
                "≥ 95",
            );
        }
    }
    report.phases = ran.phases;
    report.comparisons.push(ran.row);
    progress.say(&format!("  {:.1} s", stage.seconds()));

    progress.stage("Verilator");
    let ran = bench.verilated(tools.get(Tool::Verilator)?, SEQUENCES)?;
    let tokens = (SEQUENCES * TOKENS) as f64;
    let verilated = tokens * ran.speed / ran.row.cycles as f64;
    add(report, "Verilator, emitted Verilog", ran.speed, "cycles/s", "");
    add(report, "Verilator, emitted Verilog", verilated, "tokens/s", "");
    report.comparisons.push(ran.row);

    progress.stage("Icarus");
    match Tools::ensure(&[Tool::Icarus], |_| {}) {
        Ok(found) => {
            let (trace, verilog) = bench.trace(Target::Generic, 1)?;
            let started = Instant::now();
            let c = icarus::replay(
                found.get(Tool::Icarus)?,
                &Design::rtl("core", &verilog),
                &trace,
                &work.join("icarus"),
            )?;
            add(
                report,
                "Icarus, emitted Verilog, every port checked",
                c.cycles as f64 / started.elapsed().as_secs_f64(),
                "cycles/s",
                "",
            );
        }
        Err(e) => report.notes.push(format!("Icarus not measured: {e}")),
    }

    progress.stage("integer twin");
    let started = Instant::now();
    let mut runs = 0usize;
    while started.elapsed().as_secs_f64() < 2.0 {
        for x in &vectors {
            let y = att.run(&x.q, &x.k, &x.v).y;
            assert_eq!(y.len(), x.y.len());
            runs += 1;
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

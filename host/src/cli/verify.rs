//! `astromorph verify`: golden ↔ twin ↔ RustHDL ↔ Verilog ↔ netlists, on the test set or on random data.

use super::quantize::{sequences, tensor_errors};
use super::random::random_project;
use super::train::{finish, new_report};
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome, engine};
use crate::chain::hardware::Bench;
use crate::chain::vectors::vectors;
use crate::progress::Progress;
use crate::report::{CalciumTrace, CellsRow, ComparisonRow, Report, StageRow};
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use astromorph_hdl::core::CoreConfig;
use astromorph_hdl::multiply::Target;
use astromorph_sim::netlist;
use astromorph_sim::tools::{Tool, Tools};
use clap::Args;

/// Arguments of `verify`.
#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    counts: Counts,
    /// Random weights and random sequences instead of trained ones and a data set.
    #[arg(long)]
    random: bool,
    /// The whole model on the engine instead of each layer's attention core: built-in cores by name, or NAME.toml.
    #[arg(long, value_name = "CORE", value_delimiter = ',')]
    core: Vec<String>,
    /// Random models, with --random and --core.
    #[arg(long, default_value_t = 200, requires = "random", requires = "core")]
    specs: usize,
}

/// Sequences each form is compared on; 0 leaves a form out, and the report says so.
#[derive(Args, Clone, Copy)]
pub struct Counts {
    /// Sequences through RustHDL.
    #[arg(long, default_value_t = 200)]
    pub rusthdl: usize,
    /// Sequences through the Verilated core.
    #[arg(long, default_value_t = 2000)]
    pub verilated: usize,
    /// Sequences through each netlist.
    #[arg(long, default_value_t = 20)]
    pub netlist: usize,
}

impl Counts {
    /// Sequences that any form needs.
    pub fn most(self) -> usize {
        self.rusthdl.max(self.verilated).max(self.netlist)
    }
}

impl Verify {
    /// Compares and reports; a difference is exit code 1.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let workspace = Workspace::open(&self.choice, common)?;
        let mut report = new_report(&workspace, "verify");
        let seed = workspace.project.train.seed;
        let to = (&workspace, common, progress);
        if self.random && !self.core.is_empty() {
            return engine::random(&self.core, self.specs, seed, to, report);
        }
        if !self.core.is_empty() {
            let (image, set) = (workspace.image()?, workspace.dataset()?);
            let inputs = sequences(&set.test, self.counts.most());
            return engine::whole_model(&self.core, &image, &set.test, (&inputs, self.counts), seed, to, report);
        }
        let (image, inputs) = if self.random {
            random_project(&workspace, self.counts.most())?
        } else {
            let (image, set) = (workspace.image()?, workspace.dataset()?);
            tensor_errors(&workspace, &image, &set, &mut report)?;
            (image, sequences(&set.test, usize::MAX))
        };
        let found = hardware(&workspace, &image, &inputs, self.counts, progress, &mut report);
        finish(&report, &workspace, common)?;
        found?;
        verdict(&report)
    }
}

/// Success only when every comparison made was equal, and one was made.
pub fn verdict(report: &Report) -> Outcome {
    if report.all_equal() {
        return Ok(());
    }
    let different: Vec<_> = report
        .comparisons
        .iter()
        .filter(|c| c.verdict() == "DIFFERENT")
        .collect();
    Err(Failure::Different(match different.first() {
        Some(c) => format!(
            "{} and {} differ in {} of {} words ({})",
            c.left, c.right, c.mismatches, c.words, c.what
        ),
        None => "nothing was compared".into(),
    }))
}

/// The core's shape for an attention layer.
pub fn core_config(workspace: &Workspace) -> CoreConfig {
    let core = workspace.project.core;
    CoreConfig {
        lanes: core.lanes,
        chunk: core.chunk,
        target: Target::Generic,
    }
}

/// y of the hardware by layer and sequence, from the forms that were run.
#[derive(Default)]
pub struct Outputs {
    /// From RustHDL: `[layer][sequence]`.
    pub rusthdl: Vec<Vec<Vec<i32>>>,
    /// From the Verilated core.
    pub verilated: Vec<Vec<Vec<i32>>>,
}

/// Every layer's core in every form against the twin.
pub fn hardware(
    workspace: &Workspace,
    image: &Image,
    inputs: &[Sequence],
    counts: Counts,
    progress: &Progress,
    report: &mut Report,
) -> Result<Outputs, Failure> {
    let twin = Twin::new(image)?;
    let width = image.quantize().activation_bits;
    let most = counts.most().min(inputs.len());
    let inputs = &inputs[..most];
    let mut outputs = Outputs::default();
    if most == 0 {
        return Ok(outputs);
    }
    let tools = Tools::ensure(&[Tool::Yosys, Tool::Verilator], |line| progress.say(line))?;
    let work = workspace.file("verilog").join(format!("{width}-bit"));
    for l in 0..image.spec().layers {
        let Some(att) = twin.attention(l) else { continue };
        let stage = progress.stage(&format!(
            "layer {l}, {width} bits: RustHDL, Verilog and netlists against the twin"
        ));
        let vectors = vectors(&twin, l, inputs)?;
        let bench = Bench {
            att,
            config: core_config(workspace),
            vectors: &vectors,
            work: &work.join(format!("layer-{l}")),
            seed: workspace.project.train.seed,
            label: format!("layer {l}, {width} bits"),
        };
        if l == 0 && report.calcium.is_none() {
            report.calcium = Some(calcium(att, &vectors[0]));
        }
        one_layer(&bench, &tools, counts, progress, report, &mut outputs)?;
        report.stages.push(StageRow {
            stage: format!("hardware, layer {l}, {width} bits"),
            seconds: stage.seconds(),
        });
    }
    Ok(outputs)
}

fn one_layer(
    bench: &Bench<'_>,
    tools: &Tools,
    counts: Counts,
    progress: &Progress,
    report: &mut Report,
    outputs: &mut Outputs,
) -> Result<(), Failure> {
    let left_out = |form: &str| ComparisonRow::missing("twin", form, &bench.label, "left out by its count of 0");
    if counts.rusthdl > 0 {
        let ran = bench.rusthdl(counts.rusthdl, progress)?;
        if report.phases.is_empty() {
            report.phases = ran.phases;
        }
        said(progress, &ran.row, ran.speed);
        report.comparisons.push(ran.row);
        outputs.rusthdl.push(ran.y);
    } else {
        report.comparisons.push(left_out("RustHDL"));
    }
    // Tools of one thread each, and the slowest part of the chain: side by side.
    let (verilog, netlists) = std::thread::scope(|scope| {
        let families = [netlist::Target::Ice40, netlist::Target::Ecp5];
        let workers = families.map(|f| scope.spawn(move || one_netlist(bench, tools, f, counts, progress)));
        let verilog = one_verilog(bench, tools, counts, progress);
        (
            verilog,
            workers.map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
        )
    });
    match verilog? {
        Some((rows, y)) => {
            report.comparisons.extend(rows);
            outputs.verilated.push(y);
        }
        None => report.comparisons.push(left_out("Verilog in Verilator")),
    }
    for found in netlists {
        let (row, cells) = found?;
        report.comparisons.push(row);
        if let Some(cells) = cells {
            report.notes.extend(crate::devices::fill(&cells.target, &cells.cells)?);
            report.cells.push(cells);
        }
    }
    Ok(())
}

fn said(progress: &Progress, row: &ComparisonRow, speed: f64) {
    let speed = if speed > 0.0 {
        format!(", {speed:.0} cycles/s")
    } else {
        String::new()
    };
    progress.say(&format!(
        "  {}: {} words, {} mismatches{speed}",
        row.right, row.words, row.mismatches
    ));
}

type Words = Vec<Vec<i32>>;

/// The emitted Verilog, port by port and word by word; nothing when it is left out.
fn one_verilog(
    bench: &Bench<'_>,
    tools: &Tools,
    counts: Counts,
    progress: &Progress,
) -> Result<Option<(Vec<ComparisonRow>, Words)>, Failure> {
    if counts.verilated == 0 {
        return Ok(None);
    }
    let mut rows = bench.ports(tools, 1)?;
    let ran = bench.verilated(tools.get(Tool::Verilator)?, counts.verilated)?;
    said(progress, &ran.row, ran.speed);
    rows.push(ran.row);
    Ok(Some((rows, ran.y)))
}

/// One family's netlist, or the reason why there is none.
fn one_netlist(
    bench: &Bench<'_>,
    tools: &Tools,
    family: netlist::Target,
    counts: Counts,
    progress: &Progress,
) -> Result<(ComparisonRow, Option<CellsRow>), Failure> {
    let form = format!("{} netlist", family.name());
    let missing = |why: &str| Ok((ComparisonRow::missing("twin", &form, &bench.label, why), None));
    if counts.netlist == 0 {
        return missing("left out by its count of 0");
    }
    if family == netlist::Target::Ice40 && bench.att.width() > 16 {
        return missing("an SB_MAC16 takes operands of 16 bits at most");
    }
    let (row, cells) = bench.netlist(tools, family, counts.netlist)?;
    said(progress, &row, 0.0);
    Ok((row, Some(cells)))
}

/// Calcium of head 0 while one sequence is written, and what it becomes.
fn calcium(att: &astromorph::twin::Attention, x: &astromorph::twin::AttentionVectors) -> CalciumTrace {
    let trace = att.run(&x.q, &x.k, &x.v);
    let (m, hm, f) = (att.features, att.heads * att.features, &att.formats);
    let mut s = vec![vec![0.0]; m];
    for token in trace.a.chunks_exact(hm) {
        for (line, &a) in s.iter_mut().zip(token) {
            line.push(line.last().copied().unwrap_or(0.0) + f.a.decode(a as i64));
        }
    }
    CalciumTrace {
        token: (0..=x.tokens).map(|t| t as f64).collect(),
        s,
        g: trace.g[..m].iter().map(|&g| f.g.decode(g as i64)).collect(),
        c: trace
            .c
            .iter()
            .step_by(att.heads)
            .map(|&c| c as f64 * (-(f.b.frac + f.g.frac) as f64).exp2())
            .collect(),
    }
}

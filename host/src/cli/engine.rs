//! A whole model on an engine in every form: what `run`, `verify` and `evaluate` do with hardware.

use super::Failure;
use super::workspace::Workspace;
use crate::chain::answers::{Answers, Said, classes};
use crate::chain::engine::{Forms, Model, Ran};
use crate::cores::{core, for_image};
use crate::data::Example;
use crate::progress::Progress;
use crate::report::{Accuracy, CalciumTrace, CellsRow, ComparisonRow, MeasureRow, Report, StageRow};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use astromorph_sim::engine::StepUse;
use astromorph_sim::netlist::Target;
use astromorph_sim::tools::{Tool, Tools};
use clap::Args;
use std::sync::Mutex;

/// Sequences each form is compared on; 0 leaves a form out, and the report says so.
#[derive(Args, Clone, Copy)]
pub struct Counts {
    /// Sequences through RustHDL.
    #[arg(long, default_value_t = 200)]
    pub rusthdl: usize,
    /// Sequences through the Verilated engine.
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

/// Output words by sequence, from the forms that were run.
#[derive(Default)]
pub struct Outputs {
    /// From RustHDL.
    pub rusthdl: Vec<Vec<i32>>,
    /// From the Verilated engine.
    pub verilated: Vec<Vec<i32>>,
}

/// The cores the user names; without one the project's, or one made to measure.
pub fn chosen(workspace: &Workspace, names: &[String], image: &Image) -> Result<Vec<EngineConfig>, Failure> {
    if names.is_empty() {
        return Ok(vec![for_image(&workspace.project, image)?]);
    }
    Ok(names.iter().map(|name| core(name)).collect::<astromorph::Result<_>>()?)
}

/// The model on one core: every form against the next, and with `test` the program's accuracy on all of it.
pub fn hardware(
    workspace: &Workspace,
    image: &Image,
    core: &EngineConfig,
    (inputs, test): (&[Sequence], &[Example]),
    counts: Counts,
    progress: &Progress,
    report: &mut Report,
) -> Result<Outputs, Failure> {
    let label = format!("whole model on {}", core.name);
    let model = Model::new(image, core, label, workspace.project.train.seed)?;
    if !test.is_empty() {
        let stage = progress.stage(&format!("{}: accuracy by the program", model.label));
        report.accuracy.push(by_program(&model, test, progress)?);
        done(report, &model.label, "accuracy by the program", stage.seconds());
    }
    if inputs.is_empty() || counts.most() == 0 {
        return Ok(Outputs::default());
    }
    if report.calcium.is_none() {
        report.calcium = Some(calcium(image, &inputs[0])?);
    }
    let tools = Tools::ensure(&[Tool::Yosys, Tool::Verilator], |line| progress.say(line))?;
    let forms = Forms::new(core, &tools, &workspace.file("engine"));
    every_form(&model, &forms, inputs, counts, progress, report)
}

/// Accuracy of the program on every example, by the machine.
fn by_program(model: &Model, test: &[Example], progress: &Progress) -> std::result::Result<Accuracy, Failure> {
    let columns = model.image.spec().output.size;
    let width = model.core.width.to_string();
    let free: Mutex<Vec<Machine>> = Mutex::new(Vec::new());
    let form = format!("program on {}", model.core.name);
    let answers = Answers::compute((&form, &width), test, progress, |_, e| {
        let waiting = free.lock().unwrap_or_else(|e| e.into_inner()).pop();
        let mut machine = waiting.map_or_else(|| model.machine(), Ok)?;
        let words = machine.predict(&model.input(&e.sequence)?)?;
        free.lock().unwrap_or_else(|e| e.into_inner()).push(machine);
        Ok(Said {
            classes: classes(&words, columns),
            ..Said::default()
        })
    })?;
    Ok(answers.accuracy(test))
}

pub(super) fn done(report: &mut Report, label: &str, what: &str, seconds: f64) {
    report.stages.push(StageRow {
        stage: format!("{label}: {what}"),
        seconds,
    });
}

/// Every form of one core under one model.
fn every_form(
    model: &Model,
    forms: &Forms,
    inputs: &[Sequence],
    counts: Counts,
    progress: &Progress,
    report: &mut Report,
) -> Result<Outputs, Failure> {
    let some = |count: usize| &inputs[..count.min(inputs.len())];
    let left_out = |form: &str| ComparisonRow::missing("program", form, &model.label, "left out by its count of 0");
    let stage = progress.stage(&format!("{}: twin, RustHDL, Verilog, netlists", model.label));
    let mut outputs = Outputs::default();
    report
        .comparisons
        .push(model.layers(some(counts.verilated.max(counts.rusthdl)))?);
    if counts.rusthdl > 0 {
        let ran = model.rusthdl(&mut forms.rusthdl()?, some(counts.rusthdl), progress)?;
        report.measures.extend(measures(model, &ran));
        if report.phases.is_empty() {
            report.phases = model.phases(&ran.steps);
        }
        outputs.rusthdl = took(report, progress, ran);
    } else {
        report.comparisons.push(left_out("RustHDL"));
    }
    // Tools of one thread each, and the slowest part of the chain: side by side.
    let (verilog, netlists) = std::thread::scope(|scope| {
        let families = [Target::Ice40, Target::Ecp5];
        let workers =
            families.map(|f| scope.spawn(move || one_netlist(model, forms, f, some(counts.netlist), progress)));
        let verilog = one_verilog(model, forms, some(counts.verilated), progress);
        let joined = workers.map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (verilog, joined)
    });
    match verilog? {
        Some((ran, ports)) => {
            outputs.verilated = took(report, progress, ran);
            report.comparisons.push(ports);
        }
        None => report.comparisons.push(left_out("Verilog in Verilator")),
    }
    for found in netlists {
        match found? {
            Netlist::Compared(ran, cells) => {
                took(report, progress, ran);
                report.notes.extend(crate::devices::fill(&cells.target, &cells.cells)?);
                report.cells.push(cells);
            }
            Netlist::Missing(row) => report.comparisons.push(row),
        }
    }
    done(report, &model.label, "every form", stage.seconds());
    Ok(outputs)
}

/// The emitted Verilog in Verilator, and port by port in Icarus with the shortest sequence; nothing when it is left out.
fn one_verilog(
    model: &Model,
    forms: &Forms,
    inputs: &[Sequence],
    progress: &Progress,
) -> Result<Option<(Ran, ComparisonRow)>, Failure> {
    let Some(shortest) = inputs.iter().min_by_key(|s| s.len()) else {
        return Ok(None);
    };
    let ran = model.verilated(&forms.verilated()?, "Verilog in Verilator", inputs, progress)?;
    Ok(Some((ran, forms.ports(model, model.input(shortest)?)?)))
}

/// A family's netlist, or the reason why there is none.
enum Netlist {
    Compared(Ran, CellsRow),
    Missing(ComparisonRow),
}

fn one_netlist(
    model: &Model,
    forms: &Forms,
    family: Target,
    inputs: &[Sequence],
    progress: &Progress,
) -> Result<Netlist, Failure> {
    let form = format!("{} netlist", family.name());
    let missing = |why: &str| {
        Ok(Netlist::Missing(ComparisonRow::missing(
            "program",
            &form,
            &model.label,
            why,
        )))
    };
    if inputs.is_empty() {
        return missing("left out by its count of 0");
    }
    if family == Target::Ice40 && model.core.width > 16 {
        return missing("an SB_MAC16 takes operands of 16 bits at most");
    }
    let (engine, cells) = forms.netlist(family)?;
    Ok(Netlist::Compared(
        model.verilated(&engine, &form, inputs, progress)?,
        cells,
    ))
}

/// Into the report; the output words.
fn took(report: &mut Report, progress: &Progress, ran: Ran) -> Vec<Vec<i32>> {
    progress.say(&format!(
        "  {}: {} words, {} mismatches, {:.0} cycles/s",
        ran.row.right, ran.row.words, ran.row.mismatches, ran.speed
    ));
    if ran.row.mismatches > 0 {
        progress.say(&format!("    {}", ran.row.what));
    }
    report.measures.push(MeasureRow {
        what: format!("{}, {}: speed", ran.row.what, ran.row.right),
        value: ran.speed,
        unit: "cycles/s".into(),
        goal: String::new(),
    });
    report.comparisons.push(ran.row);
    ran.outputs
}

/// Cycles a sequence and the share of the multipliers' cycles that multiply, from simulated signals.
fn measures(model: &Model, ran: &Ran) -> [MeasureRow; 2] {
    let total = ran.steps.values().fold(StepUse::default(), |a, b| StepUse {
        cycles: a.cycles + b.cycles,
        slots: a.slots + b.slots,
    });
    let measure = |what: &str, value: f64, unit: &str| MeasureRow {
        what: format!("{}: {what}", model.label),
        value,
        unit: unit.into(),
        goal: String::new(),
    };
    [
        measure("cycles without stalls", total.cycles as f64, "cycles"),
        measure(
            "multiplier slots used",
            100.0 * total.slots as f64 / total.cycles.max(1) as f64,
            "%",
        ),
    ]
}

/// Calcium of layer 0's head 0 while one sequence is written, and what it becomes.
fn calcium(image: &Image, sequence: &Sequence) -> Result<CalciumTrace, Failure> {
    let (att, x) = (image.attention(0)?, Twin::new(image)?.attention_vectors(sequence, 0)?);
    let trace = att.run(&x.q, &x.k, &x.v);
    let (m, hm, f) = (att.features, att.heads * att.features, &att.formats);
    let mut s = vec![vec![0.0]; m];
    for token in trace.a.chunks_exact(hm) {
        for (line, &a) in s.iter_mut().zip(token) {
            line.push(line.last().copied().unwrap_or(0.0) + f.a.decode(a as i64));
        }
    }
    Ok(CalciumTrace {
        token: (0..=x.tokens).map(|t| t as f64).collect(),
        s,
        g: trace.g[..m].iter().map(|&g| f.g.decode(g as i64)).collect(),
        c: trace
            .c
            .iter()
            .step_by(att.heads)
            .map(|&c| c as f64 * (-(f.b.frac + f.g.frac) as f64).exp2())
            .collect(),
    })
}

//! `astromorph verify --core`: the whole model, or random models, on the engine, in every form.

use super::random::random_model;
use super::train::finish;
use super::verify::{Counts, verdict};
use super::workspace::Workspace;
use super::{Common, Failure, Outcome};
use crate::chain::accuracy::accuracy;
use crate::chain::engine::{Forms, Model, Ran};
use crate::cores::core;
use crate::data::Example;
use crate::progress::Progress;
use crate::report::{Accuracy, ComparisonRow, MeasureRow, Report, StageRow};
use astromorph::engine::config::EngineConfig;
use astromorph::engine::machine::Machine;
use astromorph::image::Image;
use astromorph::sequence::Sequence;
use astromorph_sim::engine::StepUse;
use astromorph_sim::netlist::Target;
use astromorph_sim::tools::{Tool, Tools};
use std::sync::Mutex;

/// Words that a run of random models compares at least, in RustHDL and Verilator together.
pub const RANDOM_WORDS: u64 = 10_000_000;

/// Most sequences of one random model.
const MOST: usize = 64;

/// The project's model on each core: tensors, RustHDL, Verilog and netlists; accuracy by the program on the whole test set.
pub fn whole_model(
    cores: &[String],
    image: &Image,
    test: &[Example],
    (inputs, counts): (&[Sequence], Counts),
    seed: u64,
    (workspace, common, progress): (&Workspace, &Common, &Progress),
    mut report: Report,
) -> Outcome {
    let found = cores.iter().try_for_each(|name| {
        let core = core(name)?;
        let label = format!("whole model on {}", core.name);
        let model = Model::new(image, &core, label, seed)?;
        if !test.is_empty() {
            let stage = progress.stage(&format!("{}: accuracy by the program", model.label));
            report.accuracy.push(by_program(&model, test, progress)?);
            done(&mut report, &model.label, "accuracy by the program", stage.seconds());
        }
        let tools = Tools::ensure(&[Tool::Yosys, Tool::Verilator], |line| progress.say(line))?;
        let forms = Forms::new(&core, &tools, &workspace.file("engine"));
        on_core(&model, &forms, inputs, counts, progress, &mut report)
    });
    finish(&report, workspace, common)?;
    found?;
    verdict(&report)
}

/// Accuracy of the program on every example, by the machine.
fn by_program(model: &Model, test: &[Example], progress: &Progress) -> std::result::Result<Accuracy, Failure> {
    let columns = model.image.spec().output.size;
    let width = model.core.width.to_string();
    let free: Mutex<Vec<Machine>> = Mutex::new(Vec::new());
    accuracy(
        &format!("program on {}", model.core.name),
        &width,
        test,
        progress,
        |s| {
            let waiting = free.lock().unwrap_or_else(|e| e.into_inner()).pop();
            let mut machine = waiting.map_or_else(|| model.machine(), Ok)?;
            let words = machine.predict(&model.input(s)?)?;
            free.lock().unwrap_or_else(|e| e.into_inner()).push(machine);
            let largest = |row: &[i32]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
            Ok(words.chunks_exact(columns).map(largest).collect())
        },
    )
}

fn done(report: &mut Report, label: &str, what: &str, seconds: f64) {
    report.stages.push(StageRow {
        stage: format!("{label}: {what}"),
        seconds,
    });
}

/// Every form of one core under one model.
fn on_core(
    model: &Model,
    forms: &Forms,
    inputs: &[Sequence],
    counts: Counts,
    progress: &Progress,
    report: &mut Report,
) -> Outcome {
    let some = |count: usize| &inputs[..count.min(inputs.len())];
    let left_out = |form: &str| ComparisonRow::missing("program", form, &model.label, "left out by its count of 0");
    let stage = progress.stage(&format!("{}: twin, RustHDL, Verilog, netlists", model.label));
    report
        .comparisons
        .push(model.layers(some(counts.verilated.max(counts.rusthdl)))?);
    if counts.rusthdl > 0 {
        let ran = model.rusthdl(&mut forms.rusthdl()?, some(counts.rusthdl), progress)?;
        report.measures.extend(measures(model, &ran));
        took(report, progress, ran);
    } else {
        report.comparisons.push(left_out("RustHDL"));
    }
    if counts.verilated > 0 {
        let ran = model.verilated(
            &forms.verilated()?,
            "Verilog in Verilator",
            some(counts.verilated),
            progress,
        )?;
        took(report, progress, ran);
    } else {
        report.comparisons.push(left_out("Verilog in Verilator"));
    }
    for family in [Target::Ice40, Target::Ecp5] {
        let form = format!("{} netlist", family.name());
        if counts.netlist == 0 {
            report.comparisons.push(left_out(&form));
        } else if family == Target::Ice40 && model.core.width > 16 {
            let why = "an SB_MAC16 takes operands of 16 bits at most";
            report
                .comparisons
                .push(ComparisonRow::missing("program", &form, &model.label, why));
        } else {
            let (engine, cells) = forms.netlist(family)?;
            took(
                report,
                progress,
                model.verilated(&engine, &form, some(counts.netlist), progress)?,
            );
            report.notes.extend(crate::devices::fill(&cells.target, &cells.cells)?);
            report.cells.push(cells);
        }
    }
    done(report, &model.label, "every form", stage.seconds());
    Ok(())
}

fn took(report: &mut Report, progress: &Progress, ran: Ran) {
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

/// Random models on each core, one after the other on one build of each form: only program and image change.
pub fn random(
    cores: &[String],
    specs: usize,
    seed: u64,
    (workspace, common, progress): (&Workspace, &Common, &Progress),
    mut report: Report,
) -> Outcome {
    let found = cores.iter().try_for_each(|name| {
        let core = core(name)?;
        let wanted = RANDOM_WORDS.div_ceil((specs * cores.len()).max(1) as u64);
        random_on(&core, specs, wanted, seed, workspace, progress, &mut report)
    });
    let words: u64 = report.comparisons.iter().map(|c| c.words).sum();
    progress.say(&format!("{words} words compared"));
    report.notes.push(format!("{words} words compared"));
    finish(&report, workspace, common)?;
    found?;
    verdict(&report)
}

fn random_on(
    core: &EngineConfig,
    specs: usize,
    wanted: u64,
    seed: u64,
    workspace: &Workspace,
    progress: &Progress,
    report: &mut Report,
) -> Outcome {
    let tools = Tools::ensure(&[Tool::Verilator], |line| progress.say(line))?;
    let forms = Forms::new(core, &tools, &workspace.file("engine"));
    let stage = progress.stage(&format!("{specs} random models on {}", core.name));
    let (mut rusthdl, verilated) = (forms.rusthdl()?, forms.verilated()?);
    let mut rows: Vec<ComparisonRow> = Vec::new();
    for n in 0..specs as u64 {
        let (image, sequences) = random_model(core, seed.wrapping_add(n), MOST)?;
        let label = format!("random model {} on {}", seed.wrapping_add(n), core.name);
        let model = Model::new(&image, core, label, seed.wrapping_add(n))?;
        let few = &sequences[..2.min(sequences.len())];
        let simulated = model.rusthdl(&mut rusthdl, few, progress)?.row;
        // As many as give the words that are wanted of each model.
        let each = (simulated.words / few.len().max(1) as u64).max(1);
        let most = (wanted.saturating_sub(simulated.words) / each + 1) as usize;
        let many = &sequences[..most.clamp(2, MOST).min(sequences.len())];
        let found = [
            model.layers(few)?,
            simulated,
            model.verilated(&verilated, "Verilog in Verilator", many, progress)?.row,
        ];
        let different = found.iter().any(|r| r.verdict() == "DIFFERENT");
        merge(&mut rows, found, &format!("random models on {}", core.name));
        progress.at(n as usize + 1, specs, "random models");
        if different {
            break;
        }
    }
    progress.finish();
    report.comparisons.extend(rows);
    done(report, &core.name, "random models", stage.seconds());
    Ok(())
}

/// One row a form for all models; the text of a row that differs stays.
fn merge(rows: &mut Vec<ComparisonRow>, found: [ComparisonRow; 3], what: &str) {
    for row in found {
        let different = row.mismatches > 0;
        match rows.iter_mut().find(|r| r.right == row.right) {
            Some(sum) => {
                sum.sequences += row.sequences;
                sum.words += row.words;
                sum.mismatches += row.mismatches;
                sum.cycles += row.cycles;
                if different {
                    sum.what = row.what;
                }
            }
            None => rows.push(ComparisonRow {
                what: if different { row.what.clone() } else { what.into() },
                ..row
            }),
        }
    }
}

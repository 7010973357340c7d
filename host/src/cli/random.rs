//! Random weights and sequences for a project, so that hardware of any size can be emitted and verified without data or training; and random
//! models on one build of each form of a core (`astromorph verify --random --core`).

use super::engine::done;
use super::train::finish;
use super::verify::verdict;
use super::workspace::Workspace;
use super::{Common, Failure, Outcome};
use crate::chain::engine::{Forms, Model};
use crate::compile::compile;
use crate::compile::random::{random_image_of, random_spec};
use crate::cores::core;
use crate::progress::Progress;
use crate::report::{ComparisonRow, Report};
use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::weights::Weights;
use astromorph_sim::tools::{Tool, Tools};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Words that a run of random models compares at least, in RustHDL and Verilator together.
pub const RANDOM_WORDS: u64 = 10_000_000;

/// Most sequences of one random model.
const MOST: usize = 64;

/// Models drawn until one fits a core.
const DRAWS: usize = 50;

/// The image of random weights, calibrated on random sequences, and `count` further sequences.
pub fn random_project(workspace: &Workspace, count: usize) -> Result<(Image, Vec<Sequence>), Failure> {
    let project = &workspace.project;
    let mut rng = ChaCha8Rng::seed_from_u64(project.train.seed);
    let weights = Weights::random(&project.model, project.train.seed);
    let mut draw = |n: usize| -> Vec<Sequence> { (0..n).map(|_| Sequence::random(&project.model, &mut rng)).collect() };
    let plan = Plan::calibrate(&project.model, &project.quantize, &weights, &draw(32))?;
    let image = Image::build(&project.model, &project.quantize, &weights, &plan)?;
    Ok((image, draw(count)))
}

/// Any kind of model that fits a core, and `count` sequences of it.
pub fn random_model(core: &EngineConfig, seed: u64, count: usize) -> Result<(Image, Vec<Sequence>), Failure> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut refusal = None;
    for _ in 0..DRAWS {
        let spec = random_spec(&mut rng);
        let image = random_image_of(&spec, core.width, &mut rng)?;
        match compile(&image, core) {
            Ok(_) => {
                let sequences = (0..count).map(|_| Sequence::random(&spec, &mut rng)).collect();
                return Ok((image, sequences));
            }
            Err(e) => refusal = Some(e),
        }
    }
    let found = refusal.map_or("none".into(), |e| e.to_string());
    let expected = format!("room for one of {DRAWS} random models");
    Err(astromorph::Error::field(format!("core {}", core.name), expected, found).into())
}

/// Random models on each core, one after the other on one build of each form: only program and image change.
pub fn random_models(
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
    let (mut rows, mut chunked) = (Vec::new(), 0);
    for n in 0..specs as u64 {
        let (image, sequences) = random_model(core, seed.wrapping_add(n), MOST)?;
        chunked += usize::from(image.quantize().chunked().is_some());
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
    let note = format!(
        "{}: {chunked} of {specs} random models with attention in chunks",
        core.name
    );
    report.notes.push(note);
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

//! `astromorph quantize`: formats from calibration, fine-tuning with the rounding in the loop, and the integer image.

use super::train::{finish, new_report};
use super::workspace::Workspace;
use super::{Choice, Common, Failure, Outcome};
use crate::data::{Dataset, Example};
use crate::interrupt;
use crate::progress::Progress;
use crate::report::{Report, StageRow, TensorRow};
use crate::train::optimiser::diverged;
use crate::train::quant::QuantPlan;
use crate::train::run::{self, Event};
use astromorph::golden::Golden;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::report::{Budget, compare};
use astromorph::sequence::Sequence;
use astromorph::spec::QuantizeSpec;
use astromorph::twin::Twin;
use astromorph::weights::Weights;
use clap::Args;

/// Training sequences that calibration looks at: enough for the extremes to settle, few enough to take a second.
pub const CALIBRATION: usize = 512;

/// Arguments of `quantize`.
#[derive(Args)]
pub struct Quantize {
    #[command(flatten)]
    choice: Choice,
    /// Operand and weight width instead of the project's.
    #[arg(long, value_name = "BITS")]
    bits: Option<u32>,
    /// Tokens of a chunk of causal attention instead of the project's; 1: the recurrence.
    #[arg(long, value_name = "TOKENS")]
    chunk: Option<usize>,
    /// Skip the fine-tuning.
    #[arg(long)]
    no_tuning: bool,
}

impl Quantize {
    /// Writes `image-W.safetensors` and the error report.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let mut workspace = Workspace::open(&self.choice, common)?;
        let mut widths = self.bits.map_or(workspace.project.quantize, |bits| {
            of_width(workspace.project.quantize, bits)
        });
        widths.chunk = self.chunk.unwrap_or(widths.chunk);
        widths.validate_for(&workspace.project.model)?;
        let weights = workspace.weights()?;
        let set = workspace.dataset(progress)?;
        if self.no_tuning {
            workspace.project.train.quantized.steps = 0;
        }
        let mut report = new_report(&workspace, "quantize");
        let image = quantized(&workspace, &set, &weights, &widths, progress, &mut report)?;
        tensor_errors(&workspace, &image, &set, &mut report)?;
        finish(&report, &workspace, common)
    }
}

/// The same quantisation with both widths at `bits`.
pub fn of_width(quantize: QuantizeSpec, bits: u32) -> QuantizeSpec {
    QuantizeSpec {
        activation_bits: bits,
        weight_bits: bits,
        ..quantize
    }
}

/// Inputs of the first examples.
pub fn sequences(examples: &[Example], most: usize) -> Vec<Sequence> {
    examples.iter().take(most).map(|e| e.sequence.clone()).collect()
}

/// The image of given widths: read when it was made before from these settings, otherwise calibrated, fine-tuned and written.
pub fn quantized(
    workspace: &Workspace,
    set: &Dataset,
    weights: &Weights,
    quantize: &QuantizeSpec,
    progress: &Progress,
    report: &mut Report,
) -> Result<Image, Failure> {
    let (project, path) = (&workspace.project, workspace.image_path(quantize.activation_bits));
    if path.exists() {
        let image = Image::load(&path)?;
        if image.spec() == &project.model && image.quantize() == quantize {
            progress.say(&format!("image: {} (quantised before)", path.display()));
            return Ok(image);
        }
    }
    let stage = progress.stage(&format!("quantising to {} bits", quantize.activation_bits));
    let plan = Plan::calibrate(&project.model, quantize, weights, &sequences(&set.train, CALIBRATION))?;
    let mut image = Image::build(&project.model, quantize, weights, &plan)?;
    if project.train.quantized.steps > 0 {
        let mut observe = |event: Event| match event {
            Event::Step { step, total, loss, .. } => {
                progress.at(step as usize, total as usize, &format!("loss {loss:.4}"))
            }
            Event::Validated { step, score, .. } => {
                progress.say(&format!(
                    "  rounding in the loop, step {step}: validation {:.2} %",
                    100.0 * score.accuracy()
                ));
            }
        };
        let rounding = QuantPlan::from_image(&image)?;
        let tuned = run::fine_tune(project, set, weights, &rounding, interrupt::flag(), &mut observe)?;
        if let Some(step) = tuned.diverged {
            return Err(diverged(step).into());
        }
        progress.finish();
        if tuned.interrupted {
            return Err(Failure::Interrupted(workspace.out.display().to_string()));
        }
        image = Image::build(&project.model, quantize, &tuned.weights, &plan)?;
        let name = format!("weights-{}.safetensors", quantize.activation_bits);
        tuned.weights.save(&workspace.file(&name), &project.model)?;
    } else {
        weights.save(
            &workspace.file(&format!("weights-{}.safetensors", quantize.activation_bits)),
            &project.model,
        )?;
    }
    image.save(&path)?;
    let stage = StageRow {
        stage: format!("quantisation, {} bits", quantize.activation_bits),
        seconds: stage.seconds(),
    };
    report.stages.push(stage);
    Ok(image)
}

/// Error of the twin against golden on validation sequences, tensor by tensor; golden runs the weights the image was made of.
pub fn tensor_errors(workspace: &Workspace, image: &Image, set: &Dataset, report: &mut Report) -> Result<(), Failure> {
    let bits = image.quantize().activation_bits;
    let weights = Weights::load(
        &workspace.file(&format!("weights-{bits}.safetensors")),
        &workspace.project.model,
    )?;
    let golden = Golden::<f64>::new(&workspace.project.model, &weights)?.in_chunks_of(image.quantize().chunked());
    let twin = Twin::new(image)?;
    let found = compare(&golden, &twin, &sequences(&set.validation, 64))?;
    let budget = Budget::new(image.quantize());
    for t in &found.tensors {
        report.tensors.push(TensorRow {
            width: bits.to_string(),
            name: t.name.clone(),
            format: format!("{}.{}", t.format.bits, t.format.frac),
            count: t.count,
            max: t.max,
            mean: t.mean,
            rms: t.rms,
            sqnr_db: t.sqnr.unwrap_or(f64::INFINITY),
            saturated: t.saturated,
            budget_db: budget.floor(&t.name).unwrap_or(0.0),
        });
    }
    let over = found.over(&budget);
    if !over.is_empty() {
        return Err(Failure::Different(format!(
            "the {bits}-bit twin is outside its error budget: {}",
            over.iter()
                .map(|x| format!("{} has {:.1} dB of {:.0}", x.name, x.sqnr, x.floor))
                .collect::<Vec<_>>()
                .join("; ")
        )));
    }
    Ok(())
}

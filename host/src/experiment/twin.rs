//! A trained model in integers, as a row of an experiment: calibrated to the row's widths, not fine-tuned, answered by the integer twin.

use crate::chain::answers::{classes, hits};
use crate::cli::quantize::{CALIBRATION, sequences};
use crate::data::{Dataset, Example};
use crate::project::Project;
use crate::train::leaves::EMBEDDING;
use astromorph::Result;
use astromorph::image::{Image, slots};
use astromorph::plan::Plan;
use astromorph::spec::QuantizeSpec;
use astromorph::twin::Twin;
use astromorph::weights::Weights;
use rayon::prelude::*;

/// The image of a model in the widths of `quantize`.
pub fn image(project: &Project, quantize: &QuantizeSpec, weights: &Weights, set: &Dataset) -> Result<Image> {
    quantize.validate_for(&project.model)?;
    let plan = Plan::calibrate(&project.model, quantize, weights, &sequences(&set.train, CALIBRATION))?;
    Image::build(&project.model, quantize, weights, &plan)
}

/// Right answers as a fraction.
pub fn accuracy(image: &Image, examples: &[Example]) -> Result<f64> {
    let twin = Twin::new(image)?;
    let one = |example: &Example| -> Result<(usize, usize)> {
        let logits = twin.predict(&example.sequence)?;
        Ok(hits(&example.target, &classes(&logits.data, image.spec().output.size)))
    };
    let found: Vec<(usize, usize)> = examples.par_iter().map(one).collect::<Result<_>>()?;
    let (right, all) = found.iter().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
    Ok(right as f64 / all.max(1) as f64)
}

/// Thousands of bits of weights and tables, the embedding (which stays with the host) apart.
pub fn kilobits(image: &Image) -> Result<f64> {
    let slots = slots(image.spec(), image.quantize(), image.plan())?;
    let on_chip = slots.iter().filter(|slot| slot.name != EMBEDDING);
    Ok(on_chip
        .map(|slot| slot.size() as f64 * f64::from(slot.bits))
        .sum::<f64>()
        / 1e3)
}

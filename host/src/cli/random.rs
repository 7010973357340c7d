//! Random weights and sequences for a project, so that hardware of any size can be emitted and verified without data or training.

use super::Failure;
use super::workspace::Workspace;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::spec::{Input, ModelSpec};
use astromorph::weights::Weights;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One sequence of random length.
fn sequence(spec: &ModelSpec, rng: &mut impl Rng) -> Sequence {
    let n = rng.random_range(1..=spec.n_max);
    match spec.input {
        Input::Tokens { vocabulary, slots, .. } => Sequence::Tokens {
            slots,
            ids: (0..n * slots).map(|_| rng.random_range(0..vocabulary as u32)).collect(),
        },
        Input::Vectors { width, .. } => Sequence::Vectors {
            width,
            data: (0..n * width).map(|_| rng.random_range(-2.0f32..2.0)).collect(),
        },
    }
}

/// The image of random weights, calibrated on random sequences, and `count` further sequences.
pub fn random_project(workspace: &Workspace, count: usize) -> Result<(Image, Vec<Sequence>), Failure> {
    let project = &workspace.project;
    let mut rng = ChaCha8Rng::seed_from_u64(project.train.seed);
    let weights = Weights::random(&project.model, project.train.seed);
    let mut draw = |n: usize| -> Vec<Sequence> { (0..n).map(|_| sequence(&project.model, &mut rng)).collect() };
    let plan = Plan::calibrate(&project.model, &project.quantize, &weights, &draw(32))?;
    let image = Image::build(&project.model, &project.quantize, &weights, &plan)?;
    Ok((image, draw(count)))
}

//! Random weights and sequences for a project, so that hardware of any size can be emitted and verified without data or training.

use super::Failure;
use super::workspace::Workspace;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::weights::Weights;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

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

//! Random weights and sequences for a project, so that hardware of any size can be emitted and verified without data or training.

use super::Failure;
use super::workspace::Workspace;
use crate::compile::compile;
use crate::compile::random::{random_image_of, random_spec};
use astromorph::engine::config::EngineConfig;
use astromorph::image::Image;
use astromorph::plan::Plan;
use astromorph::sequence::Sequence;
use astromorph::weights::Weights;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

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

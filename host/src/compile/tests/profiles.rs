//! The built-in projects' profile `small` on the smallest board's core, with random weights.

use super::*;
use crate::cores;
use crate::project::{BUILTIN, Project};
use astromorph::plan::Plan;
use astromorph::weights::Weights;

#[test]
fn every_small_one_fits_the_smallest_board_and_is_the_twins() {
    let core = cores::core("up5k-int8").unwrap();
    for (name, _) in BUILTIN {
        let project = Project::builtin(name).unwrap().profile(Some("small")).unwrap();
        let (model, quantize) = (&project.model, &project.quantize);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (weights, sequence) = (Weights::random(model, 1), Sequence::random(model, &mut rng));
        let plan = Plan::calibrate(model, quantize, &weights, &[sequence]).unwrap();
        let image = Image::build(model, quantize, &weights, &plan).unwrap();
        let compiled = compile(&image, &core).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(compare(&image, &core, &compiled, &mut rng) > 0, "{name}");
    }
}

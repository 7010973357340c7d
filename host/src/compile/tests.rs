//! Random models on random cores: what the machine computes under the compiled program is the twin's, in every named tensor.

use super::random::{RandomModel, random_model};
use super::*;
use astromorph::engine::machine::Machine;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Runs a few sequences on one machine; returns the words compared. Every tensor that the twin shows must be there, but `w`, which is data.
fn compare(image: &Image, core: &EngineConfig, compiled: &Compiled, rng: &mut ChaCha8Rng) -> usize {
    let twin = Twin::new(image).unwrap();
    let feed = Feed::new(image).unwrap();
    let mut machine = Machine::new(core, &compiled.program, &compiled.loaded).unwrap();
    let mut words = 0;
    for _ in 0..3 {
        let sequence = Sequence::random(image.spec(), rng);
        let mut taps = Vec::new();
        let mut look = |step: usize, tap, word: i64| taps.push((step, tap, word));
        let found = machine.run(&feed.words(&sequence).unwrap(), &mut look).unwrap();
        let tensors = compiled.tensors.gather(taps);
        let mut differences = Vec::new();
        let mut observe = |name: &str, _: usize, _: usize, _, raw: astromorph::twin::Raw<'_>| {
            if name.ends_with(".w") {
                return;
            }
            let expected: Vec<i64> = raw.iter().collect();
            words += expected.len();
            let found = tensors.get(name).map_or(&[][..], Vec::as_slice);
            differences.extend(compiled.tensors.compare(name, &expected, found));
        };
        let logits = twin.forward(&sequence, &mut observe).unwrap();
        let first = differences.first().map(|d| {
            let step = d.step.map(|step| format!("{:?}", compiled.program.steps[step]));
            format!("{d}: {}", step.unwrap_or_default())
        });
        assert_eq!(first, None, "N = {}\n{:?}\n{core:?}", sequence.len(), image.spec());
        assert_eq!(found, logits.data);
    }
    words
}

#[test]
fn two_hundred_random_models_are_the_twins() {
    let (mut words, mut filled, mut looped, mut refusals) = (0, 0, 0, 0);
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let RandomModel { image, core, refused } = random_model(&mut rng).unwrap();
        refused.iter().for_each(|e| println!("{seed}: {e}"));
        refusals += refused.len();
        let spec = image.spec();
        let tokens = (rng.random_range(0..3) == 0).then(|| rng.random_range(1..=8));
        let compiled = compile_with(&image, &core, Options { tokens })
            .unwrap_or_else(|e| panic!("{seed}: {e}\n{spec:?}\n{core:?}"));
        words += compare(&image, &core, &compiled, &mut rng);
        let any = |of: &dyn Fn(&Step) -> bool| usize::from(compiled.program.steps.iter().any(of));
        filled += any(&|step| matches!(step, Step::Fill(_)));
        looped += any(&|step| matches!(step, Step::Blocks { tokens } if 1 < *tokens && *tokens < spec.n_max as u32));
    }
    println!("{refusals} models refused");
    println!("{words} words equal; {filled} programs with fills, {looped} with loops over blocks");
    assert!(filled > 30 && looped > 60, "{filled} {looped}");
}

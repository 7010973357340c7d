//! Random models on random cores: what the machine computes under the compiled program is the twin's, in every named tensor.

mod alone;
mod late;
mod profiles;
mod refusals;

use super::random::{RandomModel, random_model};
use super::*;
use crate::area::hard;
use crate::boards::Board;
use astromorph::engine::machine::Machine;
use astromorph::sequence::Sequence;
use astromorph::twin::Twin;
use astromorph_hdl::engine::emit::emit_engine;
use astromorph_hdl::multiply::Target;
use late::Late;
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
        for n in [1, 2, spec.n_max.div_ceil(2), spec.n_max] {
            let late = Late::new(&core, &compiled.program, n.min(spec.n_max)).run();
            late.unwrap_or_else(|e| panic!("{seed}: {e}\n{spec:?}\n{core:?}"));
        }
        words += compare(&image, &core, &compiled, &mut rng);
        let any = |of: &dyn Fn(&Step) -> bool| usize::from(compiled.program.steps.iter().any(of));
        filled += any(&|step| matches!(step, Step::Fill(_)));
        looped += any(&|step| matches!(step, Step::Blocks { tokens } if 1 < *tokens && *tokens < spec.n_max as u32));
    }
    println!("{refusals} models refused");
    println!("{words} words equal; {filled} programs with fills, {looped} with loops over blocks");
    assert!(filled > 30 && looped > 60, "{filled} {looped}");
}

/// The adversary of the waits is one: taking away any wait, or any wait for a fill, is noticed by some program.
#[test]
fn no_wait_is_for_nothing() {
    let (mut waits, mut fills, mut needless) = (0, 0, 0);
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let RandomModel { image, core, .. } = random_model(&mut rng).unwrap();
        let compiled = compile(&image, &core).unwrap();
        let n_max = image.spec().n_max;
        for at in 0..compiled.program.steps.len() {
            let mut program = compiled.program.clone();
            let Step::Run(run) = &mut program.steps[at] else {
                continue;
            };
            let (wait, fill) = (run.wait && run.label != "fence", run.wait_fill);
            for drop_wait in [true, false] {
                if !(if drop_wait { wait } else { fill }) {
                    continue;
                }
                let mut program = compiled.program.clone();
                if let Step::Run(run) = &mut program.steps[at] {
                    (run.wait, run.wait_fill) = (wait && !drop_wait, fill && drop_wait);
                }
                let noticed = (1..=n_max).any(|n| Late::new(&core, &program, n).run().is_err());
                waits += usize::from(noticed && drop_wait);
                fills += usize::from(noticed && !drop_wait);
                needless += usize::from(!noticed && drop_wait);
            }
        }
    }
    println!("{waits} waits and {fills} waits for fills are needed, {needless} waits are not");
    assert!(
        waits > 200 && fills > 40 && needless * 10 < waits,
        "{waits} {fills} {needless}"
    );
}

/// The layers whose use of multiplier slots is measured.
fn measured(heads: usize, d_model: usize, hidden: usize, n_max: usize) -> String {
    format!(
        "[model]\nlayers = 1\nheads = {heads}\nd_model = {d_model}\nfeatures = 32\nvalues = 32\nn_max = {n_max}\norder = 'two-pass'\n\
         feed-forward = {{ width = {hidden} }}\ninput = {{ kind = 'tokens', vocabulary = 100 }}\n\
         output = {{ kind = 'classes', size = 2, pooling = 'mean' }}"
    )
}

/// The built-in tasks on the cores that stand in `constraints/cores`, with random weights: they fit, and are the twin's.
#[test]
fn the_tasks_run_on_the_described_cores() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../constraints/cores"));
    // Each can be built for its family, small ones for all.
    for entry in std::fs::read_dir(folder).unwrap() {
        let core = core_file(&entry.unwrap().path()).unwrap();
        for (family, target) in [("up5k", Target::Ice40), ("ecp5", Target::Ecp5)] {
            if core.name.starts_with(family) || core.name.starts_with("small") {
                emit_engine(&core, target).unwrap_or_else(|e| panic!("{} for {target:?}: {e}", core.name));
            }
        }
        // And its device has the memories and multipliers.
        for (family, board) in [("up5k", "icebreaker"), ("ecp5-25", "colorlight-i5"), ("ecp5", "ulx3s")] {
            if core.name.starts_with(family) {
                let board = Board::find(board).unwrap();
                let has = crate::devices::counts(&board.device).unwrap();
                for (cell, needed) in hard::cells(&core, board.family).unwrap() {
                    assert!(needed <= has[cell], "{}: {needed} {cell} of {}", core.name, has[cell]);
                }
            }
        }
    }
    for (task, core) in [
        (include_str!("../../../projects/imdb.toml"), "up5k-int8"),
        (include_str!("../../../projects/imdb.toml"), "up5k-int8-8"),
        (include_str!("../../../projects/imdb.toml"), "ecp5-25-int8"),
        (include_str!("../../../projects/imdb.toml"), "gw2a-int8"),
        (include_str!("../../../projects/imdb.toml"), "up5k-int16"),
        (include_str!("../../../projects/cifar10.toml"), "ecp5-int8"),
        (include_str!("../../../projects/wikitext2.toml"), "ecp5-int8"),
        (include_str!("../../../projects/wikitext2.toml"), "ecp5-32"),
        // In chunks.
        (include_str!("../../../projects/wikitext2.toml"), "ecp5-int8-chunks"),
        (include_str!("../../../projects/recall.toml"), "ecp5-32"),
        (include_str!("../../../projects/recall.toml"), "up5k-int16"),
        (&measured(2, 64, 128, 256), "up5k-int8"),
        (&measured(4, 128, 512, 320), "ecp5-int8-16"),
    ] {
        let core = core_file(&folder.join(format!("{core}.toml"))).unwrap();
        let mut model = task.parse::<toml::Table>().unwrap()["model"].clone();
        if let Some(vocabulary) = model["input"].as_table_mut().unwrap().get_mut("vocabulary") {
            // The embedding stays on the host: its size is nothing to the core.
            *vocabulary = toml::Value::Integer(100);
        }
        let spec: astromorph::spec::ModelSpec = model.try_into().unwrap();
        let quantize = astromorph::spec::QuantizeSpec {
            activation_bits: core.width,
            weight_bits: core.width,
            phi_index_bits: if core.width == 8 { 8 } else { 7 },
            power_mantissa_bits: if core.width == 8 { 4 } else { 3 },
            reciprocal_mantissa_bits: 6,
            rsqrt_mantissa_bits: 6,
            chunk: if core.chunked { 16 } else { 1 },
            ..Default::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let weights = astromorph::weights::Weights::random(&spec, 5);
        let sequences: Vec<Sequence> = (0..4).map(|_| Sequence::random(&spec, &mut rng)).collect();
        let plan = astromorph::plan::Plan::calibrate(&spec, &quantize, &weights, &sequences).unwrap();
        let image = Image::build(&spec, &quantize, &weights, &plan).unwrap();
        let compiled = compile(&image, &core).unwrap_or_else(|e| panic!("{}: {e}", core.name));
        let count = |of: &dyn Fn(&Step) -> bool| compiled.program.steps.iter().filter(|step| of(step)).count();
        println!(
            "{}: {} steps, {} waits, {} fills, {} words in M, blocks of {:?}",
            core.name,
            compiled.program.steps.len(),
            count(&|step| matches!(step, Step::Run(run) if run.wait)),
            count(&|step| matches!(step, Step::Fill(_))),
            compiled.loaded.m.len(),
            compiled
                .program
                .steps
                .iter()
                .filter_map(|step| if let Step::Blocks { tokens } = step {
                    Some(*tokens)
                } else {
                    None
                })
                .collect::<Vec<_>>()
        );
        Late::new(&core, &compiled.program, spec.n_max.min(60)).run().unwrap();
        compare(&image, &core, &compiled, &mut rng);
    }
}

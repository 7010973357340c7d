//! The trained model is the golden model: outputs, gradients, rounding, resumption.

use super::evaluate::accuracy;
use super::quant::QuantPlan;
use super::run::{self, Event};
use super::{model, ops, step};
use crate::data::batch::Batch;
use crate::data::{self, Example, Target};
use crate::project::{Project, TrainSpec};
use astromorph::golden::{Golden, finite_difference};
use astromorph::image::Image;
use astromorph::plan::{Plan, has_integer_form};
use astromorph::sequence::Sequence;
use astromorph::spec::{ModelSpec, Nonlinearity, Order, Pooling, QuantizeSpec};
use astromorph::twin::Twin;
use astromorph::weights::Weights;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicBool, Ordering};

/// A small model; `rest` replaces or adds lines.
fn spec(rest: &str) -> ModelSpec {
    let mut lines: Vec<String> = [
        "layers = 2",
        "heads = 2",
        "d_model = 12",
        "features = 6",
        "values = 5",
        "n_max = 80",
        "order = \"two-pass\"",
        "input = { kind = \"tokens\", vocabulary = 9, slots = 2, positions = \"learnt\" }",
        "output = { kind = \"classes\", size = 3, pooling = \"mean\" }",
    ]
    .map(String::from)
    .to_vec();
    for line in rest.split('\n').filter(|l| !l.is_empty()) {
        let key = line.split('=').next().unwrap_or_default();
        lines.retain(|l| !l.starts_with(key));
        lines.push(line.into());
    }
    let spec: ModelSpec = toml::from_str(&lines.join("\n")).unwrap();
    spec.validate().unwrap();
    spec
}

/// Every option of the specification at least once.
const OPTIONS: [&str; 26] = [
    "",
    "norm = \"pre\"\nfeed-forward = { width = 20, activation = \"gelu\" }",
    "order = \"causal\"",
    "order = \"causal\"\nnorm = \"pre\"\nalpha = 0.5",
    "nonlinearity = \"sigmoid\"",
    "nonlinearity = \"hard-sigmoid\"\nalpha = 0.3",
    "order = \"causal\"\nnonlinearity = \"sigmoid\"",
    "order = \"causal\"\nnonlinearity = \"hard-sigmoid\"",
    "alpha = 1.0\nscale = { init = 3.0, learnt = false }",
    "attention = \"linear\"",
    "attention = \"gain-matched\"\norder = \"causal\"",
    "attention = \"softmax\"",
    "attention = \"softmax\"\norder = \"causal\"",
    "input = { kind = \"vectors\", width = 7, positions = \"sinusoidal\" }",
    "output = { kind = \"classes\", size = 3, pooling = \"last\" }",
    "output = { kind = \"vocabulary\", size = 9, pooling = \"none\" }\norder = \"causal\"",
    "position = { decay = 0.2, distance = { kind = \"chebyshev\", columns = 8 } }",
    "position = { distance = { kind = \"none\" } }",
    "attention = \"none\"",
    "attention = \"none\"\nnorm = \"pre\"",
    "nonlinearity = \"sigmoid\"\nscale = { outside = true, learnt = true }",
    "scale = { outside = true, init = 3.0 }\norder = \"causal\"",
    "calcium = { learnt = true }",
    "calcium = { learnt = true, neighbours = 0.4 }\norder = \"causal\"\nheads = 3",
    "calcium = { neighbours = 0.4 }\nheads = 4",
    "calcium = { neighbours = 0.7 }\norder = \"causal\"",
];

/// Random weights in which nothing is zero, so that nothing goes unnoticed.
fn weights(spec: &ModelSpec) -> Weights {
    let mut weights = Weights::random(spec, 5);
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for (name, tensor) in &mut weights.tensors {
        let spread = if name.ends_with("embedding.weight") { 1.0 } else { 0.2 };
        tensor
            .data
            .iter_mut()
            .for_each(|x| *x += spread * (rng.random::<f32>() - 0.5));
    }
    weights
}

/// Sequences of different lengths, two of them longer than a causal chunk.
fn examples(spec: &ModelSpec, lengths: &[usize]) -> Vec<Example> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let size = spec.output.size as u32;
    let example = |n: &usize| {
        let sequence = match spec.input {
            astromorph::spec::Input::Tokens { vocabulary, slots, .. } => {
                let ids = (0..n * slots).map(|_| rng.random_range(0..vocabulary as u32)).collect();
                Sequence::Tokens { slots, ids }
            }
            astromorph::spec::Input::Vectors { width, .. } => Sequence::Vectors {
                width,
                data: (0..n * width).map(|_| rng.random::<f32>() - 0.5).collect(),
            },
        };
        let target = match spec.output.pooling {
            Pooling::None => Target::PerToken((0..*n).map(|t| (t % 3 != 0).then_some(t as u32 % size)).collect()),
            _ => Target::Class(*n as u32 % size),
        };
        Example { sequence, target }
    };
    lengths.iter().map(example).collect()
}

fn targets(example: &Example) -> Vec<Option<u32>> {
    match &example.target {
        Target::Class(c) => vec![Some(*c)],
        Target::PerToken(t) => t.clone(),
    }
}

#[test]
fn every_option_equals_the_golden_model_on_padded_batches() {
    for options in OPTIONS {
        let spec = spec(options);
        let weights = weights(&spec);
        let golden = Golden::<f64>::new(&spec, &weights).unwrap();
        let examples = examples(&spec, &[3, 80, 1, 67]);
        let batch = Batch::new(&examples.iter().collect::<Vec<_>>());
        let mine = ops::values(model::predict(&spec, &weights, &batch, None));
        let classes = spec.output.size;
        for (i, example) in examples.iter().enumerate() {
            let expected = golden.predict(&example.sequence).unwrap();
            let first = if spec.output.pooling == Pooling::None {
                i * batch.tokens
            } else {
                i
            };
            for (a, b) in mine[first * classes..].iter().zip(&expected.data) {
                assert!((*a as f64 - b).abs() < 1e-5 * (1.0 + b.abs()), "{options}: {a} {b}");
            }
        }
    }
}

#[test]
fn gradients_are_the_golden_models_slopes() {
    for options in OPTIONS {
        let spec = spec(&format!(
            "{options}\nlayers = 1\nn_max = 70\nposition = {{ decay = 0.3 }}"
        ));
        let weights = weights(&spec);
        let examples = examples(&spec, &[2, 70]);
        let sequences: Vec<Sequence> = examples.iter().map(|e| e.sequence.clone()).collect();
        let answers: Vec<_> = examples.iter().map(targets).collect();
        let train = TrainSpec {
            batch: 2,
            ..TrainSpec::default()
        };
        let found = step::gradients(&spec, &train, &weights, &examples.iter().collect::<Vec<_>>(), None, 0);
        let mut checked = 0;
        for (name, g) in &found.gradients {
            // The largest entry of every tensor, where a wrong factor shows most.
            let index = (0..g.len()).fold(0, |best, i| if g[i].abs() > g[best].abs() { i } else { best });
            let slope = finite_difference(&spec, &weights, &sequences, &answers, name, index, 2e-4).unwrap();
            assert!(
                (slope - g[index] as f64).abs() < 1e-4 + 2e-3 * slope.abs(),
                "{options}: {name}[{index}] {slope} {}",
                g[index]
            );
            checked += 1;
        }
        let frozen = weights
            .tensors
            .keys()
            .filter(|n| n.ends_with("log_s") && !spec.scale.learnt)
            .count();
        assert_eq!(
            checked + frozen,
            weights.tensors.len(),
            "{options}: a tensor has no gradient"
        );
    }
}

/// A plan calibrated on the examples themselves, and the image it belongs to.
fn image(spec: &ModelSpec, weights: &Weights, examples: &[Example], (bits, chunk): (u32, usize)) -> Image {
    let quantize = QuantizeSpec {
        activation_bits: bits,
        weight_bits: bits,
        chunk,
        ..QuantizeSpec::default()
    };
    let sequences: Vec<Sequence> = examples.iter().map(|e| e.sequence.clone()).collect();
    let plan = Plan::calibrate(spec, &quantize, weights, &sequences).unwrap();
    Image::build(spec, &quantize, weights, &plan).unwrap()
}

#[test]
fn the_rounded_pass_is_the_twin() {
    let (mut exact, mut cases) = (0, 0);
    for options in OPTIONS {
        let spec = spec(options);
        if has_integer_form(&spec).is_err() {
            continue;
        }
        let weights = weights(&spec);
        let examples = examples(&spec, &[30, 40, 50, 60]);
        let batch = Batch::new(&examples.iter().collect::<Vec<_>>());
        let chunks: &[usize] = match spec.order == Order::Causal && spec.nonlinearity == Nonlinearity::Identity {
            true => &[1, 16],
            false => &[1],
        };
        for (bits, &chunk) in [8, 12]
            .into_iter()
            .flat_map(|bits| chunks.iter().map(move |chunk| (bits, chunk)))
        {
            cases += usize::from(bits == 8);
            let image = image(&spec, &weights, &examples, (bits, chunk));
            let plan = QuantPlan::from_image(&image).unwrap();
            let twin = Twin::new(&image).unwrap();
            let float = ops::values(model::predict(&spec, &weights, &batch, None));
            let rounded = ops::values(model::predict(&spec, &weights, &batch, Some(&plan)));
            let (mut mine, mut other, mut count) = (0f64, 0f64, 0);
            for (i, example) in examples.iter().enumerate() {
                let expected = twin.predict(&example.sequence).unwrap().decode();
                let first = if spec.output.pooling == Pooling::None {
                    i * batch.tokens
                } else {
                    i
                } * spec.output.size;
                for (j, e) in expected.iter().enumerate() {
                    mine += (rounded[first + j] as f64 - e).powi(2);
                    other += (float[first + j] as f64 - e).powi(2);
                    count += 1;
                }
            }
            let (mine, other) = ((mine / count as f64).sqrt(), (other / count as f64).sqrt());
            // 12-bit sums are longer than f32's mantissa; 8-bit sums are not, and only n inside `normalise` may still differ.
            assert!(
                mine < other,
                "{options} at {bits} bits, T = {chunk}: {mine} to the twin, float {other}"
            );
            exact += usize::from(bits == 8 && mine == 0.0);
        }
    }
    assert!(
        exact * 3 >= cases * 2,
        "only {exact} of {cases} are the twin word for word at 8 bits"
    );
}

/// A recall project small enough for a test.
fn small() -> (Project, data::Dataset) {
    let mut project = Project::builtin("recall").unwrap();
    (project.train.steps, project.train.batch, project.train.validate_every) = (12, 16, 4);
    (project.train.dropout, project.train.label_smoothing) = (0.1, 0.05);
    let mut set = data::load(&project, None).unwrap();
    set.train.truncate(100); // two epochs: the order of the data is resumed too
    set.validation.truncate(20);
    (project, set)
}

#[test]
fn a_run_resumed_anywhere_is_bit_for_bit_the_run_that_was_not_interrupted() {
    let (project, set) = small();
    let folder = tempfile::tempdir().unwrap();
    let whole_path = folder.path().join("whole");
    let never = AtomicBool::new(false);
    let whole = run::train(&project, &set, Some(&whole_path), &never, &mut |_| {}).unwrap();
    assert_eq!((whole.steps, whole.interrupted), (12, false));
    for k in [1, 5, 8] {
        let path = folder.path().join(format!("cut{k}"));
        let stop = AtomicBool::new(false);
        let cut = run::train(&project, &set, Some(&path), &stop, &mut |e| {
            if matches!(e, Event::Step { step, .. } if step == k) {
                stop.store(true, Ordering::Relaxed);
            }
        });
        let cut = cut.unwrap();
        assert_eq!((cut.steps, cut.interrupted), (k, true));
        let resumed = run::train(&project, &set, Some(&path), &never, &mut |_| {}).unwrap();
        assert_eq!(
            (resumed.steps, &resumed.weights, resumed.best),
            (12, &whole.weights, whole.best)
        );
        assert_eq!(
            std::fs::read(&path).unwrap().len(),
            std::fs::read(&whole_path).unwrap().len()
        );
        let load = |p| super::checkpoint::Checkpoint::load(p, &project).unwrap();
        assert_eq!(load(&path), load(&whole_path));
        // A finished run does nothing more.
        assert_eq!(
            run::train(&project, &set, Some(&path), &never, &mut |_| panic!("a step"))
                .unwrap()
                .steps,
            12
        );
    }
}

#[test]
fn damaged_checkpoints_are_named() {
    let (project, set) = small();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let never = AtomicBool::new(false);
    run::train(&project, &set, Some(&path), &never, &mut |_| {}).unwrap();
    let good = std::fs::read(&path).unwrap();
    for bad in [&good[..good.len() / 2], &good[..4], b"", &vec![0xff; 64][..]] {
        std::fs::write(&path, bad).unwrap();
        let error = run::train(&project, &set, Some(&path), &never, &mut |_| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains("checkpoint"), "{error}");
    }
}

#[test]
fn causal_states_that_cannot_fit_are_refused_by_name() {
    let (mut project, set) = small();
    project.model.nonlinearity = astromorph::spec::Nonlinearity::Sigmoid;
    project.train.batch = 16_384;
    let error = run::train(&project, &set, None, &AtomicBool::new(false), &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("model.nonlinearity") && error.contains("states a shard"),
        "{error}"
    );
}

#[test]
fn the_quantised_phase_never_ends_worse_than_it_began() {
    let (mut project, set) = small();
    project.train.quantized.steps = 6;
    let weights = run::initial(&project.model, &project.train);
    let plan = QuantPlan::from_image(&image(&project.model, &weights, &set.train, (8, 1))).unwrap();
    let before = accuracy(&project.model, &weights, &set.validation, Some(&plan), 2, None).unwrap();
    let never = AtomicBool::new(false);
    let done = run::fine_tune(&project, &set, &weights, &plan, &never, &mut |_| {}).unwrap();
    assert!(done.best.right >= before.right && done.steps == 6);
    assert_eq!(
        accuracy(&project.model, &done.weights, &set.validation, Some(&plan), 2, None).unwrap(),
        done.best
    );
}

//! The time of one training step of the standard workload: D = 128, 4 heads, 2 pre-norm layers, feed-forward 512 GELU, 8,000 words,
//! 256 tokens, batches of 32, 4 classes; forward, backward, clipping and AdamW, on two shards.
//!
//! PyTorch 2.15 needs 0.16–0.18 s for it on two AVX-512 cores, the matrix products alone 0.09 s.
//!
//! ```no_run
//! let time = astromorph_host::train::bench::step_time(3, 20).unwrap(); // 3 steps to warm up, 20 measured
//! println!("{:.3} s a step (median), {:.3} s at best", time.median, time.least);
//! ```

use super::optimiser::{State, diverged};
use super::step::gradients;
use crate::data::{Example, Target};
use crate::project::TrainSpec;
use astromorph::sequence::Sequence;
use astromorph::spec::ModelSpec;
use astromorph::weights::Weights;
use astromorph::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

/// Seconds a step.
#[derive(Clone, Copy, Debug)]
pub struct StepTime {
    /// Median.
    pub median: f64,
    /// Mean.
    pub mean: f64,
    /// Shortest.
    pub least: f64,
    /// Loss after the last step: it must have fallen from ln 4.
    pub loss: f64,
}

/// The workload's model.
pub fn workload() -> Result<ModelSpec> {
    let text = r#"
        layers = 2
        heads = 4
        d_model = 128
        features = 32
        values = 32
        n_max = 256
        order = "two-pass"
        norm = "pre"
        feed-forward = { width = 512, activation = "gelu" }
        input = { kind = "tokens", vocabulary = 8000 }
        output = { kind = "classes", size = 4, pooling = "mean" }
    "#;
    toml::from_str(text).map_err(|e| Error::file("workload", e.message()))
}

/// Median and shortest time over `measured` steps after `warm_up`.
pub fn step_time(warm_up: usize, measured: usize) -> Result<StepTime> {
    let spec = workload()?;
    let train = TrainSpec {
        batch: 32,
        learning_rate: 1e-3,
        ..TrainSpec::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let examples: Vec<Example> = (0..train.batch)
        .map(|i| Example {
            sequence: Sequence::Tokens {
                slots: 1,
                ids: (0..spec.n_max).map(|_| rng.random_range(1..8000)).collect(),
            },
            target: Target::Class((i % 4) as u32),
        })
        .collect();
    let examples: Vec<&Example> = examples.iter().collect();
    steps(&spec, &train, &vec![examples; warm_up + measured.max(1)], warm_up)
}

/// The time of a step on each of these batches, from random weights; the first `warm_up` are not counted.
pub fn steps(spec: &ModelSpec, train: &TrainSpec, batches: &[Vec<&Example>], warm_up: usize) -> Result<StepTime> {
    let mut state = State::new(Weights::random(spec, 1));
    let (mut times, mut loss) = (Vec::new(), f64::NAN);
    for (step, examples) in batches.iter().enumerate() {
        let started = Instant::now();
        let found = gradients(spec, train, &state.weights, examples, None, step as u64);
        state
            .apply(train, train.learning_rate, &found.gradients)
            .ok_or_else(|| diverged(state.step))?;
        if step >= warm_up {
            times.push(started.elapsed().as_secs_f64());
        }
        loss = found.loss;
    }
    if times.is_empty() {
        let (expected, found) = (format!("more than {warm_up}"), batches.len());
        return Err(Error::field("batches", expected, found));
    }
    times.sort_by(f64::total_cmp);
    Ok(StepTime {
        median: times[times.len() / 2],
        mean: times.iter().sum::<f64>() / times.len() as f64,
        least: times[0],
        loss,
    })
}

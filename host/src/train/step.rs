//! One training step: a batch cut into shards, a thread and a graph each; gradients summed in the order of the shards.
//!
//! The loss is cross-entropy with label smoothing ε over the answers there are: −Σ_c p_c ln softmax(z)_c with p = (1−ε) at the target + ε/C, mean
//! over the batch. Its gradient (softmax(z) − p)/answers is exact and enters the graph as the factor of a dot product.
//!
//! ```
//! use astromorph_host::train::step::cross_entropy;
//! let l = cross_entropy(&[0.0, 0.0, 9.0, 9.0], 2, &[Some(0), None], 0.0, 1); // the second row has no answer
//! assert!((l.sum - 2f64.ln()).abs() < 1e-12);
//! assert_eq!(l.gradient, [-0.5, 0.5, 0.0, 0.0]);
//! assert_eq!((l.right, l.answers), (1, 1));
//! ```

use super::leaves::{EMBEDDING, Leaves, scatter};
use super::model::{Forward, input};
use super::noise::Noise;
use super::ops::{constant, values};
use super::optimiser::Gradients;
use super::quant::QuantPlan;
use crate::data::Example;
use crate::data::batch::Batch;
use crate::project::TrainSpec;
use astromorph::spec::{Input, ModelSpec};
use astromorph::weights::Weights;

/// Loss of some rows of logits.
#[derive(Clone, Debug, Default)]
pub struct Loss {
    /// Sum over the answers.
    pub sum: f64,
    /// ∂(sum/total)/∂logits.
    pub gradient: Vec<f32>,
    /// Answers whose largest logit is the target.
    pub right: usize,
    /// Answers.
    pub answers: usize,
}

/// Smoothed cross-entropy of rows of `classes` logits; `total` is what the mean divides by.
pub fn cross_entropy(logits: &[f32], classes: usize, targets: &[Option<u32>], smoothing: f64, total: usize) -> Loss {
    let mut loss = Loss {
        gradient: vec![0.0; logits.len()],
        ..Loss::default()
    };
    let share = smoothing / classes as f64;
    let rows = logits
        .chunks_exact(classes)
        .zip(loss.gradient.chunks_exact_mut(classes))
        .zip(targets);
    for ((z, g), target) in rows {
        let Some(target) = target.map(|t| t as usize) else {
            continue;
        };
        let top = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let log_sum = z.iter().map(|z| ((z - top) as f64).exp()).sum::<f64>().ln() + top as f64;
        let best = (1..classes).fold(0, |best, c| if z[c] > z[best] { c } else { best });
        loss.right += usize::from(best == target);
        loss.answers += 1;
        for c in 0..classes {
            let log_p = z[c] as f64 - log_sum;
            let p = share + if c == target { 1.0 - smoothing } else { 0.0 };
            loss.sum -= p * log_p;
            g[c] = ((log_p.exp() - p) / total as f64) as f32;
        }
    }
    loss
}

/// What one step found.
pub struct Found {
    /// Mean loss of the batch.
    pub loss: f64,
    /// Gradients of all weights.
    pub gradients: Gradients,
    /// Right answers.
    pub right: usize,
    /// Answers.
    pub answers: usize,
}

struct Shard {
    loss: Loss,
    gradients: Gradients,
    batch: Batch,
    d_input: Vec<f32>,
}

/// Loss and gradients of a batch at `weights`; `step` seeds its dropout.
pub fn gradients(
    spec: &ModelSpec,
    train: &TrainSpec,
    weights: &Weights,
    examples: &[&Example],
    plan: Option<&QuantPlan>,
    step: u64,
) -> Found {
    let shards: Vec<Batch> = examples
        .chunks(examples.len().div_ceil(train.shards))
        .map(Batch::new)
        .collect();
    let total = shards.iter().map(Batch::answers).sum::<usize>().max(1);
    let run = |(i, batch): (usize, Batch)| {
        shard(
            spec,
            train,
            weights,
            batch,
            plan,
            Noise::new(train.seed, step, i as u64, train.dropout),
            total,
        )
    };
    let mut parts: Vec<Shard> = std::thread::scope(|scope| {
        let mut shards = shards.into_iter().enumerate();
        let first = shards.next();
        let others: Vec<_> = shards.map(|s| scope.spawn(|| run(s))).collect();
        // The first shard needs no thread of its own.
        let first = first.map(run);
        let others = others
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
        first.into_iter().chain(others).collect()
    });
    let mut found = Found {
        loss: 0.0,
        gradients: Gradients::new(),
        right: 0,
        answers: 0,
    };
    let embedding = weights.tensors.get(EMBEDDING);
    let mut table = embedding.map(|e| vec![0f32; e.data.len()]);
    for part in &mut parts {
        found.loss += part.loss.sum / total as f64;
        found.right += part.loss.right;
        found.answers += part.loss.answers;
        for (name, g) in std::mem::take(&mut part.gradients) {
            match found.gradients.get_mut(&name) {
                Some(sum) => super::kernels::accumulate(sum, &g),
                None => {
                    found.gradients.insert(name, g);
                }
            }
        }
        if let Some(table) = &mut table {
            scatter(table, spec.d_model, &part.batch.ids, part.batch.slots, &part.d_input);
        }
    }
    if let Some(table) = table {
        found.gradients.insert(EMBEDDING.into(), table);
    }
    if !spec.scale.learnt {
        found.gradients.retain(|name, _| !name.ends_with(".log_s"));
    }
    found
}

fn shard(
    spec: &ModelSpec,
    train: &TrainSpec,
    weights: &Weights,
    mut batch: Batch,
    plan: Option<&QuantPlan>,
    mut noise: Noise,
    total: usize,
) -> Shard {
    if train.word_dropout > 0.0 {
        noise.forget_words(&mut batch.ids, batch.slots, train.word_dropout);
    }
    let leaves = Leaves::new(weights, true);
    let x = input(spec, weights, &batch, plan).require_grad();
    let forward = Forward {
        spec,
        leaves: &leaves,
        batch: &batch,
        plan,
        noise: Some(noise),
    };
    let logits = forward.run(x.clone());
    let [rows, classes] = logits.dims();
    let loss = cross_entropy(
        &values(logits.clone()),
        classes,
        &batch.targets,
        train.label_smoothing,
        total,
    );
    let mut grads = (logits * constant(loss.gradient.clone(), [rows, classes]))
        .sum()
        .backward();
    let gradients = leaves.gradients(&mut grads);
    let d_input = match spec.input {
        Input::Tokens { .. } => x.grad_remove(&mut grads).map(values).unwrap_or_default(),
        Input::Vectors { .. } => Vec::new(),
    };
    Shard {
        loss,
        gradients,
        batch,
        d_input,
    }
}

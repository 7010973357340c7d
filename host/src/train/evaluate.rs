//! Accuracy of a model over a split: batched by length, on as many threads as training has shards.
//!
//! ```
//! use astromorph::weights::Weights;
//! use astromorph_host::{data, project::Project, train::evaluate::accuracy};
//! let project = Project::builtin("recall").unwrap();
//! let set = data::load(&project, None).unwrap();
//! let untrained = accuracy(&project.model, &Weights::random(&project.model, 1), &set.test[..200], None, 2, None).unwrap();
//! assert_eq!(untrained.answers, 1600);
//! assert!(untrained.accuracy() < 0.2);                   // chance is 1/16
//! ```

use super::model::predict;
use super::ops::values;
use super::quant::QuantPlan;
use super::step::cross_entropy;
use crate::data::Example;
use crate::data::batch::{Batch, by_length};
use astromorph::spec::{ModelSpec, Order, Pooling};
use astromorph::weights::Weights;
use astromorph::{Error, Result};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Padded tokens of an evaluation batch: large enough for the matrix products, small enough for the cache.
const TOKENS: usize = 8192;
/// Logits of an evaluation batch: a vocabulary of 33,000 words has them by the gigabyte otherwise.
const LOGITS: usize = 1 << 25;

/// What an evaluation counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Sum of the losses.
    pub loss: f64,
    /// Right answers.
    pub right: usize,
    /// Answers.
    pub answers: usize,
}

impl Score {
    /// Right answers as a fraction.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.answers.max(1) as f64
    }
}

/// Evaluates a split; a raised `stop` ends it early with an error.
pub fn accuracy(
    spec: &ModelSpec,
    weights: &Weights,
    examples: &[Example],
    plan: Option<&QuantPlan>,
    threads: usize,
    stop: Option<&AtomicBool>,
) -> Result<Score> {
    let lengths: Vec<usize> = examples.iter().map(|e| e.sequence.len()).collect();
    let mut batches = by_length(&lengths, limit(spec, plan));
    batches.reverse(); // the longest first: the threads finish together
    let scores = Mutex::new(vec![Score::default(); batches.len()]);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((i, batch)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, batches.get(i)?)))
        {
            if stop.is_some_and(|s| s.load(Ordering::Relaxed)) {
                break;
            }
            let batch = Batch::new(&batch.iter().map(|i| &examples[*i]).collect::<Vec<_>>());
            let logits = predict(spec, weights, &batch, plan);
            let classes = logits.dims()[1];
            let loss = cross_entropy(&values(logits), classes, &batch.targets, 0.0, 1);
            let score = Score {
                loss: loss.sum,
                right: loss.right,
                answers: loss.answers,
            };
            scores.lock().unwrap_or_else(|e| e.into_inner())[i] = score;
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.max(1) {
            scope.spawn(work);
        }
        work();
    });
    if stop.is_some_and(|s| s.load(Ordering::Relaxed)) {
        return Err(Error::field("evaluation", "to finish", "an interruption"));
    }
    let mut total = Score::default();
    // In the order of the batches, whichever thread took them: the sum of losses is the same every time.
    for score in scores.into_inner().unwrap_or_else(|e| e.into_inner()) {
        total.loss += score.loss;
        total.right += score.right;
        total.answers += score.answers;
    }
    Ok(total)
}

/// Tokens a batch may have: fewer where every token's Z_t is kept, or every token has many logits.
fn limit(spec: &ModelSpec, plan: Option<&QuantPlan>) -> usize {
    let one_by_one = match plan {
        Some(plan) => plan.chunk.is_none(),
        None => spec.nonlinearity != astromorph::spec::Nonlinearity::Identity,
    };
    let rows = match spec.output.pooling {
        Pooling::None => LOGITS / spec.output.size.max(1) + 1,
        _ => TOKENS,
    };
    match spec.order == Order::Causal && one_by_one {
        true => rows.min((1 << 22) / (spec.heads * spec.features * spec.values).max(1) + 1),
        false => rows.min(TOKENS),
    }
}

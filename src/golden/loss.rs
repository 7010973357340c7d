//! Cross-entropy and its gradient by central differences: what a trainer's backward pass is tested against.
//!
//! loss = mean over all targets of ln Σ_c exp(logit_c) − logit_target. A row without a target does not count.
//!
//! ```
//! use astromorph::golden::{Logits, loss::cross_entropy};
//! let logits = Logits { rows: 2, columns: 2, data: vec![0.0f64, 3f64.ln(), 5.0, 5.0] };
//! let (sum, count) = cross_entropy(&logits, &[Some(1), None]).unwrap(); // −ln(3/4)
//! assert!((sum - (4f64 / 3.0).ln()).abs() < 1e-12 && count == 1);
//! ```

use super::model::{Golden, Logits};
use super::{Real, real};
use crate::sequence::Sequence;
use crate::spec::{ModelSpec, range};
use crate::weights::Weights;
use crate::{Error, Result};

/// The target of every row of logits of one sequence: 1 for a pooled model, N otherwise.
pub type Targets = Vec<Option<u32>>;

/// Sum of the rows' losses, and how many rows had a target.
pub fn cross_entropy<T: Real>(logits: &Logits<T>, targets: &[Option<u32>]) -> Result<(T, usize)> {
    if targets.len() != logits.rows {
        return Err(Error::field(
            "targets",
            format!("{} rows, as the logits have", logits.rows),
            targets.len(),
        ));
    }
    let mut sum = T::zero();
    let mut count = 0;
    for (r, target) in targets.iter().enumerate() {
        let Some(target) = *target else { continue };
        range(&format!("targets[{r}]"), target as usize, 0, logits.columns - 1)?;
        let row = logits.row(r);
        let top = row.iter().fold(T::neg_infinity(), |top, &x| top.max(x));
        let total = row.iter().fold(T::zero(), |s, &x| s + (x - top).exp());
        sum = sum + top + total.ln() - row[target as usize];
        count += 1;
    }
    Ok((sum, count))
}

/// Mean loss of a batch of sequences.
pub fn mean_loss<T: Real>(golden: &Golden<T>, sequences: &[Sequence], targets: &[Targets]) -> Result<T> {
    if sequences.len() != targets.len() {
        return Err(Error::field(
            "targets",
            format!("{} sequences", sequences.len()),
            targets.len(),
        ));
    }
    let mut total = (T::zero(), 0);
    for (sequence, targets) in sequences.iter().zip(targets) {
        let (sum, count) = cross_entropy(&golden.predict(sequence)?, targets)?;
        total = (total.0 + sum, total.1 + count);
    }
    if total.1 == 0 {
        return Err(Error::field("targets", "at least one target", "none"));
    }
    Ok(total.0 / real(total.1 as f64))
}

/// ∂ loss / ∂ weight by central differences in f64: (loss(x + h) − loss(x − h)) / 2h for entry `index` of tensor `name`.
///
/// The weight itself is an f32, so x ± h is rounded; the quotient divides by the step that was really made.
/// h = 1e-2 to 1e-3 of the weight's size serves.
pub fn finite_difference(
    spec: &ModelSpec,
    weights: &Weights,
    sequences: &[Sequence],
    targets: &[Targets],
    name: &str,
    index: usize,
    h: f64,
) -> Result<f64> {
    let tensor = weights.get(name)?;
    let last = tensor.data.len().saturating_sub(1);
    range(&format!("index into {name}"), index, 0, last)?;
    let x = tensor.data[index];
    let (above, below) = ((x as f64 + h) as f32, (x as f64 - h) as f32);
    let step = above as f64 - below as f64;
    if !step.is_finite() || step <= 0.0 {
        return Err(Error::field("h", format!("a step that changes {x} as an f32"), h));
    }
    let mut moved = weights.clone();
    let mut loss = |value: f32| {
        if let Some(tensor) = moved.tensors.get_mut(name) {
            tensor.data[index] = value;
        }
        mean_loss(&Golden::<f64>::new(spec, &moved)?, sequences, targets)
    };
    Ok((loss(above)? - loss(below)?) / step)
}

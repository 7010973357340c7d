//! What a trained model's attention does, seen from outside: taken away, observed, read in another order, disturbed.
//!
//! ```
//! use astromorph::weights::Weights;
//! use astromorph_host::{data, experiment::probe, project::Project};
//! let project = Project::builtin("recall").unwrap();             // causal
//! let weights = Weights::random(&project.model, 1);
//! let set = data::load(&project, None).unwrap();
//! assert_eq!(probe::leak(&project.model, &weights, &set.test).unwrap(), Some(0.0));
//! let mut two_pass = project.model.clone();
//! two_pass.order = astromorph::spec::Order::TwoPass;
//! assert!(probe::leak(&two_pass, &weights, &set.test).unwrap().unwrap() > 0.0);
//! assert!(probe::variation(&project.model, &weights, &set.test).unwrap().unwrap() > 0.0);
//! ```

use crate::data::{Example, evenly};
use astromorph::Result;
use astromorph::golden::Golden;
use astromorph::sequence::Sequence;
use astromorph::spec::{AttentionKind, Input, ModelSpec, Order, Pooling};
use astromorph::weights::Weights;

/// Sequences that are looked at, evenly spread over the split.
const SEQUENCES: usize = 64;

/// The same weights with o = 0 in every layer; nothing for a model that has no attention.
pub fn without_attention(weights: &Weights) -> Option<Weights> {
    let mut zeroed = weights.clone();
    let outputs = zeroed
        .tensors
        .iter_mut()
        .filter(|(name, _)| name.ends_with("attention.w_o") || name.ends_with("attention.b_o"));
    let mut found = false;
    for (_, tensor) in outputs {
        tensor.data.fill(0.0);
        found = true;
    }
    found.then_some(zeroed)
}

/// The same model in causal order.
pub fn causal(spec: &ModelSpec) -> ModelSpec {
    ModelSpec {
        order: Order::Causal,
        ..spec.clone()
    }
}

fn some(split: &[Example]) -> impl Iterator<Item = &Sequence> {
    evenly(split.len(), SEQUENCES).map(|i| &split[i].sequence)
}

fn mean_square(x: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = x.fold((0.0, 0usize), |(sum, n), x| (sum + x * x, n + 1));
    sum / n.max(1) as f64
}

/// rms of y less its mean over the sequence, over rms of y, in percent: the mean over layers and sequences.
pub fn variation(spec: &ModelSpec, weights: &Weights, split: &[Example]) -> Result<Option<f64>> {
    if spec.attention == AttentionKind::None {
        return Ok(None);
    }
    let golden = Golden::<f32>::new(spec, weights)?;
    let (mut sum, mut count) = (0.0, 0usize);
    for sequence in some(split) {
        golden.forward(sequence, &mut |name, rows, columns, y| {
            if !name.ends_with(".y") {
                return;
            }
            let mean = |c: usize| (0..rows).map(|r| y[r * columns + c] as f64).sum::<f64>() / rows as f64;
            let means: Vec<f64> = (0..columns).map(mean).collect();
            let apart = mean_square(y.iter().enumerate().map(|(at, &y)| y as f64 - means[at % columns]));
            let whole = mean_square(y.iter().map(|&y| y as f64));
            if whole > 0.0 {
                sum += (apart / whole).sqrt();
                count += 1;
            }
        })?;
    }
    Ok((count > 0).then(|| 100.0 * sum / count as f64))
}

/// Largest change of a logit of any token but the last when the last token becomes another one, over the rms of the logits: 0 for what is
/// strictly causal. Nothing for a pooled model.
pub fn leak(spec: &ModelSpec, weights: &Weights, split: &[Example]) -> Result<Option<f64>> {
    if spec.output.pooling != Pooling::None {
        return Ok(None);
    }
    let golden = Golden::<f64>::new(spec, weights)?;
    let mut most = 0f64;
    for sequence in some(split).filter(|s| s.len() > 1) {
        let before = golden.predict(sequence)?;
        let after = golden.predict(&changed(spec, sequence))?;
        let kept = before.data.len() - before.columns;
        let moved = before.data[..kept].iter().zip(&after.data).map(|(a, b)| (a - b).abs());
        let rms = mean_square(before.data.iter().copied()).sqrt();
        most = most.max(moved.fold(0.0, f64::max) / rms);
    }
    Ok(Some(most))
}

/// With another last token.
fn changed(spec: &ModelSpec, sequence: &Sequence) -> Sequence {
    let mut other = sequence.clone();
    match (&mut other, &spec.input) {
        (Sequence::Tokens { ids, .. }, Input::Tokens { vocabulary, .. }) => {
            if let Some(last) = ids.last_mut() {
                *last = if *last + 1 < *vocabulary as u32 { *last + 1 } else { 1 };
            }
        }
        (Sequence::Vectors { width, data }, _) => {
            let at = data.len() - *width;
            data[at..].iter_mut().for_each(|x| *x = 1.0 - *x);
        }
        _ => {}
    }
    other
}

/// Mean of the learnt calcium exponents.
pub fn alpha(spec: &ModelSpec, weights: &Weights) -> Result<Option<f64>> {
    let alphas: Vec<f64> = (0..spec.layers)
        .map(|l| weights.alpha(spec, l))
        .collect::<Result<_>>()?;
    Ok(spec
        .calcium
        .learnt
        .then(|| alphas.iter().sum::<f64>() / alphas.len() as f64))
}
